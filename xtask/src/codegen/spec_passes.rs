//! What is changed in a document before progenitor reads it.

use serde_json::{Map, Value, json};

use super::document::{Document, Side, component, references};
use super::fault::Fault;

pub(crate) struct Pass {
    pub(crate) name: &'static str,
    /// Changes the document and counts what it changed.
    pub(crate) run: fn(&mut Document) -> Result<usize, Fault>,
}

/// The passes, in their order.
pub(crate) const PASSES: [Pass; 10] = [
    // Refusals are read by the call layer, which keeps their status, headers and body.
    Pass { name: "refusals-off", run: refusals_off },
    // progenitor reads one body for every success, whatever its status.
    Pass { name: "one-success", run: one_success },
    // An optional property takes `null` already, and typify would wrap the component once more.
    Pass { name: "nullable-components", run: nullable_components },
    // progenitor knows no media type but plain JSON, and serde's Option cannot send `null`.
    Pass { name: "merge-patch", run: merge_patch },
    // Text in a path could name another path.
    Pass { name: "path-segments", run: path_segments },
    // A list of values that nobody gives whole is no closed enum.
    Pass { name: "known-values", run: known_values },
    // A type for both sides would be lenient in requests or strict in answers.
    Pass { name: "own-schemas", run: own_schemas },
    // A supplier's odd value must not cost the whole answer.
    Pass { name: "lenient-answers", run: lenient_answers },
    // What no document lists is kept.
    Pass { name: "unknown-fields", run: unknown_fields },
    // Floats round.
    Pass { name: "decimals", run: decimals },
];

fn refusals_off(document: &mut Document) -> Result<usize, Fault> {
    document.each_operation(|_, operation, _| {
        let Some(responses) = operation["responses"].as_object_mut() else { return Ok(0) };
        let refusals: Vec<String> =
            responses.keys().filter(|status| !status.starts_with('2')).cloned().collect();
        responses.retain(|status, _| status.starts_with('2'));
        if !refusals.is_empty() {
            let before =
                operation["description"].as_str().map(|text| format!("{text}\n\n")).unwrap_or_default();
            operation["description"] =
                format!("{before}Documented refusals: {}.", refusals.join(", ")).into();
        }
        Ok(refusals.len())
    })
}

fn one_success(document: &mut Document) -> Result<usize, Fault> {
    document.each_operation(|id, operation, _| {
        let Some(responses) = operation["responses"].as_object_mut() else { return Ok(0) };
        let mut successes = std::mem::take(responses).into_iter();
        match (successes.next(), successes.next()) {
            (Some((_, success)), None) => {
                responses.insert("2XX".to_owned(), success);
                Ok(1)
            }
            (None, _) => Err(Fault::at(id, "it documents no success")),
            (Some(_), Some(_)) => {
                Err(Fault::at(id, "it documents several successes, which no pass can join yet"))
            }
        }
    })
}

fn nullable_components(document: &mut Document) -> Result<usize, Fault> {
    let mut count = 0;
    for (_, schema) in document.schemas_mut().into_iter().flatten() {
        if schema["type"] == "object" && take(schema, "nullable").is_some() {
            // merge_patch needs to know it.
            schema["x-nullable"] = true.into();
            count += 1;
        }
    }
    Ok(count)
}

const MERGE_PATCH: &str = "application/merge-patch+json";

fn merge_patch(document: &mut Document) -> Result<usize, Fault> {
    let mut bodies = Vec::new();
    document.each_operation(|id, operation, facts| {
        let body = operation.get_mut("requestBody");
        let Some(content) = body.and_then(|body| body["content"].as_object_mut()) else { return Ok(0) };
        if let Some(body) = content.remove(MERGE_PATCH) {
            references(&body["schema"], &mut bodies);
            facts.media_types.insert(id.to_owned(), MERGE_PATCH.to_owned());
            content.insert("application/json".to_owned(), body);
        }
        match content.keys().map(String::as_str).collect::<Vec<_>>()[..] {
            ["application/json"] => Ok(0),
            ref others => Err(Fault::at(id, format!("no pass knows a request of {others:?}"))),
        }
    })?;
    let patches = document.closure(bodies);
    let nullable: Vec<String> =
        document.schemas().filter(|(_, s)| s["x-nullable"] == true).map(|(name, _)| name.clone()).collect();
    let mut count = 0;
    for (name, schema) in document.schemas_mut().into_iter().flatten() {
        take(schema, "x-nullable");
        if !patches.contains(name) {
            let mut used = Vec::new();
            references(schema, &mut used);
            if let Some(patch) = used.iter().find(|used| patches.contains(*used)) {
                return Err(Fault::at(name, format!("it holds {patch}, which belongs to a merge patch")));
            }
            continue;
        }
        for (_, property) in members(schema, "properties") {
            let clearable = take(property, "nullable") == Some(Value::Bool(true))
                || component(&property["$ref"]).is_some_and(|name| nullable.iter().any(|n| n == name));
            if clearable {
                wrap(property, "lastmile_core::wire::Patch");
                count += 1;
            }
        }
    }
    Ok(count)
}

fn path_segments(document: &mut Document) -> Result<usize, Fault> {
    let mut count = 0;
    let shared = members(&mut document.json["components"], "parameters");
    for (name, parameter) in shared {
        if parameter["in"] == "path" {
            if parameter["schema"]["type"] != "string" {
                return Err(Fault::at(name, "a path parameter of another type than string"));
            }
            parameter["schema"] = rust_type("lastmile_core::wire::Segment", vec![]);
            count += 1;
        }
    }
    Ok(count)
}

fn known_values(document: &mut Document) -> Result<usize, Fault> {
    let mut enums = Map::new();
    for (name, schema) in document.schemas_mut().into_iter().flatten() {
        for (key, property) in members(schema, "properties") {
            let Some(values) = take(property, "x-known-values") else { continue };
            let open = format!("{name}{}{}", key[..1].to_uppercase(), &key[1..]);
            let description = property["description"].clone();
            enums.insert(
                open.clone(),
                json!({ "type": "string", "enum": values, "description": description }),
            );
            *property = json!({ "allOf": [{ "$ref": format!("#/components/schemas/{open}") }], "description": description });
        }
    }
    let count = enums.len();
    document.facts.open_enums.extend(enums.keys().cloned());
    if let Some(schemas) = document.schemas_mut() {
        schemas.extend(enums);
    }
    Ok(count)
}

fn own_schemas(document: &mut Document) -> Result<usize, Fault> {
    let answers = document.reachable(Side::Answers);
    match document.reachable(Side::Requests).intersection(&answers).next() {
        Some(name) => {
            Err(Fault::at(name, "requests and answers both hold it: give each side a schema of its own"))
        }
        None => Ok(answers.len()),
    }
}

fn lenient_answers(document: &mut Document) -> Result<usize, Fault> {
    let answers = document.reachable(Side::Answers);
    let mut count = 0;
    for (name, schema) in document.schemas_mut().into_iter().flatten() {
        if !answers.contains(name) {
            continue;
        }
        take(schema, "required");
        for (key, property) in members(schema, "properties") {
            lenient(property).map_err(|what| Fault::at(format!("{name}.{key}"), what))?;
            count += 1;
        }
    }
    Ok(count)
}

/// Turns the schema of a value in an answer into one that reads more than it promises.
fn lenient(schema: &mut Value) -> Result<(), String> {
    if schema.get("$ref").is_some() {
        return Ok(());
    }
    take(schema, "nullable");
    match schema["type"].as_str() {
        Some("string") => {
            let format = take(schema, "format").filter(|format| format == "date");
            *schema = with_description(schema, json!({ "type": "string" }));
            if let Some(format) = format {
                schema["format"] = format;
            }
            wrap(schema, "lastmile_core::wire::Loose");
        }
        Some("boolean") => wrap(schema, "lastmile_core::wire::Loose"),
        Some("integer") => {
            *schema = with_description(schema, json!({ "type": "integer", "format": "int64" }));
            wrap(schema, "lastmile_core::wire::Loose");
        }
        Some("array") => {
            lenient(&mut schema["items"])?;
            let items = schema["items"].take();
            *schema = with_description(schema, rust_type("lastmile_core::wire::OneOrMany", vec![items]));
        }
        Some("object")
            if schema["additionalProperties"].is_object() && schema.get("properties").is_none() =>
        {
            lenient(&mut schema["additionalProperties"])?;
            schema["nullable"] = true.into();
        }
        other => return Err(format!("no pass knows an answer's value of type {other:?}")),
    }
    Ok(())
}

fn unknown_fields(document: &mut Document) -> Result<usize, Fault> {
    let answers = document.reachable(Side::Answers);
    let mut count = 0;
    for (name, schema) in document.schemas_mut().into_iter().flatten() {
        if answers.contains(name) && schema.get("properties").is_some() {
            schema["additionalProperties"] = json!({});
            count += 1;
        }
    }
    Ok(count)
}

fn decimals(document: &mut Document) -> Result<usize, Fault> {
    fn visit(json: &mut Value) -> usize {
        if json["type"] == "number" {
            *json = with_description(json, rust_type("lastmile_core::wire::Decimal", vec![]));
            return 1;
        }
        match json {
            Value::Object(members) => members.values_mut().map(visit).sum(),
            Value::Array(items) => items.iter_mut().map(visit).sum(),
            _ => 0,
        }
    }
    Ok(document.schemas_mut().into_iter().flatten().map(|(_, schema)| visit(schema)).sum())
}

fn members<'a>(json: &'a mut Value, key: &str) -> impl Iterator<Item = (&'a String, &'a mut Value)> {
    json.get_mut(key).and_then(Value::as_object_mut).into_iter().flatten()
}

fn take(json: &mut Value, key: &str) -> Option<Value> {
    json.as_object_mut()?.remove(key)
}

/// Puts a schema into a generic type of ours; its description stays outside.
fn wrap(schema: &mut Value, path: &str) {
    let mut inner = schema.clone();
    take(&mut inner, "description");
    // Parameters are read as JSON Schema, which has no `nullable`.
    if let Some(values) = inner.get_mut("additionalProperties")
        && take(values, "nullable").is_some()
    {
        values["type"] = json!([values["type"], "null"]);
    }
    *schema = with_description(schema, rust_type(path, vec![inner]));
}

fn with_description(from: &Value, mut to: Value) -> Value {
    if let Some(description) = from.get("description") {
        to["description"] = description.clone();
    }
    to
}

/// A schema that stands for a Rust type of the core crate.
fn rust_type(path: &str, parameters: Vec<Value>) -> Value {
    json!({
        "type": "string",
        "x-rust-type": { "crate": "lastmile-core", "version": "*", "path": path, "parameters": parameters },
    })
}
