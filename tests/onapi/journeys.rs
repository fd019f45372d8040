//! The complete workflows of a service, against the sandbox's own behaviour, in each dialect.

use std::time::Duration;

use lastmile::onapi::types::OrderState;
use lastmile::onapi::{NewOrder, OnApi, Placed};
use lastmile::rules::OnApiId;
use lastmile::{Outcome, Poll, Prepared, PreparedState, Reconciled, WaitError};
use lastmile_sandbox::onapi::Availability;
use lastmile_sandbox::{Answer, Dialect, Sandbox};
use lastmile_tests::{copy, dialect, onapi, sandbox, settled, store_and_place};
use serde_json::json;

fn id(text: &str) -> OnApiId {
    text.parse().unwrap()
}

/// Returns an access and a service that can be ordered there.
fn free(sandbox: &Sandbox) -> (lastmile_sandbox::onapi::Access, String) {
    let accesses = sandbox.onapi().accesses();
    let found = accesses.into_iter().find_map(|access| {
        let service =
            access.services.iter().find(|offer| offer.availability == Availability::Free)?.service.clone();
        Some((access, service))
    });
    found.unwrap()
}

async fn whole_journey(dialect: Dialect) {
    let sandbox = Sandbox::builder().seed(1).onapi_dialect(dialect).start().await.unwrap();
    let network = onapi(&sandbox);
    let (expected, service) = free(&sandbox);
    let access = network.access_of_option82(&expected.option82.parse().unwrap()).await.unwrap();
    assert_eq!(access.as_str(), expected.id);
    assert_eq!(network.access(&access).await.unwrap().access_id.as_deref(), Some(expected.id.as_str()));
    let services = network.services(&access).await.unwrap();
    let offered: Vec<&str> =
        services.services.iter().filter_map(|one| one.get()?.service.as_deref()).collect();
    assert!(offered.contains(&service.as_str()), "{offered:?}");

    let mut activation = Prepared::new(NewOrder::activate(access.clone(), &service, id("SP-1"))).unwrap();
    activation.mark_in_flight().unwrap();
    let mut crashed = copy(&activation);
    let placed = activation.place(&network).await.unwrap();
    let order = placed.order_id().unwrap();
    let impatient = Poll::default().interval(Duration::ZERO).timeout(Duration::ZERO);
    let error = network.wait_for_order(&order, &impatient).await.unwrap_err();
    assert!(matches!(error, WaitError::TimedOut { .. }), "{error}");
    let text = error.to_string();
    assert!(
        text.contains(&format!("order {order} is not done")) && text.contains("state is RECEIVED"),
        "{text}"
    );
    sandbox.onapi().advance();
    sandbox.onapi().advance();
    let done = network.wait_for_order(&order, &impatient).await.unwrap();
    assert_eq!(done.state.get(), Some(&OrderState::DoneSuccess));
    let subscriptions = network.subscriptions(&access).await.unwrap();
    let mine = subscriptions.subscriptions.iter().filter_map(|one| one.get());
    assert_eq!(mine.filter(|one| one.sp_reference.as_deref() == Some("SP-1")).count(), 1);
    assert_eq!(sandbox.onapi().took_effect("createOrder"), 1);
    assert_eq!(sandbox.onapi().violations(), Vec::<String>::new());

    // After a crash, with the current state of the network.
    let found = crashed.reconcile(&network).await.unwrap();
    let Reconciled::Placed(found) = found else { panic!("it was placed: {found:?}") };
    match found {
        Placed::Order(order) | Placed::Existing(order) => {
            assert_eq!(order.sp_reference.as_deref(), Some("SP-1"))
        }
        Placed::Subscription(subscription) => assert_eq!(subscription.sp_reference.as_deref(), Some("SP-1")),
        other => panic!("{other:?}"),
    }
    // A value that is known to be placed is not looked up.
    let sent = sandbox.onapi().received().len();
    let Reconciled::Placed(known) = copy(&activation).reconcile(&network).await.unwrap() else {
        panic!("it is stored")
    };
    assert_eq!((known.order_id(), sandbox.onapi().received().len()), (Some(order), sent));
}

#[tokio::test]
async fn option_82_leads_to_a_subscription_in_the_standard_s_dialect() {
    whole_journey(Dialect::Standard26).await;
}

#[tokio::test]
async fn option_82_leads_to_a_subscription_in_the_vendor_s_dialect() {
    whole_journey(Dialect::Vendor26).await;
}

#[tokio::test]
async fn responses_with_unexpected_values_are_read() {
    let sandbox = Sandbox::builder().seed(1).onapi_unexpected_values(true).start().await.unwrap();
    let network = onapi(&sandbox);
    for access in sandbox.onapi().accesses() {
        let access = id(&access.id);
        network.access(&access).await.unwrap();
        network.services(&access).await.unwrap();
        match network.subscriptions(&access).await {
            Ok(_) => {}
            Err(error) => assert_eq!(error.status().unwrap(), 404, "{error}"),
        }
    }
}

#[tokio::test]
async fn a_lost_order_is_placed_absent_or_indeterminate() {
    let sandbox = sandbox().await;
    let network = onapi(&sandbox);
    let (access, service) = free(&sandbox);
    let mut activation = Prepared::new(NewOrder::activate(id(&access.id), &service, id("SP-1"))).unwrap();
    sandbox.onapi().answer_next("createOrder", Answer::status(504));
    assert_eq!(activation.place(&network).await.unwrap_err().outcome(), Outcome::Indeterminate);
    assert_eq!(sandbox.onapi().count("createOrder"), 1, "not repeated");
    let Reconciled::Indeterminate(later) = activation.reconcile(&network).await.unwrap() else {
        panic!("the request may be running")
    };
    assert!(!later.retry_after.is_zero());

    let stored = serde_json::to_string(&activation).unwrap();
    let mut found: Prepared<NewOrder> = serde_json::from_str(&stored).unwrap();
    let settled = network.with_policy(settled());
    assert!(matches!(found.reconcile(&settled).await.unwrap(), Reconciled::Absent));
    assert_eq!(found.state(), PreparedState::Ready);
    store_and_place(&mut found, &network).await.unwrap();
    assert!(matches!(activation.reconcile(&network).await.unwrap(), Reconciled::Placed(_)));
    assert_eq!(sandbox.onapi().took_effect("createOrder"), 1);
}

#[tokio::test]
async fn rejections_carry_their_cause() {
    let sandbox = sandbox().await;
    let network = onapi(&sandbox);
    let accesses = sandbox.onapi().accesses();
    let taken = accesses.iter().find_map(|access| {
        let offer = access.services.iter().find(|offer| offer.availability == Availability::HeldByOther)?;
        Some((access.id.clone(), offer.service.clone()))
    });
    let (access, service) = taken.unwrap();
    let mut activation = Prepared::new(NewOrder::activate(id(&access), service, id("SP-1"))).unwrap();
    let error = activation.place(&network).await.unwrap_err();
    assert_eq!((error.outcome(), error.status().unwrap().as_u16()), (Outcome::Rejected, 409));
    assert!(error.message().is_some());
    assert_eq!(activation.state(), PreparedState::Ready);

    let wrong = OnApi::builder(sandbox.onapi().base_url())
        .dialect(dialect(&sandbox))
        .login("sp", "wrong")
        .build()
        .unwrap();
    assert_eq!(wrong.access(&id("1")).await.unwrap_err().status().unwrap(), 401);
}

#[tokio::test]
async fn bad_input_is_refused_before_anything_is_sent() {
    let sandbox = sandbox().await;
    let nameless = Prepared::new(NewOrder::activate(id("1"), "", id("SP-1"))).unwrap_err();
    assert!(nameless.to_string().contains("service: it is empty"), "{nameless}");
    let long = Prepared::new(NewOrder::activate(id("1"), "x".repeat(256), id("SP-1"))).unwrap_err();
    assert!(long.to_string().contains("service: it is longer than 255 characters"), "{long}");
    let stored = |body: serde_json::Value, permit: serde_json::Value| {
        let request = json!({ "access": "1", "body": body, "permit": permit });
        let stored = json!({ "version": 1, "kind": "onapi.order", "progress": "ready", "request": request });
        serde_json::from_value::<Prepared<NewOrder>>(stored).unwrap_err().to_string()
    };
    let none = || json!(null);
    let dots = json!({ "operation": "ACTIVATE", "accessId": "..", "service": "x" });
    assert!(stored(dots, none()).contains("accessId"));
    let nameless = json!({ "operation": "ACTIVATE", "accessId": "1", "service": "x" });
    assert!(stored(nameless, none()).contains("spReference"));
    for other in [
        json!({ "operation": "DEACTIVATE", "subscriptionId": "1", "service": "x", "spReference": "1" }),
        json!({ "operation": "SUSPEND", "subscriptionId": "1", "accessId": "1", "spReference": "1" }),
        json!({ "operation": "ACTIVATE", "accessId": "2", "service": "x", "spReference": "1" }),
        json!({ "operation": "ACTIVATE", "accessId": "1", "service": "x", "spReference": "1", "state": "RECEIVED" }),
    ] {
        let error = stored(other.clone(), none());
        assert!(error.contains("changed in the store"), "{other}: {error}");
    }
    let takeover = json!({
        "operation": "ACTIVATE", "accessId": "1", "service": "x", "spReference": "1", "forcedTakeover": true,
    });
    for permit in [none(), json!({ "access": "1", "service": "y" }), json!({ "access": "2", "service": "x" })]
    {
        assert!(stored(takeover.clone(), permit).contains("changed in the store"));
    }
    assert_eq!(sandbox.onapi().received().len(), 0);
}

#[tokio::test]
async fn a_numeric_id_is_read() {
    let sandbox = sandbox().await;
    let network = onapi(&sandbox);
    sandbox.onapi().answer_next("lookupOption82", Answer::json(200, &json!({ "accessId": 17 })));
    assert_eq!(network.access_of_option82(&"52020100".parse().unwrap()).await.unwrap().as_str(), "17");
    for answer in
        [json!({}), json!({ "accessId": null }), json!({ "accessId": ".." }), json!({ "accessId": "a b" })]
    {
        sandbox.onapi().answer_next("lookupOption82", Answer::json(200, &answer));
        let error = network.access_of_option82(&"52020100".parse().unwrap()).await.unwrap_err();
        assert_eq!(error.outcome(), Outcome::Decode, "{answer}");
        assert_eq!(error.body().as_ref(), answer.to_string().as_bytes());
    }
    assert_eq!(sandbox.onapi().last().unwrap().path, "/onapi/2.6/option82/52020100");
}

#[tokio::test]
async fn a_path_parameter_of_the_generated_client_is_one_segment() {
    let sandbox = sandbox().await;
    let network = onapi(&sandbox);
    for (id, path) in [("a/b", "a%2Fb"), ("é", "%C3%A9"), ("17", "17")] {
        let segment = id.parse().unwrap();
        network.raw().get_access(&segment).await.unwrap_err();
        assert_eq!(sandbox.onapi().last().unwrap().path, format!("/onapi/2.6/accesses/{path}"));
    }
}

#[tokio::test]
async fn an_indeterminate_order_is_neither_absent_nor_placed() {
    let sandbox = sandbox().await;
    let network = onapi(&sandbox);
    let (access, service) = free(&sandbox);
    let activation = Prepared::new(NewOrder::activate(id(&access.id), &service, id("7"))).unwrap();
    let mut stored = serde_json::to_value(&activation).unwrap();
    (stored["send_by"], stored["state"]) = (json!(1), json!("in_flight"));
    let stored: Prepared<NewOrder> = serde_json::from_value(stored).unwrap();
    let mine = |reference: serde_json::Value| json!({ "orderId": "1", "accessId": access.id, "service": service, "operation": "ACTIVATE", "spReference": reference });
    let none = json!({ "accessId": access.id, "subscriptions": [] });

    for (orders, subscriptions) in [
        (json!([mine(json!(7))]), &none),
        (json!([mine(json!(null))]), &none),
        (json!([[mine(json!("7"))]]), &none),
        (json!({ "orders": [mine(json!("7"))] }), &none),
        (json!({ "cause": "try later" }), &none),
        (json!([]), &json!({ "accessId": access.id, "subscriptions": "yes" })),
        (json!([]), &json!({ "accessId": access.id, "subscriptions": [{ "service": service }] })),
        (json!([]), &json!({ "accessId": "another", "subscriptions": [] })),
        (json!([]), &json!({ "cause": "try later" })),
    ] {
        sandbox.onapi().answer_next("listOrders", Answer::json(200, &orders));
        sandbox.onapi().answer_next("getSubscriptions", Answer::json(200, subscriptions));
        let found = copy(&stored).reconcile(&network).await;
        let is_no_list = orders.is_object();
        let is_right = match &found {
            Ok(found) => !is_no_list && matches!(found, Reconciled::Indeterminate(_)),
            // An error with a successful status is an error of the look-up.
            Err(error) => is_no_list && error.outcome() == Outcome::Decode,
        };
        assert!(is_right, "{orders} {subscriptions}: {found:?}");
        // A response to a request that was not made must not answer the next one.
        drain(&sandbox, &network, &access.id).await;
    }
    for other in [
        json!({ "accessId": "another", "service": service, "operation": "ACTIVATE", "spReference": "7" }),
        json!({ "accessId": access.id, "service": "another", "operation": "ACTIVATE", "spReference": "7" }),
        json!({ "accessId": access.id, "service": service, "operation": "DEACTIVATE", "spReference": "7" }),
        mine(json!("8")),
    ] {
        sandbox.onapi().answer_next("listOrders", Answer::json(200, &json!([other])));
        sandbox.onapi().answer_next("getSubscriptions", Answer::json(200, &none));
        let found = copy(&stored).reconcile(&network).await.unwrap();
        assert!(matches!(found, Reconciled::Absent), "{other}: {found:?}");
    }
    sandbox.onapi().answer_next("getAccess", Answer::json(404, &json!({ "cause": "unknown access" })));
    assert!(
        copy(&stored).reconcile(&network).await.is_err(),
        "a network that does not know the access knows nothing"
    );
}

async fn drain(sandbox: &Sandbox, network: &OnApi, access: &str) {
    let before = sandbox.onapi().count("getSubscriptions");
    let _ = network.subscriptions(&id(access)).await;
    assert_eq!(sandbox.onapi().count("getSubscriptions"), before + 1);
}

#[tokio::test]
async fn responses_to_an_order_are_classified() {
    let sandbox = sandbox().await;
    let network = onapi(&sandbox);
    let place = async |answer: Answer| {
        sandbox.onapi().answer_next("createOrder", answer);
        let mut activation = Prepared::new(NewOrder::activate(id("1"), "BB", id("SP-1"))).unwrap();
        (activation.place(&network).await, activation.state())
    };
    let (placed, _) =
        place(Answer::json(200, &json!({ "orderId": "5", "state": "RECEIVED", "spReference": "SP-9" })))
            .await;
    assert!(matches!(placed.unwrap(), Placed::Existing(_)), "the network had it before");
    let (error, progress) = place(Answer::json(200, &json!({ "cause": "maintenance" }))).await;
    assert_eq!((error.unwrap_err().outcome(), progress), (Outcome::Decode, PreparedState::Indeterminate));

    sandbox
        .onapi()
        .answer_next("getOrder", Answer::json(200, &json!({ "orderId": "6", "state": "RECEIVED" })));
    let (placed, _) = place(Answer::status(201).header("location", "/onapi/2.6/orders/6")).await;
    assert_eq!(placed.unwrap().order_id(), Some(id("6")), "read where the answer points to");
    assert_eq!(sandbox.onapi().last().unwrap().path, "/onapi/2.6/orders/6");
    let (error, progress) = place(Answer::status(201)).await;
    assert_eq!((error.unwrap_err().outcome(), progress), (Outcome::Decode, PreparedState::Indeterminate));
}

#[test]
fn an_invalid_login_is_refused() {
    for (user, password, says) in [
        ("", "word", "the user of the login is empty"),
        ("sp", " ", "the password of the login is empty"),
        ("sp\n", "word", "the user of the login holds a control character at byte 2"),
        ("sp", "wo\0rd", "the password of the login holds a control character at byte 2"),
        ("sp", "word\r\n", "the password of the login holds a control character at byte 4"),
        ("s:p", "word", "the user name holds a colon"),
    ] {
        let error = OnApi::builder("https://co.example/2.6").login(user, password).build().unwrap_err();
        assert!(error.to_string().starts_with(says), "{error}");
    }
}
