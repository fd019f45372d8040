//! Options of the connection: what they change, and what they cannot change.

use lastmile::cocon::{Cocon, CoconBuilder};
use lastmile::{BuildError, Error, Prepared, SetupError};
use lastmile_core::client::Builder;
use lastmile_core::reqwest::header::{ACCEPT, AUTHORIZATION, HeaderMap, USER_AGENT};
use lastmile_core::reqwest::{Certificate, ClientBuilder, Identity, Proxy, redirect, retry};
use lastmile_tests::{CERTIFICATE, CERTIFICATE_KEY, RawServer, Then, TlsServer, customer, json, sandbox};

use crate::calls::{done, patient};
use crate::table::ok;

fn cocon(base: &str) -> CoconBuilder {
    Cocon::builder(base).api_key("key-4711").client_id("client").policy(patient())
}

/// Returns a client with a function that configures its HTTP clients.
fn configured(
    server: &RawServer,
    configure: impl Fn(ClientBuilder) -> ClientBuilder + Send + Sync + 'static,
) -> Cocon {
    cocon(&server.base_url()).connection(|builder| builder.configure_http(configure)).build().unwrap()
}

async fn create(cocon: &Cocon) -> Result<(), Error> {
    Prepared::new(customer()).unwrap().place(cocon).await.map(drop)
}

#[tokio::test]
async fn a_configure_function_cannot_enable_redirects() {
    for status in ["302 Found", "307 Temporary Redirect"] {
        let elsewhere = RawServer::start([Then::AnswerAndKeep(ok())]).await;
        let head = format!("{status}\r\nlocation: {}/api/v1/contacts/1", elsewhere.base_url());
        let server = RawServer::start([Then::AnswerAndKeep(json(&head, "{}"))]).await;
        let cocon = configured(&server, |http| http.redirect(redirect::Policy::limited(5)));
        cocon.contact(&"1".parse().unwrap()).await.unwrap_err();
        create(&cocon).await.unwrap_err();
        assert_eq!((server.requests(), elsewhere.requests()), (2, 0), "{status}");
    }
}

#[tokio::test]
async fn a_configure_function_cannot_enable_retries() {
    let server = RawServer::start([Then::AnswerAndKeep(json("503 Busy", "{}"))]).await;
    let cocon = configured(&server, |http| {
        let always = retry::for_host("127.0.0.1").max_retries_per_request(5).no_budget();
        http.retry(always.classify_fn(|attempt| attempt.retryable()))
    });
    create(&cocon).await.unwrap_err();
    cocon.with_policy(patient().with_max_attempts(1)).contact(&"1".parse().unwrap()).await.unwrap_err();
    assert_eq!(server.requests(), 2);
}

#[tokio::test]
async fn a_configure_function_cannot_change_the_pools() {
    let server = RawServer::start([Then::AnswerAndKeep(ok())]).await;
    let cocon = configured(&server, |http| http.pool_max_idle_per_host(usize::MAX).pool_idle_timeout(None));
    for _ in 0..3 {
        create(&cocon).await.unwrap();
    }
    drop(cocon);
    assert_eq!(server.end().await.connections, 3, "a creation has a connection of its own");

    let server = RawServer::start([Then::AnswerAndKeep(ok())]).await;
    let cocon = configured(&server, |http| http.pool_max_idle_per_host(0));
    for _ in 0..3 {
        cocon.contact(&"1".parse().unwrap()).await.unwrap();
    }
    drop(cocon);
    assert_eq!(server.end().await.connections, 1, "reads share a connection");
}

#[tokio::test]
async fn a_configure_function_cannot_change_head_parsing() {
    let body = done("1");
    let odd = "x-edge:\r\n\there\r\nx-edge : here\r\nx(edge): here\r\n";
    let head = format!("HTTP/1.1 200 OK\r\n{odd}content-length: {}\r\n\r\n", body.len());
    let server = RawServer::start([Then::AnswerAndKeep(format!("{head}{body}").leak())]).await;
    let cocon = configured(&server, |http| {
        http.http1_ignore_invalid_headers_in_responses(false)
            .http1_allow_obsolete_multiline_headers_in_responses(false)
            .http1_allow_spaces_after_header_name_in_responses(false)
            .http1_max_headers(1)
    });
    cocon.contact(&"1".parse().unwrap()).await.unwrap();
    create(&cocon).await.unwrap();
    assert_eq!(server.requests(), 2);
}

#[tokio::test]
async fn loopback_requests_bypass_a_configured_proxy() {
    let proxy = RawServer::start([Then::AnswerAndKeep(ok())]).await;
    let server = RawServer::start([Then::AnswerAndKeep(ok())]).await;
    let url = proxy.base_url();
    let cocon = configured(&server, move |http| http.proxy(Proxy::all(&url).unwrap()));
    cocon.contact(&"1".parse().unwrap()).await.unwrap();
    assert_eq!((server.requests(), proxy.requests()), (1, 0));
}

#[tokio::test]
async fn default_headers_are_sent_with_the_headers_of_the_call() {
    let sandbox = sandbox().await;
    let supplier = sandbox.cocon();
    let builder = Cocon::builder(supplier.base_url()).api_key(supplier.api_key());
    let builder = builder.client_id(supplier.client_id()).bearer("token-4711").policy(patient());
    let configure = |http: ClientBuilder| {
        let mut headers = HeaderMap::new();
        headers.insert("x-team", "orders".parse().unwrap());
        headers.insert("api-key", "another".parse().unwrap());
        headers.insert(ACCEPT, "text/html".parse().unwrap());
        headers.insert(AUTHORIZATION, "Basic another".parse().unwrap());
        http.user_agent("another").default_headers(headers)
    };
    let options = |builder: Builder<_>| builder.configure_http(configure).user_agent("order-service/1.4");
    let cocon = builder.connection(options).build().unwrap();
    cocon.contact(&"1".parse().unwrap()).await.unwrap_err();
    create(&cocon).await.unwrap();
    for request in supplier.received() {
        let header = |name: &str| {
            let values: Vec<_> = request
                .headers
                .iter()
                .filter(|(other, _)| other == name)
                .map(|(_, value)| value.as_str())
                .collect();
            values.join(" and ")
        };
        assert_eq!(header("x-team"), "orders");
        assert_eq!(header("api-key"), supplier.api_key());
        assert_eq!(header(ACCEPT.as_str()), "application/json");
        assert_eq!(header(AUTHORIZATION.as_str()), "Bearer token-4711");
        assert_eq!(
            header(USER_AGENT.as_str()),
            concat!("order-service/1.4 lastmile/", env!("CARGO_PKG_VERSION"))
        );
    }
}

#[test]
fn an_invalid_user_agent_is_refused() {
    for product in ["", " ", "line\nbreak", "é"] {
        let built = cocon("https://cocon.example").connection(|builder| builder.user_agent(product)).build();
        assert!(matches!(built, Err(SetupError::Connection(BuildError::UserAgent))), "{product:?}");
    }
}

/// A server that authenticates its clients by certificate, at a host name that the program resolves itself.
#[tokio::test]
async fn mutual_tls_is_supported() {
    let server = TlsServer::for_known_clients(ok()).await;
    let address = server.address();
    let builder = || {
        let root = Certificate::from_pem(CERTIFICATE.as_bytes()).unwrap();
        cocon(&format!("https://other.example:{}", address.port())).connection(|builder| {
            let resolve = move |http: ClientBuilder| http.no_proxy().resolve("other.example", address);
            builder.root_certificate(root).configure_http(resolve)
        })
    };
    let identity = Identity::from_pem(format!("{CERTIFICATE_KEY}{CERTIFICATE}").as_bytes()).unwrap();
    let known = builder().connection(|builder| builder.client_certificate(identity)).build().unwrap();
    known.contact(&"1".parse().unwrap()).await.unwrap();
    create(&known).await.unwrap();
    builder().build().unwrap().contact(&"1".parse().unwrap()).await.unwrap_err();
}
