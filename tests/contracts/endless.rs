//! Endless and slow responses: the client abandons them, and reads no more than its limit.

use std::time::Duration;

use futures_util::StreamExt as _;
use lastmile::onapi::{Changes, Dialect, OnApi};
use lastmile::{Outcome, Policy, RowError};
use lastmile_tests::{RawServer, Then};

use crate::calls::Ends::*;
use crate::calls::{Call, Client, patient, seen, single, told};
use crate::table::CUT;

/// The buffers of the operating system between client and server. The client's own limit is far below.
const ON_THE_WAY: usize = 24 << 20;

fn flood(status: &str) -> Then {
    let head = format!("HTTP/1.1 {status}\r\ntransfer-encoding: chunked\r\n\r\n").leak();
    Then::Flood(head, format!("1000\r\n{}\r\n", "[".repeat(0x1000)).leak())
}

#[tokio::test]
async fn an_endless_body_is_abandoned_at_the_limit() {
    for (call, status, ends) in [
        (Call::Create, "200 OK", Decode),
        (Call::Submit, "200 OK", Decode),
        (Call::Read, "200 OK", Decode),
        (Call::Delete, "200 OK", Decode),
        // A rejection is certain even when its body is incomplete.
        (Call::Create, "400 Bad Request", Rejected),
        (Call::Create, "429 Too Many Requests", Throttled),
        (Call::Create, "302 Found", Indeterminate),
        (Call::Create, "308 Permanent Redirect", Rejected),
        (Call::Create, "500 Internal Server Error", Indeterminate),
        (Call::List, "403 Forbidden", Rejected),
    ] {
        let policy = patient();
        let limit = policy.body_limit;
        let (told, wire) = told(call, policy, vec![flood(status)]).await;
        let code = status[..3].parse().ok();
        assert_eq!(seen(call, &told, &wire.requests), (ends, code, 1, 1), "{call:?} {status}");
        assert_eq!(told.unwrap_err().body().len(), limit);
        assert!(wire.sent < ON_THE_WAY, "{call:?} {status}: {} bytes were taken", wire.sent);
    }
}

#[tokio::test]
async fn an_endless_token_response_is_abandoned_at_the_limit() {
    let server = RawServer::with_tokens([Then::Reset], [flood("200 OK")]).await;
    let client = Call::Submit.client(&server.base_url(), patient().with_max_attempts(1));
    let told = client.make(Call::Submit).await;
    drop(client);
    let wire = server.end().await;
    assert_eq!(seen(Call::Submit, &told, &wire.requests), (NotSent, Some(200), 1, 0));
    assert!(wire.tokens.len() == 1 && wire.sent < ON_THE_WAY);
}

/// Returns how a list ends whose first row never arrives.
async fn ended(then: Then, policy: Policy) -> (RowError, usize) {
    let server = RawServer::start([then]).await;
    let Client::OnApi(network) = Call::List.client(&server.base_url(), policy) else { unreachable!() };
    let Changes::Rows(mut rows) = network.accesses(None).await.unwrap() else {
        panic!("it begins as a list")
    };
    let ended = rows.next().await.expect("an error").expect_err("no row");
    assert!(rows.next().await.is_none(), "the end is the end");
    assert!(rows.cursor().is_none());
    drop((rows, network));
    let wire = server.end().await;
    assert_eq!(wire.requests.len(), 1, "what has begun is not asked for again");
    (ended, wire.sent)
}

#[tokio::test]
async fn an_endless_row_is_abandoned_at_the_limit() {
    let (error, sent) = ended(flood("200 OK"), patient()).await;
    assert!(matches!(error, RowError::Malformed { .. }), "{error}");
    assert!(error.to_string().contains("a row is longer than the limit"), "{error}");
    assert!(sent < ON_THE_WAY, "{sent} bytes were taken");
}

#[tokio::test]
async fn a_stalled_or_slow_list_fails() {
    for (then, says) in [
        (Then::Drip(CUT, " "), "more slowly than 1000 bytes a second"),
        (Then::AnswerAndHang(CUT), "stalled for 300 ms"),
    ] {
        let (RowError::Call(error), _) = ended(then, patient()).await else { panic!("{then:?}") };
        assert_eq!(error.outcome(), Outcome::Indeterminate);
        assert!(error.elapsed() < patient().stream_idle_timeout * 10, "{:?}", error.elapsed());
        assert!(error.to_string().contains(says), "{error}");
    }
}

/// A list may take longer than the deadline of the call, as long as it arrives fast enough.
#[tokio::test]
async fn a_steady_list_may_outlast_the_deadline() {
    const HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n[{\"accessId\":\"1\"}";
    let server = RawServer::start([Then::Drip(HEAD, ",{\"accessId\":\"2\"}")]).await;
    let policy = single().with_min_bytes_per_second(10).with_stream_idle_timeout(Duration::from_secs(5));
    let deadline = policy.deadline;
    let network = OnApi::builder(server.base_url())
        .dialect(Dialect::Vendor26)
        .login("sp", "x")
        .policy(policy)
        .build()
        .unwrap();
    let begun = std::time::Instant::now();
    let Changes::Rows(mut rows) = network.accesses(None).await.unwrap() else {
        panic!("it begins as a list")
    };
    while begun.elapsed() < deadline + Duration::from_millis(300) {
        rows.next().await.unwrap().unwrap();
    }
    drop((rows, network));
    assert_eq!(server.end().await.requests.len(), 1);
}
