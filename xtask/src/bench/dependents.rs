//! What a program that depends on lastmile compiles, and for how long.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use crate::codegen::{Error, output};

/// What a program asks for, by the features of lastmile; none of one that is written by hand.
const KINDS: [(&str, Option<&str>); 6] = [
    ("`rules` alone", Some(r#""rules""#)),
    ("`cocon`, TLS, gzip", Some(r#""cocon", "rustls", "gzip""#)),
    ("`covage`, TLS, gzip", Some(r#""covage", "rustls", "gzip""#)),
    ("`onapi`, TLS, gzip", Some(r#""onapi", "rustls", "gzip""#)),
    ("everything", Some(r#""default""#)),
    ("reqwest by hand, TLS, gzip", None),
];

const BY_HAND: &str = r#"reqwest = { version = "0.13", default-features = false, features = ["json", "query", "stream", "rustls", "gzip"] }
serde = { version = "1", features = ["derive"] }
serde_json = "1"
chrono = { version = "0.4", default-features = false, features = ["serde", "std"] }
tokio = { version = "1", features = ["rt", "time"] }"#;

/// Builds a program of each kind from nothing.
pub(super) fn measure(root: &Path, page: &mut String) -> Result<(), Error> {
    page.push_str(
        "\n## What a dependent builds\n\nA debug build from nothing of an empty program, downloads aside. Seconds of this run.\n\n\
         | it depends on | crates | seconds |\n|---|---|---|\n",
    );
    let folder = root.join("target/dependent");
    for (kind, features) in KINDS {
        // What was built before must not count.
        let _ = fs::remove_dir_all(&folder);
        let made = |result: std::io::Result<()>| {
            result.map_err(|error| Error(format!("{}: {error}", folder.display())))
        };
        made(fs::create_dir_all(folder.join("src")))?;
        let dependencies = features.map_or(BY_HAND.to_owned(), |features| {
            let path = root.join("crates/lastmile");
            format!("lastmile = {{ path = {path:?}, default-features = false, features = [{features}] }}")
        });
        let manifest = format!(
            "[package]\nname = \"dependent\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n[dependencies]\n{dependencies}\n"
        );
        output::write(&folder.join("Cargo.toml"), &manifest)?;
        output::write(&folder.join("src/main.rs"), "fn main() {}\n")?;
        output::write(&folder.join("Cargo.lock"), &output::read(&root.join("Cargo.lock"))?)?;
        let tree =
            cargo(&folder, &["tree", "--edges", "normal,build", "--prefix", "none", "--format", "{p}"])?;
        let crates: BTreeSet<&str> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
        let started = Instant::now();
        cargo(&folder, &["build", "--quiet"])?;
        let seconds = started.elapsed().as_secs();
        // Writing to a String cannot fail.
        let _ = writeln!(page, "| {kind} | {} | {seconds} |", crates.len() - 1);
    }
    let _ = fs::remove_dir_all(&folder);
    Ok(())
}

fn cargo(folder: &Path, arguments: &[&str]) -> Result<String, Error> {
    let output = Command::new(env!("CARGO"))
        .current_dir(folder)
        .env_remove("CARGO_TARGET_DIR")
        .args(arguments)
        .output()
        .map_err(|error| Error(format!("cargo: {error}")))?;
    if !output.status.success() {
        return Err(Error(String::from_utf8_lossy(&output.stderr).into_owned()));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
