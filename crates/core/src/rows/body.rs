use std::fmt;
use std::pin::Pin;
use std::task::{self, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{FutureExt as _, StreamExt as _};
use progenitor_client::ByteStream;
use tokio::time::{Instant, Sleep, sleep};

use super::attempt::Failure;
use super::context::Context;
use super::error::{Error, Outcome};
use super::table::ListShape;

/// The body of an answer, read as it comes. It is given up when it stands still, or comes slower than the policy allows.
pub struct Body {
    stream: ByteStream,
    context: Context,
    pace: Pace,
    /// Since when somebody waits for the next bytes.
    asked: Option<Instant>,
    /// Ends when they have waited too long.
    patience: Option<Pin<Box<Sleep>>>,
    /// What came last came too slowly; more is not waited for.
    is_slow: bool,
}

/// What came, and how long was waited for it, since it was looked at last.
#[derive(Default)]
struct Pace {
    waited: Duration,
    bytes: u64,
}

impl Pace {
    /// Whether this makes it too slow. It is looked at once enough was waited.
    fn is_too_slow(&mut self, bytes: usize, window: Duration, slowest: u32) -> bool {
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
        Self { stream, context, pace: Pace::default(), asked: None, patience: None, is_slow: false }
    }

    /// The next bytes; none at the end.
    ///
    /// # Errors
    /// [`Outcome::Unknown`] when the connection breaks, says nothing for longer than the policy's `idle`, or is slower than
    /// its `slowest`.
    pub async fn chunk(&mut self) -> Option<Result<Bytes, Error>> {
        let asking = Asking(self);
        std::future::poll_fn(|cx| asking.0.poll_chunk(cx)).await
    }

    pub(crate) fn poll_chunk(&mut self, cx: &mut task::Context<'_>) -> Poll<Option<Result<Bytes, Error>>> {
        let policy = self.context.policy();
        let (idle, slowest) = (policy.idle, policy.slowest);
        let failure = match self.stream.poll_next_unpin(cx) {
            Poll::Ready(None) => return Poll::Ready(None),
            _ if self.is_slow => Failure::of(
                Outcome::Unknown,
                format!("the answer comes slower than {slowest} bytes a second"),
            ),
            Poll::Ready(Some(Ok(chunk))) => {
                self.nobody_waits();
                // What has come is handed out all the same.
                self.is_slow = self.pace.is_too_slow(chunk.len(), idle, slowest);
                return Poll::Ready(Some(Ok(chunk)));
            }
            Poll::Ready(Some(Err(error))) => Failure {
                source: Some(error.without_url()),
                ..Failure::of(Outcome::Unknown, "the answer broke off")
            },
            Poll::Pending => {
                let patience = self.patience.get_or_insert_with(|| Box::pin(sleep(idle)));
                if self.asked.is_none() {
                    self.asked = Some(Instant::now());
                    patience.set(sleep(idle));
                }
                match patience.poll_unpin(cx) {
                    Poll::Ready(()) => {
                        let reason = format!("the answer stood still for {} ms", idle.as_millis());
                        Failure::of(Outcome::Unknown, reason)
                    }
                    Poll::Pending => return Poll::Pending,
                }
            }
        };
        Poll::Ready(Some(Err(self.context.broken(failure))))
    }

    /// What is known of the list that this is the body of.
    pub(crate) fn list(&self) -> Option<ListShape> {
        self.context.list()
    }

    /// Whether there is no content, by the status of the answer.
    pub(crate) fn has_no_content(&self) -> bool {
        self.context.has_no_content()
    }

    /// Whoever asked for bytes has something else to do: that time does not count as the server's.
    pub(crate) fn nobody_waits(&mut self) {
        if let Some(asked) = self.asked.take() {
            self.pace.waited += asked.elapsed();
        }
    }
}

/// Somebody asks for bytes. When nobody does any more, the time does not count as the server's.
struct Asking<'a>(&'a mut Body);

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        self.0.nobody_waits();
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
        let mut comes = |waited: Duration, bytes: usize| {
            pace.waited += waited;
            pace.is_too_slow(bytes, window, 1000)
        };
        assert!(!(0..9).any(|_| comes(second, 1)), "too early to tell");
        assert!(comes(second, 1));
        assert!(!(0..100).any(|_| comes(second, 1001)));
        assert!(!(0..100).any(|_| comes(Duration::ZERO, 1)), "the caller may take its time");
    }
}
