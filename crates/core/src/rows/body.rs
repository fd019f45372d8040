use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use bytes::Bytes;
use futures_util::task::AtomicWaker;
use futures_util::{FutureExt as _, Stream};
use tokio::time::{Instant, Sleep};

use super::ListName;
use crate::classify::Failure;
use crate::client::{Shared, Transport};
use crate::clock::{real_instant, real_timer};
use crate::error::{Error, Outcome};
use crate::send::CallRecord;

/// A response body that is read as it arrives. Reading fails when no data arrives for too long, or when the throughput is below
/// the minimum of the policy.
pub(super) struct Body {
    stream: Pin<Box<dyn Stream<Item = Result<Bytes, reqwest::Error>> + Send + Sync>>,
    pub(super) record: CallRecord,
    shared: Arc<Shared>,
    idle_timeout: Duration,
    min_bytes_per_second: u32,
    /// The maximum size of one row, in bytes.
    pub(super) row_limit: usize,
    pace: Pace,
    arrival: Arc<Arrival>,
    /// The time since which the caller has been waiting for the next bytes.
    waiting_since: Option<Instant>,
    /// Expires when the caller has waited for `idle_timeout`.
    idle_timer: Option<Pin<Box<Sleep>>>,
    /// Whether the last bytes arrived too slowly, so that no further ones are awaited.
    is_slow: bool,
}

/// Records when the connection has something to read, and wakes the caller. The caller may poll again much later; that time does not
/// count as the server's.
#[derive(Default)]
struct Arrival {
    caller: AtomicWaker,
    at: Mutex<Option<Instant>>,
}

impl Arrival {
    /// Returns the time of the first wake since the last call.
    fn take(&self) -> Option<Instant> {
        self.at.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Wake for Arrival {
    fn wake(self: Arc<Self>) {
        self.at.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(real_instant);
        self.caller.wake();
    }
}

/// The bytes received, and the time spent waiting for them, since the last check.
#[derive(Default)]
struct Pace {
    waited: Duration,
    bytes: u64,
}

impl Pace {
    /// Adds received bytes and returns whether the throughput is too low. It is checked once the wait has reached `window`.
    fn is_too_slow(&mut self, bytes: usize, window: Duration, min_bytes_per_second: u32) -> bool {
        self.bytes += bytes as u64;
        if self.waited < window {
            return false;
        }
        let Self { waited, bytes } = std::mem::take(self);
        (bytes as f64) < waited.as_secs_f64() * f64::from(min_bytes_per_second)
    }
}

impl Body {
    pub(super) fn new(
        stream: impl Stream<Item = Result<Bytes, reqwest::Error>> + Send + Sync + 'static,
        mut record: CallRecord,
        transport: &Transport,
    ) -> Self {
        record.head_arrived();
        let policy = &transport.policy;
        Self {
            stream: Box::pin(stream),
            record,
            shared: transport.shared.clone(),
            idle_timeout: policy.stream_idle_timeout,
            min_bytes_per_second: policy.min_bytes_per_second,
            row_limit: policy.row_limit(),
            pace: Pace::default(),
            arrival: Arc::default(),
            waiting_since: None,
            idle_timer: None,
            is_slow: false,
        }
    }

    /// Returns the name of the list.
    pub(super) fn list(&self) -> ListName {
        ListName { api: self.shared.table.api, operation: self.record.operation }
    }

    /// Returns the next bytes; `None` at the end.
    pub(super) fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Error>>> {
        let (idle_timeout, min) = (self.idle_timeout, self.min_bytes_per_second);
        // Taken before the stream is polled, so that a wake during the poll is kept for the next one.
        let arrived = self.arrival.take();
        self.arrival.caller.register(cx.waker());
        let waker = Waker::from(self.arrival.clone());
        let failure = match self.stream.as_mut().poll_next(&mut Context::from_waker(&waker)) {
            Poll::Ready(None) => return Poll::Ready(None),
            _ if self.is_slow => Failure::of(
                Outcome::Indeterminate,
                format!("the response arrives more slowly than {min} bytes a second"),
            ),
            Poll::Ready(Some(Ok(chunk))) => {
                self.count_wait(arrived);
                // The bytes that have arrived are returned nevertheless.
                self.is_slow = self.pace.is_too_slow(chunk.len(), idle_timeout, min);
                return Poll::Ready(Some(Ok(chunk)));
            }
            Poll::Ready(Some(Err(error))) => Failure {
                source: Some(error.without_url()),
                ..Failure::of(Outcome::Indeterminate, "the response broke off")
            },
            Poll::Pending => {
                let timer = self.idle_timer.get_or_insert_with(|| Box::pin(real_timer(idle_timeout)));
                if self.waiting_since.is_none() {
                    self.waiting_since = Some(real_instant());
                    timer.set(real_timer(idle_timeout));
                } else if arrived.is_some() {
                    // The wake brought no bytes.
                    self.pace.waited += wait(self.waiting_since.replace(real_instant()), arrived);
                }
                match timer.poll_unpin(cx) {
                    Poll::Ready(()) => {
                        let reason = format!("the response stalled for {} ms", idle_timeout.as_millis());
                        Failure::of(Outcome::Indeterminate, reason)
                    }
                    Poll::Pending => return Poll::Pending,
                }
            }
        };
        Poll::Ready(Some(Err(self.record.error(&self.shared, failure))))
    }

    /// Stops the clock: the time that the caller spends otherwise does not count as the server's.
    #[inline]
    pub(super) fn stop_waiting(&mut self) {
        // Most rows are already there when the caller requests them.
        if self.waiting_since.is_some() {
            self.end_wait();
        }
    }

    fn end_wait(&mut self) {
        let arrived = self.arrival.take();
        self.count_wait(arrived);
    }

    fn count_wait(&mut self, arrived: Option<Instant>) {
        self.pace.waited += wait(self.waiting_since.take(), arrived);
    }
}

/// Returns how long the caller waited for the server: until something arrived, or until now.
fn wait(since: Option<Instant>, arrived: Option<Instant>) -> Duration {
    let Some(since) = since else { return Duration::ZERO };
    arrived.unwrap_or_else(real_instant).saturating_duration_since(since)
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
