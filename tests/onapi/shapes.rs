//! Properties of lists, waiting and errors that hold for every supplier.

use std::time::Duration;

use futures_util::StreamExt as _;
use lastmile::rules::OnApiId;
use lastmile::{Error, Outcome, Poll, RowError, testing};
use lastmile_sandbox::Answer;
use lastmile_tests::{onapi, sandbox};

#[tokio::test]
async fn a_list_of_one_response_is_a_stream_and_a_future() {
    let mut list = testing::list([1, 2, 3]);
    assert_eq!(list.next().await.unwrap().unwrap().into_option(), Some(1));
    assert_eq!(list.await.unwrap().len(), 2, "the rest");
    let mut failing = testing::failing_list::<u8>(testing::error(Outcome::Throttled).of_read().build());
    assert_eq!(failing.next().await.unwrap().unwrap_err().outcome(), Outcome::Throttled);
    assert!(failing.next().await.is_none());
}

#[tokio::test]
async fn following_events_ends_after_the_timeout_without_events() {
    let sandbox = sandbox().await;
    let network = onapi(&sandbox);
    let event = serde_json::json!([{ "event": "1" }]);
    sandbox.onapi().answer_next("listOrderEvents", Answer::json(200, &event));
    for _ in 0..20 {
        sandbox.onapi().answer_next("listOrderEvents", Answer::json(200, &serde_json::json!([])));
    }
    let settings = Poll::new().interval(Duration::from_millis(10)).timeout(Duration::from_millis(50));
    let mut events = network.order_events(None).follow(settings);
    assert!(events.next().await.unwrap().is_ok());
    assert!(events.next().await.is_none());
    assert!(events.get_ref().cursor().is_some(), "the cursor stays reachable");
}

#[tokio::test]
async fn every_error_converts_and_says_whether_it_may_have_taken_effect() {
    let mut rows = testing::rows_of::<u8>("[1, \"x\", 2, ");
    assert_eq!(rows.next().await.unwrap().unwrap(), 1);
    let unreadable = Error::from(rows.next().await.unwrap().unwrap_err());
    assert_eq!((unreadable.outcome(), unreadable.body().as_ref()), (Outcome::Decode, &b"\"x\""[..]));
    assert_eq!(rows.next().await.unwrap().unwrap(), 2);
    let broken = rows.next().await.unwrap().unwrap_err();
    assert!(matches!(broken, RowError::Malformed { .. }));
    let broken = Error::from(broken);
    assert!(broken.outcome() == Outcome::Indeterminate && broken.is_safe_to_repeat());
    let late = Error::from(testing::timed_out((), "IN_PROGRESS"));
    assert!(late.outcome() == Outcome::Indeterminate && late.is_safe_to_repeat());
    let rule = Error::from("".parse::<OnApiId>().unwrap_err());
    let setup = Error::from(lastmile::onapi::OnApi::builder("no address").build().unwrap_err());
    assert_eq!([rule.outcome(), setup.outcome()], [Outcome::Invalid; 2]);
    for read in [&unreadable, &broken, &late, &rule, &setup] {
        assert!(!read.may_have_taken_effect(), "{read}");
    }
    let lost = Error::from(RowError::Call(testing::error(Outcome::Indeterminate).build()));
    assert!(lost.may_have_taken_effect() && !lost.is_safe_to_repeat(), "the outcome of a call stays");
}
