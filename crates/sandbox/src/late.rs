//! Requests that are carried out after their connection has been closed.

use std::time::Duration;

use tokio::sync::watch;

use crate::received::ReceivedRequest;

/// A request to be carried out late.
#[derive(Debug)]
pub(crate) struct LateRequest {
    pub(crate) delay: Duration,
    /// The request's index among those received.
    pub(crate) index: usize,
    /// The request, which may no longer be kept when it is carried out.
    pub(crate) received: Box<ReceivedRequest>,
    /// How often the state had been reset when the request arrived.
    pub(crate) generation: usize,
    _pending: PendingGuard,
}

impl LateRequest {
    pub(crate) fn new(
        delay: Duration,
        (index, received): (usize, ReceivedRequest),
        generation: usize,
        pending: &watch::Sender<usize>,
    ) -> LateRequest {
        let received = Box::new(received);
        LateRequest { delay, index, received, generation, _pending: PendingGuard::new(pending) }
    }
}

/// Counts a late request as pending until it is dropped, so that nobody waits for a request that the server dropped.
#[derive(Debug)]
struct PendingGuard(watch::Sender<usize>);

impl PendingGuard {
    fn new(count: &watch::Sender<usize>) -> PendingGuard {
        count.send_modify(|count| *count += 1);
        PendingGuard(count.clone())
    }
}

impl Drop for PendingGuard {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}
