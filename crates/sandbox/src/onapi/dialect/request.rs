//! Orders as service providers send them.

use serde_json::{Map, Value, json};

use super::Dialect;

/// The fields of an order that a CO reads. It ignores all others, those included that it sets itself.
const FIELDS: [&str; 12] = [
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

/// Returns the order with the names of the standard and with `equipment` as a list, without unknown fields.
pub(super) fn order(dialect: Dialect, body: Value) -> Value {
    let Value::Object(mut fields) = body else { return body };
    fields.retain(|name, _| FIELDS.contains(&name.as_str()));
    if let Some(Value::Object(sent)) = fields.get_mut("characteristics") {
        *sent = characteristics(dialect, std::mem::take(sent));
    }
    if let Some(equipment) = fields.get_mut("equipment") {
        let list = match equipment.take() {
            Value::Array(list) => list,
            one => vec![one],
        };
        *equipment = list.into_iter().map(device).collect();
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

fn device(sent: Value) -> Value {
    let fields = ["vendorId", "macAddress"].into_iter();
    let sent = fields.filter_map(|field| Some((field.to_owned(), sent.get(field)?.clone())));
    json!(sent.collect::<Map<_, _>>())
}

#[cfg(test)]
mod tests {
    use super::*;

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
