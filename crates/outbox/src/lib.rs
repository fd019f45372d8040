//! Places stored orders once, from any number of machines.
//!
//! A [`Prepared`](lastmile::Prepared) value is as safe as the store and the loop around it. This crate is both: an order is
//! enqueued in a database, in the same transaction as what your service writes about it, and workers place it at the supplier,
//! exactly once if the supplier can be asked, and at most once in any case. What became of it arrives as an event.
//!
//! ```no_run
//! use std::time::Duration;
//! use lastmile::{Prepared, onapi::{NewOrder, OnApi}};
//! use lastmile_outbox::{EventKind, Outbox};
//!
//! # async fn example(network: OnApi) -> Result<(), Box<dyn std::error::Error>> {
//! let outbox = Outbox::sqlite("orders.db")?;
//! outbox.migrate().await?;
//! let worker = outbox.worker().serve(network).start();
//!
//! let order = Prepared::new(NewOrder::activate("ACC-1".parse()?, "BB-100", "SP-1001".parse()?))?;
//! outbox.enqueue("A-1001", &order).await?; // again, after a crash: it is the same order
//!
//! let mut events = outbox.events("billing");
//! if let Some(event) = events.next().await? {
//!     match event.kind() {
//!         EventKind::Placed => println!("{:?}", event.created::<NewOrder>()),
//!         other => println!("{other:?}"),
//!     }
//!     event.ack().await?;
//! }
//! worker.drain(Duration::from_secs(70)).await;
//! # Ok(())
//! # }
//! ```
//!
//! # States
//!
//! | state | what happens next | sends |
//! |---|---|---|
//! | [`Ready`](State::Ready) | a worker looks the order up, marks it, commits the mark, and sends it | once |
//! | [`InFlight`](State::InFlight) | the worker that marked it writes the answer; if it has crashed, another one reconciles | no |
//! | [`Indeterminate`](State::Indeterminate) | a worker reconciles: placed, absent (`Ready` again), ask again later, or a person | no |
//! | [`Following`](State::Following) | a worker takes steps that may be repeated, such as following a placed order | harmless |
//! | [`NeedsPerson`](State::NeedsPerson) | a person [declares](Outbox::declare_absent) what the supplier has, or cancels | no |
//! | [`Placed`](State::Placed), [`Refused`](State::Refused), [`Cancelled`](State::Cancelled) | final | no |
//!
//! An order that is marked returns to `Ready` only when the supplier does not have it after the settle time, when its request is
//! known not to have taken effect, or when a person says so.
//!
//! # Guarantees
//!
//! They hold as long as the database loses no committed transaction and no process is paused between the last reading of the clock
//! and the write to the socket.
//!
//! 1. The order exists exactly if the transaction that enqueued it commits. The same key again is the same order; another request
//!    under a used key is an error.
//! 2. No request is sent unless its mark is durably committed by the worker that sends it.
//! 3. Every write checks that the order still belongs to the worker, so that a worker that was paused changes nothing.
//! 4. The result and its event are committed together. Each consumer receives each event at least once.
//! 5. An answer that arrives after the worker has lost the order settles it nevertheless, or raises
//!    [`EventKind::Contradicted`].
//!
//! # Residual risks
//!
//! - A process that is paused between the last reading of the clock and the write to the socket sends late, and the order may
//!   exist twice. The window is a few instructions.
//! - A database that loses committed transactions (asynchronous failover, restore of a backup) loses marks. Run PostgreSQL with a
//!   synchronous standby. When the timeline of its write-ahead log changes, nothing is sent until what was sent before must have
//!   arrived, and orders that were due where the supplier cannot be asked need a person. With SQLite, and in a PostgreSQL that does
//!   not tell its timeline, a restore is not noticed.
//! - A supplier that carries out a request later than the policy's settle time after the call. Set a longer time for it.
//! - Where the supplier cannot be asked (everything at Cocon), an order whose response is lost is decided by a person.
//! - A process that is stopped while it writes to SQLite keeps the lock of the database until it continues or ends. Nobody else can
//!   write until then; nothing is lost. PostgreSQL has no such lock.
//! - Workers compare their clocks with the database's, and claim nothing while they differ by more than a tenth of the settle
//!   time. Leases and settle times are the database's. With SQLite that is the clock of the machine: a worker notices when it is set,
//!   but not when it was set before the worker started.

mod enqueue;
mod error;
mod events;
mod machine;
mod metrics;
#[cfg(test)]
mod model;
mod outbox;
mod people;
mod retention;
mod state;
mod statistics;
mod store;
mod worker;

#[cfg(feature = "postgres")]
pub use enqueue::postgres;
#[cfg(feature = "sqlite")]
pub use enqueue::sqlite;
pub use enqueue::{Enqueued, Statement};
pub use error::{Error, StoreError};
pub use events::{Event, EventKind, Events};
pub use outbox::Outbox;
#[cfg(feature = "postgres")]
pub use outbox::PostgresBuilder;
pub use people::{AuditEntry, By, Filter, StoredOrder};
pub use retention::Pruned;
pub use state::State;
pub use statistics::Statistics;
#[cfg(feature = "testing")]
#[doc(hidden)]
pub use worker::probe;
pub use worker::{Pace, Worker, WorkerBuilder};

/// The driver of PostgreSQL, for its configuration.
#[cfg(feature = "postgres")]
pub use tokio_postgres;

#[cfg(all(doctest, feature = "sqlite"))]
#[doc = include_str!("../../../docs/guide/orders-that-survive.md")]
struct Guide;

#[cfg(all(doctest, feature = "sqlite"))]
#[doc = include_str!("../../../README.md")]
struct Readme;
