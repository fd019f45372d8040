use std::fmt;
use std::time::{Duration, Instant};

use lastmile_core::call::Error;

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
    /// Looks until `is_done`.
    pub(crate) async fn until<T, Fut>(
        &self,
        look: impl Fn() -> Fut,
        is_done: impl Fn(&T) -> bool,
    ) -> Result<T, WaitError<T>>
    where
        Fut: Future<Output = Result<T, Error>>,
    {
        let started = Instant::now();
        let pause = self.every.max(Duration::from_millis(10));
        loop {
            let seen = look().await.map_err(WaitError::Call)?;
            if is_done(&seen) {
                return Ok(seen);
            }
            if started.elapsed().saturating_add(pause) >= self.at_most {
                return Err(WaitError::NotYet(Box::new(seen)));
            }
            tokio::time::sleep(pause).await;
        }
    }
}

/// Why waiting ended before its time. What was waited for goes on; wait again.
#[derive(Debug)]
#[non_exhaustive]
pub enum WaitError<T> {
    /// A look failed.
    Call(Error),
    /// The time is up; this is what was seen last.
    NotYet(Box<T>),
}

impl<T> fmt::Display for WaitError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Call(error) => error.fmt(f),
            Self::NotYet(_) => f.write_str("the time is up and it is not done yet: it goes on, wait again"),
        }
    }
}

impl<T: fmt::Debug> std::error::Error for WaitError<T> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Call(error) => error.source(),
            Self::NotYet(_) => None,
        }
    }
}
