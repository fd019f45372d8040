//! What becomes of orders, event by event.

use std::collections::{HashMap, VecDeque};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_util::StreamExt as _;
use futures_util::future::{BoxFuture, FutureExt as _};
use futures_util::stream::Stream;
use lastmile_core::rows::{RowError, Rows};
use lastmile_onapi::types::{ListOrderEventsParams, OrderEvent, OrderOfEvent};
use serde::{Deserialize, Deserializer, Serialize};

use super::lists::{if_modified, says_nothing_to_list};
use super::{EndpointName, OnApi};
use crate::stream::{Follow, Pending};
use crate::{HasProgress as _, OrderStage, quiet};

/// The event that was handed out last, by the network's id. Store it together with what the event brought about: then no
/// event is lost or done twice, whenever the process ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct EventCursor(String);

impl<'de> Deserialize<'de> for EventCursor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        quiet::text(deserializer).map(Self)
    }
}

/// A [`Stream`] of the events of orders after a cursor: [`OnApi::order_events`].
///
/// It ends when there is no further event now. Polled again after that, it requests the events again: pause before, or
/// [`follow`](Self::follow) them.
///
/// Where the network lists again what precedes the cursor, that is skipped. Events come oldest first, also from a network that lists
/// the newest first. That is seen by numbers in the ids, or by the states of an order, which never goes back; a network whose
/// events show neither is taken to list the oldest first.
///
/// ```no_run
/// use lastmile::rules::OnApiId;
/// use lastmile::{HasProgress as _, StreamExt as _};
/// # use lastmile::onapi::{EventCursor, OnApi};
///
/// # async fn example(
/// #     network: OnApi, stored: Option<EventCursor>, store: impl Fn(&EventCursor),
/// # ) -> lastmile::Result<()> {
/// let mut events = network.order_events(stored);
/// while let Some(event) = events.next().await {
///     let event = event?;
///     if let Some(order) = event.event.order.get() {
///         println!("{}: {:?}", OnApiId::try_from(order)?, order.progress().stage());
///     }
///     if let Some(cursor) = event.cursor {
///         store(&cursor); // in one transaction with what the event brought about
///     }
/// }
/// // That is all for now. Poll the same stream again later.
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "streams do nothing unless polled"]
pub struct OrderEvents {
    network: OnApi,
    cursor: Option<EventCursor>,
    state: State,
    fetch: fn(OnApi, Option<EventCursor>) -> BoxFuture<'static, Requested>,
}

#[derive(Debug)]
enum State {
    /// The events are to be requested.
    Idle(Pending<Requested>),
    /// There is no cursor yet: rows are handed out as they come, behind those that came first.
    Reading(VecDeque<Result<OrderEvent, RowError>>, Box<Rows<OrderEvent>>),
    /// These came behind the cursor.
    Ready(VecDeque<Result<OrderEvent, RowError>>),
}

/// The outcome of a request: the events that came, if there are any.
type Requested = Result<Option<State>, RowError>;

impl State {
    const IDLE: Self = Self::Idle(Pending::none());
}

/// An event, and the cursor after it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DeliveredEvent {
    /// The event.
    pub event: OrderEvent,
    /// The cursor that stands behind it. None if the network gave the event no id: it may come again whenever the network is
    /// asked, until one that has an id has followed.
    pub cursor: Option<EventCursor>,
}

impl DeliveredEvent {
    pub(crate) fn new(event: OrderEvent) -> Self {
        let cursor = id_of(&event).map(|id| EventCursor(id.to_owned()));
        Self { event, cursor }
    }
}

impl OnApi {
    /// The events of orders behind a cursor, or all of them. Nothing is sent before the first is asked for.
    ///
    /// A network may answer that it does not know the event of the cursor, such as by [`RowError::UnknownCursor`]: then begin
    /// without one, or from one that it knows.
    #[doc(alias = "listOrderEvents")]
    #[doc(alias = "GET /orderevents/")]
    pub fn order_events(&self, since: Option<EventCursor>) -> OrderEvents {
        OrderEvents {
            network: self.clone(),
            cursor: since,
            state: State::IDLE,
            fetch: |network, cursor| request(network, cursor).boxed(),
        }
    }
}

impl OrderEvents {
    /// Goes on with new events as they come, until none has come for the timeout of these settings. After an error it pauses and
    /// goes on, [`RowError::Unreadable`] aside. An event without an id, or one that cannot be read, may be delivered after each
    /// request, until one that has an id has followed.
    ///
    /// ```no_run
    /// use lastmile::{Poll, RowError, StreamExt as _};
    /// # use std::time::Duration;
    /// # use lastmile::onapi::{EventCursor, OnApi};
    ///
    /// # async fn example(network: OnApi, stored: Option<EventCursor>, store: impl Fn(&EventCursor)) {
    /// let every_minute = Poll::default().interval(Duration::from_secs(60)).timeout(Duration::MAX);
    /// let mut events = network.order_events(stored).follow(every_minute);
    /// while let Some(event) = events.next().await {
    ///     match event {
    ///         Ok(event) => event.cursor.iter().for_each(&store),
    ///         Err(RowError::Unreadable(row)) => println!("report this: {row:?}"),
    ///         Err(error) => println!("{error}"), // the next request follows in a minute
    ///     }
    /// }
    /// # }
    /// ```
    pub fn follow(self, settings: crate::Poll) -> Follow<Self> {
        let ends_poll = |event: &Result<DeliveredEvent, RowError>| matches!(event, Err(error) if !matches!(error, RowError::Unreadable(_)));
        Follow::new(self, settings, ends_poll)
    }

    /// The cursor behind the last event that was handed out and has an id.
    pub fn cursor(&self) -> Option<&EventCursor> {
        self.cursor.as_ref()
    }

    fn deliver(&mut self, event: OrderEvent) -> DeliveredEvent {
        let delivered = DeliveredEvent::new(event);
        if delivered.cursor.is_some() {
            self.cursor.clone_from(&delivered.cursor);
        }
        delivered
    }
}

/// Requests the events after a cursor.
async fn request(network: OnApi, cursor: Option<EventCursor>) -> Result<Option<State>, RowError> {
    let Some(mut rows) = open(&network, cursor.as_ref()).await? else { return Ok(None) };
    let Some(EventCursor(last)) = &cursor else { return first_list(rows).await.map(Some) };
    let mut listed = Vec::new();
    read_all(&mut rows, &mut listed).await?;
    if is_newest_first(&listed) == Some(true) {
        listed.reverse();
    }
    // A network that does not heed the cursor tells everything again: what is new is known only when the cursor was
    // seen, or was not up to the end.
    let known = listed.iter().rposition(|row| row.as_ref().is_ok_and(|event| id_of(event) == Some(last)));
    let new = listed.into_iter().skip(known.map_or(0, |at| at + 1)).collect();
    Ok(Some(State::Ready(new)))
}

async fn open(network: &OnApi, cursor: Option<&EventCursor>) -> Result<Option<Rows<OrderEvent>>, RowError> {
    let params = ListOrderEventsParams { since: cursor.map(|cursor| cursor.0.clone()) };
    let client = network.endpoint_client(EndpointName::OrderEvents).map_err(RowError::Call)?;
    match if_modified(client.list_order_events_rows(&params).await) {
        Ok(rows) => Ok(rows),
        Err(error) if says_nothing_to_list(&error) => match cursor {
            // Before the first order there is nothing to list.
            None => Ok(None),
            // There was an event, so it is the cursor that the network does not find.
            Some(_) => Err(RowError::UnknownCursor(error)),
        },
        Err(error) => Err(RowError::Call(error)),
    }
}

/// # Errors
/// [`RowError::Unreadable`] costs one event: polled again, the stream goes on after it. [`RowError::UnknownCursor`] when the
/// network does not know the event of the cursor, or not any more. Polled again after another error than the first, the stream
/// requests the events after the cursor again.
impl Stream for OrderEvents {
    type Item = Result<DeliveredEvent, RowError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            let row = match &mut this.state {
                State::Idle(pending) => {
                    let (network, cursor, fetch) = (&this.network, &this.cursor, this.fetch);
                    match ready!(pending.poll(cx, || fetch(network.clone(), cursor.clone()))) {
                        Ok(Some(state)) => this.state = state,
                        Ok(None) => return Poll::Ready(None),
                        Err(error) => return Poll::Ready(Some(Err(error))),
                    }
                    continue;
                }
                State::Reading(first, rows) => match first.pop_front() {
                    Some(row) => Some(row),
                    None => ready!(rows.poll_next_unpin(cx)),
                },
                State::Ready(rows) => rows.pop_front(),
            };
            return Poll::Ready(match row {
                None => {
                    this.state = State::IDLE;
                    None
                }
                Some(Ok(event)) => Some(Ok(this.deliver(event))),
                Some(Err(error)) => {
                    if !matches!(error, RowError::Unreadable(_)) {
                        this.state = State::IDLE;
                    }
                    Some(Err(error))
                }
            });
        }
    }
}

/// How many events of a first list are read before the first is handed out, at the most, to see how the list is ordered.
const LOOK_AHEAD: usize = 100;

/// What to do with all events that a network has.
async fn first_list(mut rows: Rows<OrderEvent>) -> Result<State, RowError> {
    let mut first = Vec::new();
    while first.len() < LOOK_AHEAD {
        match rows.next().await {
            Some(row) => first.push(row),
            None => break,
        }
        match is_newest_first(&first) {
            Some(true) => {
                // Handed out as they come, the cursor would stand behind the oldest in the end.
                read_all(&mut rows, &mut first).await?;
                if is_newest_first(&first) == Some(true) {
                    first.reverse();
                }
                return Ok(State::Ready(first.into()));
            }
            Some(false) => break,
            None => {}
        }
    }
    Ok(State::Reading(first.into(), Box::new(rows)))
}

/// Reads the rest of a list; none of it counts when it breaks off.
async fn read_all(
    rows: &mut Rows<OrderEvent>,
    listed: &mut Vec<Result<OrderEvent, RowError>>,
) -> Result<(), RowError> {
    while let Some(row) = rows.next().await {
        match row {
            Err(error) if !matches!(error, RowError::Unreadable(_)) => return Err(error),
            row => listed.push(row),
        }
    }
    Ok(())
}

/// Whether a list has its newest event first; none if nothing in it shows how it is ordered.
fn is_newest_first(listed: &[Result<OrderEvent, RowError>]) -> Option<bool> {
    let events = || listed.iter().filter_map(|row| row.as_ref().ok());
    let (mut rises, mut falls) = (false, false);
    let mut before = None;
    for number in events().filter_map(id_of).map(number_in) {
        if let (Some((was, prefix)), Some((is, same))) = (before, number)
            && prefix == same
        {
            (rises, falls) = (rises | (is > was), falls | (is < was));
        }
        before = number;
    }
    if rises != falls {
        return Some(falls);
    }
    let (mut rises, mut falls) = (false, false);
    let mut ranks = HashMap::new();
    for order in events().filter_map(|event| event.order.get()) {
        let (Some(path), Some(rank)) = (order.path.as_deref(), rank(order)) else { continue };
        if let Some(was) = ranks.insert(path, rank) {
            (rises, falls) = (rises | (rank > was), falls | (rank < was));
        }
    }
    (rises != falls).then_some(falls)
}

/// The number that an id ends with, and what stands before it: `e-17`.
fn number_in(id: &str) -> Option<(u128, &str)> {
    let prefix = id.trim_end_matches(|c: char| c.is_ascii_digit());
    id.get(prefix.len()..)?.parse().ok().map(|number| (number, prefix))
}

/// How far an order is. It never goes back. (Source: ON-API 2.6, orders.)
fn rank(order: &OrderOfEvent) -> Option<u8> {
    match order.progress().stage() {
        OrderStage::Received => Some(0),
        OrderStage::InProgress => Some(1),
        OrderStage::Done | OrderStage::Failed => Some(2),
        _ => None,
    }
}

fn id_of(event: &OrderEvent) -> Option<&str> {
    event.event.as_deref().filter(|id| !id.is_empty())
}
