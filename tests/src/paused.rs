//! What a paused worker and the worker that takes over its order agree on.

use std::time::Duration;

use lastmile::Policy;

/// How long the mark of an order is valid.
pub const MARK: Duration = Duration::from_millis(600);

/// Returns a policy with a short deadline and a short settle time, so that a pause longer than both is a short wait.
pub fn policy() -> Policy {
    let deadline = Duration::from_millis(900);
    Policy::default()
        .with_deadline(deadline)
        .with_attempt_timeout(deadline)
        .with_max_attempts(1)
        .with_settle_time(Duration::from_millis(200))
}
