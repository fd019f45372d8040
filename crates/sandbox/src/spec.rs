//! A supplier's OpenAPI document, which requests and responses are validated against.

mod derive;
mod operation;
mod schema;
mod template;

use std::sync::LazyLock;

use http::Method;
use jsonschema::Validator;
use serde_json::Value;

pub use operation::Operation;
use operation::{Content, is_json};
pub use template::Parameters;
pub(crate) use template::decode as percent_decoded;

use crate::onapi::Dialect;
use crate::query_string;

/// A supplier's OpenAPI document.
///
/// Requests and responses are validated against a *closed copy* of the document's schemas: an object accepts only the
/// documented fields, unless the document says that its keys are data. A misspelt field is therefore a problem here,
/// although the document itself would allow it. The simulated ON-API still carries out requests with such fields; see
/// [`ReceivedRequest::undocumented`](crate::ReceivedRequest::undocumented).
///
/// ```
/// use lastmile_sandbox::Spec;
///
/// let spec = Spec::cocon();
/// let body = br#"{"nmae": "A. Dijkstra"}"#;
/// let problems = spec.check_request("createContact", Some("application/json"), body);
/// assert_eq!(problems, ["body: Additional properties are not allowed ('nmae' was unexpected)"]);
/// ```
#[derive(Debug)]
pub struct Spec {
    document: Value,
    operations: Vec<Operation>,
}

/// The result of matching a method and a path; see [`Spec::route`].
#[derive(Debug)]
pub enum RouteMatch<'a> {
    /// The operation, with the decoded values of its path parameters.
    Found(&'a Operation, Parameters),
    /// The path is documented, but only with these methods.
    MethodNotAllowed(Vec<&'a Method>),
    /// The path is not documented.
    UnknownPath,
}

/// The result of [`Spec::check_open`].
#[derive(Debug)]
pub(crate) struct CheckedRequest {
    /// How the request violates the document.
    pub(crate) problems: Vec<String>,
    /// The fields that the document does not list.
    pub(crate) undocumented: Vec<String>,
}

/// Selects an example of an operation; see [`Spec::example`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExamplePart {
    /// The request body.
    Request,
    /// The response body with this status code.
    Response(u16),
}

const ONAPI_YAML: &str = include_str!("../specs/onapi.yaml");

static COCON: LazyLock<Spec> = LazyLock::new(|| {
    #[expect(clippy::expect_used, reason = "the document is part of this crate, and its tests read it")]
    Spec::parse(include_str!("../specs/cocon.yaml")).expect("specs/cocon.yaml can be read")
});

static COVAGE: LazyLock<Spec> = LazyLock::new(|| {
    #[expect(clippy::expect_used, reason = "the document is part of this crate, and its tests read it")]
    Spec::parse(include_str!("../specs/covage.yaml")).expect("specs/covage.yaml can be read")
});

static ONAPI: LazyLock<Spec> = LazyLock::new(|| {
    #[expect(clippy::expect_used, reason = "the document is part of this crate, and its tests read it")]
    Spec::parse(ONAPI_YAML).expect("specs/onapi.yaml can be read")
});

static ONAPI_VENDOR26: LazyLock<Spec> = LazyLock::new(|| Spec::derived(Dialect::Vendor26));
static ONAPI_STANDARD26: LazyLock<Spec> = LazyLock::new(|| Spec::derived(Dialect::Standard26));
static ONAPI_STANDARD25: LazyLock<Spec> = LazyLock::new(|| Spec::derived(Dialect::Standard25));
static ONAPI_STANDARD24: LazyLock<Spec> = LazyLock::new(|| Spec::derived(Dialect::Standard24));

impl Spec {
    /// Returns the document of the Cocon Fiber Transactional API.
    pub fn cocon() -> &'static Spec {
        &COCON
    }

    /// Returns the document of the Covage orders API.
    pub fn covage() -> &'static Spec {
        &COVAGE
    }

    /// Returns the document of the ON-API with all its dialects.
    ///
    /// It lists every operation, field and value that some network has. No network speaks it: what a network sends and
    /// accepts is validated against the document of its dialect, [`Dialect::spec`].
    pub fn onapi() -> &'static Spec {
        &ONAPI
    }

    /// Returns the document of a dialect of the ON-API, derived from the document of all dialects.
    pub(crate) fn onapi_dialect(dialect: Dialect) -> &'static Spec {
        match dialect {
            Dialect::Vendor26 => &ONAPI_VENDOR26,
            Dialect::Standard26 => &ONAPI_STANDARD26,
            Dialect::Standard25 => &ONAPI_STANDARD25,
            Dialect::Standard24 => &ONAPI_STANDARD24,
        }
    }

    fn derived(dialect: Dialect) -> Spec {
        #[expect(clippy::expect_used, reason = "the document is part of this crate, and its tests read it")]
        Spec::of(derive::for_dialect(Spec::onapi().document(), dialect.name()))
            .expect("specs/onapi.yaml describes each dialect")
    }

    /// Reads a document. Fails on anything it does not understand, so that no part of the document goes unchecked.
    pub(crate) fn parse(yaml: &str) -> Result<Spec, String> {
        Spec::of(serde_saphyr::from_str(yaml).map_err(|error| error.to_string())?)
    }

    fn of(document: Value) -> Result<Spec, String> {
        let operations = operation::read_all(&document)?;
        Ok(Spec { document, operations })
    }

    /// Returns the document itself.
    pub fn document(&self) -> &Value {
        &self.document
    }

    /// Returns all operations of the document.
    pub fn operations(&self) -> impl Iterator<Item = &Operation> {
        self.operations.iter()
    }

    /// Returns the operation with this `operationId`.
    pub fn operation(&self, id: &str) -> Option<&Operation> {
        self.operations.iter().find(|operation| operation.id == id)
    }

    /// Matches a method and a percent-encoded path to an operation.
    ///
    /// The path is split into segments before it is decoded, so `a%2Fb` is one segment, with the value `a/b`. If
    /// several templates match, the one with the earliest literal segment wins: `/batch` over `/{id}`.
    pub fn route(&self, method: &Method, path: &str) -> RouteMatch<'_> {
        let Some(segments) = template::split(path) else { return RouteMatch::UnknownPath };
        let matching = || {
            let matches_path = |operation: &&Operation| operation.template.matches(&segments);
            self.operations.iter().filter(matches_path)
        };
        let Some(best) = matching().map(|operation| operation.template.literals()).max() else {
            return RouteMatch::UnknownPath;
        };
        let candidates: Vec<_> =
            matching().filter(|operation| operation.template.literals() == best).collect();
        match candidates.iter().find(|operation| operation.method == *method) {
            Some(operation) => RouteMatch::Found(operation, operation.template.parameters(segments)),
            None => {
                RouteMatch::MethodNotAllowed(candidates.iter().map(|operation| &operation.method).collect())
            }
        }
    }

    /// Returns the problems of a request's media type and body. Empty if they are valid.
    ///
    /// Each text starts with the location of the problem (for a body, its JSON pointer) and never contains a sent
    /// value. The media type must be documented; its parameters, such as `charset`, are ignored.
    pub fn check_request(&self, operation_id: &str, content_type: Option<&str>, body: &[u8]) -> Vec<String> {
        let Some(operation) = self.operation(operation_id) else {
            return vec![format!("operation: there is no {operation_id}")];
        };
        if body.is_empty() {
            let missing = operation.request_required;
            return missing.then(|| "body: it is missing".to_owned()).into_iter().collect();
        }
        check_content(&operation.request, content_type, body)
    }

    /// Validates the media type and the body of a request, which may have fields that the document does not list if it
    /// does not exclude them.
    pub(crate) fn check_open(
        &self,
        operation_id: &str,
        content_type: Option<&str>,
        body: &[u8],
    ) -> CheckedRequest {
        let problems = self.check_request(operation_id, content_type, body);
        let media = self
            .operation(operation_id)
            .and_then(|operation| operation.request.get(&content_type.map(essence).unwrap_or_default()));
        match media.and_then(|media| media.open_schema.as_ref()) {
            Some(schema) if !problems.is_empty() && !body.is_empty() => {
                let of_document = check_json(schema, body);
                let undocumented =
                    problems.into_iter().filter(|problem| !of_document.contains(problem)).collect();
                CheckedRequest { problems: of_document, undocumented }
            }
            _ => CheckedRequest { problems, undocumented: Vec::new() },
        }
    }

    /// Returns the problems of a query string: parameters that the document does not have.
    pub fn check_query(&self, operation_id: &str, query: Option<&str>) -> Vec<String> {
        let Some(operation) = self.operation(operation_id) else { return Vec::new() };
        query_string::names(query)
            .filter(|name| !operation.query.contains(*name))
            .map(|name| format!("query: the parameter '{name}' is not documented"))
            .collect()
    }

    /// Returns the problems of a response: an undocumented status code or media type, or a body that violates its
    /// schema.
    pub fn check_response(
        &self,
        operation_id: &str,
        status: u16,
        content_type: Option<&str>,
        body: &[u8],
    ) -> Vec<String> {
        let Some(operation) = self.operation(operation_id) else {
            return vec![format!("operation: there is no {operation_id}")];
        };
        match operation.responses.get(&status) {
            None => vec![format!("status: {status} is not documented")],
            Some(content) if content.is_empty() && body.is_empty() => Vec::new(),
            Some(content) => check_content(content, content_type, body),
        }
    }

    /// Returns the node that a reference within the document points to, or the node itself if it is no reference.
    pub(crate) fn resolve<'a>(&'a self, node: &'a Value) -> &'a Value {
        let pointer = node["$ref"].as_str().and_then(|reference| reference.strip_prefix('#'));
        pointer.and_then(|pointer| self.document.pointer(pointer)).unwrap_or(node)
    }

    /// Returns the document's example of a request or response body.
    pub fn example(&self, operation_id: &str, part: ExamplePart) -> Option<&Value> {
        let operation = self.operation(operation_id)?;
        let content = match part {
            ExamplePart::Request => &operation.request,
            ExamplePart::Response(status) => operation.responses.get(&status)?,
        };
        content.values().find_map(|media| media.example.as_ref())
    }
}

/// Returns the value of an `Allow` header.
pub(crate) fn allow_header(methods: &[&Method]) -> String {
    methods.iter().map(|method| method.as_str()).collect::<Vec<_>>().join(", ")
}

fn check_content(content: &Content, content_type: Option<&str>, body: &[u8]) -> Vec<String> {
    if content.is_empty() {
        return vec!["body: none is documented".to_owned()];
    }
    let essence = content_type.map(essence).unwrap_or_default();
    let Some(media) = content.get(&essence) else {
        let documented = content.keys().map(String::as_str).collect::<Vec<_>>().join(" or ");
        return vec![format!("content-type: it is not {documented}")];
    };
    match &media.schema {
        Some(schema) if is_json(&essence) => check_json(schema, body),
        _ => Vec::new(),
    }
}

/// Returns the media type without its parameters, in lower case.
fn essence(content_type: &str) -> String {
    content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

fn check_json(schema: &Validator, body: &[u8]) -> Vec<String> {
    match serde_json::from_slice(body) {
        Err(error) => vec![format!("body: it is not JSON ({error})")],
        // Much faster than listing the problems.
        Ok(value) if schema.is_valid(&value) => Vec::new(),
        // Masked, because these texts become part of error bodies, and values are personal data.
        Ok(value) => schema
            .iter_errors(&value)
            .map(|error| format!("body{}: {}", error.instance_path(), error.masked()))
            .collect(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
mod tests {
    use super::*;

    const DOCUMENT: &str = r##"
paths:
  /things/{id}:
    parameters:
      - { name: lang, in: query }
    get:
      operationId: getThing
      responses:
        '200': { $ref: '#/components/responses/Thing' }
    put:
      operationId: putThing
      requestBody:
        content:
          text/plain: {}
      responses: { '204': { description: done } }
  /things/batch:
    get:
      operationId: getBatch
      responses: { '204': { description: done } }
components:
  responses:
    Thing:
      content:
        application/json:
          schema: { $ref: '#/components/schemas/Thing' }
          example: { size: 1 }
  schemas:
    Thing:
      type: object
      required: [size]
      properties: { size: { type: integer }, day: { type: string, format: date, nullable: true } }
"##;

    fn document() -> Spec {
        Spec::parse(DOCUMENT).unwrap()
    }

    fn found(spec: &Spec, path: &str) -> (String, Parameters) {
        match spec.route(&Method::GET, path) {
            RouteMatch::Found(operation, parameters) => (operation.id.clone(), parameters),
            other => panic!("{path}: {other:?}"),
        }
    }

    #[test]
    fn a_literal_segment_wins_over_a_parameter() {
        let spec = document();
        assert_eq!(found(&spec, "/things/batch").0, "getBatch");
        assert_eq!(found(&spec, "/things/bat").0, "getThing");
        let RouteMatch::MethodNotAllowed(allowed) = spec.route(&Method::PUT, "/things/batch") else {
            panic!()
        };
        assert_eq!(allowed, [Method::GET]);
    }

    #[test]
    fn a_parameter_is_decoded_after_the_path_was_split() {
        let spec = document();
        for (path, id) in [("/things/a%2Fb", "a/b"), ("/things/%C3%A9%20x", "é x"), ("/things/a+b", "a+b")] {
            assert_eq!(found(&spec, path).1.get("id").map(String::as_str), Some(id), "{path}");
        }
    }

    #[test]
    fn an_undocumented_path_is_unknown() {
        let spec = document();
        for path in
            ["/", "/things", "/things/", "/things/1/", "/things/1/2", "//things/1", "/things/%zz", "*"]
        {
            assert!(matches!(spec.route(&Method::GET, path), RouteMatch::UnknownPath), "{path}");
        }
    }

    #[test]
    fn responses_are_validated_by_status_media_type_and_schema() {
        let spec = document();
        let check =
            |status, media, body: &str| spec.check_response("getThing", status, media, body.as_bytes());
        let json = Some("application/json; charset=utf-8");
        assert!(check(200, json, r#"{"size": 1, "day": "2026-02-28"}"#).is_empty());
        assert!(check(200, json, r#"{"size": 1, "day": null}"#).is_empty());
        assert_eq!(check(418, json, "{}"), ["status: 418 is not documented"]);
        assert_eq!(check(200, Some("text/html"), "{}"), ["content-type: it is not application/json"]);
        assert_eq!(check(200, None, "{}"), ["content-type: it is not application/json"]);
        assert_eq!(check(200, json, "{}"), ["body: \"size\" is a required property"]);
        assert_eq!(
            check(200, json, r#"{"size": 1, "day": "2026-02-30"}"#),
            ["body/day: value is not a \"date\""]
        );
        assert!(check(200, json, "")[0].starts_with("body: it is not JSON"));
        assert_eq!(spec.check_response("getBatch", 204, json, b"{}"), ["body: none is documented"]);
        assert!(spec.check_response("getBatch", 204, None, b"").is_empty());
        assert_eq!(
            spec.example("getThing", ExamplePart::Response(200)),
            Some(&serde_json::json!({"size": 1}))
        );
    }

    #[test]
    fn only_the_media_type_of_other_bodies_is_validated() {
        let spec = document();
        assert!(spec.check_request("putThing", Some("Text/Plain"), b"\xff").is_empty());
        assert!(spec.check_request("putThing", None, b"").is_empty());
        assert_eq!(
            spec.check_request("putThing", Some("text/html"), b"x"),
            ["content-type: it is not text/plain"]
        );
        assert_eq!(spec.check_request("getThing", Some("text/plain"), b"x"), ["body: none is documented"]);
    }

    #[test]
    fn a_query_parameter_must_be_documented() {
        let spec = document();
        assert!(spec.check_query("getThing", Some("lang=nl")).is_empty());
        assert!(spec.check_query("getThing", None).is_empty());
        assert_eq!(
            spec.check_query("getThing", Some("lang=nl&page=2")),
            ["query: the parameter 'page' is not documented"]
        );
    }

    #[test]
    fn a_document_with_unknown_parts_is_an_error() {
        for (from, to) in [
            ("'200'", "default"),
            ("operationId: getBatch", "operationId: getThing"),
            ("#/components/responses/Thing", "#/components/responses/Missing"),
            ("type: integer", "type: whole"),
            ("'#/components/schemas/Thing'", "'#/components/schemas/Missing'"),
            ("{id}", "{id}.json"),
        ] {
            let broken = DOCUMENT.replace(from, to);
            assert_ne!(broken, DOCUMENT);
            assert!(Spec::parse(&broken).is_err(), "{to}");
        }
    }
}
