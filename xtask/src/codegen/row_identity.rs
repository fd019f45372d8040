//! By which property the rows of a list are told from other objects.

use std::collections::BTreeSet;

use serde_json::Value;

use super::document::{Document, ListShape, component};
use super::fault::Fault;
use super::spec_passes::take;

const IDENTITY: &str = "x-identity";

/// Learns which operations answer with a list, and by which property its rows are told from other objects.
pub(super) fn run(document: &mut Document) -> Result<usize, Fault> {
    let mut rows = BTreeSet::new();
    let mut lists = Vec::new();
    for operation in document.operations() {
        let body = &operation.json["responses"]["2XX"]["content"]["application/json"]["schema"];
        if body["type"] != "array" {
            continue;
        }
        let Some(row) = component(&body["items"]["$ref"]) else {
            return Err(Fault::at(operation.id, "the rows of its list are no component"));
        };
        let schema = &document.json["components"]["schemas"][row];
        let identity = schema[IDENTITY].as_str().map(str::to_owned);
        match &identity {
            None if schema.get("properties").is_some() => {
                return Err(Fault::at(
                    row,
                    "it is a row of a list: say by x-identity which property each row has",
                ));
            }
            Some(name) if schema["properties"].get(name).is_none() => {
                return Err(Fault::at(row, "x-identity names none of its properties"));
            }
            _ => {}
        }
        rows.insert(row.to_owned());
        let is_paged = document.parameters(&operation).any(|parameter| parameter["name"] == "offset");
        lists.push((operation.id.to_owned(), ListShape { identity, is_paged }));
    }
    let mut count = 0;
    for (name, schema) in document.schemas_mut().into_iter().flatten() {
        if take(schema, IDENTITY).is_some() {
            if !rows.contains(name) {
                return Err(Fault::at(name, "x-identity is for the rows of a list that is an answer"));
            }
            count += 1;
        }
    }
    if let Some(place) = place_of(&document.json, IDENTITY, "") {
        return Err(Fault::at(place, "x-identity stands on the schema of a row, and nowhere else"));
    }
    document.facts.lists = lists.into_iter().collect();
    Ok(count)
}

/// Where a key stands in a document, if it does.
fn place_of(json: &Value, key: &str, place: &str) -> Option<String> {
    match json {
        Value::Object(members) => members.iter().find_map(|(name, member)| {
            if name == key {
                Some(place.to_owned())
            } else {
                place_of(member, key, &format!("{place}/{name}"))
            }
        }),
        Value::Array(items) => {
            items.iter().enumerate().find_map(|(at, item)| place_of(item, key, &format!("{place}/{at}")))
        }
        _ => None,
    }
}
