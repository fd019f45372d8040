/// Why a client cannot be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The base URL is not an http or https URL.
    #[error("the base is not an address: give one such as https://api.sp.example")]
    NotAnAddress,
    /// The base URL contains a user or password.
    #[error("the base holds a user or password: take them out and give them as credentials")]
    CredentialsInAddress,
    /// The base URL has a query or a fragment.
    #[error("the base has a query or fragment: give the address up to its path")]
    MoreThanAPath,
    /// The base URL is plain http to another machine.
    #[error(
        "plain http to {host} would send credentials and orders in the open: use https (http is for addresses of this \
         machine only)"
    )]
    Unencrypted {
        /// The host of the base URL.
        host: String,
    },
    /// The endpoint has an origin that the caller did not allow.
    #[error("the endpoint is at {origin}, which gets no credentials: allow that origin if you trust it")]
    OtherOrigin {
        /// The origin of the endpoint.
        origin: String,
    },
    /// A proxy is configured for a plain http base URL.
    #[error(
        "a proxy would read the credentials of plain http: use https, or no proxy for this machine's own address"
    )]
    UnencryptedProxy,
    /// The user agent is empty or contains a character that no header can carry.
    #[error(
        "the user agent cannot be sent: give a name and version in visible ASCII, such as order-service/1.4"
    )]
    UserAgent,
    /// The base URL is https, and this build does not support TLS.
    #[error("the base is https and this build has no TLS: switch the feature `rustls` on")]
    NoTls,
    /// The HTTP client cannot be built.
    #[error("the HTTP client cannot be set up: see the source of this error")]
    Client(#[source] reqwest::Error),
}
