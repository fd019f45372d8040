//! Covage, France: its addresses, its orders and what becomes of them.
//!
//! Where the supplier's documents are silent, the sandbox decides as follows.
//! - A path that is not documented is a 404 and a wrong method a 405, whoever asks; then comes the 401, then
//!   the 400 for a request unlike the document. All of them have the documented error body.
//! - Tokens expire when a test says so ([`Covage::expire_tokens`]), not by the clock.
//! - A page of a list has 20 entries unless `limit` says otherwise, and no `limit` is too great. Without
//!   `sort`, orders and services come in the order of their creation.
//! - `operator_info.order_ref` is taken once an order with it was submitted; setting it on another draft, or
//!   submitting one that has it, is then a 400.
//! - A change and the submission may come in one request; what is refused changes nothing.
//! - The request type of a copper order is that of its eligibility answer. A fibre order that starts from a
//!   socket is `activate_defined` until told otherwise; one that starts from a building has none until told.
//! - A submitted order becomes `acknowledged`, `running` and `completed`, one step a day
//!   ([`Covage::advance`]). An activation whose `order_name` contains `reject` is `rejected` instead of
//!   running; one that contains `defer` is `deferred` until an information event lets it go on.
//! - Whether `operator_info.contact_uuid` exists is not looked at, nor the form of names, numbers and options
//!   beyond what the document gives.
//! - How often events are asked for is not looked at either.

mod account;
mod bounds;
mod catalogue;
mod contacts;
mod draft;
mod eligibility;
mod events;
mod journal;
mod life;
mod orders;
mod page;
mod query;
mod refusal;
mod services;
mod shelf;
mod slots;
mod submission;
mod town;

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::io;
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fastrand::Rng;
use serde_json::Value;

use crate::desk::{Behaviour, Effects, Request};
use crate::script::Answer;
use crate::spec::{Lookup, Operation, Parameters, Spec};
use crate::{Supplier, Texts};
use account::{Account, User};
use catalogue::Catalogue;
use contacts::Contacts;
use draft::Order;
use eligibility::Check;
use events::Events;
use journal::Journal;
use page::Page;
use query::{Query, Rules};
use refusal::{Refusal, none_of};
pub use services::SeededService;
use services::Service;
use shelf::Shelf;
use town::Town;
pub use town::{Building, Line, Premises, Socket};

/// Covage as simulated: a [`Supplier`] with its one user, its addresses, and the passing of time.
#[derive(Clone)]
pub struct Covage {
    supplier: Supplier,
    user: Arc<User>,
    premises: Arc<[Premises]>,
    services: Arc<[SeededService]>,
    contact_uuid: Arc<str>,
    office: Arc<Mutex<Office>>,
}

/// Everything that is the same for every supplier: requests, counts, scripted answers.
impl Deref for Covage {
    type Target = Supplier;

    fn deref(&self) -> &Supplier {
        &self.supplier
    }
}

impl fmt::Debug for Covage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Covage").field("supplier", &self.supplier).finish_non_exhaustive()
    }
}

impl Covage {
    pub(crate) async fn start(
        port: u16,
        seed: u64,
        unique_references: bool,
        texts: Texts,
    ) -> io::Result<Covage> {
        let spec = Spec::covage();
        let mut rng = Rng::with_seed(seed);
        let user = Arc::new(User::new(&mut rng));
        let rules = Rules::covage().map_err(io::Error::other)?;
        let office = Office::open(Arc::clone(&user), rules, rng, unique_references, texts);
        let premises = office.town.premises();
        let services = office.services.iter().map(Service::seeded).collect();
        let contact_uuid = office.contacts.first().into();
        let office = Arc::new(Mutex::new(office));
        let supplier = Supplier::start(port, spec, Counter(Arc::clone(&office))).await?;
        Ok(Covage { supplier, user, premises, services, contact_uuid, office })
    }

    /// The e-mail address of the one user there is.
    pub fn email(&self) -> &str {
        &self.user.email
    }

    /// The password of that user.
    pub fn password(&self) -> &str {
        &self.user.password
    }

    /// Every address there is: three municipalities of three streets, each with the same kinds of places.
    pub fn premises(&self) -> &[Premises] {
        &self.premises
    }

    /// The services that are there from the start: copper with two buildings, with one and with none to move
    /// to, fibre, a link to the operator that cannot be terminated, and a copper service that was.
    pub fn services(&self) -> &[SeededService] {
        &self.services
    }

    /// The identifier of the contact that is there from the start.
    pub fn contact_uuid(&self) -> &str {
        &self.contact_uuid
    }

    /// Makes all tokens that stand in `Authorization` invalid, those of the older generation too. A refresh
    /// token stays good; a token of the older generation cannot be renewed once it has expired.
    pub fn expire_tokens(&self) {
        lock(&self.office).account.expire_tokens();
    }

    /// Makes all refresh tokens invalid; access tokens stay good.
    pub fn expire_refresh_tokens(&self) {
        lock(&self.office).account.expire_refresh_tokens();
    }

    /// Forgets the oldest events, as many as said.
    pub fn forget_events(&self, oldest: usize) {
        lock(&self.office).events.forget(oldest);
    }

    /// Answers so many events at once at the most, whatever `limit` asks for.
    pub fn longest_event_page(&self, events: usize) {
        lock(&self.office).events.set_longest_page(events);
    }

    /// Lets a day pass: every submitted order moves on by one step (`acknowledged`, `running`, `completed`),
    /// and the next information event of each is welcome.
    pub fn advance(&self) {
        lock(&self.office).advance();
    }
}

/// The office stays usable after a panic in a test that held it.
fn lock(office: &Mutex<Office>) -> MutexGuard<'_, Office> {
    office.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where requests come in. The handle of a test reaches the same office.
struct Counter(Arc<Mutex<Office>>);

impl Behaviour for Counter {
    fn answer(&mut self, request: &Request<'_>, effects: &mut Effects) -> Answer {
        lock(&self.0).answer(request, effects)
    }
}

struct Office {
    rules: &'static Rules,
    account: Account,
    catalogue: Catalogue,
    town: Town,
    contacts: Contacts,
    /// Eligibility answers by their reference. None is ever too old.
    checks: BTreeMap<String, Check>,
    orders: Shelf<Order>,
    services: Shelf<Service>,
    events: Events,
    unique_references: bool,
    texts: Texts,
    /// The references of the orders that were submitted.
    taken_references: HashSet<String>,
    journal: Journal,
}

/// What an operation gives.
enum Done {
    /// Something that was there.
    Read(Value),
    /// A list, of which the caller gets a page, and whether it also gets the number of all entries.
    List(Page, bool),
    /// Something that is new or was changed.
    Changed(Value),
    /// Nothing, because it is gone.
    Gone,
}

type Handled = Result<Done, Refusal>;

impl Office {
    fn open(
        user: Arc<User>,
        rules: &'static Rules,
        mut rng: Rng,
        unique_references: bool,
        texts: Texts,
    ) -> Office {
        let mut office = Office {
            rules,
            account: Account::new(user),
            catalogue: Catalogue::new(&mut rng.fork()),
            town: Town::new(&mut rng.fork()),
            contacts: Contacts::new(&mut rng),
            checks: BTreeMap::new(),
            orders: Shelf::new(),
            services: Shelf::new(),
            events: Events::default(),
            unique_references,
            texts,
            taken_references: HashSet::new(),
            journal: Journal::new(rng),
        };
        office.seed_services();
        office
    }

    fn answer(&mut self, request: &Request<'_>, effects: &mut Effects) -> Answer {
        self.journal.tick();
        let query = Query::parse(request.received.query.as_deref());
        match self.handle(request, &query, effects) {
            Ok(Done::Read(body) | Done::Changed(body)) => Answer::json(200, &body),
            Ok(Done::List(page, counted)) => page.answer(counted),
            Ok(Done::Gone) => Answer::status(204),
            Err(refusal) => refusal.answer(&mut self.journal),
        }
    }

    fn handle(&mut self, request: &Request<'_>, query: &Query, effects: &mut Effects) -> Handled {
        let (operation, parameters) = match request.lookup {
            Lookup::Found(operation, parameters) => (*operation, parameters),
            Lookup::WrongMethod(allowed) => return Err(Refusal::wrong_method(allowed)),
            Lookup::UnknownPath => return Err(Refusal::new(404, "There is no such path.")),
        };
        if !is_open(operation) {
            self.account.admit(request.received)?;
        }
        let problems = &request.received.problems;
        if !problems.is_empty() {
            return Err(Refusal::unlike(problems));
        }
        none_of(self.rules.faults(&operation.id, query))?;
        let body = self.texts.stored(request.received.json().unwrap_or_default(), normalised(&operation.id));
        let done = self.read(operation, parameters, query).unwrap_or_else(|| {
            let changed = self.change(operation, parameters, &body, effects);
            changed.unwrap_or_else(|| Err(Refusal::new(500, format!("{} is not simulated.", operation.id))))
        })?;
        if matches!(done, Done::Changed(_) | Done::Gone) {
            effects.add(&operation.id);
        }
        Ok(done)
    }

    /// The operations that only read; nothing if this is none of them.
    fn read(&self, operation: &Operation, parameters: &Parameters, query: &Query) -> Option<Handled> {
        let named = |name: &str| parameters.get(name).map(String::as_str).unwrap_or_default();
        let town = &self.town;
        let found = match operation.id.as_str() {
            "listOrders" => return Some(Ok(Done::List(self.list_orders(query), true))),
            "listServices" => {
                let services = self.services.iter().map(|service| &service.view);
                return Some(Ok(Done::List(Page::of(services, query), false)));
            }
            "listEvents" => {
                return Some(self.events.list(query).map(|events| Done::List(events, false)));
            }
            "getOrder" => self.order(named("uuid")),
            "getService" => self.service(named("uuid")),
            "getUser" => self.account.user(named("user_uuid")),
            "listContacts" => Ok(self.contacts.list()),
            "getContact" => self.contacts.get(named("contact_uuid")),
            "listProductFamilies" => Ok(self.catalogue.families()),
            "getProductFamily" => self.catalogue.family(named("product_family_uuid")),
            "getProductLine" => self.catalogue.line(named("product_line_uuid")),
            "listCities" => Ok(eligibility::cities(town, query)),
            "listStreets" => Ok(eligibility::streets(town, query)),
            "listStreetNumbers" => Ok(eligibility::street_numbers(town, query)),
            "listEligibilityEndpoints" => Ok(eligibility::endpoints(town, query)),
            "listBuildings" => Ok(eligibility::buildings(town, query)),
            "getBuilding" => eligibility::building(town, named("building_ref"), query),
            "getForecast" => eligibility::forecast(town, query),
            "getPortability" => eligibility::portability(town, named("endpoint_ref")),
            "listAppointmentSlots" => self.slots(query),
            _ => return None,
        };
        Some(found.map(Done::Read))
    }

    /// The operations that may change something; nothing if this is none of them.
    fn change(
        &mut self,
        operation: &Operation,
        parameters: &Parameters,
        body: &Value,
        effects: &mut Effects,
    ) -> Option<Handled> {
        let named = |name: &str| parameters.get(name).map(String::as_str).unwrap_or_default();
        let journal = &mut self.journal;
        let changed = match operation.id.as_str() {
            "obtainToken" => self.account.obtain(body, journal),
            "refreshToken" => self.account.renew(body, journal),
            "obtainLegacyToken" => self.account.obtain_legacy(body, journal),
            "refreshLegacyToken" => self.account.renew_legacy(body, journal),
            "createContact" => Ok(self.contacts.create(body, journal)),
            "replaceContact" => self.contacts.replace(named("contact_uuid"), body),
            "deleteContact" => {
                return Some(self.contacts.delete(named("contact_uuid")).map(|()| Done::Gone));
            }
            "createOffers" => self.create_offers(body),
            "createOrder" => self.create_order(body),
            "updateOrder" => self.update_order(named("uuid"), body, effects),
            "updateOrderBound" => self.update_bound(named("uuid"), named("bound_uuid"), body),
            "updateOrderEndpoint" => self.update_endpoint(named("uuid"), named("endpoint_uuid"), body),
            "createOrderInfoEvent" => self.inform(named("uuid"), body),
            "migrateServiceToFtth" => {
                let migrated = self.migrate(named("uuid"), body);
                let told = |(body, ordered)| if ordered { Done::Changed(body) } else { Done::Read(body) };
                return Some(migrated.map(told));
            }
            _ => return None,
        };
        Some(changed.map(Done::Changed))
    }

    fn create_offers(&mut self, body: &Value) -> Result<Value, Refusal> {
        let check = eligibility::check(&self.town, body)?;
        let reference = self.remember(check.clone());
        Ok(eligibility::offers(&self.town, &self.catalogue, &reference, &check))
    }

    /// Keeps an eligibility answer and gives its reference.
    fn remember(&mut self, check: Check) -> String {
        let reference = format!("elig-{}", self.journal.uuid());
        self.checks.insert(reference.clone(), check);
        reference
    }
}

/// The texts of a request that are stored in the supplier's own form.
fn normalised(operation_id: &str) -> &'static [&'static str] {
    match operation_id {
        "createOrder" | "updateOrder" => &["/operator_info/order_ref"],
        "createContact" | "replaceContact" => {
            &["/first_name", "/last_name", "/email", "/phone_number", "/cell_phone_number"]
        }
        _ => &[],
    }
}

/// The operations that give tokens ask for none, as the document says.
fn is_open(operation: &Operation) -> bool {
    let method = operation.method.as_str().to_ascii_lowercase();
    let security = &Spec::covage().document()["paths"][&operation.path][method]["security"];
    security.as_array().is_some_and(Vec::is_empty)
}

/// A text inside an object, by its JSON pointer.
fn field<'a>(object: &'a Value, pointer: &str) -> Option<&'a str> {
    object.pointer(pointer).and_then(Value::as_str)
}
