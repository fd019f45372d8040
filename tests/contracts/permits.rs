//! The limit on the requests that a client keeps in flight.

use std::time::Duration;

use futures_util::future::join_all;
use lastmile::cocon::Cocon;
use lastmile::covage::Covage;
use lastmile::onapi::{Changes, Dialect, OnApi};
use lastmile::{Outcome, Prepared, RateLimit};
use lastmile_tests::{RawServer, Then, answer, json};
use tokio::time::Instant;

use crate::calls::{done, patient, tokens};
use crate::table::ok;

fn cocon(server: &RawServer, at_once: usize) -> Cocon {
    let cocon = Cocon::builder(server.base_url()).api_key("k").client_id("c").policy(patient());
    cocon.connection(|builder| builder.max_in_flight(at_once)).build().unwrap()
}

#[tokio::test]
async fn calls_beyond_the_limit_wait_for_a_permit() {
    let told = Then::AnswerWhenTold(ok());
    let server = RawServer::start([told, told, Then::Answer(ok())]).await;
    let (cocon, another) = (cocon(&server, 2), cocon(&server, 1));
    let id = "1".parse().unwrap();
    let calls = join_all((0..6).map(|_| cocon.contact(&id)));
    let answering = async {
        server.has_read(2).await;
        // Connections are accepted in the order in which they are made, so a third one of the client would have
        // been accepted before this one.
        another.contact(&"1".parse().unwrap()).await.unwrap();
        assert_eq!(server.wire().connections, 3);
        server.tell();
    };
    let (answers, ()) = tokio::join!(calls, answering);
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    drop((cocon, another));
    assert_eq!(server.end().await.requests.len(), 7);
}

/// Creating calls have permits of their own.
#[tokio::test]
async fn hanging_reads_do_not_delay_creating_calls() {
    let server = RawServer::start([Then::Hang, Then::AnswerAndKeep(ok())]).await;
    let cocon = cocon(&server, 1);
    let mut customer = Prepared::new(lastmile_tests::customer()).unwrap();
    let created = async {
        server.has_read(1).await;
        customer.place(&cocon).await.unwrap()
    };
    let id = "1".parse().unwrap();
    tokio::select! {
        _ = cocon.contact(&id) => panic!("it hangs"),
        _ = created => {}
    }
    drop(cocon);
    assert_eq!(server.end().await.requests.len(), 2);
}

/// Calls that waited for a permit do not all leave at once.
#[tokio::test]
async fn calls_that_waited_for_a_permit_keep_the_rate_limit() {
    const APART: Duration = Duration::from_millis(200);
    let server = RawServer::start([Then::AnswerWhenTold(ok()), Then::AnswerAndKeep(ok())]).await;
    let builder = Cocon::builder(server.base_url()).api_key("k").client_id("c").policy(patient());
    let builder = builder.rate_limit(RateLimit::new(1, APART));
    let cocon = builder.connection(|builder| builder.max_in_flight(1)).build().unwrap();
    let id = "1".parse().unwrap();
    let calls = join_all((0..4).map(|_| cocon.contact(&id)));
    let answering = async {
        server.has_read(1).await;
        // By now the rate limit alone would have admitted all of them.
        tokio::time::sleep(4 * APART).await;
        server.tell();
    };
    let (answers, ()) = tokio::join!(calls, answering);
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    drop(cocon);
    let requests = server.end().await.requests;
    assert_eq!(requests.len(), 4);
    for pair in requests[1..].windows(2) {
        let apart = pair[1].at - pair[0].at;
        assert!(apart > APART / 2, "{apart:?}");
    }
}

/// A token is obtained, rejected and renewed for a call that holds the only permit.
#[tokio::test]
async fn token_requests_need_no_permit() {
    let refused = Then::AnswerAndKeep(answer("401 Unauthorized", ""));
    let server = RawServer::with_tokens([refused, Then::AnswerAndKeep(ok())], [tokens()]).await;
    let covage = Covage::builder(server.base_url()).login("orders@sp.example", "x").policy(patient());
    let covage = covage.connection(|builder| builder.max_in_flight(1)).build().unwrap();
    assert_eq!(covage.order(&"1".parse().unwrap()).await.unwrap().uuid.as_deref(), Some("1"));
    drop(covage);
    let wire = server.end().await;
    assert_eq!((wire.requests.len(), wire.tokens.len()), (2, 2));
}

#[tokio::test]
async fn a_call_without_a_permit_by_its_deadline_is_not_sent() {
    let server = RawServer::start([Then::Hang]).await;
    // A limit of zero is raised to one, since a client without permits could send nothing.
    let cocon = cocon(&server, 0);
    let hurried = cocon.with_policy(patient().with_deadline(Duration::from_millis(300)));
    let mut customer = Prepared::new(lastmile_tests::customer()).unwrap();
    let late = async {
        server.has_read(2).await;
        [
            hurried.contact(&"1".parse().unwrap()).await.unwrap_err(),
            customer.place(&hurried).await.unwrap_err(),
        ]
    };
    let mut first = Prepared::new(lastmile_tests::customer()).unwrap();
    let id = "1".parse().unwrap();
    let errors = tokio::select! {
        _ = cocon.contact(&id) => panic!("it hangs"),
        _ = first.place(&cocon) => panic!("it hangs"),
        errors = late => errors,
    };
    for error in &errors {
        assert_eq!((error.outcome(), error.attempts()), (Outcome::Throttled, 0), "{error}");
        assert!(error.to_string().contains("`max_in_flight`"), "{error}");
    }
    // The call could not have started later.
    assert!(errors[1].elapsed() < Duration::from_millis(300), "{:?}", errors[1].elapsed());
    drop((cocon, hurried));
    assert_eq!(server.end().await.requests.len(), 2);
}

#[tokio::test]
async fn a_dropped_call_releases_its_permit() {
    let server = RawServer::start([Then::Hang, Then::AnswerAndKeep(ok())]).await;
    let cocon = cocon(&server, 1);
    let id = "1".parse().unwrap();
    tokio::select! {
        _ = cocon.contact(&id) => panic!("it hangs"),
        () = server.has_read(1) => {}
    }
    cocon.contact(&"1".parse().unwrap()).await.unwrap();
    drop(cocon);
    assert_eq!(server.end().await.requests.len(), 2);
}

/// The backoff before another attempt does not block other calls.
#[tokio::test]
async fn a_call_holds_no_permit_during_backoff() {
    let busy = Then::AnswerAndKeep(answer("503 Busy\r\nretry-after: 2", ""));
    let server = RawServer::start([busy, Then::AnswerAndKeep(ok())]).await;
    let cocon = cocon(&server, 1);
    let another = async {
        server.has_read(1).await;
        cocon.contact(&"1".parse().unwrap()).await.unwrap();
        Instant::now()
    };
    let id = "1".parse().unwrap();
    let (patient, another) = tokio::join!(cocon.contact(&id), another);
    patient.unwrap();
    drop(cocon);
    let requests = server.end().await.requests;
    assert_eq!(requests.len(), 3);
    assert!(another <= requests[2].at, "it did not wait for the second attempt");
}

#[tokio::test]
async fn a_streamed_list_holds_its_permit_until_its_head_arrives() {
    const LIST: &str = "HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n[{\"accessId\":\"1\"},";
    let access = json("200 OK", &done("1"));
    let server = RawServer::start([Then::AnswerAndHang(LIST), Then::AnswerAndKeep(access)]).await;
    let network =
        OnApi::builder(server.base_url()).dialect(Dialect::Vendor26).login("sp", "x").policy(patient());
    let network = network.connection(|builder| builder.max_in_flight(1)).build().unwrap();
    let Changes::Rows(rows) = network.accesses(None).await.unwrap() else { panic!("a list") };
    network.access(&"1".parse().unwrap()).await.unwrap();
    drop((rows, network));
    assert_eq!(server.end().await.requests.len(), 2);
}
