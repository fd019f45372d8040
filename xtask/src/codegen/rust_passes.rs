//! What is changed in the types that progenitor generated.

use std::collections::BTreeSet;

use quote::ToTokens as _;
use syn::{Attribute, Field, Item, ItemStruct, Type};

use super::document::Facts;
use super::error::PassError;

pub(crate) struct Pass {
    pub(crate) name: &'static str,
    /// Changes the types and counts what it changed.
    pub(crate) run: fn(&mut [Item], &Facts) -> Result<usize, PassError>,
}

/// The passes, in their order.
pub(crate) const PASSES: &[Pass] = &[
    // serde turns `null` into `None` before the wire type inside of the `Option` could read it.
    Pass { name: "unwrap-option", run: unwrap_option },
    // `Debug` writes names and addresses into logs, unless the macros are told which fields are sensitive.
    Pass { name: "redact-debug", run: redact_debug },
];

fn structs(items: &mut [Item]) -> impl Iterator<Item = &mut ItemStruct> {
    items.iter_mut().filter_map(|item| match item {
        Item::Struct(item) => Some(item),
        _ => None,
    })
}

fn unwrap_option(types: &mut [Item], _: &Facts) -> Result<usize, PassError> {
    let fields = structs(types).flat_map(|item| &mut item.fields);
    let unwrapped = fields.filter_map(|field| {
        let inner = inside(&field.ty, "Option")?.clone();
        let is_wire_type = ["Lenient", "OneOrMany", "Patch"].contains(&type_name(&inner).as_str());
        is_wire_type.then(|| field.ty = inner)
    });
    Ok(unwrapped.count())
}

/// Checks that each sensitive property has its field: one without a field would be shown in logs.
fn redact_debug(types: &mut [Item], facts: &Facts) -> Result<usize, PassError> {
    let mut fields = BTreeSet::new();
    for item in structs(types) {
        for field in &item.fields {
            fields.insert((item.ident.to_string(), wire_name(field)?));
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

/// The name of a field on the wire.
pub(super) fn wire_name(field: &Field) -> Result<String, PassError> {
    let name = || field.ident.as_ref().map(|name| name.to_string().trim_end_matches('_').to_owned());
    Ok(SerdeOptions::of(&field.attrs)?.rename.or_else(name).unwrap_or_default())
}

/// The serde attributes of a field or a variant.
#[derive(Default)]
pub(super) struct SerdeOptions {
    pub(super) rename: Option<String>,
    pub(super) default: bool,
    pub(super) flatten: bool,
}

impl SerdeOptions {
    pub(super) fn of(attrs: &[Attribute]) -> Result<Self, PassError> {
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

pub(super) fn has_derive(item: &ItemStruct, name: &str) -> bool {
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
