//! Converts an OpenAPI 3.0 schema to the JSON Schema (2020-12) that bodies are validated against.

use serde_json::{Map, Value, json};

/// Whether objects accept fields that their schema does not list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum UnlistedFields {
    /// As the document says: they are accepted, unless it declares `additionalProperties`.
    AsDocumented,
    /// They are rejected, unless the document declares `additionalProperties` or the object is marked `x-map`.
    Rejected,
}

/// Converts a schema.
///
/// - `nullable: true` becomes the type `null` beside the schema's own type.
/// - Siblings of a reference are ignored, as OpenAPI 3.0 demands.
/// - A format is not asserted where the document says that suppliers send other text (`x-stray: [text]`).
/// - Examples and other extensions are removed.
pub(super) fn convert(schema: &Value, unlisted: UnlistedFields) -> Value {
    let Value::Object(fields) = schema else { return schema.clone() };
    if let Some(reference) = fields.get("$ref") {
        return json!({ "$ref": reference });
    }
    let mut converted: Map<String, Value> = fields
        .iter()
        .filter(|(key, _)| is_constraint(key) && !(key.as_str() == "format" && accepts_any_text(fields)))
        .map(|(key, value)| (key.clone(), convert_keyword(key, value, unlisted)))
        .collect();
    if unlisted == UnlistedFields::Rejected && is_open_by_omission(fields) {
        converted.insert("additionalProperties".to_owned(), Value::Bool(false));
    }
    if fields.get("nullable") == Some(&Value::Bool(true)) {
        return nullable(converted);
    }
    Value::Object(converted)
}

/// Converts a map of schemas.
pub(super) fn convert_each(schemas: &Value, unlisted: UnlistedFields) -> Value {
    let Value::Object(schemas) = schemas else { return schemas.clone() };
    schemas.iter().map(|(name, schema)| (name.clone(), convert(schema, unlisted))).collect()
}

fn is_constraint(keyword: &str) -> bool {
    !keyword.starts_with("x-") && !matches!(keyword, "nullable" | "example" | "description" | "title")
}

fn accepts_any_text(fields: &Map<String, Value>) -> bool {
    let unexpected = fields.get("x-stray").and_then(Value::as_array);
    fields.get("type").is_some_and(|kind| kind == "string")
        && unexpected.is_some_and(|kinds| kinds.iter().any(|kind| kind == "text"))
}

fn convert_keyword(keyword: &str, value: &Value, unlisted: UnlistedFields) -> Value {
    match keyword {
        "properties" => convert_each(value, unlisted),
        "items" | "additionalProperties" | "not" => convert(value, unlisted),
        "allOf" | "anyOf" | "oneOf" => {
            value.as_array().into_iter().flatten().map(|schema| convert(schema, unlisted)).collect()
        }
        _ => value.clone(),
    }
}

fn is_open_by_omission(fields: &Map<String, Value>) -> bool {
    fields.contains_key("properties")
        && !fields.contains_key("additionalProperties")
        && fields.get("x-map") != Some(&Value::Bool(true))
}

/// Returns a schema that also accepts null. A second type keeps the paths of nested problems; a schema with listed
/// values or a composition needs an alternative instead.
fn nullable(mut schema: Map<String, Value>) -> Value {
    let simple = !["enum", "allOf", "anyOf", "oneOf", "not"].iter().any(|key| schema.contains_key(*key));
    match schema.get("type").cloned() {
        Some(kind) if simple => {
            schema.insert("type".to_owned(), json!([kind, "null"]));
            Value::Object(schema)
        }
        _ => json!({ "anyOf": [schema, { "type": "null" }] }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(schema: &Value) -> Value {
        convert(schema, UnlistedFields::Rejected)
    }

    #[test]
    fn an_open_copy_stays_as_open_as_the_document() {
        let schema = json!({
            "type": "object",
            "properties": {
                "a": { "type": "object", "properties": { "b": {} } },
                "c": { "type": "object", "properties": { "d": {} }, "additionalProperties": false },
            },
        });
        assert_eq!(convert(&schema, UnlistedFields::AsDocumented), schema);
    }

    #[test]
    fn objects_are_closed_at_every_depth() {
        let closed = close(&json!({
            "type": "object",
            "properties": {
                "example": { "type": "string", "example": "x", "x-sensitive": "personal" },
                "list": { "type": "array", "items": { "type": "object", "properties": { "a": {} } } },
            },
        }));
        let expected = json!({
            "type": "object",
            "properties": {
                "example": { "type": "string" },
                "list": {
                    "type": "array",
                    "items": { "type": "object", "properties": { "a": {} }, "additionalProperties": false },
                },
            },
            "additionalProperties": false,
        });
        assert_eq!(closed, expected);
    }

    #[test]
    fn explicitly_open_objects_stay_open() {
        let map = json!({ "type": "object", "additionalProperties": { "type": "string" } });
        assert_eq!(close(&map), map);
        let marked = json!({ "type": "object", "properties": { "a": {} }, "x-map": true });
        assert_eq!(close(&marked), json!({ "type": "object", "properties": { "a": {} } }));
        let free = json!({ "type": "object" });
        assert_eq!(close(&free), free);
    }

    #[test]
    fn an_x_stray_text_mark_removes_the_format() {
        let dated = |unexpected: Value| json!({ "type": "string", "format": "date", "x-stray": unexpected });
        assert_eq!(close(&dated(json!(["empty", "text"]))), json!({ "type": "string" }));
        assert_eq!(close(&dated(json!(["empty"]))), json!({ "type": "string", "format": "date" }));
    }

    #[test]
    fn nullable_schemas_accept_null() {
        assert_eq!(
            close(&json!({ "type": "string", "nullable": true })),
            json!({ "type": ["string", "null"] })
        );
        assert_eq!(
            close(&json!({ "type": "string", "enum": ["a"], "nullable": true })),
            json!({ "anyOf": [{ "type": "string", "enum": ["a"] }, { "type": "null" }] })
        );
        assert_eq!(
            close(&json!({ "$ref": "#/components/schemas/A", "nullable": true })),
            json!({ "$ref": "#/components/schemas/A" })
        );
    }
}
