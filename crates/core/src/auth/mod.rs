//! Credentials, and where they may be sent.
//!
//! Credentials are sent to the configured origin only, and only over https or to a loopback address. No `Debug` output, error or
//! span shows them.

use std::fmt;

mod credential_error;
mod secrets;
mod token;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Url;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};

use crate::operation::TokenFlow;
pub use credential_error::CredentialError;
use secrets::repeats_one_of;
pub(crate) use token::{NoToken, Token, TokenServer, TokenSource};

/// The credentials of a caller: any number of headers, and a token that is obtained and renewed when needed.
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
    /// The texts that the headers are built from, and those of the login. No error may show them.
    secrets: Vec<String>,
    /// Names of the credentials for messages, such as `the user and password`.
    kinds: Vec<String>,
}

impl Credentials {
    /// Returns empty credentials.
    pub fn none() -> Self {
        Self::default()
    }

    /// Adds a key that is sent in the header `name`.
    ///
    /// # Errors
    /// Returns an error if `name` is not a header name or is a header with a meaning in HTTP, if `secret` is empty or contains a
    /// character that no header can carry, or if the header already has a credential.
    pub fn header(self, name: &str, secret: &str) -> Result<Self, CredentialError> {
        let parsed: Result<HeaderName, _> = name.parse();
        let name = parsed.map_err(|_| CredentialError::Name { header: name.to_owned() })?;
        if RESERVED.contains(&name.as_str()) {
            return Err(CredentialError::Reserved { header: name.to_string() });
        }
        let value = sensitive(&name, secret)?;
        // The scheme of an Authorization header is not secret; the text after it is.
        let token = secret.split_once(' ').map(|(_, token)| token.to_owned());
        let kind = format!("the key in the header {name}");
        self.set(name, value, kind, [secret.to_owned()].into_iter().chain(token))
    }

    /// Adds a user and password as HTTP Basic authentication ([RFC 7617](https://www.rfc-editor.org/rfc/rfc7617)).
    ///
    /// # Errors
    /// Returns an error if the user or the password is empty or contains a control character such as a line break, if the user
    /// contains a colon (Basic authentication supports none of these), or if `Authorization` already has a credential.
    pub fn basic(self, user: &str, password: &str) -> Result<Self, CredentialError> {
        checked_login("user", user)?;
        checked_login("password", password)?;
        if user.contains(':') {
            return Err(CredentialError::ColonInUser);
        }
        let both = format!("{user}:{password}");
        let encoded = STANDARD.encode(&both);
        let value = sensitive(&AUTHORIZATION, &format!("Basic {encoded}"))?;
        // Some decoders write it without padding, or with the URL-safe alphabet.
        let bare = encoded.trim_end_matches('=').to_owned();
        let for_addresses = bare.replace('+', "-").replace('/', "_");
        let secrets = [password.to_owned(), both, bare, for_addresses];
        self.set(AUTHORIZATION, value, "the user and password".to_owned(), secrets)
    }

    /// Adds a token as a bearer token ([RFC 6750](https://www.rfc-editor.org/rfc/rfc6750)).
    ///
    /// # Errors
    /// Returns an error if the token is empty or contains a character that no header can carry, or if `Authorization` already has
    /// a credential.
    pub fn bearer(self, token: &str) -> Result<Self, CredentialError> {
        sensitive(&AUTHORIZATION, token)?;
        let value = sensitive(&AUTHORIZATION, &format!("Bearer {token}"))?;
        self.set(AUTHORIZATION, value, "the token".to_owned(), [token.to_owned()])
    }

    /// Adds a token that is obtained with `login`, the body of the request that obtains it, and that is renewed when it is about
    /// to expire or was refused. All clones share one token; concurrent calls share one renewal.
    ///
    /// # Errors
    /// Returns an error if there already is a token or another credential in `Authorization`, or if a field of the login is empty
    /// or contains a control character.
    pub fn token(
        mut self,
        flow: &'static TokenFlow,
        login: &serde_json::Value,
    ) -> Result<Self, CredentialError> {
        if self.token.is_some() || self.headers.iter().any(|(name, _)| *name == AUTHORIZATION) {
            return Err(CredentialError::Twice { header: AUTHORIZATION.to_string() });
        }
        let mut names = Vec::new();
        for (name, value) in login.as_object().into_iter().flatten() {
            if let Some(text) = value.as_str() {
                checked_login(name, text)?;
                self.secrets.push(text.to_owned());
            }
            names.push(name.as_str());
        }
        self.kinds.push(format!("the login ({}) that the token is obtained with", listed(&names)));
        self.token = Some(TokenSource::new(flow, login));
        Ok(self)
    }

    pub(crate) fn token_source(&self) -> Option<&TokenSource> {
        self.token.as_ref()
    }

    fn set(
        mut self,
        name: HeaderName,
        value: HeaderValue,
        kind: String,
        secrets: impl IntoIterator<Item = String>,
    ) -> Result<Self, CredentialError> {
        let is_token_s = name == AUTHORIZATION && self.token.is_some();
        if is_token_s || self.headers.iter().any(|(other, _)| *other == name) {
            return Err(CredentialError::Twice { header: name.to_string() });
        }
        self.headers.push((name, value));
        self.kinds.push(kind);
        self.secrets.extend(secrets);
        Ok(self)
    }

    pub(crate) fn apply(&self, headers: &mut HeaderMap) {
        for (name, value) in &self.headers {
            headers.insert(name, value.clone());
        }
    }

    /// Returns whether a text that a server sent contains one of the secrets.
    pub(crate) fn occur_in(&self, text: &str) -> bool {
        let tokens = self.token.as_ref().map(TokenSource::recent_tokens).unwrap_or_default();
        repeats_one_of(text, self.secrets.iter().chain(&tokens).map(String::as_str))
    }

    /// Returns what the caller has to check when the supplier does not accept the credentials: `the user and password`.
    pub(crate) fn described(&self) -> String {
        let kinds: Vec<&str> = self.kinds.iter().map(String::as_str).collect();
        if kinds.is_empty() { "why the client has none".to_owned() } else { listed(&kinds) }
    }
}

/// Joins the parts into a list: `a, b and c`.
fn listed(parts: &[&str]) -> String {
    match parts {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// Fails if a text cannot be a user or password: if it is empty or contains a control character ([RFC 7617,
/// 2](https://www.rfc-editor.org/rfc/rfc7617#section-2)). Files that hold secrets often end with a line break.
fn checked_login(field: &str, text: &str) -> Result<(), CredentialError> {
    if text.trim().is_empty() {
        return Err(CredentialError::EmptyLogin { field: field.to_owned() });
    }
    // A byte order mark and the line separators beyond ASCII also come from files; no user types them.
    let is_forbidden = |c: char| c.is_control() || matches!(c, '\u{feff}' | '\u{2028}' | '\u{2029}');
    match text.char_indices().find(|(_, c)| is_forbidden(*c)) {
        Some((at, _)) => Err(CredentialError::ControlCharacter { field: field.to_owned(), at }),
        None => Ok(()),
    }
}

/// Headers that requests use for other purposes.
const RESERVED: [&str; 18] = [
    "accept",
    "accept-encoding",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "expect",
    "host",
    "if-modified-since",
    "if-none-match",
    "keep-alive",
    "proxy-connection",
    "range",
    "te",
    "trailer",
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
    let invalid = |at| CredentialError::Character { header: name.to_string(), at };
    // Blanks around the value of a header are not part of it (RFC 9110, 5.5), so the supplier would read another secret.
    let inside = 1..secret.trim_end_matches(' ').len();
    let is_allowed = |at: usize, c: char| c.is_ascii_graphic() || (c == ' ' && inside.contains(&at));
    if let Some((at, _)) = secret.char_indices().find(|(at, c)| !is_allowed(*at, *c)) {
        return Err(invalid(at));
    }
    let mut value = HeaderValue::from_str(secret).map_err(|_| invalid(0))?;
    value.set_sensitive(true);
    Ok(value)
}

/// Returns whether a request to this URL cannot be read in transit: the scheme is https, or the host is a loopback address.
pub(crate) fn is_private_url(url: &Url) -> bool {
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
        for name in ["", "a b", "a\n", "a:", "é", "\0"] {
            assert!(
                matches!(Credentials::none().header(name, "x"), Err(CredentialError::Name { .. })),
                "{name:?}"
            );
        }
        for (secret, at) in [(" s3cret", 0), ("s3cret ", 6), ("s3\0cret", 2), ("s3\tcret", 2), ("\u{7f}s", 0)]
        {
            for error in [
                Credentials::none().header("Api-Key", secret).unwrap_err(),
                Credentials::none().bearer(secret).unwrap_err(),
            ] {
                assert!(
                    matches!(error, CredentialError::Character { at: found, .. } if found == at),
                    "{secret:?}: {error}"
                );
            }
        }
    }

    static FLOW: TokenFlow = TokenFlow {
        scheme: "Bearer",
        prefix: "Bearer",
        obtain: "/token",
        renew: "/token/refresh",
        token: "/access",
        renewal: "/refresh",
        renewal_field: "refresh",
        lifetime: std::time::Duration::from_secs(60),
    };

    #[test]
    fn bad_logins_are_named_by_their_field_alone() {
        let json = |user: &str, password: &str| {
            let login = serde_json::json!({ "user": user, "password": password });
            Credentials::none().token(&FLOW, &login).err()
        };
        let basic = |user: &str, password: &str| Credentials::none().basic(user, password).err();
        let control =
            |field: &str, at| Some(CredentialError::ControlCharacter { field: field.to_owned(), at });
        let empty = |field: &str| Some(CredentialError::EmptyLogin { field: field.to_owned() });
        for (user, password, expected) in [
            ("sp\n", "word", control("user", 2)),
            ("sp", "word\r\n", control("password", 4)),
            ("sp", "wo\0rd", control("password", 2)),
            ("s\tp", "word", control("user", 1)),
            ("sp", "\u{7f}word", control("password", 0)),
            ("sp", "é\u{85}", control("password", 2)),
            ("\u{feff}sp", "word", control("user", 0)),
            ("", "word", empty("user")),
            ("sp", "", empty("password")),
            ("sp", " \n", empty("password")),
            ("sp", "wörd with blanks", None),
        ] {
            assert_eq!(basic(user, password), expected, "{user:?} {password:?}");
            assert_eq!(json(user, password), expected, "{user:?} {password:?}");
        }
        let shown = basic("sp", "s3cret\n").unwrap().to_string();
        assert!(
            shown.contains("the password of the login")
                && shown.contains("byte 6")
                && !shown.contains("s3cret")
        );
    }

    #[test]
    fn what_is_to_be_checked() {
        let login = serde_json::json!({ "email": "a@sp.example", "password": "x" });
        for (credentials, described) in [
            (Credentials::none(), "why the client has none"),
            (Credentials::none().basic("sp", "word").unwrap(), "the user and password"),
            (
                Credentials::none()
                    .header("Api-Key", "x")
                    .unwrap()
                    .header("Client-Id", "y")
                    .unwrap()
                    .bearer("z")
                    .unwrap(),
                "the key in the header api-key, the key in the header client-id and the token",
            ),
            (
                Credentials::none().token(&FLOW, &login).unwrap(),
                "the login (email and password) that the token is obtained with",
            ),
        ] {
            assert_eq!(credentials.described(), described);
        }
    }

    #[test]
    fn every_form_of_a_login_is_a_secret() {
        let basic = Credentials::none().basic("sp", "open sesame").unwrap();
        for echo in
            ["open sesame", "open%20sesame", "sp:open sesame", "c3A6b3BlbiBzZXNhbWU=", "c3A6b3BlbiBzZXNhbWU"]
        {
            assert!(basic.occur_in(&format!("no {echo}!")), "{echo}");
        }
        let short = Credentials::none().basic("sp", "a").unwrap();
        assert!(short.occur_in("wrong: sp:a") && !short.occur_in("a frame is full"));
        let key = Credentials::none().header("X-Key", "Token k-4711").unwrap();
        assert!(key.occur_in("k-4711 is unknown") && !key.occur_in("Token is unknown"));
        let login = serde_json::json!({ "email": "a@sp.example", "password": "open sesame" });
        let token = Credentials::none().token(&FLOW, &login).unwrap();
        assert!(token.occur_in("no account A@SP.example") && token.occur_in(r"open\u0020sesame"));
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
            assert_eq!(is_private_url(&url.parse().unwrap()), private, "{url}");
        }
    }
}
