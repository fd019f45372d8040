//! The pass that learns which property tells the rows of a list from other objects.

use std::collections::BTreeSet;

use super::document::{Document, ListShape, component, objects};
use super::error::PassError;
use super::spec_passes::take;

const IDENTITY: &str = "x-identity";

/// Learns which operations return a list, and which property tells its rows from other objects.
pub(super) fn run(document: &mut Document) -> Result<usize, PassError> {
    let mut rows = BTreeSet::new();
    let mut lists = Vec::new();
    for operation in document.operations() {
        let body = &operation.json["responses"]["2XX"]["content"]["application/json"]["schema"];
        if body["type"] != "array" {
            continue;
        }
        let Some(row) = component(&body["items"]["$ref"]) else {
            return Err(PassError::at(operation.id, "the rows of its list are not a component"));
        };
        let schema = &document.json["components"]["schemas"][row];
        let identity = schema[IDENTITY].as_str().map(str::to_owned);
        match &identity {
            None if schema.get("properties").is_some() => {
                return Err(PassError::at(
                    row,
                    "it is a row of a list: name by x-identity the property that each row has",
                ));
            }
            Some(name) if schema["properties"].get(name).is_none() => {
                return Err(PassError::at(row, "x-identity names none of its properties"));
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
                return Err(PassError::at(name, "x-identity is for the rows of a list that is a response"));
            }
            count += 1;
        }
    }
    if let Some((pointer, _)) =
        objects(&document.json).iter().find(|(_, object)| object.contains_key(IDENTITY))
    {
        return Err(PassError::at(pointer, "x-identity is for the schema of a row only"));
    }
    document.facts.lists = lists.into_iter().collect();
    Ok(count)
}
