//! Creating calls: checked, stored, placed once, reconciled.

mod clock;
mod creation;
mod machine;
mod matching;
#[cfg(test)]
mod model;
mod reconciled;
mod stored;
mod warnings;

pub use creation::Creation;
pub(crate) use creation::sealed;
pub(crate) use matching::Match;
pub use reconciled::{Indeterminate, Reconciled, Undecidable};

use std::fmt;
use std::time::Duration;

use lastmile_core::{Error, Outcome};

use machine::{Machine, MarkError, SendError, Settling, State};
use sealed::{Lookup, LookupPurpose, Supplier as _};

/// A creating call that is checked, can be stored, and is placed once.
///
/// ```
/// # use lastmile::{cocon::{Cocon, types::CustomerCreate}, Prepared};
/// # struct Store;
/// # impl Store {
/// #     async fn replace(&self, old: &str, new: &str) -> Result<(), std::io::Error> { Ok(()) }
/// # }
/// # async fn example(cocon: &Cocon, store: &Store) -> Result<(), Box<dyn std::error::Error>> {
/// // From the store, where it was put as `serde_json::to_string(&Prepared::new(request)?)?`.
/// # let stored = serde_json::to_string(&Prepared::new(CustomerCreate { name: Some("Ankeborg".into()), ..Default::default() })?)?;
/// let mut order: Prepared<CustomerCreate> = serde_json::from_str(&stored)?;
///
/// if order.look_up(cocon).await?.is_none() {         // 1. It is not at the supplier.
///     order.mark_in_flight()?;                        // 2. From now on it may have been sent.
///     let marked = serde_json::to_string(&order)?;
///     store.replace(&stored, &marked).await?;         //    No request leaves without a stored mark.
///     let result = order.place(cocon).await;          // 3. It is sent, once.
///     store.replace(&marked, &serde_json::to_string(&order)?).await?;
///     println!("created: {:?}", result?.id);          //    Stored, too: see `created`.
/// }
/// # Ok(())
/// # }
/// ```
///
/// # States
///
/// The state decides which methods are allowed and what they do. A method that the table does not show for a state fails with an
/// error that says what to do, and leaves the state as it is.
///
/// A value is *marked by itself* from [`mark_in_flight`](Self::mark_in_flight) until [`place`](Self::place), for a minute at most. A
/// value that was loaded from a store as `InFlight` is *marked by another*: another process may be sending it, or has crashed.
///
/// | state | method | supplier queried | request sent | next state |
/// |---|---|---|---|---|
/// | `Ready` | [`look_up`](Self::look_up): not there, or the API has no look-up | yes | no | `Ready`; `mark_in_flight` is allowed for a minute |
/// | `Ready` | `look_up`: there | yes | no | `Placed` |
/// | `Ready` | `look_up`: something is there that may be it | yes | no | `Indeterminate` |
/// | `Ready` | `look_up` fails, or cannot tell | yes | no | `Ready`; `mark_in_flight` is not allowed |
/// | `Ready` | `mark_in_flight`, after `look_up`, or if it was never stored | no | no | `InFlight`, marked by itself |
/// | `Ready`, never stored | `place` | no | yes | as from `InFlight` |
/// | `InFlight`, marked by itself | `place`: created | no | yes | `Placed` |
/// | `InFlight`, marked by itself | `place`: rejected, throttled, or never left | no | yes | `Ready` |
/// | `InFlight`, marked by itself | `place`: no answer, or none that confirms it | no | yes | `Indeterminate` |
/// | `InFlight`, marked by itself | `place` is dropped before its end | no | maybe | `InFlight`, as if marked by another |
/// | `InFlight`, marked by itself | `place` after the mark has expired | no | no | `InFlight`, as if marked by another; `Ready` if never stored |
/// | `InFlight`, `Indeterminate` | [`reconcile`](Self::reconcile): there | yes | no | `Placed` |
/// | `InFlight`, `Indeterminate` | `reconcile`: not there, and no request can be at work any more | yes | no | `Ready` |
/// | `InFlight`, `Indeterminate` | `reconcile`: not there yet, cannot tell now, or fails | yes | no | unchanged; ask again |
/// | `InFlight`, `Indeterminate` | `reconcile`: only a person can tell | yes | no | unchanged; a person has to check |
/// | `InFlight`, `Indeterminate` | [`declare_absent`](Self::declare_absent), once no request can be at work any more | by a person | no | `Ready` |
/// | any | [`declare_placed`](Self::declare_placed) | by a person | no | `Placed` |
/// | `Ready` | `reconcile` | no | no | `Ready`: it is absent |
/// | `Placed` | `reconcile`, `look_up` | no | no | `Placed`: what was created |
///
/// A rejected value is `Ready` again: this library does not know whether somebody has corrected what was wrong. Do not place it in
/// a loop. Store the value after every method, also after one that fails. A value that was never stored can be placed at once,
/// `Prepared::new(…)?.place(…)`; then nothing is known about it after a crash.
///
/// # Several workers, one store
///
/// A value knows nothing of its copies. Three rules keep two workers from placing one order twice:
///
/// - **Replace, never overwrite.** A worker stores a mark only in the place of the very text that it loaded
///   (`UPDATE … SET value = $new WHERE key = $key AND value = $old`), and places only if that succeeded. So no two workers hold
///   a mark at once. A lock does not replace this: a worker that was paused may have lost it.
/// - **Whatever may have been stored is looked up before it is sent.** `mark_in_flight` demands it.
/// - **Nothing leaves late.** A request leaves before its call's deadline, which begins before the mark has lapsed; the clocks
///   are read before each step, and the connection gets no body from a value whose time is over, even in a process that was
///   paused. Only between that last look at the clock and the write to the socket, a few instructions, can a pause go unnoticed.
///
/// What remains: a supplier that carries a request out later than the policy's [`settle`](crate::Policy::settle_time) time after the
/// last moment at which it can have been sent. Make that time longer where a supplier is known to be slow.
///
/// | created | looked at |
/// |---|---|
/// | ON-API order | the orders and subscriptions of the access, for its reference |
/// | ON-API ticket | the list of tickets, for its reference |
/// | ON-API change of a ticket | the ticket, for the comment or the status |
/// | Covage submission | the order, whether it is submitted |
/// | Covage draft | your newest 500 orders, for its reference |
/// | Covage contact | the list of contacts, for one that says the same |
/// | Covage information, migration | nothing: no call shows them; sending them twice has no further effect |
/// | everything at Cocon | nothing: the API has no reference of the caller's |
///
/// # The store
///
/// Serializing a value counts as storing it: from then on [`place`](Self::place) requires a mark, and the mark must have been
/// serialized, too. This library cannot see whether the text has reached your store.
///
/// Store it as JSON text. A [`serde_json::Value`] on the way rounds numbers beyond the precision of a float. What is stored has
/// the whole request and, once placed, the supplier's answer: personal data, as a rule.
///
/// The form has a version. Later versions of this library read what earlier ones stored; an earlier one refuses what it does not
/// know, so that a worker of an older release never sends less than was stored.
///
/// `Debug` shows the kind and the state, not the request.
///
/// [`serde_json::Value`]: https://docs.rs/serde_json/1/serde_json/enum.Value.html
pub struct Prepared<C: Creation> {
    request: C,
    machine: Machine<C::Created>,
}

/// How far a [`Prepared`] value has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PreparedState {
    /// It was never sent, or what was sent had no effect.
    Ready,
    /// It is marked as being sent. Whoever made the mark may be sending it; after a crash nobody is.
    InFlight,
    /// It was sent, and whether it took effect is not known. [`Prepared::reconcile`] tells whether asking again can help
    /// ([`Reconciled::Indeterminate`]) or a person has to check ([`Reconciled::Undecidable`]).
    Indeterminate,
    /// The supplier has it.
    Placed,
}

impl<C: Creation> Prepared<C> {
    /// Checks the request and prepares it. Nothing is sent.
    ///
    /// # Errors
    /// [`Outcome::Invalid`](crate::Outcome::Invalid) when the supplier could only refuse it.
    pub fn new(request: C) -> Result<Self, Error> {
        request.check()?;
        Ok(Self { request, machine: Machine::new() })
    }

    /// Returns the request that is sent.
    pub fn request(&self) -> &C {
        &self.request
    }

    /// Returns how far it has come.
    pub fn state(&self) -> PreparedState {
        match self.machine.state() {
            State::Ready => PreparedState::Ready,
            State::InFlight(_) => PreparedState::InFlight,
            State::Indeterminate(_) => PreparedState::Indeterminate,
            State::Placed(_) => PreparedState::Placed,
        }
    }

    /// Returns what the supplier created, once it is placed. None also for a placed value that version 0.1.0 of this library
    /// stored, which did not keep it: [`reconcile`](Self::reconcile) reads it from the supplier.
    pub fn created(&self) -> Option<&C::Created> {
        match self.machine.state() {
            State::Placed(created) => created.as_ref(),
            _ => None,
        }
    }

    /// Queries the supplier for what is to be created. If it exists, the state becomes `Placed` and the created object is returned.
    /// A value that was ever stored has to be looked up before it is marked.
    ///
    /// # Errors
    /// The outcome of the look-up, when it fails. [`Outcome::Indeterminate`](crate::Outcome::Indeterminate) when it cannot tell, or when the
    /// value may have been sent already: reconcile it. Nothing is sent in any case.
    pub async fn look_up(&mut self, supplier: &C::Supplier) -> Result<Option<C::Created>, Error> {
        match self.machine.state() {
            State::Ready => {}
            State::Placed(Some(created)) => return Ok(Some(created.clone())),
            State::Placed(None) => return Err(invalid::<C>(PLACED_ALREADY)),
            State::InFlight(_) | State::Indeterminate(_) => return Err(unknown::<C>(MAY_HAVE_BEEN_SENT)),
        }
        self.machine.looking_up();
        match self.find(supplier, LookupPurpose::BeforeSending).await? {
            Lookup::Found(created) => {
                self.machine.placed(Some(created.clone()));
                Ok(Some(created))
            }
            Lookup::Indeterminate(_) | Lookup::Conflict(_) if self.machine.is_declared_absent() => {
                self.machine.looked_up();
                Ok(None)
            }
            Lookup::NotFound | Lookup::Unsupported(_) => {
                self.machine.looked_up();
                Ok(None)
            }
            Lookup::Indeterminate(reason) => {
                let retry_after = doubt_lasts(supplier);
                let reason = format!(
                    "{reason}, so that it may be there already. Nothing was sent. Look it up again later; if that stays so, {}, \
                     and declare it absent if it is not there",
                    C::MANUAL_CHECK
                );
                Err(unknown::<C>(reason).with_retry_after(retry_after))
            }
            Lookup::Conflict(reason) => {
                self.machine.conflicts();
                Err(unknown::<C>(format!("{reason}. Nothing was sent. A person has to {}", C::MANUAL_CHECK)))
            }
        }
    }

    /// Marks it as being sent, for the store, before it is. The mark is good for a minute: [`place`](Self::place) it by then.
    ///
    /// # Errors
    /// [`Outcome::Invalid`](crate::Outcome::Invalid) when it was stored and not [looked up](Self::look_up) within the last
    /// minute, is marked already, or is placed; [`Outcome::Indeterminate`](crate::Outcome::Indeterminate) when it may have been sent:
    /// [`reconcile`](Self::reconcile) it.
    pub fn mark_in_flight(&mut self) -> Result<(), Error> {
        self.mark_in_flight_for(MARK_HOLDS)
    }

    /// The same with a mark that is good for another time than a minute. The shorter it is, the sooner
    /// [`reconcile`](Self::reconcile) can say after a crash that something is absent. It has to last for storing it.
    ///
    /// # Errors
    /// As [`mark_in_flight`](Self::mark_in_flight).
    pub fn mark_in_flight_for(&mut self, time: Duration) -> Result<(), Error> {
        if self.state() == PreparedState::Ready {
            // It may have been sent by a version of this library with other rules, and be ready again.
            self.request.check()?;
        }
        self.machine.mark(time).map_err(|error| match error {
            MarkError::NotLookedUp => invalid::<C>(
                "this value was stored before, so that another worker may have placed it. Nothing was sent. Look it up, then mark it within a minute",
            ),
            MarkError::MarkedAlready => invalid::<C>("this value is marked already. Nothing was sent. Store it, then place it"),
            MarkError::MayHaveBeenSent => unknown::<C>(MAY_HAVE_BEEN_SENT),
            MarkError::PlacedAlready => invalid::<C>(PLACED_ALREADY),
        })
    }

    /// Sends it. Its mark must be stored, unless the value was never stored at all: then it marks itself.
    ///
    /// Nothing is looked up here, and nothing is sent twice. Store the value again afterwards, however it ended.
    ///
    /// # Errors
    /// The outcome of the call. [`Outcome::Invalid`](crate::Outcome::Invalid) without a request, when it is not marked, its mark
    /// is not stored or has lapsed, or it is placed already; [`Outcome::Indeterminate`](crate::Outcome::Indeterminate) without a request, when
    /// it may have been sent before: [`reconcile`](Self::reconcile) it.
    pub async fn place(&mut self, supplier: &C::Supplier) -> Result<C::Created, Error> {
        if matches!(self.machine.state(), State::Ready) && !self.machine.needs_look_up() {
            self.mark_in_flight()?;
        }
        let deadline = supplier.policy().deadline;
        let send_deadline = self.machine.begin_to_send(deadline).map_err(|error| match error {
            SendError::NotMarked => invalid::<C>(
                "this value was stored, and is not marked as being sent. Nothing was sent. Look it up, mark it, store it, then place it",
            ),
            SendError::MarkNotStored => {
                invalid::<C>("the mark of this value is not stored, so that nobody would know after a crash. Nothing was sent. Store it, then place it")
            }
            SendError::MarkLapsed { is_stored: true } => invalid::<C>(
                "the mark of this value has lapsed, so that another worker may have placed it. Nothing was sent. Load it from the \
                 store again, and reconcile it",
            ),
            SendError::MarkLapsed { is_stored: false } => {
                invalid::<C>("the mark of this value has lapsed. Nothing was sent. Mark it again, then place it")
            }
            SendError::MayHaveBeenSent => unknown::<C>(MAY_HAVE_BEEN_SENT),
            SendError::PlacedAlready => invalid::<C>(PLACED_ALREADY),
        })?;
        let result = self.request.send(&supplier.with_send_deadline(send_deadline)).await;
        match &result {
            Ok(created) => self.machine.placed(Some(created.clone())),
            Err(error) if error.may_have_taken_effect() => {
                self.machine.sent_with_unknown_effect(error.contradicts_request());
            }
            Err(_) => self.machine.sent_without_effect(),
        }
        result
    }

    /// Finds out what became of it, with what the supplier's API offers.
    ///
    /// A request may still be at work at the supplier when nobody waits for it any more. So what is not there is called absent
    /// only when the policy's [`settle`](crate::Policy::settle_time) time has passed since `place` ended, or since the latest moment
    /// at which a crashed process can have sent it: as long as its mark was good, and the policy's deadline. So the client must
    /// not have a shorter deadline than the one that placed it, and the clocks of workers on several machines must agree within
    /// the settle time.
    ///
    /// With the defaults, a value whose process has crashed is absent seven minutes after it was marked at the earliest. To shorten
    /// that, see [`mark_in_flight_for`](Self::mark_in_flight_for), [`Policy::deadline`](crate::Policy::deadline) and
    /// [`Policy::settle_time`](crate::Policy::settle_time).
    ///
    /// # Errors
    /// The outcome of the look-up; it can be asked again.
    pub async fn reconcile(&mut self, supplier: &C::Supplier) -> Result<Reconciled<C::Created>, Error> {
        let policy = supplier.policy();
        // Before the look-up: what is done by now is seen by it.
        let left = match self.machine.state() {
            State::Ready => return Ok(Reconciled::Absent),
            State::Placed(Some(created)) => return Ok(Reconciled::Placed(created.clone())),
            _ => self.machine.settling(policy.deadline, policy.settle_time),
        };
        let was_placed = matches!(self.machine.state(), State::Placed(_));
        let was_contradicted = self.machine.was_contradicted();
        // Another worker may be sending it, and will know.
        let sending = match (left, self.machine.state()) {
            (Settling::For(left), State::InFlight(_)) => Some(left),
            _ => None,
        };
        let manual_check = C::MANUAL_CHECK.to_owned();
        let undecidable = |reason: &str| {
            Reconciled::Undecidable(Undecidable {
                reason: reason.to_owned(),
                manual_check: manual_check.clone(),
            })
        };
        let (reason, retry_after) = match (self.find(supplier, LookupPurpose::AfterSending).await?, left) {
            (Lookup::Found(created), _) => {
                self.machine.placed(Some(created.clone()));
                return Ok(Reconciled::Placed(created));
            }
            (Lookup::NotFound, _) if was_placed => {
                return Ok(undecidable("it was placed, and the supplier does not show it any more"));
            }
            (Lookup::NotFound, _) if was_contradicted => {
                let reason = "the supplier answered with something else than what was asked for, and shows nothing that is surely \
                              this; it may write it back in its own way";
                return Ok(undecidable(reason));
            }
            (Lookup::NotFound, Settling::Settled) => {
                self.machine.absent();
                return Ok(Reconciled::Absent);
            }
            (Lookup::NotFound, Settling::For(left)) => {
                ("it is not there yet, but the request may still be at work", left)
            }
            (Lookup::NotFound, Settling::Unknown) => {
                return Ok(undecidable("it is not there, and it is not known when it was sent"));
            }
            (Lookup::Indeterminate(reason), _) => (reason, doubt_lasts(supplier)),
            (Lookup::Conflict(reason) | Lookup::Unsupported(reason), _) => match sending {
                Some(left) => (reason, left),
                None => return Ok(undecidable(reason)),
            },
        };
        Ok(Reconciled::Indeterminate(Indeterminate { reason: reason.to_owned(), retry_after, manual_check }))
    }

    async fn find(
        &self,
        supplier: &C::Supplier,
        purpose: LookupPurpose,
    ) -> Result<Lookup<C::Created>, Error> {
        match self.request.find(supplier, purpose).await {
            Err(error) if is_not_offered(&error) => {
                Ok(Lookup::Unsupported("the supplier does not offer the call that would show it"))
            }
            found => found,
        }
    }

    /// Makes it `Ready` again, because a person has checked that the supplier does not have it: call it when
    /// [`reconcile`](Self::reconcile) has returned [`Reconciled::Undecidable`]. A later look-up that finds it still keeps it from
    /// being sent; one that cannot tell does not any more.
    ///
    /// # Errors
    /// [`Outcome::Invalid`](crate::Outcome::Invalid) when it is placed. [`Outcome::Indeterminate`](crate::Outcome::Indeterminate), with
    /// [`retry_after`](Error::retry_after), while a request of it may still be sent or be at work: what is not there now may be
    /// there then.
    pub fn declare_absent(&mut self, supplier: &C::Supplier) -> Result<(), Error> {
        if let State::Placed(_) = self.machine.state() {
            return Err(invalid::<C>(PLACED_ALREADY));
        }
        let policy = supplier.policy();
        if let Settling::For(left) = self.machine.settling(policy.deadline, policy.settle_time) {
            let reason = "a request of it may still be sent or be at work, so that it may be there later. Check again then";
            return Err(unknown::<C>(reason).with_retry_after(left));
        }
        self.machine.declare_absent();
        Ok(())
    }

    /// Counts it as sent, without an answer.
    #[cfg(feature = "testing")]
    pub(crate) fn lose_answer(&mut self) {
        let _ = self.machine.begin_to_send(MARK_HOLDS);
        self.machine.sent_with_unknown_effect(false);
    }

    /// Makes it `Placed`, because a person has found it at the supplier: with what was created there, if that is known.
    ///
    /// ```
    /// # use lastmile::{Error, Prepared, cocon::Batch};
    /// # fn example(order: &mut Prepared<Batch>) -> Result<(), Box<dyn std::error::Error>> {
    /// order.declare_placed(Some("4711".parse()?)); // the id that the portal shows
    /// # Ok(())
    /// # }
    /// ```
    pub fn declare_placed(&mut self, created: Option<C::Created>) {
        self.machine.placed(created);
    }
}

impl<C: Creation> fmt::Debug for Prepared<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prepared")
            .field("kind", &C::KIND)
            .field("state", &self.state())
            .finish_non_exhaustive()
    }
}

const MAY_HAVE_BEEN_SENT: &str = "this value may have been sent before. Nothing was sent now. Reconcile it";

const PLACED_ALREADY: &str = "this value is placed already. Nothing was sent now. See what it created";

/// How long after it was made a mark is good, unless the caller says otherwise.
const MARK_HOLDS: Duration = Duration::from_secs(60);

fn invalid<C: Creation>(reason: impl Into<String>) -> Error {
    Error::invalid(C::Supplier::API, reason).with_own_advice()
}

fn unknown<C: Creation>(reason: impl Into<String>) -> Error {
    Error::indeterminate(C::Supplier::API, reason).with_own_advice()
}

/// How long it takes until asking again may help, when the supplier's data do not tell.
fn doubt_lasts(supplier: &impl sealed::Supplier) -> Duration {
    let policy = supplier.policy();
    // Some doubts pass at once, such as that of a page in the place of an answer.
    (policy.settle_time / 10).max(policy.initial_backoff)
}

/// Whether the supplier has no such call, or says so in its directory.
fn is_not_offered(error: &Error) -> bool {
    let status = error.status().map(|status| status.as_u16());
    error.outcome() == Outcome::Invalid || matches!(status, Some(405 | 501))
}
