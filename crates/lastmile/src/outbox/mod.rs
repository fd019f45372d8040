//! The interface between the requests of this crate and an outbox: a program that stores orders and places each of them once.
//!
//! The crate `lastmile-outbox` is such a program for SQLite and PostgreSQL. It names no supplier: it stores an [`Entry`] as text,
//! opens the text with the [`Client`] of the supplier, and carries out the [`Step`] that the client returns. Services that use
//! `lastmile-outbox` rarely need this module. Implement [`Client`] and [`Step`] to place orders at a supplier of your own.
//!
//! # How a step is carried out
//!
//! | [`Phase`] | what the outbox does |
//! |---|---|
//! | [`Ready`](Phase::Ready) | [`look_up`](Step::look_up); if [`Clear`](StepOutcome::Clear) or [`Unsupported`](StepOutcome::Unsupported): [`mark`](Step::mark), store [`body`](Step::body), [`place`](Step::place) |
//! | [`Sent`](Phase::Sent) | [`reconcile`](Step::reconcile), and never anything that sends |
//! | [`Repeatable`](Phase::Repeatable) | [`repeat`](Step::repeat), as often as necessary, without a mark |
//! | [`Done`](Phase::Done) | nothing more |
//!
//! After each call the outbox stores the body again, in the same transaction as the [`StepOutcome`].

mod canonical;
mod chain;
mod chains;
mod clients;
mod step_outcome;

pub use canonical::canonical;
pub use chain::{Chain, Kind};
#[cfg(feature = "cocon")]
pub use chains::BatchAndReport;
#[cfg(feature = "covage")]
pub use chains::DraftAndSubmit;
#[cfg(feature = "onapi")]
pub use chains::PlaceAndFollow;
pub use step_outcome::{Refusal, RefusalDetail, Retry, StepOutcome};

use std::fmt;
use std::pin::Pin;
use std::time::Duration;

use lastmile_core::Error;

/// The future that the methods of a [`Step`] return.
pub type StepFuture<'a> = Pin<Box<dyn Future<Output = StepOutcome> + Send + 'a>>;

/// The client of a supplier, which opens stored orders.
///
/// [`OnApi`](crate::onapi::OnApi), [`Covage`](crate::covage::Covage) and [`Cocon`](crate::cocon::Cocon) implement it.
pub trait Client: Send + Sync {
    /// Returns the short name of the supplier's API, such as `onapi`. It is stored with each order.
    fn supplier(&self) -> &str;

    /// Returns the time limit of a call. A step sends nothing later than this after its mark has expired.
    fn deadline(&self) -> Duration;

    /// Returns how long the supplier may still process a request after its call has ended.
    fn settle_time(&self) -> Duration;

    /// Opens a stored order.
    ///
    /// # Errors
    /// Returns an [`OpenError`] when the kind is not known or the body cannot be read. Nobody can then tell what the order is, so
    /// a person has to look at it.
    fn open(&self, kind: &str, body: &str) -> Result<Box<dyn Step>, OpenError>;
}

/// A stored order that can be carried out: a [`Prepared`](crate::Prepared) value together with its client, or one step of a
/// chain of them.
pub trait Step: Send {
    /// Returns what can be done with the order.
    fn phase(&self) -> Phase;

    /// Returns what a person has to check if only a person can find out what became of the order.
    fn manual_check(&self) -> &str;

    /// Returns the text to store.
    ///
    /// # Errors
    /// Returns an error when the value cannot be written as JSON.
    fn body(&self) -> Result<String, Error>;

    /// Queries the supplier for the object that the order creates. Sends nothing that changes anything.
    fn look_up(&mut self) -> StepFuture<'_>;

    /// Marks the order as in flight. The mark is valid for this time. The caller stores the [`body`](Self::body) before it calls
    /// [`place`](Self::place).
    ///
    /// # Errors
    /// Returns an error with [`retry_after`](Error::retry_after) when the order is not looked up, or was looked up too long ago: it is
    /// looked up again. Returns [`Outcome::Invalid`](crate::Outcome::Invalid) without that time when the request is rejected before
    /// it is sent, and [`Outcome::Indeterminate`](crate::Outcome::Indeterminate) when it may have been sent.
    fn mark(&mut self, valid_for: Duration) -> Result<(), Error>;

    /// Sends the request, at most once.
    fn place(&mut self) -> StepFuture<'_>;

    /// Finds out whether the request took effect. Sends nothing that changes anything.
    fn reconcile(&mut self) -> StepFuture<'_>;

    /// Does something that may be done any number of times, such as following an order that was placed.
    fn repeat(&mut self) -> StepFuture<'_>;

    /// Accepts a person's statement that the supplier does not have the object.
    ///
    /// # Errors
    /// Returns an error, with [`retry_after`](Error::retry_after), while a request of the order may still be processed. A person has to
    /// look again then.
    fn declare_absent(&mut self) -> Result<(), Error>;

    /// Accepts a person's statement that the supplier has the object. `created` is the JSON of what the supplier created, if it
    /// is known. Returns [`StepOutcome::Placed`], or [`StepOutcome::Advanced`] if another step follows.
    ///
    /// # Errors
    /// Returns an error when `created` is needed and missing, or is not what this order creates.
    fn declare_placed(&mut self, created: Option<&str>) -> Result<StepOutcome, Error>;

    /// Returns what the supplier created, as JSON, once the order is placed. A chain returns what its last step created.
    fn result(&self) -> Option<String>;
}

/// What can be done with a stored order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Nothing that can still take effect was sent. The order can be looked up, marked and placed.
    Ready,
    /// The order is marked, and may have been sent. It can only be reconciled.
    Sent,
    /// The next call changes nothing, or does no harm if it is repeated. It needs no mark.
    Repeatable,
    /// The order is placed.
    Done,
}

/// Why a stored order cannot be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OpenError {
    /// This version of the library knows no such kind of order.
    UnknownKind,
    /// The body cannot be read, for this reason, which quotes nothing that is stored.
    Unreadable(String),
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownKind => f.write_str("this version of the library does not know this kind of order"),
            Self::Unreadable(reason) => write!(f, "the stored order cannot be read: {reason}"),
        }
    }
}

impl std::error::Error for OpenError {}

/// A value that an outbox accepts: a [`Prepared`](crate::Prepared) value that was not sent yet.
pub trait Enqueue {
    /// Returns what an outbox stores.
    ///
    /// # Errors
    /// Returns [`Outcome::Invalid`](crate::Outcome::Invalid) when the value may have been sent already, or cannot be written.
    fn entry(&self) -> Result<Entry, Error>;
}

/// What an outbox stores of an order.
///
/// `Debug` does not show the request.
#[derive(Clone, PartialEq, Eq)]
pub struct Entry {
    supplier: String,
    kind: String,
    body: String,
    request: String,
}

impl Entry {
    /// Creates an entry. `supplier` is the name that the [`Client`] returns, `body` is the text that it opens, and `request`
    /// identifies what is ordered: two entries with equal supplier, kind and request are the same order.
    pub fn new(
        supplier: impl Into<String>,
        kind: impl Into<String>,
        body: impl Into<String>,
        request: impl Into<String>,
    ) -> Self {
        Self { supplier: supplier.into(), kind: kind.into(), body: body.into(), request: request.into() }
    }

    /// Returns the short name of the supplier's API.
    pub fn supplier(&self) -> &str {
        &self.supplier
    }

    /// Returns the kind of the order, such as `onapi.order`.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// Returns the text that [`Client::open`] reads.
    pub fn body(&self) -> &str {
        &self.body
    }

    /// Returns the request as [`canonical`] JSON. It does not depend on the state of the order. An outbox stores a
    /// digest of it, so that another request under a used key is noticed.
    pub fn request(&self) -> &str {
        &self.request
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry")
            .field("supplier", &self.supplier)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}
