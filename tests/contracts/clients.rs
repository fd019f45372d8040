//! What a caller may do with the client of a call, and must not be told wrongly.

use std::sync::Mutex;
use std::time::Duration;

use lastmile::cocon::Cocon;
use lastmile::cocon::types::CustomerCreate;
use lastmile::{Outcome, Policy};
use lastmile_core::progenitor_client::Error;
use lastmile_tests::{RawServer, Then, answer};
use tokio::time::timeout;

use crate::calls::patient;

fn cocon(server: &RawServer) -> Cocon {
    Cocon::builder(server.base_url()).api_key("k").client_id("c").policy(patient()).build().unwrap()
}

/// What a caller does who has no more patience.
async fn or_give_up<T>(
    after: Duration,
    answer: impl Future<Output = Result<T, Error<()>>>,
) -> Result<T, Error<()>> {
    match timeout(after, answer).await {
        Ok(answer) => answer,
        Err(_) => Err(Error::Custom("I go".to_owned())),
    }
}

#[tokio::test]
async fn a_caller_who_gives_up_inside_the_call_is_not_told_that_it_was_answered() {
    let server = RawServer::start([Then::Hang]).await;
    let customer = &CustomerCreate::default();
    let cocon = cocon(&server);
    let given_up = cocon.raw().call(|client: lastmile_cocon::Client| async move {
        or_give_up(Duration::from_millis(200), client.create_customer(customer)).await
    });
    let error = given_up.await.unwrap_err();
    assert_eq!((error.outcome(), error.status()), (Outcome::Unknown, None), "{error}");
    assert_eq!(server.end().await.requests.len(), 1);
}

#[tokio::test]
async fn nor_is_one_whose_first_attempt_was_answered_with_a_failure() {
    let server = RawServer::start([Then::AnswerAndKeep(answer("503 Busy", "")), Then::Hang]).await;
    let id = &"1".parse().unwrap();
    let cocon = cocon(&server);
    let given_up = cocon.raw().call(|client: lastmile_cocon::Client| async move {
        or_give_up(Duration::from_secs(1), client.get_customer(id)).await
    });
    let error = given_up.await.unwrap_err();
    assert_eq!((error.outcome(), error.status().unwrap().as_u16()), (Outcome::Unknown, 503), "{error}");
    assert_eq!(server.end().await.requests.len(), 2);
}

/// Nothing came of it, and that is known.
#[tokio::test]
async fn whoever_gives_up_before_it_was_sent_is_told_so() {
    let server = RawServer::start([Then::Hang]).await;
    let customer = &CustomerCreate::default();
    let builder = Cocon::builder(server.base_url()).api_key("k").client_id("c").policy(patient());
    let cocon = builder.connection(|handle| handle.requests_at_once(1)).build().unwrap();
    let create = |patience: Duration| {
        cocon.raw().call(move |client: lastmile_cocon::Client| async move {
            or_give_up(patience, client.create_customer(customer)).await
        })
    };
    let waiting = async {
        server.has_read(1).await;
        create(Duration::from_millis(200)).await.unwrap_err()
    };
    let error = tokio::select! {
        _ = create(Duration::MAX) => panic!("it hangs, and has the only place"),
        error = waiting => error,
    };
    assert_eq!((error.outcome(), error.attempts()), (Outcome::NotSent, 0), "{error}");
    assert_eq!(server.end().await.requests.len(), 1);
}

/// The time that a caller takes inside the call is the call's.
#[tokio::test]
async fn a_creation_is_not_begun_when_the_caller_has_used_its_time_up() {
    let server = RawServer::start([Then::AnswerAndKeep(answer("200 OK", "{}"))]).await;
    let customer = &CustomerCreate::default();
    let slow = Duration::from_millis(600);
    let hurried = Policy { deadline: 2 * slow, attempt: slow, ..patient() };
    let cocon = cocon(&server).with_policy(hurried);
    let error = cocon.raw().call(|client: lastmile_cocon::Client| async move {
        tokio::time::sleep(slow + slow / 4).await;
        client.create_customer(customer).await
    });
    let error = error.await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::NotSent, "{error}");
    assert!(error.to_string().contains("too little time is left"), "{error}");
    // A read has what is left of its deadline, and an attempt's time from when it is made.
    let id = &"1".parse().unwrap();
    let read = cocon.raw().call(|client: lastmile_cocon::Client| async move {
        tokio::time::sleep(slow + slow / 4).await;
        client.get_customer(id).await
    });
    assert_eq!(read.await.unwrap().attempts, 1);
    drop(cocon);
    assert_eq!(server.end().await.requests.len(), 1);
}

/// A caller may look at what the method gives before the call does.
#[tokio::test]
async fn the_status_inside_a_call_is_the_answer_s() {
    let server = RawServer::start([Then::AnswerAndKeep(answer("201 Created", r#"{"id":"1"}"#))]).await;
    let customer = &CustomerCreate::default();
    let cocon = cocon(&server);
    let reply = cocon.raw().call(|client: lastmile_cocon::Client| async move {
        let answer = client.create_customer(customer).await?;
        assert_eq!(answer.status().as_u16(), 201);
        Ok(answer)
    });
    assert_eq!(reply.await.unwrap().status.as_u16(), 201);
    server.end().await;
}

#[tokio::test]
async fn a_client_that_is_kept_makes_no_second_call() {
    let server = RawServer::start([Then::AnswerAndKeep(answer("400 Bad Request", ""))]).await;
    let customer = &CustomerCreate::default();
    let kept = Mutex::new(None);
    let call = |client: lastmile_cocon::Client| {
        *kept.lock().unwrap() = Some(client.clone());
        async move { client.create_customer(customer).await }
    };
    let error = cocon(&server).raw().call(call).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::Rejected);
    let kept = kept.into_inner().unwrap().unwrap();
    assert!(kept.create_customer(customer).await.is_err());
    assert_eq!(server.end().await.requests.len(), 1);
}
