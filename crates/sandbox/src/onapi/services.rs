//! The services of the CO, their kinds, and what an access offers.

use serde_json::{Value, json};

/// The service whose orders fail, on every access.
pub(super) const FAILING: &str = "FAIL";

/// The kind of a service. An access has at most one active service of each kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ServiceKind {
    Broadband,
    Television,
    Telephone,
    Failing,
}

impl ServiceKind {
    /// Returns the name that the technical endpoints use.
    pub(super) fn service_type(self) -> &'static str {
        match self {
            ServiceKind::Broadband => "bb",
            ServiceKind::Television => "iptv",
            ServiceKind::Telephone => "voip",
            ServiceKind::Failing => "unknown",
        }
    }
}

pub(super) const SERVICES: [(&str, ServiceKind); 6] = [
    ("BB-100-100", ServiceKind::Broadband),
    ("BB-250-100", ServiceKind::Broadband),
    ("BB-1000-1000", ServiceKind::Broadband),
    ("IPTV", ServiceKind::Television),
    ("VOIP", ServiceKind::Telephone),
    (FAILING, ServiceKind::Failing),
];

/// A service that an access offers.
#[derive(Debug, Clone, Copy)]
pub(super) struct ServiceOffer {
    pub(super) service: &'static str,
    pub(super) kind: ServiceKind,
    /// Whether the service can be taken over from the service provider that delivers it.
    pub(super) takeover_possible: bool,
    /// Whether the service cannot be ordered yet.
    pub(super) not_yet_orderable: bool,
}

/// A service that another service provider delivers.
#[derive(Debug, Clone, Copy)]
pub(super) struct ForeignService {
    pub(super) kind: ServiceKind,
    pub(super) takeover_possible: bool,
}

impl ServiceOffer {
    pub(super) fn value(&self) -> Value {
        let from = if self.not_yet_orderable { "3030-12-12T00:00:01Z" } else { "1990-01-01T00:00:01Z" };
        let mut value = json!({
            "service": self.service,
            "connectionDateTime": from,
            "availableDateTime": from,
            "disconnectionDateTime": "",
            "forcedTakeoverPossible": self.takeover_possible,
        });
        match self.kind {
            ServiceKind::Broadband => {
                value["characteristics"] = json!({
                    "fixedIp": { "required": false, "values": [true, false] },
                    "ipAddresses": { "required": false },
                    "sla": { "required": false, "values": ["SLA-1", "SLA-2"] },
                });
            }
            ServiceKind::Television => value["comments"] = json!(["Utrustning hämtas i Ankeborg."]),
            ServiceKind::Telephone => {}
            ServiceKind::Failing => value["comments"] = json!(["Beställningar av denna tjänst misslyckas."]),
        }
        value
    }
}

/// Returns the kind of a service, or `None` if there is no such service.
pub(super) fn kind_of(service: &str) -> Option<ServiceKind> {
    SERVICES.iter().find(|(name, _)| *name == service).map(|(_, kind)| *kind)
}
