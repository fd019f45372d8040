//! Cocon, Netherlands: who may come in, and which part of the simulation answers what.
//!
//! Where the supplier's documents are silent, the sandbox decides as follows.
//! - A path that is not documented is a 404 and a wrong method a 405, whoever asks; then comes the 401.
//! - A customer with contacts or contracts and a contact of a contract cannot be deleted (400).
//! - Fields that hold nothing are left out of answers.
//! - Error codes and messages are the sandbox's own words, and so are the states of a batch.

mod answers;
mod connections;
mod customers;
mod refusal;
mod town;

use std::io;
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fastrand::Rng;
use http::Method;
use serde_json::Value;

use crate::desk::{Behaviour, Effects, Request};
use crate::script::Answer;
use crate::spec::{Lookup, Operation, Parameters, Spec};
use crate::{Received, Supplier};
use connections::Connections;
use customers::Register;
use refusal::{Journal, Refusal};
use town::Town;
pub use town::{Building, BuildingKind};

/// Cocon as simulated: a [`Supplier`] with the keys it takes and the town it has prepared.
#[derive(Debug, Clone)]
pub struct Cocon {
    supplier: Supplier,
    keys: Arc<Keys>,
    buildings: Arc<[Building]>,
    town: Arc<Mutex<Town>>,
}

/// Everything that is the same for every supplier: requests, counts, scripted answers.
impl Deref for Cocon {
    type Target = Supplier;

    fn deref(&self) -> &Supplier {
        &self.supplier
    }
}

impl Cocon {
    pub(crate) async fn start(
        port: u16,
        seed: u64,
        houses_per_street: u32,
        jobs_per_look: usize,
    ) -> io::Result<Cocon> {
        let spec = Spec::cocon();
        let mut rng = Rng::with_seed(seed);
        let keys = Arc::new(Keys::new(&mut rng, spec));
        let town = Town::new(&mut rng.fork(), houses_per_street);
        let buildings = town.buildings();
        let town = Arc::new(Mutex::new(town));
        let office = Office {
            keys: Arc::clone(&keys),
            register: Register::new(&mut rng),
            connections: Connections::new(Arc::clone(&town), jobs_per_look),
            journal: Journal::new(rng),
        };
        let supplier = Supplier::start(port, spec, office).await?;
        Ok(Cocon { supplier, keys, buildings, town })
    }

    /// The API key that it accepts, in the header `Api-Key`.
    pub fn api_key(&self) -> &str {
        &self.keys.api_key
    }

    /// The client id that it accepts beside the key, in the header `Client-Id`.
    pub fn client_id(&self) -> &str {
        &self.keys.client_id
    }

    /// Puts a frame into a building that nobody has prepared, so that it can be connected from now on.
    pub fn prepare(&self, building_name: &str) {
        lock(&self.town).prepare(building_name);
    }

    /// The town as it was seeded: which buildings there are to connect.
    pub fn buildings(&self) -> Vec<Building> {
        self.buildings.to_vec()
    }
}

/// The town stays usable after a panic in a test that held it.
fn lock(town: &Mutex<Town>) -> MutexGuard<'_, Town> {
    town.lock().unwrap_or_else(PoisonError::into_inner)
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

    /// Both keys must be right, and a token, if there is one, a bearer's. Which of them is wrong is not told.
    fn admit(&self, received: &Received) -> Result<(), Refusal> {
        let keys_fit = received.header(&self.api_key_header) == Some(&self.api_key)
            && received.header(&self.client_id_header) == Some(&self.client_id);
        let token = received.header("authorization");
        if keys_fit && token.is_none_or(|token| token.starts_with("Bearer ")) {
            return Ok(());
        }
        Err(Refusal::new(401, "Unauthorized", "The key, the client id or the token is missing or unknown"))
    }
}

/// What an operation gives: a body or none, or why it was refused.
type Handled = Result<Option<Value>, Refusal>;

struct Office {
    keys: Arc<Keys>,
    register: Register,
    connections: Connections,
    journal: Journal,
}

impl Behaviour for Office {
    fn answer(&mut self, request: &Request<'_>, effects: &mut Effects) -> Answer {
        self.journal.tick();
        match self.handle(request, effects) {
            Ok(Some(body)) => Answer::json(200, &body),
            Ok(None) => Answer::status(204),
            Err(refusal) => refusal.answer(&mut self.journal),
        }
    }
}

impl Office {
    fn handle(&mut self, request: &Request<'_>, effects: &mut Effects) -> Handled {
        let (operation, parameters) = match request.lookup {
            Lookup::Found(operation, parameters) => (*operation, parameters),
            Lookup::WrongMethod(allowed) => return Err(Refusal::wrong_method(allowed)),
            Lookup::UnknownPath => return Err(Refusal::new(404, "UnknownPath", "There is no such path")),
        };
        self.keys.admit(request.received)?;
        let problems = &request.received.problems;
        if !problems.is_empty() && operation.answers(400) {
            return Err(Refusal::invalid(problems));
        }
        let body = request.received.json().unwrap_or_default();
        let done = self.carry_out(operation, parameters, &body, effects)?;
        if operation.method != Method::GET {
            effects.add(&operation.id);
        }
        Ok(done)
    }

    fn carry_out(
        &mut self,
        operation: &Operation,
        parameters: &Parameters,
        body: &Value,
        effects: &mut Effects,
    ) -> Handled {
        let parameter = |name: &str| parameters.get(name).map(String::as_str).unwrap_or_default();
        let id = parameter("id");
        match operation.id.as_str() {
            "createContact" => self.register.create_contact(body),
            "getContact" => self.register.contact(id),
            "getCustomerContact" => self.register.contact_of(id, parameter("contactId")),
            "updateContact" => self.register.update_contact(id, body),
            "deleteContact" => self.register.delete_contact(id),
            "createCustomer" => self.register.create_customer(body),
            "getCustomer" => self.register.customer(id),
            "updateCustomer" => self.register.update_customer(id, body),
            "deleteCustomer" => self.register.delete_customer(id),
            "createCustomerContract" => self.register.create_contract(body),
            "getCustomerContract" => self.register.contract(id),
            "updateCustomerContract" => self.register.update_contract(id, body),
            "deleteCustomerContract" => self.register.delete_contract(id),
            "createBuildingDelayedConnection" => self.connections.connect_by_id(id, body),
            "createDelayedConnection" => self.connections.connect_by_name(body),
            "createDelayedConnectionBatch" => self.connections.register_batch(body, &mut self.journal),
            "getDelayedConnectionBatch" => self.connections.look(id, &mut self.journal, effects),
            // Nothing reads an approval back; the captured request is its record.
            "createProjectAssetApproval" => Ok(None),
            other => Err(Refusal::new(500, "NotSimulated", format!("{other} is not simulated"))),
        }
    }
}
