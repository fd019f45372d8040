//! What is changed in the generated client: how a method takes its parameters, and how it makes its call.

use quote::{ToTokens, format_ident, quote};
use syn::punctuated::Punctuated;
use syn::visit::{self, Visit};
use syn::visit_mut::{self, VisitMut};
use syn::{Expr, Field, Ident, ImplItemFn, Item, Token, Type, parse_quote};

use super::document::Facts;
use super::error::PassError;
use super::rust_passes::{inside, type_name, types};
use super::{params_name, table};

/// The methods of the client.
fn methods(file: &mut syn::File) -> impl Iterator<Item = &mut ImplItemFn> {
    let items = file.items.iter_mut().filter_map(|item| match item {
        Item::Impl(item) if item.trait_.is_none() && type_name(&item.self_ty) == "Client" => Some(item),
        _ => None,
    });
    items.flat_map(|item| &mut item.items).filter_map(|item| match item {
        syn::ImplItem::Fn(function) if function.sig.asyncness.is_some() => Some(function),
        _ => None,
    })
}

/// Gathers the optional parameters of each method in a struct with defaults.
pub(super) fn query_params(file: &mut syn::File, _: &Facts) -> Result<usize, PassError> {
    let structs: Vec<Item> = methods(file).filter_map(gather).collect();
    let count = structs.len();
    types(file)?.extend(structs);
    Ok(count)
}

fn gather(function: &mut ImplItemFn) -> Option<Item> {
    let mut fields: Vec<Field> = Vec::new();
    for argument in std::mem::take(&mut function.sig.inputs) {
        if let syn::FnArg::Typed(typed) = &argument
            && let syn::Pat::Ident(name) = &*typed.pat
            && let Some(inner) = inside(&typed.ty, "Option")
        {
            let (name, ty) = (&name.ident, owned(inner));
            let doc = argument_doc(&function.attrs, &name.to_string());
            fields.push(parse_quote!(#[doc = #doc] pub #name: Option<#ty>));
        } else {
            function.sig.inputs.push(argument);
        }
    }
    if fields.is_empty() {
        return None;
    }
    let method = function.sig.ident.to_string();
    let name = format_ident!("{}", params_name(&method));
    function.sig.inputs.push(parse_quote!(params: &types::#name));
    let doc = format!("The optional parameters of [`{method}`](super::Client::{method}).");
    Some(parse_quote! {
        #[doc = #doc]
        pub struct #name {
            #(#fields,)*
        }
    })
}

/// The type of a field for an argument: without a borrow, and seen from within the module `types`.
fn owned(ty: &Type) -> Type {
    match ty {
        Type::Reference(reference) if type_name(&reference.elem) == "str" => {
            parse_quote!(String)
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

/// Makes each method one call of the transport, with the parameters that progenitor's request has.
pub(super) fn delegate_send(file: &mut syn::File, facts: &Facts) -> Result<usize, PassError> {
    let mut count = 0;
    for item in &mut file.items {
        let Item::Impl(item) = item else { continue };
        let mut twins = Vec::new();
        for item in &mut item.items {
            let syn::ImplItem::Fn(function) = item else { continue };
            if function.sig.asyncness.is_none() {
                continue;
            }
            let method = function.sig.ident.to_string();
            twins.extend(delegate(function, facts.streams.contains(&method))?);
            count += 1;
        }
        item.items.extend(twins.into_iter().map(syn::ImplItem::Fn));
    }
    Ok(count)
}

/// Rewrites one method. Returns its twin that reads the list row by row, where it has one.
fn delegate(function: &mut ImplItemFn, has_rows: bool) -> Result<Option<ImplItemFn>, PassError> {
    let method = function.sig.ident.clone();
    let fault = |what: &str| PassError::at(method.to_string(), what);
    let mut request = Request::default();
    request.visit_block(&function.block);
    if let Some(unknown) = request.unknown {
        return Err(fault(&format!("its request has `{unknown}`, which the call layer does not send")));
    }
    let answer = match &function.sig.output {
        syn::ReturnType::Type(_, ty) => inside(ty, "Result").and_then(|ty| inside(ty, "ResponseValue")),
        syn::ReturnType::Default => None,
    };
    let answer = answer.cloned().ok_or_else(|| fault("it does not return a response"))?;
    WithoutLifetimes.visit_signature_mut(&mut function.sig);

    let is_argument = |name: &Ident| function.sig.inputs.iter().any(|argument| is_named(argument, name));
    let value = |name: &Ident| if is_argument(name) { quote!(&#name) } else { quote!(&params.#name) };
    let operation = table::constant(&method.to_string());
    let path = &request.path;
    let query = request.query.iter().map(|(name, of)| {
        let value = value(of);
        quote!(.query(#name, #value))
    });
    let headers = request.headers.iter().map(|(name, of)| match is_argument(of) {
        true => quote!(.header(#name, Some(#of))),
        false => quote!(.header(#name, params.#of.as_deref())),
    });
    let body = request.has_body.then(|| quote!(.json(body)));
    let call: Expr = parse_quote! {
        self.transport.call(&operations::#operation, &[#(#path),*]) #(#query)* #(#headers)* #body
    };

    let twin = match has_rows {
        true => {
            let row = inside(&answer, "OneOrMany").and_then(|ty| inside(ty, "Loose"));
            let row = row.ok_or_else(|| fault("its rows are marked as a stream, and it returns no list"))?;
            let mut twin = function.clone();
            twin.sig.ident = format_ident!("{method}_rows");
            twin.sig.output = parse_quote!(-> Result<Rows<#row>, Error>);
            let doc = format!(
                "Does the same as [`{method}`](Self::{method}), and reads the list row by row as it arrives."
            );
            twin.attrs = vec![parse_quote!(#[doc = #doc])];
            twin.block = parse_quote!({ #call.rows().await });
            Some(twin)
        }
        false => None,
    };
    let send = if is_unit(&answer) { quote!(send_empty) } else { quote!(send) };
    function.sig.output = parse_quote!(-> Result<Reply<#answer>, Error>);
    function.block = parse_quote!({ #call.#send().await });
    Ok(twin)
}

fn is_unit(ty: &Type) -> bool {
    matches!(ty, Type::Tuple(tuple) if tuple.elems.is_empty())
}

fn is_named(argument: &syn::FnArg, name: &Ident) -> bool {
    matches!(argument, syn::FnArg::Typed(typed) if matches!(&*typed.pat, syn::Pat::Ident(found) if found.ident == *name))
}

/// What progenitor puts in the request of a method. Parameters are named by the variables that hold them.
#[derive(Default)]
struct Request {
    path: Vec<Ident>,
    query: Vec<(String, Ident)>,
    headers: Vec<(String, Ident)>,
    has_body: bool,
    /// A part of the request that this pass does not know.
    unknown: Option<String>,
}

impl<'ast> Visit<'ast> for Request {
    fn visit_macro(&mut self, found: &'ast syn::Macro) {
        // syn leaves the arguments of `format!` as they are.
        if let Ok(arguments) = found.parse_body_with(Punctuated::<Expr, Token![,]>::parse_terminated) {
            arguments.iter().for_each(|argument| self.visit_expr(argument));
        }
    }

    fn visit_expr_call(&mut self, call: &'ast syn::ExprCall) {
        match call.func.to_token_stream().to_string().as_str() {
            "encode_path" => self.path.extend(call.args.first().and_then(variable)),
            "progenitor_client :: QueryParam :: new" => {
                let mut arguments = call.args.iter();
                let pair = arguments.next().and_then(text).zip(arguments.next().and_then(variable));
                self.query.extend(pair);
            }
            _ => visit::visit_expr_call(self, call),
        }
    }

    fn visit_expr_if(&mut self, optional: &'ast syn::ExprIf) {
        // `if let Some(value) = parameter { header_map.append("Name", …) }`
        if let Expr::Let(condition) = &*optional.cond
            && let Some(parameter) = variable(&condition.expr)
            && let Some(syn::Stmt::Expr(Expr::MethodCall(call), _)) = optional.then_branch.stmts.first()
            && let Some(name) = call.args.first().and_then(text)
        {
            self.headers.push((name, parameter));
            return;
        }
        self.unknown = Some(optional.to_token_stream().to_string());
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        match call.method.to_string().as_str() {
            "json" => self.has_body = true,
            "form" | "form_urlencoded" | "body" | "multipart" => self.unknown = Some(call.method.to_string()),
            // Its arguments name the header that tells the version of the document, which suppliers do not know.
            "append" if !call.to_token_stream().to_string().contains("api-version") => {
                let mut arguments = call.args.iter();
                match arguments.next().and_then(text).zip(arguments.next().and_then(variable)) {
                    Some(header) => self.headers.push(header),
                    None => self.unknown = Some(call.to_token_stream().to_string()),
                }
                return;
            }
            _ => {}
        }
        visit::visit_expr_method_call(self, call);
    }
}

/// The variable at the bottom of `&id.to_string()`.
fn variable(expr: &Expr) -> Option<Ident> {
    match expr {
        Expr::Reference(reference) => variable(&reference.expr),
        Expr::MethodCall(call) => variable(&call.receiver),
        Expr::Try(expr) => variable(&expr.expr),
        Expr::Path(path) => path.path.get_ident().cloned(),
        _ => None,
    }
}

fn text(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) => Some(text.value()),
        _ => None,
    }
}

/// Leaves lifetimes to the compiler.
struct WithoutLifetimes;

impl VisitMut for WithoutLifetimes {
    fn visit_signature_mut(&mut self, signature: &mut syn::Signature) {
        signature.generics = syn::Generics::default();
        visit_mut::visit_signature_mut(self, signature);
    }

    fn visit_receiver_mut(&mut self, receiver: &mut syn::Receiver) {
        *receiver = parse_quote!(&self);
    }

    fn visit_type_reference_mut(&mut self, reference: &mut syn::TypeReference) {
        reference.lifetime = None;
        visit_mut::visit_type_reference_mut(self, reference);
    }
}

/// Replaces the struct and its constructors by the client of the core crate.
pub(super) fn seal_client(file: &mut syn::File, _: &Facts) -> Result<usize, PassError> {
    let has_methods = |item: &syn::ItemImpl| {
        item.items
            .iter()
            .any(|item| matches!(item, syn::ImplItem::Fn(function) if function.sig.asyncness.is_some()))
    };
    file.items.retain(|item| match item {
        Item::Impl(item) => item.trait_.is_none() && has_methods(item),
        Item::Use(_) => false,
        Item::Mod(item) => item.ident == "types",
        _ => true,
    });
    let mut count = 0;
    for item in &mut file.items {
        match item {
            Item::Struct(client) if client.ident == "Client" => {
                let docs = client.attrs.iter().filter(|attr| attr.path().is_ident("doc"));
                *item = parse_quote!(::lastmile_core::client!(#(#docs)* Client, super::operations::TABLE););
                count += 1;
            }
            _ => {}
        }
    }
    Ok(count)
}
