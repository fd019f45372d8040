//! Handles one request: records it, matches it to an operation, validates it, lets the supplier carry it out unless a
//! test scripted a response, and validates the response. Faults replace the execution or the response.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard};

use bytes::Bytes;
use http::{Response, StatusCode};
use tokio::sync::watch;

use crate::behaviour::{Behaviour, Effects, Request};
use crate::changes::Changes;
use crate::fault::{Fault, FaultSampler};
use crate::late::LateRequest;
use crate::lock::lock;
use crate::log::RequestLog;
use crate::received::ReceivedRequest;
use crate::script::{Answer, Script, ScriptedStep};
use crate::spec::{RouteMatch, Spec};
use crate::tally;
use crate::transmission::{self, End, Transmission};

/// Passes the requests of one supplier to its simulated behaviour.
pub(crate) struct Dispatcher {
    pub(crate) spec: &'static Spec,
    state: Mutex<State>,
    /// How many requests are still to be carried out although their connection is closed.
    pending: watch::Sender<usize>,
    /// Notified of every change of the state.
    pub(crate) changes: Changes,
    /// The operations that the supplier does not have although its document describes them.
    absent: BTreeSet<String>,
}

/// The state behind one lock, so that requests take effect one after the other.
pub(crate) struct State {
    behaviour: Box<dyn Behaviour>,
    pub(crate) script: Script,
    /// The faults that are sampled, in order: the first fault that applies to a request is used.
    pub(crate) faults: Vec<FaultSampler>,
    /// How many of the next connections are to be reset, and how many were.
    pub(crate) connections_to_refuse: usize,
    pub(crate) refused_connections: usize,
    pub(crate) received: RequestLog,
    arrivals: BTreeMap<String, usize>,
    pub(crate) effects: Effects,
    pub(crate) violations: Vec<String>,
    /// The requests to be carried out after a newer one, with their indices in `received`.
    awaiting_newer: Vec<(usize, ReceivedRequest)>,
    /// How often the state has been reset.
    generation: usize,
}

impl Dispatcher {
    pub(crate) fn new(
        spec: &'static Spec,
        behaviour: Box<dyn Behaviour>,
        changes: Changes,
        absent: BTreeSet<String>,
        log: RequestLog,
    ) -> Dispatcher {
        let (state, pending) = (Mutex::new(State::new(behaviour, 0, log)), watch::Sender::new(0));
        Dispatcher { spec, state, pending, changes, absent }
    }

    /// Returns to the initial state, with this behaviour. Late requests that have not been carried out never are.
    pub(crate) fn reset(&self, behaviour: Box<dyn Behaviour>) {
        let mut state = self.state();
        *state = State::new(behaviour, state.generation + 1, state.received.emptied());
    }

    /// Matches a request to an operation that the supplier has.
    fn route(&self, state: &State, received: &ReceivedRequest) -> RouteMatch<'static> {
        match state.behaviour.route(self.spec, received) {
            RouteMatch::Found(operation, _) if self.absent.contains(&operation.id) => RouteMatch::UnknownPath,
            route => route,
        }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Returns whether a new connection is to be reset before anything is read from it.
    pub(crate) fn refuses_connection(&self) -> bool {
        let mut state = self.state();
        let requested = state.connections_to_refuse > 0;
        state.connections_to_refuse = state.connections_to_refuse.saturating_sub(1);
        // Each sampler is asked, so that the sequence of one does not depend on another.
        let mut refuses = requested;
        for faults in &mut state.faults {
            refuses |= faults.refuses_connection();
        }
        state.refused_connections += usize::from(refuses);
        drop(state);
        if refuses {
            self.changes.notify();
        }
        refuses
    }

    /// Handles a request and returns what is sent in response.
    pub(crate) fn handle(&self, mut received: ReceivedRequest) -> Transmission {
        let route = self.route(&self.state(), &received);
        if let RouteMatch::Found(operation, _) = &route {
            let query = received.query.as_deref();
            let mut problems = self.state().behaviour.check_query(self.spec, &operation.id, query);
            let checked = self.state().behaviour.check_request(self.spec, &operation.id, &received);
            problems.extend(checked.problems);
            received.problems = problems;
            received.undocumented = checked.undocumented;
            received.operation = Some(operation.id.clone());
        }
        // One lock for everything that follows, so that the recorded requests are in the order in which they took
        // effect.
        let mut state = self.state();
        let operation = received.operation.as_deref();
        if let Some(id) = operation {
            *state.arrivals.entry(id.to_owned()).or_default() += 1;
        }
        let mut succeeded = false;
        let (fault, transmission, took_effect) = match state.next_step(operation) {
            Some(ScriptedStep::Answer(answer)) => {
                (None, Transmission::now(state.response_or_violation(operation, answer)), false)
            }
            Some(ScriptedStep::Fault(fault)) => {
                let (transmission, took_effect) =
                    self.apply_fault(fault, &mut state, &route, &received, &mut succeeded);
                (Some(fault), transmission, took_effect)
            }
            None => {
                let (response, took_effect) = state.carry_out(self.spec, &route, &received);
                succeeded = response.status().is_success();
                if let Some(id) = operation.filter(|_| succeeded) {
                    tally::count(self.spec, id);
                }
                (None, Transmission::now(response), took_effect)
            }
        };
        received.status = transmission.status();
        received.fault = fault;
        received.took_effect = took_effect;
        state.received.push(received);
        if succeeded {
            self.carry_out_older(&mut state);
        }
        drop(state);
        self.changes.notify();
        transmission
    }

    /// Carries out the older requests that waited for the request that was received last.
    fn carry_out_older(&self, state: &mut State) {
        let Some(newer) = state.received.last() else { return };
        let is_older = |(_, older): &(usize, ReceivedRequest)| {
            (&older.method, &older.path) == (&newer.method, &newer.path) && older.body != newer.body
        };
        let (now, later) = std::mem::take(&mut state.awaiting_newer).into_iter().partition(is_older);
        state.awaiting_newer = later;
        let now: Vec<_> = now;
        for (index, received) in now {
            self.carry_out_at(state, index, &received);
        }
    }

    /// Applies a fault. Returns what is sent and whether the request took effect.
    fn apply_fault(
        &self,
        fault: Fault,
        state: &mut State,
        route: &RouteMatch<'static>,
        received: &ReceivedRequest,
        succeeded: &mut bool,
    ) -> (Transmission, bool) {
        let (index, generation) = (state.received.arrived(), state.generation);
        if fault == Fault::CarriedOutAfterNewer {
            state.awaiting_newer.push((index, received.clone()));
            return (Transmission::Closed, false);
        }
        let mut took_effect = false;
        let mut carry_out_now = || {
            let (response, changed) = state.carry_out(self.spec, route, received);
            took_effect = changed;
            *succeeded = response.status().is_success();
            response
        };
        let transmission = match fault {
            Fault::ResetBefore => Transmission::Reset,
            Fault::CarriedOutAfterNewer => Transmission::Closed,
            Fault::ResetAfter => {
                carry_out_now();
                Transmission::Reset
            }
            Fault::CarriedOutLate(delay) => {
                let late = LateRequest::new(delay, (index, received.clone()), generation, &self.pending);
                Transmission::Late(late)
            }
            Fault::Latency(delay) => Transmission::Answer(carry_out_now(), delay),
            Fault::Silence => Transmission::Silence,
            Fault::Throttled(wait) => Transmission::now(transmission::throttled(wait)),
            Fault::Unavailable(status) => Transmission::now(transmission::error_page(status)),
            Fault::FailedAfter(status) => {
                carry_out_now();
                Transmission::now(transmission::error_page(status))
            }
            Fault::Truncated => Transmission::first_half(&carry_out_now(), End::Closed),
            Fault::ResetWithin => Transmission::first_half(&carry_out_now(), End::Reset),
            Fault::WrongBody => Transmission::now(transmission::error_page_instead_of(&carry_out_now())),
        };
        (transmission, took_effect)
    }

    /// Carries a late request out. Its response is validated, but not sent.
    pub(crate) fn carry_out(&self, late: &LateRequest) {
        let mut state = self.state();
        if state.generation == late.generation {
            self.carry_out_at(&mut state, late.index, &late.received);
            drop(state);
            self.changes.notify();
        }
    }

    fn carry_out_at(&self, state: &mut State, index: usize, received: &ReceivedRequest) {
        let route = self.route(state, received);
        let (_, took_effect) = state.carry_out(self.spec, &route, received);
        if let Some(received) = state.received.get_mut(index) {
            received.took_effect = took_effect;
        }
    }

    /// Carries out the requests that still wait for a newer one, then waits until no late request is left.
    pub(crate) async fn settled(&self) {
        {
            let mut state = self.state();
            for (index, received) in std::mem::take(&mut state.awaiting_newer) {
                self.carry_out_at(&mut state, index, &received);
            }
        }
        self.changes.notify();
        // Cannot fail: the dispatcher holds a sender.
        let _ = self.pending.subscribe().wait_for(|pending| *pending == 0).await;
    }
}

impl State {
    fn new(behaviour: Box<dyn Behaviour>, generation: usize, received: RequestLog) -> State {
        State {
            behaviour,
            script: Script::default(),
            faults: Vec::new(),
            connections_to_refuse: 0,
            refused_connections: 0,
            received,
            arrivals: BTreeMap::new(),
            effects: Effects::default(),
            violations: Vec::new(),
            awaiting_newer: Vec::new(),
            generation,
        }
    }

    /// Returns how many requests for an operation arrived.
    pub(crate) fn count(&self, operation_id: &str) -> usize {
        self.arrivals.get(operation_id).copied().unwrap_or_default()
    }

    /// Returns each operation with the number of requests for it.
    pub(crate) fn arrivals(&self) -> impl Iterator<Item = (&str, usize)> {
        self.arrivals.iter().map(|(id, count)| (id.as_str(), *count))
    }

    /// Returns the scripted step for the next request for an operation, or else a sampled fault.
    fn next_step(&mut self, operation: Option<&str>) -> Option<ScriptedStep> {
        let scripted = operation.and_then(|id| self.script.next(id));
        // Each sampler is asked, so that the sequence of one does not depend on another.
        let mut sample =
            || self.faults.iter_mut().map(|faults| faults.next_fault(operation)).fold(None, Option::or);
        scripted.or_else(|| sample().map(ScriptedStep::Fault))
    }

    /// Returns the supplier's response, and whether the request took effect.
    fn carry_out(
        &mut self,
        spec: &'static Spec,
        route: &RouteMatch<'static>,
        received: &ReceivedRequest,
    ) -> (Response<Bytes>, bool) {
        let operation = received.operation.as_deref();
        let count = |effects: &Effects| operation.map(|id| effects.count(id));
        let before = count(&self.effects);
        let is_absent = || matches!(self.behaviour.route(spec, received), RouteMatch::Found(..));
        let absent = matches!(route, RouteMatch::UnknownPath) && is_absent();
        let answer = self.behaviour.answer(&Request { route, received, absent }, &mut self.effects);
        let took_effect = count(&self.effects) > before;
        let Some(id) = operation else { return (self.response_or_violation(operation, answer), took_effect) };
        let problems = answer.problems(spec, id);
        if !problems.is_empty() {
            return (self.violation(operation, &problems.join("; ")), took_effect);
        }
        let answer = self.behaviour.transform(id, answer);
        (self.response_or_violation(operation, answer), took_effect)
    }

    fn response_or_violation(&mut self, operation: Option<&str>, answer: Answer) -> Response<Bytes> {
        answer.into_response().unwrap_or_else(|error| self.violation(operation, &error.to_string()))
    }

    /// Records a mistake of the sandbox or of a scripted response, and returns a 500. Its body is plain text, so that
    /// it cannot be mistaken for a response of the supplier.
    fn violation(&mut self, operation: Option<&str>, problem: &str) -> Response<Bytes> {
        let text =
            format!("{}: the sandbox's response is invalid: {problem}", operation.unwrap_or("no operation"));
        let mut response = Response::new(Bytes::from(text.clone()));
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        self.violations.push(text);
        response
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;

    /// Returns the same response to every request.
    struct Parrot(Answer);

    impl Behaviour for Parrot {
        fn answer(&mut self, _: &Request<'_>, effects: &mut Effects) -> Answer {
            effects.add("parrot");
            self.0.clone()
        }
    }

    fn dispatcher(answer: Answer) -> Dispatcher {
        Dispatcher::new(
            Spec::cocon(),
            Box::new(Parrot(answer)),
            Changes::new(),
            BTreeSet::new(),
            RequestLog::new(2),
        )
    }

    fn status(dispatcher: &Dispatcher, received: ReceivedRequest) -> u16 {
        dispatcher.handle(received).status()
    }

    fn get(path: &str) -> ReceivedRequest {
        let (parts, ()) = http::Request::get(path).body(()).unwrap().into_parts();
        ReceivedRequest::new(&parts, Vec::new())
    }

    #[test]
    fn a_response_that_violates_the_document_becomes_a_500() {
        let wrong = [
            Answer::json(200, &json!({"customerId": "1"})),
            Answer::json(201, &json!({"id": "1"})),
            Answer::status(200).header("content-type", "text/plain").body("{}"),
            Answer::status(200),
            Answer::json(200, &json!({"emailAddresses": [null]})),
        ];
        for answer in wrong {
            let dispatcher = dispatcher(answer.clone());
            assert_eq!(status(&dispatcher, get("/api/v1/contacts/1")), 500, "{answer:?}");
            assert_eq!(dispatcher.state().violations.len(), 1);
            assert!(dispatcher.state().violations[0].starts_with("getContact: "));
            assert_eq!(dispatcher.state().received.last().unwrap().status, 500);
        }
    }

    #[test]
    fn a_valid_response_is_sent_unchanged() {
        let dispatcher = dispatcher(Answer::json(200, &json!({"id": "1"})));
        assert_eq!(status(&dispatcher, get("/api/v1/contacts/1")), 200);
        assert!(dispatcher.state().violations.is_empty());
        assert_eq!(dispatcher.state().effects.count("parrot"), 1);
    }

    #[test]
    fn a_scripted_response_is_used_once_and_not_validated() {
        let dispatcher = dispatcher(Answer::json(200, &json!({"id": "1"})));
        dispatcher.state().script.push("getContact", ScriptedStep::Answer(Answer::status(418).body("tea")));
        assert_eq!(status(&dispatcher, get("/api/v1/customers/1")), 200);
        assert_eq!(status(&dispatcher, get("/api/v1/contacts/1")), 418);
        assert_eq!(status(&dispatcher, get("/api/v1/contacts/1")), 200);
        assert_eq!(dispatcher.state().effects.count("parrot"), 2);
        assert!(dispatcher.state().violations.is_empty());
    }

    #[test]
    fn responses_suppressed_by_faults_are_validated() {
        let dispatcher = dispatcher(Answer::json(200, &json!({"customerId": "1"})));
        for fault in [Fault::ResetAfter, Fault::WrongBody, Fault::FailedAfter(500)] {
            dispatcher.state().script.push("getContact", ScriptedStep::Fault(fault));
            dispatcher.handle(get("/api/v1/contacts/1"));
        }
        assert_eq!(dispatcher.state().violations.len(), 3);
        dispatcher
            .state()
            .script
            .push("getContact", ScriptedStep::Fault(Fault::CarriedOutLate(Duration::ZERO)));
        let transmission = dispatcher.handle(get("/api/v1/contacts/1"));
        assert_eq!(dispatcher.state().violations.len(), 3, "not yet");
        let Transmission::Late(late) = transmission else { panic!("{transmission:?}") };
        dispatcher.carry_out(&late);
        assert_eq!(dispatcher.state().violations.len(), 4);
    }

    /// A late request is no longer pending if the server drops it.
    #[test]
    fn a_late_request_is_pending_as_long_as_it_exists() {
        let dispatcher = dispatcher(Answer::json(200, &json!({})));
        dispatcher
            .state()
            .script
            .push("getContact", ScriptedStep::Fault(Fault::CarriedOutLate(Duration::ZERO)));
        let transmission = dispatcher.handle(get("/api/v1/contacts/1"));
        assert_eq!(*dispatcher.pending.borrow(), 1);
        drop(transmission);
        assert_eq!(*dispatcher.pending.borrow(), 0);
    }

    /// The log of these tests holds two requests.
    #[test]
    fn requests_that_are_no_longer_kept_are_counted_and_carried_out() {
        let dispatcher = dispatcher(Answer::json(200, &json!({})));
        for fault in [Fault::CarriedOutLate(Duration::ZERO), Fault::CarriedOutAfterNewer] {
            dispatcher.state().script.push("getContact", ScriptedStep::Fault(fault));
        }
        let Transmission::Late(late) = dispatcher.handle(get("/api/v1/contacts/1")) else {
            panic!("it is late")
        };
        for _ in 0..4 {
            dispatcher.handle(get("/api/v1/contacts/2"));
        }
        let (kept, arrived, effects) = {
            let state = dispatcher.state();
            (state.received.iter().count(), state.count("getContact"), state.effects.count("parrot"))
        };
        assert_eq!((kept, arrived, effects), (2, 5, 3));
        dispatcher.carry_out(&late);
        let awaiting_newer = std::mem::take(&mut dispatcher.state().awaiting_newer);
        for (index, received) in awaiting_newer {
            dispatcher.carry_out_at(&mut dispatcher.state(), index, &received);
        }
        assert_eq!(dispatcher.state().effects.count("parrot"), 5);
    }

    #[test]
    fn an_invalid_http_status_is_a_violation() {
        let dispatcher = dispatcher(Answer::json(200, &json!({})));
        dispatcher.state().script.push("getContact", ScriptedStep::Answer(Answer::status(7)));
        assert_eq!(status(&dispatcher, get("/api/v1/contacts/1")), 500);
        assert_eq!(dispatcher.state().violations.len(), 1);
    }

    #[test]
    fn problems_are_recorded_with_the_request() {
        let dispatcher = dispatcher(Answer::json(200, &json!({})));
        dispatcher.handle(get("/api/v1/contacts/a%2Fb?page=2"));
        dispatcher.handle(get("/elsewhere?page=2"));
        let received: Vec<_> = dispatcher.state().received.iter().cloned().collect();
        assert_eq!(received[0].path, "/api/v1/contacts/a%2Fb");
        assert_eq!(received[0].query.as_deref(), Some("page=2"));
        assert_eq!(received[0].problems, ["query: the parameter 'page' is not documented"]);
        assert_eq!((received[1].operation.as_deref(), received[1].problems.len()), (None, 0));
    }
}
