//! Unexpected values: replaces fields of responses with what real servers send instead, as the document marks it with
//! `x-stray`.

use fastrand::Rng;
use serde_json::{Value, json};

use super::time::{HOUR, parse_rfc_3339, rfc_3339};
use crate::spec::{Operation, Spec};

/// One in this many marked fields is replaced, and one in this many objects gets an additional field.
const ODDS_OF_REPLACEMENT: u8 = 4;
const ODDS_OF_ADDITION: u8 = 8;

/// Names of undocumented fields.
const UNLISTED_FIELDS: [&str; 3] = ["SLA", "coNote", "lastTouchedBy"];

#[derive(Debug)]
pub(super) struct UnexpectedValues {
    rng: Rng,
}

impl UnexpectedValues {
    pub(super) fn new(rng: Rng) -> UnexpectedValues {
        UnexpectedValues { rng }
    }

    /// Replaces some values in the response body of this operation and status code.
    pub(super) fn replace_some(&mut self, spec: &Spec, operation: &Operation, status: u16, body: &mut Value) {
        let document = spec.document();
        let method = operation.method.as_str().to_ascii_lowercase();
        let answer = &document["paths"][&operation.path][&method]["responses"][status.to_string()];
        let schema = &spec.resolve(answer)["content"]["application/json"]["schema"];
        self.walk(spec, schema, body);
    }

    /// Walks a value along its schema. Error bodies have no marks and stay unchanged.
    fn walk(&mut self, spec: &Spec, schema: &Value, value: &mut Value) {
        let schema = alternative(spec, spec.resolve(schema), value);
        match value {
            Value::Array(list) => {
                for one in list {
                    self.walk(spec, &schema["items"], one);
                }
            }
            Value::Object(fields) => {
                let Some(properties) = schema["properties"].as_object() else { return };
                for (name, value) in &mut *fields {
                    let Some(property) = properties.get(name) else { continue };
                    self.walk(spec, property, value);
                    self.replace(&property["x-stray"], value);
                }
                let name = UNLISTED_FIELDS[self.rng.usize(..UNLISTED_FIELDS.len())];
                let is_unlisted = !properties.contains_key(name) && !properties.contains_key("cause");
                if self.rng.u8(..ODDS_OF_ADDITION) == 0 && is_unlisted {
                    fields.insert(name.to_owned(), json!("X-1"));
                }
            }
            _ => {}
        }
    }

    fn replace(&mut self, kinds: &Value, value: &mut Value) {
        let kinds = kinds.as_array().map(Vec::as_slice).unwrap_or_default();
        if kinds.is_empty() || self.rng.u8(..ODDS_OF_REPLACEMENT) != 0 {
            return;
        }
        let kind = kinds[self.rng.usize(..kinds.len())].as_str().unwrap_or_default();
        if let Some(replacement) = replacement(kind, value) {
            *value = replacement;
        }
    }
}

/// Returns the replacement of a value, or `None` if this kind of replacement does not apply to it.
fn replacement(kind: &str, value: &Value) -> Option<Value> {
    match (kind, value) {
        ("empty", _) => Some(json!("")),
        ("null", _) => Some(Value::Null),
        ("text", Value::String(_)) => Some(json!("okänt")),
        ("text", Value::Bool(_) | Value::Number(_)) => Some(json!(value.to_string())),
        ("number", Value::String(digits)) => digits.parse::<u32>().ok().map(Value::from),
        ("one", Value::Array(list)) if list.len() == 1 => list.first().cloned(),
        ("many", _) => Some(json!([value])),
        ("date", Value::String(text)) => text.get(..10).map(Value::from),
        ("offset", Value::String(text)) => {
            let local = rfc_3339(parse_rfc_3339(text)? + HOUR);
            Some(json!(local.replace('Z', "+01:00")))
        }
        ("unlisted", Value::String(_)) => Some(json!("NYTT_VÄRDE")),
        _ => None,
    }
}

/// Returns the alternative of a schema that describes a value: the list or the object. A reference with a
/// description beside it is the only one.
fn alternative<'a>(spec: &'a Spec, schema: &'a Value, value: &Value) -> &'a Value {
    let alternatives = schema["oneOf"].as_array().or_else(|| schema["allOf"].as_array());
    let Some(alternatives) = alternatives else { return schema };
    let meant = if value.is_array() { "array" } else { "object" };
    let mut resolved = alternatives.iter().map(|schema| spec.resolve(schema));
    resolved.find(|schema| schema["type"] == meant).unwrap_or(schema)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_mark_has_its_replacement() {
        let cases = [
            ("text", json!(1), Some(json!("1"))),
            ("text", json!(false), Some(json!("false"))),
            ("text", json!("2026-03-02T06:00:00Z"), Some(json!("okänt"))),
            ("number", json!("1101"), Some(json!(1101))),
            ("number", json!("550-70"), None),
            ("empty", json!(["x"]), Some(json!(""))),
            ("null", json!(1), Some(json!(null))),
            ("one", json!([{ "mac": "x" }]), Some(json!({ "mac": "x" }))),
            ("one", json!([1, 2]), None),
            ("many", json!("x"), Some(json!(["x"]))),
            ("date", json!("2026-03-02T06:00:00Z"), Some(json!("2026-03-02"))),
            ("offset", json!("2026-03-02T23:30:00Z"), Some(json!("2026-03-03T00:30:00+01:00"))),
            ("offset", json!(""), None),
            ("date", json!(""), None),
            ("unlisted", json!("RECEIVED"), Some(json!("NYTT_VÄRDE"))),
        ];
        for (kind, value, expected) in cases {
            assert_eq!(replacement(kind, &value), expected, "{kind} {value}");
        }
    }

    /// A new mark in the document must be implemented here.
    #[test]
    fn every_mark_of_the_document_is_implemented() {
        fn marks(node: &Value, found: &mut Vec<String>) {
            match node {
                Value::Object(fields) => {
                    let own = fields.get("x-stray").and_then(Value::as_array).into_iter().flatten();
                    found.extend(own.filter_map(Value::as_str).map(str::to_owned));
                    fields.values().for_each(|field| marks(field, found));
                }
                Value::Array(list) => list.iter().for_each(|one| marks(one, found)),
                _ => {}
            }
        }
        let mut found = Vec::new();
        marks(Spec::onapi().document(), &mut found);
        assert!(found.len() > 50);
        let known = ["text", "number", "empty", "null", "one", "many", "date", "offset", "unlisted"];
        assert!(found.iter().all(|mark| known.contains(&mark.as_str())), "{found:?}");
    }
}
