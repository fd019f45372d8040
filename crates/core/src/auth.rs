//! Credentials, and where they may go.
//!
//! Credentials are sent to the configured origin only, and only over https (loopback addresses excepted). No `Debug`,
//! error or span shows them.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Url;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};

/// What proves to a supplier who is calling: any number of headers.
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
}

impl Credentials {
    /// No credentials.
    pub fn none() -> Self {
        Self::default()
    }

    /// Adds a key in a header of its own, in place of an earlier one of that name.
    ///
    /// # Errors
    /// When `name` is no header name, or `secret` is empty or holds what no header can carry.
    pub fn header(mut self, name: &str, secret: &str) -> Result<Self, CredentialError> {
        let name: HeaderName = name.parse().map_err(|_| CredentialError::Name)?;
        let value = sensitive(&name, secret)?;
        self.set(name, value);
        Ok(self)
    }

    /// Adds a user and password as HTTP Basic authentication ([RFC 7617](https://www.rfc-editor.org/rfc/rfc7617)).
    ///
    /// # Errors
    /// When the user holds a colon, which Basic authentication cannot carry.
    pub fn basic(mut self, user: &str, password: &str) -> Result<Self, CredentialError> {
        if user.contains(':') {
            return Err(CredentialError::ColonInUser);
        }
        let value =
            sensitive(&AUTHORIZATION, &format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))))?;
        self.set(AUTHORIZATION, value);
        Ok(self)
    }

    /// Adds a token as a bearer token ([RFC 6750](https://www.rfc-editor.org/rfc/rfc6750)).
    ///
    /// # Errors
    /// When the token is empty or holds what no header can carry.
    pub fn bearer(mut self, token: &str) -> Result<Self, CredentialError> {
        sensitive(&AUTHORIZATION, token)?;
        let value = sensitive(&AUTHORIZATION, &format!("Bearer {token}"))?;
        self.set(AUTHORIZATION, value);
        Ok(self)
    }

    fn set(&mut self, name: HeaderName, value: HeaderValue) {
        self.headers.retain(|(other, _)| *other != name);
        self.headers.push((name, value));
    }

    pub(crate) fn apply(&self, headers: &mut HeaderMap) {
        for (name, value) in &self.headers {
            headers.insert(name, value.clone());
        }
    }

    /// Whether a text that a server sent repeats one of the secrets.
    pub(crate) fn occur_in(&self, text: &str) -> bool {
        self.headers.iter().filter_map(|(_, value)| value.to_str().ok()).any(|secret| {
            // The scheme of an Authorization header is no secret; what follows it is.
            let token = secret.split_once(' ').map_or("", |(_, token)| token);
            text.contains(secret) || (!token.is_empty() && text.contains(token))
        })
    }
}

impl fmt::Debug for Credentials {
    /// Shows the names of the headers only.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
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
    Name,
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
            Self::Name => f.write_str("not a header name: use letters, digits and hyphens"),
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

pub(crate) fn is_loopback(url: &Url) -> bool {
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
        assert_eq!(Credentials::none().header("no header", "x").unwrap_err(), CredentialError::Name);
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
