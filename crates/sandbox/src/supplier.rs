//! The handle on one simulated supplier: what arrived, what took effect, what to answer next.

use std::fmt;
use std::io;
use std::sync::Arc;

use crate::desk::{Behaviour, Desk};
use crate::fault::Draw;
use crate::script::{Answer, Cue};
use crate::server::Server;
use crate::{Fault, Faults, Received, Spec};

/// One simulated supplier. Cheap to clone; it listens until the last handle is gone.
#[derive(Clone)]
pub struct Supplier {
    desk: Arc<Desk>,
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
        let desk = Arc::new(Desk::new(spec, Box::new(behaviour)));
        let server = Arc::new(Server::start(port, Arc::clone(&desk)).await?);
        Ok(Supplier { desk, server, prefix })
    }

    /// Where it listens, such as `http://127.0.0.1:40001`; the paths below are those of its document.
    pub fn base_url(&self) -> String {
        format!("{}{}", self.server.base_url(), self.prefix)
    }

    /// The document that requests and answers are held against.
    pub fn spec(&self) -> &'static Spec {
        self.desk.spec
    }

    /// Every request that arrived whole, the oldest first.
    ///
    /// They stand in the order in which they took effect, but for those that are carried out late
    /// ([`Fault::CarriedOutLate`]): these stand where they arrived, and take effect after others that arrived behind
    /// them.
    pub fn received(&self) -> Vec<Received> {
        self.desk.ledger().received.clone()
    }

    /// The requests for one operation among those.
    pub fn received_by(&self, operation_id: &str) -> Vec<Received> {
        let asked_for = |received: &&Received| received.operation.as_deref() == Some(operation_id);
        self.desk.ledger().received.iter().filter(asked_for).cloned().collect()
    }

    /// The latest request.
    pub fn last(&self) -> Option<Received> {
        self.desk.ledger().received.last().cloned()
    }

    /// How many requests for an operation arrived, whatever they were answered and whether or not they were carried
    /// out.
    pub fn count(&self, operation_id: &str) -> usize {
        self.desk.ledger().count(operation_id)
    }

    /// How many requests for an operation were carried out and changed something: not those that were refused,
    /// answered by a script, only read, or are still to be carried out late.
    pub fn took_effect(&self, operation_id: &str) -> usize {
        self.desk.ledger().effects.count(operation_id)
    }

    /// How many connections were reset as soon as they were accepted.
    pub fn refused_connections(&self) -> usize {
        self.desk.ledger().refused
    }

    /// Mistakes of the sandbox itself: answers of its own that the document does not allow, and scripted ones
    /// that HTTP does not know. A test that sees a 500 looks here first.
    pub fn violations(&self) -> Vec<String> {
        self.desk.ledger().violations.clone()
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
        self.lay_down(operation_id, Cue::Answer(answer));
    }

    /// Lays down what goes wrong with the next request for an operation. Faults and answers laid down for an operation
    /// stand in one queue, and go before what [`set_faults`](Self::set_faults) lets happen.
    ///
    /// # Panics
    ///
    /// If there is no such operation, or the status of the fault is no 5xx.
    #[track_caller]
    pub fn fail_next(&self, operation_id: &str, fault: Fault) {
        fault.demand_sound();
        self.lay_down(operation_id, Cue::Fault(fault));
    }

    /// From now on, lets a share of the requests and of the connections go wrong, as drawn from a seed.
    ///
    /// # Panics
    ///
    /// If they are limited to an operation that there is none of.
    #[track_caller]
    pub fn set_faults(&self, faults: Faults) {
        for operation_id in faults.operations() {
            self.demand_operation(operation_id);
        }
        self.desk.ledger().draw = Draw::new(faults);
    }

    /// Resets so many of the next connections as soon as they are accepted, before anything is read from them.
    pub fn refuse_next_connections(&self, connections: usize) {
        self.desk.ledger().to_refuse += connections;
    }

    /// Waits until every request that has arrived and is to be carried out late was carried out. At once if there is
    /// none.
    pub async fn settled(&self) {
        self.desk.settled().await;
    }

    #[track_caller]
    fn lay_down(&self, operation_id: &str, cue: Cue) {
        self.demand_operation(operation_id);
        self.desk.ledger().script.push(operation_id, cue);
    }

    #[track_caller]
    fn demand_operation(&self, operation_id: &str) {
        assert!(self.spec().operation(operation_id).is_some(), "there is no operation {operation_id}");
    }
}

impl fmt::Debug for Supplier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Supplier").field("base_url", &self.base_url()).finish_non_exhaustive()
    }
}
