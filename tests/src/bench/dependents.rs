//! Measures how many crates a program that depends on lastmile compiles, and how long that takes.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::Instant;

use super::Result;
use super::programs::cargo;

/// What a program depends on: some features of lastmile, or [`BY_HAND`].
const KINDS: [(&str, Option<&str>); 6] = [
    ("`rules` alone", Some(r#""rules""#)),
    ("`cocon`, TLS, gzip", Some(r#""cocon", "rustls", "gzip""#)),
    ("`covage`, TLS, gzip", Some(r#""covage", "rustls", "gzip""#)),
    ("`onapi`, TLS, gzip", Some(r#""onapi", "rustls", "gzip""#)),
    ("everything", Some(r#""default""#)),
    ("reqwest by hand, TLS, gzip", None),
];

/// The dependencies of a program that calls a supplier without lastmile.
const BY_HAND: &str = r#"reqwest = { version = "0.13", default-features = false, features = ["json", "query", "stream", "rustls", "gzip"] }
serde = { version = "1", features = ["derive"] }
serde_json = "1"
chrono = { version = "0.4", default-features = false, features = ["serde", "std"] }
tokio = { version = "1", features = ["rt", "time"] }"#;

/// Builds an empty program of each kind in an empty target folder.
pub(super) fn measure(root: &Path, page: &mut String) -> Result<()> {
    page.push_str(
        "\n## What a dependent builds\n\nA debug build of an empty program in an empty target folder, without downloads. The seconds are those of \
         this run.\n\n\
         | it depends on | crates | seconds |\n|---|---|---|\n",
    );
    let folder = root.join("target/dependent");
    for (kind, features) in KINDS {
        write_program(root, &folder, features).map_err(|error| format!("{}: {error}", folder.display()))?;
        let tree = ["tree", "--edges", "normal,build", "--prefix", "none", "--format", "{p}"];
        let tree = cargo(&folder, &tree)?;
        let crates: BTreeSet<&str> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
        let started = Instant::now();
        // The target folder that the environment may name can hold crates that are built already.
        cargo(&folder, &["build", "--quiet", "--target-dir", "target"])?;
        let seconds = started.elapsed().as_secs();
        writeln!(page, "| {kind} | {} | {seconds} |", crates.len() - 1)?;
    }
    let _ = fs::remove_dir_all(&folder);
    Ok(())
}

fn write_program(root: &Path, folder: &Path, features: Option<&str>) -> std::io::Result<()> {
    // The build of the previous program must not count.
    let _ = fs::remove_dir_all(folder);
    fs::create_dir_all(folder.join("src"))?;
    let dependencies = features.map_or(BY_HAND.to_owned(), |features| {
        let path = root.join("crates/lastmile");
        format!("lastmile = {{ path = {path:?}, default-features = false, features = [{features}] }}")
    });
    let manifest = format!(
        "[package]\nname = \"dependent\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n[dependencies]\n{dependencies}\n"
    );
    fs::write(folder.join("Cargo.toml"), manifest)?;
    fs::write(folder.join("src/main.rs"), "fn main() {}\n")?;
    fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock"))?;
    Ok(())
}
