use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;

use super::FAR;
use crate::operation::{Operation, Repeat};

/// How many requests all calls of a handle may send in a stretch of time, further attempts included. After a rest up to that
/// many go out at once, then they are spread evenly, so that a stretch that begins with a rest may see twice as many. A call
/// waits for its turn as long as its deadline lets it.
///
/// There is none by default, since no supplier states one for all calls: set what your contract says.
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
    /// How many requests; one, if none are given.
    pub requests: u32,
    /// The stretch of time.
    pub per: Duration,
}

impl RateLimit {
    /// Returns a limit of so many requests in a period of time.
    pub const fn new(requests: u32, per: Duration) -> Self {
        Self { requests, per }
    }
}

/// When the next request may be sent: by the rate of the handle, by the operation's own [`interval`](Operation::interval), and by
/// how many are under way.
#[derive(Debug)]
pub(crate) struct Limits {
    rate: Option<RateLimit>,
    state: Mutex<State>,
    /// One for each request that may be under way.
    places: Semaphore,
    places_for_once: Semaphore,
}

#[derive(Debug, Default)]
struct State {
    /// When the requests that were let through so far would all be through if they were spread evenly.
    spread: Option<Instant>,
    /// Until when the operations with an interval rest, by operation and path.
    rests: HashMap<Place, Instant>,
}

type Place = (&'static str, String);

impl Limits {
    pub(crate) fn new(rate: Option<RateLimit>, at_once: usize) -> Self {
        let places = || Semaphore::new(at_once.clamp(1, Semaphore::MAX_PERMITS));
        Self { rate, state: Mutex::default(), places: places(), places_for_once: places() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The places that requests of this operation share. Those that are sent once have their own: reads that hang must not
    /// keep them waiting.
    pub(crate) fn places(&self, operation: &Operation) -> &Semaphore {
        if operation.repeat == Repeat::Once { &self.places_for_once } else { &self.places }
    }

    /// Takes the next turn of a request to this path, if it comes within `patience`.
    pub(crate) fn turn(
        &self,
        operation: &Operation,
        path: &str,
        patience: Duration,
    ) -> Result<Turn<'_>, TooEarly> {
        if self.rate.is_none() && operation.interval.is_none() {
            return Ok(Turn { limits: self, wait: Duration::ZERO, rest: None, step: None, used: false });
        }
        let now = Instant::now();
        let mut state = self.state();
        let place = operation.interval.map(|interval| ((operation.id, path.to_owned()), interval));
        let rested = match &place {
            Some((place, _)) => {
                state.rests.retain(|_, until| *until > now);
                state.rests.get(place).copied().unwrap_or(now)
            }
            None => now,
        };
        let step = self.rate.map(|rate| (rate.per / rate.requests.max(1)).min(FAR));
        let (free, spread) = match (self.rate, step) {
            (Some(rate), Some(step)) => {
                let spread = state.spread.unwrap_or(now).max(now) + step;
                (spread.checked_sub(rate.per).unwrap_or(now), Some(spread))
            }
            _ => (now, None),
        };
        let start = rested.max(free).max(now);
        let wait = start - now;
        if wait > patience {
            let interval = operation.interval.filter(|_| rested >= free);
            return Err(TooEarly { wait, interval });
        }
        state.spread = spread;
        let rest = place.map(|(place, interval)| {
            let interval = interval.min(FAR);
            let until = start + interval;
            let before = state.rests.insert(place.clone(), until);
            Box::new(Rest { place, interval, until, before })
        });
        Ok(Turn { limits: self, wait, rest, step, used: false })
    }
}

/// A turn that does not come in time.
#[derive(Debug)]
pub(crate) struct TooEarly {
    /// How long it would be to it.
    pub(crate) wait: Duration,
    /// The operation's interval, if that is what there is to wait for, and not the rate of the handle.
    pub(crate) interval: Option<Duration>,
}

/// The turn of one request. One that was not used, or was refused, leaves its operation's interval to the next.
pub(crate) struct Turn<'a> {
    limits: &'a Limits,
    /// How long to wait before the request is sent.
    pub(crate) wait: Duration,
    rest: Option<Box<Rest>>,
    /// What it takes of the handle's rate, until it is sent.
    step: Option<Duration>,
    /// Whether something came of the request, or may have.
    pub(crate) used: bool,
}

impl Turn<'_> {
    /// The request is sent now. From here on something may come of it, even if the call is dropped.
    pub(crate) fn send(&mut self) {
        (self.step, self.used) = (None, true);
        if let Some(rest) = &mut self.rest {
            // Later than planned, if the call had to wait for something else.
            let until = Instant::now() + rest.interval;
            if let Some(planned) = self.limits.state().rests.get_mut(&rest.place)
                && *planned < until
            {
                *planned = until;
                rest.until = until;
            }
        }
    }
}

/// How long a place rests after a request, and how long it would without.
struct Rest {
    place: Place,
    interval: Duration,
    until: Instant,
    before: Option<Instant>,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if let Some(step) = self.step {
            let mut state = self.limits.state();
            state.spread = state.spread.and_then(|spread| spread.checked_sub(step));
        }
        let Some(rest) = self.rest.take().filter(|_| !self.used) else { return };
        let Rest { place, until, before, .. } = *rest;
        let mut state = self.limits.state();
        // A later one may be waiting behind this one already, and stays where it is.
        if state.rests.get(&place) == Some(&until) {
            match before {
                Some(before) => state.rests.insert(place, before),
                None => state.rests.remove(&place),
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const LONG: Duration = Duration::from_secs(3600);

    fn operation(interval: Option<Duration>) -> Operation {
        Operation { interval, ..Operation::READ }
    }

    /// How long a call waits that takes its turn and uses it.
    fn wait(limits: &Limits, operation: &Operation, path: &str) -> Duration {
        let mut turn = limits.turn(operation, path, LONG).ok().unwrap();
        (turn.step, turn.used) = (None, true);
        turn.wait
    }

    #[test]
    fn without_a_limit_nobody_waits() {
        let limits = Limits::new(None, 1);
        assert!((0..1000).all(|_| wait(&limits, &operation(None), "/").is_zero()));
        assert!(limits.state().rests.is_empty());
    }

    #[test]
    fn a_rate_lets_some_through_at_once_and_spreads_the_others() {
        let limits = Limits::new(Some(RateLimit { requests: 4, per: 4 * SECOND }), 1);
        assert!((0..4).all(|_| wait(&limits, &operation(None), "/").is_zero()));
        for number in 1..=5 {
            let waited = wait(&limits, &operation(None), "/");
            assert!(
                waited <= number * SECOND && waited + SECOND / 2 > number * SECOND,
                "{number}: {waited:?}"
            );
        }
        let refused = limits.turn(&operation(Some(SECOND)), "/", SECOND).err().unwrap();
        assert!(refused.wait > 5 * SECOND && refused.wait <= 6 * SECOND, "{refused:?}");
        assert_eq!(refused.interval, None, "it is the rate that it would wait for");
        let again = limits.turn(&operation(None), "/", SECOND).err().unwrap();
        assert!(again.wait <= refused.wait, "what did not wait takes no turn");
        assert!(
            Limits::new(Some(RateLimit { requests: 0, per: Duration::MAX }), 1)
                .turn(&operation(None), "/", LONG)
                .is_ok()
        );
    }

    #[test]
    fn an_interval_lies_between_two_calls_of_the_same_path() {
        let limits = Limits::new(None, 1);
        let slow = operation(Some(30 * SECOND));
        assert!(wait(&limits, &slow, "/1").is_zero() && wait(&limits, &slow, "/2").is_zero());
        let refused = limits.turn(&slow, "/1", 20 * SECOND).err().unwrap();
        assert!(refused.wait > 29 * SECOND && refused.wait <= 30 * SECOND, "{refused:?}");
        assert_eq!(refused.interval, Some(30 * SECOND));
        let second = wait(&limits, &slow, "/1");
        assert!(second > 29 * SECOND && second <= 30 * SECOND);
        assert!(wait(&limits, &slow, "/1") > 59 * SECOND, "it waits behind the second");
    }

    #[test]
    fn a_turn_that_was_not_used_is_the_next_one_s() {
        let limits = Limits::new(None, 1);
        let slow = operation(Some(30 * SECOND));
        drop(limits.turn(&slow, "/", LONG));
        assert!(wait(&limits, &slow, "/").is_zero());
        drop(limits.turn(&slow, "/", LONG));
        let waiting = limits.turn(&slow, "/", LONG).ok().unwrap();
        assert!(waiting.wait > SECOND);
    }

    #[test]
    fn whoever_does_not_wait_leaves_his_turn_of_the_rate() {
        let limits = Limits::new(Some(RateLimit { requests: 1, per: SECOND }), 1);
        assert!(wait(&limits, &operation(None), "/").is_zero());
        for _ in 0..100 {
            drop(limits.turn(&operation(None), "/", LONG));
        }
        assert!(wait(&limits, &operation(None), "/") <= SECOND);
    }

    #[test]
    fn an_interval_counts_from_when_it_is_sent() {
        let limits = Limits::new(None, 1);
        let slow = operation(Some(30 * SECOND));
        let mut turn = limits.turn(&slow, "/", LONG).ok().unwrap();
        let planned = limits.state().rests.values().next().copied().unwrap();
        turn.send();
        assert!(limits.state().rests.values().next().copied().unwrap() > planned);
        drop(turn);
        assert_eq!(limits.state().rests.len(), 1, "it was sent");
    }

    #[test]
    fn rests_that_are_over_are_forgotten() {
        let limits = Limits::new(None, 1);
        let quick = operation(Some(Duration::ZERO));
        for path in 0..100 {
            wait(&limits, &quick, &path.to_string());
        }
        assert!(limits.state().rests.len() <= 1);
    }
}
