//! The operation table of a client crate.

use std::fmt::Write as _;

use serde_json::Value;

use super::document::{Document, ERROR_PARTS, ListShape, Operation};
use super::error::PassError;
use super::snake;

const IMPORTS: &str = "\
//! The operations of the API, each by the name of the client's method.
#![allow(unused_imports)]

use ::lastmile_core::operation::{ErrorShape, ListShape, Operation, Repeat, Table, TokenFlow};
use ::lastmile_core::reqwest::Method;
use ::std::time::Duration;
";

pub(crate) fn render(document: &Document) -> Result<String, PassError> {
    let errors = &document.json["x-error"];
    let error_parts = ERROR_PARTS.map(|key| (key, errors[key].as_str().unwrap_or_default()));
    let schemes = || document.json["components"]["securitySchemes"].as_object().into_iter().flatten();
    let keys = schemes().filter(|(_, scheme)| scheme["type"] == "apiKey" && scheme.get("x-token").is_none());
    let keys: Vec<_> = keys.filter_map(|(name, scheme)| Some((name, scheme["name"].as_str()?))).collect();
    let mut source = format!(
        "{IMPORTS}\n/// What differs between this API and others.\npub static TABLE: Table = Table {{\n    \
         api: {:?},\n    errors: ErrorShape {{ {} }},\n    \
         key_headers: &{keys:?},\n    tokens: &[\n",
        document.api,
        fields(&error_parts),
    );
    for (name, scheme) in schemes() {
        if let Some(flow) = scheme.get("x-token") {
            source += &token_flow(document, name, flow)?;
        }
    }
    source += "    ],\n};\n";
    let mut operations: Vec<Operation<'_>> = document.operations().collect();
    operations.sort_by_key(|operation| snake(operation.id));
    for operation in &operations {
        source += &row(document, operation)?;
    }
    Ok(source)
}

fn fields(values: &[(&str, &str)]) -> String {
    let fields = values.iter().map(|(key, value)| format!("{}: {value:?}", key.replace('-', "_")));
    fields.collect::<Vec<_>>().join(", ")
}

/// How tokens are obtained and renewed, by the `x-token` of a security scheme.
fn token_flow(document: &Document, name: &str, flow: &Value) -> Result<String, PassError> {
    let missing = |key: &str| PassError::at(name, format!("x-token: `{key}` is missing"));
    let mut values = vec![("scheme", name)];
    for key in ["prefix", "obtain", "renew", "token", "renewal", "renewal-field"] {
        let mut text = flow[key].as_str().ok_or_else(|| missing(key))?;
        if let "obtain" | "renew" = key {
            let operation = document.operations().find(|operation| operation.id == text);
            let unknown = || PassError::at(name, format!("x-token: `{key}` names no operation"));
            text = operation.ok_or_else(unknown)?.path;
        }
        values.push((key, text));
    }
    let lifetime = flow["lifetime"].as_u64().ok_or_else(|| missing("lifetime"))?;
    Ok(format!("        TokenFlow {{ {}, lifetime: Duration::from_secs({lifetime}) }},\n", fields(&values)))
}

/// The static of one operation: what differs from `Operation::READ`.
fn row(document: &Document, operation: &Operation<'_>) -> Result<String, PassError> {
    let error = |message: String| PassError::at(operation.id, message);
    let (id, verb) = (snake(operation.id), operation.method.to_uppercase());
    let (path, json, facts) = (operation.path, operation.json, &document.facts);
    let repeat = match (json["x-retry"].as_str(), operation.method) {
        (Some("read"), _) | (None, "get") => "",
        (Some("idempotent"), _) | (None, "put" | "delete") => ", repeat: Repeat::Idempotent",
        (Some("once"), _) | (None, _) => ", repeat: Repeat::Once",
        (Some(other), _) => return Err(error(format!("x-retry has no value `{other}`"))),
    };
    let mut options = repeat.to_owned();
    // Writing to a String cannot fail.
    if let Some(media_type) = facts.media_types.get(operation.id) {
        let _ = write!(options, ", media_type: Some({media_type:?})");
    }
    if let Some(ListShape { identity, is_paged }) = facts.lists.get(operation.id) {
        let _ = write!(options, ", list: Some(ListShape {{ identity: {identity:?}, is_paged: {is_paged} }})");
    }
    if let Some(interval) = json.get("x-interval") {
        let seconds =
            interval.as_u64().ok_or_else(|| error("x-interval is no number of seconds".to_owned()))?;
        let _ = write!(options, ", interval: Some(Duration::from_secs({seconds}))");
    }
    for (is_set, option) in [
        (json["responses"]["2XX"]["content"].is_null(), ", has_content: false"),
        (json["security"].as_array().is_some_and(Vec::is_empty), ", authorized: false"),
        (json["x-lower-case"] == true, ", lower_case: true"),
        (facts.conditional.contains(operation.id), ", conditional: true"),
    ] {
        options += if is_set { option } else { "" };
    }
    Ok(format!(
        "\n/// `{verb} {path}`: [`{id}`](super::Client::{id}).\npub static {}: Operation = Operation {{ \
         id: {id:?}, method: Method::{verb}, path: {path:?}{options}, ..Operation::READ }};\n",
        constant(&id),
    ))
}

/// The name of an operation's static, by that of its method.
pub(super) fn constant(method: &str) -> syn::Ident {
    quote::format_ident!("{}", method.to_uppercase())
}
