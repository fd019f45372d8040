//! The states of a stored order.

use std::fmt;

/// The state of a stored order. The [crate documentation](crate#states) describes the transitions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum State {
    /// Nothing that can still take effect was sent. A worker will look it up and place it.
    Ready,
    /// The order is marked. A worker is sending it, or stopped while it did.
    InFlight,
    /// The order was sent, and it is not known whether it took effect. A worker will reconcile it.
    Indeterminate,
    /// The order is placed, and a worker follows it or takes steps that may be repeated.
    Following,
    /// Only a person can decide what became of the order, or what to do with it.
    NeedsPerson,
    /// The supplier has the order. Final.
    Placed,
    /// The supplier, or this library, rejected the order. Final.
    Refused,
    /// A person cancelled the order. Final.
    Cancelled,
}

impl State {
    /// All states.
    pub const ALL: [Self; 8] = [
        Self::Ready,
        Self::InFlight,
        Self::Indeterminate,
        Self::Following,
        Self::NeedsPerson,
        Self::Placed,
        Self::Refused,
        Self::Cancelled,
    ];

    /// Returns the name that the database uses, such as `needs_person`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::InFlight => "in_flight",
            Self::Indeterminate => "indeterminate",
            Self::Following => "following",
            Self::NeedsPerson => "needs_person",
            Self::Placed => "placed",
            Self::Refused => "refused",
            Self::Cancelled => "cancelled",
        }
    }

    /// Returns the state of a name, or `None` if there is none.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }

    /// Returns whether the order will not change any more.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Placed | Self::Refused | Self::Cancelled)
    }

    /// Returns whether a worker has something to do.
    pub fn is_active(self) -> bool {
        !self.is_final() && self != Self::NeedsPerson
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
