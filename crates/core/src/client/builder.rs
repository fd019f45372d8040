use std::fmt;
use std::marker::PhantomData;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;

use super::paths::PathHabits;
use super::{ApiClient, Shared, Transport};
use crate::auth::{Credentials, is_private_way};
use crate::classify::MOST_HEADERS;
use crate::observe::{Observer, Telemetry};
use crate::retry::{Limits, Policy, Purse, RateLimit, RetryBudget};

/// Builds a generated client. Its method `builder` returns one.
pub struct Builder<C> {
    base_url: String,
    credentials: Credentials,
    policy: Policy,
    habits: PathHabits,
    budget: RetryBudget,
    rate: Option<RateLimit>,
    at_once: usize,
    connect_timeout: Duration,
    proxy: Option<reqwest::Proxy>,
    #[cfg(feature = "rustls")]
    roots: Vec<reqwest::Certificate>,
    local_address: Option<IpAddr>,
    observer: Option<Arc<dyn Observer>>,
    client: PhantomData<fn() -> C>,
}

impl<C> fmt::Debug for Builder<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The base address is not checked yet and may hold a password.
        f.debug_struct("Builder")
            .field("credentials", &self.credentials)
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}

impl<C: ApiClient> Builder<C> {
    #[doc(hidden)]
    pub fn new(base_url: impl Into<String>) -> Self {
        Self {
            base_url: base_url.into(),
            credentials: Credentials::none(),
            policy: Policy::default(),
            habits: PathHabits::default(),
            budget: RetryBudget::default(),
            rate: None,
            at_once: 64,
            connect_timeout: Duration::from_secs(10),
            proxy: None,
            #[cfg(feature = "rustls")]
            roots: Vec::new(),
            local_address: None,
            observer: None,
            client: PhantomData,
        }
    }

    /// Who is calling.
    #[must_use]
    pub fn credentials(mut self, credentials: Credentials) -> Self {
        self.credentials = credentials;
        self
    }

    /// Deadline, attempts and limits of calls.
    #[must_use]
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// How many further attempts all calls of the handle may make together, those with another policy included.
    #[must_use]
    pub fn retry_budget(mut self, budget: RetryBudget) -> Self {
        self.budget = budget;
        self
    }

    /// How many requests all calls of the handle may send together, those with another policy included. Requests for tokens
    /// are not counted.
    #[must_use]
    pub fn rate_limit(mut self, limit: RateLimit) -> Self {
        self.rate = Some(limit);
        self
    }

    /// How many requests of all calls of the handle, those with another policy included, may be under way at the same time: 64 by
    /// default, and 1 at least. Others wait in the order in which they came, as long as their deadlines let them. Calls that
    /// create something are counted by themselves, so that reads that hang keep none of them waiting. A list that is read as it
    /// comes counts until its head is there; requests for tokens are not counted.
    ///
    /// ```
    /// # use lastmile_core::client::{ApiClient, BuildError, Builder};
    /// # fn example<Client: ApiClient>(builder: Builder<Client>) -> Result<Client, BuildError> {
    /// builder.requests_at_once(8).build()
    /// # }
    /// ```
    #[must_use]
    pub fn requests_at_once(mut self, requests: usize) -> Self {
        self.at_once = requests;
        self
    }

    /// How this server wants its paths.
    #[must_use]
    pub fn path_habits(mut self, habits: PathHabits) -> Self {
        self.habits = habits;
        self
    }

    /// How long connecting may take. 10 seconds by default.
    #[must_use]
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// A proxy for every call, in place of the one that the environment names.
    #[must_use]
    pub fn proxy(mut self, proxy: reqwest::Proxy) -> Self {
        self.proxy = Some(proxy);
        self
    }

    /// Trusts one more root certificate.
    #[cfg(feature = "rustls")]
    #[must_use]
    pub fn root_certificate(mut self, certificate: reqwest::Certificate) -> Self {
        self.roots.push(certificate);
        self
    }

    /// Calls from this address of the machine.
    #[must_use]
    pub fn local_address(mut self, address: IpAddr) -> Self {
        self.local_address = Some(address);
        self
    }

    /// Reports calls, attempts, waits and token requests to this observer, for metrics: see [`observe`](crate::observe). None by
    /// default.
    #[must_use]
    pub fn observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observer = Some(observer);
        self
    }

    /// Builds the client.
    ///
    /// # Errors
    /// When the base URL cannot be used, or would send credentials in the open.
    pub fn build(self) -> Result<C, BuildError> {
        let base_url = checked_base_url(&self.base_url)?;
        // A proxy reads what is plain http.
        if base_url.scheme() != "https" && self.proxy.is_some() {
            return Err(BuildError::ProxyInTheOpen);
        }
        let (http, unpooled_http) =
            (self.http(&base_url, usize::MAX, None)?, self.http(&base_url, 0, Some(MOST_HEADERS))?);
        let shared = Shared {
            table: C::TABLE,
            base_url: base_url.as_str().trim_end_matches('/').to_owned(),
            path_prefix: "",
            credentials: self.credentials,
            habits: self.habits,
            purse: Arc::new(Purse::new(self.budget)),
            limits: Arc::new(Limits::new(self.rate, self.at_once)),
            unanswered: Arc::default(),
            telemetry: Telemetry::new(C::TABLE.api, &base_url, self.observer),
            http,
            unpooled_http,
        };
        Ok(Transport { shared: Arc::new(shared), policy: self.policy, send_deadline: None }.into())
    }

    /// An HTTP client that keeps at most `idle` idle connections, and reads at most `most_headers` header lines of a response.
    fn http(
        &self,
        base_url: &Url,
        idle: usize,
        most_headers: Option<usize>,
    ) -> Result<reqwest::Client, BuildError> {
        let mut http = reqwest::Client::builder()
            .user_agent(concat!("lastmile/", env!("CARGO_PKG_VERSION")))
            // Redirects are followed by the call layer, which knows what may be repeated where.
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .connect_timeout(self.connect_timeout)
            .pool_max_idle_per_host(idle)
            // Shorter than servers usually keep an idle connection, so that few requests meet a closing one.
            .pool_idle_timeout(Duration::from_secs(15))
            .local_address(self.local_address)
            // Headers that HTTP/1.1 does not allow cost themselves, not the answer: of a creation that would be lost.
            .http1_allow_obsolete_multiline_headers_in_responses(true)
            .http1_allow_spaces_after_header_name_in_responses(true)
            .http1_ignore_invalid_headers_in_responses(true);
        if let Some(most) = most_headers {
            http = http.http1_max_headers(most);
        }
        match &self.proxy {
            Some(proxy) => http = http.proxy(proxy.clone()),
            None if base_url.scheme() != "https" => http = http.no_proxy(),
            None => {}
        }
        #[cfg(feature = "rustls")]
        if !self.roots.is_empty() {
            http = http.tls_certs_merge(self.roots.iter().cloned());
        }
        http.build().map_err(|error| BuildError::Client(error.without_url()))
    }
}

pub(super) fn checked_base_url(base_url: &str) -> Result<Url, BuildError> {
    let url: Url = base_url.parse().map_err(|_| BuildError::NotAnAddress)?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(BuildError::NotAnAddress);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(BuildError::CredentialsInAddress);
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(BuildError::MoreThanAPath);
    }
    if !is_private_way(&url) {
        return Err(BuildError::InTheOpen { host: url.host_str().unwrap_or_default().to_owned() });
    }
    if url.scheme() == "https" && !cfg!(feature = "rustls") {
        return Err(BuildError::NoTls);
    }
    Ok(url)
}

/// Why a handle cannot be built.
#[derive(Debug)]
#[non_exhaustive]
pub enum BuildError {
    /// The base is no http or https address.
    NotAnAddress,
    /// The base holds a user or password.
    CredentialsInAddress,
    /// The base has a query or a fragment.
    MoreThanAPath,
    /// The base is plain http to another machine.
    InTheOpen {
        /// The other machine.
        host: String,
    },
    /// An endpoint is at an origin that the caller did not allow.
    OtherOrigin {
        /// The origin.
        origin: String,
    },
    /// A proxy is given for a base that is plain http.
    ProxyInTheOpen,
    /// The base is https, and this build has no TLS.
    NoTls,
    /// The HTTP client cannot be set up.
    Client(reqwest::Error),
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAnAddress => {
                f.write_str("the base is not an address: give one such as https://api.sp.example")
            }
            Self::CredentialsInAddress => {
                f.write_str("the base holds a user or password: take them out and give them as credentials")
            }
            Self::MoreThanAPath => {
                f.write_str("the base has a query or fragment: give the address up to its path")
            }
            Self::InTheOpen { host } => write!(
                f,
                "plain http to {host} would send credentials and orders in the open: use https (http is for addresses of \
                 this machine only)"
            ),
            Self::OtherOrigin { origin } => write!(
                f,
                "the endpoint is at {origin}, which gets no credentials: allow that origin if you trust it"
            ),
            Self::ProxyInTheOpen => f.write_str(
                "a proxy would read the credentials of plain http: use https, or no proxy for this machine's own address",
            ),
            Self::NoTls => {
                f.write_str("the base is https and this build has no TLS: switch the feature `rustls` on")
            }
            Self::Client(_) => f.write_str("the HTTP client cannot be set up: see the source of this error"),
        }
    }
}

impl std::error::Error for BuildError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Client(error) => Some(error),
            _ => None,
        }
    }
}
