//! What a simulated supplier implements.

use std::collections::BTreeMap;

use crate::received::ReceivedRequest;
use crate::script::Answer;
use crate::spec::{RouteMatch, Spec};

/// How a supplier answers.
pub(crate) trait Behaviour: Send {
    /// Answers a request and counts what it changed.
    fn answer(&mut self, request: &Request<'_>, effects: &mut Effects) -> Answer;

    /// What stands before the document's paths at this supplier.
    fn prefix(&self) -> &'static str {
        ""
    }

    /// What the document has at the method and path of a request.
    fn route(&self, spec: &'static Spec, received: &ReceivedRequest) -> RouteMatch<'static> {
        spec.route(&received.method, &received.path)
    }

    /// What is wrong with the query of a request.
    fn check_query(&self, spec: &Spec, operation_id: &str, query: Option<&str>) -> Vec<String> {
        spec.check_query(operation_id, query)
    }

    /// What goes out in the place of an answer of its own, after that was held against the document.
    fn transform(&mut self, _operation_id: &str, answer: Answer) -> Answer {
        answer
    }
}

/// A request with what the document has at its method and path.
pub(crate) struct Request<'a> {
    pub(crate) route: &'a RouteMatch<'static>,
    pub(crate) received: &'a ReceivedRequest,
}

/// How often what took effect, by operation.
#[derive(Debug, Default)]
pub(crate) struct Effects(BTreeMap<String, usize>);

impl Effects {
    pub(crate) fn add(&mut self, name: &str) {
        *self.0.entry(name.to_owned()).or_default() += 1;
    }

    pub(crate) fn count(&self, name: &str) -> usize {
        self.0.get(name).copied().unwrap_or_default()
    }
}
