//! One prepared value, from the store to the supplier and back.

use std::time::Duration;

use lastmile::{Creation, Outcome, Prepared, PreparedState, Reconciled};

use super::super::outbox::{Stage, Step};
use super::{Next, Service, come_back};

/// How long the mark of an order in flight is valid.
pub(crate) const MARK: Duration = Duration::from_secs(3);

/// What is stored of an order whose mark expired before its worker stored the outcome: the worker was killed or stopped,
/// or waited for the store too long. No other worker can know whether the order was sent.
pub(crate) const STALLED: &str = "stalled";

/// After this many indeterminate look-ups the order is undecidable, if the supplier normalizes references.
const DOUBTS: usize = 8;

impl Service {
    /// Advances a value by one step, whether it is new or loaded from the store. `next` returns the step after the
    /// created object.
    pub(super) async fn place<C: Creation>(
        &self,
        key: &str,
        stage: Stage,
        step: Option<&Step>,
        request: impl FnOnce() -> C,
        supplier: &C::Supplier,
        next: impl FnOnce(&C::Created) -> Step,
    ) -> Next {
        let Some(step) = step.filter(|step| step.stage == stage) else {
            let prepared = Prepared::new(request()).expect("what a campaign orders is right");
            // Stored before anything else, for all workers.
            self.outbox.replace(key, step, stored(stage, &prepared));
            return Next::LookAgain;
        };
        let mut prepared: Prepared<C> = serde_json::from_str(&step.value).expect("what was stored is read");
        let mut stored_step = step.clone();
        match prepared.state() {
            PreparedState::Ready => {
                let permit = self.permits.acquire().await.expect("it is never closed");
                match prepared.look_up(supplier).await {
                    Ok(None) => {}
                    Ok(Some(_)) => {
                        self.outbox.replace(key, Some(&stored_step), stored(stage, &prepared));
                        return Next::LookAgain;
                    }
                    Err(error) => {
                        self.outbox.replace(key, Some(&stored_step), stored(stage, &prepared));
                        drop(permit);
                        come_back(&error).await;
                        return Next::LookAgain;
                    }
                }
                prepared.mark_in_flight_for(MARK).expect("it is looked up");
                let marked = stored(stage, &prepared);
                if !self.outbox.replace(key, Some(&stored_step), marked.clone()) {
                    return Next::LookAgain;
                }
                let before = std::mem::replace(&mut stored_step, marked);
                let result = prepared.place(supplier).await;
                drop(permit);
                if matches!(&result, Err(error) if error.outcome() == Outcome::Invalid) {
                    // Storing the mark took longer than the mark is valid, and nothing was sent. As
                    // long as the stored value is still the marked one, no worker has taken the order
                    // over.
                    self.outbox.replace(key, Some(&stored_step), before);
                    return Next::LookAgain;
                }
                assert_ne!(prepared.state(), PreparedState::InFlight, "what became of it is known, or not");
                self.outbox.replace(key, Some(&stored_step), stored(stage, &prepared));
                match result {
                    Err(error) if error.outcome() == Outcome::Rejected && !is_read(&error) => {
                        Next::Step(Step::new(Stage::Failed, error.to_string()))
                    }
                    Err(error) => {
                        come_back(&error).await;
                        Next::LookAgain
                    }
                    Ok(_) => Next::LookAgain,
                }
            }
            PreparedState::Placed => {
                let created = prepared.created().expect("what was created is stored");
                self.outbox.replace(key, Some(&stored_step), next(created));
                Next::LookAgain
            }
            _ => self.reconcile(key, &stored_step, prepared, supplier).await,
        }
    }

    async fn reconcile<C: Creation>(
        &self,
        key: &str,
        step: &Step,
        mut prepared: Prepared<C>,
        supplier: &C::Supplier,
    ) -> Next {
        let undecidable = match prepared.state() {
            PreparedState::InFlight => Step::new(Stage::Undecidable, STALLED),
            _ => Step::new(Stage::Undecidable, ""),
        };
        for _ in 0..DOUBTS {
            let permit = self.permits.acquire().await.expect("it is never closed");
            let found = prepared.reconcile(supplier).await;
            drop(permit);
            match found {
                Ok(Reconciled::Placed(_) | Reconciled::Absent) => {
                    self.outbox.replace(key, Some(step), stored(step.stage, &prepared));
                    return Next::LookAgain;
                }
                Ok(Reconciled::Indeterminate(wait)) => tokio::time::sleep(wait.retry_after).await,
                Ok(_) => {
                    self.outbox.replace(key, Some(step), undecidable);
                    return Next::LookAgain;
                }
                Err(error) => {
                    come_back(&error).await;
                    return Next::LookAgain;
                }
            }
            // Another worker may be sending it, and have finished.
            if self.outbox.step(key).as_ref() != Some(step) {
                return Next::LookAgain;
            }
        }
        if self.site.normalises {
            self.outbox.replace(key, Some(step), undecidable);
        }
        Next::LookAgain
    }
}

fn stored<C: Creation>(stage: Stage, prepared: &Prepared<C>) -> Step {
    Step::new(stage, serde_json::to_string(prepared).expect("JSON"))
}

fn is_read(error: &lastmile::Error) -> bool {
    error.operation().is_some_and(|operation| operation.method == "GET")
}
