//! Simulates the suppliers of lastmile in one process, on loopback and with state, for tests, examples and first
//! steps.
//!
//! The sandbox validates each request, and each of its own responses, against the supplier's OpenAPI document. It
//! shares no code with the client crates, so a misspelt field name on one side is not repeated on the other. All
//! generated data comes from a seed, and simulated time advances only with requests, so the same sequence of requests
//! always produces the same responses, byte for byte.
//!
//! ```
//! use lastmile_sandbox::{Answer, Sandbox};
//! use tokio::io::{AsyncReadExt, AsyncWriteExt};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let sandbox = Sandbox::builder().seed(7).start().await?;
//! let cocon = sandbox.cocon();
//!
//! // Any HTTP client works. A bare connection shows what goes over the wire.
//! let address = cocon.base_url().replace("http://", "");
//! let (key, client) = (cocon.api_key(), cocon.client_id());
//! let request = format!(
//!     "POST /api/v1/contacts HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\napi-key: {key}\r\n\
//!      client-id: {client}\r\ncontent-type: application/json\r\ncontent-length: 23\r\n\r\n\
//!      {{\"name\": \"A. Dijkstra\"}}"
//! );
//! let mut stream = tokio::net::TcpStream::connect(&address).await?;
//! stream.write_all(request.as_bytes()).await?;
//! let mut response = String::new();
//! stream.read_to_string(&mut response).await?;
//!
//! assert!(response.starts_with("HTTP/1.1 200 OK"));
//! assert_eq!(cocon.took_effect("createContact"), 1);
//! assert_eq!(cocon.last().and_then(|request| request.json()).unwrap()["name"], "A. Dijkstra");
//!
//! // A test can script the next response, valid or not.
//! cocon.answer_next("createContact", Answer::status(502).body("<html>Bad gateway</html>"));
//! # Ok(())
//! # }
//! ```
//!
//! # Faults
//!
//! A client that sends an order and receives no response does not know whether the order was placed. A test can
//! produce this situation at each supplier: [`Supplier::fail_next`] applies one chosen [`Fault`] to the next request
//! for an operation, and [`Supplier::set_faults`] applies faults to a share of all requests and connections, sampled
//! from a seed. Afterwards, [`Supplier::received`] reports for each request which fault was applied and whether the
//! request took effect, so the test can compare the client's view with the facts.
//!
//! ```
//! use lastmile_sandbox::{Fault, Sandbox};
//! use tokio::io::{AsyncReadExt, AsyncWriteExt};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let sandbox = Sandbox::builder().start().await?;
//! # let cocon = sandbox.cocon();
//! # let address = cocon.base_url().replace("http://", "");
//! # let request = format!(
//! #     "POST /api/v1/contacts HTTP/1.1\r\nhost: {address}\r\napi-key: {}\r\nclient-id: {}\r\n\
//! #      content-type: application/json\r\ncontent-length: 2\r\n\r\n{{}}",
//! #     cocon.api_key(), cocon.client_id()
//! # );
//! cocon.fail_next("createContact", Fault::ResetAfter);
//!
//! let mut stream = tokio::net::TcpStream::connect(&address).await?;
//! stream.write_all(request.as_bytes()).await?;
//! let error = stream.read_u8().await.unwrap_err();
//! assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
//!
//! assert_eq!(cocon.took_effect("createContact"), 1, "the contact exists although no response arrived");
//! assert_eq!(cocon.last().and_then(|request| request.fault), Some(Fault::ResetAfter));
//! # Ok(())
//! # }
//! ```

mod behaviour;
mod body;
mod builder;
mod changes;
mod clock;
mod clock_mode;
mod cocon;
mod control;
pub mod covage;
mod dispatcher;
mod document;
mod fault;
mod json;
mod late;
mod lock;
mod log;
mod merge_patch;
mod object;
pub mod onapi;
mod query_string;
mod received;
mod rows;
mod script;
mod server;
mod spec;
mod start_error;
mod supplier;
mod supplier_name;
mod tally;
mod text_normalization;
mod transmission;
mod uuid;

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use control::Controlled;

pub use clock_mode::ClockMode;
pub use cocon::{Building, BuildingKind, Cocon};
pub use control::{ControlApi, Credential, ExampleStep};
pub use covage::Covage;
pub use fault::{Fault, Faults, ParseFaultError};
pub use object::{Completion, FinishError, ObjectKind, ObjectSnapshot};
pub use onapi::{Dialect, LowerCase, OnApi, PathStyle, RefuseWith, TrailingSlash};
pub use received::ReceivedRequest;
pub use script::Answer;
pub use spec::{ExamplePart, Operation, Parameters, RouteMatch, Spec};
pub use start_error::StartError;
pub use supplier::Supplier;
pub use supplier_name::SupplierName;
pub use text_normalization::TextNormalization;

/// The simulated suppliers.
///
/// Each supplier listens on its own port, of 127.0.0.1 unless told otherwise, so its paths are those of its document.
///
/// Cloning is cheap: clones share the same suppliers. A supplier stops listening when the last handle to it (a
/// `Sandbox` or a [`Supplier`]) is dropped. The clock and the control API end with the last `Sandbox`.
#[derive(Debug, Clone)]
pub struct Sandbox {
    cocon: Cocon,
    covage: Covage,
    onapi: OnApi,
    control: Option<Arc<ControlApi>>,
    /// Moves the clocks as long as the sandbox exists.
    _clock: Option<Arc<clock_mode::RunningClock>>,
}

impl Sandbox {
    /// Returns a builder with the default configuration.
    pub fn builder() -> SandboxBuilder {
        SandboxBuilder {
            seed: 1,
            port: 0,
            ports: BTreeMap::new(),
            bind: Ipv4Addr::LOCALHOST.into(),
            control: false,
            control_hosts: Vec::new(),
            clock: ClockMode::default(),
            absent_operations: BTreeSet::new(),
            kept_requests: log::KEPT,
            cocon: cocon::CoconOptions { buildings_per_street: 10, jobs_per_poll: 2 },
            covage: covage::CovageOptions {
                unique_references: true,
                text_normalization: TextNormalization::default(),
                token_life: None,
            },
            onapi: onapi::OnApiOptions::default(),
        }
    }

    /// Returns the simulation of Cocon (Netherlands).
    pub fn cocon(&self) -> &Cocon {
        &self.cocon
    }

    /// Returns the simulation of Covage (France).
    pub fn covage(&self) -> &Covage {
        &self.covage
    }

    /// Returns the simulation of a communication operator (CO) that implements the ON-API (Sweden).
    pub fn onapi(&self) -> &OnApi {
        &self.onapi
    }

    /// Returns one of the suppliers.
    pub fn supplier(&self, name: SupplierName) -> &Supplier {
        match name {
            SupplierName::Cocon => &self.cocon,
            SupplierName::Covage => &self.covage,
            SupplierName::OnApi => &self.onapi,
        }
    }

    /// Returns the control API, if the builder enabled it.
    pub fn control(&self) -> Option<&ControlApi> {
        self.control.as_deref()
    }

    /// Advances the clock of every supplier by this time, rounded up to whole seconds. Orders stay in their states; the
    /// suppliers' methods `advance` progress them.
    ///
    /// It is meant for [`ClockMode::Manual`], the default. With [`ClockMode::Wall`], the clocks then stand still until the running
    /// time has reached them.
    ///
    /// The method `now` of a supplier returns its time, so that a test can give the same time to the code under test.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use lastmile_sandbox::Sandbox;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let sandbox = Sandbox::builder().start().await?;
    /// let time = {
    ///     let network = sandbox.onapi().clone();
    ///     move || network.now()
    /// };
    /// let before = time();
    /// sandbox.advance_by(Duration::from_secs(600));
    /// assert_eq!(time(), before + Duration::from_secs(600));
    /// # Ok(())
    /// # }
    /// ```
    pub fn advance_by(&self, time: Duration) {
        let seconds = time.as_secs().saturating_add(u64::from(time.subsec_nanos() > 0));
        for supplier in [&self.cocon as &dyn Controlled, &self.covage, &self.onapi] {
            // The last time whose year has four digits.
            supplier.advance_to(supplier.seconds().saturating_add(seconds).min(253_402_300_799));
        }
    }

    /// Returns every supplier to its initial state. Addresses and credentials stay the same.
    pub fn reset(&self) {
        self.cocon.reset();
        self.covage.reset();
        self.onapi.reset();
    }
}

/// Configures and starts a [`Sandbox`].
#[derive(Debug, Clone)]
pub struct SandboxBuilder {
    seed: u64,
    port: u16,
    /// The ports that were chosen one by one.
    ports: BTreeMap<builder::Listener, u16>,
    bind: IpAddr,
    control: bool,
    control_hosts: Vec<String>,
    clock: ClockMode,
    absent_operations: BTreeSet<(SupplierName, String)>,
    kept_requests: usize,
    cocon: cocon::CoconOptions,
    covage: covage::CovageOptions,
    onapi: onapi::OnApiOptions,
}

impl SandboxBuilder {
    /// Sets the seed of all generated data: keys, ids, addresses. Defaults to 1.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Sets the port of Cocon. Covage listens on the next port and ON-API on the one after that.
    ///
    /// Defaults to 0: each supplier listens on any free port.
    #[must_use]
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// Sets how many jobs of a Cocon batch finish each time a client polls the batch's status.
    ///
    /// Defaults to 2. With 0, a batch never makes progress.
    #[must_use]
    pub fn batch_jobs_per_poll(mut self, jobs: usize) -> Self {
        self.cocon.jobs_per_poll = jobs;
        self
    }

    /// Sets how many buildings each of Cocon's four streets has.
    ///
    /// Defaults to 10. The first building of a street is [`Complex`](BuildingKind::Complex), the last two are
    /// [`Unprepared`](BuildingKind::Unprepared), and all others are [`Prepared`](BuildingKind::Prepared).
    #[must_use]
    pub fn cocon_buildings_per_street(mut self, buildings: u32) -> Self {
        self.cocon.buildings_per_street = buildings;
        self
    }

    /// Sets whether Covage rejects an `operator_info.order_ref` that another submitted order has. Defaults to true.
    #[must_use]
    pub fn covage_unique_references(mut self, unique: bool) -> Self {
        self.covage.unique_references = unique;
        self
    }

    /// Sets how both Covage and ON-API normalize the texts they store.
    ///
    /// Defaults to [`TextNormalization::Unchanged`].
    #[must_use]
    pub fn text_normalization(self, normalization: TextNormalization) -> Self {
        self.covage_text_normalization(normalization).onapi_text_normalization(normalization)
    }

    /// Sets how Covage normalizes the texts it stores.
    #[must_use]
    pub fn covage_text_normalization(mut self, normalization: TextNormalization) -> Self {
        self.covage.text_normalization = normalization;
        self
    }

    /// Sets how ON-API normalizes the texts it stores.
    #[must_use]
    pub fn onapi_text_normalization(mut self, normalization: TextNormalization) -> Self {
        self.onapi.text_normalization = normalization;
        self
    }

    /// Sets the version and form of ON-API. Defaults to [`Dialect::Vendor26`].
    #[must_use]
    pub fn onapi_dialect(mut self, dialect: Dialect) -> Self {
        self.onapi.dialect = dialect;
        self
    }

    /// Sets whether ON-API sends unexpected values. Defaults to false.
    ///
    /// If true, some fields that real servers are known to send in another form get such a form, and some objects get
    /// undocumented fields. This happens after a response was validated, in every dialect.
    #[must_use]
    pub fn onapi_unexpected_values(mut self, enabled: bool) -> Self {
        self.onapi.unexpected_values = enabled;
        self
    }

    /// Sets whether ON-API's response to a request that places an order contains the `orderId`. Defaults to true.
    ///
    /// If false, the response has a `Location` and a `path`, but no `orderId`, as a sample of the standard shows.
    #[must_use]
    pub fn onapi_order_ids(mut self, enabled: bool) -> Self {
        self.onapi.order_ids = enabled;
        self
    }

    /// Sets whether an ON-API order for a later time has a `subscriptionId` before it is carried out. Defaults to
    /// true.
    #[must_use]
    pub fn onapi_early_subscription_ids(mut self, enabled: bool) -> Self {
        self.onapi.early_subscription_ids = enabled;
        self
    }

    /// Sets whether ON-API's subscriptions have the references of the orders that created them: `spReference` and
    /// `spSubscriptionId`. Defaults to true. Some networks lose them.
    #[must_use]
    pub fn onapi_keeps_references(mut self, enabled: bool) -> Self {
        self.onapi.keeps_references = enabled;
        self
    }

    /// Sets whether ON-API's directory lists each endpoint twice, first with the address that it had in version 2.3.1.
    /// Defaults to false.
    #[must_use]
    pub fn onapi_legacy_endpoints(mut self, enabled: bool) -> Self {
        self.onapi.legacy_endpoints = enabled;
        self
    }

    /// Sets which spelling of paths and query parameters ON-API accepts.
    ///
    /// By default it accepts paths with and without a trailing slash, and parameter names as the document spells
    /// them.
    #[must_use]
    pub fn onapi_path_style(mut self, path_style: PathStyle) -> Self {
        self.onapi.path_style = path_style;
        self
    }

    /// Sets whether ON-API detects duplicate orders.
    ///
    /// If true, which is the default and what the standard demands, ON-API responds with 200 to an order for something
    /// that is already ordered or done. If false, a repeated order places a second order.
    #[must_use]
    pub fn onapi_deduplicates(mut self, deduplicates: bool) -> Self {
        self.onapi.deduplicates = deduplicates;
        self
    }

    /// Sets whether ON-API sends `Last-Modified` with its lists and honours `If-Modified-Since`. Defaults to true.
    #[must_use]
    pub fn onapi_last_modified(mut self, enabled: bool) -> Self {
        self.onapi.last_modified = enabled;
        self
    }

    /// Removes an endpoint of ON-API, such as `events` or `tech/cpe`.
    ///
    /// The directory does not list the endpoint, and requests for it get a 501. Call this repeatedly to remove several
    /// endpoints.
    #[must_use]
    pub fn onapi_without_endpoint(mut self, endpoint: impl Into<String>) -> Self {
        self.onapi.absent_endpoints.push(endpoint.into());
        self
    }
}
