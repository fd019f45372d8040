//! Deleting what is no longer needed.

use std::time::Duration;

use crate::people::By;
use crate::{Error, Outbox};

/// What a prune deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pruned {
    /// The number of orders whose request and result were deleted.
    pub orders: u64,
    /// The number of events that every consumer has acknowledged.
    pub events: u64,
}

/// Retention.
impl Outbox {
    /// Deletes the request, the result and the reason of orders that ended at least this time ago, and events that every consumer
    /// has acknowledged. The key, the digest of the request, the final state and the audit trail stay, so that a key is never
    /// placed twice.
    ///
    /// Deletes at most 10,000 orders at once; call it until it returns zero.
    ///
    /// # Errors
    /// Returns [`Error::Store`] when the database fails.
    pub async fn prune(&self, age: Duration) -> Result<Pruned, Error> {
        self.store.prune(age).await
    }

    /// Deletes what an order says about a person: request, result, reason, the data of its events, late responses, and the notes of
    /// the audit trail. The key, the digest and the final state stay. An order that was not sent, or that needs a person, is
    /// cancelled.
    ///
    /// Keys must therefore not contain personal data.
    ///
    /// # Errors
    /// Returns [`Error::NotFound`], or [`Error::NotAllowed`] while the order may have been sent and is not settled: its request is
    /// needed to find out what became of it.
    pub async fn erase(&self, key: &str, by: By<'_>) -> Result<(), Error> {
        self.store.erase(key, by.0).await
    }
}
