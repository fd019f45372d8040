//! What becomes of orders after their submission. Nothing happens before the test says so.

use serde_json::json;

use super::draft::Order;
use super::simulation::Simulation;

/// What happens to an order next: its status from then on, the date that is set, the event that appears.
#[derive(Debug, Clone, Copy)]
struct Step {
    status: &'static str,
    date: Option<&'static str>,
    event: Option<&'static str>,
}

/// The statuses are named after the events; the supplier's list of them is lost.
const ACKNOWLEDGED: Step = step("acknowledged", "acknowledged_date", "order-acknowledged");
const RUNNING: Step = step("running", "processing_date", "order-running");
const COMPLETED: Step = step("completed", "completion_date", "order-completed");
const REJECTED: Step = step("rejected", "rejection_date", "order-rejected");
/// No date and no event is documented for it.
const DEFERRED: Step = Step { status: "deferred", date: None, event: None };

const fn step(status: &'static str, date: &'static str, event: &'static str) -> Step {
    Step { status, date: Some(date), event: Some(event) }
}

impl Simulation {
    /// A day passes: every order that was submitted moves on by one step, the oldest first.
    pub(super) fn advance(&mut self) {
        self.generator.next_day();
        for index in 0..self.orders.len() {
            self.orders[index].informed = false;
            if let Some(step) = next(&self.orders[index]) {
                self.take(index, step);
            }
        }
    }

    fn take(&mut self, index: usize, step: Step) {
        let now = self.generator.stamp();
        let view = &mut self.orders[index].view;
        view["status"] = json!(step.status);
        for date in step.date.into_iter().chain(["updated_status_date", "modification_date"]) {
            view[date] = json!(now);
        }
        if let Some(event) = step.event {
            self.events.add(event, "order", view, &mut self.generator);
        }
        if step.status == COMPLETED.status && self.orders[index].check.is_some() {
            let order = self.orders[index].clone();
            self.activate_service(&order);
        }
    }
}

/// What the order is called decides whether the supplier finds fault with it. A termination goes through: its
/// service is gone already.
fn next(order: &Order) -> Option<Step> {
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
