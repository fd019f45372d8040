//! What a test or the control API does to the simulation.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::{Access, OnApi};
use crate::lock::lock;
use crate::object::{self, Completion, FinishError, ObjectSnapshot};

impl OnApi {
    /// Returns the orders and tickets, each kind in the order of creation.
    pub fn objects(&self) -> Vec<ObjectSnapshot> {
        lock(&self.operator).objects()
    }

    /// Returns the first accesses in their current state, up to this number.
    pub fn first_accesses(&self, limit: usize) -> Vec<Access> {
        lock(&self.operator).first_accesses(limit)
    }

    /// Returns the first access with a service that can be ordered without characteristics, and the service.
    pub(crate) fn first_free_service(&self) -> Option<(String, String)> {
        lock(&self.operator).first_free_service()
    }

    /// Moves an order to its end at once, or closes a ticket.
    ///
    /// # Errors
    ///
    /// Returns an error if there is no such order or ticket, or if it has already ended.
    pub fn finish(&self, id: &str, completion: Completion) -> Result<(), FinishError> {
        let result = lock(&self.operator).finish(id, completion);
        self.changed();
        result
    }

    /// Checks that exactly one order has this reference (`spReference`), whatever its state.
    ///
    /// ```
    /// # use lastmile_sandbox::Sandbox;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let sandbox = Sandbox::builder().start().await?;
    /// let network = sandbox.onapi();
    /// // The code under test places an order at network.base_url() here.
    /// # let orders = network.objects().len();
    /// # if orders > 0 {
    /// network.assert_placed_once("SP-0431");
    /// # }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// Panics if no order or several orders have the reference.
    #[track_caller]
    pub fn assert_placed_once(&self, reference: &str) {
        object::assert_placed_once(&self.objects(), reference);
    }

    /// Returns the simulated time.
    pub fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(lock(&self.operator).now())
    }

    pub(crate) fn advance_to(&self, moment: u64) {
        lock(&self.operator).advance_to(moment);
    }

    pub(crate) fn step(&self) {
        lock(&self.operator).step();
        self.changed();
    }
}
