use std::time::SystemTime;

use bytes::Bytes;
use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use tracing::Span;
use tracing::field::Empty;

use crate::attempt::{AttemptResponse, TimeLimits};
use crate::classify::Failure;
use crate::client::{Shared, Transport};
use crate::error::{Error, ErrorBody, Inner, Outcome};
use crate::operation::Operation;
use crate::reply::Reply;
use crate::retry::retry_after;

/// What has happened to a call so far: what its reply or its error says, and its span.
pub(crate) struct CallRecord {
    pub(crate) operation: &'static Operation,
    pub(crate) time: TimeLimits,
    pub(super) span: Span,
    pub(super) attempts: u32,
    /// Whether an attempt before the last one was sent and not answered, so that the server may still carry it out.
    pub(super) earlier_attempt_unanswered: bool,
    /// Whether it is not known of some attempt whether it took effect.
    pub(super) is_indeterminate: bool,
    pub(crate) status: Option<StatusCode>,
    pub(crate) headers: HeaderMap,
    pub(super) body: Bytes,
    /// Whether the span says how the call ended.
    has_ended: bool,
}

impl CallRecord {
    pub(crate) fn start(transport: &Transport, operation: &'static Operation) -> Self {
        let span = tracing::info_span!(
            "call",
            api = transport.shared.table.api,
            operation = operation.id,
            method = operation.method.as_str(),
            path = operation.path,
            attempts = Empty,
            status = Empty,
            outcome = Empty,
        );
        Self {
            operation,
            time: TimeLimits::start(transport),
            span,
            attempts: 0,
            earlier_attempt_unanswered: false,
            is_indeterminate: false,
            status: None,
            headers: HeaderMap::new(),
            body: Bytes::new(),
            has_ended: false,
        }
    }

    /// Records that an attempt is over. The response to an earlier one stays when this one has none.
    pub(super) fn attempted(&mut self, attempts: u32, response: AttemptResponse) {
        self.attempts = attempts;
        if response.status.is_some() {
            (self.status, self.headers, self.body) =
                (response.status, response.headers, response.body.into_bytes());
        }
    }

    /// Records in the span how the call ended.
    pub(crate) fn end(&mut self, outcome: &str) {
        self.has_ended = true;
        self.span.record("attempts", self.attempts);
        if let Some(status) = self.status {
            self.span.record("status", status.as_u16());
        }
        self.span.record("outcome", outcome);
    }

    /// Returns the reply of a call that has succeeded.
    pub(super) fn reply<T>(mut self, transport: &Transport, value: T) -> Reply<T> {
        self.end("answered");
        Reply {
            value,
            // Each response has a status.
            status: self.status.unwrap_or_default(),
            headers: std::mem::take(&mut self.headers),
            body: std::mem::take(&mut self.body),
            attempts: self.attempts,
            earlier_attempt_unanswered: self.earlier_attempt_unanswered,
            elapsed: self.time.started.elapsed(),
            table: transport.shared.table,
            operation: self.operation,
        }
    }

    /// Returns the error of a call that has failed.
    #[cold]
    pub(crate) fn error(&mut self, shared: &Shared, mut failure: Failure) -> Error {
        if self.is_indeterminate {
            failure.merge_earlier_attempt(self.operation);
        }
        self.end(failure.outcome.as_str());
        // A status of success stands with "not sent" when it is that of an answer without a token.
        let is_refused = |status: &StatusCode| !status.is_success() || failure.outcome == Outcome::NotSent;
        let mut said = match self.status.filter(is_refused) {
            Some(status) => ErrorBody::read(status, &self.headers, &self.body, &shared.table.errors),
            None => ErrorBody::default(),
        };
        if failure.outcome == Outcome::Rejected && !said.is_documented {
            failure.reason.push_str(not_the_supplier(self.status));
        }
        let repeats_secret = |text: &str| shared.credentials.occur_in(text);
        said.redact(repeats_secret);
        Error::new(Inner {
            operation: Some(self.operation),
            not_modified: failure.not_modified,
            status: self.status,
            retry_after: failure.wait.or_else(|| retry_after(&self.headers, SystemTime::now())),
            headers: self.headers.clone(),
            body: self.body.clone(),
            said,
            decode_path: failure.decode_path.filter(|path| !repeats_secret(path)),
            attempts: self.attempts,
            elapsed: self.time.started.elapsed(),
            source: failure.source,
            ..Inner::of(shared.table.api, failure.outcome, failure.reason)
        })
    }
}

/// Ends the span of a call whose future is dropped before the call has ended.
impl Drop for CallRecord {
    fn drop(&mut self) {
        if !self.has_ended {
            self.end("dropped");
        }
    }
}

/// What else a refusal may mean whose body is not of the form that the supplier documents: another server, or another part
/// of this one, answers for every path that does not exist.
fn not_the_supplier(status: Option<StatusCode>) -> &'static str {
    match status.map(|status| status.as_u16()) {
        Some(404 | 405 | 501) => {
            " (the answer is not in the supplier's own form: if other calls end so, too, check the base address and its path)"
        }
        _ => "",
    }
}
