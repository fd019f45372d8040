//! What one call leaves to the next.

use lastmile::Outcome;
use lastmile_tests::{RawServer, Then, answer, json};

use crate::calls::{Call, done, patient};
use crate::table::ok;

#[tokio::test]
async fn a_refusal_does_not_spoil_the_connection() {
    for status in ["400 Bad Request", "404 Not Found", "429 Too Many Requests", "500 Oh", "503 Busy"] {
        let script = [Then::AnswerAndKeep(json(status, "{}")), Then::AnswerAndKeep(ok())];
        let server = RawServer::start(script).await;
        let client = Call::Create.client(&server.base_url(), patient());
        client.make(Call::Create).await.unwrap_err();
        assert_eq!(client.make(Call::Create).await.unwrap(), "1");
        drop(client);
        let wire = server.end().await;
        assert_eq!((wire.connections, wire.requests.len()), (1, 2), "{status}");
    }
}

/// What is left of an answer is not the beginning of the next.
#[tokio::test]
async fn an_answer_that_is_not_read_to_its_end_ends_the_connection() {
    const SHORT: &str = "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{\"id\": \"1\"}";
    let long = answer("200 OK", &"x".repeat(1 << 20));
    for then in [SHORT, long] {
        let server = RawServer::start([Then::AnswerAndKeep(then), Then::AnswerAndKeep(ok())]).await;
        let client = Call::Create.client(&server.base_url(), patient());
        let error = client.make(Call::Create).await.unwrap_err();
        assert_eq!(error.outcome(), Outcome::Decode, "{error}");
        assert_eq!(client.make(Call::Create).await.unwrap(), "1");
        drop(client);
        let wire = server.end().await;
        assert_eq!((wire.connections, wire.requests.len()), (2, 2));
    }
}

/// Calls one after the other share a connection; a service that has none left to close is not put off by a closed one.
#[tokio::test]
async fn a_creation_goes_through_after_the_connection_was_closed() {
    let closing = json("200 OK\r\nconnection: close", &done("1"));
    let script = [Then::AnswerAndKeep(ok()), Then::Answer(closing), Then::AnswerAndKeep(ok())];
    let server = RawServer::start(script).await;
    let client = Call::Create.client(&server.base_url(), patient());
    for _ in 0..4 {
        assert_eq!(client.make(Call::Create).await.unwrap(), "1");
    }
    drop(client);
    let wire = server.end().await;
    let connections: Vec<_> = wire.requests.iter().map(|request| request.connection).collect();
    assert_eq!((wire.connections, connections), (2, vec![0, 0, 1, 1]));
}
