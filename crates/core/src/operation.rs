//! The operations of an API as data, generated from its document.

use std::time::Duration;

use reqwest::Method;
use serde_json::Value;

/// What all calls of an API depend on and that differs between suppliers. Generated from its document.
#[derive(Debug)]
pub struct Table {
    /// The short name of the API, as in errors and spans.
    pub api: &'static str,
    /// The title of the document.
    pub title: &'static str,
    /// The version of the API.
    pub version: &'static str,
    /// Where an error body keeps its parts.
    pub errors: ErrorShape,
    /// The headers that carry keys, by the name of their security scheme.
    pub key_headers: &'static [(&'static str, &'static str)],
    /// How tokens are obtained and renewed, one for each generation of them.
    pub tokens: &'static [TokenFlow],
}

impl Table {
    /// The token flow of this security scheme.
    pub fn token_flow(&self, scheme: &str) -> Option<&'static TokenFlow> {
        self.tokens.iter().find(|flow| flow.scheme == scheme)
    }

    /// The header that carries the key of this security scheme.
    pub fn key_header(&self, scheme: &str) -> Option<&'static str> {
        self.key_headers.iter().find(|(name, _)| *name == scheme).map(|(_, header)| *header)
    }
}

/// One operation of an API.
#[derive(Debug)]
pub struct Operation {
    /// The name of the client's method.
    pub id: &'static str,
    /// The HTTP method.
    pub method: Method,
    /// The path with its parameters in braces. Spans and errors show this, never the path that was sent.
    pub path: &'static str,
    /// Whether it may be sent again when its answer is missing.
    pub repeat: Repeat,
    /// The media type of the request, where it is not plain JSON.
    pub media_type: Option<&'static str>,
    /// What a success brings.
    pub answer: Answer,
    /// What is known of the rows, where the answer is a list of them; none where it is one object, or nothing.
    pub list: Option<ListShape>,
    /// Whether it wants a token. Those that bring one do not.
    pub authorized: bool,
    /// Whether some servers read the names of its query parameters in lower case only.
    pub lower_case: bool,
    /// Whether it answers with status 304 when nothing has changed.
    pub conditional: bool,
    /// How long there must be between two of its calls for the same path, by the supplier's word.
    pub interval: Option<Duration>,
}

impl Operation {
    /// A read without anything special. Generated statics name what differs from it.
    pub const READ: Self = Self {
        id: "read",
        method: Method::GET,
        path: "/",
        repeat: Repeat::Read,
        media_type: None,
        answer: Answer::Json,
        list: None,
        authorized: true,
        lower_case: false,
        conditional: false,
        interval: None,
    };
}

/// Whether a request may be sent again when it is not known what became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// It changes nothing.
    Read,
    /// Doing it twice is the same as doing it once.
    Idempotent,
    /// Doing it twice does it twice.
    Once,
}

/// What a success brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// A JSON body.
    Json,
    /// No body that means anything.
    Nothing,
}

/// What is known of a list that an operation answers with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListShape {
    /// The field that each row has. An object without brackets is a list of one only if it has this field; where no field is
    /// known, it never is.
    pub identity: Option<&'static str>,
    /// Whether the operation is asked for one page at a time.
    pub is_paged: bool,
}

/// Where an error body keeps its parts, as JSON pointers; an empty one means that it has no such part.
#[derive(Clone, Copy, Debug)]
pub struct ErrorShape {
    /// The explanation.
    pub message: &'static str,
    /// The supplier's id of the failure.
    pub id: &'static str,
    /// The list of single errors.
    pub fields: &'static str,
    /// Inside one of these: the name of the field that is wrong.
    pub field_name: &'static str,
    /// Inside one of these: the code.
    pub field_code: &'static str,
    /// Inside one of these: the explanation, or a list of them.
    pub field_message: &'static str,
}

impl ErrorShape {
    /// Whether a body is an error of this shape: whether it has the explanation.
    pub(crate) fn is_in(&self, body: &[u8]) -> bool {
        if self.message.is_empty() || body.is_empty() {
            return false;
        }
        let body: Option<Value> = serde_json::from_slice(body).ok();
        let message = body.as_ref().and_then(|body| body.pointer(self.message)?.as_str());
        message.is_some_and(|message| !message.is_empty())
    }
}

/// How a token is obtained with a user and password, and renewed.
#[derive(Debug)]
pub struct TokenFlow {
    /// The name of the security scheme.
    pub scheme: &'static str,
    /// What stands before the token in `Authorization`.
    pub prefix: &'static str,
    /// The path of the operation that obtains a token.
    pub obtain: &'static str,
    /// The path of the operation that renews it.
    pub renew: &'static str,
    /// Where the token is in the answer of either, as a JSON pointer.
    pub token: &'static str,
    /// Where that which it is renewed with is, as a JSON pointer.
    pub renewal: &'static str,
    /// The field that carries it when it is renewed.
    pub renewal_field: &'static str,
    /// How long a token is good for.
    pub lifetime: Duration,
}
