//! Notices when the clock of the machine is set.

use std::time::{Duration, Instant, SystemTime};

/// Compares the wall clock with the monotonic clock of the process.
///
/// All times in the database are times of the wall clock. When it is set, leases and settle times end too early or too late. Each
/// process notices that by itself; one that is started afterwards does not.
pub(super) struct StepDetector {
    wall: SystemTime,
    monotonic: Instant,
    stepped_at: Option<Instant>,
}

/// A difference that is no step. The margin of a lease is larger.
const TOLERANCE: Duration = Duration::from_secs(1);

impl StepDetector {
    pub(super) fn new(wall: SystemTime, monotonic: Instant) -> Self {
        Self { wall, monotonic, stepped_at: None }
    }

    /// Compares the progress of both clocks since the last call. Small differences do not add up, because a clock that is corrected
    /// slowly is no danger.
    pub(super) fn observe(&mut self, wall: SystemTime, monotonic: Instant) {
        let expected = self.wall + monotonic.saturating_duration_since(self.monotonic);
        let apart = wall.duration_since(expected).unwrap_or_else(|error| error.duration());
        if apart > TOLERANCE {
            tracing::warn!(
                seconds = apart.as_secs(),
                "the clock of this machine was set: orders in flight are left alone for a while"
            );
            self.stepped_at = Some(monotonic);
        }
        (self.wall, self.monotonic) = (wall, monotonic);
    }

    /// Returns what is left of this time since the clock was set, or `None` if it is over.
    pub(super) fn quiet_left(&self, monotonic: Instant, quiet: Duration) -> Option<Duration> {
        quiet
            .checked_sub(monotonic.saturating_duration_since(self.stepped_at?))
            .filter(|left| !left.is_zero())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn a_step_in_either_direction_is_noticed_and_a_slow_correction_is_not() {
        let (wall, monotonic) = (SystemTime::now(), Instant::now());
        for (shown, is_step) in
            [(MINUTE * 61, true), (Duration::ZERO, true), (MINUTE + Duration::from_millis(500), false)]
        {
            let mut steps = StepDetector::new(wall, monotonic);
            steps.observe(wall + shown, monotonic + MINUTE);
            let left = steps.quiet_left(monotonic + MINUTE, MINUTE);
            assert_eq!(left, is_step.then_some(MINUTE), "{shown:?}");
            assert_eq!(steps.quiet_left(monotonic + MINUTE * 2, MINUTE), None);
        }
    }
}
