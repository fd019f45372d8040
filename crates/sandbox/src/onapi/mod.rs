//! A communication operator (CO) that implements the ON-API (Sweden).
//!
//! Where the standard and the vendor's reading of it leave something open, the sandbox behaves as follows.
//!
//! - A path that violates the CO's [`PathStyle`] is rejected before anything else. It matches no operation: the
//!   request is recorded, but it is neither counted nor answered with a scripted response.
//! - A path that is unknown in every spelling gets a 501 (ON-API 2.6, responses) and a wrong method a 405. Only then
//!   are the credentials checked (401).
//! - Every dialect has every endpoint of its version, and the vendor's also those that only the standard describes.
//! - The clock advances by one second with each change. A request that changes nothing takes no time.
//! - An empty list is a 404, also if it is empty because of a filter. Only the list of events after the last one is
//!   an empty list.
//! - If a subscription ends, its access appears among the changed ones, and its list of subscriptions no longer
//!   contains it.
//! - A service must be available to be ordered. Changing or cancelling an order that is no longer `RECEIVED` is a
//!   409, and so is suspending a suspended subscription, resuming one that is not suspended, and changing one that
//!   has ended.
//! - A `PATCH` of an order replaces whole fields. Fields that the CO sets, or that the dialect does not have, are
//!   ignored in requests.
//! - In the standard's dialects, the fastest service requires a service level, and a service level must be one that
//!   the offer lists.
//! - Tickets change only through requests.

mod access;
mod availability_dates;
mod control;
mod dhcp;
mod diagnostics;
mod dialect;
mod event_log;
mod execution;
mod fixtures;
mod invoices;
mod network;
mod operator;
mod options;
mod order;
mod order_book;
mod orders;
mod path_style;
mod paths;
mod query;
mod response;
mod services;
mod tickets;
mod time;
mod unexpected;
mod validation;

use std::io;
use std::ops::Deref;
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fastrand::Rng;

use crate::behaviour::{Behaviour, Effects, Request};
use crate::lock::lock;
use crate::received::ReceivedRequest;
use crate::script::Answer;
use crate::spec::{CheckedRequest, RouteMatch, Spec, allow_header};
use crate::supplier::{Supplier, SupplierOptions};
use crate::text_normalization::TextNormalization;
pub use access::{Access, ActiveSubscription, Availability, Offer};
pub use dialect::Dialect;
use operator::{ApiRequest, Operator};
pub(crate) use options::OnApiOptions;
pub use path_style::{LowerCase, PathStyle, RefuseWith, TrailingSlash};
use paths::Paths;
use query::Query;
use response::{ErrorResponse, OperationResult};
use unexpected::UnexpectedValues;

/// The simulation of a communication operator (CO) that implements the ON-API.
///
/// Dereferences to [`Supplier`]. In addition it provides the accepted credentials, the simulated network, and the
/// passing of time.
#[derive(Debug, Clone)]
pub struct OnApi {
    supplier: Supplier,
    credentials: Arc<Credentials>,
    operator: Arc<Mutex<Operator>>,
    seed: u64,
    options: Arc<OnApiOptions>,
}

/// Provides what all suppliers share: received requests, counts, scripted responses and faults.
impl Deref for OnApi {
    type Target = Supplier;

    fn deref(&self) -> &Supplier {
        &self.supplier
    }
}

impl OnApi {
    /// The name of a service that every access offers and whose orders always end in `DONE_FAILED`.
    pub const FAILING_SERVICE: &'static str = services::FAILING;

    pub(crate) async fn start(
        supplier: &SupplierOptions,
        seed: u64,
        options: &OnApiOptions,
    ) -> io::Result<OnApi> {
        let simulation = Simulation::new(seed, options);
        let (credentials, operator) = (Arc::clone(&simulation.credentials), Arc::clone(&simulation.operator));
        let supplier = Supplier::start(supplier, simulation.spec, simulation).await?;
        Ok(OnApi { supplier, credentials, operator, seed, options: Arc::new(options.clone()) })
    }

    /// Returns to the initial state: the network, orders and tickets of the start, without received requests, scripted
    /// steps or faults. Credentials and addresses stay the same.
    pub fn reset(&self) {
        let mut simulation = Simulation::new(self.seed, &self.options);
        // Requests in flight, and clones of this handle, share the operator.
        std::mem::swap(&mut *lock(&self.operator), &mut *lock(&simulation.operator));
        simulation.operator = Arc::clone(&self.operator);
        self.supplier.reset_with(simulation);
    }

    /// Returns the dialect that the network speaks.
    pub fn dialect(&self) -> Dialect {
        self.options.dialect
    }

    /// Returns the accepted user name.
    pub fn user(&self) -> &str {
        &self.credentials.user
    }

    /// Returns the accepted password.
    pub fn password(&self) -> &str {
        &self.credentials.password
    }

    /// Advances every open order by one state: from `RECEIVED` to `IN_PROGRESS`, and from there to `DONE_SUCCESS` or
    /// `DONE_FAILED`.
    ///
    /// The clock advances at least to the requested time of each order that starts.
    pub fn advance(&self) {
        lock(&self.operator).advance();
        self.changed();
    }

    /// Adds accesses to the network. The initial states of accesses repeat in a fixed sequence.
    pub fn add_accesses(&self, accesses: usize) {
        lock(&self.operator).add_accesses(accesses);
        self.changed();
    }

    /// Removes an access and everything delivered on it from the network, and records the deletions as events.
    ///
    /// # Panics
    ///
    /// Panics if there is no such access.
    #[track_caller]
    pub fn tear_down(&self, access: &str) {
        assert!(lock(&self.operator).tear_down(access), "there is no access {access}");
        self.changed();
    }

    /// Returns the accesses in their current state. There are 30 at the start; the first six have services of every
    /// [`Availability`].
    pub fn accesses(&self) -> Vec<Access> {
        lock(&self.operator).accesses()
    }
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

    /// Checks the credentials of HTTP Basic (RFC 7617). The error does not say which of the two is wrong.
    fn authenticate(&self, received: &ReceivedRequest) -> Result<(), ErrorResponse> {
        let expected = STANDARD.encode(format!("{}:{}", self.user, self.password));
        let credentials = received.header("authorization").and_then(|header| header.split_once(' '));
        match credentials {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("basic") && token == expected => Ok(()),
            _ => Err(ErrorResponse::new(401, "The user name or the password is missing or wrong")
                .header("www-authenticate", "Basic realm=\"ON-API\"")),
        }
    }
}

struct Simulation {
    spec: &'static Spec,
    credentials: Arc<Credentials>,
    operator: Arc<Mutex<Operator>>,
    paths: Paths,
    text_normalization: TextNormalization,
    unexpected: Option<UnexpectedValues>,
}

impl Behaviour for Simulation {
    fn prefix(&self) -> &'static str {
        self.paths.prefix()
    }

    fn route(&self, spec: &'static Spec, received: &ReceivedRequest) -> RouteMatch<'static> {
        self.paths.route(spec, &received.method, &received.path)
    }

    fn check_query(&self, spec: &Spec, operation_id: &str, query: Option<&str>) -> Vec<String> {
        self.paths.check_query(spec, operation_id, query)
    }

    fn check_request(&self, spec: &Spec, operation_id: &str, received: &ReceivedRequest) -> CheckedRequest {
        spec.check_open(operation_id, received.header("content-type"), &received.body)
    }

    fn answer(&mut self, request: &Request<'_>, effects: &mut Effects) -> Answer {
        match self.handle(request, effects) {
            Ok(response) => response.answer(),
            Err(error_response) => error_response.answer(),
        }
    }

    fn transform(&mut self, operation_id: &str, answer: Answer) -> Answer {
        match (self.spec.operation(operation_id), &mut self.unexpected) {
            (Some(operation), Some(unexpected)) => {
                answer.change_json(|status, body| unexpected.replace_some(self.spec, operation, status, body))
            }
            _ => answer,
        }
    }
}

impl Simulation {
    fn new(seed: u64, options: &OnApiOptions) -> Simulation {
        let mut rng = Rng::with_seed(seed);
        let credentials = Arc::new(Credentials::new(&mut rng));
        let operator = Arc::new(Mutex::new(Operator::new(&mut rng, options)));
        Simulation {
            spec: options.dialect.spec(),
            credentials,
            operator,
            paths: Paths { dialect: options.dialect, style: options.path_style },
            text_normalization: options.text_normalization,
            unexpected: options.unexpected_values.then(|| UnexpectedValues::new(rng)),
        }
    }

    fn handle(&self, request: &Request<'_>, effects: &mut Effects) -> OperationResult {
        let received = request.received;
        let (operation, parameters) = match request.route {
            RouteMatch::Found(operation, parameters) => (*operation, parameters),
            RouteMatch::MethodNotAllowed(allowed) => {
                let allowed = allow_header(allowed);
                return Err(
                    ErrorResponse::new(405, format!("This path takes {allowed}")).header("allow", allowed)
                );
            }
            RouteMatch::UnknownPath if request.absent => {
                return Err(ErrorResponse::new(501, "This network has no such operation"));
            }
            RouteMatch::UnknownPath => return Err(self.paths.error_response(self.spec, received)),
        };
        self.credentials.authenticate(received)?;
        if !received.problems.is_empty() {
            return Err(ErrorResponse::new(400, received.problems.join("; ")));
        }
        let dialect = self.paths.dialect;
        let body = dialect.parse_request(&operation.id, received.json().unwrap_or_default());
        let request = ApiRequest {
            operation: &operation.id,
            path: &operation.path,
            id: parameters.values().next().map(String::as_str).unwrap_or_default(),
            query: Query::parse(received.query.as_deref()),
            body: self.text_normalization.apply(body, normalised(&operation.id)),
            received,
        };
        let response = lock(&self.operator).carry_out(&request, effects)?;
        Ok(response.map(move |body| dialect.write_response(&operation.id, body)))
    }
}

/// Returns the JSON pointers of the texts that the CO normalizes.
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
