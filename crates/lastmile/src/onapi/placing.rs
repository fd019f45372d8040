//! Orders placed, and found again.

use lastmile_core::call::{Error, Outcome};
use lastmile_core::wire::Loose;
use lastmile_onapi::Client;
use lastmile_onapi::types::{
    Order, OrderCreateOperation, OrderOperation, Subscription, SubscriptionOperationalState,
};

use super::lists::says_nothing_to_list;
use super::{EndpointName, NewOrder, OnApi, refused};
use crate::HasProgress;
use crate::prepared::Creation;
use crate::prepared::sealed::{Found, Look, Sealed};
use crate::rules::OnApiId;

/// What a network holds of an order.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Placed {
    /// The order. Its state tells how far it has come, which may be that it failed. (Of one that modifies references and has
    /// failed this cannot be told by looking, since they may have been set so before.)
    Order(Box<Order>),
    /// What the network had already, before this request: an order of the service that is open, or one that is done. It
    /// may have another reference. If it has the same, it was found before anything was sent, and may have failed: a
    /// reference is for one order.
    Existing(Box<Order>),
    /// The subscription, as it was to become.
    Subscription(Box<Subscription>),
}

impl Placed {
    /// The order's id; none of one that was done at once, or is told by its subscription only.
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
    const LOOK_AT: &'static str = "Look for the order in the network's portal";

    fn check(&self) -> Result<(), Error> {
        self.check_fields()
    }

    async fn send(&self, network: &OnApi) -> Result<Placed, Error> {
        network.check_known_fields(EndpointName::Orders, &self.body)?;
        let body = &self.body;
        let way = network.way(EndpointName::Orders)?;
        let reply = match way.call(|client: Client| async move { client.create_order(body).await }).await {
            Ok(reply) => reply,
            Err(error) => return network.follow_location(error).await,
        };
        if reply.value.order_id.get().is_none() && reply.value.state.get().is_none() {
            return Err(reply.unfit("the answer is no order"));
        }
        if reply.status.as_u16() == 201 {
            return Ok(Placed::Order(Box::new(reply.value)));
        }
        // A network answers with the open order of the service, whatever that is to do.
        if self.is_about_the_same(&reply.value) == Match::No {
            return Err(
                reply.refused("the service has an open order of another kind: wait until that is done")
            );
        }
        Ok(Placed::Existing(Box::new(reply.value)))
    }

    async fn find(&self, network: &OnApi, look: Look) -> Result<Found<Placed>, Error> {
        let (mut doubt, mut done) = (None, false);
        for order in network.orders_of(&self.access).await? {
            match (self.is_this(order.get()), order.into_option()) {
                // References may have been set so once before, and to something else since.
                (Match::Yes, Some(order)) if self.is_modify() && order.progress().stage().is_final() => {
                    done = true;
                }
                (Match::Yes, Some(order)) => {
                    return Ok(Found::Held(match look {
                        Look::BeforeSending => Placed::Existing(Box::new(order)),
                        Look::Afterwards => Placed::Order(Box::new(order)),
                    }));
                }
                (Match::No, _) => {}
                _ => doubt = Some("an order of the access cannot be told from this one"),
            }
        }
        let subscriptions = match network.subscriptions(&self.access).await {
            Ok(answer) if answer.subscriptions.is_absent() => {
                return Ok(Found::Unclear("the network's answer has no list of subscriptions"));
            }
            Ok(answer) if answer.access_id.as_deref() == Some(self.access.as_str()) => {
                answer.subscriptions.into_vec()
            }
            Ok(_) => return Ok(Found::Never("the network answers with the subscriptions of another access")),
            Err(error) if says_nothing_to_list(&error) => Vec::new(),
            Err(error) => return Err(error),
        };
        let told = match self.body.operation {
            OrderCreateOperation::Activate => self.told_by_any(subscriptions),
            _ => self.told_by_its_own(subscriptions),
        };
        match (told, doubt) {
            (Found::Nothing, Some(doubt)) => return Ok(Found::Unclear(doubt)),
            (Found::Nothing, None) if done => {
                return Ok(Found::Unclear(
                    "an order that says the same has ended, and the references are others",
                ));
            }
            (Found::Nothing, None) => {}
            (told, _) => return Ok(told),
        }
        // A network that does not know the access, or is asked at a wrong address, knows nothing of its orders either.
        if look == Look::Afterwards
            && network.access(&self.access).await?.access_id.as_deref() != Some(self.access.as_str())
        {
            return Ok(Found::Never("the network answers with another access"));
        }
        Ok(Found::Nothing)
    }
}

/// Whether something that the network holds is what was ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Match {
    Yes,
    No,
    /// It cannot be told.
    Maybe,
}

impl Match {
    /// Whether a reference that the network holds is the one that was given.
    pub(super) fn of_reference(held: &Loose<String>, mine: Option<&String>) -> Self {
        match (held.get(), held.stray()) {
            // Written as a number it may have lost a nought.
            (_, Some(_)) | (None, None) => Self::Maybe,
            (held, None) if held == mine => Self::Yes,
            _ => Self::No,
        }
    }

    /// Both must be so.
    pub(super) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::No, _) | (_, Self::No) => Self::No,
            (Self::Yes, Self::Yes) => Self::Yes,
            _ => Self::Maybe,
        }
    }

    /// Whether a field is what was ordered; what was not ordered does not matter.
    fn of_field(held: &Loose<String>, mine: Option<&String>) -> Self {
        match (held.get(), mine) {
            (_, None) => Self::Yes,
            (None, Some(_)) => Self::Maybe,
            (Some(held), Some(mine)) if held == mine => Self::Yes,
            _ => Self::No,
        }
    }
}

impl NewOrder {
    /// A reference is taken for one's own together with the operation, the access or the subscription, and the service only:
    /// networks keep it with the customer or the service, so that it may stand in other orders as well.
    fn is_this(&self, order: Option<&Order>) -> Match {
        let Some(order) = order else { return Match::Maybe };
        match self.is_about_the_same(order) {
            Match::No => Match::No,
            same => same.and(self.has_my_references(&order.sp_reference, &order.sp_subscription_id)),
        }
    }

    /// Whether an order is to do the same, whatever its references.
    fn is_about_the_same(&self, order: &Order) -> Match {
        let body = &self.body;
        let operation = match order.operation.get() {
            Some(operation) if *operation == known(body.operation) => Match::Yes,
            Some(_) => Match::No,
            None => Match::Maybe,
        };
        // The list is that of the access already; an order by subscription need not name it.
        let access = match order.access_id.get() {
            Some(other) if other != self.access.as_str() => Match::No,
            None if body.operation == OrderCreateOperation::Activate => Match::Maybe,
            _ => Match::Yes,
        };
        operation
            .and(access)
            .and(Match::of_field(&order.service, body.service.as_ref()))
            .and(Match::of_field(&order.subscription_id, body.subscription_id.as_ref()))
    }

    fn is_modify(&self) -> bool {
        self.body.operation == OrderCreateOperation::Modify
    }

    /// What is modified is the references; every other order has one of its own.
    fn has_my_references(&self, reference: &Loose<String>, subscription: &Loose<String>) -> Match {
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

    /// What the subscriptions of the access tell about an activation.
    fn told_by_any(&self, subscriptions: Vec<Loose<Subscription>>) -> Found<Placed> {
        let mut found = Found::Nothing;
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
                (Match::Yes, Some(one)) => return Found::Held(Placed::Subscription(Box::new(one))),
                (Match::No, _) => {}
                _ => found = Found::Unclear("a subscription of the access cannot be told from this one's"),
            }
        }
        found
    }

    /// What the subscription that an order is about tells about it.
    fn told_by_its_own(&self, subscriptions: Vec<Loose<Subscription>>) -> Found<Placed> {
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
            _ if unreadable => Found::Unclear("a subscription of the access cannot be read"),
            OrderCreateOperation::Deactivate => {
                Found::Never("the subscription is not on the access any more, by this order or another")
            }
            _ => Found::Never("the subscription is not on the access"),
        }
    }

    fn told_by(&self, subscription: Subscription) -> Found<Placed> {
        use OrderCreateOperation::{Activate, Change, Deactivate, Modify, Resume, Suspend};
        use SubscriptionOperationalState::{Activated, Suspended};
        let references = self.has_my_references(&subscription.sp_reference, &subscription.sp_subscription_id);
        match (self.body.operation, subscription.operational_state.get()) {
            (Deactivate, _) => {
                // The year 3030 stands for some day. (Source: ON-API 2.6, data formats.)
                let ends = subscription.disconnection_date.get();
                if ends.is_none() && !subscription.disconnection_date.is_nothing() {
                    Found::Unclear("the end of the subscription cannot be read")
                } else if ends.is_some_and(|day| !day.to_string().starts_with("3030-")) {
                    Found::Never("the subscription has an end, by this order or another")
                } else {
                    Found::Nothing
                }
            }
            (Suspend, Some(Suspended)) => {
                Found::Never("the subscription is suspended, by this order or another")
            }
            (Resume, Some(Activated)) => Found::Never("the subscription is active, by this order or another"),
            (Suspend, Some(Activated)) | (Resume, Some(Suspended)) => Found::Nothing,
            (Suspend | Resume, _) => Found::Unclear("the state of the subscription cannot be told"),
            (Modify, _) => match references {
                Match::Yes => Found::Held(Placed::Subscription(Box::new(subscription))),
                Match::No => Found::Nothing,
                Match::Maybe => Found::Unclear("the references of the subscription cannot be told"),
            },
            (Change | Activate, _) => {
                match (Match::of_field(&subscription.service, self.body.service.as_ref()), references) {
                    (Match::Yes, Match::Yes) => Found::Held(Placed::Subscription(Box::new(subscription))),
                    (Match::Yes, _) => {
                        Found::Never("the subscription has the service, by this order or another")
                    }
                    (Match::No, _) => Found::Nothing,
                    (Match::Maybe, _) => Found::Unclear("the service of the subscription cannot be told"),
                }
            }
        }
    }
}

/// The operation as answers have it.
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

impl OnApi {
    /// Reads the order that an answer without a body names in its `Location`.
    async fn follow_location(&self, error: Error) -> Result<Placed, Error> {
        if error.outcome() != Outcome::Decode || !error.body().is_empty() {
            return Err(error);
        }
        let location = error.headers().get("location").and_then(|location| location.to_str().ok());
        let last = location.and_then(|location| location.trim_end_matches('/').rsplit('/').next());
        let Some(Ok(id)) = last.map(OnApiId::try_from) else { return Err(error) };
        match self.order(&id).await {
            Ok(order) => Ok(Placed::Order(Box::new(order))),
            // It is placed all the same, and the first answer tells so.
            Err(_) => Err(error),
        }
    }

    /// Refuses what the network says that it does not know. References and notes are taken and forgotten by such a network,
    /// which changes nothing about what is done.
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
