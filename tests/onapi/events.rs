//! The events of orders are delivered once, over restarts and reconnects.

use std::time::Duration;

use futures_util::StreamExt as _;
use lastmile::onapi::{Dialect, EventCursor, NewOrder, OnApi, OrderEvents};
use lastmile::rules::OnApiId;
use lastmile::{HasProgress, OrderStage, Outcome, Poll, Prepared, RowError};
use lastmile_sandbox::onapi::Availability;
use lastmile_sandbox::{Answer, Sandbox};
use lastmile_tests::{RawServer, Then, brisk, onapi, sandbox};
use serde_json::{Value, json};

/// Reads until no event is available.
async fn all(events: &mut OrderEvents) -> Vec<String> {
    let mut ids = Vec::new();
    for _ in 0..1000 {
        match events.next().await {
            None => return ids,
            Some(event) => ids.push(event.unwrap().event.event.into_string().unwrap()),
        }
    }
    panic!("there is no end to the events");
}

async fn order(sandbox: &Sandbox, network: &OnApi, reference: &str) -> Prepared<NewOrder> {
    let accesses = sandbox.onapi().accesses();
    let (access, service) = accesses
        .iter()
        .rev()
        .find_map(|access| Some((access.id.parse().unwrap(), &access.service(Availability::Free)?.service)))
        .unwrap();
    let mut order = Prepared::new(NewOrder::activate(access, service, reference.parse().unwrap())).unwrap();
    order.place(network).await.unwrap();
    order
}

#[tokio::test]
async fn events_are_read_from_the_first_order_over_a_restart() {
    let sandbox = sandbox().await;
    let network = onapi(&sandbox);
    let mut events = network.order_events(None);
    assert_eq!(sandbox.onapi().received().len(), 0, "nothing is sent before it is asked for");
    assert!(events.next().await.is_none(), "before the first order the network says 404");
    assert!(events.cursor().is_none());

    order(&sandbox, &network, "SP-1").await;
    sandbox.onapi().advance();
    let first = events.next().await.unwrap().unwrap();
    let of = first.event.order.get().unwrap();
    assert_eq!(of.progress().stage(), OrderStage::Received);
    assert!(network.order(&OnApiId::try_from(of).unwrap()).await.is_ok(), "the path tells the order");
    assert_eq!(first.cursor.as_ref(), events.cursor());
    let stored = serde_json::to_string(&first.cursor).unwrap();

    // The process ends here, with one event delivered of the two that arrived.
    drop(events);
    let stored: Option<EventCursor> = serde_json::from_str(&stored).unwrap();
    let mut events = network.order_events(stored);
    sandbox.onapi().advance();
    let second = events.next().await.unwrap().unwrap();
    assert_eq!(second.event.order.get().unwrap().progress().stage(), OrderStage::InProgress);
    let third = events.next().await.unwrap().unwrap();
    assert_eq!(third.event.order.get().unwrap().progress().stage(), OrderStage::Done);
    assert!(events.next().await.is_none());
    assert!(events.next().await.is_none(), "asked again, with nothing new");
    order(&sandbox, &network, "SP-2").await;
    assert_eq!(all(&mut events).await.len(), 1, "the same value goes on");
}

fn list(ids: &[&str]) -> Value {
    let event = |id: &&str| json!({ "event": id, "order": { "path": format!("/orders/o-{id}/"), "state": "RECEIVED" } });
    ids.iter().map(event).collect()
}

#[tokio::test]
async fn repeated_events_are_skipped() {
    let sandbox = sandbox().await;
    let network = onapi(&sandbox);
    let mut events = network.order_events(None);
    let next = |body: Value| sandbox.onapi().answer_next("listOrderEvents", Answer::json(200, &body));
    next(list(&["1", "2", "3"]));
    assert_eq!(all(&mut events).await, ["1", "2", "3"]);
    // The network ignores the cursor.
    next(list(&["1", "2", "3", "4", "5"]));
    assert_eq!(all(&mut events).await, ["4", "5"]);
    assert_eq!(sandbox.onapi().last().unwrap().query.as_deref(), Some("since=3"));
    // The network includes the event of the cursor.
    next(list(&["5", "6"]));
    assert_eq!(all(&mut events).await, ["6"]);
    next(list(&["6"]));
    assert_eq!(all(&mut events).await, Vec::<String>::new());
    // The network has deleted the old events.
    next(list(&["8", "9"]));
    assert_eq!(all(&mut events).await, ["8", "9"]);
    next(list(&[]));
    assert_eq!(all(&mut events).await, Vec::<String>::new());
}

#[tokio::test]
async fn an_unreadable_event_is_reported_and_the_others_are_read() {
    let sandbox = sandbox().await;
    let network = onapi(&sandbox);
    let body = json!([{ "event": "1" }, 7, { "order": {} }, { "event": "" }, { "event": "4" }]);
    for since in [None, Some(serde_json::from_value::<EventCursor>(json!("0")).unwrap())] {
        sandbox.onapi().answer_next("listOrderEvents", Answer::json(200, &body));
        let mut events = network.order_events(since);
        assert!(events.next().await.unwrap().unwrap().cursor.is_some());
        assert!(matches!(events.next().await, Some(Err(RowError::Unreadable(_)))));
        for _ in 0..2 {
            let nameless = events.next().await.unwrap().unwrap();
            assert!(nameless.cursor.is_none(), "it has no id");
            assert_eq!(serde_json::to_value(events.cursor()).unwrap(), "1", "and moves no cursor");
        }
        assert_eq!(all(&mut events).await, ["4"]);
        assert_eq!(serde_json::to_value(events.cursor()).unwrap(), "4");
    }
}

#[tokio::test]
async fn a_truncated_list_is_requested_again_from_the_cursor() {
    const WHOLE: Then = Then::Answer(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: 29\r\n\r\n[{\"event\":\"2\"},{\"event\":\"3\"}]",
    );
    const TORN: Then = Then::Answer(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n[{\"event\":\"1\"},{\"event\":\"2\"},{\"ev",
    );
    const SCRIPT: &[Then] = &[TORN, TORN, WHOLE];
    let server = RawServer::start(SCRIPT).await;
    let network = OnApi::builder(server.base_url())
        .dialect(Dialect::Vendor26)
        .login("sp", "x")
        .policy(brisk())
        .build()
        .unwrap();
    let mut events = network.order_events(None);
    assert!(events.next().await.unwrap().unwrap().cursor.is_some());
    assert!(events.next().await.unwrap().is_ok());
    assert!(matches!(events.next().await, Some(Err(RowError::Call(_)))));
    assert_eq!(serde_json::to_value(events.cursor()).unwrap(), "2");
    assert!(
        matches!(events.next().await, Some(Err(RowError::Call(_)))),
        "torn again: nothing of it is handed out"
    );
    assert_eq!(all(&mut events).await, ["3"], "and 1 and 2 are not handed out twice");
    assert_eq!(server.requests(), 3);
}

#[tokio::test]
async fn an_unknown_cursor_is_an_error() {
    let sandbox = sandbox().await;
    let network = onapi(&sandbox);
    order(&sandbox, &network, "SP-1").await;
    let mut events = network.order_events(serde_json::from_value(json!("e-unknown")).unwrap());
    let Some(Err(RowError::Call(error))) = events.next().await else { panic!("the sandbox refuses it") };
    assert_eq!((error.outcome(), error.status().unwrap().as_u16()), (Outcome::Rejected, 400));
    sandbox.onapi().answer_next("listOrderEvents", Answer::status(404));
    let Some(Err(RowError::Call(error))) = network.order_events(None).next().await else {
        panic!("no cause")
    };
    assert_eq!(error.outcome(), Outcome::Rejected, "a wrong address, perhaps");
}

#[tokio::test]
async fn a_404_for_a_cursor_means_that_the_cursor_is_unknown() {
    let sandbox = sandbox().await;
    let network = onapi(&sandbox);
    let forgotten = || Answer::json(404, &json!({ "cause": "event E-1 does not exist" }));
    sandbox.onapi().answer_next("listOrderEvents", forgotten());
    let cursor: EventCursor = serde_json::from_value(json!("E-1")).unwrap();
    let mut events = network.order_events(Some(cursor.clone()));
    let Some(Err(error)) = events.next().await else { panic!("it is no end") };
    let text = error.to_string();
    assert!(
        text.contains("does not know the event of the cursor") && text.contains("begin again without"),
        "{text}"
    );
    assert!(!text.contains("E-1"), "{text}");
    let RowError::UnknownCursor(error) = error else { panic!("{error:?}") };
    assert_eq!((error.outcome(), error.status().unwrap().as_u16()), (Outcome::Rejected, 404));
    assert_eq!(events.cursor(), Some(&cursor));
    sandbox.onapi().answer_next("listOrderEvents", forgotten());
    assert!(network.order_events(None).next().await.is_none(), "before the first event there is none");
}

#[tokio::test]
async fn newest_first_events_are_delivered_once() {
    let sandbox = sandbox().await;
    let network = onapi(&sandbox);
    let next = |body: Value| sandbox.onapi().answer_next("listOrderEvents", Answer::json(200, &body));
    let mut events = network.order_events(None);
    next(list(&["e-10", "e-9", "e-8"]));
    assert_eq!(all(&mut events).await, ["e-8", "e-9", "e-10"]);
    // The network ignores the cursor.
    next(list(&["e-12", "e-11", "e-10", "e-9", "e-8"]));
    assert_eq!(all(&mut events).await, ["e-11", "e-12"]);
    assert_eq!(sandbox.onapi().last().unwrap().query.as_deref(), Some("since=e-10"));
    // The network honours the cursor.
    next(list(&["e-14", "e-13"]));
    assert_eq!(all(&mut events).await, ["e-13", "e-14"]);
    next(list(&["e-15"]));
    assert_eq!(all(&mut events).await, ["e-15"]);
    assert_eq!(serde_json::to_value(events.cursor()).unwrap(), "e-15");
}

#[tokio::test]
async fn order_states_reveal_the_list_order_where_ids_do_not() {
    let sandbox = sandbox().await;
    let network = onapi(&sandbox);
    let next = |body: Value| sandbox.onapi().answer_next("listOrderEvents", Answer::json(200, &body));
    let event = |(id, path, state): (&str, &str, &str)| json!({ "event": id, "order": { "path": path, "state": state } });
    let mut oldest_first = [
        ("ad", "/orders/1", "RECEIVED"),
        ("ca", "/orders/1", "IN_PROGRESS"),
        ("bc", "/orders/1", "DONE_SUCCESS"),
        ("db", "/orders/2", "RECEIVED"),
    ]
    .map(event);
    for _ in 0..2 {
        let listed = Value::Array(oldest_first.to_vec());
        next(listed.clone());
        assert_eq!(all(&mut network.order_events(None)).await, ["ad", "ca", "bc", "db"]);
        next(listed);
        let cursor = serde_json::from_value(json!("ca")).unwrap();
        assert_eq!(all(&mut network.order_events(Some(cursor))).await, ["bc", "db"]);
        oldest_first.reverse();
    }
}

#[tokio::test]
async fn an_error_instead_of_events_moves_no_cursor() {
    let sandbox = sandbox().await;
    let network = onapi(&sandbox);
    for since in [None, Some(serde_json::from_value::<EventCursor>(json!("7")).unwrap())] {
        for body in [json!({ "cause": "later" }), json!({ "events": [{ "event": "8" }] }), json!("later")] {
            sandbox.onapi().answer_next("listOrderEvents", Answer::json(200, &body));
            let mut events = network.order_events(since.clone());
            assert!(matches!(events.next().await, Some(Err(RowError::NotAList(_)))), "{body}");
            assert_eq!(events.cursor(), since.as_ref());
        }
    }
}

#[tokio::test]
async fn the_event_stream_outlasts_the_list_and_errors() {
    let sandbox = sandbox().await;
    let network = onapi(&sandbox);
    let next = |body: Value| sandbox.onapi().answer_next("listOrderEvents", Answer::json(200, &body));
    next(list(&["1"]));
    next(list(&[]));
    sandbox.onapi().answer_next("listOrderEvents", Answer::status(403));
    next(list(&["2", "3"]));
    let mut events = network.order_events(None).follow(Poll::new().interval(Duration::from_millis(1)));
    let mut seen = Vec::new();
    for _ in 0..4 {
        let id =
            |event: Result<lastmile::onapi::DeliveredEvent, RowError>| event.ok()?.event.event.into_string();
        seen.push(id(events.next().await.unwrap()));
    }
    assert_eq!(seen, [Some("1"), None, Some("2"), Some("3")].map(|id| id.map(str::to_owned)));
    assert_eq!(sandbox.onapi().count("listOrderEvents"), 4);
}
