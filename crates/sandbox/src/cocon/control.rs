//! What a test or the control API does to the simulation.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::{Cocon, SharedSimulation, Simulation};
use crate::json::text;
use crate::lock::lock;
use crate::object::{Completion, FinishError, ObjectKind, ObjectSnapshot};

impl Cocon {
    /// Returns the batches, connected buildings and customers.
    pub fn objects(&self) -> Vec<ObjectSnapshot> {
        let simulation = lock(&self.simulation);
        let mut objects = simulation.connections.objects();
        objects.extend(simulation.customers.customers().map(|(id, customer)| ObjectSnapshot {
            kind: ObjectKind::Customer,
            id: id.to_owned(),
            reference: text(customer, "customerNumber").map(str::to_owned),
            description: text(customer, "name").unwrap_or_default().to_owned(),
            state: "active".to_owned(),
            open: false,
        }));
        objects
    }

    /// Runs the next jobs of each batch, as a poll of the batch's status does.
    pub fn advance(&self) {
        let mut state = self.dispatcher().state();
        let mut simulation = lock(&self.simulation);
        let Simulation { connections, generator, .. } = &mut *simulation;
        connections.step(generator, &mut state.effects);
        drop((simulation, state));
        self.changed();
    }

    /// Runs all pending jobs of a batch at once, or makes them fail.
    ///
    /// # Errors
    ///
    /// Returns an error if there is no such batch, or if it has no pending jobs.
    pub fn finish(&self, batch_id: &str, completion: Completion) -> Result<(), FinishError> {
        let mut state = self.dispatcher().state();
        let mut simulation = lock(&self.simulation);
        let Simulation { connections, generator, .. } = &mut *simulation;
        let result = connections.finish(batch_id, completion, generator, &mut state.effects);
        drop((simulation, state));
        self.changed();
        result
    }

    /// Returns to the initial state: the buildings of the start, without customers, batches, received requests,
    /// scripted steps or faults. Keys and addresses stay the same.
    pub fn reset(&self) {
        let initial = Simulation::new(self.seed, self.options);
        let mut simulation = lock(&self.simulation);
        std::mem::swap(&mut *lock(&self.fixtures), &mut *lock(initial.connections.fixtures()));
        *simulation = initial;
        simulation.connections.share_fixtures(&self.fixtures);
        drop(simulation);
        self.supplier.reset_with(SharedSimulation(self.simulation.clone()));
    }

    /// Returns the simulated time.
    pub fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(lock(&self.simulation).generator.clock().seconds())
    }

    pub(crate) fn advance_to(&self, moment: u64) {
        lock(&self.simulation).generator.advance_to(moment);
    }
}
