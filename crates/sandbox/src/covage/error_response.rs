//! Error responses with the error body of the supplier.

use http::Method;
use serde_json::{Value, json};

use super::generator::Generator;
use crate::script::Answer;
use crate::spec::allow_header;

/// The message of a validation error, as on the supplier's page on errors.
const INVALID: &str = "Invalid input";
/// The message for a missing field, as on the same page.
pub(super) const REQUIRED: &str = "This field is required.";

/// An error about one field. Contains no values, because those are personal data.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct FieldError {
    field: String,
    problem: String,
}

impl FieldError {
    pub(super) fn new(field: impl Into<String>, problem: impl Into<String>) -> FieldError {
        FieldError { field: field.into(), problem: problem.into() }
    }

    pub(super) fn required(field: impl Into<String>) -> FieldError {
        FieldError::new(field, REQUIRED)
    }

    /// Converts a problem of the document's validation: `body/a/b: ...` is about the field `a.b`.
    fn from_problem(problem: &str) -> FieldError {
        let (path, text) = problem.split_once(": ").unwrap_or(("body", problem));
        let path = path.strip_prefix("body/").unwrap_or(path).replace('/', ".");
        match text.strip_suffix(" is a required property") {
            Some(name) if path == "body" => FieldError::required(name.trim_matches('"')),
            Some(name) => FieldError::required(format!("{path}.{}", name.trim_matches('"'))),
            None => FieldError::new(path, text),
        }
    }
}

/// The reason why a request is not carried out. Contains nothing from a header, so that no secret is repeated.
#[derive(Debug)]
pub(super) struct ErrorResponse {
    status: u16,
    error: String,
    errors: Vec<FieldError>,
    allow: Option<String>,
}

impl ErrorResponse {
    pub(super) fn new(status: u16, error: impl Into<String>) -> ErrorResponse {
        ErrorResponse { status, error: error.into(), errors: Vec::new(), allow: None }
    }

    pub(super) fn not_found(kind: &str) -> ErrorResponse {
        ErrorResponse::new(404, format!("There is no such {kind}."))
    }

    pub(super) fn field(field: impl Into<String>, problem: impl Into<String>) -> ErrorResponse {
        ErrorResponse::invalid(vec![FieldError::new(field, problem)])
    }

    pub(super) fn invalid(errors: Vec<FieldError>) -> ErrorResponse {
        ErrorResponse { errors, ..ErrorResponse::new(400, INVALID) }
    }

    /// Returns a 400 for a request that violates the document.
    pub(super) fn invalid_request(problems: &[String]) -> ErrorResponse {
        ErrorResponse::invalid(problems.iter().map(|problem| FieldError::from_problem(problem)).collect())
    }

    pub(super) fn method_not_allowed(allowed: &[&Method]) -> ErrorResponse {
        let allow = allow_header(allowed);
        ErrorResponse {
            allow: Some(allow),
            ..ErrorResponse::new(405, "This path does not take this method.")
        }
    }

    pub(super) fn answer(&self, generator: &mut Generator) -> Answer {
        let body = json!({
            "apirequest_uuid": format!("KOSC_{}", generator.uuid()),
            "details": self.details(),
            "error": self.error,
        });
        let answer = Answer::json(self.status, &body);
        match &self.allow {
            Some(allow) => answer.header("allow", allow),
            None => answer,
        }
    }

    /// Returns each field once, with all its errors, or `None` if no error is about a field.
    fn details(&self) -> Option<Vec<Value>> {
        let mut fields: Vec<(&str, Vec<&str>)> = Vec::new();
        for error in &self.errors {
            match fields.iter_mut().find(|(field, _)| *field == error.field) {
                Some((_, problems)) => problems.push(&error.problem),
                None => fields.push((&error.field, vec![&error.problem])),
            }
        }
        let details = fields.iter().map(|(field, problems)| json!({ "field": field, "errors": problems }));
        (!fields.is_empty()).then(|| details.collect())
    }
}

/// Fails with a 400 that lists all errors, if there are any.
pub(super) fn fail_if_any(errors: Vec<FieldError>) -> Result<(), ErrorResponse> {
    if errors.is_empty() { Ok(()) } else { Err(ErrorResponse::invalid(errors)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_are_converted_to_field_errors() {
        let error = |problem| FieldError::from_problem(problem);
        assert_eq!(error("body: \"email\" is a required property"), FieldError::required("email"));
        assert_eq!(error("body/a/b: \"c\" is a required property"), FieldError::required("a.b.c"));
        assert_eq!(error("body/a/0: value is wrong"), FieldError::new("a.0", "value is wrong"));
        assert_eq!(error("content-type: it is not x"), FieldError::new("content-type", "it is not x"));
    }

    #[test]
    fn errors_are_grouped_by_field() {
        let errors = vec![FieldError::new("a", "1"), FieldError::new("b", "2"), FieldError::new("a", "3")];
        let details =
            [json!({ "field": "a", "errors": ["1", "3"] }), json!({ "field": "b", "errors": ["2"] })];
        assert_eq!(ErrorResponse::invalid(errors).details(), Some(details.to_vec()));
        assert_eq!(ErrorResponse::new(404, "x").details(), None);
    }
}
