use std::fmt;
use std::marker::PhantomData;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;
use reqwest::header::HeaderValue;

use super::build_error::BuildError;
use super::paths::PathStyle;
use super::{ApiClient, Shared, Transport};
use crate::auth::{Credentials, is_private_url};
use crate::classify::{HYPER_MOST_HEADERS, MOST_HEADERS};
use crate::observe::{Observer, Telemetry};
use crate::retry::{Limits, Policy, RateLimit, RetryBudget, RetryTokens};

/// Changes how an HTTP client is built.
type ConfigureHttp = dyn Fn(reqwest::ClientBuilder) -> reqwest::ClientBuilder + Send + Sync;

/// Builds a generated client. Its method `builder` returns one.
pub struct Builder<C> {
    base_url: String,
    credentials: Credentials,
    policy: Policy,
    path_style: PathStyle,
    budget: RetryBudget,
    rate: Option<RateLimit>,
    max_in_flight: usize,
    connect_timeout: Duration,
    proxy: Option<reqwest::Proxy>,
    #[cfg(feature = "rustls")]
    roots: Vec<reqwest::Certificate>,
    #[cfg(feature = "rustls")]
    identity: Option<reqwest::Identity>,
    user_agent: Option<String>,
    local_address: Option<IpAddr>,
    configure_http: Option<Box<ConfigureHttp>>,
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
            path_style: PathStyle::default(),
            budget: RetryBudget::default(),
            rate: None,
            max_in_flight: 64,
            connect_timeout: Duration::from_secs(10),
            proxy: None,
            #[cfg(feature = "rustls")]
            roots: Vec::new(),
            #[cfg(feature = "rustls")]
            identity: None,
            user_agent: None,
            local_address: None,
            configure_http: None,
            observer: None,
            client: PhantomData,
        }
    }

    /// Sets the credentials that requests are sent with. None by default.
    #[must_use]
    pub fn credentials(mut self, credentials: Credentials) -> Self {
        self.credentials = credentials;
        self
    }

    /// Sets the time limits, attempts and size limits of calls: [`Policy::default`] by default. A call can be made with another
    /// policy ([`Transport::with_policy`]).
    #[must_use]
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// Sets how many retries all calls of the client and its clones may make together, calls with another policy included:
    /// [`RetryBudget::default`] by default.
    #[must_use]
    pub fn retry_budget(mut self, budget: RetryBudget) -> Self {
        self.budget = budget;
        self
    }

    /// Limits how many requests all calls of the client and its clones may send in a period of time, calls with another policy
    /// included. Requests for tokens are not counted. No limit by default.
    #[must_use]
    pub fn rate_limit(mut self, limit: RateLimit) -> Self {
        self.rate = Some(limit);
        self
    }

    /// Limits how many requests all calls of the client and its clones, calls with another policy included, may have in flight
    /// at the same time: 64 by default, and 1 at least. Further requests wait in the order in which they came, as long as their
    /// deadlines allow. Calls that create something have a limit of their own of the same size, so that reads that hang delay
    /// none of them. A list that is read row by row counts until the head of its response has arrived; requests for tokens are
    /// not counted.
    ///
    /// ```
    /// # use lastmile_core::client::{ApiClient, BuildError, Builder};
    /// # fn example<Client: ApiClient>(builder: Builder<Client>) -> Result<Client, BuildError> {
    /// builder.max_in_flight(8).build()
    /// # }
    /// ```
    #[must_use]
    pub fn max_in_flight(mut self, requests: usize) -> Self {
        self.max_in_flight = requests;
        self
    }

    /// Sets how the server wants its paths: as documented, by default.
    #[must_use]
    pub fn path_style(mut self, path_style: PathStyle) -> Self {
        self.path_style = path_style;
        self
    }

    /// Limits how long it may take to establish a connection, TLS included: 10 seconds by default.
    #[must_use]
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Sends every request through this proxy, instead of the one that the environment names (`HTTPS_PROXY`), which is used by
    /// default. A proxy can only be used with an https base URL.
    #[must_use]
    pub fn proxy(mut self, proxy: reqwest::Proxy) -> Self {
        self.proxy = Some(proxy);
        self
    }

    /// Trusts one more root certificate, in addition to those of the platform and those given before. None by default.
    #[cfg(feature = "rustls")]
    #[must_use]
    pub fn root_certificate(mut self, certificate: reqwest::Certificate) -> Self {
        self.roots.push(certificate);
        self
    }

    /// Presents this certificate to servers that ask for one (mutual TLS). None by default.
    ///
    /// ```no_run
    /// # use lastmile_core::client::{ApiClient, Builder};
    /// use lastmile_core::reqwest::Identity;
    ///
    /// # fn example<Client: ApiClient>(builder: Builder<Client>) -> Result<Client, Box<dyn std::error::Error>> {
    /// // The private key and the certificate, in PEM.
    /// let identity = Identity::from_pem(&std::fs::read("client.pem")?)?;
    /// Ok(builder.client_certificate(identity).build()?)
    /// # }
    /// ```
    #[cfg(feature = "rustls")]
    #[must_use]
    pub fn client_certificate(mut self, identity: reqwest::Identity) -> Self {
        self.identity = Some(identity);
        self
    }

    /// Names the program in the header `User-Agent`, before the name of this library: `order-service/1.4 lastmile/0.1.0`.
    /// Suppliers see who calls, and with what. By default the library's name stands alone.
    #[must_use]
    pub fn user_agent(mut self, product: impl Into<String>) -> Self {
        self.user_agent = Some(product.into());
        self
    }

    /// Connects from this address of the machine. The operating system chooses one by default.
    #[must_use]
    pub fn local_address(mut self, address: IpAddr) -> Self {
        self.local_address = Some(address);
        self
    }

    /// Applies a function to the builders of the HTTP clients, for what has no method here: name resolution, TCP options, TLS
    /// versions and the like. Nothing by default; a function given later replaces the one before.
    ///
    /// It is called for each of the two HTTP clients, the one that keeps connections and the one that makes a connection per
    /// request, before this library's own settings, which always win: no redirects, no retries, HTTP/1.1, the pools, the
    /// parsing of response headers, the limit of response headers, the user agent, [`connect_timeout`](Self::connect_timeout),
    /// no dumps of requests and responses in logs and, for plain http, no proxy. Headers that a call sets (`Accept`,
    /// `Content-Type`, `If-Modified-Since`, the credentials) win over default headers; other default headers are sent with
    /// every request, token requests included.
    ///
    /// Total and read timeouts set there also end streams and creating calls, earlier than the policy does, and make their
    /// outcome unknown: leave them to the [`Policy`].
    ///
    /// ```
    /// # use lastmile_core::client::{ApiClient, BuildError, Builder};
    /// # fn example<Client: ApiClient>(builder: Builder<Client>) -> Result<Client, BuildError> {
    /// use std::time::Duration;
    ///
    /// builder.configure_http(|http| http.tcp_keepalive(Duration::from_secs(30))).build()
    /// # }
    /// ```
    #[must_use]
    pub fn configure_http(
        mut self,
        configure: impl Fn(reqwest::ClientBuilder) -> reqwest::ClientBuilder + Send + Sync + 'static,
    ) -> Self {
        self.configure_http = Some(Box::new(configure));
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
    /// When the base URL, the user agent or the HTTP client's settings cannot be used, or the base URL would send credentials
    /// in the open.
    pub fn build(self) -> Result<C, BuildError> {
        let base_url = checked_base_url(&self.base_url)?;
        // A proxy reads what is plain http.
        if base_url.scheme() != "https" && self.proxy.is_some() {
            return Err(BuildError::UnencryptedProxy);
        }
        let (http, unpooled_http) =
            (self.http(&base_url, usize::MAX, None)?, self.http(&base_url, 0, Some(MOST_HEADERS))?);
        let shared = Shared {
            table: C::TABLE,
            base_url: base_url.as_str().trim_end_matches('/').to_owned(),
            path_prefix: "",
            credentials: self.credentials,
            path_style: self.path_style,
            retry_tokens: Arc::new(RetryTokens::new(self.budget)),
            limits: Arc::new(Limits::new(self.rate, self.max_in_flight)),
            unanswered: Arc::default(),
            telemetry: Telemetry::new(C::TABLE.api, &base_url, self.observer),
            http,
            unpooled_http,
        };
        Ok(Transport { shared: Arc::new(shared), policy: self.policy, send_deadline: None }.into())
    }

    /// Builds an HTTP client that keeps at most `idle` idle connections, and reads at most `most_headers` header lines of a
    /// response.
    fn http(
        &self,
        base_url: &Url,
        idle: usize,
        most_headers: Option<usize>,
    ) -> Result<reqwest::Client, BuildError> {
        let mut http = reqwest::Client::builder();
        if let Some(configure) = &self.configure_http {
            http = configure(http);
            // What it sets applies to both clients; without it, hyper's own limit costs nothing.
            http = http.http1_max_headers(HYPER_MOST_HEADERS);
        }
        http = http
            .user_agent(self.full_user_agent()?)
            // A response that is logged byte by byte shows personal data, and a request its credentials.
            .connection_verbose(false)
            // Connections of HTTP/2 are shared by requests, whatever their pool.
            .http1_only()
            // Redirects are followed by the call layer, which knows what may be repeated where.
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .connect_timeout(self.connect_timeout)
            .pool_max_idle_per_host(idle)
            // Shorter than servers usually keep an idle connection, so that few requests meet a closing one.
            .pool_idle_timeout(Duration::from_secs(15))
            // Headers that HTTP/1.1 does not allow cost themselves, not the answer: of a creation that would be lost.
            .http1_allow_obsolete_multiline_headers_in_responses(true)
            .http1_allow_spaces_after_header_name_in_responses(true)
            .http1_ignore_invalid_headers_in_responses(true);
        if let Some(address) = self.local_address {
            http = http.local_address(address);
        }
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
        #[cfg(feature = "rustls")]
        if let Some(identity) = &self.identity {
            http = http.identity(identity.clone());
        }
        http.build().map_err(|error| BuildError::Client(error.without_url()))
    }

    /// Returns the value of the header `User-Agent`.
    fn full_user_agent(&self) -> Result<HeaderValue, BuildError> {
        const OWN: &str = concat!("lastmile/", env!("CARGO_PKG_VERSION"));
        let Some(product) = &self.user_agent else { return Ok(HeaderValue::from_static(OWN)) };
        if product.trim().is_empty() || !product.is_ascii() {
            return Err(BuildError::UserAgent);
        }
        format!("{product} {OWN}").parse().map_err(|_| BuildError::UserAgent)
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
    if !is_private_url(&url) {
        return Err(BuildError::Unencrypted { host: url.host_str().unwrap_or_default().to_owned() });
    }
    if url.scheme() == "https" && !cfg!(feature = "rustls") {
        return Err(BuildError::NoTls);
    }
    Ok(url)
}
