//! Constructors for the values that your code handles, for unit tests without a server. Requires the feature `testing`.
//!
//! A function under test accepts the result of a call, or a stream. This module creates both. For streams of orders, services
//! and similar objects, [`stream::iter`](https://docs.rs/futures-util/latest/futures_util/stream/fn.iter.html) works as well.
//!
//! ```
//! use std::time::Duration;
//! use lastmile::{Error, Outcome, testing};
//!
//! #[derive(Debug, PartialEq)]
//! enum Next { AskAgain(Duration), Correct(String), LookAtTheSupplier }
//!
//! fn next_step(error: &Error) -> Next {
//!     match error.outcome() {
//!         _ if error.may_have_taken_effect() => Next::LookAtTheSupplier,
//!         Outcome::Rejected | Outcome::Invalid => Next::Correct(error.supplier_message().unwrap_or("?").to_owned()),
//!         _ => Next::AskAgain(error.retry_after().unwrap_or(Duration::from_secs(10))),
//!     }
//! }
//!
//! // #[test] fn a_rejected_order_is_corrected() {
//! let taken = testing::error(Outcome::Rejected).status(409).supplier_message("The reference is taken").build();
//! assert_eq!(next_step(&taken), Next::Correct("The reference is taken".into()));
//!
//! let busy = testing::error(Outcome::Throttled).status(429).retry_after(Duration::from_secs(60)).build();
//! assert_eq!(next_step(&busy), Next::AskAgain(Duration::from_secs(60)));
//!
//! let lost = testing::error(Outcome::Indeterminate).build();
//! assert_eq!(next_step(&lost), Next::LookAtTheSupplier);
//! assert_eq!(next_step(&testing::error(Outcome::Indeterminate).of_read().build()), Next::AskAgain(Duration::from_secs(10)));
//! // }
//! ```
//!
//! A test of the states of a prepared value:
//!
//! ```
//! # #[cfg(feature = "cocon")] {
//! use std::time::Duration;
//! use lastmile::cocon::{Batch, BatchId, Connection, RouteScenario};
//! use lastmile::{PreparedState, Reconciled, testing};
//!
//! fn ask_again_after(found: &Reconciled<BatchId>) -> Option<Duration> {
//!     match found {
//!         Reconciled::Indeterminate(later) => Some(later.retry_after),
//!         _ => None,
//!     }
//! }
//!
//! let later = Reconciled::Indeterminate(testing::indeterminate("not there yet", Duration::from_secs(30)));
//! assert_eq!(ask_again_after(&later), Some(Duration::from_secs(30)));
//! assert_eq!(ask_again_after(&Reconciled::Undecidable(testing::undecidable("no reference"))), None);
//!
//! let batch = Batch::new([Connection::new("1234AB-1", RouteScenario::KeepRoute)]);
//! let sent = testing::prepared_indeterminate(batch)?;
//! assert_eq!(sent.state(), PreparedState::Indeterminate);
//! # }
//! # Ok::<(), lastmile::Error>(())
//! ```
//!
//! A test of code that waits for hours gives the client a [`Clock`], and advances it:
//!
//! ```
//! # #[cfg(feature = "cocon")] {
//! use std::time::Duration;
//! use lastmile::cocon::{Batch, Cocon, Connection, RouteScenario};
//! use lastmile::{Outcome, testing};
//!
//! let clock = testing::Clock::simulated();
//! let cocon = Cocon::builder("http://127.0.0.1:9").api_key("k").client_id("c").clock(clock.clone()).build()?;
//!
//! let batch = Batch::new([Connection::new("1234AB-1", RouteScenario::KeepRoute)]);
//! let mut sent = testing::prepared_indeterminate(batch)?;
//! assert_eq!(sent.declare_absent(&cocon).unwrap_err().outcome(), Outcome::Indeterminate); // it may still take effect
//! clock.advance(Duration::from_secs(3600));
//! sent.declare_absent(&cocon)?;
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A prepared value measures time by the clock of the client that it was last looked up, placed or reconciled with, and before that
//! by the clock of the machine.
//!
//! The other states of a [`Prepared`] value can be reached without this module: use [`Prepared::new`],
//! [`mark_in_flight`](Prepared::mark_in_flight) and [`declare_placed`](Prepared::declare_placed).

use std::time::Duration;

pub use lastmile_core::testing::{Clock, ErrorBuilder, error, reply, rows_of};

use crate::{Creation, Error, Indeterminate, Prepared, Undecidable, WaitError};

/// Returns the content of a [`Reconciled::Indeterminate`](crate::Reconciled::Indeterminate).
pub fn indeterminate(reason: impl Into<String>, retry_after: Duration) -> Indeterminate {
    let manual_check = "look at the supplier's portal".to_owned();
    Indeterminate { reason: reason.into(), retry_after, manual_check }
}

/// Returns the content of a [`Reconciled::Undecidable`](crate::Reconciled::Undecidable).
pub fn undecidable(reason: impl Into<String>) -> Undecidable {
    Undecidable { reason: reason.into(), manual_check: "look at the supplier's portal".to_owned() }
}

/// Returns a prepared value that has just been sent and whose response was lost.
///
/// # Errors
/// Returns the errors of [`Prepared::new`].
pub fn prepared_indeterminate<C: Creation>(request: C) -> Result<Prepared<C>, Error> {
    let mut prepared = Prepared::new(request)?;
    prepared.mark_in_flight()?;
    prepared.lose_response();
    Ok(prepared)
}

/// Returns the error of a wait that timed out, for example for an order in the state `IN_PROGRESS`.
pub fn timed_out<T>(last: T, state: &str) -> WaitError<T> {
    WaitError::TimedOut {
        waited_for: "order 1".to_owned(),
        state: state.to_owned(),
        waited: Duration::from_secs(60),
        last: Box::new(last),
    }
}

/// Returns the list of a response with these elements.
#[cfg(any(feature = "covage", feature = "onapi"))]
pub fn list<T: Send + 'static>(elements: impl IntoIterator<Item = T>) -> crate::List<T> {
    let elements = elements.into_iter().map(lastmile_core::wire::Lenient::Value).collect();
    crate::List::new(std::future::ready(Ok(elements)))
}

/// Returns a list whose request fails.
#[cfg(any(feature = "covage", feature = "onapi"))]
pub fn failing_list<T: Send + 'static>(error: Error) -> crate::List<T> {
    crate::List::new(std::future::ready(Err(error)))
}

/// Returns an ON-API order event as it is delivered, with the cursor after it if the event has an id.
#[cfg(feature = "onapi")]
pub fn order_event(event: crate::onapi::types::OrderEvent) -> crate::onapi::DeliveredEvent {
    crate::onapi::DeliveredEvent::new(event)
}

/// Returns a Covage event as it is delivered, with the cursor after it.
#[cfg(feature = "covage")]
pub fn covage_event(event: crate::covage::types::Event) -> crate::covage::DeliveredEvent {
    crate::covage::DeliveredEvent::first(event)
}
