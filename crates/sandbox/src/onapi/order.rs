//! An order.

use serde_json::{Map, Value, json};

use super::path_style::PathStyle;
use super::time::{Moment, parse_rfc_3339, rfc_3339};
use crate::json::text;

/// The fields that the CO sets. They are ignored in requests.
const SET_BY_THE_CO: [&str; 7] =
    ["orderId", "accessId", "service", "subscriptionId", "expectedCompletionDate", "state", "message"];

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
    /// The fields that the service provider sent, with `equipment` as a list.
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

    pub(super) fn value(&self, number: usize, path_style: &PathStyle) -> Value {
        let mut value = self.sp_fields.clone();
        value["path"] = json!(path_style.item("orders", &order_id(number)));
        value["orderId"] = json!(order_id(number));
        value["accessId"] = json!(self.access_id);
        value["service"] = json!(self.service);
        value["subscriptionId"] = json!(self.subscription_id);
        value["state"] = json!(self.state.name());
        value["message"] = json!(self.message);
        value["expectedCompletionDate"] = json!(rfc_3339(self.due + 1));
        value
    }
}

pub(super) fn order_id(number: usize) -> String {
    format!("o-{number}")
}

/// Returns the fields that the service provider sets. A single piece of equipment becomes a list.
fn sp_fields(request: &Value) -> Value {
    let mut fields: Map<_, _> = request.as_object().cloned().unwrap_or_default();
    fields.retain(|field, _| !SET_BY_THE_CO.contains(&field.as_str()));
    if let Some(one) = fields.get_mut("equipment").filter(|equipment| equipment.is_object()) {
        *one = json!([one.take()]);
    }
    Value::Object(fields)
}
