use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use crate::clock::Clock;
use crate::retry::FAR_FUTURE;

/// The time after which nothing is sent, by the monotonic clock and by the wall clock.
///
/// A process can be paused between any two instructions: by `SIGSTOP`, by its virtual machine, or because a laptop is suspended.
/// The monotonic clock may stand still during the pause, and the wall clock may be set back. The deadline has therefore passed as
/// soon as one of the two clocks says so.
///
/// ```
/// use std::time::Duration;
/// use lastmile_core::client::SendDeadline;
/// use lastmile_core::clock::Clock;
///
/// let clock = Clock::default();
/// assert!(!SendDeadline::after(Duration::from_secs(60), &clock).has_passed(&clock));
/// assert!(SendDeadline::after(Duration::ZERO, &clock).has_passed(&clock));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SendDeadline {
    monotonic: Instant,
    wall: SystemTime,
}

impl SendDeadline {
    /// Returns the deadline that is `time` from now.
    pub fn after(time: Duration, clock: &Clock) -> Self {
        let time = time.min(FAR_FUTURE);
        // A pause between the two readings makes the deadline earlier by one of the clocks, never later.
        Self { monotonic: clock.instant() + time, wall: clock.now() + time }
    }

    /// Returns the deadline at an instant of the monotonic clock.
    pub(crate) fn at(monotonic: Instant, clock: &Clock) -> Self {
        // With this order, a pause between the two readings makes the deadline of the wall clock earlier, never later.
        let wall = clock.now();
        Self { monotonic, wall: wall + monotonic.saturating_duration_since(clock.instant()) }
    }

    /// Returns this deadline plus `time`.
    #[must_use]
    pub fn plus(self, time: Duration) -> Self {
        let time = time.min(FAR_FUTURE);
        Self { monotonic: self.monotonic + time, wall: self.wall + time }
    }

    /// Returns the earlier of two deadlines, by each clock.
    #[must_use]
    pub fn min(self, other: Self) -> Self {
        Self { monotonic: self.monotonic.min(other.monotonic), wall: self.wall.min(other.wall) }
    }

    /// Returns whether the deadline has passed by either clock.
    pub fn has_passed(&self, clock: &Clock) -> bool {
        clock.instant() >= self.monotonic || clock.now() >= self.wall
    }

    /// Returns the deadline by the wall clock.
    pub fn wall(&self) -> SystemTime {
        self.wall
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn either_clock_ends_it() {
        let clock = Clock::default();
        let after = |time| SendDeadline::after(time, &clock);
        let later = after(MINUTE);
        assert!(!later.has_passed(&clock));
        assert!(SendDeadline { monotonic: Instant::now(), ..later }.has_passed(&clock));
        assert!(SendDeadline { wall: SystemTime::now(), ..later }.has_passed(&clock));
        assert!(after(Duration::ZERO).min(later).has_passed(&clock));
        assert!(!after(Duration::ZERO).plus(MINUTE).has_passed(&clock));
        assert!(!after(Duration::MAX).has_passed(&clock));
    }
}
