//! What a supplier holds, as the control API and a test see it.

use std::error::Error;
use std::fmt;

/// An order, a batch, a ticket or another object that a supplier holds.
///
/// Texts such as `reference` and `description` are what clients sent. Escape them before you show them in a page.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ObjectSnapshot {
    /// What the object is.
    pub kind: ObjectKind,
    /// The supplier's id of the object.
    pub id: String,
    /// The reference that the client gave the object.
    pub reference: Option<String>,
    /// Describes the object in a few words, such as `ACTIVATE BB-100-100 on a-123456`.
    pub description: String,
    /// The state, as the supplier names it.
    pub state: String,
    /// Whether the supplier still works on the object. Then it can be finished.
    pub open: bool,
}

/// What an [`ObjectSnapshot`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ObjectKind {
    /// An order.
    Order,
    /// A batch of connections (Cocon).
    Batch,
    /// A connected building (Cocon).
    Connection,
    /// A customer (Cocon).
    Customer,
    /// A trouble ticket (ON-API).
    Ticket,
}

impl ObjectKind {
    const ALL: [ObjectKind; 5] = [
        ObjectKind::Order,
        ObjectKind::Batch,
        ObjectKind::Connection,
        ObjectKind::Customer,
        ObjectKind::Ticket,
    ];

    /// Returns the kind with this name in the control API.
    pub(crate) fn named(name: &str) -> Option<ObjectKind> {
        ObjectKind::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Returns the name in the control API.
    pub(crate) fn name(self) -> &'static str {
        match self {
            ObjectKind::Order => "order",
            ObjectKind::Batch => "batch",
            ObjectKind::Connection => "connection",
            ObjectKind::Customer => "customer",
            ObjectKind::Ticket => "ticket",
        }
    }
}

/// Panics unless exactly one order has this reference.
#[track_caller]
pub(crate) fn assert_placed_once(objects: &[ObjectSnapshot], reference: &str) {
    let is_it = |object: &&ObjectSnapshot| {
        object.kind == ObjectKind::Order && object.reference.as_deref() == Some(reference)
    };
    let ids: Vec<_> = objects.iter().filter(is_it).map(|object| object.id.as_str()).collect();
    assert!(ids.len() == 1, "{} orders have the reference {reference}: {}", ids.len(), ids.join(", "));
}

/// How the supplier's work on an object ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Completion {
    /// The work succeeds, unless the supplier's own rules make it fail.
    Success,
    /// The work fails.
    Failure,
}

/// Why an object cannot be finished.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum FinishError {
    /// The supplier has no object with this id that can be finished.
    NotFound,
    /// The supplier does not work on the object. Contains the object's state.
    NotOpen(String),
}

impl fmt::Display for FinishError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FinishError::NotFound => write!(f, "there is no such order, batch or ticket"),
            FinishError::NotOpen(state) => {
                write!(f, "the supplier does not work on it: its state is {state}")
            }
        }
    }
}

impl Error for FinishError {}
