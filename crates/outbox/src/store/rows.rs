//! What goes into the databases and comes out of them.

use std::time::{Duration, SystemTime};

use crate::machine::{Booking, Tries, What};
use crate::{Error, State};

/// A request for orders that are due.
#[derive(Clone)]
pub(crate) struct Claim {
    pub(crate) supplier: String,
    pub(crate) owner: String,
    pub(crate) limit: i64,
    pub(crate) lease: Duration,
    /// How long after a failover, or after the clock was set, nothing is done that relies on what happened before.
    pub(crate) quiet: Duration,
    pub(crate) pace: Option<Pace>,
    /// The time that the database's clock does not show yet unless it was set, in milliseconds since 1970.
    #[cfg_attr(
        not(feature = "postgres"),
        expect(dead_code, reason = "SQLite's clock is compared within the process")
    )]
    pub(crate) latest: Option<i64>,
}

/// How many orders per time all workers together may claim.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Pace {
    /// The time between two orders.
    pub(crate) gap: Duration,
    /// How many orders may be claimed at once after a pause.
    pub(crate) burst: i64,
}

impl Pace {
    /// Returns how many orders may be claimed now, and the time from which the next ones count. All times are in microseconds
    /// since 1970; `arrival` is the stored theoretical arrival time of the generic cell rate algorithm.
    #[cfg(feature = "sqlite")]
    pub(crate) fn allowed(&self, arrival: i64, now: i64) -> (i64, i64) {
        let gap = self.gap_micros();
        let from = arrival.max(now);
        let room = now.saturating_add(self.burst.saturating_mul(gap)).saturating_sub(from);
        ((room / gap).max(0), from)
    }

    pub(crate) fn gap_micros(&self) -> i64 {
        i64::try_from(self.gap.as_micros()).unwrap_or(i64::MAX).max(1)
    }
}

/// What a worker holds of an order: every write checks it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fence {
    pub(crate) id: i64,
    pub(crate) owner: String,
    pub(crate) epoch: i64,
    /// The number of the latest mark that the holder knows.
    pub(crate) mark: i64,
    /// The step of the chain that the holder works on.
    pub(crate) step: i64,
}

/// An order that a worker has claimed.
#[derive(Clone)]
pub(crate) struct ClaimedRow {
    pub(crate) fence: Fence,
    pub(crate) kind: String,
    pub(crate) state: State,
    pub(crate) body: Option<String>,
    pub(crate) crashes: i64,
    /// How long the supplier may still process what was sent, by the clock of the database.
    pub(crate) settling: Duration,
    /// Whether the database may have lost a mark of this order.
    pub(crate) mark_may_be_lost: bool,
    pub(crate) tries: Tries,
    pub(crate) decision: Option<String>,
    pub(crate) decision_data: Option<String>,
}

/// What a late response did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Late {
    /// It settled the order, which nobody had settled.
    Settled,
    /// It says what was booked already.
    Known,
    /// It contradicts what was booked.
    Contradicted,
}

/// An event that a consumer has not acknowledged.
pub(crate) struct StoredEvent {
    pub(crate) id: i64,
    pub(crate) key: String,
    pub(crate) supplier: String,
    pub(crate) kind: String,
    pub(crate) step: i64,
    pub(crate) what: What,
    pub(crate) data: Option<String>,
    pub(crate) at: i64,
}

/// What a person's decision about an order depends on.
pub(crate) struct Subject {
    pub(crate) id: i64,
    pub(crate) state: State,
    pub(crate) step: i64,
    /// How long the supplier may still process what was sent.
    pub(crate) settling: Duration,
    /// Whether the database may have lost a mark of this order.
    pub(crate) mark_may_be_lost: bool,
}

/// What a person decides.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Decision {
    Absent,
    Placed(Option<String>),
    Cancel,
}

impl Decision {
    pub(crate) const ABSENT: &'static str = "absent";
    pub(crate) const PLACED: &'static str = "placed";

    /// Returns the name in the audit trail.
    pub(crate) fn as_str(&self) -> &'static str {
        match self {
            Self::Absent => "declare_absent",
            Self::Placed(_) => "declare_placed",
            Self::Cancel => "cancel",
        }
    }

    /// Returns the name and the data that a worker applies later. A cancellation applies at once.
    pub(crate) fn pending(&self) -> Option<(&'static str, Option<&str>)> {
        match self {
            Self::Absent => Some((Self::ABSENT, None)),
            Self::Placed(created) => Some((Self::PLACED, created.as_deref())),
            Self::Cancel => None,
        }
    }

    /// Checks whether a person may decide this about an order.
    pub(crate) fn check(&self, order: &Subject) -> Result<(), Error> {
        if !self.allowed_in().contains(&order.state) {
            return Err(Error::NotAllowed(order.state));
        }
        // The supplier has what the earlier steps of a chain have placed, and may have what was sent before a failover.
        let may_be_there = order.state == State::Ready && (order.step > 0 || order.mark_may_be_lost);
        if *self == Self::Cancel && may_be_there {
            return Err(Error::NotAllowed(order.state));
        }
        // What the person has not seen yet may still appear.
        if *self == Self::Absent && !order.settling.is_zero() {
            return Err(Error::TooEarly(order.settling));
        }
        Ok(())
    }

    /// Returns the states in which a person may decide this. An order that is in flight is left to the worker that sends it.
    pub(crate) fn allowed_in(&self) -> &'static [State] {
        match self {
            Self::Absent => &[State::NeedsPerson, State::Indeterminate],
            Self::Placed(_) => &[State::NeedsPerson, State::Indeterminate, State::Ready],
            Self::Cancel => &[State::NeedsPerson, State::Ready],
        }
    }
}

/// The longest time that is added to a clock. Policies may say `Duration::MAX`, which overflows every clock and PostgreSQL's intervals.
pub(crate) const LONGEST: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

/// Returns a time for a database, in milliseconds.
pub(crate) fn millis(time: Duration) -> i64 {
    i64::try_from(time.min(LONGEST).as_millis()).unwrap_or(i64::MAX)
}

/// Returns a time in milliseconds since 1970, as the databases store it.
pub(crate) fn millis_since_1970(time: SystemTime) -> i64 {
    millis(time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default())
}

impl Late {
    /// Returns what a late response does to an order that has this state, mark and step now. `step_marks` has the number of the latest mark
    /// at the end of each step that is done, with a space after each.
    pub(crate) fn of(
        state: State,
        mark: i64,
        step: i64,
        step_marks: &str,
        fence: &Fence,
        booking: &Booking,
    ) -> Self {
        if step > fence.step && ended_with(step_marks, fence.step) == Some(fence.mark) {
            // The same request is booked already, and the later marks are those of the later steps.
            return Self::Known;
        }
        let says_placed = booking.state == State::Placed || booking.next_step;
        match state {
            // It was declared absent and marked again, so that it may exist twice.
            _ if mark != fence.mark && says_placed => Self::Contradicted,
            _ if mark != fence.mark => Self::Known,
            // Another worker or a person has settled it. The response may say that the supplier did otherwise.
            State::Placed => Self::Known,
            State::Refused | State::Cancelled if says_placed => Self::Contradicted,
            State::Refused | State::Cancelled => Self::Known,
            _ if step != fence.step => Self::Known,
            _ => Self::Settled,
        }
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Settled => "settled",
            Self::Known => "known",
            Self::Contradicted => "contradicted",
        }
    }
}

/// Returns the number of the latest mark at the end of a step, if the step is done.
fn ended_with(step_marks: &str, step: i64) -> Option<i64> {
    step_marks.split_ascii_whitespace().nth(usize::try_from(step).ok()?)?.parse().ok()
}

/// Returns the time of a database.
pub(crate) fn time(millis: i64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(u64::try_from(millis).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_response_is_compared_with_the_mark_at_the_end_of_its_own_step() {
        let fence = |step, mark| Fence { id: 1, owner: "w".to_owned(), epoch: 1, mark, step };
        let placed = Booking::placed(None);
        let late = |step, step_marks, fence| Late::of(State::Ready, 9, step, step_marks, &fence, &placed);
        assert_eq!(late(1, "1 ", fence(0, 1)), Late::Known);
        assert_eq!(late(3, "1 1 4 ", fence(0, 1)), Late::Known);
        assert_eq!(late(3, "1 1 4 ", fence(2, 4)), Late::Known);
        // The step was sent again.
        assert_eq!(late(1, "2 ", fence(0, 1)), Late::Contradicted);
        assert_eq!(late(3, "1 1 4 ", fence(2, 3)), Late::Contradicted);
        assert_eq!(late(0, "", fence(0, 1)), Late::Contradicted);
        // What is not known is reported.
        assert_eq!(late(1, "", fence(0, 1)), Late::Contradicted);
    }
}
