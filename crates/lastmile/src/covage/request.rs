//! What can be done to a line, and what each kind of work asks of the caller.

use lastmile_covage::types::{OfferRequestActivationType, OrderCreateRequestType, OrderUpdateRequestType};

/// What is done to a copper line, the `request_type` of the order.
///
/// Source: the supplier's page on the principles of orders says what they mean, that on offers lists them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Copper {
    /// Takes over a line that exists, active or not. Its address cannot be changed.
    Activate,
    /// Builds a line beside an active one of the same owner in the same premises.
    Create,
    /// Builds a line beside a neighbour's active one at the same address, in other premises.
    CreateNearby,
    /// Builds a line beside a neighbour's active one at another address on the same pavement.
    CreateNeighbour,
}

/// What is done to a fibre line, the `request_type` of the order.
///
/// Source: orders API, "Update the address of an order" and "Update the OTP reference of an order".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fibre {
    /// Builds a new optical socket.
    Create,
    /// Uses a socket that exists and whose reference is known.
    ActivateDefined,
    /// Uses a socket that exists and whose reference is not known.
    ActivateUndefined,
}

/// What a kind of work asks of the caller, beside what every order needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Demand {
    /// The stairs and the floor: [`Draft::set_floor`](super::Draft::set_floor).
    StairsAndFloor,
    /// The reference of the optical socket: [`Draft::set_otp`](super::Draft::set_otp).
    Socket,
    /// The number in the street: [`Draft::set_street_number`](super::Draft::set_street_number).
    StreetNumber,
    /// An appointment with the local loop operator. [`Covage::slots`](super::Covage::slots) shows the times; no public
    /// source says how one is booked.
    Appointment,
}

impl Copper {
    /// What this work asks of the caller.
    pub fn demands(self) -> &'static [Demand] {
        match self {
            Self::Activate => &[],
            Self::Create | Self::CreateNearby => &[Demand::Appointment],
            Self::CreateNeighbour => &[Demand::StreetNumber, Demand::Appointment],
        }
    }

    /// The same, asked for with an offer.
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
    /// What this work asks of the caller.
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

/// What a draft runs over and what is done to it, as far as it tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Work {
    Copper(Copper),
    Fibre(Fibre),
}

impl Work {
    /// None where the technology does not know this request type.
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
