//! Order events from the events of objects, for networks that have no order events.
//!
//! The standard plans to drop `/orderevents/` in its next version. (Source: ON-API, issue 4 of its repository.) The events of
//! objects name orders, but not their states, so each order is read.

use std::collections::{HashMap, VecDeque};
use std::task::{Context, Poll, ready};

use futures_util::StreamExt as _;
use lastmile_core::rows::RowError;
use lastmile_core::wire::{Lenient, Text};
use lastmile_onapi::types::{
    ObjectEvent, ObjectEventType, Order, OrderEvent, OrderOfEvent, OrderOfEventOperation, OrderOfEventState,
};

use super::events::EventCursor;
use super::ids::in_path;
use super::lists::{Changes, Cursor};
use super::{EndpointName, OnApi};
use crate::rules::OnApiId;
use crate::stream::Pending;

/// What distinguishes the cursor of object events from the id of an order event, which has neither spaces nor colons.
const PREFIX: &str = "objects since: ";

/// The events of orders since a cursor, and the cursor after them. Each order is read when its event is polled, so an error of
/// one call does not repeat the calls before it.
#[derive(Debug)]
pub(super) struct OrderEventsOfObjects {
    events: VecDeque<Result<ObjectEvent, RowError>>,
    cursor: Option<EventCursor>,
    order: Pending<Result<OrderEvent, RowError>>,
}

impl OrderEventsOfObjects {
    /// Reads the order of the next event. After an error of that call, the next poll makes it again. Returns `None` at the end.
    pub(super) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        network: &OnApi,
    ) -> Poll<Option<Result<OrderEvent, RowError>>> {
        let read = match self.events.front() {
            None => return Poll::Ready(None),
            Some(Ok(event)) => ready!(self.order.poll(cx, || order_event(network.clone(), event.clone()))),
            Some(Err(_)) => return Poll::Ready(self.events.pop_front().and_then(Result::err).map(Err)),
        };
        Poll::Ready(Some(read.map(|mut read| {
            self.events.pop_front();
            // Each event but the last may be delivered again: the network gives one cursor for all.
            if let (Some(cursor), true) = (&self.cursor, self.events.is_empty()) {
                read.event = Lenient::Value(cursor.as_str().into());
            }
            read
        })))
    }

    /// Returns the cursor after all events.
    pub(super) fn cursor(&mut self) -> Option<EventCursor> {
        self.cursor.take()
    }
}

/// Returns whether order events are to be read from the events of objects: by their cursor, or because the network has told
/// that it has no order events.
pub(super) fn are_used(network: &OnApi, cursor: Option<&EventCursor>) -> bool {
    let of_objects = cursor.is_some_and(|cursor| cursor.as_str().starts_with(PREFIX));
    let offers = |endpoint| network.offers_endpoint(endpoint);
    of_objects
        || (offers(EndpointName::OrderEvents) == Some(false) && offers(EndpointName::Events) == Some(true))
}

/// Requests the events of objects after a cursor, and reads the orders that they name. Returns `None` if nothing has changed.
pub(super) async fn request(
    network: &OnApi,
    cursor: Option<&EventCursor>,
) -> Result<Option<OrderEventsOfObjects>, RowError> {
    let since = cursor.and_then(|cursor| cursor.as_str().strip_prefix(PREFIX));
    let since = since.map(|since| Cursor(since.to_owned()));
    let mut rows = match network.object_events(since.as_ref()).await.map_err(RowError::Call)? {
        Changes::Rows(rows) => rows,
        Changes::NotModified | Changes::Nothing { .. } => return Ok(None),
    };
    let mut events = VecDeque::new();
    let mut orders = LastEvents::default();
    while let Some(row) = rows.next().await {
        match row {
            Ok(event) => orders.add(event),
            Err(RowError::Unreadable(row)) => events.push_back(Err(RowError::Unreadable(row))),
            Err(error) => return Err(error),
        }
    }
    events.extend(orders.in_order().into_iter().map(Ok));
    let next = rows.cursor().filter(|next| Some(*next) != since.as_ref());
    let cursor = next.map(|next| EventCursor::new(format!("{PREFIX}{}", next.0)));
    Ok(Some(OrderEventsOfObjects { events, cursor, order: Pending::none() }))
}

/// The last event of each order. The order is read as it is now, so earlier events would tell the same.
#[derive(Default)]
struct LastEvents {
    events: HashMap<String, (usize, ObjectEvent)>,
    count: usize,
}

impl LastEvents {
    fn add(&mut self, event: ObjectEvent) {
        if !is_of_an_order(&event) {
            return;
        }
        self.count += 1;
        // An event that names no order is delivered, too: the cursor must not pass it unseen.
        let key = order_id(&event).map_or_else(|| format!("event {}", self.count), |id| id.to_string());
        self.events.insert(key, (self.count, event));
    }

    fn in_order(self) -> Vec<ObjectEvent> {
        let mut events: Vec<(usize, ObjectEvent)> = self.events.into_values().collect();
        events.sort_by_key(|(number, _)| *number);
        events.into_iter().map(|(_, event)| event).collect()
    }
}

/// Returns whether an event is that of an order: by its type or, if that is absent or cannot be read, by its path.
fn is_of_an_order(event: &ObjectEvent) -> bool {
    match event.object_type.as_deref().unwrap_or_default() {
        "" => {
            let path = event.path.as_deref().unwrap_or_default();
            path.split('/').any(|segment| segment.eq_ignore_ascii_case("orders"))
        }
        // The text of the standard has the plural, its samples the singular. (Source: ON-API 2.4 to 2.6, events.)
        kind => kind.eq_ignore_ascii_case("order") || kind.eq_ignore_ascii_case("orders"),
    }
}

/// Returns the id of the order that an event names, by itself or in its path.
fn order_id(event: &ObjectEvent) -> Option<OnApiId> {
    event.object_id.as_deref().and_then(|id| id.parse().ok()).or_else(|| in_path(&event.path).ok())
}

/// Returns the order event for an event of an object. An order that was deleted, or that the event does not name, has neither state
/// nor operation.
async fn order_event(network: OnApi, event: ObjectEvent) -> Result<OrderEvent, RowError> {
    let is_deleted = event.type_.get() == Some(&ObjectEventType::Delete);
    let id = order_id(&event);
    let path = match &id {
        Some(id) if event.path.as_deref().is_none_or(str::is_empty) => {
            Lenient::Value(format!("/orders/{id}").into())
        }
        _ => event.path,
    };
    let unknown = OrderOfEvent { path: path.clone(), ..OrderOfEvent::default() };
    let order = match id {
        Some(id) if !is_deleted => match network.order(&id).await {
            Ok(order) => of_event(order, path),
            // The order was deleted since.
            Err(error) if error.status().is_some_and(|status| status.as_u16() == 404) => unknown,
            Err(error) => return Err(RowError::Call(error)),
        },
        _ => unknown,
    };
    Ok(OrderEvent { order: Lenient::Value(order), ..OrderEvent::default() })
}

/// Returns what an order event shows of an order.
fn of_event(order: Order, path: Lenient<Text>) -> OrderOfEvent {
    OrderOfEvent {
        path: if order.path.get().is_some() { order.path } else { path },
        access_id: order.access_id,
        service: order.service,
        operation: order.operation.get().map_or_else(Lenient::default, |operation| {
            Lenient::Value(OrderOfEventOperation::from(operation.as_str()))
        }),
        state: order
            .state
            .get()
            .map_or_else(Lenient::default, |state| Lenient::Value(OrderOfEventState::from(state.as_str()))),
        message: order.message,
        ..OrderOfEvent::default()
    }
}
