//! Bends answers as real servers do: in the places, and in the ways, that the document marks with `x-stray`.

use fastrand::Rng;
use serde_json::{Value, json};

use super::time::{HOUR, parse_rfc_3339, rfc_3339};
use crate::spec::{Operation, Spec};

/// Of so many marked fields one strays, and to one of so many objects a field is added.
const ODDS_OF_STRAYING: u8 = 4;
const ODDS_OF_ADDING: u8 = 8;

/// Fields that no document lists.
const UNLISTED_FIELDS: [&str; 3] = ["SLA", "coNote", "lastTouchedBy"];

#[derive(Debug)]
pub(super) struct UnexpectedValues {
    rng: Rng,
}

impl UnexpectedValues {
    pub(super) fn new(rng: Rng) -> UnexpectedValues {
        UnexpectedValues { rng }
    }

    /// Bends the body of an answer of this operation with this status.
    pub(super) fn replace_some(&mut self, spec: &Spec, operation: &Operation, status: u16, body: &mut Value) {
        let document = spec.document();
        let method = operation.method.as_str().to_ascii_lowercase();
        let answer = &document["paths"][&operation.path][&method]["responses"][status.to_string()];
        let schema = &spec.resolve(answer)["content"]["application/json"]["schema"];
        self.walk(spec, schema, body);
    }

    /// Refusals are not marked, and stay as they are.
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
                    self.unexpected(&property["x-stray"], value);
                }
                let name = UNLISTED_FIELDS[self.rng.usize(..UNLISTED_FIELDS.len())];
                if self.rng.u8(..ODDS_OF_ADDING) == 0 && !properties.contains_key("cause") {
                    fields.insert(name.to_owned(), json!("X-1"));
                }
            }
            _ => {}
        }
    }

    fn unexpected(&mut self, ways: &Value, value: &mut Value) {
        let ways = ways.as_array().map(Vec::as_slice).unwrap_or_default();
        if ways.is_empty() || self.rng.u8(..ODDS_OF_STRAYING) != 0 {
            return;
        }
        let way = ways[self.rng.usize(..ways.len())].as_str().unwrap_or_default();
        if let Some(replacement) = replacement(way, value) {
            *value = replacement;
        }
    }
}

/// What arrives in the place of a value; nothing where the value cannot stray in this way.
fn replacement(way: &str, value: &Value) -> Option<Value> {
    match (way, value) {
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

/// The alternative of a schema that is meant by a value: the list or the object.
fn alternative<'a>(spec: &'a Spec, schema: &'a Value, value: &Value) -> &'a Value {
    let Some(alternatives) = schema["oneOf"].as_array() else { return schema };
    let meant = if value.is_array() { "array" } else { "object" };
    let mut resolved = alternatives.iter().map(|schema| spec.resolve(schema));
    resolved.find(|schema| schema["type"] == meant).unwrap_or(schema)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_way_of_straying_is_what_the_mark_says() {
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
        for (way, value, expected) in cases {
            assert_eq!(replacement(way, &value), expected, "{way} {value}");
        }
    }

    /// So that a mark that the document gains is not passed over.
    #[test]
    fn every_mark_of_the_document_is_known() {
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
