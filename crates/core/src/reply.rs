//! What a successful call returns.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use reqwest::StatusCode;
use reqwest::header::HeaderMap;

use crate::decode::without_mark;
use crate::error::{Error, Inner, Outcome};
use crate::operation::{Operation, Table};

/// The reply to a successful call: the decoded value and the response that it was decoded from.
#[derive(Clone)]
#[non_exhaustive]
pub struct Reply<T> {
    /// The decoded response body.
    pub value: T,
    /// The status code of the response.
    pub status: StatusCode,
    /// The headers of the response.
    pub headers: HeaderMap,
    /// The response body as it arrived, even if the operation documents none. It may contain personal data.
    pub body: Bytes,
    /// How many times the request was sent.
    pub attempts: u32,
    /// Whether an earlier attempt of this call was sent and not answered. The server may still process that attempt, a second
    /// time and after a newer change of the same object: read the object again before you rely on it. Always `false` for a read.
    pub earlier_attempt_unanswered: bool,
    /// How long the call took in total.
    pub elapsed: Duration,
    pub(crate) table: &'static Table,
    pub(crate) operation: &'static Operation,
}

impl<T> Reply<T> {
    /// Returns the decoded value alone.
    pub fn into_value(self) -> T {
        self.value
    }

    /// Returns the response body without a leading byte order mark, which some servers send before the JSON.
    pub fn json_body(&self) -> &[u8] {
        without_mark(&self.body)
    }

    /// Returns the error for a response that was decoded but lacks a value that the caller needs. `reason` must not repeat what
    /// the supplier sent. For facades over a generated client.
    pub fn into_decode_error(self, reason: impl Into<String>) -> Error {
        Error::new(self.failed(Outcome::Decode, reason))
    }

    /// Returns the error for a successful response that says that nothing was done. `reason` is as in [`into_decode_error`](Self::into_decode_error). For
    /// facades.
    pub fn refused(self, reason: impl Into<String>) -> Error {
        Error::new(self.failed(Outcome::Rejected, reason))
    }

    /// Returns the error for a successful response that is about something other than the request, such as another reference.
    /// Unlike the error for an unreadable response, this error says that something was done. `reason` is as in
    /// [`into_decode_error`](Self::into_decode_error). For facades.
    pub fn contradicts(self, reason: impl Into<String>) -> Error {
        Error::new(Inner { contradicts: true, ..self.failed(Outcome::Decode, reason) })
    }

    fn failed(self, outcome: Outcome, reason: impl Into<String>) -> Inner {
        Inner {
            operation: Some(self.operation),
            status: Some(self.status),
            headers: self.headers,
            body: self.body,
            attempts: self.attempts,
            elapsed: self.elapsed,
            ..Inner::of(self.table.api, outcome, reason.into())
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for Reply<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply")
            .field("value", &self.value)
            .field("status", &self.status)
            .field("attempts", &self.attempts)
            .field("elapsed", &self.elapsed)
            .finish_non_exhaustive()
    }
}
