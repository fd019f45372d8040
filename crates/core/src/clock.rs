//! The time of a client: the only module that reads the clocks of the machine.

use std::fmt;
#[cfg(feature = "testing")]
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};
use std::time::{Duration, SystemTime};

use tokio::time::{Instant, Sleep};

/// The wall clock, the monotonic clock and the pauses of a client.
///
/// The default is the clocks of the machine. Without the feature `testing` there is no other, and no builder accepts one. With the
/// feature, a test creates a clock that it can advance, and gives it to the builder of a client.
///
/// A client with such a clock never pauses. Where it would wait for a backoff, for a rate limit, for an older change or for the next
/// poll, it advances the clock by that time and continues at once. Waiting for the network takes real time, and its timeouts are
/// measured in real time.
///
/// A [`SendDeadline`](crate::client::SendDeadline) is measured by the clock that it was created with.
#[derive(Clone, Default)]
pub struct Clock {
    #[cfg(feature = "testing")]
    simulated: Option<Arc<Simulated>>,
}

#[cfg(feature = "testing")]
struct Simulated {
    time: Box<dyn Fn() -> SystemTime + Send + Sync>,
    /// The nanoseconds by which the clock is ahead of `time`.
    ahead: AtomicU64,
    /// The two clocks when this one was created.
    begun: (Instant, SystemTime),
}

#[cfg(feature = "testing")]
impl Simulated {
    fn wall(&self) -> SystemTime {
        let ahead = Duration::from_nanos(self.ahead.load(Ordering::Acquire));
        let time = (self.time)();
        time.checked_add(ahead).unwrap_or(time)
    }

    fn instant(&self) -> Instant {
        let (instant, wall) = self.begun;
        let passed = self.wall().duration_since(wall).unwrap_or_default();
        instant.checked_add(passed).unwrap_or(instant)
    }
}

impl Clock {
    /// Creates a clock that shows the machine's time until it is [advanced](Self::advance).
    #[cfg(feature = "testing")]
    pub fn simulated() -> Self {
        Self::following(SystemTime::now)
    }

    /// Creates a clock that shows the time which a function returns, such as the time of a simulated supplier. The function must not
    /// return an earlier time than before.
    ///
    /// ```
    /// use std::time::{Duration, SystemTime};
    /// use lastmile_core::clock::Clock;
    ///
    /// let clock = Clock::following(|| SystemTime::UNIX_EPOCH);
    /// clock.advance(Duration::from_secs(60));
    /// assert_eq!(clock.now(), SystemTime::UNIX_EPOCH + Duration::from_secs(60));
    /// ```
    #[cfg(feature = "testing")]
    pub fn following(time: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        let begun = (Instant::now(), time());
        Self {
            simulated: Some(Arc::new(Simulated { time: Box::new(time), ahead: AtomicU64::new(0), begun })),
        }
    }

    /// Advances this clock and its clones. The clock of the machine stays as it is.
    #[cfg(feature = "testing")]
    pub fn advance(&self, time: Duration) {
        if let Some(simulated) = &self.simulated {
            let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
            let add = |ahead: u64| Some(ahead.saturating_add(nanos));
            // The function always returns a value.
            let _ = simulated.ahead.fetch_update(Ordering::AcqRel, Ordering::Acquire, add);
        }
    }

    /// Returns the time of the wall clock.
    pub fn now(&self) -> SystemTime {
        #[cfg(feature = "testing")]
        if let Some(simulated) = &self.simulated {
            return simulated.wall();
        }
        SystemTime::now()
    }

    /// Returns the time of the monotonic clock.
    pub fn instant(&self) -> Instant {
        #[cfg(feature = "testing")]
        if let Some(simulated) = &self.simulated {
            return simulated.instant();
        }
        Instant::now()
    }

    /// Returns how much time has passed since an instant of the monotonic clock.
    pub fn since(&self, instant: Instant) -> Duration {
        self.instant().saturating_duration_since(instant)
    }

    /// Returns a future that completes after `time`. A simulated clock is advanced by `time` when this method is called, and the
    /// future completes at once.
    pub fn pause(&self, time: Duration) -> Sleep {
        #[cfg(feature = "testing")]
        if self.simulated.is_some() {
            self.advance(time);
            return tokio::time::sleep(Duration::ZERO);
        }
        tokio::time::sleep(time)
    }

    /// Returns when a timer of the runtime has to fire that is set for an instant of this clock.
    pub(crate) fn timer_at(&self, instant: Instant) -> Instant {
        #[cfg(feature = "testing")]
        if self.simulated.is_some() {
            return Instant::now() + instant.saturating_duration_since(self.instant());
        }
        instant
    }
}

/// Returns the real time, for measuring the speed of a connection.
pub(crate) fn real_instant() -> Instant {
    Instant::now()
}

/// Returns a future that completes after a real time, for the timeouts of a connection.
pub(crate) fn real_timer(time: Duration) -> Sleep {
    tokio::time::sleep(time)
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        #[cfg(feature = "testing")]
        if self.simulated.is_some() {
            return f.write_str("Clock(simulated)");
        }
        f.write_str("Clock")
    }
}

#[cfg(all(test, feature = "testing"))]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn a_pause_advances_both_clocks_and_takes_no_time() {
        let real = Instant::now();
        let clock = Clock::following(|| SystemTime::UNIX_EPOCH);
        let (wall, instant) = (clock.now(), clock.instant());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async { clock.clone().pause(100 * MINUTE).await });
        assert_eq!(clock.now(), wall + 100 * MINUTE);
        assert_eq!(clock.since(instant), 100 * MINUTE);
        assert!(real.elapsed() < MINUTE);
    }

    #[test]
    fn a_clock_that_is_advanced_too_far_does_not_panic() {
        let clock = Clock::simulated();
        clock.advance(Duration::MAX);
        clock.advance(Duration::MAX);
        let _ = (clock.now(), clock.instant());
    }

    #[test]
    fn a_timer_fires_after_the_time_that_is_left() {
        let clock = Clock::simulated();
        clock.advance(100 * MINUTE);
        let left = clock.timer_at(clock.instant() + MINUTE).saturating_duration_since(Instant::now());
        assert!(left <= MINUTE && left > MINUTE / 2, "{left:?}");
    }
}
