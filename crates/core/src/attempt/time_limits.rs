use std::time::Duration;

use tokio::time::Instant;

use crate::classify::Failure;
use crate::client::{SendDeadline, Transport};
use crate::clock::Clock;
use crate::error::Outcome;
use crate::operation::{Operation, Repeat};
use crate::retry::FAR_FUTURE;

/// The time limits of a call and of each of its attempts.
pub(crate) struct TimeLimits {
    clock: Clock,
    started: Instant,
    deadline: Duration,
    per_attempt: Duration,
    /// The minimum remaining time to start a call that is sent once. With less, its outcome would only become indeterminate.
    min_time_for_once: Duration,
}

impl TimeLimits {
    /// Returns the limits of a call that starts now.
    pub(crate) fn start(transport: &Transport) -> Self {
        let (policy, clock) = (&transport.policy, &transport.shared.clock);
        Self {
            clock: clock.clone(),
            started: clock.instant(),
            deadline: policy.deadline,
            per_attempt: policy.attempt_timeout,
            min_time_for_once: policy.min_time_for_once(),
        }
    }

    /// Returns how long the call has taken so far.
    pub(crate) fn elapsed(&self) -> Duration {
        self.clock.since(self.started)
    }

    /// Returns how much of the deadline is left.
    pub(crate) fn left(&self, now: Instant) -> Duration {
        self.deadline.saturating_sub(now.saturating_duration_since(self.started))
    }

    /// Returns how long one attempt may take.
    pub(crate) fn of_attempt(&self, operation: &Operation, now: Instant) -> Duration {
        let left = self.left(now);
        // A call that is sent once cannot be retried, so an earlier timeout would only lose its response.
        if operation.repeat == Repeat::Once { left } else { left.min(self.per_attempt) }
    }

    /// Returns how long a request may wait before it is sent.
    pub(crate) fn before_sending(&self, operation: &Operation, now: Instant) -> Duration {
        let left = self.left(now);
        match operation.repeat {
            Repeat::Once => left.saturating_sub(self.min_time_for_once),
            Repeat::Read | Repeat::Idempotent => left,
        }
    }

    /// Returns the time after which a request of this operation must not be sent; `None` for a read.
    pub(crate) fn send_deadline(&self, transport: &Transport, operation: &Operation) -> Option<SendDeadline> {
        if operation.repeat == Repeat::Read {
            return None;
        }
        let of_call = SendDeadline::at(self.started + self.deadline.min(FAR_FUTURE), &self.clock);
        Some(transport.send_deadline.map_or(of_call, |deadline| deadline.min(of_call)))
    }

    /// Fails when a call that is sent once has too little time left to wait for its response.
    pub(crate) fn check(&self, operation: &Operation, now: Instant) -> Result<(), Failure> {
        if operation.repeat == Repeat::Once && self.left(now) < self.min_time_for_once {
            let reason =
                format!("too little time is left to send it and to receive the response: {}", self.spent());
            return Err(Failure::of(Outcome::NotSent, reason));
        }
        Ok(())
    }

    /// Describes how much of the deadline has elapsed.
    #[cold]
    pub(crate) fn spent(&self) -> String {
        let (spent, deadline) = (self.elapsed().as_millis(), self.deadline.as_millis());
        format!("{spent} ms of the call's deadline of {deadline} ms are spent")
    }

    /// Describes that something did not arrive within `limit`, which is the remaining deadline or the limit of one attempt.
    #[cold]
    pub(crate) fn exceeded(&self, what: &str, limit: Duration) -> String {
        if limit == self.per_attempt {
            format!("{what} within {} ms, the limit of one attempt: {}", limit.as_millis(), self.spent())
        } else {
            format!("{what} within the deadline: {}", self.spent())
        }
    }

    /// Adds how much of the deadline has elapsed to the failure of a call that would have to wait longer than it may.
    #[cold]
    pub(crate) fn in_failure(&self, failure: Failure) -> Failure {
        Failure { reason: format!("{} ({})", failure.reason, self.spent()), ..failure }
    }
}
