//! The states of a prepared value, and the transitions between them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use lastmile_core::client::SendDeadline;
use lastmile_core::clock::Clock;

/// How long a look-up is valid: the value must be marked within this time.
const LOOK_UP_HOLDS: Duration = Duration::from_secs(60);

/// The state of a value, and what is known about its stored copies.
pub(super) struct Machine<T> {
    state: State<T>,
    /// Until when a look-up that did not find the object is valid.
    looked_up: Option<SendDeadline>,
    /// Whether a person has declared the value absent. If so, an inconclusive look-up does not prevent sending.
    declared_absent: bool,
    /// Whether a store may hold a copy, which another worker may have placed. The field is atomic because serializing a value
    /// borrows it immutably.
    has_copies: AtomicBool,
    /// Whether a stored copy has the present mark.
    mark_is_stored: AtomicBool,
    /// The clock of the client that the value was last used with; at first the machine's.
    clock: Clock,
}

pub(super) enum State<T> {
    /// The value was never sent, or nothing that was sent can still take effect.
    Ready,
    /// The value is marked: its request may not have been sent yet, may be in flight, or may have taken effect.
    InFlight(Mark),
    /// The request was sent, no process waits for its response, and it is not known whether it took effect.
    Indeterminate(Sent),
    /// The object exists at the supplier. `None` if what the supplier created is not known: version 0.1.0 of this library did not
    /// store it, and a person may declare a value placed without it.
    Placed(Option<T>),
}

/// What is known about a value that was sent.
#[derive(Clone, Copy, Default)]
pub(super) struct Sent {
    /// The latest time at which the call was started, in milliseconds since 1970.
    pub(super) send_by: Option<u64>,
    /// When the call ended, in milliseconds since 1970.
    pub(super) ended_at: Option<u64>,
    /// Whether the supplier responded with success, but about something other than what was requested. It may have stored the
    /// request in a form that no look-up recognizes.
    pub(super) was_contradicted: bool,
}

/// How long the supplier may still be processing a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Settling {
    /// The supplier cannot be processing it any more.
    Settled,
    /// The supplier may be processing it for at most this time.
    For(Duration),
    /// It is not known when the request was sent.
    Unknown,
}

/// The mark of a value that is about to be sent.
#[derive(Clone, Copy)]
pub(super) struct Mark {
    /// The latest time at which the call may start, in milliseconds since 1970. `None` if the clock showed an earlier time than
    /// 1970.
    send_by: Option<u64>,
    /// The same time, only in the value that made the mark and has not used it yet. A copy never has it.
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
            clock: Clock::default(),
        }
    }

    /// Creates the machine of a value that was loaded from a store, which still holds a copy.
    pub(super) fn loaded(state: State<T>, declared_absent: bool) -> Self {
        Self { state, declared_absent, has_copies: AtomicBool::new(true), ..Self::new() }
    }

    /// Measures time by the clock of a client from now on.
    pub(super) fn use_clock(&mut self, clock: &Clock) {
        self.clock.clone_from(clock);
    }

    /// Returns the wall clock's time since 1970, or `None` if the clock shows an earlier time.
    fn now(&self) -> Option<Duration> {
        self.clock.now().duration_since(SystemTime::UNIX_EPOCH).ok()
    }

    pub(super) fn state(&self) -> &State<T> {
        &self.state
    }

    pub(super) fn is_declared_absent(&self) -> bool {
        self.declared_absent
    }

    /// Records that the value was serialized, and thus may have been stored.
    pub(super) fn note_copy(&self) {
        self.has_copies.store(true, Ordering::Relaxed);
        self.mark_is_stored.store(true, Ordering::Relaxed);
    }

    fn has_copies(&self) -> bool {
        self.has_copies.load(Ordering::Relaxed)
    }

    /// Returns whether the value must be looked up before it can be marked.
    pub(super) fn needs_look_up(&self) -> bool {
        self.has_copies() && self.looked_up.is_none_or(|until| until.has_passed(&self.clock))
    }

    /// Records that a look-up starts. An earlier look-up is no longer valid.
    pub(super) fn looking_up(&mut self) {
        self.looked_up = None;
    }

    /// Records that a look-up did not find the object.
    pub(super) fn looked_up(&mut self) {
        self.looked_up = Some(SendDeadline::after(LOOK_UP_HOLDS, &self.clock));
    }

    /// Marks the value as in flight.
    pub(super) fn mark(&mut self, good_for: Duration) -> Result<(), MarkError> {
        match self.state {
            State::Ready if self.needs_look_up() => Err(MarkError::NotLookedUp),
            State::Ready => {
                // The own mark is made first, so a pause between the two readings makes it expire before the stored one.
                let own = SendDeadline::after(good_for, &self.clock);
                let send_by = self.now().map(|now| millis(now.saturating_add(good_for)));
                self.enter(State::InFlight(Mark { send_by, own: Some(own) }));
                Ok(())
            }
            State::InFlight(Mark { own: Some(_), .. }) => Err(MarkError::MarkedAlready),
            State::InFlight(_) | State::Indeterminate(_) => Err(MarkError::MayHaveBeenSent),
            State::Placed(_) => Err(MarkError::PlacedAlready),
        }
    }

    /// Uses up the mark. Returns the time after which the request must not be sent. From here on the value counts as sent, even
    /// if the caller drops the call.
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
        // The deadline is computed before the mark is checked. However long a pause between the two is, the request is sent
        // within `deadline` of a time at which the mark was valid.
        let send_deadline = SendDeadline::after(deadline, &self.clock).min(own.plus(deadline));
        mark.own = None;
        if own.has_passed(&self.clock) {
            let is_stored = self.has_copies();
            if !is_stored {
                self.enter(State::Ready);
            }
            return Err(SendError::MarkLapsed { is_stored });
        }
        self.declared_absent = false;
        Ok(send_deadline)
    }

    /// Records that the call has ended without an effect.
    pub(super) fn sent_without_effect(&mut self) {
        self.enter(State::Ready);
    }

    /// Records that the call has ended and may have had an effect.
    pub(super) fn sent_with_unknown_effect(&mut self, was_contradicted: bool) {
        let send_by = match &self.state {
            State::InFlight(mark) => mark.send_by,
            _ => None,
        };
        self.enter(State::Indeterminate(Sent {
            send_by,
            ended_at: self.now().map(millis),
            was_contradicted,
        }));
    }

    /// Records that an object exists at the supplier which this value may have created.
    pub(super) fn conflicts(&mut self) {
        self.enter(State::Indeterminate(Sent { ended_at: self.now().map(millis), ..Sent::default() }));
    }

    /// Records that the object exists at the supplier.
    pub(super) fn placed(&mut self, created: Option<T>) {
        self.enter(State::Placed(created));
    }

    /// Returns whether the supplier responded with success, but about something other than what was requested.
    pub(super) fn was_contradicted(&self) -> bool {
        matches!(self.state, State::Indeterminate(Sent { was_contradicted: true, .. }))
    }

    /// Records that the object does not exist at the supplier. A copy may have been placed in the meantime, so the value must
    /// be looked up again.
    pub(super) fn absent(&mut self) {
        self.has_copies.store(true, Ordering::Relaxed);
        self.declared_absent = false;
        self.enter(State::Ready);
    }

    /// Records that a person has declared the value absent.
    pub(super) fn declare_absent(&mut self) {
        self.absent();
        self.declared_absent = true;
    }

    fn enter(&mut self, state: State<T>) {
        (self.state, self.looked_up) = (state, None);
        self.mark_is_stored.store(false, Ordering::Relaxed);
    }

    /// Returns how long the supplier may still be processing a request of this value. A clock that was set back makes it
    /// longer.
    pub(super) fn settling(&self, deadline: Duration, settle: Duration) -> Settling {
        let since = match &self.state {
            State::Ready | State::Placed(_) => return Settling::Settled,
            State::Indeterminate(Sent { ended_at: Some(ended), .. }) => Duration::from_millis(*ended),
            State::InFlight(Mark { send_by: Some(by), .. })
            | State::Indeterminate(Sent { send_by: Some(by), .. }) => {
                // The process that made the mark could start the call until then, and send the request until the call's
                // deadline.
                Duration::from_millis(*by).saturating_add(deadline)
            }
            State::InFlight(_) | State::Indeterminate(_) => return Settling::Unknown,
        };
        let Some(now) = self.now() else { return Settling::Unknown };
        match since.saturating_add(settle).saturating_sub(now) {
            Duration::ZERO => Settling::Settled,
            left if left > settle.saturating_add(LONGEST) => Settling::Unknown,
            left => Settling::For(left),
        }
    }
}

/// The longest plausible settling time. A longer one means that the stored time is wrong.
const LONGEST: Duration = Duration::from_secs(7 * 24 * 60 * 60);

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
