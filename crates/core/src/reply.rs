//! What a call returns that succeeded.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use reqwest::StatusCode;
use reqwest::header::HeaderMap;

use crate::decode::without_mark;
use crate::error::{Error, Inner, Outcome};
use crate::operation::{Operation, Table};

/// The reply to a call that succeeded: the decoded value, and what arrived with it.
#[derive(Clone)]
#[non_exhaustive]
pub struct Reply<T> {
    /// The answer.
    pub value: T,
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body as it arrived, also where the operation promises none. It may hold personal data.
    pub body: Bytes,
    /// How many times the request was sent.
    pub attempts: u32,
    /// Whether an earlier attempt of this call was sent and not answered, so that the server may still carry it out: a second
    /// time, and after a newer change of the same object. Read the object again before you rely on it. Never so for a read.
    pub earlier_attempt_unanswered: bool,
    /// How long the call took altogether.
    pub elapsed: Duration,
    pub(crate) table: &'static Table,
    pub(crate) operation: &'static Operation,
}

impl<T> Reply<T> {
    /// The answer alone.
    pub fn into_value(self) -> T {
        self.value
    }

    /// The body as JSON is read from it: without the byte order mark that some servers write before it.
    pub fn json_body(&self) -> &[u8] {
        without_mark(&self.body)
    }

    /// The error of an answer that decoded but lacks what the caller cannot do without. For facades over a generated
    /// client; `reason` must repeat nothing that the supplier sent.
    pub fn unfit(self, reason: impl Into<String>) -> Error {
        self.failed(Outcome::Decode, reason.into())
    }

    /// The error of an answer of success that says that nothing was done. For facades, as [`unfit`](Self::unfit).
    pub fn refused(self, reason: impl Into<String>) -> Error {
        self.failed(Outcome::Rejected, reason.into())
    }

    /// The error of an answer of success that is about something else than what was asked for, such as another reference. Unlike
    /// one that cannot be read it says that something was done. For facades, as [`unfit`](Self::unfit).
    pub fn contradicts(self, reason: impl Into<String>) -> Error {
        self.failed(Outcome::Decode, reason.into()).contradicting()
    }

    fn failed(self, outcome: Outcome, reason: String) -> Error {
        Error::new(Inner {
            operation: Some(self.operation),
            status: Some(self.status),
            headers: self.headers,
            body: self.body,
            attempts: self.attempts,
            elapsed: self.elapsed,
            ..Inner::of(self.table.api, outcome, reason)
        })
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
