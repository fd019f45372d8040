//! The suppliers of lastmile, simulated in one process on loopback, with state: for tests, examples and first
//! steps.
//!
//! A sandbox holds each request, and each answer of its own, against the supplier's OpenAPI document, and
//! shares no code with the client crates: a field name that is wrong on one side is not wrong on both. What it
//! makes up comes from a seed, and time passes by requests only, so that the same requests in the same order
//! get the same answers to the byte.
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
//! // Any HTTP client will do. This one says what goes over the wire.
//! let address = cocon.base_url().replace("http://", "");
//! let (key, client) = (cocon.api_key(), cocon.client_id());
//! let request = format!(
//!     "POST /api/v1/contacts HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\napi-key: {key}\r\n\
//!      client-id: {client}\r\ncontent-type: application/json\r\ncontent-length: 23\r\n\r\n\
//!      {{\"name\": \"A. Dijkstra\"}}"
//! );
//! let mut stream = tokio::net::TcpStream::connect(&address).await?;
//! stream.write_all(request.as_bytes()).await?;
//! let mut answer = String::new();
//! stream.read_to_string(&mut answer).await?;
//!
//! assert!(answer.starts_with("HTTP/1.1 200 OK"));
//! assert_eq!(cocon.took_effect("createContact"), 1);
//! assert_eq!(cocon.last().and_then(|request| request.json()).unwrap()["name"], "A. Dijkstra");
//!
//! // The next answer can be laid down, right or wrong.
//! cocon.answer_next("createContact", Answer::status(502).body("<html>Bad gateway</html>"));
//! # Ok(())
//! # }
//! ```
//!
//! # Faults
//!
//! Whoever orders something and hears nothing does not know whether it was ordered. Each supplier can be brought to
//! this: the next request for an operation meets with a chosen [`Fault`] ([`Supplier::fail_next`]), or a share of all
//! requests and connections does ([`Supplier::set_faults`], drawn from a seed). Afterwards the supplier says of each
//! request what went wrong with it and whether it took effect all the same, so that a test can hold what its client
//! made of it against the truth.
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
//! assert_eq!(cocon.took_effect("createContact"), 1, "there is a contact all the same");
//! assert_eq!(cocon.last().and_then(|request| request.fault), Some(Fault::ResetAfter));
//! # Ok(())
//! # }
//! ```

mod clock;
mod cocon;
pub mod covage;
mod desk;
mod fault;
mod merge_patch;
pub mod onapi;
mod received;
mod reply;
mod script;
mod server;
mod spec;
mod supplier;
mod tally;
mod texts;

use std::fmt;
use std::io;

pub use cocon::{Building, BuildingKind, Cocon};
pub use covage::Covage;
pub use fault::{Fault, Faults};
pub use onapi::{Dialect, LowerCase, OnApi, PathHabits, RefuseWith, Slash};
pub use received::Received;
pub use script::Answer;
pub use spec::{Lookup, Operation, Parameters, Part, Spec};
pub use supplier::Supplier;
pub use texts::Texts;

/// The simulated suppliers. Each listens at an address of its own, so that paths are those of its document.
///
/// Cheap to clone. A supplier stops when the last handle on it is dropped, be it this or a [`Supplier`].
#[derive(Debug, Clone)]
pub struct Sandbox {
    cocon: Cocon,
    covage: Covage,
    onapi: OnApi,
}

impl Sandbox {
    /// A sandbox to be started.
    pub fn builder() -> SandboxBuilder {
        SandboxBuilder {
            seed: 1,
            port: 0,
            batch_jobs_per_look: 2,
            cocon_houses_per_street: 10,
            covage_unique_references: true,
            covage_texts: Texts::default(),
            onapi: onapi::Manner::default(),
        }
    }

    /// Cocon, Netherlands.
    pub fn cocon(&self) -> &Cocon {
        &self.cocon
    }

    /// Covage, France.
    pub fn covage(&self) -> &Covage {
        &self.covage
    }

    /// A CO of the ON-API, Sweden.
    pub fn onapi(&self) -> &OnApi {
        &self.onapi
    }
}

/// How a [`Sandbox`] is to be.
#[derive(Debug, Clone)]
pub struct SandboxBuilder {
    seed: u64,
    port: u16,
    batch_jobs_per_look: usize,
    cocon_houses_per_street: u32,
    covage_unique_references: bool,
    covage_texts: Texts,
    onapi: onapi::Manner,
}

impl SandboxBuilder {
    /// Where everything made up comes from: keys, ids, buildings. 1 if not set.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// The port that Cocon listens on; Covage listens on the next, ON-API on the one after. Any free ones if
    /// not set.
    #[must_use]
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// How many jobs of a Cocon batch finish each time its status is read. 2 if not set; with 0 a batch
    /// never gets anywhere.
    #[must_use]
    pub fn batch_jobs_per_look(mut self, jobs: usize) -> Self {
        self.batch_jobs_per_look = jobs;
        self
    }

    /// How many buildings each of Cocon's four streets has. 10 if not set: a complex one, prepared ones, and two that
    /// are not prepared.
    #[must_use]
    pub fn cocon_houses_per_street(mut self, houses: u32) -> Self {
        self.cocon_houses_per_street = houses;
        self
    }

    /// Whether Covage refuses an `operator_info.order_ref` that another submitted order has. True if not set.
    #[must_use]
    pub fn covage_unique_references(mut self, unique: bool) -> Self {
        self.covage_unique_references = unique;
        self
    }

    /// How Covage and ON-API store the texts that they are given. [`Texts::AsGiven`] if not set.
    #[must_use]
    pub fn texts(self, texts: Texts) -> Self {
        self.covage_texts(texts).onapi_texts(texts)
    }

    /// How Covage stores the texts that it is given.
    #[must_use]
    pub fn covage_texts(mut self, texts: Texts) -> Self {
        self.covage_texts = texts;
        self
    }

    /// How ON-API stores the texts that it is given.
    #[must_use]
    pub fn onapi_texts(mut self, texts: Texts) -> Self {
        self.onapi.texts = texts;
        self
    }

    /// In which shapes ON-API answers. [`Dialect::Standard`] if not set.
    #[must_use]
    pub fn onapi_dialect(mut self, dialect: Dialect) -> Self {
        self.onapi.dialect = dialect;
        self
    }

    /// How ON-API wants its paths and parameters written. If not set, paths are found with a slash at the end and
    /// without, and parameters have the document's names.
    #[must_use]
    pub fn onapi_paths(mut self, habits: PathHabits) -> Self {
        self.onapi.habits = habits;
        self
    }

    /// Whether ON-API answers an order for what is ordered or done already with 200, as the standard demands. True
    /// if not set; with false a repeated order is a second order.
    #[must_use]
    pub fn onapi_deduplicates(mut self, deduplicates: bool) -> Self {
        self.onapi.deduplicates = deduplicates;
        self
    }

    /// Whether the ON-API says when its lists were modified last (`Last-Modified`) and heeds `If-Modified-Since`. Yes if not
    /// set.
    #[must_use]
    pub fn onapi_dates_lists(mut self, dates: bool) -> Self {
        self.onapi.dates_lists = dates;
        self
    }

    /// Leaves an endpoint of the ON-API out, such as `events` or `tech/cpe`: it is not in the directory, and a call is
    /// answered with 501.
    #[must_use]
    pub fn onapi_without(mut self, endpoint: impl Into<String>) -> Self {
        self.onapi.lacks.push(endpoint.into());
        self
    }

    /// Starts to listen on 127.0.0.1, on the tokio runtime that this is called in, of whatever flavour.
    ///
    /// # Errors
    ///
    /// If a port cannot be listened on.
    pub async fn start(self) -> Result<Sandbox, StartError> {
        let (houses, jobs) = (self.cocon_houses_per_street, self.batch_jobs_per_look);
        let failed = |supplier, port| move |error| StartError { supplier, port, error };
        let port = self.port;
        let cocon = Cocon::start(port, self.seed, houses, jobs).await.map_err(failed("Cocon", Some(port)))?;
        let port = self.port_after(1).map_err(failed("Covage", None))?;
        let covage = Covage::start(port, self.seed, self.covage_unique_references, self.covage_texts)
            .await
            .map_err(failed("Covage", Some(port)))?;
        let port = self.port_after(2).map_err(failed("ON-API", None))?;
        let onapi = OnApi::start(port, self.seed, &self.onapi).await.map_err(failed("ON-API", Some(port)))?;
        Ok(Sandbox { cocon, covage, onapi })
    }

    /// The port so many places after the chosen one; any free one where none was chosen.
    fn port_after(&self, places: u16) -> io::Result<u16> {
        if self.port == 0 {
            return Ok(0);
        }
        let port = self.port.checked_add(places);
        port.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "there is no port after 65535"))
    }
}

/// A sandbox could not listen. `Display` names the supplier and its port; the cause is the source.
#[derive(Debug)]
pub struct StartError {
    supplier: &'static str,
    /// None if there is no such port.
    port: Option<u16>,
    error: io::Error,
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            Some(0) => write!(f, "{} cannot listen on any free port of 127.0.0.1", self.supplier),
            Some(port) => write!(f, "{} cannot listen on 127.0.0.1:{port}", self.supplier),
            None => write!(f, "{} has no port to listen on", self.supplier),
        }
    }
}

impl std::error::Error for StartError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}
