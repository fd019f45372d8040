//! Counts of orders.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::{Error, Outbox, State};

/// How many orders are in which state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Statistics {
    /// The number of orders of each supplier in each state.
    pub orders: BTreeMap<(String, State), u64>,
    /// How long ago the oldest order was enqueued whose first step is not done and which no person has to look at, for each supplier
    /// that has one. It counts retries, too: it grows while a supplier cannot be reached.
    pub oldest_waiting: BTreeMap<String, Duration>,
    /// The number of events that each consumer has not acknowledged.
    pub events: BTreeMap<String, u64>,
}

impl Statistics {
    /// Returns the number of orders in a state, of all suppliers.
    pub fn count(&self, state: State) -> u64 {
        self.orders.iter().filter(|((_, other), _)| *other == state).map(|(_, count)| count).sum()
    }

    pub(crate) fn add(&mut self, supplier: String, state: State, count: i64, waiting: Option<i64>) {
        *self.orders.entry((supplier.clone(), state)).or_default() += u64::try_from(count).unwrap_or(0);
        if let Some(millis) = waiting.and_then(|millis| u64::try_from(millis).ok()) {
            let oldest = self.oldest_waiting.entry(supplier).or_default();
            *oldest = (*oldest).max(Duration::from_millis(millis));
        }
    }
}

impl Outbox {
    /// Counts the orders by supplier and state, and the events by consumer. Reads every order, which takes a moment if there are
    /// millions.
    ///
    /// # Errors
    /// Returns [`Error::Store`] when the database fails.
    pub async fn statistics(&self) -> Result<Statistics, Error> {
        self.store.statistics(true).await
    }
}
