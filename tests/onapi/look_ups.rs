//! Look-ups before an order is sent: an indeterminate one refuses to place.

use lastmile::onapi::{NewOrder, OnApi, Placed};
use lastmile::{Outcome, Prepared, PreparedState, Reconciled};
use lastmile_sandbox::onapi::Availability;
use lastmile_sandbox::{Answer, Sandbox};
use lastmile_tests::{copy, crashed, onapi, settled, store_and_place};
use serde_json::{Value, json};

const REFERENCE: &str = "SP-2026-ANKEBORG-0000431";

/// Starts a network without de-duplication, and returns an access there and a service that can be ordered.
async fn network() -> (Sandbox, OnApi, String, String) {
    let sandbox = Sandbox::builder().seed(1).onapi_deduplicates(false).start().await.unwrap();
    let network = onapi(&sandbox);
    let accesses = sandbox.onapi().accesses();
    let free =
        accesses.iter().find_map(|access| Some((access.id.clone(), access.service(Availability::Free)?)));
    let (access, service) = free.map(|(access, offer)| (access, offer.service.clone())).unwrap();
    (sandbox, network, access, service)
}

fn activation(access: &str, service: &str, reference: &str) -> Prepared<NewOrder> {
    let order = NewOrder::activate(access.parse().unwrap(), service, reference.parse().unwrap());
    copy(&Prepared::new(order).unwrap())
}

fn nothing_at(access: &str) -> Value {
    json!({ "accessId": access, "subscriptions": [] })
}

fn answer(sandbox: &Sandbox, orders: &Value, subscriptions: &Value) {
    sandbox.onapi().answer_next("listOrders", Answer::json(200, orders));
    sandbox.onapi().answer_next("getSubscriptions", Answer::json(200, subscriptions));
}

#[tokio::test]
async fn an_indeterminate_look_up_refuses_to_place() {
    let (sandbox, network, access, service) = network().await;
    let held = |reference: Value| {
        json!([{
            "orderId": "1", "accessId": access, "service": service, "operation": "ACTIVATE",
            "spReference": reference, "state": "RECEIVED",
        }])
    };
    let none = nothing_at(&access);
    let missing =
        json!([{ "orderId": "1", "accessId": access, "service": service, "operation": "ACTIVATE" }]);
    for (reference, orders, subscriptions) in [
        (REFERENCE, held(json!(null)), none.clone()),
        (REFERENCE, missing, none.clone()),
        (REFERENCE, held(json!("")), none.clone()),
        (REFERENCE, held(json!(431)), none.clone()),
        ("0431", held(json!(431)), none.clone()),
        (REFERENCE, held(json!(REFERENCE.to_lowercase())), none.clone()),
        (REFERENCE, held(json!(REFERENCE[..20])), none.clone()),
        (REFERENCE, held(json!(format!(" {REFERENCE} "))), none.clone()),
        (REFERENCE, json!(["unreadable"]), none.clone()),
        (REFERENCE, json!([]), json!({})),
        (REFERENCE, json!([]), json!({ "accessId": access, "subscriptions": ["unreadable"] })),
        (REFERENCE, json!([]), json!({ "accessId": access, "subscriptions": [{ "service": service }] })),
        (REFERENCE, json!([]), nothing_at("another")),
    ] {
        let mut prepared = activation(&access, &service, reference);
        answer(&sandbox, &orders, &subscriptions);
        let error = prepared.look_up(&network).await.unwrap_err();
        assert_eq!(
            (error.outcome(), prepared.state()),
            (Outcome::Indeterminate, PreparedState::Ready),
            "{orders}"
        );
        assert!(error.to_string().contains("Nothing was sent. Look it up again later"), "{orders}: {error}");
        assert!(error.retry_after().is_some_and(|wait| !wait.is_zero()), "{orders}");
        assert_eq!(prepared.mark_in_flight().unwrap_err().outcome(), Outcome::Invalid, "{orders}");
        assert_eq!(prepared.place(&network).await.unwrap_err().outcome(), Outcome::Invalid, "{orders}");
    }
    // A body that is not a list is a failed look-up.
    let mut prepared = activation(&access, &service, REFERENCE);
    answer(&sandbox, &json!({ "cause": "later" }), &none);
    let error = prepared.look_up(&network).await.unwrap_err();
    assert_eq!((error.outcome(), prepared.state()), (Outcome::Decode, PreparedState::Ready));
    assert_eq!(prepared.mark_in_flight().unwrap_err().outcome(), Outcome::Invalid);
    assert_eq!(sandbox.onapi().count("createOrder"), 0);

    // An order that certainly is another one does not refuse.
    let mut prepared = activation(&access, &service, REFERENCE);
    answer(&sandbox, &held(json!("SP-2026-ANKEBORG-0000432")), &none);
    store_and_place(&mut prepared, &network).await.unwrap();
    assert_eq!(sandbox.onapi().took_effect("createOrder"), 1);
}

/// The same doubts after the order was sent: a later look-up may decide.
#[tokio::test]
async fn a_temporary_doubt_is_indeterminate_with_a_retry_time() {
    let (sandbox, network, access, service) = network().await;
    let network = network.with_policy(settled());
    let hour = std::time::Duration::from_secs(3600);
    let mut lost = crashed(&mut activation_never_stored(&access, &service), hour);
    answer(&sandbox, &json!([]), &json!({}));
    let Reconciled::Indeterminate(later) = lost.reconcile(&network).await.unwrap() else {
        panic!("the list is missing")
    };
    assert!(!later.retry_after.is_zero(), "{later}");
    assert!(later.to_string().contains("Reconcile it again in"), "{later}");
    assert!(matches!(lost.reconcile(&network).await.unwrap(), Reconciled::Absent), "the doubt has passed");
}

fn activation_never_stored(access: &str, service: &str) -> Prepared<NewOrder> {
    let order = NewOrder::activate(access.parse().unwrap(), service, REFERENCE.parse().unwrap());
    Prepared::new(order).unwrap()
}

/// The service was taken meanwhile, by this order or by another: a later look-up cannot tell by which.
#[tokio::test]
async fn a_conflict_is_undecidable() {
    let (sandbox, network, access, _) = network().await;
    let network = network.with_policy(settled());
    let line = lastmile::onapi::SubscriptionAt {
        access: access.parse().unwrap(),
        subscription: "s-1".parse().unwrap(),
    };
    let order = NewOrder::suspend(line, REFERENCE.parse().unwrap());
    let mut prepared = copy(&Prepared::new(order).unwrap());
    let suspended = json!({
        "accessId": access,
        "subscriptions": [{ "subscriptionId": "s-1", "service": "BB", "operationalState": "SUSPENDED" }],
    });
    answer(&sandbox, &json!([]), &suspended);
    let error = prepared.look_up(&network).await.unwrap_err();
    assert_eq!((error.outcome(), error.retry_after()), (Outcome::Indeterminate, None));
    assert!(error.to_string().contains("look for the order in the network's portal"), "{error}");
    assert_eq!(prepared.state(), PreparedState::Indeterminate);
    answer(&sandbox, &json!([]), &suspended);
    let found = prepared.reconcile(&network).await.unwrap();
    let Reconciled::Undecidable(person) = found else { panic!("{found:?}") };
    assert!(person.to_string().contains("to declare it absent or placed"), "{person}");
    assert_eq!(sandbox.onapi().count("createOrder"), 0);
}

/// Not every network lists orders or subscriptions; an order can still be placed there.
#[tokio::test]
async fn a_missing_look_up_does_not_prevent_placing() {
    let (sandbox, network, access, service) = network().await;
    for status in [405, 501] {
        let mut prepared = activation(&access, &service, REFERENCE);
        sandbox.onapi().answer_next("listOrders", Answer::status(status));
        assert!(prepared.look_up(&network).await.unwrap().is_none());
        prepared.mark_in_flight().unwrap();
    }
    let entries = json!([{ "name": "orders", "endpoint": "/onapi/2.6/orders/", "version": "2.6" }]);
    sandbox.onapi().answer_next("listEndpoints", Answer::json(200, &entries));
    let directory = network.directory().await.unwrap().unwrap();
    let network = network.with_directory(&directory, &[]);
    let mut prepared = activation(&access, &service, REFERENCE);
    let placed = store_and_place(&mut prepared, &network).await.unwrap();
    assert!(matches!(placed, Placed::Order(_)), "{placed:?}");
    assert_eq!(
        (sandbox.onapi().count("getSubscriptions"), sandbox.onapi().took_effect("createOrder")),
        (0, 1)
    );
}
