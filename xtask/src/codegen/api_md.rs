//! The documentation of a client crate: its operations and assumptions.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::document::{Document, objects};
use super::snake;

pub(crate) fn render(document: &Document) -> String {
    let info = &document.json["info"];
    let text = |json: &Value| json.as_str().unwrap_or_default().trim().to_owned();
    let mut md =
        format!("# {} {}\n\n{}\n", text(&info["title"]), text(&info["version"]), text(&info["description"]));

    md.push_str("\n## Operations\n\n| method | request | what it does |\n|---|---|---|\n");
    for operation in document.operations() {
        let summary = text(&operation.json["summary"]);
        let method = operation.method.to_uppercase();
        // Writing to a String cannot fail.
        let _ = writeln!(md, "| `{}` | `{method} {}` | {summary} |", snake(operation.id), operation.path);
    }

    if document.operations().any(|operation| operation.json["x-stream"] == true) {
        md.push_str(
            "\nA method whose list may be too long to be held has a twin that reads it row by row:\n",
        );
        for operation in document.operations().filter(|operation| operation.json["x-stream"] == true) {
            let _ = writeln!(md, "`{}_rows`", snake(operation.id));
        }
    }

    md.push_str("\n## Assumptions\n\nNo public source states these; they stand until the supplier says otherwise.\n\n");
    let mut assumptions: Vec<(String, String)> = Vec::new();
    for (pointer, object) in objects(&document.json) {
        let texts = match object.get("x-assumption") {
            Some(Value::Array(texts)) => texts.iter().collect(),
            text => Vec::from_iter(text),
        };
        assumptions.extend(texts.into_iter().map(|assumption| (subject(&pointer, object), text(assumption))));
    }
    // An assumption about several subjects is one line.
    let mut written: Vec<&String> = Vec::new();
    for (_, assumption) in &assumptions {
        if !written.contains(&assumption) {
            written.push(assumption);
            let same = assumptions.iter().filter(|(_, other)| other == assumption);
            let subjects: Vec<&str> = same.map(|(subject, _)| subject.as_str()).collect();
            let _ = writeln!(md, "- {}: {assumption}", subjects.join(", "));
        }
    }
    md
}

/// The name of what an object of the document describes.
fn subject(pointer: &str, object: &Map<String, Value>) -> String {
    if let Some(id) = object.get("operationId").and_then(Value::as_str) {
        return format!("`{}`", snake(id));
    }
    match pointer.split('/').skip(1).collect::<Vec<_>>()[..] {
        ["info"] => "the API".to_owned(),
        ["servers", _] => "the server".to_owned(),
        ["components", "schemas", schema] => format!("`{schema}`"),
        ["components", "schemas", schema, "properties", property] => format!("`{schema}.{property}`"),
        ["components", _, name] => format!("`{name}`"),
        ref path => format!("`{}`", path.join("/").replace("~1", "/")),
    }
}
