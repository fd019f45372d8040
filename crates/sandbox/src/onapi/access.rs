//! What a test may know about an access beforehand.

use super::network::AccessLine;
use super::services::{FAILING, ServiceOffer};

/// An access of the simulated network, as it is at this moment.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Access {
    /// Its id.
    pub id: String,
    /// What can be had on it, and what would become of an order. Without the service that always
    /// [fails](super::OnApi::FAILING_SERVICE).
    pub services: Vec<Offer>,
    /// What is delivered for us.
    pub subscriptions: Vec<ActiveSubscription>,
    /// The whole of its DHCP option 82, in hexadecimal digits.
    pub option82: String,
    /// Circuit id. The thirtieth access was given the one of the twenty-ninth by mistake.
    pub ipv4_circuit_id: String,
    /// Remote id.
    pub ipv4_remote_id: String,
    /// Interface id of DHCPv6.
    pub ipv6_interface_id: String,
    /// Remote id of DHCPv6.
    pub ipv6_remote_id: String,
}

/// A service that an access is offered.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Offer {
    /// Its name.
    pub service: String,
    /// Whether an order may force a takeover.
    pub forced_takeover_possible: bool,
    /// What would become of an order to activate it.
    pub availability: Availability,
}

/// What would become of an order to activate a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Availability {
    /// It would be placed.
    Free,
    /// The service is active for us already: 200, nothing to be done.
    Active,
    /// Another service of its kind is active for us: 409.
    Conflicting,
    /// Another service provider holds its kind: 409, unless a takeover is forced and possible.
    HeldByOther,
    /// It cannot be ordered yet: 400.
    NotYet,
}

/// A subscription on an access.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ActiveSubscription {
    /// Its id.
    pub subscription_id: String,
    /// The service.
    pub service: String,
    /// Whether it is suspended.
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

    /// The first service of this standing.
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
