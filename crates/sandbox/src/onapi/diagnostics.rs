//! The technical information about a line. All fields are optional (ON-API 2.6, technical information).

use fastrand::Rng;
use serde_json::{Value, json};

use super::fixtures;
use super::network::{AccessLine, Subscription};
use super::services::ServiceKind;
use super::time::{DAY, HOUR, Moment, rfc_3339};

/// A line as its network element reports it, at the start of the simulation.
pub(super) struct Probe<'a> {
    line: &'a AccessLine,
    rng: Rng,
    start_time: Moment,
}

impl<'a> Probe<'a> {
    pub(super) fn new(line: &'a AccessLine, rng: Rng, start_time: Moment) -> Probe<'a> {
        Probe { line, rng, start_time }
    }

    /// Returns the status of the customer equipment. Without subscriptions it is down and nothing else is known.
    pub(super) fn cpe(mut self) -> Value {
        if self.line.subscriptions.is_empty() {
            return json!({ "up": false });
        }
        let mac_table = self.mac_entries();
        let snooped = self.devices().into_iter().map(|device| {
            let timeout = rfc_3339(self.start_time + 2 * HOUR);
            json!({ "ip": device.ip, "mac": device.mac, "serviceType": device.service, "timeout": timeout })
        });
        json!({
            "firmware": "1.0.1",
            "vendor": "Example",
            "model": "X-1",
            "mac": fixtures::mac(self.line.number, 9),
            "up": true,
            "dhcpSnooping": snooped.collect::<Vec<_>>(),
            "macAddressTable": mac_table,
            "upSince": self.before(90 * DAY),
            "ports": [self.port(1, true), self.port(2, false)],
        })
    }

    pub(super) fn hardware(mut self) -> Value {
        let model = ["S-24", "S-48"][self.rng.usize(..2)];
        json!({ "up": true, "upSince": self.before(400 * DAY), "vendor": "Example", "model": model })
    }

    pub(super) fn mac_table(mut self) -> Value {
        self.mac_entries()
    }

    pub(super) fn leases(self) -> Value {
        let lease = |device: Device| {
            json!({
                "lease": device.ip,
                "mac": device.mac,
                "serviceType": device.service,
                "start": rfc_3339(self.start_time - HOUR),
                "end": rfc_3339(self.start_time + HOUR),
                "lastRenew": rfc_3339(self.start_time - HOUR / 2),
            })
        };
        self.devices().into_iter().map(lease).collect()
    }

    /// Returns the multicast groups. Only television joins groups.
    pub(super) fn igmp(mut self) -> Value {
        let watched = self.line.subscriptions.iter().filter(|one| one.kind == ServiceKind::Television);
        let groups = watched.flat_map(|_| [1, 2]);
        groups
            .map(|group| {
                let counter = self.rng.u32(..5_000_000);
                json!({
                    "multicast": format!("233.252.0.{group}"),
                    "timestamp": self.before(HOUR),
                    "counter": counter,
                })
            })
            .collect()
    }

    pub(super) fn link(mut self) -> Value {
        let link = !self.line.subscriptions.is_empty();
        let mut value = json!({
            "link": link,
            "linkSince": self.before(30 * DAY),
            "speed": "auto",
            "adminDown": false,
            "transceiver": self.transceiver(),
        });
        if link {
            value["fullDuplex"] = json!(true);
            value["statistics"] = self.statistics();
            let speeds = self.line.subscriptions.iter().enumerate().map(|(queue, one)| {
                let rate = rate(one.service).to_string();
                let service_type = one.kind.service_type();
                json!({ "serviceType": service_type, "queue": queue.to_string(), "cir": rate, "pir": rate })
            });
            value["configuredSpeed"] = speeds.collect();
        }
        value
    }

    fn mac_entries(&mut self) -> Value {
        let devices = self.devices();
        let entry = |device: Device| {
            json!({
                "mac": device.mac,
                "serviceType": device.service,
                "vlan": device.vlan,
                "port": "1",
                "learntAt": self.before(DAY),
            })
        };
        devices.into_iter().map(entry).collect()
    }

    /// Returns the devices of all subscriptions that are not suspended.
    fn devices(&self) -> Vec<Device> {
        let running = self.line.subscriptions.iter().filter(|one| !one.suspended);
        running.flat_map(|one| Device::of(one, self.line.number)).collect()
    }

    fn port(&mut self, index: u8, link: bool) -> Value {
        let mut port = json!({
            "index": index,
            "ifDescription": format!("LAN{index}"),
            "name": format!("LAN {index}"),
            "link": link,
            "changedAt": self.before(30 * DAY),
            "loopDetectionStatus": "ok",
            "freeSeating": index != 1,
            "configuredSpeed": "auto",
        });
        if link {
            port["fullDuplex"] = json!(true);
            port["linkSpeed"] = json!(1000);
            port["statistics"] = self.statistics();
            port["transceiver"] = self.transceiver();
        }
        port
    }

    fn transceiver(&mut self) -> Value {
        json!({
            "dbmRx": format!("-{}.{}", self.rng.u8(8..20), self.rng.u8(..10)),
            "dbmTx": format!("-{}.{}", self.rng.u8(3..8), self.rng.u8(..10)),
            "temp": self.rng.u8(25..50).to_string(),
            "vendor": "Example",
            "partNumber": "SFP-1",
            "serialNumber": format!("EX{:06}", self.line.number),
        })
    }

    fn statistics(&mut self) -> Value {
        let peak = |probe: &mut Self| {
            let counter = probe.rng.u32(1_000_000..30_000_000);
            json!({ "counter": counter, "timestamp": probe.before(DAY) })
        };
        json!({
            "counterResetAt": self.before(400 * DAY),
            "peakInputRate": peak(self),
            "peakOutputRate": peak(self),
            "lastFiveInput": self.traffic(10_000),
            "lastFiveOutput": self.traffic(10_000),
            // These values need more than 32 bits.
            "input": self.traffic(9_000_000_000),
            "output": self.traffic(9_000_000_000),
        })
    }

    fn traffic(&mut self, packets: u64) -> Value {
        let unicast = self.rng.u64(packets..packets * 2);
        let (broadcast, multicast) = (self.rng.u64(..100), self.rng.u64(..100));
        json!({
            "packets": unicast + broadcast + multicast,
            "bytes": unicast * 700,
            "unicast": unicast,
            "broadcast": broadcast,
            "multicast": multicast,
            "pauses": 0,
            "errors": self.rng.u64(..10),
            "crcErrors": 0,
        })
    }

    /// Returns a time within this number of seconds before the start of the simulation.
    fn before(&mut self, seconds: u64) -> String {
        rfc_3339(self.start_time - self.rng.u64(1..seconds))
    }
}

struct Device {
    mac: String,
    ip: String,
    service: &'static str,
    vlan: u16,
}

impl Device {
    /// Returns one device per registered piece of equipment, or one device that is not registered.
    fn of(subscription: &Subscription, line: usize) -> Vec<Device> {
        let equipment = subscription.sp_fields.get("equipment").and_then(Value::as_array);
        let named = equipment.into_iter().flatten().filter_map(|one| one.get("macAddress")?.as_str());
        let mut macs: Vec<_> = named.map(str::to_owned).collect();
        if macs.is_empty() {
            macs.push(fixtures::mac(line, 8));
        }
        let vlan = match subscription.kind {
            ServiceKind::Broadband => 101,
            ServiceKind::Television => 102,
            ServiceKind::Telephone => 103,
            ServiceKind::Failing => 104,
        };
        let service = subscription.kind.service_type();
        macs.into_iter().map(|mac| Device { mac, ip: fixtures::ip(line), service, vlan }).collect()
    }
}

/// Returns the rate of a service in kbit/s.
fn rate(service: &str) -> u32 {
    service.split('-').nth(1).and_then(|rate| rate.parse::<u32>().ok()).unwrap_or(20) * 1000
}
