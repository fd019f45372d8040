//! Responses: successes, and errors with the body that all of them have.

use serde_json::{Value, json};

use crate::script::Answer;

/// The result of an operation.
pub(super) type OperationResult = Result<SuccessResponse, ErrorResponse>;

/// A successful response, in the shape of the standard.
#[derive(Debug)]
pub(super) struct SuccessResponse {
    status: u16,
    body: Option<Value>,
    headers: Vec<(&'static str, String)>,
}

impl SuccessResponse {
    pub(super) fn json(status: u16, body: Value) -> SuccessResponse {
        SuccessResponse { status, body: Some(body), headers: Vec::new() }
    }

    pub(super) fn empty(status: u16) -> SuccessResponse {
        SuccessResponse { status, body: None, headers: Vec::new() }
    }

    pub(super) fn header(mut self, name: &'static str, value: String) -> SuccessResponse {
        self.headers.push((name, value));
        self
    }

    pub(super) fn map(mut self, change: impl FnOnce(Value) -> Value) -> SuccessResponse {
        self.body = self.body.map(change);
        self
    }

    pub(super) fn answer(self) -> Answer {
        let answer = match self.body {
            Some(body) => Answer::json(self.status, &body),
            None => Answer::status(self.status),
        };
        self.headers.into_iter().fold(answer, |answer, (name, value)| answer.header(name, value))
    }
}

/// The reason why a request is not carried out. Contains nothing from a header, so that no secret is repeated.
#[derive(Debug)]
pub(super) struct ErrorResponse {
    status: u16,
    cause: String,
    headers: Vec<(&'static str, String)>,
}

impl ErrorResponse {
    pub(super) fn new(status: u16, cause: impl Into<String>) -> ErrorResponse {
        ErrorResponse { status, cause: cause.into(), headers: Vec::new() }
    }

    pub(super) fn not_found(kind: &str, id: &str) -> ErrorResponse {
        ErrorResponse::new(404, format!("There is no {kind} {id}"))
    }

    pub(super) fn header(mut self, name: &'static str, value: impl Into<String>) -> ErrorResponse {
        self.headers.push((name, value.into()));
        self
    }

    pub(super) fn answer(self) -> Answer {
        let answer = Answer::json(self.status, &json!({ "cause": self.cause }));
        self.headers.into_iter().fold(answer, |answer, (name, value)| answer.header(name, value))
    }
}
