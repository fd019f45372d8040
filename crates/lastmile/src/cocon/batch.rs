//! Batches of delayed connections. A batch is registered with one request, and the supplier processes it asynchronously.

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

/// A batch of connections that are registered together, such as those of all flats of a high-rise. A batch is placed through
/// [`Prepared`](crate::Prepared).
///
/// The supplier processes each connection as a separate job: a job that fails leaves its building unchanged and does not affect
/// the other jobs. The as-built drawing covers several buildings and may change even if the job of one of them failed. (Source:
/// the supplier's page on batches.)
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
    /// Creates a batch of these connections.
    pub fn new(connections: impl IntoIterator<Item = Connection>) -> Self {
        let connections = connections.into_iter().map(|connection| connection.body).collect();
        Self {
            body: DelayedConnectionBatchCreate {
                delayed_connections: Some(connections),
                ..Default::default()
            },
        }
    }

    /// Sets the company that installed all connections of the batch.
    pub fn installed_by(mut self, company: impl Into<String>) -> Self {
        self.body.installation_company_name = Some(company.into());
        self
    }

    /// Splits the batch into batches of at most `max_connections` connections; no source states how many connections one batch may
    /// contain. Place each batch separately. The order of the connections is preserved, also where the batch names a building
    /// twice.
    ///
    /// ```
    /// use std::num::NonZeroUsize;
    /// use lastmile::cocon::{Batch, Connection, RouteScenario};
    ///
    /// let flats = (1..=250).map(|flat| Connection::new(format!("1234AB-{flat}"), RouteScenario::KeepRoute));
    /// let parts = Batch::new(flats).parts(NonZeroUsize::new(100).unwrap());
    /// assert_eq!(parts.iter().map(|part| part.buildings().count()).collect::<Vec<_>>(), [100, 100, 50]);
    /// ```
    pub fn parts(self, max_connections: NonZeroUsize) -> Vec<Self> {
        let company = self.body.installation_company_name;
        let connections = self.body.delayed_connections.unwrap_or_default();
        let part = |connections: &[DelayedConnectionRequestShort]| Self {
            body: DelayedConnectionBatchCreate {
                delayed_connections: Some(connections.to_vec()),
                installation_company_name: company.clone(),
            },
        };
        connections.chunks(max_connections.get()).map(part).collect()
    }

    /// Returns the connections of this batch that failed, as a new batch to place after the reasons of the failures are
    /// resolved.
    ///
    /// The new batch contains only connections that the report lists as failed. It contains none that are connected, pending or
    /// missing from the report, since the supplier may still process those. The report identifies a building by its name alone.
    /// A building that the batch names more often than the report lists it as failed is therefore left out, because the report
    /// does not state which of its connections failed.
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

    /// Returns the names of the buildings, in the order of the connections.
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

/// Counts how often each name occurs.
fn counted<'a>(names: impl Iterator<Item = &'a str>) -> BTreeMap<&'a str, usize> {
    let mut counts = BTreeMap::new();
    names.for_each(|name| *counts.entry(name).or_default() += 1);
    counts
}

/// The connections of a batch that can be placed again. Returned by [`Batch::failures`].
///
/// `Debug` does not show the names of the buildings, which are addresses.
#[derive(Clone)]
#[non_exhaustive]
pub struct Resubmission {
    /// The connections that failed, with the company that installed them. `None` if no connection can be placed again.
    pub batch: Option<Batch>,
    /// The buildings that failed and are not in `batch`, because the report does not state which of their connections failed.
    /// An entry is `""` if the name of the building could not be read.
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

/// Returns the id as an error message shows it. An id with unexpected characters or length is not repeated, since it may be
/// anything.
fn in_errors(id: &BatchId) -> String {
    let id = id.as_str();
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    match id.len() <= 64 && id.bytes().all(is_plain) {
        true => format!("batch {id}"),
        false => "a batch".to_owned(),
    }
}

/// The state of a batch, for each building.
///
/// A building without a readable name is called `""`.
#[derive(Clone, Debug)]
pub struct BatchReport {
    status: DelayedConnectionBatchStatus,
}

impl BatchReport {
    /// Returns the connections that were made, with the name of the building.
    pub fn connected(&self) -> impl Iterator<Item = (&str, Option<&DelayedConnection>)> {
        self.status.success.iter().map(|one| match one.get() {
            Some(one) => (one.building_name.as_deref().unwrap_or_default(), one.details.get()),
            None => ("", None),
        })
    }

    /// Returns the connections that failed, with the name of the building and the supplier's reasons.
    pub fn failed(&self) -> impl Iterator<Item = (&str, Vec<&ErrorBody>)> {
        self.status.failure.iter().map(|one| match one.get() {
            Some(one) => {
                let reasons = one.errors.iter().filter_map(|error| error.get()).collect();
                (one.building_name.as_deref().unwrap_or_default(), reasons)
            }
            None => ("", Vec::new()),
        })
    }

    /// Returns the names of the buildings that the supplier has not yet processed.
    pub fn pending(&self) -> impl Iterator<Item = &str> {
        let names = self.status.pending.iter();
        names.map(|one| one.get().and_then(|one| one.building_name.as_deref()).unwrap_or_default())
    }

    /// Returns the progress of each connection, with the name of the building: done, failed with the supplier's reasons, or in
    /// progress. The supplier's status is the name of the list that contains the building: `success`, `failure` or `pending`.
    ///
    /// A batch as a whole has no stage, because no stage describes a batch that is partly done.
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
        // The supplier does not report whether a pending connection was started.
        let pending = self.pending().map(move |name| (name, at(OrderStage::InProgress, "pending", None)));
        connected.chain(failed).chain(pending)
    }

    /// Returns the number of connections that are made, failed and pending, in this order.
    pub fn counts(&self) -> [usize; 3] {
        [self.status.success.len(), self.status.failure.len(), self.status.pending.len()]
    }

    /// Returns the buildings of a batch that the report does not contain. A building that the batch names twice must be
    /// reported twice.
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

    /// Returns whether at least one connection is made or failed and none is pending.
    ///
    /// The method does not use the supplier's state of the batch, since no source lists its values. A response with three empty
    /// lists does not count as finished, because the jobs may not have been started.
    pub fn is_finished(&self) -> bool {
        let done = !self.status.success.is_empty() || !self.status.failure.is_empty();
        done && self.status.pending.is_empty()
    }

    /// Returns the supplier's response, which includes the supplier's own state of the batch.
    pub fn status(&self) -> &DelayedConnectionBatchStatus {
        &self.status
    }
}

/// Batches of delayed connections.
impl Cocon {
    /// Reads the state of a batch.
    ///
    /// # Errors
    /// Returns [`Outcome::Rejected`](crate::Outcome::Rejected) with status 404 when no batch has this id.
    #[doc(alias = "getDelayedConnectionBatch")]
    #[doc(alias = "GET /api/v1/delayed-connections/batch/{id}")]
    pub async fn batch(&self, id: &BatchId) -> Result<BatchReport, Error> {
        Ok(BatchReport { status: self.client.get_delayed_connection_batch(id.segment()).await?.value })
    }

    /// Polls the batch until no connection is pending.
    ///
    /// # Errors
    /// Returns a [`WaitError`] when a request fails or the timeout has elapsed. The supplier continues to process the batch in
    /// both cases; call this method again.
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
        poll.until(self.client.clock(), in_errors(id), state, || self.batch(id), BatchReport::is_finished)
            .await
    }
}
