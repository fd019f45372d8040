//! Delayed connections, one at a time or in batches.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::answers::{given, text};
use super::refusal::{Journal, Refusal};
use super::town::Town;
use super::{Handled, lock};
use crate::desk::Effects;

/// Under this name a building that a batch connected is counted.
const JOB: &str = "createDelayedConnectionBatch.job";

#[derive(Debug)]
pub(super) struct Connections {
    town: Arc<Mutex<Town>>,
    batches: BTreeMap<String, Batch>,
    jobs_per_look: usize,
}

/// The entries of a batch, in the groups that its status shows; those still to come as they were sent.
#[derive(Debug, Default)]
struct Batch {
    pending: Vec<Value>,
    success: Vec<Value>,
    failure: Vec<Value>,
}

impl Connections {
    pub(super) fn new(town: Arc<Mutex<Town>>, jobs_per_look: usize) -> Connections {
        Connections { town, batches: BTreeMap::new(), jobs_per_look }
    }

    pub(super) fn connect_by_id(&mut self, id: &str, body: &Value) -> Handled {
        check_scenario(body)?;
        lock(&self.town).by_id(id)?.connect(text(body, "frameName")).map(Some)
    }

    pub(super) fn connect_by_name(&mut self, body: &Value) -> Handled {
        self.connect(body).map(Some)
    }

    /// The jobs wait for somebody to look.
    pub(super) fn register_batch(&mut self, body: &Value, journal: &mut Journal) -> Handled {
        let pending =
            given(body, "delayedConnections").and_then(Value::as_array).cloned().unwrap_or_default();
        if pending.is_empty() {
            return Err(Refusal::new(400, "EmptyBatch", "The batch has no connections"));
        }
        let id = journal.uuid();
        self.batches.insert(id.clone(), Batch { pending, ..Batch::default() });
        Ok(Some(json!({ "batchId": id })))
    }

    /// Lets the next jobs finish and then tells how far the batch is, so that what is told and what took
    /// effect agree. Time passes by looking only: a caller that polls gets there, at the same pace in every run.
    pub(super) fn look(&mut self, id: &str, journal: &mut Journal, effects: &mut Effects) -> Handled {
        let mut batch = self.batches.remove(id).ok_or_else(|| Refusal::not_found("batch", id))?;
        let due = self.jobs_per_look.min(batch.pending.len());
        for job in batch.pending.drain(..due) {
            match self.connect(&job) {
                Ok(details) => {
                    effects.add(JOB);
                    batch.success.push(entry(&job, "details", details));
                }
                Err(refusal) => {
                    batch.failure.push(entry(&job, "errors", json!([refusal.body(journal)])));
                }
            }
        }
        let status = batch.status(id);
        self.batches.insert(id.to_owned(), batch);
        Ok(Some(status))
    }

    fn connect(&mut self, body: &Value) -> Result<Value, Refusal> {
        check_scenario(body)?;
        let name = text(body, "buildingName")
            .ok_or_else(|| Refusal::new(400, "BuildingNameMissing", "No building is named"))?;
        lock(&self.town).by_name(name)?.connect(text(body, "frameName"))
    }
}

impl Batch {
    fn status(&self, id: &str) -> Value {
        let pending: Vec<_> = self.pending.iter().map(named).collect();
        json!({
            "batchId": id,
            "status": if pending.is_empty() { "Finished" } else { "Running" },
            "success": self.success,
            "failure": self.failure,
            "pending": pending,
        })
    }
}

/// The supplier first works out which scenario is meant: the route stays as it is, on purpose, or a new one is
/// given. Both then ask the same of the building.
fn check_scenario(body: &Value) -> Result<(), Refusal> {
    let on_purpose = body.get("isWithoutGeometry") == Some(&Value::Bool(true));
    let route = given(body, "newRoute").is_some();
    if on_purpose == route {
        let message = "Cannot tell the scenario: give newRoute, or leave it out and set isWithoutGeometry";
        return Err(Refusal::new(400, "UnknownScenario", message));
    }
    Ok(())
}

/// The name of a job's building, if it has one, as the entry of a batch's status.
fn named(job: &Value) -> Value {
    text(job, "buildingName").map_or_else(|| json!({}), |name| json!({ "buildingName": name }))
}

fn entry(job: &Value, field: &str, value: Value) -> Value {
    let mut entry = named(job);
    entry[field] = value;
    entry
}
