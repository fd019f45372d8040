//! The declarations in the sources of the crates, so that no test omits a type or an operation that is added later.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use syn::parse::{Parse, ParseStream};
use syn::{
    Attribute, GenericArgument, Ident, Item, ItemImpl, Lit, PathArguments, ReturnType, Token, Type,
    Visibility,
};

fn crates() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates")
}

fn parsed(path: &Path) -> Vec<Item> {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display())).items
}

/// Returns every source file below a folder.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let path = entry.expect("an entry").path();
        match path.extension() {
            _ if path.is_dir() => found.extend(files(&path)),
            Some(extension) if extension == "rs" => found.push(path),
            _ => {}
        }
    }
    found.sort();
    found
}

/// Returns the sources of a crate in `crates/`.
pub fn sources(folder: &str) -> Vec<PathBuf> {
    files(&crates().join(folder).join("src"))
}

/// Returns the names of the rules for strings.
pub fn text_rules() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for path in files(&crates().join("lastmile/src/rules")) {
        for item in parsed(&path) {
            if let Item::Macro(found) = item
                && found.mac.path.is_ident("text_rule")
            {
                let tokens = found.mac.tokens.to_string();
                names.extend(tokens.split(',').next().map(|name| name.trim().to_owned()));
            }
        }
    }
    names
}

/// Returns the public types of a hand-written crate that implement `Debug`, by their `std::any::type_name`.
pub fn shown_types(folder: &str, name: &str) -> BTreeSet<String> {
    let root = crates().join(folder).join("src");
    let mut found = BTreeSet::new();
    for path in files(&root) {
        let inside = path.strip_prefix(&root).expect("it is below").with_extension("");
        let parts = inside.iter().map(|part| part.to_str().expect("a plain name"));
        let modules = parts.filter(|part| !matches!(*part, "lib" | "mod" | "main"));
        let module = std::iter::once(name).chain(modules).collect::<Vec<_>>().join("::");
        shown(&parsed(&path), &module, &mut found);
    }
    found
}

fn shown(items: &[Item], module: &str, found: &mut BTreeSet<String>) {
    let by_hand: BTreeSet<String> = items
        .iter()
        .filter_map(|item| match item {
            Item::Impl(item) => debug_of(item),
            _ => None,
        })
        .collect();
    for item in items {
        let (visibility, name, attributes) = match item {
            Item::Struct(item) => (&item.vis, &item.ident, &item.attrs),
            Item::Enum(item) => (&item.vis, &item.ident, &item.attrs),
            Item::Mod(item) => {
                if let (Visibility::Public(_), Some((_, items))) = (&item.vis, &item.content) {
                    shown(items, &format!("{module}::{}", item.ident), found);
                }
                continue;
            }
            _ => continue,
        };
        let name = name.to_string();
        let has_debug = by_hand.contains(&name) || derives(attributes, "Debug");
        if matches!(visibility, Visibility::Public(_)) && has_debug {
            found.insert(format!("{module}::{name}"));
        }
    }
}

/// Returns the type to which this item gives a `Debug`.
fn debug_of(item: &ItemImpl) -> Option<String> {
    let implemented = item.trait_.as_ref()?.0.segments.last()?;
    (implemented.ident == "Debug").then(|| called(&item.self_ty).split('<').next().map(str::to_owned))?
}

fn derives(attributes: &[Attribute], name: &str) -> bool {
    attributes.iter().filter(|attribute| attribute.path().is_ident("derive")).any(|attribute| {
        let mut found = false;
        let each = attribute.parse_nested_meta(|meta| {
            found |= meta.path.segments.last().is_some_and(|last| last.ident == name);
            Ok(())
        });
        each.is_ok() && found
    })
}

/// Returns the type's name without its path: `OneOrMany<Lenient<Order>>`.
fn called(ty: &Type) -> String {
    let Type::Path(path) = ty else { return "()".to_owned() };
    let last = path.path.segments.last().expect("a path has an end");
    let mut name = last.ident.to_string();
    if let PathArguments::AngleBracketed(arguments) = &last.arguments {
        let inner = arguments.args.iter().filter_map(|argument| match argument {
            GenericArgument::Type(ty) => Some(called(ty)),
            _ => None,
        });
        name = format!("{name}<{}>", inner.collect::<Vec<_>>().join(", "));
    }
    name
}

/// The declarations of a generated client.
pub struct Generated {
    /// The structs of its types, with their fields.
    pub structs: BTreeMap<String, Vec<String>>,
    /// The enums that accept any string.
    pub open_enums: BTreeSet<String>,
    /// The response type of each method.
    pub answers: BTreeMap<String, String>,
}

/// Reads the source of a generated client.
pub fn generated(api: &str) -> Generated {
    let folder = crates().join(format!("{api}-client/src/generated"));
    let mut read =
        Generated { structs: BTreeMap::new(), open_enums: BTreeSet::new(), answers: BTreeMap::new() };
    parsed(&folder.join("types.rs")).iter().for_each(|item| read.take_type(item));
    for item in &parsed(&folder.join("client.rs")) {
        match item {
            Item::Impl(item) if item.trait_.is_none() && called(&item.self_ty) == "Client" => {
                item.items.iter().for_each(|item| read.take_method(item));
            }
            _ => {}
        }
    }
    assert!(!read.structs.is_empty() && !read.open_enums.is_empty() && !read.answers.is_empty(), "{api}");
    read
}

impl Generated {
    fn take_type(&mut self, item: &Item) {
        let Item::Macro(item) = item else { return };
        let Defined { name, fields } = item.mac.parse_body().expect("the definition of a type");
        match item.mac.path.require_ident().expect("an imported macro").to_string().as_str() {
            "open_enum" => drop(self.open_enums.insert(name)),
            "closed_enum" => {}
            // The macro adds the field for unlisted fields.
            "response_object" => {
                let fields = fields.into_iter().chain(["extra".to_owned()]);
                self.structs.insert(name, fields.collect());
            }
            _ => drop(self.structs.insert(name, fields)),
        }
    }

    fn take_method(&mut self, item: &syn::ImplItem) {
        let syn::ImplItem::Fn(method) = item else { return };
        let ReturnType::Type(_, ty) = &method.sig.output else { return };
        let answer = called(ty);
        let answer = answer.strip_prefix("Result<Reply<").and_then(|rest| rest.split_once(">, Error"));
        if let Some((answer, _)) = answer.filter(|_| method.sig.asyncness.is_some()) {
            self.answers.insert(method.sig.ident.to_string(), answer.to_owned());
        }
    }
}

/// The body of a macro that defines a type: its name, and one row for each field or variant.
struct Defined {
    name: String,
    fields: Vec<String>,
}

impl Parse for Defined {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        Attribute::parse_outer(input)?;
        let name = input.parse::<Ident>()?.to_string();
        let mut fields = Vec::new();
        if !input.is_empty() {
            let rows;
            syn::braced!(rows in input);
            while !rows.is_empty() {
                Attribute::parse_outer(&rows)?;
                fields.push(rows.parse::<Ident>()?.to_string());
                if rows.parse::<Token![:]>().is_ok() {
                    rows.parse::<Type>()?;
                }
                if rows.parse::<Token![=]>().is_ok() && rows.parse::<Lit>().is_err() {
                    rows.parse::<Ident>()?;
                }
                // `sensitive`, and the name of the method that clears the field.
                let _: Option<Ident> = rows.parse()?;
                if rows.peek(Token![,]) && rows.peek2(Ident) && rows.peek3(Token![;]) {
                    rows.parse::<Token![,]>()?;
                    rows.parse::<Ident>()?;
                }
                if rows.parse::<Token![;]>().is_err() {
                    rows.parse::<Token![,]>()?;
                }
            }
            // The field for unlisted fields of a request, which its rows do not show.
            let _: Option<Ident> = input.parse()?;
        }
        Ok(Self { name, fields })
    }
}
