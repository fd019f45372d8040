//! A client library that orders, changes and tracks fibre and copper access lines at wholesale suppliers.
//!
//! Each supplier has one client type. A builder creates the client, and cloning a client is cheap. Its methods cover the
//! operations that an internet service provider needs. Each supplier is enabled by a feature.
//!
//! | module | feature | supplier |
//! |---|---|---|
//! | [`cocon`] | `cocon` | Cocon Fiber, Netherlands: customers, contacts, contracts, delayed connections, approvals |
//! | [`covage`] | `covage` | Covage (Kosc), France: eligibility, drafts of copper and fibre orders, their submission |
//! | [`onapi`] | `onapi` | ON-API, Sweden: accesses, services, subscriptions, orders of open networks |
//!
//! [`rules`] contains value types that enforce the format that the supplier's documentation states. It needs no feature.
//!
//! # Guarantees for orders
//!
//! An order is placed at most once. When the outcome of a request is not known, the error says so.
//!
//! - Every failed call reports in its [`Outcome`] what happened to the request. [`Error::may_have_taken_effect`] returns
//!   whether the request may have been carried out, and [`Error::is_safe_to_repeat`] returns whether it can be sent again.
//! - A call that creates something goes through a [`Prepared`] value: look it up, mark it as in flight, store it, place it.
//!   When the response is lost or the process crashes, reconcile the stored value.
//! - When an earlier attempt of a change received no response, [`Reply::earlier_attempt_unanswered`] is set. The client delays
//!   a newer change that contradicts it until the policy's settle time has passed.
//! - Requests are validated before they are sent: what the types do not exclude fails with [`Outcome::Invalid`] before a
//!   connection is opened.
//! - No log, `Debug` output or error text of this crate contains a secret or personal data.
//!
//! # Logs, traces and metrics
//!
//! Each call is a [`tracing`](https://docs.rs/tracing) span named `call`, which uses the field names of OpenTelemetry:
//! `operation` is the name of the generated client's method (`get_access`), as in errors; `url.template` is the path with its
//! parameters in braces; `http.response.status_code`, `outcome` and `error.type` describe how the call ended. Each attempt is a
//! child span named `attempt` (level DEBUG), and each token request is a span named `token_request`. A failed call emits one
//! event at level WARN. A read that returns status 404 or 304 does not count as failed.
//!
//! For metrics, the builder of each supplier accepts an [`Observer`](observe::Observer): a trait whose methods receive a report
//! of each call, attempt, wait and token request. With the feature `metrics`, `observe::MetricsObserver` records these reports
//! with the [`metrics`](https://docs.rs/metrics) facade. [`observe`] documents all fields and rules. The example `observe`
//! prints them:
//!
//! ```text
//! cargo run -p lastmile --example observe
//! ```

// The crate documentation links to items that are missing when some features are disabled.
// docs.rs labels each item with the features that it requires.
#![cfg_attr(docsrs, feature(doc_cfg), doc(auto_cfg(hide(feature = "_calls"))))]
#![cfg_attr(
    not(all(feature = "cocon", feature = "covage", feature = "onapi")),
    allow(rustdoc::broken_intra_doc_links)
)]
// An outbox is built without any supplier when nothing else in the build enables one.
#![cfg_attr(
    not(any(feature = "cocon", feature = "covage", feature = "onapi")),
    allow(dead_code, unused_imports, unused_macros)
)]

#[cfg(feature = "_calls")]
mod checks;
#[cfg(feature = "cocon")]
pub mod cocon;
#[cfg(feature = "covage")]
pub mod covage;
#[cfg(feature = "_calls")]
mod error;
#[cfg(feature = "_calls")]
mod id;
#[cfg(any(feature = "covage", feature = "onapi"))]
mod list;
#[cfg(feature = "onapi")]
pub mod onapi;
#[cfg(feature = "_calls")]
pub mod outbox;
#[cfg(feature = "_calls")]
mod poll;
#[cfg(feature = "_calls")]
mod prepared;
#[cfg(feature = "_calls")]
mod progress;
mod redact;
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

/// The field types of requests and responses. Responses are parsed leniently, and requests are serialized strictly.
#[cfg(feature = "_calls")]
pub mod wire {
    pub use lastmile_core::wire::{
        Decimal, Lenient, NotAMoment, NotANumber, NotASegment, OneOrMany, Patch, Scalar, Segment, Text,
        Timestamp, Unexpected,
    };
}
