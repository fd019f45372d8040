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
pub(crate) fn without_response(error: reqwest::Error) -> Failure {
    // Each error of a request that was written has its URL.
    let host = error.url().map(host).unwrap_or_default();
    let error = error.without_url();
    let cause = Cause::of(&error);
    let failure = if error.is_builder() {
        Failure::of(Outcome::Invalid, "the values given cannot be written as a request")
    } else if error.is_connect() {
        let permanent = matches!(cause, Cause::Certificate(_));
        Failure { permanent, ..Failure::of(Outcome::NotSent, cause.of_no_connection(&host)) }
    } else {
        Failure::of(Outcome::Indeterminate, cause.of_no_response(&host))
    };
    Failure { source: Some(error), ..failure }
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

/// The causes in the order in which they are tried, and how they are recognized: by the texts of hyper-util ("dns error", "tunnel
/// error"), hyper ("message head is too large") and rustls ("invalid peer certificate", "received corrupt message", "received
/// fatal alert"), or by the kind of an `std::io::Error`.
const CAUSES: [(Cause, &[&str], &[ErrorKind]); 12] = [
    (Cause::Name, &["dns error", "failed to lookup address", "invalid dns name"], &[]),
    (Cause::Certificate(UNKNOWN_FAULT), &["invalid peer certificate", "peer sent no certificates"], &[]),
    (Cause::Proxy, &["tunnel error", "proxy", "socks"], &[]),
    (Cause::TlsRefused, &["received fatal alert"], &[]),
    (Cause::NoTls, &["received corrupt message", "invalidcontenttype"], &[]),
    (Cause::Refused, &[], &[ErrorKind::ConnectionRefused]),
    (Cause::LocalAddress, &["tcp bind local"], &[ErrorKind::AddrNotAvailable]),
    (Cause::Unreachable, &[], &[ErrorKind::HostUnreachable, ErrorKind::NetworkUnreachable]),
    (
        Cause::Closed,
        &[],
        &[
            ErrorKind::ConnectionReset,
            ErrorKind::UnexpectedEof,
            ErrorKind::ConnectionAborted,
            ErrorKind::BrokenPipe,
        ],
    ),
    (Cause::TimedOut, &[], &[ErrorKind::TimedOut]),
    (Cause::HeadTooLarge, &["message head is too large"], &[]),
    (Cause::NotHttp, &["parsed", "invalid http", "unexpected message from connection"], &[]),
];

impl Cause {
    fn of(error: &reqwest::Error) -> Self {
        let (mut kinds, mut texts) = (Vec::new(), Vec::new());
        gather(error, &mut kinds, &mut texts);
        if error.is_timeout() {
            kinds.push(ErrorKind::TimedOut);
        }
        Self::tell(&texts.join("\n").to_ascii_lowercase(), &kinds)
    }

    fn tell(text: &str, kinds: &[ErrorKind]) -> Self {
        let found = CAUSES.iter().find(|(_, texts, of_cause)| {
            texts.iter().any(|part| text.contains(part)) || of_cause.iter().any(|kind| kinds.contains(kind))
        });
        match found.map_or(Self::Other, |(cause, ..)| *cause) {
            Self::Certificate(_) => Self::Certificate(certificate_fault(text)),
            cause => cause,
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

    fn of_no_response(self, host: &str) -> String {
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

const UNKNOWN_FAULT: &str = "it cannot be verified";

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
    fault.map_or(UNKNOWN_FAULT, |(_, fault)| fault)
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
            let cause = match Cause::tell(text, kinds) {
                Cause::Certificate(_) => Cause::Certificate(""),
                cause => cause,
            };
            assert_eq!(cause, expected, "{text}");
        }
        assert_eq!(Cause::tell("operation timed out", &[TimedOut]), Cause::TimedOut);
    }

    #[test]
    fn a_host_is_shown_and_nothing_else_of_an_address() {
        let url: Url = "https://user:secret@sp.example/path?query=1#fragment".parse().unwrap();
        assert_eq!(host(&url), "sp.example:443");
        assert_eq!(host(&"http://[::1]:81/".parse().unwrap()), "[::1]:81");
    }
}
