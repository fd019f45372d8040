//! A stream of the events of orders and services.

use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::stream::Stream;
use lastmile_core::wire::Lenient;
use lastmile_core::{Error, Outcome};
use lastmile_covage::types::{Event, ListEventsParams};
use serde::{Deserialize, Serialize};
use tokio::time::Sleep;

use super::Covage;
use super::pages::is_past_the_end;
use crate::redact::redact_errors;
use crate::stream::{Follow, Pending};

/// The number of events that one request asks for. No source states the maximum. The number is high because the supplier allows
/// only one request in 30 seconds.
const PAGE: u64 = 500;

/// The minimum interval between two requests. (Source: the supplier's page on events.)
const INTERVAL: Duration = Duration::from_secs(30);

/// The number of event ids that a cursor remembers.
const KNOWN: usize = 50;

/// The position up to which events have been read. Store the cursor after you have processed the events before it. If your
/// process ends after each request, also store it after a request that returned no events.
///
/// The cursor contains an offset into the list, oldest event first, and the ids of the last events before this offset. The ids
/// reveal whether the list has shifted since the last request. The position is an offset because no public source names the
/// parameter that accepts a `sort_value`.
///
/// ```
/// use lastmile::covage::EventCursor;
///
/// let stored = serde_json::to_string(&EventCursor::default()).unwrap();
/// let cursor: EventCursor = serde_json::from_str(&stored).unwrap();
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct EventCursor {
    #[serde(rename = "place")]
    position: u64,
    known: VecDeque<String>,
    /// Whether the last request returned no new event.
    #[serde(default)]
    is_quiet: bool,
    /// The state of the search for the position, if the position was lost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    search: Option<Search>,
}

redact_errors!(EventCursor);

/// A search over several pages for the lost position, or for the end of the known events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Search {
    from: u64,
    /// Whether an earlier page contained a known event. Unknown events after it are new.
    is_found: bool,
}

impl EventCursor {
    /// Advances the cursor past an event. `position` is `None` for an event that the supplier listed late, before known events.
    fn pass(&mut self, position: Option<u64>, event: &Lenient<Event>) {
        if let Some(id) = id(event) {
            // The last known event remains the last one, as in the list.
            let at = if position.is_some() { self.known.len() } else { self.known.len().saturating_sub(1) };
            self.known.insert(at, id.to_owned());
            if self.known.len() > KNOWN {
                self.known.pop_front();
            }
        }
        self.position = position.unwrap_or(self.position);
    }

    /// Returns the offset of the next request.
    fn from(&self) -> u64 {
        // Every second request without a new event goes back by only one event, so that a page of known events cannot hide
        // later events.
        let back = if self.is_quiet { self.known.len().min(1) } else { self.known.len() };
        let position = self.position.saturating_sub(u64::try_from(back).unwrap_or(u64::MAX));
        self.search.map_or(position, |search| search.from)
    }

    /// Reads a page that was requested at the offset `from`. Returns its new events, each with the position after it.
    fn read(&mut self, from: u64, page: Vec<Lenient<Event>>) -> VecDeque<(Option<u64>, Lenient<Event>)> {
        let (first, last) =
            (page.iter().position(|one| self.knows(one)), page.iter().rposition(|one| self.knows(one)));
        let end = from.saturating_add(u64::try_from(page.len()).unwrap_or(u64::MAX));
        let is_found = first.is_some() || self.search.is_some_and(|search| search.is_found);
        let is_elsewhere = from > 0 || (self.search.is_some() && !page.is_empty());
        if !is_found && is_elsewhere && !self.known.is_empty() {
            self.lose(end, page.is_empty());
            return VecDeque::new();
        }
        let was_found = self.search.is_some_and(|search| search.is_found);
        let begin = if was_found { 0 } else { first.unwrap_or_default() };
        let ends_known = page.last().is_none_or(|one| id(one) == self.known.back().map(String::as_str));
        let mut news = VecDeque::new();
        for (at, (position, event)) in (from..).zip(page).enumerate().skip(begin) {
            let is_late = last.is_some_and(|last| at < last);
            // An event without an id is identified by its position alone.
            let is_new = if id(&event).is_some() { !self.knows(&event) } else { position >= self.position };
            if is_new {
                news.push_back(((!is_late).then_some(position.saturating_add(1)), event));
            }
        }
        let goes_on = news.iter().all(|(position, _)| position.is_none()) && !ends_known;
        self.search = goes_on.then_some(Search { from: end, is_found: true });
        if news.is_empty() && !goes_on {
            (self.position, self.is_quiet) = (end, !self.is_quiet);
        }
        news
    }

    /// Handles a page that contains none of the known events. The search first goes back a little further, then starts from the
    /// beginning of the list.
    fn lose(&mut self, end: u64, is_end: bool) {
        match self.search {
            None if self.is_quiet => self.is_quiet = false,
            None => self.search = Some(Search { from: 0, is_found: false }),
            // The list no longer contains any known event, so all listed events are newer.
            Some(_) if is_end => *self = Self::default(),
            Some(_) => self.search = Some(Search { from: end, is_found: false }),
        }
    }

    fn knows(&self, event: &Lenient<Event>) -> bool {
        id(event).is_some_and(|id| self.known.iter().any(|known| known == id))
    }
}

fn id(event: &Lenient<Event>) -> Option<&str> {
    event.get()?.event_uuid.as_deref().filter(|id| !id.is_empty())
}

impl Covage {
    /// Returns the events after a cursor, oldest first. A new cursor returns all events that the supplier keeps. No request is
    /// sent before the stream is first polled.
    ///
    /// ```no_run
    /// use lastmile::StreamExt as _;
    /// use lastmile::Poll;
    /// # use lastmile::covage::{Covage, EventCursor};
    ///
    /// # async fn example(covage: &Covage, stored: EventCursor, store: impl Fn(&EventCursor)) -> lastmile::Result<()> {
    /// let mut events = covage.events(stored).follow(Poll::default());
    /// while let Some(delivered) = events.next().await {
    ///     let delivered = delivered?;
    ///     println!("{:?}", delivered.event.get().and_then(|event| event.type_.get()));
    ///     store(&delivered.cursor); // after the event has been dealt with
    /// }
    /// // No event has come for 15 minutes.
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "listEvents")]
    #[doc(alias = "GET /api/events/")]
    pub fn events(&self, cursor: EventCursor) -> Events {
        Events { covage: self.clone(), cursor, news: VecDeque::new(), request: Pending::none(), pause: None }
    }
}

/// A [`Stream`] of the events after a cursor. Returned by [`Covage::events`].
///
/// The stream ends when there are no further events at the moment. When it is polled again after that, it requests the events
/// again; [`follow`](Self::follow) does so until no event has arrived for a while. The supplier allows one request for events
/// in 30 seconds, and the stream waits accordingly.
///
/// Each event is delivered exactly once, also across a restart with a stored [`cursor`](Self::cursor), as long as the supplier
/// inserts late events no further back than 50 events. If the supplier removes the oldest events from its list, the stream
/// finds its position again by the event ids.
///
/// # Errors
/// Returns the error of the request. When the stream is polled again after an error, it sends the request again; pause before
/// polling.
#[must_use = "streams do nothing unless polled"]
pub struct Events {
    covage: Covage,
    cursor: EventCursor,
    /// The new events, each with the position after it. The position is `None` for an event that was listed late.
    news: VecDeque<(Option<u64>, Lenient<Event>)>,
    request: Pending<Result<Vec<Lenient<Event>>, Error>>,
    /// The pause until the supplier allows the next request.
    pause: Option<Pin<Box<Sleep>>>,
}

/// An event, and the cursor after it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DeliveredEvent {
    /// The event. An event that cannot be decoded is a [`Lenient`] without a value.
    pub event: Lenient<Event>,
    /// The cursor after the event. Store it together with the result of processing the event.
    pub cursor: EventCursor,
}

impl DeliveredEvent {
    /// Creates the first event of the list, as it is delivered.
    #[cfg(feature = "testing")]
    pub(crate) fn first(event: Event) -> Self {
        let (event, mut cursor) = (Lenient::Value(event), EventCursor::default());
        cursor.pass(Some(1), &event);
        Self { event, cursor }
    }
}

impl Events {
    /// Returns a stream that continues to deliver events as they arrive, until none has arrived for the timeout of the
    /// settings. The supplier allows one request for events in 30 seconds, so a shorter interval has no effect.
    pub fn follow(self, settings: crate::Poll) -> Follow<Self> {
        let clock = self.covage.client.clock().clone();
        Follow::new(self, settings, clock, Result::is_err)
    }

    /// Removes and returns the next event that a [`poll`](Self::poll) has received, if there is one.
    pub fn pop(&mut self) -> Option<Lenient<Event>> {
        let (position, event) = self.news.pop_front()?;
        self.cursor.pass(position, &event);
        Some(event)
    }

    /// Sends one request, and returns the number of new events to [`pop`](Self::pop). If this number is 0, the position may
    /// still be unknown: poll again after 30 seconds in any case. Use this method in programs that schedule their own polls,
    /// and the stream in all others.
    ///
    /// # Errors
    /// Returns the error of the call. Returns [`Outcome::Throttled`] when the interval has not elapsed and would end after the
    /// policy's deadline.
    pub async fn poll(&mut self) -> Result<usize, Error> {
        if self.news.is_empty() {
            poll_fn(|cx| self.poll_page(cx)).await?;
        }
        Ok(self.news.len())
    }

    fn poll_page(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let (covage, from) = (&self.covage, self.cursor.from());
        let page = ready!(self.request.poll(cx, || page(covage.clone(), from)));
        Poll::Ready(page.map(|page| self.news = self.cursor.read(from, page)))
    }

    /// Returns the position up to which events have been read.
    pub fn cursor(&self) -> &EventCursor {
        &self.cursor
    }
}

async fn page(covage: Covage, from: u64) -> Result<Vec<Lenient<Event>>, Error> {
    let params = ListEventsParams {
        sort: Some("creation_date".to_owned()),
        limit: i64::try_from(PAGE).ok(),
        offset: i64::try_from(from).ok(),
        ..Default::default()
    };
    match covage.client.list_events(&params).await {
        // The position is after the end of a list that has lost its oldest events. This is equivalent to an empty page.
        Err(error) if from > 0 && is_past_the_end(&error, None, 0) => Ok(Vec::new()),
        reply => Ok(reply?.value.into_vec()),
    }
}

impl Stream for Events {
    type Item = Result<DeliveredEvent, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            if let Some(event) = this.pop() {
                let cursor = this.cursor.clone();
                return Poll::Ready(Some(Ok(DeliveredEvent { event, cursor })));
            }
            if let Some(pause) = &mut this.pause {
                ready!(pause.poll_unpin(cx));
                this.pause = None;
            }
            match ready!(this.poll_page(cx)) {
                // While the position is searched for, an empty page does not mean that there are no further events.
                Ok(()) if this.news.is_empty() && this.cursor.search.is_none() => return Poll::Ready(None),
                Ok(()) => {}
                // The interval has not elapsed, and no request was sent.
                Err(error) if error.outcome() == Outcome::Throttled && error.attempts() == 0 => {
                    let wait = error.retry_after().unwrap_or(INTERVAL);
                    this.pause = Some(Box::pin(this.covage.client.clock().pause(wait)));
                }
                Err(error) => return Poll::Ready(Some(Err(error))),
            }
        }
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events")
            .field("covage", &self.covage)
            .field("cursor", &self.cursor)
            .field("news", &self.news)
            .finish_non_exhaustive()
    }
}
