//! Maps status codes and failures to outcomes, and decides which requests may be retried.

mod connect;
mod partial;

use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::{HeaderMap, RETRY_AFTER};

use crate::error::Outcome;
use crate::operation::{Operation, Repeat};
use crate::retry::TooEarly;
pub(crate) use connect::{HYPER_MOST_HEADERS, MOST_HEADERS, has_too_many_headers, without_response};
pub(crate) use partial::is_part_of_list;

/// Why an attempt has no usable response.
pub(crate) struct Failure {
    pub(crate) outcome: Outcome,
    pub(crate) reason: String,
    pub(crate) source: Option<reqwest::Error>,
    /// How long to wait before retrying, if no header specifies it.
    pub(crate) wait: Option<Duration>,
    /// Whether the response says that nothing has changed (status 304), as the request asked.
    pub(crate) not_modified: bool,
    /// Whether the same request would fail again, although it was not sent.
    pub(crate) permanent: bool,
    /// The path of the part of the response body that could not be decoded.
    pub(crate) decode_path: Option<String>,
}

impl Failure {
    #[cold]
    pub(crate) fn of(outcome: Outcome, reason: impl Into<String>) -> Self {
        Self {
            outcome,
            reason: reason.into(),
            source: None,
            wait: None,
            not_modified: false,
            permanent: false,
            decode_path: None,
        }
    }

    /// Returns the failure of a request that the rate limit or the operation's interval allows only after the call's deadline.
    pub(crate) fn too_early(TooEarly { wait, interval }: TooEarly) -> Self {
        let reason = match interval {
            Some(interval) => {
                format!(
                    "the supplier takes one such call in {} s, and the client holds to that",
                    interval.as_secs()
                )
            }
            None => "the client's rate limit allows no request in time".to_owned(),
        };
        Self { wait: Some(wait), ..Self::of(Outcome::Throttled, reason) }
    }

    /// Returns the failure of a change that an older, unanswered change of the same object may still undo.
    pub(crate) fn older_change(wait: Duration) -> Self {
        let reason = "an earlier change of the same object was not answered and may still be carried out, after this one: wait \
                      until it has settled";
        Self { wait: Some(wait), ..Self::of(Outcome::Throttled, reason) }
    }

    /// Returns the failure of a request that received no permit before the call's deadline.
    pub(crate) fn no_permit() -> Self {
        let reason = "the client had its maximum number of requests in flight all the time: allow more (`max_in_flight`)";
        Self::of(Outcome::Throttled, reason)
    }

    /// Returns whether the same request may be sent again.
    pub(crate) fn is_repeatable(&self, operation: &Operation) -> bool {
        match self.outcome {
            Outcome::NotSent => !self.permanent,
            Outcome::Indeterminate | Outcome::Throttled => operation.repeat != Repeat::Once,
            Outcome::Invalid | Outcome::Rejected | Outcome::Decode => false,
        }
    }

    /// Returns whether the server may still be processing the request, given the status code of its response. A server that has
    /// responded itself is done; a gateway may respond while the server is still working.
    pub(crate) fn may_be_in_progress(&self, status: Option<StatusCode>) -> bool {
        self.outcome == Outcome::Indeterminate
            && status.is_none_or(|status| matches!(status.as_u16(), 502..=504))
    }

    /// Merges in that an earlier attempt was not answered. That attempt may have taken effect, so a rejection of this one proves
    /// nothing. For a read, any response counts, but a last attempt that was not sent does not.
    pub(crate) fn merge_earlier_attempt(&mut self, operation: &Operation) {
        let counts = match self.outcome {
            Outcome::Indeterminate | Outcome::Decode => true,
            Outcome::NotSent => false,
            Outcome::Invalid | Outcome::Rejected | Outcome::Throttled => operation.repeat == Repeat::Read,
        };
        if !counts {
            self.reason = format!(
                "an earlier attempt was not answered; the last one: {}, {}",
                self.outcome, self.reason
            );
            self.outcome = Outcome::Indeterminate;
        }
    }
}

/// Returns whether a rejection is about the rate of requests or a temporary state, and not about the request itself.
///
/// This is status 429, and the following with `Retry-After`: 403, which indicates a used-up quota (as with the `quota` policies
/// of Azure API Management), 420 (an older form of 429), 423 (locked), 413 and 425, which are temporary according to RFC 9110
/// (15.5.14) and RFC 8470. Status 409 is not included: a temporary conflict may still be caused by the request. Nor are 503 and
/// other 5xx: their `Retry-After` is honored, but they do not say that nothing was done.
pub(crate) fn says_not_now(status: StatusCode, headers: &HeaderMap) -> bool {
    match status.as_u16() {
        429 => true,
        403 | 413 | 420 | 423 | 425 => headers.contains_key(RETRY_AFTER),
        _ => false,
    }
}

/// Returns the failure for a status code other than success. `credentials` describes the credentials of the request.
#[cold]
pub(crate) fn classify_status(
    operation: &Operation,
    status: StatusCode,
    headers: &HeaderMap,
    credentials: impl FnOnce() -> String,
) -> Failure {
    let (outcome, reason) = match status.as_u16() {
        429 => (Outcome::Throttled, "the supplier gets too many requests"),
        _ if says_not_now(status, headers) => (
            Outcome::Throttled,
            "the supplier refuses the request for now and says when to come back: a quota may be used up",
        ),
        408 => (Outcome::Indeterminate, "the server did not wait for the request"),
        501 => (Outcome::Rejected, "the supplier does not offer this"),
        500.. => (Outcome::Indeterminate, "the server failed"),
        401 => {
            let reason = format!("the supplier does not accept the credentials: check {}", credentials());
            return Failure::of(Outcome::Rejected, reason);
        }
        403 => (Outcome::Rejected, "these credentials may not do this"),
        404 => (Outcome::Rejected, "there is no such thing at the supplier"),
        400..=499 => (Outcome::Rejected, "the supplier refuses the request"),
        _ if operation.repeat == Repeat::Read => {
            (Outcome::Rejected, "the supplier responds with an undocumented status")
        }
        _ => (Outcome::Indeterminate, "the supplier responds with an undocumented status"),
    };
    Failure::of(outcome, reason)
}

/// Returns the failure for a redirect that is not followed.
#[cold]
pub(crate) fn classify_redirect(status: StatusCode, operation: &Operation, why: &str) -> Failure {
    let moved = matches!(status.as_u16(), 301 | 307 | 308);
    // These status codes say that nothing was done here. Many servers respond with "See Other" after something was done.
    let outcome =
        if moved || operation.repeat == Repeat::Read { Outcome::Rejected } else { Outcome::Indeterminate };
    Failure::of(outcome, why)
}
