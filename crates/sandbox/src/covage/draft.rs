//! Orders: their initial fields, and the changes that a client can make to a draft.

use serde_json::{Value, json};

use super::bounds;
use super::eligibility::{EligibilityCheck, Target};
use super::error_response::{ErrorResponse, FieldError, fail_if_any};
use super::fixtures::{Fixtures, Premises};
use super::generator::Generator;
use super::products::{self, Products, Technology};
use super::service::Service;
use crate::json::text_at;
use crate::merge_patch::merge_patch;

/// The fields of an order that a client can set. Objects are merged, not replaced.
const CHANGEABLE: [&str; 8] = [
    "request_type",
    "comment",
    "end_customer",
    "operator_info",
    "options",
    "information",
    "allow_second_rdv",
    "address_second_rdv",
];

/// The only product with a second appointment (section on the installation of the ONT).
const SECOND_APPOINTMENT: &str = "FP05";

/// An order, as a draft and after its submission.
#[derive(Debug, Clone)]
pub(super) struct Order {
    /// The order as response bodies contain it.
    pub(super) view: Value,
    /// The eligibility check that an activation is based on. `None` for a termination, which is based on a service.
    pub(super) check: Option<EligibilityCheck>,
    /// The copper service that this order migrates to fibre.
    pub(super) migrates: Option<String>,
    /// Whether an information event has been sent since time last advanced.
    pub(super) informed: bool,
    /// Whether the client has ended the deferral.
    pub(super) resumed: bool,
}

impl Order {
    pub(super) fn activation(
        premises: &Premises,
        reference: &str,
        check: EligibilityCheck,
        product: Value,
        generator: &mut Generator,
    ) -> Order {
        let mut view = new_draft("activate", generator);
        view["eligibility_ref"] = json!(reference);
        view["product"] = product;
        view["bounds"] = json!([bounds::of_activation(premises, &check, generator)]);
        match &check.target {
            Target::CopperLine { activation_type } => view["request_type"] = json!(activation_type),
            Target::Socket(..) => view["request_type"] = json!("activate_defined"),
            Target::Building(_) => {}
        }
        if check.technology() == Technology::Fiber {
            // The sample of a fibre order has this option although the request does not.
            view["options"] = json!({ "contract_term": { "enabled": true, "value": "36_months" } });
            complete_options(&mut view["options"]);
        }
        Order { view, check: Some(check), migrates: None, informed: false, resumed: false }
    }

    /// Creates a draft of a termination. Its fields are copied from the service, as in the sample.
    pub(super) fn termination(service: &Service, generator: &mut Generator) -> Order {
        let mut view = new_draft("terminate", generator);
        view["service_ref"] = service.view["reference"].clone();
        view["service_uuid"] = service.view["uuid"].clone();
        view["product"] = service.view["product"].clone();
        view["end_customer"] = service.view["end_customer"].clone();
        if let Some(contact) = text_at(&service.view, "/operator_info/contact_uuid") {
            view["operator_info"] = json!({ "contact_uuid": contact });
        }
        view["bounds"] = bounds::copied(&service.view["bounds"], generator);
        Order { view, check: None, migrates: None, informed: false, resumed: false }
    }

    pub(super) fn text(&self, pointer: &str) -> Option<&str> {
        text_at(&self.view, pointer)
    }

    pub(super) fn status(&self) -> &str {
        self.text("/status").unwrap_or_default()
    }

    pub(super) fn is_fiber(&self) -> bool {
        self.check.as_ref().is_some_and(|check| check.technology() == Technology::Fiber)
    }

    /// Checks that the order is a draft, which alone can be changed (section on modifying an order).
    pub(super) fn check_is_draft(&self) -> Result<(), ErrorResponse> {
        match self.status() {
            "draft" => Ok(()),
            _ => Err(ErrorResponse::field("status", "Only a draft can be changed or submitted.")),
        }
    }

    /// Sets the fields that a request has. On error the order is left in an invalid state and must be discarded.
    pub(super) fn change(&mut self, body: &Value, products: &Products) -> Result<(), ErrorResponse> {
        let mut errors = Vec::new();
        check_characters(&body["end_customer"], "end_customer", &mut errors);
        errors.extend(self.product_fault(body));
        errors.extend(self.request_type_fault(body));
        if let Some(code) = text_at(body, "/product/code") {
            self.view["product"] = products.product(code);
        }
        for name in CHANGEABLE {
            if let Some(change) = body.get(name) {
                merge_patch(&mut self.view[name], change);
            }
        }
        complete_options(&mut self.view["options"]);
        errors.extend(self.second_appointment_faults());
        fail_if_any(errors)
    }

    pub(super) fn set_modified(&mut self, generator: &mut Generator) {
        self.view["modification_date"] = json!(generator.stamp());
    }

    /// Checks the product: it must be among the offers of the eligibility check; a termination has that of its
    /// service.
    fn product_fault(&self, body: &Value) -> Option<FieldError> {
        let code = text_at(body, "/product/code")?;
        let matches = match &self.check {
            Some(check) => check.products.contains(&code),
            None => self.text("/product/code") == Some(code),
        };
        (!matches).then(|| FieldError::new("product.code", "It is not among the offers."))
    }

    /// Checks the request type. For copper it is that of the eligibility check, for fibre one of three (text on
    /// addresses and sockets).
    fn request_type_fault(&self, body: &Value) -> Option<FieldError> {
        let wanted = text_at(body, "/request_type")?;
        let matches = match self.check.as_ref().map(|check| &check.target) {
            None => false,
            Some(Target::CopperLine { activation_type }) => wanted == activation_type,
            Some(_) => matches!(wanted, "create" | "activate_defined" | "activate_undefined"),
        };
        (!matches).then(|| FieldError::new("request_type", "It does not fit what the order starts from."))
    }

    /// Checks the fields of the second appointment: only for FP05, and only if a socket exists (section on the ONT).
    fn second_appointment_faults(&self) -> Vec<FieldError> {
        let is_present = |name: &&&str| self.view.get(**name).is_some();
        if self.text("/product/code") != Some(SECOND_APPOINTMENT) {
            let names = ["allow_second_rdv", "address_second_rdv"];
            return names
                .iter()
                .filter(is_present)
                .map(|name| FieldError::new(*name, "For FP05 only."))
                .collect();
        }
        if self.view["allow_second_rdv"] == true && self.text("/request_type") == Some("create") {
            return vec![FieldError::new("allow_second_rdv", "For a socket that exists only.")];
        }
        Vec::new()
    }

    /// Changes the address of a bound (section on the address of an order).
    pub(super) fn change_bound(&mut self, bound: &str, body: &Value) -> Result<Value, ErrorResponse> {
        let index = self.view["bounds"]
            .as_array()
            .and_then(|bounds| bounds.iter().position(|candidate| candidate["uuid"] == bound))
            .ok_or_else(|| ErrorResponse::not_found("bound"))?;
        self.check_is_draft()?;
        let allowed: &[&str] = match self.text("/request_type") {
            Some("create" | "activate_undefined") if self.is_fiber() => &["stairs", "floor"],
            Some("create_neighbour") if !self.is_fiber() => &["street_number"],
            _ => &[],
        };
        let mut errors = Vec::new();
        for name in body["address"].as_object().into_iter().flat_map(|address| address.keys()) {
            if !allowed.contains(&name.as_str()) {
                errors.push(FieldError::new(format!("address.{name}"), "Not for this request type."));
            }
        }
        check_characters(&body["address"], "address", &mut errors);
        fail_if_any(errors)?;
        if let Some(address) = body.get("address") {
            merge_patch(&mut self.view["bounds"][index]["address"], address);
        }
        Ok(self.view["bounds"][index].clone())
    }

    /// Sets the socket of an endpoint and looks its location up (section on the OTP). The document has validated the
    /// format of the reference.
    pub(super) fn change_endpoint(
        &mut self,
        endpoint: &str,
        body: &Value,
        fixtures: &Fixtures,
    ) -> Result<Value, ErrorResponse> {
        let (bound, index) =
            self.find_endpoint(endpoint).ok_or_else(|| ErrorResponse::not_found("endpoint"))?;
        self.check_is_draft()?;
        if !self.is_fiber() || self.text("/request_type") != Some("activate_defined") {
            return Err(ErrorResponse::field(
                "request_type",
                "Only activate_defined orders of fiber take a socket.",
            ));
        }
        let reference = text_at(body, "/reference").unwrap_or_default();
        let bound = &mut self.view["bounds"][bound];
        if bound["endpoints"][index]["locked"] == true {
            return Err(ErrorResponse::field("reference", "It is fixed."));
        }
        let (stairs, floor) = locate_socket(fixtures, reference);
        bound["address"]["stairs"] = json!(stairs);
        bound["address"]["floor"] = json!(floor);
        let endpoint = &mut bound["endpoints"][index];
        endpoint["reference"] = json!(reference);
        // The sample has these three fields only.
        Ok(json!({ "uuid": endpoint["uuid"], "reference": reference, "locked": endpoint["locked"] }))
    }

    fn find_endpoint(&self, uuid: &str) -> Option<(usize, usize)> {
        self.view["bounds"].as_array()?.iter().enumerate().find_map(|(index, bound)| {
            let endpoints = bound["endpoints"].as_array()?;
            Some((index, endpoints.iter().position(|endpoint| endpoint["uuid"] == uuid)?))
        })
    }
}

fn new_draft(kind: &str, generator: &mut Generator) -> Value {
    json!({
        "uuid": generator.uuid(),
        "reference": generator.reference('O'),
        "status": "draft",
        "type": kind,
        "end_customer": {},
        "operator_info": {},
        "options": {},
        "creation_date": generator.stamp(),
        "modification_date": generator.stamp(),
        "updated_status_date": generator.stamp(),
        "information": {},
    })
}

/// Adds the fields that the platform sets: `enabled` (false by default), the default contract term, and the
/// supplier's part of a number porting (section on options).
fn complete_options(options: &mut Value) {
    for (code, option) in options.as_object_mut().into_iter().flatten() {
        let Some(option) = option.as_object_mut() else { continue };
        let mut fill_in = |name: &str, value: Value| {
            option.entry(name).or_insert(value);
        };
        fill_in("enabled", json!(false));
        match code.as_str() {
            "contract_term" => fill_in("default_value", json!("12_months")),
            "portability" => {
                fill_in("contract_ref", json!("PORTA-0001"));
                fill_in("operator_code", json!("OPIM"));
            }
            _ => {}
        }
    }
}

/// Returns the staircase and floor of a socket. The external service also knows sockets that are in no building of
/// the fixtures; their location is derived from the reference.
fn locate_socket(fixtures: &Fixtures, reference: &str) -> (String, String) {
    let found = fixtures.socket(reference).and_then(|(premises, building, socket)| {
        let socket = fixtures.at(premises)?.buildings.get(building)?.sockets.get(socket)?;
        Some((socket.stairs.clone(), socket.floor.clone()))
    });
    found.unwrap_or_else(|| {
        let sum: u32 = reference.bytes().map(u32::from).sum();
        ((sum % 3 + 1).to_string(), (sum % 7).to_string())
    })
}

/// Returns whether a character is allowed in the texts of `end_customer` and `bounds` (note on creating an order).
fn is_allowed(symbol: char) -> bool {
    const LETTERS: &str = "àâäçèéêëîïôöùûü";
    const SIGNS: &str = " \u{a0}()+,-.:@[]_{}";
    symbol.is_ascii_alphanumeric() || SIGNS.contains(symbol) || LETTERS.contains(symbol)
}

fn check_characters(value: &Value, path: &str, errors: &mut Vec<FieldError>) {
    match value {
        Value::String(text) if !text.chars().all(is_allowed) => {
            errors.push(FieldError::new(path, "It has characters that are not allowed."));
        }
        Value::Object(fields) => {
            for (name, field) in fields {
                check_characters(field, &format!("{path}.{name}"), errors);
            }
        }
        _ => {}
    }
}

/// Returns whether a service of this product can be terminated: those of the families A, S, M and F (section on
/// terminations). Only the supplier ends its links to the operator (principles of orders).
pub(super) fn can_terminate(product_code: &str) -> bool {
    matches!(products::technology(product_code), Some(Technology::Copper | Technology::Fiber))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_characters_are_allowed_and_no_others() {
        for symbol in "() +,-.0123456789:ABCXYZ@[]_abcxyz{}àâäçèéêëîïôöùûü\u{a0}".chars() {
            assert!(is_allowed(symbol), "{symbol}");
        }
        for symbol in "'’/&\"#;!?*=<>|\\^~`$%ÀÉÇñœæ\u{202f}\t\n".chars() {
            assert!(!is_allowed(symbol), "{symbol}");
        }
    }

    #[test]
    fn texts_are_checked_at_every_depth() {
        let mut errors = Vec::new();
        check_characters(
            &json!({ "name": "L'As", "contact": { "email": "a/b", "last_name": "Noël" } }),
            "x",
            &mut errors,
        );
        let problem = "It has characters that are not allowed.";
        assert_eq!(errors, [FieldError::new("x.contact.email", problem), FieldError::new("x.name", problem)]);
    }
}
