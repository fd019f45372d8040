//! Received requests.

use http::Method;
use http::request::Parts;
use serde_json::Value;

use crate::fault::Fault;

/// A request that a supplier received, with the problems found in it and what happened to it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ReceivedRequest {
    /// The `operationId` of the requested operation, or `None` if no operation has this method and path.
    pub operation: Option<String>,
    /// The HTTP method.
    pub method: Method,
    /// The path, still percent-encoded.
    pub path: String,
    /// The query string without the question mark, still percent-encoded.
    pub query: Option<String>,
    /// The headers in the order of arrival, with names in lower case.
    pub headers: Vec<(String, String)>,
    /// The request body.
    pub body: Vec<u8>,
    /// How the request violates the supplier's document. Empty if it is valid.
    ///
    /// A request with problems can still be carried out: the supplier rejects it only if the document has a response
    /// for invalid requests.
    pub problems: Vec<String>,
    /// The fields of the request body that the document does not list, where the supplier ignores such fields.
    ///
    /// Each text starts with the JSON pointer of the object. Empty if the supplier rejects undocumented fields; they
    /// are [`problems`](Self::problems) then.
    pub undocumented: Vec<String>,
    /// The status code of the response as it was sent, or 0 if a fault suppressed the response.
    pub status: u16,
    /// The fault that was applied to the request.
    pub fault: Option<Fault>,
    /// Whether the request was carried out and changed something, which is what
    /// [`took_effect`](crate::Supplier::took_effect) counts. `false` for a late request until it is carried out.
    pub took_effect: bool,
}

impl ReceivedRequest {
    pub(crate) fn new(parts: &Parts, body: Vec<u8>) -> ReceivedRequest {
        let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        ReceivedRequest {
            operation: None,
            method: parts.method.clone(),
            path: parts.uri.path().to_owned(),
            query: parts.uri.query().map(str::to_owned),
            headers: parts.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect(),
            body,
            problems: Vec::new(),
            undocumented: Vec::new(),
            status: 0,
            fault: None,
            took_effect: false,
        }
    }

    /// Returns the first header with this name, ignoring case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(candidate, _)| candidate.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// Returns the request body as JSON, or `None` if it is not JSON.
    pub fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }
}
