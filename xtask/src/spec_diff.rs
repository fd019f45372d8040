//! Says what a changed document means for the callers of a client: nothing but words (patch), something new (minor), or something
//! that breaks them (major).
//!
//! Requests and responses are compared in their own directions. Callers write requests: whatever they may no longer send, or must
//! send from now on, breaks them. Callers read responses: whatever they can no longer read breaks them. The generated types decide
//! the details: each field of a response may be absent, lists of values in responses are open, and limits such as `maxLength` are not
//! part of responses. Lists of values in requests are exhaustive enums, except `x-known-values`. A new optional field of a request is
//! minor, because `docs/guide/stability.md` says that literals of requests end with `..Default::default()`.

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
const RULES: [(&str, Level, Level); 29] = [
    ("is new",                                  Minor, Minor),
    ("is new and required",                     Major, Minor),
    ("has a new field and no Default",          Major, Minor),
    ("is new where there was none",             Major, Major),
    ("was removed",                             Major, Major),
    ("is required now",                         Major, Patch),
    ("is no longer required",                   Major, Minor),
    ("may be null now",                         Major, Minor),
    ("may no longer be null",                   Major, Patch),
    ("the value is new",                        Major, Minor),
    ("the known value is new",                  Minor, Minor),
    ("the value was removed",                   Major, Major),
    ("the values are listed now",               Major, Major),
    ("the values are no longer listed",         Major, Major),
    ("the list of values was opened or closed", Major, Minor),
    ("the type has changed",                    Major, Major),
    ("the alternative is new",                  Major, Major),
    ("the alternative was removed",             Major, Major),
    ("a limit is new or narrower",              Major, Patch),
    ("a limit was removed or is wider",         Minor, Patch),
    ("the pattern has changed",                 Major, Patch),
    ("the required fields have changed",        Major, Patch),
    ("accepts other fields now",                Minor, Minor),
    ("no longer accepts other fields",          Major, Patch),
    ("the name in code has changed",            Major, Major),
    ("the method for streams was removed",      Major, Major),
    ("the behaviour has changed",               Minor, Minor),
    ("the description has changed",             Patch, Patch),
    ("an unknown key has changed",              Major, Major),
];

/// Keys that only people read.
#[rustfmt::skip]
const WORDS: [&str; 10] = [
    "description", "summary", "title", "example", "examples", "externalDocs", "tags", "bearerFormat", "x-assumption", "x-stray",
];

/// Keys that change how the library calls or reads, and no type. All other keys without a rule are [`Major`].
#[rustfmt::skip]
const BEHAVIOUR: [&str; 11] = [
    "deprecated", "x-dialects", "x-error", "x-forms", "x-identity", "x-interval", "x-lower-case", "x-map", "x-retry", "x-sensitive",
    "x-stream",
];

/// Limits, and whether a greater number is wider.
#[rustfmt::skip]
const LIMITS: [(&str, bool); 10] = [
    ("maximum", true), ("maxLength", true), ("maxItems", true), ("maxProperties", true), ("minimum", false),
    ("minLength", false), ("minItems", false), ("minProperties", false), ("multipleOf", false),
    ("uniqueItems", false),
];

/// Keys of a schema that have rules of their own.
#[rustfmt::skip]
const KNOWN: [&str; 14] = [
    "$ref", "type", "format", "nullable", "enum", "x-known-values", "pattern", "properties", "required", "items",
    "additionalProperties", "allOf", "oneOf", "anyOf",
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
        Document::unchecked(path, &output::read(Path::new(path))?).map_err(|error| error.in_file(path))
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
            (Some(_), None) => one.note(Major, "", "the operation was removed"),
            (None, _) => one.note(Minor, "", "the operation is new"),
        }
    }
    Comparison { old, new, operation: "document", seen: BTreeSet::new(), all: &mut all }.document();
    all
}

/// Things with names, and whether each is required.
type Named<'a> = BTreeMap<String, (&'a Value, bool)>;

/// A part of the old document and the same part of the new one.
type Both<'a> = (&'a Value, &'a Value);

/// The comparison of one operation.
struct Comparison<'a> {
    old: &'a Document,
    new: &'a Document,
    operation: &'a str,
    /// The pairs of schemas that were compared, by their addresses, so that schemas may contain themselves.
    seen: BTreeSet<(*const Value, *const Value, Direction)>,
    all: &'a mut Changes,
}

impl<'a> Comparison<'a> {
    fn note(&mut self, level: Level, path: &str, what: &str) {
        let text = format!("{path}{}{what}", if path.is_empty() { "" } else { ": " });
        self.all.0.entry((Reverse(level), text)).or_default().insert(self.operation.to_owned());
    }

    /// Notes a change that the table of rules lists.
    fn rule(&mut self, direction: Direction, path: &str, what: &str, detail: &str) {
        let rule = RULES.iter().find(|(text, ..)| *text == what);
        // A text that the table does not list is a mistake in this module, and must not pass for a small change.
        let level = rule.map_or(Major, |rule| if direction == Request { rule.1 } else { rule.2 });
        self.note(level, path, &format!("{what}{}{detail}", if detail.is_empty() { "" } else { ": " }));
    }

    /// Compares what all operations share.
    fn document(&mut self) {
        let (was, is) = (&self.old.json, &self.new.json);
        let schemes = |json: &'a Value| named(&json["components"]["securitySchemes"]);
        for (name, was, is) in self.members(Request, "security scheme ", (&schemes(was), &schemes(is))) {
            self.other_keys(Request, &format!("security scheme {name}"), (was, is), &[]);
        }
        let elsewhere = ["openapi", "info", "servers", "tags", "externalDocs", "paths", "components"];
        self.other_keys(Request, "", (was, is), &elsewhere);
    }

    fn operations(&mut self, was: &Operation<'a>, is: &Operation<'a>) {
        if (was.method, was.path) != (is.method, is.path) {
            self.note(Major, "", &format!("the path has changed: {} {}", is.method, is.path));
        }
        let parameters = |document: &'a Document, operation: &Operation<'a>| -> Named<'a> {
            let name = |one: &Value| format!("{} {}", text(&one["in"]), text(&one["name"]));
            document.parameters(operation).map(|one| (name(one), (one, one["required"] == true))).collect()
        };
        let both = (&parameters(self.old, was), &parameters(self.new, is));
        // The optional parameters of an operation are one argument of its method.
        let any_optional = |all: &Named<'a>| all.values().any(|(_, is_required)| !is_required);
        if !any_optional(both.0) && any_optional(both.1) {
            self.rule(Request, "optional parameter", "is new where there was none", "");
        }
        for (name, was, is) in self.members(Request, "parameter ", both) {
            let path = format!("parameter {name}");
            self.schemas(Request, &path, &was["schema"], &is["schema"]);
            self.other_keys(Request, &path, (was, is), &["schema", "required", "in", "name"]);
        }
        let body = |document, json: &'a Value| -> Named<'a> {
            let (body, _) = resolve(document, &json["requestBody"]);
            let one = (!body.is_null()).then(|| ("body".to_owned(), (body, body["required"] == true)));
            one.into_iter().collect()
        };
        let both = (&body(self.old, was.json), &body(self.new, is.json));
        self.first(Request, "request body", both);
        for (_, was, is) in self.members(Request, "request ", both) {
            self.contents(Request, "request", was, is);
            self.other_keys(Request, "request", (was, is), &["content", "required"]);
        }
        self.responses(&was.json["responses"], &is.json["responses"]);
        let known = ["parameters", "requestBody", "responses", "operationId"];
        self.other_keys(Request, "", (was.json, is.json), &known);
    }

    /// Compares successful responses. The call layer reads all others, whatever their schemas.
    fn responses(&mut self, was: &'a Value, is: &'a Value) {
        let successes = |document, json: &'a Value| -> Named<'a> {
            let statuses = named(json).into_iter().filter(|(status, _)| status.starts_with('2'));
            statuses.map(|(status, (one, _))| (status, (resolve(document, one).0, false))).collect()
        };
        let both = (&successes(self.old, was), &successes(self.new, is));
        let has_content = |all: &Named<'a>| all.values().any(|(one, _)| !named(&one["content"]).is_empty());
        if !both.0.is_empty() && !has_content(both.0) && has_content(both.1) {
            self.rule(Response, "response content", "is new where there was none", "");
        }
        for (status, was, is) in self.members(Response, "response ", both) {
            let path = format!("response {status}");
            self.contents(Response, &path, was, is);
            let headers = (&named(&was["headers"]), &named(&is["headers"]));
            for (name, was, is) in self.members(Response, &format!("{path} header "), headers) {
                let path = format!("{path} header {name}");
                let (was, is) = (resolve(self.old, was).0, resolve(self.new, is).0);
                self.schemas(Response, &path, &was["schema"], &is["schema"]);
                self.other_keys(Response, &path, (was, is), &["schema"]);
            }
            self.other_keys(Response, &path, (was, is), &["content", "headers"]);
        }
        let failures = |json| named(json).into_keys().filter(|status| !status.starts_with('2'));
        if !failures(was).eq(failures(is)) {
            self.note(Patch, "", "the documented errors have changed");
        }
    }

    fn contents(&mut self, direction: Direction, path: &str, was: &'a Value, is: &'a Value) {
        let both = (&named(&was["content"]), &named(&is["content"]));
        self.first(direction, &format!("{path} content"), both);
        for (_, was, is) in self.members(direction, &format!("{path} "), both) {
            self.schemas(direction, path, &was["schema"], &is["schema"]);
        }
    }

    /// Notes that there is something where there was nothing, which gives a method another argument or another result.
    fn first(&mut self, direction: Direction, path: &str, (before, after): (&Named<'a>, &Named<'a>)) {
        if before.is_empty() && !after.is_empty() {
            self.rule(direction, path, "is new where there was none", "");
        }
    }

    /// Notes what is new, removed, or required now. Returns what is in both.
    fn members(
        &mut self,
        direction: Direction,
        path: &str,
        (before, after): (&Named<'a>, &Named<'a>),
    ) -> Vec<(String, &'a Value, &'a Value)> {
        for name in before.keys().filter(|name| !after.contains_key(*name)) {
            self.rule(direction, &format!("{path}{name}"), "was removed", "");
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
            self.rule(direction, &format!("{path}{name}"), what, "");
        }
        both
    }

    fn schemas(&mut self, direction: Direction, path: &str, was: &'a Value, is: &'a Value) {
        let ((was, was_name), (is, is_name)) = (resolve(self.old, was), resolve(self.new, is));
        let is_named = !was_name.is_empty() || !is_name.is_empty();
        if is_named && !self.seen.insert((std::ptr::from_ref(was), std::ptr::from_ref(is), direction)) {
            return;
        }
        // The name of a component says more than the way to it.
        let component = format!("{} {is_name}", if direction == Request { "request" } else { "response" });
        let path = if is_name.is_empty() { path } else { &component };
        if was_name != is_name && !was.is_null() && !is.is_null() {
            // An inline object or enum has a type with a name of its own, too.
            let keys = ["enum", "x-known-values", "properties", "oneOf"];
            let is_type = |schema: &Value| keys.iter().any(|key| schema.get(key).is_some());
            let is_renamed = (!was_name.is_empty() && !is_name.is_empty()) || is_type(was) || is_type(is);
            let what = if is_renamed { "the name in code has changed" } else { "the behaviour has changed" };
            self.rule(direction, path, what, if was_name.is_empty() { "inline before" } else { was_name });
        }
        if (&was["type"], &was["format"]) != (&is["type"], &is["format"]) {
            let name = |schema: &Value| format!("{} {}", text(&schema["type"]), text(&schema["format"]));
            self.rule(direction, path, "the type has changed", &format!("{} → {}", name(was), name(is)));
        }
        match (was["nullable"] == true, is["nullable"] == true) {
            (false, true) => self.rule(direction, path, "may be null now", ""),
            (true, false) => self.rule(direction, path, "may no longer be null", ""),
            _ => {}
        }
        self.values(direction, path, was, is);
        self.limits(direction, path, was, is);
        let required = |schema: &'a Value| -> BTreeSet<&'a str> {
            schema["required"].as_array().into_iter().flatten().map(text).collect()
        };
        let (was_required, is_required) = (required(was), required(is));
        // A schema with `allOf` may require fields that another schema lists.
        let mut others = &was_required | &is_required;
        others.retain(|name| [was, is].iter().all(|schema| schema["properties"].get(name).is_none()));
        let fields = |schema: &'a Value, required: &BTreeSet<&str>| -> Named<'a> {
            let own = named(&schema["properties"]).into_iter().map(|(name, (one, _))| (name, one));
            let all = own.chain(others.iter().map(|name| ((*name).to_owned(), &Value::Null)));
            all.map(|(name, one)| (name.clone(), (one, required.contains(name.as_str())))).collect()
        };
        let (before, after) = (fields(was, &was_required), fields(is, &is_required));
        let has_new = after.keys().any(|name| !before.contains_key(name));
        if direction == Request && has_new && !was_required.is_empty() {
            self.rule(direction, path, "has a new field and no Default", "");
        }
        for (name, was, is) in self.members(direction, &format!("{path}."), (&before, &after)) {
            self.schemas(direction, &format!("{path}.{name}"), was, is);
        }
        let open = |schema: &Value| schema["additionalProperties"] != false;
        if open(was) != open(is) {
            let what = if open(is) { "accepts other fields now" } else { "no longer accepts other fields" };
            self.rule(direction, path, what, "");
        }
        for (key, step) in [("items", "[]"), ("additionalProperties", ".*")] {
            // `true` and `{}` say no more than an absent key.
            let has_schema = |one: &Value| one[key].as_object().is_some_and(|schema| !schema.is_empty());
            match (has_schema(was), has_schema(is)) {
                (true, true) => self.schemas(direction, &format!("{path}{step}"), &was[key], &is[key]),
                (false, false) => {}
                _ => self.rule(direction, path, "the type has changed", key),
            }
        }
        for key in ["allOf", "oneOf", "anyOf"] {
            self.alternatives(direction, path, key, (&was[key], &is[key]));
        }
        let known: Vec<&str> = KNOWN.into_iter().chain(LIMITS.map(|(key, _)| key)).collect();
        self.other_keys(direction, path, (was, is), &known);
    }

    fn values(&mut self, direction: Direction, path: &str, was: &Value, is: &Value) {
        let list = |schema: &Value| -> Option<BTreeSet<String>> {
            let values = schema.get("enum").or(schema.get("x-known-values"))?.as_array()?;
            Some(values.iter().map(Value::to_string).collect())
        };
        match (list(was), list(is)) {
            (None, Some(_)) => self.rule(direction, path, "the values are listed now", ""),
            (Some(_), None) => self.rule(direction, path, "the values are no longer listed", ""),
            (Some(before), Some(after)) => {
                let (was_open, is_open) = (was["enum"].is_null(), is["enum"].is_null());
                if was_open != is_open {
                    self.rule(direction, path, "the list of values was opened or closed", "");
                }
                let new = if is_open { "the known value is new" } else { "the value is new" };
                after.difference(&before).for_each(|value| self.rule(direction, path, new, value));
                let removed = before.difference(&after);
                removed.for_each(|value| self.rule(direction, path, "the value was removed", value));
            }
            (None, None) => {}
        }
    }

    fn limits(&mut self, direction: Direction, path: &str, was: &Value, is: &Value) {
        let number = |limit: &Value| limit.as_f64().or((*limit == true).then_some(1.0));
        for (key, greater_is_wider) in LIMITS {
            let is_wider = match (number(&was[key]), number(&is[key])) {
                (before, after) if before == after => continue,
                (None, _) => false,
                (_, None) => true,
                (Some(before), Some(after)) if key == "multipleOf" => before % after == 0.0,
                (Some(before), Some(after)) => (after > before) == greater_is_wider,
            };
            let what =
                if is_wider { "a limit was removed or is wider" } else { "a limit is new or narrower" };
            self.rule(direction, path, what, key);
        }
        match (&was["pattern"], &is["pattern"]) {
            (was, is) if was == is => {}
            (_, Value::Null) => self.rule(direction, path, "a limit was removed or is wider", "pattern"),
            _ => self.rule(direction, path, "the pattern has changed", ""),
        }
    }

    /// Compares alternatives by the component that each refers to, or else by its position.
    fn alternatives(&mut self, direction: Direction, path: &str, key: &str, (was, is): Both<'a>) {
        let name = |at: usize, one: &Value| component(&one["$ref"]).map_or(at.to_string(), str::to_owned);
        // The generated type is that of the first element.
        if key == "anyOf" && name(0, &was[0]) != name(0, &is[0]) {
            self.rule(direction, path, "the type has changed", key);
        }
        let listed = |list: &'a Value| -> Named<'a> {
            let list = list.as_array().into_iter().flatten().enumerate();
            list.map(|(at, one)| (name(at, one), (one, false))).collect()
        };
        let (before, after) = (listed(was), listed(is));
        for name in before.keys().filter(|name| !after.contains_key(*name)) {
            self.rule(direction, path, "the alternative was removed", &format!("{key} {name}"));
        }
        for (name, (is, _)) in &after {
            match before.get(name) {
                Some((was, _)) => self.schemas(direction, &format!("{path} {key} {name}"), was, is),
                None => self.rule(direction, path, "the alternative is new", &format!("{key} {name}")),
            }
        }
    }

    /// Compares the keys that have no rule of their own.
    fn other_keys(&mut self, direction: Direction, path: &str, (was, is): Both<'_>, known: &[&str]) {
        let (before, after) = (named(was), named(is));
        let keys: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
        for key in keys.into_iter().filter(|key| !known.contains(&key.as_str()) && was[key] != is[key]) {
            let what = match key.as_str() {
                "x-stream" if is[key] != true => "the method for streams was removed",
                "x-required-by" => "the required fields have changed",
                "x-name" => "the name in code has changed",
                key if WORDS.contains(&key) => "the description has changed",
                key if BEHAVIOUR.contains(&key) => "the behaviour has changed",
                _ => "an unknown key has changed",
            };
            self.rule(direction, path, what, key);
        }
    }
}

/// Follows references. Returns the object, and the name of the last component if there was a reference.
fn resolve<'a>(document: &'a Document, mut json: &'a Value) -> (&'a Value, &'a str) {
    let (mut name, mut followed) = ("", BTreeSet::new());
    while let Some(reference) = json["$ref"].as_str().filter(|reference| followed.insert(*reference)) {
        json = document.json.pointer(reference.trim_start_matches('#')).unwrap_or(&Value::Null);
        name = reference.rsplit('/').next().unwrap_or_default();
    }
    (json, name)
}

/// Returns the members of an object, none of them required.
fn named(json: &Value) -> Named<'_> {
    json.as_object().into_iter().flatten().map(|(name, one)| (name.clone(), (one, false))).collect()
}

fn text(json: &Value) -> &str {
    json.as_str().unwrap_or_default()
}
