//! Checks that the facade's documentation and the tally of a test run contain every operation of the documents in
//! `specs/`.
//!
//! A public method of the facade, or the `pub use` of a type, names its operations in `#[doc(alias)]`, by the
//! operation's id and by its method and path. The search of rustdoc finds it by both.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use lastmile_sandbox::Spec;
use lastmile_tests::sources::sources;
use syn::{Attribute, Expr, ExprLit, ImplItem, Item, Lit, MetaNameValue, UseTree, Visibility};

fn apis() -> [(&'static str, &'static Spec); 3] {
    [("cocon", Spec::cocon()), ("covage", Spec::covage()), ("onapi", Spec::onapi())]
}

/// An item of the facade with the aliases by which rustdoc finds it.
struct Aliased {
    name: String,
    aliases: Vec<String>,
    /// Whether the search finds the item: it is a public method or a re-export. rustdoc 1.95 drops the aliases of a
    /// type that a private module declares, and keeps those of its `pub use`.
    is_found: bool,
}

/// Returns the items of a source file that have an alias.
fn aliased(source: &str) -> Vec<Aliased> {
    let mut found = Vec::new();
    let mut add = |name: String, attributes: &[Attribute], is_found: bool| {
        let aliases = aliases(attributes);
        if !aliases.is_empty() {
            found.push(Aliased { name, aliases, is_found });
        }
    };
    for item in syn::parse_file(source).expect("the source compiles").items {
        match item {
            Item::Enum(item) => add(item.ident.to_string(), &item.attrs, false),
            Item::Fn(item) => add(item.sig.ident.to_string(), &item.attrs, false),
            Item::Struct(item) => add(item.ident.to_string(), &item.attrs, false),
            Item::Use(item) => add(last_name(&item.tree), &item.attrs, is_public(&item.vis)),
            Item::Impl(block) => {
                for item in block.items {
                    if let ImplItem::Fn(method) = item {
                        add(method.sig.ident.to_string(), &method.attrs, is_public(&method.vis));
                    }
                }
            }
            _ => {}
        }
    }
    found
}

fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

/// Returns the texts of `#[doc(alias = "text")]`.
fn aliases(attributes: &[Attribute]) -> Vec<String> {
    let lists = attributes.iter().filter(|attribute| attribute.path().is_ident("doc"));
    // A doc comment is a `doc` attribute, too, and contains no list.
    let lists = lists.filter_map(|attribute| attribute.parse_args::<MetaNameValue>().ok());
    let texts = lists.filter(|pair| pair.path.is_ident("alias")).filter_map(|pair| match pair.value {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value()),
        _ => None,
    });
    texts.collect()
}

/// Returns the public name of a re-export of one item.
fn last_name(tree: &UseTree) -> String {
    match tree {
        UseTree::Path(path) => last_name(&path.tree),
        UseTree::Name(name) => name.ident.to_string(),
        UseTree::Rename(rename) => rename.rename.to_string(),
        UseTree::Group(_) | UseTree::Glob(_) => "(several items)".to_owned(),
    }
}

/// Returns the errors in the aliases of an API's part of the facade.
fn problems(api: &str, spec: &Spec, facade: &[Aliased]) -> Vec<String> {
    let mut problems = Vec::new();
    for Aliased { name, aliases, is_found } in facade {
        let item = format!("lastmile::{api}, {name}");
        if !is_found {
            problems.push(format!(
                "{item}: rustdoc finds no alias here: set it on a public method or on the `pub use` of the type"
            ));
        }
        let (requests, ids): (Vec<_>, Vec<_>) = aliases.iter().partition(|alias| alias.contains(' '));
        let mut expected = Vec::new();
        for id in ids {
            match spec.operation(id) {
                Some(operation) => expected.push(format!("{} {}", operation.method, operation.path)),
                None => problems.push(format!("{item}: specs/{api}.yaml has no operation `{id}`")),
            }
        }
        let missing = expected.iter().filter(|request| !requests.contains(request));
        problems.extend(missing.map(|request| format!("{item}: the alias `{request}` is missing")));
        let foreign = requests.iter().filter(|request| !expected.contains(request));
        problems.extend(foreign.map(|request| {
            format!("{item}: the alias `{request}` is of no operation whose id is an alias of the item")
        }));
    }
    for operation in spec.operations() {
        if !facade.iter().any(|item| item.is_found && item.aliases.contains(&operation.id)) {
            problems.push(format!(
                "lastmile::{api}: nothing has the alias `{}`: set `#[doc(alias)]` on the public method that sends the operation, or on \
                 the `pub use` of the type that `Prepared` sends",
                operation.id
            ));
        }
    }
    problems
}

#[test]
fn every_operation_is_found_in_the_documentation_of_the_facade() {
    let mut operations = 0;
    for (api, spec) in apis() {
        let part = format!("lastmile/src/{api}");
        let files = sources("lastmile");
        let files = files.iter().filter(|path| path.ancestors().any(|folder| folder.ends_with(&part)));
        let facade: Vec<Aliased> =
            files.flat_map(|path| aliased(&fs::read_to_string(path).unwrap())).collect();
        assert_eq!(problems(api, spec, &facade), Vec::<String>::new());
        operations += spec.operations().count();
    }
    assert_eq!(operations, 81);
}

#[test]
fn a_missing_wrong_or_foreign_alias_is_reported() {
    let complete: String = Spec::cocon()
        .operations()
        .map(|operation| {
            let (id, method, path) = (&operation.id, &operation.method, &operation.path);
            format!("#[doc(alias = \"{id}\")] #[doc(alias = \"{method} {path}\")] pub use sends::{id};\n")
        })
        .collect();
    let report = |source: &str| problems("cocon", Spec::cocon(), &aliased(source)).join("\n");
    assert_eq!(report(&complete), "");
    assert_eq!(
        report(&complete.replace("pub use sends::getContact;", "pub struct Contact;")),
        "lastmile::cocon, Contact: rustdoc finds no alias here: set it on a public method or on the `pub use` of the type\n\
         lastmile::cocon: nothing has the alias `getContact`: set `#[doc(alias)]` on the public method that sends the operation, or \
         on the `pub use` of the type that `Prepared` sends"
    );
    assert_eq!(
        report(
            &(complete.clone() + "impl Cocon { #[doc(alias = \"getContacts\")] pub fn contacts(&self) {} }")
        ),
        "lastmile::cocon, contacts: specs/cocon.yaml has no operation `getContacts`"
    );
    assert_eq!(
        report(&complete.replace("GET /api/v1/contacts/{id}", "GET /api/v1/customers/{id}")),
        "lastmile::cocon, getContact: the alias `GET /api/v1/contacts/{id}` is missing\n\
         lastmile::cocon, getContact: the alias `GET /api/v1/customers/{id}` is of no operation whose id is an alias of the item"
    );
}

/// Runs the program that the CI gate runs after all tests.
fn check_tally(name: &str, tally: &str) -> Output {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&path, tally).unwrap();
    Command::new(env!("CARGO_BIN_EXE_operations")).arg(&path).output().unwrap()
}

#[test]
fn a_tally_that_lacks_an_operation_fails_and_names_it() {
    let lines = apis().into_iter().flat_map(|(_, spec)| {
        let title = spec.document()["info"]["title"].as_str().unwrap();
        spec.operations().map(move |operation| format!("{title}: {}\n", operation.id))
    });
    let complete: String = lines.collect();
    assert!(check_tally("complete-tally", &complete).status.success());

    let output = check_tally("tally-without-order", &complete.replace("ON-API: cancelOrder\n", ""));
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        String::from_utf8(output.stderr).unwrap(),
        "No sandbox of a test carried out these operations:\nON-API: cancelOrder\n"
    );
}
