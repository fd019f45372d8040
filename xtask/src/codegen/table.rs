//! The operation table of a client crate.

use proc_macro2::TokenStream;
use quote::{ToTokens as _, quote};
use serde_json::Value;

use super::document::{Document, ListShape, Operation};
use super::error::PassError;
use super::{output, snake};

pub(crate) fn render(document: &Document, client: &syn::File) -> Result<String, PassError> {
    let mut operations: Vec<Operation<'_>> = document.operations().collect();
    operations.sort_by_key(|operation| snake(operation.id));
    let api = &document.api;
    let title = document.json["info"]["title"].as_str();
    let version = document.json["info"]["version"].as_str();
    let errors = error_shape(&document.json["x-error"]);
    let schemes = &document.json["components"]["securitySchemes"];
    let keys = key_headers(schemes);
    let tokens = token_flows(document, schemes)?;
    let head: syn::File = syn::parse_quote! {
        //! The operations of the API, each by the name of the client's method.

        #[allow(unused_imports)]
        use ::lastmile_core::operation::{ErrorShape, Operation, Table, TokenFlow};
        use ::lastmile_core::reqwest::Method;
        #[allow(unused_imports)]
        use ::std::time::Duration;

        /// What differs between this API and others.
        pub static TABLE: Table = Table {
            api: #api,
            title: #title,
            version: #version,
            errors: #errors,
            key_headers: &[#(#keys),*],
            tokens: &[#(#tokens),*],
        };
    };
    let mut source = output::format(&head);
    for operation in &operations {
        source.push_str(&row(document, operation, client)?);
    }
    Ok(source)
}

/// The static of one operation.
fn row(document: &Document, operation: &Operation<'_>, client: &syn::File) -> Result<String, PassError> {
    let error = |message: String| PassError::at(operation.id, message);
    let id = snake(operation.id);
    let (verb, path, json) = (operation.method.to_uppercase(), operation.path, operation.json);
    let repeat = match (json["x-retry"].as_str(), operation.method) {
        (Some(repeat @ ("read" | "idempotent" | "once")), _) => repeat,
        (Some(other), _) => return Err(error(format!("x-retry has no value `{other}`"))),
        (None, "get") => "read",
        (None, "put" | "delete") => "idempotent",
        (None, _) => "once",
    };
    let mut options = String::new();
    let mut option = |is_set: bool, call: &str| {
        if is_set {
            options.push_str(call);
        }
    };
    let media_type = document.facts.media_types.get(operation.id);
    option(media_type.is_some(), &format!(".media_type({:?})", media_type.map_or("", |text| text)));
    let is_empty = json["responses"]["2XX"]["content"].is_null();
    option(is_empty, ".no_content()");
    if let Some(ListShape { identity, is_paged }) = document.facts.lists.get(operation.id) {
        option(true, &format!(".{}({identity:?})", if *is_paged { "paged_list" } else { "list" }));
    }
    let is_authorized = json["security"].as_array().is_none_or(|schemes| !schemes.is_empty());
    option(!is_authorized, ".without_token()");
    option(json["x-lower-case"] == true, ".lower_case()");
    option(document.facts.conditional.contains(operation.id), ".conditional()");
    if let Some(interval) = json.get("x-interval") {
        let seconds =
            interval.as_u64().ok_or_else(|| error("x-interval is no number of seconds".to_owned()))?;
        option(true, &format!(".interval(Duration::from_secs({seconds}))"));
    }

    let method = methods(client).find(|method| method.sig.ident == id);
    let method = method.ok_or_else(|| error(format!("the client has no method `{id}`")))?;
    let send = if is_empty { "send_empty" } else { "send" };
    // progenitor may read a response of another media type in its own way.
    if !method.block.to_token_stream().to_string().contains(&format!(". {send} ()")) {
        return Err(error(format!("its method does not `{send}`")));
    }
    let name = constant(&id);
    Ok(format!(
        "\n/// `{verb} {path}`: [`{id}`](super::Client::{id}).\n\
         pub static {name}: Operation = Operation::{repeat}({id:?}, Method::{verb}, {path:?}){options};\n"
    ))
}

/// The name of an operation's static, by that of its method.
pub(super) fn constant(method: &str) -> syn::Ident {
    quote::format_ident!("{}", method.to_uppercase())
}

fn error_shape(json: &Value) -> TokenStream {
    let at = |key: &str| json[key].as_str().unwrap_or_default().to_owned();
    let (message, id, fields) = (at("message"), at("id"), at("fields"));
    let (field_name, field_code, field_message) = (at("field-name"), at("field-code"), at("field-message"));
    quote! {
        ErrorShape {
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
fn token_flows(document: &Document, schemes: &Value) -> Result<Vec<TokenStream>, PassError> {
    let schemes = schemes.as_object().into_iter().flatten();
    let flows = schemes.filter_map(|(name, scheme)| Some((name, scheme.get("x-token")?)));
    let flows = flows.map(|(name, flow)| {
        let missing = |key: &str| PassError::at(name, format!("x-token: `{key}` is missing"));
        let text = |key: &str| flow[key].as_str().ok_or_else(|| missing(key));
        let path = |key: &str| {
            let id = text(key)?;
            let operation = document.operations().find(|operation| operation.id == id);
            let operation = operation
                .ok_or_else(|| PassError::at(name, format!("x-token: `{key}` names no operation")))?;
            Ok::<_, PassError>(operation.path)
        };
        let (obtain, renew) = (path("obtain")?, path("renew")?);
        let (prefix, token) = (text("prefix")?, text("token")?);
        let (renewal, renewal_field) = (text("renewal")?, text("renewal-field")?);
        let lifetime = flow["lifetime"].as_u64().ok_or_else(|| missing("lifetime"))?;
        Ok(quote! {
            TokenFlow {
                scheme: #name,
                prefix: #prefix,
                obtain: #obtain,
                renew: #renew,
                token: #token,
                renewal: #renewal,
                renewal_field: #renewal_field,
                lifetime: Duration::from_secs(#lifetime),
            }
        })
    });
    flows.collect()
}

fn methods(client: &syn::File) -> impl Iterator<Item = &syn::ImplItemFn> {
    let impls = client.items.iter().filter_map(|item| match item {
        syn::Item::Impl(item) => Some(&item.items),
        _ => None,
    });
    impls.flatten().filter_map(|item| match item {
        syn::ImplItem::Fn(function) => Some(function),
        _ => None,
    })
}
