//! The clocks that measure how long a mark is valid.

use std::time::{Duration, SystemTime};

use lastmile_core::client::SendDeadline;

/// Returns the wall clock's time since 1970, or `None` if the clock shows an earlier time.
pub(super) fn now() -> Option<Duration> {
    wall().duration_since(SystemTime::UNIX_EPOCH).ok()
}

pub(super) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(not(test))]
pub(super) use real::{has_passed, send_deadline_after, wall};
#[cfg(test)]
pub(super) use simulated::{has_passed, send_deadline_after, wall};

#[cfg_attr(test, allow(dead_code))]
mod real {
    use super::{Duration, SendDeadline, SystemTime};

    pub(in super::super) fn wall() -> SystemTime {
        SystemTime::now()
    }

    pub(in super::super) fn send_deadline_after(time: Duration) -> SendDeadline {
        SendDeadline::after(time)
    }

    pub(in super::super) fn has_passed(deadline: &SendDeadline) -> bool {
        deadline.has_passed()
    }
}

/// A clock that only advances when a test sets it.
#[cfg(test)]
pub(super) mod simulated {
    use std::cell::Cell;

    use super::{Duration, SendDeadline, SystemTime};

    thread_local! {
        static NOW: Cell<Duration> = const { Cell::new(Duration::ZERO) };
    }

    pub(in super::super) fn set(time: Duration) {
        NOW.set(time);
    }

    pub(in super::super) fn elapsed() -> Duration {
        NOW.get()
    }

    pub(in super::super) fn wall() -> SystemTime {
        // An arbitrary day in 2026.
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_793_000_000) + NOW.get()
    }

    pub(in super::super) fn send_deadline_after(time: Duration) -> SendDeadline {
        // Only the wall clock is simulated; the deadline on the monotonic clock is never reached.
        SendDeadline::after(Duration::MAX).with_wall(wall() + time)
    }

    pub(in super::super) fn has_passed(deadline: &SendDeadline) -> bool {
        wall() >= deadline.wall()
    }
}
