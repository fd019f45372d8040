//! Which orders are placed, which are duplicates, and which are rejected.

use lastmile_sandbox::onapi::Availability;
use lastmile_sandbox::{OnApi, Sandbox};
use serde_json::{Value, json};

use crate::caller::{Caller, cause, finish, header};

#[tokio::test]
async fn a_new_order_is_received() {
    let caller = Caller::new().await;
    let (access, service) = caller.offered(Availability::Free);
    let reply = caller
        .order(json!({
            "operation": "ACTIVATE", "accessId": access.id, "service": service, "spReference": "ref-1",
            "equipment": { "vendorId": "X", "macAddress": "02:00:00:00:00:01" }, "state": "DONE_SUCCESS",
            "forcedTakeover": false, "requestedDateTime": "2026-03-02T06:00:00Z",
        }))
        .await;
    let order = reply.json();
    assert_eq!((reply.status, &order["state"]), (201, &json!("RECEIVED")), "{order}");
    let path = format!("/onapi/2.6/orders/{}", order["orderId"].as_str().unwrap());
    assert_eq!((header(&reply, "location").as_ref(), &order["path"]), (Some(&path), &json!(path)));
    assert_eq!((&order["accessId"], &order["service"]), (&json!(access.id), &json!(service)));
    assert_eq!(order["equipment"], json!({ "vendorId": "X", "macAddress": "02:00:00:00:00:01" }));
    assert_eq!(order["expectedCompletionDate"], "2026-03-02T06:00:01Z");
    assert!(order["subscriptionId"].is_string());
    assert_eq!(caller.get(path.strip_prefix("/onapi/2.6").unwrap()).await.json(), order);
    assert_eq!(caller.0.took_effect("createOrder"), 1);
}

#[tokio::test]
async fn each_operation_has_required_fields() {
    let caller = Caller::new().await;
    let (access, service) = caller.offered(Availability::Free);
    let subscription = caller.offered(Availability::Active).0.subscriptions[0].subscription_id.clone();
    let cases = [
        (json!({}), "operation"),
        (json!({ "operation": "ACTIVATE", "service": service }), "accessId"),
        (json!({ "operation": "ACTIVATE", "accessId": access.id }), "service"),
        (json!({ "operation": "CHANGE", "service": service }), "subscriptionId"),
        (json!({ "operation": "CHANGE", "subscriptionId": subscription }), "service"),
        (json!({ "operation": "DEACTIVATE", "accessId": access.id }), "subscriptionId"),
        (json!({ "operation": "SUSPEND" }), "subscriptionId"),
        (json!({ "operation": "RESUME" }), "subscriptionId"),
        (json!({ "operation": "MODIFY", "spReference": "r" }), "subscriptionId"),
    ];
    for (order, field) in cases {
        let reply = caller.order(order.clone()).await;
        assert_eq!(reply.status, 400, "{order}");
        assert!(cause(&reply).contains(field), "{order}: {}", cause(&reply));
    }
    assert_eq!((caller.0.count("createOrder"), caller.0.took_effect("createOrder")), (9, 0));
}

#[tokio::test]
async fn an_order_must_name_existing_matching_objects() {
    let caller = Caller::new().await;
    let (access, service) = caller.offered(Availability::Free);
    let (other, _) = caller.offered(Availability::Active);
    let subscription = &other.subscriptions[0];
    let follow_up = |field: &str, value: &str| json!({ "operation": "MODIFY", "subscriptionId": subscription.subscription_id, field: value });
    let orders = [
        json!({ "operation": "ACTIVATE", "accessId": "a-1", "service": service }),
        json!({ "operation": "ACTIVATE", "accessId": access.id, "service": "BB-1-1" }),
        json!({ "operation": "SUSPEND", "subscriptionId": "s-1" }),
        follow_up("accessId", &access.id),
        follow_up("service", "VOIP"),
        json!({ "operation": "CHANGE", "subscriptionId": subscription.subscription_id, "service": "BB-1-1" }),
    ];
    for order in orders {
        assert_eq!(caller.order(order.clone()).await.status, 400, "{order}");
    }
    let (access, service) = caller.offered(Availability::NotYet);
    assert_eq!(caller.activate(&access, &service).await.status, 400);
}

/// The document does not exclude undocumented fields, so the CO ignores them, and reports them to the test.
#[tokio::test]
async fn undocumented_fields_are_ignored() {
    let caller = Caller::new().await;
    let (access, service) = caller.offered(Availability::Free);
    let order = json!({
        "operation": "ACTIVATE", "accessId": access.id, "service": service, "price": 1,
        "characteristics": { "sla": "SLA-1", "colour": "red" },
    });
    let reply = caller.order(order.clone()).await;
    assert_eq!(reply.status, 201);
    let placed = reply.json();
    assert_eq!((placed.get("price"), &placed["characteristics"]), (None, &json!({ "sla": "SLA-1" })));
    let received = caller.0.last().unwrap();
    assert_eq!(received.problems, [""; 0]);
    let unexpected = "body: Additional properties are not allowed ('price' was unexpected)";
    assert_eq!(received.undocumented, [unexpected]);

    let wrong = json!({ "operation": "ACTIVATE", "accessId": access.id, "service": 1, "price": 1 });
    assert_eq!(caller.order(wrong).await.status, 400);
    assert!(caller.0.last().unwrap().problems[0].starts_with("body/service: "));
}

#[tokio::test]
async fn a_duplicate_order_gets_the_open_order() {
    let caller = Caller::new().await;
    let (access, service) = caller.offered(Availability::Free);
    let first = caller.activate(&access, &service).await;
    let again = caller.activate(&access, &service).await;
    assert_eq!((first.status, again.status), (201, 200));
    assert_eq!(first.json(), again.json());
    caller.0.advance();
    let later = caller.activate(&access, &service).await;
    assert_eq!((later.status, &later.json()["state"]), (200, &json!("IN_PROGRESS")));
    assert_eq!((caller.0.count("createOrder"), caller.0.took_effect("createOrder")), (3, 1));

    // The standard compares the service only, not the operation of the open order.
    let (access, _) = caller.offered(Availability::Active);
    let id = &access.subscriptions[0].subscription_id;
    let suspend = caller.place(json!({ "operation": "SUSPEND", "subscriptionId": id })).await;
    let other = caller.order(json!({ "operation": "DEACTIVATE", "subscriptionId": id })).await;
    assert_eq!((other.status, &other.json()["orderId"]), (200, &json!(suspend)));
}

#[tokio::test]
async fn a_completed_order_is_not_placed_again() {
    let caller = Caller::new().await;
    let (access, service) = caller.offered(Availability::Active);
    let done = |operation| {
        json!({
            "accessId": access.id, "service": service, "operation": operation, "state": "DONE_SUCCESS", "message": "",
        })
    };
    let active = caller.activate(&access, &service).await;
    assert_eq!((active.status, active.json()), (200, done("ACTIVATE")));
    assert_eq!(caller.0.took_effect("createOrder"), 0);

    let end = json!({ "operation": "DEACTIVATE", "subscriptionId": access.subscriptions[0].subscription_id });
    caller.place(end.clone()).await;
    finish(&caller.0);
    let gone = caller.order(end).await;
    assert_eq!((gone.status, gone.json()), (200, done("DEACTIVATE")));
    assert_eq!(caller.0.took_effect("createOrder"), 1);
}

#[tokio::test]
async fn without_deduplication_a_repeated_order_is_placed_twice() {
    let caller = Caller::of(Sandbox::builder().onapi_deduplicates(false)).await;
    let (access, service) = caller.offered(Availability::Free);
    let (first, again) = (caller.activate(&access, &service).await, caller.activate(&access, &service).await);
    assert_eq!((first.status, again.status), (201, 201));
    assert_ne!(first.json()["orderId"], again.json()["orderId"]);
    assert_eq!(caller.0.took_effect("createOrder"), 2);
    finish(&caller.0);
    let delivered = caller.reload(&access).subscriptions;
    assert_eq!(delivered.len(), 2, "and delivers it twice");
    assert_eq!(caller.activate(&access, &service).await.status, 201);

    let end = json!({ "operation": "DEACTIVATE", "subscriptionId": delivered[0].subscription_id });
    caller.place(end.clone()).await;
    finish(&caller.0);
    caller.place(end).await;
}

#[tokio::test]
async fn a_service_of_the_same_kind_is_a_conflict() {
    let caller = Caller::new().await;
    for availability in [Availability::Conflicting, Availability::HeldByOther] {
        let (access, service) = caller.offered(availability);
        let reply = caller.activate(&access, &service).await;
        assert_eq!(reply.status, 409, "{availability:?}");
        assert!(cause(&reply).contains("'bb'"), "{}", cause(&reply));
    }
    // A service of a kind that another service provider delivers is a conflict as well.
    let access = caller.0.accesses().into_iter().find(|access| access.subscriptions.len() == 2).unwrap();
    let television = &access.subscriptions[1];
    let change = json!({
        "operation": "CHANGE", "subscriptionId": television.subscription_id, "service": "BB-250-100",
    });
    assert_eq!(caller.order(change).await.status, 409);
    assert_eq!(caller.0.took_effect("createOrder"), 0);
}

#[tokio::test]
async fn a_takeover_needs_an_offer_that_permits_it() {
    let caller = Caller::new().await;
    let accesses = caller.0.accesses();
    let held = |possible: bool| {
        let services = accesses
            .iter()
            .flat_map(|access| access.services.iter().map(move |offer| (access.clone(), offer.clone())));
        let mut held = services.filter(|(_, offer)| {
            offer.availability == Availability::HeldByOther && offer.forced_takeover_possible == possible
        });
        held.next().unwrap()
    };
    let forced = |access: &str, service: &str| json!({ "operation": "ACTIVATE", "accessId": access, "service": service, "forcedTakeover": true });
    let (access, offer) = held(false);
    assert_eq!(caller.order(forced(&access.id, &offer.service)).await.status, 400);
    let (free, service) = caller.offered(Availability::Free);
    assert_eq!(caller.order(forced(&free.id, &service)).await.status, 400, "there is nobody to take it from");
    let subscription = &caller.offered(Availability::Active).0.subscriptions[0].subscription_id;
    let end = json!({ "operation": "DEACTIVATE", "subscriptionId": subscription, "forcedTakeover": true });
    let reply = caller.order(end).await;
    assert_eq!((reply.status, cause(&reply).contains("ACTIVATE")), (400, true));

    let (access, offer) = held(true);
    caller.place(forced(&access.id, &offer.service)).await;
    finish(&caller.0);
    let after = caller.reload(&access);
    assert_eq!(after.subscriptions[0].service, offer.service);
    assert!(after.services.iter().all(|offer| !offer.forced_takeover_possible));
    let offers = caller.get(&format!("/services/{}", access.id)).await.json();
    assert_eq!(offers["services"][0]["forcedTakeoverPossible"], false);
}

#[tokio::test]
async fn a_subscription_changes_only_in_the_right_state() {
    let caller = Caller::new().await;
    let accesses = caller.0.accesses();
    let find = |suspended: bool| {
        let all = accesses.iter().flat_map(|access| &access.subscriptions);
        all.into_iter().find(|one| one.suspended == suspended).unwrap().subscription_id.clone()
    };
    let order = |operation: &str, id: &str| json!({ "operation": operation, "subscriptionId": id });
    assert_eq!(caller.order(order("RESUME", &find(false))).await.status, 409);
    assert_eq!(caller.order(order("SUSPEND", &find(true))).await.status, 409);
    caller.place(order("DEACTIVATE", &find(true))).await;
    finish(&caller.0);
    for operation in ["SUSPEND", "RESUME", "MODIFY"] {
        assert_eq!(caller.order(order(operation, &find(true))).await.status, 409, "{operation}");
    }
}

#[tokio::test]
async fn an_order_can_fail() {
    let caller = Caller::new().await;
    let (access, _) = caller.offered(Availability::Free);
    let id = caller.activate(&access, OnApi::FAILING_SERVICE).await.json()["orderId"].clone();
    finish(&caller.0);
    let order = caller.get(&format!("/orders/{}", id.as_str().unwrap())).await.json();
    assert_eq!((&order["state"], &order["message"]), (&json!("DONE_FAILED"), &json!("The fibre is broken.")));
    assert_eq!(caller.reload(&access), access);

    // Of two conflicting orders, both of which were valid when they were placed, the later one fails.
    let mut orders: Vec<Value> = Vec::new();
    for service in ["BB-100-100", "BB-250-100"] {
        orders.push(caller.activate(&access, service).await.json()["orderId"].clone());
    }
    finish(&caller.0);
    assert_eq!(caller.state(orders[0].as_str().unwrap()).await, "DONE_SUCCESS");
    assert_eq!(caller.state(orders[1].as_str().unwrap()).await, "DONE_FAILED");
}
