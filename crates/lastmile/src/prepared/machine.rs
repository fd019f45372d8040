//! The states of a prepared value, and what leads from one to another.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use lastmile_core::client::SendDeadline;

use super::clock::{has_passed, millis, now, send_deadline_after};

/// How long a look-up counts before what it found must be marked.
const LOOK_UP_HOLDS: Duration = Duration::from_secs(60);

/// Where a value stands, and what is known about its copies.
pub(super) struct Machine<T> {
    state: State<T>,
    /// Until when a look-up that did not find it counts.
    looked_up: Option<SendDeadline>,
    /// Whether a person has said that it is absent, so that a look-up that cannot tell keeps nothing back.
    declared_absent: bool,
    /// Whether a store may hold a copy, which others may have placed. Storing a value only borrows it.
    has_copies: AtomicBool,
    /// Whether the present mark is in a stored copy.
    mark_is_stored: AtomicBool,
}

pub(super) enum State<T> {
    /// Nothing that was sent can take effect any more.
    Ready,
    /// It is marked: it may be sent, be on its way, or have taken effect.
    InFlight(Mark),
    /// It was sent, nobody waits for its answer any more, and whether it took effect is not known.
    Indeterminate(Sent),
    /// The supplier has it. What it answered is missing where an earlier version of this library stored it.
    Placed(Option<T>),
}

/// What is known about a value that was sent.
#[derive(Clone, Copy, Default)]
pub(super) struct Sent {
    /// By when it was sent, in milliseconds since 1970.
    pub(super) send_by: Option<u64>,
    /// When nobody waited for its answer any more.
    pub(super) ended_at: Option<u64>,
    /// Whether the supplier answered with success, about something else than what was asked for. So it may have written the
    /// request back in a way that no look-up recognises.
    pub(super) was_contradicted: bool,
}

/// How long a request may still be at work at the supplier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Settling {
    /// It cannot be at work any more.
    Settled,
    /// At most for so long.
    For(Duration),
    /// It is not known when it was sent.
    Unknown,
}

/// That a value is about to be sent.
#[derive(Clone, Copy)]
pub(super) struct Mark {
    /// By when it is sent, in milliseconds since 1970. Unknown where the clock showed an earlier time.
    send_by: Option<u64>,
    /// The same for the one value that made the mark and has not used it yet. No copy ever has it.
    own: Option<SendDeadline>,
}

impl Mark {
    pub(super) fn loaded(send_by: Option<u64>) -> Self {
        Self { send_by, own: None }
    }

    pub(super) fn send_by(&self) -> Option<u64> {
        self.send_by
    }
}

/// Why a value cannot be marked.
pub(super) enum MarkError {
    NotLookedUp,
    MarkedAlready,
    MayHaveBeenSent,
    PlacedAlready,
}

/// Why a value cannot be sent.
pub(super) enum SendError {
    NotMarked,
    MarkNotStored,
    MarkLapsed { is_stored: bool },
    MayHaveBeenSent,
    PlacedAlready,
}

impl<T> Machine<T> {
    pub(super) fn new() -> Self {
        Self {
            state: State::Ready,
            looked_up: None,
            declared_absent: false,
            has_copies: AtomicBool::new(false),
            mark_is_stored: AtomicBool::new(false),
        }
    }

    /// The machine of a value that comes from a store, which still has it.
    pub(super) fn loaded(state: State<T>, declared_absent: bool) -> Self {
        Self { state, declared_absent, has_copies: AtomicBool::new(true), ..Self::new() }
    }

    pub(super) fn state(&self) -> &State<T> {
        &self.state
    }

    pub(super) fn is_declared_absent(&self) -> bool {
        self.declared_absent
    }

    /// The value is written into a store.
    pub(super) fn note_copy(&self) {
        self.has_copies.store(true, Ordering::Relaxed);
        self.mark_is_stored.store(true, Ordering::Relaxed);
    }

    fn has_copies(&self) -> bool {
        self.has_copies.load(Ordering::Relaxed)
    }

    /// Whether it has to be looked up before it is marked.
    pub(super) fn needs_look_up(&self) -> bool {
        self.has_copies() && self.looked_up.is_none_or(|until| has_passed(&until))
    }

    /// A look-up begins: one before it does not count any more.
    pub(super) fn looking_up(&mut self) {
        self.looked_up = None;
    }

    /// A look-up did not find it.
    pub(super) fn looked_up(&mut self) {
        self.looked_up = Some(send_deadline_after(LOOK_UP_HOLDS));
    }

    /// Marks it as being sent.
    pub(super) fn mark(&mut self, good_for: Duration) -> Result<(), MarkError> {
        match self.state {
            State::Ready if self.needs_look_up() => Err(MarkError::NotLookedUp),
            State::Ready => {
                // In this order, a pause between the two makes the mark of this value lapse earlier than the stored one.
                let own = send_deadline_after(good_for);
                let send_by = now().map(|now| millis(now.saturating_add(good_for)));
                self.enter(State::InFlight(Mark { send_by, own: Some(own) }));
                Ok(())
            }
            State::InFlight(Mark { own: Some(_), .. }) => Err(MarkError::MarkedAlready),
            State::InFlight(_) | State::Indeterminate(_) => Err(MarkError::MayHaveBeenSent),
            State::Placed(_) => Err(MarkError::PlacedAlready),
        }
    }

    /// Uses the mark up. Returns the moment after which the request must not leave. From here on the value counts as sent, even
    /// if nobody waits for its end.
    pub(super) fn begin_to_send(&mut self, deadline: Duration) -> Result<SendDeadline, SendError> {
        let State::InFlight(mark) = &mut self.state else {
            return Err(match self.state {
                State::Ready => SendError::NotMarked,
                State::Placed(_) => SendError::PlacedAlready,
                _ => SendError::MayHaveBeenSent,
            });
        };
        let Some(own) = mark.own else { return Err(SendError::MayHaveBeenSent) };
        if self.has_copies.load(Ordering::Relaxed) && !self.mark_is_stored.load(Ordering::Relaxed) {
            return Err(SendError::MarkNotStored);
        }
        // Read before the mark is looked at: however long a pause between them is, the request leaves within `deadline` of a
        // moment at which the mark was good.
        let send_deadline = send_deadline_after(deadline).min(own.plus(deadline));
        mark.own = None;
        if has_passed(&own) {
            let is_stored = self.has_copies();
            if !is_stored {
                self.enter(State::Ready);
            }
            return Err(SendError::MarkLapsed { is_stored });
        }
        self.declared_absent = false;
        Ok(send_deadline)
    }

    /// What was sent has ended, without an effect.
    pub(super) fn sent_without_effect(&mut self) {
        self.enter(State::Ready);
    }

    /// What was sent has ended, and may have had an effect.
    pub(super) fn sent_with_unknown_effect(&mut self, was_contradicted: bool) {
        let send_by = match &self.state {
            State::InFlight(mark) => mark.send_by,
            _ => None,
        };
        self.enter(State::Indeterminate(Sent { send_by, ended_at: now().map(millis), was_contradicted }));
    }

    /// Something else is at the supplier that may be what this value brought about.
    pub(super) fn conflicts(&mut self) {
        self.enter(State::Indeterminate(Sent { ended_at: now().map(millis), ..Sent::default() }));
    }

    /// The supplier has it.
    pub(super) fn placed(&mut self, created: Option<T>) {
        self.enter(State::Placed(created));
    }

    /// Whether an answer of success was about something else than what was asked for.
    pub(super) fn was_contradicted(&self) -> bool {
        matches!(self.state, State::Indeterminate(Sent { was_contradicted: true, .. }))
    }

    /// It is known that the supplier has it not. Copies may have been placed meanwhile, so that it is looked up again.
    pub(super) fn absent(&mut self) {
        self.has_copies.store(true, Ordering::Relaxed);
        self.declared_absent = false;
        self.enter(State::Ready);
    }

    /// A person has said that the supplier has it not.
    pub(super) fn declare_absent(&mut self) {
        self.absent();
        self.declared_absent = true;
    }

    fn enter(&mut self, state: State<T>) {
        (self.state, self.looked_up) = (state, None);
        self.mark_is_stored.store(false, Ordering::Relaxed);
    }

    /// How much longer a request of it may be at work at the supplier. A clock that was set back makes it longer.
    pub(super) fn settling(&self, deadline: Duration, settle: Duration) -> Settling {
        let since = match &self.state {
            State::Ready | State::Placed(_) => return Settling::Settled,
            State::Indeterminate(Sent { ended_at: Some(ended), .. }) => Duration::from_millis(*ended),
            State::InFlight(Mark { send_by: Some(by), .. })
            | State::Indeterminate(Sent { send_by: Some(by), .. }) => {
                // Whoever held the mark had until then to begin, and its deadline to send.
                Duration::from_millis(*by).saturating_add(deadline)
            }
            State::InFlight(_) | State::Indeterminate(_) => return Settling::Unknown,
        };
        let Some(now) = now() else { return Settling::Unknown };
        match since.saturating_add(settle).saturating_sub(now) {
            Duration::ZERO => Settling::Settled,
            left if left > settle.saturating_add(LONGEST) => Settling::Unknown,
            left => Settling::For(left),
        }
    }
}

/// What takes longer than this to settle was stored with a time that cannot be right.
const LONGEST: Duration = Duration::from_secs(7 * 24 * 60 * 60);
