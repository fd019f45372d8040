//! The generated types, written as calls of the macros of `lastmile_core`.

use std::collections::BTreeSet;

use quote::ToTokens;
use syn::{Attribute, Expr, ExprLit, Field, Fields, Item, ItemEnum, ItemStruct, Lit, Type};

use super::document::Facts;
use super::error::PassError;

const IMPORTS: &str = "\
#![allow(unused_imports)]

use ::lastmile_core::wire::{Decimal, Lenient, OneOrMany, Patch, Segment, Text, Timestamp};
use ::lastmile_core::{
    closed_enum, merge_patch, open_enum, parameters, request_object, response_map, response_object,
};
use ::std::collections::BTreeMap;

/// Error types.
pub mod error {
    pub use ::lastmile_core::wire::ConversionError;
}
";

/// The items of the module `types` that progenitor generated.
pub(super) fn generated(file: &syn::File) -> Result<Vec<Item>, PassError> {
    let items = file.items.iter().find_map(|item| match item {
        Item::Mod(module) if module.ident == "types" => module.content.as_ref(),
        _ => None,
    });
    let (_, items) = items.ok_or_else(|| PassError::new("the generated code has no module `types`"))?;
    Ok(items.clone())
}

/// Checks that each sensitive property has its field: `Debug` would write the value of one without a field into logs. Returns the
/// number of sensitive fields.
pub(super) fn check_sensitive(items: &[Item], facts: &Facts) -> Result<usize, PassError> {
    let mut fields = BTreeSet::new();
    for item in items {
        let Item::Struct(item) = item else { continue };
        for field in &item.fields {
            let (object, options) = (item.ident.to_string(), SerdeOptions::of(&field.attrs)?);
            let name = wire_name(&object, field, &options, facts);
            fields.insert((object, name));
        }
    }
    let mut count = 0;
    // Required parameters are arguments and have no field.
    for (name, properties) in facts.sensitive.iter().filter(|(name, _)| !name.ends_with("Params")) {
        for property in properties {
            if !fields.contains(&(name.clone(), property.clone())) {
                let message = "it is sensitive, and no field of that name is generated";
                return Err(PassError::at(format!("{name}.{property}"), message));
            }
            count += 1;
        }
    }
    Ok(count)
}

/// Writes the types.
pub(super) fn render(items: &[Item], facts: &Facts) -> Result<String, PassError> {
    let mut source = IMPORTS.to_owned();
    for item in items {
        let lines = match item {
            Item::Struct(item) => render_struct(item, facts)?,
            Item::Enum(item) => render_enum(item, facts)?,
            // The macros implement the same traits, and `IMPORTS` has the module `error`.
            Item::Impl(_) | Item::Mod(_) => continue,
            other => return Err(PassError::new(format!("no macro defines `{}`", other.to_token_stream()))),
        };
        source.push('\n');
        source.extend(lines.into_iter().map(|line| line + "\n"));
    }
    Ok(source)
}

fn render_enum(item: &ItemEnum, facts: &Facts) -> Result<Vec<String>, PassError> {
    let name = item.ident.to_string();
    let is_open = facts.open_enums.contains(&name);
    let mut rows = Vec::new();
    for variant in &item.variants {
        if !matches!(variant.fields, Fields::Unit) {
            return Err(PassError::at(name, "no macro defines an enum whose variants have fields"));
        }
        let variant_name = variant.ident.to_string();
        let value = SerdeOptions::of(&variant.attrs)?.rename.unwrap_or_else(|| variant_name.clone());
        rows.push(format!("{variant_name} = {value:?},"));
    }
    Ok(call(if is_open { "open_enum" } else { "closed_enum" }, docs(&item.attrs), &name, rows))
}

fn render_struct(item: &ItemStruct, facts: &Facts) -> Result<Vec<String>, PassError> {
    let name = item.ident.to_string();
    let mut head = docs(&item.attrs);
    if let Fields::Unnamed(fields) = &item.fields {
        if fields.unnamed.iter().any(|field| type_name(&field.ty) != "Map") {
            return Err(PassError::at(name, "no macro defines a tuple struct other than a map"));
        }
        head.push(name);
        return Ok(block("response_map!", head));
    }
    let is_response = facts.responses.contains(&name);
    let kind = match () {
        () if is_response => "response_object",
        () if !has_derive(item, "Serialize") => "parameters",
        () if item.fields.iter().any(|field| inside(field_type(field), "Patch").is_some()) => "merge_patch",
        () => "request_object",
    };
    if kind == "request_object" && has_derive(item, "Default") {
        head.push("#[derive(Default)]".to_owned());
    }
    let mut rows = Vec::new();
    let mut keeps_unlisted = false;
    for field in &item.fields {
        let options = SerdeOptions::of(&field.attrs)?;
        match options.flatten {
            true => keeps_unlisted = true,
            false => rows.extend(render_field(&name, field, &options, kind, facts)?),
        }
    }
    // The macro for responses adds this field by itself; the macro for requests adds it if `extra` is given.
    let extra = if keeps_unlisted && kind == "request_object" { " extra" } else { "" };
    if keeps_unlisted != is_response && extra.is_empty() {
        return Err(PassError::at(
            name,
            "a response, or a request that the document leaves open, keeps the fields that no document lists",
        ));
    }
    if !extra.is_empty() && item.fields.iter().all(is_optional) {
        head.push("#[derive(Default)]".to_owned());
    }
    let mut lines = call(kind, head, &name, rows);
    if let Some(end) = lines.iter_mut().rev().nth(1) {
        end.push_str(extra);
    }
    Ok(lines)
}

/// Returns whether an object may lack a field.
fn is_optional(field: &Field) -> bool {
    let by_its_type = ["Option", "OneOrMany"].contains(&type_name(&field.ty).as_str());
    by_its_type || SerdeOptions::of(&field.attrs).is_ok_and(|options| options.default || options.flatten)
}

fn render_field(
    object: &str,
    field: &Field,
    options: &SerdeOptions,
    kind: &str,
    facts: &Facts,
) -> Result<Vec<String>, PassError> {
    let name = field.ident.as_ref().map(ToString::to_string).unwrap_or_default();
    let wire_name = wire_name(object, field, options, facts);
    let ty = field_type(field);
    let tokens = ty.to_token_stream().to_string().replace(' ', "").replace(",>", ">").replace(',', ", ");
    let is_sensitive = facts.sensitive.get(object).is_some_and(|names| names.contains(&wire_name));
    let is_list = ["Vec", "BTreeMap", "Map"].contains(&type_name(ty).as_str());

    let mut lines = docs(&field.attrs);
    // serde knows by itself that an `Option` may be absent.
    if kind == "request_object" && (options.default || type_name(ty) == "OneOrMany") {
        lines.push("#[serde(default)]".to_owned());
    } else if is_list {
        let message = "a required list or map of a request would be left out when it is empty";
        return Err(PassError::at(format!("{object}.{name}"), message));
    }
    let sensitive = if is_sensitive { " sensitive" } else { "" };
    lines.push(match kind {
        "parameters" if is_sensitive => format!("{name}: {tokens} = sensitive,"),
        "parameters" => format!("{name}: {tokens},"),
        "merge_patch" => {
            let clear = match inside(ty, "Patch") {
                Some(_) => format!(", clear_{}", name.trim_end_matches('_')),
                None => String::new(),
            };
            format!("{name}: {tokens} = {wire_name:?}{sensitive}{clear};")
        }
        _ => format!("{name}: {tokens} = {wire_name:?}{sensitive},"),
    });
    Ok(lines)
}

/// A call of a macro that defines a type with `rows`.
fn call(macro_name: &str, mut head: Vec<String>, name: &str, rows: Vec<String>) -> Vec<String> {
    head.extend(block(name, rows));
    block(&format!("{macro_name}!"), head)
}

fn block(head: &str, lines: Vec<String>) -> Vec<String> {
    let lines = lines.into_iter().map(|line| format!("    {line}"));
    [format!("{head} {{")].into_iter().chain(lines).chain(["}".to_owned()]).collect()
}

/// The lines of a documentation comment.
fn docs(attrs: &[Attribute]) -> Vec<String> {
    let values = attrs.iter().filter(|attr| attr.path().is_ident("doc"));
    let values = values.filter_map(|attr| Some(&attr.meta.require_name_value().ok()?.value));
    let texts = values.filter_map(|value| match value {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value()),
        _ => None,
    });
    let lines =
        texts.flat_map(|text| text.lines().map(|line| format!("/// {}", line.trim())).collect::<Vec<_>>());
    lines.map(|line| line.trim_end().to_owned()).collect()
}

/// The name of a field on the wire.
fn wire_name(object: &str, field: &Field, options: &SerdeOptions, facts: &Facts) -> String {
    let name = || field.ident.as_ref().map(|name| name.to_string().trim_end_matches('_').to_owned());
    let name = options.rename.clone().or_else(name).unwrap_or_default();
    facts.wire_names.get(&(object.to_owned(), name.clone())).cloned().unwrap_or(name)
}

/// The type of a field. serde turns `null` into `None` before a wire type inside of an `Option` could read it, so the wire type
/// stands alone.
fn field_type(field: &Field) -> &Type {
    let is_wire_type = |ty: &&Type| ["Lenient", "OneOrMany", "Patch"].contains(&type_name(ty).as_str());
    inside(&field.ty, "Option").filter(is_wire_type).unwrap_or(&field.ty)
}

/// The serde attributes of a field or a variant.
#[derive(Default)]
struct SerdeOptions {
    rename: Option<String>,
    default: bool,
    flatten: bool,
}

impl SerdeOptions {
    fn of(attrs: &[Attribute]) -> Result<Self, PassError> {
        let mut options = Self::default();
        for attr in attrs.iter().filter(|attr| attr.path().is_ident("serde")) {
            let parsed = attr.parse_nested_meta(|meta| {
                match meta.path.require_ident()?.to_string().as_str() {
                    "rename" => options.rename = Some(meta.value()?.parse::<syn::LitStr>()?.value()),
                    "default" => options.default = true,
                    "flatten" => options.flatten = true,
                    // The macros leave out what is absent.
                    "skip_serializing_if" => drop(meta.value()?.parse::<syn::LitStr>()?),
                    _ => return Err(meta.error("no macro has this option of serde")),
                }
                Ok(())
            });
            parsed.map_err(|error| PassError::new(error.to_string()))?;
        }
        Ok(options)
    }
}

fn has_derive(item: &ItemStruct, name: &str) -> bool {
    let mut derives = item.attrs.iter().filter(|attr| attr.path().is_ident("derive"));
    derives.any(|attr| attr.to_token_stream().to_string().contains(name))
}

/// `T` out of `generic<T>`.
pub(super) fn inside<'a>(ty: &'a Type, generic: &str) -> Option<&'a Type> {
    let Type::Path(path) = ty else { return None };
    let last = path.path.segments.last().filter(|last| last.ident == generic)?;
    let syn::PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
    match arguments.args.first()? {
        syn::GenericArgument::Type(inner) => Some(inner),
        _ => None,
    }
}

/// The name of a type, without its path.
pub(super) fn type_name(ty: &Type) -> String {
    match ty {
        Type::Path(path) => path.path.segments.last().map(|last| last.ident.to_string()).unwrap_or_default(),
        _ => String::new(),
    }
}
