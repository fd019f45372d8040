//! What happened to orders and services, as it happens.

use std::collections::VecDeque;
use std::time::Duration;

use futures_util::stream::{self, Stream};
use lastmile_core::wire::Loose;
use lastmile_core::{Error, Outcome};
use lastmile_covage::types::{Event, ListEventsParams};
use serde::{Deserialize, Serialize};

use super::Covage;
use super::pages::is_past_the_end;
use crate::quiet::quietly;

/// How many events are asked for at once. No source says how many the supplier gives at the most; as it may be asked once in
/// 30 seconds only, it is asked for many.
const PAGE: u64 = 500;

/// How long to wait between two looks. (Source: the supplier's page on events.)
const INTERVAL: Duration = Duration::from_secs(30);

/// How many events a cursor knows by their id.
const KNOWN: usize = 50;

/// How far events have been read. Store it after the events before it have been dealt with, and after a look that brought
/// none, if your process ends after each look.
///
/// It holds a place in the list, oldest first, and the ids of the last events before it. No public source names the parameter
/// that takes a `sort_value`, so the place is a count: the ids tell whether the list has moved meanwhile.
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
    place: u64,
    known: VecDeque<String>,
    /// Whether the last look brought nothing new.
    #[serde(default)]
    is_quiet: bool,
    /// How the place is being looked for, if it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    search: Option<Search>,
}

quietly!(EventCursor);

/// A look-up of the lost place, or of the end of what is known, over several pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Search {
    from: u64,
    /// Whether a page before had a known event, so that what follows and is not known is new.
    is_found: bool,
}

impl EventCursor {
    /// `place` is none for an event that was listed late, before others that are known.
    fn pass(&mut self, place: Option<u64>, event: &Loose<Event>) {
        if let Some(id) = id(event) {
            // The last one stays the last one in the list.
            let at = if place.is_some() { self.known.len() } else { self.known.len().saturating_sub(1) };
            self.known.insert(at, id.to_owned());
            if self.known.len() > KNOWN {
                self.known.pop_front();
            }
        }
        self.place = place.unwrap_or(self.place);
    }

    /// From where the next look asks.
    fn from(&self) -> u64 {
        // Every other quiet look goes back one place only: so a page that is all known cannot hide what is behind it.
        let back = if self.is_quiet { self.known.len().min(1) } else { self.known.len() };
        let place = self.place.saturating_sub(u64::try_from(back).unwrap_or(u64::MAX));
        self.search.map_or(place, |search| search.from)
    }

    /// Reads a page that was asked for from there: its new events, each with the place behind it.
    fn read(&mut self, from: u64, page: Vec<Loose<Event>>) -> VecDeque<(Option<u64>, Loose<Event>)> {
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
        for (at, (place, event)) in (from..).zip(page).enumerate().skip(begin) {
            let is_late = last.is_some_and(|last| at < last);
            // One without an id is known by its place alone.
            let is_new = if id(&event).is_some() { !self.knows(&event) } else { place >= self.place };
            if is_new {
                news.push_back(((!is_late).then_some(place.saturating_add(1)), event));
            }
        }
        let goes_on = news.iter().all(|(place, _)| place.is_none()) && !ends_known;
        self.search = goes_on.then_some(Search { from: end, is_found: true });
        if news.is_empty() && !goes_on {
            (self.place, self.is_quiet) = (end, !self.is_quiet);
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

    fn knows(&self, event: &Loose<Event>) -> bool {
        id(event).is_some_and(|id| self.known.iter().any(|known| known == id))
    }
}

fn id(event: &Loose<Event>) -> Option<&str> {
    event.get()?.event_uuid.as_deref().filter(|id| !id.is_empty())
}

impl Covage {
    /// The events behind a cursor, oldest first, and those that come; all that the supplier keeps, with a new cursor.
    ///
    /// ```no_run
    /// # use lastmile::covage::{Covage, EventCursor};
    /// # async fn example(covage: &Covage, stored: EventCursor, store: impl Fn(&EventCursor)) -> Result<(), lastmile::Error> {
    /// let mut events = covage.events(stored);
    /// loop {
    ///     let event = events.next().await?; // waits until there is one
    ///     println!("{:?}", event.get().and_then(|event| event.type_.get().cloned()));
    ///     store(events.cursor()); // only now it is dealt with
    /// }
    /// # }
    /// ```
    #[doc(alias = "listEvents")]
    #[doc(alias = "GET /api/events/")]
    pub fn events(&self, cursor: EventCursor) -> Events {
        Events { covage: self.clone(), cursor, news: VecDeque::new() }
    }
}

/// Events, read as they come: [`Covage::events`].
///
/// None is lost and none comes twice, also over a restart with a stored [`cursor`](Self::cursor), as long as the supplier
/// lists an event that it records late no further back than 50 places. Where the list has lost its oldest events meanwhile,
/// the place is looked for by the ids.
#[derive(Debug)]
pub struct Events {
    covage: Covage,
    cursor: EventCursor,
    /// New events with the place behind each; none for one that was listed late.
    news: VecDeque<(Option<u64>, Loose<Event>)>,
}

impl Events {
    /// The next event. Waits until there is one, and 30 seconds between two looks, as the supplier asks.
    ///
    /// # Errors
    /// The outcome of a look. The next call looks again at once, since a look that was refused is none: pause between.
    pub async fn next(&mut self) -> Result<Loose<Event>, Error> {
        loop {
            if let Some(event) = self.take() {
                return Ok(event);
            }
            match self.look().await {
                Ok(_) => {}
                // It is not this look's turn yet, and nothing was sent.
                Err(error) if error.outcome() == Outcome::Throttled && error.attempts() == 0 => {
                    tokio::time::sleep(error.retry_after().unwrap_or(INTERVAL)).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// The next event of those that a look has brought; none if there is none.
    pub fn take(&mut self) -> Option<Loose<Event>> {
        let (place, event) = self.news.pop_front()?;
        self.cursor.pass(place, &event);
        Some(event)
    }

    /// Looks once, and says how many new events there are to [`take`](Self::take). None at all may mean that the place is
    /// being looked for: look again in 30 seconds either way.
    ///
    /// # Errors
    /// The outcome of the call. [`Outcome::Throttled`] when it is not its turn and the policy's deadline comes first.
    pub async fn look(&mut self) -> Result<usize, Error> {
        if !self.news.is_empty() {
            return Ok(self.news.len());
        }
        let from = self.cursor.from();
        let params = ListEventsParams {
            sort: Some("creation_date".to_owned()),
            limit: i64::try_from(PAGE).ok(),
            offset: i64::try_from(from).ok(),
            ..Default::default()
        };
        let page = match self.covage.client.list_events(&params).await {
            // A place behind the end of the list, which has lost its oldest events: as good as an empty page.
            Err(error) if from > 0 && is_past_the_end(&error, None, 0) => Vec::new(),
            reply => reply?.value.into_vec(),
        };
        self.news = self.cursor.read(from, page);
        Ok(self.news.len())
    }

    /// How far the events have been taken.
    pub fn cursor(&self) -> &EventCursor {
        &self.cursor
    }

    /// The same as a stream that does not end, each event with the cursor behind it. After an error it pauses for 30 seconds.
    pub fn into_stream(self) -> impl Stream<Item = Result<(Loose<Event>, EventCursor), Error>> + Send {
        stream::unfold((self, false), |(mut events, rests)| async move {
            if rests {
                tokio::time::sleep(INTERVAL).await;
            }
            let next = events.next().await;
            let rests = next.is_err();
            Some((next.map(|event| (event, events.cursor.clone())), (events, rests)))
        })
    }
}
