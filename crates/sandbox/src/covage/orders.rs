//! The operations on orders: create, change, submit, list.

use serde_json::{Value, json};

use super::draft::{Order, can_terminate};
use super::error_response::{ErrorResponse, FieldError, fail_if_any};
use super::page::Page;
use super::query::Query;
use super::simulation::Simulation;
use super::submission::missing;
use crate::behaviour::Effects;
use crate::json::text_at;

/// The name under which submissions are counted.
const SUBMISSION: &str = "updateOrder.submit";
const UNKNOWN_CHECK: &str = "There is no such eligibility answer.";

impl Simulation {
    /// Creates an order. An order with an eligibility check and without a type is an activation: one sample of the
    /// supplier has no type, although its table requires it.
    pub(super) fn create_order(&mut self, body: &Value) -> Result<Value, ErrorResponse> {
        let mut order = match (text_at(body, "/type"), text_at(body, "/eligibility_ref")) {
            (Some("terminate"), _) => self.new_termination(body)?,
            (None, None) => return Err(ErrorResponse::invalid(vec![FieldError::required("type")])),
            _ => self.new_activation(body)?,
        };
        order.change(body, &self.products)?;
        self.check_reference(&order)?;
        let view = order.view.clone();
        self.orders.add(text_at(&view, "/uuid").unwrap_or_default(), order);
        Ok(view)
    }

    fn new_activation(&mut self, body: &Value) -> Result<Order, ErrorResponse> {
        let mut errors = not_for(body, &["service_ref", "service_uuid"], "For terminations only.");
        let reference = text_at(body, "/eligibility_ref");
        let code = text_at(body, "/product/code");
        for (name, value) in [("eligibility_ref", reference), ("product.code", code)] {
            errors.extend(value.is_none().then(|| FieldError::required(name)));
        }
        fail_if_any(errors)?;
        let (reference, code) = (reference.unwrap_or_default(), code.unwrap_or_default());
        let unknown = || ErrorResponse::field("eligibility_ref", UNKNOWN_CHECK);
        let check = self.checks.get(reference).cloned().ok_or_else(unknown)?;
        let premises = self.fixtures.at(check.premises_index).ok_or_else(unknown)?;
        let product = self.products.product(code);
        Ok(Order::activation(premises, reference, check, product, &mut self.generator))
    }

    /// Creates a termination. It names the service by uuid, by reference, or consistently by both (section on
    /// terminations).
    fn new_termination(&mut self, body: &Value) -> Result<Order, ErrorResponse> {
        fail_if_any(not_for(body, &["eligibility_ref"], "For activations only."))?;
        let names = ["uuid", "reference"];
        let sent = [text_at(body, "/service_uuid"), text_at(body, "/service_ref")];
        if sent == [None, None] {
            return Err(ErrorResponse::invalid(
                ["service_ref", "service_uuid"].map(FieldError::required).into(),
            ));
        }
        let wrong = |problem| {
            let name = if sent[0].is_some() { "service_uuid" } else { "service_ref" };
            ErrorResponse::field(name, problem)
        };
        let is_it = |view: &Value| {
            names.iter().zip(sent).all(|(name, sent)| sent.is_none_or(|sent| view[name] == sent))
        };
        let service = self.services.iter().find(|service| is_it(&service.view));
        let service = service.ok_or_else(|| wrong("There is no such service."))?;
        if !service.is_active() {
            return Err(wrong("The service is not active."));
        }
        if !can_terminate(text_at(&service.view, "/product/code").unwrap_or_default()) {
            return Err(wrong("A service of this family cannot be terminated."));
        }
        Ok(Order::termination(service, &mut self.generator))
    }

    pub(super) fn order(&self, uuid: &str) -> Result<Value, ErrorResponse> {
        self.find_order(uuid).map(|index| self.orders[index].view.clone())
    }

    /// Changes and submits an order. A rejected request changes nothing.
    pub(super) fn update_order(
        &mut self,
        uuid: &str,
        body: &Value,
        effects: &mut Effects,
    ) -> Result<Value, ErrorResponse> {
        let index = self.find_order(uuid)?;
        let mut order = self.orders[index].clone();
        order.check_is_draft()?;
        order.change(body, &self.products)?;
        if body.get("status").is_some() {
            self.submit(&mut order)?;
            effects.add(SUBMISSION);
        } else {
            self.check_reference(&order)?;
        }
        order.set_modified(&mut self.generator);
        let view = order.view.clone();
        self.orders[index] = order;
        Ok(view)
    }

    /// Submits an order. A termination takes effect immediately (note on terminations).
    fn submit(&mut self, order: &mut Order) -> Result<(), ErrorResponse> {
        let mut errors = missing(order);
        errors.extend(self.reference_fault(order));
        fail_if_any(errors)?;
        if let Some(uuid) = order.text("/service_uuid").map(str::to_owned) {
            self.terminate_service(&uuid)?;
        }
        let now = json!(self.generator.stamp());
        order.view["status"] = json!("submitted");
        order.view["submission_date"] = now.clone();
        order.view["updated_status_date"] = now;
        self.submitted_references.extend(order.text("/operator_info/order_ref").map(str::to_owned));
        self.events.add("order-submitted", "order", &order.view, &mut self.generator);
        Ok(())
    }

    pub(super) fn update_bound(
        &mut self,
        uuid: &str,
        bound: &str,
        body: &Value,
    ) -> Result<Value, ErrorResponse> {
        let index = self.find_order(uuid)?;
        let changed = self.orders[index].change_bound(bound, body)?;
        self.orders[index].set_modified(&mut self.generator);
        Ok(changed)
    }

    pub(super) fn update_endpoint(
        &mut self,
        uuid: &str,
        endpoint: &str,
        body: &Value,
    ) -> Result<Value, ErrorResponse> {
        let index = self.find_order(uuid)?;
        let changed = self.orders[index].change_endpoint(endpoint, body, &self.fixtures)?;
        self.orders[index].set_modified(&mut self.generator);
        Ok(changed)
    }

    /// Accepts an information event for a submitted order, once per order until time advances (section on deferred
    /// orders).
    pub(super) fn inform(&mut self, uuid: &str, body: &Value) -> Result<Value, ErrorResponse> {
        let index = self.find_order(uuid)?;
        let order = &mut self.orders[index];
        if order.status() == "draft" {
            return Err(ErrorResponse::new(400, "The order has not been submitted."));
        }
        if order.informed {
            return Err(ErrorResponse::new(400, "Please wait 5 minutes before trying again on this order."));
        }
        order.informed = true;
        order.resumed |= body["stop_deferred"] == true;
        let info = "Event was successfully created, please wait 5 minutes before trying again on this order";
        Ok(json!({ "info": info }))
    }

    /// Lists orders, in the order of their creation unless `sort` says otherwise. Orders without the date of the sort
    /// come first.
    pub(super) fn list_orders(&self, query: &Query) -> Page {
        let wanted = OrderFilter::by(query);
        let fitting = self.orders.iter().filter(|order| wanted.matches(order)).map(|order| &order.view);
        match query.get("sort").unwrap_or_default() {
            // Orders are stored in the order of their creation.
            "" | "creation_date" => Page::of(fitting, query),
            "-creation_date" => Page::of(fitting.rev(), query),
            sort => {
                let mut orders: Vec<&Value> = fitting.collect();
                let name = sort.trim_start_matches('-');
                orders.sort_by_cached_key(|order| order.get(name).and_then(Value::as_str));
                if sort.starts_with('-') {
                    orders.reverse();
                }
                Page::of(orders, query)
            }
        }
    }

    pub(super) fn find_order(&self, uuid: &str) -> Result<usize, ErrorResponse> {
        self.orders.position(uuid).ok_or_else(|| ErrorResponse::not_found("order"))
    }

    fn check_reference(&self, order: &Order) -> Result<(), ErrorResponse> {
        fail_if_any(self.reference_fault(order).into_iter().collect())
    }

    /// Checks that the reference of an order is not in use. It is in use once an order with it was submitted,
    /// whatever happened to that order since: it "must be unique for all orders placed" (table of fields). Drafts may
    /// share a reference.
    fn reference_fault(&self, order: &Order) -> Option<FieldError> {
        let reference = order.text("/operator_info/order_ref").filter(|_| self.unique_references)?;
        let is_in_use = self.submitted_references.contains(reference);
        is_in_use.then(|| FieldError::new("operator_info.order_ref", "Another order has this reference."))
    }
}

/// Returns an error for each sent field that is not allowed for this kind of order.
fn not_for(body: &Value, names: &[&str], problem: &str) -> Vec<FieldError> {
    let sent = names.iter().filter(|name| body.get(**name).is_some());
    sent.map(|name| FieldError::new(*name, problem)).collect()
}

/// The filters of a list of orders. Empty parameters are ignored.
struct OrderFilter<'a> {
    fields: Vec<(&'static str, &'a str)>,
    endpoint: Option<&'a str>,
    customer: Option<&'a str>,
}

impl<'a> OrderFilter<'a> {
    fn by(query: &'a Query) -> OrderFilter<'a> {
        const FIELDS: [(&str, &str); 5] = [
            ("reference", "/reference"),
            ("type", "/type"),
            ("status", "/status"),
            ("product_family", "/product/line/family/code"),
            ("product_line", "/product/line/code"),
        ];
        let wanted = |name| query.get(name).filter(|value| !value.is_empty());
        let fields = FIELDS.iter().filter_map(|(name, pointer)| Some((*pointer, wanted(name)?)));
        OrderFilter {
            fields: fields.collect(),
            endpoint: wanted("endpoint_ref"),
            customer: wanted("end_customer"),
        }
    }

    fn matches(&self, order: &Order) -> bool {
        self.fields.iter().all(|(pointer, value)| order.text(pointer) == Some(value))
            && self.endpoint.is_none_or(|value| has_endpoint(order, value))
            && self.customer.is_none_or(|value| is_for(order, value))
    }
}

fn has_endpoint(order: &Order, reference: &str) -> bool {
    let bounds = order.view["bounds"].as_array().into_iter().flatten();
    let mut endpoints = bounds.filter_map(|bound| bound["endpoints"].as_array()).flatten();
    endpoints.any(|endpoint| endpoint["reference"] == reference)
}

/// Compares the full name: that of a company, or the first and last name of a person, separated by a space.
fn is_for(order: &Order, name: &str) -> bool {
    let part = |pointer| order.text(pointer).unwrap_or_default();
    let person = format!("{} {}", part("/end_customer/first_name"), part("/end_customer/last_name"));
    part("/end_customer/name") == name || person == name
}
