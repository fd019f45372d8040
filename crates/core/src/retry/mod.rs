//! When a request is retried, and after which backoff.
//!
//! A request that was not sent is retried for every call. A request that was sent is retried only if its operation allows it
//! ([`Repeat`](crate::operation::Repeat)): reads and idempotent writes, after a 5xx, a 429 or a broken connection. A call that
//! creates something is never retried once its request may have arrived. All calls of a client share a [`RetryBudget`], a
//! [`RateLimit`] and the maximum number of requests in flight.

mod budget;
mod limit;
mod retry_after;

pub use budget::RetryBudget;
pub(crate) use budget::RetryTokens;
pub use limit::RateLimit;
pub(crate) use limit::{Limits, Reservation, TooEarly};
pub(crate) use retry_after::retry_after;

use std::time::Duration;

use crate::setters::setters;

/// How long a call may take, how often it is attempted, and how much of a response is read.
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
    /// The time limit of a call: every attempt, every backoff, and reading the response body. A response that is read as a stream
    /// only has to begin within this time. 60 seconds by default.
    ///
    /// A request that changes something is not sent after the deadline, even if the process was paused: the clocks are read
    /// before each step, and the connection no longer receives the request body. Two cases remain: a pause of the process between
    /// the last reading of the clocks and the write to the socket, and a change without a body (`DELETE`) that the connection had
    /// already received.
    pub deadline: Duration,
    /// The time limit of one attempt of a call that can be retried. A call that cannot be retried waits for its response until
    /// the deadline, since an earlier timeout would only make its outcome indeterminate. 20 seconds by default.
    pub attempt_timeout: Duration,
    /// The maximum number of attempts, including the first; at least one is made. 4 by default.
    pub max_attempts: u32,
    /// The maximum backoff after the first attempt. The backoff is chosen at random between zero and the maximum, which doubles
    /// with each attempt. 200 milliseconds by default.
    pub initial_backoff: Duration,
    /// The maximum backoff after any attempt, unless the supplier requests a longer wait in `Retry-After`; an unreadable
    /// `Retry-After` counts as five seconds. 10 seconds by default.
    pub max_backoff: Duration,
    /// The maximum size of a response body in bytes. If the body is read as a stream, a single row may have a sixteenth of this
    /// size. 64 MiB by default.
    pub body_limit: usize,
    /// How long a stream may deliver no data before it fails. 30 seconds by default.
    pub stream_idle_timeout: Duration,
    /// The minimum throughput of a stream in bytes per second, measured over [`stream_idle_timeout`](Self::stream_idle_timeout)
    /// of waiting for data. The time that the caller spends between two reads does not count. 1,000 by default.
    pub min_bytes_per_second: u32,
    /// How long the supplier may still process a request after the call has ended without a response. Until this time has passed,
    /// a missing order is not reported as absent, and a newer change of an object waits for an older one that was not answered. 5
    /// minutes by default, which is far above the timeouts of gateways; no supplier states a time.
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
    setters! {
        /// Sets the time limit of a call, the [`deadline`](Self::deadline).
        const with_deadline(deadline: Duration);

        /// Sets the time limit of one attempt, the [`attempt_timeout`](Self::attempt_timeout).
        const with_attempt_timeout(attempt_timeout: Duration);

        /// Sets the maximum number of attempts, [`max_attempts`](Self::max_attempts).
        const with_max_attempts(max_attempts: u32);

        /// Sets the maximum backoff after the first attempt, the [`initial_backoff`](Self::initial_backoff).
        const with_initial_backoff(initial_backoff: Duration);

        /// Sets the maximum backoff after any attempt, the [`max_backoff`](Self::max_backoff).
        const with_max_backoff(max_backoff: Duration);

        /// Sets the maximum size of a response body in bytes, the [`body_limit`](Self::body_limit).
        const with_body_limit(body_limit: usize);

        /// Sets how long a stream may deliver no data, the [`stream_idle_timeout`](Self::stream_idle_timeout).
        const with_stream_idle_timeout(stream_idle_timeout: Duration);

        /// Sets the minimum throughput of a stream in bytes per second: [`min_bytes_per_second`](Self::min_bytes_per_second).
        const with_min_bytes_per_second(min_bytes_per_second: u32);

        /// Sets how long the supplier may still process an unanswered request, the [`settle_time`](Self::settle_time).
        const with_settle_time(settle_time: Duration);
    }

    /// Returns the backoff after the attempt with this number (from 1): full jitter, or the time that the supplier requested if
    /// that is longer.
    pub(crate) fn backoff_after(&self, attempt: u32, asked: Option<Duration>) -> Duration {
        let doublings = attempt.saturating_sub(1).min(31);
        let room = self.initial_backoff.saturating_mul(1 << doublings).min(self.max_backoff);
        let jittered = room.mul_f64(fastrand::f64());
        asked.map_or(jittered, |asked| asked.saturating_add(jittered.min(self.initial_backoff)).max(jittered))
    }

    /// Returns the maximum size of one row of a stream, in bytes.
    pub fn row_limit(&self) -> usize {
        self.body_limit / 16
    }

    /// Returns the minimum remaining time to start a call that is sent once. With less, its outcome would only become
    /// indeterminate.
    pub(crate) fn min_time_for_once(&self) -> Duration {
        self.attempt_timeout.min(self.deadline / 2)
    }
}

/// A duration that is effectively infinite and that clocks can still represent.
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
