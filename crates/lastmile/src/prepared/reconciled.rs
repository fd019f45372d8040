//! The result of reconciling a prepared value.

use std::fmt;
use std::time::Duration;

/// The result of reconciling a [`Prepared`](super::Prepared) value.
#[derive(Debug)]
#[must_use]
#[non_exhaustive]
pub enum Reconciled<T> {
    /// The request took effect. This is what the supplier holds.
    Placed(T),
    /// The request did not take effect. The value is `Ready` and can be placed again.
    Absent,
    /// It is not known at present whether the request took effect. Reconcile the value again later.
    Indeterminate(Indeterminate),
    /// Only a person can decide whether the request took effect: see
    /// [`Prepared::declare_absent`](super::Prepared::declare_absent) and
    /// [`Prepared::declare_placed`](super::Prepared::declare_placed).
    Undecidable(Undecidable),
}

/// Why it is not known at present whether a request took effect, and when to reconcile again.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Indeterminate {
    /// Why it is not known.
    pub reason: String,
    /// The time after which reconciling again may help.
    pub retry_after: Duration,
    /// What a person has to check if the result stays the same.
    pub manual_check: String,
}

impl fmt::Display for Indeterminate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { reason, retry_after, .. } = self;
        // The time is rounded up, so that a caller who waits for this long does not retry too early.
        let seconds = retry_after.as_millis().div_ceil(1000);
        write!(f, "{reason}. Reconcile it again in {seconds} s")
    }
}

/// Why only a person can decide whether a request took effect, and what to check.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Undecidable {
    /// Why it is not known.
    pub reason: String,
    /// What a person has to check.
    pub manual_check: String,
}

impl fmt::Display for Undecidable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { reason, manual_check } = self;
        write!(f, "{reason}. A person has to {manual_check}, and to declare it absent or placed")
    }
}
