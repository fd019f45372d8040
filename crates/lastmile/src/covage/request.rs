//! The types of work on a line, and the data that each of them requires.

use lastmile_covage::types::{OfferRequestActivationType, OrderCreateRequestType, OrderUpdateRequestType};

/// The work on a copper line. It is the `request_type` of the order.
///
/// Source: the supplier's page on the principles of orders describes the values, and its page on offers lists them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Copper {
    /// Takes over an existing line, active or not. Its address cannot be changed.
    Activate,
    /// Builds a line next to an active line of the same owner in the same premises.
    Create,
    /// Builds a line next to a neighbour's active line at the same address, in other premises.
    CreateNearby,
    /// Builds a line next to a neighbour's active line at another address on the same pavement.
    CreateNeighbour,
}

/// The work on a fibre line. It is the `request_type` of the order.
///
/// Source: orders API, "Update the address of an order" and "Update the OTP reference of an order".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fibre {
    /// Builds a new optical socket.
    Create,
    /// Uses an existing socket whose reference is known.
    ActivateDefined,
    /// Uses an existing socket whose reference is not known.
    ActivateUndefined,
}

/// Data that a type of work requires in addition to the data of every order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Demand {
    /// The stairs and the floor. Set them with [`Draft::set_floor`](super::Draft::set_floor).
    StairsAndFloor,
    /// The reference of the optical socket. Set it with [`Draft::set_otp`](super::Draft::set_otp).
    Socket,
    /// The street number. Set it with [`Draft::set_street_number`](super::Draft::set_street_number).
    StreetNumber,
    /// An appointment with the local loop operator. [`Covage::slots`](super::Covage::slots) returns the available slots; no
    /// public source describes how to book one.
    Appointment,
}

impl Copper {
    /// Returns the data that this work requires.
    pub fn demands(self) -> &'static [Demand] {
        match self {
            Self::Activate => &[],
            Self::Create | Self::CreateNearby => &[Demand::Appointment],
            Self::CreateNeighbour => &[Demand::StreetNumber, Demand::Appointment],
        }
    }

    /// Returns the same work as the activation type of a request for offers.
    pub(super) fn offered(self) -> OfferRequestActivationType {
        match self {
            Self::Activate => OfferRequestActivationType::Activate,
            Self::Create => OfferRequestActivationType::Create,
            Self::CreateNearby => OfferRequestActivationType::CreateNearby,
            Self::CreateNeighbour => OfferRequestActivationType::CreateNeighbour,
        }
    }
}

impl Fibre {
    /// Returns the data that this work requires.
    pub fn demands(self) -> &'static [Demand] {
        match self {
            Self::Create | Self::ActivateUndefined => &[Demand::StairsAndFloor],
            Self::ActivateDefined => &[Demand::Socket],
        }
    }

    pub(super) fn changed(self) -> OrderUpdateRequestType {
        match self {
            Self::Create => OrderUpdateRequestType::Create,
            Self::ActivateDefined => OrderUpdateRequestType::ActivateDefined,
            Self::ActivateUndefined => OrderUpdateRequestType::ActivateUndefined,
        }
    }
}

impl From<Copper> for OrderCreateRequestType {
    fn from(work: Copper) -> Self {
        match work {
            Copper::Activate => Self::Activate,
            Copper::Create => Self::Create,
            Copper::CreateNearby => Self::CreateNearby,
            Copper::CreateNeighbour => Self::CreateNeighbour,
        }
    }
}

impl From<Fibre> for OrderCreateRequestType {
    fn from(work: Fibre) -> Self {
        match work {
            Fibre::Create => Self::Create,
            Fibre::ActivateDefined => Self::ActivateDefined,
            Fibre::ActivateUndefined => Self::ActivateUndefined,
        }
    }
}

/// The work of a draft, as far as the draft states it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Work {
    Copper(Copper),
    Fibre(Fibre),
}

impl Work {
    /// Returns `None` if the request type does not exist for this technology.
    pub(super) fn of(is_fibre: bool, request_type: &str) -> Option<Self> {
        Some(match (is_fibre, request_type) {
            (false, "activate") => Self::Copper(Copper::Activate),
            (false, "create") => Self::Copper(Copper::Create),
            (false, "create_nearby") => Self::Copper(Copper::CreateNearby),
            (false, "create_neighbour") => Self::Copper(Copper::CreateNeighbour),
            (true, "create") => Self::Fibre(Fibre::Create),
            (true, "activate_defined") => Self::Fibre(Fibre::ActivateDefined),
            (true, "activate_undefined") => Self::Fibre(Fibre::ActivateUndefined),
            _ => return None,
        })
    }

    pub(super) fn demands(self) -> &'static [Demand] {
        match self {
            Self::Copper(work) => work.demands(),
            Self::Fibre(work) => work.demands(),
        }
    }
}
