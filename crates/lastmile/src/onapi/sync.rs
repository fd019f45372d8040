//! Synchronizing a copy of a network's accesses, services or subscriptions: changes and deletions.

use std::collections::{HashSet, VecDeque};
use std::hash::{BuildHasher as _, RandomState};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, SystemTime};

use futures_util::{Stream, StreamExt as _};
use lastmile_core::Error;
use lastmile_core::rows::{RowError, Rows};
#[cfg(doc)]
use lastmile_onapi::types::{AccessSubscriptions, Subscription};
use serde::{Deserialize, Serialize};

use super::OnApi;
use super::lists::{ChangedRows, Changes, Cursor};
use super::synced::{Synced, Usable, text_of};
use crate::redact::redact_errors;

/// The progress of a synchronized copy. Store it with the copy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct SyncState {
    /// The cursor after the list.
    rows: Option<Cursor>,
    /// The cursor after the events.
    events: Option<Cursor>,
    /// When the last full run started, in seconds since 1970.
    full_at: Option<u64>,
    /// When the events were last read, in seconds since 1970.
    events_at: Option<u64>,
    /// Whether something could not be decoded, so that a full run is needed.
    doubtful: bool,
}

redact_errors!(SyncState);

/// When to read the complete list again.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SyncPlan {
    /// The interval between full runs, which read the complete list. 7 days by default. A full run shows what a lost or
    /// unreadable event would have shown.
    pub full_every: Duration,
    /// The interval between full runs when nothing else shows all changes and deletions: for a network that does not give a
    /// `Last-Modified` for its lists or has no events, and after an event or a row that could not be decoded. One day by
    /// default. A complete list can have hundreds of megabytes.
    pub full_every_without_cursor: Duration,
}

impl Default for SyncPlan {
    fn default() -> Self {
        const DAY: Duration = Duration::from_secs(24 * 60 * 60);
        Self { full_every: 7 * DAY, full_every_without_cursor: DAY }
    }
}

impl SyncPlan {
    /// Sets the interval between full runs, [`full_every`](Self::full_every).
    #[must_use]
    pub const fn with_full_every(self, full_every: Duration) -> Self {
        Self { full_every, ..self }
    }

    /// Sets the interval between full runs when nothing else shows all changes,
    /// [`full_every_without_cursor`](Self::full_every_without_cursor).
    #[must_use]
    pub const fn with_full_every_without_cursor(self, full_every_without_cursor: Duration) -> Self {
        Self { full_every_without_cursor, ..self }
    }
}

/// The minimum time for which a network keeps events. (Source: ON-API 2.6, events.)
const EVENTS_ARE_KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// An update for the copy.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum SyncItem<T> {
    /// The row is new or has changed. It replaces the copy's row with the same id as a whole, for [`AccessSubscriptions`]
    /// including all subscriptions of the access, and for [`Subscription`] that subscription alone.
    Upserted(Box<T>),
    /// The object is deleted. Remove it from the copy.
    Deleted(Deleted),
}

/// A deleted object.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Deleted {
    /// The access with this id, and everything on it.
    Access(String),
    /// The service with this id. The standard defines no ids of services, but some networks may use them.
    Service(String),
    /// The subscription with this id.
    Subscription(String),
}

/// One synchronization run, as a [`Stream`] of updates. [`OnApi::sync`] creates it.
#[derive(Debug)]
#[must_use = "streams do nothing unless polled"]
pub struct SyncRun<T> {
    deleted: VecDeque<Deleted>,
    rows: Option<Box<ChangedRows<Usable<T>>>>,
    /// The state at the start of this run.
    before: SyncState,
    next: SyncState,
    is_full: bool,
    unreadable: usize,
    /// The number of readable rows that do not identify their object with certainty.
    unsure: usize,
    /// The hashes of the ids read so far in a full run.
    ids: HashSet<u64>,
    hasher: RandomState,
    /// Whether any row was readable.
    has_rows: bool,
    says_nothing: bool,
    /// Whether the response is a list with a success status other than 200.
    has_other_status: bool,
    ended: bool,
    broken: bool,
}

impl OnApi {
    /// Returns the changes and deletions since a copy was last synchronized, or the complete list.
    ///
    /// A list that is requested with `If-Modified-Since` shows created and changed objects, but not deleted ones. The events of
    /// objects show deletions. Therefore a run first reads the events, of which the last one of each object counts, and then
    /// the list. A run is full, that is, it reads the complete list, when there is no copy yet, when the events were last read
    /// more than 24 hours ago (the time for which networks keep events), and at the intervals of `plan`. For a network that
    /// gives no `Last-Modified`, the runs between two full runs show deletions only.
    ///
    /// ```no_run
    /// use lastmile::StreamExt as _;
    /// # use lastmile::onapi::{Deleted, OnApi, SyncItem, SyncPlan, SyncState, types::Access};
    /// # async fn example(network: OnApi, stored: Option<SyncState>, store: impl Fn(&SyncState))
    /// # -> lastmile::Result<()> {
    /// let mut run = network.sync::<Access>(stored.as_ref(), &SyncPlan::default()).await?;
    /// while let Some(item) = run.next().await {
    ///     match item? {
    ///         SyncItem::Upserted(access) => println!("put {:?}", access.access_id.get()),
    ///         SyncItem::Deleted(Deleted::Access(id)) => println!("take out {id}"),
    ///         other => println!("{other:?}"),
    ///     }
    /// }
    /// if run.is_complete() {
    ///     println!("take out everything that was not among the rows");
    /// }
    /// if let Some(state) = run.state() {
    ///     store(state);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Returns the errors of the calls. A network without events does not cause an error: in that case only full runs show
    /// deletions.
    #[doc(alias = "listAccesses")]
    #[doc(alias = "GET /accesses/")]
    #[doc(alias = "listServices")]
    #[doc(alias = "GET /services/")]
    #[doc(alias = "listSubscriptions")]
    #[doc(alias = "GET /subscriptions/")]
    #[doc(alias = "listEvents")]
    #[doc(alias = "GET /events/")]
    pub async fn sync<T: Synced>(
        &self,
        since: Option<&SyncState>,
        plan: &SyncPlan,
    ) -> Result<SyncRun<T>, Error> {
        let before = since.cloned().unwrap_or_default();
        let now = seconds(self.client.clock().now());
        let full = before.needs_all(plan, now) || before.is_too_old(self.changes_kept, now);
        let Some(news) = self.deletions(T::KINDS, before.events.as_ref()).await? else {
            // The network has no events.
            let doubtful = before.doubtful && !full;
            let next = SyncState { events: None, events_at: None, doubtful, ..before.clone() };
            return self.rows(before, next, full, VecDeque::new(), now).await;
        };
        let events = news.cursor.or_else(|| before.events.clone());
        let doubtful = (news.doubtful || before.doubtful) && !full;
        let next = SyncState { events, events_at: Some(now), doubtful, ..before.clone() };
        self.rows(before, next, full, news.deleted, now).await
    }

    async fn rows<T: Synced>(
        &self,
        before: SyncState,
        mut next: SyncState,
        full: bool,
        deleted: VecDeque<Deleted>,
        now: u64,
    ) -> Result<SyncRun<T>, Error> {
        let mut run = SyncRun {
            // There is no copy yet, so there is nothing to delete.
            deleted: if next.full_at.is_some() { deleted } else { VecDeque::new() },
            rows: None,
            before,
            next: SyncState::default(),
            is_full: full,
            unreadable: 0,
            unsure: 0,
            ids: HashSet::new(),
            hasher: RandomState::new(),
            has_rows: false,
            says_nothing: false,
            has_other_status: false,
            ended: false,
            broken: false,
        };
        if full {
            next.full_at = Some(now);
        }
        // Without a cursor, only the complete list can be requested.
        if full || next.rows.is_some() {
            let since = next.rows.as_ref().filter(|_| !full);
            let opened = T::open(self, since).await.map(|rows| rows.map(Rows::decode_as));
            match self.changes(since, opened)? {
                Changes::NotModified => {}
                Changes::Nothing { .. } => run.says_nothing = true,
                Changes::Rows(rows) => run.rows = Some(rows),
            }
        }
        run.next = next;
        Ok(run)
    }
}

impl SyncState {
    /// Returns whether the network may no longer know what has changed since the cursor.
    fn is_too_old(&self, changes_kept: Option<Duration>, now: u64) -> bool {
        /// The clocks of the two sides may differ, and the request takes time.
        const MARGIN: Duration = Duration::from_secs(60 * 60);
        let (Some(kept), Some(cursor)) = (changes_kept, &self.rows) else { return false };
        let age = cursor.at().map(|at| Duration::from_secs(now.saturating_sub(at)));
        age.is_none_or(|age| age + MARGIN >= kept)
    }

    fn needs_all(&self, plan: &SyncPlan, now: u64) -> bool {
        let Some(full_at) = self.full_at else { return true };
        let since = |then: u64| Duration::from_secs(now.saturating_sub(then));
        let by_events = match self.events_at {
            Some(at) => since(at) >= EVENTS_ARE_KEPT,
            None => since(full_at) >= plan.full_every_without_cursor,
        };
        let by_cursor = self.rows.is_none() && since(full_at) >= plan.full_every_without_cursor;
        let by_doubt = self.doubtful && since(full_at) >= plan.full_every_without_cursor;
        by_doubt || by_events || by_cursor || since(full_at) >= plan.full_every
    }
}

impl<T: Synced> SyncRun<T> {
    fn seen(&mut self, row: Option<Result<Usable<T>, RowError>>) -> Option<Result<SyncItem<T>, RowError>> {
        match row {
            None => {
                if !self.ended {
                    self.ended = true;
                    self.end();
                }
                None
            }
            Some(Ok(Usable(row))) => {
                self.has_rows = true;
                if self.is_full && !self.is_sure(&row) {
                    self.unsure += 1;
                }
                Some(Ok(SyncItem::Upserted(Box::new(row))))
            }
            Some(Err(error)) => {
                match error {
                    RowError::Unreadable(_) => self.unreadable += 1,
                    _ => self.broken = true,
                }
                Some(Err(error))
            }
        }
    }

    /// Returns whether this row identifies its object with certainty. Its id must be a string, because a number may have lost
    /// its leading zeros. No earlier row may have the same id, because a list that shifts while it is written repeats some rows
    /// and skips others. Surrounding white space does not distinguish ids.
    fn is_sure(&mut self, row: &T) -> bool {
        let is_text = row.id().unexpected().is_none();
        is_text && self.ids.insert(self.hasher.hash_one(text_of(row.id())))
    }

    fn end(&mut self) {
        self.says_nothing |= self.rows.as_ref().is_some_and(|rows| !rows.is_list_to_end());
        self.has_other_status = self.rows.as_ref().is_some_and(|rows| !rows.is_whole_list());
        if self.says_nothing && self.is_full {
            // The complete list must still be read.
            self.next = self.before.clone();
            return;
        }
        if self.unreadable > 0 || self.has_other_status || self.is_empty() {
            self.next.doubtful = true;
        }
        // If a row was unreadable, the next run requests the same changes again.
        if (self.is_full || self.unreadable == 0)
            && let Some(rows) = self.rows.as_ref().filter(|_| !self.has_other_status)
        {
            self.next.rows = rows.cursor().cloned();
        }
    }

    /// Returns whether this run reads the complete list instead of the changes only.
    pub fn is_full(&self) -> bool {
        self.is_full
    }

    /// Returns the number of rows so far that could not be decoded.
    pub fn unreadable(&self) -> usize {
        self.unreadable
    }

    /// Returns the number of rows so far, in a full run, that do not identify their object with certainty: their id is not a
    /// string, or an earlier row has the same id.
    pub fn unsure(&self) -> usize {
        self.unsure
    }

    /// Returns whether every object without a row in this run is deleted at the network.
    ///
    /// This is the case at the end of a full run if the response was a list with status 200 and at least one row, and if every
    /// row was readable and had a unique id that is a string.
    ///
    /// It is not the case if the network reports that it has nothing at all (status 404 or 204, `null` or `""`), because some
    /// networks also report this for a path in the wrong style. Nor is it the case after an empty list, so that one wrong
    /// response cannot delete a whole copy. Events still delete single objects. If the network has really nothing left, for
    /// instance because a contract has ended, ask its operator; then delete the copy yourself and start again without a state.
    /// Until then, a full run takes place within each [`full_every_without_cursor`](SyncPlan::full_every_without_cursor).
    ///
    /// A full run keeps 8 bytes per row to detect repeated ids.
    pub fn is_complete(&self) -> bool {
        let is_sure = self.unreadable == 0 && self.unsure == 0;
        self.is_full
            && self.is_whole()
            && is_sure
            && !self.says_nothing
            && !self.has_other_status
            && !self.is_empty()
    }

    /// Returns the state for the next run, once this run has ended. Returns `None` before, and after an error that ended the
    /// run early.
    ///
    /// The state never skips anything that was not read. After an empty response, or a single object instead of a list, the
    /// next run makes the same request again. After an unreadable row, a success status other than 200, or a full run without
    /// any row, a full run follows within [`full_every_without_cursor`](SyncPlan::full_every_without_cursor).
    pub fn state(&self) -> Option<&SyncState> {
        self.is_whole().then_some(&self.next)
    }

    /// Returns whether this run is full and no row has arrived.
    fn is_empty(&self) -> bool {
        self.is_full && !self.has_rows
    }

    fn is_whole(&self) -> bool {
        self.ended && !self.broken
    }
}

/// To use the state afterwards, borrow the run: `(&mut run).map(…)`.
///
/// # Errors
/// Returns [`RowError::Unreadable`] for a row that cannot be decoded; when polled again, the stream continues after that row.
/// After any other error the copy is not up to date: synchronize again from the previous state.
impl<T: Synced> Stream for SyncRun<T> {
    type Item = Result<SyncItem<T>, RowError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(deleted) = self.deleted.pop_front() {
            return Poll::Ready(Some(Ok(SyncItem::Deleted(deleted))));
        }
        let row = match &mut self.rows {
            Some(rows) => ready!(rows.poll_next_unpin(cx)),
            None => None,
        };
        Poll::Ready(self.seen(row))
    }
}

/// Returns a time in seconds since 1970.
fn seconds(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |time| time.as_secs())
}
