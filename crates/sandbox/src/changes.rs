//! Tells listeners that something in the sandbox has changed.

use tokio::sync::watch;

/// Counts the changes of all suppliers of a sandbox. Clones share the counter.
#[derive(Debug, Clone)]
pub(crate) struct Changes(watch::Sender<u64>);

impl Changes {
    pub(crate) fn new() -> Changes {
        Changes(watch::Sender::new(0))
    }

    /// Tells every listener that something has changed.
    pub(crate) fn notify(&self) {
        self.0.send_modify(|count| *count = count.wrapping_add(1));
    }

    pub(crate) fn subscribe(&self) -> watch::Receiver<u64> {
        self.0.subscribe()
    }
}
