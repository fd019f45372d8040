//! The table and the operations of a client crate, and what hands each call to the core crate.

use proc_macro2::TokenStream;
use quote::quote;
use serde_json::Value;

use super::client_passes;
use super::document::{Document, ListShape, Operation};
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
            row(document, operation, client)
        })
        .collect::<Result<Vec<_>, _>>()?;

    let api = &document.api;
    let title = document.json["info"]["title"].as_str();
    let version = document.json["info"]["version"].as_str();
    let errors = error_shape(&document.json["x-error"]);
    let schemes = &document.json["components"]["securitySchemes"];
    let keys = key_headers(schemes);
    let tokens = token_flows(document, schemes)?;
    let file: syn::File = syn::parse_quote! {
        /// What differs between this API and others, for the call layer.
        pub static TABLE: ::lastmile_core::call::Table = ::lastmile_core::call::Table {
            api: #api,
            title: #title,
            version: #version,
            errors: #errors,
            key_headers: &[#(#keys),*],
            tokens: &[#(#tokens),*],
        };

        /// The operations, each by the name of the client's method. A method gives its own to the call layer.
        pub mod operations {
            #(#rows)*
        }

        /// The way to this API: see [`Handle::builder`](::lastmile_core::call::Handle::builder).
        pub type Handle = ::lastmile_core::call::Handle<Client>;

        impl ::lastmile_core::call::Api for Client {
            const TABLE: &'static ::lastmile_core::call::Table = &TABLE;

            fn connect(context: ::lastmile_core::call::Context) -> Self {
                Self { context }
            }
        }
    };
    Ok(file.items)
}

fn row(document: &Document, operation: &Operation<'_>, client: &syn::File) -> Result<TokenStream, Fault> {
    let id = snake(operation.id);
    let method = operation.method.to_uppercase();
    // A stream's twin has one slash more.
    let path =
        operation.path.strip_prefix('/').filter(|path| path.starts_with('/')).unwrap_or(operation.path);
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
    let content = &operation.json["responses"]["2XX"]["content"];
    let (answer, reader) = match (content.get("application/octet-stream"), content.is_null()) {
        (Some(_), _) => (quote!(Stream), "stream"),
        (None, true) => (quote!(Nothing), "nothing"),
        (None, false) => (quote!(Json), "json"),
    };
    // progenitor has its own mind about answers in other media types.
    if !client_passes::reads(client, &id, reader) {
        return Err(Fault::at(operation.id, format!("its method does not read its answer as `{reader}`")));
    }
    let list = match document.facts.lists.get(operation.id.trim_end_matches("Stream")) {
        None => quote!(None),
        Some(ListShape { identity, is_paged }) => {
            let identity = identity.as_ref().map_or(quote!(None), |name| quote!(Some(#name)));
            quote!(Some(::lastmile_core::call::ListShape { identity: #identity, is_paged: #is_paged }))
        }
    };
    let conditional = document.facts.conditional.contains(operation.id.trim_end_matches("Stream"));
    let authorized = operation.json["security"].as_array().is_none_or(|schemes| !schemes.is_empty());
    let lower_case = operation.json["x-lower-case"] == true;
    let interval = match operation.json.get("x-interval").map(Value::as_u64) {
        None => quote!(None),
        Some(Some(seconds)) => quote!(Some(::std::time::Duration::from_secs(#seconds))),
        Some(None) => return Err(Fault::at(operation.id, "x-interval is no number of seconds")),
    };
    let name = constant(&id);
    let doc = format!("`{method} {path}`: [`{id}`](super::Client::{id}).");
    Ok(quote! {
        #[doc = #doc]
        pub static #name: ::lastmile_core::call::Operation = ::lastmile_core::call::Operation {
            id: #id,
            method: #method,
            path: #path,
            repeat: ::lastmile_core::call::Repeat::#repeat,
            media_type: #media_type,
            answer: ::lastmile_core::call::Answer::#answer,
            list: #list,
            conditional: #conditional,
            authorized: #authorized,
            lower_case: #lower_case,
            interval: #interval,
        };
    })
}

/// The name of an operation's constant, by that of its method.
pub(super) fn constant(method: &str) -> syn::Ident {
    quote::format_ident!("{}", method.to_uppercase())
}

fn error_shape(json: &Value) -> TokenStream {
    let at = |key: &str| json[key].as_str().unwrap_or_default().to_owned();
    let (message, id, fields) = (at("message"), at("id"), at("fields"));
    let (field_name, field_code, field_message) = (at("field-name"), at("field-code"), at("field-message"));
    quote! {
        ::lastmile_core::call::ErrorShape {
            message: #message,
            id: #id,
            fields: #fields,
            field_name: #field_name,
            field_code: #field_code,
            field_message: #field_message,
        }
    }
}

fn key_headers(schemes: &Value) -> Vec<TokenStream> {
    let schemes = schemes.as_object().into_iter().flatten();
    let keys = schemes.filter(|(_, scheme)| scheme["type"] == "apiKey" && scheme.get("x-token").is_none());
    keys.filter_map(|(name, scheme)| scheme["name"].as_str().map(|header| quote!((#name, #header)))).collect()
}

/// How tokens are obtained and renewed, by the `x-token` of security schemes.
fn token_flows(document: &Document, schemes: &Value) -> Result<Vec<TokenStream>, Fault> {
    let schemes = schemes.as_object().into_iter().flatten();
    let flows = schemes.filter_map(|(name, scheme)| Some((name, scheme.get("x-token")?)));
    let flows = flows.map(|(name, flow)| {
        let path = |key: &str| {
            let id = flow[key].as_str().unwrap_or_default();
            let found =
                document.operations().find(|operation| operation.id == id).map(|operation| operation.path);
            found.ok_or_else(|| Fault::at(name, format!("x-token: `{key}` names no operation")))
        };
        let text = |key: &str| {
            let text = flow[key].as_str().map(str::to_owned);
            text.ok_or_else(|| Fault::at(name, format!("x-token: `{key}` is missing")))
        };
        let (obtain, renew) = (path("obtain")?, path("renew")?);
        let (prefix, token, renewal, renewal_field) =
            (text("prefix")?, text("token")?, text("renewal")?, text("renewal-field")?);
        let lifetime =
            flow["lifetime"].as_u64().ok_or_else(|| Fault::at(name, "x-token: `lifetime` is missing"))?;
        Ok(quote! {
            ::lastmile_core::call::TokenFlow {
                scheme: #name,
                prefix: #prefix,
                obtain: #obtain,
                renew: #renew,
                token: #token,
                renewal: #renewal,
                renewal_field: #renewal_field,
                lifetime: ::std::time::Duration::from_secs(#lifetime),
            }
        })
    });
    flows.collect()
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
