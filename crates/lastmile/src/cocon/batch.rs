//! Batches of delayed connections: registered at once, run by the supplier in its own time.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::num::NonZeroUsize;

use lastmile_cocon::types::{
    DelayedConnection, DelayedConnectionBatchCreate, DelayedConnectionBatchStatus,
    DelayedConnectionRequestShort, ErrorBody,
};
use lastmile_core::Error;
use serde::{Deserialize, Serialize};

use super::{BatchId, Cocon, Connection, refused};
use crate::{OrderProgress, OrderStage, Poll, WaitError};

/// Connections to be registered together, such as those of a high-rise's flats. To be [`Prepared`](crate::Prepared).
///
/// Each becomes a job of its own: a failing one leaves its building as it was and does not touch the others. The
/// as-built drawing covers several buildings and may change although one of them failed. (Source: the supplier's page on
/// batches.)
///
/// ```
/// use lastmile::cocon::{Batch, Connection, RouteScenario};
/// use lastmile::Prepared;
///
/// let batch = Batch::new(["1234AB-1", "1234AB-2"].map(|name| Connection::new(name, RouteScenario::KeepRoute)))
///     .installed_by("Graafbedrijf Anka");
/// let prepared = Prepared::new(batch)?;
/// let stored = serde_json::to_string(&prepared).unwrap(); // before it is placed
/// # Ok::<(), lastmile::Error>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
#[must_use = "nothing is sent until it is prepared and placed"]
pub struct Batch {
    body: DelayedConnectionBatchCreate,
}

impl Batch {
    /// A batch of these connections.
    pub fn new(connections: impl IntoIterator<Item = Connection>) -> Self {
        let connections = connections.into_iter().map(|connection| connection.body).collect();
        Self {
            body: DelayedConnectionBatchCreate {
                delayed_connections: Some(connections),
                ..Default::default()
            },
        }
    }

    /// The company that installed them all.
    pub fn installed_by(mut self, company: impl Into<String>) -> Self {
        self.body.installation_company_name = Some(company.into());
        self
    }

    /// The same connections in batches of at most so many; no source says how many one batch may have. Register each by
    /// itself. One that names a building twice keeps both in their order.
    ///
    /// ```
    /// use std::num::NonZeroUsize;
    /// use lastmile::cocon::{Batch, Connection, RouteScenario};
    ///
    /// let flats = (1..=250).map(|flat| Connection::new(format!("1234AB-{flat}"), RouteScenario::KeepRoute));
    /// let parts = Batch::new(flats).parts(NonZeroUsize::new(100).unwrap());
    /// assert_eq!(parts.iter().map(|part| part.buildings().count()).collect::<Vec<_>>(), [100, 100, 50]);
    /// ```
    pub fn parts(self, at_most: NonZeroUsize) -> Vec<Self> {
        let company = self.body.installation_company_name;
        let connections = self.body.delayed_connections.unwrap_or_default();
        let part = |connections: &[DelayedConnectionRequestShort]| Self {
            body: DelayedConnectionBatchCreate {
                delayed_connections: Some(connections.to_vec()),
                installation_company_name: company.clone(),
            },
        };
        connections.chunks(at_most.get()).map(part).collect()
    }

    /// What of this batch failed, as a batch to be placed anew when the reasons are gone.
    ///
    /// Only what is reported as failed is in it: nothing that is connected, pending, or not reported at all, since that may be
    /// done still. A building is reported by its name alone; so one that the batch names more often than it failed is left
    /// out, because nothing tells which of its connections failed.
    ///
    /// ```
    /// # use lastmile::{Prepared, cocon::{Batch, BatchReport, Cocon}};
    /// # async fn example(cocon: &Cocon, batch: Batch, report: BatchReport) -> Result<(), lastmile::Error> {
    /// let again = batch.failures(&report);
    /// for building in &again.left_out {
    ///     println!("{building}: look at it by hand");
    /// }
    /// if let Some(batch) = again.batch {
    ///     let id = Prepared::new(batch)?.place(cocon).await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn failures(&self, report: &BatchReport) -> Resubmission {
        let failed = counted(report.failed().map(|(name, _)| name));
        let named = counted(self.buildings());
        let otherwise: BTreeSet<&str> =
            report.connected().map(|(name, _)| name).chain(report.pending()).collect();
        let is_clear =
            |name: &str| !name.is_empty() && failed.get(name) == named.get(name) && !otherwise.contains(name);
        let connections = self.body.delayed_connections.iter().flatten();
        let is_again = |one: &&DelayedConnectionRequestShort| {
            one.building_name.as_deref().is_some_and(|name| failed.contains_key(name) && is_clear(name))
        };
        let again: Vec<_> = connections.filter(is_again).cloned().collect();
        let left_out = failed.keys().filter(|name| !is_clear(name)).map(|name| (*name).to_owned()).collect();
        let batch = (!again.is_empty()).then(|| Self {
            body: DelayedConnectionBatchCreate {
                delayed_connections: Some(again),
                installation_company_name: self.body.installation_company_name.clone(),
            },
        });
        Resubmission { batch, left_out }
    }

    /// The names of the buildings, in their order.
    pub fn buildings(&self) -> impl Iterator<Item = &str> {
        let connections = self.body.delayed_connections.iter().flatten();
        connections.map(|connection| connection.building_name.as_deref().unwrap_or_default())
    }

    pub(super) fn body(&self) -> &DelayedConnectionBatchCreate {
        &self.body
    }

    pub(super) fn check(&self) -> Result<(), Error> {
        let connections = self.body.delayed_connections.as_deref().unwrap_or_default();
        if connections.is_empty() {
            return Err(refused("delayedConnections: the batch is empty: give it at least one connection"));
        }
        let check = |(at, body): (usize, &DelayedConnectionRequestShort)| {
            Connection { body: body.clone() }.check(&format!("delayedConnections[{at}]."))
        };
        connections.iter().enumerate().try_for_each(check)?;
        super::texts::check(&self.body)
    }
}

/// How often each name is there.
fn counted<'a>(names: impl Iterator<Item = &'a str>) -> BTreeMap<&'a str, usize> {
    let mut counts = BTreeMap::new();
    names.for_each(|name| *counts.entry(name).or_default() += 1);
    counts
}

/// What of a batch can be placed anew: [`Batch::failures`].
///
/// `Debug` does not show the buildings' names, which are addresses.
#[derive(Clone)]
#[non_exhaustive]
pub struct Resubmission {
    /// The connections that failed, with the company that installed them; none if there is none.
    pub batch: Option<Batch>,
    /// The buildings that failed and are not in it, because it cannot be told which of their connections did; `""` for one
    /// whose name could not be read.
    pub left_out: Vec<String>,
}

impl fmt::Debug for Resubmission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resubmission")
            .field("batch", &self.batch)
            .field("left_out", &self.left_out.len())
            .finish()
    }
}

/// Returns the id as an error names it. An id that does not look like one may be anything, and is not repeated.
fn in_errors(id: &BatchId) -> String {
    let id = id.as_str();
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    match id.len() <= 64 && id.bytes().all(is_plain) {
        true => format!("batch {id}"),
        false => "a batch".to_owned(),
    }
}

/// How far a batch has come, building by building.
///
/// A building that the supplier gives no readable name to is called `""`.
#[derive(Clone, Debug)]
pub struct BatchReport {
    status: DelayedConnectionBatchStatus,
}

impl BatchReport {
    /// The connections that were made, by building name.
    pub fn connected(&self) -> impl Iterator<Item = (&str, Option<&DelayedConnection>)> {
        self.status.success.iter().map(|one| match one.get() {
            Some(one) => (one.building_name.as_deref().unwrap_or_default(), one.details.get()),
            None => ("", None),
        })
    }

    /// The connections that could not be made, by building name, with the reasons.
    pub fn failed(&self) -> impl Iterator<Item = (&str, Vec<&ErrorBody>)> {
        self.status.failure.iter().map(|one| match one.get() {
            Some(one) => {
                let reasons = one.errors.iter().filter_map(|error| error.get()).collect();
                (one.building_name.as_deref().unwrap_or_default(), reasons)
            }
            None => ("", Vec::new()),
        })
    }

    /// The buildings whose turn is still to come.
    pub fn pending(&self) -> impl Iterator<Item = &str> {
        let names = self.status.pending.iter();
        names.map(|one| one.get().and_then(|one| one.building_name.as_deref()).unwrap_or_default())
    }

    /// How far each connection has come, by building name: done, failed with the supplier's reasons, or in progress. The
    /// supplier's own word is that of the list which the building stands in.
    ///
    /// A batch as a whole has no stage: none stands for what is done in part.
    ///
    /// ```
    /// # use lastmile::cocon::BatchReport;
    /// # fn example(report: &BatchReport) {
    /// for (building, progress) in report.progress() {
    ///     println!("{building}: {:?}, {}", progress.stage(), progress.reason().unwrap_or_default());
    /// }
    /// # }
    /// ```
    pub fn progress(&self) -> impl Iterator<Item = (&str, OrderProgress)> {
        let at = |stage, own: &str, reason| OrderProgress::new(stage, Some(own.to_owned()), reason);
        let connected = self.connected().map(move |(name, _)| (name, at(OrderStage::Done, "success", None)));
        let failed = self.failed().map(move |(name, errors)| {
            let reasons: Vec<&str> = errors.iter().filter_map(|error| error.message.as_deref()).collect();
            let reason = (!reasons.is_empty()).then(|| reasons.join("; "));
            (name, at(OrderStage::Failed, "failure", reason))
        });
        // Nothing tells whether a pending one was begun.
        let pending = self.pending().map(move |name| (name, at(OrderStage::InProgress, "pending", None)));
        connected.chain(failed).chain(pending)
    }

    /// How many connections are made, failed and pending, in this order.
    pub fn counts(&self) -> [usize; 3] {
        [self.status.success.len(), self.status.failure.len(), self.status.pending.len()]
    }

    /// The buildings of a batch that the supplier says nothing about; one that the batch names twice must be told twice.
    pub fn missing<'a>(&self, batch: &'a Batch) -> Vec<&'a str> {
        let connected = self.connected().map(|(name, _)| name);
        let mut told: Vec<&str> =
            connected.chain(self.failed().map(|(name, _)| name)).chain(self.pending()).collect();
        batch
            .buildings()
            .filter(|name| match told.iter().position(|other| other == name) {
                Some(at) => {
                    told.swap_remove(at);
                    false
                }
                None => true,
            })
            .collect()
    }

    /// Whether something was done and nothing is pending any more.
    ///
    /// The supplier's word for the state is not relied on, since no source lists the words. An answer with nothing in it
    /// is not taken for the end: the jobs may not have been begun.
    pub fn is_finished(&self) -> bool {
        let done = !self.status.success.is_empty() || !self.status.failure.is_empty();
        done && self.status.pending.is_empty()
    }

    /// The answer itself, with the supplier's own word for the state.
    pub fn status(&self) -> &DelayedConnectionBatchStatus {
        &self.status
    }
}

/// Batches.
impl Cocon {
    /// Reads how far a batch has come.
    ///
    /// # Errors
    /// [`Outcome::Rejected`](crate::Outcome::Rejected) with status 404 when there is none of this id.
    #[doc(alias = "getDelayedConnectionBatch")]
    #[doc(alias = "GET /api/v1/delayed-connections/batch/{id}")]
    pub async fn batch(&self, id: &BatchId) -> Result<BatchReport, Error> {
        Ok(BatchReport { status: self.client.get_delayed_connection_batch(id.segment()).await?.value })
    }

    /// Polls the batch until nothing of it is pending.
    ///
    /// # Errors
    /// [`WaitError`] when a request fails or the timeout has passed. The batch goes on either way; wait for it again.
    #[doc(alias = "getDelayedConnectionBatch")]
    #[doc(alias = "GET /api/v1/delayed-connections/batch/{id}")]
    pub async fn wait_for_batch(
        &self,
        id: &BatchId,
        poll: &Poll,
    ) -> Result<BatchReport, WaitError<BatchReport>> {
        let state = |report: &BatchReport| {
            let [connected, failed, pending] = report.counts();
            format!("{connected} connected, {failed} failed, {pending} pending")
        };
        poll.until(in_errors(id), state, || self.batch(id), BatchReport::is_finished).await
    }
}
