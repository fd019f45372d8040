use std::fmt;
use std::time::Duration;

use lastmile_core::Error;
#[cfg(any(feature = "cocon", feature = "onapi"))]
use tokio::time::{Instant, sleep};

/// How often to poll something that takes its time, and for how long.
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
    /// The pause between two requests, at least 10 milliseconds. 10 seconds by default; no supplier states an interval.
    pub interval: Duration,
    /// When to stop polling. 15 minutes by default; [`Duration::MAX`] never stops.
    pub timeout: Duration,
}

impl Default for Poll {
    fn default() -> Self {
        Self::new()
    }
}

impl Poll {
    /// Creates the default settings.
    pub const fn new() -> Self {
        Self { interval: Duration::from_secs(10), timeout: Duration::from_secs(15 * 60) }
    }

    /// Sets the pause between two requests.
    pub const fn interval(mut self, interval: Duration) -> Self {
        self.interval = interval;
        self
    }

    /// Sets when to stop polling.
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Returns the pause between two requests.
    pub(crate) fn pause(&self) -> Duration {
        self.interval.max(Duration::from_millis(10))
    }

    /// Reads until `is_done`. `waited_for` names what is waited for, and `state` says how far it has come, in words of the API
    /// only.
    #[cfg(any(feature = "cocon", feature = "onapi"))]
    pub(crate) async fn until<T, Fut>(
        &self,
        waited_for: String,
        state: impl Fn(&T) -> String,
        read: impl Fn() -> Fut,
        is_done: impl Fn(&T) -> bool,
    ) -> Result<T, WaitError<T>>
    where
        Fut: Future<Output = Result<T, Error>>,
    {
        let started = Instant::now();
        let pause = self.pause();
        loop {
            let last = match read().await {
                Ok(last) => last,
                Err(error) => return Err(WaitError::Call { waited_for, error }),
            };
            if is_done(&last) {
                return Ok(last);
            }
            if started.elapsed().saturating_add(pause) >= self.timeout {
                let (state, waited) = (state(&last), started.elapsed());
                return Err(WaitError::TimedOut { waited_for, state, waited, last: Box::new(last) });
            }
            sleep(pause).await;
        }
    }
}

/// Why waiting ended early. What was waited for goes on; wait again.
///
/// `Display` names what was waited for, by the supplier's id, and its last state. A state that this version does not know is
/// not repeated; it is in what was read last.
#[derive(Debug)]
#[non_exhaustive]
pub enum WaitError<T> {
    /// Reading how far it has come failed.
    #[non_exhaustive]
    Call {
        /// What was waited for, such as `order o-17`.
        waited_for: String,
        /// The outcome of the call.
        error: Error,
    },
    /// The timeout has passed.
    #[non_exhaustive]
    TimedOut {
        /// What was waited for, such as `order o-17`.
        waited_for: String,
        /// Its last state, such as `IN_PROGRESS`.
        state: String,
        /// How long it was waited for.
        waited: Duration,
        /// What was read last.
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

/// Keeps the outcome of the call that failed. A timeout becomes the outcome of a read without an answer: it has changed nothing,
/// and it is safe to wait again.
impl<T> From<WaitError<T>> for Error {
    fn from(error: WaitError<T>) -> Self {
        match error {
            WaitError::Call { error, .. } => error,
            timed_out => Self::indeterminate("lastmile", timed_out.to_string()).of_read().with_own_advice(),
        }
    }
}
