//! The handle to one simulated supplier: it reports received requests and scripts responses and faults.

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

/// One simulated supplier.
///
/// Reports which requests arrived and which of them took effect, and decides how the next requests are answered.
/// Operations are named by their `operationId` in the supplier's document.
///
/// Cloning is cheap. The supplier listens until the last handle to it is dropped.
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

    /// Returns the base URL, such as `http://127.0.0.1:40001`. The paths below it are those of the supplier's
    /// document.
    pub fn base_url(&self) -> String {
        format!("{}{}", self.server.base_url(), self.prefix)
    }

    /// Returns the OpenAPI document that requests and responses are validated against.
    ///
    /// The supplier also serves it, as JSON and without credentials, at `/openapi.json` of its host.
    pub fn spec(&self) -> &'static Spec {
        self.dispatcher.spec
    }

    /// Returns every request that arrived completely, in the order of arrival.
    ///
    /// This is also the order in which the requests took effect, except for requests with [`Fault::CarriedOutLate`]
    /// or [`Fault::CarriedOutAfterNewer`]: these are listed where they arrived, but take effect after later requests.
    pub fn received(&self) -> Vec<ReceivedRequest> {
        self.dispatcher.state().received.clone()
    }

    /// Returns the received requests for one operation, in the order of arrival.
    pub fn received_by(&self, operation_id: &str) -> Vec<ReceivedRequest> {
        let matches = |received: &&ReceivedRequest| received.operation.as_deref() == Some(operation_id);
        self.dispatcher.state().received.iter().filter(matches).cloned().collect()
    }

    /// Returns the request that arrived last.
    pub fn last(&self) -> Option<ReceivedRequest> {
        self.dispatcher.state().received.last().cloned()
    }

    /// Returns how many requests for an operation arrived, regardless of their responses and of whether they were
    /// carried out.
    pub fn count(&self, operation_id: &str) -> usize {
        self.dispatcher.state().count(operation_id)
    }

    /// Returns how many requests for an operation changed something.
    ///
    /// Does not count requests that were rejected, that only read, that got a scripted response, or that are still to
    /// be carried out late.
    pub fn took_effect(&self, operation_id: &str) -> usize {
        self.dispatcher.state().effects.count(operation_id)
    }

    /// Returns how many connections were reset right after they were accepted.
    pub fn refused_connections(&self) -> usize {
        self.dispatcher.state().refused_connections
    }

    /// Returns the sandbox's own mistakes: simulated responses that violate the supplier's document, and scripted
    /// responses that are not valid HTTP.
    ///
    /// The client receives a 500 in place of such a response.
    pub fn violations(&self) -> Vec<String> {
        self.dispatcher.state().violations.clone()
    }

    /// Scripts the response to the next request for an operation.
    ///
    /// Several scripted responses for one operation are used in the order in which they were added. The request is
    /// recorded and counted but not carried out, and the response is not validated.
    ///
    /// # Panics
    ///
    /// Panics if the document has no such operation.
    #[track_caller]
    pub fn answer_next(&self, operation_id: &str, answer: Answer) {
        self.enqueue(operation_id, ScriptedStep::Answer(answer));
    }

    /// Applies a fault to the next request for an operation.
    ///
    /// Faults and responses scripted for one operation share one queue, and take precedence over
    /// [`set_faults`](Self::set_faults).
    ///
    /// # Panics
    ///
    /// Panics if the document has no such operation, or if the fault has a status code that is not a 5xx.
    #[track_caller]
    pub fn fail_next(&self, operation_id: &str, fault: Fault) {
        fault.assert_valid();
        self.enqueue(operation_id, ScriptedStep::Fault(fault));
    }

    /// Applies faults to a share of all following requests and connections, replacing earlier settings.
    ///
    /// # Panics
    ///
    /// Panics if the faults are limited to an operation that the document does not have.
    #[track_caller]
    pub fn set_faults(&self, faults: Faults) {
        for operation_id in faults.operations() {
            self.assert_operation(operation_id);
        }
        self.dispatcher.state().faults = FaultSampler::new(faults);
    }

    /// Resets the next connections right after they are accepted, before anything is read from them.
    pub fn refuse_next_connections(&self, connections: usize) {
        self.dispatcher.state().connections_to_refuse += connections;
    }

    /// Waits until no received request is still to be carried out late.
    ///
    /// Requests with [`Fault::CarriedOutAfterNewer`] that still wait for a newer request are carried out now.
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
        assert!(
            self.spec().operation(operation_id).is_some(),
            "the document has no operation {operation_id}"
        );
    }
}

impl fmt::Debug for Supplier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Supplier").field("base_url", &self.base_url()).finish_non_exhaustive()
    }
}
