//! An outbox.

use std::fmt;
use std::sync::Arc;

use lastmile::outbox::Enqueue;
use tokio::sync::Notify;

use crate::enqueue::NewOrder;
use crate::store::Store;
use crate::{Enqueued, Error, WorkerBuilder};

/// A database of orders. Cloning is cheap; clones share the connections.
#[derive(Clone)]
pub struct Outbox {
    pub(crate) store: Arc<Store>,
    /// Wakes the workers of this process when an order is due.
    pub(crate) wake: Arc<Notify>,
    /// Wakes the consumers of this process when an event is written.
    pub(crate) wake_events: Arc<Notify>,
}

impl fmt::Debug for Outbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbox").finish_non_exhaustive()
    }
}

impl Outbox {
    pub(crate) fn new(store: Store) -> Self {
        Self { store: Arc::new(store), wake: Arc::new(Notify::new()), wake_events: Arc::new(Notify::new()) }
    }

    /// Opens orders in a SQLite database, and creates the file if it does not exist. It must be on a local disk; several processes
    /// of one machine may open it.
    ///
    /// # Errors
    /// Returns [`Error::Store`] when the file cannot be opened as a database with a write-ahead log.
    #[cfg(feature = "sqlite")]
    pub fn sqlite(path: impl AsRef<std::path::Path>) -> Result<Self, Error> {
        Ok(Self::new(Store::Sqlite(crate::store::sqlite::Sqlite::open(path.as_ref())?)))
    }

    /// Limits the database to this many pages, or to those that it has. Returns the limit.
    #[cfg(all(feature = "sqlite", feature = "testing"))]
    #[doc(hidden)]
    pub async fn limit_pages(&self, pages: u32) -> Result<u32, Error> {
        match &*self.store {
            Store::Sqlite(store) => store.limit_pages(pages).await,
            #[cfg(feature = "postgres")]
            Store::Postgres(_) => Ok(pages),
        }
    }

    /// Creates the tables, or brings those of an earlier version up to date. Call it when your service starts: it does nothing if
    /// nothing is to be done, and waits while another process does it. All tables begin with `lastmile_`.
    ///
    /// Upgrade the workers before the services that enqueue: an order that a worker cannot read needs a person.
    ///
    /// # Errors
    /// Returns [`Error::Schema`] when a later version of this library created the tables, and [`Error::Store`] when the database
    /// fails.
    pub async fn migrate(&self) -> Result<(), Error> {
        self.store.migrate().await
    }

    /// Enqueues an order under a key of your choice, in a transaction of its own. To enqueue it in a transaction of yours, see the
    /// modules `postgres` and `sqlite`.
    ///
    /// The same order under the same key is enqueued once, however often this is called. Keys must not contain personal data,
    /// because they are never deleted.
    ///
    /// # Errors
    /// Returns [`Error::KeyUsed`] when the key belongs to another request, [`Error::Invalid`] when the value may have been sent
    /// already, [`Error::InvalidKey`], or [`Error::Store`] when the database fails; call it again then.
    pub async fn enqueue(&self, key: &str, order: &impl Enqueue) -> Result<Enqueued, Error> {
        self.put(NewOrder::new(key, None, order)?).await
    }

    /// Enqueues an order at one of several networks. Workers that [serve the network](WorkerBuilder::serve_at) place it.
    ///
    /// # Errors
    /// Returns the same errors as [`enqueue`](Self::enqueue).
    pub async fn enqueue_at(
        &self,
        network: &str,
        key: &str,
        order: &impl Enqueue,
    ) -> Result<Enqueued, Error> {
        self.put(NewOrder::new(key, Some(network), order)?).await
    }

    async fn put(&self, order: NewOrder) -> Result<Enqueued, Error> {
        let enqueued = self.store.enqueue(&order).await?;
        self.wake.notify_waiters();
        Ok(enqueued)
    }

    /// Wakes the workers of this process: call it after a transaction of your own has enqueued something. Without it they find the
    /// order at their next poll.
    pub fn wake_workers(&self) {
        self.wake.notify_waiters();
    }

    /// Returns a worker to be configured and started.
    pub fn worker(&self) -> WorkerBuilder {
        WorkerBuilder::new(self.clone())
    }
}

/// How to reach a PostgreSQL database. [`Outbox::postgres`] uses the defaults.
#[cfg(feature = "postgres")]
#[must_use]
pub struct PostgresBuilder(crate::store::postgres::Settings);

#[cfg(feature = "postgres")]
impl fmt::Debug for PostgresBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresBuilder").finish_non_exhaustive()
    }
}

#[cfg(feature = "postgres")]
impl PostgresBuilder {
    /// Starts with a configuration of the driver. Set keepalives and `tcp_user_timeout` in it, so that a connection that was cut
    /// is noticed.
    pub fn new(config: tokio_postgres::Config) -> Self {
        Self(crate::store::postgres::Settings {
            config,
            connections: 16,
            timeout: std::time::Duration::from_secs(10),
            #[cfg(feature = "postgres-tls")]
            tls: None,
        })
    }

    /// Sets the maximum number of connections. 16 by default.
    pub fn connections(mut self, count: usize) -> Self {
        self.0.connections = count.max(1);
        self
    }

    /// Sets how long each part of an operation may take: waiting for a connection, connecting, and the statement. 10 seconds by default.
    pub fn timeout(mut self, time: std::time::Duration) -> Self {
        self.0.timeout = time;
        self
    }

    /// Uses TLS with this configuration. Set the `sslmode` of the driver's configuration to `require` as well, or a server without
    /// TLS is accepted.
    #[cfg(feature = "postgres-tls")]
    pub fn tls(mut self, config: rustls::ClientConfig) -> Self {
        self.0.tls = Some(config);
        self
    }

    /// Returns the outbox. It connects when it is used.
    ///
    /// # Errors
    /// Returns [`Error::Store`] when the pool cannot be created.
    pub fn build(self) -> Result<Outbox, Error> {
        Ok(Outbox::new(Store::Postgres(crate::store::postgres::Postgres::new(self.0)?)))
    }
}

#[cfg(feature = "postgres")]
impl Outbox {
    /// Opens orders in a PostgreSQL database, without TLS and with the default settings: a pool of 16 connections of its own. See
    /// [`PostgresBuilder`] for others; TLS needs the feature `postgres-tls`.
    ///
    /// ```
    /// use lastmile_outbox::Outbox;
    ///
    /// let outbox = Outbox::postgres("host=db.sp.example user=orders dbname=orders".parse()?)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Returns [`Error::Store`] when the pool cannot be created.
    pub fn postgres(config: tokio_postgres::Config) -> Result<Self, Error> {
        PostgresBuilder::new(config).build()
    }
}
