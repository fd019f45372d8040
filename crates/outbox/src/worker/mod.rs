//! Workers: they claim orders, carry them out, and write what became of them.

mod builder;
mod clocks;
mod job;
#[cfg(feature = "testing")]
pub mod probe;
mod serve;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

pub use builder::{Pace, WorkerBuilder};

use crate::machine::Limits;
use crate::store::LONGEST;
use crate::{Outbox, metrics};

/// A running worker. It stops when it is dropped or [drained](Self::drain).
///
/// Dropping it aborts what it does, as a crash would: its orders are claimed again when their leases have ended, and those that
/// may have been sent are reconciled. Prefer [`drain`](Self::drain).
#[must_use = "a worker stops when it is dropped"]
pub struct Worker {
    tasks: JoinSet<()>,
    stop: watch::Sender<bool>,
    permits: Vec<(Arc<Semaphore>, u32)>,
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker").field("in_flight", &self.in_flight()).finish_non_exhaustive()
    }
}

impl Worker {
    fn start(outbox: &Outbox, builder: WorkerBuilder) -> Self {
        let (stop, stopping) = watch::channel(false);
        let owner = uuid::Uuid::new_v4().to_string();
        let mut tasks = JoinSet::new();
        let mut permits = Vec::new();
        for served in builder.served {
            let semaphore = Arc::new(Semaphore::new(builder.max_in_flight as usize));
            permits.push((semaphore.clone(), builder.max_in_flight));
            let context = job::Context {
                store: outbox.store.clone(),
                wake: outbox.wake.clone(),
                wake_events: outbox.wake_events.clone(),
                client: served.client,
                supplier: served.supplier,
                owner: owner.clone(),
                limits: builder.limits.clone(),
                times: builder.times.clone(),
                #[cfg(feature = "testing")]
                probe: builder.probe.clone(),
            };
            tasks.spawn(serve::serve(Arc::new(context), semaphore, served.pace, stopping.clone()));
        }
        tasks.spawn(metrics::report(outbox.clone(), stopping));
        Self { tasks, stop, permits }
    }

    /// Returns how many orders this worker is working on.
    pub fn in_flight(&self) -> usize {
        self.permits
            .iter()
            .map(|(permits, all)| (*all as usize).saturating_sub(permits.available_permits()))
            .sum()
    }

    /// Claims no more orders, and waits until those that are claimed are done, at most for `timeout`. Returns how many are left:
    /// another worker continues with them when their leases have ended.
    ///
    /// Choose a timeout above the policy's deadline (60 seconds by default), so that no answer is lost.
    pub async fn drain(mut self, timeout: Duration) -> usize {
        let until = Instant::now() + timeout;
        let _ = self.stop.send(true);
        // Each task ends when its orders are done.
        while let Ok(Some(_)) = timeout_at(until, self.tasks.join_next()).await {}
        self.in_flight()
    }
}

/// How long the parts of a job may take.
#[derive(Clone, Debug)]
struct Times {
    /// How often the database is asked for orders while there are none.
    poll_interval: Duration,
    /// How long a mark is valid: the time from making it to sending the request.
    mark: Duration,
    /// What a lease lasts longer than its job should.
    margin: Duration,
}

impl Default for Times {
    fn default() -> Self {
        Self {
            poll_interval: Duration::from_millis(500),
            mark: Duration::from_secs(10),
            margin: Duration::from_secs(5),
        }
    }
}

impl Times {
    /// How long an order must still be claimed when it is marked: long enough to send it.
    fn needed(&self, deadline: Duration) -> Duration {
        self.mark.min(LONGEST / 4).saturating_add(deadline)
    }

    /// How long nothing is done that relies on what happened before a failover: until whatever was sent then is processed.
    fn quiet(&self, deadline: Duration, settle: Duration) -> Duration {
        self.lease(deadline).saturating_add(settle).min(LONGEST)
    }

    /// How long an order is claimed: a look-up, the mark, and the call, which each end by a deadline.
    fn lease(&self, deadline: Duration) -> Duration {
        deadline.saturating_add(self.needed(deadline)).saturating_add(self.margin).min(LONGEST)
    }
}
