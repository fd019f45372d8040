//! The states of submitted orders. They advance only when a test, the control API or the sandbox's clock demands it.

use serde_json::json;

use super::draft::Order;
use super::simulation::Simulation;
use crate::object::{Completion, FinishError};

/// A transition: the new status, the date field that is set, and the event.
#[derive(Debug, Clone, Copy)]
struct Transition {
    status: &'static str,
    date: Option<&'static str>,
    event: Option<&'static str>,
}

/// The statuses are named after the events, because the supplier's list of statuses is not available.
const ACKNOWLEDGED: Transition = transition("acknowledged", "acknowledged_date", "order-acknowledged");
const RUNNING: Transition = transition("running", "processing_date", "order-running");
const COMPLETED: Transition = transition("completed", "completion_date", "order-completed");
const REJECTED: Transition = transition("rejected", "rejection_date", "order-rejected");
/// No date field and no event is documented for this status.
const DEFERRED: Transition = Transition { status: "deferred", date: None, event: None };

const fn transition(status: &'static str, date: &'static str, event: &'static str) -> Transition {
    Transition { status, date: Some(date), event: Some(event) }
}

impl Simulation {
    /// Advances time by one day: every submitted order makes one transition, the oldest first.
    pub(super) fn advance(&mut self) {
        self.generator.next_day();
        self.step();
    }

    /// Advances every submitted order by one status, the oldest first, without the passing of time.
    pub(super) fn step(&mut self) {
        for index in 0..self.orders.len() {
            self.orders[index].informed = false;
            if let Some(transition) = next_transition(&self.orders[index]) {
                self.apply(index, transition);
            }
        }
    }

    /// Moves a submitted order to its end. The name of the order does not matter then.
    pub(super) fn finish(&mut self, uuid: &str, completion: Completion) -> Result<(), FinishError> {
        let index = self.orders.position(uuid).ok_or(FinishError::NotFound)?;
        let status = self.orders[index].status();
        if !is_open(status) {
            return Err(FinishError::NotOpen(status.to_owned()));
        }
        let transitions: &[Transition] = match (completion, status) {
            (Completion::Failure, _) => &[REJECTED],
            (Completion::Success, "submitted") => &[ACKNOWLEDGED, RUNNING, COMPLETED],
            (Completion::Success, "running") => &[COMPLETED],
            (Completion::Success, _) => &[RUNNING, COMPLETED],
        };
        for transition in transitions {
            self.apply(index, *transition);
        }
        Ok(())
    }

    fn apply(&mut self, index: usize, transition: Transition) {
        let now = self.generator.stamp();
        let view = &mut self.orders[index].view;
        view["status"] = json!(transition.status);
        for date in transition.date.into_iter().chain(["updated_status_date", "modification_date"]) {
            view[date] = json!(now);
        }
        if let Some(event) = transition.event {
            self.events.add(event, "order", view, &mut self.generator);
        }
        if transition.status == COMPLETED.status && self.orders[index].check.is_some() {
            let order = self.orders[index].clone();
            self.activate_service(&order);
        }
    }
}

/// Returns whether the supplier works on an order with this status.
pub(super) fn is_open(status: &str) -> bool {
    !matches!(status, "draft" | "completed" | "rejected")
}

/// Returns the next transition. The name of an activation decides whether the supplier rejects or defers it. A
/// termination always succeeds, because its service has already ended.
fn next_transition(order: &Order) -> Option<Transition> {
    let name = order.text("/operator_info/order_name").unwrap_or_default().to_lowercase();
    let is_named = |word| order.check.is_some() && name.contains(word);
    match order.status() {
        "submitted" => Some(ACKNOWLEDGED),
        "acknowledged" if is_named("reject") => Some(REJECTED),
        "acknowledged" if is_named("defer") && !order.resumed => Some(DEFERRED),
        "deferred" if !order.resumed => None,
        "acknowledged" | "deferred" => Some(RUNNING),
        "running" => Some(COMPLETED),
        _ => None,
    }
}
