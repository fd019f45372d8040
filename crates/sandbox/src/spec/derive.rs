//! Derives the document of one dialect from a document that describes several (`specs/README.md`, dialects).

use std::collections::BTreeSet;

use serde_json::Value;

use super::operation::METHODS;
use crate::merge_patch::merge_patch;

/// The marks that the derivation follows and removes.
const DIALECTS: &str = "x-dialects";
const FORMS: &str = "x-forms";

/// A name that stands for all dialects that begin with it.
const STANDARD: &str = "standard";

/// Returns the document of one dialect. Nothing of the other dialects is left in it.
pub(super) fn for_dialect(document: &Value, dialect: &str) -> Value {
    let keep = |node: &Value| belongs_to(node, dialect);
    let form = |node: &mut Value| apply_forms(node, dialect);
    let mut derived = document.clone();
    walk(&mut derived, &form, &keep);
    if let Some(paths) = derived.get_mut("paths").and_then(Value::as_object_mut) {
        paths.retain(|_, item| METHODS.iter().any(|method| item.get(method).is_some()));
    }
    remove_dangling(&mut derived);
    remove_unused(&mut derived);
    derived
}

fn belongs_to(node: &Value, dialect: &str) -> bool {
    let Some(names) = node.get(DIALECTS).and_then(Value::as_array) else { return true };
    names.iter().filter_map(Value::as_str).any(|name| names_dialect(name, dialect))
}

fn names_dialect(name: &str, dialect: &str) -> bool {
    name == dialect || name == STANDARD && dialect.starts_with(STANDARD)
}

/// Applies the patches for the dialect, the general one first, and removes the marks.
fn apply_forms(node: &mut Value, dialect: &str) {
    let Some(fields) = node.as_object_mut() else { return };
    fields.remove(DIALECTS);
    let Some(Value::Object(mut forms)) = fields.remove(FORMS) else { return };
    for name in [STANDARD, dialect] {
        if let Some(patch) = forms.remove(name).filter(|_| names_dialect(name, dialect)) {
            merge_patch(node, &patch);
        }
    }
}

/// Changes each object from the outermost inwards, and removes members and elements that are not to be kept. A removed
/// property is no longer required.
fn walk(node: &mut Value, change: &impl Fn(&mut Value), keep: &impl Fn(&Value) -> bool) {
    change(node);
    match node {
        Value::Object(fields) => {
            let removed = fields.get("properties").map(|properties| removed_names(properties, keep));
            fields.retain(|_, member| keep(member));
            if let (Some(removed), Some(required)) = (removed, fields.get_mut("required")) {
                remove_names(required, &removed);
            }
            fields.values_mut().for_each(|member| walk(member, change, keep));
        }
        Value::Array(list) => {
            list.retain(keep);
            list.iter_mut().for_each(|element| walk(element, change, keep));
        }
        _ => {}
    }
}

fn removed_names(properties: &Value, keep: &impl Fn(&Value) -> bool) -> BTreeSet<String> {
    let properties = properties.as_object().into_iter().flatten();
    properties.filter(|(_, property)| !keep(property)).map(|(name, _)| name.clone()).collect()
}

fn remove_names(required: &mut Value, removed: &BTreeSet<String>) {
    if let Some(list) = required.as_array_mut() {
        list.retain(|name| name.as_str().is_none_or(|name| !removed.contains(name)));
    }
}

/// Removes what refers to something that the document no longer has.
fn remove_dangling(document: &mut Value) {
    loop {
        let mut references = BTreeSet::new();
        collect_references(document, &mut references);
        let dangling: BTreeSet<_> =
            references.into_iter().filter(|reference| target(document, reference).is_none()).collect();
        if dangling.is_empty() {
            return;
        }
        let keep = |node: &Value| reference_of(node).is_none_or(|reference| !dangling.contains(reference));
        walk(document, &|_| {}, &keep);
    }
}

/// Removes the components to which nothing refers. Security schemes are named without a reference.
fn remove_unused(document: &mut Value) {
    let mut used = BTreeSet::new();
    let mut new = BTreeSet::new();
    collect_references(&document["paths"], &mut new);
    while let Some(reference) = new.pop_first() {
        if let Some(target) = target(document, &reference).filter(|_| !used.contains(&reference)) {
            collect_references(target, &mut new);
        }
        used.insert(reference);
    }
    let Some(kinds) = document.get_mut("components").and_then(Value::as_object_mut) else { return };
    for (kind, components) in kinds.iter_mut().filter(|(kind, _)| *kind != "securitySchemes") {
        let is_used = |name: &str| used.contains(&format!("#/components/{kind}/{name}"));
        if let Some(components) = components.as_object_mut() {
            components.retain(|name, _| is_used(name));
        }
    }
}

fn reference_of(node: &Value) -> Option<&str> {
    node.get("$ref").and_then(Value::as_str)
}

fn target<'a>(document: &'a Value, reference: &str) -> Option<&'a Value> {
    document.pointer(reference.strip_prefix('#')?)
}

fn collect_references(node: &Value, found: &mut BTreeSet<String>) {
    found.extend(reference_of(node).map(str::to_owned));
    match node {
        Value::Object(fields) => fields.values().for_each(|member| collect_references(member, found)),
        Value::Array(list) => list.iter().for_each(|element| collect_references(element, found)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn document() -> Value {
        json!({
            "x-dialects": ["vendor26", "standard26", "standard24"],
            "info": { "version": "2.6.0", "x-forms": { "standard24": { "version": "2.4.0" } } },
            "paths": {
                "/a": { "get": { "schema": { "$ref": "#/components/schemas/A" } } },
                "/b": {
                    "parameters": [],
                    "get": { "x-dialects": ["standard26"], "schema": { "$ref": "#/components/schemas/B" } },
                },
            },
            "components": {
                "schemas": {
                    "A": {
                        "required": ["one", "old", "of_c"],
                        "properties": {
                            "one": {
                                "oneOf": [{ "type": "array" }, { "type": "string" }],
                                "x-forms": {
                                    "standard": { "oneOf": null, "type": "array" },
                                    "standard24": { "minItems": 1 },
                                },
                            },
                            "old": { "type": "string", "x-dialects": ["standard24"] },
                            "of_c": { "$ref": "#/components/schemas/C" },
                        },
                    },
                    "B": { "type": "string" },
                    "C": { "x-dialects": ["standard"], "type": "integer" },
                },
            },
        })
    }

    #[test]
    fn a_dialect_has_its_own_members_and_forms() {
        let derived = for_dialect(&document(), "standard24");
        let expected = json!({
            "info": { "version": "2.4.0" },
            "paths": { "/a": { "get": { "schema": { "$ref": "#/components/schemas/A" } } } },
            "components": {
                "schemas": {
                    "A": {
                        "required": ["one", "old", "of_c"],
                        "properties": {
                            "one": { "type": "array", "minItems": 1 },
                            "old": { "type": "string" },
                            "of_c": { "$ref": "#/components/schemas/C" },
                        },
                    },
                    "C": { "type": "integer" },
                },
            },
        });
        assert_eq!(derived, expected);
    }

    #[test]
    fn what_refers_to_a_removed_component_is_removed() {
        let derived = for_dialect(&document(), "vendor26");
        let schemas = &derived["components"]["schemas"];
        assert_eq!(schemas.as_object().map(|schemas| schemas.len()), Some(1));
        assert_eq!(schemas["A"]["required"], json!(["one"]));
        let one = json!({ "oneOf": [{ "type": "array" }, { "type": "string" }] });
        assert_eq!(schemas["A"]["properties"], json!({ "one": one }));
        assert!(for_dialect(&document(), "standard26")["paths"].get("/b").is_some());
    }
}
