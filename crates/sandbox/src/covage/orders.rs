//! Orders: created, completed, submitted, listed.

use serde_json::{Value, json};

use super::draft::{Order, can_end};
use super::page::Page;
use super::query::Query;
use super::refusal::{Fault, Refusal, none_of};
use super::submission::missing;
use super::{Office, field};
use crate::desk::Effects;

/// Under this name submissions are counted.
const SUBMISSION: &str = "updateOrder.submit";
const UNKNOWN_CHECK: &str = "There is no such eligibility answer.";

impl Office {
    /// Without a type, what starts from an eligibility answer is an activation: one sample of the supplier
    /// leaves the type out, although its table demands it.
    pub(super) fn create_order(&mut self, body: &Value) -> Result<Value, Refusal> {
        let mut order = match (field(body, "/type"), field(body, "/eligibility_ref")) {
            (Some("terminate"), _) => self.new_termination(body)?,
            (None, None) => return Err(Refusal::invalid(vec![Fault::required("type")])),
            _ => self.new_activation(body)?,
        };
        order.change(body, &self.catalogue)?;
        self.demand_own_reference(&order)?;
        let view = order.view.clone();
        self.orders.add(field(&view, "/uuid").unwrap_or_default(), order);
        Ok(view)
    }

    fn new_activation(&mut self, body: &Value) -> Result<Order, Refusal> {
        let mut faults = not_for(body, &["service_ref", "service_uuid"], "For terminations only.");
        let reference = field(body, "/eligibility_ref");
        let code = field(body, "/product/code");
        for (name, value) in [("eligibility_ref", reference), ("product.code", code)] {
            faults.extend(value.is_none().then(|| Fault::required(name)));
        }
        none_of(faults)?;
        let (reference, code) = (reference.unwrap_or_default(), code.unwrap_or_default());
        let unknown = || Refusal::field("eligibility_ref", UNKNOWN_CHECK);
        let check = self.checks.get(reference).cloned().ok_or_else(unknown)?;
        let place = self.town.at(check.place).ok_or_else(unknown)?;
        let product = self.catalogue.product(code);
        Ok(Order::activation(place, reference, check, product, &mut self.journal))
    }

    /// Either of the two names the service; both must name the same (section on terminations).
    fn new_termination(&mut self, body: &Value) -> Result<Order, Refusal> {
        none_of(not_for(body, &["eligibility_ref"], "For activations only."))?;
        let names = ["uuid", "reference"];
        let sent = [field(body, "/service_uuid"), field(body, "/service_ref")];
        if sent == [None, None] {
            return Err(Refusal::invalid(["service_ref", "service_uuid"].map(Fault::required).into()));
        }
        let wrong = |problem| {
            let name = if sent[0].is_some() { "service_uuid" } else { "service_ref" };
            Refusal::field(name, problem)
        };
        let is_it = |view: &Value| {
            names.iter().zip(sent).all(|(name, sent)| sent.is_none_or(|sent| view[name] == sent))
        };
        let service = self.services.iter().find(|service| is_it(&service.view));
        let service = service.ok_or_else(|| wrong("There is no such service."))?;
        if !service.is_active() {
            return Err(wrong("The service is not active."));
        }
        if !can_end(field(&service.view, "/product/code").unwrap_or_default()) {
            return Err(wrong("A service of this family cannot be terminated."));
        }
        Ok(Order::termination(service, &mut self.journal))
    }

    pub(super) fn order(&self, uuid: &str) -> Result<Value, Refusal> {
        self.find_order(uuid).map(|index| self.orders[index].view.clone())
    }

    /// A change and the submission may come together. What is refused changes nothing.
    pub(super) fn update_order(
        &mut self,
        uuid: &str,
        body: &Value,
        effects: &mut Effects,
    ) -> Result<Value, Refusal> {
        let index = self.find_order(uuid)?;
        let mut order = self.orders[index].clone();
        order.demand_draft()?;
        order.change(body, &self.catalogue)?;
        if body.get("status").is_some() {
            self.submit(&mut order)?;
            effects.add(SUBMISSION);
        } else {
            self.demand_own_reference(&order)?;
        }
        order.touch(&mut self.journal);
        let view = order.view.clone();
        self.orders[index] = order;
        Ok(view)
    }

    /// A termination takes effect at once (note on terminations).
    fn submit(&mut self, order: &mut Order) -> Result<(), Refusal> {
        let mut faults = missing(order);
        faults.extend(self.reference_fault(order));
        none_of(faults)?;
        if let Some(uuid) = order.text("/service_uuid").map(str::to_owned) {
            self.end_service(&uuid)?;
        }
        let now = json!(self.journal.stamp());
        order.view["status"] = json!("submitted");
        order.view["submission_date"] = now.clone();
        order.view["updated_status_date"] = now;
        self.taken_references.extend(order.text("/operator_info/order_ref").map(str::to_owned));
        self.events.add("order-submitted", "order", &order.view, &mut self.journal);
        Ok(())
    }

    pub(super) fn update_bound(&mut self, uuid: &str, bound: &str, body: &Value) -> Result<Value, Refusal> {
        let index = self.find_order(uuid)?;
        let changed = self.orders[index].change_bound(bound, body)?;
        self.orders[index].touch(&mut self.journal);
        Ok(changed)
    }

    pub(super) fn update_endpoint(
        &mut self,
        uuid: &str,
        endpoint: &str,
        body: &Value,
    ) -> Result<Value, Refusal> {
        let index = self.find_order(uuid)?;
        let changed = self.orders[index].change_endpoint(endpoint, body, &self.town)?;
        self.orders[index].touch(&mut self.journal);
        Ok(changed)
    }

    /// For orders that were submitted; one for each order until time passes (section on deferred orders).
    pub(super) fn inform(&mut self, uuid: &str, body: &Value) -> Result<Value, Refusal> {
        let index = self.find_order(uuid)?;
        let order = &mut self.orders[index];
        if order.status() == "draft" {
            return Err(Refusal::new(400, "The order has not been submitted."));
        }
        if order.informed {
            return Err(Refusal::new(400, "Please wait 5 minutes before trying again on this order."));
        }
        order.informed = true;
        order.resumed |= body["stop_deferred"] == true;
        let info = "Event was successfully created, please wait 5 minutes before trying again on this order";
        Ok(json!({ "info": info }))
    }

    /// In the order of their creation unless sorted otherwise. An order without the date that is sorted by
    /// comes before all that have one.
    pub(super) fn list_orders(&self, query: &Query) -> Page {
        let wanted = Wanted::by(query);
        let fitting = self.orders.iter().filter(|order| wanted.fits(order)).map(|order| &order.view);
        match query.get("sort").unwrap_or_default() {
            // They are kept in the order in which they were created.
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

    pub(super) fn find_order(&self, uuid: &str) -> Result<usize, Refusal> {
        self.orders.place(uuid).ok_or_else(|| Refusal::not_found("order"))
    }

    fn demand_own_reference(&self, order: &Order) -> Result<(), Refusal> {
        none_of(self.reference_fault(order).into_iter().collect())
    }

    /// A reference is taken once an order with it was submitted, whatever became of the order since: it "must
    /// be unique for all orders placed" (table of fields). Drafts do not stand in each other's way.
    fn reference_fault(&self, order: &Order) -> Option<Fault> {
        let reference = order.text("/operator_info/order_ref").filter(|_| self.unique_references)?;
        let taken = self.taken_references.contains(reference);
        taken.then(|| Fault::new("operator_info.order_ref", "Another order has this reference."))
    }
}

/// A fault for each field that is sent although it is not for this kind of order.
fn not_for(body: &Value, names: &[&str], problem: &str) -> Vec<Fault> {
    let sent = names.iter().filter(|name| body.get(**name).is_some());
    sent.map(|name| Fault::new(*name, problem)).collect()
}

/// What a list of orders is asked for; a parameter that is empty asks for nothing.
struct Wanted<'a> {
    fields: Vec<(&'static str, &'a str)>,
    endpoint: Option<&'a str>,
    customer: Option<&'a str>,
}

impl<'a> Wanted<'a> {
    fn by(query: &'a Query) -> Wanted<'a> {
        const FIELDS: [(&str, &str); 5] = [
            ("reference", "/reference"),
            ("type", "/type"),
            ("status", "/status"),
            ("product_family", "/product/line/family/code"),
            ("product_line", "/product/line/code"),
        ];
        let wanted = |name| query.get(name).filter(|value| !value.is_empty());
        let fields = FIELDS.iter().filter_map(|(name, pointer)| Some((*pointer, wanted(name)?)));
        Wanted {
            fields: fields.collect(),
            endpoint: wanted("endpoint_ref"),
            customer: wanted("end_customer"),
        }
    }

    fn fits(&self, order: &Order) -> bool {
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

/// The whole name: a company's, or a person's two with a space between them.
fn is_for(order: &Order, name: &str) -> bool {
    let part = |pointer| order.text(pointer).unwrap_or_default();
    let person = format!("{} {}", part("/end_customer/first_name"), part("/end_customer/last_name"));
    part("/end_customer/name") == name || person == name
}
