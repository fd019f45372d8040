use std::collections::BTreeMap;

use super::document::Document;
use super::*;

fn cocon() -> String {
    output::read(&root().join("specs/cocon.yaml")).unwrap()
}

fn generate(yaml: &str) -> Result<String, String> {
    let document =
        Document::parse("test", yaml).map_err(|error| error.during("test", "reading").to_string())?;
    let sources = sources(document, &mut BTreeMap::new()).map_err(|error| error.to_string())?;
    Ok(sources.into_iter().map(|(_, source)| source).collect())
}

/// A document of one operation, `readThing`, with `change` made to it.
fn refused(change: impl FnOnce(String) -> String) -> String {
    let yaml = r"
openapi: 3.0.3
info: { title: Things, version: v1 }
paths:
  /things/{id}:
    parameters:
      - $ref: '#/components/parameters/Id'
    get:
      operationId: readThing
      summary: Read a thing
      responses:
        '200':
          description: The thing.
          content:
            application/json:
              schema: { $ref: '#/components/schemas/Thing' }
  /things:
    post:
      operationId: createThing
      summary: Create a thing
      requestBody:
        required: true
        content:
          application/json:
            schema: { $ref: '#/components/schemas/ThingCreate' }
      responses:
        '204': { description: Created. }
components:
  parameters:
    Id: { name: id, in: path, required: true, schema: { type: string } }
  schemas:
    Thing: { type: object, properties: { name: { type: string } } }
    ThingCreate: { type: object, properties: { name: { type: string } } }
";
    assert!(generate(yaml).is_ok(), "{:?}", generate(yaml));
    generate(&change(yaml.to_owned())).unwrap_err()
}

#[test]
fn the_same_document_gives_the_same_source() {
    assert_eq!(generate(&cocon()).unwrap(), generate(&cocon()).unwrap());
}

#[test]
fn what_cannot_be_taken_names_document_operation_and_pass() {
    let xml = refused(|yaml| {
        yaml.replace(
            "          application/json:\n            schema: { $ref: '#/components/schemas/ThingCreate'",
            "          application/xml:\n            schema: { $ref: '#/components/schemas/ThingCreate'",
        )
    });
    assert!(
        xml.starts_with("specs/test.yaml, createThing: merge-patch: no pass supports a request of"),
        "{xml}"
    );

    let two = refused(|yaml| {
        let other = "'204': { description: A. }\n        '200': { description: B., content: { application/json: { schema: { type: string } } } }";
        yaml.replace("'204': { description: Created. }", other)
    });
    assert!(two.starts_with("specs/test.yaml, createThing: one-success: "), "{two}");

    let shared = refused(|yaml| yaml.replace("schemas/ThingCreate' }", "schemas/Thing' }"));
    assert!(shared.starts_with("specs/test.yaml, Thing: own-schemas: "), "{shared}");

    let number = refused(|yaml| {
        yaml.replace(
            "in: path, required: true, schema: { type: string }",
            "in: path, required: true, schema: { type: integer }",
        )
    });
    assert!(number.starts_with("specs/test.yaml, id: path-segments: "), "{number}");

    let odd = refused(|yaml| {
        yaml.replace(
            "Thing: { type: object, properties: { name: { type: string }",
            "Thing: { type: object, properties: { name: { oneOf: [] }",
        )
    });
    assert!(odd.starts_with("specs/test.yaml, Thing.name: lenient-responses: "), "{odd}");

    let parts = "Thing: { type: object, properties: { name: { allOf: [{ type: string }, { type: string }] }";
    let joined =
        refused(|yaml| yaml.replace("Thing: { type: object, properties: { name: { type: string }", parts));
    assert!(joined.starts_with("specs/test.yaml, Thing.name: lenient-responses: no pass joins"), "{joined}");

    let list = refused(|yaml| {
        yaml.replace(
            "    Thing: { type: object, properties: { name: { type: string } } }",
            "    Thing: { type: array, items: { type: string } }",
        )
    });
    assert!(
        list.starts_with("specs/test.yaml, Thing: lenient-responses: a component of a response"),
        "{list}"
    );

    let renamed = refused(|yaml| {
        let renamed = yaml.replace("schemas/Thing'", "schemas/THINGOne'");
        renamed.replace(
            "    Thing: { type: object, properties: { name: { type: string }",
            "    THINGOne: { type: object, properties: { name: { type: string, x-sensitive: personal }",
        )
    });
    assert!(
        renamed.starts_with("specs/test.yaml, THINGOne.name: redact-debug: it is sensitive"),
        "{renamed}"
    );

    let twice = refused(|yaml| {
        yaml.replace(
            "Thing: { type: object, properties: { name",
            "Thing: { type: object, properties: { fooBar: { type: string }, foo_bar: { type: string }, name",
        )
    });
    assert!(twice.contains("another property gets the same name"), "{twice}");

    let retry = refused(|yaml| yaml.replace("summary: Read a thing", "x-retry: twice"));
    assert_eq!(retry, "specs/test.yaml, readThing: operation table: x-retry has no value `twice`");
}

#[test]
fn the_rows_of_a_list_say_which_property_they_all_have() {
    let list = |row: &str| {
        let row = row.to_owned();
        move |yaml: String| {
            let yaml = yaml.replace(
                "schema: { $ref: '#/components/schemas/Thing' }",
                "schema: { type: array, items: { $ref: '#/components/schemas/Thing' } }",
            );
            yaml.replace(
                "Thing: { type: object, properties: { name",
                &format!("Thing: {{ type: object, {row}properties: {{ name"),
            )
        }
    };
    let without = refused(list(""));
    assert!(
        without.starts_with("specs/test.yaml, Thing: row-identity: it is a row of a list: name by"),
        "{without}"
    );
    let unknown = refused(list("x-identity: id, "));
    assert!(unknown.contains("Thing: row-identity: x-identity names none of its properties"), "{unknown}");
    let no_list = refused(|yaml| {
        yaml.replace(
            "Thing: { type: object, properties",
            "Thing: { type: object, x-identity: name, properties",
        )
    });
    assert!(no_list.contains("Thing: row-identity: x-identity is for the rows of a list"), "{no_list}");
    let elsewhere = refused(|yaml| {
        yaml.replace(
            "ThingCreate: { type: object, properties: { name: { type",
            "ThingCreate: { type: object, properties: { name: { x-identity: name, type",
        )
    });
    assert!(elsewhere.contains("/name: row-identity: x-identity is for the rows of a list"), "{elsewhere}");

    let onapi = output::read(&root().join("specs/onapi.yaml")).unwrap();
    let source = generate(&onapi).unwrap();
    let list = r#"path: "/accesses/", list: Some(ListShape { identity: Some("accessId"), is_paged: false })"#;
    assert!(source.contains(list));
}

#[test]
fn what_the_generator_refuses_or_panics_at_names_the_operation() {
    let cookie = refused(|yaml| {
        yaml.replace(
            "summary: Create a thing",
            "parameters: [{ name: c, in: cookie, schema: { type: string } }]",
        )
    });
    assert!(cookie.starts_with("specs/test.yaml, createThing: generation: "), "{cookie}");

    let panic =
        refused(|yaml| yaml.replace("\n              schema: { $ref: '#/components/schemas/Thing' }", " {}"));
    assert!(panic.starts_with("specs/test.yaml, readThing: generation: progenitor panicked: "), "{panic}");
}

#[test]
fn what_the_document_must_be_is_checked_first() {
    for (from, to, says) in [
        (
            "openapi: 3.0.3",
            "openapi: 3.1.0",
            "specs/test.yaml, openapi: reading: only OpenAPI 3.0 is supported",
        ),
        (
            "operationId: readThing",
            "x-retry: read",
            "specs/test.yaml, get /things/{id}: reading: it has no operationId",
        ),
        (
            "operationId: readThing",
            "operationId: createThing",
            "specs/test.yaml, createThing: reading: another operation",
        ),
        ("summary: Read a thing", "x-retries: 3", "reading: specs/README.md does not define `x-retries`"),
        ("    post:", "    trace:", "reading: `trace` is not one of"),
        ("Thing: {", "thing-part: {", "thing-part: reading: a component's name is letters and digits"),
        (
            "{ name: { type: string } } }\n    ThingCreate",
            "{ extra: { type: string } } }\n    ThingCreate",
            "Thing.extra: reading: a property cannot have this name",
        ),
        (
            "{ name: { type: string } } }\n    ThingCreate",
            "{ a: { type: object, properties: {} } } }\n    ThingCreate",
            "Thing.a: reading: an object inside another one",
        ),
        (
            "{ name: { type: string } } }\n    ThingCreate",
            "{ a: { type: string, x-sensitive: very } } }\n    ThingCreate",
            "Thing.a: reading: x-sensitive is",
        ),
        (
            "{ name: { type: string } } }\n    ThingCreate",
            "{ a: { type: string, enum: [Unlisted] } } }\n    ThingCreate",
            "Thing.a: reading: its list of values",
        ),
        (
            "openapi: 3.0.3",
            "openapi: 3.0.3\nx-error: { mesage: /m }",
            "x-error: reading: `mesage` is not one of",
        ),
        ("components:", "components: text\nx-error:", "components: reading: it is missing or not an object"),
    ] {
        let error = refused(|yaml| yaml.replace(from, to));
        assert!(error.contains(says), "{error}");
    }
    assert!(generate("a: [").unwrap_err().starts_with("specs/test.yaml: reading: "));
}

#[test]
fn a_pass_without_a_match_is_an_error() {
    let mut matches = BTreeMap::new();
    for document in documents(&root()).unwrap() {
        sources(document, &mut matches).unwrap();
    }
    assert!(every_pass_matched(&matches).is_ok());
    assert_eq!(matches.len(), spec_passes::PASSES.len() + 1, "and the fields that `Debug` hides");
    matches.insert("decimals", 0);
    let error = every_pass_matched(&matches).unwrap_err().to_string();
    assert!(error.contains("decimals: it matches nothing in any document"), "{error}");
}

#[test]
fn a_difference_is_shown_as_a_unified_diff() {
    let readme = root().join("specs/README.md");
    let committed = output::read(&readme).unwrap();
    assert!(output::compare(&root(), &readme, &committed).is_ok());
    let error = output::compare(&root(), &readme, &committed.replacen("# The API documents", "# Others", 1))
        .unwrap_err();
    let diff = error.to_string();
    assert!(diff.contains("--- specs/README.md (committed)\n+++ specs/README.md (generated)\n@@ "), "{diff}");
    assert!(diff.contains("-# The API documents\n+# Others\n"), "{diff}");
    assert!(diff.ends_with("run `cargo xtask codegen` and commit it"), "{diff}");
}
