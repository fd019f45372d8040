//! Building blocks of the streams of this crate.

use std::fmt;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use futures_util::StreamExt as _;
use futures_util::future::{BoxFuture, FutureExt as _};
use futures_util::stream::Stream;
use lastmile_core::clock::Clock;
use tokio::time::{Instant, Sleep};

/// The request that a stream has in flight, if any. The request is kept when a future that polls the stream is dropped.
pub(crate) struct Pending<T> {
    // The mutex is never locked. It makes the streams implement `Sync`.
    request: Option<Mutex<BoxFuture<'static, T>>>,
}

impl<T> Pending<T> {
    pub(crate) const fn none() -> Self {
        Self { request: None }
    }

    /// Polls the request in flight. If there is none, starts the request that `start` returns.
    pub(crate) fn poll<Fut>(&mut self, cx: &mut Context<'_>, start: impl FnOnce() -> Fut) -> Poll<T>
    where
        Fut: Future<Output = T> + Send + 'static,
    {
        let request = self.request.get_or_insert_with(|| Mutex::new(start().boxed()));
        let output = ready!(request.get_mut().unwrap_or_else(PoisonError::into_inner).poll_unpin(cx));
        self.request = None;
        Poll::Ready(output)
    }
}

impl<T> fmt::Debug for Pending<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.request.is_some() { "Pending" } else { "None" })
    }
}

/// A [`Stream`] that delivers events as they occur. It polls a list of events repeatedly; the list's `follow` method creates
/// it.
///
/// The stream ends when no event has arrived for the `timeout` of the [`Poll`](crate::Poll) settings. After an error, it pauses
/// for the `interval` and continues. [`get_ref`](Self::get_ref) gives access to the list and its cursor.
#[derive(Debug)]
#[must_use = "streams do nothing unless polled"]
pub struct Follow<S: Stream> {
    list: S,
    settings: crate::Poll,
    clock: Clock,
    /// Returns whether an item is an error after which the stream pauses.
    ends_poll: fn(&S::Item) -> bool,
    pause: Option<Pin<Box<Sleep>>>,
    /// The time since which no event has arrived.
    idle_since: Option<Instant>,
}

impl<S: Stream> Follow<S> {
    pub(crate) fn new(list: S, settings: crate::Poll, clock: Clock, ends_poll: fn(&S::Item) -> bool) -> Self {
        Self { list, settings, clock, ends_poll, pause: None, idle_since: None }
    }

    /// Returns a reference to the list, for example to read its cursor.
    pub fn get_ref(&self) -> &S {
        &self.list
    }

    /// Consumes the stream and returns the list.
    pub fn into_inner(self) -> S {
        self.list
    }
}

impl<S: Stream + Unpin> Stream for Follow<S> {
    type Item = S::Item;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            if let Some(pause) = &mut this.pause {
                ready!(pause.poll_unpin(cx));
                this.pause = None;
            }
            let item = ready!(this.list.poll_next_unpin(cx));
            match &item {
                Some(item) if !(this.ends_poll)(item) => this.idle_since = None,
                _ => {
                    let idle_since = *this.idle_since.get_or_insert_with(|| this.clock.instant());
                    let pause = this.settings.pause();
                    if item.is_none()
                        && this.clock.since(idle_since).saturating_add(pause) >= this.settings.timeout
                    {
                        this.idle_since = None;
                        return Poll::Ready(None);
                    }
                    this.pause = Some(Box::pin(this.clock.pause(pause)));
                }
            }
            if item.is_some() {
                return Poll::Ready(item);
            }
        }
    }
}
