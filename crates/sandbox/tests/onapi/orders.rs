//! Orders: changes, their effects, and events.

use lastmile_sandbox::onapi::{Access, Availability};
use serde_json::{Value, json};

use crate::caller::{Caller, cause, finish};

async fn placed(caller: &Caller) -> (String, Value) {
    let (access, service) = caller.offered(Availability::Free);
    let order = caller.activate(&access, &service).await.json();
    (format!("/orders/{}", order["orderId"].as_str().unwrap()), order)
}

#[tokio::test]
async fn an_order_that_is_received_can_be_changed() {
    let caller = Caller::new().await;
    let (path, order) = placed(&caller).await;
    let patch = json!({ "spReference": "ref-2", "requestedDateTime": "2026-03-09T06:00:00Z" });
    assert_eq!(caller.send("PATCH", &path, patch.clone()).await.status, 204);
    let changed = caller.get(&path).await.json();
    assert_eq!((&changed["spReference"], &changed["service"]), (&json!("ref-2"), &order["service"]));
    assert_eq!(changed["expectedCompletionDate"], "2026-03-09T06:00:01Z");
    assert_eq!(changed["subscriptionId"], order["subscriptionId"]);
    assert_eq!(caller.send("PATCH", &path, patch).await.status, 204);
    assert_eq!(caller.0.took_effect("changeOrder"), 1, "the second one changed nothing");

    let whole = json!({ "operation": "ACTIVATE", "accessId": order["accessId"], "service": "VOIP" });
    assert_eq!(caller.send("PUT", &path, whole.clone()).await.status, 204);
    assert_eq!(caller.send("PUT", &path, whole).await.status, 204);
    let replaced = caller.get(&path).await.json();
    assert_eq!((&replaced["service"], &replaced["spReference"]), (&json!("VOIP"), &Value::Null));
    assert_eq!((&replaced["orderId"], &replaced["state"]), (&order["orderId"], &order["state"]));
    assert_eq!(caller.0.took_effect("replaceOrder"), 1);
}

#[tokio::test]
async fn a_change_is_validated_like_a_new_order() {
    let caller = Caller::new().await;
    let (path, order) = placed(&caller).await;
    let (held, service) = caller.offered(Availability::HeldByOther);
    let access_id = order["accessId"].clone();
    for (method, body, status) in [
        ("PATCH", json!({ "service": "BB-1-1" }), 400),
        ("PATCH", json!({ "forcedTakeover": true }), 400),
        ("PATCH", json!({ "operation": "SUSPEND" }), 400),
        ("PATCH", json!({ "orderId": "o-1" }), 400),
        ("PATCH", json!({ "spReference": null }), 400),
        ("PATCH", json!({ "accessId": held.id, "service": service }), 409),
        ("PUT", json!({ "accessId": access_id, "service": "VOIP" }), 400),
        ("PUT", json!({ "operation": "ACTIVATE", "service": "VOIP" }), 400),
    ] {
        let reply = caller.send(method, &path, body.clone()).await;
        assert_eq!(reply.status, status, "{body}: {}", reply.body);
    }
    caller.order(json!({ "operation": "ACTIVATE", "accessId": access_id, "service": "VOIP" })).await;
    assert_eq!(
        caller.send("PATCH", &path, json!({ "service": "VOIP" })).await.status,
        409,
        "ordered already"
    );
    assert_eq!(caller.get(&path).await.json(), order);
    assert_eq!(caller.0.took_effect("changeOrder") + caller.0.took_effect("replaceOrder"), 0);
}

#[tokio::test]
async fn an_order_that_is_received_can_be_cancelled() {
    let caller = Caller::new().await;
    let (path, _) = placed(&caller).await;
    assert_eq!(caller.call("DELETE", &path, &[], "").await.status, 204);
    assert_eq!(caller.get(&path).await.status, 404);
    assert_eq!(caller.call("DELETE", &path, &[], "").await.status, 404);
    assert_eq!(caller.0.took_effect("cancelOrder"), 1);
    let before = caller.0.accesses();
    finish(&caller.0);
    assert_eq!(caller.0.accesses(), before);
}

#[tokio::test]
async fn an_order_in_progress_cannot_be_changed() {
    let caller = Caller::new().await;
    let (path, order) = placed(&caller).await;
    for state in ["IN_PROGRESS", "DONE_SUCCESS"] {
        caller.0.advance();
        let whole = json!({ "operation": "ACTIVATE", "accessId": order["accessId"], "service": "VOIP" });
        for (method, body) in [("PUT", whole), ("PATCH", json!({ "service": "VOIP" }))] {
            let reply = caller.send(method, &path, body).await;
            assert_eq!((reply.status, cause(&reply).contains(state)), (409, true), "{method}");
        }
        assert_eq!(caller.call("DELETE", &path, &[], "").await.status, 409);
        assert_eq!(caller.get(&path).await.json()["state"], state);
    }
    caller.0.advance();
    assert_eq!(caller.get(&path).await.json()["state"], "DONE_SUCCESS", "and there it stays");
}

#[tokio::test]
async fn the_list_has_open_orders_or_those_of_the_filter() {
    let caller = Caller::new().await;
    let empty = caller.get("/orders/").await;
    assert_eq!((empty.status, cause(&empty).is_empty()), (404, false));
    let (_, first) = placed(&caller).await;
    finish(&caller.0);
    let (_, second) = placed(&caller).await;
    assert_ne!(first["service"], second["service"]);
    let ids = |rows: Vec<Value>| rows.iter().map(|row| row["orderId"].clone()).collect::<Vec<_>>();
    let (one, other) = ([first["orderId"].clone()], [second["orderId"].clone()]);
    assert_eq!(ids(caller.rows("/orders/").await), other);
    assert_eq!(ids(caller.rows("/orders/?state=DONE_SUCCESS").await), one);
    let access = first["accessId"].as_str().unwrap();
    let of_the_access = ids(caller.rows(&format!("/orders/?accessId={access}")).await);
    assert_eq!(of_the_access, [one, other.clone()].concat());
    let both = format!("/orders/?accessId={access}&state=RECEIVED");
    assert_eq!(ids(caller.rows(&both).await), other);
    assert_eq!(caller.get("/orders/?state=DONE_FAILED").await.status, 404);
    assert_eq!(caller.get("/orders/?accessId=a-1").await.status, 404);
    assert_eq!(caller.get("/orders/?state=LOST").await.status, 400);
    assert_eq!(caller.get("/orders/?page=2").await.status, 400);
}

/// The orders of an access follow an order that is moved to another access and back, and one that is cancelled.
#[tokio::test]
async fn an_order_is_listed_under_its_access() {
    let caller = Caller::new().await;
    let is_free =
        |access: &Access| access.service(Availability::Free).is_some_and(|offer| offer.service == "VOIP");
    let accesses = caller.0.accesses();
    let free: Vec<_> = accesses.iter().filter(|access| is_free(access)).map(|access| &access.id).collect();
    let order = |access: &str| json!({ "operation": "ACTIVATE", "accessId": access, "service": "VOIP" });
    let id = caller.place(order(free[0])).await;
    let path = format!("/orders/{id}");
    let listed = async |access: &str| caller.rows(&format!("/orders/?accessId={access}")).await.len();
    assert_eq!((listed(free[0]).await, listed(free[1]).await), (1, 0));
    assert_eq!(caller.send("PUT", &path, order(free[1])).await.status, 204);
    assert_eq!((listed(free[0]).await, listed(free[1]).await), (0, 1));
    assert_eq!(caller.order(order(free[1])).await.json()["orderId"], id.as_str(), "it is found open there");
    let other = caller.place(order(free[0])).await;
    assert_eq!(caller.call("DELETE", &path, &[], "").await.status, 204);
    assert_eq!((listed(free[0]).await, listed(free[1]).await), (1, 0));
    assert_eq!(caller.call("DELETE", &format!("/orders/{other}"), &[], "").await.status, 204);
    assert_ne!(caller.place(order(free[0])).await, other, "a cancelled order is no conflict");
}

/// An order can refer to a subscription that another order created.
#[tokio::test]
async fn an_order_can_refer_to_an_ordered_subscription() {
    let caller = Caller::new().await;
    let (_, order) = placed(&caller).await;
    let suspension = json!({ "operation": "SUSPEND", "subscriptionId": order["subscriptionId"] });
    assert_eq!(caller.order(suspension.clone()).await.status, 400, "there is none yet");
    finish(&caller.0);
    let suspended = caller.place(suspension).await;
    finish(&caller.0);
    assert_eq!(caller.state(&suspended).await, "DONE_SUCCESS");
}

#[tokio::test]
async fn orders_change_subscriptions() {
    let caller = Caller::new().await;
    let (access, service) = caller.offered(Availability::Active);
    let id = access.subscriptions[0].subscription_id.clone();
    let path = format!("/subscriptions/{}", access.id);
    let carried_out = async |body: Value| {
        let order = caller.place(body).await;
        finish(&caller.0);
        assert_eq!(caller.state(&order).await, "DONE_SUCCESS");
        caller.get(&path).await.json()["subscriptions"][0].clone()
    };
    let mut order = json!({ "operation": "SUSPEND", "subscriptionId": id, "externalNote": "Obetald." });
    assert_eq!(carried_out(order.clone()).await["operationalState"], "SUSPENDED");
    order["operation"] = json!("RESUME");
    assert_eq!(carried_out(order).await["operationalState"], "ACTIVATED");
    let modify = json!({ "operation": "MODIFY", "subscriptionId": id, "spReference": "ref-9" });
    let modified = carried_out(modify).await;
    assert_eq!((&modified["spReference"], &modified["service"]), (&json!("ref-9"), &json!(service)));
    let change = json!({ "operation": "CHANGE", "subscriptionId": id, "service": "BB-100-100" });
    let changed = carried_out(change).await;
    assert_eq!((&changed["subscriptionId"], &changed["service"]), (&json!(id), &json!("BB-100-100")));
    assert_eq!(changed["spReference"], "ref-9");
    let end = json!({ "operation": "DEACTIVATE", "subscriptionId": id });
    assert_eq!(carried_out(end).await, Value::Null);
    assert!(caller.reload(&access).subscriptions.is_empty());

    let (access, service) = caller.offered(Availability::Free);
    let before = caller.get(&format!("/accesses/{}", access.id)).await.json();
    let order = caller.place(json!({
        "operation": "ACTIVATE", "accessId": access.id, "service": service, "spSubscriptionId": "sub-1",
    }));
    let order = caller.get(&format!("/orders/{}", order.await)).await.json();
    finish(&caller.0);
    let subscription =
        caller.get(&format!("/subscriptions/{}", access.id)).await.json()["subscriptions"][0].clone();
    assert_eq!(subscription["subscriptionId"], order["subscriptionId"]);
    assert_eq!(subscription["spSubscriptionId"], "sub-1");
    let after = caller.get(&format!("/accesses/{}", access.id)).await.json();
    assert_eq!((&before["accessState"], &after["accessState"]), (&json!("HOMESPASSED"), &json!("CONNECTED")));
}

#[tokio::test]
async fn an_order_is_carried_out_no_earlier_than_requested() {
    let caller = Caller::new().await;
    let (access, service) = caller.offered(Availability::Free);
    caller
        .place(json!({
            "operation": "ACTIVATE", "accessId": access.id, "service": service,
            "requestedDateTime": "2026-03-02T07:00:00+01:00",
        }))
        .await;
    finish(&caller.0);
    let subscriptions = caller.get(&format!("/subscriptions/{}", access.id)).await.json();
    let since = subscriptions["subscriptions"][0]["connectionDate"].as_str().unwrap();
    assert!(since.starts_with("2026-03-02T06:00:"), "{since}");
}

#[tokio::test]
async fn order_events_are_permanent() {
    let caller = Caller::new().await;
    assert_eq!(caller.get("/orderevents/").await.status, 404);
    let (path, order) = placed(&caller).await;
    finish(&caller.0);
    let events = caller.rows("/orderevents/").await;
    let states: Vec<_> = events.iter().map(|event| event["order"]["state"].clone()).collect();
    assert_eq!(states, ["RECEIVED", "IN_PROGRESS", "DONE_SUCCESS"]);
    let expected = json!({
        "path": format!("/onapi/2.6{path}"), "accessId": order["accessId"], "service": order["service"],
        "operation": "ACTIVATE", "state": "RECEIVED", "message": "",
    });
    assert_eq!(events[0]["order"], expected);

    let since = |event: &Value| format!("/orderevents/?since={}", event["event"].as_str().unwrap());
    assert_eq!(caller.rows(&since(&events[0])).await, events[1..]);
    let none = caller.get(&since(&events[2])).await;
    assert_eq!((none.status, none.json()), (200, json!([])));
    placed(&caller).await;
    assert_eq!(caller.rows("/orderevents/").await[..3], events);
    assert_eq!(caller.rows(&since(&events[2])).await.len(), 1);
    assert_eq!(caller.get("/orderevents/?since=e-1").await.status, 400);
}
