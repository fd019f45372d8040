//! What a worker does with one order.

use std::sync::Arc;
use std::time::Duration;

use lastmile::Outcome;
use lastmile::outbox::{Client, Phase, Refusal, Retry, Step, StepOutcome};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, timeout};

use super::Times;
use crate::machine::{After, Booking, Call, Limits, Next, Tries};
use crate::store::{ClaimedRow, Decision, Fence, LONGEST, Late, Store};
use crate::{State, metrics};

#[cfg(feature = "testing")]
pub(super) use super::probe::Point as Boundary;

/// The boundaries at which tests crash a worker. Without the feature `testing` nothing happens there.
#[cfg(not(feature = "testing"))]
#[derive(Clone, Copy)]
pub(super) enum Boundary {
    BeforeClaim,
    Claimed,
    LookedUp,
    BeforeMark,
    Marked,
    Answered,
    Booked,
}

/// What the jobs of one supplier share.
pub(super) struct Context {
    pub(super) store: Arc<Store>,
    pub(super) wake: Arc<Notify>,
    pub(super) wake_events: Arc<Notify>,
    pub(super) client: Arc<dyn Client>,
    pub(super) supplier: String,
    pub(super) owner: String,
    pub(super) limits: Limits,
    pub(super) times: Times,
    #[cfg(feature = "testing")]
    pub(super) probe: Option<super::probe::Probe>,
}

/// How long to wait between two tries to write what became of an order.
const WRITE_AGAIN: Duration = Duration::from_millis(250);

impl Context {
    #[cfg(feature = "testing")]
    pub(super) fn probe(&self, at: Boundary) {
        if let Some(probe) = &self.probe {
            probe(at);
        }
    }

    #[cfg(not(feature = "testing"))]
    pub(super) fn probe(&self, _: Boundary) {}

    /// Returns the client's deadline, which is no longer than what a clock can bear.
    pub(super) fn deadline(&self) -> Duration {
        // A lease, which lasts for two of them and more, must stay longer than what a mark needs of it.
        self.client.deadline().min(LONGEST / 4)
    }

    /// Returns the client's settle time, which is no longer than what a clock can bear.
    pub(super) fn settle_time(&self) -> Duration {
        self.client.settle_time().min(LONGEST)
    }

    /// Carries an order out as far as possible now, and writes what became of it.
    pub(super) async fn process(&self, row: ClaimedRow) {
        let started = Instant::now();
        // With a person's decision, too: what it leads to may be what stops the workers. The person then decides again.
        if row.crashes >= self.limits.crashes {
            return self.too_many_crashes(&row).await;
        }
        let body = row.body.as_deref().unwrap_or_default();
        let mut step = match self.client.open(&row.kind, body) {
            Ok(step) => step,
            Err(error) => return self.unreadable(&row, &error.to_string()).await,
        };
        if let Some(decision) = row.decision.as_deref() {
            return self.apply(&row, decision, step.as_mut()).await;
        }
        match Next::of(row.state, step.phase()) {
            Next::Submit => self.submit(&row, step.as_mut()).await,
            Next::Reconcile => {
                // Computed before the look-up, so that the look-up sees every request that has settled by now.
                let left = row.settling.saturating_sub(started.elapsed());
                let outcome = self.bounded(step.reconcile()).await;
                if outcome == StepOutcome::Absent && !left.is_zero() {
                    self.wait_until_settled(&row, step.manual_check(), left).await;
                } else {
                    self.conclude(&row, Call::Reconcile, step.as_mut(), &outcome).await;
                }
            }
            Next::Repeat => {
                let outcome = self.bounded(step.repeat()).await;
                self.conclude(&row, Call::Repeat, step.as_mut(), &outcome).await;
            }
            Next::Finish => self.conclude(&row, Call::Reconcile, step.as_mut(), &StepOutcome::Placed).await,
            Next::Contradiction => {
                let reason = "the stored order contradicts its state: it may have been changed by hand";
                self.write(&row.fence, Call::Reconcile, &Booking::needs_person(reason, step.manual_check()))
                    .await;
            }
        }
        metrics::step(&self.supplier, row.state, started.elapsed());
    }

    async fn too_many_crashes(&self, row: &ClaimedRow) {
        let reason = format!(
            "{} workers in a row stopped while they had this order, so that it may be what stops them; see their logs",
            row.crashes
        );
        // The body is not opened for its own manual check: that may be what stops the workers. A check is needed in every state: a
        // person who declares the order absent has it sent, and the database may have lost a mark.
        self.write(&row.fence, Call::Reconcile, &Booking::needs_person(&reason, ANY_CHECK)).await;
    }

    async fn unreadable(&self, row: &ClaimedRow, reason: &str) {
        let booking = match row.decision.as_deref() {
            // A person has found it at the supplier; nothing has to be read any more.
            Some(Decision::PLACED) => Booking::placed(row.decision_data.clone()),
            _ => Booking::needs_person(reason, ANY_CHECK),
        };
        self.write(&row.fence, Call::Decide, &booking).await;
    }

    /// Leaves an order as it is, because the supplier may still process what was sent. The step measures that by the clocks of the
    /// machines, which may have been set since; this is the time of the database.
    async fn wait_until_settled(&self, row: &ClaimedRow, manual_check: &str, left: Duration) {
        let retry = Retry::new("it is not there yet, but the request may still be at work", Some(left));
        let call = Call::Reconcile;
        let after = After { call, phase: Phase::Sent, tries: row.tries, result: None, manual_check };
        self.write(&row.fence, call, &Booking::after(after, &StepOutcome::Later(retry), &self.limits)).await;
    }

    /// Applies a person's decision.
    async fn apply(&self, row: &ClaimedRow, decision: &str, step: &mut dyn Step) {
        if decision == Decision::ABSENT && !row.settling.is_zero() {
            // A decision is refused until then, by the same clock. It was set in between.
            let booking = Booking::needs_person(LOOK_AGAIN, step.manual_check());
            return self.write(&row.fence, Call::Decide, &booking).await;
        }
        let applied = match decision {
            Decision::ABSENT => step.declare_absent().map(|()| StepOutcome::Absent),
            _ => step.declare_placed(row.decision_data.as_deref()),
        };
        let outcome = match applied {
            Ok(outcome) => outcome,
            Err(error) => StepOutcome::NeedsPerson {
                // What the person saw may have changed since. The decision is not kept until it may be applied.
                reason: match error.retry_after() {
                    Some(_) => LOOK_AGAIN.to_owned(),
                    None => error.to_string(),
                },
                manual_check: step.manual_check().to_owned(),
            },
        };
        self.conclude(row, Call::Decide, step, &outcome).await;
    }

    async fn submit(&self, row: &ClaimedRow, step: &mut dyn Step) {
        match self.bounded(step.look_up()).await {
            StepOutcome::Clear => {}
            StepOutcome::Unsupported if !row.mark_may_be_lost => {}
            StepOutcome::Unsupported => {
                let reason = "the database has failed over or was restored, so that this order may have been sent already, \
                              and the supplier cannot be asked";
                let booking = Booking::needs_person(reason, step.manual_check());
                return self.write(&row.fence, Call::LookUp, &booking).await;
            }
            outcome => return self.conclude(row, Call::LookUp, step, &outcome).await,
        }
        self.probe(Boundary::LookedUp);
        if let Err(error) = step.mark(self.times.mark) {
            let outcome = match (error.retry_after(), error.outcome()) {
                // The look-up is too old, because the process was paused or its clock was set.
                (Some(_), _) => StepOutcome::NotSent(Retry { is_doubt: false, ..Retry::of(&error) }),
                (None, Outcome::Invalid) => StepOutcome::Refused(Refusal::of(&error)),
                (None, _) => StepOutcome::NeedsPerson {
                    reason: error.to_string(),
                    manual_check: step.manual_check().to_owned(),
                },
            };
            return self.conclude(row, Call::LookUp, step, &outcome).await;
        }
        let body = match step.body() {
            Ok(body) => body,
            Err(error) => {
                return self
                    .conclude(row, Call::LookUp, step, &StepOutcome::Refused(Refusal::of(&error)))
                    .await;
            }
        };
        self.probe(Boundary::BeforeMark);
        let needed = self.times.needed(self.deadline());
        match self.store.mark(&row.fence, &body, needed, self.settle_time()).await {
            Ok(true) => {}
            Ok(false) => return self.lost(),
            Err(error) => {
                // The commit may have been made. Nothing was sent, and this process knows it: the mark is taken back. If that
                // fails, the order is reconciled.
                tracing::warn!(%error, "it is not known whether the mark was written, so that nothing is sent");
                return self.take_back(row).await;
            }
        }
        let fence = Fence { mark: row.fence.mark + 1, ..row.fence.clone() };
        self.probe(Boundary::Marked);
        let outcome = step.place().await;
        self.probe(Boundary::Answered);
        if outcome == StepOutcome::MarkExpired {
            return self.take_back(row).await;
        }
        // An order that was not sent has made no progress: its backoff grows.
        let tries = if matches!(outcome, StepOutcome::NotSent(_)) { row.tries } else { Tries::default() };
        // From here on the stored body is the marked one.
        let row = ClaimedRow { fence, body: Some(body), tries, ..row.clone() };
        self.conclude(&row, Call::Place, step, &outcome).await;
    }

    /// Restores an order that was marked and not sent.
    async fn take_back(&self, row: &ClaimedRow) {
        let after = After {
            call: Call::Place,
            phase: Phase::Ready,
            tries: row.tries,
            result: None,
            manual_check: "",
        };
        let booking =
            Booking::after(after, &StepOutcome::MarkExpired, &self.limits).with_body(row.body.clone());
        self.write(&row.fence, Call::LookUp, &booking).await;
    }

    fn lost(&self) {
        tracing::warn!("another worker or a person has taken the order over");
        metrics::lost(&self.supplier);
    }

    /// Limits a call that changes nothing to a deadline, so that the order is still claimed when it ends.
    async fn bounded(&self, call: lastmile::outbox::StepFuture<'_>) -> StepOutcome {
        match timeout(self.deadline(), call).await {
            Ok(outcome) => outcome,
            Err(_) => {
                StepOutcome::Later(Retry::new("the look-up took longer than the deadline of a call", None))
            }
        }
    }

    async fn conclude(&self, row: &ClaimedRow, call: Call, step: &mut dyn Step, outcome: &StepOutcome) {
        let retry = match outcome {
            StepOutcome::Later(retry) | StepOutcome::NotSent(retry) | StepOutcome::Indeterminate(retry) => {
                Some(retry)
            }
            _ => None,
        };
        if let Some(Retry { pauses_supplier: true, after: Some(time), .. }) = retry
            && let Err(error) = self.store.pause(&self.supplier, *time).await
        {
            tracing::warn!(%error, "the pause that the supplier asked for cannot be shared");
        }
        let after = After {
            call,
            phase: step.phase(),
            tries: row.tries,
            result: step.result(),
            manual_check: step.manual_check(),
        };
        let mut booking = Booking::after(after, outcome, &self.limits);
        if call == Call::Place && booking.state == State::Indeterminate {
            booking.settle = Some(self.settle_time());
        }
        let body = match step.body() {
            // An order that a look-up left unchanged is not written again.
            Ok(body) if row.body.as_deref() == Some(&body) => None,
            Ok(body) => Some(body),
            Err(error) => {
                tracing::error!(%error, "the order cannot be written");
                None
            }
        };
        self.write(&row.fence, call, &booking.with_body(body)).await;
    }

    /// Writes what became of an order, as often as it takes: a response must not be lost because the database restarts.
    async fn write(&self, fence: &Fence, call: Call, booking: &Booking) {
        // Anything but the response to a request is found out again by the next worker.
        let is_answer = call == Call::Place && (booking.state.is_final() || booking.next_step);
        let given_up_at = Instant::now() + self.times.lease(self.deadline());
        loop {
            match self.store.book(fence, booking).await {
                Ok(true) => break,
                Ok(false) if is_answer => return self.write_late(fence, booking).await,
                Ok(false) => return self.lost(),
                Err(error) => {
                    tracing::warn!(%error, "what became of the order cannot be written; it is tried again");
                    if !is_answer && Instant::now() >= given_up_at {
                        return;
                    }
                    sleep(WRITE_AGAIN).await;
                }
            }
        }
        self.probe(Boundary::Booked);
        tracing::Span::current().record("outcome", booking.state.as_str());
        metrics::outcome(&self.supplier, booking.state);
        if booking.event.is_some() {
            self.wake_events.notify_waiters();
        }
        if booking.state.is_active() {
            if booking.due.is_zero() {
                self.wake.notify_waiters();
            }
            tracing::debug!(
                reason = booking.reason,
                due_ms = booking.due.as_millis(),
                "the order continues later"
            );
        } else {
            tracing::info!(reason = booking.reason, "the order is {}", booking.state);
        }
    }

    /// Writes a response although the order belongs to another worker by now.
    async fn write_late(&self, fence: &Fence, booking: &Booking) {
        self.lost();
        loop {
            match self.store.book_late(fence, booking).await {
                Ok(Late::Settled) => {
                    tracing::warn!("a late response settled the order");
                    self.wake_events.notify_waiters();
                    return;
                }
                Ok(Late::Known) => return,
                Ok(Late::Contradicted) => {
                    tracing::error!(
                        "a late response contradicts what was written: the order may exist twice"
                    );
                    metrics::contradicted(&self.supplier);
                    self.wake_events.notify_waiters();
                    return;
                }
                Err(error) => {
                    tracing::warn!(%error, "a late response cannot be written; it is tried again");
                    sleep(WRITE_AGAIN).await;
                }
            }
        }
    }
}

const LOOK_AGAIN: &str =
    "a request of it may still be at work, so that it may be there later than it was looked for; look again";

const ANY_CHECK: &str = "look at the supplier for an order with this key's reference";
