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
                "responses": { "200": { "content": content }, "400": {} },
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
    let cases = [
        ("is new", fields(json!({})), field(text()), Minor, Minor),
        ("is new and required", fields(json!({})), required(json!(["a"])), Major, Minor),
        ("is gone", field(text()), fields(json!({})), Major, Major),
        ("is required now", field(text()), required(json!(["a"])), Major, Patch),
        ("is no longer required", required(json!(["a"])), field(text()), Minor, Minor),
        ("may be null now", field(text()), field(with("nullable", json!(true))), Minor, Minor),
        ("may no longer be null", field(with("nullable", json!(true))), field(text()), Major, Patch),
        (
            "the value is new",
            field(with("enum", json!(["x"]))),
            field(with("enum", json!(["x", "y"]))),
            Minor,
            Minor,
        ),
        (
            "the value is gone",
            field(with("enum", json!(["x", "y"]))),
            field(with("enum", json!(["x"]))),
            Major,
            Major,
        ),
        ("its values are listed now", field(text()), field(with("enum", json!(["x"]))), Major, Major),
        ("its values are no longer listed", field(with("enum", json!(["x"]))), field(text()), Major, Major),
        ("its type is another one", field(text()), field(json!({ "type": "integer" })), Major, Major),
        ("its type is another one", field(text()), field(with("format", json!("date"))), Major, Major),
        ("the alternative is new", one_of(json!([text()])), one_of(json!([text(), text()])), Minor, Major),
        ("the alternative is gone", one_of(json!([text(), text()])), one_of(json!([text()])), Major, Major),
        ("a limit is new or narrower", field(text()), field(with("maxLength", json!(9))), Major, Patch),
        (
            "a limit is new or narrower",
            field(number("minimum", json!(1))),
            field(number("minimum", json!(2))),
            Major,
            Patch,
        ),
        (
            "a limit is gone or wider",
            field(with("maxLength", json!(9))),
            field(with("maxLength", json!(10))),
            Minor,
            Patch,
        ),
        ("a limit is gone or wider", field(with("pattern", json!("a"))), field(text()), Minor, Patch),
        (
            "its pattern is another one",
            field(with("pattern", json!("a"))),
            field(with("pattern", json!("b"))),
            Major,
            Patch,
        ),
        ("accepts other fields now", closed(false), closed(true), Minor, Minor),
        ("no longer accepts other fields", closed(true), closed(false), Major, Patch),
        (
            "what it requires is another one",
            field(text()),
            field(with("x-required-by", json!({ "GO": ["a"] }))),
            Major,
            Patch,
        ),
        ("its name in code is another one", field(text()), field(with("x-name", json!("b"))), Major, Major),
        (
            "its behaviour is another one",
            field(text()),
            field(with("x-sensitive", json!("personal"))),
            Minor,
            Minor,
        ),
        (
            "its description is another one",
            field(text()),
            field(with("description", json!("other"))),
            Patch,
            Patch,
        ),
    ];
    for (rule, ..) in RULES {
        assert!(cases.iter().any(|case| case.0 == rule), "no case for: {rule}");
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
            .contains("request Thing.a[]: its type")
    );
    let map = |of: &str| json!({ "type": "object", "additionalProperties": { "type": of } });
    assert!(
        changes(&document(map("string")), &document(map("integer")))
            .to_string()
            .contains("response Thing.*: its type")
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
    assert!(
        changes.to_string().contains("response Item: its name in code is another one: Thing"),
        "{changes}"
    );
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
    type Change = fn(&mut Value);
    let cases: [(Change, Level, &str); 14] = [
        (|one| one["paths"] = json!({}), Major, "the operation is gone"),
        (
            |one| one["paths"]["/"] = json!({ "get": { "operationId": "root" } }),
            Minor,
            "the operation is new\n        root",
        ),
        (
            |one| one["paths"] = json!({ "/other/{id}": one["paths"]["/things/{id}"] }),
            Major,
            "its path is another one: put /other/{id}",
        ),
        (|one| put(one)["parameters"] = parameter(false), Minor, "parameter query limit: is new"),
        (|one| put(one)["parameters"] = parameter(true), Major, "parameter query limit: is new and required"),
        (
            |one| one["paths"]["/things/{id}"]["parameters"][0]["schema"]["format"] = json!("uuid"),
            Major,
            "parameter path id: its type",
        ),
        (|one| drop(put(one)["requestBody"].take()), Major, "request body: is gone"),
        (|one| put(one)["requestBody"]["required"] = json!(true), Major, "request body: is required now"),
        (|one| put(one)["requestBody"]["content"]["text/csv"] = json!({}), Minor, "request text/csv: is new"),
        (|one| put(one)["responses"] = json!({}), Major, "response 200: is gone"),
        (|one| put(one)["responses"]["201"] = json!({}), Minor, "response 201: is new"),
        (|one| put(one)["responses"]["409"] = json!({}), Patch, "its documented errors are other ones"),
        (|one| put(one)["x-retry"] = json!("once"), Minor, "its behaviour is another one: x-retry"),
        (|one| put(one)["summary"] = json!("Put it"), Patch, "its description is another one: summary"),
    ];
    for (change, level, shown) in cases {
        let (found, text) = after(change);
        assert!(text.contains(shown), "{shown}: {text}");
        assert_eq!(found, Some(level), "{text}");
    }
    let (level, text) = after(|_| {});
    assert_eq!((level, text.as_str()), (None, "nothing has changed: 0 major, 0 minor, 0 patch"));
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
    assert!(removed.to_string().starts_with("major response Order.spReference: is gone\n"), "{removed}");
    assert!(!removed.to_string().contains("request Order."), "orders are not sent: {removed}");
}
