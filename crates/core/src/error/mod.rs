//! What became of a call that brought no usable response, and what the supplier says about it.

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

/// What became of a call that brought no usable answer. Over several attempts it is the weakest of all: once an attempt
/// of a changing call is [`Unknown`](Self::Indeterminate), only a look at the supplier's data can make it more certain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// Refused here. Nothing was sent, and the same call would be refused again.
    Invalid,
    /// The request never left. It is safe to send it again.
    NotSent,
    /// The supplier said no. Nothing was done.
    Rejected,
    /// The supplier was too busy or a quota was used up, and it did nothing (status 429, and some others with `Retry-After`, 403 for
    /// one), or a limit of the handle kept the request from being sent;
    /// [`Error::retry_after`] says when to come back, if that is known.
    Throttled,
    /// A changing request may have taken effect or not; find out before sending it again. For a read: the answer is
    /// not to be had now, ask again.
    Indeterminate,
    /// The supplier answered with success, but the answer could not be understood. A changing request has most likely
    /// taken effect; [`Error::body`] holds what arrived.
    Decode,
}

impl Outcome {
    /// The name, as in spans: `not-sent`.
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

/// A call that brought no usable answer: what became of it, and what to do next.
///
/// `Display` and `Debug` show no secret and no personal data: of what the supplier sent they show the status, and the error codes,
/// field names and the error id where its document has them. Of the address they show host and port when no connection comes about. The rest is there for those who ask: [`message`](Self::message),
/// [`details`](Self::details), [`headers`](Self::headers), [`body`](Self::body), [`excerpt`](Self::excerpt).
pub struct Error(Box<Inner>);

pub(crate) struct Inner {
    pub(crate) api: &'static str,
    pub(crate) operation: Option<&'static Operation>,
    /// Whether it says that nothing has changed, to a request that asks so.
    pub(crate) not_modified: bool,
    /// Whether an answer of success is about something else than what was asked for.
    pub(crate) contradicts: bool,
    /// Whether the reason says what to do next.
    pub(crate) has_own_advice: bool,
    /// Whether only data were read, where no operation tells.
    pub(crate) is_read: bool,
    pub(crate) outcome: Outcome,
    /// What happened, in words of ours that repeat nothing a caller or supplier sent.
    pub(crate) reason: String,
    pub(crate) status: Option<StatusCode>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) said: ErrorBody,
    pub(crate) decode_path: Option<String>,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) attempts: u32,
    pub(crate) elapsed: Duration,
    pub(crate) source: Option<reqwest::Error>,
}

impl Inner {
    /// An error without a response.
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
            said: ErrorBody::default(),
            decode_path: None,
            retry_after: None,
            attempts: 0,
            elapsed: Duration::ZERO,
            source: None,
        }
    }
}

/// One of several things that a supplier found wrong.
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Detail {
    /// The field that is wrong, in the supplier's words.
    pub field: Option<String>,
    /// The supplier's code.
    pub code: Option<String>,
    /// The supplier's words. They may repeat what was sent.
    pub message: Option<String>,
    /// Whether it stands where the supplier's document says. Of what does not, it is not known that it is a name or a code, so that
    /// neither is shown.
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

/// A supplier's code or id as it may be printed: short and plain, so that it is no sentence about somebody.
fn printable(token: &str) -> &str {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.:".contains(&b);
    if token.len() <= 64 && !token.is_empty() && token.bytes().all(plain) { token } else { NOT_SHOWN }
}

impl Error {
    pub(crate) fn new(inner: Inner) -> Self {
        Self(Box::new(inner))
    }

    /// What a caller's own check refused before anything was sent. For facades over a generated client.
    pub fn invalid(api: &'static str, reason: impl Into<String>) -> Self {
        Self::unsent(api, Outcome::Invalid, reason)
    }

    /// What a caller must not do again before it is known what became of it. For facades over a generated client.
    pub fn indeterminate(api: &'static str, reason: impl Into<String>) -> Self {
        Self::unsent(api, Outcome::Indeterminate, reason)
    }

    /// What a caller's own check holds back for a while. For facades over a generated client.
    pub fn throttled(api: &'static str, reason: impl Into<String>) -> Self {
        Self::unsent(api, Outcome::Throttled, reason)
    }

    pub(crate) fn contradicting(mut self) -> Self {
        self.0.contradicts = true;
        self
    }

    /// Whether the supplier answered with success, about something else than what was asked for: something was done, and it is not
    /// known whether it was this.
    pub fn contradicts_request(&self) -> bool {
        self.0.contradicts
    }

    /// The same where the reason itself says what to do next. For facades over a generated client.
    #[must_use]
    pub fn with_own_advice(mut self) -> Self {
        self.0.has_own_advice = true;
        self
    }

    /// Returns the same error as that of something that only reads, where no operation tells so: it has changed nothing. For
    /// facades over a generated client.
    #[must_use]
    pub fn of_read(mut self) -> Self {
        self.0.is_read = true;
        self
    }

    /// The same with a time after which to come back. For facades over a generated client.
    #[must_use]
    pub fn with_retry_after(mut self, wait: Duration) -> Self {
        self.0.retry_after = Some(wait);
        self
    }

    fn unsent(api: &'static str, outcome: Outcome, reason: impl Into<String>) -> Self {
        Self::new(Inner::of(api, outcome, reason.into()))
    }

    /// What became of the call.
    pub fn outcome(&self) -> Outcome {
        self.0.outcome
    }

    /// Whether the request may have changed something at the supplier.
    ///
    /// `false` is certain: it did not. `true` for a read only says that the answer is missing, since a read changes
    /// nothing; it is never `true` there.
    pub fn may_have_taken_effect(&self) -> bool {
        matches!(self.0.outcome, Outcome::Indeterminate | Outcome::Decode) && self.changes()
    }

    /// Whether sending the same call again can neither double anything nor is known to be useless.
    pub fn is_safe_to_repeat(&self) -> bool {
        match self.0.outcome {
            Outcome::NotSent | Outcome::Throttled => true,
            Outcome::Indeterminate => match self.0.operation {
                Some(operation) => !matches!(operation.repeat, Repeat::Once),
                None => self.0.is_read,
            },
            Outcome::Invalid | Outcome::Rejected | Outcome::Decode => false,
        }
    }

    fn changes(&self) -> bool {
        match self.0.operation {
            Some(operation) => !matches!(operation.repeat, Repeat::Read),
            None => !self.0.is_read,
        }
    }

    /// The short name of the API.
    pub fn api(&self) -> &'static str {
        self.0.api
    }

    /// Returns whether the supplier says that nothing has changed (status 304), to a request that asks so.
    pub fn is_not_modified(&self) -> bool {
        self.0.not_modified
    }

    /// The operation; none when the call was refused before one was chosen.
    pub fn operation(&self) -> Option<&'static Operation> {
        self.0.operation
    }

    /// The status of the last answer, if there was one.
    pub fn status(&self) -> Option<StatusCode> {
        self.0.status
    }

    /// The headers of the last answer.
    pub fn headers(&self) -> &HeaderMap {
        &self.0.headers
    }

    /// The body of the last answer as it arrived, as far as it arrived. It may hold personal data.
    pub fn body(&self) -> &Bytes {
        &self.0.body
    }

    /// The same as JSON is read from it: without the byte order mark that some servers write before it.
    pub fn json_body(&self) -> &[u8] {
        without_mark(&self.0.body)
    }

    /// The beginning of the body, at most 500 characters, as text. It may hold personal data.
    pub fn excerpt(&self) -> String {
        excerpt(&self.0.body)
    }

    /// The supplier's explanation. It may hold personal data. None when there is none, or when it repeats one of the
    /// credentials.
    ///
    /// It is read from the place that the supplier documents, else from where gateways and frameworks keep it: problem details
    /// (RFC 9457), Django REST framework, Spring, plain text. What cannot be read is in [`body`](Self::body).
    pub fn supplier_message(&self) -> Option<&str> {
        self.0.said.message.as_deref()
    }

    /// The same as [`supplier_message`](Self::supplier_message).
    pub fn message(&self) -> Option<&str> {
        self.supplier_message()
    }

    /// This error with the supplier's own words behind it: its message and details, without control characters.
    ///
    /// `Display` of the error alone leaves them out, since they may repeat personal data: `error?` and whatever logs the result lose
    /// the supplier's reason. Convert the error with this where personal data may be written.
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

    /// Whether the error body has the form that the supplier documents. A gateway before the supplier, or another server, usually
    /// answers in another one.
    pub fn is_in_supplier_format(&self) -> bool {
        self.0.said.is_documented
    }

    /// The supplier's id of this failure, which its help desk asks for.
    pub fn supplier_id(&self) -> Option<&str> {
        self.0.said.id.as_deref()
    }

    /// What the supplier found wrong, one by one.
    pub fn details(&self) -> &[Detail] {
        &self.0.said.details
    }

    /// Where in the answer the part is that was not understood: `contacts[2].href`.
    pub fn decode_path(&self) -> Option<&str> {
        self.0.decode_path.as_deref()
    }

    /// How long to wait: what the supplier asked for, or when the handle's own limits have a turn again. A `Retry-After` that cannot be
    /// read counts as five seconds.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// How many times the request was sent, or tried to be.
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// How long the call took altogether.
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed
    }

    fn next_step(&self) -> &'static str {
        if self.0.outcome == Outcome::Rejected && self.0.said.is_empty() {
            return match (self.changes(), self.0.body.is_empty()) {
                (false, false) => "message() and details() are empty: read body() for what arrived",
                (false, true) => "The supplier gives no reason: body() is empty",
                (true, false) => {
                    "Nothing was done; message() and details() are empty: read body() for what arrived, correct the call"
                }
                (true, true) => {
                    "Nothing was done; the supplier gives no reason (body() is empty). Correct the call"
                }
            };
        }
        match (self.0.outcome, self.changes()) {
            (Outcome::Invalid, _) => "Nothing was sent; correct the call",
            (Outcome::NotSent, _) => "Nothing was sent; it is safe to call again",
            (Outcome::Rejected, false) => "Read message() and details() for the supplier's reason",
            (Outcome::Rejected, true) => "Nothing was done; read message() and details(), correct the call",
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

/// The beginning of what arrived, at most 500 characters, as text.
pub(crate) fn excerpt(bytes: &[u8]) -> String {
    // No character takes more than four bytes.
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
        for detail in inner.said.details.iter().filter(|detail| detail.is_documented).take(5) {
            if let Some(field) = &detail.field {
                write!(f, ", field {}", printable(field))?;
            }
            if let Some(code) = &detail.code {
                write!(f, ", code {}", printable(code))?;
            }
        }
        if let Some(id) = &inner.said.id {
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
