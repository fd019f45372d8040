//! What is changed in a document before progenitor reads it.

use std::collections::{BTreeMap, BTreeSet};

use heck::ToUpperCamelCase as _;
use serde_json::{Map, Value, json};

use super::document::{Document, change_objects, component, references};
use super::error::PassError;
use super::row_identity;

pub(crate) struct Pass {
    pub(crate) name: &'static str,
    /// Changes the document and counts what it changed.
    pub(crate) run: fn(&mut Document) -> Result<usize, PassError>,
}

/// The passes, in their order.
pub(crate) const PASSES: &[Pass] = &[
    // One client reads every dialect, so it needs all of their forms and none of their marks.
    Pass { name: "join-dialects", run: join_dialects },
    // typify would generate an enum of the forms. The first one is the type, and `Lenient` reads the others.
    Pass { name: "first-form", run: first_form },
    // Two properties whose names differ in case only would get one name.
    Pass { name: "field-names", run: field_names },
    // The call layer reads error responses, with their status, headers and body.
    Pass { name: "drop-error-responses", run: drop_error_responses },
    // progenitor generates one type for all successful responses of an operation.
    Pass { name: "one-success", run: one_success },
    // progenitor supports no media type but plain JSON, and an `Option` cannot send `null`.
    Pass { name: "merge-patch", run: merge_patch },
    // chrono drops the offset, and typify reads an empty list as an absent one.
    Pass { name: "strict-requests", run: strict_requests },
    // A string in a path could lead to another path.
    Pass { name: "path-segments", run: path_segments },
    // A type for both sides would be lenient in requests or strict in responses.
    Pass { name: "own-schemas", run: own_schemas },
    // No list of values in a response is complete.
    Pass { name: "known-values", run: known_values },
    // A violated constraint must not cost a response. In requests the facade checks them, without a regex engine.
    Pass { name: "drop-constraints", run: drop_constraints },
    // Two sources show two shapes: one element, or a list of them.
    Pass { name: "one-or-many", run: one_or_many },
    // An object without brackets is a list of one only if it is a row, and not an error with a successful status.
    Pass { name: "row-identity", run: row_identity::run },
    // An unexpected value must not cost the whole response.
    Pass { name: "lenient-responses", run: lenient_responses },
    // Responses keep the fields that the document does not list.
    Pass { name: "unknown-fields", run: unknown_fields },
    // A float would round.
    Pass { name: "decimals", run: decimals },
];

fn join_dialects(document: &mut Document) -> Result<usize, PassError> {
    change_objects(&mut document.json, |_, object| {
        let marks = ["x-dialects", "x-forms", "x-required-by"].map(|mark| take(object, mark).is_some());
        Ok(marks.contains(&true))
    })
}

fn first_form(document: &mut Document) -> Result<usize, PassError> {
    change_objects(&mut document.json, |pointer, schema| {
        let Some(forms) = take(schema, "anyOf") else { return Ok(false) };
        match (forms.get(0).and_then(Value::as_object), schema.as_object_mut()) {
            // What stands beside a reference is ignored.
            (Some(first), Some(schema)) if first.contains_key("$ref") && !schema.is_empty() => {
                schema.insert("allOf".to_owned(), json!([first]));
            }
            (Some(first), Some(schema)) => schema.extend(first.clone()),
            _ => return Err(PassError::at(pointer, "its `anyOf` has no form")),
        }
        Ok(true)
    })
}

fn field_names(document: &mut Document) -> Result<usize, PassError> {
    let mut names = BTreeMap::new();
    for (component, schema) in document.schemas_mut().into_iter().flatten() {
        let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) else { continue };
        for (key, mut property) in std::mem::take(properties) {
            match take(&mut property, "x-name") {
                Some(Value::String(name)) => {
                    names.insert((component.clone(), name.clone()), key);
                    properties.insert(name, property);
                }
                Some(_) => return Err(PassError::at(format!("{component}.{key}"), "x-name is a text")),
                None => drop(properties.insert(key, property)),
            }
        }
    }
    document.facts.wire_names = names;
    Ok(document.facts.wire_names.len())
}

fn drop_error_responses(document: &mut Document) -> Result<usize, PassError> {
    document.each_operation(|id, operation, facts| {
        let Some(responses) = operation["responses"].as_object_mut() else { return Ok(0) };
        if responses.contains_key("304") {
            facts.conditional.insert(id.to_owned());
        }
        let (successes, errors): (Map<_, _>, Map<_, _>) =
            std::mem::take(responses).into_iter().partition(|(status, _)| status.starts_with('2'));
        *responses = successes;
        if !errors.is_empty() {
            let before =
                operation["description"].as_str().map(|text| format!("{text}\n\n")).unwrap_or_default();
            let statuses: Vec<&str> = errors.keys().map(String::as_str).collect();
            operation["description"] =
                format!("{before}Documented refusals: {}.", statuses.join(", ")).into();
        }
        Ok(errors.len())
    })
}

fn one_success(document: &mut Document) -> Result<usize, PassError> {
    document.each_operation(|id, operation, _| {
        let Some(responses) = operation["responses"].as_object_mut() else { return Ok(0) };
        let mut successes = std::mem::take(responses).into_iter().map(|(_, success)| success);
        let Some(first) = successes.next() else { return Err(PassError::at(id, "it documents no success")) };
        let schema = |success: &Value| success["content"]["application/json"]["schema"].clone();
        if successes.any(|other| schema(&other) != schema(&first)) {
            return Err(PassError::at(id, "it documents several successes, which no pass can join"));
        }
        responses.insert("2XX".to_owned(), first);
        Ok(1)
    })
}

const MERGE_PATCH: &str = "application/merge-patch+json";

fn merge_patch(document: &mut Document) -> Result<usize, PassError> {
    let mut bodies = Vec::new();
    document.each_operation(|id, operation, facts| {
        let content = operation.pointer_mut("/requestBody/content").and_then(Value::as_object_mut);
        let Some(content) = content else { return Ok(0) };
        if let Some(body) = content.remove(MERGE_PATCH) {
            bodies.extend(references(&body["schema"]));
            facts.media_types.insert(id.to_owned(), MERGE_PATCH.to_owned());
            content.insert("application/json".to_owned(), body);
        }
        match content.keys().map(String::as_str).collect::<Vec<_>>()[..] {
            ["application/json"] => Ok(0),
            ref others => Err(PassError::at(id, format!("no pass supports a request of {others:?}"))),
        }
    })?;
    let patches = document.closure(bodies);
    // An optional property accepts `null` already, and typify would wrap a nullable component once more.
    let objects =
        document.schemas_mut().into_iter().flatten().filter(|(_, schema)| schema["type"] == "object");
    let nullable = objects.filter_map(|(name, schema)| take(schema, "nullable").map(|_| name.clone()));
    let nullable: BTreeSet<String> = nullable.collect();
    let mut count = 0;
    for (name, schema) in document.schemas_mut().into_iter().flatten() {
        if !patches.contains(name) {
            if let Some(patch) = references(schema).into_iter().find(|used| patches.contains(used)) {
                return Err(PassError::at(name, format!("it holds {patch}, which belongs to a merge patch")));
            }
            continue;
        }
        for (_, property) in members(schema, "properties") {
            let clearable = take(property, "nullable") == Some(Value::Bool(true))
                || component(&property["$ref"]).is_some_and(|name| nullable.contains(name));
            if clearable {
                let patch = rust_type("Patch", vec![parameter(property)]);
                replace(property, patch);
                count += 1;
            }
        }
    }
    Ok(count)
}

/// Timestamps of requests keep the offset they are given, and an empty list is not an absent one.
fn strict_requests(document: &mut Document) -> Result<usize, PassError> {
    let requests = document.reachable("requestBody");
    let mut count = 0;
    for (_, schema) in schemas_of(document, &requests) {
        for (_, property) in members(schema, "properties") {
            count += replace_each(property, |schema| {
                (schema["format"] == "date-time").then(|| rust_type("Timestamp", vec![]))
            })?;
            if property["type"] == "array" && property["nullable"] != true {
                property["nullable"] = true.into();
                count += 1;
            }
        }
    }
    Ok(count)
}

fn path_segments(document: &mut Document) -> Result<usize, PassError> {
    change_objects(&mut document.json, |_, parameter| {
        if parameter["in"] != "path" {
            return Ok(false);
        }
        if parameter["schema"]["type"] != "string" {
            let name = parameter["name"].as_str().unwrap_or_default();
            return Err(PassError::at(name, "a path parameter of another type than string"));
        }
        parameter["schema"] = rust_type("Segment", vec![]);
        Ok(true)
    })
}

fn own_schemas(document: &mut Document) -> Result<usize, PassError> {
    let responses = document.reachable("responses");
    match document.reachable("requestBody").intersection(&responses).next() {
        Some(name) => Err(PassError::at(
            name,
            "requests and responses both hold it: give each side a schema of its own",
        )),
        None => Ok(responses.len()),
    }
}

fn known_values(document: &mut Document) -> Result<usize, PassError> {
    let responses = document.reachable("responses");
    let Some(schemas) = document.schemas_mut() else { return Ok(0) };
    let mut enums = Map::new();
    for (name, schema) in schemas.iter_mut() {
        let is_response = responses.contains(name);
        for (key, property) in members(schema, "properties") {
            let listed = if is_response { take(property, "enum") } else { None };
            let Some(values) = take(property, "x-known-values").or(listed) else { continue };
            let open = format!("{name}{}", key.to_upper_camel_case());
            replace(property, json!({ "allOf": [{ "$ref": format!("#/components/schemas/{open}") }] }));
            let description = &property["description"];
            enums.insert(open, json!({ "type": "string", "enum": values, "description": description }));
        }
    }
    // Components that are enums themselves.
    let listed =
        schemas.iter().filter(|(name, schema)| responses.contains(*name) && schema.get("enum").is_some());
    let mut open: BTreeSet<String> = listed.map(|(name, _)| name.clone()).collect();
    for (name, schema) in enums {
        if schemas.insert(name.clone(), schema).is_some() {
            return Err(PassError::at(name, "this component has the name that the enum of a property gets"));
        }
        open.insert(name);
    }
    document.facts.open_enums = open;
    Ok(document.facts.open_enums.len())
}

fn drop_constraints(document: &mut Document) -> Result<usize, PassError> {
    const CONSTRAINTS: [&str; 6] = ["pattern", "minLength", "maxLength", "minimum", "maximum", "maxItems"];
    change_objects(&mut document.json, |pointer, schema| {
        // The keys of `properties` are the names of fields.
        let Some(members) = schema.as_object_mut().filter(|_| !pointer.ends_with("/properties")) else {
            return Ok(false);
        };
        let before = members.len();
        members.retain(|key, _| !CONSTRAINTS.contains(&key.as_str()));
        Ok(members.len() < before)
    })
}

fn one_or_many(document: &mut Document) -> Result<usize, PassError> {
    let requests = document.reachable("requestBody");
    change_objects(&mut document.json, |pointer, schema| {
        let component = pointer.strip_prefix("/components/schemas/").and_then(|path| path.split('/').next());
        match schema.get("oneOf").and_then(Value::as_array).map(Vec::as_slice) {
            Some([one, many]) if many["type"] == "array" && many["items"] == *one => {
                // In a request, the form that is sent matters.
                let list = match component.is_some_and(|name| requests.contains(name)) {
                    true => rust_type("OneOrMany", vec![one.clone()]),
                    false => many.clone(),
                };
                replace(schema, list);
                Ok(true)
            }
            _ => Ok(false),
        }
    })
}

fn lenient_responses(document: &mut Document) -> Result<usize, PassError> {
    let responses = document.reachable("responses");
    let objects = document.schemas().filter(|(_, schema)| schema["type"] == "object");
    let mut readable: BTreeSet<String> = objects.map(|(name, _)| name.clone()).collect();
    readable.extend(document.facts.open_enums.iter().cloned());
    if let Some(name) = responses.difference(&readable).next() {
        let message = "a component of a response is an object or an enum: describe others in place";
        return Err(PassError::at(name, message));
    }
    let mut count = 0;
    for (name, schema) in schemas_of(document, &responses) {
        take(schema, "required");
        for (key, property) in members(schema, "properties") {
            lenient(property, &readable).map_err(|what| PassError::at(format!("{name}.{key}"), what))?;
            count += 1;
        }
    }
    count += document.each_operation(|id, operation, _| {
        match operation["responses"]["2XX"].pointer_mut("/content/application~1json/schema") {
            Some(body) if body.get("$ref").is_none() => {
                lenient(body, &readable).map(|()| 1).map_err(|what| PassError::at(id, what))
            }
            _ => Ok(0),
        }
    })?;
    document.facts.responses = responses.difference(&document.facts.open_enums).cloned().collect();
    Ok(count)
}

/// Turns the schema of a value in a response into one that also reads other values. It may refer to `readable` components.
fn lenient(schema: &mut Value, readable: &BTreeSet<String>) -> Result<(), String> {
    take(schema, "nullable");
    if schema["allOf"].as_array().is_some_and(|parts| parts.len() > 1) {
        return Err("no pass joins the parts of an `allOf` in a response".to_owned());
    }
    // A reference beside a description is in `allOf`.
    if let Some(reference) = schema.get("$ref").or_else(|| schema.pointer("/allOf/0/$ref")) {
        if !component(reference).is_some_and(|name| readable.contains(name)) {
            return Err("it refers to what is neither an object nor an enum: describe it in place".to_owned());
        }
        let reference = json!({ "$ref": reference });
        replace(schema, rust_type("Lenient", vec![reference]));
        return Ok(());
    }
    let value = match (schema["type"].as_str(), schema["format"].as_str()) {
        (Some("string"), Some("date-time")) => rust_type("Timestamp", vec![]),
        (Some("string"), Some("date")) => json!({ "type": "string", "format": "date" }),
        (Some("string"), _) => rust_type("Text", vec![]),
        (Some("integer"), _) => json!({ "type": "integer", "format": "int64" }),
        (Some("array"), _) => {
            // An element without a type is any JSON.
            if schema["items"] != json!({}) {
                lenient(&mut schema["items"], readable)?;
            }
            let items = schema["items"].take();
            replace(schema, rust_type("OneOrMany", vec![items]));
            return Ok(());
        }
        (Some("boolean" | "number"), _) => parameter(schema),
        (Some("object"), _) if schema.get("properties").is_none() => {
            let is_typed =
                |values: &&mut Value| ["type", "$ref", "allOf"].iter().any(|key| values.get(key).is_some());
            if let Some(values) = schema.get_mut("additionalProperties").filter(is_typed) {
                lenient(values, readable)?;
            }
            parameter(schema)
        }
        (other, _) => return Err(format!("no pass supports a value of type {other:?} in a response")),
    };
    replace(schema, rust_type("Lenient", vec![value]));
    Ok(())
}

fn unknown_fields(document: &mut Document) -> Result<usize, PassError> {
    let responses = document.reachable("responses");
    let objects = schemas_of(document, &responses).filter(|(_, schema)| schema.get("properties").is_some());
    Ok(objects.map(|(_, schema)| schema["additionalProperties"] = json!({})).count())
}

fn decimals(document: &mut Document) -> Result<usize, PassError> {
    replace_each(&mut document.json["components"]["schemas"], |schema| {
        (schema["type"] == "number").then(|| rust_type("Decimal", vec![]))
    })
}

/// The schemas of these components.
pub(super) fn schemas_of<'a>(
    document: &'a mut Document,
    names: &'a BTreeSet<String>,
) -> impl Iterator<Item = (&'a String, &'a mut Value)> {
    document.schemas_mut().into_iter().flatten().filter(|(name, _)| names.contains(*name))
}

fn members<'a>(json: &'a mut Value, key: &str) -> impl Iterator<Item = (&'a String, &'a mut Value)> {
    json.get_mut(key).and_then(Value::as_object_mut).into_iter().flatten()
}

pub(super) fn take(json: &mut Value, key: &str) -> Option<Value> {
    json.as_object_mut()?.remove(key)
}

/// Returns a schema as the parameter of a generic type of `lastmile_core::wire`. Its description stays outside.
fn parameter(schema: &Value) -> Value {
    let mut inner = schema.clone();
    take(&mut inner, "description");
    // Parameters are read as JSON Schema, which has no `nullable`.
    if let Some(values) = inner.get_mut("additionalProperties")
        && take(values, "nullable").is_some()
    {
        values["type"] = json!([values["type"], "null"]);
    }
    inner
}

/// Replaces each schema in `json` for which `by` returns another one, and counts them.
fn replace_each(json: &mut Value, by: impl Fn(&Value) -> Option<Value>) -> Result<usize, PassError> {
    change_objects(json, |_, schema| {
        let Some(other) = by(schema) else { return Ok(false) };
        replace(schema, other);
        Ok(true)
    })
}

/// Replaces a schema, but keeps its description.
fn replace(schema: &mut Value, mut by: Value) {
    if let Some(description) = take(schema, "description") {
        by["description"] = description;
    }
    *schema = by;
}

/// A schema that stands for a type of `lastmile_core::wire`.
fn rust_type(name: &str, parameters: Vec<Value>) -> Value {
    let path = format!("lastmile_core::wire::{name}");
    json!({
        "type": "string",
        "x-rust-type": { "crate": "lastmile-core", "version": "*", "path": path, "parameters": parameters },
    })
}
