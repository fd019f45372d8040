//! The transitions of a stored order. Nothing here reads a clock, a database or a supplier.

use std::time::Duration;

use lastmile::outbox::{Phase, Refusal, Retry, StepOutcome};
use serde::{Deserialize, Serialize};

use crate::State;

/// What is written when a worker has done something with an order, in one transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Booking {
    pub(crate) state: State,
    /// The new body; `None` leaves the stored one.
    pub(crate) body: Option<String>,
    /// When a worker continues. Ignored if the state is not active.
    pub(crate) due: Duration,
    /// How long the supplier may still process a request that was sent just now; `None` leaves the stored time.
    pub(crate) settle: Option<Duration>,
    pub(crate) tries: Tries,
    /// Whether the next step of a chain begins.
    pub(crate) next_step: bool,
    /// Whether a person's decision stays to be applied.
    pub(crate) keeps_decision: bool,
    pub(crate) reason: Option<String>,
    pub(crate) manual_check: Option<String>,
    /// What the supplier created; `None` leaves the stored value.
    pub(crate) result: Option<String>,
    pub(crate) event: Option<Happening>,
}

/// An event to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Happening {
    pub(crate) what: What,
    pub(crate) data: Option<String>,
}

/// The kind of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    Placed,
    Advanced,
    Refused,
    NeedsPerson,
    Cancelled,
    /// A late response contradicts what was booked: the order may exist twice.
    Contradicted,
}

impl What {
    const ALL: [Self; 6] =
        [Self::Placed, Self::Advanced, Self::Refused, Self::NeedsPerson, Self::Cancelled, Self::Contradicted];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Placed => "placed",
            Self::Advanced => "advanced",
            Self::Refused => "refused",
            Self::NeedsPerson => "needs_person",
            Self::Cancelled => "cancelled",
            Self::Contradicted => "contradicted",
        }
    }

    pub(crate) fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|what| what.as_str() == name)
    }
}

/// The data of an event that asks for a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Question {
    pub(crate) reason: String,
    pub(crate) manual_check: String,
}

/// How often an order was tried without progress.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tries {
    pub(crate) attempts: i64,
    pub(crate) doubts: i64,
}

/// What a worker did with an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    LookUp,
    Place,
    Reconcile,
    Repeat,
    /// A person's decision was applied.
    Decide,
}

/// What is known about an order after a call.
pub(crate) struct After<'a> {
    pub(crate) call: Call,
    /// The phase of the step now.
    pub(crate) phase: Phase,
    pub(crate) tries: Tries,
    pub(crate) result: Option<String>,
    pub(crate) manual_check: &'a str,
}

/// When an order is tried again, and when a person is asked instead.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    /// The backoff after the first try without progress. It doubles with each further one.
    pub(crate) initial_backoff: Duration,
    pub(crate) max_backoff: Duration,
    /// After so many doubts a person is asked.
    pub(crate) doubts: i64,
    /// After so many workers in a row that stopped while they had the order, a person is asked.
    pub(crate) crashes: i64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            initial_backoff: Duration::from_secs(1),
            max_backoff: Duration::from_secs(300),
            doubts: 20,
            crashes: 3,
        }
    }
}

impl Limits {
    fn backoff(&self, attempts: i64, asked: Option<Duration>) -> Duration {
        let doublings = u32::try_from(attempts.clamp(0, 20)).unwrap_or(0);
        let own = self.initial_backoff.saturating_mul(1 << doublings).min(self.max_backoff);
        asked.map_or(own, |asked| asked.max(self.initial_backoff))
    }
}

impl Booking {
    /// Returns the booking without what it says about a person.
    pub(crate) fn without_data(&self) -> Self {
        let event = self.event.as_ref().map(|event| Happening { what: event.what, data: None });
        Self { body: None, reason: None, result: None, event, ..self.clone() }
    }

    fn new(state: State) -> Self {
        Self {
            state,
            body: None,
            due: Duration::ZERO,
            settle: None,
            tries: Tries::default(),
            next_step: false,
            keeps_decision: false,
            reason: None,
            manual_check: None,
            result: None,
            event: None,
        }
    }

    pub(crate) fn with_body(self, body: Option<String>) -> Self {
        Self { body, ..self }
    }

    /// The order is placed, and this is what the supplier created.
    pub(crate) fn placed(result: Option<String>) -> Self {
        let event = Some(Happening { what: What::Placed, data: result.clone() });
        Self { result, event, ..Self::new(State::Placed) }
    }

    /// Only a person can decide.
    pub(crate) fn needs_person(reason: &str, manual_check: &str) -> Self {
        let question = Question { reason: reason.to_owned(), manual_check: manual_check.to_owned() };
        let event = Happening { what: What::NeedsPerson, data: serde_json::to_string(&question).ok() };
        Self {
            reason: Some(question.reason),
            manual_check: Some(question.manual_check),
            event: Some(event),
            ..Self::new(State::NeedsPerson)
        }
    }

    fn refused(refusal: &Refusal) -> Self {
        let event = Happening { what: What::Refused, data: serde_json::to_string(refusal).ok() };
        Self { reason: Some(refusal.reason.clone()), event: Some(event), ..Self::new(State::Refused) }
    }

    fn again(state: State, after: &After<'_>, retry: &Retry, limits: &Limits) -> Self {
        let tries = Tries {
            attempts: after.tries.attempts + 1,
            doubts: after.tries.doubts + i64::from(retry.is_doubt),
        };
        if retry.is_doubt && tries.doubts >= limits.doubts {
            return Self::needs_person(&retry.reason, after.manual_check);
        }
        Self {
            due: limits.backoff(after.tries.attempts, retry.after),
            tries,
            keeps_decision: after.call == Call::Decide,
            reason: Some(retry.reason.clone()),
            ..Self::new(state)
        }
    }

    /// Returns what is written after a call. The caller adds the body.
    pub(crate) fn after(after: After<'_>, outcome: &StepOutcome, limits: &Limits) -> Self {
        match outcome {
            StepOutcome::Placed => Self::placed(after.result),
            StepOutcome::Advanced(due) => Self {
                due: *due,
                next_step: true,
                event: Some(Happening { what: What::Advanced, data: after.result }),
                ..Self::new(state_of(after.phase))
            },
            // Clear and Unsupported are not booked: the order is marked instead.
            StepOutcome::Clear | StepOutcome::Unsupported | StepOutcome::Absent => Self::new(State::Ready),
            StepOutcome::NotSent(retry) => Self::again(State::Ready, &after, retry, limits),
            StepOutcome::MarkExpired => {
                let retry = Retry::new("the mark expired before the order was sent", None);
                Self::again(State::Ready, &after, &retry, limits)
            }
            StepOutcome::Refused(refusal) => Self::refused(refusal),
            StepOutcome::Indeterminate(retry) => Self {
                due: retry.after.unwrap_or_default().max(limits.initial_backoff),
                reason: Some(retry.reason.clone()),
                ..Self::new(State::Indeterminate)
            },
            StepOutcome::Later(retry) => Self::again(state_of(after.phase), &after, retry, limits),
            StepOutcome::NeedsPerson { reason, manual_check } => Self::needs_person(reason, manual_check),
            // An outcome of a later version of the facade.
            _ => Self::needs_person(
                "the response is of a kind that this outbox does not know",
                after.manual_check,
            ),
        }
    }
}

fn state_of(phase: Phase) -> State {
    match phase {
        Phase::Ready => State::Ready,
        Phase::Sent => State::Indeterminate,
        Phase::Repeatable => State::Following,
        Phase::Done => State::Placed,
    }
}

/// What a worker may do with an order that it has claimed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    Submit,
    Reconcile,
    Repeat,
    /// The order is placed, and only that was not written.
    Finish,
    /// The body contradicts the state.
    Contradiction,
}

impl Next {
    /// An order that is marked is only ever reconciled, whatever its body says.
    pub(crate) fn of(state: State, phase: Phase) -> Self {
        match (state, phase) {
            (_, Phase::Done) => Self::Finish,
            (_, Phase::Sent) => Self::Reconcile,
            (State::Ready, Phase::Ready) => Self::Submit,
            (State::Ready | State::Following, Phase::Repeatable) => Self::Repeat,
            _ => Self::Contradiction,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(call: Call, phase: Phase, tries: Tries) -> After<'static> {
        After { call, phase, tries, result: Some("{}".into()), manual_check: "look" }
    }

    #[test]
    fn only_absent_not_sent_and_an_expired_mark_make_an_order_ready_again() {
        let limits = Limits::default();
        let retry = || Retry::new("later", None);
        for (outcome, phase, state) in [
            (StepOutcome::Placed, Phase::Done, State::Placed),
            (StepOutcome::Advanced(Duration::ZERO), Phase::Ready, State::Ready),
            (StepOutcome::Advanced(Duration::ZERO), Phase::Repeatable, State::Following),
            (StepOutcome::Absent, Phase::Ready, State::Ready),
            (StepOutcome::NotSent(retry()), Phase::Ready, State::Ready),
            (StepOutcome::MarkExpired, Phase::Sent, State::Ready),
            (StepOutcome::Refused(Refusal::new("no")), Phase::Ready, State::Refused),
            (StepOutcome::Indeterminate(retry()), Phase::Sent, State::Indeterminate),
            (StepOutcome::Later(retry()), Phase::Sent, State::Indeterminate),
            (StepOutcome::Later(retry()), Phase::Ready, State::Ready),
            (StepOutcome::Later(retry()), Phase::Repeatable, State::Following),
            (
                StepOutcome::NeedsPerson { reason: "r".into(), manual_check: "c".into() },
                Phase::Sent,
                State::NeedsPerson,
            ),
        ] {
            let booking = Booking::after(after(Call::Place, phase, Tries::default()), &outcome, &limits);
            assert_eq!(booking.state, state, "{outcome:?}");
            assert_eq!(booking.state == State::NeedsPerson, booking.manual_check.is_some());
            let has_event = booking.state.is_final() || !booking.state.is_active() || booking.next_step;
            assert_eq!(booking.event.is_some(), has_event, "{outcome:?}");
        }
    }

    #[test]
    fn backoff_double_and_doubts_end_with_a_person() {
        let limits = Limits { doubts: 3, ..Limits::default() };
        let (mut tries, mut backoffs) = (Tries::default(), Vec::new());
        for _ in 0..12 {
            let outcome = StepOutcome::Later(Retry::new("unreachable", None));
            let booking = Booking::after(after(Call::LookUp, Phase::Ready, tries), &outcome, &limits);
            backoffs.push(booking.due.as_secs());
            tries = booking.tries;
        }
        assert_eq!(backoffs, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
        for expected in [State::Ready, State::Ready, State::NeedsPerson] {
            let outcome =
                StepOutcome::Later(Retry::new("another like it", Some(Duration::from_secs(7))).doubt());
            let booking = Booking::after(after(Call::LookUp, Phase::Ready, tries), &outcome, &limits);
            assert_eq!(booking.state, expected);
            tries = booking.tries;
        }
    }

    #[test]
    fn a_marked_order_is_never_submitted() {
        for state in State::ALL {
            for phase in [Phase::Ready, Phase::Sent, Phase::Repeatable, Phase::Done] {
                let next = Next::of(state, phase);
                assert_eq!(next == Next::Submit, state == State::Ready && phase == Phase::Ready);
                assert!(phase != Phase::Sent || next == Next::Reconcile);
            }
        }
    }
}
