//! Creating calls that are checked, stored, placed once, and reconciled.

mod creation;
mod machine;
mod matching;
#[cfg(test)]
mod model;
mod reconciled;
pub(crate) mod step;
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
/// The state determines which methods are allowed and what they do. A method that the table does not list for a state returns
/// an error that says what to do, and does not change the state.
///
/// A value is *locally marked* from [`mark_in_flight`](Self::mark_in_flight) until [`place`](Self::place), for at most a
/// minute. A value that was loaded from a store as `InFlight` is not locally marked: another process may be sending it, or may
/// have crashed.
///
/// | state | method | supplier queried | request sent | next state |
/// |---|---|---|---|---|
/// | `Ready` | [`look_up`](Self::look_up): not found, or the API has no look-up | yes | no | `Ready`; `mark_in_flight` is allowed for a minute |
/// | `Ready` | `look_up`: found | yes | no | `Placed` |
/// | `Ready` | `look_up`: an object exists that may be this one | yes | no | `Indeterminate` |
/// | `Ready` | `look_up` fails or is inconclusive | yes | no | `Ready`; `mark_in_flight` is not allowed |
/// | `Ready` | `mark_in_flight`, after `look_up`, or if it was never stored | no | no | `InFlight`, locally marked |
/// | `Ready`, never stored | `place` | no | yes | as from `InFlight` |
/// | `InFlight`, locally marked | `place`: created | no | yes | `Placed` |
/// | `InFlight`, locally marked | `place`: rejected, throttled, or not sent | no | yes | `Ready` |
/// | `InFlight`, locally marked | `place`: no response, or none that confirms the request | no | yes | `Indeterminate` |
/// | `InFlight`, locally marked | `place` is dropped before it completes | no | maybe | `InFlight`, not locally marked |
/// | `InFlight`, locally marked | `place` after the mark has expired | no | no | `InFlight`, not locally marked; `Ready` if never stored |
/// | `InFlight`, `Indeterminate` | [`reconcile`](Self::reconcile): found | yes | no | `Placed` |
/// | `InFlight`, `Indeterminate` | `reconcile`: not found, and the settle time has passed | yes | no | `Ready` |
/// | `InFlight`, `Indeterminate` | `reconcile`: not found yet, inconclusive, or fails | yes | no | unchanged; try again later |
/// | `InFlight`, `Indeterminate` | `reconcile`: undecidable | yes | no | unchanged; a person has to check |
/// | `InFlight`, `Indeterminate` | [`declare_absent`](Self::declare_absent), once the settle time has passed | by a person | no | `Ready` |
/// | any | [`declare_placed`](Self::declare_placed) | by a person | no | `Placed` |
/// | `Ready` | `reconcile` returns `Absent` | no | no | `Ready` |
/// | `Placed`, what was created is known | `reconcile`, `look_up` return it | no | no | `Placed` |
/// | `Placed`, what was created is not known | `reconcile` reads it from the supplier; `look_up` is not allowed | yes | no | `Placed` |
///
/// A rejected value becomes `Ready` again, because this library does not know whether the cause of the rejection has been
/// corrected. Do not place it in a loop. Store the value after every method call, including one that fails. A value that was
/// never stored can be placed directly with `Prepared::new(…)?.place(…)`; after a crash, nothing is known about such a value.
///
/// # Several workers, one store
///
/// A value does not know about its copies. Three rules prevent two workers from placing one order twice:
///
/// - **Compare and swap, never overwrite.** A worker stores a mark only if the store still has the text that it loaded
///   (`UPDATE … SET value = $new WHERE key = $key AND value = $old`), and places the value only if that succeeded. Therefore no
///   two workers hold a mark at the same time. A lock is not a substitute: a worker that was paused may have lost it.
/// - **Look up before sending.** `mark_in_flight` requires a look-up of every value that may have been stored.
/// - **Never send late.** A request is sent before the deadline of its call, which starts before the mark expires. The clocks
///   are read before each step, and no request body is written after the deadline, even in a process that was paused. Only a
///   pause within the few instructions between the last reading of the clock and the write to the socket goes unnoticed.
///
/// One risk remains: a supplier may execute a request later than the policy's [`settle`](crate::Policy::settle_time) time after
/// the latest time at which the request can have been sent. Set a longer time for a supplier that is known to be slow.
///
/// | created | look-up |
/// |---|---|
/// | ON-API order | the orders and subscriptions of the access, by reference |
/// | ON-API ticket | the list of tickets, by reference |
/// | ON-API change of a ticket | the ticket, by comment or status |
/// | Covage submission | the order, by whether it is submitted |
/// | Covage draft | your newest 500 orders, by reference |
/// | Covage contact | the list of contacts, by equal fields |
/// | Covage information, migration | none: no call shows them; sending them twice has no further effect |
/// | everything at Cocon | none: the API has no reference that the caller sets |
///
/// # The store
///
/// Serializing a value counts as storing it. From then on, [`place`](Self::place) requires a mark, and the mark must have been
/// serialized too. This library cannot see whether the serialized text has reached your store.
///
/// Store the value as JSON text. Converting it to a [`serde_json::Value`] rounds numbers beyond the precision of a float. The
/// text contains the whole request and, once placed, the supplier's response, and therefore usually personal data.
///
/// The stored form has a version. Later versions of this library read the form of earlier versions. An earlier version fails to
/// read a form that it does not know, so a worker of an older release never sends less than was stored.
///
/// `Debug` shows the kind and the state, but not the request.
///
/// [`serde_json::Value`]: https://docs.rs/serde_json/1/serde_json/enum.Value.html
pub struct Prepared<C: Creation> {
    request: C,
    machine: Machine<C::Created>,
}

/// The state of a [`Prepared`] value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PreparedState {
    /// The request was never sent, or was sent without an effect.
    Ready,
    /// The value is marked as in flight. The process that made the mark may be sending the request, or may have crashed.
    InFlight,
    /// The request was sent, and it is not known whether it took effect. [`Prepared::reconcile`] returns whether to reconcile
    /// again later ([`Reconciled::Indeterminate`]) or whether a person has to check ([`Reconciled::Undecidable`]).
    Indeterminate,
    /// The object exists at the supplier.
    Placed,
}

/// What a look-up before sending found.
pub(crate) enum LookedUp<T> {
    Found(T),
    NotFound,
    /// The supplier offers no call that would show the object, or its response is inconclusive for a value that a person has
    /// declared absent.
    Unsupported,
}

impl<C: Creation> Prepared<C> {
    /// Checks the request and prepares it, without sending anything.
    ///
    /// # Errors
    /// Returns [`Outcome::Invalid`](crate::Outcome::Invalid) when the request breaks a rule of the supplier.
    pub fn new(request: C) -> Result<Self, Error> {
        request.check()?;
        Ok(Self { request, machine: Machine::new() })
    }

    /// Returns the request.
    pub fn request(&self) -> &C {
        &self.request
    }

    /// Returns the state.
    pub fn state(&self) -> PreparedState {
        match self.machine.state() {
            State::Ready => PreparedState::Ready,
            State::InFlight(_) => PreparedState::InFlight,
            State::Indeterminate(_) => PreparedState::Indeterminate,
            State::Placed(_) => PreparedState::Placed,
        }
    }

    /// Returns what the supplier created, if the state is `Placed`. Also returns `None` for a placed value that version 0.1.0
    /// of this library stored without what was created, and after [`declare_placed`](Self::declare_placed) with `None`. In these
    /// cases [`reconcile`](Self::reconcile) reads it from the supplier.
    pub fn created(&self) -> Option<&C::Created> {
        match self.machine.state() {
            State::Placed(created) => created.as_ref(),
            _ => None,
        }
    }

    /// Queries the supplier for the object that the request creates. If the object exists, the state becomes `Placed` and the
    /// object is returned. A value that was ever stored must be looked up before it is marked. This method never sends the
    /// request.
    ///
    /// # Errors
    /// Returns the error of the look-up when it fails. Returns [`Outcome::Indeterminate`](crate::Outcome::Indeterminate) when
    /// the look-up is inconclusive, or when the request may have been sent already; in the latter case, reconcile the value.
    pub async fn look_up(&mut self, supplier: &C::Supplier) -> Result<Option<C::Created>, Error> {
        Ok(match self.look_up_before_sending(supplier).await? {
            LookedUp::Found(created) => Some(created),
            LookedUp::NotFound | LookedUp::Unsupported => None,
        })
    }

    pub(crate) async fn look_up_before_sending(
        &mut self,
        supplier: &C::Supplier,
    ) -> Result<LookedUp<C::Created>, Error> {
        match self.machine.state() {
            State::Ready => {}
            State::Placed(Some(created)) => return Ok(LookedUp::Found(created.clone())),
            State::Placed(None) => return Err(invalid::<C>(PLACED_ALREADY)),
            State::InFlight(_) | State::Indeterminate(_) => return Err(unknown::<C>(MAY_HAVE_BEEN_SENT)),
        }
        self.machine.use_clock(supplier.clock());
        self.machine.looking_up();
        match self.find(supplier, LookupPurpose::BeforeSending).await? {
            Lookup::Found(created) => {
                self.machine.placed(Some(created.clone()));
                Ok(LookedUp::Found(created))
            }
            // The look-up showed nothing, and what the person saw may be of long ago: this is not `NotFound`.
            Lookup::Indeterminate(_) | Lookup::Conflict(_) if self.machine.is_declared_absent() => {
                self.machine.looked_up();
                Ok(LookedUp::Unsupported)
            }
            Lookup::NotFound => {
                self.machine.looked_up();
                Ok(LookedUp::NotFound)
            }
            Lookup::Unsupported(_) => {
                self.machine.looked_up();
                Ok(LookedUp::Unsupported)
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

    /// Marks the value as in flight, without sending anything. The mark is valid for a minute: store the value and
    /// [`place`](Self::place) it within that time.
    ///
    /// # Errors
    /// Returns [`Outcome::Invalid`](crate::Outcome::Invalid) when the value was stored and not [looked up](Self::look_up)
    /// within the last minute, is marked already, or is placed. Returns
    /// [`Outcome::Indeterminate`](crate::Outcome::Indeterminate) when the request may have been sent; in that case,
    /// [`reconcile`](Self::reconcile) the value.
    pub fn mark_in_flight(&mut self) -> Result<(), Error> {
        self.mark_in_flight_for(MARK_HOLDS)
    }

    /// Marks the value as in flight, with a mark that is valid for `time` instead of a minute. With a shorter time,
    /// [`reconcile`](Self::reconcile) can return [`Reconciled::Absent`] sooner after a crash. The time must suffice for storing
    /// the value.
    ///
    /// # Errors
    /// Returns the same errors as [`mark_in_flight`](Self::mark_in_flight).
    pub fn mark_in_flight_for(&mut self, time: Duration) -> Result<(), Error> {
        if self.state() == PreparedState::Ready {
            // The request may have been checked by another version of this library, with other rules.
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

    /// Sends the request. The value's mark must be stored. A value that was never stored is marked automatically.
    ///
    /// This method looks nothing up, and sends the request at most once. Store the value afterwards, whatever the result is.
    ///
    /// # Errors
    /// Returns the error of the call. Without sending the request, returns [`Outcome::Invalid`](crate::Outcome::Invalid) when
    /// the value is not marked, its mark is not stored or has expired, or it is placed already. Without sending the request,
    /// returns [`Outcome::Indeterminate`](crate::Outcome::Indeterminate) when the request may have been sent before; in that
    /// case, [`reconcile`](Self::reconcile) the value.
    pub async fn place(&mut self, supplier: &C::Supplier) -> Result<C::Created, Error> {
        self.machine.use_clock(supplier.clock());
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

    /// Finds out whether the request took effect, by querying the supplier.
    ///
    /// A supplier may still be processing a request after the call has ended. Therefore a missing object is reported as absent
    /// only once the policy's [`settle`](crate::Policy::settle_time) time has passed since `place` ended or, after a crash,
    /// since the latest time at which the request can have been sent, which is the expiry of the mark plus the policy's
    /// deadline. The client must not have a shorter deadline than the client that placed the value, and the clocks of workers
    /// on different machines must agree to within the settle time.
    ///
    /// With the defaults, a value whose process has crashed is reported as absent seven minutes after it was marked at the
    /// earliest. To shorten that time, see [`mark_in_flight_for`](Self::mark_in_flight_for),
    /// [`Policy::deadline`](crate::Policy::deadline) and [`Policy::settle_time`](crate::Policy::settle_time).
    ///
    /// # Errors
    /// Returns the error of the look-up. The state is unchanged; reconcile the value again.
    pub async fn reconcile(&mut self, supplier: &C::Supplier) -> Result<Reconciled<C::Created>, Error> {
        let policy = supplier.policy();
        self.machine.use_clock(supplier.clock());
        // This is computed before the look-up, so that the look-up sees every request that has settled by now.
        let left = match self.machine.state() {
            State::Ready => return Ok(Reconciled::Absent),
            State::Placed(Some(created)) => return Ok(Reconciled::Placed(created.clone())),
            _ => self.machine.settling(policy.deadline, policy.settle_time),
        };
        let was_placed = matches!(self.machine.state(), State::Placed(_));
        let was_contradicted = self.machine.was_contradicted();
        // Another worker may be sending the request, and will store its outcome.
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
                let reason = "the supplier responded with something else than what was asked for, and shows nothing that is surely \
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

    /// Makes the value `Ready` again, because a person has checked that the supplier does not have the object. Call this after
    /// [`reconcile`](Self::reconcile) has returned [`Reconciled::Undecidable`]. A later look-up that finds the object still
    /// prevents sending; an inconclusive one no longer does.
    ///
    /// # Errors
    /// Returns [`Outcome::Invalid`](crate::Outcome::Invalid) when the value is placed. Returns
    /// [`Outcome::Indeterminate`](crate::Outcome::Indeterminate), with [`retry_after`](Error::retry_after), while a request of
    /// the value may still be sent or processed, because the object may still be created.
    pub fn declare_absent(&mut self, supplier: &C::Supplier) -> Result<(), Error> {
        if let State::Placed(_) = self.machine.state() {
            return Err(invalid::<C>(PLACED_ALREADY));
        }
        let policy = supplier.policy();
        self.machine.use_clock(supplier.clock());
        if let Settling::For(left) = self.machine.settling(policy.deadline, policy.settle_time) {
            let reason = "a request of it may still be sent or be at work, so that it may be there later. Check again then";
            return Err(unknown::<C>(reason).with_retry_after(left));
        }
        self.machine.declare_absent();
        Ok(())
    }

    /// Puts the value into the state after a call whose response was lost.
    #[cfg(feature = "testing")]
    pub(crate) fn lose_response(&mut self) {
        let _ = self.machine.begin_to_send(MARK_HOLDS);
        self.machine.sent_with_unknown_effect(false);
    }

    /// Makes the value `Placed`, because a person has found the object at the supplier. `created` is what the supplier created,
    /// if known.
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

/// How long a mark is valid by default.
const MARK_HOLDS: Duration = Duration::from_secs(60);

fn invalid<C: Creation>(reason: impl Into<String>) -> Error {
    Error::invalid(C::Supplier::API, reason).with_own_advice()
}

fn unknown<C: Creation>(reason: impl Into<String>) -> Error {
    Error::indeterminate(C::Supplier::API, reason).with_own_advice()
}

/// Returns how long to wait before the next look-up when the supplier's data are inconclusive.
fn doubt_lasts(supplier: &impl sealed::Supplier) -> Duration {
    let policy = supplier.policy();
    // Some causes disappear quickly, such as an HTML page instead of a response.
    (policy.settle_time / 10).max(policy.initial_backoff)
}

/// Returns whether the supplier does not offer a call, by its response or by its directory.
fn is_not_offered(error: &Error) -> bool {
    let status = error.status().map(|status| status.as_u16());
    error.outcome() == Outcome::Invalid || matches!(status, Some(405 | 501))
}
