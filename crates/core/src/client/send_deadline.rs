use std::time::{Duration, SystemTime};

use tokio::time::Instant;

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
///
/// assert!(!SendDeadline::after(Duration::from_secs(60)).has_passed());
/// assert!(SendDeadline::after(Duration::ZERO).has_passed());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SendDeadline {
    monotonic: Instant,
    wall: SystemTime,
}

impl SendDeadline {
    /// Returns the deadline that is `time` from now.
    pub fn after(time: Duration) -> Self {
        let time = time.min(FAR_FUTURE);
        // A pause between the two readings makes the deadline earlier by one of the clocks, never later.
        Self { monotonic: Instant::now() + time, wall: SystemTime::now() + time }
    }

    /// Returns the deadline at an instant of the monotonic clock.
    pub(crate) fn at(monotonic: Instant) -> Self {
        // With this order, a pause between the two readings makes the deadline of the wall clock earlier, never later.
        let wall = SystemTime::now();
        Self { monotonic, wall: wall + monotonic.saturating_duration_since(Instant::now()) }
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
    pub fn has_passed(&self) -> bool {
        Instant::now() >= self.monotonic || SystemTime::now() >= self.wall
    }

    /// Returns the same deadline with another wall clock time, for tests that simulate the clock.
    #[doc(hidden)]
    #[must_use]
    pub fn with_wall(self, wall: SystemTime) -> Self {
        Self { wall, ..self }
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
        let later = SendDeadline::after(MINUTE);
        assert!(!later.has_passed());
        assert!(SendDeadline { monotonic: Instant::now(), ..later }.has_passed());
        assert!(SendDeadline { wall: SystemTime::now(), ..later }.has_passed());
        assert!(SendDeadline::after(Duration::ZERO).min(later).has_passed());
        assert!(!SendDeadline::after(Duration::ZERO).plus(MINUTE).has_passed());
        assert!(!SendDeadline::after(Duration::MAX).has_passed());
    }
}
