use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use crate::retry::FAR_FUTURE;

/// The moment after which nothing is sent, by the monotonic clock and by the wall clock.
///
/// A process may be paused between any two of its instructions: by `SIGSTOP`, by its virtual machine, by a laptop's lid. The
/// monotonic clock may stand still meanwhile, and the wall clock may be set back. So the deadline has passed as soon as one of
/// them says so.
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
    /// The deadline this long after now.
    pub fn after(time: Duration) -> Self {
        let time = time.min(FAR_FUTURE);
        // Each clock is read for itself: a pause between the two makes the deadline earlier by one of them, never later.
        Self { monotonic: Instant::now() + time, wall: SystemTime::now() + time }
    }

    /// The deadline at a moment of the monotonic clock.
    pub(crate) fn at(monotonic: Instant) -> Self {
        // In this order, a pause between the two makes the deadline of the wall clock earlier, never later.
        let wall = SystemTime::now();
        Self { monotonic, wall: wall + monotonic.saturating_duration_since(Instant::now()) }
    }

    /// The deadline this much later than this one.
    #[must_use]
    pub fn plus(self, time: Duration) -> Self {
        let time = time.min(FAR_FUTURE);
        Self { monotonic: self.monotonic + time, wall: self.wall + time }
    }

    /// The earlier of two deadlines, by each clock.
    #[must_use]
    pub fn min(self, other: Self) -> Self {
        Self { monotonic: self.monotonic.min(other.monotonic), wall: self.wall.min(other.wall) }
    }

    /// Whether it has passed, by either clock.
    pub fn has_passed(&self) -> bool {
        Instant::now() >= self.monotonic || SystemTime::now() >= self.wall
    }

    /// The same by another wall clock, for tests that simulate one.
    #[doc(hidden)]
    #[must_use]
    pub fn with_wall(self, wall: SystemTime) -> Self {
        Self { wall, ..self }
    }

    /// The moment by the wall clock.
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
