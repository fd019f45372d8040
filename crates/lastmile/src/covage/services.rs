//! Lines in operation.

use std::collections::{BTreeSet, VecDeque};

use futures_util::stream::{self, Stream};
use lastmile_core::wire::Loose;
use lastmile_core::{Error, Reply};
use lastmile_covage::types::{ListServicesParams, Service, ServiceFtthMigration, ServiceFtthMigrationCreate};
use serde::{Deserialize, Serialize};

use super::pages::{Page, is_past_the_end, mark};
use super::texts::check_lines;
use super::{Covage, refused, segment};
use crate::prepared::Creation;
use crate::prepared::sealed::{Lookup, LookupPurpose, Sealed};
use crate::rules::BuildingRef;

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
    pub async fn service(&self, uuid: &str) -> Result<Service, Error> {
        let uuid = segment("the service's id", uuid)?;
        self.client.get_service(&uuid).await.map(Reply::into_value)
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
        }
    }
}

/// The list of services, read page by page.
///
/// No source says that this list has pages; they are taken to be those of orders. Should the supplier not know them, the
/// second page is the first one again, and the list ends there.
#[derive(Debug)]
pub struct Services {
    covage: Covage,
    offset: i64,
    page: VecDeque<Loose<Service>>,
    total: Option<u64>,
    /// What the page before is recognised by.
    before: Option<u64>,
    done: bool,
}

impl Services {
    /// The next service; none at the end. One that cannot be read is a `Loose` without a value.
    ///
    /// # Errors
    /// The outcome of reading a page. The same page is asked for again at the next call.
    pub async fn next(&mut self) -> Option<Result<Loose<Service>, Error>> {
        if self.page.is_empty()
            && !self.done
            && let Err(error) = self.turn().await
        {
            return Some(Err(error));
        }
        self.page.pop_front().map(Ok)
    }

    /// The same as a stream.
    pub fn into_stream(self) -> impl Stream<Item = Result<Loose<Service>, Error>> + Send {
        stream::unfold(self, |mut services| async move { services.next().await.map(|one| (one, services)) })
    }

    async fn turn(&mut self) -> Result<(), Error> {
        let params = ListServicesParams { limit: Some(PAGE), offset: Some(self.offset) };
        let reply = match self.covage.client.list_services(&params).await {
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

/// A move of a copper service to fibre, to be [`Prepared`](crate::Prepared). The copper service has to be terminated
/// separately.
///
/// It creates an order, or says why not: [`Migrated::of`] reads the answer. Where the address has several buildings nothing
/// is created; prepare another one with [`to_building`](Self::to_building) then. (Source: the supplier's page on services.)
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Migration {
    service: String,
    body: ServiceFtthMigrationCreate,
}

impl Migration {
    /// Of the service of this id.
    pub fn of(service_uuid: impl Into<String>) -> Self {
        // The sample sends an empty text where no building is chosen.
        let body = ServiceFtthMigrationCreate { imb: Some(String::new()) };
        Self { service: service_uuid.into(), body }
    }

    /// To one of the buildings that an earlier answer gave, such as `IMB/76540/X/043X`.
    #[must_use]
    pub fn to_building(mut self, building_ref: impl Into<String>) -> Self {
        self.body.imb = Some(building_ref.into());
        self
    }
}

impl Migration {
    pub(super) fn service(&self) -> &str {
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

impl Migrated {
    /// What an answer says.
    pub fn of(answer: &ServiceFtthMigration) -> Self {
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
        segment("the service's id", &self.service)?;
        check_lines(&self.body, &BTreeSet::new())?;
        match self.body.imb.as_deref().filter(|imb| !imb.is_empty()).map(str::parse::<BuildingRef>) {
            Some(Err(error)) => Err(refused(format_args!("imb: {error}"))),
            _ => Ok(()),
        }
    }

    async fn send(&self, covage: &Covage) -> Result<ServiceFtthMigration, Error> {
        let (service, body) = (&segment("the service's id", &self.service)?, &self.body);
        let reply = covage.client.migrate_service_to_ftth(service, body).await?;
        match Migrated::of(&reply.value) {
            Migrated::Unclear => Err(reply.unfit("the answer does not say what became of the migration")),
            _ => Ok(reply.value),
        }
    }

    async fn find(&self, _: &Covage, _: LookupPurpose) -> Result<Lookup<ServiceFtthMigration>, Error> {
        Ok(Lookup::Unsupported("no order says which service it moves"))
    }
}
