//! The project's documents and sources: links lead somewhere, and retired words are gone.

use std::fs;
use std::path::{Path, PathBuf};

use regex::Regex;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Every text file of the project that people write or read, with its path from the root.
fn texts() -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy();
            if path.is_dir() {
                if !matches!(&*name, "target" | ".git" | "corpus" | "artifacts" | "node_modules") {
                    folders.push(path);
                }
                continue;
            }
            let extension = path.extension().unwrap_or_default().to_string_lossy();
            if matches!(&*extension, "rs" | "md" | "toml" | "yaml" | "txt" | "html") || name == "run" {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path.strip_prefix(root()).unwrap().to_owned(), text));
            }
        }
    }
    assert!(found.len() > 300, "the project is read");
    found
}

#[test]
fn links_and_paths_in_the_documents_lead_somewhere() {
    let link = Regex::new(r"\]\(([^)#\s]+)").unwrap();
    let path = Regex::new(r"`((?:crates|specs|xtask|tests|docs)/[\w./-]+)`").unwrap();
    let mut broken = Vec::new();
    for (file, text) in texts() {
        if file.extension().is_none_or(|extension| extension != "md") {
            continue;
        }
        let folder = root().join(file.parent().unwrap());
        let links = link.captures_iter(&text).map(|found| folder.join(&found[1]));
        let paths = path.captures_iter(&text).map(|found| root().join(&found[1]));
        let leads_nowhere = |target: &PathBuf| !target.to_string_lossy().contains("://") && !target.exists();
        // A name in capitals is to be replaced, and a change log names files of the past.
        let is_placeholder = |target: &PathBuf| {
            ["NAME", "SUPPLIER", "TARGET"].iter().any(|name| target.to_string_lossy().contains(name))
        };
        if file != Path::new("CHANGELOG.md") {
            broken.extend(
                links
                    .chain(paths)
                    .filter(|target| leads_nowhere(target) && !is_placeholder(target))
                    .map(|target| format!("{}: {}", file.display(), target.display())),
            );
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

/// Each line of the list is an identifier that has another name now, which follows it. One concept has one word.
#[test]
fn retired_words_are_gone() {
    const LIST: &str = include_str!("documents/retired.txt");
    let words: Vec<&str> = LIST
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert!(words.len() > 50, "the list is read");
    let any = Regex::new(&format!(r"\b(?:{})\b", words.join("|"))).unwrap();
    let mut left = Vec::new();
    for (file, text) in texts() {
        if file.ends_with("CHANGELOG.md") || file.ends_with("documents/retired.txt") {
            continue;
        }
        for (number, line) in text.lines().enumerate() {
            left.extend(
                any.find_iter(line)
                    .map(|found| format!("{}:{}: {}", file.display(), number + 1, found.as_str())),
            );
        }
    }
    assert!(left.is_empty(), "{} are left:\n{}", left.len(), left.join("\n"));
}

/// A client's clock can be replaced in tests. Code that reads the machine's own would not notice.
#[test]
fn only_one_module_reads_the_clocks_of_the_machine() {
    let reads =
        Regex::new(r"(?:Instant|SystemTime|Utc)::now\b|\.elapsed\(\)|\bsleep\(|\bsleep_until\(|\binterval\(")
            .unwrap();
    // An error and a reply say how long their call took, and the limits of a call are measured by its clock.
    let own = Regex::new(r"(?:self|error|reply|record|time)\.elapsed\(\)|fn interval\(").unwrap();
    let mut found = Vec::new();
    for (file, text) in texts() {
        let is_ours = file.starts_with("crates/core/src") || file.starts_with("crates/lastmile/src");
        if !is_ours || file.ends_with("clock.rs") || file.extension().is_none_or(|ending| ending != "rs") {
            continue;
        }
        let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
        for (number, line) in code.lines().enumerate() {
            let is_code = !line.trim_start().starts_with("//");
            if is_code && reads.is_match(&own.replace_all(line, "")) {
                found.push(format!("{}:{}: {}", file.display(), number + 1, line.trim()));
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}
