//! What can be found out about something that was sent.

use std::fmt;
use std::time::Duration;

/// What became of a [`Prepared`](super::Prepared) value, as far as the supplier lets it be found out.
#[derive(Debug)]
#[must_use]
#[non_exhaustive]
pub enum Reconciled<T> {
    /// It took effect; this is what the supplier holds.
    Placed(T),
    /// It did not take effect, and can be placed again.
    Absent,
    /// It is not known now whether it took effect; reconcile it again after a while.
    Indeterminate(Indeterminate),
    /// Only a person can tell: see [`Prepared::declare_absent`](super::Prepared::declare_absent) and
    /// [`Prepared::declare_placed`](super::Prepared::declare_placed).
    Undecidable(Undecidable),
}

/// Why it is not known now what became of something, and when to ask again.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Indeterminate {
    /// Why it is not known.
    pub reason: String,
    /// After which time asking again may help.
    pub retry_after: Duration,
    /// What a person has to check if the answer stays the same.
    pub manual_check: String,
}

impl fmt::Display for Indeterminate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { reason, retry_after, .. } = self;
        // Rounded up, so that whoever obeys does not come too early.
        let seconds = retry_after.as_millis().div_ceil(1000);
        write!(f, "{reason}. Reconcile it again in {seconds} s")
    }
}

/// Why only a person can tell what became of something, and what to look at.
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
