use std::fmt;
use std::marker::PhantomData;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use progenitor_client::{ByteStream, ResponseValue};
use reqwest::Url;

use super::body::Body;
use super::connect::MOST_HEADERS;
use super::context::{Context, Shared};
use super::error::Error;
use super::paths::PathHabits;
use super::reply::Reply;
use super::send_deadline::SendDeadline;
use super::table::Table;
use crate::auth::{Credentials, is_private_way};
use crate::retry::{Limits, Policy, Purse, RateLimit, RetryBudget};

/// A generated client, as a [`Handle`] makes one for each call. Implemented by generated code.
pub trait Api: Sized {
    /// What differs between this API and others.
    const TABLE: &'static Table;

    /// A client for one call.
    fn connect(context: Context) -> Self;
}

/// The way to one supplier's API: connections, base address, credentials and policy. Cheap to clone.
///
/// ```no_run
/// # use lastmile_core::call::{Api, Handle, Error};
/// # use lastmile_core::progenitor_client::{self, ResponseValue};
/// # async fn example<Client: Api>(read: impl AsyncFn(&Client) -> Result<ResponseValue<String>, progenitor_client::Error<()>>)
/// # -> Result<(), Box<dyn std::error::Error>> {
/// let handle: Handle<Client> = Handle::builder("https://api.sp.example").build()?;
/// let reply = handle.call(|client| async move { read(&client).await }).await?;
/// println!("{} after {:?}", reply.status, reply.elapsed);
/// # Ok(())
/// # }
/// ```
pub struct Handle<C> {
    shared: Arc<Shared>,
    policy: Policy,
    send_deadline: Option<SendDeadline>,
    client: PhantomData<fn() -> C>,
}

impl<C: Api> Handle<C> {
    /// Begins a handle. `base` is the address that the paths of the API are appended to; a slash at its end does not
    /// matter.
    pub fn builder(base: impl Into<String>) -> Builder<C> {
        Builder {
            base: base.into(),
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
            client: PhantomData,
        }
    }

    /// The policy of this handle's calls.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The same way with another policy: for one call, or for a part of the program.
    #[must_use]
    pub fn with_policy(&self, policy: Policy) -> Self {
        Self { policy, ..self.clone() }
    }

    /// The same way, by which no request that changes something leaves after this moment, however long its call may take. For
    /// what was marked as being sent in a store: others may take it over some time after the mark has lapsed. A call that
    /// could not be sent in time fails with [`Outcome::NotSent`](super::Outcome::NotSent).
    #[must_use]
    pub fn with_send_deadline(&self, deadline: SendDeadline) -> Self {
        Self { send_deadline: Some(deadline), ..self.clone() }
    }

    /// The moment after which no request that changes something leaves, if one was set.
    pub fn send_deadline(&self) -> Option<SendDeadline> {
        self.send_deadline
    }

    /// The same way to one endpoint that the supplier has under an address of its own: `address` takes the place of the base
    /// and of `documented`, the beginning of the endpoint's path in the document (`/orders`). A relative address is taken
    /// from the base. Connections, credentials, limits and retry budget are those of this handle. The credentials must not
    /// be tokens, which are obtained below the base.
    ///
    /// # Errors
    /// When the address cannot be used, or is at another origin than the base and those `allowed`: nothing is ever sent
    /// there.
    pub fn at_endpoint(
        &self,
        address: &str,
        documented: &'static str,
        habits: PathHabits,
        allowed: &[&str],
    ) -> Result<Self, BuildError> {
        let own = format!("{}/", self.shared.base).parse::<Url>().map_err(|_| BuildError::NotAnAddress)?;
        let url = own.join(address).map_err(|_| BuildError::NotAnAddress)?;
        let url = checked_base(url.as_str())?;
        let is_allowed = |origin: &&str| origin.parse::<Url>().is_ok_and(|one| one.origin() == url.origin());
        if url.origin() != own.origin() && !allowed.iter().any(is_allowed) {
            return Err(BuildError::OtherOrigin { origin: url.origin().ascii_serialization() });
        }
        if own.scheme() == "https" && url.scheme() != "https" {
            return Err(BuildError::InTheOpen { host: url.host_str().unwrap_or_default().to_owned() });
        }
        let shared = Shared {
            base: url.as_str().trim_end_matches('/').to_owned(),
            stands_for: documented,
            origin: url.origin().ascii_serialization(),
            habits,
            ..(*self.shared).clone()
        };
        Ok(Self { shared: Arc::new(shared), ..self.clone() })
    }

    /// How long it takes until no unanswered change of the object at `path`, or of a part of it, can be carried out any more; none
    /// when there is none. `path` is the documented path with its parameters, such as `/orders/17`. Only changes that were sent
    /// with this handle and its clones are known; those with the body `except` do not count.
    pub fn unsettled_change(&self, path: &str, except: &[u8]) -> Option<Duration> {
        self.shared.unanswered.unsettled_below(path, except)
    }

    /// How this server wants its paths.
    pub fn path_habits(&self) -> &PathHabits {
        &self.shared.habits
    }

    fn context(&self) -> Context {
        Context::new(self.shared.clone(), self.policy.clone(), self.send_deadline)
    }

    /// Makes one call: `send` gets a client of its own and calls one of its methods, once. A second call with the same
    /// client is refused, since one outcome cannot tell what became of two.
    ///
    /// # Errors
    /// [`Error`] says what became of the request.
    pub async fn call<T, F, Fut>(&self, send: F) -> Result<Reply<T>, Error>
    where
        F: FnOnce(C) -> Fut,
        Fut: Future<Output = Result<ResponseValue<T>, progenitor_client::Error<()>>>,
    {
        let context = self.context();
        match send(C::connect(context.clone())).await {
            Ok(answer) => Ok(context.succeed(answer.into_inner())),
            Err(error) => Err(context.fail(error)),
        }
    }

    /// Makes a call of which nothing matters but what the answer says.
    ///
    /// ```no_run
    /// # use lastmile_core::call::{Api, Handle, Error};
    /// # use lastmile_core::progenitor_client::{self, ResponseValue};
    /// # async fn example<Client: Api>(
    /// #     handle: Handle<Client>,
    /// #     read: impl AsyncFn(&Client) -> Result<ResponseValue<String>, progenitor_client::Error<()>>,
    /// # ) -> Result<String, Error> {
    /// handle.value(|client| async move { read(&client).await }).await
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`call`](Self::call).
    pub async fn value<T, F, Fut>(&self, send: F) -> Result<T, Error>
    where
        F: FnOnce(C) -> Fut,
        Fut: Future<Output = Result<ResponseValue<T>, progenitor_client::Error<()>>>,
    {
        let context = self.context();
        match send(C::connect(context.clone())).await {
            Ok(answer) => {
                context.close();
                Ok(answer.into_inner())
            }
            Err(error) => Err(context.fail(error)),
        }
    }

    /// Makes a call that the supplier may answer with "nothing has changed" (status 304): then there is no reply.
    ///
    /// # Errors
    /// As [`call`](Self::call).
    pub async fn call_if_modified<T, F, Fut>(&self, send: F) -> Result<Option<Reply<T>>, Error>
    where
        F: FnOnce(C) -> Fut,
        Fut: Future<Output = Result<ResponseValue<T>, progenitor_client::Error<()>>>,
    {
        unless_not_modified(self.call(send).await)
    }

    /// Makes a call whose answer is read as it comes: what [`call`](Self::call) is to a method, this is to its `_stream`
    /// twin. There is no answer when nothing has changed (status 304).
    ///
    /// # Errors
    /// As [`call`](Self::call).
    pub async fn open<F, Fut>(&self, send: F) -> Result<Option<Reply<Body>>, Error>
    where
        F: FnOnce(C) -> Fut,
        Fut: Future<Output = Result<ResponseValue<ByteStream>, progenitor_client::Error<()>>>,
    {
        let context = self.context();
        let result = match send(C::connect(context.clone())).await {
            Ok(answer) => {
                let body = Body::new(answer.into_inner(), context.clone());
                Ok(context.open(body))
            }
            Err(error) => Err(context.fail(error)),
        };
        unless_not_modified(result)
    }
}

fn unless_not_modified<T>(result: Result<T, Error>) -> Result<Option<T>, Error> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.says_not_modified() => Ok(None),
        Err(error) => Err(error),
    }
}

impl<C> Clone for Handle<C> {
    fn clone(&self) -> Self {
        Self {
            shared: self.shared.clone(),
            policy: self.policy.clone(),
            send_deadline: self.send_deadline,
            client: PhantomData,
        }
    }
}

impl<C> fmt::Debug for Handle<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle")
            .field("api", &self.shared.table.api)
            .field("base", &self.shared.base)
            .field("credentials", &self.shared.credentials)
            .field("policy", &self.policy)
            .finish()
    }
}

/// Builds a [`Handle`].
pub struct Builder<C> {
    base: String,
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

impl<C: Api> Builder<C> {
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
    /// # use lastmile_core::call::{Api, BuildError, Handle};
    /// # fn example<Client: Api>() -> Result<Handle<Client>, BuildError> {
    /// Handle::builder("https://api.sp.example").requests_at_once(8).build()
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

    /// The handle.
    ///
    /// # Errors
    /// When the base address cannot be used, or would send credentials in the open.
    pub fn build(self) -> Result<Handle<C>, BuildError> {
        let base = checked_base(&self.base)?;
        // A proxy reads what is plain http.
        if base.scheme() != "https" && self.proxy.is_some() {
            return Err(BuildError::ProxyInTheOpen);
        }
        let (http, unshared) =
            (self.client(&base, usize::MAX, None)?, self.client(&base, 0, Some(MOST_HEADERS))?);
        let shared = Shared {
            table: C::TABLE,
            base: base.as_str().trim_end_matches('/').to_owned(),
            stands_for: "",
            origin: base.origin().ascii_serialization(),
            credentials: self.credentials,
            habits: self.habits,
            purse: Arc::new(Purse::new(self.budget)),
            limits: Arc::new(Limits::new(self.rate, self.at_once)),
            unanswered: Arc::default(),
            http,
            unshared,
        };
        Ok(Handle { shared: Arc::new(shared), policy: self.policy, send_deadline: None, client: PhantomData })
    }

    /// A client that keeps so many connections for later, and reads so many header lines of an answer.
    fn client(
        &self,
        base: &Url,
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
            None if base.scheme() != "https" => http = http.no_proxy(),
            None => {}
        }
        #[cfg(feature = "rustls")]
        if !self.roots.is_empty() {
            http = http.tls_certs_merge(self.roots.iter().cloned());
        }
        http.build().map_err(|error| BuildError::Client(error.without_url()))
    }
}

fn checked_base(base: &str) -> Result<Url, BuildError> {
    let url: Url = base.parse().map_err(|_| BuildError::NotAnAddress)?;
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
