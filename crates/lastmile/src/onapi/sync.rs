//! A copy of what a network has, kept up to date: what changed, and what is gone.

use std::collections::{HashSet, VecDeque};
use std::hash::{BuildHasher as _, RandomState};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, SystemTime};

use futures_util::{Stream, StreamExt as _};
use lastmile_core::Error;
use lastmile_core::rows::{RowError, Rows};
use lastmile_core::wire::{Lenient, OneOrMany};
use lastmile_onapi::types::{Access, AccessServices, AccessSubscriptions};
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize};

pub(super) use sealed::Kind;

use super::OnApi;
use super::lists::{ChangedRows, Changes, Cursor};
use crate::quiet::quietly;

/// How far a copy has come. Store it with the copy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct SyncState {
    /// Up to where the list was read.
    rows: Option<Cursor>,
    /// Up to where the events were read.
    events: Option<Cursor>,
    /// When everything was read last, in seconds since 1970.
    full_at: Option<u64>,
    /// When the events were read last.
    events_at: Option<u64>,
    /// Whether something could not be read, so that only reading everything helps.
    doubtful: bool,
}

quietly!(SyncState);

/// When to read everything again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncPlan {
    /// Everything is read again after this time. 7 days by default. What an unreadable event or a lost one hid comes to
    /// light then.
    pub full_every: Duration,
    /// The same for a network that does not say when its lists were modified last, or has no events, and when an event could
    /// not be read, or a row: then nothing else tells what changed, or what is gone. A day by default. Such lists can be hundreds of
    /// megabytes.
    pub full_every_without_cursor: Duration,
}

impl Default for SyncPlan {
    fn default() -> Self {
        const DAY: Duration = Duration::from_secs(24 * 60 * 60);
        Self { full_every: 7 * DAY, full_every_without_cursor: DAY }
    }
}

/// How long a network remembers events at least. (Source: ON-API 2.6, events.)
const EVENTS_ARE_KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// What [`OnApi::sync`] can keep a copy of: [`Access`], [`AccessServices`], [`AccessSubscriptions`].
pub trait Synced: DeserializeOwned + Send + 'static + sealed::Sealed {}

impl Synced for Access {}
impl Synced for AccessServices {}
impl Synced for AccessSubscriptions {}

#[expect(unnameable_types, reason = "what cannot be named cannot be implemented elsewhere")]
mod sealed {
    use super::{Cursor, Deleted, Error, Lenient, OnApi, Rows};

    pub trait Sealed: Sized {
        /// The kinds of objects whose end is of interest.
        const KINDS: &'static [Kind];

        /// What a row must have, for the error of one that has not.
        const NEEDS: &'static str;

        fn open(
            network: &OnApi,
            since: Option<&Cursor>,
        ) -> impl Future<Output = Result<Option<Rows<Self>>, Error>> + Send;

        fn id(&self) -> &Lenient<String>;

        /// Whether the row has what it is there for, beside its id. A row replaces all that a copy has of its access, so
        /// that a list inside of it which cannot be read must not be taken for a short one.
        fn has_content(&self) -> bool {
            true
        }
    }

    /// A kind of object, as events name it.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub enum Kind {
        Access,
        Service,
        Subscription,
    }

    impl Kind {
        /// Some networks write the singular.
        pub(in super::super) fn named(name: &str) -> Option<Self> {
            match name.to_ascii_lowercase().as_str() {
                "access" | "accesses" => Some(Self::Access),
                "service" | "services" => Some(Self::Service),
                "subscription" | "subscriptions" => Some(Self::Subscription),
                _ => None,
            }
        }

        pub(in super::super) fn deleted(self, id: String) -> Deleted {
            match self {
                Self::Access => Deleted::Access(id),
                Self::Service => Deleted::Service(id),
                Self::Subscription => Deleted::Subscription(id),
            }
        }
    }
}

impl sealed::Sealed for Access {
    const KINDS: &'static [Kind] = &[Kind::Access];
    const NEEDS: &'static str = "an access with its accessId";

    async fn open(network: &OnApi, since: Option<&Cursor>) -> Result<Option<Rows<Self>>, Error> {
        network.open_accesses(since).await
    }

    fn id(&self) -> &Lenient<String> {
        &self.access_id
    }
}

impl sealed::Sealed for AccessServices {
    const KINDS: &'static [Kind] = &[Kind::Access, Kind::Service];
    const NEEDS: &'static str =
        "an access with its accessId and the list of its services, each with its service";

    async fn open(network: &OnApi, since: Option<&Cursor>) -> Result<Option<Rows<Self>>, Error> {
        network.open_services(since).await
    }

    fn id(&self) -> &Lenient<String> {
        &self.access_id
    }

    fn has_content(&self) -> bool {
        is_list_complete(&self.services, |service| &service.service)
    }
}

impl sealed::Sealed for AccessSubscriptions {
    const KINDS: &'static [Kind] = &[Kind::Access, Kind::Subscription];
    const NEEDS: &'static str = "an access with its accessId and the list of its subscriptions, as from ON-API 2.6 on, each with its subscriptionId";

    async fn open(network: &OnApi, since: Option<&Cursor>) -> Result<Option<Rows<Self>>, Error> {
        network.open_subscriptions(since).await
    }

    fn id(&self) -> &Lenient<String> {
        &self.access_id
    }

    /// Before ON-API 2.6 each row is one subscription: read as a row of 2.6 it would empty the access.
    fn has_content(&self) -> bool {
        is_list_complete(&self.subscriptions, |subscription| &subscription.subscription_id)
    }
}

/// Whether a list inside a row arrived, and each of its elements can be read and has its id as a text. `null` and `""` are
/// empty lists: some servers write them so.
fn is_list_complete<T>(list: &OneOrMany<Lenient<T>>, id: impl Fn(&T) -> &Lenient<String>) -> bool {
    let has_id = |element: &Lenient<T>| {
        element.get().map(&id).is_some_and(|id| id.unexpected().is_none() && text_of(id).is_some())
    };
    !list.is_absent() && list.iter().all(has_id)
}

/// An id without the blanks around it; none if nothing is left of it.
fn text_of(id: &Lenient<String>) -> Option<&str> {
    id.as_deref().map(str::trim).filter(|id| !id.is_empty())
}

/// A row that a copy can take in.
#[derive(Debug)]
struct Usable<T>(T);

impl<'de, T: Synced> Deserialize<'de> for Usable<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let row = T::deserialize(deserializer)?;
        if text_of(row.id()).is_some() && row.has_content() {
            return Ok(Self(row));
        }
        Err(D::Error::custom(format_args!("incomplete row, expected {}", T::NEEDS)))
    }
}

/// What is news about a copy.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum SyncItem<T> {
    /// It is new, or has changed: put it in the place of what the copy has. What the copy has of an access that
    /// [`AccessSubscriptions`] are listed for is replaced as a whole.
    Upserted(Box<T>),
    /// It is deleted: take it out of the copy.
    Deleted(Deleted),
}

/// An object that is gone.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Deleted {
    /// The access of this id, with all that is on it.
    Access(String),
    /// The service of this id; the standard names none, some networks may.
    Service(String),
    /// The subscription of this id.
    Subscription(String),
}

/// One pass over the news, as a [`Stream`]: [`OnApi::sync`].
#[derive(Debug)]
#[must_use = "streams do nothing unless polled"]
pub struct SyncRun<T> {
    deleted: VecDeque<Deleted>,
    rows: Option<Box<ChangedRows<Usable<T>>>>,
    /// The state that this run began with.
    before: SyncState,
    next: SyncState,
    is_full: bool,
    unreadable: usize,
    /// The rows that are readable and yet do not tell surely what the network has.
    unsure: usize,
    /// The ids so far, as hashes, where everything is read.
    ids: HashSet<u64>,
    hasher: RandomState,
    /// Whether any row was readable.
    has_rows: bool,
    says_nothing: bool,
    /// The answer is a list, with a status of success other than 200.
    has_other_status: bool,
    ended: bool,
    broken: bool,
}

impl OnApi {
    /// What has changed and what is gone since a copy was brought up to date, or everything.
    ///
    /// Lists with `If-Modified-Since` tell what is new and changed, never what is gone; the events of objects do. So both
    /// are read: first the events, of which the last of each object counts, then the list. Everything is read when there is
    /// no copy yet, when more than the 24 hours have passed for which events are kept, and as often as the plan says. A
    /// network that does not say up to where its list goes (no `Last-Modified`) tells between two such runs only what is
    /// gone.
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
    /// The outcome of the calls. A network without events is no error: then only reading everything shows what is gone.
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
        let now = now();
        let full = before.needs_all(plan, now);
        let Some(news) = self.deletions(T::KINDS, before.events.as_ref()).await? else {
            // Without events.
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
            // Without a copy there is nothing to take out of it.
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
        // Without a cursor there is nothing between everything and nothing.
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

    /// Whether this row tells surely which object the network has: by an id that arrived as a text (as a number it may have
    /// lost a nought), and that no row before it had (a list that shifts while it is written repeats some and skips others).
    /// Blanks around an id do not make it another one.
    fn is_sure(&mut self, row: &T) -> bool {
        let is_text = row.id().unexpected().is_none();
        is_text && self.ids.insert(self.hasher.hash_one(text_of(row.id())))
    }

    fn end(&mut self) {
        self.says_nothing |= self.rows.as_ref().is_some_and(|rows| !rows.is_list_to_end());
        self.has_other_status = self.rows.as_ref().is_some_and(|rows| !rows.is_whole_list());
        if self.says_nothing && self.is_full {
            // Everything is still to be read.
            self.next = self.before.clone();
            return;
        }
        if self.unreadable > 0 || self.has_other_status || self.is_empty() {
            self.next.doubtful = true;
        }
        // What could not be read of the news is asked for again.
        if (self.is_full || self.unreadable == 0)
            && let Some(rows) = self.rows.as_ref().filter(|_| !self.has_other_status)
        {
            self.next.rows = rows.cursor().cloned();
        }
    }

    /// Whether everything was read, and not the news only.
    pub fn is_full(&self) -> bool {
        self.is_full
    }

    /// How many rows could not be read so far.
    pub fn unreadable(&self) -> usize {
        self.unreadable
    }

    /// How many rows of a full run so far do not tell surely which object they are about: their id arrived as something else
    /// than a text, or is that of an earlier row.
    pub fn unsure(&self) -> usize {
        self.unsure
    }

    /// Whether what was not among the rows is deleted: at the end of a run in which everything was read, the answer was a list with
    /// status 200 and at least one row, and every row was readable and had an id of its own that arrived as a text. Not so
    /// where the network says that it has nothing at all, by a status 404 or 204, by `null` or `""`: some say so of a path that
    /// is not in their form.
    ///
    /// Nor after an empty list: one wrong answer must not empty a whole copy. Events still take out single objects. When the
    /// network really has nothing any more, as when a contract has ended, its operator can say so: then empty the copy
    /// yourself, and begin again without a state. Until then everything is read again within
    /// [`full_every_without_cursor`](SyncPlan::full_every_without_cursor).
    ///
    /// To tell ids apart, a full run keeps 8 bytes of each.
    pub fn is_complete(&self) -> bool {
        let is_sure = self.unreadable == 0 && self.unsure == 0;
        self.is_full
            && self.is_whole()
            && is_sure
            && !self.says_nothing
            && !self.has_other_status
            && !self.is_empty()
    }

    /// The state for next time, at the end of the run. None before, and after an error that broke it off. It passes over
    /// nothing that was not read: after an answer that says nothing, or has one object in place of the list, the same is asked
    /// for again; after a row that cannot be read, a status of success other than 200, or a full run without any row, everything
    /// is read again within [`full_every_without_cursor`](SyncPlan::full_every_without_cursor).
    pub fn state(&self) -> Option<&SyncState> {
        self.is_whole().then_some(&self.next)
    }

    /// Whether everything was to be read, and no row came.
    fn is_empty(&self) -> bool {
        self.is_full && !self.has_rows
    }

    fn is_whole(&self) -> bool {
        self.ended && !self.broken
    }
}

/// Keep the run, since it has the state for next time: `(&mut run).map(…)`.
///
/// # Errors
/// [`RowError::Unreadable`] costs one row: polled again, the stream goes on after it. After every other error the copy is not up to
/// date: sync again from the state before.
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

/// Seconds since 1970.
fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |time| time.as_secs())
}
