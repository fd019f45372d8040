//! What happened to orders and services, as it happens.

use std::collections::VecDeque;
use std::time::Duration;

use futures_util::stream::{self, Stream};
use lastmile_core::call::{Error, Outcome};
use lastmile_core::wire::Loose;
use lastmile_covage::Client;
use lastmile_covage::types::{Event, ListEventsParams};
use serde::{Deserialize, Serialize};

use super::Covage;

/// How many events are asked for at once. No source says how many the supplier gives at the most; as it may be asked once in
/// 30 seconds only, it is asked for many.
const PAGE: u64 = 500;

/// How many events a cursor knows by their id.
const KNOWN: usize = 50;

/// How far events have been read. Store it after the events before it have been dealt with.
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
pub struct EventCursor {
    place: u64,
    known: VecDeque<String>,
}

impl EventCursor {
    fn pass(&mut self, place: u64, event: &Loose<Event>) {
        self.place = place;
        if let Some(id) = id(event) {
            self.known.push_back(id.to_owned());
            if self.known.len() > KNOWN {
                self.known.pop_front();
            }
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
    pub fn events(&self, cursor: EventCursor) -> Events {
        Events { covage: self.clone(), cursor, news: VecDeque::new(), is_quiet: false, search: None }
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
    /// New events with the place behind each.
    news: VecDeque<(u64, Loose<Event>)>,
    /// Whether the last look brought nothing new.
    is_quiet: bool,
    /// From where to look for the lost place.
    search: Option<u64>,
}

impl Events {
    /// The next event. Waits until there is one, and 30 seconds between two looks, as the supplier asks.
    ///
    /// # Errors
    /// The outcome of a look; the next call looks again.
    pub async fn next(&mut self) -> Result<Loose<Event>, Error> {
        loop {
            if let Some(event) = self.take() {
                return Ok(event);
            }
            match self.look().await {
                Ok(_) => {}
                // It is not this look's turn yet, and nothing was sent.
                Err(error) if error.outcome() == Outcome::Throttled && error.attempts() == 0 => {
                    tokio::time::sleep(error.retry_after().unwrap_or(Duration::from_secs(30))).await;
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
        let EventCursor { place, known } = &self.cursor;
        // Every other quiet look goes back one place only: so a page that is all known cannot hide what is behind it.
        let back = if self.is_quiet { known.len().min(1) } else { known.len() };
        let from = self.search.unwrap_or(place.saturating_sub(u64::try_from(back).unwrap_or(u64::MAX)));
        let params = ListEventsParams {
            sort: Some("creation_date".to_owned()),
            limit: i64::try_from(PAGE).ok(),
            offset: i64::try_from(from).ok(),
            ..Default::default()
        };
        let call = |client: Client| async move { client.list_events(&params).await };
        let page = self.covage.handle.call(call).await?.value.into_vec();
        self.read(from, page);
        Ok(self.news.len())
    }

    fn read(&mut self, from: u64, page: Vec<Loose<Event>>) {
        let known = page.iter().position(|event| self.cursor.knows(event));
        if known.is_none() && from > 0 && !self.cursor.known.is_empty() {
            return self.lose(from, page.len());
        }
        if self.search.is_some() && known.is_none() && !page.is_empty() {
            return self.lose(from, page.len());
        }
        self.search = None;
        let place = self.cursor.place;
        let end = from.saturating_add(u64::try_from(page.len()).unwrap_or(u64::MAX));
        for (at, event) in (from..).zip(page) {
            let is_before =
                known.is_some_and(|known| at < from.saturating_add(u64::try_from(known).unwrap_or(0)));
            // One without an id is known by its place alone.
            let is_new = if id(&event).is_some() { !self.cursor.knows(&event) } else { at >= place };
            if is_new && !is_before {
                self.news.push_back((at.saturating_add(1), event));
            }
        }
        match self.news.back_mut() {
            Some((behind, _)) => *behind = end,
            None => self.cursor.place = end,
        }
        self.is_quiet = self.news.is_empty() && !self.is_quiet;
    }

    /// None of the last events stands where it stood. They are looked for a little further back first, then from the
    /// beginning.
    fn lose(&mut self, from: u64, read: usize) {
        match self.search {
            None if self.is_quiet => self.is_quiet = false,
            None => self.search = Some(0),
            // None is listed any more: what is listed came after them.
            Some(_) if read == 0 => (self.search, self.cursor) = (None, EventCursor::default()),
            Some(_) => self.search = Some(from.saturating_add(u64::try_from(read).unwrap_or(u64::MAX))),
        }
    }

    /// How far the events have been taken.
    pub fn cursor(&self) -> &EventCursor {
        &self.cursor
    }

    /// The same as a stream that does not end, each event with the cursor behind it.
    pub fn into_stream(self) -> impl Stream<Item = Result<(Loose<Event>, EventCursor), Error>> + Send {
        stream::unfold(self, |mut events| async move {
            let next = events.next().await;
            Some((next.map(|event| (event, events.cursor.clone())), events))
        })
    }
}
