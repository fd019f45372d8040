use std::fmt;
use std::marker::PhantomData;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;
use reqwest::header::HeaderValue;

use super::build_error::BuildError;
use super::paths::PathStyle;
use super::{ApiClient, Shared, Transport, UnansweredChanges};
use crate::auth::{Credentials, is_private_url};
use crate::classify::{HYPER_MOST_HEADERS, MOST_HEADERS};
use crate::clock::Clock;
use crate::observe::{Observer, Telemetry};
use crate::retry::{Limits, Policy, RateLimit, RetryBudget, RetryTokens};
use crate::setters::setters;

/// A function that changes how an HTTP client is built.
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
    clock: Clock,
    client: PhantomData<fn() -> C>,
}

impl<C> fmt::Debug for Builder<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The base URL is not validated yet and may contain a password.
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
            clock: Clock::default(),
            client: PhantomData,
        }
    }

    setters! {
        /// Sets the credentials of requests. None by default.
        credentials(credentials: Credentials);

        /// Sets the time limits, attempts and size limits of calls. [`Policy::default`] by default. A single call can use another
        /// policy ([`Transport::with_policy`]).
        policy(policy: Policy);

        /// Sets how many retries all calls of the client and its clones may make together, including calls with another policy.
        /// [`RetryBudget::default`] by default.
        retry_budget(budget: RetryBudget);

        /// Limits how many requests all calls of the client and its clones may send in a period of time, including calls with
        /// another policy. Token requests do not count. No limit by default.
        rate_limit(rate: RateLimit);

        /// Limits how many requests the client and its clones may have in flight, including those of calls with another policy. 64
        /// by default, and at least 1. Further requests wait in the order in which they arrived, until their deadlines. Calls that
        /// create something have a separate limit of the same size, so that slow reads do not delay them. A list that is read row
        /// by row counts until the head of its response has arrived. Token requests do not count.
        ///
        /// ```
        /// # use lastmile_core::client::{ApiClient, BuildError, Builder};
        /// # fn example<Client: ApiClient>(builder: Builder<Client>) -> Result<Client, BuildError> {
        /// builder.max_in_flight(8).build()
        /// # }
        /// ```
        max_in_flight(max_in_flight: usize);

        /// Sets how the server expects its paths. As documented by default.
        path_style(path_style: PathStyle);

        /// Limits how long establishing a connection may take, including TLS. 10 seconds by default.
        connect_timeout(connect_timeout: Duration);

        /// Sends every request through this proxy. By default, the proxy from the environment (`HTTPS_PROXY`) is used. A proxy
        /// requires an https base URL.
        proxy(proxy: reqwest::Proxy);

        /// Sets the certificate that is presented to servers that request one (mutual TLS). None by default.
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
        client_certificate(identity: reqwest::Identity);

        /// Sets the local address that connections are made from. The operating system selects one by default.
        local_address(local_address: IpAddr);

        /// Sets the observer that receives reports of calls, attempts, waits and token requests, for metrics: see
        /// [`observe`](crate::observe). None by default.
        observer(observer: Arc<dyn Observer>);

        /// Sets the clock of the client, for tests. The clocks of the machine by default.
        #[cfg(feature = "testing")]
        clock(clock: Clock);
    }

    /// Trusts an additional root certificate, besides those of the platform and those added before. None by default.
    #[cfg(feature = "rustls")]
    #[must_use]
    pub fn root_certificate(mut self, certificate: reqwest::Certificate) -> Self {
        self.roots.push(certificate);
        self
    }

    /// Adds the program's name to the header `User-Agent`, before the name of this library: `order-service/1.4 lastmile/0.1.0`.
    /// By default, the header contains the library's name only.
    #[must_use]
    pub fn user_agent(mut self, product: impl Into<String>) -> Self {
        self.user_agent = Some(product.into());
        self
    }

    /// Applies a function to the builders of the HTTP clients, for settings without a method here, such as name resolution, TCP
    /// options or TLS versions. No function by default; a later function replaces an earlier one.
    ///
    /// The function is called for each of the two HTTP clients: the one that pools connections and the one that opens a
    /// connection per request. This library's own settings are applied afterwards and always take precedence: no redirects, no
    /// retries, HTTP/1.1, the pools, the parsing of response headers, the limit of response headers, the user agent,
    /// [`connect_timeout`](Self::connect_timeout), no verbose connection logs and, for plain http, no proxy. Headers that a call
    /// sets (`Accept`, `Content-Type`, `If-Modified-Since`, the credentials) override default headers; other default headers are
    /// sent with every request, token requests included.
    ///
    /// Total and read timeouts that the function sets also end streams and creating calls, earlier than the policy does, and make
    /// their outcome indeterminate. Set these limits in the [`Policy`] instead.
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

    /// Builds the client.
    ///
    /// # Errors
    /// Returns an error if the base URL, the user agent or the settings of the HTTP client are invalid, or if credentials would
    /// be sent unencrypted.
    pub fn build(self) -> Result<C, BuildError> {
        let base_url = checked_base_url(&self.base_url)?;
        // A proxy can read plain http.
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
            limits: Arc::new(Limits::new(self.rate, self.max_in_flight, self.clock.clone())),
            unanswered: Arc::new(UnansweredChanges::new(self.clock.clone())),
            telemetry: Telemetry::new(C::TABLE.api, &base_url, self.observer),
            clock: self.clock,
            http,
            unpooled_http,
        };
        Ok(Transport { shared: Arc::new(shared), policy: self.policy, send_deadline: None }.into())
    }

    /// Builds an HTTP client that pools at most `idle` idle connections and reads at most `most_headers` header lines of a
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
            // Resets a limit that the function set for both clients. Without a function, nothing is set, since hyper's default
            // limit costs no allocation.
            http = http.http1_max_headers(HYPER_MOST_HEADERS);
        }
        http = http
            .user_agent(self.full_user_agent()?)
            // Verbose logs show the personal data of responses and the credentials of requests.
            .connection_verbose(false)
            // HTTP/2 requests share a connection, whatever the pool.
            .http1_only()
            // The call layer follows redirects, since it knows which requests may be repeated.
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .connect_timeout(self.connect_timeout)
            .pool_max_idle_per_host(idle)
            // Servers usually keep idle connections longer, so few requests use a connection that is being closed.
            .pool_idle_timeout(Duration::from_secs(15))
            // Tolerates header lines that HTTP/1.1 does not allow: they must not make the response to a creating call unreadable.
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
