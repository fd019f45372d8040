//! What happens to one request: it is captured, identified and checked; the supplier answers it, unless a test
//! has laid down the answer; the answer is checked in turn.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::{Response, StatusCode};
use http_body_util::Full;

use crate::Received;
use crate::script::{Answer, Script};
use crate::spec::{Lookup, Spec};

/// How a supplier answers.
pub(crate) trait Behaviour: Send {
    /// Answers a request and counts what it changed.
    fn answer(&mut self, request: &Request<'_>, effects: &mut Effects) -> Answer;

    /// What stands before the document's paths at this supplier.
    fn prefix(&self) -> &'static str {
        ""
    }

    /// What the document has at the method and path of a request.
    fn find(&self, spec: &'static Spec, received: &Received) -> Lookup<'static> {
        spec.find(&received.method, &received.path)
    }

    /// What is wrong with the query of a request.
    fn check_query(&self, spec: &Spec, operation_id: &str, query: Option<&str>) -> Vec<String> {
        spec.check_query(operation_id, query)
    }

    /// What goes out in the place of an answer of its own, after that was held against the document.
    fn finish(&mut self, _operation_id: &str, answer: Answer) -> Answer {
        answer
    }
}

/// A request with what the document has at its method and path.
pub(crate) struct Request<'a> {
    pub(crate) lookup: &'a Lookup<'static>,
    pub(crate) received: &'a Received,
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

pub(crate) struct Desk {
    pub(crate) spec: &'static Spec,
    ledger: Mutex<Ledger>,
}

/// The state behind one lock, so that requests take effect one after the other.
pub(crate) struct Ledger {
    behaviour: Box<dyn Behaviour>,
    pub(crate) script: Script,
    pub(crate) received: Vec<Received>,
    pub(crate) effects: Effects,
    pub(crate) violations: Vec<String>,
}

impl Desk {
    pub(crate) fn new(spec: &'static Spec, behaviour: Box<dyn Behaviour>) -> Desk {
        let ledger = Ledger {
            behaviour,
            script: Script::default(),
            received: Vec::new(),
            effects: Effects::default(),
            violations: Vec::new(),
        };
        Desk { spec, ledger: Mutex::new(ledger) }
    }

    /// The ledger stays usable after a panic in a test that held it.
    pub(crate) fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn handle(&self, mut received: Received) -> Response<Full<Bytes>> {
        let lookup = self.ledger().behaviour.find(self.spec, &received);
        if let Lookup::Found(operation, _) = &lookup {
            let content_type = received.header("content-type");
            let query = received.query.as_deref();
            let mut problems = self.ledger().behaviour.check_query(self.spec, &operation.id, query);
            problems.extend(self.spec.check_request(&operation.id, content_type, &received.body));
            received.problems = problems;
            received.operation = Some(operation.id.clone());
        }
        // One lock for both, so that the captured requests stand in the order in which they took effect.
        let mut ledger = self.ledger();
        let response = ledger.respond(self.spec, &Request { lookup: &lookup, received: &received });
        received.status = response.status().as_u16();
        ledger.received.push(received);
        response
    }
}

impl Ledger {
    fn respond(&mut self, spec: &Spec, request: &Request<'_>) -> Response<Full<Bytes>> {
        let operation = request.received.operation.as_deref();
        let scripted = operation.and_then(|id| self.script.next(id));
        let (answer, problems) = match scripted {
            Some(answer) => (answer, Vec::new()),
            None => {
                let answer = self.behaviour.answer(request, &mut self.effects);
                let problems = operation.map(|id| answer.problems(spec, id)).unwrap_or_default();
                match operation {
                    Some(id) if problems.is_empty() => (self.behaviour.finish(id, answer), problems),
                    _ => (answer, problems),
                }
            }
        };
        if !problems.is_empty() {
            return self.violation(operation, &problems.join("; "));
        }
        answer.into_response().unwrap_or_else(|error| self.violation(operation, &error.to_string()))
    }

    /// A fault of the sandbox's own, or of an answer laid down. In plain text, so that nobody takes it for the
    /// supplier's.
    fn violation(&mut self, operation: Option<&str>, problem: &str) -> Response<Full<Bytes>> {
        let text =
            format!("{}: the sandbox's answer is wrong: {problem}", operation.unwrap_or("no operation"));
        let mut response = Response::new(Full::from(text.clone()));
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        self.violations.push(text);
        response
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use serde_json::json;

    /// Gives every request the same answer, right or wrong.
    struct Parrot(Answer);

    impl Behaviour for Parrot {
        fn answer(&mut self, _: &Request<'_>, effects: &mut Effects) -> Answer {
            effects.add("parrot");
            self.0.clone()
        }
    }

    fn desk(answer: Answer) -> Desk {
        Desk::new(Spec::cocon(), Box::new(Parrot(answer)))
    }

    fn get(path: &str) -> Received {
        let (parts, ()) = http::Request::get(path).body(()).unwrap().into_parts();
        Received::new(&parts, Vec::new())
    }

    #[test]
    fn an_answer_unlike_the_document_becomes_a_500_and_a_violation() {
        let wrong = [
            Answer::json(200, &json!({"customerId": "1"})),
            Answer::json(201, &json!({"id": "1"})),
            Answer::status(200).header("content-type", "text/plain").body("{}"),
            Answer::status(200),
            Answer::json(200, &json!({"emailAddresses": [null]})),
        ];
        for answer in wrong {
            let desk = desk(answer.clone());
            assert_eq!(desk.handle(get("/api/v1/contacts/1")).status(), 500, "{answer:?}");
            assert_eq!(desk.ledger().violations.len(), 1);
            assert!(desk.ledger().violations[0].starts_with("getContact: "));
            assert_eq!(desk.ledger().received[0].status, 500);
        }
    }

    #[test]
    fn an_answer_like_the_document_goes_out_as_it_is() {
        let desk = desk(Answer::json(200, &json!({"id": "1"})));
        assert_eq!(desk.handle(get("/api/v1/contacts/1")).status(), 200);
        assert!(desk.ledger().violations.is_empty());
        assert_eq!(desk.ledger().effects.count("parrot"), 1);
    }

    #[test]
    fn an_answer_laid_down_is_used_once_and_not_checked() {
        let desk = desk(Answer::json(200, &json!({"id": "1"})));
        desk.ledger().script.push("getContact", Answer::status(418).body("tea"));
        assert_eq!(desk.handle(get("/api/v1/customers/1")).status(), 200);
        assert_eq!(desk.handle(get("/api/v1/contacts/1")).status(), 418);
        assert_eq!(desk.handle(get("/api/v1/contacts/1")).status(), 200);
        assert_eq!(desk.ledger().effects.count("parrot"), 2);
        assert!(desk.ledger().violations.is_empty());
    }

    #[test]
    fn an_answer_that_http_does_not_know_is_a_violation() {
        let desk = desk(Answer::json(200, &json!({})));
        desk.ledger().script.push("getContact", Answer::status(7));
        assert_eq!(desk.handle(get("/api/v1/contacts/1")).status(), 500);
        assert_eq!(desk.ledger().violations.len(), 1);
    }

    #[test]
    fn what_is_wrong_with_a_request_is_kept_with_it() {
        let desk = desk(Answer::json(200, &json!({})));
        desk.handle(get("/api/v1/contacts/a%2Fb?page=2"));
        desk.handle(get("/elsewhere?page=2"));
        let received = desk.ledger().received.clone();
        assert_eq!(received[0].path, "/api/v1/contacts/a%2Fb");
        assert_eq!(received[0].query.as_deref(), Some("page=2"));
        assert_eq!(received[0].problems, ["query: the parameter 'page' is not documented"]);
        assert_eq!((received[1].operation.as_deref(), received[1].problems.len()), (None, 0));
    }
}
