//! What the offer of a service demands of an order: its characteristics.

use std::collections::BTreeMap;

use lastmile_core::Error;
use lastmile_core::wire::Lenient;
use lastmile_onapi::types::{CharacteristicsRequest, OfferedCharacteristic, Service};
use serde_json::Value;

use super::dialect::known_name;
use super::refused;

/// The characteristics that an offer lists, by their names.
pub(super) type OfferedCharacteristics = BTreeMap<String, OfferedCharacteristic>;

/// Returns the readable characteristics of an offer.
pub(super) fn offered_by(service: &Service) -> OfferedCharacteristics {
    let listed = service.characteristics.get().into_iter().flatten();
    // One vendor's `empty`, a boolean, is no characteristic.
    listed.filter_map(|(name, offered)| Some((name.clone(), offered.get()?.clone()))).collect()
}

/// Checks that an order has the characteristics that its offer requires, with valid values. (Source: ON-API 2.4 and 2.5,
/// accesses, and 2.6, services: `characteristics/[type]/required` and `validValues`, which the samples call `values`.)
pub(super) fn check(offered: &OfferedCharacteristics, given: &CharacteristicsRequest) -> Result<(), Error> {
    for (name, characteristic) in offered {
        let field = field(name);
        let value = value_of(given, name);
        let Some(value) = value else {
            if characteristic.required.get() == Some(&true) {
                return Err(refused(format_args!(
                    "{field}: the offer of the service requires it, and the order has none"
                )));
            }
            continue;
        };
        let valid: Vec<&Value> = characteristic.values.iter().chain(&characteristic.valid_values).collect();
        let is_valid = |value: &Value| valid.iter().any(|valid| is_same(valid, value));
        let is_offered = valid.is_empty()
            || is_valid(&value)
            || value.as_array().is_some_and(|values| !values.is_empty() && values.iter().all(is_valid));
        if !is_offered {
            return Err(refused(format_args!(
                "{field}: it is none of the values that the offer of the service lists"
            )));
        }
    }
    Ok(())
}

/// Returns the path of a characteristic, for errors. Networks may invent names, which errors do not repeat.
fn field(name: &str) -> &'static str {
    match known_name(name) {
        "fixedIp" => "characteristics.fixedIp",
        "ipAddresses" => "characteristics.ipAddresses",
        "sla" => "characteristics.sla",
        _ => "characteristics",
    }
}

/// Returns the value that an order gives a characteristic, whatever its name in the dialect of the network.
fn value_of(given: &CharacteristicsRequest, name: &str) -> Option<Value> {
    let texts = |list: &Option<Vec<String>>| list.clone().map(Value::from);
    match known_name(name) {
        "fixedIp" => given.fixed_ip.map(Value::Bool),
        "ipAddresses" => texts(&given.ip_addresses).or(texts(&given.ip_address)),
        "sla" => given.sla.clone().or(given.sla_upper.clone()).map(Value::String),
        _ => given.extra.get(name).cloned(),
    }
}

/// Returns whether two values are the same, if a text may stand for a number or a boolean.
fn is_same(valid: &Value, given: &Value) -> bool {
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        _ => None,
    };
    valid == given || text(valid).is_some_and(|valid| Some(valid) == text(given))
}

/// Returns whether an offered characteristic must be given.
pub(super) fn is_required(offered: &Lenient<OfferedCharacteristic>) -> bool {
    offered.get().is_some_and(|offered| offered.required.get() == Some(&true))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_required_is_given_with_a_valid_value() {
        let service: Service = serde_json::from_value(json!({ "service": "BB", "characteristics": {
            "empty": false,
            "fixedIp": { "required": true, "values": [true, false] },
            "ipAddress": { "required": false },
            "SLA": { "required": true, "validValues": ["SLA-1", "SLA-2"] },
            "colour": { "values": [1, 2] },
        } }))
        .unwrap();
        let offered = offered_by(&service);
        assert_eq!(offered.len(), 4);
        let told = |given: Value| {
            let given: CharacteristicsRequest = serde_json::from_value(given).unwrap();
            check(&offered, &given).err().map(|error| error.to_string()).unwrap_or_default()
        };
        assert!(told(json!({})).contains("characteristics.sla"));
        assert!(told(json!({ "sla": "SLA-1" })).contains("characteristics.fixedIp"));
        assert!(told(json!({ "SLA": "SLA-3", "fixedIp": true })).contains("none of the values"));
        assert!(told(json!({ "SLA": "SLA-2", "fixedIp": true, "colour": 3 })).contains("characteristics: "));
        assert_eq!(told(json!({ "SLA": "SLA-2", "fixedIp": true, "colour": "2" })), "");
    }
}
