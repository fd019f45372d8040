//! Orders: placed, found again, followed to their end.

use lastmile_core::call::{Error, Outcome, Reply};
use lastmile_core::wire::{Loose, Timestamp};
use lastmile_onapi::Client;
use lastmile_onapi::types::{
    CharacteristicsRequest, EquipmentRequest, ListOrdersParams, Order, OrderCreate, OrderCreateOperation,
    OrderOperation, OrderState, Subscription,
};
use serde::{Deserialize, Serialize};

use super::accesses::says_nothing_to_list;
use super::{OnApi, refused, segment};
use crate::prepared::Creation;
use crate::prepared::sealed::{Found, Look, Sealed};
use crate::rules::OnApiId;
use crate::{Poll, WaitError};

/// A new subscription of a service on an access, to be [`Prepared`](crate::Prepared).
///
/// A network answers an activation that it has already with the order that is open, or with one that is done. (Source:
/// ON-API 2.6, orders.)
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Activation {
    body: OrderCreate,
}

impl Activation {
    /// The activation of `service` on `access`. `reference` is the order's reference in your own system, unique over your
    /// orders, by which it is found again when an answer is lost.
    pub fn new(access: OnApiId, service: impl Into<String>, reference: OnApiId) -> Self {
        let body = OrderCreate {
            operation: OrderCreateOperation::Activate,
            access_id: Some(access.into()),
            service: Some(service.into()),
            sp_reference: Some(reference.into()),
            characteristics: None,
            equipment: None,
            expected_completion_date: None,
            external_note: None,
            forced_takeover: None,
            message: None,
            order_id: None,
            requested_date_time: None,
            sp_subscription_id: None,
            state: None,
            subscription_id: None,
        };
        Self { body }
    }

    /// The subscription's id in your own system.
    #[must_use]
    pub fn subscription_reference(mut self, id: OnApiId) -> Self {
        self.body.sp_subscription_id = Some(id.into());
        self
    }

    /// What the service is to be like, where its offer asks for it.
    #[must_use]
    pub fn characteristics(mut self, characteristics: CharacteristicsRequest) -> Self {
        self.body.characteristics = Some(characteristics);
        self
    }

    /// The equipment that the customer uses.
    #[must_use]
    pub fn equipment(mut self, equipment: EquipmentRequest) -> Self {
        self.body.equipment = Some(equipment);
        self
    }

    /// When it is to be done at the earliest; at once, if never said or past.
    #[must_use]
    pub fn not_before(mut self, moment: Timestamp) -> Self {
        self.body.requested_date_time = Some(moment);
        self
    }

    /// A note that the customer may be shown.
    #[must_use]
    pub fn note(mut self, text: impl Into<String>) -> Self {
        self.body.external_note = Some(text.into());
        self
    }

    fn access(&self) -> Result<OnApiId, Error> {
        id("accessId", self.body.access_id.as_deref())
    }

    fn reference(&self) -> Result<OnApiId, Error> {
        id("spReference", self.body.sp_reference.as_deref())
    }
}

pub(super) fn id(field: &str, text: Option<&str>) -> Result<OnApiId, Error> {
    match text.unwrap_or_default().parse() {
        Ok(id) => Ok(id),
        Err(error) => Err(refused(format_args!("{field}: {error}"))),
    }
}

/// What a network holds of an order.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Placed {
    /// The order. Its state tells how far it has come, which may be that it failed.
    Order(Box<Order>),
    /// What the network had already, before this request: an order of the service that is open, or one that is done. It
    /// may have another reference. If it has the same, it was found before anything was sent, and may have failed: a
    /// reference is for one order.
    Existing(Box<Order>),
    /// The subscription that it has become.
    Subscription(Box<Subscription>),
}

impl Placed {
    /// The order's id; none of one that was done at once, or has become a subscription.
    pub fn order_id(&self) -> Option<OnApiId> {
        match self {
            Self::Order(order) | Self::Existing(order) => order.order_id.as_deref()?.parse().ok(),
            Self::Subscription(_) => None,
        }
    }
}

impl Sealed for Activation {}

impl Creation for Activation {
    type Supplier = OnApi;
    type Created = Placed;
    const KIND: &'static str = "onapi.activation";
    const LOOK_AT: &'static str = "Look for the access's orders in the network's portal";

    fn check(&self) -> Result<(), Error> {
        let body = &self.body;
        self.access()?;
        self.reference()?;
        if let Some(subscription) = &body.sp_subscription_id {
            id("spSubscriptionId", Some(subscription))?;
        }
        text("service", body.service.as_deref().unwrap_or_default(), 1)?;
        text("externalNote", body.external_note.as_deref().unwrap_or_default(), 0)?;
        // A stored request may have been changed in the store.
        let foreign = body.order_id.is_some()
            || body.subscription_id.is_some()
            || body.state.is_some()
            || body.message.is_some()
            || body.expected_completion_date.is_some()
            || body.forced_takeover.is_some();
        if foreign || body.operation != OrderCreateOperation::Activate {
            return Err(refused("the order holds what an activation does not: it was changed in the store"));
        }
        Ok(())
    }

    async fn send(&self, network: &OnApi) -> Result<Placed, Error> {
        let body = &self.body;
        let call = |client: Client| async move { client.create_order(body).await };
        let reply = match network.handle.call(call).await {
            Ok(reply) => reply,
            Err(error) => return network.follow_location(error).await,
        };
        if reply.value.order_id.get().is_none() && reply.value.state.get().is_none() {
            return Err(reply.unfit("the answer is no order"));
        }
        let created = reply.status.as_u16() == 201;
        let order = Box::new(reply.value);
        Ok(if created { Placed::Order(order) } else { Placed::Existing(order) })
    }

    async fn find(&self, network: &OnApi, look: Look) -> Result<Found<Placed>, Error> {
        let access = self.access()?;
        let mut doubt = None;
        for order in network.orders_of(&access).await? {
            match (self.is_this(order.get()), order.into_option()) {
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
        let subscriptions = match network.subscriptions(&access).await {
            Ok(answer) if answer.access_id.as_deref() == Some(access.as_str()) => {
                answer.subscriptions.into_vec()
            }
            Ok(_) => return Ok(Found::Never("the network answers with the subscriptions of another access")),
            Err(error) if says_nothing_to_list(&error) => Vec::new(),
            Err(error) => return Err(error),
        };
        for subscription in subscriptions {
            match (self.became(subscription.get()), subscription.into_option()) {
                (Match::Yes, Some(found)) => return Ok(Found::Held(Placed::Subscription(Box::new(found)))),
                (Match::No, _) => {}
                _ => doubt = Some("a subscription of the access cannot be told from this one's"),
            }
        }
        if let Some(doubt) = doubt {
            return Ok(Found::Unclear(doubt));
        }
        // A network that does not know the access, or is asked at a wrong address, knows nothing of its orders either.
        if look == Look::Afterwards
            && network.access(&access).await?.access_id.as_deref() != Some(access.as_str())
        {
            return Ok(Found::Never("the network answers with another access"));
        }
        Ok(Found::Nothing)
    }
}

/// Whether something that the network holds is what was ordered.
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
}

impl Activation {
    /// A reference is taken for one's own together with the access, the operation and the service only: networks keep it with
    /// the customer or the service, so that it may stand in other orders as well.
    fn is_this(&self, order: Option<&Order>) -> Match {
        let Some(order) = order else { return Match::Maybe };
        let other = |field: &Loose<String>, mine: &Option<String>| {
            field.get().is_some_and(|one| Some(one) != mine.as_ref())
        };
        if other(&order.access_id, &self.body.access_id)
            || other(&order.service, &self.body.service)
            || order.operation.get().is_some_and(|operation| *operation != OrderOperation::Activate)
        {
            return Match::No;
        }
        let same = order.access_id.get().is_some()
            && order.service.get().is_some()
            && order.operation.get().is_some();
        self.has_my_reference(&order.sp_reference, same)
    }

    fn became(&self, subscription: Option<&Subscription>) -> Match {
        let Some(subscription) = subscription else { return Match::Maybe };
        if subscription.service.get().is_some_and(|service| Some(service) != self.body.service.as_ref()) {
            return Match::No;
        }
        self.has_my_reference(&subscription.sp_reference, subscription.service.get().is_some())
    }

    /// `same`: whether everything else is known to be as ordered.
    fn has_my_reference(&self, reference: &Loose<String>, same: bool) -> Match {
        match Match::of_reference(reference, self.body.sp_reference.as_ref()) {
            Match::Yes if !same => Match::Maybe,
            found => found,
        }
    }
}

pub(super) fn text(field: &str, text: &str, shortest: usize) -> Result<(), Error> {
    match text.chars().count() {
        length if length < shortest => Err(refused(format_args!("{field}: it is empty"))),
        length if length > 255 => Err(refused(format_args!("{field}: it is longer than 255 characters"))),
        _ => Ok(()),
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

    /// Reads an order.
    ///
    /// # Errors
    /// [`Outcome::Rejected`] with status 404 when there is none of this id.
    pub async fn order(&self, order: &OnApiId) -> Result<Order, Error> {
        let id = segment(order)?;
        self.handle
            .call(|client: Client| async move { client.get_order(&id).await })
            .await
            .map(Reply::into_value)
    }

    /// The orders of an access.
    ///
    /// # Errors
    /// The outcome of the call.
    pub async fn orders_of(&self, access: &OnApiId) -> Result<Vec<Loose<Order>>, Error> {
        let params = ListOrdersParams { access_id: Some(access.to_string()), ..Default::default() };
        let call = |client: Client| async move { client.list_orders(&params).await };
        match self.handle.call(call).await {
            Ok(reply) => Ok(reply.value.into_vec()),
            Err(error) if says_nothing_to_list(&error) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// Looks until an order is done, with success or without.
    ///
    /// # Errors
    /// When a look fails or the time is up. The order goes on either way, and can be waited for again.
    pub async fn wait_for_order(&self, order: &OnApiId, poll: &Poll) -> Result<Order, WaitError<Order>> {
        let done = |order: &Order| {
            matches!(order.state.get(), Some(OrderState::DoneSuccess | OrderState::DoneFailed))
        };
        poll.until(|| self.order(order), done).await
    }
}
