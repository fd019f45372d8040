//! The services of the CO, their kinds, and what an access offers.

use serde_json::{Value, json};

use super::availability_dates::ServiceDates;
use super::dialect::Dialect;
use super::response::ErrorResponse;

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
    pub(super) dates: ServiceDates,
}

/// A service that another service provider delivers.
#[derive(Debug, Clone, Copy)]
pub(super) struct ForeignService {
    pub(super) kind: ServiceKind,
    pub(super) takeover_possible: bool,
}

impl ServiceOffer {
    /// Returns the service as the responses about one access contain it.
    pub(super) fn value(&self, dialect: Dialect) -> Value {
        let mut value = json!({ "service": self.service });
        self.dates.write(&mut value, dialect, false);
        value["forcedTakeoverPossible"] = json!(self.takeover_possible);
        if self.kind == ServiceKind::Broadband {
            value["characteristics"] = json!({
                "fixedIp": { "required": false, "values": [true, false] },
                "ipAddress": { "required": false },
                "SLA": { "required": self.needs_service_level(dialect), "values": service_levels(dialect) },
            });
        }
        match self.kind {
            ServiceKind::Television => value["comments"] = json!(["Utrustning hämtas i Ankeborg."]),
            ServiceKind::Failing => value["comments"] = json!(["Beställningar av denna tjänst misslyckas."]),
            ServiceKind::Broadband | ServiceKind::Telephone => {}
        }
        value
    }

    /// Returns the service as the list of accesses contains it before 2.6.
    pub(super) fn summary(&self, dialect: Dialect) -> Value {
        let mut value = json!({ "service": self.service });
        self.dates.write(&mut value, dialect, true);
        value
    }

    /// Checks the characteristics of an order for this service: values that the offer does not list, and, if the
    /// order creates a subscription, those that the offer requires. The vendor checks nothing.
    pub(super) fn check_characteristics(
        &self,
        dialect: Dialect,
        order: &Value,
        creates: bool,
    ) -> Result<(), ErrorResponse> {
        let refuse = |problem: &str| Err(ErrorResponse::new(400, format!("characteristics.SLA: {problem}")));
        match order.pointer("/characteristics/SLA").and_then(Value::as_str) {
            _ if dialect.is_vendor() || self.kind != ServiceKind::Broadband => Ok(()),
            Some(level) if !service_levels(dialect).contains(&level) => {
                refuse("it is none of the listed values")
            }
            None if creates && self.needs_service_level(dialect) => {
                refuse("it is missing; this service requires it")
            }
            _ => Ok(()),
        }
    }

    /// Returns whether an order must name the service level. The standard's networks require it for the fastest
    /// service.
    pub(super) fn needs_service_level(&self, dialect: Dialect) -> bool {
        !dialect.is_vendor() && self.service == "BB-1000-1000"
    }
}

fn service_levels(dialect: Dialect) -> &'static [&'static str] {
    if dialect.is_vendor() { &["SLA-1", "SLA-2"] } else { &["SLA-1", "SLA-2", "SLA-3"] }
}

/// Returns the kind of a service, or `None` if there is no such service.
pub(super) fn kind_of(service: &str) -> Option<ServiceKind> {
    SERVICES.iter().find(|(name, _)| *name == service).map(|(_, kind)| *kind)
}
