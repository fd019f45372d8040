//! Reads the operations of a document and builds a validator for each request and response body.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use http::Method;
use jsonschema::{Draft, Validator};
use serde_json::{Map, Value, json};

use super::schema::{UnlistedFields, convert, convert_each};
use super::template::Template;

pub(super) const METHODS: [&str; 7] = ["get", "put", "post", "delete", "options", "head", "patch"];

/// One operation of a document.
#[derive(Debug)]
#[non_exhaustive]
pub struct Operation {
    /// The `operationId`.
    pub id: String,
    /// The HTTP method.
    pub method: Method,
    /// The path template, with parameters in braces.
    pub path: String,
    pub(super) template: Template,
    pub(super) query: BTreeSet<String>,
    pub(super) request: Content,
    pub(super) request_required: bool,
    pub(super) responses: BTreeMap<u16, Content>,
}

/// The documented bodies by media type. Empty if no body is documented.
pub(super) type Content = BTreeMap<String, Media>;

#[derive(Debug)]
pub(super) struct Media {
    /// The closed copy of the schema.
    pub(super) schema: Option<Arc<Validator>>,
    /// The schema as the document has it, of requests only.
    pub(super) open_schema: Option<Arc<Validator>>,
    pub(super) example: Option<Value>,
}

impl Operation {
    /// Returns the documented status codes.
    pub fn statuses(&self) -> impl Iterator<Item = u16> {
        self.responses.keys().copied()
    }

    /// Returns whether a status code is documented.
    pub(crate) fn documents_status(&self, status: u16) -> bool {
        self.responses.contains_key(&status)
    }

    /// Returns the names of the query parameters.
    pub(crate) fn query_parameters(&self) -> impl Iterator<Item = &str> {
        self.query.iter().map(String::as_str)
    }

    /// Returns the media types of the request body. Empty if the operation accepts no body.
    pub fn request_media_types(&self) -> impl Iterator<Item = &str> {
        self.request.keys().map(String::as_str)
    }
}

pub(super) fn is_json(media_type: &str) -> bool {
    media_type == "application/json" || media_type.ends_with("+json")
}

pub(super) fn read_all(document: &Value) -> Result<Vec<Operation>, String> {
    let mut reader = Reader::new(document);
    let mut operations: Vec<Operation> = Vec::new();
    for (path, item) in object(document, "paths") {
        for method in METHODS {
            let Some(node) = item.get(method) else { continue };
            let operation = reader
                .operation(path, item, method, node)
                .map_err(|problem| format!("{method} {path}: {problem}"))?;
            if operations.iter().any(|other| other.id == operation.id) {
                return Err(format!("{}: this operationId is given twice", operation.id));
            }
            operations.push(operation);
        }
    }
    Ok(operations)
}

struct Reader<'a> {
    document: &'a Value,
    closed_components: Value,
    open_components: Value,
    /// Validators by schema, because many operations share the same few schemas.
    validators: HashMap<String, Arc<Validator>>,
}

impl<'a> Reader<'a> {
    fn new(document: &'a Value) -> Self {
        let components = |unlisted| {
            let schemas = document.pointer("/components/schemas");
            json!({ "schemas": schemas.map(|schemas| convert_each(schemas, unlisted)) })
        };
        Reader {
            document,
            closed_components: components(UnlistedFields::Rejected),
            open_components: components(UnlistedFields::AsDocumented),
            validators: HashMap::new(),
        }
    }

    fn operation(
        &mut self,
        path: &str,
        item: &'a Value,
        method: &str,
        node: &'a Value,
    ) -> Result<Operation, String> {
        let request = self.resolve(node.get("requestBody").unwrap_or(&Value::Null))?;
        let mut responses = BTreeMap::new();
        for (status, answer) in object(node, "responses") {
            let number = status.parse().map_err(|_| format!("status {status} is not a number"))?;
            responses.insert(number, self.content(self.resolve(answer)?, false)?);
        }
        Ok(Operation {
            id: text(node, "operationId")?.to_owned(),
            method: method.to_uppercase().parse().map_err(|_| "no such method".to_owned())?,
            path: path.to_owned(),
            template: Template::parse(path)?,
            query: self.query(item, node)?,
            request: self.content(request, true)?,
            request_required: request["required"] == true,
            responses,
        })
    }

    /// Returns the names of the query parameters. A path may declare parameters for all its operations.
    fn query(&self, item: &'a Value, node: &'a Value) -> Result<BTreeSet<String>, String> {
        let mut names = BTreeSet::new();
        for parameter in [item, node].into_iter().filter_map(|owner| owner["parameters"].as_array()).flatten()
        {
            let parameter = self.resolve(parameter)?;
            if parameter["in"] == "query" {
                names.insert(text(parameter, "name")?.to_owned());
            }
        }
        Ok(names)
    }

    fn content(&mut self, body: &'a Value, is_request: bool) -> Result<Content, String> {
        let mut content = Content::new();
        for (media_type, media) in object(body, "content") {
            let mut validator =
                |unlisted| media.get("schema").map(|schema| self.validator(schema, unlisted)).transpose();
            let schema = validator(UnlistedFields::Rejected)?;
            let open_schema = if is_request { validator(UnlistedFields::AsDocumented)? } else { None };
            let example = self.example(media)?.cloned();
            content.insert(media_type.to_ascii_lowercase(), Media { schema, open_schema, example });
        }
        Ok(content)
    }

    /// Returns the example of a body: `example`, or the first entry of `examples`.
    fn example(&self, media: &'a Value) -> Result<Option<&'a Value>, String> {
        if let Some(example) = media.get("example") {
            return Ok(Some(example));
        }
        match object(media, "examples").next() {
            Some((_, named)) => Ok(self.resolve(named)?.get("value")),
            None => Ok(None),
        }
    }

    fn validator(&mut self, schema: &Value, unlisted: UnlistedFields) -> Result<Arc<Validator>, String> {
        let mut root = convert(schema, unlisted);
        // A reference reads the same in both copies.
        let key = format!("{unlisted:?} {root}");
        if let Some(validator) = self.validators.get(&key) {
            return Ok(Arc::clone(validator));
        }
        // References into the components are resolved in the document that contains them.
        if let Value::Object(fields) = &mut root {
            let components = match unlisted {
                UnlistedFields::Rejected => &self.closed_components,
                UnlistedFields::AsDocumented => &self.open_components,
            };
            fields.insert("components".to_owned(), components.clone());
        }
        let validator = jsonschema::options()
            .with_draft(Draft::Draft202012)
            .should_validate_formats(true)
            .build(&root)
            .map_err(|error| format!("schema {key}: {error}"))?;
        let validator = Arc::new(validator);
        self.validators.insert(key, Arc::clone(&validator));
        Ok(validator)
    }

    /// Returns the node that a reference within the document points to, or the node itself if it is no reference.
    fn resolve(&self, node: &'a Value) -> Result<&'a Value, String> {
        let Some(reference) = node.get("$ref") else { return Ok(node) };
        reference
            .as_str()
            .and_then(|reference| reference.strip_prefix('#'))
            .and_then(|pointer| self.document.pointer(pointer))
            .filter(|target| target.get("$ref").is_none())
            .ok_or_else(|| format!("the reference {reference} cannot be followed"))
    }
}

/// Returns the entries of an object in a field. Empty if there is no such object.
fn object<'a>(node: &'a Value, field: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    node.get(field).and_then(Value::as_object).into_iter().flat_map(Map::iter)
}

fn text<'a>(node: &'a Value, field: &str) -> Result<&'a str, String> {
    node[field].as_str().ok_or_else(|| format!("{field} is missing"))
}
