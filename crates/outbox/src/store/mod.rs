//! The databases. Each has its own module with the same operations; what they mean is decided elsewhere.

#[cfg(feature = "postgres")]
pub(crate) mod postgres;
mod rows;
#[cfg(feature = "sqlite")]
pub(crate) mod sqlite;

#[cfg(not(any(feature = "postgres", feature = "sqlite")))]
compile_error!("lastmile-outbox needs a database: enable the feature `sqlite` or `postgres`");

use std::time::Duration;

pub(crate) use rows::{
    Claim, ClaimedRow, Decision, Fence, LONGEST, Late, Pace, StoredEvent, Subject, millis_since_1970, time,
};

use crate::enqueue::NewOrder;
use crate::machine::Booking;
use crate::people::{AuditEntry, Filter, StoredOrder};
use crate::retention::Pruned;
use crate::statistics::Statistics;
use crate::{Enqueued, Error};

/// One of the databases.
pub(crate) enum Store {
    #[cfg(feature = "sqlite")]
    Sqlite(sqlite::Sqlite),
    #[cfg(feature = "postgres")]
    Postgres(postgres::Postgres),
}

macro_rules! operations {
    ($($(#[$doc:meta])* fn $name:ident($($argument:ident: $type:ty),*) -> $returned:ty;)*) => {
        impl Store {
            $(
                $(#[$doc])*
                pub(crate) async fn $name(&self, $($argument: $type),*) -> Result<$returned, Error> {
                    match self {
                        #[cfg(feature = "sqlite")]
                        Self::Sqlite(store) => store.$name($($argument),*).await,
                        #[cfg(feature = "postgres")]
                        Self::Postgres(store) => store.$name($($argument),*).await,
                    }
                }
            )*
        }
    };
}

operations! {
    /// Creates the tables or brings them up to date.
    fn migrate() -> ();
    /// Returns the time of the database, in milliseconds since 1970.
    fn clock() -> i64;
    /// Lets no settle time of a supplier's orders end within the quiet time, nor the quiet time after a failover if that was not over
    /// before the clock of the database was set forward, by `ahead`.
    fn prolong_settle_times(supplier: &str, quiet: Duration, ahead: Duration) -> ();
    fn enqueue(order: &NewOrder) -> Enqueued;
    /// Claims orders that are due, as many as the pace allows. Claims nothing to be sent for a while after the database has failed over.
    /// Fails if the clock of the database is ahead of [`Claim::latest`].
    fn claim(claim: &Claim) -> Vec<ClaimedRow>;
    /// Writes the mark if the order is still claimed for at least this time. When this returns true, the mark is durable. `settle`
    /// is how long the supplier may process the request after the lease has ended.
    fn mark(fence: &Fence, body: &str, needed: Duration, settle: Duration) -> bool;
    /// Writes what became of an order, with its event, if it is still claimed.
    fn book(fence: &Fence, booking: &Booking) -> bool;
    /// Writes a response that arrived after the claim was lost.
    fn book_late(fence: &Fence, booking: &Booking) -> Late;
    /// Keeps all workers from the supplier for this time.
    fn pause(supplier: &str, time: Duration) -> ();
    fn register(consumer: &str) -> ();
    fn unregister(consumer: &str) -> ();
    fn take_events(consumer: &str, limit: i64, hidden_for: Duration) -> Vec<StoredEvent>;
    fn acknowledge(consumer: &str, event: i64) -> ();
    fn order(key: &str) -> Option<StoredOrder>;
    fn orders(filter: &Filter) -> Vec<StoredOrder>;
    fn decide(key: &str, decision: &Decision, who: &str, why: &str) -> ();
    fn audit(key: &str) -> Vec<AuditEntry>;
    /// Counts orders and events. Without the finished orders, of which there may be millions, it reads two small indexes.
    fn statistics(with_finished: bool) -> Statistics;
    fn prune(age: Duration) -> Pruned;
    fn erase(key: &str, who: &str) -> ();
}
