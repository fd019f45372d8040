//! The intervals that the supplier states: events once in 30 seconds, information about an order once in five minutes.

use std::time::Duration;

use lastmile::covage::Covage;
use lastmile::covage::types::OrderInfoEventCreate;
use lastmile::{Error, Outcome, RateLimit};
use lastmile_covage::types::ListEventsParams;
use lastmile_sandbox::Answer;
use lastmile_tests::{brisk, covage, sandbox};
use serde_json::json;

async fn events(covage: &Covage) -> Result<(), Error> {
    let params = &ListEventsParams::default();
    covage.raw().list_events(params).await.map(drop)
}

async fn inform(covage: &Covage, order: &str) -> Result<(), Error> {
    let order = &order.parse().unwrap();
    let info: &OrderInfoEventCreate = &serde_json::from_value(json!({ "message": "Code 4711" })).unwrap();
    covage.raw().create_order_info_event(order, info).await.map(drop)
}

fn informed() -> Answer {
    Answer::json(200, &json!({ "info": "Event was successfully created" }))
}

/// Checks that nothing was sent, and returns how long to wait for the next call.
fn rests(result: Result<(), Error>) -> Duration {
    let error = result.unwrap_err();
    assert_eq!((error.outcome(), error.attempts(), error.status()), (Outcome::Throttled, 0, None));
    assert!(error.is_safe_to_repeat() && !error.may_have_taken_effect());
    assert!(error.to_string().contains("the supplier takes one such call in"), "{error}");
    error.retry_after().unwrap()
}

#[tokio::test]
async fn events_are_polled_at_most_once_in_30_seconds() {
    let sandbox = sandbox().await;
    let covage = covage(&sandbox);
    // Neither a token renewal before the call nor a rejection uses up the interval.
    sandbox.covage().answer_next("listEvents", Answer::status(401));
    sandbox.covage().answer_next("listEvents", Answer::status(403));
    assert_eq!(events(&covage).await.unwrap_err().status().unwrap(), 403);
    events(&covage).await.unwrap();
    assert_eq!(sandbox.covage().count("listEvents"), 3);

    let wait = rests(events(&covage.with_policy(brisk())).await);
    assert!(wait > Duration::from_secs(25) && wait <= Duration::from_secs(30), "{wait:?}");
    assert_eq!(sandbox.covage().count("listEvents"), 3);
}

#[tokio::test]
async fn a_repeated_attempt_keeps_the_interval() {
    let sandbox = sandbox().await;
    sandbox.covage().answer_next("listEvents", Answer::status(503));
    let error = events(&covage(&sandbox)).await.unwrap_err();
    assert_eq!(
        (error.outcome(), error.attempts(), error.status().unwrap().as_u16()),
        (Outcome::Indeterminate, 1, 503)
    );
    assert_eq!(sandbox.covage().count("listEvents"), 1, "the deadline comes before the turn");
}

#[tokio::test]
async fn information_is_sent_at_most_once_in_five_minutes() {
    let sandbox = sandbox().await;
    let covage = covage(&sandbox);
    for order in ["1", "2"] {
        sandbox.covage().answer_next("createOrderInfoEvent", informed());
        inform(&covage, order).await.unwrap();
    }
    let wait = rests(inform(&covage, "1").await);
    assert!(wait > Duration::from_secs(290) && wait <= Duration::from_secs(300), "{wait:?}");

    sandbox.covage().answer_next("createOrderInfoEvent", Answer::status(400));
    assert_eq!(inform(&covage, "3").await.unwrap_err().outcome(), Outcome::Rejected);
    sandbox.covage().answer_next("createOrderInfoEvent", Answer::status(502));
    assert_eq!(
        inform(&covage, "3").await.unwrap_err().outcome(),
        Outcome::Indeterminate,
        "a refusal costs no turn"
    );
    rests(inform(&covage, "3").await);
    assert_eq!(sandbox.covage().count("createOrderInfoEvent"), 4);
}

#[tokio::test]
async fn all_calls_of_a_client_share_its_rate_limit() {
    let sandbox = sandbox().await;
    let supplier = sandbox.covage();
    let builder = Covage::builder(supplier.base_url()).login(supplier.email(), supplier.password());
    let limit = RateLimit::new(3, Duration::from_secs(3600));
    let covage = builder.rate_limit(limit).policy(brisk()).build().unwrap();
    for _ in 0..3 {
        let _ = covage.order(&"1".parse().unwrap()).await;
    }
    let error =
        covage.with_policy(brisk().with_max_attempts(1)).order(&"1".parse().unwrap()).await.unwrap_err();
    assert_eq!((error.outcome(), error.attempts()), (Outcome::Throttled, 0));
    assert!(error.to_string().contains("the client's rate limit"), "{error}");
    assert!(error.retry_after().unwrap() > Duration::from_secs(1000));
    assert_eq!(supplier.count("getOrder"), 3);
}
