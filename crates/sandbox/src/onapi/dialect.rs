//! The shape of the responses.

use serde_json::{Map, Value, json};

/// The shape of the ON-API's responses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Dialect {
    /// The shape of the standard: lists are always arrays.
    #[default]
    Standard,
    /// The shape of one vendor: some lists with one element are that element, leases have the fields of a MAC address
    /// table, the characteristics of services have a field `empty`, and some fields have other names.
    Vendor,
    /// The shape of the standard with unexpected values: after validation, some fields that real servers are known to
    /// send in another form get such a form, and some objects get undocumented fields.
    Unexpected,
}

/// The operations whose list with one element the vendor sends as that element.
const UNWRAPPED: [&str; 4] = ["listOrders", "getMacAddressTable", "getLeaseInfo", "getIgmpSnooping"];

/// The list fields that the vendor names differently: standard name, vendor name.
const RENAMED: [(&str, &str); 3] = [
    ("ipAddress", "ipAddresses"),
    ("dhcpSnooping", "dhcpSnoopingTable"),
    ("configuredSpeed", "configuredSpeeds"),
];

/// Converts a response body to the shape of the vendor.
pub(super) fn vendor(operation: &str, answer: Value) -> Value {
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
    let other = RENAMED.iter().find(|(standard, _)| *standard == name && value.is_array());
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
        assert_eq!(vendor("listOrders", json!([{ "orderId": "1" }])), json!({ "orderId": "1" }));
        let two = json!([{ "orderId": "1" }, { "orderId": "2" }]);
        assert_eq!(vendor("listOrders", two.clone()), two);
        assert_eq!(vendor("listTickets", json!([{}])), json!([{}]));
        assert_eq!(vendor("getMacAddressTable", json!([])), json!([]));
        let device = json!({ "vendorId": "X" });
        assert_eq!(vendor("getOrder", json!({ "equipment": [device] })), json!({ "equipment": device }));
    }

    #[test]
    fn lists_get_the_names_of_the_vendor() {
        let standard =
            json!({ "ports": [{ "configuredSpeed": "auto" }], "configuredSpeed": [], "dhcpSnooping": [] });
        let vendors = json!({ "ports": [{ "configuredSpeed": "auto" }], "configuredSpeeds": [], "dhcpSnoopingTable": [] });
        assert_eq!(vendor("getLinkStatus", standard), vendors);
    }

    #[test]
    fn characteristics_of_services_say_whether_they_are_empty() {
        let full =
            json!({ "forcedTakeoverPossible": true, "characteristics": { "sla": { "required": true } } });
        assert_eq!(vendor("getServices", full)["characteristics"]["empty"], false);
        let none = vendor("getServices", json!({ "forcedTakeoverPossible": true }));
        assert_eq!(none["characteristics"], json!({ "empty": true }));
    }
}
