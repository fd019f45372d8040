//! Which method of the facade covers which operation: a table for each supplier's documentation.
//!
//! A public function covers the operations that it calls on the generated client (`client.get_order(…)`), by itself or by
//! way of private functions of its module; what implements `Creation` covers those that it sends. The table of a supplier
//! without a function for one of its operations is an error.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::{ImplItem, Item, UseTree, Visibility};

use crate::codegen::{APIS, Document, Error, Mode, output, root, snake};

/// Writes or compares the tables. `tally` is what the sandboxes of a test run have counted (`LASTMILE_SANDBOX_TALLY`):
/// each operation must be in it.
pub(crate) fn run(mode: Mode, tally: Option<&Path>) -> Result<(), Error> {
    let root = root();
    let mut errors = Vec::new();
    let counted = tally.map(output::read).transpose()?;
    for (api, _) in APIS {
        let document = Document::parse(api, &output::read(&root.join(format!("specs/{api}.yaml")))?)
            .map_err(|fault| fault.during(api, "reading"))?;
        let folder = root.join("crates/lastmile/src").join(api);
        let table = table(&document, &Facade::read(&folder)?)?;
        let path = folder.join("operations.md");
        let result = match mode {
            Mode::Write => output::write(&path, &table),
            Mode::Check => output::compare(&root, &path, &table, "operations"),
        };
        errors.extend(result.err().map(|error| error.to_string()));
        let Some(counted) = &counted else { continue };
        let lines: BTreeSet<&str> = counted.lines().collect();
        let title = document.json["info"]["title"].as_str().unwrap_or_default();
        let missing = document.operations().filter(|operation| {
            let line = format!("{title}: {}", operation.id);
            !lines.contains(line.as_str())
        });
        errors.extend(
            missing.map(|operation| format!("{api}: no sandbox of a test has carried out {}", operation.id)),
        );
    }
    if errors.is_empty() { Ok(()) } else { Err(Error(errors.join("\n"))) }
}

fn table(document: &Document, facade: &Facade) -> Result<String, Error> {
    let mut table = String::from("| operation | request | covered by |\n|---|---|---|\n");
    let mut errors = Vec::new();
    for operation in document.operations() {
        let covering = facade.covering(&document.json, operation.id);
        if covering.is_empty() {
            let api = &document.api;
            errors.push(format!("{api}: no public function of the facade calls {}", operation.id));
        }
        let covering: Vec<&str> = covering.iter().map(String::as_str).collect();
        let (method, path) = (operation.method.to_uppercase(), operation.path);
        // Writing to a String cannot fail.
        let _ = writeln!(table, "| `{}` | `{method} {path}` | {} |", operation.id, covering.join(", "));
    }
    if errors.is_empty() { Ok(table) } else { Err(Error(errors.join("\n"))) }
}

/// The functions of one supplier's part of the facade.
#[derive(Default)]
struct Facade {
    functions: Vec<Function>,
    /// The types of the generated client that it uses by their bare names.
    generated: BTreeSet<String>,
}

struct Function {
    name: String,
    /// How the documentation links to it; none of a private one.
    link: Option<String>,
    /// The file that it is in, and whether it can be called from there only.
    file: usize,
    is_private: bool,
    said: Said,
}

/// What the tokens of a function say.
#[derive(Default)]
struct Said {
    /// The names of what it calls.
    calls: BTreeSet<String>,
    /// The names of what it calls on `client`.
    operations: BTreeSet<String>,
    texts: BTreeSet<String>,
}

impl Facade {
    fn read(folder: &Path) -> Result<Self, Error> {
        let mut facade = Self::default();
        for (file, path) in output::files(folder, "rs")?.into_iter().enumerate() {
            let source = output::read(&path)?;
            let parsed =
                syn::parse_file(&source).map_err(|error| Error(format!("{}: {error}", path.display())))?;
            facade.take(parsed.items, file);
        }
        Ok(facade)
    }

    fn take(&mut self, items: Vec<Item>, file: usize) {
        for item in &items {
            if let Item::Use(item) = item {
                names_of_types(&item.tree, false, &mut self.generated);
            }
        }
        for item in items {
            match item {
                Item::Fn(function) => {
                    let name = function.sig.ident.to_string();
                    let link = is_public(&function.vis).then(|| format!("[`{name}`]"));
                    let is_private = is_private(&function.vis);
                    self.functions.push(Function {
                        name,
                        link,
                        file,
                        is_private,
                        said: Said::by(function.block),
                    });
                }
                Item::Impl(block) => self.take_impl(block, file),
                // A macro that implements `Creation` for the type that its arguments begin with.
                Item::Macro(item) if item.mac.path.is_ident("creation") => {
                    if let Some(TokenTree::Ident(owner)) = item.mac.tokens.clone().into_iter().next() {
                        let link = Some(self.prepared(&owner.to_string()));
                        let (name, said) = ("send".to_owned(), Said::by(item.mac.tokens));
                        self.functions.push(Function { name, link, file, is_private: false, said });
                    }
                }
                _ => {}
            }
        }
    }

    fn take_impl(&mut self, block: syn::ItemImpl, file: usize) {
        let owner = block.self_ty.to_token_stream().into_iter().next();
        let owner = owner.map(|owner| owner.to_string()).unwrap_or_default();
        let creates = block.trait_.as_ref().is_some_and(|(path, _)| path.is_ident("Creation"));
        for item in block.items {
            let ImplItem::Fn(function) = item else { continue };
            let name = function.sig.ident.to_string();
            let link = if creates && name == "send" {
                Some(self.prepared(&owner))
            } else if is_public(&function.vis) {
                Some(format!("[`{owner}::{name}`]"))
            } else if block.trait_.is_some() {
                // What else a trait demands is nothing that a caller looks for.
                continue;
            } else {
                None
            };
            let (is_private, said) = (is_private(&function.vis), Said::by(function.block));
            self.functions.push(Function { name, link, file, is_private, said });
        }
    }

    fn prepared(&self, owner: &str) -> String {
        let path = if self.generated.contains(owner) { format!("(types::{owner})") } else { String::new() };
        format!("[`Prepared`](crate::Prepared)`<`[`{owner}`]{path}`>`")
    }

    /// The public functions that call an operation, those that call it by themselves before those that do not.
    fn covering(&self, document: &serde_json::Value, id: &str) -> BTreeSet<String> {
        let method = snake(id);
        let stream = format!("{method}_rows");
        // A token is obtained and renewed by the call layer, for handles with the scheme that the facade names.
        let schemes = document["components"]["securitySchemes"].as_object().into_iter().flatten();
        let scheme = schemes
            .filter(|(_, scheme)| ["obtain", "renew"].iter().any(|key| scheme["x-token"][key] == id))
            .map(|(name, _)| name.clone())
            .next();
        let mut found: Vec<&Function> = self
            .functions
            .iter()
            .filter(|function| match &scheme {
                Some(scheme) => function.said.texts.contains(scheme),
                None => [&method, &stream].iter().any(|name| function.said.operations.contains(*name)),
            })
            .collect();
        let mut seen = BTreeSet::new();
        loop {
            let links: BTreeSet<String> = found.iter().filter_map(|function| function.link.clone()).collect();
            let helpers: Vec<&Function> =
                found.into_iter().filter(|helper| seen.insert((&helper.name, helper.file))).collect();
            if !links.is_empty() || helpers.is_empty() {
                return links;
            }
            let calls = |function: &Function, helper: &Function| {
                (!helper.is_private || helper.file == function.file)
                    && function.said.calls.contains(&helper.name)
            };
            found = self
                .functions
                .iter()
                .filter(|function| helpers.iter().any(|helper| calls(function, helper)))
                .collect();
        }
    }
}

impl Said {
    fn by(code: impl ToTokens) -> Self {
        let mut said = Self::default();
        said.read(code.to_token_stream());
        said
    }

    fn read(&mut self, tokens: TokenStream) {
        let (mut receiver, mut name) = (None, None::<String>);
        for token in tokens {
            match token {
                TokenTree::Ident(ident) => {
                    if let Some(before) = name.replace(ident.to_string()) {
                        receiver = Some(before);
                    }
                    continue;
                }
                // Between a receiver and its method.
                TokenTree::Punct(punct) if punct.as_char() == '.' => {
                    receiver = name.take();
                    continue;
                }
                TokenTree::Group(group) => {
                    if let Some(name) = &name {
                        if matches!(receiver.as_deref(), Some("client" | "way")) {
                            self.operations.insert(name.clone());
                        }
                        self.calls.insert(name.clone());
                    }
                    self.read(group.stream());
                }
                TokenTree::Literal(literal) => {
                    self.texts.insert(literal.to_string().trim_matches('"').to_owned());
                }
                TokenTree::Punct(_) => {}
            }
            (receiver, name) = (None, None);
        }
    }
}

fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

fn is_private(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Inherited)
}

/// The names that a `use` brings in from a module `types`.
fn names_of_types(tree: &UseTree, inside: bool, names: &mut BTreeSet<String>) {
    match tree {
        UseTree::Path(path) => names_of_types(&path.tree, inside || path.ident == "types", names),
        UseTree::Group(group) => group.items.iter().for_each(|tree| names_of_types(tree, inside, names)),
        UseTree::Name(name) if inside => drop(names.insert(name.ident.to_string())),
        _ => {}
    }
}
