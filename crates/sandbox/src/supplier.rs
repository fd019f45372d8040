//! The handle to one simulated supplier: it reports received requests and scripts responses and faults.

use std::collections::BTreeSet;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use crate::behaviour::Behaviour;
use crate::changes::Changes;
use crate::dispatcher::Dispatcher;
use crate::fault::{Fault, FaultSampler, Faults};
use crate::log::RequestLog;
use crate::received::ReceivedRequest;
use crate::script::{Answer, Script, ScriptedStep};
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
        options: &SupplierOptions,
        spec: &'static Spec,
        behaviour: impl Behaviour + 'static,
    ) -> io::Result<Supplier> {
        let prefix = behaviour.prefix();
        let (changes, absent) = (options.changes.clone(), options.absent_operations.clone());
        let log = RequestLog::new(options.kept_requests);
        let dispatcher = Arc::new(Dispatcher::new(spec, Box::new(behaviour), changes, absent, log));
        let server = Arc::new(Server::start(options.address, prefix, Arc::clone(&dispatcher)).await?);
        Ok(Supplier { dispatcher, server, prefix })
    }

    pub(crate) fn dispatcher(&self) -> &Arc<Dispatcher> {
        &self.dispatcher
    }

    /// Returns the path prefix of the API.
    pub(crate) fn prefix(&self) -> &'static str {
        self.prefix
    }

    /// Forgets all requests, scripted steps and faults, and continues with this behaviour.
    pub(crate) fn reset_with(&self, behaviour: impl Behaviour + 'static) {
        self.dispatcher.reset(Box::new(behaviour));
        self.changed();
    }

    /// Tells everyone who watches the sandbox that something has changed.
    pub(crate) fn changed(&self) {
        self.dispatcher.changes.notify();
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

    /// Returns the requests that arrived completely, in the order of arrival: the latest 10,000, or as many as
    /// [`keep_requests`](crate::SandboxBuilder::keep_requests) says.
    ///
    /// This is also the order in which the requests took effect, except for requests with [`Fault::CarriedOutLate`]
    /// or [`Fault::CarriedOutAfterNewer`]: these are listed where they arrived, but take effect after later requests.
    pub fn received(&self) -> Vec<ReceivedRequest> {
        self.dispatcher.state().received.iter().cloned().collect()
    }

    /// Returns the kept requests for one operation, in the order of arrival.
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
        self.dispatcher.state().faults = vec![FaultSampler::new(faults)];
        self.changed();
    }

    /// Applies more faults, in addition to those that are set.
    ///
    /// The earliest settings that yield a fault for a request are used. Call this repeatedly to give each operation its
    /// own faults.
    ///
    /// ```
    /// # use lastmile_sandbox::{Fault, Faults, Supplier};
    /// # fn example(supplier: &Supplier) {
    /// supplier.set_faults(Faults::new(1, 0.5, [Fault::ResetAfter]).only(["createOrder"]));
    /// supplier.add_faults(Faults::new(1, 0.1, [Fault::Unavailable(503)]));
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// Panics if the faults are limited to an operation that the document does not have.
    #[track_caller]
    pub fn add_faults(&self, faults: Faults) {
        for operation_id in faults.operations() {
            self.assert_operation(operation_id);
        }
        self.dispatcher.state().faults.push(FaultSampler::new(faults));
        self.changed();
    }

    /// Removes all faults that are set. Scripted faults stay.
    pub fn clear_faults(&self) {
        self.dispatcher.state().faults.clear();
        self.changed();
    }

    /// Removes all scripted responses and faults that no request has used yet.
    pub fn clear_script(&self) {
        self.dispatcher.state().script = Script::default();
        self.changed();
    }

    /// Returns the faults that are set, in the order in which they are sampled.
    pub fn faults(&self) -> Vec<Faults> {
        self.dispatcher.state().faults.iter().map(|sampler| sampler.faults().clone()).collect()
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
        self.changed();
    }

    #[track_caller]
    fn assert_operation(&self, operation_id: &str) {
        assert!(
            self.spec().operation(operation_id).is_some(),
            "the document has no operation {operation_id}"
        );
    }
}

/// What the builder decides about each supplier.
#[derive(Debug, Clone)]
pub(crate) struct SupplierOptions {
    pub(crate) address: SocketAddr,
    pub(crate) changes: Changes,
    /// The operations of the document that the supplier does not have.
    pub(crate) absent_operations: BTreeSet<String>,
    /// How many received requests are kept.
    pub(crate) kept_requests: usize,
}

impl fmt::Debug for Supplier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Supplier").field("base_url", &self.base_url()).finish_non_exhaustive()
    }
}
