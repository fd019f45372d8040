//! Observability of calls: an [`Observer`] for metrics, and spans and events of `tracing`.
//!
//! # Spans
//!
//! Spans and their fields follow the [semantic conventions of OpenTelemetry for HTTP
//! clients](https://opentelemetry.io/docs/specs/semconv/http/http-spans/) where these define a name. `tracing-opentelemetry`
//! takes the name, the kind and the status of a span from the fields `otel.*`.
//!
//! | span | level | what it covers |
//! |---|---|---|
//! | `call` | INFO | a call, from its start to its outcome; for a list that is read row by row, to the end of the stream |
//! | `attempt` | DEBUG | one attempt of the call, a child of the call's span |
//! | `token_request` | INFO | a request that obtains or renews a token, a child of the span of the attempt that needs the token |
//!
//! | field | in | value |
//! |---|---|---|
//! | `api` | call, token | short name of the API: `onapi` |
//! | `operation` | call | name of the client's method: `get_access`. Errors show the same name |
//! | `action` | token | `obtain` or `renew` |
//! | `otel.kind` | call, token | `client`. An attempt is an internal span, so that each call is one client span |
//! | `otel.name` | call, token | method and path template: `GET /accesses/{accessId}` |
//! | `http.request.method` | call, token | `GET` |
//! | `url.template` | call, token | documented path, with its parameters in braces: `/accesses/{accessId}` |
//! | `server.address`, `server.port` | call, token | host and port of the base URL |
//! | `http.response.status_code` | all | status code of the response; for a call, of its last response |
//! | `http.request.resend_count` | call, attempt | number of attempts before the last one (call) or before this one (attempt); absent if there were none |
//! | `outcome` | all | `answered`, an [`Outcome`](crate::Outcome), or `dropped` when the caller dropped the future; for a token request as in [`TokenRequestReport::outcome`] |
//! | `error.type` | all | status code of an error response (`503`), otherwise the outcome (`not-sent`); absent unless the span fails |
//! | `otel.status_code` | all | `ERROR`; absent unless the span fails |
//!
//! No field contains a URL with its query, a path with its parameters filled in, a header, a body, an id or personal data.
//!
//! # Which calls fail
//!
//! A call fails when it returns an error, with two exceptions for reads: status 404 and status 304 (in response to a conditional
//! request) are valid results of a read. A call whose future is dropped fails if it changes something and its request may have
//! been sent, since its outcome is lost; a dropped read does not fail. Rows of a list that cannot be decoded do not fail the
//! call; a list that breaks off does.
//!
//! Each call that fails emits one event at level WARN, `call failed`, with `api`, `operation`, `outcome`,
//! `http.response.status_code`, `attempts`, `elapsed_ms` and `reason`. The event repeats the fields of the span, since a filter
//! may disable the span and keep the event. The reason is this library's own text, as in the `Display` of the error: it repeats
//! nothing that the caller or the supplier sent. Waits and retries emit events at level DEBUG.
//!
//! # Metrics
//!
//! The [`Observer`] that the builder is configured with receives a report of each call, attempt, wait and token request. It
//! depends on no metrics library, so that it works with any version of OpenTelemetry, Prometheus and the `metrics` facade, and
//! can be tested without global state. With the feature `metrics`, `MetricsObserver` implements it for the facade of that name.

#[cfg(feature = "metrics")]
mod metrics;
mod telemetry;

use std::time::Duration;

use reqwest::StatusCode;

use crate::operation::Operation;
#[cfg(feature = "metrics")]
pub use metrics::MetricsObserver;
pub(crate) use telemetry::{ANSWERED, DROPPED, Telemetry, record_end};

/// Receives a report of each call, attempt, wait and token request of a client, for metrics.
///
/// The task that makes the call also calls these methods, so they must return quickly, after incrementing a counter or recording
/// a value. Each method does nothing by default.
///
/// ```
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
///
/// use lastmile_core::observe::{CallReport, Observer};
///
/// #[derive(Default)]
/// struct FailedCalls(AtomicU64);
///
/// impl Observer for FailedCalls {
///     fn on_call_end(&self, call: &CallReport) {
///         if call.failed {
///             self.0.fetch_add(1, Relaxed);
///         }
///     }
/// }
///
/// # use lastmile_core::client::{ApiClient, BuildError, Builder};
/// # fn example<Client: ApiClient>(builder: Builder<Client>) -> Result<Client, BuildError> {
/// let failed_calls = Arc::new(FailedCalls::default());
/// builder.observer(failed_calls.clone()).build()
/// # }
/// ```
///
/// The methods must not panic: they run within the call, and also while the future of a call is dropped.
pub trait Observer: Send + Sync + 'static {
    /// Called once for each call, when it has ended.
    fn on_call_end(&self, _call: &CallReport) {}

    /// Called when an attempt of a call has ended.
    fn on_attempt_end(&self, _attempt: &AttemptReport) {}

    /// Called when a call has waited before sending a request.
    fn on_wait_end(&self, _wait: &WaitReport) {}

    /// Called when a request that obtains or renews a token has ended.
    fn on_token_request_end(&self, _request: &TokenRequestReport) {}
}

/// The report of a call that has ended.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CallReport {
    /// The short name of the API.
    pub api: &'static str,
    /// The operation.
    pub operation: &'static Operation,
    /// `answered`, the name of an [`Outcome`](crate::Outcome), or `dropped` when the caller dropped the future.
    pub outcome: &'static str,
    /// Whether the call [fails](self#which-calls-fail).
    pub failed: bool,
    /// The status of the last response, if there was one.
    pub status: Option<StatusCode>,
    /// How many times the client sent the request or tried to.
    pub attempts: u32,
    /// How long the call took. For a list that is read row by row: the time until the head of the response arrived, since the
    /// time after it depends on the caller; if the list breaks off, the time until then.
    pub elapsed: Duration,
}

/// The report of an attempt that has ended. An attempt that is dropped together with its call is not reported.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AttemptReport {
    /// The short name of the API.
    pub api: &'static str,
    /// The operation.
    pub operation: &'static Operation,
    /// The number of the attempt in its call, from 1. A number above 1 is a retry.
    pub number: u32,
    /// `answered`, or the name of an [`Outcome`](crate::Outcome).
    pub outcome: &'static str,
    /// The status of the response, if there was one.
    pub status: Option<StatusCode>,
    /// How long the attempt took.
    pub elapsed: Duration,
}

/// The report of a wait that has ended, whether or not the request was sent afterwards.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct WaitReport {
    /// The short name of the API.
    pub api: &'static str,
    /// The operation.
    pub operation: &'static Operation,
    /// What the call waited for.
    pub reason: WaitReason,
    /// How long it waited.
    pub elapsed: Duration,
}

/// What a call waits for before it sends a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WaitReason {
    /// The end of another request, since the client has its maximum number of requests in flight.
    Permit,
    /// The client's rate limit, or the operation's interval.
    RateLimit,
    /// An unanswered change of the same object, which the server may still process.
    UnansweredChange,
    /// The backoff before a retry.
    Backoff,
}

impl WaitReason {
    /// Returns the name of the reason, such as `rate-limit`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Permit => "permit",
            Self::RateLimit => "rate-limit",
            Self::UnansweredChange => "unanswered-change",
            Self::Backoff => "backoff",
        }
    }
}

/// The report of a token request that has ended.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TokenRequestReport {
    /// The short name of the API.
    pub api: &'static str,
    /// `obtain` or `renew`.
    pub action: &'static str,
    /// `answered`, `rejected` (the login is refused), `throttled`, `failed` (no response, or one without a token), or `dropped`
    /// (the calls that wait for the token reached their deadlines or were dropped).
    pub outcome: &'static str,
    /// The status of the response, if there was one.
    pub status: Option<StatusCode>,
    /// How long the request took.
    pub elapsed: Duration,
}
