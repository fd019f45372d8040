//! Says what a changed document means for the callers of a client: nothing but words (patch), something new (minor), or something
//! that breaks them (major).
//!
//! Requests and responses are compared in their own directions. Callers write requests: whatever they may no longer send, or must
//! send from now on, breaks them. Callers read responses: whatever they can no longer read breaks them. The generated types decide
//! the details: each field of a response may be absent, lists of values in responses are open, and limits such as `maxLength` are not
//! part of responses.

#[cfg(test)]
mod tests;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;

use serde_json::Value;

use crate::codegen::document::{Document, Operation, component};
use crate::codegen::{Error, output};
use Direction::{Request, Response};
use Level::{Major, Minor, Patch};

/// How much a change means for callers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    Patch,
    Minor,
    Major,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Direction {
    Request,
    Response,
}

/// What each change of a schema means in a request and in a response.
#[rustfmt::skip]
const RULES: [(&str, Level, Level); 23] = [
    ("is new",                                  Minor, Minor),
    ("is new and required",                     Major, Minor),
    ("is gone",                                 Major, Major),
    ("is required now",                         Major, Patch),
    ("is no longer required",                   Minor, Minor),
    ("may be null now",                         Minor, Minor),
    ("may no longer be null",                   Major, Patch),
    ("the value is new",                        Minor, Minor),
    ("the value is gone",                       Major, Major),
    ("its values are listed now",               Major, Major),
    ("its values are no longer listed",         Major, Major),
    ("its type is another one",                 Major, Major),
    ("the alternative is new",                  Minor, Major),
    ("the alternative is gone",                 Major, Major),
    ("a limit is new or narrower",              Major, Patch),
    ("a limit is gone or wider",                Minor, Patch),
    ("its pattern is another one",              Major, Patch),
    ("accepts other fields now",                Minor, Minor),
    ("no longer accepts other fields",          Major, Patch),
    ("what it requires is another one",         Major, Patch),
    ("its name in code is another one",         Major, Major),
    ("its behaviour is another one",            Minor, Minor),
    ("its description is another one",          Patch, Patch),
];

/// Keys that only people read.
const WORDS: [&str; 9] = [
    "description",
    "summary",
    "title",
    "example",
    "examples",
    "externalDocs",
    "tags",
    "x-assumption",
    "x-stray",
];

/// Limits, and whether a greater number is wider.
#[rustfmt::skip]
const LIMITS: [(&str, bool); 9] = [
    ("maximum", true), ("maxLength", true), ("maxItems", true), ("maxProperties", true), ("minimum", false),
    ("minLength", false), ("minItems", false), ("minProperties", false), ("multipleOf", false),
];

/// Keys of a schema that have rules of their own.
#[rustfmt::skip]
const KNOWN: [&str; 15] = [
    "$ref", "type", "format", "nullable", "enum", "x-known-values", "pattern", "properties", "required", "items",
    "additionalProperties", "allOf", "oneOf", "anyOf", "uniqueItems",
];

/// All changes, each with the operations that it concerns.
pub(crate) struct Changes(BTreeMap<(Reverse<Level>, String), BTreeSet<String>>);

impl Changes {
    /// Returns the most that any change means; `None` if nothing has changed.
    pub(crate) fn level(&self) -> Option<Level> {
        self.0.keys().next().map(|(level, _)| level.0)
    }
}

impl fmt::Display for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut counts = [0; 3];
        for ((level, what), operations) in &self.0 {
            counts[level.0 as usize] += 1;
            let operations: Vec<&str> = operations.iter().map(String::as_str).collect();
            writeln!(f, "{:<6}{what}\n        {}", level.0.name(), operations.join(", "))?;
        }
        let [patch, minor, major] = counts;
        let level = self.level().map_or("nothing has changed", Level::name);
        write!(f, "{level}: {major} major, {minor} minor, {patch} patch")
    }
}

impl Level {
    fn name(self) -> &'static str {
        ["patch", "minor", "major"][self as usize]
    }

    fn status(self) -> u8 {
        [0, 3, 4][self as usize]
    }
}

/// Compares two files, prints the changes, and returns the exit status: 0 if callers notice nothing, 3 for a minor
/// version, 4 for a major one.
pub(crate) fn run(old: &str, new: &str) -> Result<u8, Error> {
    let read = |path: &str| {
        let document = Document::unchecked(path, &output::read(Path::new(path))?);
        document.map_err(|error| error.in_file(path))
    };
    let changes = compare(&read(old)?, &read(new)?);
    #[allow(clippy::print_stdout, reason = "the result of the task")]
    {
        println!("{changes}");
    }
    Ok(changes.level().map_or(0, Level::status))
}

pub(crate) fn compare(old: &Document, new: &Document) -> Changes {
    let mut all = Changes(BTreeMap::new());
    let by_id = |document| Document::operations(document).map(|one| (one.id, one)).collect();
    let (before, after): (BTreeMap<_, _>, BTreeMap<_, _>) = (by_id(old), by_id(new));
    let ids: BTreeSet<&str> = before.keys().chain(after.keys()).copied().collect();
    for operation in ids {
        let mut one = Comparison { old, new, operation, seen: BTreeSet::new(), all: &mut all };
        match (before.get(operation), after.get(operation)) {
            (Some(was), Some(is)) => one.operations(was, is),
            (Some(_), None) => one.note(Major, "", "the operation is gone"),
            (None, _) => one.note(Minor, "", "the operation is new"),
        }
    }
    all
}

/// Things with names, and whether each is required.
type Named<'a> = BTreeMap<String, (&'a Value, bool)>;

/// The comparison of one operation.
struct Comparison<'a> {
    old: &'a Document,
    new: &'a Document,
    operation: &'a str,
    /// The pairs of components that were compared, so that schemas may contain themselves.
    seen: BTreeSet<(&'a str, &'a str, Direction)>,
    all: &'a mut Changes,
}

impl<'a> Comparison<'a> {
    fn note(&mut self, level: Level, place: &str, what: &str) {
        let text = format!("{place}{}{what}", if place.is_empty() { "" } else { ": " });
        self.all.0.entry((Reverse(level), text)).or_default().insert(self.operation.to_owned());
    }

    /// Notes a change that the table of rules lists.
    fn rule(&mut self, direction: Direction, place: &str, what: &str, detail: &str) {
        let rule = RULES.iter().find(|(text, ..)| *text == what);
        // A text that the table does not list is a mistake in this module, and must not pass for a small change.
        let level = rule.map_or(Major, |rule| if direction == Request { rule.1 } else { rule.2 });
        self.note(level, place, &format!("{what}{}{detail}", if detail.is_empty() { "" } else { ": " }));
    }

    fn operations(&mut self, was: &Operation<'a>, is: &Operation<'a>) {
        if (was.method, was.path) != (is.method, is.path) {
            self.note(Major, "", &format!("its path is another one: {} {}", is.method, is.path));
        }
        let parameters = |document: &'a Document, operation: &Operation<'a>| -> Named<'a> {
            let name = |one: &Value| format!("{} {}", text(&one["in"]), text(&one["name"]));
            document.parameters(operation).map(|one| (name(one), (one, one["required"] == true))).collect()
        };
        let both = (&parameters(self.old, was), &parameters(self.new, is));
        for (name, was, is) in self.members(Request, "parameter ", both) {
            let place = format!("parameter {name}");
            self.schemas(Request, &place, &was["schema"], &is["schema"]);
            self.rest(Request, &place, (was, is), &["schema", "required", "in", "name"]);
        }
        let body = |document, json: &'a Value| -> Named<'a> {
            let (body, _) = resolve(document, &json["requestBody"]);
            [("body".to_owned(), (body, body["required"] == true))]
                .into_iter()
                .filter(|(_, one)| !one.0.is_null())
                .collect()
        };
        let both = (&body(self.old, was.json), &body(self.new, is.json));
        for (_, was, is) in self.members(Request, "request ", both) {
            self.contents(Request, "request", was, is);
            self.rest(Request, "request", (was, is), &["content", "required"]);
        }
        self.responses(&was.json["responses"], &is.json["responses"]);
        let known = ["parameters", "requestBody", "responses", "operationId"];
        self.rest(Request, "", (was.json, is.json), &known);
    }

    /// Compares successful responses. The call layer reads all others, whatever their schemas.
    fn responses(&mut self, was: &'a Value, is: &'a Value) {
        let successes = |document, json: &'a Value| -> Named<'a> {
            let statuses = named(json).into_iter().filter(|(status, _)| status.starts_with('2'));
            statuses.map(|(status, (one, _))| (status, (resolve(document, one).0, false))).collect()
        };
        let both = (&successes(self.old, was), &successes(self.new, is));
        for (status, was, is) in self.members(Response, "response ", both) {
            let place = format!("response {status}");
            self.contents(Response, &place, was, is);
            let headers = (&named(&was["headers"]), &named(&is["headers"]));
            self.members(Response, &format!("{place} header "), headers);
            self.rest(Response, &place, (was, is), &["content", "headers"]);
        }
        let failures = |json: &'a Value| -> Vec<String> {
            named(json).into_keys().filter(|status| !status.starts_with('2')).collect()
        };
        if failures(was) != failures(is) {
            self.note(Patch, "", "its documented errors are other ones");
        }
    }

    fn contents(&mut self, direction: Direction, place: &str, was: &'a Value, is: &'a Value) {
        let both = (&named(&was["content"]), &named(&is["content"]));
        for (_, was, is) in self.members(direction, &format!("{place} "), both) {
            self.schemas(direction, place, &was["schema"], &is["schema"]);
        }
    }

    /// Notes what is new, gone, or required now. Returns what is in both.
    fn members(
        &mut self,
        direction: Direction,
        place: &str,
        (before, after): (&Named<'a>, &Named<'a>),
    ) -> Vec<(String, &'a Value, &'a Value)> {
        for name in before.keys().filter(|name| !after.contains_key(*name)) {
            self.rule(direction, &format!("{place}{name}"), "is gone", "");
        }
        let mut both = Vec::new();
        for (name, (is, is_required)) in after {
            both.extend(before.get(name).map(|(was, _)| (name.clone(), *was, *is)));
            let what = match (before.get(name).map(|(_, was_required)| *was_required), is_required) {
                (None, true) => "is new and required",
                (None, false) => "is new",
                (Some(false), true) => "is required now",
                (Some(true), false) => "is no longer required",
                _ => continue,
            };
            self.rule(direction, &format!("{place}{name}"), what, "");
        }
        both
    }

    fn schemas(&mut self, direction: Direction, place: &str, was: &'a Value, is: &'a Value) {
        let ((was, was_name), (is, is_name)) = (resolve(self.old, was), resolve(self.new, is));
        if !is_name.is_empty() && !self.seen.insert((was_name, is_name, direction)) {
            return;
        }
        // The name of a component says more than the way to it.
        let component = format!("{} {is_name}", if direction == Request { "request" } else { "response" });
        let place = if is_name.is_empty() { place } else { &component };
        if !was_name.is_empty() && !is_name.is_empty() && was_name != is_name {
            self.rule(direction, place, "its name in code is another one", was_name);
        }
        if (&was["type"], &was["format"]) != (&is["type"], &is["format"]) {
            let name = |schema: &Value| format!("{} {}", text(&schema["type"]), text(&schema["format"]));
            self.rule(direction, place, "its type is another one", &format!("{} → {}", name(was), name(is)));
        }
        match (was["nullable"] == true, is["nullable"] == true) {
            (false, true) => self.rule(direction, place, "may be null now", ""),
            (true, false) => self.rule(direction, place, "may no longer be null", ""),
            _ => {}
        }
        self.values(direction, place, was, is);
        self.limits(direction, place, was, is);
        let fields = |schema: &'a Value| -> Named<'a> {
            let list = schema["required"].as_array();
            let is_required = |name: &str| list.is_some_and(|list| list.iter().any(|one| one == name));
            named(&schema["properties"])
                .into_iter()
                .map(|(name, (one, _))| (name.clone(), (one, is_required(&name))))
                .collect()
        };
        for (name, was, is) in self.members(direction, &format!("{place}."), (&fields(was), &fields(is))) {
            self.schemas(direction, &format!("{place}.{name}"), was, is);
        }
        let (was_other, is_other) = (&was["additionalProperties"], &is["additionalProperties"]);
        match (was_other != false, is_other != false) {
            (false, true) => self.rule(direction, place, "accepts other fields now", ""),
            (true, false) => self.rule(direction, place, "no longer accepts other fields", ""),
            _ => {}
        }
        for (key, step) in [("items", "[]"), ("additionalProperties", ".*")] {
            if was[key].is_object() && is[key].is_object() {
                self.schemas(direction, &format!("{place}{step}"), &was[key], &is[key]);
            }
        }
        for key in ["allOf", "oneOf", "anyOf"] {
            self.alternatives(direction, place, key, (&was[key], &is[key]));
        }
        let known: Vec<&str> = KNOWN.into_iter().chain(LIMITS.map(|(key, _)| key)).collect();
        self.rest(direction, place, (was, is), &known);
    }

    fn values(&mut self, direction: Direction, place: &str, was: &Value, is: &Value) {
        let list = |schema: &Value| -> Option<BTreeSet<String>> {
            let values = schema.get("enum").or(schema.get("x-known-values"))?.as_array()?;
            Some(values.iter().map(|value| text(value).to_owned()).collect())
        };
        match (list(was), list(is)) {
            (None, Some(_)) => self.rule(direction, place, "its values are listed now", ""),
            (Some(_), None) => self.rule(direction, place, "its values are no longer listed", ""),
            (Some(was), Some(is)) => {
                is.difference(&was).for_each(|value| self.rule(direction, place, "the value is new", value));
                was.difference(&is).for_each(|value| self.rule(direction, place, "the value is gone", value));
            }
            (None, None) => {}
        }
    }

    fn limits(&mut self, direction: Direction, place: &str, was: &Value, is: &Value) {
        for (key, greater_is_wider) in LIMITS {
            let (before, after) = (was[key].as_f64(), is[key].as_f64());
            let is_wider = match (before, after) {
                (before, after) if before == after => continue,
                (None, _) => false,
                (_, None) => true,
                (Some(before), Some(after)) => (after > before) == greater_is_wider,
            };
            let what = if is_wider { "a limit is gone or wider" } else { "a limit is new or narrower" };
            self.rule(direction, place, what, key);
        }
        if was["uniqueItems"] != is["uniqueItems"] {
            let what = if is["uniqueItems"] == true {
                "a limit is new or narrower"
            } else {
                "a limit is gone or wider"
            };
            self.rule(direction, place, what, "uniqueItems");
        }
        match (&was["pattern"], &is["pattern"]) {
            (was, is) if was == is => {}
            (_, Value::Null) => self.rule(direction, place, "a limit is gone or wider", "pattern"),
            _ => self.rule(direction, place, "its pattern is another one", ""),
        }
    }

    /// Compares alternatives by the component that each refers to, or else by its position.
    fn alternatives(
        &mut self,
        direction: Direction,
        place: &str,
        key: &str,
        (was, is): (&'a Value, &'a Value),
    ) {
        let listed = |list: &'a Value| -> Named<'a> {
            let list = list.as_array().into_iter().flatten().enumerate();
            let name = |at: usize, one: &'a Value| match component(&one["$ref"]) {
                Some(name) => name.to_owned(),
                None => at.to_string(),
            };
            list.map(|(at, one)| (name(at, one), (one, false))).collect()
        };
        let (before, after) = (listed(was), listed(is));
        for name in before.keys().filter(|name| !after.contains_key(*name)) {
            self.rule(direction, place, "the alternative is gone", &format!("{key} {name}"));
        }
        for (name, (is, _)) in &after {
            match before.get(name) {
                Some((was, _)) => self.schemas(direction, &format!("{place} {key} {name}"), was, is),
                None => self.rule(direction, place, "the alternative is new", &format!("{key} {name}")),
            }
        }
    }

    /// Compares the keys that have no rule of their own.
    fn rest(&mut self, direction: Direction, place: &str, (was, is): (&Value, &Value), known: &[&str]) {
        let (before, after) = (named(was), named(is));
        let keys: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
        for key in keys.into_iter().filter(|key| !known.contains(&key.as_str()) && was[key] != is[key]) {
            let what = match key.as_str() {
                "x-required-by" => "what it requires is another one",
                "x-name" => "its name in code is another one",
                key if WORDS.contains(&key) => "its description is another one",
                _ => "its behaviour is another one",
            };
            self.rule(direction, place, what, key);
        }
    }
}

/// Follows a reference. Returns the object, and the component's name if there was a reference.
fn resolve<'a>(document: &'a Document, json: &'a Value) -> (&'a Value, &'a str) {
    match json["$ref"].as_str() {
        Some(reference) => {
            let target = document.json.pointer(reference.trim_start_matches('#')).unwrap_or(&Value::Null);
            (target, reference.rsplit('/').next().unwrap_or_default())
        }
        None => (json, ""),
    }
}

/// Returns the members of an object, none of them required.
fn named(json: &Value) -> Named<'_> {
    json.as_object().into_iter().flatten().map(|(name, one)| (name.clone(), (one, false))).collect()
}

fn text(json: &Value) -> &str {
    json.as_str().unwrap_or_default()
}
