//! In which shapes a CO answers.

use serde_json::{Map, Value, json};

/// In which shapes the ON-API answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Dialect {
    /// The standard's: lists are lists, however many are in them.
    #[default]
    Standard,
    /// One vendor's: a list of one is the one itself where that vendor shows one, leases have the fields of a MAC
    /// address table, characteristics of services say whether they are `empty`, and some fields have other names.
    Vendor,
    /// The standard's, bent after it was found right: fields that are known to stray do so, now and then, and
    /// fields turn up that no document lists.
    Unexpected,
}

/// Operations whose whole answer that vendor shows as one object.
const ONE: [&str; 4] = ["listOrders", "getMacAddressTable", "getLeaseInfo", "getIgmpSnooping"];

/// Fields that the standard and that vendor name differently, where they hold lists.
const NAMES: [(&str, &str); 3] = [
    ("ipAddress", "ipAddresses"),
    ("dhcpSnooping", "dhcpSnoopingTable"),
    ("configuredSpeed", "configuredSpeeds"),
];

/// The vendor's shape of an answer of the standard.
pub(super) fn vendor(operation: &str, answer: Value) -> Value {
    let answer = shaped(answer);
    if ONE.contains(&operation) { one(answer) } else { answer }
}

fn shaped(value: Value) -> Value {
    match value {
        Value::Array(list) => list.into_iter().map(shaped).collect(),
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
    let value = shaped(value);
    if name == "equipment" {
        return (name, one(value));
    }
    let other = NAMES.iter().find(|(standard, _)| *standard == name && value.is_array());
    (other.map_or(name, |(_, vendor)| (*vendor).to_owned()), value)
}

/// The one of a list of one.
fn one(value: Value) -> Value {
    match value {
        Value::Array(mut list) if list.len() == 1 => list.remove(0),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_one_is_the_one_where_the_vendor_shows_one() {
        assert_eq!(vendor("listOrders", json!([{ "orderId": "1" }])), json!({ "orderId": "1" }));
        let two = json!([{ "orderId": "1" }, { "orderId": "2" }]);
        assert_eq!(vendor("listOrders", two.clone()), two);
        assert_eq!(vendor("listTickets", json!([{}])), json!([{}]));
        assert_eq!(vendor("getMacAddressTable", json!([])), json!([]));
        let device = json!({ "vendorId": "X" });
        assert_eq!(vendor("getOrder", json!({ "equipment": [device] })), json!({ "equipment": device }));
    }

    #[test]
    fn lists_have_the_vendors_names() {
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
