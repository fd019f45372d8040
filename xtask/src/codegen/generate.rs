//! The step through progenitor.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;

use openapiv3::OpenAPI;
use progenitor::{CrateVers, GenerationSettings, Generator, InterfaceStyle};
use serde_json::Value;

use super::document::Document;
use super::fault::Fault;

/// The client as progenitor generates it.
pub(crate) fn client(document: &Document) -> Result<syn::File, Fault> {
    generate(&document.json).map_err(|what| match culprit(document) {
        Some(operation) => Fault::at(operation, what),
        None => Fault::new(what),
    })
}

fn generate(json: &Value) -> Result<syn::File, String> {
    let openapi: OpenAPI = serde_json::from_value(json.clone()).map_err(|error| error.to_string())?;
    let tokens =
        quietly(|| Generator::new(&settings()).generate_tokens(&openapi).map_err(|error| error.to_string()))?;
    syn::parse2(tokens).map_err(|error| error.to_string())
}

fn settings() -> GenerationSettings {
    let mut settings = GenerationSettings::new();
    settings
        .with_interface(InterfaceStyle::Positional)
        .with_crate("lastmile-core", CrateVers::Any, None)
        .with_map_type("::std::collections::BTreeMap");
    settings
}

/// The first operation that fails alone, too: progenitor does not say which one it was at.
fn culprit(document: &Document) -> Option<String> {
    document.operations().find_map(|operation| {
        let mut alone = document.json.clone();
        let mut item = document.json["paths"][operation.path].clone();
        item.as_object_mut()?.retain(|key, _| key == operation.method || key == "parameters");
        alone["paths"] = Value::Object([(operation.path.to_owned(), item)].into_iter().collect());
        generate(&alone).err().map(|_| operation.id.to_owned())
    })
}

/// Much that progenitor does not support is a panic in it. It becomes an error here, and prints nothing.
fn quietly<T>(work: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    thread_local!(static QUIET: Cell<bool> = const { Cell::new(false) });
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let loud = take_hook();
        set_hook(Box::new(move |panic| {
            if !QUIET.get() {
                loud(panic);
            }
        }));
    });
    QUIET.set(true);
    let result = catch_unwind(AssertUnwindSafe(work));
    QUIET.set(false);
    result.unwrap_or_else(|panic| {
        let text =
            panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
        Err(format!("the generator gave up: {}", text.unwrap_or("it does not say why")))
    })
}
