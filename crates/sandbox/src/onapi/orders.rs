//! The operations on orders, and the events about them.

mod control;

use fastrand::Rng;
use serde_json::{Value, json};

use super::event_log::{Change, EventLog};
use super::execution;
use super::network::Network;
use super::order::{Order, OrderForm, OrderState, order_id};
use super::order_book::OrderBook;
use super::query::Query;
use super::response::{ErrorResponse, OperationResult, SuccessResponse};
use super::validation::{Decision, validate};
use crate::json::text;

#[derive(Debug)]
pub(super) struct Orders {
    form: OrderForm,
    book: OrderBook,
    first_event: usize,
    events: Vec<Value>,
}

impl Orders {
    pub(super) fn new(rng: &mut Rng, form: OrderForm, deduplicates: bool) -> Orders {
        Orders {
            form,
            book: OrderBook::new(rng, deduplicates),
            first_event: rng.usize(10_000..90_000),
            events: Vec::new(),
        }
    }

    pub(super) fn list(&self, query: &Query) -> OperationResult {
        let access_id = query.get("accessId");
        let state = match query.get("state") {
            None => None,
            // A sample of the standard has the state in double quotes.
            Some(name) => Some(
                OrderState::from_name(name.trim_matches('"'))
                    .ok_or_else(|| ErrorResponse::new(400, "state: there is no such state"))?,
            ),
        };
        let matches = |order: &Order| match (access_id, state) {
            (None, None) => order.state.is_open(),
            _ => state.is_none_or(|state| state == order.state),
        };
        let value =
            |(number, order): (usize, &Order)| matches(order).then(|| order.value(number, &self.form));
        let orders: Vec<_> = match access_id {
            Some(access_id) => self.book.of_access(access_id).filter_map(value).collect(),
            None => self.book.iter().filter_map(value).collect(),
        };
        if orders.is_empty() {
            return Err(ErrorResponse::new(404, "There are no such orders"));
        }
        Ok(SuccessResponse::json(200, orders.into()))
    }

    pub(super) fn get(&self, id: &str) -> OperationResult {
        let (number, order) = self.book.find(id)?;
        Ok(SuccessResponse::json(200, order.value(number, &self.form)))
    }

    /// Places an order, unless it is a duplicate. Returns whether an order was placed, and the response.
    pub(super) fn place(
        &mut self,
        request: &Value,
        network: &mut Network,
        event_log: &mut EventLog,
    ) -> Result<(bool, SuccessResponse), ErrorResponse> {
        match validate(request, self.form.paths.dialect, network, &self.book, None)? {
            Decision::Place(target) => {
                let subscription_id =
                    target.subscription_id.clone().unwrap_or_else(|| network.new_subscription_id());
                let number = self.book.new_number();
                let id = order_id(number);
                let now = event_log.record(Change::Create, "orders", &id, &id);
                self.book.insert(number, Order::new(request, target, subscription_id, now));
                self.record_event(number);
                let value = self.created_value(number);
                let response = SuccessResponse::json(201, value);
                Ok((true, response.header("location", self.form.paths.item("orders", &id))))
            }
            Decision::Duplicate(number) => {
                let value = self.created_value(number);
                Ok((false, SuccessResponse::json(200, value)))
            }
            Decision::AlreadyDone(target) => {
                let done = json!({
                    "accessId": target.access_id,
                    "service": target.service,
                    "operation": text(request, "operation"),
                    "state": OrderState::Success.name(),
                    "message": "",
                });
                Ok((false, SuccessResponse::json(200, done)))
            }
        }
    }

    /// Changes an order: replaces all fields, or those that the request has. Returns whether anything changed.
    pub(super) fn change(
        &mut self,
        id: &str,
        request: &Value,
        replace_all: bool,
        network: &mut Network,
        event_log: &mut EventLog,
    ) -> Result<bool, ErrorResponse> {
        let (number, order) = self.find_received(id)?;
        if text(request, "orderId").is_some_and(|other| other != id) {
            return Err(ErrorResponse::new(400, "orderId: it is not the one of the address"));
        }
        let wanted = if replace_all { request.clone() } else { order.patched_request(request) };
        let target = match validate(&wanted, self.form.paths.dialect, network, &self.book, Some(number))? {
            Decision::Place(target) => target,
            Decision::Duplicate(_) => {
                return Err(ErrorResponse::new(409, "The service has another open order"));
            }
            Decision::AlreadyDone(_) => {
                return Err(ErrorResponse::new(409, "There is nothing left to be done"));
            }
        };
        let keeps = (order.operation() == "ACTIVATE").then(|| order.subscription_id.clone());
        let subscription_id = target.subscription_id.clone().or(keeps);
        let subscription_id = subscription_id.unwrap_or_else(|| network.new_subscription_id());
        let changed = Order::new(&wanted, target, subscription_id, order.placed);
        if *order == changed {
            return Ok(false);
        }
        self.book.remove(number);
        self.book.insert(number, changed);
        event_log.record(Change::Update, "orders", id, id);
        Ok(true)
    }

    pub(super) fn cancel(&mut self, id: &str, event_log: &mut EventLog) -> Result<(), ErrorResponse> {
        let (number, _) = self.find_received(id)?;
        self.book.remove(number);
        event_log.record(Change::Delete, "orders", id, id);
        Ok(())
    }

    /// Advances every open order by one state, or only those that are due.
    pub(super) fn advance(&mut self, only_due: bool, network: &mut Network, event_log: &mut EventLog) {
        let now = event_log.now();
        let advances = |order: &Order| order.state.is_open() && (!only_due || order.due <= now);
        let open = self.book.iter().filter(|(_, order)| advances(order));
        let open: Vec<_> = open.map(|(number, order)| (number, order.clone())).collect();
        for (number, order) in open {
            self.advance_order(number, order, network, event_log);
        }
    }

    /// Advances an order by one state. The clock advances at least to the requested time of an order that starts.
    fn advance_order(
        &mut self,
        number: usize,
        order: Order,
        network: &mut Network,
        event_log: &mut EventLog,
    ) {
        let state = match order.state {
            OrderState::Received => {
                event_log.advance_to(order.due);
                (OrderState::InProgress, "")
            }
            _ => match execution::carry_out(&order, self.book.deduplicates, network, event_log) {
                Ok(()) => (OrderState::Success, ""),
                Err(why) => (OrderState::Failed, why),
            },
        };
        self.set_state(number, order, state, event_log);
    }

    /// Sets the state of an order and its message.
    fn set_state(
        &mut self,
        number: usize,
        order: Order,
        (state, message): (OrderState, &'static str),
        event_log: &mut EventLog,
    ) {
        let id = order_id(number);
        event_log.record(Change::Update, "orders", &id, &id);
        self.book.insert(number, Order { state, message, ..order });
        self.record_event(number);
    }

    /// Lists the events after the one with this id. Events never change.
    pub(super) fn events(&self, since: Option<&str>) -> OperationResult {
        if self.events.is_empty() {
            return Err(ErrorResponse::new(404, "No order was placed yet"));
        }
        let start = match since {
            None => 0,
            Some(event) => {
                let index = event.strip_prefix("e-").and_then(|number| number.parse::<usize>().ok());
                let index = index.and_then(|number| number.checked_sub(self.first_event));
                let is_that_event = |index: &usize| {
                    self.events.get(*index).is_some_and(|one| text(one, "event") == Some(event))
                };
                let known = index.filter(is_that_event);
                known.ok_or_else(|| ErrorResponse::new(400, format!("since: there is no event {event}")))? + 1
            }
        };
        Ok(SuccessResponse::json(200, self.events[start..].into()))
    }

    fn record_event(&mut self, number: usize) {
        let Some(order) = self.book.get(number) else { return };
        let event = json!({
            "event": format!("e-{}", self.first_event + self.events.len()),
            "order": {
                "path": self.form.paths.item("orders", &order_id(number)),
                "accessId": order.access_id,
                "service": order.service,
                "operation": order.operation(),
                "state": order.state.name(),
                "message": order.message,
            },
        });
        self.events.push(event);
    }

    /// Returns an order that can still be changed or cancelled.
    fn find_received(&self, id: &str) -> Result<(usize, &Order), ErrorResponse> {
        let (number, order) = self.book.find(id)?;
        if order.state != OrderState::Received {
            return Err(ErrorResponse::new(
                409,
                format!("The order is no longer RECEIVED: {}", order.state.name()),
            ));
        }
        Ok((number, order))
    }

    fn created_value(&self, number: usize) -> Value {
        self.book.get(number).map(|order| order.created_value(number, &self.form)).unwrap_or_default()
    }
}
