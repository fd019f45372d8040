//! What a test can know about an access in advance.

use super::network::AccessLine;
use super::services::{FAILING, ServiceOffer};

/// A snapshot of an access of the simulated network.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Access {
    /// The id of the access.
    pub id: String,
    /// The services that the access offers, and what would happen to an order for each. Does not include the service
    /// that always [fails](super::OnApi::FAILING_SERVICE).
    pub services: Vec<Offer>,
    /// The subscriptions of the calling service provider.
    pub subscriptions: Vec<ActiveSubscription>,
    /// The complete DHCP option 82, in hexadecimal digits.
    pub option82: String,
    /// The DHCPv4 circuit id. The thirtieth access has the circuit id of the twenty-ninth, so a lookup by circuit id
    /// alone finds neither.
    pub ipv4_circuit_id: String,
    /// The DHCPv4 remote id.
    pub ipv4_remote_id: String,
    /// The DHCPv6 interface id.
    pub ipv6_interface_id: String,
    /// The DHCPv6 remote id.
    pub ipv6_remote_id: String,
}

/// A service that an access offers.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Offer {
    /// The name of the service.
    pub service: String,
    /// Whether an order can force a takeover of the service from another service provider.
    pub forced_takeover_possible: bool,
    /// What would happen to an order that activates the service.
    pub availability: Availability,
}

/// What would happen to an order that activates a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Availability {
    /// The order would be placed.
    Free,
    /// The service is already active for the calling service provider: 200, and no order is placed.
    Active,
    /// Another service of the same kind is active for the calling service provider: 409.
    Conflicting,
    /// Another service provider delivers a service of the same kind: 409, unless the order forces a takeover and the
    /// offer allows it.
    HeldByOther,
    /// The service cannot be ordered yet: 400.
    NotYet,
}

/// A subscription of the calling service provider that has not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ActiveSubscription {
    /// The id of the subscription.
    pub subscription_id: String,
    /// The name of the service.
    pub service: String,
    /// Whether the subscription is suspended.
    pub suspended: bool,
}

impl Access {
    pub(super) fn of(line: &AccessLine) -> Access {
        let identifiers = line.identifiers();
        let offer = |offer: ServiceOffer| Offer {
            service: offer.service.to_owned(),
            forced_takeover_possible: offer.takeover_possible,
            availability: availability(line, &offer),
        };
        let delivered = line.subscriptions.iter().map(|one| ActiveSubscription {
            subscription_id: one.id.clone(),
            service: one.service.to_owned(),
            suspended: one.suspended,
        });
        Access {
            id: line.id.clone(),
            services: line.offers().filter(|offer| offer.service != FAILING).map(offer).collect(),
            subscriptions: delivered.collect(),
            option82: identifiers.option82(),
            ipv4_circuit_id: identifiers.ipv4_circuit_id,
            ipv4_remote_id: identifiers.ipv4_remote_id,
            ipv6_interface_id: identifiers.ipv6_interface_id,
            ipv6_remote_id: identifiers.ipv6_remote_id,
        }
    }

    /// Returns the first service with this availability.
    pub fn service(&self, availability: Availability) -> Option<&Offer> {
        self.services.iter().find(|offer| offer.availability == availability)
    }
}

fn availability(line: &AccessLine, offer: &ServiceOffer) -> Availability {
    let ours = || line.subscriptions.iter().filter(|one| one.kind == offer.kind);
    if offer.not_yet_orderable {
        Availability::NotYet
    } else if ours().any(|one| one.service == offer.service) {
        Availability::Active
    } else if ours().next().is_some() {
        Availability::Conflicting
    } else if line.foreign_services.iter().any(|foreign| foreign.kind == offer.kind) {
        Availability::HeldByOther
    } else {
        Availability::Free
    }
}
