//! What of a draft decides what is ordered.

use std::fmt;

use lastmile_covage::types::Order;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What decides what is ordered, as the caller saw it last: kept with a submission, and compared before it is sent.
///
/// A change of a draft whose answer was lost may be carried out later, after a newer one. So the draft may have another socket by
/// then than the one that the caller chose.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Seen(Map<String, Value>);

/// The fields of an order that its caller decides, and inside them those that matter; all of them where none is named. What the
/// platform fills in by itself, such as ids and dates, is not among them.
const FIELDS: [(&str, &[&str]); 12] = [
    ("type", &[]),
    ("request_type", &[]),
    ("eligibility_ref", &[]),
    ("service_ref", &[]),
    ("service_uuid", &[]),
    ("comment", &[]),
    ("product", &["code"]),
    ("end_customer", &[]),
    ("operator_info", &[]),
    ("options", &["enabled", "value", "prefix_code", "rio_code"]),
    ("allow_second_rdv", &[]),
    ("address_second_rdv", &[]),
];

/// What is ordered for whom is personal.
impl fmt::Debug for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seen((hidden))")
    }
}

impl Seen {
    pub(super) fn of(order: &Order) -> Self {
        let order = serde_json::to_value(order).unwrap_or_default();
        let mut seen = Map::new();
        for (field, inside) in FIELDS {
            let value = match (field, &order[field]) {
                ("options", Value::Object(options)) => {
                    let options = options.iter().map(|(name, option)| (name.clone(), only(option, inside)));
                    Value::Object(options.collect())
                }
                (_, value) if inside.is_empty() => value.clone(),
                (_, value) => only(value, inside),
            };
            seen.insert(field.to_owned(), value);
        }
        seen.insert("bounds".to_owned(), bounds(&order["bounds"]));
        let mut seen = Value::Object(seen);
        drop_empty(&mut seen);
        match seen {
            Value::Object(seen) => Self(seen),
            _ => Self(Map::new()),
        }
    }

    /// The fields in which an order differs from what was seen.
    pub(super) fn differences(&self, order: &Order) -> Vec<&'static str> {
        let Self(now) = Self::of(order);
        let names = FIELDS.iter().map(|(field, _)| *field).chain(["bounds"]);
        names.filter(|field| self.0.get(*field) != now.get(*field)).collect()
    }
}

/// The ends of the line: which sockets or lines they are, and where. Their order says nothing.
fn bounds(bounds: &Value) -> Value {
    let list = |value: &Value| match value {
        Value::Array(list) => list.clone(),
        Value::Object(_) => vec![value.clone()],
        _ => Vec::new(),
    };
    let mut ends: Vec<Value> = list(bounds)
        .iter()
        .map(|bound| {
            let endpoints = list(&bound["endpoints"]);
            let endpoints: Vec<Value> =
                endpoints.iter().map(|endpoint| only(endpoint, &["reference", "type"])).collect();
            serde_json::json!({ "address": bound["address"], "endpoints": endpoints })
        })
        .collect();
    ends.sort_by_cached_key(Value::to_string);
    Value::Array(ends)
}

fn only(value: &Value, fields: &[&str]) -> Value {
    let Value::Object(value) = value else { return value.clone() };
    let kept = value.iter().filter(|(name, _)| fields.contains(&name.as_str()));
    Value::Object(kept.map(|(name, value)| (name.clone(), value.clone())).collect())
}

/// An empty text, list or object says as little as a missing field, and answers have now one, now the other.
fn drop_empty(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.values_mut().for_each(drop_empty);
            fields.retain(|_, value| !is_empty(value));
        }
        Value::Array(items) => items.iter_mut().for_each(drop_empty),
        Value::String(text) => *text = text.trim().to_owned(),
        _ => {}
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn order(json: Value) -> Order {
        serde_json::from_value(json).unwrap()
    }

    fn draft() -> Value {
        json!({
            "uuid": "u-1", "status": "draft", "type": "activate", "request_type": "activate_defined",
            "product": { "code": "FP01", "name": "Fibre" }, "comment": null,
            "options": { "gtr": { "enabled": true, "value": "4h", "default_value": "8h" } },
            "bounds": [
                { "uuid": "b-1", "endpoints": [{ "uuid": "e-1", "type": "otp", "reference": "FI-1", "locked": false }],
                  "address": { "floor": "1", "stairs": "" } },
                { "uuid": "b-2", "endpoints": [] },
            ],
            "modification_date": "2026-03-02T06:00:00Z",
        })
    }

    #[test]
    fn what_the_caller_decides_is_compared() {
        let seen = Seen::of(&order(draft()));
        for (pointer, value, field) in [
            ("/bounds/0/endpoints/0/reference", json!("FI-2"), "bounds"),
            ("/bounds/0/address/floor", json!("2"), "bounds"),
            ("/request_type", json!("create"), "request_type"),
            ("/product/code", json!("FP02"), "product"),
            ("/options/gtr/value", json!("8h"), "options"),
            ("/comment", json!("Ring twice"), "comment"),
        ] {
            let mut changed = draft();
            *changed.pointer_mut(pointer).unwrap() = value;
            assert_eq!(seen.differences(&order(changed)), [field], "{pointer}");
        }
    }

    #[test]
    fn what_the_platform_fills_in_is_not() {
        let seen = Seen::of(&order(draft()));
        let mut changed = draft();
        changed["status"] = json!("submitted");
        changed["modification_date"] = json!("2026-03-03T06:00:00Z");
        changed["product"]["name"] = json!("Fibre 1G");
        changed["options"]["gtr"]["default_value"] = json!("12h");
        changed["bounds"].as_array_mut().unwrap().reverse();
        changed["bounds"][1]["endpoints"][0]["locked"] = json!(true);
        changed["bounds"][1]["address"]["stairs"] = Value::Null;
        changed.as_object_mut().unwrap().remove("comment");
        assert_eq!(seen.differences(&order(changed)), Vec::<&str>::new());
        let again: Seen = serde_json::from_str(&serde_json::to_string(&seen).unwrap()).unwrap();
        assert_eq!(again, seen);
    }
}
