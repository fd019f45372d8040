//! Orders and what becomes of them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use fastrand::Rng;
use serde_json::{Map, Value, json};

use super::chronicle::{Change, Chronicle};
use super::execution;
use super::habits::{PathHabits, Query};
use super::network::Network;
use super::placing::{Target, Verdict, judge};
use super::reply::{Handled, Refusal, Reply, text};
use super::time::{Moment, parse_rfc_3339, rfc_3339};

/// Fields of a request that are the CO's to set. What a request says there is not looked at.
const SET_BY_THE_CO: [&str; 7] =
    ["orderId", "accessId", "service", "subscriptionId", "expectedCompletionDate", "state", "message"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Received,
    InProgress,
    Success,
    Failed,
}

impl State {
    fn name(self) -> &'static str {
        match self {
            State::Received => "RECEIVED",
            State::InProgress => "IN_PROGRESS",
            State::Success => "DONE_SUCCESS",
            State::Failed => "DONE_FAILED",
        }
    }

    fn named(name: &str) -> Option<State> {
        let all = [State::Received, State::InProgress, State::Success, State::Failed];
        all.into_iter().find(|state| state.name() == name)
    }

    fn is_open(self) -> bool {
        matches!(self, State::Received | State::InProgress)
    }
}

/// An order as it was sent and completed by the CO.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Order {
    pub(super) access_id: String,
    pub(super) service: &'static str,
    pub(super) subscription_id: String,
    /// What the service provider gave along, with `equipment` as a list.
    pub(super) given: Value,
    state: State,
    message: &'static str,
    placed: Moment,
    /// When it is to be carried out.
    due: Moment,
}

impl Order {
    fn new(request: &Value, target: Target, subscription_id: String, placed: Moment) -> Order {
        let Target { access_id, service, .. } = target;
        let requested = text(request, "requestedDateTime").and_then(parse_rfc_3339).unwrap_or(placed);
        Order {
            access_id,
            service,
            subscription_id,
            given: given(request),
            state: State::Received,
            message: "",
            placed,
            due: requested.max(placed),
        }
    }

    pub(super) fn operation(&self) -> &str {
        text(&self.given, "operation").unwrap_or_default()
    }
}

#[derive(Debug)]
pub(super) struct Orders {
    habits: PathHabits,
    deduplicates: bool,
    by_number: BTreeMap<usize, Order>,
    /// The numbers of the orders of each access.
    by_access: HashMap<String, BTreeSet<usize>>,
    next_number: usize,
    first_event: usize,
    events: Vec<Value>,
}

impl Orders {
    pub(super) fn new(rng: &mut Rng, habits: PathHabits, deduplicates: bool) -> Orders {
        Orders {
            habits,
            deduplicates,
            by_number: BTreeMap::new(),
            by_access: HashMap::new(),
            next_number: rng.usize(10_000..90_000),
            first_event: rng.usize(10_000..90_000),
            events: Vec::new(),
        }
    }

    pub(super) fn deduplicates(&self) -> bool {
        self.deduplicates
    }

    /// The oldest open order for the same service on the same access, whatever it is to do: the standard looks
    /// at the service alone.
    pub(super) fn open(&self, target: &Target, except: Option<usize>) -> Option<usize> {
        let mut orders = self.of_access(&target.access_id);
        let same = |order: &Order| order.state.is_open() && order.service == target.service;
        orders.find(|(number, order)| Some(*number) != except && same(order)).map(|(number, _)| number)
    }

    /// The orders of an access, the oldest first.
    fn of_access(&self, access_id: &str) -> impl Iterator<Item = (usize, &Order)> {
        let numbers = self.by_access.get(access_id).into_iter().flatten();
        numbers.filter_map(|number| Some((*number, self.by_number.get(number)?)))
    }

    pub(super) fn list(&self, query: &Query) -> Handled {
        let access_id = query.get("accessId");
        let state = match query.get("state") {
            None => None,
            Some(name) => {
                Some(State::named(name).ok_or_else(|| Refusal::new(400, "state: there is no such state"))?)
            }
        };
        let fits = |order: &Order| match (access_id, state) {
            (None, None) => order.state.is_open(),
            _ => state.is_none_or(|state| state == order.state),
        };
        let value = |(number, order): (usize, &Order)| fits(order).then(|| self.value(number, order));
        let orders: Vec<_> = match access_id {
            Some(access_id) => self.of_access(access_id).filter_map(value).collect(),
            None => self.by_number.iter().map(|(number, order)| (*number, order)).filter_map(value).collect(),
        };
        if orders.is_empty() {
            return Err(Refusal::new(404, "There are no such orders"));
        }
        Ok(Reply::json(200, orders.into()))
    }

    pub(super) fn get(&self, id: &str) -> Handled {
        let (number, order) = self.find(id)?;
        Ok(Reply::json(200, self.value(number, order)))
    }

    /// Whether an order was placed, and what to answer.
    pub(super) fn place(
        &mut self,
        request: &Value,
        network: &mut Network,
        chronicle: &mut Chronicle,
    ) -> Result<(bool, Reply), Refusal> {
        match judge(request, network, self, None)? {
            Verdict::New(target) => {
                let subscription_id =
                    target.subscription_id.clone().unwrap_or_else(|| network.new_subscription_id());
                let number = self.next_number;
                self.next_number += 1;
                let id = id(number);
                let now = chronicle.note(Change::Create, "orders", &id, &id);
                self.put(number, Order::new(request, target, subscription_id, now));
                self.log(number);
                let value = self.by_number.get(&number).map(|order| self.value(number, order));
                let reply = Reply::json(201, value.unwrap_or_default());
                Ok((true, reply.header("location", self.habits.item("orders", &id))))
            }
            Verdict::Open(number) => {
                let value = self.by_number.get(&number).map(|order| self.value(number, order));
                Ok((false, Reply::json(200, value.unwrap_or_default())))
            }
            Verdict::Done(target) => {
                let done = json!({
                    "accessId": target.access_id,
                    "service": target.service,
                    "operation": text(request, "operation"),
                    "state": State::Success.name(),
                    "message": "",
                });
                Ok((false, Reply::json(200, done)))
            }
        }
    }

    /// Makes the order what the request says: wholly, or in the fields that the request has. Whether anything
    /// is new.
    pub(super) fn change(
        &mut self,
        id: &str,
        request: &Value,
        wholly: bool,
        network: &mut Network,
        chronicle: &mut Chronicle,
    ) -> Result<bool, Refusal> {
        let (number, order) = self.find_received(id)?;
        if text(request, "orderId").is_some_and(|other| other != id) {
            return Err(Refusal::new(400, "orderId: it is not the one of the address"));
        }
        let wanted = if wholly { request.clone() } else { laid_over(order, request) };
        let target = match judge(&wanted, network, self, Some(number))? {
            Verdict::New(target) => target,
            Verdict::Open(_) => return Err(Refusal::new(409, "The service has another open order")),
            Verdict::Done(_) => return Err(Refusal::new(409, "There is nothing left to be done")),
        };
        let keeps = (order.operation() == "ACTIVATE").then(|| order.subscription_id.clone());
        let subscription_id = target.subscription_id.clone().or(keeps);
        let subscription_id = subscription_id.unwrap_or_else(|| network.new_subscription_id());
        let changed = Order::new(&wanted, target, subscription_id, order.placed);
        if self.by_number.get(&number) == Some(&changed) {
            return Ok(false);
        }
        self.take_away(number);
        self.put(number, changed);
        chronicle.note(Change::Update, "orders", id, id);
        Ok(true)
    }

    pub(super) fn cancel(&mut self, id: &str, chronicle: &mut Chronicle) -> Result<(), Refusal> {
        let (number, _) = self.find_received(id)?;
        self.take_away(number);
        chronicle.note(Change::Delete, "orders", id, id);
        Ok(())
    }

    fn put(&mut self, number: usize, order: Order) {
        self.by_access.entry(order.access_id.clone()).or_default().insert(number);
        self.by_number.insert(number, order);
    }

    fn take_away(&mut self, number: usize) {
        let Some(order) = self.by_number.remove(&number) else { return };
        if let Some(numbers) = self.by_access.get_mut(&order.access_id) {
            numbers.remove(&number);
        }
    }

    /// Moves every open order on by one step.
    pub(super) fn advance(&mut self, network: &mut Network, chronicle: &mut Chronicle) {
        let open = self.by_number.iter().filter(|(_, order)| order.state.is_open());
        let open: Vec<_> = open.map(|(number, order)| (*number, order.clone())).collect();
        for (number, order) in open {
            let (state, message) = match order.state {
                State::Received => {
                    chronicle.wait_for(order.due);
                    (State::InProgress, "")
                }
                _ => match execution::carry_out(&order, self.deduplicates, network, chronicle) {
                    Ok(()) => (State::Success, ""),
                    Err(why) => (State::Failed, why),
                },
            };
            let id = id(number);
            chronicle.note(Change::Update, "orders", &id, &id);
            self.put(number, Order { state, message, ..order });
            self.log(number);
        }
    }

    /// The events after the one with this id; those of a CO never change.
    pub(super) fn events(&self, since: Option<&str>) -> Handled {
        if self.events.is_empty() {
            return Err(Refusal::new(404, "No order was placed yet"));
        }
        let start = match since {
            None => 0,
            Some(event) => {
                let place = event.strip_prefix("e-").and_then(|number| number.parse::<usize>().ok());
                let place = place.and_then(|number| number.checked_sub(self.first_event));
                let is_it = |place: &usize| {
                    self.events.get(*place).is_some_and(|one| text(one, "event") == Some(event))
                };
                let known = place.filter(is_it);
                known.ok_or_else(|| Refusal::new(400, format!("since: there is no event {event}")))? + 1
            }
        };
        Ok(Reply::json(200, self.events[start..].into()))
    }

    fn log(&mut self, number: usize) {
        let Some(order) = self.by_number.get(&number) else { return };
        let event = json!({
            "event": format!("e-{}", self.first_event + self.events.len()),
            "order": {
                "path": self.habits.item("orders", &id(number)),
                "accessId": order.access_id,
                "service": order.service,
                "operation": order.operation(),
                "state": order.state.name(),
                "message": order.message,
            },
        });
        self.events.push(event);
    }

    fn find(&self, id: &str) -> Result<(usize, &Order), Refusal> {
        let number = id.strip_prefix("o-").and_then(|number| number.parse::<usize>().ok());
        let found = number.and_then(|number| Some((number, self.by_number.get(&number)?)));
        found.ok_or_else(|| Refusal::not_found("order", id))
    }

    /// Only then can an order be changed or cancelled.
    fn find_received(&self, id: &str) -> Result<(usize, &Order), Refusal> {
        let (number, order) = self.find(id)?;
        if order.state != State::Received {
            return Err(Refusal::new(
                409,
                format!("The order is no longer RECEIVED: {}", order.state.name()),
            ));
        }
        Ok((number, order))
    }

    fn value(&self, number: usize, order: &Order) -> Value {
        let mut value = order.given.clone();
        value["path"] = json!(self.habits.item("orders", &id(number)));
        value["orderId"] = json!(id(number));
        value["accessId"] = json!(order.access_id);
        value["service"] = json!(order.service);
        value["subscriptionId"] = json!(order.subscription_id);
        value["state"] = json!(order.state.name());
        value["message"] = json!(order.message);
        value["expectedCompletionDate"] = json!(rfc_3339(order.due + 1));
        value
    }
}

fn id(number: usize) -> String {
    format!("o-{number}")
}

/// What the service provider gives along with an order. Whoever sends one piece of equipment gets a list back.
fn given(request: &Value) -> Value {
    let mut given: Map<_, _> = request.as_object().cloned().unwrap_or_default();
    given.retain(|field, _| !SET_BY_THE_CO.contains(&field.as_str()));
    if let Some(one) = given.get_mut("equipment").filter(|equipment| equipment.is_object()) {
        *one = json!([one.take()]);
    }
    Value::Object(given)
}

/// The order as a request that has the fields of another laid over it, each as a whole.
fn laid_over(order: &Order, request: &Value) -> Value {
    let mut whole = order.given.clone();
    whole["service"] = json!(order.service);
    whole["accessId"] = json!(order.access_id);
    if order.operation() != "ACTIVATE" {
        whole["subscriptionId"] = json!(order.subscription_id);
    }
    for (field, value) in request.as_object().into_iter().flatten() {
        whole[field] = value.clone();
    }
    whole
}
