//! The handle on one simulated supplier: what arrived, what took effect, what to answer next.

use std::fmt;
use std::io;
use std::sync::Arc;

use crate::desk::{Behaviour, Desk};
use crate::script::Answer;
use crate::server::Server;
use crate::{Received, Spec};

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
    pub fn received(&self) -> Vec<Received> {
        self.desk.ledger().received.clone()
    }

    /// The latest request.
    pub fn last(&self) -> Option<Received> {
        self.desk.ledger().received.last().cloned()
    }

    /// How many requests for an operation arrived, whatever they were answered.
    pub fn count(&self, operation_id: &str) -> usize {
        let asked_for = |received: &&Received| received.operation.as_deref() == Some(operation_id);
        self.desk.ledger().received.iter().filter(asked_for).count()
    }

    /// How many requests for an operation were carried out and changed something: not those that were refused,
    /// answered by a script, or only read.
    pub fn took_effect(&self, operation_id: &str) -> usize {
        self.desk.ledger().effects.count(operation_id)
    }

    /// Faults of the sandbox itself: answers of its own that the document does not allow, and scripted ones
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
        assert!(self.spec().operation(operation_id).is_some(), "there is no operation {operation_id}");
        self.desk.ledger().script.push(operation_id, answer);
    }
}

impl fmt::Debug for Supplier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Supplier").field("base_url", &self.base_url()).finish_non_exhaustive()
    }
}
