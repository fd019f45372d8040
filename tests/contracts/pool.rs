//! What one call leaves to the next: pooled connections.

use lastmile::Outcome;
use lastmile_tests::{RawServer, Then, answer, json};

use crate::calls::{Call, done, patient};
use crate::table::ok;

#[tokio::test]
async fn a_rejected_call_leaves_its_connection_reusable() {
    for status in ["400 Bad Request", "404 Not Found", "429 Too Many Requests", "500 Oh", "503 Busy"] {
        let script = [Then::AnswerAndKeep(json(status, "{}")), Then::AnswerAndKeep(ok())];
        let server = RawServer::start(script).await;
        let client = Call::Read.client(&server.base_url(), patient().with_max_attempts(1));
        client.make(Call::Read).await.unwrap_err();
        assert_eq!(client.make(Call::Read).await.unwrap(), "1");
        drop(client);
        let wire = server.end().await;
        assert_eq!((wire.connections, wire.requests.len()), (1, 2), "{status}");
    }
}

/// The rest of one response is not read as the start of the next.
#[tokio::test]
async fn a_response_not_read_to_its_end_closes_the_connection() {
    const SHORT: &str = "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{\"id\": \"1\"}";
    let long = answer("200 OK", &"x".repeat(1 << 20));
    for then in [SHORT, long] {
        let server = RawServer::start([Then::AnswerAndKeep(then), Then::AnswerAndKeep(ok())]).await;
        let client = Call::Read.client(&server.base_url(), patient());
        let error = client.make(Call::Read).await.unwrap_err();
        assert_eq!(error.outcome(), Outcome::Decode, "{error}");
        assert_eq!(client.make(Call::Read).await.unwrap(), "1");
        drop(client);
        let wire = server.end().await;
        assert_eq!((wire.connections, wire.requests.len()), (2, 2));
    }
}

/// Reads share a connection until it is closed.
#[tokio::test]
async fn sequential_reads_share_a_connection() {
    let closing = json("200 OK\r\nconnection: close", &done("1"));
    let script = [Then::AnswerAndKeep(ok()), Then::Answer(closing), Then::AnswerAndKeep(ok())];
    assert_eq!(connections(Call::Read, script).await, (2, vec![0, 0, 1, 1]));
}

/// A call that is sent once never uses a connection that is closing or that holds unrequested bytes.
#[tokio::test]
async fn a_creating_call_uses_a_fresh_connection() {
    for call in [Call::Create, Call::Activate] {
        assert_eq!(connections(call, [Then::AnswerAndKeep(ok())]).await, (4, vec![0, 1, 2, 3]), "{call:?}");
    }
}

/// The state of a connection that an earlier read left does not matter.
#[tokio::test]
async fn a_creating_call_does_not_affect_pooled_connections() {
    let server = RawServer::start([Then::AnswerAndKeep(ok())]).await;
    let client = Call::Create.client(&server.base_url(), patient());
    for call in [Call::Read, Call::Create, Call::Read] {
        assert_eq!(client.make(call).await.unwrap(), "1");
    }
    drop(client);
    let wire = server.end().await;
    let connections: Vec<_> = wire.requests.iter().map(|request| request.connection).collect();
    assert_eq!(connections, [0, 1, 0]);
}

/// Makes four calls, and returns how many connections they take, and which connection each uses.
async fn connections(call: Call, script: impl Into<Vec<Then>>) -> (usize, Vec<usize>) {
    let server = RawServer::start(script).await;
    let client = call.client(&server.base_url(), patient());
    for _ in 0..4 {
        assert_eq!(client.make(call).await.unwrap(), "1");
    }
    drop(client);
    let wire = server.end().await;
    (wire.connections, wire.requests.iter().map(|request| request.connection).collect())
}
