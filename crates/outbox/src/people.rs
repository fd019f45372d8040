//! What people see of the orders, and what they decide.

use std::fmt;
use std::time::SystemTime;

use crate::store::Decision;
use crate::{Error, Outbox, State};

/// A stored order, as a person sees it.
///
/// `Debug` does not show the request, the result or the key.
#[derive(Clone)]
pub struct StoredOrder {
    pub(crate) key: String,
    pub(crate) supplier: String,
    pub(crate) kind: String,
    pub(crate) state: State,
    pub(crate) step: i64,
    pub(crate) marks: i64,
    pub(crate) attempts: i64,
    pub(crate) crashes: i64,
    pub(crate) decision: Option<String>,
    pub(crate) reason: Option<String>,
    pub(crate) manual_check: Option<String>,
    pub(crate) body: Option<String>,
    pub(crate) result: Option<String>,
    pub(crate) is_erased: bool,
    pub(crate) enqueued_at: SystemTime,
    pub(crate) due: Option<SystemTime>,
    pub(crate) finished_at: Option<SystemTime>,
}

impl StoredOrder {
    /// Returns the key under which the order was enqueued.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Returns the supplier, such as `onapi`, or `onapi/ankeborg` for one of several networks.
    pub fn supplier(&self) -> &str {
        &self.supplier
    }

    /// Returns the kind, such as `onapi.order`.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// Returns the state.
    pub fn state(&self) -> State {
        self.state
    }

    /// Returns the number of the step of a chain, from 0.
    pub fn step(&self) -> i64 {
        self.step
    }

    /// Returns how often the order was marked, which is at least as often as it was sent.
    pub fn marks(&self) -> i64 {
        self.marks
    }

    /// Returns how often in a row the order was tried without progress.
    pub fn attempts_without_progress(&self) -> i64 {
        self.attempts
    }

    /// Returns how many workers in a row have stopped while they had the order. It is 0 again once a person is asked: the
    /// [reason](Self::reason) says how many.
    pub fn crashes(&self) -> i64 {
        self.crashes
    }

    /// Returns the decision of a person that a worker has still to apply: `absent` or `placed`.
    pub fn decision(&self) -> Option<&str> {
        self.decision.as_deref()
    }

    /// Returns why the order is not placed (yet), in words that contain no personal data.
    pub fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }

    /// Returns what a person has to check, if the state is [`State::NeedsPerson`].
    pub fn manual_check(&self) -> Option<&str> {
        self.manual_check.as_deref()
    }

    /// Returns the stored request and its state as JSON. It usually contains personal data.
    pub fn body(&self) -> Option<&str> {
        self.body.as_deref()
    }

    /// Returns what the supplier created, as JSON. It usually contains personal data.
    pub fn result(&self) -> Option<&str> {
        self.result.as_deref()
    }

    /// Returns whether everything but the key, the digest and the final state was deleted.
    pub fn is_erased(&self) -> bool {
        self.is_erased
    }

    /// Returns when the order was enqueued, by the clock of the database.
    pub fn enqueued_at(&self) -> SystemTime {
        self.enqueued_at
    }

    /// Returns when a worker continues, or until when a worker holds the order. Returns `None` if no worker has anything to do.
    pub fn due(&self) -> Option<SystemTime> {
        self.due
    }

    /// Returns when the order reached its final state.
    pub fn finished_at(&self) -> Option<SystemTime> {
        self.finished_at
    }
}

impl fmt::Debug for StoredOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredOrder")
            .field("kind", &self.kind)
            .field("state", &self.state)
            .field("reason", &self.reason)
            .finish_non_exhaustive()
    }
}

/// Which orders to list.
#[derive(Clone, Debug)]
#[must_use]
pub struct Filter {
    pub(crate) state: Option<State>,
    pub(crate) supplier: Option<String>,
    pub(crate) limit: i64,
}

impl Filter {
    /// Selects all orders, newest first, at most 100.
    pub fn all() -> Self {
        Self { state: None, supplier: None, limit: 100 }
    }

    /// Selects the orders in one state.
    pub fn state(self, state: State) -> Self {
        Self { state: Some(state), ..self }
    }

    /// Selects the orders of one supplier.
    pub fn supplier(self, supplier: impl Into<String>) -> Self {
        Self { supplier: Some(supplier.into()), ..self }
    }

    /// Sets the maximum number of orders.
    pub fn limit(self, limit: u32) -> Self {
        Self { limit: limit.into(), ..self }
    }
}

/// A person's decision about an order.
///
/// `Debug` does not show the note.
#[derive(Clone, PartialEq, Eq)]
pub struct AuditEntry {
    pub(crate) who: String,
    pub(crate) what: String,
    pub(crate) why: Option<String>,
    pub(crate) at: SystemTime,
}

impl AuditEntry {
    /// Returns who decided.
    pub fn who(&self) -> &str {
        &self.who
    }

    /// Returns what was decided: `declare_absent`, `declare_placed`, `cancel` or `erase`.
    pub fn what(&self) -> &str {
        &self.what
    }

    /// Returns the reason that the person gave. `None` after an erasure.
    pub fn why(&self) -> Option<&str> {
        self.why.as_deref()
    }

    /// Returns when, by the clock of the database.
    pub fn at(&self) -> SystemTime {
        self.at
    }
}

impl fmt::Debug for AuditEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuditEntry").field("what", &self.what).field("at", &self.at).finish_non_exhaustive()
    }
}

/// The name of the person who decides, as the audit trail keeps it.
#[derive(Clone, Copy, Debug)]
pub struct By<'a>(pub &'a str);

/// What people see and decide.
impl Outbox {
    /// Returns an order, or `None` if none has this key.
    ///
    /// # Errors
    /// Returns [`Error::Store`] when the database fails.
    pub async fn order(&self, key: &str) -> Result<Option<StoredOrder>, Error> {
        self.store.order(key).await
    }

    /// Returns the orders that a filter selects, newest first.
    ///
    /// # Errors
    /// Returns [`Error::Store`] when the database fails.
    pub async fn orders(&self, filter: &Filter) -> Result<Vec<StoredOrder>, Error> {
        self.store.orders(filter).await
    }

    /// Returns the orders that only a person can decide, newest first, at most 1,000.
    ///
    /// # Errors
    /// Returns [`Error::Store`] when the database fails.
    pub async fn needs_person(&self) -> Result<Vec<StoredOrder>, Error> {
        self.store.orders(&Filter::all().state(State::NeedsPerson).limit(1000)).await
    }

    /// States that a person has checked that the supplier does not have the object. A worker makes the order
    /// [`Ready`](State::Ready) again, and then places it. A look-up that finds the object still prevents sending.
    ///
    /// What the person has seen counts only if no request of the order can be at work any more: before that, this method fails and
    /// the person has to look again. If the worker finds a request that may still be at work, the order needs a person again.
    ///
    /// The worker then also sends an order whose look-ups are inconclusive. Therefore look at the supplier in every case, also for an
    /// order that seems not to have been sent, such as one whose workers crashed.
    ///
    /// # Errors
    /// Returns [`Error::NotFound`], [`Error::NotAllowed`] when the state is neither [`NeedsPerson`](State::NeedsPerson) nor
    /// [`Indeterminate`](State::Indeterminate), or [`Error::TooEarly`] while the supplier may still process what was sent.
    pub async fn declare_absent(&self, key: &str, by: By<'_>, why: &str) -> Result<(), Error> {
        self.decide(key, Decision::Absent, by, why).await
    }

    /// States that a person has found the object at the supplier. `created` is the JSON of what the supplier created, if it is
    /// known. A worker books it, and continues with the next step of a chain.
    ///
    /// # Errors
    /// Returns [`Error::NotFound`], or [`Error::NotAllowed`] when the order is in flight or has ended.
    pub async fn declare_placed(
        &self,
        key: &str,
        created: Option<String>,
        by: By<'_>,
        why: &str,
    ) -> Result<(), Error> {
        self.decide(key, Decision::Placed(created), by, why).await
    }

    /// Cancels an order that was not sent, or that only a person can decide. Nothing is cancelled at the supplier.
    ///
    /// A chain that has placed something is not cancelled: an order that is followed, or a draft that is to be submitted, exists at the
    /// supplier. The same applies to an order that may have been sent before a failover of the database: a worker finds out, or asks a
    /// person.
    ///
    /// # Errors
    /// Returns [`Error::NotFound`], or [`Error::NotAllowed`] when the order, or an earlier step of it, may have been sent, or when it has
    /// ended.
    pub async fn cancel(&self, key: &str, by: By<'_>, why: &str) -> Result<(), Error> {
        self.decide(key, Decision::Cancel, by, why).await
    }

    async fn decide(&self, key: &str, decision: Decision, by: By<'_>, why: &str) -> Result<(), Error> {
        self.store.decide(key, &decision, by.0, why).await?;
        self.wake.notify_waiters();
        Ok(())
    }

    /// Returns what people have decided about an order, oldest first. It outlives [`prune`](Self::prune).
    ///
    /// # Errors
    /// Returns [`Error::Store`] when the database fails.
    pub async fn audit(&self, key: &str) -> Result<Vec<AuditEntry>, Error> {
        self.store.audit(key).await
    }
}
