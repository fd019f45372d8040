//! What becomes of orders, event by event.

use std::collections::VecDeque;
use std::time::Duration;

use futures_util::stream::{self, Stream};
use lastmile_core::call::{Body, Error};
use lastmile_core::rows::{RowError, Rows};
use lastmile_core::wire::Loose;
use lastmile_onapi::Client;
use lastmile_onapi::types::{ListOrderEventsParams, OrderEvent, OrderOfEvent};
use serde::{Deserialize, Serialize};

use super::lists::says_nothing_to_list;
use super::{EndpointName, OnApi};
use crate::rules::OnApiId;

/// The event that was handed out last, by the network's id. Store it together with what the event brought about: then no
/// event is lost or done twice, whenever the process ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EventCursor(String);

/// The events of orders behind a cursor, in the order of the network.
///
/// ```no_run
/// # use lastmile::HasProgress;
/// # use lastmile::onapi::{EventCursor, OnApi};
/// # async fn example(
/// #     network: OnApi, stored: Option<EventCursor>, store: impl Fn(&EventCursor),
/// # ) -> Result<(), Box<dyn std::error::Error>> {
/// let mut events = network.order_events(stored);
/// while let Some(event) = events.next().await {
///     let event = event?;
///     if let Some(order) = event.event.order.get() {
///         println!("{:?}: {:?}", lastmile::onapi::order_id(order), order.progress().stage());
///     }
///     if let Some(cursor) = event.cursor {
///         store(&cursor); // in one transaction with what the event brought about
///     }
/// }
/// // That is all for now. Ask again later: the same value goes on where it is.
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct OrderEvents {
    network: OnApi,
    cursor: Option<EventCursor>,
    state: State,
}

#[derive(Debug)]
enum State {
    /// The network is to be asked.
    Resting,
    /// There is no cursor yet: rows are handed out as they come.
    Reading(Box<Rows<OrderEvent>>),
    /// These came behind the cursor.
    Ready(VecDeque<Result<OrderEvent, RowError>>),
}

/// An event, handed out.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct HandedOut {
    /// The event.
    pub event: OrderEvent,
    /// The cursor that stands behind it. None if the network gave the event no id: it may come again whenever the network is
    /// asked, until one that has an id has followed.
    pub cursor: Option<EventCursor>,
}

impl OnApi {
    /// The events of orders behind a cursor, or all of them. Nothing is sent before the first is asked for.
    ///
    /// A network may answer that it does not know the event of the cursor: then begin without one.
    pub fn order_events(&self, since: Option<EventCursor>) -> OrderEvents {
        OrderEvents { network: self.clone(), cursor: since, state: State::Resting }
    }
}

impl OrderEvents {
    /// The next event; none when there is no further one now. Asked again after that, it asks the network again: pause
    /// between.
    ///
    /// Where the network tells again what the cursor stands behind, that is passed over.
    ///
    /// # Errors
    /// [`RowError::Unreadable`] costs one event and no more: the next call goes on behind it. After every other error the
    /// next call asks the network again, from the cursor on.
    pub async fn next(&mut self) -> Option<Result<HandedOut, RowError>> {
        loop {
            let row = match &mut self.state {
                State::Resting => {
                    match self.ask().await {
                        Ok(Some(state)) => self.state = state,
                        Ok(None) => return None,
                        Err(error) => return Some(Err(error)),
                    }
                    continue;
                }
                State::Reading(rows) => rows.next().await,
                State::Ready(rows) => rows.pop_front(),
            };
            return match row {
                None => {
                    self.state = State::Resting;
                    None
                }
                Some(Ok(event)) => Some(Ok(self.hand_out(event))),
                Some(Err(error)) => {
                    if !matches!(error, RowError::Unreadable(_)) {
                        self.state = State::Resting;
                    }
                    Some(Err(error))
                }
            };
        }
    }

    /// The same as a stream that does not end: where there is no further event it pauses, then asks again. So it does after an
    /// error, [`RowError::Unreadable`] aside. An event without an id, or one that cannot be read, may be told at each asking,
    /// until one that has an id has followed.
    ///
    /// ```no_run
    /// # use std::{pin::pin, time::Duration};
    /// # use lastmile::{RowError, onapi::{EventCursor, OnApi}};
    /// use futures_util::StreamExt as _;
    ///
    /// # async fn example(network: OnApi, stored: Option<EventCursor>, store: impl Fn(&EventCursor)) {
    /// let mut events = pin!(network.order_events(stored).into_stream(Duration::from_secs(60)));
    /// while let Some(event) = events.next().await {
    ///     match event {
    ///         Ok(event) => event.cursor.iter().for_each(&store),
    ///         Err(RowError::Unreadable(row)) => println!("report this: {row:?}"),
    ///         Err(error) => println!("{error}"), // the network is asked again in a minute
    ///     }
    /// }
    /// # }
    /// ```
    pub fn into_stream(self, pause: Duration) -> impl Stream<Item = Result<HandedOut, RowError>> + Send {
        stream::unfold((self, false), move |(mut events, mut rests)| async move {
            loop {
                if rests {
                    tokio::time::sleep(pause).await;
                }
                if let Some(event) = events.next().await {
                    let rests = matches!(&event, Err(error) if !matches!(error, RowError::Unreadable(_)));
                    return Some((event, (events, rests)));
                }
                rests = true;
            }
        })
    }

    /// The cursor behind the last event that was handed out and has an id.
    pub fn cursor(&self) -> Option<&EventCursor> {
        self.cursor.as_ref()
    }

    fn hand_out(&mut self, event: OrderEvent) -> HandedOut {
        let cursor = id_of(&event).map(|id| EventCursor(id.to_owned()));
        if cursor.is_some() {
            self.cursor.clone_from(&cursor);
        }
        HandedOut { event, cursor }
    }

    async fn ask(&self) -> Result<Option<State>, RowError> {
        let Some(mut rows) = self.open().await.map_err(RowError::Call)? else { return Ok(None) };
        let Some(EventCursor(last)) = &self.cursor else { return Ok(Some(State::Reading(Box::new(rows)))) };
        // A network that does not heed the cursor tells everything again: what is new is known only when the cursor was
        // seen, or was not up to the end.
        let mut new = VecDeque::new();
        while let Some(row) = rows.next().await {
            match row {
                Ok(event) if id_of(&event) == Some(last) => new.clear(),
                Err(error) if !matches!(error, RowError::Unreadable(_)) => return Err(error),
                row => new.push_back(row),
            }
        }
        Ok(Some(State::Ready(new)))
    }

    async fn open(&self) -> Result<Option<Rows<OrderEvent>>, Error> {
        let params = ListOrderEventsParams { since: self.cursor.as_ref().map(|cursor| cursor.0.clone()) };
        let way = self.network.way(EndpointName::OrderEvents)?;
        let call = |client: Client| async move { client.list_order_events_stream(&params).await };
        match way.open(call).await {
            Ok(reply) => Ok(reply.map(|reply| self.rows(reply.value))),
            // Before the first order there is nothing to list.
            Err(error) if says_nothing_to_list(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn rows(&self, body: Body) -> Rows<OrderEvent> {
        Rows::new(body, self.network.handle.policy().row_limit())
    }
}

fn id_of(event: &OrderEvent) -> Option<&str> {
    event.event.as_deref().filter(|id| !id.is_empty())
}

/// The id of the order that an event is about: the last part of its `path`, since events carry no other. (Source: ON-API
/// 2.6, order events.)
pub fn order_id(order: &OrderOfEvent) -> Option<OnApiId> {
    order_id_of(&order.path)
}

/// The id in the `path` of an order.
pub(super) fn order_id_of(path: &Loose<String>) -> Option<OnApiId> {
    path.as_deref()?.trim_end_matches('/').rsplit('/').next()?.parse().ok()
}
