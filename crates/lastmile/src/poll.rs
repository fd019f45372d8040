use std::fmt;
use std::time::Duration;

use lastmile_core::Error;
#[cfg(any(feature = "cocon", feature = "onapi"))]
use lastmile_core::clock::Clock;

/// Settings for polling: the interval between two requests, and the timeout.
///
/// ```
/// use std::time::Duration;
/// use lastmile::Poll;
///
/// let patient = Poll::default().timeout(Duration::from_secs(3600));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[must_use]
pub struct Poll {
    /// The pause between two requests. The default is 10 seconds; values below 10 milliseconds count as 10 milliseconds. No
    /// supplier states an interval.
    pub interval: Duration,
    /// The time after which polling stops. The default is 15 minutes; with [`Duration::MAX`], polling never stops.
    pub timeout: Duration,
}

impl Default for Poll {
    fn default() -> Self {
        Self::new()
    }
}

impl Poll {
    /// Creates settings with the default values.
    pub const fn new() -> Self {
        Self { interval: Duration::from_secs(10), timeout: Duration::from_secs(15 * 60) }
    }

    /// Sets the pause between two requests.
    pub const fn interval(mut self, interval: Duration) -> Self {
        self.interval = interval;
        self
    }

    /// Sets the time after which polling stops.
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Returns the pause between two requests, which is at least 10 milliseconds.
    pub(crate) fn pause(&self) -> Duration {
        self.interval.max(Duration::from_millis(10))
    }

    /// Calls `read` until `is_done` returns `true`. `waited_for` names the object in errors. `state` describes its last state,
    /// using only words of the API.
    #[cfg(any(feature = "cocon", feature = "onapi"))]
    pub(crate) async fn until<T, Fut>(
        &self,
        clock: &Clock,
        waited_for: String,
        state: impl Fn(&T) -> String,
        read: impl Fn() -> Fut,
        is_done: impl Fn(&T) -> bool,
    ) -> Result<T, WaitError<T>>
    where
        Fut: Future<Output = Result<T, Error>>,
    {
        let started = clock.instant();
        let pause = self.pause();
        loop {
            let last = match read().await {
                Ok(last) => last,
                Err(error) => return Err(WaitError::Call { waited_for, error }),
            };
            if is_done(&last) {
                return Ok(last);
            }
            if clock.since(started).saturating_add(pause) >= self.timeout {
                let (state, waited) = (state(&last), clock.since(started));
                return Err(WaitError::TimedOut { waited_for, state, waited, last: Box::new(last) });
            }
            clock.pause(pause).await;
        }
    }
}

/// An error that occurs while waiting for an object to reach its final state. The supplier continues to process the object;
/// call the wait method again.
///
/// `Display` shows the supplier's id of the object and its last state. A state that this version of the crate does not know is
/// not shown; the value that was read last contains it.
#[derive(Debug)]
#[non_exhaustive]
pub enum WaitError<T> {
    /// A request that reads the state failed.
    #[non_exhaustive]
    Call {
        /// The object and its id, such as `order o-17`.
        waited_for: String,
        /// The error of the request.
        error: Error,
    },
    /// The timeout has elapsed.
    #[non_exhaustive]
    TimedOut {
        /// The object and its id, such as `order o-17`.
        waited_for: String,
        /// The last state of the object, such as `IN_PROGRESS`.
        state: String,
        /// The time that has elapsed since the wait started.
        waited: Duration,
        /// The value that was read last.
        last: Box<T>,
    },
}

impl<T> fmt::Display for WaitError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Call { waited_for, error } => write!(f, "waiting for {waited_for} failed: {error}"),
            Self::TimedOut { waited_for, state, waited, .. } => write!(
                f,
                "{waited_for} is not done after {} s; its last state is {state}. It goes on: wait again",
                waited.as_secs()
            ),
        }
    }
}

impl<T: fmt::Debug> std::error::Error for WaitError<T> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Call { error, .. } => error.source(),
            Self::TimedOut { .. } => None,
        }
    }
}

/// Returns the error of the failed request. A timeout becomes the error of a read without a response: nothing was changed, and
/// it is safe to wait again.
impl<T> From<WaitError<T>> for Error {
    fn from(error: WaitError<T>) -> Self {
        match error {
            WaitError::Call { error, .. } => error,
            timed_out => Self::indeterminate("lastmile", timed_out.to_string()).of_read().with_own_advice(),
        }
    }
}
