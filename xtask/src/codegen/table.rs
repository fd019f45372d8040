//! The table and the operations of a client crate, and what hands each call to the core crate.

use proc_macro2::TokenStream;
use quote::{ToTokens as _, quote};
use serde_json::Value;

use super::document::{Document, ListShape, Operation};
use super::fault::Fault;

pub(crate) fn render(document: &Document, client: &syn::File) -> Result<syn::File, Fault> {
    let mut operations: Vec<Operation<'_>> = document.operations().collect();
    operations.sort_by_key(|operation| snake(operation.id));
    let methods = methods(client);
    let rows = operations
        .iter()
        .map(|operation| {
            let id = snake(operation.id);
            let method = methods.iter().find(|method| method.sig.ident == id);
            let method =
                method.ok_or_else(|| Fault::at(operation.id, format!("the client has no method `{id}`")))?;
            row(document, operation, method)
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
        //! The operations of the API, each by the name of the client's method.

        #[allow(unused_imports)]
        use ::lastmile_core::operation::{Answer, ErrorShape, ListShape, Operation, Repeat, Table, TokenFlow};
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

        #(#rows)*
    };
    Ok(file)
}

fn row(
    document: &Document,
    operation: &Operation<'_>,
    function: &syn::ImplItemFn,
) -> Result<TokenStream, Fault> {
    let id = snake(operation.id);
    let verb = operation.method.to_uppercase();
    let method = quote::format_ident!("{verb}");
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
    let content = &operation.json["responses"]["2XX"]["content"];
    let (answer, sends) =
        if content.is_null() { (quote!(Nothing), "send_empty") } else { (quote!(Json), "send") };
    // progenitor has its own mind about answers in other media types.
    if !function.block.to_token_stream().to_string().contains(&format!(". {sends} ()")) {
        return Err(Fault::at(operation.id, format!("its method does not `{sends}`")));
    }
    let list = match document.facts.lists.get(operation.id) {
        None => quote!(None),
        Some(ListShape { identity, is_paged }) => {
            let identity = identity.as_ref().map_or(quote!(None), |name| quote!(Some(#name)));
            quote!(Some(ListShape { identity: #identity, is_paged: #is_paged }))
        }
    };
    let conditional = document.facts.conditional.contains(operation.id);
    let authorized = operation.json["security"].as_array().is_none_or(|schemes| !schemes.is_empty());
    let lower_case = operation.json["x-lower-case"] == true;
    let interval = match operation.json.get("x-interval").map(Value::as_u64) {
        None => quote!(None),
        Some(Some(seconds)) => quote!(Some(Duration::from_secs(#seconds))),
        Some(None) => return Err(Fault::at(operation.id, "x-interval is no number of seconds")),
    };
    let name = constant(&id);
    let doc = format!("`{verb} {path}`: [`{id}`](super::Client::{id}).");
    Ok(quote! {
        #[doc = #doc]
        pub static #name: Operation = Operation {
            id: #id,
            method: Method::#method,
            path: #path,
            repeat: Repeat::#repeat,
            media_type: #media_type,
            answer: Answer::#answer,
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

fn methods(client: &syn::File) -> Vec<&syn::ImplItemFn> {
    let impls = client.items.iter().filter_map(|item| match item {
        syn::Item::Impl(item) => Some(&item.items),
        _ => None,
    });
    let functions = impls.flatten().filter_map(|item| match item {
        syn::ImplItem::Fn(function) => Some(function),
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
