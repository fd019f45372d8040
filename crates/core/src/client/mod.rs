//! What every generated client is made of: the HTTP clients, base URL, credentials, limits and policy of one API.

mod build_error;
mod builder;
mod macros;
mod paths;
mod send_deadline;
mod unanswered;

use std::fmt::{self, Write as _};
use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;

use crate::auth::Credentials;
use crate::observe::Telemetry;
use crate::operation::{Operation, Table};
use crate::retry::{Limits, Policy, RetryTokens};
use crate::wire::Segment;
pub use build_error::BuildError;
pub use builder::Builder;
use builder::checked_base_url;
pub use paths::{PathStyle, TrailingSlash};
pub use send_deadline::SendDeadline;
pub(crate) use unanswered::UnansweredChanges;

/// A generated client. Implemented by the macro [`client!`](crate::client!).
pub trait ApiClient: From<Transport> {
    /// What differs between this API and others.
    const TABLE: &'static Table;

    /// What the client sends its requests with.
    fn transport(&self) -> &Transport;
}

/// What a generated client sends its requests with. Cheap to clone: clones share connections, credentials, limits and retry budget.
///
/// A program uses the generated client. A facade over one needs the transport for what concerns no single operation.
#[derive(Clone)]
pub struct Transport {
    pub(crate) shared: Arc<Shared>,
    pub(crate) policy: Policy,
    /// The moment after which no changing request leaves, where the caller set one.
    pub(crate) send_deadline: Option<SendDeadline>,
}

/// What all clones of a transport share.
///
/// It begins a cache line: the count of its owners, which precedes it, changes with each call on whatever processor.
#[derive(Clone)]
#[repr(align(64))]
pub(crate) struct Shared {
    pub(crate) table: &'static Table,
    /// Without a slash at its end.
    pub(crate) base_url: String,
    /// The beginning of documented paths that the base URL already contains, under a name of the server's own.
    pub(crate) path_prefix: &'static str,
    pub(crate) credentials: Credentials,
    pub(crate) path_style: PathStyle,
    pub(crate) retry_tokens: Arc<RetryTokens>,
    pub(crate) limits: Arc<Limits>,
    pub(crate) unanswered: Arc<UnansweredChanges>,
    pub(crate) telemetry: Telemetry,
    pub(crate) http: reqwest::Client,
    /// Makes a connection for each request. Creating calls use it, never a stale pooled connection, which may be closing or hold
    /// bytes that would be taken for the response. It also reads more header lines, since the response to a creating call cannot be
    /// requested again.
    pub(crate) unpooled_http: reqwest::Client,
}

impl Shared {
    /// Returns the URL of a request. `parameters` are those of the operation's path, in their order.
    pub(crate) fn url(&self, operation: &Operation, parameters: &[&Segment]) -> String {
        let path = operation.path.strip_prefix(self.path_prefix).unwrap_or(operation.path);
        let mut url = String::with_capacity(self.base_url.len() + path.len() + 64);
        url.push_str(&self.base_url);
        let mut parameters = parameters.iter();
        for (at, part) in path.split(['{', '}']).enumerate() {
            // Every other part is the name of a parameter, which stood between braces.
            let parameter = if at % 2 == 1 { parameters.next() } else { None };
            match parameter {
                // Writing to a string does not fail.
                Some(parameter) => _ = write!(url, "{}", parameter.encoded()),
                None => url.push_str(part),
            }
        }
        self.path_style.apply(&mut url, operation);
        url
    }
}

impl Transport {
    /// Returns the policy of calls.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Returns a transport with another policy.
    #[must_use]
    pub fn with_policy(&self, policy: Policy) -> Self {
        Self { policy, ..self.clone() }
    }

    /// Returns a transport that sends no changing request after this moment, however long its call may take. A value that is marked
    /// as in flight in a store needs this: another worker may send it some time after the mark has lapsed. A call that could
    /// not be sent in time fails with [`Outcome::NotSent`](crate::error::Outcome::NotSent).
    #[must_use]
    pub fn with_send_deadline(&self, deadline: SendDeadline) -> Self {
        Self { send_deadline: Some(deadline), ..self.clone() }
    }

    /// Returns the moment after which no changing request leaves, if one was set.
    pub fn send_deadline(&self) -> Option<SendDeadline> {
        self.send_deadline
    }

    /// Returns how this server wants its paths.
    pub fn path_style(&self) -> &PathStyle {
        &self.shared.path_style
    }

    /// Returns a transport for one endpoint that the supplier has under an address of its own: `address` replaces the base URL
    /// and `documented`, the beginning of the endpoint's path in the document (`/orders`). A relative address is resolved
    /// against the base URL. Connections, credentials, limits and retry budget are those of this transport. The credentials must not
    /// be tokens, which are obtained below the base URL.
    ///
    /// # Errors
    /// When the address cannot be used, or is at another origin than the base URL and those `allowed`: nothing is ever sent
    /// there.
    pub fn at_endpoint(
        &self,
        address: &str,
        documented: &'static str,
        path_style: PathStyle,
        allowed: &[&str],
    ) -> Result<Self, BuildError> {
        let own =
            format!("{}/", self.shared.base_url).parse::<Url>().map_err(|_| BuildError::NotAnAddress)?;
        let url = own.join(address).map_err(|_| BuildError::NotAnAddress)?;
        let url = checked_base_url(url.as_str())?;
        let is_allowed = |origin: &&str| origin.parse::<Url>().is_ok_and(|one| one.origin() == url.origin());
        if url.origin() != own.origin() && !allowed.iter().any(is_allowed) {
            return Err(BuildError::OtherOrigin { origin: url.origin().ascii_serialization() });
        }
        if own.scheme() == "https" && url.scheme() != "https" {
            return Err(BuildError::Unencrypted { host: url.host_str().unwrap_or_default().to_owned() });
        }
        let shared = Shared {
            base_url: url.as_str().trim_end_matches('/').to_owned(),
            telemetry: self.shared.telemetry.at(&url),
            path_prefix: documented,
            path_style,
            ..(*self.shared).clone()
        };
        Ok(Self { shared: Arc::new(shared), ..self.clone() })
    }

    /// Returns how long it takes until no unanswered change of the object at `path`, or of a part of it, can be carried out any more;
    /// `None` when there is none. `path` is the documented path with its parameters, such as `/orders/17`. Only changes that were
    /// sent with this transport and its clones are known; those with the body `except` do not count.
    pub fn unsettled_change(&self, path: &str, except: &[u8]) -> Option<Duration> {
        self.shared.unanswered.unsettled_below(path, except)
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport")
            .field("api", &self.shared.table.api)
            .field("base_url", &self.shared.base_url)
            .field("credentials", &self.shared.credentials)
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}
