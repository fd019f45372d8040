//! What an observer of calls receives.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use lastmile::RateLimit;
use lastmile::cocon::{Cocon, CoconBuilder};
use lastmile::covage::Covage;
use lastmile::observe::{AttemptReport, CallReport, Observer, TokenRequestReport, WaitReport};
use lastmile::onapi::{Dialect, OnApi};
use lastmile_tests::{RawServer, Then, answer, brisk, json};

/// Returns a builder for a server that checks no keys.
fn cocon(server: &RawServer) -> CoconBuilder {
    Cocon::builder(server.base_url()).api_key("key-4711").client_id("client").policy(brisk())
}

/// The reports as texts, in order.
#[derive(Default)]
struct Reports(Mutex<Vec<String>>);

impl Reports {
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }

    fn push(&self, report: String) {
        self.0.lock().unwrap().push(report);
    }
}

impl Observer for Reports {
    fn on_call_end(&self, call: &CallReport) {
        let CallReport { api, operation, outcome, failed, status, attempts, elapsed, .. } = call;
        assert!(!elapsed.is_zero());
        let status = status.map_or(0, |status| status.as_u16());
        let failed = if *failed { ", failed" } else { "" };
        self.push(format!("call {api} {}: {outcome}, {status}, {attempts}{failed}", operation.id));
    }

    fn on_attempt_end(&self, attempt: &AttemptReport) {
        let AttemptReport { operation, number, outcome, status, .. } = attempt;
        let status = status.map_or(0, |status| status.as_u16());
        self.push(format!("attempt {number} of {}: {outcome}, {status}", operation.id));
    }

    fn on_wait_end(&self, wait: &WaitReport) {
        self.push(format!("wait of {}: {}", wait.operation.id, wait.reason.as_str()));
    }

    fn on_token_request_end(&self, request: &TokenRequestReport) {
        let TokenRequestReport { api, action, outcome, status, .. } = request;
        let status = status.map_or(0, |status| status.as_u16());
        self.push(format!("token of {api}: {action}, {outcome}, {status}"));
    }
}

#[tokio::test]
async fn attempts_waits_and_calls_are_reported() {
    let reports = Arc::new(Reports::default());
    let server = RawServer::start([Then::Close, Then::Answer(json("200 OK", "{}"))]).await;
    let client = cocon(&server).observer(reports.clone()).build().unwrap();
    client.contact(&"1".parse().unwrap()).await.unwrap();
    assert_eq!(
        reports.take(),
        [
            "attempt 1 of get_contact: indeterminate, 0",
            "wait of get_contact: backoff",
            "attempt 2 of get_contact: answered, 200",
            "call cocon get_contact: answered, 200, 2",
        ]
    );

    let server = RawServer::start([Then::Answer(answer("404 Not Found", ""))]).await;
    let rate = RateLimit::new(1, Duration::from_millis(30));
    let client = cocon(&server).observer(reports.clone()).rate_limit(rate).build().unwrap();
    client.contact(&"1".parse().unwrap()).await.unwrap_err();
    client.delete_contact(&"1".parse().unwrap()).await.unwrap_err();
    assert_eq!(
        reports.take(),
        [
            "attempt 1 of get_contact: rejected, 404",
            "call cocon get_contact: rejected, 404, 1",
            "wait of delete_contact: rate-limit",
            "attempt 1 of delete_contact: rejected, 404",
            "call cocon delete_contact: rejected, 404, 1, failed",
        ]
    );
}

#[tokio::test]
async fn a_call_that_gets_no_permit_is_reported() {
    let reports = Arc::new(Reports::default());
    let server = RawServer::start([Then::Hang]).await;
    let client = cocon(&server).observer(reports.clone());
    let client = client.connection(|builder| builder.max_in_flight(1)).build().unwrap();
    let hanging = tokio::spawn({
        let client = client.clone();
        async move { client.contact(&"1".parse().unwrap()).await.map(drop) }
    });
    server.has_read(1).await;
    let hasty = client.with_policy(brisk().with_deadline(Duration::from_millis(20)));
    hasty.contact(&"2".parse().unwrap()).await.unwrap_err();
    assert_eq!(
        reports.take(),
        ["wait of get_contact: permit", "call cocon get_contact: throttled, 0, 0, failed"]
    );
    hanging.abort();
    hanging.await.unwrap_err();
    assert_eq!(reports.take(), ["call cocon get_contact: dropped, 0, 1"]);
}

#[tokio::test]
async fn token_requests_are_reported() {
    let reports = Arc::new(Reports::default());
    let server = RawServer::with_tokens(
        [Then::Answer(json("401 Unauthorized", "{}")), Then::Answer(json("200 OK", "[]"))],
        [
            Then::Answer(json("200 OK", r#"{"access": "a", "refresh": "r"}"#)),
            Then::Answer(json("401 Unauthorized", "{}")),
            Then::Answer(json("200 OK", r#"{"access": "b", "refresh": "r"}"#)),
        ],
    )
    .await;
    let covage = Covage::builder(server.base_url()).login("a@sp.example", "word-4711").policy(brisk());
    covage.observer(reports.clone()).build().unwrap().cities(&"76000".parse().unwrap()).await.unwrap();
    assert_eq!(
        reports.take(),
        [
            "token of covage: obtain, answered, 200",
            "attempt 1 of list_cities: rejected, 401",
            "token of covage: renew, rejected, 401",
            "token of covage: obtain, answered, 200",
            "attempt 2 of list_cities: answered, 200",
            "call covage list_cities: answered, 200, 2",
        ]
    );

    let server = RawServer::with_tokens([Then::Hang], [Then::Hang]).await;
    let covage = Covage::builder(server.base_url()).login("a@sp.example", "word-4711");
    let covage = covage.policy(brisk().with_deadline(Duration::from_millis(50)));
    covage.observer(reports.clone()).build().unwrap().cities(&"76000".parse().unwrap()).await.unwrap_err();
    assert_eq!(
        reports.take(),
        [
            "token of covage: obtain, dropped, 0",
            "attempt 1 of list_cities: not-sent, 0",
            "call covage list_cities: not-sent, 0, 1, failed",
        ]
    );
}

/// The outcome of a list that is read row by row is known at the end of the stream.
#[tokio::test]
async fn a_stream_is_reported_once_at_its_end() {
    const HEAD: &str = "attempt 1 of list_accesses: answered, 200";
    let ended = "call onapi list_accesses: answered, 200, 1";
    let broken = "HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n[{\"accessId\": \"1\"}, {\"";
    for (then, end) in [
        (Then::Answer(json("200 OK", r#"[{"accessId": "1"}, 7]"#)), ended),
        (
            Then::Answer(json("200 OK", r#"[{"accessId": "1"}"#)),
            "call onapi list_accesses: decode, 200, 1, failed",
        ),
        (
            Then::Answer(json("200 OK", r#"{"cause": "x"}"#)),
            "call onapi list_accesses: decode, 200, 1, failed",
        ),
        (Then::Answer(broken), "call onapi list_accesses: indeterminate, 200, 1, failed"),
    ] {
        let reports = Arc::new(Reports::default());
        let server = RawServer::start([then]).await;
        let network = OnApi::builder(server.base_url())
            .dialect(Dialect::Vendor26)
            .login("sp", "word-4711")
            .policy(brisk());
        let network = network.observer(reports.clone()).build().unwrap();
        let mut rows = network.raw().list_accesses_rows(&Default::default()).await.unwrap();
        assert_eq!(reports.take(), [HEAD], "the call goes on");
        while rows.next().await.is_some() {}
        assert_eq!(reports.take(), [end]);
        drop(rows);
        assert!(reports.take().is_empty(), "once");
    }

    // The caller drops the stream early.
    let reports = Arc::new(Reports::default());
    let server = RawServer::start([Then::Answer(broken)]).await;
    let network =
        OnApi::builder(server.base_url()).dialect(Dialect::Vendor26).login("sp", "word-4711").policy(brisk());
    let network = network.observer(reports.clone()).build().unwrap();
    let rows = network.raw().list_accesses_rows(&Default::default()).await.unwrap();
    drop(rows);
    assert_eq!(reports.take(), [HEAD, ended]);
}
