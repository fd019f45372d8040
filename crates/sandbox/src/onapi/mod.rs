//! ON-API, Sweden: who may come in, in which dialect and under which paths a CO answers.
//!
//! Where the standard and the vendor's reading of it are silent, the sandbox decides as follows.
//! - A path that is not in the CO's form is refused before anything else and is no request for an operation: it
//!   is captured, but neither counted nor answered from a script.
//! - A path that is unknown in every form is a 501 (ON-API 2.6, responses), a wrong method a 405; then comes the
//!   401.
//! - Every dialect has every endpoint, also those that only the standard knows.
//! - The clock goes on by a second with each change. A request that changes nothing takes no time.
//! - A list that is empty is a 404, also behind a filter; only events after the last one are an empty list.
//! - An ended subscription is news of its access, whose list then lacks it.
//! - What is ordered must be available. Changing or cancelling an order that is no longer `RECEIVED` is a 409, and
//!   so is suspending what is suspended, resuming what is not, and changing what has ended.
//! - A `PATCH` of an order replaces whole fields, and what an order may say about itself is the CO's to set.
//! - A new ticket waits for the CO; nothing but requests moves it.

mod access;
mod chronicle;
mod dhcp;
mod dialect;
mod execution;
mod habits;
mod invoices;
mod land;
mod network;
mod operator;
mod orders;
mod placing;
mod reply;
mod stray;
mod tech;
mod tickets;
mod time;

use std::io;
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fastrand::Rng;

use crate::desk::{Behaviour, Effects, Request};
use crate::script::Answer;
use crate::spec::{Lookup, Spec};
use crate::{Received, Supplier, Texts};
pub use access::{Access, Delivered, Offer, Standing};
pub use dialect::Dialect;
pub use habits::{LowerCase, PathHabits, RefuseWith, Slash};
use habits::{PREFIX, Query};
use operator::{Asked, Operator};
use reply::{Handled, Refusal};
use stray::Stray;

/// How the CO is to be.
#[derive(Debug, Clone)]
pub(crate) struct Manner {
    pub(crate) dialect: Dialect,
    pub(crate) habits: PathHabits,
    pub(crate) deduplicates: bool,
    pub(crate) dates_lists: bool,
    pub(crate) lacks: Vec<String>,
    pub(crate) texts: Texts,
}

impl Default for Manner {
    fn default() -> Manner {
        Manner {
            dialect: Dialect::default(),
            habits: PathHabits::default(),
            deduplicates: true,
            dates_lists: true,
            lacks: Vec::new(),
            texts: Texts::default(),
        }
    }
}

/// A CO of the ON-API as simulated: a [`Supplier`] with the credentials it takes and the network it runs.
#[derive(Debug, Clone)]
pub struct OnApi {
    supplier: Supplier,
    credentials: Arc<Credentials>,
    operator: Arc<Mutex<Operator>>,
}

/// Everything that is the same for every supplier: requests, counts, scripted answers.
impl Deref for OnApi {
    type Target = Supplier;

    fn deref(&self) -> &Supplier {
        &self.supplier
    }
}

impl OnApi {
    /// The service that every access is offered and whose orders end in `DONE_FAILED`.
    pub const FAILING_SERVICE: &'static str = network::FAILING;

    pub(crate) async fn start(port: u16, seed: u64, manner: &Manner) -> io::Result<OnApi> {
        let mut rng = Rng::with_seed(seed);
        let credentials = Arc::new(Credentials::new(&mut rng));
        let operator = Arc::new(Mutex::new(Operator::new(&mut rng, manner)));
        let office = Office {
            spec: Spec::onapi(),
            credentials: Arc::clone(&credentials),
            operator: Arc::clone(&operator),
            habits: manner.habits,
            dialect: manner.dialect,
            texts: manner.texts,
            stray: Stray::new(rng),
        };
        let supplier = Supplier::start(port, Spec::onapi(), office).await?;
        Ok(OnApi { supplier, credentials, operator })
    }

    /// The user name that it accepts.
    pub fn user(&self) -> &str {
        &self.credentials.user
    }

    /// The password that it accepts.
    pub fn password(&self) -> &str {
        &self.credentials.password
    }

    /// Lets time go by until every open order has moved one step on: from `RECEIVED` to `IN_PROGRESS`, from there
    /// to `DONE_SUCCESS` or `DONE_FAILED`. An order that is to wait for a moment takes the clock there.
    pub fn advance(&self) {
        lock(&self.operator).advance();
    }

    /// Adds this many accesses to the network, like those that are there.
    pub fn grow(&self, accesses: usize) {
        lock(&self.operator).grow(accesses);
    }

    /// Tears an access down: it, and what is delivered on it, is gone, and events tell so.
    ///
    /// # Panics
    ///
    /// If there is no such access.
    #[track_caller]
    pub fn tear_down(&self, access: &str) {
        assert!(lock(&self.operator).tear_down(access), "there is no access {access}");
    }

    /// The network as it is at this moment: 30 accesses at the start, with every [`Standing`] among the first six.
    pub fn accesses(&self) -> Vec<Access> {
        lock(&self.operator).accesses()
    }
}

/// The CO stays usable after a panic in a test that held it.
fn lock(operator: &Mutex<Operator>) -> MutexGuard<'_, Operator> {
    operator.lock().unwrap_or_else(PoisonError::into_inner)
}

#[derive(Debug)]
struct Credentials {
    user: String,
    password: String,
}

impl Credentials {
    fn new(rng: &mut Rng) -> Credentials {
        let (user, password) = (rng.u32(..), rng.u128(..));
        Credentials { user: format!("sp-example-{user:08x}"), password: format!("{password:032x}") }
    }

    /// HTTP Basic (RFC 7617). Which of the two is wrong is not told.
    fn admit(&self, received: &Received) -> Result<(), Refusal> {
        let expected = STANDARD.encode(format!("{}:{}", self.user, self.password));
        let given = received.header("authorization").and_then(|header| header.split_once(' '));
        match given {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("basic") && token == expected => Ok(()),
            _ => Err(Refusal::new(401, "The user name or the password is missing or wrong")
                .header("www-authenticate", "Basic realm=\"ON-API\"")),
        }
    }
}

struct Office {
    spec: &'static Spec,
    credentials: Arc<Credentials>,
    operator: Arc<Mutex<Operator>>,
    habits: PathHabits,
    dialect: Dialect,
    texts: Texts,
    stray: Stray,
}

impl Behaviour for Office {
    fn prefix(&self) -> &'static str {
        PREFIX
    }

    fn find(&self, spec: &'static Spec, received: &Received) -> Lookup<'static> {
        self.habits.find(spec, &received.method, &received.path)
    }

    fn check_query(&self, spec: &Spec, operation_id: &str, query: Option<&str>) -> Vec<String> {
        self.habits.check_query(spec, operation_id, query)
    }

    fn answer(&mut self, request: &Request<'_>, effects: &mut Effects) -> Answer {
        match self.handle(request, effects) {
            Ok(reply) => reply.answer(),
            Err(refusal) => refusal.answer(),
        }
    }

    fn finish(&mut self, operation_id: &str, answer: Answer) -> Answer {
        match self.spec.operation(operation_id) {
            Some(operation) if self.dialect == Dialect::Stray => {
                answer.change_json(|status, body| self.stray.bend(self.spec, operation, status, body))
            }
            _ => answer,
        }
    }
}

impl Office {
    fn handle(&self, request: &Request<'_>, effects: &mut Effects) -> Handled {
        let received = request.received;
        let (operation, parameters) = match request.lookup {
            Lookup::Found(operation, parameters) => (*operation, parameters),
            Lookup::WrongMethod(allowed) => {
                let allowed = allowed.iter().map(|method| method.as_str()).collect::<Vec<_>>().join(", ");
                return Err(Refusal::new(405, format!("This path takes {allowed}")).header("allow", allowed));
            }
            Lookup::UnknownPath => return Err(self.habits.refusal(self.spec, received)),
        };
        self.credentials.admit(received)?;
        if !received.problems.is_empty() {
            return Err(Refusal::new(400, received.problems.join("; ")));
        }
        let asked = Asked {
            operation: &operation.id,
            path: &operation.path,
            id: parameters.values().next().map(String::as_str).unwrap_or_default(),
            query: Query::parse(received.query.as_deref()),
            body: self.texts.stored(received.json().unwrap_or_default(), normalised(&operation.id)),
            received,
        };
        let reply = lock(&self.operator).carry_out(&asked, effects)?;
        match self.dialect {
            Dialect::Vendor => Ok(reply.map(|body| dialect::vendor(asked.operation, body))),
            _ => Ok(reply),
        }
    }
}

/// The texts of a request that are stored in the CO's own form.
fn normalised(operation_id: &str) -> &'static [&'static str] {
    match operation_id {
        "createOrder" | "replaceOrder" | "changeOrder" => {
            &["/spReference", "/spSubscriptionId", "/externalNote"]
        }
        "createTicket" => &["/spTicketReference", "/spReference", "/heading", "/description", "/createdBy"],
        "updateTicket" => &["/comment/message", "/comment/createdBy"],
        _ => &[],
    }
}
