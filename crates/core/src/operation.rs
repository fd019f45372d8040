//! The operations of an API as data, generated from its document.

use std::time::Duration;

use reqwest::Method;
use serde_json::Value;

/// What differs between the APIs of suppliers and applies to all calls of an API. It is generated from the API's document.
#[derive(Debug)]
pub struct Table {
    /// The short name of the API, as in errors and spans: `onapi`.
    pub api: &'static str,
    /// Where an error body of the API contains its parts.
    pub errors: ErrorShape,
    /// The headers that carry API keys: pairs of the security scheme's name and the header's name.
    pub key_headers: &'static [(&'static str, &'static str)],
    /// How tokens are obtained and renewed: one flow for each security scheme with tokens.
    pub tokens: &'static [TokenFlow],
}

impl Table {
    /// Returns the token flow of this security scheme.
    pub fn token_flow(&self, scheme: &str) -> Option<&'static TokenFlow> {
        self.tokens.iter().find(|flow| flow.scheme == scheme)
    }

    /// Returns the name of the header that carries the key of this security scheme.
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
    /// The path with its parameters in braces. Spans and errors show this path, never the one that was sent.
    pub path: &'static str,
    /// Whether a request may be sent again when no response to it has arrived.
    pub repeat: Repeat,
    /// The media type of the request body, if it is not plain JSON.
    pub media_type: Option<&'static str>,
    /// Whether a successful response has a JSON body. If not, its body is empty or without meaning.
    pub has_content: bool,
    /// What is known of the list, if the response is a list of rows; `None` if it is a single object or has no content.
    pub list: Option<ListShape>,
    /// Whether a request needs a token. The operations that obtain a token do not.
    pub authorized: bool,
    /// Whether some servers accept the names of the operation's query parameters in lower case only.
    pub lower_case: bool,
    /// Whether the supplier responds with status 304 when nothing has changed.
    pub conditional: bool,
    /// The minimum time between two requests for the same path, as the supplier documents it.
    pub interval: Option<Duration>,
}

impl Operation {
    /// A read without special properties. Generated statics set only the fields that differ from it.
    pub const READ: Self = Self {
        id: "read",
        method: Method::GET,
        path: "/",
        repeat: Repeat::Read,
        media_type: None,
        has_content: true,
        list: None,
        authorized: true,
        lower_case: false,
        conditional: false,
        interval: None,
    };
}

/// Whether a request may be sent again when it is not known whether it took effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// The request changes nothing.
    Read,
    /// Sending the request twice has the same effect as sending it once.
    Idempotent,
    /// Sending the request twice takes effect twice.
    Once,
}

/// What is known of a list that an operation returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListShape {
    /// The field that each row has. An object without brackets is a list of one row only if it has this field; if no field is
    /// known, it never is.
    pub identity: Option<&'static str>,
    /// Whether the operation returns one page at a time.
    pub is_paged: bool,
}

/// Where an error body contains its parts, as JSON pointers. An empty pointer means that the body has no such part.
#[derive(Clone, Copy, Debug)]
pub struct ErrorShape {
    /// The error message.
    pub message: &'static str,
    /// The supplier's id of the failure.
    pub id: &'static str,
    /// The list of single errors.
    pub fields: &'static str,
    /// The name of the invalid field, relative to a single error.
    pub field_name: &'static str,
    /// The error code, relative to a single error.
    pub field_code: &'static str,
    /// The error message or a list of messages, relative to a single error.
    pub field_message: &'static str,
}

impl ErrorShape {
    /// Returns whether a body is an error of this shape, that is, whether it contains the error message.
    pub(crate) fn is_in(&self, body: &[u8]) -> bool {
        if self.message.is_empty() || body.is_empty() {
            return false;
        }
        let body: Option<Value> = serde_json::from_slice(body).ok();
        let message = body.as_ref().and_then(|body| body.pointer(self.message)?.as_str());
        message.is_some_and(|message| !message.is_empty())
    }
}

/// How a token is obtained with a user and password, and how it is renewed.
#[derive(Debug)]
pub struct TokenFlow {
    /// The name of the security scheme.
    pub scheme: &'static str,
    /// The prefix of the token in the header `Authorization`.
    pub prefix: &'static str,
    /// The path of the operation that obtains a token.
    pub obtain: &'static str,
    /// The path of the operation that renews the token.
    pub renew: &'static str,
    /// The JSON pointer to the token in the response of both operations.
    pub token: &'static str,
    /// The JSON pointer to the renewal token in the response of both operations.
    pub renewal: &'static str,
    /// The field of the renewing request that carries the renewal token.
    pub renewal_field: &'static str,
    /// How long a token is valid.
    pub lifetime: Duration,
}
