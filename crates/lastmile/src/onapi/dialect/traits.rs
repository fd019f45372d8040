//! What each dialect offers and demands, as data. Everything that writes requests or chooses endpoints reads it here.

use lastmile_onapi::types::OrderCreateOperation;

use super::super::EndpointName;
use super::Dialect;

/// The versions of the standard that this client implements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in super::super) enum Version {
    V24,
    V25,
    V26,
}

impl Version {
    pub(in super::super) const ALL: [Self; 3] = [Self::V24, Self::V25, Self::V26];

    pub(in super::super) fn as_str(self) -> &'static str {
        match self {
            Self::V24 => "2.4",
            Self::V25 => "2.5",
            Self::V26 => "2.6",
        }
    }

    /// Returns the version that a directory names, such as `2.6` or `2.6.0`.
    pub(in super::super) fn named(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|version| {
            text.strip_prefix(version.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
    }
}

/// The name of a characteristic on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ServiceLevelName {
    /// `sla`
    Lower,
    /// `SLA`
    Upper,
}

/// The name of the characteristic for addresses, where the offer of the access does not name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AddressesName {
    /// `ipAddresses`
    Plural,
    /// `ipAddress`
    Singular,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EquipmentForm {
    /// One object, not in a list.
    One,
    List,
}

/// Where a network lists the services and the subscriptions of one access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum ListedIn {
    /// In `GET /services/{accessId}` and `GET /subscriptions/{accessId}`.
    OwnEndpoint,
    /// In `GET /accesses/{accessId}`. A row of `GET /accesses/` has the services in short, and `GET /subscriptions/` has one
    /// row for each subscription.
    Access,
}

pub(in super::super) struct Traits {
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    pub(in super::super) version: Version,
    pub(super) service_level: ServiceLevelName,
    pub(super) addresses: AddressesName,
    pub(super) equipment: EquipmentForm,
    /// Whether an order by subscription also has `accessId` and `service`.
    pub(super) repeats_line: bool,
    /// The fields that an order must have, by its operation.
    pub(super) required: Required,
    /// What a replacing order repeats of the order that it replaces.
    pub(super) replacement_repeats: &'static [&'static str],
    pub(in super::super) listed_in: ListedIn,
    /// The endpoints that the dialect does not have.
    pub(super) lacks: &'static [EndpointName],
}

/// The fields that an order must have.
pub(super) struct Required {
    pub(super) activate: &'static [&'static str],
    pub(super) deactivate: &'static [&'static str],
    pub(super) suspend: &'static [&'static str],
    pub(super) resume: &'static [&'static str],
    pub(super) modify: &'static [&'static str],
    pub(super) change: &'static [&'static str],
}

impl Required {
    pub(super) fn of(&self, operation: OrderCreateOperation) -> &'static [&'static str] {
        match operation {
            OrderCreateOperation::Activate => self.activate,
            OrderCreateOperation::Deactivate => self.deactivate,
            OrderCreateOperation::Suspend => self.suspend,
            OrderCreateOperation::Resume => self.resume,
            OrderCreateOperation::Modify => self.modify,
            OrderCreateOperation::Change => self.change,
        }
    }
}

/// (Source: ON-API 2.5 and 2.6, orders, `operation`.)
const BY_OPERATION: Required = Required {
    activate: &["accessId", "service"],
    deactivate: &["subscriptionId"],
    suspend: &["subscriptionId"],
    resume: &["subscriptionId"],
    modify: &["subscriptionId"],
    change: &["subscriptionId", "service"],
};

/// The text demands access, service and reference of every order; the samples of DEACTIVATE and SUSPEND have no reference, and
/// that of MODIFY has neither access nor service. What a sample leaves out is not demanded. (Source: ON-API 2.4, orders.)
const OF_2_4: Required = Required {
    activate: &["accessId", "service", "spReference"],
    deactivate: &["accessId", "service", "subscriptionId"],
    suspend: &["accessId", "service", "subscriptionId"],
    resume: &["accessId", "service", "subscriptionId"],
    modify: &["subscriptionId"],
    change: &["accessId", "service", "subscriptionId"],
};

/// (Source: the vendor's document of its reading of ON-API 2.6.)
const VENDOR_26: Traits = Traits {
    name: "vendor26",
    title: "one vendor's reading of 2.6",
    version: Version::V26,
    service_level: ServiceLevelName::Lower,
    addresses: AddressesName::Plural,
    equipment: EquipmentForm::One,
    repeats_line: false,
    required: BY_OPERATION,
    replacement_repeats: &[],
    listed_in: ListedIn::OwnEndpoint,
    lacks: &[],
};

/// (Source: ON-API 2.6: data formats for equipment and `SLA`, all samples for `ipAddress`, PUT of orders.)
const STANDARD_26: Traits = Traits {
    name: "standard26",
    title: "the standard 2.6",
    service_level: ServiceLevelName::Upper,
    addresses: AddressesName::Singular,
    equipment: EquipmentForm::List,
    replacement_repeats: &["path", "orderId", "expectedCompletionDate"],
    ..VENDOR_26
};

/// (Source: ON-API 2.5: accesses, subscriptions, orders. It has no page for the DHCP look-up.)
const STANDARD_25: Traits = Traits {
    name: "standard25",
    title: "the standard 2.5",
    version: Version::V25,
    listed_in: ListedIn::Access,
    lacks: &[EndpointName::Services, EndpointName::DhcpLookup],
    ..STANDARD_26
};

/// (Source: ON-API 2.4: accesses, subscriptions, orders.)
const STANDARD_24: Traits = Traits {
    name: "standard24",
    title: "the standard 2.4",
    version: Version::V24,
    repeats_line: true,
    required: OF_2_4,
    replacement_repeats: &["expectedCompletionDate"],
    lacks: &[EndpointName::Services],
    ..STANDARD_25
};

impl Dialect {
    pub(in super::super) fn traits(self) -> &'static Traits {
        match self {
            Self::Standard24 => &STANDARD_24,
            Self::Standard25 => &STANDARD_25,
            Self::Standard26 => &STANDARD_26,
            Self::Vendor26 => &VENDOR_26,
        }
    }

    /// Returns whether the dialect has an endpoint. The endpoints that a network offers are in its
    /// [directory](super::super::Directory).
    pub fn has_endpoint(self, endpoint: EndpointName) -> bool {
        !self.traits().lacks.contains(&endpoint)
    }

    /// Returns the dialect of an endpoint that a directory lists in a version, at a network with this dialect.
    pub(in super::super) fn at_version(self, version: Version) -> Self {
        match version {
            version if version == self.traits().version => self,
            Version::V24 => Self::Standard24,
            Version::V25 => Self::Standard25,
            Version::V26 => Self::Standard26,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_known_with_and_without_its_patch() {
        assert_eq!(Version::named("2.4"), Some(Version::V24));
        assert_eq!(Version::named("2.6.0"), Some(Version::V26));
        for other in ["", "2.3.1", "2.60", "2", "3.2.4"] {
            assert_eq!(Version::named(other), None, "{other}");
        }
        assert_eq!(Dialect::Vendor26.at_version(Version::V26), Dialect::Vendor26);
        assert_eq!(Dialect::Vendor26.at_version(Version::V24), Dialect::Standard24);
        assert_eq!(Dialect::Standard24.at_version(Version::V26), Dialect::Standard26);
    }
}
