//! The call of progenitor.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;

use openapiv3::OpenAPI;
use progenitor::{CrateVers, GenerationSettings, Generator, InterfaceStyle};
use serde_json::Value;
use syn::visit_mut::{VisitMut, visit_file_mut, visit_path_mut};

use super::document::Document;
use super::error::PassError;

/// Returns the client as progenitor generates it, with short paths.
pub(crate) fn client(document: &Document) -> Result<syn::File, PassError> {
    let mut file =
        generate(&document.json, &settings()).map_err(|message| match failing_operation(document) {
            Some(operation) => PassError::at(operation, message),
            None => PassError::new(message),
        })?;
    visit_file_mut(&mut ShortPaths, &mut file);
    Ok(file)
}

/// The names that the generated files import: no component may have one of them.
pub(crate) const IMPORTS: &str = "BTreeMap Decimal Error From Lenient OneOrMany Option Patch Reply Result Rows Segment String Text Timestamp Vec";

/// Replaces `::std::string::String` by `String`.
struct ShortPaths;

impl VisitMut for ShortPaths {
    fn visit_path_mut(&mut self, path: &mut syn::Path) {
        let last = path.segments[path.segments.len() - 1].clone();
        let is_imported = IMPORTS.split(' ').any(|name| last.ident == name);
        if is_imported && ["std", "lastmile_core"].iter().any(|name| path.segments[0].ident == name) {
            *path = last.into();
        }
        visit_path_mut(self, path);
    }
}

/// Returns the client as progenitor generates it from a document that is not one of ours.
pub(crate) fn unpatched(yaml: &str) -> Result<syn::File, String> {
    let json: Value = serde_saphyr::from_str(yaml).map_err(|error| error.to_string())?;
    generate(&json, &GenerationSettings::new())
}

fn generate(json: &Value, settings: &GenerationSettings) -> Result<syn::File, String> {
    let openapi: OpenAPI = serde_json::from_value(json.clone()).map_err(|error| error.to_string())?;
    let tokens = catch_panic(|| {
        Generator::new(settings).generate_tokens(&openapi).map_err(|error| error.to_string())
    })?;
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

/// Returns the first operation for which generation fails without the other operations too. progenitor does not name it.
fn failing_operation(document: &Document) -> Option<String> {
    document.operations().find_map(|operation| {
        let mut alone = document.json.clone();
        let mut item = document.json["paths"][operation.path].clone();
        item.as_object_mut()?.retain(|key, _| key == operation.method || key == "parameters");
        alone["paths"] = Value::Object([(operation.path.to_owned(), item)].into_iter().collect());
        generate(&alone, &settings()).err().map(|_| operation.id.to_owned())
    })
}

/// Turns a panic into an error, and keeps the panic hook from printing it: progenitor panics at much that it does not support.
fn catch_panic<T>(work: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    thread_local!(static IS_CAUGHT: Cell<bool> = const { Cell::new(false) });
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let print = take_hook();
        set_hook(Box::new(move |panic| {
            if !IS_CAUGHT.get() {
                print(panic);
            }
        }));
    });
    IS_CAUGHT.set(true);
    let result = catch_unwind(AssertUnwindSafe(work));
    IS_CAUGHT.set(false);
    result.unwrap_or_else(|panic| {
        let text =
            panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
        Err(text.map_or("progenitor panicked without a message".to_owned(), |text| {
            format!("progenitor panicked: {text}")
        }))
    })
}
