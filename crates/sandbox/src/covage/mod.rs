//! Covage (France).
//!
//! Where the supplier's documents leave something open, the sandbox behaves as follows.
//!
//! - An undocumented path gets a 404 and a wrong method a 405, even without a valid token. Then the token is checked
//!   (401), then the request is validated (400). All of them have the documented error body.
//! - Tokens expire only with [`Covage::expire_tokens`], unless
//!   [`covage_token_life`](crate::SandboxBuilder::covage_token_life) limits their life.
//! - A page of a list has 20 entries unless `limit` says otherwise, and `limit` has no maximum. Without `sort`,
//!   orders and services are in the order of their creation.
//! - `operator_info.order_ref` is in use once an order with it has been submitted. Setting it on another draft, or
//!   submitting a draft that has it, is then a 400.
//! - One request can change and submit an order. A rejected request changes nothing.
//! - The request type of a copper order is that of its eligibility check. A fibre order for a socket is
//!   `activate_defined` by default; one for a building has no default.
//! - A submitted order becomes `acknowledged`, `running` and `completed`, one step per day ([`Covage::advance`]). An
//!   activation whose `order_name` contains `reject` is `rejected` instead of running; one whose `order_name`
//!   contains `defer` is `deferred` until an information event ends the deferral.
//! - It is not checked whether `operator_info.contact_uuid` exists. Names, numbers and options are validated only as
//!   far as the document describes them.
//! - The frequency of requests for events is not limited.

mod account;
mod appointment_slots;
mod bounds;
mod contacts;
mod control;
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
use std::time::Duration;

use fastrand::Rng;

use crate::behaviour::{Behaviour, Effects, Request};
use crate::lock::lock;
use crate::script::Answer;
use crate::spec::Spec;
use crate::supplier::{Supplier, SupplierOptions};
use crate::text_normalization::TextNormalization;
use account::User;
pub use fixtures::{Building, CopperLine, Premises, Socket};
use query::Rules;
pub use service::SeededService;
use service::Service;
use simulation::Simulation;

/// The simulation of Covage.
///
/// Dereferences to [`Supplier`]. In addition it provides the credentials of its only user, the simulated addresses
/// and services, and the passing of time.
#[derive(Clone)]
pub struct Covage {
    supplier: Supplier,
    user: Arc<User>,
    premises: Arc<[Premises]>,
    services: Arc<[SeededService]>,
    contact_uuid: Arc<str>,
    simulation: Arc<Mutex<Simulation>>,
    seed: u64,
    options: CovageOptions,
}

/// The configuration of the simulation.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CovageOptions {
    pub(crate) unique_references: bool,
    pub(crate) text_normalization: TextNormalization,
    /// How long access tokens are valid. `None` if they do not expire.
    pub(crate) token_life: Option<Duration>,
}

/// Provides what all suppliers share: received requests, counts, scripted responses and faults.
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
        supplier: &SupplierOptions,
        seed: u64,
        options: CovageOptions,
    ) -> io::Result<Covage> {
        let simulation = initial(seed, options)?;
        let user = Arc::clone(simulation.account.user());
        let premises = simulation.fixtures.premises();
        let services = simulation.services.iter().map(Service::summary).collect();
        let contact_uuid = simulation.contacts.first().into();
        let simulation = Arc::new(Mutex::new(simulation));
        let supplier =
            Supplier::start(supplier, Spec::covage(), SharedSimulation(Arc::clone(&simulation))).await?;
        Ok(Covage { supplier, user, premises, services, contact_uuid, simulation, seed, options })
    }

    /// Returns the e-mail address of the only user.
    pub fn email(&self) -> &str {
        &self.user.email
    }

    /// Returns the password of the only user.
    pub fn password(&self) -> &str {
        &self.user.password
    }

    /// Returns all addresses: three municipalities with three streets each, and the same kinds of premises in each
    /// street.
    pub fn premises(&self) -> &[Premises] {
        &self.premises
    }

    /// Returns the services that exist at the start: three copper services, whose premises have two buildings with
    /// fibre, one and none; a fibre service; a link to the operator, which cannot be terminated; and a terminated
    /// copper service.
    pub fn services(&self) -> &[SeededService] {
        &self.services
    }

    /// Returns the identifier of the contact that exists at the start.
    pub fn contact_uuid(&self) -> &str {
        &self.contact_uuid
    }

    /// Invalidates all access tokens, including those of the older generation.
    ///
    /// Refresh tokens stay valid. An expired token of the older generation can no longer be renewed.
    pub fn expire_tokens(&self) {
        lock(&self.simulation).account.expire_tokens();
    }

    /// Invalidates all refresh tokens. Access tokens stay valid.
    pub fn expire_refresh_tokens(&self) {
        lock(&self.simulation).account.expire_refresh_tokens();
    }

    /// Deletes this number of the oldest events.
    pub fn delete_oldest_events(&self, oldest: usize) {
        lock(&self.simulation).events.delete_oldest(oldest);
    }

    /// Limits the pages of the event list to this number of events, whatever `limit` a request has.
    pub fn limit_event_page(&self, events: usize) {
        lock(&self.simulation).events.set_max_page(events);
    }

    /// Advances time by one day.
    ///
    /// Every submitted order advances by one status (`acknowledged`, `running`, `completed`), and each order accepts
    /// an information event again.
    pub fn advance(&self) {
        lock(&self.simulation).advance();
        self.changed();
    }
}

/// Returns the simulation as it is at the start.
fn initial(seed: u64, options: CovageOptions) -> io::Result<Simulation> {
    let mut rng = Rng::with_seed(seed);
    let user = Arc::new(User::new(&mut rng));
    let rules = Rules::covage().map_err(io::Error::other)?;
    let mut simulation = Simulation::new(user, rules, rng, options);
    simulation.seed_services();
    Ok(simulation)
}

/// The simulation as requests and the handle of a test share it.
struct SharedSimulation(Arc<Mutex<Simulation>>);

impl Behaviour for SharedSimulation {
    fn answer(&mut self, request: &Request<'_>, effects: &mut Effects) -> Answer {
        lock(&self.0).answer(request, effects)
    }
}
