//! Requests as they arrived.

use http::Method;
use http::request::Parts;
use serde_json::Value;

use crate::fault::Fault;

/// A request as it came over the wire, what was wrong with it, and what became of it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ReceivedRequest {
    /// The `operationId` of what was asked for; none where no operation has this method and path.
    pub operation: Option<String>,
    /// The method.
    pub method: Method,
    /// The path, still percent-encoded.
    pub path: String,
    /// What came after the question mark, still percent-encoded.
    pub query: Option<String>,
    /// The headers with their names in lower case, in the order of arrival.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// Where the request is not as the supplier's document has it. A request may have problems and be answered
    /// all the same, where the document has no answer for an unacceptable one.
    pub problems: Vec<String>,
    /// The status of the answer as it went out, be it that nobody waited for it; 0 where none went out, because a fault
    /// took the answer.
    pub status: u16,
    /// What went wrong on demand.
    pub fault: Option<Fault>,
    /// Whether it was carried out and changed something, which is what
    /// [`took_effect`](crate::Supplier::took_effect) counts. A request that is carried out late has changed nothing
    /// until then.
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
            status: 0,
            fault: None,
            took_effect: false,
        }
    }

    /// The first header of this name, whatever the case of its letters.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(candidate, _)| candidate.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// The body as JSON; nothing if it is none.
    pub fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }
}
