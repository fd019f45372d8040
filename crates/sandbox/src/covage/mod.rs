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
mod appointment_slots;
mod bounds;
mod contacts;
mod draft;
mod eligibility;
mod error_response;
mod events;
mod fixtures;
mod generator;
mod lifecycle;
mod orders;
mod page;
mod products;
mod query;
mod routes;
mod service;
mod services;
mod simulation;
mod store;
mod submission;

use std::fmt;
use std::io;
use std::ops::Deref;
use std::sync::{Arc, Mutex};

use fastrand::Rng;

use crate::behaviour::{Behaviour, Effects, Request};
use crate::lock::lock;
use crate::script::Answer;
use crate::spec::Spec;
use crate::supplier::Supplier;
use crate::text_normalization::TextNormalization;
use account::User;
pub use fixtures::{Building, CopperLine, Premises, Socket};
use query::Rules;
pub use service::SeededService;
use service::Service;
use simulation::Simulation;

/// Covage as simulated: a [`Supplier`] with its one user, its addresses, and the passing of time.
#[derive(Clone)]
pub struct Covage {
    supplier: Supplier,
    user: Arc<User>,
    premises: Arc<[Premises]>,
    services: Arc<[SeededService]>,
    contact_uuid: Arc<str>,
    simulation: Arc<Mutex<Simulation>>,
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
        text_normalization: TextNormalization,
    ) -> io::Result<Covage> {
        let spec = Spec::covage();
        let mut rng = Rng::with_seed(seed);
        let user = Arc::new(User::new(&mut rng));
        let rules = Rules::covage().map_err(io::Error::other)?;
        let mut simulation =
            Simulation::new(Arc::clone(&user), rules, rng, unique_references, text_normalization);
        simulation.seed_services();
        let premises = simulation.fixtures.premises();
        let services = simulation.services.iter().map(Service::summary).collect();
        let contact_uuid = simulation.contacts.first().into();
        let simulation = Arc::new(Mutex::new(simulation));
        let supplier = Supplier::start(port, spec, SharedSimulation(Arc::clone(&simulation))).await?;
        Ok(Covage { supplier, user, premises, services, contact_uuid, simulation })
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
        lock(&self.simulation).account.expire_tokens();
    }

    /// Makes all refresh tokens invalid; access tokens stay good.
    pub fn expire_refresh_tokens(&self) {
        lock(&self.simulation).account.expire_refresh_tokens();
    }

    /// Forgets the oldest events, as many as said.
    pub fn delete_oldest_events(&self, oldest: usize) {
        lock(&self.simulation).events.delete_oldest(oldest);
    }

    /// Answers so many events at once at the most, whatever `limit` asks for.
    pub fn limit_event_page(&self, events: usize) {
        lock(&self.simulation).events.set_max_page(events);
    }

    /// Lets a day pass: every submitted order moves on by one step (`acknowledged`, `running`, `completed`),
    /// and the next information event of each is welcome.
    pub fn advance(&self) {
        lock(&self.simulation).advance();
    }
}

/// Where requests come in. The handle of a test reaches the same office.
struct SharedSimulation(Arc<Mutex<Simulation>>);

impl Behaviour for SharedSimulation {
    fn answer(&mut self, request: &Request<'_>, effects: &mut Effects) -> Answer {
        lock(&self.0).answer(request, effects)
    }
}
