//! Responses: successes, and errors with the body that all of them have.

use serde_json::{Value, json};

use crate::rows::Rows;
use crate::script::Answer;

/// The result of an operation.
pub(super) type OperationResult = Result<SuccessResponse, ErrorResponse>;

/// A list of more items than this is generated while it is sent.
const LONG_LIST: usize = 10_000;

/// A successful response, in the shape of the standard.
#[derive(Debug)]
pub(super) struct SuccessResponse {
    status: u16,
    body: Option<Value>,
    /// The rows of a list that is sent as it is generated, in place of a body.
    rows: Option<Rows>,
    headers: Vec<(&'static str, String)>,
}

impl SuccessResponse {
    pub(super) fn json(status: u16, body: Value) -> SuccessResponse {
        SuccessResponse { status, body: Some(body), rows: None, headers: Vec::new() }
    }

    pub(super) fn empty(status: u16) -> SuccessResponse {
        SuccessResponse { status, body: None, rows: None, headers: Vec::new() }
    }

    /// Returns a list of the rows that each of `count` items has. A long list is generated while it is sent.
    pub(super) fn rows(
        count: usize,
        rows_of: impl Fn(usize) -> Vec<Value> + Send + Sync + 'static,
    ) -> SuccessResponse {
        if count > LONG_LIST {
            let rows = Some(Rows::new(count, rows_of));
            return SuccessResponse { status: 200, body: None, rows, headers: Vec::new() };
        }
        SuccessResponse::json(200, (0..count).flat_map(rows_of).collect())
    }

    /// Returns whether the body is a list without rows.
    pub(super) fn is_empty_list(&self) -> bool {
        self.body.as_ref().and_then(Value::as_array).is_some_and(Vec::is_empty)
    }

    pub(super) fn header(mut self, name: &'static str, value: String) -> SuccessResponse {
        self.headers.push((name, value));
        self
    }

    /// Changes the body. The rows of a long list are changed as lists of one row each.
    pub(super) fn map(mut self, change: impl Fn(Value) -> Value + Send + Sync + 'static) -> SuccessResponse {
        self.body = self.body.map(&change);
        self.rows = self.rows.map(|rows| rows.map(change));
        self
    }

    pub(super) fn answer(self) -> Answer {
        let answer = match (self.body, self.rows) {
            (Some(body), _) => Answer::json(self.status, &body),
            (None, Some(rows)) => Answer::rows(self.status, rows),
            (None, None) => Answer::status(self.status),
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
