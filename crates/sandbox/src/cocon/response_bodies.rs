//! The response bodies of stored objects. Objects are stored as they were sent; response bodies use other names and
//! another nesting, and omit absent fields.

use serde_json::{Map, Value, json};

use crate::json::{non_null, text};

pub(super) fn contact(id: &str, stored: &Value, customer: Option<&Value>) -> Value {
    present([
        ("id", Some(json!(id))),
        ("name", non_null(stored, "name").cloned()),
        ("customerName", customer.and_then(|customer| non_null(customer, "name")).cloned()),
        ("isPrimaryContact", non_null(stored, "isPrimaryContact").cloned()),
        ("phoneNumber", non_null(stored, "phoneNumber").cloned()),
        ("emailAddresses", non_null(stored, "emailAddresses").cloned()),
    ])
}

pub(super) fn customer(id: &str, stored: &Value) -> Value {
    let outage = stored.get("outageContactInformation").unwrap_or(&Value::Null);
    present([
        ("id", Some(json!(id))),
        ("name", non_null(stored, "name").cloned()),
        ("postalAddress", non_null(stored, "postalAddress").and_then(one_line).map(Value::from)),
        ("emailAddresses", non_null(outage, "emailAddresses").cloned()),
        ("phoneNumber", non_null(outage, "phoneNumber").cloned()),
        ("additionalInformation", non_null(stored, "additionalInformation").cloned()),
    ])
}

pub(super) fn contract(id: &str, stored: &Value, customer: Option<&Value>) -> Value {
    let contacts = non_null(stored, "contactIds").and_then(Value::as_array);
    let contact_path = |id: &Value| format!("/api/v1/contacts/{}", id.as_str().unwrap_or_default());
    let reference = |id: &Value| json!({ "id": id, "href": contact_path(id) });
    present([
        ("id", Some(json!(id))),
        ("name", non_null(stored, "name").cloned()),
        ("customerName", customer.and_then(|customer| non_null(customer, "name")).cloned()),
        ("owner", non_null(stored, "owner").cloned()),
        ("startDate", non_null(stored, "startDate").cloned()),
        ("endDate", non_null(stored, "endDate").cloned()),
        ("remarks", non_null(stored, "comment").cloned()),
        ("additionalInformation", non_null(stored, "other").cloned()),
        ("contacts", contacts.map(|ids| ids.iter().map(reference).collect())),
    ])
}

/// Returns an address in one line, such as `Kade 12, 1234AB Ankeborg, Nederland`, or as much of it as there is.
fn one_line(address: &Value) -> Option<String> {
    let join = |fields: [&str; 2]| {
        let parts: Vec<_> = fields.iter().filter_map(|field| text(address, field)).collect();
        parts.join(" ")
    };
    let mut parts = vec![join(["street", "houseNumber"]), join(["zipCode", "city"])];
    parts.extend(text(address, "country").map(str::to_owned));
    parts.retain(|part| !part.is_empty());
    (!parts.is_empty()).then(|| parts.join(", "))
}

fn present<const N: usize>(fields: [(&str, Option<Value>); N]) -> Value {
    let present = fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::Object(present.collect::<Map<_, _>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_joins_its_fields() {
        let full = json!({
            "street": "Kade",
            "houseNumber": "12",
            "zipCode": "1234AB",
            "city": "Ankeborg",
            "country": "Nederland",
        });
        assert_eq!(one_line(&full).as_deref(), Some("Kade 12, 1234AB Ankeborg, Nederland"));
        assert_eq!(
            one_line(&json!({ "city": "Ankeborg", "street": "Kade" })).as_deref(),
            Some("Kade, Ankeborg")
        );
        assert_eq!(one_line(&json!({})), None);
    }

    #[test]
    fn null_fields_are_omitted() {
        assert_eq!(contact("1", &json!({ "name": null }), None), json!({ "id": "1" }));
        let outage = json!({ "outageContactInformation": { "phoneNumber": "06" }, "clientCode": "K1" });
        assert_eq!(customer("1", &outage), json!({ "id": "1", "phoneNumber": "06" }));
    }
}
