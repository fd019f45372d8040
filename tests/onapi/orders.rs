//! The six operations, takeovers, and what can be done with a received order.

use lastmile::onapi::types::{EquipmentRequest, ListOrdersState, Order, OrderChange, OrderOfEvent};
use lastmile::onapi::{NewOrder, OnApi, Placed, ReceivedOrder, References, SubscriptionAt, types};
use lastmile::rules::OnApiId;
use lastmile::{HasProgress, OrderStage, Outcome, Prepared, PreparedState, Reconciled};
use lastmile_sandbox::onapi::Availability;
use lastmile_sandbox::{Answer, Fault, Sandbox};
use lastmile_tests::{copy, onapi, sandbox, settled, store_and_place};
use serde_json::{Value, json};

fn id(text: &str) -> OnApiId {
    text.parse().unwrap()
}

/// Returns a subscription that is suspended or not, with its service.
fn line(sandbox: &Sandbox, suspended: bool) -> (SubscriptionAt, String) {
    let accesses = sandbox.onapi().accesses();
    let found = accesses.iter().find_map(|access| {
        let held = access.subscriptions.iter().find(|held| held.suspended == suspended)?;
        let at = SubscriptionAt { access: id(&access.id), subscription: id(&held.subscription_id) };
        Some((at, held.service.clone()))
    });
    found.unwrap()
}

fn offered(sandbox: &Sandbox, standing: Availability) -> (OnApiId, String) {
    let accesses = sandbox.onapi().accesses();
    let found =
        accesses.iter().find_map(|access| Some((id(&access.id), access.service(standing)?.service.clone())));
    found.unwrap()
}

async fn place(network: &OnApi, order: NewOrder) -> Placed {
    Prepared::new(order).unwrap().place(network).await.unwrap()
}

/// Returns the subscription as the sandbox holds it; none when it has ended.
fn held(sandbox: &Sandbox, line: &SubscriptionAt) -> Option<(String, bool)> {
    let accesses = sandbox.onapi().accesses();
    let access = accesses.iter().find(|access| access.id == line.access.as_str()).unwrap();
    let held = access.subscriptions.iter().find(|held| held.subscription_id == line.subscription.as_str())?;
    Some((held.service.clone(), held.suspended))
}

fn done(sandbox: &Sandbox) {
    sandbox.onapi().advance();
    sandbox.onapi().advance();
}

#[tokio::test]
async fn a_subscription_is_suspended_resumed_changed_and_deactivated() {
    let sandbox = sandbox().await;
    let network = onapi(&sandbox);
    let (line, service) = line(&sandbox, false);

    place(&network, NewOrder::suspend(line.clone(), id("SP-1")).note("Call us")).await;
    let sent = sandbox.onapi().last().unwrap().json().unwrap();
    let subscription = line.subscription.as_str();
    assert_eq!(
        sent,
        json!({ "operation": "SUSPEND", "subscriptionId": subscription, "spReference": "SP-1", "externalNote": "Call us" })
    );
    done(&sandbox);
    assert_eq!(held(&sandbox, &line), Some((service.clone(), true)));

    place(&network, NewOrder::resume(line.clone(), id("SP-2"))).await;
    done(&sandbox);
    assert_eq!(held(&sandbox, &line), Some((service, false)));

    let other = "BB-100-100";
    place(&network, NewOrder::change(line.clone(), other, id("SP-3"))).await;
    done(&sandbox);
    assert_eq!(held(&sandbox, &line), Some((other.to_owned(), false)));

    let new = References { reference: Some(id("CUST-7")), subscription: Some(id("SUB-7")) };
    place(&network, NewOrder::modify(line.clone(), new)).await;
    done(&sandbox);
    let subscriptions = network.subscriptions(&line.access).await.unwrap().subscriptions;
    let renamed = subscriptions.iter().filter_map(|one| one.get()).find(|one| {
        one.subscription_id.as_deref() == Some(subscription)
            && one.sp_reference.as_deref() == Some("CUST-7")
            && one.sp_subscription_id.as_deref() == Some("SUB-7")
    });
    assert!(renamed.is_some());

    let placed = place(&network, NewOrder::deactivate(line.clone(), id("SP-4"))).await;
    let order = network.order(&placed.order_id().unwrap()).await.unwrap();
    assert_eq!(order.progress().stage(), OrderStage::Received);
    done(&sandbox);
    assert_eq!(held(&sandbox, &line), None);
    let order = network.order(&placed.order_id().unwrap()).await.unwrap();
    assert_eq!(
        (order.progress().stage(), order.progress().supplier_status()),
        (OrderStage::Done, Some("DONE_SUCCESS"))
    );
    assert_eq!(sandbox.onapi().took_effect("createOrder"), 5);
    assert_eq!(sandbox.onapi().violations(), Vec::<String>::new());
    assert!(sandbox.onapi().received().iter().all(|received| received.problems.is_empty()));
}

#[tokio::test]
async fn each_operation_is_found_by_its_reference() {
    let sandbox = sandbox().await;
    let network = onapi(&sandbox).with_policy(settled());
    let (active, _) = line(&sandbox, false);
    let (blocked, _) = line(&sandbox, true);
    let new = References { reference: Some(id("CUST-9")), ..Default::default() };
    for order in [
        NewOrder::suspend(active.clone(), id("SP-1")),
        NewOrder::change(active.clone(), "BB-100-100", id("SP-2")),
        NewOrder::modify(active.clone(), new),
        NewOrder::resume(blocked.clone(), id("SP-4")),
        NewOrder::deactivate(blocked.clone(), id("SP-5")),
    ] {
        let operation = order.operation();
        let mut lost = Prepared::new(order).unwrap();
        sandbox.onapi().fail_next("createOrder", Fault::ResetBefore);
        let error = lost.place(&network).await.unwrap_err();
        assert_eq!(error.outcome(), Outcome::Indeterminate, "{error}");
        assert!(matches!(lost.reconcile(&network).await.unwrap(), Reconciled::Absent), "{operation}");
        sandbox.onapi().fail_next("createOrder", Fault::ResetAfter);
        assert_eq!(store_and_place(&mut lost, &network).await.unwrap_err().outcome(), Outcome::Indeterminate);
        let found = lost.reconcile(&network).await.unwrap();
        let Reconciled::Placed(Placed::Order(order)) = found else { panic!("{operation}: {found:?}") };
        assert_eq!(order.operation.get().unwrap().as_str(), operation.to_string());
        // Ends this order, so that it does not affect the next one.
        ReceivedOrder::try_from(*order).unwrap().cancel(&network).await.unwrap();
        let known = copy(&lost).reconcile(&network).await.unwrap();
        assert!(
            matches!(&known, Reconciled::Placed(Placed::Order(_))),
            "{operation} was placed, and cancelled: {known:?}"
        );
        assert_eq!(lost.state(), PreparedState::Placed, "it is not ordered anew by itself");
        // Version 1 did not store the created object, so the network is queried.
        let mut stored = serde_json::to_value(&lost).unwrap();
        let fields = stored.as_object_mut().unwrap();
        fields.retain(|name, _| name == "kind" || name == "request");
        fields.extend([("version".to_owned(), json!(1)), ("progress".to_owned(), json!("placed"))]);
        let mut old: Prepared<NewOrder> = serde_json::from_value(stored).unwrap();
        let gone = old.reconcile(&network).await.unwrap();
        assert!(matches!(gone, Reconciled::Undecidable(_)), "{operation}: {gone:?}");
        assert_eq!(old.state(), PreparedState::Placed);
    }
    assert_eq!(sandbox.onapi().took_effect("createOrder"), 5);
    assert_eq!(sandbox.onapi().took_effect("cancelOrder"), 5);
}

#[derive(Debug, PartialEq, Eq)]
enum Told {
    Placed,
    Absent,
    Later,
    ByAPerson,
}

/// What the subscription says when the network lists no order.
async fn told(order: NewOrder, subscription: Value) -> Told {
    let sandbox = sandbox().await;
    let network = onapi(&sandbox).with_policy(settled());
    let access = order.access().to_string();
    let prepared = Prepared::new(order).unwrap();
    let mut stored = serde_json::to_value(&prepared).unwrap();
    (stored["send_by"], stored["state"]) = (json!(1), json!("in_flight"));
    let mut prepared: Prepared<NewOrder> = serde_json::from_value(stored).unwrap();
    sandbox.onapi().answer_next("listOrders", Answer::json(200, &json!([])));
    let answer = json!({ "accessId": access, "subscriptions": subscription });
    sandbox.onapi().answer_next("getSubscriptions", Answer::json(200, &answer));
    match prepared.reconcile(&network).await.unwrap() {
        Reconciled::Placed(_) => Told::Placed,
        Reconciled::Absent => Told::Absent,
        Reconciled::Indeterminate(later) if !later.retry_after.is_zero() => Told::Later,
        Reconciled::Undecidable(_) => Told::ByAPerson,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_subscription_decides_where_no_order_is_listed() {
    let sandbox = sandbox().await;
    let (at, _) = line(&sandbox, false);
    let held = |fields: Value| {
        let mut one =
            json!({ "subscriptionId": at.subscription, "service": "BB-250-100", "spReference": "OLD" });
        one.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        json!([{ "subscriptionId": "another" }, one])
    };
    let suspend = || NewOrder::suspend(at.clone(), id("SP-1"));
    let resume = || NewOrder::resume(at.clone(), id("SP-1"));
    let deactivate = || NewOrder::deactivate(at.clone(), id("SP-1"));
    let change = || NewOrder::change(at.clone(), "BB-100-100", id("SP-1"));
    let modify =
        || NewOrder::modify(at.clone(), References { reference: Some(id("NEW")), ..Default::default() });
    let cases = [
        (suspend(), held(json!({ "operationalState": "ACTIVATED" })), Told::Absent),
        (suspend(), held(json!({ "operationalState": "SUSPENDED" })), Told::ByAPerson),
        (suspend(), held(json!({ "operationalState": "ZZZ" })), Told::Later),
        (suspend(), held(json!({})), Told::Later),
        (suspend(), json!([]), Told::ByAPerson),
        (resume(), held(json!({ "operationalState": "SUSPENDED" })), Told::Absent),
        (resume(), held(json!({ "operationalState": "ACTIVATED" })), Told::ByAPerson),
        (deactivate(), held(json!({})), Told::Absent),
        (deactivate(), held(json!({ "disconnectionDate": "3030-12-12T00:00:01Z" })), Told::Absent),
        (deactivate(), held(json!({ "disconnectionDate": "2026-12-31T00:00:00Z" })), Told::ByAPerson),
        (deactivate(), json!([]), Told::ByAPerson),
        (deactivate(), json!("yes"), Told::Later),
        (change(), held(json!({})), Told::Absent),
        (change(), held(json!({ "service": "BB-100-100" })), Told::ByAPerson),
        (change(), held(json!({ "service": "BB-100-100", "spReference": "SP-1" })), Told::Placed),
        (change(), held(json!({ "service": null })), Told::Later),
        (modify(), held(json!({})), Told::Absent),
        (modify(), held(json!({ "spReference": "NEW" })), Told::Placed),
        (modify(), held(json!({ "spReference": 7 })), Told::Later),
    ];
    for (order, subscription, expected) in cases {
        let operation = order.operation();
        assert_eq!(told(order, subscription.clone()).await, expected, "{operation} {subscription}");
    }
}

#[tokio::test]
async fn an_order_without_a_reference_is_indeterminate() {
    let sandbox = sandbox().await;
    let network = onapi(&sandbox).with_policy(settled());
    let (at, _) = line(&sandbox, false);
    let mut lost = Prepared::new(NewOrder::suspend(at.clone(), id("SP-1"))).unwrap();
    sandbox.onapi().fail_next("createOrder", Fault::ResetBefore);
    lost.place(&network).await.unwrap_err();
    let other = json!([{ "orderId": "1", "operation": "SUSPEND", "subscriptionId": at.subscription }]);
    sandbox.onapi().answer_next("listOrders", Answer::json(200, &other));
    assert!(matches!(lost.reconcile(&network).await.unwrap(), Reconciled::Indeterminate(_)));
    let unlike = json!([
        { "orderId": "1", "operation": "RESUME", "subscriptionId": at.subscription, "spReference": "SP-1" },
        { "orderId": "2", "operation": "SUSPEND", "subscriptionId": "another", "spReference": "SP-1" },
        { "orderId": "3", "operation": "SUSPEND", "subscriptionId": at.subscription, "spReference": "SP-9" },
        { "orderId": "4", "operation": "SUSPEND", "accessId": "another", "subscriptionId": at.subscription, "spReference": "SP-1" },
    ]);
    sandbox.onapi().answer_next("listOrders", Answer::json(200, &unlike));
    assert!(matches!(lost.reconcile(&network).await.unwrap(), Reconciled::Absent));
}

#[tokio::test]
async fn an_old_order_with_the_same_references_is_not_matched() {
    let sandbox = sandbox().await;
    let network = onapi(&sandbox).with_policy(settled());
    let (at, _) = line(&sandbox, false);
    let set = |reference: &str| {
        NewOrder::modify(at.clone(), References { reference: Some(id(reference)), ..Default::default() })
    };
    for reference in ["A", "B"] {
        place(&network, set(reference)).await;
        done(&sandbox);
    }
    let mut lost = Prepared::new(set("A")).unwrap();
    sandbox.onapi().fail_next("createOrder", Fault::ResetBefore);
    lost.place(&network).await.unwrap_err();
    let found = lost.reconcile(&network).await.unwrap();
    assert!(matches!(found, Reconciled::Indeterminate(_)), "by whom? {found:?}");
    lost.declare_absent(&network.with_policy(settled())).unwrap();
    store_and_place(&mut lost, &network).await.unwrap();
    done(&sandbox);
    assert!(matches!(lost.reconcile(&network).await.unwrap(), Reconciled::Placed(_)));
}

#[tokio::test]
async fn a_takeover_requires_the_permit_of_an_offer() {
    let sandbox = sandbox().await;
    let network = onapi(&sandbox);
    let accesses = sandbox.onapi().accesses();
    let mut permitted = None;
    for access in &accesses[..6] {
        let offers = network.offers(&id(&access.id)).await.unwrap();
        assert_eq!(offers.access().as_str(), access.id);
        for known in &access.services {
            let offer = offers.of(&known.service).unwrap();
            let permit = offer.takeover_permit();
            assert_eq!(permit.is_some(), known.forced_takeover_possible, "{} {}", access.id, known.service);
            permitted = permitted.or(permit);
        }
    }
    let permit = permitted.expect("one of the first six can be taken over");
    let (access, service) = (permit.access().clone(), permit.service().to_owned());
    let mut plain = Prepared::new(NewOrder::activate(access.clone(), &service, id("SP-1"))).unwrap();
    assert_eq!(plain.place(&network).await.unwrap_err().status().unwrap(), 409, "another provider holds it");
    let order = Prepared::new(NewOrder::take_over(permit, id("SP-2"))).unwrap();
    // The permit is stored with the order.
    let mut order: Prepared<NewOrder> =
        serde_json::from_str(&serde_json::to_string(&order).unwrap()).unwrap();
    store_and_place(&mut order, &network).await.unwrap();
    assert_eq!(sandbox.onapi().last().unwrap().json().unwrap()["forcedTakeover"], true);
    done(&sandbox);
    let mine = network.subscriptions(&access).await.unwrap().subscriptions;
    assert!(
        mine.iter().any(|one| one.get().and_then(|one| one.service.as_deref()) == Some(service.as_str()))
    );
}

#[tokio::test]
async fn an_offer_of_another_access_gives_no_permit() {
    let sandbox = sandbox().await;
    let network = onapi(&sandbox);
    let services = json!([
        { "service": "A", "forcedTakeoverPossible": "true" },
        { "service": "B", "forcedTakeoverPossible": null },
        { "service": "C", "forcedTakeoverPossible": "perhaps" },
        { "service": "", "forcedTakeoverPossible": true },
        { "forcedTakeoverPossible": true },
    ]);
    let answer = json!({ "accessId": "1", "services": services });
    sandbox.onapi().answer_next("getServices", Answer::json(200, &answer));
    let offers = network.offers(&id("1")).await.unwrap();
    let permits: Vec<_> =
        offers.iter().map(|offer| (offer.name(), offer.takeover_permit().is_some())).collect();
    assert_eq!(permits, [("A", true), ("B", false), ("C", false)]);
    assert_eq!(offers.answer().services.len(), 5, "nothing is lost");
    sandbox.onapi().answer_next("getServices", Answer::json(200, &answer));
    assert_eq!(network.offers(&id("2")).await.unwrap_err().outcome(), Outcome::Decode);
}

#[tokio::test]
async fn a_received_order_is_changed_replaced_and_cancelled() {
    let sandbox = sandbox().await;
    let network = onapi(&sandbox);
    let (access, service) = offered(&sandbox, Availability::Free);
    let placed = place(&network, NewOrder::activate(access.clone(), &service, id("SP-1"))).await;
    let order_id = placed.order_id().unwrap();
    let open = network.open_orders().await.unwrap();
    assert_eq!(open.len(), 1);
    assert_eq!(network.orders_in(ListOrdersState::Received).await.unwrap().len(), 1);
    assert_eq!(network.orders_in(ListOrdersState::DoneFailed).await.unwrap().len(), 0);

    let order = ReceivedOrder::try_from(network.order(&order_id).await.unwrap()).unwrap();
    assert_eq!(order.id(), &order_id);
    let change = OrderChange { external_note: Some("Later".into()), ..empty_change() };
    order.change(&network, &change).await.unwrap();
    assert_eq!(sandbox.onapi().last().unwrap().json().unwrap(), json!({ "externalNote": "Later" }));
    assert_eq!(network.order(&order_id).await.unwrap().external_note.as_deref(), Some("Later"));

    order.replace(&network, &NewOrder::activate(access.clone(), "VOIP", id("SP-2"))).await.unwrap();
    let replaced = network.order(&order_id).await.unwrap();
    assert_eq!((replaced.service.as_deref(), replaced.sp_reference.as_deref()), (Some("VOIP"), Some("SP-2")));

    order.cancel(&network).await.unwrap();
    assert_eq!(network.order(&order_id).await.unwrap_err().status().unwrap(), 404);
    assert_eq!(network.open_orders().await.unwrap().len(), 0);
    assert_eq!(sandbox.onapi().violations(), Vec::<String>::new());
}

fn empty_change() -> OrderChange {
    serde_json::from_value(json!({})).unwrap()
}

#[tokio::test]
async fn an_order_in_progress_is_neither_changed_nor_cancelled() {
    let sandbox = sandbox().await;
    let network = onapi(&sandbox);
    let (access, service) = offered(&sandbox, Availability::Free);
    let placed = place(&network, NewOrder::activate(access, &service, id("SP-1"))).await;
    let order_id = placed.order_id().unwrap();
    let early = ReceivedOrder::try_from(network.order(&order_id).await.unwrap()).unwrap();
    sandbox.onapi().advance();
    let change = OrderChange { external_note: Some("x".into()), ..empty_change() };
    assert_eq!(early.change(&network, &change).await.unwrap_err().outcome(), Outcome::Rejected);
    assert_eq!(early.cancel(&network).await.unwrap_err().outcome(), Outcome::Rejected);
    let error = ReceivedOrder::try_from(network.order(&order_id).await.unwrap()).unwrap_err();
    assert_eq!(error.outcome(), Outcome::Invalid);
    assert!(error.to_string().contains("IN_PROGRESS and no longer RECEIVED"), "{error}");
    for state in [json!(null), json!("ZZZ"), json!(7)] {
        let order: Order = serde_json::from_value(json!({ "orderId": "1", "state": state })).unwrap();
        assert_eq!(ReceivedOrder::try_from(order).unwrap_err().outcome(), Outcome::Invalid);
    }
}

#[tokio::test]
async fn a_takeover_cannot_be_changed_to_another_service() {
    let sandbox = sandbox().await;
    let network = onapi(&sandbox);
    let order = json!({ "orderId": "o-1", "state": "RECEIVED", "forcedTakeover": true });
    let order = ReceivedOrder::try_from(serde_json::from_value::<types::Order>(order).unwrap()).unwrap();
    for moved in [json!({ "service": "B" }), json!({ "accessId": "a-2" }), json!({ "operation": "CHANGE" })] {
        let change: OrderChange = serde_json::from_value(moved.clone()).unwrap();
        let error = order.change(&network, &change).await.unwrap_err();
        assert_eq!(error.outcome(), Outcome::Invalid, "{moved}");
        assert!(error.to_string().contains("the permit of this takeover is for others"), "{error}");
    }
    assert_eq!(sandbox.onapi().count("changeOrder"), 0);
    // A change of other fields is sent, and the network responds that it knows no such order.
    let note = OrderChange { external_note: Some("x".into()), ..empty_change() };
    assert_eq!(order.change(&network, &note).await.unwrap_err().outcome(), Outcome::Rejected);
}

#[tokio::test]
async fn an_invalid_change_is_refused_before_it_is_sent() {
    let sandbox = sandbox().await;
    let network = onapi(&sandbox);
    let order = || {
        let order = json!({ "orderId": "o-1", "state": "RECEIVED" });
        ReceivedOrder::try_from(serde_json::from_value::<types::Order>(order).unwrap()).unwrap()
    };
    for (change, says) in [
        (json!({}), "nothing is to be changed"),
        (json!({ "state": "DONE_SUCCESS" }), "network's to set"),
        (json!({ "orderId": "o-2" }), "network's to set"),
        (json!({ "forcedTakeover": true }), "permit"),
        (json!({ "spReference": "a b" }), "spReference"),
        (json!({ "service": "" }), "service: it is empty"),
        (json!({ "externalNote": "x".repeat(256) }), "externalNote: it is longer"),
        (json!({ "equipment": { "macAddress": "aa" } }), "macAddress"),
        (json!({ "characteristics": { "ipAddress": ["192.0.2.1.1"] } }), "characteristics.ipAddress"),
    ] {
        let read: OrderChange = serde_json::from_value(change.clone()).unwrap();
        let error = order().change(&network, &read).await.unwrap_err();
        assert_eq!(error.outcome(), Outcome::Invalid, "{change}");
        assert!(error.to_string().contains(says), "{change}: {error}");
    }
    assert_eq!(sandbox.onapi().received().len(), 0);
}

#[test]
fn an_invalid_order_is_refused() {
    let line = || SubscriptionAt { access: id("1"), subscription: id("2") };
    let refused = |order: NewOrder| Prepared::new(order).unwrap_err().to_string();
    assert!(refused(NewOrder::modify(line(), References::default())).contains("one of them at least"));
    assert!(refused(NewOrder::change(line(), "", id("3"))).contains("service: it is empty"));
    let long = "x".repeat(256);
    assert!(refused(NewOrder::suspend(line(), id("3")).note(long)).contains("externalNote"));
    let equipment = EquipmentRequest { mac_address: Some("02-00".into()), vendor_id: None };
    assert!(refused(NewOrder::activate(id("1"), "x", id("3")).equipment(equipment)).contains("macAddress"));
}

#[tokio::test]
async fn a_failed_order_reports_its_cause() {
    let sandbox = sandbox().await;
    let network = onapi(&sandbox);
    let (access, _) = offered(&sandbox, Availability::Free);
    let failing = lastmile_sandbox::OnApi::FAILING_SERVICE;
    let placed = place(&network, NewOrder::activate(access, failing, id("SP-1"))).await;
    done(&sandbox);
    let order = network.order(&placed.order_id().unwrap()).await.unwrap();
    let progress = order.progress();
    assert_eq!((progress.stage(), progress.supplier_status()), (OrderStage::Failed, Some("DONE_FAILED")));
    assert_eq!(progress.reason(), Some("The fibre is broken."));
    assert!(!format!("{progress:?}").contains("fibre"));
}

#[test]
fn every_state_maps_to_a_stage() {
    for (state, stage, own) in [
        (json!("RECEIVED"), OrderStage::Received, Some("RECEIVED")),
        (json!("IN_PROGRESS"), OrderStage::InProgress, Some("IN_PROGRESS")),
        (json!("DONE_SUCCESS"), OrderStage::Done, Some("DONE_SUCCESS")),
        (json!("DONE_FAILED"), OrderStage::Failed, Some("DONE_FAILED")),
        (json!("PARKED"), OrderStage::Other, Some("PARKED")),
        (json!(null), OrderStage::Other, None),
    ] {
        let order: Order = serde_json::from_value(json!({ "state": state, "message": "" })).unwrap();
        let of_event: OrderOfEvent =
            serde_json::from_value(json!({ "state": state, "message": "" })).unwrap();
        for progress in [order.progress(), of_event.progress()] {
            assert_eq!(
                (progress.stage(), progress.supplier_status(), progress.reason()),
                (stage, own, None),
                "{state}"
            );
        }
    }
}
