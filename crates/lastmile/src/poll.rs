use std::fmt;
use std::time::{Duration, Instant};

use lastmile_core::Error;

/// How often to look at something that takes its time, and for how long.
///
/// ```
/// use std::time::Duration;
/// use lastmile::Poll;
///
/// let patient = Poll { at_most: Duration::from_secs(3600), ..Poll::default() };
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Poll {
    /// The pause between two looks, at least 10 milliseconds. 10 seconds by default; no supplier states an interval.
    pub every: Duration,
    /// When to stop looking. 15 minutes by default.
    pub at_most: Duration,
}

impl Default for Poll {
    fn default() -> Self {
        Self { every: Duration::from_secs(10), at_most: Duration::from_secs(15 * 60) }
    }
}

impl Poll {
    /// Looks until `is_done`. `waited_for` names what is waited for, and `state` says how far it has come, in words of the API
    /// only.
    pub(crate) async fn until<T, Fut>(
        &self,
        waited_for: String,
        state: impl Fn(&T) -> String,
        look: impl Fn() -> Fut,
        is_done: impl Fn(&T) -> bool,
    ) -> Result<T, WaitError<T>>
    where
        Fut: Future<Output = Result<T, Error>>,
    {
        let started = Instant::now();
        let pause = self.every.max(Duration::from_millis(10));
        loop {
            let seen = match look().await {
                Ok(seen) => seen,
                Err(error) => return Err(WaitError::Call { waited_for, error }),
            };
            if is_done(&seen) {
                return Ok(seen);
            }
            if started.elapsed().saturating_add(pause) >= self.at_most {
                let (state, waited) = (state(&seen), started.elapsed());
                return Err(WaitError::NotYet { waited_for, state, waited, seen: Box::new(seen) });
            }
            tokio::time::sleep(pause).await;
        }
    }
}

/// Why waiting ended before its time. What was waited for goes on; wait again.
///
/// `Display` names what was waited for, by the supplier's id, and its last state. A state that this version does not know is
/// not repeated; it is in what was seen.
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
    /// The time is up.
    #[non_exhaustive]
    NotYet {
        /// What was waited for, such as `order o-17`.
        waited_for: String,
        /// Its last state, such as `IN_PROGRESS`.
        state: String,
        /// How long it was waited for.
        waited: Duration,
        /// What was read last.
        seen: Box<T>,
    },
}

impl<T> fmt::Display for WaitError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Call { waited_for, error } => write!(f, "waiting for {waited_for} failed: {error}"),
            Self::NotYet { waited_for, state, waited, .. } => write!(
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
            Self::NotYet { .. } => None,
        }
    }
}
