//! What became of a step.

use std::fmt;
use std::time::Duration;

use lastmile_core::{Error, Outcome};
use serde::{Deserialize, Serialize};

/// How long no order is sent to a supplier that does not accept the credentials.
const WRONG_LOGIN: Duration = Duration::from_secs(60);

/// What a call of a [`Step`](super::Step) found out or did.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StepOutcome {
    /// A look-up did not find the object: the order can be marked and placed.
    Clear,
    /// The supplier offers no call that would show the object, or its response is inconclusive for an order that a person has declared
    /// absent. The order can be marked and placed, unless there is reason to believe that it was sent already.
    Unsupported,
    /// The order is placed. [`Step::result`](super::Step::result) returns what the supplier created.
    Placed,
    /// This step of a chain is done, and the order now contains the next one, which is due after this time.
    Advanced(Duration),
    /// The request did not take effect, and the order is ready again.
    Absent,
    /// The request did not take effect. It can be sent again later.
    NotSent(Retry),
    /// The mark expired before the request was sent. Nothing was sent.
    MarkExpired,
    /// The supplier or this library rejected the request, so that it did not take effect and will not.
    Refused(Refusal),
    /// The request may have taken effect. It has to be reconciled.
    Indeterminate(Retry),
    /// Nothing is decided. The same call is to be repeated later.
    Later(Retry),
    /// Only a person can decide what became of the order.
    NeedsPerson {
        /// Why nothing else can.
        reason: String,
        /// What the person has to check.
        manual_check: String,
    },
}

/// Why and when a call is to be repeated.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Retry {
    /// Why, in words that repeat nothing that the caller or the supplier sent.
    pub reason: String,
    /// The time after which a repetition may help, if it is known.
    pub after: Option<Duration>,
    /// Whether no other order should be sent to the supplier for that time either: it asked to be left alone, or does not accept the
    /// credentials.
    pub pauses_supplier: bool,
    /// Whether the cause is not one that passes by itself, such as an unreachable server. After several of them a person has to
    /// look.
    pub is_doubt: bool,
}

impl Retry {
    /// Creates the value for a cause that passes by itself.
    pub fn new(reason: impl Into<String>, after: Option<Duration>) -> Self {
        Self { reason: reason.into(), after, ..Self::default() }
    }

    /// Marks the cause as one that may not pass by itself.
    #[must_use]
    pub fn doubt(self) -> Self {
        Self { is_doubt: true, ..self }
    }

    /// Returns when a call that failed is to be repeated.
    pub fn of(error: &Error) -> Self {
        let status = error.status().map(|status| status.as_u16());
        let is_rejected = error.outcome() == Outcome::Rejected;
        // What is wrong for one order is wrong for all. That is not said of a 403, which may be about this one.
        let has_wrong_login = is_rejected && status == Some(401);
        let is_lasting = match error.outcome() {
            Outcome::Rejected | Outcome::Invalid | Outcome::Decode => true,
            // This library's own doubt about what a supplier holds, rather than a call that failed.
            Outcome::Indeterminate => error.operation().is_none(),
            _ => false,
        };
        Self {
            reason: error.to_string(),
            after: error.retry_after().or(has_wrong_login.then_some(WRONG_LOGIN)),
            pauses_supplier: has_wrong_login || error.outcome() == Outcome::Throttled && status.is_some(),
            is_doubt: is_lasting && !Self::is_access(error),
        }
    }

    /// Returns whether the supplier did not accept the credentials, or they may not do this: a 401 or a 403. Both are corrected in the
    /// configuration or by the supplier, and not in the order.
    pub(crate) fn is_access(error: &Error) -> bool {
        matches!(error.status().map(|status| status.as_u16()), Some(401 | 403))
    }
}

/// Why an order was rejected.
///
/// `message` and `details` are the supplier's words and may contain personal data. `Debug` does not show them.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Refusal {
    /// The reason, in words that repeat nothing that the caller or the supplier sent.
    pub reason: String,
    /// The status code of the response, if there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The supplier's message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The single errors that the supplier reports.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<RefusalDetail>,
}

/// A single error of a [`Refusal`].
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RefusalDetail {
    /// The name of the invalid field, as the supplier sent it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The supplier's error code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The supplier's message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

impl Refusal {
    /// Creates a refusal that has only a reason.
    pub fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), ..Self::default() }
    }

    /// Returns the refusal that an error describes.
    pub fn of(error: &Error) -> Self {
        let details = error.details().iter().map(|detail| RefusalDetail {
            field: detail.field.clone(),
            code: detail.code.clone(),
            message: detail.message.clone(),
        });
        Self {
            reason: error.to_string(),
            status: error.status().map(|status| status.as_u16()),
            message: error.supplier_message().map(str::to_owned),
            details: details.collect(),
        }
    }
}

impl fmt::Debug for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refusal")
            .field("reason", &self.reason)
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for RefusalDetail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RefusalDetail").finish_non_exhaustive()
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}
