//! The journey of a service and its customer, in each dialect, at networks that differ in what the standard leaves open.

use std::collections::BTreeSet;
use std::time::SystemTime;

use lastmile::onapi::types::{Access, EquipmentRequest, TicketCreateProblemType, TicketUpdateResponsible};
use lastmile::onapi::{
    CharacteristicsExt as _, InvoiceLineExt as _, NewOrder, NewTicket, OnApi, PeriodId, References,
    SubscriptionAt, TicketChange, TicketList, TicketQuery, TransceiverExt as _,
};
use lastmile::rules::OnApiId;
use lastmile::{Outcome, Prepared, Reconciled};
use lastmile_sandbox::onapi::Availability;
use lastmile_sandbox::{Dialect, Fault, PathStyle, Sandbox, SandboxBuilder, TrailingSlash};
use lastmile_tests::{brisk, copy, dialect, onapi, settled};

use crate::steps::{FASTEST, apply, carry_out, held_by_another, id, mine, obeys_its_document, offered};

/// What a network does where the standard leaves a choice.
struct Network {
    name: &'static str,
    sandbox: fn(SandboxBuilder) -> SandboxBuilder,
    /// Whether the client is built from the directory.
    by_directory: bool,
    /// Whether lists tell what has changed.
    has_cursors: bool,
}

const AS_DOCUMENTED: Network =
    Network { name: "as documented", sandbox: |builder| builder, by_directory: false, has_cursors: true };

const NETWORKS: [Network; 6] = [
    AS_DOCUMENTED,
    Network {
        name: "ids late",
        sandbox: |builder| builder.onapi_order_ids(false).onapi_early_subscription_ids(false),
        ..AS_DOCUMENTED
    },
    Network {
        name: "no order events",
        sandbox: |builder| builder.onapi_without_endpoint("orderevents"),
        ..AS_DOCUMENTED
    },
    Network {
        name: "an old version in the directory",
        sandbox: |builder| builder.onapi_legacy_endpoints(true),
        by_directory: true,
        ..AS_DOCUMENTED
    },
    Network {
        name: "collections without a slash",
        sandbox: |builder| {
            let collections = TrailingSlash::Refused;
            builder.onapi_path_style(PathStyle { collections, ..PathStyle::default() })
        },
        by_directory: true,
        ..AS_DOCUMENTED
    },
    Network {
        name: "no Last-Modified",
        sandbox: |builder| builder.onapi_last_modified(false),
        has_cursors: false,
        ..AS_DOCUMENTED
    },
];

/// Starts a network, and returns it with a client and a name for messages.
async fn start(network: &Network, dialect_of: Dialect) -> (Sandbox, OnApi, String) {
    let builder = Sandbox::builder().seed(5).onapi_dialect(dialect_of);
    let sandbox = (network.sandbox)(builder).start().await.unwrap();
    let client = if network.by_directory {
        let supplier = sandbox.onapi();
        let builder = OnApi::builder(supplier.base_url()).login(supplier.user(), supplier.password());
        let builder = builder.dialect(dialect(&sandbox)).policy(brisk());
        builder.from_directory(&[]).await.unwrap()
    } else {
        onapi(&sandbox)
    };
    (sandbox, client, format!("{}, {}", dialect_of.name(), network.name))
}

#[tokio::test]
async fn a_service_lives_from_its_offer_to_its_invoice() {
    for network in &NETWORKS {
        for dialect in Dialect::ALL {
            let (sandbox, client, name) = start(network, dialect).await;
            let access = a_service_lives(&sandbox, &client, &name).await;
            a_service_is_taken_over(&sandbox, &client).await;
            an_invoice_lists_the_services(&client, &name).await;
            trouble_is_reported(&sandbox, &client, &access, &name).await;
            a_copy_is_kept(&sandbox, &client, network.has_cursors, &name).await;
            obeys_its_document(&sandbox);
        }
    }
}

async fn a_service_lives(sandbox: &Sandbox, network: &OnApi, name: &str) -> OnApiId {
    let (access, _) = offered(sandbox, Availability::Free);
    let offers = network.offers(&access).await.unwrap();
    let offer = offers.iter().find(|offer| offer.name() == FASTEST).unwrap();
    assert!(offer.availability(SystemTime::now()).is_now(), "{name}: {:?}", offer.available());
    let router = EquipmentRequest { vendor_id: Some("EXAMPLE".into()), ..Default::default() };
    let order = offer.activate(id("SP-1")).fixed_ip(true).sla("SLA-2").ip_addresses(["192.0.2.17"]);
    carry_out(sandbox, network, order.equipment(router)).await;

    let held = mine(network, &access, "SP-1").await.unwrap();
    let characteristics = held.characteristics.get().unwrap();
    assert_eq!(characteristics.service_level(), Some("SLA-2"), "{name}");
    assert_eq!(characteristics.addresses().collect::<Vec<_>>(), ["192.0.2.17"], "{name}");
    assert_eq!(held.equipment.len(), 1, "{name}");

    let subscription = OnApiId::try_from(&held.subscription_id).unwrap();
    let line = || SubscriptionAt { access: access.clone(), subscription: subscription.clone() };
    carry_out(sandbox, network, NewOrder::change(line(), "BB-250-100", id("SP-2"))).await;
    let changed = mine(network, &access, "SP-2").await.unwrap();
    assert_eq!(changed.service.as_deref(), Some("BB-250-100"), "{name}");
    let of = |order: NewOrder| order.service_of_subscription("BB-250-100");
    let state = async || {
        let held = mine(network, &access, "SP-2").await.unwrap();
        held.operational_state.get().unwrap().as_str().to_owned()
    };
    carry_out(sandbox, network, of(NewOrder::suspend(line(), id("SP-2")).note("Not paid"))).await;
    assert_eq!(state().await, "SUSPENDED", "{name}");
    carry_out(sandbox, network, of(NewOrder::resume(line(), id("SP-2")))).await;
    assert_eq!(state().await, "ACTIVATED", "{name}");
    let new = References { reference: Some(id("SP-3")), subscription: None };
    carry_out(sandbox, network, NewOrder::modify(line(), new)).await;
    assert!(mine(network, &access, "SP-3").await.is_some(), "{name}");
    carry_out(sandbox, network, of(NewOrder::deactivate(line(), id("SP-3")))).await;
    assert!(mine(network, &access, "SP-3").await.is_none(), "{name}");
    access
}

async fn a_service_is_taken_over(sandbox: &Sandbox, network: &OnApi) {
    let (taken, service) = held_by_another(sandbox);
    let offers = network.offers(&taken).await.unwrap();
    let permit = offers.of(&service).unwrap().takeover_permit().unwrap();
    carry_out(sandbox, network, NewOrder::take_over(permit, id("SP-4")).sla("SLA-1")).await;
    assert!(mine(network, &taken, "SP-4").await.is_some());
}

async fn an_invoice_lists_the_services(network: &OnApi, name: &str) {
    let periods = network.invoice_periods().await.unwrap();
    let last = periods.iter().rev().find_map(|period| PeriodId::try_from(&period.get()?.id).ok()).unwrap();
    let mut lines = network.invoice_lines(&last).await.unwrap();
    let mut count = 0;
    while let Some(line) = lines.next().await {
        let line = line.unwrap();
        assert!(line.operator().is_some() && line.service_provider_name().is_some(), "{name}");
        assert!(line.access_id().is_some() && line.service().is_some(), "{name}");
        assert!(line.invoice.get().unwrap().invoiced_amount.get().is_some(), "{name}");
        count += 1;
    }
    assert!(count > 10, "{name}: {count}");
}

/// A ticket whose response is lost is found again, commented on, and closed.
async fn trouble_is_reported(sandbox: &Sandbox, network: &OnApi, access: &OnApiId, name: &str) {
    assert!(network.link_status(access).await.unwrap().optics().is_some(), "{name}");
    let ticket = NewTicket::new("CASE-1", "No link", "The socket is dark")
        .access(access.clone())
        .problem(TicketCreateProblemType::NoLink)
        .created_by("Support, Ankeborg");
    let mut ticket = Prepared::new(ticket).unwrap();
    sandbox.onapi().fail_next("createTicket", Fault::ResetAfter);
    let error = ticket.place(network).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::Indeterminate, "{name}");
    let found = copy(&ticket).reconcile(&network.with_policy(settled())).await.unwrap();
    let Reconciled::Placed(reference) = found else { panic!("{name}: {found:?}") };
    assert_eq!(sandbox.onapi().took_effect("createTicket"), 1, "{name}");

    let written = "2026-03-03T10:00:00Z".parse().unwrap();
    for change in [
        TicketChange::comment_on(reference.clone(), "Kajsa Anka", "The light is red.", written),
        TicketChange::take(reference.clone()),
        TicketChange::hand_to_network(reference.clone()),
        TicketChange::close(reference.clone(), TicketUpdateResponsible::Co),
    ] {
        Prepared::new(change).unwrap().place(network).await.unwrap();
    }
    let held = network.ticket(&reference).await.unwrap();
    assert_eq!(held.access_id.as_deref(), Some(access.as_str()), "{name}");
    assert_eq!(held.status.get().unwrap().as_str(), "CLOSED", "{name}");
    assert_eq!(held.comments.len(), 1, "{name}");
    let TicketList::Tickets { tickets, .. } = network.tickets(&TicketQuery::default()).await.unwrap() else {
        panic!("{name}: there is a ticket")
    };
    assert_eq!(tickets.await.unwrap().len(), 1, "{name}");
}

async fn a_copy_is_kept(sandbox: &Sandbox, network: &OnApi, has_cursors: bool, name: &str) {
    let access_of = |access: &Access| access.access_id.as_deref().unwrap().to_owned();
    let mut copy = BTreeSet::new();
    let (state, full) = apply(network, None, &mut copy, access_of).await;
    let all = |sandbox: &Sandbox| -> BTreeSet<String> {
        sandbox.onapi().accesses().into_iter().map(|access| access.id).collect()
    };
    assert!(full && copy == all(sandbox), "{name}");
    let torn_down = copy.first().unwrap().clone();
    sandbox.onapi().tear_down(&torn_down);
    sandbox.onapi().add_accesses(1);
    let (_, full) = apply(network, Some(&state), &mut copy, access_of).await;
    assert!(!full, "{name}");
    if has_cursors {
        assert_eq!(copy, all(sandbox), "{name}");
    } else {
        // Between two full runs, only deletions are known.
        assert!(copy.is_subset(&all(sandbox)) && !copy.contains(&torn_down), "{name}");
    }
}
