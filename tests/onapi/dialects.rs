//! Each task in each dialect, against a sandbox that speaks it: what is sent obeys the document of the dialect, and every
//! response is read.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use futures_util::StreamExt as _;
use lastmile::onapi::types::{Access, AccessServices, AccessSubscriptions, EquipmentRequest, Subscription};
use lastmile::onapi::{
    Changes, CharacteristicsExt as _, Deleted, Dialect, EndpointName, InvoiceLineExt as _, NewOrder, OnApi,
    PeriodId, Placed, ReceivedOrder, References, SubscriptionAt, SyncItem, SyncPlan, SyncRun, SyncState,
    Synced, TransceiverExt as _,
};
use lastmile::rules::{DhcpIdentifier, OnApiId};
use lastmile::{HasProgress, OrderStage, Outcome, Prepared, Reconciled, SetupError};
use lastmile_sandbox::onapi::Availability;
use lastmile_sandbox::{Answer, Fault, Sandbox, SandboxBuilder, Spec};
use lastmile_tests::{brisk, copy, dialect, onapi, settled};
use serde_json::{Value, json};

/// The service that requires a service level in the standard's dialects.
const FASTEST: &str = "BB-1000-1000";

fn id(text: &str) -> OnApiId {
    text.parse().unwrap()
}

async fn every_dialect(with: impl Fn(SandboxBuilder) -> SandboxBuilder) -> Vec<(Sandbox, OnApi)> {
    let mut all = Vec::new();
    for dialect in lastmile_sandbox::Dialect::ALL {
        let sandbox = with(Sandbox::builder().seed(5).onapi_dialect(dialect)).start().await.unwrap();
        let network = onapi(&sandbox);
        all.push((sandbox, network));
    }
    all
}

async fn one(dialect: lastmile_sandbox::Dialect) -> (Sandbox, OnApi) {
    let sandbox = Sandbox::builder().seed(5).onapi_dialect(dialect).start().await.unwrap();
    let network = onapi(&sandbox);
    (sandbox, network)
}

/// Returns an access that can have a service of this availability, with the service.
fn offered(sandbox: &Sandbox, availability: Availability) -> (OnApiId, String) {
    let accesses = sandbox.onapi().accesses();
    let found = accesses.iter().find_map(|access| {
        let offer = access.services.iter().find(|offer| offer.availability == availability)?;
        Some((id(&access.id), offer.service.clone()))
    });
    found.unwrap()
}

/// Returns an access with a service of another service provider that can be taken over.
fn held_by_another(sandbox: &Sandbox) -> (OnApiId, String) {
    let accesses = sandbox.onapi().accesses();
    let found = accesses.iter().find_map(|access| {
        let mut offers = access.services.iter();
        let is_open = |offer: &&lastmile_sandbox::onapi::Offer| {
            offer.availability == Availability::HeldByOther && offer.forced_takeover_possible
        };
        Some((id(&access.id), offers.find(is_open)?.service.clone()))
    });
    found.unwrap()
}

fn done(sandbox: &Sandbox) {
    sandbox.onapi().advance();
    sandbox.onapi().advance();
}

#[track_caller]
fn obeys_its_document(sandbox: &Sandbox) {
    assert_eq!(sandbox.onapi().violations(), Vec::<String>::new(), "{}", dialect(sandbox));
    for received in sandbox.onapi().received() {
        assert_eq!(received.problems, Vec::<String>::new(), "{} {}", dialect(sandbox), received.path);
    }
}

async fn place(network: &OnApi, order: NewOrder) -> Placed {
    Prepared::new(order).unwrap().place(network).await.unwrap()
}

/// Places an order, and follows it to its end by the order events.
async fn carry_out(sandbox: &Sandbox, network: &OnApi, order: NewOrder) {
    let placed = place(network, order).await;
    let order = placed.order_id().unwrap();
    done(sandbox);
    let mut last = None;
    let mut events = network.order_events(None);
    while let Some(event) = events.next().await {
        let event = event.unwrap().event;
        if let Some(of) = event.order.get().filter(|of| OnApiId::try_from(*of).ok().as_ref() == Some(&order))
        {
            last = Some(of.progress().stage());
        }
    }
    assert_eq!(last, Some(OrderStage::Done));
}

/// The subscription on an access with a reference.
async fn mine(network: &OnApi, access: &OnApiId, reference: &str) -> Option<Subscription> {
    let answer = network.subscriptions(access).await.unwrap();
    let all = answer.subscriptions.into_iter().filter_map(|one| one.into_option());
    all.into_iter().find(|one| one.sp_reference.as_deref() == Some(reference))
}

#[tokio::test]
async fn a_service_lives_from_its_offer_to_its_invoice() {
    for (sandbox, network) in every_dialect(|builder| builder).await {
        let spoken = network.dialect();
        let (access, _) = offered(&sandbox, Availability::Free);
        let offers = network.offers(&access).await.unwrap();
        let offer = offers.iter().find(|offer| offer.name() == FASTEST).unwrap();
        assert!(offer.availability(SystemTime::now()).is_now(), "{spoken}: {:?}", offer.available());
        let router = EquipmentRequest { vendor_id: Some("EXAMPLE".into()), ..Default::default() };
        let order = offer.activate(id("SP-1")).fixed_ip(true).sla("SLA-2").ip_addresses(["192.0.2.17"]);
        carry_out(&sandbox, &network, order.equipment(router)).await;

        let held = mine(&network, &access, "SP-1").await.unwrap();
        let characteristics = held.characteristics.get().unwrap();
        assert_eq!(characteristics.service_level(), Some("SLA-2"), "{spoken}");
        assert_eq!(characteristics.addresses().collect::<Vec<_>>(), ["192.0.2.17"], "{spoken}");
        assert_eq!(held.equipment.len(), 1);

        let subscription = OnApiId::try_from(&held.subscription_id).unwrap();
        let line = || SubscriptionAt { access: access.clone(), subscription: subscription.clone() };
        let change = NewOrder::change(line(), "BB-250-100", id("SP-2"));
        carry_out(&sandbox, &network, change).await;
        assert_eq!(mine(&network, &access, "SP-2").await.unwrap().service.as_deref(), Some("BB-250-100"));
        let of = |order: NewOrder| order.service_of_subscription("BB-250-100");
        let suspend = NewOrder::suspend(line(), id("SP-2")).note("Not paid");
        carry_out(&sandbox, &network, of(suspend)).await;
        carry_out(&sandbox, &network, of(NewOrder::resume(line(), id("SP-2")))).await;
        let new = References { reference: Some(id("SP-3")), subscription: None };
        carry_out(&sandbox, &network, NewOrder::modify(line(), new)).await;
        assert!(mine(&network, &access, "SP-3").await.is_some(), "{spoken}");
        carry_out(&sandbox, &network, of(NewOrder::deactivate(line(), id("SP-3")))).await;
        assert!(mine(&network, &access, "SP-3").await.is_none(), "{spoken}");

        let (taken, service) = held_by_another(&sandbox);
        let offers = network.offers(&taken).await.unwrap();
        let permit = offers.of(&service).unwrap().takeover_permit().unwrap();
        carry_out(&sandbox, &network, NewOrder::take_over(permit, id("SP-4")).sla("SLA-1")).await;

        let periods = network.invoice_periods().await.unwrap();
        let last =
            periods.iter().rev().find_map(|period| PeriodId::try_from(&period.get()?.id).ok()).unwrap();
        let line = network.invoice_lines(&last).await.unwrap().next().await.unwrap().unwrap();
        assert!(line.operator().is_some() && line.service_provider_name().is_some(), "{spoken}");
        assert!(line.access_id().is_some() && line.service().is_some(), "{spoken}");
        assert!(network.link_status(&taken).await.unwrap().optics().is_some(), "{spoken}");
        obeys_its_document(&sandbox);
    }
}

/// Runs a synchronization to its end, and applies it to a copy.
async fn apply<T: Synced>(
    network: &OnApi,
    since: Option<&SyncState>,
    copy: &mut BTreeSet<String>,
    id_of: impl Fn(&T) -> String,
) -> (SyncState, bool) {
    let mut run: SyncRun<T> = network.sync(since, &SyncPlan::default()).await.unwrap();
    let mut seen = BTreeSet::new();
    while let Some(item) = run.next().await {
        match item.unwrap() {
            SyncItem::Upserted(row) => {
                seen.insert(id_of(&row));
            }
            SyncItem::Deleted(Deleted::Access(id) | Deleted::Subscription(id) | Deleted::Service(id)) => {
                copy.remove(&id);
            }
            _ => panic!("an item that this test does not know"),
        }
    }
    if run.is_complete() {
        copy.clear();
    }
    copy.append(&mut seen);
    (run.state().unwrap().clone(), run.is_full())
}

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
async fn an_earlier_order_of_the_same_customer_is_another_one() {
    let (sandbox, network) = one(lastmile_sandbox::Dialect::Standard24).await;
    let (access, service) = offered(&sandbox, Availability::Free);
    let earlier = json!([{
        "orderId": "o-1", "accessId": access, "service": service, "operation": "ACTIVATE", "spReference": "CUSTOMER-1",
        "requestedDateTime": "2020-01-01T00:00:00Z", "state": "DONE_SUCCESS",
    }]);
    let order = NewOrder::activate(access, service, id("CUSTOMER-1"));
    for (time, expected) in [("2026-03-02T00:00:00Z", false), ("2020-01-01T06:00:00Z", true)] {
        let mut order = Prepared::new(order.clone().not_before(time.parse().unwrap())).unwrap();
        order.mark_in_flight().unwrap();
        sandbox.onapi().answer_next("listOrders", Answer::json(200, &earlier));
        let found = order.reconcile(&network.with_policy(settled())).await.unwrap();
        assert_eq!(matches!(found, Reconciled::Placed(_)), expected, "{time}: {found:?}");
    }
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
