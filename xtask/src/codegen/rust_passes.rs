//! What is changed in the code that progenitor generated.

use std::collections::BTreeSet;

use quote::{ToTokens, quote};
use syn::{Attribute, Field, Item, ItemEnum, ItemStruct, Type, parse_quote};

use super::document::Facts;
use super::fault::Fault;

pub(crate) struct Pass {
    pub(crate) name: &'static str,
    /// Changes the code and counts what it changed.
    pub(crate) run: fn(&mut syn::File, &Facts) -> Result<usize, Fault>,
}

/// The passes, in their order.
pub(crate) const PASSES: [Pass; 4] = [
    // serde turns `null` into Option's None before the type inside could see it.
    Pass { name: "bare-fields", run: bare_fields },
    // A closed enum refuses the whole answer, or keeps callers from sending what the supplier takes.
    Pass { name: "open-enums", run: open_enums },
    // Names and addresses end in logs by way of Debug.
    Pass { name: "quiet-debug", run: quiet_debug },
    // `Client::new` would make calls that no call layer watches, and panics where it cannot.
    Pass { name: "one-way-in", run: one_way_in },
];

/// The items of the generated module `types`.
fn types(file: &mut syn::File) -> Result<&mut Vec<Item>, Fault> {
    let module = file.items.iter_mut().find_map(|item| match item {
        Item::Mod(module) if module.ident == "types" => module.content.as_mut(),
        _ => None,
    });
    module.map(|(_, items)| items).ok_or_else(|| Fault::new("the generated code has no module `types`"))
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
    let Type::Path(option) = ty else { return None };
    let last = option.path.segments.last().filter(|last| last.ident == "Option")?;
    let syn::PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
    let syn::GenericArgument::Type(inner @ Type::Path(path)) = arguments.args.first()? else { return None };
    let name = path.path.segments.last()?.ident.to_string();
    let ours = path.path.segments.first()?.ident == "lastmile_core";
    (ours && ["Loose", "OneOrMany", "Patch"].contains(&name.as_str())).then(|| (name, inner.clone()))
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
fn type_name(ty: &Type) -> String {
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

        impl<'de> ::serde::Deserialize<'de> for #name {
            fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> ::std::result::Result<Self, D::Error> {
                <::std::string::String as ::serde::Deserialize>::deserialize(deserializer).map(Self::from)
            }
        }
    };
    file.items
}

fn quiet_debug(file: &mut syn::File, facts: &Facts) -> Result<usize, Fault> {
    let items = types(file)?;
    let mut impls = Vec::new();
    for item in structs(items) {
        let sensitive = facts.sensitive.get(&item.ident.to_string());
        let hidden = |field: &Field| {
            let name = field.ident.as_ref().map(ToString::to_string).unwrap_or_default();
            let on_the_wire = renamed(field).unwrap_or(name);
            sensitive.is_some_and(|sensitive| sensitive.contains(&on_the_wire))
        };
        if item.fields.iter().any(|field| hidden(field) || is_extra(field)) {
            impls.push(debug(item, hidden));
            without_debug(&mut item.attrs);
        }
    }
    let count = impls.len();
    items.extend(impls);
    Ok(count)
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

fn without_debug(attrs: &mut [Attribute]) {
    for attr in attrs.iter_mut().filter(|attr| attr.path().is_ident("derive")) {
        let mut kept: Vec<syn::Path> = Vec::new();
        let _ = attr.parse_nested_meta(|meta| {
            if !meta.path.is_ident("Debug") {
                kept.push(meta.path);
            }
            Ok(())
        });
        *attr = parse_quote!(#[derive(#(#kept),*)]);
    }
}

fn one_way_in(file: &mut syn::File, _: &Facts) -> Result<usize, Fault> {
    let mut count = 0;
    for item in &mut file.items {
        let Item::Impl(item) = item else { continue };
        if item.trait_.is_none() && type_name(&item.self_ty) == "Client" {
            let before = item.items.len();
            item.items
                .retain(|item| !matches!(item, syn::ImplItem::Fn(function) if function.sig.ident == "new"));
            count += before - item.items.len();
        }
    }
    Ok(count)
}
