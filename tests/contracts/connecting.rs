//! Connection failures: the error names the cause and the host.

use lastmile::cocon::Cocon;
use lastmile::covage::Covage;
use lastmile::{Error, Outcome};
use lastmile_core::reqwest::{Certificate, Proxy};
use lastmile_tests::{CERTIFICATE, RawServer, Then, TlsServer};
use tokio::net::TcpSocket;

use crate::calls::patient;

/// Makes a read of a server at this address.
async fn read(base: &str, attempts: u32) -> Error {
    let cocon = Cocon::builder(base).api_key("key-4711").client_id("client");
    let cocon = cocon.policy(patient().with_max_attempts(attempts)).build().unwrap();
    cocon.contact(&"1".parse().unwrap()).await.unwrap_err()
}

#[track_caller]
fn names(error: &Error, cause: &str, host: &str) {
    let shown = error.to_string();
    assert_eq!(error.outcome(), Outcome::NotSent, "{shown}");
    assert!(shown.contains(cause) && shown.contains(host), "{shown}");
    assert!(!shown.contains("secret-path") && !shown.contains("/contacts"), "{shown}");
    assert!(error.is_safe_to_repeat() && std::error::Error::source(error).is_some());
}

#[tokio::test]
async fn the_error_names_an_unresolvable_host() {
    // Longer than a DNS label may be, so no name server is queried.
    let host = format!("{}.example", "a".repeat(64));
    let error = read(&format!("https://{host}/secret-path"), 2).await;
    names(&error, "cannot be resolved", &format!("{host}:443"));
    assert_eq!(error.attempts(), 2, "a name server may answer later");
}

#[tokio::test]
async fn the_error_names_a_refused_connection() {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let host = socket.local_addr().unwrap().to_string();
    for scheme in ["http", "https"] {
        let error = read(&format!("{scheme}://{host}/secret-path"), 2).await;
        names(&error, "refuses the connection", &host);
        assert_eq!(error.attempts(), 2);
    }
    // The token request comes first.
    let covage = Covage::builder(format!("http://{host}/secret-path")).login("a@sp.example", "word-4711");
    let error = covage
        .policy(patient().with_max_attempts(1))
        .build()
        .unwrap()
        .cities(&"76000".parse().unwrap())
        .await
        .unwrap_err();
    let shown = error.to_string();
    assert!(shown.contains("refuses the connection") && shown.contains(&host), "{shown}");
    assert!(!shown.contains("secret-path") && !shown.contains("/token"), "{shown}");
}

#[tokio::test]
async fn the_error_names_a_server_without_tls() {
    let plain = "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n";
    for (then, cause) in [
        (Then::SpeakUnread(plain), "responds, but not with TLS"),
        (Then::CloseUnread, "closes the connection while it is made"),
    ] {
        let server = RawServer::start([then]).await;
        let host = server.address().to_string();
        names(&read(&format!("https://{host}/secret-path"), 1).await, cause, &host);
    }
}

/// The next attempt would get the same certificate.
#[tokio::test]
async fn an_untrusted_certificate_is_not_retried() {
    let server = TlsServer::start().await;
    let host = server.address().to_string();
    let error = read(&format!("https://{host}/secret-path"), 4).await;
    names(&error, "is not trusted: its issuer is unknown", &host);
    assert_eq!((error.attempts(), server.connections()), (1, 1));

    let root = Certificate::from_pem(CERTIFICATE.as_bytes()).unwrap();
    let cocon = Cocon::builder(format!("https://{host}")).api_key("key-4711").client_id("client");
    let cocon = cocon.connection(|builder| builder.root_certificate(root)).policy(patient()).build().unwrap();
    let error = cocon.contact(&"1".parse().unwrap()).await.unwrap_err();
    names(&error, "is not trusted: it is for another host name", &host);
    assert_eq!((error.attempts(), server.connections()), (1, 2));

    // A login is not repeated there either.
    let covage = Covage::builder(format!("https://{host}/secret-path")).login("a@sp.example", "word-4711");
    let error =
        covage.policy(patient()).build().unwrap().cities(&"76000".parse().unwrap()).await.unwrap_err();
    names_login(&error, &host);
    assert_eq!((error.attempts(), server.connections()), (1, 3));
}

#[track_caller]
fn names_login(error: &Error, host: &str) {
    let shown = error.to_string();
    assert!(shown.contains("no token was obtained: the certificate of") && shown.contains(host), "{shown}");
}

#[tokio::test]
async fn the_error_names_a_proxy_that_opens_no_tunnel() {
    let server =
        RawServer::start([Then::Answer("HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n")]).await;
    let proxy = Proxy::all(server.base_url()).unwrap();
    let cocon = Cocon::builder("https://cocon.example/secret-path").api_key("key-4711").client_id("client");
    let cocon = cocon.connection(|builder| builder.proxy(proxy)).policy(patient().with_max_attempts(1));
    let error = cocon.build().unwrap().contact(&"1".parse().unwrap()).await.unwrap_err();
    names(&error, "through the proxy", "cocon.example:443");
}
