//! Delayed connections, one at a time or in batches.

mod control;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::error_response::{ErrorResponse, OperationResult};
use super::fixtures::Fixtures;
use super::generator::Generator;
use crate::behaviour::Effects;
use crate::json::{non_null, text};
use crate::lock::lock;

/// The name under which connected buildings of batches are counted.
const JOB: &str = "createDelayedConnectionBatch.job";

#[derive(Debug)]
pub(super) struct Connections {
    fixtures: Arc<Mutex<Fixtures>>,
    batches: BTreeMap<String, Batch>,
    jobs_per_poll: usize,
}

/// The jobs of a batch, grouped as in its status. Pending jobs are kept as they were sent.
#[derive(Debug, Default)]
struct Batch {
    /// Counts the batches, in the order of their registration.
    number: usize,
    pending: Vec<Value>,
    success: Vec<Value>,
    failure: Vec<Value>,
}

impl Connections {
    pub(super) fn new(fixtures: Arc<Mutex<Fixtures>>, jobs_per_poll: usize) -> Connections {
        Connections { fixtures, batches: BTreeMap::new(), jobs_per_poll }
    }

    pub(super) fn fixtures(&self) -> &Arc<Mutex<Fixtures>> {
        &self.fixtures
    }

    /// Uses fixtures that others share.
    pub(super) fn share_fixtures(&mut self, fixtures: &Arc<Mutex<Fixtures>>) {
        self.fixtures = Arc::clone(fixtures);
    }

    pub(super) fn connect_by_id(&mut self, id: &str, body: &Value) -> OperationResult {
        check_scenario(body)?;
        lock(&self.fixtures).by_id(id)?.connect(text(body, "frameName")).map(Some)
    }

    pub(super) fn connect_by_name(&mut self, body: &Value) -> OperationResult {
        self.connect(body).map(Some)
    }

    /// Registers a batch. Its jobs run when its status is polled.
    pub(super) fn register_batch(&mut self, body: &Value, generator: &mut Generator) -> OperationResult {
        let pending =
            non_null(body, "delayedConnections").and_then(Value::as_array).cloned().unwrap_or_default();
        if pending.is_empty() {
            return Err(ErrorResponse::new(400, "EmptyBatch", "The batch has no connections"));
        }
        let id = generator.uuid();
        self.batches.insert(id.clone(), Batch { number: self.batches.len(), pending, ..Batch::default() });
        Ok(Some(json!({ "batchId": id })))
    }

    /// Runs the next jobs and returns the status of the batch. Batches make progress only when they are polled, so a
    /// run can be repeated, and the returned status always agrees with what took effect.
    pub(super) fn poll(
        &mut self,
        id: &str,
        generator: &mut Generator,
        effects: &mut Effects,
    ) -> OperationResult {
        self.run(id, self.jobs_per_poll, generator, effects)?;
        let batch = self.batches.get(id).ok_or_else(|| ErrorResponse::not_found("batch", id))?;
        Ok(Some(batch.status(id)))
    }

    /// Runs up to this number of a batch's jobs.
    fn run(
        &mut self,
        id: &str,
        jobs: usize,
        generator: &mut Generator,
        effects: &mut Effects,
    ) -> Result<(), ErrorResponse> {
        let mut batch = self.batches.remove(id).ok_or_else(|| ErrorResponse::not_found("batch", id))?;
        let due = jobs.min(batch.pending.len());
        for job in batch.pending.drain(..due) {
            match self.connect(&job) {
                Ok(details) => {
                    effects.add(JOB);
                    batch.success.push(entry(&job, "details", details));
                }
                Err(error) => {
                    batch.failure.push(entry(&job, "errors", json!([error.body(generator)])));
                }
            }
        }
        self.batches.insert(id.to_owned(), batch);
        Ok(())
    }

    fn connect(&mut self, body: &Value) -> Result<Value, ErrorResponse> {
        check_scenario(body)?;
        let name = text(body, "buildingName")
            .ok_or_else(|| ErrorResponse::new(400, "BuildingNameMissing", "No building is named"))?;
        lock(&self.fixtures).by_name(name)?.connect(text(body, "frameName"))
    }
}

impl Batch {
    fn state(&self) -> &'static str {
        if self.pending.is_empty() { "Finished" } else { "Running" }
    }

    fn status(&self, id: &str) -> Value {
        let pending: Vec<_> = self.pending.iter().map(named).collect();
        json!({
            "batchId": id,
            "status": self.state(),
            "success": self.success,
            "failure": self.failure,
            "pending": pending,
        })
    }
}

/// Checks that the request describes exactly one scenario: a new route, or deliberately none.
fn check_scenario(body: &Value) -> Result<(), ErrorResponse> {
    let on_purpose = body.get("isWithoutGeometry") == Some(&Value::Bool(true));
    let route = non_null(body, "newRoute").is_some();
    if on_purpose == route {
        let message = "Cannot tell the scenario: give newRoute, or leave it out and set isWithoutGeometry";
        return Err(ErrorResponse::new(400, "UnknownScenario", message));
    }
    Ok(())
}

/// Returns an entry of a batch status with the building name of the job, if it has one.
fn named(job: &Value) -> Value {
    text(job, "buildingName").map_or_else(|| json!({}), |name| json!({ "buildingName": name }))
}

fn entry(job: &Value, field: &str, value: Value) -> Value {
    let mut entry = named(job);
    entry[field] = value;
    entry
}
