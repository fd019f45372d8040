//! What happened to orders and services, as it happens.

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
use tokio::time::{Sleep, sleep};

use super::Covage;
use super::pages::is_past_the_end;
use crate::quiet::quietly;
use crate::stream::{Follow, Pending};

/// How many events are asked for at once. No source says how many the supplier gives at the most; as it may be asked once in
/// 30 seconds only, it is asked for many.
const PAGE: u64 = 500;

/// How long to wait between two requests. (Source: the supplier's page on events.)
const INTERVAL: Duration = Duration::from_secs(30);

/// How many events a cursor knows by their id.
const KNOWN: usize = 50;

/// How far events have been read. Store it after the events before it have been dealt with, and after a request that brought
/// none, if your process ends after each request.
///
/// It holds a position in the list, oldest first, and the ids of the last events before it. No public source names the parameter
/// that takes a `sort_value`, so the position is a count: the ids tell whether the list has moved meanwhile.
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
    /// Whether the last request brought nothing new.
    #[serde(default)]
    is_quiet: bool,
    /// How the position is being searched for, if it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    search: Option<Search>,
}

quietly!(EventCursor);

/// A search for the lost position, or for the end of what is known, over several pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Search {
    from: u64,
    /// Whether a page before had a known event, so that what follows and is not known is new.
    is_found: bool,
}

impl EventCursor {
    /// `position` is none for an event that was listed late, before others that are known.
    fn pass(&mut self, position: Option<u64>, event: &Lenient<Event>) {
        if let Some(id) = id(event) {
            // The last one stays the last one in the list.
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
        // Every other request without news goes back one event only: so a page that is all known cannot hide what follows it.
        let back = if self.is_quiet { self.known.len().min(1) } else { self.known.len() };
        let position = self.position.saturating_sub(u64::try_from(back).unwrap_or(u64::MAX));
        self.search.map_or(position, |search| search.from)
    }

    /// Reads a page that was asked for from there: its new events, each with the position after it.
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
            // One without an id is known by its position alone.
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

    /// None of the last events stands where it stood. They are looked for a little further back first, then from the
    /// beginning.
    fn lose(&mut self, end: u64, is_end: bool) {
        match self.search {
            None if self.is_quiet => self.is_quiet = false,
            None => self.search = Some(Search { from: 0, is_found: false }),
            // None is listed any more: what is listed came after them.
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
    /// Returns the events after a cursor, oldest first; all that the supplier keeps, with a new cursor. Nothing is sent before the
    /// first is polled.
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

/// A [`Stream`] of the events after a cursor: [`Covage::events`].
///
/// It ends when there is no further event now. Polled again after that, it requests the events again;
/// [`follow`](Self::follow) does so until none has come for a while. The supplier lets its events be requested once in 30 seconds:
/// the stream waits for that.
///
/// No event is lost and none comes twice, also over a restart with a stored [`cursor`](Self::cursor), as long as the supplier
/// lists an event that it records late no further back than 50 events. Where the list has lost its oldest events meanwhile,
/// the position is found again by the ids.
///
/// # Errors
/// The outcome of a request. Polled again after an error, the stream sends the request again: pause before.
#[must_use = "streams do nothing unless polled"]
pub struct Events {
    covage: Covage,
    cursor: EventCursor,
    /// New events with the position after each; none for one that was listed late.
    news: VecDeque<(Option<u64>, Lenient<Event>)>,
    request: Pending<Result<Vec<Lenient<Event>>, Error>>,
    /// Until when the supplier lets no further request be sent.
    pause: Option<Pin<Box<Sleep>>>,
}

/// An event, and the cursor after it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DeliveredEvent {
    /// The event. One that cannot be read is a [`Lenient`] without a value.
    pub event: Lenient<Event>,
    /// The cursor after it. Store it together with what the event brought about.
    pub cursor: EventCursor,
}

impl DeliveredEvent {
    /// Returns the first event of all, as it is delivered.
    #[cfg(feature = "testing")]
    pub(crate) fn first(event: Event) -> Self {
        let (event, mut cursor) = (Lenient::Value(event), EventCursor::default());
        cursor.pass(Some(1), &event);
        Self { event, cursor }
    }
}

impl Events {
    /// Goes on with new events as they come, until none has come for the timeout of these settings. The supplier lets its events be
    /// requested once in 30 seconds; a shorter interval makes no difference.
    pub fn follow(self, settings: crate::Poll) -> Follow<Self> {
        Follow::new(self, settings, Result::is_err)
    }

    /// Returns the next event of those that a [`poll`](Self::poll) has brought, if there is one.
    pub fn pop(&mut self) -> Option<Lenient<Event>> {
        let (position, event) = self.news.pop_front()?;
        self.cursor.pass(position, &event);
        Some(event)
    }

    /// Sends one request, and returns how many new events there are to [`pop`](Self::pop). None at all may mean that the position is
    /// being searched for: poll again in 30 seconds either way. For programs that poll at times of their own; others use the stream.
    ///
    /// # Errors
    /// The outcome of the call. [`Outcome::Throttled`] when the interval has not passed and the policy's deadline comes first.
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

    /// Returns how far the events have been read.
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
        // A position after the end of the list, which has lost its oldest events: as good as an empty page.
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
                // While the position is searched for, an empty page does not say that there is no further event.
                Ok(()) if this.news.is_empty() && this.cursor.search.is_none() => return Poll::Ready(None),
                Ok(()) => {}
                // The interval has not passed, and nothing was sent.
                Err(error) if error.outcome() == Outcome::Throttled && error.attempts() == 0 => {
                    this.pause = Some(Box::pin(sleep(error.retry_after().unwrap_or(INTERVAL))));
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
