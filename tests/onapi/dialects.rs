//! Each task in each dialect, against a sandbox that speaks it: what is sent obeys the document of the dialect, and every
//! response is read.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::StreamExt as _;
use lastmile::onapi::types::{Access, AccessServices, AccessSubscriptions, EquipmentRequest, Subscription};
use lastmile::onapi::{
    Changes, Dialect, EndpointName, NewOrder, OnApi, ReceivedOrder, SubscriptionAt, SyncItem, SyncPlan,
};
use lastmile::rules::DhcpIdentifier;
use lastmile::{Outcome, Prepared, Reconciled, SetupError};
use lastmile_sandbox::onapi::Availability;
use lastmile_sandbox::{Answer, Fault, SandboxBuilder, Spec};
use lastmile_tests::{brisk, copy, settled};
use serde_json::{Value, json};

use crate::steps::{
    FASTEST, apply, carry_out, done, every_dialect, id, obeys_its_document, offered, one, place,
};

#[tokio::test]
async fn copies_are_kept_up_to_date_and_deletions_arrive() {
    for (sandbox, network) in every_dialect(|builder| builder).await {
        let spoken = network.dialect();
        let access_of = |access: &Access| access.access_id.as_deref().unwrap().to_owned();
        let services_of = |row: &AccessServices| row.access_id.as_deref().unwrap().to_owned();
        let (mut accesses, mut services) = (BTreeSet::new(), BTreeSet::new());
        let (state, full) = apply(&network, None, &mut accesses, access_of).await;
        let (services_state, _) = apply(&network, None, &mut services, services_of).await;
        assert!(full && accesses.len() == 30 && services == accesses, "{spoken}");
        let torn_down = sandbox.onapi().accesses()[3].id.clone();
        sandbox.onapi().tear_down(&torn_down);
        let (_, full) = apply(&network, Some(&state), &mut accesses, access_of).await;
        assert!(!full && accesses.len() == 29 && !accesses.contains(&torn_down), "{spoken}");
        apply(&network, Some(&services_state), &mut services, services_of).await;
        assert_eq!(services, accesses, "{spoken}");

        let held: BTreeSet<String> = sandbox
            .onapi()
            .accesses()
            .into_iter()
            .flat_map(|access| access.subscriptions.into_iter().map(|one| one.subscription_id))
            .collect();
        if matches!(spoken, Dialect::Standard24 | Dialect::Standard25) {
            let subscription_of = |one: &Subscription| one.subscription_id.as_deref().unwrap().to_owned();
            let mut copy = BTreeSet::new();
            let (state, _) = apply(&network, None, &mut copy, subscription_of).await;
            assert_eq!(copy, held, "{spoken}");
            let ended = held.first().unwrap();
            let known = sandbox.onapi().accesses();
            let (access, service) = known
                .iter()
                .find_map(|access| {
                    let one = access.subscriptions.iter().find(|one| one.subscription_id == *ended)?;
                    Some((id(&access.id), one.service.clone()))
                })
                .unwrap();
            let line = SubscriptionAt { access, subscription: id(ended) };
            let end = NewOrder::deactivate(line, id("SP-9")).service_of_subscription(service);
            carry_out(&sandbox, &network, end).await;
            apply(&network, Some(&state), &mut copy, subscription_of).await;
            assert_eq!(copy.len(), held.len() - 1, "{spoken}");
            let error = network.sync::<AccessSubscriptions>(None, &SyncPlan::default()).await.unwrap_err();
            assert!(error.to_string().contains("flat_subscriptions"), "{error}");
            assert!(matches!(network.flat_subscriptions(None).await.unwrap(), Changes::Rows(_)));
        } else {
            let error = network.flat_subscriptions(None).await.unwrap_err();
            assert!(error.to_string().contains(spoken.as_str()), "{error}");
            let mut run = network.sync::<AccessSubscriptions>(None, &SyncPlan::default()).await.unwrap();
            let mut count = 0;
            while let Some(item) = run.next().await {
                let SyncItem::Upserted(row) = item.unwrap() else { continue };
                count += row.subscriptions.len();
            }
            assert_eq!(count, held.len(), "{spoken}");
        }
        obeys_its_document(&sandbox);
    }
}

#[tokio::test]
async fn an_order_is_written_in_the_dialect_of_its_network() {
    let equipment = |count: usize| (0..count).map(|_| EquipmentRequest::default());
    for (sandbox, network) in every_dialect(|builder| builder).await {
        let (access, service) = offered(&sandbox, Availability::Free);
        let mut order =
            NewOrder::activate(access, service, id("SP-1")).sla("SLA-1").ip_addresses(["192.0.2.1"]);
        order = equipment(1).fold(order, NewOrder::equipment).characteristic("colour", 7);
        let stored: NewOrder = serde_json::from_value(serde_json::to_value(&order).unwrap()).unwrap();
        place(&network, stored).await;
        let received = sandbox.onapi().received();
        let sent: Value = received.iter().rev().find(|one| one.method == "POST").unwrap().json().unwrap();
        let vendor = network.dialect() == Dialect::Vendor26;
        let (sla, addresses) = if vendor { ("sla", "ipAddresses") } else { ("SLA", "ipAddress") };
        let expected = json!({ "colour": 7, sla: "SLA-1", addresses: ["192.0.2.1"] });
        assert_eq!(sent["characteristics"], expected, "{}", network.dialect());
        assert_eq!(sent["equipment"], if vendor { json!({}) } else { json!([{}]) });

        let line = SubscriptionAt { access: id("a-1"), subscription: id("s-1") };
        let before = sandbox.onapi().received().len();
        let several =
            equipment(2).fold(NewOrder::change(line.clone(), "VOIP", id("SP-2")), NewOrder::equipment);
        let error = Prepared::new(several).unwrap().place(&network).await.unwrap_err();
        if vendor {
            assert_eq!(error.outcome(), Outcome::Invalid);
            assert!(error.to_string().contains("vendor26"), "{error}");
            assert_eq!(sandbox.onapi().received().len(), before, "nothing was sent");
        } else {
            assert_eq!(error.outcome(), Outcome::Rejected, "there is no such subscription");
        }
        let error =
            Prepared::new(NewOrder::suspend(line, id("SP-3"))).unwrap().place(&network).await.unwrap_err();
        if network.dialect() == Dialect::Standard24 {
            assert!(error.to_string().contains("service: a network that speaks standard24"), "{error}");
        } else {
            assert_eq!(error.outcome(), Outcome::Rejected);
        }
    }
}

#[tokio::test]
async fn a_received_order_is_replaced_with_the_complete_object() {
    for (sandbox, network) in every_dialect(|builder| builder).await {
        let (access, service) = offered(&sandbox, Availability::Free);
        let order =
            |note: &str| NewOrder::activate(access.clone(), &service, id("SP-1")).note(note).sla("SLA-1");
        let placed = place(&network, order("first")).await;
        let old = network.order(&placed.order_id().unwrap()).await.unwrap();
        ReceivedOrder::try_from(old).unwrap().replace(&network, &order("second")).await.unwrap();
        let received = sandbox.onapi().received();
        let sent: Value = received.iter().rev().find(|one| one.method == "PUT").unwrap().json().unwrap();
        let repeats = |field: &str| sent.get(field).is_some();
        let expected = match network.dialect() {
            Dialect::Vendor26 => (false, false),
            Dialect::Standard24 => (false, true),
            _ => (true, true),
        };
        assert_eq!((repeats("path"), repeats("expectedCompletionDate")), expected, "{}", network.dialect());
        assert_eq!(sent["externalNote"], "second");
        obeys_its_document(&sandbox);
    }
}

#[tokio::test]
async fn an_offer_tells_what_its_order_must_carry() {
    let (sandbox, network) = one(lastmile_sandbox::Dialect::Standard24).await;
    let (access, _) = offered(&sandbox, Availability::Free);
    let offers = network.offers(&access).await.unwrap();
    let offer = offers.of(FASTEST).unwrap();
    assert_eq!(offer.required_characteristics().collect::<Vec<_>>(), ["SLA"]);
    assert_eq!(offer.characteristics().count(), 3);
    let refused = |order: NewOrder| Prepared::new(order).unwrap_err().to_string();
    assert!(refused(offer.activate(id("SP-1"))).contains("characteristics.sla: the offer"));
    let wrong = || offer.activate(id("SP-1")).sla("SLA-9");
    assert!(refused(wrong()).contains("none of the values"));
    let error = Prepared::new(wrong().skip_validation()).unwrap().place(&network).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::Rejected, "the network was asked");
    let (accesses, _) = offered(&sandbox, Availability::Free);
    assert!(
        place(&network, offer.activate(id("SP-2")).sla("SLA-3")).await.order_id().is_some(),
        "{accesses}"
    );
}

#[tokio::test]
async fn a_lost_order_is_found_again_or_cannot_be_told() {
    for keeps_references in [true, false] {
        let with = |builder: SandboxBuilder| {
            builder
                .onapi_keeps_references(keeps_references)
                .onapi_order_ids(false)
                .onapi_early_subscription_ids(false)
        };
        for (sandbox, network) in every_dialect(with).await {
            let (access, service) = offered(&sandbox, Availability::Free);
            let order = NewOrder::activate(access.clone(), &service, id("SP-1")).sla("SLA-1");
            let mut order = Prepared::new(order).unwrap();
            sandbox.onapi().fail_next("createOrder", Fault::ResetAfter);
            order.mark_in_flight().unwrap();
            let mut again = copy(&order);
            assert_eq!(order.place(&network).await.unwrap_err().outcome(), Outcome::Indeterminate);
            if !keeps_references {
                // The network lists no finished orders either, so the subscription alone could tell.
                done(&sandbox);
                let nothing = Answer::json(404, &json!({ "cause": "no orders" }));
                sandbox.onapi().answer_next("listOrders", nothing);
            }
            let found = again.reconcile(&network.with_policy(settled())).await.unwrap();
            let spoken = network.dialect();
            if keeps_references {
                let Reconciled::Placed(placed) = found else { panic!("{spoken}: {found:?}") };
                assert!(placed.order_id().is_some(), "{spoken}");
            } else {
                assert!(!matches!(found, Reconciled::Placed(_) | Reconciled::Absent), "{spoken}: {found:?}");
            }
            assert_eq!(sandbox.onapi().took_effect("createOrder"), 1, "{spoken}");
        }
    }
}

#[tokio::test]
async fn a_client_is_told_its_dialect_or_reads_the_directory() {
    let nothing = OnApi::builder("https://co.example/onapi/2.6").login("sp", "x").build().unwrap_err();
    assert!(matches!(nothing, SetupError::Missing("a dialect")), "{nothing}");
    for (sandbox, network) in every_dialect(|builder| builder.onapi_legacy_endpoints(true)).await {
        let supplier = sandbox.onapi();
        let builder = OnApi::builder(supplier.base_url()).login(supplier.user(), supplier.password());
        let builder = match network.dialect() {
            Dialect::Vendor26 => builder.dialect(Dialect::Vendor26),
            _ => builder,
        };
        let found = builder.policy(brisk()).from_directory(&[]).await.unwrap();
        assert_eq!(found.dialect(), network.dialect());
        let (access, _) = offered(&sandbox, Availability::Free);
        assert!(found.offers(&access).await.unwrap().of(FASTEST).is_some());
        found.subscriptions(&access).await.unwrap();
        obeys_its_document(&sandbox);
    }
    let (sandbox, network) = one(lastmile_sandbox::Dialect::Standard26).await;
    let old = json!([{ "name": "accesses", "endpoint": "/x/accesses/", "version": "2.3.1" }]);
    sandbox.onapi().answer_next("listEndpoints", Answer::json(200, &old));
    let supplier = sandbox.onapi();
    let builder = OnApi::builder(supplier.base_url()).login(supplier.user(), supplier.password());
    let error = builder.from_directory(&[]).await.unwrap_err().to_string();
    assert!(error.contains("2.3.1") && error.contains("2.4, 2.5, 2.6"), "{error}");
    let error = network.with_directory(&network.directory().await.unwrap().unwrap(), &[]);
    assert_eq!(error.offers_endpoint(EndpointName::Services), Some(true));
}

/// Only the documentation of its entries tells whether a directory of version 2.6 is that of the standard.
#[tokio::test]
async fn a_directory_that_does_not_state_its_dialect_needs_the_caller() {
    let (sandbox, _) = one(lastmile_sandbox::Dialect::Vendor26).await;
    let supplier = sandbox.onapi();
    let builder = || {
        let builder = OnApi::builder(supplier.base_url()).login(supplier.user(), supplier.password());
        builder.policy(brisk())
    };
    let error = builder().from_directory(&[]).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::Invalid);
    assert!(error.to_string().contains("standard26 or vendor26"), "{error}");
    for dialect in [Dialect::Standard26, Dialect::Vendor26] {
        let network = builder().dialect(dialect).from_directory(&[]).await.unwrap();
        assert_eq!(network.dialect(), dialect, "the caller knows better");
    }
    // A kind that has no such version is that of the standard.
    let network = builder().dialect(Dialect::Standard24).from_directory(&[]).await.unwrap();
    assert_eq!(network.dialect(), Dialect::Standard26);
    let unversioned = json!([{ "name": "accesses", "endpoint": "/onapi/2.6/accesses/" }]);
    supplier.answer_next("listEndpoints", Answer::json(200, &unversioned));
    let error = builder().from_directory(&[]).await.unwrap_err();
    assert!(error.to_string().contains("states no versions"), "{error}");
    supplier.answer_next("listEndpoints", Answer::status(404));
    let error = builder().from_directory(&[]).await.unwrap_err();
    assert!(error.to_string().contains("no directory: give its dialect"), "{error}");
}

#[tokio::test]
async fn a_dialect_has_the_endpoints_of_its_document() {
    let has = |dialect: Dialect, path: &str| {
        let spoken = lastmile_sandbox::Dialect::ALL.into_iter().find(|one| one.name() == dialect.as_str());
        spoken.unwrap().spec().document()["paths"].get(path).is_some()
    };
    for dialect in Dialect::ALL {
        for (endpoint, path) in [
            (EndpointName::Accesses, "/accesses/"),
            (EndpointName::DhcpLookup, "/dhcplookup/"),
            (EndpointName::Option82, "/option82/{option82}"),
            (EndpointName::Orders, "/orders/"),
            (EndpointName::OrderEvents, "/orderevents/"),
            (EndpointName::Events, "/events/"),
            (EndpointName::Services, "/services/"),
            (EndpointName::Subscriptions, "/subscriptions/"),
            (EndpointName::TechCpe, "/tech/cpe/{accessId}/status"),
            (EndpointName::TechAccess, "/tech/access/{accessId}/hardware"),
            (EndpointName::InvoiceSpecification, "/invoicespecification/"),
            (EndpointName::Tickets, "/tickets"),
        ] {
            assert_eq!(dialect.has_endpoint(endpoint), has(dialect, path), "{dialect} {path}");
        }
    }
    let document = Spec::onapi().document();
    assert_eq!(document["x-dialects"].as_array().unwrap().len(), Dialect::ALL.len());
    let (_, network) = one(lastmile_sandbox::Dialect::Standard25).await;
    let log = DhcpIdentifier { ipv4_remote_id: Some("x".into()), ..Default::default() };
    let error = network.access_of_dhcp(&log).await.unwrap_err().to_string();
    assert!(error.contains("dhcplookup: a network that speaks standard25"), "{error}");
}

#[tokio::test]
async fn a_portal_offers_accesses_alone_and_forgets_changes() {
    let portal = OnApi::stadsnatsportalen(&id("ankeborg")).login("sp", "x").build().unwrap();
    assert_eq!(
        (portal.dialect(), portal.offers_endpoint(EndpointName::Events)),
        (Dialect::Standard24, Some(false))
    );
    let (sandbox, _) = one(lastmile_sandbox::Dialect::Standard24).await;
    let supplier = sandbox.onapi();
    for (kept, expected) in [(Duration::MAX, false), (Duration::from_secs(60), true)] {
        let builder = OnApi::builder(supplier.base_url()).login(supplier.user(), supplier.password());
        let builder = builder.dialect(Dialect::Standard24).only([EndpointName::Accesses]).changes_kept(kept);
        let network = builder.policy(brisk()).build().unwrap();
        let mut copy = BTreeSet::new();
        let access_of = |access: &Access| access.access_id.as_deref().unwrap().to_owned();
        let (state, _) = apply(&network, None, &mut copy, access_of).await;
        let (_, full) = apply(&network, Some(&state), &mut copy, access_of).await;
        assert_eq!((full, copy.len()), (expected, 30));
        let offers = network.offers(&id(&sandbox.onapi().accesses()[0].id)).await.unwrap();
        assert!(offers.iter().count() > 0, "they are in the access");
        let before = supplier.received().len();
        let error = network.open_orders().await.unwrap_err();
        assert!(error.to_string().contains("orders: this network does not offer it"), "{error}");
        assert_eq!(supplier.received().len(), before);
    }
}
