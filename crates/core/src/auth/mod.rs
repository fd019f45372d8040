//! Credentials, and where they may go.
//!
//! Credentials are sent to the configured origin only, and only over https (loopback addresses excepted). No `Debug`,
//! error or span shows them.

use std::fmt;

mod token;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Url;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};

use crate::call::TokenFlow;
pub(crate) use token::{NoToken, Token, TokenSource};

/// What proves to a supplier who is calling: any number of headers, and a token that is obtained and renewed when needed.
///
/// ```
/// use lastmile_core::auth::Credentials;
///
/// let credentials = Credentials::none().header("Api-Key", "k-123")?.bearer("t-456")?;
/// assert_eq!(format!("{credentials:?}"), r#"Credentials(["api-key", "authorization"])"#);
/// # Ok::<(), lastmile_core::auth::CredentialError>(())
/// ```
#[derive(Clone, Default)]
pub struct Credentials {
    headers: Vec<(HeaderName, HeaderValue)>,
    token: Option<TokenSource>,
}

impl Credentials {
    /// No credentials.
    pub fn none() -> Self {
        Self::default()
    }

    /// Adds a key in a header of its own.
    ///
    /// # Errors
    /// When `name` is no header name or has a meaning of its own in HTTP, or `secret` is empty or holds what no header
    /// can carry.
    pub fn header(self, name: &str, secret: &str) -> Result<Self, CredentialError> {
        let parsed: Result<HeaderName, _> = name.parse();
        let name = parsed.map_err(|_| CredentialError::Name { header: name.to_owned() })?;
        if RESERVED.contains(&name.as_str()) {
            return Err(CredentialError::Reserved { header: name.to_string() });
        }
        let value = sensitive(&name, secret)?;
        self.set(name, value)
    }

    /// Adds a user and password as HTTP Basic authentication ([RFC 7617](https://www.rfc-editor.org/rfc/rfc7617)).
    ///
    /// # Errors
    /// When the user holds a colon, which Basic authentication cannot carry.
    pub fn basic(self, user: &str, password: &str) -> Result<Self, CredentialError> {
        if user.contains(':') {
            return Err(CredentialError::ColonInUser);
        }
        let value =
            sensitive(&AUTHORIZATION, &format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))))?;
        self.set(AUTHORIZATION, value)
    }

    /// Adds a token as a bearer token ([RFC 6750](https://www.rfc-editor.org/rfc/rfc6750)).
    ///
    /// # Errors
    /// When the token is empty or holds what no header can carry.
    pub fn bearer(self, token: &str) -> Result<Self, CredentialError> {
        sensitive(&AUTHORIZATION, token)?;
        let value = sensitive(&AUTHORIZATION, &format!("Bearer {token}"))?;
        self.set(AUTHORIZATION, value)
    }

    /// Adds a token that is obtained with `login`, the body of the request that obtains it, and renewed when it is about
    /// to expire or was refused. All clones share one token, and it is renewed once for all calls that wait for it.
    ///
    /// # Errors
    /// When there is a token, or another credential in `Authorization`, already.
    pub fn token(
        mut self,
        flow: &'static TokenFlow,
        login: &serde_json::Value,
    ) -> Result<Self, CredentialError> {
        if self.token.is_some() || self.headers.iter().any(|(name, _)| *name == AUTHORIZATION) {
            return Err(CredentialError::Twice { header: AUTHORIZATION.to_string() });
        }
        self.token = Some(TokenSource::new(flow, login));
        Ok(self)
    }

    pub(crate) fn token_source(&self) -> Option<&TokenSource> {
        self.token.as_ref()
    }

    fn set(mut self, name: HeaderName, value: HeaderValue) -> Result<Self, CredentialError> {
        let is_token_s = name == AUTHORIZATION && self.token.is_some();
        if is_token_s || self.headers.iter().any(|(other, _)| *other == name) {
            return Err(CredentialError::Twice { header: name.to_string() });
        }
        self.headers.push((name, value));
        Ok(self)
    }

    pub(crate) fn apply(&self, headers: &mut HeaderMap) {
        for (name, value) in &self.headers {
            headers.insert(name, value.clone());
        }
    }

    /// Whether a text that a server sent repeats one of the secrets.
    pub(crate) fn occur_in(&self, text: &str) -> bool {
        let in_token = self.token.as_ref().is_some_and(|token| token.occurs_in(text));
        in_token
            || self.headers.iter().filter_map(|(_, value)| value.to_str().ok()).any(|secret| {
                // The scheme of an Authorization header is no secret; what follows it is.
                let token = secret.split_once(' ').map_or("", |(_, token)| token);
                text.contains(secret) || (!token.is_empty() && text.contains(token))
            })
    }
}

/// Headers that the request itself needs.
const RESERVED: [&str; 12] = [
    "accept",
    "accept-encoding",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "expect",
    "host",
    "te",
    "transfer-encoding",
    "upgrade",
    "user-agent",
];

impl fmt::Debug for Credentials {
    /// Shows the names of the headers only.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let token = self.token.as_ref().map(|_| AUTHORIZATION);
        let names: Vec<&str> = self
            .headers
            .iter()
            .map(|(name, _)| name.as_str())
            .chain(token.as_ref().map(HeaderName::as_str))
            .collect();
        f.debug_tuple("Credentials").field(&names).finish()
    }
}

fn sensitive(name: &HeaderName, secret: &str) -> Result<HeaderValue, CredentialError> {
    if secret.trim().is_empty() {
        return Err(CredentialError::Empty { header: name.to_string() });
    }
    let unfit = |c: char| !(c == ' ' || c.is_ascii_graphic());
    if let Some((at, _)) = secret.char_indices().find(|(_, c)| unfit(*c)) {
        return Err(CredentialError::Character { header: name.to_string(), at });
    }
    let mut value = HeaderValue::from_str(secret)
        .map_err(|_| CredentialError::Character { header: name.to_string(), at: 0 })?;
    value.set_sensitive(true);
    Ok(value)
}

/// Why credentials cannot be used. Names the header, never the secret.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CredentialError {
    /// The name is not a header name.
    Name {
        /// The name.
        header: String,
    },
    /// The header has a meaning of its own in HTTP, and can carry no key.
    Reserved {
        /// Its name.
        header: String,
    },
    /// Two credentials are for the same header.
    Twice {
        /// Its name.
        header: String,
    },
    /// The secret is empty.
    Empty {
        /// The header it is for.
        header: String,
    },
    /// The secret holds a character that no header can carry, a line break for instance.
    Character {
        /// The header it is for.
        header: String,
        /// Where the character begins, in bytes.
        at: usize,
    },
    /// The user name of Basic authentication holds a colon.
    ColonInUser,
}

impl fmt::Display for CredentialError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name { header } => {
                write!(f, "{header:?} is not a header name: use letters, digits and hyphens")
            }
            Self::Reserved { header } => {
                write!(
                    f,
                    "{header} has a meaning of its own in HTTP: take the name that the supplier gave you"
                )
            }
            Self::Twice { header } => {
                write!(f, "two credentials are for {header}: give each a header of its own")
            }
            Self::Empty { header } => {
                write!(f, "the secret for {header} is empty: check where it is read from")
            }
            Self::Character { header, at } => write!(
                f,
                "the secret for {header} holds a character at byte {at} that no header can carry: look for line breaks \
                 and letters beyond ASCII where it is read from"
            ),
            Self::ColonInUser => {
                f.write_str("the user name holds a colon, which Basic authentication cannot carry")
            }
        }
    }
}

impl std::error::Error for CredentialError {}

/// Whether what is sent to this address cannot be read on the way: https, or an address of this machine.
pub(crate) fn is_private_way(url: &Url) -> bool {
    url.scheme() == "https" || is_loopback(url)
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || address.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basic_is_what_the_rfc_shows() {
        let credentials = Credentials::none().basic("Aladdin", "open sesame").unwrap();
        let mut headers = HeaderMap::new();
        credentials.apply(&mut headers);
        assert_eq!(headers[AUTHORIZATION], "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        assert_eq!(format!("{headers:?}"), r#"{"authorization": Sensitive}"#);
    }

    #[test]
    fn bad_secrets_are_named_by_their_header_alone() {
        let bad = [("", "empty"), (" ", "empty"), ("s3cret\n", "byte 6"), ("gehéim", "byte 3")];
        for (secret, says) in bad {
            let error = Credentials::none().header("Api-Key", secret).unwrap_err().to_string();
            assert!(error.contains("api-key") && error.contains(says), "{error}");
            assert!(secret.trim().is_empty() || !error.contains(secret.trim()), "{error}");
        }
        let unnamed = Credentials::none().header("no header", "x").unwrap_err();
        assert_eq!(
            unnamed.to_string(),
            r#""no header" is not a header name: use letters, digits and hyphens"#
        );
        let host = Credentials::none().header("Host", "x").unwrap_err();
        assert_eq!(host, CredentialError::Reserved { header: "host".to_owned() });
        let twice = Credentials::none().header("Authorization", "x").unwrap().bearer("y").unwrap_err();
        assert_eq!(twice, CredentialError::Twice { header: "authorization".to_owned() });
        assert_eq!(Credentials::none().basic("a:b", "x").unwrap_err(), CredentialError::ColonInUser);
        assert!(Credentials::none().bearer("").is_err());
    }

    #[test]
    fn ways() {
        for (url, private) in [
            ("https://api.sp.example/", true),
            ("http://api.sp.example/", false),
            ("http://127.0.0.1:1/", true),
            ("http://127.9.9.9/", true),
            ("http://[::1]:1/", true),
            ("http://LOCALHOST/", true),
            ("http://127.0.0.1.api.sp.example/", false),
            ("http://localhost.api.sp.example/", false),
            ("http://10.0.0.1/", false),
        ] {
            assert_eq!(is_private_way(&url.parse().unwrap()), private, "{url}");
        }
    }
}
