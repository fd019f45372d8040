//! The configuration of a worker.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use lastmile::outbox::Client;

use super::{Limits, Times, Worker};
use crate::Outbox;
use crate::enqueue::supplier_at;
use crate::store;

/// How many orders all workers of an outbox together start per time, at one supplier.
///
/// ```
/// use lastmile_outbox::Pace;
///
/// let pace = Pace::per_second(5).burst(10);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[must_use]
pub struct Pace(store::Pace);

impl Pace {
    /// Starts at most this many orders per second, on average. Zero counts as one.
    pub fn per_second(orders: u32) -> Self {
        Self(store::Pace { gap: Duration::from_secs(1) / orders.max(1), burst: 1 })
    }

    /// Starts at most this many orders per minute, on average. Zero counts as one.
    pub fn per_minute(orders: u32) -> Self {
        Self(store::Pace { gap: Duration::from_secs(60) / orders.max(1), burst: 1 })
    }

    /// Sets how many orders may start at once after a pause. One by default.
    pub fn burst(self, orders: u32) -> Self {
        Self(store::Pace { burst: orders.max(1).into(), ..self.0 })
    }
}

pub(super) struct Served {
    pub(super) client: Arc<dyn Client>,
    pub(super) supplier: String,
    pub(super) pace: Option<store::Pace>,
}

/// A worker to be started. [`Outbox::worker`] returns one.
#[must_use = "a worker does nothing until it is started"]
pub struct WorkerBuilder {
    outbox: Outbox,
    pub(super) served: Vec<Served>,
    pub(super) max_in_flight: u32,
    pub(super) limits: Limits,
    pub(super) times: Times,
    #[cfg(feature = "testing")]
    pub(super) probe: Option<super::probe::Probe>,
}

impl fmt::Debug for WorkerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let suppliers: Vec<_> = self.served.iter().map(|served| &served.supplier).collect();
        f.debug_struct("WorkerBuilder").field("suppliers", &suppliers).finish_non_exhaustive()
    }
}

impl WorkerBuilder {
    pub(crate) fn new(outbox: Outbox) -> Self {
        Self {
            outbox,
            served: Vec::new(),
            max_in_flight: 64,
            limits: Limits::default(),
            times: Times::default(),
            #[cfg(feature = "testing")]
            probe: None,
        }
    }

    /// Serves the orders of a supplier with this client. Orders of suppliers that no worker serves wait.
    ///
    /// All workers of one supplier must have the same deadline and settle time in their policies.
    pub fn serve(mut self, client: impl Client + 'static) -> Self {
        let supplier = client.supplier().to_owned();
        self.served.push(Served { client: Arc::new(client), supplier, pace: None });
        self
    }

    /// Serves the orders that were enqueued [at a network](Outbox::enqueue_at) with this client.
    pub fn serve_at(mut self, network: &str, client: impl Client + 'static) -> Self {
        let supplier = supplier_at(client.supplier(), network);
        self.served.push(Served { client: Arc::new(client), supplier, pace: None });
        self
    }

    /// Serves every client of a registry under its key, such as `networks.iter()` of a
    /// `lastmile::onapi::Networks`.
    pub fn serve_each<'a, K, C>(self, clients: impl IntoIterator<Item = (&'a K, &'a C)>) -> Self
    where
        K: AsRef<str> + 'a,
        C: Client + Clone + 'static,
    {
        clients
            .into_iter()
            .fold(self, |builder, (key, client)| builder.serve_at(key.as_ref(), client.clone()))
    }

    /// Sets the pace at the supplier that was named last. All workers of one supplier must set the same. There is none by default.
    pub fn pace(mut self, pace: Pace) -> Self {
        if let Some(served) = self.served.last_mut() {
            served.pace = Some(pace.0);
        }
        self
    }

    /// Sets how many orders this worker works on at the same time at each supplier. 64 by default. A client must allow as many
    /// requests in flight.
    pub fn max_in_flight(mut self, orders: u32) -> Self {
        self.max_in_flight = orders.max(1);
        self
    }

    /// Sets how often the database is asked for orders while there are none. Twice a second by default. An order that is enqueued
    /// through the same [`Outbox`] is found at once.
    pub fn poll_interval(mut self, interval: Duration) -> Self {
        self.times.poll_interval = interval;
        self
    }

    /// Sets the backoff after the first try without progress, and the maximum. The backoff doubles with each try. One second and
    /// five minutes by default. A longer time that the supplier asks for is kept.
    pub fn backoff(mut self, initial: Duration, max: Duration) -> Self {
        (self.limits.initial_backoff, self.limits.max_backoff) = (initial, max.max(initial));
        self
    }

    /// Sets after how many tries in a row with an outcome that may not pass by itself a person is asked: inconclusive look-ups, and
    /// creating calls that are forbidden (403). 20 by default. A supplier that cannot be reached does not count.
    pub fn doubts(mut self, count: u32) -> Self {
        self.limits.doubts = count.max(1).into();
        self
    }

    /// Sets after how many workers in a row that stopped while they had an order a person is asked. Three by default.
    pub fn crashes(mut self, count: u32) -> Self {
        self.limits.crashes = count.max(1).into();
        self
    }

    /// Sets how long a mark is valid: the longest time from making it to sending the request, with the commit between the two. Ten
    /// seconds by default.
    pub fn mark_valid_for(mut self, time: Duration) -> Self {
        self.times.mark = time;
        self
    }

    /// Sets how much longer an order is claimed than its look-up, mark and call may take together. Five seconds by default.
    pub fn lease_margin(mut self, time: Duration) -> Self {
        self.times.margin = time;
        self
    }

    #[cfg(feature = "testing")]
    #[doc(hidden)]
    pub fn probe(mut self, probe: super::probe::Probe) -> Self {
        self.probe = Some(probe);
        self
    }

    /// Starts the worker on the current tokio runtime.
    pub fn start(self) -> Worker {
        let outbox = self.outbox.clone();
        Worker::start(&outbox, self)
    }
}
