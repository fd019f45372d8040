//! What is changed in a document before progenitor reads it.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::document::{Document, Side, component, references};
use super::fault::Fault;
use super::row_identity;
use super::table::snake;

pub(crate) struct Pass {
    pub(crate) name: &'static str,
    /// Changes the document and counts what it changed.
    pub(crate) run: fn(&mut Document) -> Result<usize, Fault>,
}

/// The passes, in their order.
pub(crate) const PASSES: &[Pass] = &[
    // Refusals are read by the call layer, which keeps their status, headers and body.
    Pass { name: "refusals-off", run: refusals_off },
    // progenitor reads one body for every success, whatever its status.
    Pass { name: "one-success", run: one_success },
    // An optional property takes `null` already, and typify would wrap the component once more.
    Pass { name: "nullable-components", run: nullable_components },
    // progenitor knows no media type but plain JSON, and serde's Option cannot send `null`.
    Pass { name: "merge-patch", run: merge_patch },
    // chrono forgets the offset, and serde takes an empty list for none.
    Pass { name: "strict-requests", run: strict_requests },
    // Text in a path could name another path.
    Pass { name: "path-segments", run: path_segments },
    // A type for both sides would be lenient in requests or strict in answers.
    Pass { name: "own-schemas", run: own_schemas },
    // A list of values that nobody gives whole is no closed enum, and no list of an answer is ever whole.
    Pass { name: "known-values", run: known_values },
    // An answer must not be lost to them; in requests the facade checks them and says where and why, without a regex engine.
    Pass { name: "constraints-off", run: constraints_off },
    // Two sources, two shapes: one element, or a list of them.
    Pass { name: "one-or-many", run: one_or_many },
    // An object without brackets is a list of one only if it is a row: an error that is answered with success is none.
    Pass { name: "row-identity", run: row_identity::run },
    // A supplier's odd value must not cost the whole answer.
    Pass { name: "lenient-answers", run: lenient_answers },
    // What no document lists is kept.
    Pass { name: "unknown-fields", run: unknown_fields },
    // Floats round.
    Pass { name: "decimals", run: decimals },
    // A list of a whole country is read row by row, beside being read whole.
    Pass { name: "streams", run: streams },
];

fn refusals_off(document: &mut Document) -> Result<usize, Fault> {
    document.each_operation(|id, operation, facts| {
        let Some(responses) = operation["responses"].as_object_mut() else { return Ok(0) };
        if responses.contains_key("304") {
            facts.conditional.insert(id.to_owned());
        }
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
        let mut successes = std::mem::take(responses).into_iter().map(|(_, success)| success);
        let Some(first) = successes.next() else { return Err(Fault::at(id, "it documents no success")) };
        let schema = |success: &Value| success["content"]["application/json"]["schema"].clone();
        if successes.any(|other| schema(&other) != schema(&first)) {
            return Err(Fault::at(id, "it documents several successes, which no pass can join"));
        }
        responses.insert("2XX".to_owned(), first);
        Ok(1)
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
        let content = operation.pointer_mut("/requestBody/content").and_then(Value::as_object_mut);
        let Some(content) = content else { return Ok(0) };
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
    fn visit(json: &mut Value) -> Result<usize, Fault> {
        if json["in"] == "path" {
            if json["schema"]["type"] != "string" {
                let name = json["name"].as_str().unwrap_or_default();
                return Err(Fault::at(name, "a path parameter of another type than string"));
            }
            json["schema"] = rust_type("lastmile_core::wire::Segment", vec![]);
            return Ok(1);
        }
        match json {
            Value::Object(members) => members.values_mut().map(visit).sum(),
            Value::Array(items) => items.iter_mut().map(visit).sum(),
            _ => Ok(0),
        }
    }
    let shared = document.json["components"].get_mut("parameters").map_or(Ok(0), visit)?;
    Ok(shared + visit(&mut document.json["paths"])?)
}

fn known_values(document: &mut Document) -> Result<usize, Fault> {
    let answers = document.reachable(Side::Answers);
    let mut enums = Map::new();
    for (name, schema) in document.schemas_mut().into_iter().flatten() {
        for (key, property) in members(schema, "properties") {
            let listed = if answers.contains(name) { take(property, "enum") } else { None };
            let Some(values) = take(property, "x-known-values").or(listed) else { continue };
            let open = format!("{name}{}", pascal(key));
            let description = property["description"].clone();
            enums.insert(
                open.clone(),
                json!({ "type": "string", "enum": values, "description": description }),
            );
            let reference = json!({ "allOf": [{ "$ref": format!("#/components/schemas/{open}") }] });
            *property = with_description(property, reference);
        }
    }
    let Some(schemas) = document.schemas_mut() else { return Ok(0) };
    // Components that are enums themselves.
    let listed =
        schemas.iter().filter(|(name, schema)| answers.contains(*name) && schema.get("enum").is_some());
    let mut open: BTreeSet<String> = listed.map(|(name, _)| name.clone()).collect();
    for (name, schema) in enums {
        if schemas.insert(name.clone(), schema).is_some() {
            return Err(Fault::at(name, "this component has the name that the enum of a property gets"));
        }
        open.insert(name);
    }
    let count = open.len();
    document.facts.open_enums.extend(open);
    Ok(count)
}

/// `request_type` becomes `RequestType`, as the generator has it.
fn pascal(key: &str) -> String {
    let words = key.split(['_', '-']).map(|word| {
        let mut characters = word.chars();
        characters.next().map(|first| first.to_uppercase().chain(characters).collect()).unwrap_or_default()
    });
    words.collect::<Vec<String>>().concat()
}

fn constraints_off(document: &mut Document) -> Result<usize, Fault> {
    const CONSTRAINTS: [&str; 6] = ["pattern", "minLength", "maxLength", "minimum", "maximum", "maxItems"];
    fn visit(json: &mut Value) -> usize {
        match json {
            // Under `properties` the keys are names of fields.
            Value::Object(members) if !members.values().all(Value::is_object) => {
                let before = members.len();
                members.retain(|key, _| !CONSTRAINTS.contains(&key.as_str()));
                before - members.len() + members.values_mut().map(visit).sum::<usize>()
            }
            Value::Object(members) => members.values_mut().map(visit).sum(),
            Value::Array(items) => items.iter_mut().map(visit).sum(),
            _ => 0,
        }
    }
    let components = &mut document.json["components"];
    let shared: usize =
        ["schemas", "parameters"].iter().filter_map(|part| components.get_mut(part).map(visit)).sum();
    let own =
        document.each_operation(|_, operation, _| Ok(operation.get_mut("parameters").map_or(0, visit)))?;
    Ok(shared + own)
}

fn one_or_many(document: &mut Document) -> Result<usize, Fault> {
    fn visit(json: &mut Value) -> usize {
        if let Some([one, many]) = json.get("oneOf").and_then(Value::as_array).map(Vec::as_slice)
            && many["type"] == "array"
            && many["items"] == *one
        {
            let list = many.clone();
            *json = with_description(json, list);
            return 1;
        }
        match json {
            Value::Object(members) => members.values_mut().map(visit).sum(),
            Value::Array(items) => items.iter_mut().map(visit).sum(),
            _ => 0,
        }
    }
    let schemas = document.json["components"].get_mut("schemas").map_or(0, visit);
    Ok(schemas + document.each_operation(|_, operation, _| Ok(visit(&mut operation["responses"])))?)
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
    let components = Components::of(document);
    let mut count = 0;
    for (name, schema) in document.schemas_mut().into_iter().flatten() {
        if !answers.contains(name) {
            continue;
        }
        if !components.objects.contains(name) && !components.enums.contains(name) {
            return Err(Fault::at(
                name,
                "a component of an answer is an object or an enum: describe others in place",
            ));
        }
        take(schema, "required");
        for (key, property) in members(schema, "properties") {
            lenient(property, &components).map_err(|what| Fault::at(format!("{name}.{key}"), what))?;
            count += 1;
        }
    }
    count += document.each_operation(|id, operation, _| {
        match operation["responses"]["2XX"].pointer_mut("/content/application~1json/schema") {
            Some(body) if body.get("$ref").is_none() => {
                lenient(body, &components).map(|()| 1).map_err(|what| Fault::at(id, what))
            }
            _ => Ok(0),
        }
    })?;
    document.facts.answers = answers.intersection(&components.objects).cloned().collect();
    Ok(count)
}

/// The components that a value of an answer may refer to.
struct Components {
    objects: BTreeSet<String>,
    enums: BTreeSet<String>,
}

impl Components {
    fn of(document: &Document) -> Self {
        let objects = document.schemas().filter(|(_, schema)| schema["type"] == "object");
        let objects = objects.map(|(name, _)| name.clone()).collect();
        Self { objects, enums: document.facts.open_enums.clone() }
    }
}

/// Turns the schema of a value in an answer into one that reads more than it promises.
fn lenient(schema: &mut Value, components: &Components) -> Result<(), String> {
    const LOOSE: &str = "lastmile_core::wire::Loose";
    take(schema, "nullable");
    if schema["allOf"].as_array().is_some_and(|parts| parts.len() > 1) {
        return Err("no pass joins the parts of an answer's `allOf`".to_owned());
    }
    // A reference beside a description stands in `allOf`.
    let reference = schema.get("$ref").or_else(|| schema.pointer("/allOf/0/$ref")).cloned();
    if let Some(reference) = reference {
        return match component(&reference) {
            Some(name) if components.objects.contains(name) || components.enums.contains(name) => {
                let inner = json!({ "$ref": reference });
                *schema = with_description(schema, rust_type(LOOSE, vec![inner]));
                Ok(())
            }
            _ => Err("it refers to what is neither an object nor an enum: describe it in place".to_owned()),
        };
    }
    match (schema["type"].as_str(), schema["format"].as_str()) {
        (Some("string"), Some("date-time")) => {
            let timestamp = rust_type("lastmile_core::wire::Timestamp", vec![]);
            *schema = with_description(schema, rust_type(LOOSE, vec![timestamp]));
        }
        (Some("string"), format) => {
            let inner = match format {
                Some("date") => json!({ "type": "string", "format": "date" }),
                _ => json!({ "type": "string" }),
            };
            *schema = with_description(schema, rust_type(LOOSE, vec![inner]));
        }
        (Some("boolean" | "number"), _) => wrap(schema, LOOSE),
        (Some("integer"), _) => {
            let inner = json!({ "type": "integer", "format": "int64" });
            *schema = with_description(schema, rust_type(LOOSE, vec![inner]));
        }
        (Some("array"), _) => {
            lenient(&mut schema["items"], components)?;
            let items = schema["items"].take();
            *schema = with_description(schema, rust_type("lastmile_core::wire::OneOrMany", vec![items]));
        }
        (Some("object"), _) if schema.get("properties").is_none() => {
            let described =
                |values: &&mut Value| ["type", "$ref", "allOf"].iter().any(|key| values.get(key).is_some());
            if let Some(values) = schema.get_mut("additionalProperties").filter(described) {
                lenient(values, components)?;
            }
            wrap(schema, LOOSE);
        }
        (other, _) => return Err(format!("no pass knows an answer's value of type {other:?}")),
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

/// Learns which lists are read row by row, too.
fn streams(document: &mut Document) -> Result<usize, Fault> {
    document.each_operation(|id, operation, facts| {
        let is_streamed = operation["x-stream"] == true;
        Ok(usize::from(is_streamed && facts.streams.insert(snake(id))))
    })
}

fn members<'a>(json: &'a mut Value, key: &str) -> impl Iterator<Item = (&'a String, &'a mut Value)> {
    json.get_mut(key).and_then(Value::as_object_mut).into_iter().flatten()
}

/// Timestamps of requests keep the offset they are given, and an empty list is not the same as none.
fn strict_requests(document: &mut Document) -> Result<usize, Fault> {
    fn moments(schema: &mut Value) -> usize {
        if schema["format"] == "date-time" {
            let timestamp = rust_type("lastmile_core::wire::Timestamp", vec![]);
            *schema = with_description(schema, timestamp);
            return 1;
        }
        ["items", "additionalProperties"].iter().filter_map(|part| schema.get_mut(part).map(moments)).sum()
    }
    let requests = document.reachable(Side::Requests);
    let mut count = 0;
    for (name, schema) in document.schemas_mut().into_iter().flatten() {
        if !requests.contains(name) {
            continue;
        }
        for (_, property) in members(schema, "properties") {
            count += moments(property);
            if property["type"] == "array" && property["nullable"] != true {
                property["nullable"] = true.into();
                count += 1;
            }
        }
    }
    Ok(count)
}

pub(super) fn take(json: &mut Value, key: &str) -> Option<Value> {
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
