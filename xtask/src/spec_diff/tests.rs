use serde_json::{Value, json};

use super::*;

/// A document with one operation that sends and receives the schema `Thing`.
fn document(thing: Value) -> Value {
    let content = json!({ "application/json": { "schema": { "$ref": "#/components/schemas/Thing" } } });
    json!({
        "openapi": "3.0.3",
        "paths": { "/things/{id}": {
            "parameters": [{ "name": "id", "in": "path", "required": true, "schema": { "type": "string" } }],
            "put": {
                "operationId": "putThing",
                "requestBody": { "content": content },
                "responses": {
                    "200": {
                        "content": content,
                        "headers": { "X-Total-Count": { "schema": { "type": "integer" } } },
                    },
                    "400": {},
                },
            },
        } },
        "components": { "schemas": { "Thing": thing } },
    })
}

fn changes(old: &Value, new: &Value) -> Changes {
    let read = |json: &Value| Document::unchecked("test", &json.to_string()).unwrap();
    compare(&read(old), &read(new))
}

/// Returns the levels of the change of a schema in a request and in a response.
#[track_caller]
fn levels(old: Value, new: Value) -> (Level, Level) {
    let changes = changes(&document(old), &document(new));
    let of = |direction: &str| {
        let matching = changes.0.keys().filter(|(_, text)| text.starts_with(direction));
        matching.map(|(level, _)| level.0).max().unwrap_or_else(|| panic!("{direction}: {changes}"))
    };
    (of("request "), of("response "))
}

/// An object with these fields.
fn fields(properties: Value) -> Value {
    json!({ "type": "object", "properties": properties })
}

fn field(schema: Value) -> Value {
    fields(json!({ "a": schema }))
}

#[test]
fn a_change_of_a_schema_means_one_thing_in_a_request_and_another_in_a_response() {
    let text = || json!({ "type": "string" });
    let with = |key: &str, value: Value| json!({ "type": "string", key: value });
    let number = |key: &str, value: Value| json!({ "type": "integer", key: value });
    let required =
        |names: Value| json!({ "type": "object", "properties": { "a": text() }, "required": names });
    let one_of = |list: Value| field(json!({ "oneOf": list }));
    let closed = |is_open: bool| json!({ "type": "object", "additionalProperties": is_open });
    let two_fields =
        || json!({ "type": "object", "properties": { "a": text(), "b": text() }, "required": ["a"] });
    let refer = |names: &[&str]| -> Vec<Value> {
        names.iter().map(|name| json!({ "$ref": format!("#/components/schemas/{name}") })).collect()
    };
    let all_of = |names: &[&str], required: Value| json!({ "allOf": refer(names), "required": required });
    let any_of = |names: &[&str]| json!({ "anyOf": refer(names) });
    // Changes of operations, which the test below shows.
    let elsewhere = ["is new where there was none", "the method for streams was removed"];
    let cases = [
        ("is new", fields(json!({})), field(text()), Minor, Minor),
        ("is new and required", fields(json!({})), required(json!(["a"])), Major, Minor),
        ("was removed", field(text()), fields(json!({})), Major, Major),
        ("is required now", field(text()), required(json!(["a"])), Major, Patch),
        ("is no longer required", required(json!(["a"])), field(text()), Major, Minor),
        ("may be null now", field(text()), field(with("nullable", json!(true))), Major, Minor),
        ("may no longer be null", field(with("nullable", json!(true))), field(text()), Major, Patch),
        (
            "the value is new",
            field(with("enum", json!(["x"]))),
            field(with("enum", json!(["x", "y"]))),
            Major,
            Minor,
        ),
        (
            "the known value is new: \"y\"",
            field(with("x-known-values", json!(["x"]))),
            field(with("x-known-values", json!(["x", "y"]))),
            Minor,
            Minor,
        ),
        (
            "the value is new: 2",
            field(number("enum", json!([1]))),
            field(number("enum", json!([1, 2]))),
            Major,
            Minor,
        ),
        (
            "the list of values was opened or closed",
            field(with("enum", json!(["x"]))),
            field(with("x-known-values", json!(["x"]))),
            Major,
            Minor,
        ),
        (
            "the list of values was opened or closed",
            field(with("x-known-values", json!(["x"]))),
            field(with("enum", json!(["x"]))),
            Major,
            Minor,
        ),
        ("has a new field and no Default", required(json!(["a"])), two_fields(), Major, Minor),
        ("Thing.b: is required now", all_of(&["A"], json!([])), all_of(&["A"], json!(["b"])), Major, Patch),
        (
            "Thing.b: is no longer required",
            all_of(&["A"], json!(["b"])),
            all_of(&["A"], json!([])),
            Major,
            Minor,
        ),
        (
            "the alternative is new: allOf B",
            all_of(&["A"], json!([])),
            all_of(&["A", "B"], json!([])),
            Major,
            Major,
        ),
        (
            "the alternative was removed: allOf B",
            all_of(&["A", "B"], json!([])),
            all_of(&["A"], json!([])),
            Major,
            Major,
        ),
        ("the type has changed: anyOf", any_of(&["A", "B"]), any_of(&["B", "A"]), Major, Major),
        (
            "the type has changed: items",
            json!({ "type": "array" }),
            json!({ "type": "array", "items": text() }),
            Major,
            Major,
        ),
        (
            "the type has changed: additionalProperties",
            closed(true),
            json!({ "type": "object", "additionalProperties": text() }),
            Major,
            Major,
        ),
        (
            "the type has changed: additionalProperties",
            json!({ "type": "object", "additionalProperties": text() }),
            json!({ "type": "object", "additionalProperties": {} }),
            Major,
            Major,
        ),
        (
            "a limit was removed or is wider",
            field(number("multipleOf", json!(6))),
            field(number("multipleOf", json!(3))),
            Minor,
            Patch,
        ),
        (
            "a limit is new or narrower",
            field(number("multipleOf", json!(6))),
            field(number("multipleOf", json!(4))),
            Major,
            Patch,
        ),
        (
            "a limit is new or narrower: uniqueItems",
            field(text()),
            field(with("uniqueItems", json!(true))),
            Major,
            Patch,
        ),
        (
            "a limit was removed or is wider: uniqueItems",
            field(with("uniqueItems", json!(true))),
            field(with("uniqueItems", json!(false))),
            Minor,
            Patch,
        ),
        (
            "an unknown key has changed: default",
            field(text()),
            field(with("default", json!("x"))),
            Major,
            Major,
        ),
        (
            "the value was removed",
            field(with("enum", json!(["x", "y"]))),
            field(with("enum", json!(["x"]))),
            Major,
            Major,
        ),
        ("the values are listed now", field(text()), field(with("enum", json!(["x"]))), Major, Major),
        ("the values are no longer listed", field(with("enum", json!(["x"]))), field(text()), Major, Major),
        ("the type has changed", field(text()), field(json!({ "type": "integer" })), Major, Major),
        ("the type has changed", field(text()), field(with("format", json!("date"))), Major, Major),
        ("the alternative is new", one_of(json!([text()])), one_of(json!([text(), text()])), Major, Major),
        (
            "the alternative was removed",
            one_of(json!([text(), text()])),
            one_of(json!([text()])),
            Major,
            Major,
        ),
        ("a limit is new or narrower", field(text()), field(with("maxLength", json!(9))), Major, Patch),
        (
            "a limit is new or narrower",
            field(number("minimum", json!(1))),
            field(number("minimum", json!(2))),
            Major,
            Patch,
        ),
        (
            "a limit was removed or is wider",
            field(with("maxLength", json!(9))),
            field(with("maxLength", json!(10))),
            Minor,
            Patch,
        ),
        ("a limit was removed or is wider", field(with("pattern", json!("a"))), field(text()), Minor, Patch),
        (
            "the pattern has changed",
            field(with("pattern", json!("a"))),
            field(with("pattern", json!("b"))),
            Major,
            Patch,
        ),
        ("accepts other fields now", closed(false), closed(true), Minor, Minor),
        ("no longer accepts other fields", closed(true), closed(false), Major, Patch),
        (
            "the required fields have changed",
            field(text()),
            field(with("x-required-by", json!({ "GO": ["a"] }))),
            Major,
            Patch,
        ),
        ("the name in code has changed", field(text()), field(with("x-name", json!("b"))), Major, Major),
        (
            "the behaviour has changed",
            field(text()),
            field(with("x-sensitive", json!("personal"))),
            Minor,
            Minor,
        ),
        (
            "the description has changed",
            field(text()),
            field(with("description", json!("other"))),
            Patch,
            Patch,
        ),
    ];
    for (rule, ..) in RULES {
        let is_shown = cases.iter().any(|case| case.0.contains(rule)) || elsewhere.contains(&rule);
        assert!(is_shown, "no case for: {rule}");
    }
    for (rule, old, new, request, response) in cases {
        let shown = changes(&document(old.clone()), &document(new.clone())).to_string();
        assert!(shown.contains(rule), "{rule}: {shown}");
        assert_eq!(levels(old, new), (request, response), "{rule}: {shown}");
    }
}

#[test]
fn schemas_are_compared_in_lists_in_maps_and_in_themselves() {
    let tree = |key: &str| {
        let again = json!({ "$ref": "#/components/schemas/Thing" });
        fields(
            json!({ "list": { "type": "array", "items": again }, key: { "type": "object", "additionalProperties": again } }),
        )
    };
    assert_eq!(levels(tree("map"), tree("other")), (Major, Major));
    let list = |of: &str| field(json!({ "type": "array", "items": { "type": of } }));
    assert!(
        changes(&document(list("string")), &document(list("integer")))
            .to_string()
            .contains("request Thing.a[]: the type")
    );
    let map = |of: &str| json!({ "type": "object", "additionalProperties": { "type": of } });
    assert!(
        changes(&document(map("string")), &document(map("integer")))
            .to_string()
            .contains("response Thing.*: the type")
    );
}

/// A component is a type of the generated code.
#[test]
fn a_renamed_component_is_a_renamed_type() {
    let old = document(field(json!({ "type": "string" })));
    let mut new: Value = serde_json::from_str(&old.to_string().replace("Thing\"", "Item\"")).unwrap();
    new["paths"]["/things/{id}"]["put"]["operationId"] = json!("putThing");
    let changes = changes(&old, &new);
    assert_eq!(changes.level(), Some(Major), "{changes}");
    assert!(changes.to_string().contains("response Item: the name in code has changed: Thing"), "{changes}");
}

/// Returns what a change of the document means and how it is shown.
fn after(change: impl FnOnce(&mut Value)) -> (Option<Level>, String) {
    let old = document(field(json!({ "type": "string" })));
    let mut new = old.clone();
    change(&mut new);
    let changes = changes(&old, &new);
    (changes.level(), changes.to_string())
}

#[test]
fn operations_parameters_bodies_and_responses_are_compared() {
    fn put(document: &mut Value) -> &mut Value {
        &mut document["paths"]["/things/{id}"]["put"]
    }
    fn parameter(required: bool) -> Value {
        json!([{ "name": "limit", "in": "query", "required": required, "schema": { "type": "integer" } }])
    }
    /// The inline form of the component `Thing`.
    fn thing() -> Value {
        field(json!({ "type": "string" }))
    }
    type Change = fn(&mut Value);
    let cases: [(Change, Level, &str); 24] = [
        (|one| one["paths"] = json!({}), Major, "the operation was removed"),
        (
            |one| one["paths"]["/"] = json!({ "get": { "operationId": "root" } }),
            Minor,
            "the operation is new\n        root",
        ),
        (
            |one| one["paths"] = json!({ "/other/{id}": one["paths"]["/things/{id}"] }),
            Major,
            "the path has changed: put /other/{id}",
        ),
        (
            |one| put(one)["parameters"] = parameter(false),
            Major,
            "optional parameter: is new where there was none",
        ),
        (
            |one| one["security"] = json!([{ "Basic": [] }]),
            Major,
            "an unknown key has changed: security\n        document",
        ),
        (
            |one| one["x-error"] = json!({ "message": "/text" }),
            Minor,
            "the behaviour has changed: x-error\n        document",
        ),
        (
            |one| one["components"]["securitySchemes"]["Basic"] = json!({ "type": "http" }),
            Minor,
            "security scheme Basic: is new\n        document",
        ),
        (|one| put(one)["x-stream"] = json!(true), Minor, "the behaviour has changed: x-stream"),
        (|one| put(one)["x-unknown"] = json!(true), Major, "an unknown key has changed: x-unknown"),
        (
            |one| put(one)["responses"]["200"]["headers"]["ETag"] = json!({}),
            Minor,
            "response 200 header ETag: is new",
        ),
        (
            |one| {
                put(one)["responses"]["200"]["headers"]["X-Total-Count"]["schema"]["type"] = json!("string")
            },
            Major,
            "response 200 header X-Total-Count: the type has changed: integer  → string ",
        ),
        (
            |one| one["components"]["schemas"]["Thing"] = json!({ "$ref": "#/components/schemas/Thing" }),
            Major,
            "the type has changed",
        ),
        (
            |one| drop(put(one)["responses"]["200"]["content"].take()),
            Major,
            "response 200 application/json: was removed",
        ),
        (
            |one| put(one)["requestBody"]["content"]["application/json"]["schema"] = thing(),
            Major,
            "request: the name in code has changed: Thing",
        ),
        (|one| put(one)["parameters"] = parameter(true), Major, "parameter query limit: is new and required"),
        (
            |one| one["paths"]["/things/{id}"]["parameters"][0]["schema"]["format"] = json!("uuid"),
            Major,
            "parameter path id: the type",
        ),
        (|one| drop(put(one)["requestBody"].take()), Major, "request body: was removed"),
        (|one| put(one)["requestBody"]["required"] = json!(true), Major, "request body: is required now"),
        (|one| put(one)["requestBody"]["content"]["text/csv"] = json!({}), Minor, "request text/csv: is new"),
        (|one| put(one)["responses"] = json!({}), Major, "response 200: was removed"),
        (|one| put(one)["responses"]["201"] = json!({}), Minor, "response 201: is new"),
        (|one| put(one)["responses"]["409"] = json!({}), Patch, "the documented errors have changed"),
        (|one| put(one)["x-retry"] = json!("once"), Minor, "the behaviour has changed: x-retry"),
        (|one| put(one)["summary"] = json!("Put it"), Patch, "the description has changed: summary"),
    ];
    for (change, level, shown) in cases {
        let (found, text) = after(change);
        assert!(text.contains(shown), "{shown}: {text}");
        assert_eq!(found, Some(level), "{text}");
    }
    let (level, text) = after(|_| {});
    assert_eq!((level, text.as_str()), (None, "nothing has changed: 0 major, 0 minor, 0 patch"));
}

/// The first optional parameter, the first body, and the first content give a method another argument or result. A second one does not.
#[test]
fn what_is_new_where_there_was_none_breaks_callers() {
    let none = "is new where there was none";
    let full = document(field(json!({ "type": "string" })));
    let put = "/paths/~1things~1{id}/put";
    let parameter = |name: &str| json!({ "name": name, "in": "query", "schema": { "type": "string" } });
    for (key, first, second) in [
        ("parameters", json!([parameter("a")]), Some(json!([parameter("a"), parameter("b")]))),
        ("requestBody", full.pointer(put).unwrap()["requestBody"].clone(), None),
    ] {
        let with = |value: Option<Value>| {
            let mut document = full.clone();
            let operation = document.pointer_mut(put).unwrap().as_object_mut().unwrap();
            operation.remove(key);
            operation.extend(value.map(|value| (key.to_owned(), value)));
            document
        };
        let added = changes(&with(None), &with(Some(first.clone())));
        assert_eq!(added.level(), Some(Major), "{added}");
        assert!(added.to_string().contains(none), "{added}");
        if let Some(second) = second {
            let added = changes(&with(Some(first)), &with(Some(second)));
            assert_eq!(added.level(), Some(Minor), "{added}");
        }
    }
    let mut empty = full.clone();
    empty.pointer_mut(put).unwrap()["responses"]["200"] = json!({});
    let added = changes(&empty, &full);
    assert_eq!(added.level(), Some(Major), "{added}");
    assert!(added.to_string().contains("response 200 content: is new where there was none"), "{added}");

    // The responses of an operation are one result of its method.
    let mut other = empty.clone();
    other.pointer_mut(put).unwrap()["responses"]["201"] =
        full.pointer(put).unwrap()["responses"]["200"].clone();
    let added = changes(&empty, &other);
    assert_eq!(added.level(), Some(Major), "{added}");
    assert!(added.to_string().contains("response content: is new where there was none"), "{added}");
}

#[test]
fn the_removal_of_a_stream_removes_a_method() {
    let old = |stream: bool| {
        let mut old = document(fields(json!({})));
        old["paths"]["/things/{id}"]["put"]["x-stream"] = json!(stream);
        old
    };
    let removed = changes(&old(true), &old(false));
    assert_eq!(removed.level(), Some(Major), "{removed}");
    assert!(removed.to_string().contains("the method for streams was removed"), "{removed}");
}

/// A chain of references ends at the component whose type is generated.
#[test]
fn chains_of_references_are_followed() {
    let chain = |of: &str| {
        let mut document = document(json!({ "$ref": "#/components/schemas/Item" }));
        document["components"]["schemas"]["Item"] = field(json!({ "type": of }));
        document
    };
    let changed = changes(&chain("string"), &chain("integer"));
    assert_eq!(changed.level(), Some(Major));
    assert!(changed.to_string().contains("request Item.a: the type has changed"), "{changed}");
}

/// Only types have names that callers use.
#[test]
fn an_inline_schema_that_becomes_a_component_is_renamed_if_it_has_a_type() {
    for (schema, level) in [
        (json!({ "type": "string" }), Minor),
        (json!({ "type": "string", "enum": ["x"] }), Major),
        (json!({ "type": "string", "x-known-values": ["x"] }), Major),
        (fields(json!({})), Major),
    ] {
        let inline = document(field(schema.clone()));
        let mut moved = document(field(json!({ "$ref": "#/components/schemas/Item" })));
        moved["components"]["schemas"]["Item"] = schema;
        for (old, new) in [(&inline, &moved), (&moved, &inline)] {
            let changes = changes(old, new);
            assert_eq!(changes.level(), Some(level), "{changes}");
        }
    }
}

fn onapi() -> String {
    output::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../specs/onapi.yaml")).unwrap()
}

/// A real document and a copy of it with changes, as a new version of the API brings them.
#[test]
fn two_versions_of_a_real_document_are_compared() {
    let old = Document::unchecked("onapi", &onapi()).unwrap();
    assert!(compare(&old, &old).level().is_none());

    let mut new = Document::unchecked("onapi", &onapi()).unwrap();
    let schemas = &mut new.json["components"]["schemas"];
    schemas["Order"]["properties"]["colour"] = json!({ "type": "string" });
    schemas["Order"]["description"] = json!("Other words");
    let added = compare(&old, &new);
    assert_eq!(added.level(), Some(Minor), "{added}");
    let shown = added.to_string();
    assert!(shown.contains("minor response Order.colour: is new\n"), "{shown}");
    assert!(shown.contains("getOrder"), "the operations are listed: {shown}");

    let properties = new.json["components"]["schemas"]["Order"]["properties"].as_object_mut().unwrap();
    properties.remove("spReference").unwrap();
    let removed = compare(&old, &new);
    assert_eq!(removed.level(), Some(Major), "{removed}");
    assert!(removed.to_string().starts_with("major response Order.spReference: was removed\n"), "{removed}");
    assert!(!removed.to_string().contains("request Order."), "orders are not sent: {removed}");
}
