//! Generates the sources of the client crates from the documents in `specs/`, and copies the documents into the sandbox.
//!
//! progenitor cannot read the documents as they are. Passes, each with a name and one reason, change the document before
//! generation ([`spec_passes`]). Then [`client`] writes the methods as calls of the transport of `lastmile_core`, [`types`] the
//! types as calls of its macros, and [`table`] the operations. What a pass learns and a later step needs is in
//! [`document::Facts`]. A pass that matches nothing fails the build, so obsolete passes get removed.

mod api_md;
mod client;
mod document;
mod error;
mod generate;
pub(crate) mod output;
mod row_identity;
mod spec_passes;
mod table;
#[cfg(test)]
mod tests;
mod types;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use document::Document;
pub(crate) use error::Error;
use heck::{ToSnakeCase as _, ToUpperCamelCase as _};

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Write,
    Check,
}

pub(crate) fn run(mode: Mode) -> Result<(), Error> {
    let root = root();
    let mut matches = BTreeMap::new();
    let mut files = Vec::new();
    for document in documents(&root)? {
        let folder = root.join(format!("crates/{}-client", document.api));
        files.push((folder.join("API.md"), api_md::render(&document)));
        let sources = sources(document, &mut matches)?;
        files.extend(sources.map(|(name, source)| (folder.join("src/generated").join(name), source)));
    }
    every_pass_matched(&matches)?;
    // The package of the sandbox must contain the documents that it validates against.
    for path in output::files(&root.join("specs"), "yaml")? {
        if let Some(name) = path.file_name() {
            files.push((root.join("crates/sandbox/specs").join(name), output::read(&path)?));
        }
    }
    let results = files.into_iter().map(|(path, content)| match mode {
        Mode::Write => output::write(&path, &content),
        Mode::Check => output::compare(&root, &path, &content),
    });
    // Every difference is reported, not only the first.
    let errors: Vec<String> =
        results.filter_map(|result| result.err().map(|error| error.to_string())).collect();
    if errors.is_empty() { Ok(()) } else { Err(Error(errors.join("\n\n"))) }
}

/// Reads the documents, in the order of their names.
fn documents(root: &Path) -> Result<Vec<Document>, Error> {
    let paths = output::files(&root.join("specs"), "yaml")?;
    let documents = paths.iter().map(|path| {
        let api = path.file_stem().unwrap_or_default().to_string_lossy();
        Document::parse(&api, &output::read(path)?).map_err(|error| error.during(&api, "reading"))
    });
    documents.collect()
}

fn every_pass_matched(matches: &BTreeMap<&'static str, usize>) -> Result<(), Error> {
    match matches.iter().find(|(_, matches)| **matches == 0) {
        None => Ok(()),
        Some((pass, _)) => {
            Err(Error(format!("{pass}: it matches nothing in any document: delete it, with what it needs")))
        }
    }
}

/// The sources of one client crate. Counts in `matches` how often each pass has matched.
fn sources(
    mut document: Document,
    matches: &mut BTreeMap<&'static str, usize>,
) -> Result<[(&'static str, String); 4], Error> {
    let api = document.api.clone();
    for pass in spec_passes::PASSES {
        *matches.entry(pass.name).or_default() +=
            (pass.run)(&mut document).map_err(|error| error.during(&api, pass.name))?;
    }
    let file = generate::client(&document).map_err(|error| error.during(&api, "generation"))?;
    let mut types = types::generated(&file).map_err(|error| error.during(&api, "types"))?;
    types::check_sensitive(&types, &document.facts).map_err(|error| error.during(&api, "redact-debug"))?;
    let client = client::render(&document, &file.items, &mut types);
    let client = client.map_err(|error| error.during(&api, "client"))?;
    let operations = table::render(&document).map_err(|error| error.during(&api, "operation table"))?;
    let types = types::render(&types, &document.facts).map_err(|error| error.during(&api, "types"))?;
    let modules = syn::parse_quote! {
        //! The client, its operations and their types, generated from the API's document.

        mod client;
        pub mod operations;
        /// Types of requests and responses.
        #[allow(clippy::all)]
        pub mod types;

        pub use client::Client;
        pub use operations::TABLE;
    };
    Ok([
        ("mod.rs", output::format(&modules)),
        ("client.rs", output::format(&client)),
        ("operations.rs", format!("{}{operations}", output::HEAD)),
        ("types.rs", format!("{}{types}", output::HEAD)),
    ])
}

/// The name of an operation's method: `createContact` becomes `create_contact`.
pub(crate) fn snake(id: &str) -> String {
    id.to_snake_case()
}

/// The name of the struct of an operation's optional parameters.
fn params_name(id: &str) -> String {
    format!("{}Params", id.to_upper_camel_case())
}

pub(crate) fn root() -> PathBuf {
    // The manifest's folder is xtask, which lies in the root.
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new(".")).to_owned()
}
