//! Replies, errors and rows without a server, for unit tests of code that handles them.

use std::sync::LazyLock;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, stream};
use reqwest::header::HeaderMap;
use reqwest::{Method, StatusCode};
use serde::de::DeserializeOwned;

use crate::client::ApiClient;
pub use crate::clock::Clock;
use crate::error::{Detail, Error, Inner, Outcome};
use crate::operation::{ErrorShape, Operation, Repeat, Table};
use crate::reply::Reply;
use crate::rows::Rows;
use crate::send::CallRecord;

/// The API of the values that this module builds.
static TABLE: Table = Table {
    api: "testing",
    errors: ErrorShape { message: "", id: "", fields: "", field_name: "", field_code: "", field_message: "" },
    key_headers: &[],
    tokens: &[],
};

static READ: Operation = Operation::READ;
static CHANGE: Operation =
    Operation { id: "change", method: Method::PUT, repeat: Repeat::Idempotent, ..Operation::READ };
static CREATE: Operation =
    Operation { id: "create", method: Method::POST, repeat: Repeat::Once, ..Operation::READ };

crate::client!(
    /// A client that sends nothing.
    Nowhere, TABLE
);

static NOWHERE: LazyLock<Option<Nowhere>> =
    LazyLock::new(|| Nowhere::builder("http://127.0.0.1").build().ok());

/// Returns a builder of an error with this outcome, as a call that creates something returns it.
///
/// ```
/// use lastmile_core::Outcome;
/// use lastmile_core::testing::error;
///
/// let error = error(Outcome::Rejected).status(409).supplier_message("The reference is taken").build();
/// assert_eq!(error.status().unwrap(), 409);
/// assert!(!error.may_have_taken_effect());
/// ```
pub fn error(outcome: Outcome) -> ErrorBuilder {
    let attempts = u32::from(outcome != Outcome::Invalid);
    let inner = Inner {
        operation: Some(&CREATE),
        attempts,
        ..Inner::of(TABLE.api, outcome, "this error was made for a test".to_owned())
    };
    ErrorBuilder { inner }
}

/// Builds an [`Error`] for a test. [`error`] returns one.
#[must_use = "call `build` for the error"]
pub struct ErrorBuilder {
    inner: Inner,
}

impl std::fmt::Debug for ErrorBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ErrorBuilder").field("outcome", &self.inner.outcome).finish_non_exhaustive()
    }
}

impl ErrorBuilder {
    /// Turns the error into one of a read.
    pub fn of_read(mut self) -> Self {
        self.inner.operation = Some(&READ);
        self
    }

    /// Turns the error into one of a change that is safe to repeat, such as a deletion.
    pub fn of_change(mut self) -> Self {
        self.inner.operation = Some(&CHANGE);
        self
    }

    /// Sets the status code of the response. A number that is no status code sets none.
    pub fn status(mut self, status: u16) -> Self {
        self.inner.status = StatusCode::from_u16(status).ok();
        self
    }

    /// Sets the response body.
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.inner.body = body.into();
        self
    }

    /// Sets the supplier's message.
    pub fn supplier_message(mut self, message: impl Into<String>) -> Self {
        self.inner.error_body.message = Some(message.into());
        self.inner.error_body.is_documented = true;
        self
    }

    /// Adds a field that the supplier reports as invalid, with its code and message.
    pub fn detail(mut self, field: &str, code: &str, message: &str) -> Self {
        self.inner.error_body.details.push(Detail {
            field: Some(field.to_owned()),
            code: Some(code.to_owned()),
            message: Some(message.to_owned()),
            is_documented: true,
        });
        self.inner.error_body.is_documented = true;
        self
    }

    /// Sets the time after which the request may be sent again.
    pub fn retry_after(mut self, time: Duration) -> Self {
        self.inner.retry_after = Some(time);
        self
    }

    /// Sets how many times the request was sent.
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.inner.attempts = attempts;
        self
    }

    /// Builds the error.
    pub fn build(self) -> Error {
        Error::new(self.inner)
    }
}

/// Returns the reply of a successful call with this value: status 200, one attempt, an empty body. Its fields can be changed.
///
/// ```
/// let mut reply = lastmile_core::testing::reply(17);
/// reply.earlier_attempt_unanswered = true;
/// assert_eq!(reply.into_value(), 17);
/// ```
pub fn reply<T>(value: T) -> Reply<T> {
    Reply {
        value,
        status: StatusCode::OK,
        headers: HeaderMap::new(),
        body: Bytes::new(),
        attempts: 1,
        earlier_attempt_unanswered: false,
        elapsed: Duration::ZERO,
        table: &TABLE,
        operation: &CHANGE,
    }
}

/// Returns the rows of this JSON text, such as `[{"accessId": "a-1"}, 7]`. A row of another type is a
/// [`RowError::Unreadable`](crate::rows::RowError::Unreadable); a list without an end breaks off. Requires a tokio runtime.
///
/// # Panics
/// Panics if no HTTP client can be built.
pub fn rows_of<T: DeserializeOwned + Send + 'static>(json: impl Into<Bytes>) -> Rows<T> {
    #[allow(clippy::panic, reason = "for tests only, and a client without TLS settings can always be made")]
    let Some(client) = NOWHERE.as_ref() else { panic!("no HTTP client can be made") };
    rows(client, &READ, stream::iter([Ok(json.into())]))
}

/// Returns the rows of a response body that arrives in these chunks, as the list operation `operation` of `client` returns them.
pub fn rows<T: DeserializeOwned + Send + 'static>(
    client: &impl ApiClient,
    operation: &'static Operation,
    pieces: impl Stream<Item = reqwest::Result<Bytes>> + Send + Sync + 'static,
) -> Rows<T> {
    let transport = client.transport();
    let mut record = CallRecord::start(transport, operation);
    record.status = Some(StatusCode::OK);
    Rows::of_stream(pieces, record, transport)
}
