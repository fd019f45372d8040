use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use tracing::Span;
use tracing::field::Empty;

use crate::attempt::{AttemptResponse, TimeLimits};
use crate::classify::Failure;
use crate::client::{Shared, Transport};
use crate::error::{Error, ErrorBody, Inner, Outcome};
use crate::observe::{ANSWERED, CallReport, DROPPED, Observer, record_end};
use crate::operation::{Operation, Repeat};
use crate::reply::Reply;
use crate::retry::retry_after;

/// The state of a call: the contents of its reply or error, its span, and the observer of its end.
pub(crate) struct CallRecord {
    api: &'static str,
    pub(crate) operation: &'static Operation,
    pub(crate) time: TimeLimits,
    pub(super) span: Span,
    pub(super) attempts: u32,
    /// Whether an attempt before the last one was sent and not answered, so that the server may still process it.
    pub(super) earlier_attempt_unanswered: bool,
    /// Whether it is not known for some attempt whether it took effect.
    pub(super) is_indeterminate: bool,
    pub(crate) status: Option<StatusCode>,
    pub(crate) headers: HeaderMap,
    pub(super) body: Bytes,
    observer: Option<Arc<dyn Observer>>,
    /// The time until the head of the response arrived, if its body is read as a stream.
    head_elapsed: Option<Duration>,
    /// Whether the end of the call has been reported.
    has_ended: bool,
}

/// How a call ends.
#[derive(Clone, Copy)]
pub(crate) enum CallEnd<'a> {
    Answered,
    Failed {
        outcome: Outcome,
        reason: &'a str,
        not_modified: bool,
    },
    /// The caller dropped the future.
    Dropped,
}

impl CallRecord {
    pub(crate) fn start(transport: &Transport, operation: &'static Operation) -> Self {
        let telemetry = &transport.shared.telemetry;
        let span = tracing::info_span!(
            "call",
            otel.kind = "client",
            otel.name = %format_args!("{} {}", operation.method, operation.path),
            otel.status_code = Empty,
            api = telemetry.api,
            operation = operation.id,
            http.request.method = operation.method.as_str(),
            url.template = operation.path,
            server.address = telemetry.server_address,
            server.port = telemetry.server_port,
            http.request.resend_count = Empty,
            http.response.status_code = Empty,
            outcome = Empty,
            error.type = Empty,
        );
        Self {
            api: telemetry.api,
            operation,
            time: TimeLimits::start(transport),
            span,
            attempts: 0,
            earlier_attempt_unanswered: false,
            is_indeterminate: false,
            status: None,
            headers: HeaderMap::new(),
            body: Bytes::new(),
            observer: telemetry.observer.clone(),
            head_elapsed: None,
            has_ended: false,
        }
    }

    /// Records that an attempt has ended. If it has no response, the response to an earlier attempt is kept.
    pub(super) fn attempted(&mut self, attempts: u32, response: AttemptResponse) {
        self.attempts = attempts;
        if response.status.is_some() {
            (self.status, self.headers, self.body) =
                (response.status, response.headers, response.body.into_bytes());
        }
    }

    /// Records that the head of a streamed response has arrived. The call continues to the end of the stream.
    pub(crate) fn head_arrived(&mut self) {
        self.head_elapsed = Some(self.time.elapsed());
    }

    /// Reports the end of the call, once: in its span, to the observer and, if the call failed, in an event. Returns how long the
    /// call took.
    pub(crate) fn end(&mut self, end: CallEnd<'_>) -> Duration {
        let elapsed = self.time.elapsed();
        if std::mem::replace(&mut self.has_ended, true) {
            return elapsed;
        }
        let outcome = match end {
            CallEnd::Answered => ANSWERED,
            CallEnd::Failed { outcome, .. } => outcome.as_str(),
            CallEnd::Dropped => DROPPED,
        };
        if self.attempts > 1 {
            self.span.record("http.request.resend_count", self.attempts - 1);
        }
        let failed = self.has_failed(end);
        record_end(&self.span, self.status, outcome, failed);
        if failed {
            tracing::warn!(
                parent: &self.span,
                api = self.api,
                operation = self.operation.id,
                outcome,
                http.response.status_code = self.status.map(|status| status.as_u16()),
                attempts = self.attempts,
                elapsed_ms = elapsed.as_millis() as u64,
                reason = match end {
                    CallEnd::Failed { reason, .. } => Some(reason),
                    _ => None,
                },
                "call failed",
            );
        }
        if let Some(observer) = &self.observer {
            observer.on_call_end(&CallReport {
                api: self.api,
                operation: self.operation,
                outcome,
                failed,
                status: self.status,
                attempts: self.attempts,
                elapsed: match end {
                    CallEnd::Answered => self.head_elapsed.unwrap_or(elapsed),
                    _ => elapsed,
                },
            });
        }
        elapsed
    }

    /// Returns whether the call failed. For a read, status 404 and "not modified" are valid results.
    fn has_failed(&self, end: CallEnd<'_>) -> bool {
        let is_read = self.operation.repeat == Repeat::Read;
        match end {
            CallEnd::Answered => false,
            CallEnd::Failed { not_modified, outcome, .. } => {
                let is_absent = outcome == Outcome::Rejected && self.status == Some(StatusCode::NOT_FOUND);
                !(not_modified || (is_read && is_absent))
            }
            // The outcome of a dropped change is lost.
            CallEnd::Dropped => !is_read && self.attempts > 0,
        }
    }

    /// Returns the reply of a call that has succeeded.
    pub(super) fn reply<T>(mut self, transport: &Transport, value: T) -> Reply<T> {
        let elapsed = self.end(CallEnd::Answered);
        Reply {
            value,
            // Each response has a status code.
            status: self.status.unwrap_or_default(),
            headers: std::mem::take(&mut self.headers),
            body: std::mem::take(&mut self.body),
            attempts: self.attempts,
            earlier_attempt_unanswered: self.earlier_attempt_unanswered,
            elapsed,
            table: transport.shared.table,
            operation: self.operation,
        }
    }

    /// Returns the error of a failed call.
    #[cold]
    pub(crate) fn error(&mut self, shared: &Shared, mut failure: Failure) -> Error {
        if self.is_indeterminate {
            failure.merge_earlier_attempt(self.operation);
        }
        // "Not sent" has a successful status if a token response contained no token.
        let is_refused = |status: &StatusCode| !status.is_success() || failure.outcome == Outcome::NotSent;
        let mut error_body = match self.status.filter(is_refused) {
            Some(status) => ErrorBody::read(status, &self.headers, &self.body, &shared.table.errors),
            None => ErrorBody::default(),
        };
        if failure.outcome == Outcome::Rejected && !error_body.is_documented {
            failure.reason.push_str(not_the_supplier(self.status));
        }
        let Failure { outcome, not_modified, .. } = failure;
        let elapsed = self.end(CallEnd::Failed { outcome, reason: &failure.reason, not_modified });
        let repeats_secret = |text: &str| shared.credentials.occur_in(text);
        error_body.redact(repeats_secret);
        Error::new(Inner {
            operation: Some(self.operation),
            not_modified: failure.not_modified,
            status: self.status,
            retry_after: failure.wait.or_else(|| retry_after(&self.headers, shared.clock.now())),
            headers: self.headers.clone(),
            body: self.body.clone(),
            error_body,
            decode_path: failure.decode_path.filter(|path| !repeats_secret(path)),
            attempts: self.attempts,
            elapsed,
            source: failure.source,
            ..Inner::of(shared.table.api, failure.outcome, failure.reason)
        })
    }
}

/// Reports the end of a call whose future or stream is dropped before its end.
impl Drop for CallRecord {
    fn drop(&mut self) {
        self.end(if self.head_elapsed.is_some() { CallEnd::Answered } else { CallEnd::Dropped });
    }
}

/// Returns what a rejection may also mean if its body is not in the supplier's documented format: another server, or another part
/// of this one, may respond for every path that does not exist.
fn not_the_supplier(status: Option<StatusCode>) -> &'static str {
    match status.map(|status| status.as_u16()) {
        Some(404 | 405 | 501) => {
            " (the response is not in the supplier's own form: if other calls end so, too, check the base address and its path)"
        }
        _ => "",
    }
}
