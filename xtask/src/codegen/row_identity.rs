//! The pass that learns which property tells the rows of a list from other objects.

use std::collections::{BTreeMap, BTreeSet};

use super::document::{Document, ListShape, component, objects};
use super::error::PassError;
use super::spec_passes::{schemas_of, take};

const IDENTITY: &str = "x-identity";

/// Learns which operations return a list, and which property tells its rows from other objects.
pub(super) fn run(document: &mut Document) -> Result<usize, PassError> {
    let mut rows = BTreeSet::new();
    let mut lists = BTreeMap::new();
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
        lists.insert(operation.id.to_owned(), ListShape { identity, is_paged });
    }
    document.facts.lists = lists;
    let count = schemas_of(document, &rows).filter_map(|(_, schema)| take(schema, IDENTITY)).count();
    match objects(&document.json).iter().find(|(_, object)| object.contains_key(IDENTITY)) {
        Some((pointer, _)) => {
            Err(PassError::at(pointer, "x-identity is for the rows of a list that is a response"))
        }
        None => Ok(count),
    }
}
