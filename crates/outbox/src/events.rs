//! What became of orders, for any number of consumers.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use lastmile::outbox::{Kind, Refusal};
use tokio::time::{Instant, sleep_until};

use crate::machine::{Question, What};
use crate::store::{Store, StoredEvent};
use crate::{Error, Outbox};

/// How many events are fetched at once.
const BATCH: i64 = 16;

/// The events of one consumer: each is delivered at least once, until it is acknowledged.
///
/// Any number of processes may read the events of one consumer; each event goes to one of them. An event that is not acknowledged
/// is delivered again after a minute. Events are delivered about in the order in which they were written; the order is not
/// guaranteed. A consumer receives the events from its registration on.
pub struct Events {
    outbox: Outbox,
    consumer: Arc<str>,
    hidden_for: Duration,
    poll_interval: Duration,
    taken: VecDeque<StoredEvent>,
    taken_at: Instant,
    is_registered: bool,
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events").field("consumer", &self.consumer).finish_non_exhaustive()
    }
}

impl Outbox {
    /// Returns the events of a consumer. The first use of its name registers it, see
    /// [`register_consumer`](Self::register_consumer).
    pub fn events(&self, consumer: &str) -> Events {
        Events {
            outbox: self.clone(),
            consumer: consumer.into(),
            hidden_for: Duration::from_secs(60),
            poll_interval: Duration::from_millis(500),
            taken: VecDeque::new(),
            taken_at: Instant::now(),
            is_registered: false,
        }
    }

    /// Registers a consumer, which receives every event that is written from now on. Does nothing if it is registered.
    ///
    /// # Errors
    /// Returns [`Error::Store`] when the database fails.
    pub async fn register_consumer(&self, consumer: &str) -> Result<(), Error> {
        self.store.register(consumer).await
    }

    /// Removes a consumer and the events that it has not acknowledged. Do this for a consumer that is given up, or its events are
    /// kept for ever.
    ///
    /// # Errors
    /// Returns [`Error::Store`] when the database fails.
    pub async fn unregister_consumer(&self, consumer: &str) -> Result<(), Error> {
        self.store.unregister(consumer).await
    }
}

impl Events {
    /// Sets after how long an event that was not acknowledged is delivered again. 60 seconds by default.
    #[must_use]
    pub fn redeliver_after(mut self, time: Duration) -> Self {
        self.hidden_for = time;
        self
    }

    /// Sets how often the database is asked for new events while there are none. Twice a second by default.
    #[must_use]
    pub fn poll_interval(mut self, interval: Duration) -> Self {
        self.poll_interval = interval;
        self
    }

    /// Waits for the next event. Never returns `None`; the type lets you write `while let Some(event) = events.next().await?`.
    ///
    /// # Errors
    /// Returns [`Error::Store`] when the database fails. Call the method again.
    pub async fn next(&mut self) -> Result<Option<Event>, Error> {
        loop {
            let wake = self.outbox.wake_events.clone();
            let mut woken = std::pin::pin!(wake.notified());
            // Registered before the database is asked, so that no event falls between the two.
            woken.as_mut().enable();
            if let Some(event) = self.try_next().await? {
                return Ok(Some(event));
            }
            tokio::select! {
                () = woken => {}
                () = sleep_until(Instant::now() + self.poll_interval) => {}
            }
        }
    }

    /// Returns the next event if there is one.
    ///
    /// # Errors
    /// Returns [`Error::Store`] when the database fails.
    pub async fn try_next(&mut self) -> Result<Option<Event>, Error> {
        if !self.is_registered {
            self.outbox.store.register(&self.consumer).await?;
            self.is_registered = true;
        }
        if self.taken_at.elapsed() >= self.hidden_for / 2 {
            // Another process may soon receive them.
            self.taken.clear();
        }
        if self.taken.is_empty() {
            self.taken_at = Instant::now();
            self.taken = self.outbox.store.take_events(&self.consumer, BATCH, self.hidden_for).await?.into();
        }
        let stored = self.taken.pop_front();
        Ok(stored.map(|stored| Event {
            store: self.outbox.store.clone(),
            consumer: self.consumer.clone(),
            stored,
        }))
    }
}

/// Something that happened to an order.
///
/// `Debug` shows neither the key nor the data.
#[must_use = "an event is delivered again until it is acknowledged"]
pub struct Event {
    store: Arc<Store>,
    consumer: Arc<str>,
    stored: StoredEvent,
}

/// What happened to an order.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EventKind {
    /// The supplier has the order. [`Event::created`] returns what it created.
    Placed,
    /// A step of a chain is done, and the next one follows.
    Advanced,
    /// The order was rejected, for this reason. Correct it, and enqueue it under another key.
    Refused(Refusal),
    /// A person has to decide.
    NeedsPerson {
        /// Why nobody else can.
        reason: String,
        /// What the person has to check.
        manual_check: String,
    },
    /// A person cancelled the order.
    Cancelled,
    /// The supplier answered very late that it has the order, although it was cancelled, refused, or declared absent and sent again
    /// meanwhile. It may exist twice: a person has to look.
    Contradicted,
}

impl Event {
    /// Returns the number of the event. It identifies the event when it is delivered more than once.
    pub fn id(&self) -> i64 {
        self.stored.id
    }

    /// Returns the key of the order.
    pub fn key(&self) -> &str {
        &self.stored.key
    }

    /// Returns the supplier of the order.
    pub fn supplier(&self) -> &str {
        &self.stored.supplier
    }

    /// Returns the kind of the order, such as `onapi.order`.
    pub fn order_kind(&self) -> &str {
        &self.stored.kind
    }

    /// Returns the number of the step of a chain, from 0.
    pub fn step(&self) -> i64 {
        self.stored.step
    }

    /// Returns when it happened, by the clock of the database.
    pub fn at(&self) -> SystemTime {
        crate::store::time(self.stored.at)
    }

    /// Returns what happened.
    pub fn kind(&self) -> EventKind {
        let data = self.stored.data.as_deref().unwrap_or("null");
        match self.stored.what {
            What::Placed => EventKind::Placed,
            What::Advanced => EventKind::Advanced,
            What::Cancelled => EventKind::Cancelled,
            What::Contradicted => EventKind::Contradicted,
            What::Refused => {
                EventKind::Refused(serde_json::from_str(data).unwrap_or_else(|_| Refusal::new(ERASED)))
            }
            What::NeedsPerson => match serde_json::from_str(data) {
                Ok(Question { reason, manual_check }) => EventKind::NeedsPerson { reason, manual_check },
                Err(_) => EventKind::NeedsPerson { reason: ERASED.into(), manual_check: ERASED.into() },
            },
        }
    }

    /// Returns what the supplier created, as the type of this kind of request or chain. Returns `None` if the order is of another kind, was
    /// not placed, or was placed by a person's statement without it.
    ///
    /// ```no_run
    /// # async fn example(outbox: lastmile_outbox::Outbox) -> Result<(), lastmile_outbox::Error> {
    /// let mut events = outbox.events("billing");
    /// while let Some(event) = events.next().await? {
    ///     if let Some(placed) = event.created::<lastmile::onapi::NewOrder>() {
    ///         println!("{}: {:?}", event.key(), placed.order_id());
    ///     }
    ///     event.ack().await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn created<K: Kind>(&self) -> Option<K::Created> {
        if self.stored.kind != K::KIND || self.stored.what != What::Placed {
            return None;
        }
        serde_json::from_str(self.stored.data.as_deref()?).ok()
    }

    /// Returns the data of the event as JSON: what was created, or the refusal.
    pub fn data(&self) -> Option<&str> {
        self.stored.data.as_deref()
    }

    /// Acknowledges the event: it is not delivered to this consumer again.
    ///
    /// # Errors
    /// Returns [`Error::Store`] when the database fails. The event is then delivered again.
    pub async fn ack(self) -> Result<(), Error> {
        self.store.acknowledge(&self.consumer, self.stored.id).await
    }

    /// Returns the statement that acknowledges the event, for a transaction of your own: what you write about the event and the
    /// acknowledgement then happen together, exactly once.
    pub fn ack_statement(&self) -> crate::Statement {
        let sql = match &*self.store {
            #[cfg(feature = "sqlite")]
            Store::Sqlite(_) => crate::store::sqlite::ACKNOWLEDGE,
            #[cfg(feature = "postgres")]
            Store::Postgres(_) => crate::store::postgres::ACKNOWLEDGE,
        };
        crate::Statement::new(sql, vec![self.consumer.to_string(), self.stored.id.to_string()])
    }
}

const ERASED: &str = "(erased)";

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event")
            .field("id", &self.stored.id)
            .field("order_kind", &self.stored.kind)
            .field("what", &self.stored.what)
            .finish_non_exhaustive()
    }
}
