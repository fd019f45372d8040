//! Orders and tickets as service providers send them.

use serde_json::{Map, Value};

use super::Dialect;
use super::edit::{retain, retain_in};

/// The fields of an order that a CO reads. It ignores all others, those included that it sets itself.
const ORDER: [&str; 12] = [
    "orderId",
    "accessId",
    "service",
    "operation",
    "requestedDateTime",
    "spReference",
    "spSubscriptionId",
    "subscriptionId",
    "externalNote",
    "characteristics",
    "forcedTakeover",
    "equipment",
];

const EQUIPMENT: [&str; 2] = ["vendorId", "macAddress"];

/// The fields of a ticket that a CO reads. It sets the status of a new ticket itself.
const TICKET: [&str; 9] = [
    "spReference",
    "spTicketReference",
    "accessId",
    "createdBy",
    "heading",
    "description",
    "subscriptionId",
    "problemType",
    "additionalInfo",
];

const ADDITIONAL_INFO: [&str; 3] = ["ip", "mac", "link"];
const COMMENT: [&str; 3] = ["createdBy", "message", "createdAt"];

/// Returns the order with the names of the standard and with `equipment` as a list, without unknown fields.
pub(super) fn order(dialect: Dialect, body: Value) -> Value {
    let Value::Object(mut fields) = body else { return body };
    fields.retain(|name, _| ORDER.contains(&name.as_str()));
    if let Some(Value::Object(sent)) = fields.get_mut("characteristics") {
        *sent = characteristics(dialect, std::mem::take(sent));
    }
    if let Some(equipment) = fields.get_mut("equipment") {
        let mut list = match equipment.take() {
            Value::Array(list) => list,
            one => vec![one],
        };
        list.iter_mut().for_each(|device| retain(device, &EQUIPMENT));
        *equipment = list.into();
    }
    Value::Object(fields)
}

/// Returns the characteristics that the dialect knows, with the names of the standard's samples. The definition of
/// the standard has `ipAddresses` where its samples have `ipAddress`, so every CO reads both.
fn characteristics(dialect: Dialect, sent: Map<String, Value>) -> Map<String, Value> {
    let known = |name: &str| match name {
        "fixedIp" => Some("fixedIp"),
        "ipAddress" | "ipAddresses" => Some("ipAddress"),
        "SLA" if !dialect.is_vendor() => Some("SLA"),
        "sla" if dialect.is_vendor() => Some("SLA"),
        _ => None,
    };
    sent.into_iter().filter_map(|(name, value)| Some((known(&name)?.to_owned(), value))).collect()
}

/// Returns the new ticket without unknown fields.
pub(super) fn ticket(mut body: Value) -> Value {
    retain(&mut body, &TICKET);
    retain_in(&mut body, "additionalInfo", &ADDITIONAL_INFO);
    body
}

/// Returns the update of a ticket with a comment without unknown fields.
pub(super) fn ticket_update(mut body: Value) -> Value {
    retain_in(&mut body, "comment", &COMMENT);
    body
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn unknown_fields_of_tickets_are_dropped() {
        let new =
            json!({ "heading": "x", "status": "CLOSED", "additionalInfo": { "ip": "192.0.2.1", "os": "x" } });
        assert_eq!(ticket(new), json!({ "heading": "x", "additionalInfo": { "ip": "192.0.2.1" } }));
        let comment = json!({ "comment": { "message": "x", "mood": "y" }, "status": "CLOSED" });
        assert_eq!(ticket_update(comment), json!({ "comment": { "message": "x" }, "status": "CLOSED" }));
    }

    #[test]
    fn each_dialect_has_its_own_name_of_the_service_level() {
        let sent = json!({
            "characteristics": { "SLA": "a", "sla": "b", "ipAddresses": ["192.0.2.1"], "colour": "red" },
            "equipment": { "vendorId": "X", "size": 1 },
            "note": "x",
        });
        let read = |level: &str| {
            json!({
                "characteristics": { "SLA": level, "ipAddress": ["192.0.2.1"] },
                "equipment": [{ "vendorId": "X" }],
            })
        };
        assert_eq!(order(Dialect::Standard24, sent.clone()), read("a"));
        assert_eq!(order(Dialect::Vendor26, sent), read("b"));
    }
}
