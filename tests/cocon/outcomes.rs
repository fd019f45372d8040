//! What becomes of calls that fail, and how many requests the server read for each.

use std::time::Duration;

use lastmile::cocon::Cocon;
use lastmile::cocon::types::CustomerCreate;
use lastmile::{Error, Outcome, Policy, Prepared, RetryBudget};
use lastmile_sandbox::Answer;
use lastmile_tests::{RawServer, Then, brisk, cocon, cocon_at, sandbox};
use serde_json::json;

/// Creates a customer at this address: a call that cannot be repeated.
async fn create(base: &str, policy: Policy) -> Error {
    let cocon = cocon_at(base, "key", "client").with_policy(policy);
    Prepared::new(CustomerCreate::default()).unwrap().place(&cocon).await.unwrap_err()
}

/// Reads a contact at this address.
async fn read(base: &str, policy: Policy) -> Error {
    cocon_at(base, "key", "client").with_policy(policy).contact("1").await.unwrap_err()
}

async fn delete(base: &str) -> Result<(), Error> {
    cocon_at(base, "key", "client").delete_contact("1").await.map(drop)
}

const UNAVAILABLE: Then = Then::Answer("HTTP/1.1 503 Busy\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
const NOT_FOUND: Then = Then::Answer("HTTP/1.1 404 None\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
const DONE: Then = Then::Answer("HTTP/1.1 204 Done\r\nconnection: close\r\n\r\n");
const CUT: Then = Then::Answer(
    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{\"id\": \"1",
);

#[tokio::test]
async fn nobody_listens() {
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", free.local_addr().unwrap());
    drop(free);
    let error = create(&base, brisk()).await;
    assert_eq!((error.outcome(), error.attempts()), (Outcome::NotSent, 4), "what never left is tried again");
    assert!(error.is_safe_to_repeat() && !error.may_have_taken_effect());
    assert_eq!(error.status(), None);
}

#[tokio::test]
async fn the_connection_closes_without_an_answer() {
    let server = RawServer::start(&[Then::Close]).await;
    let error = create(&server.base_url(), brisk()).await;
    assert_eq!((error.outcome(), error.attempts(), server.requests()), (Outcome::Unknown, 1, 1));
    assert!(error.may_have_taken_effect() && !error.is_safe_to_repeat());
    assert!(error.to_string().contains("look at the supplier's data before calling again"), "{error}");

    let server = RawServer::start(&[Then::Close]).await;
    let error = read(&server.base_url(), brisk()).await;
    assert_eq!((error.outcome(), error.attempts(), server.requests()), (Outcome::Unknown, 4, 4));
    assert!(!error.may_have_taken_effect() && error.is_safe_to_repeat());
}

#[tokio::test]
async fn no_answer_until_the_deadline() {
    let server = RawServer::start(&[Then::Hang]).await;
    let policy =
        Policy { deadline: Duration::from_millis(200), attempt: Duration::from_millis(20), ..brisk() };
    let error = create(&server.base_url(), policy.clone()).await;
    assert_eq!((error.outcome(), error.attempts(), server.requests()), (Outcome::Unknown, 1, 1));
    assert!(
        error.elapsed() >= Duration::from_millis(200),
        "it waits as long as it may: {:?}",
        error.elapsed()
    );
    assert!(error.to_string().contains("no answer within"), "{error}");

    let server = RawServer::start(&[Then::Hang]).await;
    let error = read(&server.base_url(), policy).await;
    assert_eq!(error.outcome(), Outcome::Unknown);
    assert!(error.attempts() > 1, "a read gives up sooner and is tried again");
}

#[tokio::test]
async fn the_answer_breaks_off() {
    let server = RawServer::start(&[CUT]).await;
    let error = create(&server.base_url(), brisk()).await;
    assert_eq!((error.outcome(), error.attempts(), server.requests()), (Outcome::Unknown, 1, 1));
    assert_eq!(error.status().unwrap(), 200);
    assert_eq!(error.body().as_ref(), br#"{"id": "1"#, "what arrived is kept");
}

#[tokio::test]
async fn a_server_error_leaves_a_creation_open_and_is_not_repeated() {
    let server = RawServer::start(&[UNAVAILABLE]).await;
    let error = create(&server.base_url(), brisk()).await;
    assert_eq!((error.outcome(), error.attempts(), server.requests()), (Outcome::Unknown, 1, 1));
    assert_eq!(error.status().unwrap(), 503);
}

#[tokio::test]
async fn a_safe_call_is_repeated_until_it_is_answered() {
    let server = RawServer::start(&[UNAVAILABLE, Then::Close, DONE]).await;
    delete(&server.base_url()).await.unwrap();
    assert_eq!(server.requests(), 3);
}

#[tokio::test]
async fn after_an_unanswered_attempt_a_refusal_proves_nothing() {
    let server = RawServer::start(&[Then::Close, NOT_FOUND]).await;
    let error = delete(&server.base_url()).await.unwrap_err();
    assert_eq!((error.outcome(), error.attempts(), server.requests()), (Outcome::Unknown, 2, 2));
    assert_eq!(error.status().unwrap(), 404, "the last answer is told all the same");
    assert!(error.may_have_taken_effect());

    let server = RawServer::start(&[Then::Close, NOT_FOUND]).await;
    let error = read(&server.base_url(), brisk()).await;
    assert_eq!(error.outcome(), Outcome::Rejected, "a read changes nothing, so the last answer counts");
}

#[tokio::test]
async fn too_many_requests_says_when_to_come_back() {
    let sandbox = sandbox().await;
    let busy = || Answer::status(429).header("retry-after", "7");
    sandbox.cocon().answer_next("createCustomer", busy());
    let mut customer = Prepared::new(CustomerCreate::default()).unwrap();
    let error = customer.place(&cocon(&sandbox)).await.unwrap_err();
    assert_eq!((error.outcome(), error.attempts()), (Outcome::Throttled, 1));
    assert_eq!(error.retry_after(), Some(Duration::from_secs(7)));
    assert!(error.is_safe_to_repeat() && !error.may_have_taken_effect());

    // Longer than the deadline leaves: the caller is told at once instead of being kept waiting.
    sandbox.cocon().answer_next("getContact", Answer::status(429).header("retry-after", "3600"));
    let error = cocon(&sandbox).contact("1").await.unwrap_err();
    assert_eq!((error.outcome(), error.attempts()), (Outcome::Throttled, 1));

    sandbox.cocon().answer_next("getContact", Answer::status(429).header("retry-after", "0"));
    sandbox.cocon().answer_next("getContact", Answer::json(200, &json!({ "id": "1" })));
    assert_eq!(cocon(&sandbox).contact("1").await.unwrap().id.as_deref(), Some("1"));
}

#[tokio::test]
async fn a_wrong_key_is_refused_and_said_so() {
    let sandbox = sandbox().await;
    let cocon = cocon_at(&sandbox.cocon().base_url(), "wrong", sandbox.cocon().client_id());
    let error = cocon.contact("1").await.unwrap_err();
    assert_eq!((error.outcome(), error.status().unwrap().as_u16()), (Outcome::Rejected, 401));
    assert_eq!(error.attempts(), 1);
    assert!(error.to_string().contains("does not accept the credentials"), "{error}");
}

#[tokio::test]
async fn without_time_nothing_is_sent_and_with_all_time_nothing_overflows() {
    let server = RawServer::start(&[Then::Close]).await;
    let error = create(&server.base_url(), Policy { deadline: Duration::ZERO, ..brisk() }).await;
    assert_eq!((error.outcome(), server.requests()), (Outcome::NotSent, 0));

    let all = Policy { deadline: Duration::MAX, attempt: Duration::MAX, idle: Duration::MAX, ..brisk() };
    assert_eq!(create(&server.base_url(), all.clone()).await.outcome(), Outcome::Unknown);
    assert_eq!(read(&server.base_url(), all).await.outcome(), Outcome::Unknown);

    let none = Policy { attempts: 0, body_limit: 0, ..brisk() };
    assert_eq!(read(&server.base_url(), none).await.attempts(), 1, "one attempt is made");
}

#[tokio::test]
async fn what_an_attempt_was_answered_stays_when_the_next_is_not() {
    let server = RawServer::start(&[UNAVAILABLE, Then::Close]).await;
    let error = delete(&server.base_url()).await.unwrap_err();
    assert_eq!((error.outcome(), error.status().unwrap().as_u16()), (Outcome::Unknown, 503));
    assert_eq!(error.headers()["content-length"], "0");
    assert!(error.to_string().contains("doing it again does no harm"), "{error}");
}

#[tokio::test]
async fn one_client_makes_one_call() {
    let server = RawServer::start(&[Then::Close, DONE]).await;
    let cocon = cocon_at(&server.base_url(), "key", "client");
    let id = "1".parse().unwrap();
    let call = |client: lastmile_cocon::Client| async move {
        let _ = client.create_customer(&CustomerCreate::default()).await;
        client.delete_contact(&id).await
    };
    let error = cocon.raw().call(call).await.unwrap_err();
    assert_eq!(
        (error.outcome(), server.requests()),
        (Outcome::Unknown, 1),
        "the first call's outcome is told"
    );
    assert_eq!(error.operation().unwrap().id, "create_customer");
}

#[tokio::test]
async fn all_calls_of_a_handle_share_the_further_attempts() {
    let server = RawServer::start(&[Then::Close]).await;
    let budget = RetryBudget { reserve: 4, per_call: 0.0 };
    let cocon = Cocon::builder(server.base_url()).api_key("key").client_id("client").policy(brisk());
    let cocon = cocon.connection(|handle| handle.retry_budget(budget)).build().unwrap();
    let mut attempts = Vec::new();
    for _ in 0..3 {
        attempts.push(cocon.with_policy(brisk()).contact("1").await.unwrap_err().attempts());
    }
    assert_eq!((attempts, server.requests()), (vec![4, 2, 1], 7), "three further ones, one, none");
}
