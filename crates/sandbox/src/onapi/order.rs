//! An order.

use serde_json::{Map, Value, json};

use super::paths::Paths;
use super::time::{Moment, parse_rfc_3339, rfc_3339};
use crate::json::text;

/// The fields of a request that an order does not keep as they were sent.
const NOT_KEPT: [&str; 4] = ["orderId", "accessId", "service", "subscriptionId"];

/// The fields of a created order if the CO does not tell its id (common/responses.md of the standard).
const FIELDS_WITHOUT_ID: [&str; 6] = ["path", "accessId", "service", "operation", "state", "message"];

/// What a CO tells about orders.
#[derive(Debug, Clone, Copy)]
pub(super) struct OrderForm {
    pub(super) paths: Paths,
    /// Whether the response to a request that creates an order contains its id.
    pub(super) order_ids: bool,
    /// Whether an order has the id of the subscription before it creates the subscription.
    pub(super) early_subscription_ids: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OrderState {
    Received,
    InProgress,
    Success,
    Failed,
}

impl OrderState {
    pub(super) fn name(self) -> &'static str {
        match self {
            OrderState::Received => "RECEIVED",
            OrderState::InProgress => "IN_PROGRESS",
            OrderState::Success => "DONE_SUCCESS",
            OrderState::Failed => "DONE_FAILED",
        }
    }

    pub(super) fn from_name(name: &str) -> Option<OrderState> {
        let all = [OrderState::Received, OrderState::InProgress, OrderState::Success, OrderState::Failed];
        all.into_iter().find(|state| state.name() == name)
    }

    pub(super) fn is_open(self) -> bool {
        matches!(self, OrderState::Received | OrderState::InProgress)
    }
}

/// What an order is for.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub(super) access_id: String,
    pub(super) service: &'static str,
    /// `None` if the order creates the subscription.
    pub(super) subscription_id: Option<String>,
}

/// An order: what was sent, and what the CO added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Order {
    pub(super) access_id: String,
    pub(super) service: &'static str,
    pub(super) subscription_id: String,
    /// The other fields that the service provider sent.
    pub(super) sp_fields: Value,
    pub(super) state: OrderState,
    pub(super) message: &'static str,
    pub(super) placed: Moment,
    /// The earliest time at which the order starts.
    pub(super) due: Moment,
}

impl Order {
    pub(super) fn new(request: &Value, target: Target, subscription_id: String, placed: Moment) -> Order {
        let Target { access_id, service, .. } = target;
        let requested = text(request, "requestedDateTime").and_then(parse_rfc_3339).unwrap_or(placed);
        Order {
            access_id,
            service,
            subscription_id,
            sp_fields: sp_fields(request),
            state: OrderState::Received,
            message: "",
            placed,
            due: requested.max(placed),
        }
    }

    pub(super) fn operation(&self) -> &str {
        text(&self.sp_fields, "operation").unwrap_or_default()
    }

    /// Returns the order as a request in which the fields of another request replace its own.
    pub(super) fn patched_request(&self, request: &Value) -> Value {
        let mut whole = self.sp_fields.clone();
        whole["service"] = json!(self.service);
        whole["accessId"] = json!(self.access_id);
        if self.operation() != "ACTIVATE" {
            whole["subscriptionId"] = json!(self.subscription_id);
        }
        for (field, value) in request.as_object().into_iter().flatten() {
            whole[field] = value.clone();
        }
        whole
    }

    /// Returns whether the subscription that the order creates does not exist yet, and will not for a while.
    fn creates_later(&self) -> bool {
        self.operation() == "ACTIVATE" && self.state.is_open() && self.due > self.placed
    }

    /// Returns the order as response bodies contain it.
    pub(super) fn value(&self, number: usize, form: &OrderForm) -> Value {
        let mut value = self.sp_fields.clone();
        value["path"] = json!(form.paths.item("orders", &order_id(number)));
        value["orderId"] = json!(order_id(number));
        value["accessId"] = json!(self.access_id);
        value["service"] = json!(self.service);
        if form.early_subscription_ids || !self.creates_later() {
            value["subscriptionId"] = json!(self.subscription_id);
        }
        value["state"] = json!(self.state.name());
        value["message"] = json!(self.message);
        value["expectedCompletionDate"] = json!(rfc_3339(self.due + 1));
        value
    }

    /// Returns the order as the response to a request that creates it contains it.
    pub(super) fn created_value(&self, number: usize, form: &OrderForm) -> Value {
        let mut value = self.value(number, form);
        if let Some(fields) = value.as_object_mut().filter(|_| !form.order_ids) {
            fields.retain(|field, _| FIELDS_WITHOUT_ID.contains(&field.as_str()));
        }
        value
    }
}

pub(super) fn order_id(number: usize) -> String {
    format!("o-{number}")
}

/// Returns the fields that the service provider sets.
fn sp_fields(request: &Value) -> Value {
    let mut fields: Map<_, _> = request.as_object().cloned().unwrap_or_default();
    fields.retain(|field, _| !NOT_KEPT.contains(&field.as_str()));
    Value::Object(fields)
}
