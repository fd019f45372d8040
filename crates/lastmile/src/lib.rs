//! Order, change and follow fibre and copper lines at wholesale suppliers.
//!
//! One handle per supplier, built by a builder and cheap to clone, offers what a service of an internet provider does
//! there. Each supplier is a feature.
//!
//! | module | feature | supplier |
//! |---|---|---|
//! | [`cocon`] | `cocon` | Cocon Fiber, Netherlands: customers, contacts, contracts, delayed connections, approvals |
//! | [`covage`] | `covage` | Covage (Kosc), France: eligibility, drafts of copper and fibre orders, their submission |
//! | [`onapi`] | `onapi` | ON-API, Sweden: accesses, services, subscriptions, orders of open networks |
//!
//! [`rules`] holds values that can only be what their source allows; it needs no feature.
//!
//! # What happens to an order
//!
//! An order is placed once, or the caller is told exactly what is not known.
//!
//! - Every call that fails says in its [`Outcome`] what became of the request; [`Error::may_have_taken_effect`] and
//!   [`Error::is_safe_to_repeat`] answer the two questions that matter.
//! - A call that creates something goes through a [`Prepared`] value. Look it up, mark it, store it, place it; when the answer
//!   is lost or the process crashes, let it be reconciled.
//! - A change whose earlier attempt was not answered says so in [`Reply::earlier_attempt_unanswered`], and a newer change that
//!   contradicts it is held back until it has settled.
//! - Nothing is sent that could not be right: what the types do not exclude is refused with [`Outcome::Invalid`] before
//!   a connection is opened.
//! - No log, `Debug` or error text of this crate shows a secret or personal data.
//!
//! # Logs, traces and metrics
//!
//! Each call is a [`tracing`](https://docs.rs/tracing) span named `call`, with the field names of OpenTelemetry: `operation`
//! holds the name of the generated client's method (`get_access`), as in errors, `url.template` the path with its parameters in
//! braces, and `http.response.status_code`, `outcome` and `error.type` say how the call ended. Each attempt is a child span
//! `attempt` (DEBUG), and each request for a token a span `token_request`. A call that fails emits one event at level WARN. A
//! read that is answered with 404 or 304 does not fail.
//!
//! For metrics, the builder of each supplier takes an [`Observer`](observe::Observer): a trait whose methods receive a report
//! of each call, attempt, wait and token request. With the feature `metrics`, `observe::MetricsObserver` records them with the
//! [`metrics`](https://docs.rs/metrics) facade. [`observe`] lists all fields and rules; the example `observe` prints them:
//!
//! ```text
//! cargo run -p lastmile --example observe
//! ```

// This page names what a build without some features leaves out.
#![cfg_attr(
    not(all(feature = "cocon", feature = "covage", feature = "onapi")),
    allow(rustdoc::broken_intra_doc_links)
)]

#[cfg(feature = "_calls")]
mod checks;
#[cfg(feature = "cocon")]
pub mod cocon;
#[cfg(feature = "covage")]
pub mod covage;
#[cfg(feature = "_calls")]
mod error;
#[cfg(any(feature = "cocon", feature = "covage", feature = "onapi"))]
mod id;
#[cfg(any(feature = "covage", feature = "onapi"))]
mod list;
#[cfg(feature = "onapi")]
pub mod onapi;
#[cfg(feature = "_calls")]
mod poll;
#[cfg(feature = "_calls")]
mod prepared;
#[cfg(feature = "_calls")]
mod progress;
mod quiet;
pub mod rules;
#[cfg(feature = "_calls")]
mod setup;
#[cfg(any(feature = "covage", feature = "onapi"))]
mod stream;
#[cfg(feature = "_calls")]
mod supplier;
#[cfg(all(feature = "testing", feature = "_calls"))]
pub mod testing;

#[cfg(feature = "_calls")]
pub use checks::HasWarnings;
pub use chrono;
#[cfg(feature = "_calls")]
pub use error::Result;
#[cfg(feature = "_calls")]
pub use futures_util::{Stream, StreamExt, TryStreamExt};
#[cfg(feature = "_calls")]
pub use id::IdError;
#[cfg(feature = "_calls")]
pub use lastmile_core::{
    Error, Outcome, Reply,
    auth::CredentialError,
    bytes,
    client::{BuildError, Builder, PathStyle, TrailingSlash},
    error::{Detail, WithSupplierMessage},
    observe,
    operation::Operation,
    reqwest,
    retry::{Policy, RateLimit, RetryBudget},
    rows::{BadRow, RowError, Rows},
};
#[cfg(any(feature = "covage", feature = "onapi"))]
pub use list::List;
#[cfg(feature = "_calls")]
pub use poll::{Poll, WaitError};
#[cfg(feature = "_calls")]
pub use prepared::{Creation, Indeterminate, Prepared, PreparedState, Reconciled, Undecidable};
#[cfg(feature = "_calls")]
pub use progress::{HasProgress, OrderProgress, OrderStage};
#[cfg(feature = "_calls")]
pub use serde_json;
#[cfg(feature = "_calls")]
pub use setup::SetupError;
#[cfg(any(feature = "covage", feature = "onapi"))]
pub use stream::Follow;

/// The types of the fields of answers and requests: lenient in, strict out.
#[cfg(feature = "_calls")]
pub mod wire {
    pub use lastmile_core::wire::{
        Decimal, Lenient, NotAMoment, NotANumber, NotASegment, OneOrMany, Patch, Scalar, Segment, Timestamp,
        Unexpected,
    };
}

#[cfg(all(doctest, feature = "onapi"))]
#[doc = include_str!("../../../README.md")]
struct Readme;
