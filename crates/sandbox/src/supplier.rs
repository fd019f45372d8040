//! The handle on one simulated supplier: what arrived, what took effect, what to answer next.

use std::fmt;
use std::io;
use std::sync::Arc;

use crate::behaviour::Behaviour;
use crate::dispatcher::Dispatcher;
use crate::fault::{Fault, FaultSampler, Faults};
use crate::received::ReceivedRequest;
use crate::script::{Answer, ScriptedStep};
use crate::server::Server;
use crate::spec::Spec;

/// One simulated supplier. Cheap to clone; it listens until the last handle is gone.
#[derive(Clone)]
pub struct Supplier {
    dispatcher: Arc<Dispatcher>,
    server: Arc<Server>,
    prefix: &'static str,
}

impl Supplier {
    pub(crate) async fn start(
        port: u16,
        spec: &'static Spec,
        behaviour: impl Behaviour + 'static,
    ) -> io::Result<Supplier> {
        let prefix = behaviour.prefix();
        let dispatcher = Arc::new(Dispatcher::new(spec, Box::new(behaviour)));
        let server = Arc::new(Server::start(port, Arc::clone(&dispatcher)).await?);
        Ok(Supplier { dispatcher, server, prefix })
    }

    /// Where it listens, such as `http://127.0.0.1:40001`; the paths below are those of its document.
    pub fn base_url(&self) -> String {
        format!("{}{}", self.server.base_url(), self.prefix)
    }

    /// The document that requests and answers are held against.
    pub fn spec(&self) -> &'static Spec {
        self.dispatcher.spec
    }

    /// Every request that arrived whole, the oldest first.
    ///
    /// They stand in the order in which they took effect, but for those that are carried out late
    /// ([`Fault::CarriedOutLate`]): these stand where they arrived, and take effect after others that arrived behind
    /// them.
    pub fn received(&self) -> Vec<ReceivedRequest> {
        self.dispatcher.state().received.clone()
    }

    /// The requests for one operation among those.
    pub fn received_by(&self, operation_id: &str) -> Vec<ReceivedRequest> {
        let matches = |received: &&ReceivedRequest| received.operation.as_deref() == Some(operation_id);
        self.dispatcher.state().received.iter().filter(matches).cloned().collect()
    }

    /// The latest request.
    pub fn last(&self) -> Option<ReceivedRequest> {
        self.dispatcher.state().received.last().cloned()
    }

    /// How many requests for an operation arrived, whatever they were answered and whether or not they were carried
    /// out.
    pub fn count(&self, operation_id: &str) -> usize {
        self.dispatcher.state().count(operation_id)
    }

    /// How many requests for an operation were carried out and changed something: not those that were refused,
    /// answered by a script, only read, or are still to be carried out late.
    pub fn took_effect(&self, operation_id: &str) -> usize {
        self.dispatcher.state().effects.count(operation_id)
    }

    /// How many connections were reset as soon as they were accepted.
    pub fn refused_connections(&self) -> usize {
        self.dispatcher.state().refused_connections
    }

    /// Mistakes of the sandbox itself: answers of its own that the document does not allow, and scripted ones
    /// that HTTP does not know. A test that sees a 500 looks here first.
    pub fn violations(&self) -> Vec<String> {
        self.dispatcher.state().violations.clone()
    }

    /// Lays down the answer to the next request for an operation; several are used up in turn.
    ///
    /// The request is captured and counted, but not carried out, and the answer goes out unchecked.
    ///
    /// # Panics
    ///
    /// If there is no such operation, since the answer would wait forever.
    #[track_caller]
    pub fn answer_next(&self, operation_id: &str, answer: Answer) {
        self.enqueue(operation_id, ScriptedStep::Answer(answer));
    }

    /// Lays down what goes wrong with the next request for an operation. Faults and answers laid down for an operation
    /// stand in one queue, and go before what [`set_faults`](Self::set_faults) lets happen.
    ///
    /// # Panics
    ///
    /// If there is no such operation, or the status of the fault is no 5xx.
    #[track_caller]
    pub fn fail_next(&self, operation_id: &str, fault: Fault) {
        fault.assert_valid();
        self.enqueue(operation_id, ScriptedStep::Fault(fault));
    }

    /// From now on, lets a share of the requests and of the connections go wrong, as drawn from a seed.
    ///
    /// # Panics
    ///
    /// If they are limited to an operation that there is none of.
    #[track_caller]
    pub fn set_faults(&self, faults: Faults) {
        for operation_id in faults.operations() {
            self.assert_operation(operation_id);
        }
        self.dispatcher.state().faults = FaultSampler::new(faults);
    }

    /// Resets so many of the next connections as soon as they are accepted, before anything is read from them.
    pub fn refuse_next_connections(&self, connections: usize) {
        self.dispatcher.state().connections_to_refuse += connections;
    }

    /// Waits until every request that has arrived and is to be carried out late was carried out. At once if there is
    /// none.
    pub async fn settled(&self) {
        self.dispatcher.settled().await;
    }

    #[track_caller]
    fn enqueue(&self, operation_id: &str, step: ScriptedStep) {
        self.assert_operation(operation_id);
        self.dispatcher.state().script.push(operation_id, step);
    }

    #[track_caller]
    fn assert_operation(&self, operation_id: &str) {
        assert!(self.spec().operation(operation_id).is_some(), "there is no operation {operation_id}");
    }
}

impl fmt::Debug for Supplier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Supplier").field("base_url", &self.base_url()).finish_non_exhaustive()
    }
}
