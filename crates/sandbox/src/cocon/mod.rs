//! Cocon (Netherlands).
//!
//! Where the supplier's documents leave something open, the sandbox behaves as follows.
//!
//! - An undocumented path gets a 404 and a wrong method a 405, even without valid credentials. Only then are the
//!   credentials checked (401).
//! - A customer that has contacts or contracts, and a contact that a contract refers to, cannot be deleted (400).
//! - Response bodies omit fields without a value.
//! - Error codes, error messages and the states of a batch are the sandbox's own.

mod connections;
mod control;
mod customers;
mod error_response;
mod fixtures;
mod generator;
mod response_bodies;

use std::io;
use std::ops::Deref;
use std::sync::{Arc, Mutex};

use fastrand::Rng;
use http::Method;
use serde_json::Value;

use crate::behaviour::{Behaviour, Effects, Request};
use crate::lock::lock;
use crate::received::ReceivedRequest;
use crate::script::Answer;
use crate::spec::{Operation, Parameters, RouteMatch, Spec};
use crate::supplier::{Supplier, SupplierOptions};
use connections::Connections;
use customers::Customers;
use error_response::{ErrorResponse, OperationResult};
use fixtures::Fixtures;
pub use fixtures::{Building, BuildingKind};
use generator::Generator;

/// The simulation of Cocon.
///
/// Dereferences to [`Supplier`]. In addition it provides the accepted credentials and the buildings of the simulated
/// network.
#[derive(Debug, Clone)]
pub struct Cocon {
    supplier: Supplier,
    keys: Arc<Keys>,
    buildings: Arc<[Building]>,
    fixtures: Arc<Mutex<Fixtures>>,
    simulation: Arc<Mutex<Simulation>>,
    seed: u64,
    options: CoconOptions,
}

/// The configuration of the simulation.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CoconOptions {
    pub(crate) buildings_per_street: u32,
    /// How many jobs of a batch finish each time its status is polled.
    pub(crate) jobs_per_poll: usize,
}

/// Provides what all suppliers share: received requests, counts, scripted responses and faults.
impl Deref for Cocon {
    type Target = Supplier;

    fn deref(&self) -> &Supplier {
        &self.supplier
    }
}

impl Cocon {
    pub(crate) async fn start(
        supplier: &SupplierOptions,
        seed: u64,
        options: CoconOptions,
    ) -> io::Result<Cocon> {
        let simulation = Simulation::new(seed, options);
        let (keys, fixtures) = (Arc::clone(&simulation.keys), Arc::clone(simulation.connections.fixtures()));
        let buildings = lock(&fixtures).buildings();
        let simulation = Arc::new(Mutex::new(simulation));
        let supplier =
            Supplier::start(supplier, Spec::cocon(), SharedSimulation(Arc::clone(&simulation))).await?;
        Ok(Cocon { supplier, keys, buildings, fixtures, simulation, seed, options })
    }

    /// Returns the accepted API key, which clients send in the header `Api-Key`.
    pub fn api_key(&self) -> &str {
        &self.keys.api_key
    }

    /// Returns the accepted client id, which clients send in the header `Client-Id`.
    pub fn client_id(&self) -> &str {
        &self.keys.client_id
    }

    /// Prepares an [`Unprepared`](BuildingKind::Unprepared) building, so that it can be connected.
    ///
    /// Does nothing if there is no such building or if it is of another kind.
    pub fn prepare(&self, building_name: &str) {
        lock(&self.fixtures).prepare(building_name);
        self.changed();
    }

    /// Returns all buildings as they were at the start.
    pub fn buildings(&self) -> Vec<Building> {
        self.buildings.to_vec()
    }
}

#[derive(Debug)]
struct Keys {
    api_key_header: String,
    api_key: String,
    client_id_header: String,
    client_id: String,
}

impl Keys {
    fn new(rng: &mut Rng, spec: &Spec) -> Keys {
        let header = |scheme: &str| {
            let pointer = format!("/components/securitySchemes/{scheme}/name");
            spec.document().pointer(&pointer).and_then(Value::as_str).unwrap_or(scheme).to_owned()
        };
        Keys {
            api_key_header: header("Api-Key-Header"),
            api_key: format!("{:032x}", rng.u128(..)),
            client_id_header: header("Client-Id-Header"),
            client_id: format!("sp-example-{:08x}", rng.u32(..)),
        }
    }

    /// Checks both keys and, if there is an `Authorization` header, that it has the scheme `Bearer`. The error does
    /// not say which of them is wrong.
    fn authenticate(&self, received: &ReceivedRequest) -> Result<(), ErrorResponse> {
        let keys_fit = received.header(&self.api_key_header) == Some(&self.api_key)
            && received.header(&self.client_id_header) == Some(&self.client_id);
        let token = received.header("authorization");
        if keys_fit && token.is_none_or(|token| token.starts_with("Bearer ")) {
            return Ok(());
        }
        Err(ErrorResponse::new(
            401,
            "Unauthorized",
            "The key, the client id or the token is missing or unknown",
        ))
    }
}

/// The simulation as requests and the handle of a test share it.
struct SharedSimulation(Arc<Mutex<Simulation>>);

impl Behaviour for SharedSimulation {
    fn answer(&mut self, request: &Request<'_>, effects: &mut Effects) -> Answer {
        lock(&self.0).answer(request, effects)
    }
}

#[derive(Debug)]
struct Simulation {
    keys: Arc<Keys>,
    customers: Customers,
    connections: Connections,
    generator: Generator,
}

impl Simulation {
    fn new(seed: u64, options: CoconOptions) -> Simulation {
        let mut rng = Rng::with_seed(seed);
        let keys = Arc::new(Keys::new(&mut rng, Spec::cocon()));
        let fixtures = Fixtures::new(&mut rng.fork(), options.buildings_per_street);
        Simulation {
            keys,
            customers: Customers::new(&mut rng),
            connections: Connections::new(Arc::new(Mutex::new(fixtures)), options.jobs_per_poll),
            generator: Generator::new(rng),
        }
    }

    fn answer(&mut self, request: &Request<'_>, effects: &mut Effects) -> Answer {
        self.generator.tick();
        match self.handle(request, effects) {
            Ok(Some(body)) => Answer::json(200, &body),
            Ok(None) => Answer::status(204),
            Err(error) => error.answer(&mut self.generator),
        }
    }

    fn handle(&mut self, request: &Request<'_>, effects: &mut Effects) -> OperationResult {
        let (operation, parameters) = match request.route {
            RouteMatch::Found(operation, parameters) => (*operation, parameters),
            RouteMatch::MethodNotAllowed(allowed) => return Err(ErrorResponse::method_not_allowed(allowed)),
            RouteMatch::UnknownPath => {
                return Err(ErrorResponse::new(404, "UnknownPath", "There is no such path"));
            }
        };
        self.keys.authenticate(request.received)?;
        let problems = &request.received.problems;
        if !problems.is_empty() && operation.documents_status(400) {
            return Err(ErrorResponse::invalid(problems));
        }
        let body = request.received.json().unwrap_or_default();
        let result = self.carry_out(operation, parameters, &body, effects)?;
        if operation.method != Method::GET {
            effects.add(&operation.id);
        }
        Ok(result)
    }

    fn carry_out(
        &mut self,
        operation: &Operation,
        parameters: &Parameters,
        body: &Value,
        effects: &mut Effects,
    ) -> OperationResult {
        let parameter = |name: &str| parameters.get(name).map(String::as_str).unwrap_or_default();
        let id = parameter("id");
        match operation.id.as_str() {
            "createContact" => self.customers.create_contact(body),
            "getContact" => self.customers.contact(id),
            "getCustomerContact" => self.customers.contact_of(id, parameter("contactId")),
            "updateContact" => self.customers.update_contact(id, body),
            "deleteContact" => self.customers.delete_contact(id),
            "createCustomer" => self.customers.create_customer(body),
            "getCustomer" => self.customers.customer(id),
            "updateCustomer" => self.customers.update_customer(id, body),
            "deleteCustomer" => self.customers.delete_customer(id),
            "createCustomerContract" => self.customers.create_contract(body),
            "getCustomerContract" => self.customers.contract(id),
            "updateCustomerContract" => self.customers.update_contract(id, body),
            "deleteCustomerContract" => self.customers.delete_contract(id),
            "createBuildingDelayedConnection" => self.connections.connect_by_id(id, body),
            "createDelayedConnection" => self.connections.connect_by_name(body),
            "createDelayedConnectionBatch" => self.connections.register_batch(body, &mut self.generator),
            "getDelayedConnectionBatch" => self.connections.poll(id, &mut self.generator, effects),
            // No operation returns an approval; the recorded request is the only trace of it.
            "createProjectAssetApproval" => Ok(None),
            other => Err(ErrorResponse::new(500, "NotSimulated", format!("{other} is not simulated"))),
        }
    }
}
