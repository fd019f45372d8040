//! Lines in operation.

use std::collections::{BTreeSet, VecDeque};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_util::future::{BoxFuture, FutureExt as _};
use futures_util::stream::Stream;
use lastmile_core::wire::{Lenient, OneOrMany};
use lastmile_core::{Error, Reply};
use lastmile_covage::types::{ListServicesParams, Service, ServiceFtthMigration, ServiceFtthMigrationCreate};
use serde::{Deserialize, Serialize};

use super::pages::{Page, is_past_the_end, mark};
use super::texts::check_lines;
use super::{Covage, ServiceId, refused};
use crate::prepared::Creation;
use crate::prepared::sealed::{Lookup, LookupPurpose, Sealed};
use crate::rules::BuildingRef;
use crate::stream::Pending;

/// How many services a page has.
const PAGE: i64 = 100;

/// Services. They cannot be changed; a [termination](super::NewOrder::terminate) ends one.
impl Covage {
    /// Reads a service.
    ///
    /// # Errors
    /// [`Outcome::Rejected`](crate::Outcome::Rejected) with status 404 when there is none of this id.
    #[doc(alias = "getService")]
    #[doc(alias = "GET /api/v2/services/{uuid}/")]
    pub async fn service(&self, id: &ServiceId) -> Result<Service, Error> {
        self.client.get_service(id.segment()).await.map(Reply::into_value)
    }

    /// All services, page by page as they are asked for.
    #[doc(alias = "listServices")]
    #[doc(alias = "GET /api/v2/services/")]
    pub fn services(&self) -> Services {
        Services {
            covage: self.clone(),
            offset: 0,
            page: VecDeque::new(),
            total: None,
            before: None,
            done: false,
            fetch: |covage, offset| page(covage, offset).boxed(),
            request: Pending::none(),
        }
    }
}

/// The reply to the request of a page.
type PageReply = Result<Reply<OneOrMany<Lenient<Service>>>, Error>;

/// A [`Stream`] of services that are read page by page: [`Covage::services`].
///
/// No source says that this list has pages; they are taken to be those of orders. Should the supplier not know them, the
/// second page is the first one again, and the list ends there.
#[derive(Debug)]
#[must_use = "streams do nothing unless polled"]
pub struct Services {
    covage: Covage,
    offset: i64,
    page: VecDeque<Lenient<Service>>,
    total: Option<u64>,
    /// What the page before is recognised by.
    before: Option<u64>,
    done: bool,
    fetch: fn(Covage, i64) -> BoxFuture<'static, PageReply>,
    request: Pending<PageReply>,
}

async fn page(covage: Covage, offset: i64) -> PageReply {
    let params = ListServicesParams { limit: Some(PAGE), offset: Some(offset) };
    covage.client.list_services(&params).await
}

impl Services {
    fn poll_page(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let (covage, offset, fetch) = (&self.covage, self.offset, self.fetch);
        let reply = ready!(self.request.poll(cx, || fetch(covage.clone(), offset)));
        Poll::Ready(self.read(reply))
    }

    fn read(&mut self, reply: PageReply) -> Result<(), Error> {
        let reply = match reply {
            Err(error) if self.offset > 0 && is_past_the_end(&error, self.total, self.offset) => {
                self.done = true;
                return Ok(());
            }
            reply => reply?,
        };
        let first = reply.value.first().and_then(|one| one.get()?.uuid.as_deref());
        let mark = if reply.value.is_empty() { None } else { mark(first, &reply.body) };
        let (about, page): (_, VecDeque<_>) = (Page::of(&reply), reply.value.into_iter().collect());
        if self.offset > 0 && mark.is_some() && mark == self.before {
            self.done = true;
            return Ok(());
        }
        self.offset = self.offset.saturating_add(i64::try_from(page.len()).unwrap_or(i64::MAX));
        (self.total, self.done) = (about.total, about.ends(page.len(), self.offset));
        self.before = mark;
        self.page = page;
        Ok(())
    }
}

/// A service that cannot be read is a [`Lenient`] without a value.
///
/// # Errors
/// The outcome of reading a page. Polled again after an error, the stream requests the same page again.
impl Stream for Services {
    type Item = Result<Lenient<Service>, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.page.is_empty()
            && !self.done
            && let Err(error) = ready!(self.poll_page(cx))
        {
            return Poll::Ready(Some(Err(error)));
        }
        Poll::Ready(self.page.pop_front().map(Ok))
    }
}

/// A move of a copper service to fibre, to be [`Prepared`](crate::Prepared). The copper service has to be terminated
/// separately.
///
/// It creates an order, or says why not: [`Migrated::from`] reads the answer. Where the address has several buildings nothing
/// is created; prepare another one with [`to_building`](Self::to_building) then. (Source: the supplier's page on services.)
#[derive(Clone, Debug, Serialize, Deserialize)]
#[must_use = "nothing is sent until it is prepared and placed"]
pub struct Migration {
    service: ServiceId,
    body: ServiceFtthMigrationCreate,
}

impl Migration {
    /// Creates the move of the service of this id.
    pub fn new(service: ServiceId) -> Self {
        // The sample sends an empty text where no building is chosen.
        let body = ServiceFtthMigrationCreate { imb: Some(String::new()) };
        Self { service, body }
    }

    /// To one of the buildings that an earlier answer gave, such as `IMB/76540/X/043X`.
    pub fn to_building(mut self, building_ref: impl Into<String>) -> Self {
        self.body.imb = Some(building_ref.into());
        self
    }
}

impl Migration {
    pub(super) fn service(&self) -> &ServiceId {
        &self.service
    }
}

/// What became of a [`Migration`].
///
/// `Debug` does not show the supplier's words.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Migrated {
    /// There is an order now, of this commercial reference. No source says whether it is a draft.
    Ordered(String),
    /// One of these buildings has to be chosen; nothing was created.
    Choose(Vec<String>),
    /// It cannot be moved, or is being moved already; the supplier's words.
    No(String),
    /// The answer tells none of these.
    Unclear,
}

impl std::fmt::Debug for Migrated {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Ordered(_) => "Ordered((hidden))",
            Self::Choose(_) => "Choose((hidden))",
            Self::No(_) => "No((hidden))",
            Self::Unclear => "Unclear",
        })
    }
}

impl From<&ServiceFtthMigration> for Migrated {
    fn from(answer: &ServiceFtthMigration) -> Self {
        // One text is a reference or a reason, a list is a list of buildings, also if it has one alone.
        let data = serde_json::to_value(&answer.data).unwrap_or_default();
        let text = || data.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
        match (answer.eligible.get(), data.as_array()) {
            (Some(true), Some(buildings)) => {
                Self::Choose(buildings.iter().filter_map(|one| one.as_str().map(str::to_owned)).collect())
            }
            (Some(true), None) => text().map_or(Self::Unclear, Self::Ordered),
            (Some(false), _) => Self::No(text().unwrap_or_default()),
            (None, _) => Self::Unclear,
        }
    }
}

impl Sealed for Migration {}

impl Creation for Migration {
    type Supplier = Covage;
    type Created = ServiceFtthMigration;
    const KIND: &'static str = "covage.migration";
    const MANUAL_CHECK: &'static str =
        "declare it absent and place it again: the supplier answers with the order that it has already";

    fn check(&self) -> Result<(), Error> {
        check_lines(&self.body, &BTreeSet::new())?;
        match self.body.imb.as_deref().filter(|imb| !imb.is_empty()).map(str::parse::<BuildingRef>) {
            Some(Err(error)) => Err(refused(format_args!("imb: {error}"))),
            _ => Ok(()),
        }
    }

    async fn send(&self, covage: &Covage) -> Result<ServiceFtthMigration, Error> {
        let reply = covage.client.migrate_service_to_ftth(self.service.segment(), &self.body).await?;
        match Migrated::from(&reply.value) {
            Migrated::Unclear => Err(reply.unfit("the answer does not say what became of the migration")),
            _ => Ok(reply.value),
        }
    }

    async fn find(&self, _: &Covage, _: LookupPurpose) -> Result<Lookup<ServiceFtthMigration>, Error> {
        Ok(Lookup::Unsupported("no order says which service it moves"))
    }
}
