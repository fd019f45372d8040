//! What a simulated supplier implements.

use std::collections::BTreeMap;

use crate::received::ReceivedRequest;
use crate::script::Answer;
use crate::spec::{CheckedRequest, RouteMatch, Spec};

/// The simulated behaviour of a supplier.
pub(crate) trait Behaviour: Send {
    /// Carries a request out and returns the response. Adds what the request changed to `effects`.
    fn answer(&mut self, request: &Request<'_>, effects: &mut Effects) -> Answer;

    /// Returns the path prefix of the API, to which the document's paths are relative.
    fn prefix(&self) -> &'static str {
        ""
    }

    /// Matches a request against the paths of the document.
    fn route(&self, spec: &'static Spec, received: &ReceivedRequest) -> RouteMatch<'static> {
        spec.route(&received.method, &received.path)
    }

    /// Returns the problems of a request's query string.
    fn check_query(&self, spec: &Spec, operation_id: &str, query: Option<&str>) -> Vec<String> {
        spec.check_query(operation_id, query)
    }

    /// Validates the media type and the body of a request. By default, undocumented fields are problems.
    fn check_request(&self, spec: &Spec, operation_id: &str, received: &ReceivedRequest) -> CheckedRequest {
        let problems = spec.check_request(operation_id, received.header("content-type"), &received.body);
        CheckedRequest { problems, undocumented: Vec::new() }
    }

    /// Transforms a response after it was validated against the document.
    fn transform(&mut self, _operation_id: &str, answer: Answer) -> Answer {
        answer
    }
}

/// A received request and the operation it matches.
pub(crate) struct Request<'a> {
    pub(crate) route: &'a RouteMatch<'static>,
    pub(crate) received: &'a ReceivedRequest,
    /// Whether the document describes the operation, but this supplier is configured not to have it. Then the route is
    /// [`RouteMatch::UnknownPath`].
    pub(crate) absent: bool,
}

/// Counts how many requests took effect, by operation.
#[derive(Debug, Default)]
pub(crate) struct Effects(BTreeMap<String, usize>);

impl Effects {
    pub(crate) fn add(&mut self, name: &str) {
        *self.0.entry(name.to_owned()).or_default() += 1;
    }

    /// Returns each name with its count.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, usize)> {
        self.0.iter().map(|(name, count)| (name.as_str(), *count))
    }

    pub(crate) fn count(&self, name: &str) -> usize {
        self.0.get(name).copied().unwrap_or_default()
    }
}
