//! What is changed in the code that progenitor generated.

use std::collections::BTreeSet;

use quote::{ToTokens, quote};
use syn::{Attribute, Field, Item, ItemEnum, ItemStruct, Type, parse_quote};

use super::client_passes;
use super::document::Facts;
use super::fault::Fault;

pub(crate) struct Pass {
    pub(crate) name: &'static str,
    /// Changes the code and counts what it changed.
    pub(crate) run: fn(&mut syn::File, &Facts) -> Result<usize, Fault>,
}

/// The passes, in their order.
pub(crate) const PASSES: &[Pass] = &[
    // serde turns `null` into Option's None before the type inside could see it.
    Pass { name: "bare-fields", run: bare_fields },
    // A closed enum refuses the whole answer, or keeps callers from sending what the supplier takes.
    Pass { name: "open-enums", run: open_enums },
    // An object that is no object must cost no more than itself.
    Pass { name: "readable-objects", run: readable_objects },
    // As arguments of their own, a new one would shift those behind it.
    Pass { name: "query-params", run: client_passes::query_params },
    // Sending, repeating, classifying and decoding are the same for every method: the core crate does them.
    Pass { name: "delegate-send", run: client_passes::delegate_send },
    // A change says one by one what it sets and what it clears.
    Pass { name: "patch-builders", run: patch_builders },
    // Names and addresses end in logs by way of Debug.
    Pass { name: "quiet-debug", run: quiet_debug },
    // Connections, base URL, credentials and policy are the same for every client: it is built by the core crate's builder.
    Pass { name: "seal-client", run: client_passes::seal_client },
];

/// The items of the generated module `types`.
pub(super) fn types(file: &mut syn::File) -> Result<&mut Vec<Item>, Fault> {
    let module = file.items.iter_mut().find_map(|item| match item {
        Item::Mod(module) if module.ident == "types" => module.content.as_mut(),
        _ => None,
    });
    module.map(|(_, items)| items).ok_or_else(|| Fault::new("the generated code has no module `types`"))
}

/// Takes the generated module `types` out, as a file of its own.
pub(super) fn take_types(file: &mut syn::File) -> Result<syn::File, Fault> {
    let items = std::mem::take(types(file)?);
    file.items.retain(|item| !matches!(item, Item::Mod(module) if module.ident == "types"));
    Ok(parse_quote!(#(#items)*))
}

fn structs(items: &mut [Item]) -> impl Iterator<Item = &mut ItemStruct> {
    items.iter_mut().filter_map(|item| match item {
        Item::Struct(item) => Some(item),
        _ => None,
    })
}

fn bare_fields(file: &mut syn::File, _: &Facts) -> Result<usize, Fault> {
    let mut count = 0;
    for item in structs(types(file)?) {
        let before = count;
        for field in &mut item.fields {
            let Some((name, inner)) = wire_type_in_option(&field.ty) else { continue };
            let rename = renamed(field);
            let rename = rename.map(|name| quote!(rename = #name,));
            let is_absent = format!("::lastmile_core::wire::{name}::is_absent");
            field.attrs.retain(|attr| !attr.path().is_ident("serde"));
            field.attrs.push(parse_quote!(#[serde(#rename default, skip_serializing_if = #is_absent)]));
            field.ty = inner;
            count += 1;
        }
        if count > before && !derives(&item.attrs).contains("Default") {
            // Each field is a wire type now, an Option or a map: all have a default.
            item.attrs.push(parse_quote!(#[derive(Default)]));
        }
    }
    Ok(count)
}

/// `Loose<T>` out of `Option<Loose<T>>`, with its name.
fn wire_type_in_option(ty: &Type) -> Option<(String, Type)> {
    let inner = in_option(ty)?;
    let Type::Path(path) = inner else { return None };
    let name = path.path.segments.last()?.ident.to_string();
    let ours = path.path.segments.first()?.ident == "lastmile_core";
    (ours && ["Loose", "OneOrMany", "Patch"].contains(&name.as_str())).then(|| (name, inner.clone()))
}

/// `T` out of `Option<T>`.
pub(super) fn in_option(ty: &Type) -> Option<&Type> {
    inside(ty, "Option")
}

/// `T` out of `Patch<T>`.
fn in_patch(ty: &Type) -> Option<&Type> {
    inside(ty, "Patch")
}

pub(super) fn inside<'a>(ty: &'a Type, generic: &str) -> Option<&'a Type> {
    let Type::Path(path) = ty else { return None };
    let last = path.path.segments.last().filter(|last| last.ident == generic)?;
    let syn::PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
    match arguments.args.first()? {
        syn::GenericArgument::Type(inner) => Some(inner),
        _ => None,
    }
}

/// The name on the wire, where serde is told one.
fn renamed(field: &Field) -> Option<String> {
    serde_rename(&field.attrs)
}

fn serde_rename(attrs: &[Attribute]) -> Option<String> {
    let mut name = None;
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("serde")) {
        // What is no rename is passed over; syn wants its value read all the same.
        let _ = attr.parse_nested_meta(|meta| {
            if meta.path.is_ident("rename") {
                name = Some(meta.value()?.parse::<syn::LitStr>()?.value());
            } else if let Ok(value) = meta.value() {
                value.parse::<syn::Lit>()?;
            }
            Ok(())
        });
    }
    name
}

fn derives(attrs: &[Attribute]) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("derive")) {
        let _ = attr.parse_nested_meta(|meta| {
            names.extend(meta.path.segments.last().map(|last| last.ident.to_string()));
            Ok(())
        });
    }
    names
}

fn open_enums(file: &mut syn::File, facts: &Facts) -> Result<usize, Fault> {
    let items = types(file)?;
    items.retain(
        |item| !matches!(item, Item::Impl(item) if facts.open_enums.contains(&type_name(&item.self_ty))),
    );
    let mut opened = Vec::new();
    let mut count = 0;
    for item in items.iter_mut() {
        match item {
            Item::Enum(item) if facts.open_enums.contains(&item.ident.to_string()) => {
                opened.extend(open(item));
                count += 1;
            }
            _ => {}
        }
    }
    items.extend(opened);
    Ok(count)
}

/// The name of a type, without its path.
pub(super) fn type_name(ty: &Type) -> String {
    match ty {
        Type::Path(path) => path.path.segments.last().map(|last| last.ident.to_string()).unwrap_or_default(),
        _ => String::new(),
    }
}

/// Opens one enum, and gives it what belongs to it.
fn open(item: &mut ItemEnum) -> Vec<Item> {
    let name = &item.ident;
    let variants: Vec<_> = item.variants.iter().map(|variant| variant.ident.clone()).collect();
    let values: Vec<String> = item
        .variants
        .iter()
        .map(|variant| serde_rename(&variant.attrs).unwrap_or_else(|| variant.ident.to_string()))
        .collect();
    for (variant, value) in item.variants.iter_mut().zip(&values) {
        let doc = format!("`{value}`");
        variant.attrs = vec![parse_quote!(#[doc = #doc])];
    }
    item.variants.push(parse_quote! {
        /// A value that the document does not list, as it is.
        Unlisted(::std::string::String)
    });
    item.attrs.retain(|attr| attr.path().is_ident("doc"));
    item.attrs.push(parse_quote!(#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]));
    item.attrs.push(parse_quote!(#[non_exhaustive]));

    let file: syn::File = parse_quote! {
        impl #name {
            /// The value on the wire.
            pub fn as_str(&self) -> &str {
                match self {
                    #(Self::#variants => #values,)*
                    Self::Unlisted(value) => value,
                }
            }
        }

        impl ::std::convert::From<&str> for #name {
            fn from(value: &str) -> Self {
                match value {
                    #(#values => Self::#variants,)*
                    value => Self::Unlisted(value.to_owned()),
                }
            }
        }

        impl ::std::convert::From<::std::string::String> for #name {
            fn from(value: ::std::string::String) -> Self {
                value.as_str().into()
            }
        }

        impl ::std::str::FromStr for #name {
            type Err = ::std::convert::Infallible;

            fn from_str(value: &str) -> ::std::result::Result<Self, Self::Err> {
                Ok(value.into())
            }
        }

        impl ::std::fmt::Display for #name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl ::serde::Serialize for #name {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> ::std::result::Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl ::lastmile_core::wire::Readable for #name {
            fn read(given: ::lastmile_core::wire::Given<'_>) -> ::lastmile_core::wire::Reading<Self> {
                ::lastmile_core::wire::Reading::named(given)
            }

            #[inline]
            fn read_text(text: &str) -> ::std::option::Option<Self> {
                (!text.is_empty()).then(|| text.into())
            }
        }

        impl<'de> ::serde::Deserialize<'de> for #name {
            fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> ::std::result::Result<Self, D::Error> {
                <::std::string::String as ::serde::Deserialize>::deserialize(deserializer).map(Self::from)
            }
        }
    };
    file.items
}

/// Lets the objects of answers be read, and stand in a `Loose`.
fn readable_objects(file: &mut syn::File, facts: &Facts) -> Result<usize, Fault> {
    let items = types(file)?;
    let mut impls: Vec<Item> = Vec::new();
    for item in structs(items).filter(|item| facts.answers.contains(&item.ident.to_string())) {
        let name = &item.ident;
        if is_map(item) {
            impls.push(parse_quote! {
                impl ::lastmile_core::wire::Readable for #name {
                    fn read(_: ::lastmile_core::wire::Given<'_>) -> ::lastmile_core::wire::Reading<Self> {
                        ::lastmile_core::wire::Reading::No
                    }

                    fn read_map<'de, A: ::serde::de::MapAccess<'de>>(
                        map: A,
                    ) -> ::std::result::Result<::lastmile_core::wire::Loose<Self>, A::Error> {
                        let map = ::serde::de::value::MapAccessDeserializer::new(map);
                        <Self as ::serde::Deserialize>::deserialize(map).map(::lastmile_core::wire::Loose::Value)
                    }
                }
            });
            continue;
        }
        if !item.fields.iter().any(is_extra) {
            return Err(Fault::at(name.to_string(), "it is an answer and keeps no unlisted fields"));
        }
        let fields = item.fields.iter().filter(|field| !is_extra(field)).filter_map(|field| {
            let (ident, name) = (field.ident.as_ref()?, wire_name(field));
            Some(quote!(#ident: #name))
        });
        impls.push(parse_quote!(::lastmile_core::object!(#name { #(#fields),* });));
        without_derive(&mut item.attrs, "Deserialize");
    }
    let count = impls.len();
    items.extend(impls);
    Ok(count)
}

fn patch_builders(file: &mut syn::File, _: &Facts) -> Result<usize, Fault> {
    let items = types(file)?;
    let mut impls: Vec<Item> = Vec::new();
    for item in structs(items).filter(|item| item.fields.iter().any(|field| in_patch(&field.ty).is_some())) {
        let name = &item.ident;
        let methods = item.fields.iter().filter_map(|field| {
            let (field_name, wire) = (field.ident.as_ref()?, wire_name(field));
            let (sets, clears) = (format!("Sets `{wire}`."), format!("Clears `{wire}`."));
            let Some(inner) = in_patch(&field.ty) else {
                let inner = in_option(&field.ty)?;
                return Some(quote! {
                    #[doc = #sets]
                    #[must_use]
                    pub fn #field_name(mut self, value: impl Into<#inner>) -> Self {
                        self.#field_name = ::std::option::Option::Some(value.into());
                        self
                    }
                });
            };
            let clear = quote::format_ident!("clear_{}", field_name.to_string().trim_end_matches('_'));
            Some(quote! {
                #[doc = #sets]
                #[must_use]
                pub fn #field_name(mut self, value: impl Into<#inner>) -> Self {
                    self.#field_name = ::lastmile_core::wire::Patch::set(value);
                    self
                }

                #[doc = #clears]
                #[must_use]
                pub fn #clear(mut self) -> Self {
                    self.#field_name = ::lastmile_core::wire::Patch::Null;
                    self
                }
            })
        });
        impls.push(parse_quote!(impl #name { #(#methods)* }));
    }
    let count = impls.len();
    items.extend(impls);
    Ok(count)
}

fn quiet_debug(file: &mut syn::File, facts: &Facts) -> Result<usize, Fault> {
    let items = types(file)?;
    let mut impls = Vec::new();
    let mut hidden = BTreeSet::new();
    for item in structs(items) {
        let name = item.ident.to_string();
        if is_map(item) {
            let ident = &item.ident;
            let text = format!("{name}({{}} unlisted fields)");
            impls.push(parse_quote! {
                impl ::std::fmt::Debug for #ident {
                    fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                        ::std::write!(f, #text, self.0.len())
                    }
                }
            });
            without_derive(&mut item.attrs, "Debug");
            continue;
        }
        let sensitive = facts.sensitive.get(&name);
        let is_hidden = |field: &Field| {
            let on_the_wire = wire_name(field);
            sensitive.is_some_and(|sensitive| sensitive.contains(&on_the_wire))
        };
        hidden.extend(
            item.fields.iter().filter(|field| is_hidden(field)).map(|field| (name.clone(), wire_name(field))),
        );
        if item.fields.iter().any(|field| is_hidden(field) || is_extra(field)) {
            impls.push(debug(item, is_hidden));
            without_derive(&mut item.attrs, "Debug");
        }
    }
    // A mark that found no field would be a name in a log. Parameters that are demanded stand in no struct.
    let marked = facts.sensitive.iter().filter(|(name, _)| !name.ends_with("Params"));
    for (name, property) in
        marked.flat_map(|(name, marked)| marked.iter().map(move |property| (name, property)))
    {
        if !hidden.contains(&(name.clone(), property.clone())) {
            return Err(Fault::at(
                format!("{name}.{property}"),
                "it is sensitive, and no field of that name is generated",
            ));
        }
    }
    let count = impls.len();
    items.extend(impls);
    Ok(count)
}

/// Whether this is an object of which no document lists a field.
fn is_map(item: &ItemStruct) -> bool {
    matches!(&item.fields, syn::Fields::Unnamed(fields) if fields.unnamed.iter().any(|field| type_name(&field.ty) == "Map"))
}

/// The name of a field on the wire.
fn wire_name(field: &Field) -> String {
    let name = || field.ident.as_ref().map(|name| name.to_string().trim_end_matches('_').to_owned());
    renamed(field).or_else(name).unwrap_or_default()
}

/// Whether this is the field that holds what the document does not list.
fn is_extra(field: &Field) -> bool {
    field.ident.as_ref().is_some_and(|name| name == "extra")
        && field.attrs.iter().any(|attr| attr.to_token_stream().to_string().contains("flatten"))
}

fn debug(item: &ItemStruct, hidden: impl Fn(&Field) -> bool) -> Item {
    let name = &item.ident;
    let text = name.to_string();
    let fields = item.fields.iter().filter_map(|field| {
        let name = field.ident.as_ref()?;
        let text = name.to_string();
        Some(if is_extra(field) {
            quote!(.field(#text, &::std::format_args!("{} unlisted fields", self.#name.len())))
        } else if hidden(field) {
            quote!(.field(#text, &::std::format_args!("(hidden)")))
        } else {
            quote!(.field(#text, &self.#name))
        })
    });
    parse_quote! {
        impl ::std::fmt::Debug for #name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.debug_struct(#text) #(#fields)* .finish()
            }
        }
    }
}

fn without_derive(attrs: &mut [Attribute], name: &str) {
    for attr in attrs.iter_mut().filter(|attr| attr.path().is_ident("derive")) {
        let mut kept: Vec<syn::Path> = Vec::new();
        let _ = attr.parse_nested_meta(|meta| {
            if meta.path.segments.last().is_none_or(|last| last.ident != name) {
                kept.push(meta.path);
            }
            Ok(())
        });
        *attr = parse_quote!(#[derive(#(#kept),*)]);
    }
}
