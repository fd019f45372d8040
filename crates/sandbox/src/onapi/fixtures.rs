//! The generated network: addresses in and around Ankeborg, and the initial state of each access.

use fastrand::Rng;
use serde_json::{Value, json};

use super::services::{ForeignService, ServiceKind};
use super::time::{DAY, Moment};
use crate::uuid::uuid_v4;

/// The initial state of an access. The states repeat in a fixed sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum InitialState {
    /// No service is active.
    Free,
    /// The calling service provider has broadband.
    Broadband,
    /// Another service provider has broadband, which can be taken over.
    ForeignTakeoverPossible,
    /// Another service provider has broadband, which cannot be taken over.
    ForeignTakeoverImpossible,
    /// The calling service provider has suspended broadband, and television.
    SuspendedBroadbandAndTelevision,
    /// The line is not built yet: nothing can be ordered.
    Unbuilt,
    /// No service is active, and telephone cannot be ordered yet.
    TelephoneNotYet,
}

impl InitialState {
    /// After how many accesses what they deliver repeats.
    pub(super) const CYCLE: usize = 6;

    pub(super) fn of(line: usize) -> InitialState {
        match line % 6 {
            0 => InitialState::Free,
            1 => InitialState::Broadband,
            2 => InitialState::ForeignTakeoverPossible,
            3 => InitialState::ForeignTakeoverImpossible,
            4 => InitialState::SuspendedBroadbandAndTelevision,
            _ if (line / 6).is_multiple_of(2) => InitialState::Unbuilt,
            _ => InitialState::TelephoneNotYet,
        }
    }

    pub(super) fn state(self) -> &'static str {
        match self {
            InitialState::Free => "HOMESPASSED",
            InitialState::Broadband
            | InitialState::ForeignTakeoverPossible
            | InitialState::ForeignTakeoverImpossible
            | InitialState::SuspendedBroadbandAndTelevision => "CONNECTED",
            InitialState::Unbuilt => "DEPLOYING",
            InitialState::TelephoneNotYet => "INMIGRATION",
        }
    }

    /// Returns whether services of a kind cannot be ordered yet.
    pub(super) fn is_not_yet_orderable(self, kind: ServiceKind) -> bool {
        match self {
            InitialState::Unbuilt => true,
            InitialState::TelephoneNotYet => kind == ServiceKind::Telephone,
            _ => false,
        }
    }

    pub(super) fn foreign_services(self) -> Vec<ForeignService> {
        match self {
            InitialState::ForeignTakeoverPossible => {
                vec![ForeignService { kind: ServiceKind::Broadband, takeover_possible: true }]
            }
            InitialState::ForeignTakeoverImpossible => {
                vec![ForeignService { kind: ServiceKind::Broadband, takeover_possible: false }]
            }
            _ => Vec::new(),
        }
    }

    /// Returns the services of the calling service provider, and whether each is suspended.
    pub(super) fn delivered(self) -> Vec<(&'static str, bool)> {
        match self {
            InitialState::Broadband => vec![("BB-250-100", false)],
            InitialState::SuspendedBroadbandAndTelevision => vec![("BB-100-100", true), ("IPTV", false)],
            _ => Vec::new(),
        }
    }
}

const STREETS: [&str; 6] =
    ["Exempelgatan", "Provstigen", "Paradisäppelvägen", "Kvackgränd", "Södra Sjösidan", "Öresgatan"];

/// Returns the address of an access and its other constant fields.
pub(super) fn address(line: usize, rng: &mut Rng) -> Value {
    let street = line / 40;
    let house = line % 40 / 2 + 1;
    let mut address = json!({
        "streetName": STREETS[street % STREETS.len()],
        "streetNumber": if rng.u8(..10) == 0 { format!("{house}-{}", house + 2) } else { house.to_string() },
        "postalCode": format!("{}", 12_300 + street % 600),
        "city": "Ankeborg",
        "countryCode": "SE",
        "population": if street.is_multiple_of(2) { "Ankeborg centrum" } else { "Ankeborg landsbygd" },
        "priceGroup": rng.u8(..4),
        "nationalAddressUUID": uuid_v4(rng),
    });
    if rng.u8(..4) == 0 {
        address["streetLittera"] = json!(rng.choice(["A", "B", "C"]));
    }
    if rng.u8(..5) == 0 {
        address["legacyAccessId"] = json!(format!("old.{:05}", rng.u32(..100_000)));
    }
    premises(&mut address, line, rng);
    address
}

/// Adds the premises type and its fields: an apartment has its official number or another distinguisher (ON-API 2.6,
/// data formats).
fn premises(address: &mut Value, line: usize, rng: &mut Rng) {
    let kind = match line % 8 {
        0 | 3 => "RESIDENTIAL_HOUSE",
        1 | 2 | 4 => "MDU_APARTMENT",
        5 => "COMMERCIAL",
        6 => "MDU_COMMON",
        _ => ["MDU_TECHNICAL", "PUBLIC", "UNKNOWN"][line / 8 % 3],
    };
    address["premisesType"] = json!(kind);
    match line % 8 {
        1 | 2 => {
            address["mduApartmentNumber"] = json!(format!("{}", 1_000 + 100 * rng.u32(..8) + rng.u32(1..9)))
        }
        4 => address["mduDistinguisher"] = json!("Lilla huset"),
        _ => {}
    }
    if kind.starts_with("MDU") {
        address["outlet"] = json!(format!("A-{:02}", rng.u8(1..40)));
    }
}

/// Converts the constant fields of an access to those that it has before 2.6.
pub(super) fn make_legacy(access: &mut Value, line: usize) {
    if let Some(fields) = access.as_object_mut() {
        fields.remove("priceGroup");
        fields.remove("nationalAddressUUID");
    }
    // The states of a migration are new in 2.6.
    if access["accessState"] == "INMIGRATION" {
        access["accessState"] = json!("CONNECTED");
    }
    access["coNetworkAgreement"] = json!(["NOT_REQUIRED", "", "REQUIRED_VALID"][line % 3]);
    access["coFiberConverter"] = json!("EXAMPLE-CONVERTER-1");
    // A switch or a router, never both.
    let (switch, router) =
        if line.is_multiple_of(2) { ("", "EXAMPLE-ROUTER-4") } else { ("EXAMPLE-SWITCH-2", "") };
    access["coCpeSwitch"] = json!(switch);
    access["coCpeRouter"] = json!(router);
}

/// Returns a time in 2024 or 2025, before the first invoiced period.
pub(super) fn long_ago(rng: &mut Rng) -> Moment {
    const NEW_YEAR_2024: Moment = 1_704_067_200;
    NEW_YEAR_2024 + rng.u64(..600) * DAY + rng.u64(..DAY)
}

/// Returns the fields that the service provider sent with the order of an initial subscription.
pub(super) fn sp_fields(id: &str, line: usize, kind: ServiceKind) -> Value {
    let mac = |device| mac(line, device);
    let mut fields = json!({
        "spReference": format!("sp-ref-{:04}", line + 1),
        "spSubscriptionId": format!("sp-{id}"),
    });
    if kind == ServiceKind::Television {
        let device = |device| json!({ "vendorId": "EXAMPLE-TV", "macAddress": mac(device) });
        fields["equipment"] = json!([device(2), device(3)]);
    } else {
        fields["equipment"] = json!([{ "vendorId": "EXAMPLE-ROUTER", "macAddress": mac(1) }]);
        fields["characteristics"] = json!({ "fixedIp": true, "ipAddress": [ip(line)], "SLA": "SLA-2" });
    }
    fields
}

/// Returns a locally administered MAC address.
pub(super) fn mac(line: usize, device: u8) -> String {
    let [.., high, middle, low] = line.to_be_bytes();
    format!("02:00:{high:02X}:{middle:02X}:{low:02X}:{device:02X}")
}

/// Returns an address reserved for documentation (RFC 5737).
pub(super) fn ip(line: usize) -> String {
    format!("192.0.2.{}", line % 254 + 1)
}
