//! The fields that a draft must have to be submitted.
//!
//! These are the fields marked S in the supplier's tables. Where the condition of a field is illegible in every copy
//! of the page, the sandbox follows the assumption of the specification.

use super::draft::Order;
use super::error_response::FieldError;

const EITHER_NUMBER: &str = "A phone number or a cell phone number is required.";

/// Returns an error for every missing field.
pub(super) fn missing(order: &Order) -> Vec<FieldError> {
    let mut errors = absent(order, customer_fields(order));
    let contact = ["first_name", "last_name", "email"];
    errors.extend(absent(order, contact.map(|name| format!("end_customer.contact.{name}"))));
    errors.extend(missing_number(order));
    let operator = ["order_ref", "order_name", "contact_uuid"];
    errors.extend(absent(order, operator.map(|name| format!("operator_info.{name}"))));
    if order.check.is_some() {
        errors.extend(absent(order, ["request_type".to_owned()]));
        errors.extend(absent(order, line_fields(order)));
    }
    errors
}

/// Returns the required fields of the customer: a company has a name, a registered company a number as well, a person
/// both names.
fn customer_fields(order: &Order) -> Vec<String> {
    let names: &[&str] = match order.text("/end_customer/type") {
        Some("registered") => &["name", "siret"],
        Some("unregistered") => &["name"],
        Some("individual") => &["first_name", "last_name"],
        _ => &["type"],
    };
    names.iter().map(|name| format!("end_customer.{name}")).collect()
}

/// Returns the fields of the line that the request type requires (sections on the address and on the OTP).
fn line_fields(order: &Order) -> Vec<String> {
    let names: &[&str] = match (order.is_fiber(), order.text("/request_type")) {
        (true, Some("create" | "activate_undefined")) => &["address.stairs", "address.floor"],
        (true, Some("activate_defined")) => &["endpoints.0.reference"],
        (false, Some("create_neighbour")) => &["address.street_number"],
        _ => &[],
    };
    names.iter().map(|name| format!("bounds.0.{name}")).collect()
}

fn missing_number(order: &Order) -> Option<FieldError> {
    let numbers = ["phone_number", "cell_phone_number"].map(|name| format!("end_customer.contact.{name}"));
    let has_number = numbers.iter().any(|name| is_present(order, name));
    (!has_number).then(|| FieldError::new(&numbers[0], EITHER_NUMBER))
}

fn absent(order: &Order, names: impl IntoIterator<Item = String>) -> Vec<FieldError> {
    names.into_iter().filter(|name| !is_present(order, name)).map(FieldError::required).collect()
}

/// Returns whether a field has a text that is not empty.
fn is_present(order: &Order, name: &str) -> bool {
    order.text(&format!("/{}", name.replace('.', "/"))).is_some_and(|text| !text.is_empty())
}
