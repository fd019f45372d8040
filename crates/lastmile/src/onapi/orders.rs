//! Existing orders: reading, polling, changing and cancelling them.

use lastmile_core::wire::{Lenient, Text};
use lastmile_core::{Error, Reply};
use lastmile_onapi::types::{
    ListOrdersParams, ListOrdersState, Order, OrderChange, OrderOfEvent, OrderOfEventState, OrderState,
};

use super::lists::says_nothing_to_list;
use super::new_order::{check_changed_lines, check_given, id, text};
use super::{EndpointName, NewOrder, OnApi, refused, segment};
use crate::checks::changes_nothing;
use crate::rules::OnApiId;
use crate::{HasProgress, List, OrderProgress, OrderStage, Poll, WaitError};

impl OnApi {
    /// Reads an order.
    ///
    /// # Errors
    /// Returns [`Outcome::Rejected`](crate::Outcome::Rejected) with status 404 when no order has this id.
    #[doc(alias = "getOrder")]
    #[doc(alias = "GET /orders/{orderId}")]
    pub async fn order(&self, order: &OnApiId) -> Result<Order, Error> {
        let id = segment(order)?;
        let client = self.endpoint_client(EndpointName::Orders)?;
        client.get_order(&id).await.map(Reply::into_value)
    }

    /// Lists the orders of an access, including finished ones.
    ///
    /// # Errors
    /// Returns the error of the call.
    #[doc(alias = "listOrders")]
    #[doc(alias = "GET /orders/")]
    pub fn orders_of(&self, access: &OnApiId) -> List<Order> {
        self.list_orders(ListOrdersParams { access_id: Some(access.to_string()), ..Default::default() })
    }

    /// Lists the orders that are not finished.
    ///
    /// # Errors
    /// Returns the error of the call.
    #[doc(alias = "listOrders")]
    #[doc(alias = "GET /orders/")]
    pub fn open_orders(&self) -> List<Order> {
        self.list_orders(ListOrdersParams::default())
    }

    /// Lists the orders in a state.
    ///
    /// # Errors
    /// Returns the error of the call.
    #[doc(alias = "listOrders")]
    #[doc(alias = "GET /orders/")]
    pub fn orders_in(&self, state: ListOrdersState) -> List<Order> {
        self.list_orders(ListOrdersParams { state: Some(state), ..Default::default() })
    }

    fn list_orders(&self, params: ListOrdersParams) -> List<Order> {
        let network = self.clone();
        List::new(async move {
            let client = network.endpoint_client(EndpointName::Orders)?;
            match client.list_orders(&params).await {
                Ok(reply) => Ok(reply.value.into_vec()),
                Err(error) if says_nothing_to_list(&error) => Ok(Vec::new()),
                Err(error) => Err(error),
            }
        })
    }

    /// Polls an order until it is finished, successfully or not.
    ///
    /// # Errors
    /// Returns [`WaitError`] when a request fails or the timeout has passed. Neither affects the order; call this method again
    /// to continue polling.
    #[doc(alias = "getOrder")]
    #[doc(alias = "GET /orders/{orderId}")]
    pub async fn wait_for_order(&self, order: &OnApiId, poll: &Poll) -> Result<Order, WaitError<Order>> {
        let state = |order: &Order| match order.state.get() {
            Some(OrderState::Unlisted(_)) => "one that this version does not know".to_owned(),
            Some(state) => state.as_str().to_owned(),
            None => "missing or unreadable".to_owned(),
        };
        let is_done = |order: &Order| order.progress().stage().is_final();
        poll.until(self.client.clock(), format!("order {order}"), state, || self.order(order), is_done).await
    }
}

/// The states are `RECEIVED`, `IN_PROGRESS`, `DONE_SUCCESS`, and `DONE_FAILED` with its `message`. (Source: ON-API 2.6,
/// orders.)
impl HasProgress for Order {
    fn progress(&self) -> OrderProgress {
        let stage = match self.state.get() {
            Some(OrderState::Received) => OrderStage::Received,
            Some(OrderState::InProgress) => OrderStage::InProgress,
            Some(OrderState::DoneSuccess) => OrderStage::Done,
            Some(OrderState::DoneFailed) => OrderStage::Failed,
            _ => OrderStage::Other,
        };
        let own = self.state.get().map(|state| state.as_str().to_owned());
        OrderProgress::new(stage, own, said(&self.message))
    }
}

/// The states are those of the [`Order`] itself.
impl HasProgress for OrderOfEvent {
    fn progress(&self) -> OrderProgress {
        let stage = match self.state.get() {
            Some(OrderOfEventState::Received) => OrderStage::Received,
            Some(OrderOfEventState::InProgress) => OrderStage::InProgress,
            Some(OrderOfEventState::DoneSuccess) => OrderStage::Done,
            Some(OrderOfEventState::DoneFailed) => OrderStage::Failed,
            _ => OrderStage::Other,
        };
        let own = self.state.get().map(|state| state.as_str().to_owned());
        OrderProgress::new(stage, own, said(&self.message))
    }
}

fn said(message: &Lenient<Text>) -> Option<String> {
    message.as_deref().filter(|message| !message.is_empty()).map(str::to_owned)
}

/// An order in the state `RECEIVED`, the only state in which an order can be changed or cancelled. (Source: ON-API 2.6,
/// orders.)
///
/// The network may start to execute the order at any time. From then on it rejects changes and cancellations with
/// [`Outcome::Rejected`](crate::Outcome::Rejected).
///
/// ```no_run
/// # use lastmile::onapi::{OnApi, ReceivedOrder};
/// # async fn example(network: OnApi) -> Result<(), Box<dyn std::error::Error>> {
/// let order = network.order(&"o-17".parse()?).await?;
/// ReceivedOrder::try_from(order)?.cancel(&network).await?;
/// # Ok(())
/// # }
/// ```
///
/// A cancelled order can be neither cancelled nor changed again:
///
/// ```compile_fail,E0382
/// # use lastmile::onapi::{OnApi, ReceivedOrder};
/// # async fn example(network: OnApi, order: ReceivedOrder) -> Result<(), Box<dyn std::error::Error>> {
/// order.cancel(&network).await?;
/// order.cancel(&network).await?;
/// # Ok(())
/// # }
/// ```
///
/// A placed [`Prepared`](crate::Prepared) order keeps what was created, even after the created order is cancelled. An order
/// whose state is not `Placed` is reconciled as absent once its created order is cancelled, and can then be placed again:
/// reconcile it before you cancel.
#[derive(Debug)]
pub struct ReceivedOrder {
    id: OnApiId,
    order: Order,
}

impl ReceivedOrder {
    /// Returns the order's id.
    pub fn id(&self) -> &OnApiId {
        &self.id
    }

    /// Returns the order as it was read.
    pub fn order(&self) -> &Order {
        &self.order
    }

    /// Changes the fields that are set in `change`, and leaves the others as they are (`PATCH`). The call is idempotent.
    ///
    /// If [`earlier_attempt_unanswered`](Reply::earlier_attempt_unanswered) is set, the supplier may still execute an earlier
    /// attempt, even after a newer change. Read the order again before you rely on it.
    ///
    /// # Errors
    /// Returns the error of the call. Returns [`Outcome::Invalid`](crate::Outcome::Invalid) when no field is set, when a field
    /// breaks its rule or only the network may set it, when `change` requests a takeover, and when it changes the access,
    /// service or operation of a takeover. In the last two cases, cancel the order and place a new one with a permit.
    #[doc(alias = "changeOrder")]
    #[doc(alias = "PATCH /orders/{orderId}")]
    pub async fn change(&self, network: &OnApi, change: &OrderChange) -> Result<Reply<()>, Error> {
        check_change(change)?;
        let moves = change.access_id.is_some() || change.service.is_some() || change.operation.is_some();
        let is_takeover = self.order.forced_takeover.get() == Some(&true);
        if moves && is_takeover && change.forced_takeover != Some(false) {
            return Err(refused(
                "accessId, service, operation: the permit of this takeover is for others: cancel the order and place another",
            ));
        }
        let change = network.dialect_of(EndpointName::Orders).change(change)?;
        network.check_known_fields(EndpointName::Orders, &change)?;
        let id = segment(&self.id)?;
        let client = network.endpoint_client(EndpointName::Orders)?;
        client.change_order(&id, &change).await
    }

    /// Replaces the order with another one under the same id (`PUT`). From then on the order is found only by the reference of
    /// the new order.
    ///
    /// If [`earlier_attempt_unanswered`](Reply::earlier_attempt_unanswered) is set, the supplier may still execute an earlier
    /// attempt, even after a newer change. Read the order again before you rely on it.
    ///
    /// # Errors
    /// Returns the error of the call, or [`Outcome::Invalid`](crate::Outcome::Invalid) under the same conditions as for a new
    /// order.
    #[doc(alias = "replaceOrder")]
    #[doc(alias = "PUT /orders/{orderId}")]
    pub async fn replace(&self, network: &OnApi, with: &NewOrder) -> Result<Reply<()>, Error> {
        with.check_fields()?;
        let dialect = network.dialect_of(EndpointName::Orders);
        network.check_known_fields(EndpointName::Orders, &dialect.order(with)?)?;
        let body = dialect.replacement(&self.order, with)?;
        let id = segment(&self.id)?;
        let client = network.endpoint_client(EndpointName::Orders)?;
        client.replace_order(&id, &body).await
    }

    /// Cancels the order (`DELETE`).
    ///
    /// # Errors
    /// Returns the error of the call. After an [`Outcome::Indeterminate`](crate::Outcome::Indeterminate), read the order: if it
    /// is cancelled, the network returns status 404 for its id.
    #[doc(alias = "cancelOrder")]
    #[doc(alias = "DELETE /orders/{orderId}")]
    pub async fn cancel(self, network: &OnApi) -> Result<(), Error> {
        let id = segment(&self.id)?;
        let client = network.endpoint_client(EndpointName::Orders)?;
        client.cancel_order(&id).await.map(Reply::into_value)
    }
}

/// # Errors
/// Returns [`Outcome::Invalid`](crate::Outcome::Invalid) when the order is in another state, or has no readable id.
impl TryFrom<Order> for ReceivedOrder {
    type Error = Error;

    fn try_from(order: Order) -> Result<Self, Error> {
        match order.state.get() {
            Some(OrderState::Received) => {
                let id = id("orderId", order.order_id.as_deref())?;
                Ok(Self { id, order })
            }
            Some(OrderState::Unlisted(_)) | None => Err(refused("the state of the order cannot be told")),
            Some(state) => Err(refused(format_args!(
                "the order is {} and no longer RECEIVED: it can be neither changed nor cancelled",
                state.as_str()
            ))),
        }
    }
}

fn check_change(change: &OrderChange) -> Result<(), Error> {
    let set_by_the_network = change.order_id.is_some()
        || change.state.is_some()
        || change.message.is_some()
        || change.expected_completion_date.is_some();
    if set_by_the_network {
        return Err(refused(
            "orderId, state, message, expectedCompletionDate: they are the network's to set",
        ));
    }
    if change.forced_takeover == Some(true) {
        return Err(refused(
            "forcedTakeover: a takeover needs the permit of an offer: cancel the order and place one with it",
        ));
    }
    for (field, value) in [
        ("accessId", &change.access_id),
        ("subscriptionId", &change.subscription_id),
        ("spReference", &change.sp_reference),
        ("spSubscriptionId", &change.sp_subscription_id),
    ] {
        if value.is_some() {
            id(field, value.as_deref())?;
        }
    }
    if let Some(service) = &change.service {
        text("service", service, 1)?;
    }
    check_given(change.external_note.as_deref(), change.characteristics.as_ref(), &change.equipment)?;
    if changes_nothing(change) {
        return Err(refused("nothing is to be changed: give at least one field"));
    }
    check_changed_lines(change)
}
