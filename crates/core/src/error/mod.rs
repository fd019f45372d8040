//! The outcome of a call without a usable response, and the supplier's explanation.

mod body;
mod supplier_message;
mod text;

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use reqwest::StatusCode;
use reqwest::header::HeaderMap;

use crate::decode::without_mark;
use crate::operation::{Operation, Repeat};
pub(crate) use body::ErrorBody;
pub use supplier_message::WithSupplierMessage;

/// The outcome of a call without a usable response. The outcome of several attempts is the least certain one: once an attempt of
/// a changing call is [`Indeterminate`](Self::Indeterminate), only reading the supplier's data can resolve it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// The client rejected the call. Nothing was sent, and the same call would be rejected again.
    Invalid,
    /// The request was not sent. Sending it again is safe.
    NotSent,
    /// The supplier rejected the request. Nothing was done.
    Rejected,
    /// The supplier was overloaded or a quota was used up, and it did nothing (status 429, and some others with `Retry-After`,
    /// such as 403), or a limit of the client kept the request from being sent. [`Error::retry_after`] returns how long to wait,
    /// if that is known.
    Throttled,
    /// It is not known whether a changing request took effect; find out before sending it again. For a read: no response is
    /// available right now; retry.
    Indeterminate,
    /// The supplier responded with success, but the response could not be decoded. A changing request has most likely taken
    /// effect; [`Error::body`] contains the response body.
    Decode,
}

impl Outcome {
    /// Returns the name that spans use, such as `not-sent`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::NotSent => "not-sent",
            Self::Rejected => "rejected",
            Self::Throttled => "throttled",
            Self::Indeterminate => "indeterminate",
            Self::Decode => "decode",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The error of a call without a usable response.
///
/// `Display` and `Debug` show no secrets and no personal data. Of the response, they show the status code and, if the API
/// documents them, the error codes, the field names and the error id. Of the URL, they show the host and port if the connection
/// fails. Methods return everything else: [`message`](Self::message), [`details`](Self::details), [`headers`](Self::headers),
/// [`body`](Self::body), [`excerpt`](Self::excerpt).
pub struct Error(Box<Inner>);

pub(crate) struct Inner {
    pub(crate) api: &'static str,
    pub(crate) operation: Option<&'static Operation>,
    /// Whether the supplier says that nothing has changed (status 304), in response to a conditional request.
    pub(crate) not_modified: bool,
    /// Whether a successful response is about something other than the request.
    pub(crate) contradicts: bool,
    /// Whether the reason says what to do next.
    pub(crate) has_own_advice: bool,
    /// Whether the call only reads, if no operation is known.
    pub(crate) is_read: bool,
    pub(crate) outcome: Outcome,
    /// What happened, in this library's own words, which repeat nothing that the caller or supplier sent.
    pub(crate) reason: String,
    pub(crate) status: Option<StatusCode>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) error_body: ErrorBody,
    pub(crate) decode_path: Option<String>,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) attempts: u32,
    pub(crate) elapsed: Duration,
    pub(crate) source: Option<reqwest::Error>,
}

impl Inner {
    /// Returns an error without a response.
    pub(crate) fn of(api: &'static str, outcome: Outcome, reason: String) -> Self {
        Self {
            api,
            operation: None,
            not_modified: false,
            contradicts: false,
            has_own_advice: false,
            is_read: false,
            outcome,
            reason,
            status: None,
            headers: HeaderMap::new(),
            body: Bytes::new(),
            error_body: ErrorBody::default(),
            decode_path: None,
            retry_after: None,
            attempts: 0,
            elapsed: Duration::ZERO,
            source: None,
        }
    }
}

/// A single error in a supplier's response.
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Detail {
    /// The name of the invalid field, as the supplier sent it.
    pub field: Option<String>,
    /// The supplier's error code.
    pub code: Option<String>,
    /// The supplier's message. It may repeat data from the request.
    pub message: Option<String>,
    /// Whether the error was found where the supplier's document specifies it. Otherwise the field and code may be arbitrary
    /// text, so neither is shown.
    pub(crate) is_documented: bool,
}

impl fmt::Debug for Detail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |text| if self.is_documented { printable(text) } else { NOT_SHOWN };
        f.debug_struct("Detail")
            .field("field", &self.field.as_deref().map(shown))
            .field("code", &self.code.as_deref().map(shown))
            .finish_non_exhaustive()
    }
}

const NOT_SHOWN: &str = "(not shown)";

/// Returns a supplier's code or id if it has at most 64 characters, all of them letters, digits or `-_.:`; otherwise
/// `(not shown)`. A longer text may be a sentence with personal data.
fn printable(token: &str) -> &str {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.:".contains(&b);
    if token.len() <= 64 && !token.is_empty() && token.bytes().all(plain) { token } else { NOT_SHOWN }
}

impl Error {
    pub(crate) fn new(inner: Inner) -> Self {
        Self(Box::new(inner))
    }

    /// Returns the error for a call that the caller's own check rejected before anything was sent. For facades over a generated
    /// client.
    pub fn invalid(api: &'static str, reason: impl Into<String>) -> Self {
        Self::new(Inner::of(api, Outcome::Invalid, reason.into()))
    }

    /// Returns the error for a call that must not be repeated before it is known whether it took effect. For facades over a
    /// generated client.
    pub fn indeterminate(api: &'static str, reason: impl Into<String>) -> Self {
        Self::new(Inner::of(api, Outcome::Indeterminate, reason.into()))
    }

    /// Returns the error for a call that the caller's own check delays. For facades over a generated client.
    pub fn throttled(api: &'static str, reason: impl Into<String>) -> Self {
        Self::new(Inner::of(api, Outcome::Throttled, reason.into()))
    }

    /// Returns whether the supplier responded with success about something other than the request: something was done, but it is
    /// not known whether it was what was requested.
    pub fn contradicts_request(&self) -> bool {
        self.0.contradicts
    }

    /// Marks the error as one whose reason says what to do next. For facades over a generated client.
    #[must_use]
    pub fn with_own_advice(mut self) -> Self {
        self.0.has_own_advice = true;
        self
    }

    /// Marks the error as one of a read, which has changed nothing, if no operation is known. For facades over a generated
    /// client.
    #[must_use]
    pub fn of_read(mut self) -> Self {
        self.0.is_read = true;
        self
    }

    /// Sets how long to wait before retrying. For facades over a generated client.
    #[must_use]
    pub fn with_retry_after(mut self, wait: Duration) -> Self {
        self.0.retry_after = Some(wait);
        self
    }

    /// Returns the outcome of the call.
    pub fn outcome(&self) -> Outcome {
        self.0.outcome
    }

    /// Returns whether the request may have changed something at the supplier.
    ///
    /// `false` is certain: nothing has changed. It is always `false` for a read.
    pub fn may_have_taken_effect(&self) -> bool {
        matches!(self.0.outcome, Outcome::Indeterminate | Outcome::Decode) && self.changes()
    }

    /// Returns whether the same call may be sent again: it cannot do anything twice, and it is not known to fail again.
    pub fn is_safe_to_repeat(&self) -> bool {
        match self.0.outcome {
            Outcome::NotSent | Outcome::Throttled => true,
            Outcome::Indeterminate => self.repeat() != Repeat::Once,
            Outcome::Invalid | Outcome::Rejected | Outcome::Decode => false,
        }
    }

    fn changes(&self) -> bool {
        self.repeat() != Repeat::Read
    }

    /// Returns whether the request may be sent again, as far as it is known.
    fn repeat(&self) -> Repeat {
        let unknown = if self.0.is_read { Repeat::Read } else { Repeat::Once };
        self.0.operation.map_or(unknown, |operation| operation.repeat)
    }

    /// Returns the short name of the API.
    pub fn api(&self) -> &'static str {
        self.0.api
    }

    /// Returns whether the supplier says that nothing has changed (status 304), in response to a conditional request.
    pub fn is_not_modified(&self) -> bool {
        self.0.not_modified
    }

    /// Returns the operation; `None` if the call was rejected before one was selected.
    pub fn operation(&self) -> Option<&'static Operation> {
        self.0.operation
    }

    /// Returns the status code of the last response, if there was one.
    pub fn status(&self) -> Option<StatusCode> {
        self.0.status
    }

    /// Returns the headers of the last response.
    pub fn headers(&self) -> &HeaderMap {
        &self.0.headers
    }

    /// Returns the body of the last response, as far as it arrived. It may contain personal data.
    pub fn body(&self) -> &Bytes {
        &self.0.body
    }

    /// Returns the body without a leading byte order mark, which some servers send before the JSON.
    pub fn json_body(&self) -> &[u8] {
        without_mark(&self.0.body)
    }

    /// Returns the first 500 characters of the body, as text. It may contain personal data.
    pub fn excerpt(&self) -> String {
        excerpt(&self.0.body)
    }

    /// Returns the supplier's message. It may contain personal data. `None` if there is none, or if it contains one of the
    /// credentials.
    ///
    /// The message is read from the field that the supplier documents, or from the fields that gateways and frameworks use:
    /// problem details (RFC 9457), Django REST framework, Spring, plain text. [`body`](Self::body) returns a body of any other
    /// format.
    pub fn supplier_message(&self) -> Option<&str> {
        self.0.error_body.message.as_deref()
    }

    /// Returns the same as [`supplier_message`](Self::supplier_message).
    pub fn message(&self) -> Option<&str> {
        self.supplier_message()
    }

    /// Returns a value that displays this error followed by the supplier's message and details, without control characters.
    ///
    /// `Display` of the error alone omits them, since they may contain personal data: with `error?`, the supplier's reason is
    /// missing from logs. Convert the error with this method where personal data may be logged.
    ///
    /// ```
    /// # use lastmile_core::error::Error;
    /// # fn call() -> Result<(), Error> { Err(Error::invalid("cocon", "the name is empty")) }
    /// fn create() -> Result<(), Box<dyn std::error::Error>> {
    ///     call().map_err(|error| error.display_with_supplier_message().to_string())?;
    ///     Ok(())
    /// }
    /// # assert!(create().unwrap_err().to_string().contains("the name is empty"));
    /// ```
    pub fn display_with_supplier_message(&self) -> WithSupplierMessage<'_> {
        WithSupplierMessage(self)
    }

    /// Returns whether the error body has the format that the supplier documents. A gateway in front of the supplier, or another
    /// server, usually responds in another format.
    pub fn is_in_supplier_format(&self) -> bool {
        self.0.error_body.is_documented
    }

    /// Returns the supplier's id of this failure, for requests to its support.
    pub fn supplier_id(&self) -> Option<&str> {
        self.0.error_body.id.as_deref()
    }

    /// Returns the single errors that the supplier reports.
    pub fn details(&self) -> &[Detail] {
        &self.0.error_body.details
    }

    /// Returns the path of the part of the response that could not be decoded, such as `contacts[2].href`.
    pub fn decode_path(&self) -> Option<&str> {
        self.0.decode_path.as_deref()
    }

    /// Returns how long to wait before retrying: the time from `Retry-After`, or the time until the client's own limits allow the
    /// request. An unreadable `Retry-After` counts as five seconds.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// Returns how many times the client sent the request or tried to.
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// Returns how long the call took in total.
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed
    }

    fn next_step(&self) -> &'static str {
        let is_explained = !self.0.error_body.is_empty();
        match (self.0.outcome, self.changes()) {
            (Outcome::Invalid, _) => "Nothing was sent; correct the call",
            (Outcome::NotSent, _) => "Nothing was sent; it is safe to call again",
            (Outcome::Rejected, false) if is_explained => {
                "Read message() and details() for the supplier's reason"
            }
            (Outcome::Rejected, true) if is_explained => {
                "Nothing was done; read message() and details(), correct the call"
            }
            (Outcome::Rejected, false) if self.0.body.is_empty() => {
                "The supplier gives no reason: body() is empty"
            }
            (Outcome::Rejected, true) if self.0.body.is_empty() => {
                "Nothing was done; the supplier gives no reason (body() is empty). Correct the call"
            }
            (Outcome::Rejected, false) => "message() and details() are empty: read body() for what arrived",
            (Outcome::Rejected, true) => {
                "Nothing was done; message() and details() are empty: read body() for what arrived, correct the call"
            }
            (Outcome::Throttled, _) => "Nothing was done; call again later, see retry_after()",
            (Outcome::Indeterminate, false) => "Nothing is changed by reading; ask again",
            (Outcome::Indeterminate, true) if self.is_safe_to_repeat() => {
                "It may have taken effect; doing it again does no harm"
            }
            (Outcome::Indeterminate, true) => {
                "It may have taken effect; look at the supplier's data before calling again"
            }
            (Outcome::Decode, false) => "Read body() for what arrived, and report it",
            (Outcome::Decode, true) => {
                "It has most likely taken effect; read body() for what arrived before calling again"
            }
        }
    }
}

/// Returns the first 500 characters of a body, as text.
pub(crate) fn excerpt(bytes: &[u8]) -> String {
    // A character has at most four bytes.
    let head = &bytes[..bytes.len().min(2000)];
    String::from_utf8_lossy(head).chars().take(500).collect()
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.0;
        f.write_str(inner.api)?;
        if let Some(operation) = inner.operation {
            write!(f, " {}", operation.id)?;
        }
        write!(f, ": {}", inner.outcome)?;
        if let Some(status) = inner.status {
            write!(f, ", status {}", status.as_u16())?;
        }
        for detail in inner.error_body.details.iter().filter(|detail| detail.is_documented).take(5) {
            if let Some(field) = &detail.field {
                write!(f, ", field {}", printable(field))?;
            }
            if let Some(code) = &detail.code {
                write!(f, ", code {}", printable(code))?;
            }
        }
        if let Some(id) = &inner.error_body.id {
            write!(f, ", id {}", printable(id))?;
        }
        write!(f, ": {}", inner.reason)?;
        if let Some(path) = &inner.decode_path {
            write!(f, " at {path}")?;
        }
        if !inner.has_own_advice {
            write!(f, ". {}", self.next_step())?;
        }
        if inner.attempts > 0 {
            let s = if inner.attempts == 1 { "" } else { "s" };
            write!(f, " ({} attempt{s}, {} ms)", inner.attempts, inner.elapsed.as_millis())?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Error({self})")
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_ref().map(|error| error as _)
    }
}
