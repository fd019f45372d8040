//! Placing orders, and finding them again after a lost response.

use chrono::TimeDelta;
use lastmile_core::reqwest::StatusCode;
use lastmile_core::reqwest::header::{HeaderMap, LOCATION};
use lastmile_core::wire::{Lenient, Text};
use lastmile_core::{Error, Outcome, Reply};
use lastmile_onapi::types::{
    Order, OrderCreateOperation, OrderOperation, Subscription, SubscriptionOperationalState,
};

use serde::{Deserialize, Serialize};

use super::ids::in_path;
use super::lists::says_nothing_to_list;
use super::{EndpointName, NewOrder, OnApi, refused};
use crate::HasProgress;
use crate::prepared::sealed::{Lookup, LookupPurpose, Sealed};
use crate::prepared::{Creation, Match};
use crate::rules::OnApiId;

/// What a network holds for an order.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Placed {
    /// The order. Its state shows its progress; the order may also have failed. (A look-up does not identify a finished order
    /// that modifies references, because an earlier order may have set the same references.)
    Order(Box<Order>),
    /// An order that existed before this request: an open order of the service, or a finished one. Its reference may differ. If
    /// its reference is the same, a look-up found it before anything was sent, and it may have failed: a reference belongs to
    /// one order.
    Existing(Box<Order>),
    /// The subscription, in the ordered state.
    Subscription(Box<Subscription>),
}

impl Placed {
    /// Returns the order's id. Returns `None` for [`Placed::Subscription`], and for an order that the network returned without
    /// an id, which [`Placed::Existing`] may be.
    pub fn order_id(&self) -> Option<OnApiId> {
        match self {
            Self::Order(order) | Self::Existing(order) => order.order_id.as_deref()?.parse().ok(),
            Self::Subscription(_) => None,
        }
    }
}

impl Sealed for NewOrder {}

impl Creation for NewOrder {
    type Supplier = OnApi;
    type Created = Placed;
    const KIND: &'static str = "onapi.order";
    const MANUAL_CHECK: &'static str = "look for the order in the network's portal";

    fn check(&self) -> Result<(), Error> {
        self.check_fields()
    }

    async fn send(&self, network: &OnApi) -> Result<Placed, Error> {
        let body = network.dialect_of(EndpointName::Orders).order(self)?;
        network.check_known_fields(EndpointName::Orders, &body)?;
        let client = network.endpoint_client(EndpointName::Orders)?;
        let reply = match client.create_order(&body).await {
            Ok(reply) => reply,
            Err(error) => return self.follow_location(network, error).await,
        };
        let is_new = reply.status == StatusCode::CREATED;
        if !is_order(&reply.value) {
            let location = order_id_in(&reply.headers);
            let error = reply.into_decode_error("the response is no order");
            return match location {
                Some(id) if is_new => self.read_placed(network, &id, error).await,
                _ => Err(error),
            };
        }
        if self.is_of_the_same_line(&reply.value) == Match::No {
            return Err(
                reply.contradicts("the response is an order of another access, service or subscription")
            );
        }
        if !is_new {
            // The network returns the open order of the service, whatever its operation is.
            return match self.is_about_the_same(&reply.value) {
                Match::No => {
                    Err(reply
                        .refused("the service has an open order of another kind: wait until that is done"))
                }
                _ => Ok(Placed::Existing(Box::new(identified(reply)))),
            };
        }
        // The network may have postponed the requested time.
        if self.is_like(&reply.value) == Match::No {
            return Err(reply.contradicts("the response is an order of another operation or reference"));
        }
        Ok(Placed::Order(Box::new(identified(reply))))
    }

    async fn find(&self, network: &OnApi, purpose: LookupPurpose) -> Result<Lookup<Placed>, Error> {
        let (mut doubt, mut done, mut found) = (None, false, Vec::new());
        for order in network.orders_of(&self.access).await? {
            match (self.is_listed_as(order.get(), network.shares_references), order.into_option()) {
                // An earlier order may have set the same references, and a later one may have changed them.
                (Match::Yes, Some(order)) if self.is_modify() && order.progress().stage().is_final() => {
                    done = true;
                }
                (Match::Yes, Some(order)) => found.push(order),
                (Match::No, _) => {}
                _ => doubt = Some("an order of the access cannot be told from this one"),
            }
        }
        if found.len() > 1 {
            found.retain(|order| self.is_of_the_very_time(order));
            if found.len() != 1 {
                return Ok(Lookup::Conflict(
                    "several orders of the access have this reference, service and operation",
                ));
            }
        }
        if let Some(mut order) = found.pop() {
            if let Ok(id) = in_path(&order.path) {
                identify(&mut order, &id);
            }
            return Ok(Lookup::Found(match purpose {
                LookupPurpose::BeforeSending => Placed::Existing(Box::new(order)),
                LookupPurpose::AfterSending => Placed::Order(Box::new(order)),
            }));
        }
        let subscriptions = match network.subscriptions(&self.access).await {
            Ok(answer) if answer.subscriptions.is_absent() => {
                return Ok(Lookup::Indeterminate("the network's response has no list of subscriptions"));
            }
            Ok(answer) if answer.access_id.as_deref() == Some(self.access.as_str()) => {
                answer.subscriptions.into_vec()
            }
            Ok(_) => {
                return Ok(Lookup::Indeterminate(
                    "the network responds with the subscriptions of another access",
                ));
            }
            Err(error) if says_nothing_to_list(&error) => Vec::new(),
            Err(error) => return Err(error),
        };
        let told = match self.body.operation {
            OrderCreateOperation::Activate => self.told_by_any(subscriptions),
            _ => self.told_by_its_own(subscriptions),
        };
        let told = match told {
            // The references of a modify order are what it changes.
            Lookup::Found(_) if network.shares_references && !self.is_modify() => Lookup::Conflict(
                "a subscription has this service and reference, by this order or another of the customer",
            ),
            told => told,
        };
        match (told, doubt) {
            (Lookup::NotFound, Some(doubt)) => return Ok(Lookup::Indeterminate(doubt)),
            (Lookup::NotFound, None) if done => {
                return Ok(Lookup::Indeterminate(
                    "an order that says the same has ended, and the references are others",
                ));
            }
            (Lookup::NotFound, None) => {}
            (told, _) => return Ok(told),
        }
        // A network that does not know the access, or that is called at a wrong address, lists no orders of the access either.
        if purpose == LookupPurpose::AfterSending
            && network.access(&self.access).await?.access_id.as_deref() != Some(self.access.as_str())
        {
            return Ok(Lookup::Indeterminate("the network responds with another access"));
        }
        Ok(Lookup::NotFound)
    }
}

impl NewOrder {
    /// Returns whether an order in the list of the network is this one.
    fn is_listed_as(&self, order: Option<&Order>, shares_references: bool) -> Match {
        let Some(order) = order else { return Match::Maybe };
        self.is_like(order).and(match (self.is_of_the_same_time(order), shares_references) {
            // The reference is that of this order alone, so the network may have ignored the requested time.
            (Match::No, false) => Match::Maybe,
            // The times do not distinguish this order from another one of the customer.
            (Match::Yes, true) if !self.is_of_the_very_time(order) => Match::Maybe,
            (told, _) => told,
        })
    }

    /// Returns whether an order has the same operation, line and references. A reference identifies an order only together with
    /// the operation, the access or subscription, and the service: networks store it with the customer or the service, so other
    /// orders may carry the same one.
    fn is_like(&self, order: &Order) -> Match {
        match self.is_about_the_same(order) {
            Match::No => Match::No,
            same => same.and(self.has_my_references(&order.sp_reference, &order.sp_subscription_id)),
        }
    }

    /// Returns whether an order was requested for the same time. Where a reference stands for a customer, an earlier order of the
    /// same service has the same reference. A network may round the time, or postpone it to a working day, so only an order that
    /// was requested for a much earlier time is another one. (Source: ON-API, issue 93 of its repository, and data formats.)
    fn is_of_the_same_time(&self, order: &Order) -> Match {
        /// Longer than any round of holidays.
        const EARLIER: TimeDelta = TimeDelta::days(14);
        match self.time_apart(order) {
            Some(apart) if apart > EARLIER => Match::No,
            Some(apart) if apart.abs() > TimeDelta::days(1) => Match::Maybe,
            _ => Match::Yes,
        }
    }

    fn is_of_the_very_time(&self, order: &Order) -> bool {
        self.time_apart(order).is_some_and(|apart| apart.is_zero())
    }

    /// Returns how much earlier an order was requested for, if both have a requested time.
    fn time_apart(&self, order: &Order) -> Option<TimeDelta> {
        Some(self.body.requested_date_time.as_ref()?.at() - order.requested_date_time.get()?.at())
    }

    /// Returns whether an order has the same operation on the same line, whatever its references.
    fn is_about_the_same(&self, order: &Order) -> Match {
        let body = &self.body;
        let operation = match order.operation.get() {
            Some(operation) if *operation == known(body.operation) => Match::Yes,
            Some(_) => Match::No,
            None => Match::Maybe,
        };
        // The list is already that of the access. An order by subscription may omit the access.
        operation.and(self.is_of_the_same_line(order))
    }

    /// Returns whether an order is for the same access, service and subscription.
    fn is_of_the_same_line(&self, order: &Order) -> Match {
        let body = &self.body;
        let access = match order.access_id.as_deref() {
            None | Some("") if body.operation == OrderCreateOperation::Activate => Match::Maybe,
            None | Some("") => Match::Yes,
            Some(_) => Match::of_field(&order.access_id, Some(&self.access.to_string())),
        };
        access
            .and(Match::of_field(&order.service, body.service.as_ref()))
            .and(Match::of_field(&order.subscription_id, body.subscription_id.as_ref()))
    }

    fn is_modify(&self) -> bool {
        self.body.operation == OrderCreateOperation::Modify
    }

    /// Returns whether the references are those of this order. A modify order is identified by the new references; every other
    /// order has a reference of its own.
    fn has_my_references(&self, reference: &Lenient<Text>, subscription: &Lenient<Text>) -> Match {
        let body = &self.body;
        let mine = match &body.sp_reference {
            Some(mine) => Match::of_reference(reference, Some(mine)),
            None => Match::Yes,
        };
        match &body.sp_subscription_id {
            Some(id) if self.is_modify() => mine.and(Match::of_reference(subscription, Some(id))),
            _ => mine,
        }
    }

    /// Returns what the subscriptions of the access show about an activation.
    fn told_by_any(&self, subscriptions: Vec<Lenient<Subscription>>) -> Lookup<Placed> {
        let mut found = Lookup::NotFound;
        for subscription in subscriptions {
            let same = subscription.get().map_or(Match::Maybe, |one| {
                match Match::of_field(&one.service, self.body.service.as_ref()) {
                    Match::No => Match::No,
                    service => {
                        service.and(self.has_my_references(&one.sp_reference, &one.sp_subscription_id))
                    }
                }
            });
            match (same, subscription.into_option()) {
                (Match::Yes, Some(one)) => return Lookup::Found(Placed::Subscription(Box::new(one))),
                (Match::No, _) => {}
                _ => {
                    found =
                        Lookup::Indeterminate("a subscription of the access cannot be told from this one's")
                }
            }
        }
        found
    }

    /// Returns what the order's own subscription shows about the order.
    fn told_by_its_own(&self, subscriptions: Vec<Lenient<Subscription>>) -> Lookup<Placed> {
        let mut unreadable = false;
        for subscription in subscriptions {
            let id = subscription
                .get()
                .map(|one| Match::of_reference(&one.subscription_id, self.body.subscription_id.as_ref()));
            match (id, subscription.into_option()) {
                (Some(Match::Yes), Some(one)) => return self.told_by(one),
                (Some(Match::No), _) => {}
                _ => unreadable = true,
            }
        }
        match self.body.operation {
            _ if unreadable => Lookup::Indeterminate("a subscription of the access cannot be read"),
            OrderCreateOperation::Deactivate => {
                Lookup::Conflict("the subscription is not on the access any more, by this order or another")
            }
            _ => Lookup::Conflict("the subscription is not on the access"),
        }
    }

    fn told_by(&self, subscription: Subscription) -> Lookup<Placed> {
        use OrderCreateOperation::{Activate, Change, Deactivate, Modify, Resume, Suspend};
        use SubscriptionOperationalState::{Activated, Suspended};
        let references = self.has_my_references(&subscription.sp_reference, &subscription.sp_subscription_id);
        match (self.body.operation, subscription.operational_state.get()) {
            (Deactivate, _) => {
                // A date in the year 3030 means an unspecified future date, so the subscription has no end. (Source: ON-API
                // 2.6, data formats.)
                let ends = subscription.disconnection_date.get();
                if ends.is_none() && !subscription.disconnection_date.is_nothing() {
                    Lookup::Indeterminate("the end of the subscription cannot be read")
                } else if ends.is_some_and(|day| !day.to_string().starts_with("3030-")) {
                    Lookup::Conflict("the subscription has an end, by this order or another")
                } else {
                    Lookup::NotFound
                }
            }
            (Suspend, Some(Suspended)) => {
                Lookup::Conflict("the subscription is suspended, by this order or another")
            }
            (Resume, Some(Activated)) => {
                Lookup::Conflict("the subscription is active, by this order or another")
            }
            (Suspend, Some(Activated)) | (Resume, Some(Suspended)) => Lookup::NotFound,
            (Suspend | Resume, _) => Lookup::Indeterminate("the state of the subscription cannot be told"),
            (Modify, _) => match references {
                Match::Yes => Lookup::Found(Placed::Subscription(Box::new(subscription))),
                Match::No => Lookup::NotFound,
                Match::Maybe => Lookup::Indeterminate("the references of the subscription cannot be told"),
            },
            (Change | Activate, _) => {
                match (Match::of_field(&subscription.service, self.body.service.as_ref()), references) {
                    (Match::Yes, Match::Yes) => Lookup::Found(Placed::Subscription(Box::new(subscription))),
                    (Match::Yes, _) => {
                        Lookup::Conflict("the subscription has the service, by this order or another")
                    }
                    (Match::No, _) => Lookup::NotFound,
                    (Match::Maybe, _) => {
                        Lookup::Indeterminate("the service of the subscription cannot be told")
                    }
                }
            }
        }
    }
}

/// Returns the operation as responses write it.
fn known(operation: OrderCreateOperation) -> OrderOperation {
    match operation {
        OrderCreateOperation::Activate => OrderOperation::Activate,
        OrderCreateOperation::Deactivate => OrderOperation::Deactivate,
        OrderCreateOperation::Suspend => OrderOperation::Suspend,
        OrderCreateOperation::Resume => OrderOperation::Resume,
        OrderCreateOperation::Modify => OrderOperation::Modify,
        OrderCreateOperation::Change => OrderOperation::Change,
    }
}

impl NewOrder {
    /// Reads the order that the `Location` header of a response names, whatever the response body is.
    async fn follow_location(&self, network: &OnApi, error: Error) -> Result<Placed, Error> {
        let is_new = error.outcome() == Outcome::Decode && error.status() == Some(StatusCode::CREATED);
        match order_id_in(error.headers()) {
            Some(id) if is_new => self.read_placed(network, &id, error).await,
            _ => Err(error),
        }
    }

    /// Reads an order that was just placed. Returns `error`, the error of the creating call, if that does not return the order.
    async fn read_placed(&self, network: &OnApi, id: &OnApiId, error: Error) -> Result<Placed, Error> {
        match network.order(id).await {
            Ok(mut order) if is_order(&order) && self.is_like(&order) != Match::No => {
                identify(&mut order, id);
                Ok(Placed::Order(Box::new(order)))
            }
            _ => Err(error),
        }
    }
}

/// Returns whether a response is an order, and neither an error nor empty.
fn is_order(order: &Order) -> bool {
    let text = |field: &Lenient<Text>| field.as_deref().is_some_and(|text| !text.is_empty());
    text(&order.order_id) || in_path(&order.path).is_ok() || order.state.get().is_some()
}

/// Returns the order of a response, with its id. Some networks give the id only in `path` or in the `Location` header.
/// (Source: ON-API 2.6, common responses.)
fn identified(reply: Reply<Order>) -> Order {
    let mut order = reply.value;
    if let Some(id) = in_path(&order.path).ok().or_else(|| order_id_in(&reply.headers)) {
        identify(&mut order, &id);
    }
    order
}

fn identify(order: &mut Order, id: &OnApiId) {
    if order.order_id.as_deref().is_none_or(str::is_empty) {
        order.order_id = Lenient::Value(id.as_str().into());
    }
}

/// Returns the id of the order that the `Location` header names.
fn order_id_in(headers: &HeaderMap) -> Option<OnApiId> {
    let location = headers.get(LOCATION)?.to_str().ok()?;
    let path = location.split(['?', '#']).next().unwrap_or_default();
    path.trim().trim_end_matches('/').rsplit('/').next()?.parse().ok()
}

impl OnApi {
    /// Fails if the request body has a field that the network declares as unsupported. References and notes are exempt: such a
    /// network ignores them, which does not change what it executes.
    pub(super) fn check_known_fields(
        &self,
        endpoint: EndpointName,
        body: &impl serde::Serialize,
    ) -> Result<(), Error> {
        const HARMLESS: [&str; 3] = ["spReference", "spSubscriptionId", "externalNote"];
        let unknown = self.unsupported_fields(endpoint);
        if unknown.is_empty() {
            return Ok(());
        }
        let body = serde_json::to_value(body).map_err(|_| refused("the order cannot be written as JSON"))?;
        let mut fields = body.as_object().into_iter().flatten().map(|(field, _)| field.as_str());
        match fields.find(|field| !HARMLESS.contains(field) && unknown.iter().any(|one| one == field)) {
            Some(field) => Err(refused(format_args!(
                "{field}: the network's directory says that it does not know this field: leave it out"
            ))),
            None => Ok(()),
        }
    }
}
