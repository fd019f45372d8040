//! What a test or the control API does to batches.

use serde_json::json;

use super::super::error_response::ErrorResponse;
use super::super::generator::Generator;
use super::{Connections, entry};
use crate::behaviour::Effects;
use crate::lock::lock;
use crate::object::{Completion, FinishError, ObjectKind, ObjectSnapshot};

impl Connections {
    /// Returns the batches and the connected buildings.
    pub(in super::super) fn objects(&self) -> Vec<ObjectSnapshot> {
        let mut batches: Vec<_> = self.batches.iter().collect();
        batches.sort_unstable_by_key(|(_, batch)| batch.number);
        let mut objects: Vec<_> = batches
            .into_iter()
            .map(|(id, batch)| {
                let (done, failed) = (batch.success.len(), batch.failure.len());
                let pending = batch.pending.len();
                ObjectSnapshot {
                    kind: ObjectKind::Batch,
                    id: id.clone(),
                    reference: None,
                    description: format!("{done} connected, {failed} failed, {pending} pending"),
                    state: batch.state().to_owned(),
                    open: pending > 0,
                }
            })
            .collect();
        objects.extend(lock(&self.fixtures).connected().map(|building| ObjectSnapshot {
            kind: ObjectKind::Connection,
            id: building.id.clone(),
            reference: None,
            description: format!("building {}", building.name),
            state: "connected".to_owned(),
            open: false,
        }));
        objects
    }

    /// Runs the next jobs of each batch, as a poll does.
    pub(in super::super) fn step(&mut self, generator: &mut Generator, effects: &mut Effects) {
        let ids: Vec<_> = self.batches.keys().cloned().collect();
        for id in ids {
            // Cannot fail: the batch exists.
            let _ = self.run(&id, self.jobs_per_poll, generator, effects);
        }
    }

    /// Runs all pending jobs of a batch, or makes them fail.
    pub(in super::super) fn finish(
        &mut self,
        id: &str,
        completion: Completion,
        generator: &mut Generator,
        effects: &mut Effects,
    ) -> Result<(), FinishError> {
        let batch = self.batches.get_mut(id).ok_or(FinishError::NotFound)?;
        if batch.pending.is_empty() {
            return Err(FinishError::NotOpen(batch.state().to_owned()));
        }
        if completion == Completion::Success {
            return self.run(id, usize::MAX, generator, effects).map_err(|_| FinishError::NotFound);
        }
        for job in std::mem::take(&mut batch.pending) {
            let error = ErrorResponse::new(400, "FailedOnDemand", "The connection was made to fail");
            batch.failure.push(entry(&job, "errors", json!([error.body(generator)])));
        }
        Ok(())
    }
}
