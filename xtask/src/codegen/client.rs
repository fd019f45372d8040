//! The generated client: one method per operation, which makes one call of the core crate's transport.

use proc_macro2::TokenStream;
use quote::{ToTokens as _, format_ident, quote};
use syn::{FnArg, Ident, ImplItem, ImplItemFn, Item, Pat, ReturnType, Type, parse_quote};

use super::document::{Document, Operation};
use super::error::PassError;
use super::types::{inside, type_name};
use super::{params_name, snake, table};

/// Returns the source of the client, and adds the structs of optional parameters to the `types`.
pub(super) fn render(
    document: &Document,
    generated: &[Item],
    types: &mut Vec<Item>,
) -> Result<syn::File, PassError> {
    let mut docs = Vec::new();
    let mut functions = Vec::new();
    for item in generated {
        match item {
            Item::Struct(item) if item.ident == "Client" => docs.clone_from(&item.attrs),
            Item::Impl(item) if item.trait_.is_none() => {
                functions.extend(item.items.iter().filter_map(|item| match item {
                    ImplItem::Fn(function) if function.sig.asyncness.is_some() => Some(function),
                    _ => None,
                }));
            }
            _ => {}
        }
    }
    docs.retain(|attr| attr.path().is_ident("doc"));
    let mut methods = TokenStream::new();
    for operation in document.operations() {
        let id = snake(operation.id);
        let function = functions.iter().find(|function| function.sig.ident == id);
        let function = function
            .ok_or_else(|| PassError::at(operation.id, format!("the client has no method `{id}`")))?;
        methods.extend(method(document, &operation, function, types)?);
    }
    Ok(parse_quote! {
        #[allow(unused_imports)]
        use ::lastmile_core::{Error, Reply, rows::Rows, wire::{Lenient, OneOrMany, Segment}};

        use super::{operations, types};

        ::lastmile_core::client!(#(#docs)* Client, super::operations::TABLE);

        #[allow(clippy::all)]
        impl Client {
            #methods
        }
    })
}

/// The method of one operation, and its twin that reads a list row by row.
fn method(
    document: &Document,
    operation: &Operation<'_>,
    function: &ImplItemFn,
    types: &mut Vec<Item>,
) -> Result<TokenStream, PassError> {
    let error = |message: &str| PassError::at(operation.id, message);
    let (docs, name) = (&function.attrs, &function.sig.ident);
    let parameters: Vec<_> = document.parameters(operation).collect();
    let parameter = |name: &Ident| {
        let is_named = |json: &str| snake(json) == name.to_string().trim_end_matches('_');
        parameters.iter().find(|json| json["name"].as_str().is_some_and(is_named))
    };

    let mut arguments = Vec::new();
    let mut fields = Vec::new();
    let mut calls = TokenStream::new();
    for input in &function.sig.inputs {
        let FnArg::Typed(input) = input else { continue };
        let Pat::Ident(argument) = &*input.pat else { continue };
        let argument = &argument.ident;
        let json = parameter(argument);
        let optional = inside(&input.ty, "Option");
        let value = match optional {
            None => quote!(&#argument),
            Some(_) => quote!(&params.#argument),
        };
        let wire_name = json.and_then(|json| json["name"].as_str());
        match json.and_then(|json| json["in"].as_str()) {
            Some("path") => {}
            Some("query") => calls.extend(quote!(.query(#wire_name, #value))),
            Some("header") if optional.is_some() => {
                calls.extend(quote!(.header(#wire_name, params.#argument.as_deref())));
            }
            Some("header") => calls.extend(quote!(.header(#wire_name, Some(#argument)))),
            None if argument == "body" => calls.extend(quote!(.json(body))),
            _ => return Err(error(&format!("the call layer does not send `{argument}`"))),
        }
        match optional {
            Some(ty) => {
                let ty = owned(ty);
                let doc = json.and_then(|json| json["description"].as_str()).unwrap_or("See the method.");
                fields.push(quote!(#[doc = #doc] pub #argument: Option<#ty>));
            }
            None => {
                let ty = without_lifetime(&input.ty);
                arguments.push(quote!(#argument: #ty));
            }
        }
    }
    if !fields.is_empty() {
        let params = format_ident!("{}", params_name(operation.id));
        let doc = format!("The optional parameters of [`{name}`](super::Client::{name}).");
        types.push(parse_quote!(#[doc = #doc] pub struct #params { #(#fields,)* }));
        arguments.push(quote!(params: &types::#params));
    }

    let response = match &function.sig.output {
        ReturnType::Type(_, ty) => inside(ty, "Result").and_then(|ty| inside(ty, "ResponseValue")),
        ReturnType::Default => None,
    };
    let response = response.ok_or_else(|| error("its method does not return a response"))?;
    let is_empty = operation.json["responses"]["2XX"]["content"].is_null();
    // progenitor reads a response of another media type in its own way.
    if is_empty != matches!(response, Type::Tuple(tuple) if tuple.elems.is_empty()) {
        return Err(error("its method does not return what the document says"));
    }
    let send = if is_empty { quote!(send_empty) } else { quote!(send) };
    let path = operation.path.split('{').skip(1).filter_map(|part| part.split('}').next());
    let path = path.map(|part| format_ident!("{}", snake(part)));
    let operation_name = table::constant(&name.to_string());
    let call = quote!(self.transport.call(&operations::#operation_name, &[#(#path),*]) #calls);
    let twin = if operation.json["x-stream"] == true {
        let row = inside(response, "OneOrMany").and_then(|ty| inside(ty, "Lenient"));
        let row = row.ok_or_else(|| error("its rows are marked as a stream, and it returns no list"))?;
        let doc = format!(
            "Does the same as [`{name}`](Self::{name}), and reads the list row by row as it arrives."
        );
        let name = format_ident!("{name}_rows");
        quote! {
            #[doc = #doc]
            pub async fn #name(&self, #(#arguments),*) -> Result<Rows<#row>, Error> {
                #call.rows().await
            }
        }
    } else {
        TokenStream::new()
    };
    Ok(quote! {
        #(#docs)*
        pub async fn #name(&self, #(#arguments),*) -> Result<Reply<#response>, Error> {
            #call.#send().await
        }
        #twin
    })
}

fn without_lifetime(ty: &Type) -> TokenStream {
    match ty {
        Type::Reference(reference) => {
            let inner = &reference.elem;
            quote!(&#inner)
        }
        other => other.to_token_stream(),
    }
}

/// The type of a field for an argument: without a borrow, and as the module `types` names it.
fn owned(ty: &Type) -> TokenStream {
    match ty {
        Type::Reference(reference) if type_name(&reference.elem) == "str" => quote!(String),
        Type::Reference(reference) => owned(&reference.elem),
        Type::Path(path) if path.path.segments.first().is_some_and(|first| first.ident == "types") => {
            let segments = path.path.segments.iter().skip(1);
            quote!(#(#segments)::*)
        }
        other => other.to_token_stream(),
    }
}
