//! What is changed in the generated client: how a method asks for its parameters, and what it does with its request.

use quote::ToTokens;
use syn::punctuated::Punctuated;
use syn::visit_mut::{self, VisitMut};
use syn::{Expr, Field, Item, Stmt, Token, Type, parse_quote};

use super::document::Facts;
use super::fault::Fault;
use super::rust_passes::{in_option, type_name, types};
use super::table;

/// The methods of the client.
fn methods(file: &mut syn::File) -> impl Iterator<Item = &mut syn::ImplItemFn> {
    let blocks = file.items.iter_mut().filter_map(|item| match item {
        Item::Impl(item) if item.trait_.is_none() && type_name(&item.self_ty) == "Client" => Some(item),
        _ => None,
    });
    blocks.flat_map(|block| &mut block.items).filter_map(|item| match item {
        syn::ImplItem::Fn(function) => Some(function),
        _ => None,
    })
}

/// Gathers the optional parameters of each method in a struct with defaults.
pub(super) fn query_params(file: &mut syn::File, facts: &Facts) -> Result<usize, Fault> {
    let structs: Vec<Item> = methods(file).filter_map(|function| gather(function, facts)).collect();
    let count = structs.len();
    types(file)?.extend(structs);
    Ok(count)
}

/// Takes the header out that tells the version of the document.
pub(super) fn no_version(file: &mut syn::File, _: &Facts) -> Result<usize, Fault> {
    let mut count = 0;
    for function in methods(file) {
        let stmts = &mut function.block.stmts;
        let before = stmts.len();
        stmts.retain(|stmt| !stmt.to_token_stream().to_string().contains("\"api-version\""));
        if stmts.len() == before {
            continue;
        }
        count += 1;
        let mentions = |stmt: &Stmt| stmt.to_token_stream().to_string().contains("header_map");
        // Where it is made and where it is sent, and nothing between: it is empty.
        if stmts.iter().filter(|stmt| mentions(stmt)).count() == 2 {
            stmts.retain(|stmt| !stmt.to_token_stream().to_string().starts_with("let mut header_map"));
            WithoutHeaders.visit_block_mut(&mut function.block);
        }
    }
    Ok(count)
}

/// Takes `.headers(header_map)` out of a request.
struct WithoutHeaders;

impl VisitMut for WithoutHeaders {
    fn visit_expr_mut(&mut self, expr: &mut Expr) {
        visit_mut::visit_expr_mut(self, expr);
        if let Expr::MethodCall(call) = expr
            && call.method == "headers"
            && call.args.to_token_stream().to_string() == "header_map"
        {
            *expr = (*call.receiver).clone();
        }
    }
}

fn gather(function: &mut syn::ImplItemFn, facts: &Facts) -> Option<Item> {
    let mut names = Vec::new();
    let mut fields: Vec<Field> = Vec::new();
    let arguments = std::mem::take(&mut function.sig.inputs);
    for argument in arguments {
        if let syn::FnArg::Typed(typed) = &argument
            && let syn::Pat::Ident(name) = &*typed.pat
            && let Some(inner) = in_option(&typed.ty)
        {
            let name = name.ident.clone();
            let ty = owned(inner);
            let doc = argument_doc(&function.attrs, &name.to_string());
            fields.push(parse_quote!(#[doc = #doc] pub #name: ::std::option::Option<#ty>));
            names.push(name);
        } else {
            function.sig.inputs.push(argument);
        }
    }
    if names.is_empty() {
        return None;
    }
    let method = function.sig.ident.to_string();
    // A stream's parameters are those of its list.
    let list = method.strip_suffix("_stream").filter(|list| facts.streams.contains(*list));
    let name = quote::format_ident!("{}Params", pascal(list.unwrap_or(&method)));
    function.sig.inputs.push(parse_quote!(params: &'a types::#name));
    function
        .block
        .stmts
        .splice(0..0, names.iter().map(|name| parse_quote!(let #name = params.#name.as_ref();)));
    if list.is_some() {
        return None;
    }
    let doc = format!("The optional parameters of [`{method}`](super::Client::{method}).");
    Some(parse_quote! {
        #[doc = #doc]
        #[derive(Clone, Debug, Default)]
        pub struct #name {
            #(#fields,)*
        }
    })
}

/// The type of a field for an argument: without a borrow, and seen from within the module `types`.
fn owned(ty: &Type) -> Type {
    match ty {
        Type::Reference(reference) if type_name(&reference.elem) == "str" => {
            parse_quote!(::std::string::String)
        }
        Type::Reference(reference) => owned(&reference.elem),
        Type::Path(path) if path.path.segments.first().is_some_and(|first| first.ident == "types") => {
            let segments = path.path.segments.iter().skip(1);
            parse_quote!(#(#segments)::*)
        }
        other => other.clone(),
    }
}

/// What the method's documentation says of an argument.
fn argument_doc(attrs: &[syn::Attribute], name: &str) -> String {
    let docs = attrs.iter().filter_map(|attr| match &attr.meta {
        syn::Meta::NameValue(meta) if meta.path.is_ident("doc") => {
            Some(meta.value.to_token_stream().to_string())
        }
        _ => None,
    });
    let text = docs.collect::<String>().replace("\\n", "\n");
    let line = text.lines().find_map(|line| line.trim().strip_prefix(&format!("- `{name}`: ")));
    line.unwrap_or("See the method.").trim_end_matches('"').to_owned()
}

fn pascal(snake: &str) -> String {
    snake.split('_').map(|word| format!("{}{}", word[..1].to_uppercase(), &word[1..])).collect()
}

/// Writes each parameter into its place of the address by itself.
pub(super) fn segments(file: &mut syn::File, _: &Facts) -> Result<usize, Fault> {
    let mut encoded = Encoded(0);
    for function in methods(file) {
        encoded.visit_block_mut(&mut function.block);
    }
    Ok(encoded.0)
}

/// Visits what stands in a macro such as `format!`, which syn leaves as it is.
fn visit_arguments(visitor: &mut impl VisitMut, found: &mut syn::Macro) {
    if let Ok(mut arguments) = found.parse_body_with(Punctuated::<Expr, Token![,]>::parse_terminated) {
        arguments.iter_mut().for_each(|argument| visitor.visit_expr_mut(argument));
        found.tokens = arguments.to_token_stream();
    }
}

/// Turns `encode_path(&id.to_string())` into `id.encoded()`, in `format!` too.
struct Encoded(usize);

impl VisitMut for Encoded {
    fn visit_macro_mut(&mut self, found: &mut syn::Macro) {
        visit_arguments(self, found);
    }

    fn visit_expr_mut(&mut self, expr: &mut Expr) {
        visit_mut::visit_expr_mut(self, expr);
        let Expr::Call(call) = &*expr else { return };
        if call.func.to_token_stream().to_string() != "encode_path" {
            return;
        }
        if let Some(Expr::Reference(text)) = call.args.first()
            && let Expr::MethodCall(text) = &*text.expr
        {
            let segment = &text.receiver;
            *expr = parse_quote!(#segment.encoded());
            self.0 += 1;
        }
    }
}

/// Ends each method where its request is made: the call sends it and reads the answer.
pub(super) fn hand_over(file: &mut syn::File, _: &Facts) -> Result<usize, Fault> {
    let mut count = 0;
    for function in methods(file) {
        let stmts = &mut function.block.stmts;
        let begins = |stmt: &Stmt, with: &str| stmt.to_token_stream().to_string().starts_with(with);
        let Some(at) = stmts.iter().position(|stmt| begins(stmt, "let info = OperationInfo")) else {
            continue;
        };
        let rest: String = stmts.drain(at..).map(|stmt| stmt.to_token_stream().to_string()).collect();
        let Some(Stmt::Local(request)) = stmts.last_mut() else {
            return Err(Fault::at(function.sig.ident.to_string(), "it makes no request"));
        };
        request.attrs.clear();
        request.pat = parse_quote!(request);
        let reads = |how: &str| rest.contains(&format!("ResponseValue :: {how}"));
        let read = match (reads("from_response"), reads("stream"), reads("empty")) {
            (true, false, false) => quote::format_ident!("json"),
            (false, true, false) => quote::format_ident!("stream"),
            (false, false, true) => quote::format_ident!("nothing"),
            _ => {
                let what = "it reads several kinds of answers, or none";
                return Err(Fault::at(function.sig.ident.to_string(), what));
            }
        };
        let operation = table::constant(&function.sig.ident.to_string());
        stmts
            .push(Stmt::Expr(parse_quote!(self.context.#read(request, &operations::#operation).await), None));
        count += 1;
    }
    Ok(count)
}

/// Whether a method ends so that its answer is read in this way.
pub(super) fn reads(file: &syn::File, method: &str, how: &str) -> bool {
    let items = file.items.iter().filter_map(|item| match item {
        Item::Impl(item) => Some(&item.items),
        _ => None,
    });
    let ends_so = |item: &syn::ImplItem| match item {
        syn::ImplItem::Fn(function) if function.sig.ident == method => {
            let end = function.block.stmts.last().map(|stmt| stmt.to_token_stream().to_string());
            end.is_some_and(|end| end.starts_with(&format!("self . context . {how} (")))
        }
        _ => false,
    };
    items.flatten().any(ends_so)
}

/// A client holds its call and no more. Only the call makes it.
pub(super) fn one_way_in(file: &mut syn::File, _: &Facts) -> Result<usize, Fault> {
    let has_methods = |item: &syn::ItemImpl| {
        item.items
            .iter()
            .any(|item| matches!(item, syn::ImplItem::Fn(function) if function.sig.asyncness.is_some()))
    };
    file.items.retain(|item| match item {
        Item::Impl(item) => item.trait_.is_none() && has_methods(item),
        // What brings in the names of hooks.
        Item::Use(item) => matches!(item.vis, syn::Visibility::Public(_)),
        _ => true,
    });
    let mut count = 0;
    for item in &mut file.items {
        match item {
            Item::Struct(item) if item.ident == "Client" => {
                item.fields = syn::Fields::Named(parse_quote!({ context: ::lastmile_core::call::Context }));
                count += 1;
            }
            Item::Use(item) => {
                *item = parse_quote!(
                    pub use progenitor_client::{ByteStream, Error, ResponseValue};
                )
            }
            _ => {}
        }
    }
    for function in methods(file) {
        OfTheCall.visit_block_mut(&mut function.block);
    }
    Ok(count)
}

/// Base address and HTTP client are those of the call.
struct OfTheCall;

impl VisitMut for OfTheCall {
    fn visit_macro_mut(&mut self, found: &mut syn::Macro) {
        visit_arguments(self, found);
    }

    fn visit_expr_mut(&mut self, expr: &mut Expr) {
        visit_mut::visit_expr_mut(self, expr);
        match expr.to_token_stream().to_string().as_str() {
            "self . baseurl" => *expr = parse_quote!(self.context.base()),
            "self . client" => *expr = parse_quote!(self.context.http()),
            _ => {}
        }
    }
}
