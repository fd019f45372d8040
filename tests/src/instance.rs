use serde_json::{Map, Value, json};

/// The depth to which objects are filled in.
const DEEPEST: usize = 8;

/// Returns an instance of a schema with all its properties. `fill` returns the value of a property, if it differs from
/// the schema's.
pub fn instance(document: &Value, schema: &Value, fill: &dyn Fn(&Value) -> Option<Value>) -> Value {
    at(document, schema, fill, 0)
}

fn at(document: &Value, schema: &Value, fill: &dyn Fn(&Value) -> Option<Value>, depth: usize) -> Value {
    if let Some(reference) = schema["$ref"].as_str() {
        let schema =
            document.pointer(reference.trim_start_matches('#')).expect("a reference within the document");
        return at(document, schema, fill, depth);
    }
    let inner = |schema: &Value| at(document, schema, fill, depth + 1);
    let first = |list: &str| schema[list].get(0).cloned();
    if let Some(value) = first("enum").or_else(|| first("x-known-values")) {
        return value;
    }
    if let Some(first) = ["oneOf", "anyOf", "allOf"].iter().find_map(|list| schema[*list].get(0)) {
        return inner(first);
    }
    match schema["type"].as_str() {
        Some("object") if depth > DEEPEST => json!({}),
        Some("object") => {
            let mut members = Map::new();
            for (name, property) in schema["properties"].as_object().into_iter().flatten() {
                members.insert(name.clone(), fill(property).unwrap_or_else(|| inner(property)));
            }
            if schema["additionalProperties"].is_object() && members.is_empty() {
                members.insert("key".to_owned(), inner(&schema["additionalProperties"]));
            }
            Value::Object(members)
        }
        Some("array") if depth > DEEPEST => json!([]),
        Some("array") => json!([inner(&schema["items"])]),
        Some("integer") => json!(17),
        Some("number") => json!(0.25),
        Some("boolean") => json!(true),
        Some("string") => match schema["format"].as_str() {
            Some("date") => json!("2019-01-18"),
            Some("date-time") => json!("2019-10-16T09:59:04.541090Z"),
            Some("uuid") => json!("0cd8d842-b0ca-43c0-8cbc-5d275cbdb1c2"),
            _ => json!("text"),
        },
        _ => Value::Null,
    }
}

/// Returns the schema of a success of an operation, if it has a JSON body.
pub fn answer_schema<'a>(document: &'a Value, operation: &str) -> Option<&'a Value> {
    let operations = document["paths"].as_object()?.values().filter_map(Value::as_object);
    let mut operations = operations.flat_map(|item| item.values());
    let found = operations.find(|one| one["operationId"] == operation)?;
    let success = found["responses"].as_object()?.iter().find(|(status, _)| status.starts_with('2'))?.1;
    let success = match success["$ref"].as_str() {
        Some(reference) => document.pointer(reference.trim_start_matches('#'))?,
        None => success,
    };
    success["content"]["application/json"].get("schema")
}
