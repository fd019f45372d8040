//! Error responses with the error body of the supplier.

use http::Method;
use serde_json::{Value, json};

use super::generator::Generator;
use crate::script::Answer;
use crate::spec::allow_header;

/// The result of an operation: a response body or none, or an error response.
pub(super) type OperationResult = Result<Option<Value>, ErrorResponse>;

/// The reason why a request or a job is not carried out. Contains nothing from a header, so that no secret is
/// repeated.
#[derive(Debug)]
pub(super) struct ErrorResponse {
    status: u16,
    message: String,
    /// Code and message of each error.
    errors: Vec<(&'static str, String)>,
    allow: Option<String>,
}

impl ErrorResponse {
    pub(super) fn new(status: u16, code: &'static str, message: impl Into<String>) -> ErrorResponse {
        let message = message.into();
        ErrorResponse { status, errors: vec![(code, message.clone())], message, allow: None }
    }

    pub(super) fn not_found(kind: &str, id: &str) -> ErrorResponse {
        ErrorResponse::new(404, "NotFound", format!("There is no {kind} {id}"))
    }

    /// Returns a 400 with one error per problem.
    pub(super) fn invalid(problems: &[String]) -> ErrorResponse {
        let errors = problems.iter().map(|problem| ("InvalidRequest", problem.clone())).collect();
        ErrorResponse {
            status: 400,
            message: "The request is not acceptable".to_owned(),
            errors,
            allow: None,
        }
    }

    pub(super) fn method_not_allowed(allowed: &[&Method]) -> ErrorResponse {
        let allow = allow_header(allowed);
        let error_response = ErrorResponse::new(405, "MethodNotAllowed", format!("This path takes {allow}"));
        ErrorResponse { allow: Some(allow), ..error_response }
    }

    pub(super) fn body(&self, generator: &mut Generator) -> Value {
        let errors: Vec<_> =
            self.errors.iter().map(|(code, message)| json!({ "code": code, "message": message })).collect();
        json!({
            "timestamp": generator.timestamp(),
            "id": generator.uuid(),
            "status": self.status,
            "errors": errors,
            "message": self.message,
        })
    }

    pub(super) fn answer(&self, generator: &mut Generator) -> Answer {
        let answer = Answer::json(self.status, &self.body(generator));
        match &self.allow {
            Some(allow) => answer.header("allow", allow),
            None => answer,
        }
    }
}
