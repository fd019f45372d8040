//! The documentation of a client crate: its operations and assumptions.

use std::fmt::Write as _;

use serde_json::Value;

use super::document::Document;
use super::table::snake;

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
    let mut assumptions = Vec::new();
    collect(&document.json, &mut Vec::new(), &mut assumptions);
    // What is assumed in several places is said once, with all of them.
    let mut said: Vec<&String> = Vec::new();
    for (_, assumption) in &assumptions {
        if !said.contains(&assumption) {
            said.push(assumption);
            let places: Vec<&str> =
                assumptions.iter().filter(|(_, a)| a == assumption).map(|(p, _)| p.as_str()).collect();
            let _ = writeln!(md, "- {}: {assumption}", places.join(", "));
        }
    }
    md
}

/// Finds each assumption, with the name of what it is about.
fn collect(json: &Value, path: &mut Vec<String>, found: &mut Vec<(String, String)>) {
    match json {
        Value::Object(members) => {
            match members.get("x-assumption") {
                Some(Value::String(text)) => found.push((place(json, path), text.trim().to_owned())),
                Some(Value::Array(texts)) => {
                    let texts = texts.iter().filter_map(Value::as_str);
                    found.extend(texts.map(|text| (place(json, path), text.to_owned())));
                }
                _ => {}
            }
            for (key, member) in members {
                path.push(key.clone());
                collect(member, path, found);
                path.pop();
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, path, found)),
        _ => {}
    }
}

fn place(json: &Value, path: &[String]) -> String {
    if let Some(id) = json["operationId"].as_str() {
        return format!("`{}`", snake(id));
    }
    match path.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["info"] => "the API".to_owned(),
        ["servers"] => "the server".to_owned(),
        ["components", "schemas", schema] => format!("`{schema}`"),
        ["components", "schemas", schema, "properties", property] => format!("`{schema}.{property}`"),
        ["components", _, name] => format!("`{name}`"),
        _ => format!("`{}`", path.join("/")),
    }
}
