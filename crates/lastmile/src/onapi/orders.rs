//! Orders: placed, found again, followed to their end.

use std::time::Duration;

use lastmile_core::call::{Error, Reply};
use lastmile_onapi::types::{
    ListOrdersParams, Order, OrderCreate, OrderCreateOperation, OrderState, Subscription,
};
use lastmile_onapi::{Client, TABLE};
use serde::{Deserialize, Serialize};

use super::accesses::{readable, says_nothing_to_list};
use super::{OnApi, refused, segment};
use crate::prepared::sealed::Sealed;
use crate::prepared::{Creation, Reconciled, Undecidable};
use crate::rules::OnApiId;
use crate::{Poll, WaitError};

/// How long a request may still be running at the network after its answer was lost. No source states it.
const SETTLE: Duration = Duration::from_secs(300);

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

    fn access(&self) -> Result<OnApiId, Error> {
        id("accessId", self.body.access_id.as_deref())
    }

    fn reference(&self) -> Result<OnApiId, Error> {
        id("spReference", self.body.sp_reference.as_deref())
    }
}

fn id(field: &str, text: Option<&str>) -> Result<OnApiId, Error> {
    match text.unwrap_or_default().parse() {
        Ok(id) => Ok(id),
        Err(error) => Err(refused(format_args!("{field}: {error}"))),
    }
}

/// What a network holds of an order.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Placed {
    /// The order.
    Order(Box<Order>),
    /// The subscription that it has become already.
    Subscription(Box<Subscription>),
}

impl Placed {
    /// The order's id; none of one that was done at once, or has become a subscription.
    pub fn order_id(&self) -> Option<OnApiId> {
        match self {
            Self::Order(order) => order.order_id.as_deref()?.parse().ok(),
            Self::Subscription(_) => None,
        }
    }
}

impl Sealed for Activation {}

impl Creation for Activation {
    type Supplier = OnApi;
    type Created = Placed;
    const KIND: &'static str = "onapi.activation";

    fn check(&self) -> Result<(), Error> {
        self.access()?;
        self.reference()?;
        if self.body.operation != OrderCreateOperation::Activate {
            return Err(refused("operation: an activation is stored with another operation"));
        }
        if let Some(subscription) = &self.body.sp_subscription_id {
            id("spSubscriptionId", Some(subscription))?;
        }
        match self.body.service.as_deref() {
            None | Some("") => {
                Err(refused("service: an activation names the service, as the network offers it"))
            }
            Some(_) => Ok(()),
        }
    }

    async fn send(&self, network: &OnApi) -> Result<Placed, Error> {
        let body = &self.body;
        let call = |client: Client| async move { client.create_order(body).await };
        network.handle.call(call).await.map(|reply| Placed::Order(Box::new(reply.value)))
    }

    async fn find(&self, network: &OnApi, since: Duration) -> Result<Reconciled<Placed>, Error> {
        let (access, reference) = (self.access()?, self.reference()?);
        let orders = network.orders_of(&access).await?;
        let mine = readable(&orders).find(|order| order.sp_reference.as_deref() == Some(reference.as_str()));
        if let Some(order) = mine {
            return Ok(Reconciled::Placed(Placed::Order(Box::new(order.clone()))));
        }
        let subscriptions = match network.subscriptions(&access).await {
            Ok(access) => access.subscriptions.into_vec(),
            Err(error) if says_nothing_to_list(&error) => Vec::new(),
            Err(error) => return Err(error),
        };
        let mine =
            readable(&subscriptions).find(|one| one.sp_reference.as_deref() == Some(reference.as_str()));
        if let Some(subscription) = mine {
            return Ok(Reconciled::Placed(Placed::Subscription(Box::new(subscription.clone()))));
        }
        if since >= SETTLE {
            return Ok(Reconciled::Absent);
        }
        Ok(Reconciled::Undecidable(Undecidable {
            why: "neither an order nor a subscription has the reference yet, but the request may be running"
                .to_owned(),
            ask_again: Some(SETTLE.saturating_sub(since)),
            look_at: "Look for the access's orders in the network's portal".to_owned(),
        }))
    }

    fn refuse(&self, reason: &str) -> Error {
        Error::unknown(TABLE.api, reason)
    }
}

impl OnApi {
    /// Reads an order.
    ///
    /// # Errors
    /// [`Outcome::Rejected`](crate::Outcome::Rejected) with status 404 when there is none of this id.
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
    pub async fn orders_of(&self, access: &OnApiId) -> Result<Vec<lastmile_core::wire::Loose<Order>>, Error> {
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
