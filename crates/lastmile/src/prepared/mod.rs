//! Creating calls: checked, stored, placed once, reconciled.

mod creation;
mod stored;
mod warnings;

pub use creation::Creation;
pub(crate) use creation::sealed;

use std::fmt;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, SystemTime};

use lastmile_core::call::{Error, Outcome};
use serde::{Deserialize, Serialize};

use sealed::{Found, Look, Supplier as _};

/// A creating call that is checked, can be stored, and is placed once.
///
/// ```
/// # use lastmile::{cocon::{Cocon, types::CustomerCreate}, Prepared};
/// # async fn example(cocon: Cocon, store: impl Fn(String)) -> Result<(), Box<dyn std::error::Error>> {
/// let customer = CustomerCreate { name: Some("Ankeborg Wonen".into()), ..Default::default() };
/// let mut prepared = Prepared::new(customer)?; // checked, nothing is sent
/// prepared.begin()?;                           // from now on it may have been sent
/// store(serde_json::to_string(&prepared)?);    // a crash forgets nothing
/// let customer = prepared.place(&cocon).await?; // sent
/// store(serde_json::to_string(&prepared)?);    // and done
/// # Ok(())
/// # }
/// ```
///
/// When placing fails and [`Error::may_have_taken_effect`], or a value is found in the store as [`Progress::Unclear`]
/// after a crash, [`reconcile`](Self::reconcile) it: such a value refuses to be placed again. It does so, too, when the
/// future of `place` was dropped half-way. Begin it and store it before every `place`, the second one after a failure
/// included: a stored value must never be older than its request. One that is never stored can do without `begin`.
///
/// # Two workers with one value
///
/// A value knows nothing of its copies, so take it out of the store under a lock. Where the lock fails, there is a second
/// line: a value that may have copies which could be placed (it comes from a store, was stored without being begun, or was
/// placed before) is looked for at the supplier before it is sent. What is there already, by its own reference, is what
/// [`place`](Self::place) answers with. So a second worker does not double what `reconcile` could find for the first. It does not
/// help while the first one's request is still at work, nor where there is nothing to look at:
///
/// | created | looked at before sending |
/// |---|---|
/// | ON-API order | the orders and subscriptions of the access, for its reference |
/// | ON-API ticket | the list of tickets, for its reference |
/// | Covage submission | the order, whether it is submitted |
/// | Covage draft | your newest 500 orders, for its reference |
/// | Covage contact | the list of contacts, for one that says just the same |
/// | Covage information, migration | nothing: no call shows them; said twice, they order nothing twice |
/// | everything at Cocon | nothing: the API has no reference of the caller's |
///
/// # The store
///
/// Store it as JSON text. A [`serde_json::Value`] on the way rounds numbers beyond the precision of a float.
///
/// `Debug` shows the kind and the progress, not the request.
///
/// [`serde_json::Value`]: https://docs.rs/serde_json/1/serde_json/enum.Value.html
pub struct Prepared<C> {
    request: C,
    progress: Progress,
    /// Whether `begin` was called on this very value, so that it is known that nothing was sent since.
    begun: bool,
    sent: Sent,
    /// Whether there may be copies that could be placed. Storing a value makes one, and only borrows it.
    copied: AtomicBool,
}

/// When it was sent at the latest, in milliseconds since 1970.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Sent {
    /// It was begun to be sent by then, if ever.
    send_by: Option<u64>,
    /// It was given up then: nothing was sent after.
    ended_at: Option<u64>,
}

impl Sent {
    /// How much longer a request may still be at work at the supplier; none when it cannot. A clock that was set back, or is
    /// not known, makes it longer.
    fn unsettled(self, deadline: Duration, settle: Duration) -> Option<Duration> {
        let now = now();
        let since = match (self.ended_at, self.send_by) {
            (Some(ended), _) => Duration::from_millis(ended),
            (None, Some(by)) => Duration::from_millis(by).saturating_add(deadline),
            (None, None) => now.unwrap_or_default(),
        };
        let settled = since.saturating_add(settle);
        let left = settled.saturating_sub(now.unwrap_or_default());
        (!left.is_zero()).then_some(left)
    }
}

/// How far a [`Prepared`] value has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Progress {
    /// It was never begun, or what was sent had no effect.
    Ready,
    /// It was begun, and nothing certain is known since.
    Unclear,
    /// The supplier has it.
    Placed,
}

/// What became of a [`Prepared`] value, as far as the supplier lets it be found out.
#[derive(Debug)]
#[non_exhaustive]
pub enum Reconciled<T> {
    /// It took effect; this is what the supplier holds.
    Placed(T),
    /// It did not take effect, and can be placed again.
    Absent,
    /// It cannot be told.
    Undecidable(Undecidable),
}

/// Why it cannot be told what became of something, and what can be done.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Undecidable {
    /// Why it cannot be told.
    pub why: String,
    /// When asking again may help; never, if none.
    pub ask_again: Option<Duration>,
    /// What a person should look at.
    pub look_at: String,
}

impl fmt::Display for Undecidable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}. {}", self.why, self.look_at)?;
        match self.ask_again {
            Some(wait) => write!(f, ", or ask again in {} s", wait.as_secs()),
            None => Ok(()),
        }
    }
}

impl<C: Creation> Prepared<C> {
    /// Checks the request and prepares it. Nothing is sent.
    ///
    /// # Errors
    /// [`Outcome::Invalid`](crate::Outcome::Invalid) when the supplier could only refuse it.
    pub fn new(request: C) -> Result<Self, Error> {
        request.check()?;
        Ok(Self {
            request,
            progress: Progress::Ready,
            begun: false,
            sent: Sent::default(),
            copied: AtomicBool::new(false),
        })
    }

    /// What will be sent.
    pub fn request(&self) -> &C {
        &self.request
    }

    /// How far it has come.
    pub fn progress(&self) -> Progress {
        self.progress
    }

    /// Marks it as being sent, for the store, before it is. The mark is good for a minute: place it by then, or begin again
    /// and store it again. ([`place`](Self::place) refuses it later, and sends nothing.)
    ///
    /// # Errors
    /// As [`place`](Self::place).
    pub fn begin(&mut self) -> Result<(), Error> {
        self.begin_within(BEGUN_FOR)
    }

    /// The same with a mark that is good for another time than a minute. The shorter it is, the sooner
    /// [`reconcile`](Self::reconcile) can say after a crash that something is absent.
    ///
    /// # Errors
    /// As [`place`](Self::place).
    pub fn begin_within(&mut self, time: Duration) -> Result<(), Error> {
        let refused = match self.progress {
            Progress::Unclear if !self.begun => {
                "it was begun before and may have been sent: reconcile it, or declare it absent when somebody has looked"
            }
            Progress::Placed => "it is placed already",
            Progress::Ready | Progress::Unclear => {
                (self.progress, self.begun) = (Progress::Unclear, true);
                let by = now().map(|now| now.saturating_add(time));
                self.sent = Sent { send_by: by.map(millis), ended_at: None };
                return Ok(());
            }
        };
        Err(Error::unknown(C::Supplier::API, refused))
    }

    /// Sends it; one that may have copies only if the supplier does not hold it already.
    ///
    /// # Errors
    /// The outcome of the call, or of the look before it, in which case nothing was sent.
    /// [`Outcome::Unknown`](crate::Outcome::Unknown) without a request, when it was begun before and may have been sent, or
    /// is placed already.
    pub async fn place(&mut self, supplier: &C::Supplier) -> Result<C::Created, Error> {
        // The mark of one that was begun is the stored one, and stays.
        let is_marked = self.begun && self.progress == Progress::Unclear;
        if !is_marked {
            self.begin()?;
        }
        if *self.copied.get_mut() {
            match self.request.find(supplier, Look::BeforeSending).await {
                Ok(Found::Held(created)) => {
                    self.end(Progress::Placed);
                    return Ok(created);
                }
                Ok(Found::Taken(why)) => {
                    self.end(Progress::Unclear);
                    return Err(Error::unknown(C::Supplier::API, why));
                }
                Ok(Found::Nothing | Found::Unclear(_) | Found::Never(_)) => {}
                // What this supplier does not offer to look at cannot be found by `reconcile` either.
                Err(error) if is_not_offered(&error) => {}
                Err(error) => {
                    self.end(Progress::Ready);
                    return Err(error);
                }
            }
        }
        if !is_marked {
            // However long the look took.
            self.begin()?;
        }
        if self.sent.send_by.zip(now()).is_some_and(|(by, now)| now > Duration::from_millis(by)) {
            // The stored mark would tell a later look-up that the request is older than it is.
            let stale = "it was begun too long ago: begin it again and store it, then place it";
            return Err(Error::invalid(C::Supplier::API, stale));
        }
        // From here on it may be on its way, even if this future is dropped, and its stored copies outlive it.
        self.begun = false;
        *self.copied.get_mut() = true;
        let result = self.request.send(supplier).await;
        self.end(match &result {
            Ok(_) => Progress::Placed,
            Err(error) if error.may_have_taken_effect() => Progress::Unclear,
            Err(_) => Progress::Ready,
        });
        result
    }

    /// Nothing more is sent. From now on a copy that was stored when this was begun can be reconciled and placed.
    fn end(&mut self, progress: Progress) {
        (self.progress, self.begun) = (progress, false);
        *self.copied.get_mut() = true;
        self.sent.ended_at = now().map(millis);
    }

    /// Finds out what became of it, with what the supplier's API offers.
    ///
    /// A request may still be at work at the supplier when nobody waits for it any more. So what is not there is called
    /// absent only when the policy's [`settle`](crate::Policy::settle) has passed since `place` gave it up, or since the
    /// latest moment that a crashed process can have sent it: as long as the mark of [`begin`](Self::begin) is good, and the
    /// policy's deadline. So the handle must not have a shorter deadline than the one that placed it, and the clocks of
    /// workers on several machines must agree within the settle time.
    ///
    /// # Errors
    /// The outcome of the look-up; it can be asked again.
    pub async fn reconcile(&mut self, supplier: &C::Supplier) -> Result<Reconciled<C::Created>, Error> {
        let policy = supplier.policy();
        // Before the look: what is done by now is seen by it. What was never begun has nothing at work.
        let never = self.progress == Progress::Ready && self.sent == Sent::default();
        let left = if never { None } else { self.sent.unsettled(policy.deadline, policy.settle) };
        let found = self.request.find(supplier, Look::Afterwards).await?;
        let (why, ask_again) = match (found, left) {
            (Found::Held(created), _) => {
                (self.progress, self.begun) = (Progress::Placed, false);
                return Ok(Reconciled::Placed(created));
            }
            (Found::Nothing, _) if self.progress == Progress::Placed => {
                ("it was placed, and the supplier does not show it any more", None)
            }
            (Found::Nothing, None) => {
                (self.progress, self.begun) = (Progress::Ready, false);
                *self.copied.get_mut() = true;
                return Ok(Reconciled::Absent);
            }
            (Found::Nothing, left) => ("it is not there yet, but the request may be at work still", left),
            (Found::Unclear(why), left) => (why, left),
            (Found::Never(why) | Found::Taken(why), _) => (why, None),
        };
        Ok(Reconciled::Undecidable(Undecidable {
            why: why.to_owned(),
            ask_again,
            look_at: C::LOOK_AT.to_owned(),
        }))
    }

    /// Lets it be placed again, because somebody has looked at the supplier's data and it is not there.
    pub fn declare_absent(&mut self) {
        (self.progress, self.begun) = (Progress::Ready, false);
        *self.copied.get_mut() = true;
    }
}

impl<C: Creation> fmt::Debug for Prepared<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prepared")
            .field("kind", &C::KIND)
            .field("progress", &self.progress)
            .finish_non_exhaustive()
    }
}

/// Whether the supplier has no such call, or says so in its directory.
fn is_not_offered(error: &Error) -> bool {
    let status = error.status().map(|status| status.as_u16());
    error.outcome() == Outcome::Invalid || matches!(status, Some(405 | 501))
}

/// The time since 1970.
fn now() -> Option<Duration> {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).ok()
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// How long after it was begun it may still be sent, unless the caller says otherwise.
const BEGUN_FOR: Duration = Duration::from_secs(60);
