//! The deadline of a call.

use std::time::Duration;

use lastmile_tests::{RawServer, Then, json};

use crate::calls::Ends::*;
use crate::calls::{Call, done, hurried, patient, secure, seen, single, told};
use crate::table::ok;

/// A creating call cannot be repeated, so giving up earlier would only make its outcome indeterminate.
#[tokio::test]
async fn a_creating_call_waits_until_its_deadline() {
    let policy = hurried();
    assert!(policy.attempt_timeout * 3 < policy.deadline);
    let (told, wire) = told(Call::Create, policy.clone(), vec![Then::Hang]).await;
    assert_eq!(seen(Call::Create, &told, &wire.requests), (Indeterminate, None, 1, 1));
    let error = told.unwrap_err();
    assert!(error.elapsed() >= policy.deadline, "{:?}", error.elapsed());
    assert!(error.to_string().contains("no response within"), "{error}");
}

/// The connection of an abandoned call is not reused, whatever arrives on it later.
#[tokio::test]
async fn a_late_response_is_not_taken_for_another_call() {
    let case = async |first: Call, second: Call| {
        let late = Then::AnswerWhenTold(json("200 OK", &done("stranger")));
        let server = RawServer::start([late, Then::AnswerAndKeep(ok())]).await;
        let client = first.client(&server.base_url(), single());
        let given_up = client.make(first).await;
        assert_eq!(seen(first, &given_up, &server.wire().requests), (Indeterminate, None, 1, 1));
        server.tell();
        assert_eq!(client.with_policy(patient()).make(second).await.unwrap(), "1");
        drop(client);
        let wire = server.end().await;
        assert_eq!((wire.connections, wire.requests.len()), (2, 2), "{first:?}, {second:?}");
    };
    tokio::join!(
        case(Call::Create, Call::Create),
        case(Call::Create, Call::Read),
        case(Call::Read, Call::Create)
    );
}

#[tokio::test]
async fn nothing_is_sent_when_the_deadline_precedes_the_connection() {
    let server = RawServer::start([Then::Hang]).await;
    let policy = hurried().with_deadline(Duration::from_millis(100));
    let told = secure(&server, policy).make(Call::Create).await;
    // The connection was never ready for the body, so the body is not sent.
    assert_eq!(seen(Call::Create, &told, &server.end().await.requests), (NotSent, None, 1, 0));
}

#[tokio::test]
async fn zero_and_maximal_time_limits_are_supported() {
    let none = patient().with_deadline(Duration::ZERO);
    for call in [Call::Create, Call::Read, Call::List] {
        let (told, wire) = told(call, none.clone(), vec![Then::Close]).await;
        let seen = seen(call, &told, &wire.requests);
        assert!(matches!(seen, (NotSent, None, 1, 0)), "{call:?}: {seen:?}");
    }
    let all = patient()
        .with_deadline(Duration::MAX)
        .with_attempt_timeout(Duration::MAX)
        .with_stream_idle_timeout(Duration::MAX);
    for call in [Call::Create, Call::Read, Call::List] {
        let (told, wire) = told(call, all.clone(), vec![Then::Answer(json("404 None", ""))]).await;
        assert_eq!(seen(call, &told, &wire.requests), (Rejected, Some(404), 1, 1));
        let (told, wire) = self::told(call, all.clone(), vec![Then::Close]).await;
        let attempts = if call == Call::Create { 1 } else { 4 };
        assert_eq!(seen(call, &told, &wire.requests), (Indeterminate, None, attempts as u32, attempts));
    }
    let one = patient().with_max_attempts(0).with_body_limit(0);
    let (told, wire) = told(Call::Read, one, vec![Then::AnswerAndKeep(ok())]).await;
    assert_eq!(seen(Call::Read, &told, &wire.requests), (Decode, Some(200), 1, 1), "one attempt is made");
}
