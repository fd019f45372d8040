use std::fmt;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::StreamExt;
use progenitor_client::ByteStream;

use super::attempt::Failure;
use super::error::{Error, Outcome};
use super::execute::Context;

/// The body of an answer, read as it comes. It is given up when it stands still, or comes slower than the policy allows.
pub struct Body {
    stream: ByteStream,
    context: Context,
    pace: Pace,
}

/// What came, and how long was waited for it, since it was looked at last.
#[derive(Default)]
struct Pace {
    waited: Duration,
    bytes: u64,
}

impl Pace {
    /// Whether this makes it too slow. It is looked at once enough was waited.
    fn is_too_slow(&mut self, waited: Duration, bytes: usize, window: Duration, slowest: u32) -> bool {
        self.waited += waited;
        self.bytes += bytes as u64;
        if self.waited < window {
            return false;
        }
        let Self { waited, bytes } = std::mem::take(self);
        (bytes as f64) < waited.as_secs_f64() * f64::from(slowest)
    }
}

impl Body {
    pub(super) fn new(stream: ByteStream, context: Context) -> Self {
        Self { stream, context, pace: Pace::default() }
    }

    /// The next bytes; none at the end.
    ///
    /// # Errors
    /// [`Outcome::Unknown`] when the connection breaks, says nothing for longer than the policy's `idle`, or is slower than
    /// its `slowest`.
    pub async fn chunk(&mut self) -> Option<Result<Bytes, Error>> {
        let policy = self.context.policy();
        let asked = Instant::now();
        let failure = match tokio::time::timeout(policy.idle, self.stream.next()).await {
            Ok(chunk) => match chunk? {
                Ok(chunk)
                    if self.pace.is_too_slow(asked.elapsed(), chunk.len(), policy.idle, policy.slowest) =>
                {
                    let reason = format!("the answer comes slower than {} bytes a second", policy.slowest);
                    Failure::of(Outcome::Unknown, reason)
                }
                Ok(chunk) => return Some(Ok(chunk)),
                Err(error) => Failure {
                    source: Some(error.without_url()),
                    ..Failure::of(Outcome::Unknown, "the answer broke off")
                },
            },
            Err(_) => Failure::of(
                Outcome::Unknown,
                format!("the answer stood still for {} ms", policy.idle.as_millis()),
            ),
        };
        Some(Err(self.context.broken(failure)))
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pace_is_looked_at_over_the_time_that_was_waited() {
        let (second, window) = (Duration::from_secs(1), Duration::from_secs(10));
        let mut pace = Pace::default();
        assert!(!(0..9).any(|_| pace.is_too_slow(second, 1, window, 1000)), "too early to tell");
        assert!(pace.is_too_slow(second, 1, window, 1000));
        assert!(!(0..100).any(|_| pace.is_too_slow(second, 1001, window, 1000)));
        assert!(
            !(0..100).any(|_| pace.is_too_slow(Duration::ZERO, 1, window, 1000)),
            "the caller may take its time"
        );
    }
}
