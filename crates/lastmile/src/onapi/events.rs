//! Order events: a stream of the changes of orders.

use std::collections::{HashMap, VecDeque};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_util::StreamExt as _;
use futures_util::future::{BoxFuture, FutureExt as _};
use futures_util::stream::Stream;
use lastmile_core::rows::{RowError, Rows};
use lastmile_core::{Error, Outcome};
use lastmile_onapi::types::{ListOrderEventsParams, OrderEvent, OrderOfEvent};
use serde::{Deserialize, Deserializer, Serialize};

use super::lists::{if_modified, says_nothing_to_list};
use super::object_events::{self, OrderEventsOfObjects};
use super::{EndpointName, OnApi};
use crate::stream::{Follow, Pending};
use crate::{HasProgress as _, OrderStage, redact};

/// The id of the last delivered event, as assigned by the network. Store the cursor in the same transaction as the effects of
/// the event. Then no event is lost or processed twice, even if the process ends at any point.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct EventCursor(String);

impl EventCursor {
    pub(super) fn new(text: String) -> Self {
        Self(text)
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for EventCursor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        redact::text(deserializer).map(Self)
    }
}

/// A [`Stream`] of the order events after a cursor. [`OnApi::order_events`] creates it.
///
/// The stream ends when there are no further events at present. When polled again after that, it requests new events. Pause
/// before polling again, or use [`follow`](Self::follow).
///
/// The stream skips events up to the cursor if the network lists them again. It delivers the oldest event first, even if the
/// network lists the newest first. It detects the order of the list from the numbers in the ids, or from the states of an
/// order, which never go back. If the events show neither, the stream assumes that the list has the oldest event first.
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
    /// No events are available; the next poll requests them.
    Idle(Pending<Requested>),
    /// There is no cursor yet: rows are delivered as they arrive, after the rows that were read first.
    Reading(VecDeque<Result<OrderEvent, RowError>>, Box<Rows<OrderEvent>>),
    /// The events after the cursor.
    Ready(VecDeque<Result<OrderEvent, RowError>>),
    /// The events of objects after the cursor.
    OfObjects(Box<OrderEventsOfObjects>),
}

/// The outcome of a request: the new state, or `None` if there are no events.
type Requested = Result<Option<State>, RowError>;

impl State {
    const IDLE: Self = Self::Idle(Pending::none());
}

/// An event and the cursor after it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DeliveredEvent {
    /// The event.
    pub event: OrderEvent,
    /// The cursor after the event. `None` if the network did not assign an id to the event. Such an event may be delivered
    /// again after each request, until an event with an id follows.
    pub cursor: Option<EventCursor>,
}

impl DeliveredEvent {
    pub(crate) fn new(event: OrderEvent) -> Self {
        let cursor = id_of(&event).map(|id| EventCursor(id.to_owned()));
        Self { event, cursor }
    }
}

impl OnApi {
    /// Returns a stream of the order events after a cursor, or of all order events that the network has. The first request is
    /// sent when the stream is first polled.
    ///
    /// The stream fails if the network does not know the event of the cursor, for example with [`RowError::UnknownCursor`]. In
    /// that case start without a cursor, or from a cursor that the network knows.
    ///
    /// For a network without order events, whose directory does not list them or that returns status 405 or 501 for them,
    /// the stream reads the events of objects instead, and each order that they name. It then delivers the present state of an
    /// order, not each state that it went through, and only the last event of a batch has a cursor. An event of a deleted order
    /// has no state. A network keeps the events of objects for 24 hours: if more time has passed since the cursor, read your open
    /// orders, too. These lists have no pages; a response with a link to a next page is an error. (Source: ON-API 2.4 to 2.6,
    /// events.)
    #[doc(alias = "listOrderEvents")]
    #[doc(alias = "GET /orderevents/")]
    #[doc(alias = "listEvents")]
    #[doc(alias = "GET /events/")]
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
    /// Returns a stream that continues with new events as they arrive, until no event has arrived for the `timeout` of
    /// `settings`. After an error other than [`RowError::Unreadable`], the stream pauses and then continues. An event that has
    /// no id, or that cannot be decoded, may be delivered again after each request, until an event with an id follows.
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
        let clock = self.network.client.clock().clone();
        Follow::new(self, settings, clock, ends_poll)
    }

    /// Returns the cursor after the last delivered event that has an id.
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
    if object_events::are_used(&network, cursor.as_ref()) {
        return of_objects(&network, cursor.as_ref()).await;
    }
    let mut rows = match open(&network, cursor.as_ref()).await {
        Ok(Some(rows)) => rows,
        Ok(None) => return Ok(None),
        Err(RowError::Call(error)) if has_no_such_endpoint(&error) => {
            // The error of the order events says more, if the network has no events at all.
            let of_objects = of_objects(&network, None).await;
            return of_objects.map_err(|_| RowError::Call(error));
        }
        Err(error) => return Err(error),
    };
    let Some(EventCursor(last)) = &cursor else { return first_list(rows).await.map(Some) };
    let mut listed = Vec::new();
    read_all(&mut rows, &mut listed).await?;
    if is_newest_first(&listed) == Some(true) {
        listed.reverse();
    }
    // A network that ignores the cursor lists all events again. If the cursor is in the list, only the events after it are new;
    // if not, all events are.
    let known = listed.iter().rposition(|row| row.as_ref().is_ok_and(|event| id_of(event) == Some(last)));
    let new = listed.into_iter().skip(known.map_or(0, |at| at + 1)).collect();
    Ok(Some(State::Ready(new)))
}

/// Returns whether the network states that it has no order events. A 404 may also be that of a wrong address. (Source: ON-API
/// 2.6, responses: 501 for an endpoint that is not implemented.)
fn has_no_such_endpoint(error: &Error) -> bool {
    error.outcome() == Outcome::Rejected
        && error.status().is_some_and(|status| matches!(status.as_u16(), 405 | 501))
}

/// Requests the events of objects after a cursor.
async fn of_objects(network: &OnApi, cursor: Option<&EventCursor>) -> Requested {
    let news = object_events::request(network, cursor).await?;
    Ok(news.map(|news| State::OfObjects(Box::new(news))))
}

async fn open(network: &OnApi, cursor: Option<&EventCursor>) -> Result<Option<Rows<OrderEvent>>, RowError> {
    let params = ListOrderEventsParams { since: cursor.map(|cursor| cursor.0.clone()) };
    let client = network.endpoint_client(EndpointName::OrderEvents).map_err(RowError::Call)?;
    match if_modified(client.list_order_events_rows(&params).await) {
        Ok(rows) => Ok(rows),
        Err(error) if says_nothing_to_list(&error) => match cursor {
            // Before the first order there is nothing to list.
            None => Ok(None),
            // There was an event before, so the network does not know the cursor.
            Some(_) => Err(RowError::UnknownCursor(error)),
        },
        Err(error) => Err(RowError::Call(error)),
    }
}

/// # Errors
/// Returns [`RowError::Unreadable`] for an event that cannot be decoded; when polled again, the stream continues after that
/// event. Returns [`RowError::UnknownCursor`] when the network does not, or no longer, know the event of the cursor. When
/// polled again after an error other than [`RowError::Unreadable`], the stream requests the events after the cursor again, or
/// the order that it could not read.
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
                State::OfObjects(news) => match ready!(news.poll(cx, &this.network)) {
                    // The events may have been those of other objects.
                    None => {
                        this.cursor = news.cursor().or(this.cursor.take());
                        None
                    }
                    // The events that were read already are not delivered again.
                    Some(Err(error @ RowError::Call(_))) => return Poll::Ready(Some(Err(error))),
                    row => row,
                },
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

/// The maximum number of events of a first list that are read, before the first is delivered, to detect the order of the list.
const LOOK_AHEAD: usize = 100;

/// Starts to deliver all events of a network, after detecting the order of the list.
async fn first_list(mut rows: Rows<OrderEvent>) -> Result<State, RowError> {
    let mut first = Vec::new();
    while first.len() < LOOK_AHEAD {
        match rows.next().await {
            Some(row) => first.push(row),
            None => break,
        }
        match is_newest_first(&first) {
            Some(true) => {
                // If these events were delivered as they arrive, the last cursor would be that of the oldest event.
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

/// Reads the rest of a list. Fails if the list breaks off, in which case the caller discards all rows.
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

/// Returns whether a list has its newest event first, or `None` if its events do not show the order.
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

/// Returns the number at the end of an id, and the prefix before it, as in `e-17`.
fn number_in(id: &str) -> Option<(u128, &str)> {
    let prefix = id.trim_end_matches(|c: char| c.is_ascii_digit());
    id.get(prefix.len()..)?.parse().ok().map(|number| (number, prefix))
}

/// Returns the rank of an order's state. The state of an order never goes back. (Source: ON-API 2.6, orders.)
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
