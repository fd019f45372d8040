//! A copy of what a network has, kept up to date: what changed, and what is gone.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, SystemTime};

use futures_util::{Stream, StreamExt as _};
use lastmile_core::call::{Error, Outcome};
use lastmile_core::rows::RowError;
use lastmile_onapi::types::{Access, AccessServices, AccessSubscriptions, ObjectEvent, ObjectEventType};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use sealed::Kind;

use super::lists::{ChangedRows, Changes, Cursor};
use super::{EndpointName, OnApi};

/// How far a copy has come. Store it with the copy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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

/// When to read everything again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncPlan {
    /// Everything is read again after this time. 7 days by default. What an unreadable event or a lost one hid comes to
    /// light then.
    pub full_every: Duration,
    /// The same for a network that does not say when its lists were modified last, or has no events, and when an event could
    /// not be read: then nothing else tells what changed, or what is gone. A day by default. Such lists can be hundreds of
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
    use super::{Changes, Cursor, Error, Gone, OnApi};

    pub trait Sealed: Sized {
        /// The kinds of objects whose end is of interest.
        const KINDS: &'static [Kind];

        fn list(
            network: &OnApi,
            since: Option<&Cursor>,
        ) -> impl Future<Output = Result<Changes<Self>, Error>> + Send;
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
        pub(super) fn named(name: &str) -> Option<Self> {
            match name.to_ascii_lowercase().as_str() {
                "access" | "accesses" => Some(Self::Access),
                "service" | "services" => Some(Self::Service),
                "subscription" | "subscriptions" => Some(Self::Subscription),
                _ => None,
            }
        }

        pub(super) fn gone(self, id: String) -> Gone {
            match self {
                Self::Access => Gone::Access(id),
                Self::Service => Gone::Service(id),
                Self::Subscription => Gone::Subscription(id),
            }
        }
    }
}

impl sealed::Sealed for Access {
    const KINDS: &'static [Kind] = &[Kind::Access];

    async fn list(network: &OnApi, since: Option<&Cursor>) -> Result<Changes<Self>, Error> {
        network.accesses(since).await
    }
}

impl sealed::Sealed for AccessServices {
    const KINDS: &'static [Kind] = &[Kind::Access, Kind::Service];

    async fn list(network: &OnApi, since: Option<&Cursor>) -> Result<Changes<Self>, Error> {
        network.all_services(since).await
    }
}

impl sealed::Sealed for AccessSubscriptions {
    const KINDS: &'static [Kind] = &[Kind::Access, Kind::Subscription];

    async fn list(network: &OnApi, since: Option<&Cursor>) -> Result<Changes<Self>, Error> {
        network.all_subscriptions(since).await
    }
}

/// What is news about a copy.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum SyncItem<T> {
    /// It is new, or has changed: put it in the place of what the copy has. What the copy has of an access that
    /// [`AccessSubscriptions`] are listed for is replaced as a whole.
    Row(Box<T>),
    /// It is gone: take it out of the copy.
    Gone(Gone),
}

/// An object that is gone.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Gone {
    /// The access of this id, with all that is on it.
    Access(String),
    /// The service of this id; the standard names none, some networks may.
    Service(String),
    /// The subscription of this id.
    Subscription(String),
}

/// One pass over the news. See [`OnApi::sync`].
#[derive(Debug)]
pub struct SyncRun<T> {
    gone: VecDeque<Gone>,
    rows: Option<Box<ChangedRows<T>>>,
    next: SyncState,
    is_full: bool,
    unreadable: usize,
    says_nothing: bool,
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
    /// # use lastmile::onapi::{Gone, OnApi, SyncItem, SyncPlan, SyncState, types::Access};
    /// # async fn example(network: OnApi, stored: Option<SyncState>, store: impl Fn(&SyncState))
    /// # -> Result<(), Box<dyn std::error::Error>> {
    /// let mut run = network.sync::<Access>(stored.as_ref(), &SyncPlan::default()).await?;
    /// while let Some(item) = run.next().await {
    ///     match item? {
    ///         SyncItem::Row(access) => println!("put {:?}", access.access_id.get()),
    ///         SyncItem::Gone(Gone::Access(id)) => println!("take out {id}"),
    ///         other => println!("{other:?}"),
    ///     }
    /// }
    /// if run.may_sweep() {
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
    pub async fn sync<T: Synced>(
        &self,
        since: Option<&SyncState>,
        plan: &SyncPlan,
    ) -> Result<SyncRun<T>, Error> {
        let before = since.cloned().unwrap_or_default();
        let now = now();
        let full = before.needs_all(plan, now);
        let Some(news) = self.gone::<T>(before.events.as_ref()).await? else {
            // Without events.
            let next = SyncState { events: None, events_at: None, ..before };
            return self.rows(next, full, VecDeque::new(), now).await;
        };
        let events = news.cursor.or_else(|| before.events.clone());
        let doubtful = (news.doubtful || before.doubtful) && !full;
        let next = SyncState { events, events_at: Some(now), doubtful, ..before };
        self.rows(next, full, news.gone, now).await
    }

    async fn rows<T: Synced>(
        &self,
        mut next: SyncState,
        full: bool,
        gone: VecDeque<Gone>,
        now: u64,
    ) -> Result<SyncRun<T>, Error> {
        let mut run = SyncRun {
            // Without a copy there is nothing to take out of it.
            gone: if next.full_at.is_some() { gone } else { VecDeque::new() },
            rows: None,
            next: SyncState::default(),
            is_full: full,
            unreadable: 0,
            says_nothing: false,
            ended: false,
            broken: false,
        };
        if full {
            next.full_at = Some(now);
        }
        // Without a cursor there is nothing between everything and nothing.
        if full || next.rows.is_some() {
            let since = next.rows.as_ref().filter(|_| !full);
            match T::list(self, since).await? {
                Changes::NotModified => {}
                Changes::Nothing { .. } => run.says_nothing = true,
                Changes::Rows(rows) => run.rows = Some(rows),
            }
        }
        run.next = next;
        Ok(run)
    }

    /// Which objects are gone since a cursor; none, if the network has no events.
    async fn gone<T: Synced>(&self, since: Option<&Cursor>) -> Result<Option<News>, Error> {
        let mut news = News::default();
        if self.offers_endpoint(EndpointName::Events) == Some(false) {
            return Ok(None);
        }
        let mut rows = match self.object_events(since).await {
            Ok(Changes::Rows(rows)) => rows,
            Ok(Changes::NotModified) => return Ok(Some(news)),
            Ok(Changes::Nothing { .. }) => {
                // So may say a network that has no such list at all.
                news.doubtful = since.is_none();
                return Ok(Some(news));
            }
            Err(error) if has_no_events(&error) => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut last: HashMap<(Kind, String), bool> = HashMap::new();
        while let Some(row) = rows.next().await {
            match row {
                Ok(event) => match told(&event) {
                    Told::Of(kind, id, is_gone) if T::KINDS.contains(&kind) => {
                        last.insert((kind, id), is_gone);
                    }
                    Told::Of(..) | Told::OfOthers => {}
                    Told::Unclear => news.doubtful = true,
                },
                Err(RowError::Call(error)) => return Err(error),
                // Where the list breaks off it has no cursor either.
                Err(_) => news.doubtful = true,
            }
        }
        news.cursor = rows.cursor().cloned();
        // In an order that does not change from run to run.
        let gone: BTreeSet<_> =
            last.into_iter().filter_map(|(object, is_gone)| is_gone.then_some(object)).collect();
        news.gone = gone.into_iter().map(|(kind, id)| kind.gone(id)).collect();
        Ok(Some(news))
    }
}

#[derive(Default)]
struct News {
    gone: VecDeque<Gone>,
    cursor: Option<Cursor>,
    /// Whether they may leave something out.
    doubtful: bool,
}

/// What an event tells.
enum Told {
    Of(Kind, String, bool),
    /// Orders, tickets.
    OfOthers,
    Unclear,
}

fn told(event: &ObjectEvent) -> Told {
    let Some(name) = event.object_type.as_deref() else { return Told::Unclear };
    let Some(kind) = Kind::named(name) else { return Told::OfOthers };
    let is_gone = match event.type_.get() {
        Some(ObjectEventType::Delete) => true,
        Some(ObjectEventType::Create | ObjectEventType::Update) => false,
        _ => return Told::Unclear,
    };
    match (event.object_id.as_deref(), event.object_id.stray()) {
        (Some(id), None) if !id.is_empty() => Told::Of(kind, id.to_owned(), is_gone),
        // As a number it may have lost a nought.
        _ => Told::Unclear,
    }
}

/// Only the standard knows them.
fn has_no_events(error: &Error) -> bool {
    error.outcome() == Outcome::Rejected
        && error.status().is_some_and(|status| matches!(status.as_u16(), 404 | 405 | 501))
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
    /// The next item; none at the end.
    ///
    /// # Errors
    /// [`RowError::Unreadable`] costs one row and no more: the next call goes on behind it. After every other error the copy
    /// is not up to date: sync again from the state before.
    pub async fn next(&mut self) -> Option<Result<SyncItem<T>, RowError>> {
        if let Some(gone) = self.gone.pop_front() {
            return Some(Ok(SyncItem::Gone(gone)));
        }
        let row = match &mut self.rows {
            Some(rows) => rows.next().await,
            None => None,
        };
        self.seen(row)
    }

    fn seen(&mut self, row: Option<Result<T, RowError>>) -> Option<Result<SyncItem<T>, RowError>> {
        match row {
            None => {
                if !self.ended {
                    self.ended = true;
                    self.end();
                }
                None
            }
            Some(Ok(row)) => Some(Ok(SyncItem::Row(Box::new(row)))),
            Some(Err(error)) => {
                match error {
                    RowError::Unreadable(_) => self.unreadable += 1,
                    _ => self.broken = true,
                }
                Some(Err(error))
            }
        }
    }

    fn end(&mut self) {
        let read = self.rows.as_ref().map(|rows| rows.cursor().cloned());
        match read {
            Some(cursor) => self.next.rows = cursor,
            None if self.is_full => self.next.rows = None,
            None => {}
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

    /// Whether what was not among the rows is gone: at the end of a run in which everything was read and every row was
    /// readable. Not so where the network says that it has nothing at all: some say so of a path that is not in their form.
    pub fn may_sweep(&self) -> bool {
        self.is_full && self.is_whole() && self.unreadable == 0 && !self.says_nothing
    }

    /// The state for next time, at the end of the run. None before, and after an error that broke it off.
    pub fn state(&self) -> Option<&SyncState> {
        self.is_whole().then_some(&self.next)
    }

    fn is_whole(&self) -> bool {
        self.ended && !self.broken
    }
}

/// The same as [`next`](SyncRun::next). Keep the run itself, since it has the state for next time: `(&mut run).map(…)`.
impl<T: Synced> Stream for SyncRun<T> {
    type Item = Result<SyncItem<T>, RowError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(gone) = self.gone.pop_front() {
            return Poll::Ready(Some(Ok(SyncItem::Gone(gone))));
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
