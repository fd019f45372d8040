//! What happens to one request: it is captured, identified and checked; the supplier answers it, unless a test
//! has laid down the answer; the answer is checked in turn. A fault takes away one or the other.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{Response, StatusCode};
use tokio::sync::watch;

use crate::fault::Draw;
use crate::reply::{self, End, Reply};
use crate::script::{Answer, Cue, Script};
use crate::spec::{Lookup, Spec};
use crate::tally;
use crate::{Fault, Faults, Received};

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
    /// How many requests are still to be carried out, although their connection is gone.
    outstanding: watch::Sender<usize>,
}

/// The state behind one lock, so that requests take effect one after the other.
pub(crate) struct Ledger {
    behaviour: Box<dyn Behaviour>,
    pub(crate) script: Script,
    pub(crate) draw: Draw,
    /// How many of the next connections are to be refused, and how many were.
    pub(crate) to_refuse: usize,
    pub(crate) refused: usize,
    pub(crate) received: Vec<Received>,
    arrived: BTreeMap<String, usize>,
    pub(crate) effects: Effects,
    pub(crate) violations: Vec<String>,
    /// Where the requests stand, among those received, that wait for a newer one to overtake.
    overtaking: Vec<usize>,
}

/// A request that is to be carried out when its client has given up.
#[derive(Debug)]
pub(crate) struct Late {
    pub(crate) delay: Duration,
    /// Where it stands among those received.
    place: usize,
    _outstanding: Outstanding,
}

/// Counted as long as it exists, so that nobody waits for a request that will never be carried out.
#[derive(Debug)]
struct Outstanding(watch::Sender<usize>);

impl Outstanding {
    fn new(count: &watch::Sender<usize>) -> Outstanding {
        count.send_modify(|count| *count += 1);
        Outstanding(count.clone())
    }
}

impl Drop for Outstanding {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

impl Desk {
    pub(crate) fn new(spec: &'static Spec, behaviour: Box<dyn Behaviour>) -> Desk {
        let ledger = Ledger {
            behaviour,
            script: Script::default(),
            draw: Draw::new(Faults::none()),
            to_refuse: 0,
            refused: 0,
            received: Vec::new(),
            arrived: BTreeMap::new(),
            effects: Effects::default(),
            violations: Vec::new(),
            overtaking: Vec::new(),
        };
        Desk { spec, ledger: Mutex::new(ledger), outstanding: watch::Sender::new(0) }
    }

    /// The ledger stays usable after a panic in a test that held it.
    pub(crate) fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a connection is to be reset before anything is read from it.
    pub(crate) fn refuses_connection(&self) -> bool {
        let mut ledger = self.ledger();
        let told = ledger.to_refuse > 0;
        ledger.to_refuse = ledger.to_refuse.saturating_sub(1);
        let refuses = told || ledger.draw.connection();
        ledger.refused += usize::from(refuses);
        refuses
    }

    pub(crate) fn handle(&self, mut received: Received) -> Reply {
        let lookup = self.ledger().behaviour.find(self.spec, &received);
        if let Lookup::Found(operation, _) = &lookup {
            let content_type = received.header("content-type");
            let query = received.query.as_deref();
            let mut problems = self.ledger().behaviour.check_query(self.spec, &operation.id, query);
            problems.extend(self.spec.check_request(&operation.id, content_type, &received.body));
            received.problems = problems;
            received.operation = Some(operation.id.clone());
        }
        // One lock for all that follows, so that the captured requests stand in the order in which they took effect.
        let mut ledger = self.ledger();
        let operation = received.operation.as_deref();
        if let Some(id) = operation {
            *ledger.arrived.entry(id.to_owned()).or_default() += 1;
        }
        let mut succeeded = false;
        let (fault, reply, took_effect) = match ledger.cue(operation) {
            Some(Cue::Answer(answer)) => (None, Reply::now(ledger.sendable(operation, answer)), false),
            Some(Cue::Fault(fault)) => {
                let (reply, took_effect) = self.meet(fault, &mut ledger, &lookup, &received, &mut succeeded);
                (Some(fault), reply, took_effect)
            }
            None => {
                let (response, took_effect) = ledger.carry_out(self.spec, &lookup, &received);
                succeeded = response.status().is_success();
                if let Some(id) = operation.filter(|_| succeeded) {
                    tally::count(self.spec, id);
                }
                (None, Reply::now(response), took_effect)
            }
        };
        received.status = reply.status();
        received.fault = fault;
        received.took_effect = took_effect;
        ledger.received.push(received);
        if succeeded {
            self.overtake(&mut ledger);
        }
        reply
    }

    /// Carries out the older requests that the latest one was to be overtaken by.
    fn overtake(&self, ledger: &mut Ledger) {
        let Some(newer) = ledger.received.last() else { return };
        let is_older = |place: &usize| {
            ledger.received.get(*place).is_some_and(|older| {
                (&older.method, &older.path) == (&newer.method, &newer.path) && older.body != newer.body
            })
        };
        let (now, later) = ledger.overtaking.iter().partition(|place| is_older(place));
        ledger.overtaking = later;
        let now: Vec<usize> = now;
        for place in now {
            self.carry_out_at(ledger, place);
        }
    }

    /// What goes back for a request that meets with a fault, and whether the request took effect.
    fn meet(
        &self,
        fault: Fault,
        ledger: &mut Ledger,
        lookup: &Lookup<'static>,
        received: &Received,
        succeeded: &mut bool,
    ) -> (Reply, bool) {
        let place = ledger.received.len();
        if fault == Fault::CarriedOutAfterNewer {
            ledger.overtaking.push(place);
            return (Reply::Closed, false);
        }
        let mut took_effect = false;
        let mut carried_out = || {
            let (response, changed) = ledger.carry_out(self.spec, lookup, received);
            took_effect = changed;
            *succeeded = response.status().is_success();
            response
        };
        let reply = match fault {
            Fault::ResetBefore => Reply::Reset,
            Fault::CarriedOutAfterNewer => Reply::Closed,
            Fault::ResetAfter => {
                carried_out();
                Reply::Reset
            }
            Fault::CarriedOutLate(delay) => {
                Reply::Late(Late { delay, place, _outstanding: Outstanding::new(&self.outstanding) })
            }
            Fault::Latency(delay) => Reply::Answer(carried_out(), delay),
            Fault::Silence => Reply::Silence,
            Fault::Throttled(wait) => Reply::now(reply::throttled(wait)),
            Fault::Unavailable(status) => Reply::now(reply::page(status)),
            Fault::FailedAfter(status) => {
                carried_out();
                Reply::now(reply::page(status))
            }
            Fault::Truncated => Reply::half_of(&carried_out(), End::Closed),
            Fault::ResetWithin => Reply::half_of(&carried_out(), End::Reset),
            Fault::WrongBody => Reply::now(reply::replaced(&carried_out())),
        };
        (reply, took_effect)
    }

    /// Nobody hears the answer, but it is checked all the same.
    pub(crate) fn carry_out(&self, late: &Late) {
        self.carry_out_at(&mut self.ledger(), late.place);
    }

    fn carry_out_at(&self, ledger: &mut Ledger, place: usize) {
        let Some(received) = ledger.received.get(place).cloned() else { return };
        let lookup = ledger.behaviour.find(self.spec, &received);
        let (_, took_effect) = ledger.carry_out(self.spec, &lookup, &received);
        if let Some(received) = ledger.received.get_mut(place) {
            received.took_effect = took_effect;
        }
    }

    /// Carries out what nothing newer came for, and waits until no request is left that is to be carried out late.
    pub(crate) async fn settled(&self) {
        {
            let mut ledger = self.ledger();
            for place in std::mem::take(&mut ledger.overtaking) {
                self.carry_out_at(&mut ledger, place);
            }
        }
        // Cannot fail: the desk has a sender of its own.
        let _ = self.outstanding.subscribe().wait_for(|outstanding| *outstanding == 0).await;
    }
}

impl Ledger {
    /// How many requests for an operation arrived.
    pub(crate) fn count(&self, operation_id: &str) -> usize {
        self.arrived.get(operation_id).copied().unwrap_or_default()
    }

    /// What was laid down for the next request for an operation, or is drawn for it.
    fn cue(&mut self, operation: Option<&str>) -> Option<Cue> {
        let laid_down = operation.and_then(|id| self.script.next(id));
        laid_down.or_else(|| self.draw.request(operation).map(Cue::Fault))
    }

    /// What the supplier answers, and whether the request took effect.
    fn carry_out(
        &mut self,
        spec: &Spec,
        lookup: &Lookup<'static>,
        received: &Received,
    ) -> (Response<Bytes>, bool) {
        let operation = received.operation.as_deref();
        let count = |effects: &Effects| operation.map(|id| effects.count(id));
        let before = count(&self.effects);
        let answer = self.behaviour.answer(&Request { lookup, received }, &mut self.effects);
        let took_effect = count(&self.effects) > before;
        let Some(id) = operation else { return (self.sendable(operation, answer), took_effect) };
        let problems = answer.problems(spec, id);
        if !problems.is_empty() {
            return (self.violation(operation, &problems.join("; ")), took_effect);
        }
        let answer = self.behaviour.finish(id, answer);
        (self.sendable(operation, answer), took_effect)
    }

    fn sendable(&mut self, operation: Option<&str>, answer: Answer) -> Response<Bytes> {
        answer.into_response().unwrap_or_else(|error| self.violation(operation, &error.to_string()))
    }

    /// A fault of the sandbox's own, or of an answer laid down. In plain text, so that nobody takes it for the
    /// supplier's.
    fn violation(&mut self, operation: Option<&str>, problem: &str) -> Response<Bytes> {
        let text =
            format!("{}: the sandbox's answer is wrong: {problem}", operation.unwrap_or("no operation"));
        let mut response = Response::new(Bytes::from(text.clone()));
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        self.violations.push(text);
        response
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
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

    fn status(desk: &Desk, received: Received) -> u16 {
        desk.handle(received).status()
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
            assert_eq!(status(&desk, get("/api/v1/contacts/1")), 500, "{answer:?}");
            assert_eq!(desk.ledger().violations.len(), 1);
            assert!(desk.ledger().violations[0].starts_with("getContact: "));
            assert_eq!(desk.ledger().received[0].status, 500);
        }
    }

    #[test]
    fn an_answer_like_the_document_goes_out_as_it_is() {
        let desk = desk(Answer::json(200, &json!({"id": "1"})));
        assert_eq!(status(&desk, get("/api/v1/contacts/1")), 200);
        assert!(desk.ledger().violations.is_empty());
        assert_eq!(desk.ledger().effects.count("parrot"), 1);
    }

    #[test]
    fn an_answer_laid_down_is_used_once_and_not_checked() {
        let desk = desk(Answer::json(200, &json!({"id": "1"})));
        desk.ledger().script.push("getContact", Cue::Answer(Answer::status(418).body("tea")));
        assert_eq!(status(&desk, get("/api/v1/customers/1")), 200);
        assert_eq!(status(&desk, get("/api/v1/contacts/1")), 418);
        assert_eq!(status(&desk, get("/api/v1/contacts/1")), 200);
        assert_eq!(desk.ledger().effects.count("parrot"), 2);
        assert!(desk.ledger().violations.is_empty());
    }

    #[test]
    fn what_a_fault_takes_away_is_checked_all_the_same() {
        let desk = desk(Answer::json(200, &json!({"customerId": "1"})));
        for fault in [Fault::ResetAfter, Fault::WrongBody, Fault::FailedAfter(500)] {
            desk.ledger().script.push("getContact", Cue::Fault(fault));
            desk.handle(get("/api/v1/contacts/1"));
        }
        assert_eq!(desk.ledger().violations.len(), 3);
        desk.ledger().script.push("getContact", Cue::Fault(Fault::CarriedOutLate(Duration::ZERO)));
        let reply = desk.handle(get("/api/v1/contacts/1"));
        assert_eq!(desk.ledger().violations.len(), 3, "not yet");
        let Reply::Late(late) = reply else { panic!("{reply:?}") };
        desk.carry_out(&late);
        assert_eq!(desk.ledger().violations.len(), 4);
    }

    /// Even if it is never carried out, because the server ends.
    #[test]
    fn a_late_request_is_outstanding_as_long_as_it_exists() {
        let desk = desk(Answer::json(200, &json!({})));
        desk.ledger().script.push("getContact", Cue::Fault(Fault::CarriedOutLate(Duration::ZERO)));
        let reply = desk.handle(get("/api/v1/contacts/1"));
        assert_eq!(*desk.outstanding.borrow(), 1);
        drop(reply);
        assert_eq!(*desk.outstanding.borrow(), 0);
    }

    #[test]
    fn an_answer_that_http_does_not_know_is_a_violation() {
        let desk = desk(Answer::json(200, &json!({})));
        desk.ledger().script.push("getContact", Cue::Answer(Answer::status(7)));
        assert_eq!(status(&desk, get("/api/v1/contacts/1")), 500);
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
