//! Why a request has no response: which part of connecting failed, and for which host.
//!
//! The causes are distinguished by the kinds of `std::io::Error` in the chain of sources and, if the crates below have no public
//! type for them, by their texts. For an unknown text, only the exact cause is missing. The texts themselves are never shown:
//! they may repeat what a server sent.

use std::error::Error;
use std::io::ErrorKind;

use reqwest::Url;

use super::Failure;
use crate::error::Outcome;

/// Returns the failure of a request without a response.
#[cold]
pub(crate) fn without_answer(error: reqwest::Error, url: &Url) -> Failure {
    let error = error.without_url();
    let cause = Cause::of(&error);
    let failure = if error.is_builder() {
        Failure::of(Outcome::Invalid, "the values given cannot be written as a request")
    } else if error.is_connect() {
        let permanent = matches!(cause, Cause::Certificate(_));
        Failure { permanent, ..Failure::of(Outcome::NotSent, cause.of_no_connection(&host(url))) }
    } else {
        Failure::of(Outcome::Indeterminate, cause.of_no_answer(&host(url)))
    };
    Failure { source: Some(error), ..failure }
}

/// Returns whether a prerequisite request, such as a token request, would fail again, and why it has no response.
#[cold]
pub(crate) fn why_unanswered(error: reqwest::Error, base: &str) -> (bool, String) {
    let (cause, is_connect) = (Cause::of(&error), error.is_connect());
    let host = base.parse().map_or_else(|_| "the server".to_owned(), |url: Url| host(&url));
    let reason = if is_connect { cause.of_no_connection(&host) } else { cause.of_no_answer(&host) };
    (is_connect && matches!(cause, Cause::Certificate(_)), reason)
}

/// Returns whether the head of the response has more lines than the client reads.
#[cold]
pub(crate) fn has_too_many_headers(error: &reqwest::Error) -> bool {
    Cause::of(error) == Cause::HeadTooLarge
}

/// Returns the host and port of a URL, and nothing else of it.
fn host(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port_or_known_default().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cause {
    Name,
    Refused,
    Unreachable,
    TimedOut,
    /// The certificate is invalid, for this reason.
    Certificate(&'static str),
    /// The server responds to the TLS handshake with something else.
    NoTls,
    /// The server closes the connection, for instance during the TLS handshake.
    Closed,
    /// The server sends a TLS alert.
    TlsRefused,
    Proxy,
    /// The configured local address cannot be used.
    LocalAddress,
    HeadTooLarge,
    NotHttp,
    Other,
}

/// The error kinds of a connection that the server closes.
const CLOSED: [ErrorKind; 4] = [
    ErrorKind::ConnectionReset,
    ErrorKind::UnexpectedEof,
    ErrorKind::ConnectionAborted,
    ErrorKind::BrokenPipe,
];

impl Cause {
    fn of(error: &reqwest::Error) -> Self {
        let (mut kinds, mut texts) = (Vec::new(), Vec::new());
        gather(error, &mut kinds, &mut texts);
        let text = texts.join("\n").to_ascii_lowercase();
        let timed_out = error.is_timeout() || kinds.contains(&ErrorKind::TimedOut);
        Self::tell(&text, &kinds, timed_out)
    }

    /// Determines the cause by the texts of hyper-util ("dns error", "tunnel error"), hyper ("message head is too large") and
    /// rustls ("invalid peer certificate", "received corrupt message", "received fatal alert").
    fn tell(text: &str, kinds: &[ErrorKind], timed_out: bool) -> Self {
        let says = |part: &str| text.contains(part);
        let kind = |kind: ErrorKind| kinds.contains(&kind);
        if says("dns error") || says("failed to lookup address") || says("invalid dns name") {
            Self::Name
        } else if says("invalid peer certificate") || says("peer sent no certificates") {
            Self::Certificate(certificate_fault(text))
        } else if says("tunnel error") || says("proxy") || says("socks") {
            Self::Proxy
        } else if says("received fatal alert") {
            Self::TlsRefused
        } else if says("received corrupt message") || says("invalidcontenttype") {
            Self::NoTls
        } else if kind(ErrorKind::ConnectionRefused) {
            Self::Refused
        } else if kind(ErrorKind::AddrNotAvailable) || says("tcp bind local") {
            Self::LocalAddress
        } else if kind(ErrorKind::HostUnreachable) || kind(ErrorKind::NetworkUnreachable) {
            Self::Unreachable
        } else if kinds.iter().any(|kind| CLOSED.contains(kind)) {
            Self::Closed
        } else if timed_out {
            Self::TimedOut
        } else if says("message head is too large") {
            Self::HeadTooLarge
        } else if says("parsed") || says("invalid http") || says("unexpected message from connection") {
            Self::NotHttp
        } else {
            Self::Other
        }
    }

    fn of_no_connection(self, host: &str) -> String {
        match self {
            Self::Name => format!(
                "the name in {host} cannot be resolved: check the base address, and the name server of this machine"
            ),
            Self::Refused => {
                format!("{host} refuses the connection: nothing listens there, or a firewall refuses it")
            }
            Self::Unreachable => format!("{host} cannot be reached from this network"),
            Self::TimedOut => format!("{host} does not accept the connection in time"),
            Self::Certificate(fault) => format!(
                "the certificate of {host} is not trusted: {fault}. No request is sent, and it is not tried again"
            ),
            Self::NoTls => format!(
                "{host} responds, but not with TLS: check the port of the base address, which is https"
            ),
            Self::Closed => format!(
                "{host} closes the connection while it is made: check the port of the base address, and whether it takes TLS"
            ),
            Self::TlsRefused => format!("{host} refuses the TLS connection, its version or its name"),
            Self::Proxy => format!("no connection to {host} through the proxy"),
            Self::LocalAddress => {
                format!("no connection to {host} from the client's local address")
            }
            Self::HeadTooLarge | Self::NotHttp | Self::Other => format!("no connection to {host}"),
        }
    }

    fn of_no_answer(self, host: &str) -> String {
        match self {
            Self::HeadTooLarge => format!(
                "the head of the response of {host} is larger than can be read: it has more than {MOST_HEADERS} headers, or more \
                 than 400 kB"
            ),
            Self::NotHttp => format!("the response of {host} is not HTTP/1.1, or its head cannot be read"),
            _ => format!("the connection to {host} broke before a response arrived"),
        }
    }
}

/// Collects the kinds and texts of an error's sources.
fn gather(error: &(dyn Error + 'static), kinds: &mut Vec<ErrorKind>, texts: &mut Vec<String>) {
    let mut source = error.source();
    while let Some(error) = source {
        texts.push(error.to_string());
        if let Some(outer) = error.downcast_ref::<std::io::Error>() {
            kinds.push(outer.kind());
            // `source` skips the error inside an `io::Error` and returns only the sources of that error.
            let mut inner = outer.get_ref();
            while let Some(error) = inner {
                texts.push(error.to_string());
                let nested = error.downcast_ref::<std::io::Error>();
                kinds.extend(nested.map(std::io::Error::kind));
                inner = nested.and_then(std::io::Error::get_ref);
            }
        }
        source = error.source();
    }
}

/// hyper's default limit of header lines of a response. Up to this number, header lines cost no allocation.
pub(crate) const HYPER_MOST_HEADERS: usize = 100;

/// The maximum number of header lines of a response: more than any known server sends.
pub(crate) const MOST_HEADERS: usize = 256;

/// Returns what is wrong with a certificate, according to the text of rustls.
fn certificate_fault(text: &str) -> &'static str {
    let faults = [
        (
            "unknownissuer",
            "its issuer is unknown; add the issuer's root certificate to the client if you trust it",
        ),
        ("notvalidforname", "it is for another host name"),
        ("not valid for name", "it is for another host name"),
        ("notvalidyet", "it is not valid yet; check the clock of this machine"),
        ("not valid yet", "it is not valid yet; check the clock of this machine"),
        ("expired", "it has expired; check the clock of this machine"),
        ("revoked", "it is revoked"),
        ("no certificates", "the server has sent none"),
    ];
    let fault = faults.iter().find(|(part, _)| text.contains(part));
    fault.map_or("it cannot be verified", |(_, fault)| fault)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes() {
        use ErrorKind::*;
        for (text, kinds, expected) in [
            (
                "dns error\nfailed to lookup address information: name or service not known",
                &[Other][..],
                Cause::Name,
            ),
            ("tcp connect error\nconnection refused (os error 111)", &[ConnectionRefused], Cause::Refused),
            ("tcp connect error\nno route to host (os error 113)", &[HostUnreachable], Cause::Unreachable),
            ("invalid peer certificate: unknownissuer", &[InvalidData], Cause::Certificate("")),
            ("received corrupt message of type invalidcontenttype", &[InvalidData], Cause::NoTls),
            ("received fatal alert: badcertificate", &[InvalidData], Cause::TlsRefused),
            ("tls handshake eof", &[UnexpectedEof], Cause::Closed),
            ("tunnel error: unsuccessful", &[], Cause::Proxy),
            ("message head is too large", &[], Cause::HeadTooLarge),
            ("invalid http version parsed", &[], Cause::NotHttp),
            ("connection closed before message completed", &[], Cause::Other),
        ] {
            let cause = match Cause::tell(text, kinds, false) {
                Cause::Certificate(_) => Cause::Certificate(""),
                cause => cause,
            };
            assert_eq!(cause, expected, "{text}");
        }
        assert_eq!(Cause::tell("operation timed out", &[], true), Cause::TimedOut);
    }

    #[test]
    fn a_host_is_shown_and_nothing_else_of_an_address() {
        let url: Url = "https://user:secret@sp.example/path?query=1#fragment".parse().unwrap();
        assert_eq!(host(&url), "sp.example:443");
        assert_eq!(host(&"http://[::1]:81/".parse().unwrap()), "[::1]:81");
    }
}
