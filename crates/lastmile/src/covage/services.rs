//! Services, which are lines in operation.

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

/// The number of services that one page requests.
const PAGE: i64 = 100;

/// Services. A service cannot be changed; a [termination](super::NewOrder::terminate) ends it.
impl Covage {
    /// Reads a service.
    ///
    /// # Errors
    /// Returns [`Outcome::Rejected`](crate::Outcome::Rejected) with status 404 when no service has this id.
    #[doc(alias = "getService")]
    #[doc(alias = "GET /api/v2/services/{uuid}/")]
    pub async fn service(&self, id: &ServiceId) -> Result<Service, Error> {
        self.client.get_service(id.segment()).await.map(Reply::into_value)
    }

    /// Returns a stream of all services. It requests each page when it is needed.
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

/// The reply to a page request.
type PageReply = Result<Reply<OneOrMany<Lenient<Service>>>, Error>;

/// A [`Stream`] of services that is read page by page. Returned by [`Covage::services`].
///
/// No source states that this list is paginated; the stream assumes the pagination of the list of orders. If the supplier
/// ignores the page parameters, the second page equals the first one, and the stream ends there.
#[derive(Debug)]
#[must_use = "streams do nothing unless polled"]
pub struct Services {
    covage: Covage,
    offset: i64,
    page: VecDeque<Lenient<Service>>,
    total: Option<u64>,
    /// The fingerprint of the previous page.
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

/// A service that cannot be decoded is a [`Lenient`] without a value.
///
/// # Errors
/// Returns the error of the page request. When the stream is polled again after an error, it requests the same page again.
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

/// A migration of a copper service to fibre. It is placed through [`Prepared`](crate::Prepared). The copper service has to be
/// terminated separately.
///
/// The supplier creates an order or states why it does not; [`Migrated::from`] interprets the response. If the address has
/// several buildings, nothing is created: prepare another migration with [`to_building`](Self::to_building). (Source: the
/// supplier's page on services.)
#[derive(Clone, Debug, Serialize, Deserialize)]
#[must_use = "nothing is sent until it is prepared and placed"]
pub struct Migration {
    service: ServiceId,
    body: ServiceFtthMigrationCreate,
}

impl Migration {
    /// Creates a migration of the service with this id.
    pub fn new(service: ServiceId) -> Self {
        // The supplier's sample request sends an empty text when no building is chosen.
        let body = ServiceFtthMigrationCreate { imb: Some(String::new()) };
        Self { service, body }
    }

    /// Sets the target building to one that an earlier response listed, such as `IMB/76540/X/043X`.
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

/// The result of a [`Migration`].
///
/// `Debug` does not show what the supplier sent.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Migrated {
    /// The supplier created an order with this commercial reference. No source states whether the order is a draft.
    Ordered(String),
    /// Nothing was created, because one of these buildings has to be chosen first.
    Choose(Vec<String>),
    /// The service cannot be migrated, or its migration is already in progress. Contains the supplier's reason.
    No(String),
    /// The response states none of these results.
    Indeterminate,
}

impl std::fmt::Debug for Migrated {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Ordered(_) => "Ordered((hidden))",
            Self::Choose(_) => "Choose((hidden))",
            Self::No(_) => "No((hidden))",
            Self::Indeterminate => "Indeterminate",
        })
    }
}

impl From<&ServiceFtthMigration> for Migrated {
    fn from(answer: &ServiceFtthMigration) -> Self {
        // A single text is a reference or a reason. A list is a list of buildings, even if it has only one element.
        let data = serde_json::to_value(&answer.data).unwrap_or_default();
        let text = || data.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
        match (answer.eligible.get(), data.as_array()) {
            (Some(true), Some(buildings)) => {
                Self::Choose(buildings.iter().filter_map(|one| one.as_str().map(str::to_owned)).collect())
            }
            (Some(true), None) => text().map_or(Self::Indeterminate, Self::Ordered),
            (Some(false), _) => Self::No(text().unwrap_or_default()),
            (None, _) => Self::Indeterminate,
        }
    }
}

impl Sealed for Migration {}

impl Creation for Migration {
    type Supplier = Covage;
    type Created = ServiceFtthMigration;
    const KIND: &'static str = "covage.migration";
    const MANUAL_CHECK: &'static str =
        "declare it absent and place it again: the supplier responds with the order that it has already";

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
            Migrated::Indeterminate => {
                Err(reply.into_decode_error("the response does not say what became of the migration"))
            }
            _ => Ok(reply.value),
        }
    }

    async fn find(&self, _: &Covage, _: LookupPurpose) -> Result<Lookup<ServiceFtthMigration>, Error> {
        Ok(Lookup::Unsupported("no order says which service it moves"))
    }
}
