use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::FAR_FUTURE;
use crate::clock::Clock;
use crate::operation::{Operation, Repeat};

/// How many requests all calls of a client may send in a period of time, retries included. After an idle period, up to `requests`
/// requests are sent at once; further requests are spread evenly. A period that begins after an idle one may therefore contain
/// twice as many. A call waits for its reservation until its deadline.
///
/// There is no limit by default, since no supplier states one for all calls: set what your contract specifies.
///
/// ```
/// use std::time::Duration;
/// use lastmile_core::retry::RateLimit;
///
/// let limit = RateLimit::new(100, Duration::from_secs(60));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RateLimit {
    /// The number of requests; zero counts as one.
    pub requests: u32,
    /// The period of time.
    pub per: Duration,
}

impl RateLimit {
    /// Returns a limit of `requests` requests per period of time.
    pub const fn new(requests: u32, per: Duration) -> Self {
        Self { requests, per }
    }
}

/// Decides when the next request may be sent: by the client's rate limit, by the operation's own
/// [`interval`](Operation::interval), and by the number of requests in flight.
#[derive(Debug)]
pub(crate) struct Limits {
    rate: Option<RateLimit>,
    state: Mutex<State>,
    /// One permit for each request that may be in flight.
    permits: Semaphore,
    permits_for_once: Semaphore,
    clock: Clock,
}

#[derive(Debug, Default)]
struct State {
    /// The theoretical arrival time of GCRA: when the admitted requests would all have been sent if they were spread evenly.
    arrival: Option<Instant>,
    /// The end of each cooldown of an operation with an interval, by operation and path.
    cooldowns: HashMap<IntervalKey, Instant>,
}

type IntervalKey = (&'static str, String);

impl Limits {
    pub(crate) fn new(rate: Option<RateLimit>, max_in_flight: usize, clock: Clock) -> Self {
        let permits = || Semaphore::new(max_in_flight.clamp(1, Semaphore::MAX_PERMITS));
        Self { rate, state: Mutex::default(), permits: permits(), permits_for_once: permits(), clock }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the permits for requests of this operation. Requests that are sent once have separate permits, so that slow reads
    /// do not delay them.
    pub(crate) fn permits(&self, operation: &Operation) -> &Semaphore {
        if operation.repeat == Repeat::Once { &self.permits_for_once } else { &self.permits }
    }

    /// Reserves the next time slot for a request to this path, if it begins within `max_wait`.
    pub(crate) fn reserve(
        &self,
        operation: &Operation,
        path: &str,
        max_wait: Duration,
    ) -> Result<Reservation<'_>, TooEarly> {
        if self.rate.is_none() && operation.interval.is_none() {
            return Ok(Reservation {
                limits: self,
                wait: Duration::ZERO,
                cooldown: None,
                emission_interval: None,
                used: false,
            });
        }
        let now = self.clock.instant();
        let mut state = self.state();
        let key = operation.interval.map(|interval| ((operation.id, path.to_owned()), interval));
        let cooled_down = key.as_ref().and_then(|(key, _)| {
            state.cooldowns.retain(|_, until| *until > now);
            state.cooldowns.get(key).copied()
        });
        let cooled_down = cooled_down.unwrap_or(now);
        let emission_interval = self.rate.map(|rate| (rate.per / rate.requests.max(1)).min(FAR_FUTURE));
        let (free, arrival) = match (self.rate, emission_interval) {
            (Some(rate), Some(emission_interval)) => {
                let arrival = state.arrival.unwrap_or(now).max(now) + emission_interval;
                (arrival.checked_sub(rate.per).unwrap_or(now), Some(arrival))
            }
            _ => (now, None),
        };
        let start = cooled_down.max(free).max(now);
        let wait = start - now;
        if wait > max_wait {
            let interval = operation.interval.filter(|_| cooled_down >= free);
            return Err(TooEarly { wait, interval });
        }
        state.arrival = arrival;
        let cooldown = key.map(|(key, interval)| {
            let interval = interval.min(FAR_FUTURE);
            let until = start + interval;
            let before = state.cooldowns.insert(key.clone(), until);
            Box::new(Cooldown { key, interval, until, before })
        });
        Ok(Reservation { limits: self, wait, cooldown, emission_interval, used: false })
    }
}

/// The reservation would begin too late.
#[derive(Debug)]
pub(crate) struct TooEarly {
    /// How long the request would have to wait.
    pub(crate) wait: Duration,
    /// The operation's interval, if the request would wait for it rather than for the client's rate limit.
    pub(crate) interval: Option<Duration>,
}

/// The reservation of one request. A reservation that was not used, or whose request was refused, does not start the operation's
/// interval.
pub(crate) struct Reservation<'a> {
    limits: &'a Limits,
    /// How long to wait before the request is sent.
    pub(crate) wait: Duration,
    cooldown: Option<Box<Cooldown>>,
    /// The share of the client's rate limit that the reservation takes, until the request is sent.
    emission_interval: Option<Duration>,
    /// Whether the request took effect or may have.
    pub(crate) used: bool,
}

impl Reservation<'_> {
    /// Records that the request is sent now. From here on it may take effect, even if the call is dropped.
    pub(crate) fn send(&mut self) {
        (self.emission_interval, self.used) = (None, true);
        if let Some(cooldown) = &mut self.cooldown {
            // The request is sent later than planned if the call had to wait for something else.
            let until = self.limits.clock.instant() + cooldown.interval;
            if let Some(planned) = self.limits.state().cooldowns.get_mut(&cooldown.key)
                && *planned < until
            {
                *planned = until;
                cooldown.until = until;
            }
        }
    }
}

/// The end of a key's cooldown with this request, and without it.
struct Cooldown {
    key: IntervalKey,
    interval: Duration,
    until: Instant,
    before: Option<Instant>,
}

impl Drop for Reservation<'_> {
    fn drop(&mut self) {
        if let Some(emission_interval) = self.emission_interval {
            let mut state = self.limits.state();
            state.arrival = state.arrival.and_then(|arrival| arrival.checked_sub(emission_interval));
        }
        let Some(cooldown) = self.cooldown.take().filter(|_| !self.used) else { return };
        let Cooldown { key, until, before, .. } = *cooldown;
        let mut state = self.limits.state();
        // A later reservation may already depend on this one and keeps its time.
        if state.cooldowns.get(&key) == Some(&until) {
            match before {
                Some(before) => state.cooldowns.insert(key, before),
                None => state.cooldowns.remove(&key),
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const LONG: Duration = Duration::from_secs(3600);

    fn limits_of(rate: Option<RateLimit>) -> Limits {
        Limits::new(rate, 1, Clock::default())
    }

    fn operation(interval: Option<Duration>) -> Operation {
        Operation { interval, ..Operation::READ }
    }

    /// Returns how long a call waits that takes a reservation and uses it.
    fn wait(limits: &Limits, operation: &Operation, path: &str) -> Duration {
        let mut reservation = limits.reserve(operation, path, LONG).ok().unwrap();
        (reservation.emission_interval, reservation.used) = (None, true);
        reservation.wait
    }

    #[test]
    fn without_a_limit_nobody_waits() {
        let limits = limits_of(None);
        assert!((0..1000).all(|_| wait(&limits, &operation(None), "/").is_zero()));
        assert!(limits.state().cooldowns.is_empty());
    }

    #[test]
    fn a_rate_lets_some_through_at_once_and_spreads_the_others() {
        let limits = limits_of(Some(RateLimit { requests: 4, per: 4 * SECOND }));
        assert!((0..4).all(|_| wait(&limits, &operation(None), "/").is_zero()));
        for number in 1..=5 {
            let waited = wait(&limits, &operation(None), "/");
            assert!(
                waited <= number * SECOND && waited + SECOND / 2 > number * SECOND,
                "{number}: {waited:?}"
            );
        }
        let refused = limits.reserve(&operation(Some(SECOND)), "/", SECOND).err().unwrap();
        assert!(refused.wait > 5 * SECOND && refused.wait <= 6 * SECOND, "{refused:?}");
        assert_eq!(refused.interval, None, "it is the rate that it would wait for");
        let again = limits.reserve(&operation(None), "/", SECOND).err().unwrap();
        assert!(again.wait <= refused.wait, "what did not wait takes no reservation");
        assert!(
            limits_of(Some(RateLimit { requests: 0, per: Duration::MAX }))
                .reserve(&operation(None), "/", LONG)
                .is_ok()
        );
    }

    #[test]
    fn an_interval_lies_between_two_calls_of_the_same_path() {
        let limits = limits_of(None);
        let slow = operation(Some(30 * SECOND));
        assert!(wait(&limits, &slow, "/1").is_zero() && wait(&limits, &slow, "/2").is_zero());
        let refused = limits.reserve(&slow, "/1", 20 * SECOND).err().unwrap();
        assert!(refused.wait > 29 * SECOND && refused.wait <= 30 * SECOND, "{refused:?}");
        assert_eq!(refused.interval, Some(30 * SECOND));
        let second = wait(&limits, &slow, "/1");
        assert!(second > 29 * SECOND && second <= 30 * SECOND);
        assert!(wait(&limits, &slow, "/1") > 59 * SECOND, "it waits behind the second");
    }

    #[test]
    fn a_turn_that_was_not_used_is_the_next_one_s() {
        let limits = limits_of(None);
        let slow = operation(Some(30 * SECOND));
        drop(limits.reserve(&slow, "/", LONG));
        assert!(wait(&limits, &slow, "/").is_zero());
        drop(limits.reserve(&slow, "/", LONG));
        let waiting = limits.reserve(&slow, "/", LONG).ok().unwrap();
        assert!(waiting.wait > SECOND);
    }

    #[test]
    fn whoever_does_not_wait_leaves_his_turn_of_the_rate() {
        let limits = limits_of(Some(RateLimit { requests: 1, per: SECOND }));
        assert!(wait(&limits, &operation(None), "/").is_zero());
        for _ in 0..100 {
            drop(limits.reserve(&operation(None), "/", LONG));
        }
        assert!(wait(&limits, &operation(None), "/") <= SECOND);
    }

    #[test]
    fn an_interval_counts_from_when_it_is_sent() {
        let limits = limits_of(None);
        let slow = operation(Some(30 * SECOND));
        let mut reservation = limits.reserve(&slow, "/", LONG).ok().unwrap();
        let planned = limits.state().cooldowns.values().next().copied().unwrap();
        reservation.send();
        assert!(limits.state().cooldowns.values().next().copied().unwrap() > planned);
        drop(reservation);
        assert_eq!(limits.state().cooldowns.len(), 1, "it was sent");
    }

    #[test]
    fn rests_that_are_over_are_forgotten() {
        let limits = limits_of(None);
        let quick = operation(Some(Duration::ZERO));
        for path in 0..100 {
            wait(&limits, &quick, &path.to_string());
        }
        assert!(limits.state().cooldowns.len() <= 1);
    }
}
