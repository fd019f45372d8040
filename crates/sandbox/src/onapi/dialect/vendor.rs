//! The responses of one vendor.

use serde_json::{Map, Value, json};

/// The operations whose list with one element the vendor sends as that element.
const UNWRAPPED: [&str; 4] = ["listOrders", "getMacAddressTable", "getLeaseInfo", "getIgmpSnooping"];

/// The fields that the vendor names differently: standard name, vendor name.
const RENAMED: [(&str, &str); 4] = [
    ("SLA", "sla"),
    ("ipAddress", "ipAddresses"),
    ("dhcpSnooping", "dhcpSnoopingTable"),
    ("configuredSpeed", "configuredSpeeds"),
];

/// Converts a response body to the form of the vendor.
pub(super) fn shape(operation: &str, answer: Value) -> Value {
    let answer = vendor_shape(answer);
    if UNWRAPPED.contains(&operation) { unwrap_single(answer) } else { answer }
}

fn vendor_shape(value: Value) -> Value {
    match value {
        Value::Array(list) => list.into_iter().map(vendor_shape).collect(),
        Value::Object(fields) => {
            let is_service = fields.contains_key("forcedTakeoverPossible");
            let mut fields: Map<_, _> = fields.into_iter().map(|(name, value)| field(name, value)).collect();
            if is_service {
                let characteristics = fields.entry("characteristics").or_insert_with(|| json!({}));
                let empty = characteristics.as_object().is_none_or(Map::is_empty);
                characteristics["empty"] = json!(empty);
            }
            Value::Object(fields)
        }
        plain => plain,
    }
}

fn field(name: String, value: Value) -> (String, Value) {
    let value = vendor_shape(value);
    if name == "equipment" {
        return (name, unwrap_single(value));
    }
    // `configuredSpeed` is also a text, of a port.
    let other = RENAMED
        .iter()
        .find(|(standard, _)| *standard == name && (value.is_array() || name != "configuredSpeed"));
    (other.map_or(name, |(_, vendor)| (*vendor).to_owned()), value)
}

/// Replaces a list of one element with the element.
fn unwrap_single(value: Value) -> Value {
    match value {
        Value::Array(mut list) if list.len() == 1 => list.remove(0),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vendor_unwraps_some_lists_of_one() {
        assert_eq!(shape("listOrders", json!([{ "orderId": "1" }])), json!({ "orderId": "1" }));
        let two = json!([{ "orderId": "1" }, { "orderId": "2" }]);
        assert_eq!(shape("listOrders", two.clone()), two);
        assert_eq!(shape("listTickets", json!([{}])), json!([{}]));
        assert_eq!(shape("getMacAddressTable", json!([])), json!([]));
        let device = json!({ "vendorId": "X" });
        assert_eq!(shape("getOrder", json!({ "equipment": [device] })), json!({ "equipment": device }));
    }

    #[test]
    fn lists_get_the_names_of_the_vendor() {
        let standard =
            json!({ "ports": [{ "configuredSpeed": "auto" }], "configuredSpeed": [], "dhcpSnooping": [] });
        let vendors = json!({ "ports": [{ "configuredSpeed": "auto" }], "configuredSpeeds": [], "dhcpSnoopingTable": [] });
        assert_eq!(shape("getLinkStatus", standard), vendors);
    }

    #[test]
    fn characteristics_of_services_say_whether_they_are_empty() {
        let full =
            json!({ "forcedTakeoverPossible": true, "characteristics": { "SLA": { "required": true } } });
        let full = shape("getServices", full);
        assert_eq!(full["characteristics"], json!({ "sla": { "required": true }, "empty": false }));
        let none = shape("getServices", json!({ "forcedTakeoverPossible": true }));
        assert_eq!(none["characteristics"], json!({ "empty": true }));
    }
}
