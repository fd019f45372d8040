//! When a call is sent again, and after how long.
//!
//! A request that never left is repeated for every call. One that left is repeated only when its operation says so
//! ([`Repeat`](crate::operation::Repeat)): reads and idempotent writes, after a 5xx, a 429 or a broken connection. A call
//! that creates something is never repeated once it may have arrived. All calls of a handle share a [`RetryBudget`], a
//! [`RateLimit`] and the places of those that are under way at once.

mod budget;
mod limit;
mod retry_after;

pub use budget::RetryBudget;
pub(crate) use budget::RetryTokens;
pub use limit::RateLimit;
pub(crate) use limit::{Limits, Reservation, TooEarly};
pub(crate) use retry_after::retry_after;

use std::time::Duration;

/// How long a call may take, how often it is tried, and how much of an answer is read.
///
/// ```
/// use std::time::Duration;
/// use lastmile_core::retry::Policy;
///
/// let impatient = Policy::default().with_deadline(Duration::from_secs(5)).with_max_attempts(1);
/// assert_eq!(impatient.body_limit, Policy::default().body_limit);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Policy {
    /// How long the call may take altogether: every attempt, every pause, and reading the answer, unless that is read as a
    /// stream, which only has to begin by then. 60 seconds by default.
    ///
    /// A request that changes something does not leave after it, even if the process was paused: the clocks are read before
    /// each step, and the connection gets no request body any more. What remains possible is a pause of the process, between
    /// the connection's last look at the clock and its write to the socket; and a change without a body (`DELETE`) that was
    /// handed to the connection already.
    pub deadline: Duration,
    /// How long one attempt of a call that can be repeated may take. A call that cannot be repeated waits for its answer
    /// until the deadline, since giving up earlier would only make its outcome unknown. 20 seconds by default.
    pub attempt_timeout: Duration,
    /// How many attempts there are at the most, the first one included; at least one is made. 4 by default.
    pub max_attempts: u32,
    /// The pause after the first attempt is chosen at random between nothing and this; each further pause has twice the
    /// room of the one before. 200 milliseconds by default.
    pub initial_backoff: Duration,
    /// No pause has more room than this, unless the supplier asks for more in `Retry-After`; one that cannot be read counts
    /// as five seconds. 10 seconds by default.
    pub max_backoff: Duration,
    /// How many bytes of an answer are read, unless it is read as a stream: then one row may take a sixteenth of that. 64 MiB by
    /// default.
    pub body_limit: usize,
    /// How long a stream may say nothing before it is given up. 30 seconds by default.
    pub stream_idle_timeout: Duration,
    /// How many bytes a second a stream brings at least, measured over [`stream_idle_timeout`](Self::stream_idle_timeout) of waiting for it; the time that
    /// the caller takes between two reads does not count. 1,000 by default.
    pub min_bytes_per_second: u32,
    /// How long a request may still be at work at the supplier when nobody waits for it any more. Until this time has passed, a
    /// missing order is not reported as absent, and a newer change of an object waits for an older one that was not answered.
    /// 5 minutes by default, far beyond what gateways wait; no supplier states a time.
    pub settle_time: Duration,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            deadline: Duration::from_secs(60),
            attempt_timeout: Duration::from_secs(20),
            max_attempts: 4,
            initial_backoff: Duration::from_millis(200),
            max_backoff: Duration::from_secs(10),
            body_limit: 64 << 20,
            stream_idle_timeout: Duration::from_secs(30),
            min_bytes_per_second: 1000,
            settle_time: Duration::from_secs(300),
        }
    }
}

impl Policy {
    /// Sets the [`deadline`](Self::deadline) of a call.
    #[must_use]
    pub const fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Sets how long one [`attempt_timeout`](Self::attempt_timeout) may take.
    #[must_use]
    pub const fn with_attempt_timeout(mut self, timeout: Duration) -> Self {
        self.attempt_timeout = timeout;
        self
    }

    /// Sets the maximum number of [`max_attempts`](Self::max_attempts), the first one included.
    #[must_use]
    pub const fn with_max_attempts(mut self, attempts: u32) -> Self {
        self.max_attempts = attempts;
        self
    }

    /// Sets the maximum backoff after the first attempt, the [`initial_backoff`](Self::initial_backoff).
    #[must_use]
    pub const fn with_initial_backoff(mut self, backoff: Duration) -> Self {
        self.initial_backoff = backoff;
        self
    }

    /// Sets the maximum backoff after any attempt, the [`max_backoff`](Self::max_backoff).
    #[must_use]
    pub const fn with_max_backoff(mut self, backoff: Duration) -> Self {
        self.max_backoff = backoff;
        self
    }

    /// Sets the maximum size of a response body in bytes, the [`body_limit`](Self::body_limit).
    #[must_use]
    pub const fn with_body_limit(mut self, bytes: usize) -> Self {
        self.body_limit = bytes;
        self
    }

    /// Sets how long a stream may be [`stream_idle_timeout`](Self::stream_idle_timeout).
    #[must_use]
    pub const fn with_stream_idle_timeout(mut self, timeout: Duration) -> Self {
        self.stream_idle_timeout = timeout;
        self
    }

    /// Sets the minimum throughput of a stream in bytes per second: [`min_bytes_per_second`](Self::min_bytes_per_second).
    #[must_use]
    pub const fn with_min_bytes_per_second(mut self, bytes: u32) -> Self {
        self.min_bytes_per_second = bytes;
        self
    }

    /// Sets the time after which an unanswered request is no longer carried out: [`settle_time`](Self::settle_time).
    #[must_use]
    pub const fn with_settle_time(mut self, time: Duration) -> Self {
        self.settle_time = time;
        self
    }

    /// The pause after the attempt of this number (from 1): full jitter, or what the supplier asked for if that is more.
    pub(crate) fn backoff_after(&self, attempt: u32, asked: Option<Duration>) -> Duration {
        let doublings = attempt.saturating_sub(1).min(31);
        let room = self.initial_backoff.saturating_mul(1 << doublings).min(self.max_backoff);
        let jittered = room.mul_f64(fastrand::f64());
        asked.map_or(jittered, |asked| asked.saturating_add(jittered.min(self.initial_backoff)).max(jittered))
    }

    /// How many bytes one row of a stream may take.
    pub fn row_limit(&self) -> usize {
        self.body_limit / 16
    }

    /// With less time than this left, a call that is done once is not begun: its outcome would only become unknown.
    pub(crate) fn min_time_for_once(&self) -> Duration {
        self.attempt_timeout.min(self.deadline / 2)
    }
}

/// As good as never, and still a moment that clocks can tell.
pub(crate) const FAR_FUTURE: Duration = Duration::from_secs(1 << 32);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_their_cap_and_obey_the_supplier() {
        let policy = Policy {
            initial_backoff: Duration::from_millis(100),
            max_backoff: Duration::from_secs(1),
            ..Policy::default()
        };
        for (attempt, room) in [(1, 100), (2, 200), (3, 400), (4, 800), (5, 1000), (90, 1000)] {
            for _ in 0..100 {
                assert!(policy.backoff_after(attempt, None) <= Duration::from_millis(room));
            }
        }
        let asked = Duration::from_secs(7);
        for _ in 0..100 {
            let pause = policy.backoff_after(1, Some(asked));
            assert!(pause >= asked && pause <= asked + policy.initial_backoff);
        }
        let longest = policy.backoff_after(u32::MAX, Some(Duration::MAX));
        assert_eq!(longest, Duration::MAX);
    }

    #[test]
    fn jitter_is_spread_over_the_room() {
        let policy = Policy { initial_backoff: Duration::from_secs(1), ..Policy::default() };
        let pauses: Vec<_> = (0..200).map(|_| policy.backoff_after(1, None)).collect();
        assert!(pauses.iter().any(|pause| *pause < Duration::from_millis(250)));
        assert!(pauses.iter().any(|pause| *pause > Duration::from_millis(750)));
    }
}
