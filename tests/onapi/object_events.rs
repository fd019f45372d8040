//! Order events at networks that have the events of objects alone.

use futures_util::StreamExt as _;
use lastmile::onapi::{EventCursor, NewOrder, OnApi, OrderEvents};
use lastmile::rules::OnApiId;
use lastmile::{HasProgress as _, OrderStage, Outcome, RowError};
use lastmile_sandbox::onapi::Availability;
use lastmile_sandbox::{Answer, Sandbox};
use serde_json::{Value, json};

use crate::steps::{done, every_dialect, id, offered, place};

async fn networks() -> Vec<(Sandbox, OnApi)> {
    every_dialect(|builder| builder.onapi_without_endpoint("orderevents")).await
}

/// Places an order, and returns its id.
async fn order(sandbox: &Sandbox, network: &OnApi, reference: &str) -> OnApiId {
    let (access, service) = offered(sandbox, Availability::Free);
    let order = NewOrder::activate(access, service, id(reference)).sla("SLA-1");
    place(network, order).await.order_id().unwrap()
}

/// Reads the orders of the events until no event is available.
async fn all(events: &mut OrderEvents) -> Vec<OnApiId> {
    let mut orders = Vec::new();
    while let Some(event) = events.next().await {
        orders.push(OnApiId::try_from(event.unwrap().event.order.get().unwrap()).unwrap());
    }
    orders
}

#[tokio::test]
async fn order_events_come_from_the_events_of_objects_where_there_are_no_others() {
    for by_directory in [true, false] {
        for (sandbox, network) in every_dialect(|builder| builder.onapi_without_endpoint("orderevents")).await
        {
            let network = match by_directory {
                true => network.with_directory(&network.directory().await.unwrap().unwrap(), &[]),
                false => network,
            };
            let (access, service) = offered(&sandbox, Availability::Free);
            let placed = place(&network, NewOrder::activate(access, service, id("SP-1")).sla("SLA-1")).await;
            let order = placed.order_id().unwrap();
            done(&sandbox);
            let mut events = network.order_events(None);
            let event = events.next().await.unwrap().unwrap();
            let of = event.event.order.get().unwrap();
            assert_eq!(OnApiId::try_from(of).unwrap(), order);
            assert_eq!(of.progress().stage(), OrderStage::Done, "the present state");
            assert!(events.next().await.is_none());
            let cursor = events.cursor().unwrap().clone();
            let stored = serde_json::to_string(&cursor).unwrap();
            let mut later = network.order_events(Some(serde_json::from_str(&stored).unwrap()));
            let spoken = network.dialect();
            assert!(later.next().await.is_none(), "{spoken}: nothing is new");
            let (access, _) = offered(&sandbox, Availability::Free);
            let failing = lastmile_sandbox::OnApi::FAILING_SERVICE;
            place(&network, NewOrder::activate(access, failing, id("SP-2"))).await;
            done(&sandbox);
            let event = later.next().await.unwrap().unwrap();
            assert_eq!(event.event.order.get().unwrap().progress().stage(), OrderStage::Failed, "{spoken}");
            assert!(event.cursor.is_some());
        }
    }
}

#[tokio::test]
async fn an_order_that_cannot_be_read_does_not_repeat_the_others() {
    for (sandbox, network) in networks().await {
        let mut orders = Vec::new();
        for reference in ["SP-1", "SP-2", "SP-3"] {
            orders.push(order(&sandbox, &network, reference).await);
            done(&sandbox);
        }
        let mut events = network.order_events(None);
        let first = events.next().await.unwrap().unwrap();
        assert!(first.cursor.is_none(), "{}: the network has one cursor for all", network.dialect());
        assert_eq!(sandbox.onapi().count("getOrder"), 1, "an order is read when its event is due");
        for _ in 0..2 {
            sandbox.onapi().answer_next("getOrder", Answer::status(403));
            let Some(Err(RowError::Call(error))) = events.next().await else { panic!("it is refused") };
            assert_eq!(error.outcome(), Outcome::Rejected);
            assert!(events.cursor().is_none(), "nothing is passed over");
        }
        assert_eq!(all(&mut events).await, orders[1..]);
        assert_eq!((sandbox.onapi().count("listEvents"), sandbox.onapi().count("getOrder")), (1, 5));
        assert!(events.cursor().is_some());
        assert!(events.next().await.is_none());
    }
}

/// The lists of ON-API have no pages. A network that has them must not make the stream pass over the other pages.
#[tokio::test]
async fn a_page_of_events_is_not_taken_for_all() {
    for (sandbox, network) in networks().await {
        let placed = order(&sandbox, &network, "SP-1").await;
        let page = json!([{ "type": "CREATE", "objectType": "orders", "objectId": placed.as_str() }]);
        for (name, value) in [("link", "</events/?page=2>; rel=\"next\""), ("content-range", "items 0-0/2")] {
            let answer = Answer::json(200, &page).header("last-modified", "Mon, 02 Mar 2026 00:00:00 GMT");
            sandbox.onapi().answer_next("listEvents", answer.header(name, value));
            let mut events = network.order_events(None);
            assert!(matches!(events.next().await, Some(Err(RowError::Call(_)))), "{name}");
            assert!(events.cursor().is_none(), "{name}");
            assert_eq!(
                all(&mut events).await,
                std::slice::from_ref(&placed),
                "the next response is complete"
            );
        }
    }
}

#[tokio::test]
async fn events_of_other_objects_move_the_cursor_alone() {
    let list =
        |rows: Value| Answer::json(200, &rows).header("last-modified", "Mon, 02 Mar 2026 00:00:00 GMT");
    for (sandbox, network) in networks().await {
        let mut events = network.order_events(None);
        let access = json!({ "type": "UPDATE", "objectType": "accesses", "objectId": "a-1", "path": "/a-1" });
        sandbox.onapi().answer_next("listEvents", list(json!([access])));
        assert!(events.next().await.is_none());
        let cursor = events.cursor().unwrap();
        assert!(serde_json::to_string(cursor).unwrap().contains("Mon, 02 Mar 2026"));
        // An order that was deleted has no state, and is not read.
        let deleted = json!({ "type": "DELETE", "objectType": "order", "objectId": "o-1" });
        sandbox.onapi().answer_next("listEvents", list(json!([7, access, deleted])));
        let mut events = network.order_events(None);
        assert!(matches!(events.next().await, Some(Err(RowError::Unreadable(_)))));
        let event = events.next().await.unwrap().unwrap();
        let of = event.event.order.get().unwrap();
        assert_eq!((OnApiId::try_from(of).unwrap(), of.progress().stage()), (id("o-1"), OrderStage::Other));
        assert!(event.cursor.is_some());
        assert_eq!(sandbox.onapi().count("getOrder"), 0);
        let sent: EventCursor = event.cursor.unwrap();
        sandbox.onapi().answer_next("listEvents", Answer::status(304));
        assert!(network.order_events(Some(sent)).next().await.is_none());
        let header = sandbox.onapi().last().unwrap().header("if-modified-since").map(str::to_owned);
        assert_eq!(header.as_deref(), Some("Mon, 02 Mar 2026 00:00:00 GMT"));
    }
}

#[tokio::test]
async fn an_order_event_that_names_its_order_badly_is_not_passed_over() {
    let list =
        |rows: Value| Answer::json(200, &rows).header("last-modified", "Mon, 02 Mar 2026 00:00:00 GMT");
    for (sandbox, network) in networks().await {
        let placed = order(&sandbox, &network, "SP-1").await;
        let path = format!("/orders/{placed}/");
        for event in [
            json!({ "type": "UPDATE", "objectType": "orders", "path": path }),
            json!({ "type": "UPDATE", "objectType": "order", "objectId": "", "path": path }),
            json!({ "type": "UPDATE", "objectType": {}, "objectId": {}, "path": path }),
            json!({ "type": "UPDATE", "objectId": placed.as_str(), "path": "/orders/" }),
        ] {
            sandbox.onapi().answer_next("listEvents", list(json!([event])));
            let mut events = network.order_events(None);
            let event = events.next().await.unwrap().unwrap();
            let of = event.event.order.get().unwrap();
            assert_eq!(of.progress().stage(), OrderStage::Received, "{event:?}");
            assert!(event.cursor.is_some());
        }
        let reads = sandbox.onapi().count("getOrder");
        let nameless = json!({ "type": "UPDATE", "objectType": "orders" });
        sandbox.onapi().answer_next("listEvents", list(json!([nameless, nameless])));
        let mut events = network.order_events(None);
        for _ in 0..2 {
            let event = events.next().await.unwrap().unwrap();
            assert!(event.event.order.get().unwrap().path.is_absent(), "somebody has to look");
        }
        assert!(events.next().await.is_none());
        assert_eq!(sandbox.onapi().count("getOrder"), reads);
    }
}
