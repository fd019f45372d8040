//! The operation table of a client crate, and what hands each call to the core crate.

use proc_macro2::TokenStream;
use quote::quote;
use serde_json::Value;

use super::document::{Document, Operation};
use super::fault::Fault;

pub(crate) fn render(document: &Document, client: &syn::File) -> Result<Vec<syn::Item>, Fault> {
    let mut operations: Vec<Operation<'_>> = document.operations().collect();
    operations.sort_by_key(|operation| snake(operation.id));
    let methods = methods(client);
    let rows = operations
        .iter()
        .map(|operation| {
            if !methods.contains(&snake(operation.id)) {
                return Err(Fault::at(
                    operation.id,
                    format!("the client has no method `{}`", snake(operation.id)),
                ));
            }
            row(document, operation)
        })
        .collect::<Result<Vec<_>, _>>()?;

    let api = &document.api;
    let title = document.json["info"]["title"].as_str();
    let version = document.json["info"]["version"].as_str();
    let errors = error_shape(&document.json["x-error"]);
    let keys = key_headers(&document.json["components"]["securitySchemes"]);
    let file: syn::File = syn::parse_quote! {
        /// What differs between this API and others, for the call layer.
        pub static TABLE: ::lastmile_core::call::Table = ::lastmile_core::call::Table {
            api: #api,
            title: #title,
            version: #version,
            errors: #errors,
            key_headers: &[#(#keys),*],
            operations: &[#(#rows),*],
        };

        /// The way to this API: see [`Handle::builder`](::lastmile_core::call::Handle::builder).
        pub type Handle = ::lastmile_core::call::Handle<Client>;

        impl ::lastmile_core::call::Api for Client {
            const TABLE: &'static ::lastmile_core::call::Table = &TABLE;

            fn connect(base: &str, http: reqwest::Client, context: ::lastmile_core::call::Context) -> Self {
                Self::new_with_client(base, http, context)
            }
        }

        impl ClientHooks<::lastmile_core::call::Context> for Client {
            async fn exec(&self, request: reqwest::Request, info: &OperationInfo) -> reqwest::Result<reqwest::Response> {
                ::lastmile_core::call::execute(self.inner(), request, info.operation_id).await
            }
        }
    };
    Ok(file.items)
}

fn row(document: &Document, operation: &Operation<'_>) -> Result<TokenStream, Fault> {
    let id = snake(operation.id);
    let method = operation.method.to_uppercase();
    let path = operation.path;
    let media_type = match document.facts.media_types.get(operation.id) {
        Some(media_type) => quote!(Some(#media_type)),
        None => quote!(None),
    };
    let repeat = match (operation.json["x-retry"].as_str(), operation.method) {
        (Some("read"), _) | (None, "get") => quote!(Read),
        (Some("idempotent"), _) | (None, "put" | "delete") => quote!(Idempotent),
        (Some("once"), _) | (None, _) => quote!(Once),
        (Some(other), _) => return Err(Fault::at(operation.id, format!("x-retry has no value `{other}`"))),
    };
    let answer = match operation.json["responses"]["2XX"].get("content") {
        Some(_) => quote!(Json),
        None => quote!(Nothing),
    };
    Ok(quote! {
        ::lastmile_core::call::Operation {
            id: #id,
            method: #method,
            path: #path,
            repeat: ::lastmile_core::call::Repeat::#repeat,
            media_type: #media_type,
            answer: ::lastmile_core::call::Answer::#answer,
        }
    })
}

fn error_shape(json: &Value) -> TokenStream {
    let at = |key: &str| json[key].as_str().unwrap_or_default().to_owned();
    let (message, id, fields) = (at("message"), at("id"), at("fields"));
    let (field_code, field_message) = (at("field-code"), at("field-message"));
    quote! {
        ::lastmile_core::call::ErrorShape {
            message: #message,
            id: #id,
            fields: #fields,
            field_code: #field_code,
            field_message: #field_message,
        }
    }
}

fn key_headers(schemes: &Value) -> Vec<TokenStream> {
    let schemes = schemes.as_object().into_iter().flatten();
    let keys = schemes.filter(|(_, scheme)| scheme["type"] == "apiKey" && scheme["in"] == "header");
    keys.filter_map(|(name, scheme)| scheme["name"].as_str().map(|header| quote!((#name, #header)))).collect()
}

fn methods(client: &syn::File) -> Vec<String> {
    let impls = client.items.iter().filter_map(|item| match item {
        syn::Item::Impl(item) => Some(&item.items),
        _ => None,
    });
    let functions = impls.flatten().filter_map(|item| match item {
        syn::ImplItem::Fn(function) => Some(function.sig.ident.to_string()),
        _ => None,
    });
    functions.collect()
}

/// The name of an operation's method: `createContact` becomes `create_contact`.
pub(crate) fn snake(id: &str) -> String {
    let mut name = String::new();
    for (at, c) in id.char_indices() {
        if c.is_ascii_uppercase() && at > 0 {
            name.push('_');
        }
        name.push(c.to_ascii_lowercase());
    }
    name
}
