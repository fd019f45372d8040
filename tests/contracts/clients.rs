//! Reuse of a client, and the independence of its calls.

use std::time::Duration;

use lastmile::Outcome;
use lastmile::cocon::Cocon;
use lastmile::cocon::types::CustomerCreate;
use lastmile_tests::{RawServer, Then, answer};

use crate::calls::patient;

fn cocon(server: &RawServer) -> Cocon {
    Cocon::builder(server.base_url()).api_key("k").client_id("c").policy(patient()).build().unwrap()
}

/// A dropped call does not affect the client.
#[tokio::test]
async fn a_client_works_after_a_call_was_dropped() {
    let server = RawServer::start([Then::Hang, Then::AnswerAndKeep(answer("200 OK", "{}"))]).await;
    let client = cocon(&server).raw().clone();
    let customer = CustomerCreate::default();
    tokio::select! {
        _ = client.create_customer(&customer) => panic!("it hangs"),
        () = server.has_read(1) => {}
    }
    let reply = client.get_customer(&"1".parse().unwrap()).await.unwrap();
    assert_eq!((reply.attempts, reply.status.as_u16()), (1, 200));
    drop(client);
    assert_eq!(server.end().await.requests.len(), 2);
}

#[tokio::test]
async fn concurrent_calls_of_one_client_keep_their_own_outcomes() {
    let server = RawServer::start([Then::Hang]).await;
    let client = cocon(&server).raw().clone();
    let (customer, id) = (CustomerCreate::default(), "1".parse().unwrap());
    let hurried =
        client.with_policy(patient().with_deadline(Duration::from_millis(200)).with_max_attempts(1));
    let (created, read) = tokio::join!(hurried.create_customer(&customer), hurried.get_customer(&id));
    let (created, read) = (created.unwrap_err(), read.unwrap_err());
    assert_eq!(
        (created.outcome(), created.operation().unwrap().id),
        (Outcome::Indeterminate, "create_customer")
    );
    assert_eq!((read.outcome(), read.operation().unwrap().id), (Outcome::Indeterminate, "get_customer"));
    assert!(created.may_have_taken_effect() && !read.may_have_taken_effect());
    assert_eq!(client.policy().deadline, patient().deadline, "the policy is that of the one call");
    server.end().await;
}

/// The deadline of a call starts with the call, however long ago the client was built.
#[tokio::test]
async fn a_call_that_is_not_awaited_sends_nothing() {
    let server = RawServer::start([Then::AnswerAndKeep(answer("200 OK", "{}"))]).await;
    let client = cocon(&server).raw().clone();
    let customer = CustomerCreate::default();
    drop(client.create_customer(&customer));
    assert_eq!(client.get_customer(&"1".parse().unwrap()).await.unwrap().attempts, 1);
    drop(client);
    assert_eq!(server.end().await.requests.len(), 1);
}
