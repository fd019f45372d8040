//! What a test or the control API does to the simulation.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::draft::Order;
use super::lifecycle::is_open;
use super::{Covage, SharedSimulation, initial};
use crate::lock::lock;
use crate::object::{self, Completion, FinishError, ObjectKind, ObjectSnapshot};

impl Covage {
    /// Returns the orders, including drafts, in the order of their creation.
    pub fn objects(&self) -> Vec<ObjectSnapshot> {
        lock(&self.simulation).orders.iter().map(snapshot).collect()
    }

    /// Moves a submitted order to its end at once: to `completed` or `rejected`.
    ///
    /// # Errors
    ///
    /// Returns an error if there is no order with this `uuid`, if it is a draft, or if it has already ended.
    pub fn finish(&self, uuid: &str, completion: Completion) -> Result<(), FinishError> {
        let result = lock(&self.simulation).finish(uuid, completion);
        self.changed();
        result
    }

    /// Returns to the initial state: the services and the contact of the start, without orders, tokens, received
    /// requests, scripted steps or faults. The password and addresses stay the same.
    pub fn reset(&self) {
        // Fails only if the rules of queries cannot be read; then the sandbox had not started.
        if let Ok(initial) = initial(self.seed, self.options) {
            *lock(&self.simulation) = initial;
        }
        self.supplier.reset_with(SharedSimulation(self.simulation.clone()));
    }

    /// Checks that exactly one submitted order has this reference (`operator_info.order_ref`), whatever became of it.
    ///
    /// Drafts do not count, because nothing is ordered with them.
    ///
    /// # Panics
    ///
    /// Panics if no submitted order or several ones have the reference.
    #[track_caller]
    pub fn assert_placed_once(&self, reference: &str) {
        let mut objects = self.objects();
        objects.retain(|object| object.state != "draft");
        object::assert_placed_once(&objects, reference);
    }

    /// Returns the simulated time.
    pub fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(lock(&self.simulation).generator.clock().seconds())
    }

    pub(crate) fn advance_to(&self, moment: u64) {
        lock(&self.simulation).generator.advance_to(moment);
    }

    pub(crate) fn step(&self) {
        lock(&self.simulation).step();
        self.changed();
    }
}

fn snapshot(order: &Order) -> ObjectSnapshot {
    let text = |pointer| order.text(pointer).unwrap_or_default();
    ObjectSnapshot {
        kind: ObjectKind::Order,
        id: text("/uuid").to_owned(),
        reference: order.text("/operator_info/order_ref").map(str::to_owned),
        description: format!("{} {} {}", text("/type"), text("/product/code"), text("/reference")),
        state: order.status().to_owned(),
        open: is_open(order.status()),
    }
}
