//! The parts of every generated client: the HTTP clients, base URL, credentials, limits and policy of one API.

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
use crate::clock::Clock;
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

/// A generated client. The macro [`client!`](crate::client!) implements it.
pub trait ApiClient: From<Transport> {
    /// The data that describes the API.
    const TABLE: &'static Table;

    /// Returns the transport that the client sends its requests with.
    fn transport(&self) -> &Transport;
}

/// Sends the requests of a generated client. Clones are cheap and share connections, credentials, limits and retry budget.
///
/// Programs use the generated client. Facades over it use the transport for everything that concerns no single operation.
#[derive(Clone)]
pub struct Transport {
    pub(crate) shared: Arc<Shared>,
    pub(crate) policy: Policy,
    /// The time after which no changing request is sent, if the caller set one.
    pub(crate) send_deadline: Option<SendDeadline>,
}

/// The state that all clones of a transport share.
///
/// It is aligned to a cache line, because the reference count before it changes with each call on any processor.
#[derive(Clone)]
#[repr(align(64))]
pub(crate) struct Shared {
    pub(crate) table: &'static Table,
    /// The base URL without a trailing slash.
    pub(crate) base_url: String,
    /// The prefix of documented paths that the base URL already contains, under a path of the server's own.
    pub(crate) path_prefix: &'static str,
    pub(crate) credentials: Credentials,
    pub(crate) path_style: PathStyle,
    pub(crate) retry_tokens: Arc<RetryTokens>,
    pub(crate) limits: Arc<Limits>,
    pub(crate) unanswered: Arc<UnansweredChanges>,
    pub(crate) telemetry: Telemetry,
    pub(crate) clock: Clock,
    pub(crate) http: reqwest::Client,
    /// Opens a connection for each request. Creating calls use it instead of a pooled connection, which may be closing or may
    /// hold stray bytes that would be read as the response. It also reads more header lines, since the response to a creating
    /// call cannot be requested again.
    pub(crate) unpooled_http: reqwest::Client,
}

impl Shared {
    /// Returns the URL of a request. `parameters` are the parameters of the operation's path, in their order.
    pub(crate) fn url(&self, operation: &Operation, parameters: &[&Segment]) -> String {
        let path = operation.path.strip_prefix(self.path_prefix);
        // A prefix that ended within a segment would make the rest a part of the host.
        let path = path.filter(|rest| rest.is_empty() || rest.starts_with('/')).unwrap_or(operation.path);
        let mut url = String::with_capacity(self.base_url.len() + path.len() + 64);
        url.push_str(&self.base_url);
        let mut parameters = parameters.iter();
        for (at, part) in path.split(['{', '}']).enumerate() {
            // Every second part is the name of a parameter, which is in braces in the path.
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

    /// Returns the clock that measures the time of calls.
    pub fn clock(&self) -> &Clock {
        &self.shared.clock
    }

    /// Returns a transport with another policy.
    #[must_use]
    pub fn with_policy(&self, policy: Policy) -> Self {
        Self { policy, ..self.clone() }
    }

    /// Returns a transport that sends no changing request after `deadline`, however long a call may take. Use it for a value that
    /// a store marks as in flight: another worker may send the value some time after the mark has expired. A call that cannot be
    /// sent in time fails with [`Outcome::NotSent`](crate::error::Outcome::NotSent).
    #[must_use]
    pub fn with_send_deadline(&self, deadline: SendDeadline) -> Self {
        Self { send_deadline: Some(deadline), ..self.clone() }
    }

    /// Returns the time after which no changing request is sent, if one was set.
    pub fn send_deadline(&self) -> Option<SendDeadline> {
        self.send_deadline
    }

    /// Returns how this server expects its paths.
    pub fn path_style(&self) -> &PathStyle {
        &self.shared.path_style
    }

    /// Returns a transport for an endpoint that the supplier serves at a URL of its own. `address` replaces the base URL and
    /// `documented`, the prefix of the endpoint's path in the document (`/orders`). A relative `address` is resolved against the
    /// base URL. Connections, credentials, limits and retry budget are shared with this transport. The credentials must not be
    /// tokens, which are obtained below the base URL.
    ///
    /// # Errors
    /// Returns an error if the address is invalid, if its origin is neither that of the base URL nor in `allowed`, or if it is
    /// plain http although the base URL is https. Nothing is ever sent to another origin.
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

    /// Returns how long the server may still process unanswered changes of the object at `path` or of a part of it; `None` if
    /// there are none. `path` is the documented path with its parameters filled in, such as `/orders/17`. Only changes that this
    /// transport and its clones sent are known; changes with the body `except` do not count.
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
