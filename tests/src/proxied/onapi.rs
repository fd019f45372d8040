//! The journeys of ON-API.

use futures_util::StreamExt as _;
use lastmile::onapi::types::{
    Access, AccessServices, EquipmentRequest, Subscription, TicketUpdateResponsible,
};
use lastmile::onapi::{
    Changes, EndpointName, NewOrder, NewTicket, OnApi, PeriodId, ReceivedOrder, References, SubscriptionAt,
    SyncPlan, SyncState, Synced, TicketChange, TicketList, TicketQuery,
};
use lastmile::rules::{DhcpIdentifier, OnApiId};
use lastmile::{HasProgress, OrderStage, Prepared};
use lastmile_sandbox::onapi::Availability;
use lastmile_sandbox::{Dialect, Sandbox};

use super::Failure;
use crate::{brisk, dialect};

/// The service that requires a service level in the standard's dialects.
const FASTEST: &str = "BB-1000-1000";
const OTHER: &str = "BB-250-100";

pub(super) async fn journeys(sandbox: &Sandbox, url: &str) -> Result<(), Failure> {
    let supplier = sandbox.onapi();
    let network = OnApi::builder(url)
        .dialect(dialect(sandbox))
        .login(supplier.user(), supplier.password())
        .policy(brisk())
        .build()?;
    network.directory().await?;
    look_up_and_diagnose(sandbox, &network).await?;
    read_lists(sandbox, &network).await?;
    change_and_cancel_orders(sandbox, &network).await?;
    from_offer_to_deactivation(sandbox, &network).await?;
    take_over(sandbox, &network).await?;
    follow(sandbox, &network).await?;
    write_tickets(&network).await?;
    read_invoices(&network).await
}

/// Returns an access with a service of this availability, and the name of the service.
fn offered(sandbox: &Sandbox, availability: Availability) -> Result<(OnApiId, String), Failure> {
    let accesses = sandbox.onapi().accesses();
    let found = accesses.iter().find_map(|access| {
        let offer = access.services.iter().find(|offer| offer.availability == availability)?;
        Some((&access.id, offer.service.clone()))
    });
    let (access, service) = found.ok_or("no such offer")?;
    Ok((access.parse()?, service))
}

async fn look_up_and_diagnose(sandbox: &Sandbox, network: &OnApi) -> Result<(), Failure> {
    let accesses = sandbox.onapi().accesses();
    let delivered =
        |access: &&lastmile_sandbox::onapi::Access| access.subscriptions.iter().any(|one| !one.suspended);
    let known = accesses.iter().find(delivered).ok_or("no access is delivered")?;
    let access = network.access_of_option82(&known.option82.parse()?).await?;
    assert_eq!(access.as_str(), known.id);
    if network.dialect().has_endpoint(EndpointName::DhcpLookup) {
        let log = DhcpIdentifier {
            ipv4_circuit_id: Some(known.ipv4_circuit_id.clone()),
            ipv4_remote_id: Some(known.ipv4_remote_id.clone()),
            ..Default::default()
        };
        assert_eq!(network.access_of_dhcp(&log).await?, access);
    }
    network.access(&access).await?;
    network.cpe_status(&access).await?;
    network.hardware(&access).await?;
    network.link_status(&access).await?;
    assert!(!network.mac_table(&access).await?.is_empty());
    assert!(!network.leases(&access).await?.is_empty());
    network.igmp_groups(&access).await?;
    let nobody = "a-none".parse()?;
    let unknown = network.link_status(&nobody).await.err().and_then(|error| error.status());
    assert_eq!(unknown.map(|status| status.as_u16()), Some(404));
    Ok(())
}

/// Reads the long lists, as a whole and then what has changed.
async fn read_lists(sandbox: &Sandbox, network: &OnApi) -> Result<(), Failure> {
    let (state, rows) = synchronize::<Access>(network, None).await?;
    let (services_state, service_rows) = synchronize::<AccessServices>(network, None).await?;
    assert_eq!((rows, service_rows), (30, 30));
    sandbox.onapi().tear_down(&sandbox.onapi().accesses()[3].id);
    synchronize::<Access>(network, Some(&state)).await?;
    synchronize::<AccessServices>(network, Some(&services_state)).await?;
    let cursor = match network.accesses(None).await? {
        Changes::Rows(mut rows) => {
            while let Some(row) = rows.next().await {
                row?;
            }
            rows.cursor().cloned()
        }
        _ => return Err("the list of accesses is empty".into()),
    };
    network.accesses(cursor.as_ref()).await?;
    network.object_events(None).await?;
    if matches!(sandbox.onapi().dialect(), Dialect::Standard24 | Dialect::Standard25) {
        let (state, _) = synchronize::<Subscription>(network, None).await?;
        synchronize::<Subscription>(network, Some(&state)).await?;
    } else if let Changes::Rows(mut rows) = network.all_subscriptions(None).await? {
        while let Some(row) = rows.next().await {
            row?;
        }
    }
    Ok(())
}

/// Returns the next state, and the number of rows.
async fn synchronize<T: Synced>(
    network: &OnApi,
    since: Option<&SyncState>,
) -> Result<(SyncState, usize), Failure> {
    let mut run = network.sync::<T>(since, &SyncPlan::default()).await?;
    let mut rows = 0;
    while let Some(item) = run.next().await {
        item?;
        rows += 1;
    }
    Ok((run.state().ok_or("the run is incomplete")?.clone(), rows))
}

async fn change_and_cancel_orders(sandbox: &Sandbox, network: &OnApi) -> Result<(), Failure> {
    let (access, service) = offered(sandbox, Availability::Free)?;
    let order = |note: &str| -> Result<NewOrder, Failure> {
        Ok(NewOrder::activate(access.clone(), &service, "SP-0".parse()?).note(note).sla("SLA-1"))
    };
    let placed = Prepared::new(order("first")?)?.place(network).await?;
    let id = placed.order_id().ok_or("the order has no id")?;
    let received = async || Ok::<_, Failure>(ReceivedOrder::try_from(network.order(&id).await?)?);
    received().await?.replace(network, &order("second")?).await?;
    let change = serde_json::from_value(serde_json::json!({ "externalNote": "third" }))?;
    received().await?.change(network, &change).await?;
    assert_eq!(network.orders_of(&access).await?.len(), 1);
    received().await?.cancel(network).await?;
    network.open_orders().await?;
    Ok(())
}

/// Places an order, lets two days pass, and reads the order in its final state.
async fn carry_out(sandbox: &Sandbox, network: &OnApi, order: NewOrder) -> Result<(), Failure> {
    let placed = Prepared::new(order)?.place(network).await?;
    let id = placed.order_id().ok_or("the order has no id")?;
    sandbox.onapi().advance();
    network.order(&id).await?;
    sandbox.onapi().advance();
    assert_eq!(network.order(&id).await?.progress().stage(), OrderStage::Done);
    Ok(())
}

/// Returns the subscription on an access with a reference.
async fn mine(network: &OnApi, access: &OnApiId, reference: &str) -> Result<Option<Subscription>, Failure> {
    let answer = network.subscriptions(access).await?;
    let mut all = answer.subscriptions.into_iter().filter_map(|one| one.into_option());
    Ok(all.find(|one| one.sp_reference.as_deref() == Some(reference)))
}

async fn from_offer_to_deactivation(sandbox: &Sandbox, network: &OnApi) -> Result<(), Failure> {
    let (access, _) = offered(sandbox, Availability::Free)?;
    let offers = network.offers(&access).await?;
    let offer = offers.of(FASTEST).ok_or("the service is not offered")?;
    let router = EquipmentRequest { vendor_id: Some("EXAMPLE".into()), ..Default::default() };
    let order = offer.activate("SP-1".parse()?).fixed_ip(true).sla("SLA-2").ip_addresses(["192.0.2.17"]);
    carry_out(sandbox, network, order.equipment(router)).await?;

    let held = mine(network, &access, "SP-1").await?.ok_or("there is no subscription")?;
    let subscription = OnApiId::try_from(&held.subscription_id)?;
    let line = || SubscriptionAt { access: access.clone(), subscription: subscription.clone() };
    carry_out(sandbox, network, NewOrder::change(line(), OTHER, "SP-2".parse()?)).await?;
    let of = |order: NewOrder| order.service_of_subscription(OTHER);
    carry_out(sandbox, network, of(NewOrder::suspend(line(), "SP-2".parse()?).note("Not paid"))).await?;
    carry_out(sandbox, network, of(NewOrder::resume(line(), "SP-2".parse()?))).await?;
    let new = References { reference: Some("SP-3".parse()?), subscription: None };
    carry_out(sandbox, network, NewOrder::modify(line(), new)).await?;
    carry_out(sandbox, network, of(NewOrder::deactivate(line(), "SP-3".parse()?))).await?;
    assert!(mine(network, &access, "SP-3").await?.is_none());
    Ok(())
}

async fn take_over(sandbox: &Sandbox, network: &OnApi) -> Result<(), Failure> {
    let accesses = sandbox.onapi().accesses();
    let found = accesses.iter().find_map(|access| {
        let mut offers = access.services.iter();
        let offer = offers.find(|offer| {
            offer.availability == Availability::HeldByOther && offer.forced_takeover_possible
        })?;
        Some((&access.id, &offer.service))
    });
    let (access, service) = found.ok_or("nothing can be taken over")?;
    let offers = network.offers(&access.parse()?).await?;
    let permit = offers.of(service).and_then(|offer| offer.takeover_permit()).ok_or("no permit")?;
    carry_out(sandbox, network, NewOrder::take_over(permit, "SP-4".parse()?).sla("SLA-1")).await
}

/// Follows an order that fails, by the order events.
async fn follow(sandbox: &Sandbox, network: &OnApi) -> Result<(), Failure> {
    let (access, _) = offered(sandbox, Availability::Free)?;
    let failing = lastmile_sandbox::OnApi::FAILING_SERVICE;
    Prepared::new(NewOrder::activate(access, failing, "SP-5".parse()?))?.place(network).await?;
    sandbox.onapi().advance();
    sandbox.onapi().advance();
    let mut events = network.order_events(None);
    let mut last = None;
    while let Some(event) = events.next().await {
        last = event?.event.order.get().map(|order| order.progress().stage());
    }
    assert_eq!(last, Some(OrderStage::Failed));
    let mut later = network.order_events(events.cursor().cloned());
    assert!(later.next().await.is_none());
    Ok(())
}

async fn write_tickets(network: &OnApi) -> Result<(), Failure> {
    let none = network.tickets(&TicketQuery::default()).await?;
    assert!(matches!(none, TicketList::Nothing));
    let ticket = NewTicket::new("CASE-1", "No link", "The socket is dark");
    let ticket = Prepared::new(ticket)?.place(network).await?;
    let TicketList::Tickets { tickets, cursor } = network.tickets(&TicketQuery::default()).await? else {
        return Err("the ticket is not listed".into());
    };
    assert_eq!(tickets.await?.len(), 1);
    let since = TicketQuery::default().with_since(cursor);
    assert!(matches!(network.tickets(&since).await?, TicketList::NotModified));
    let written = "2026-03-03T10:00:00Z".parse()?;
    let comment = TicketChange::comment_on(ticket.clone(), "Kajsa Anka", "The light is red.", written);
    Prepared::new(comment)?.place(network).await?;
    Prepared::new(TicketChange::take(ticket.clone()))?.place(network).await?;
    Prepared::new(TicketChange::hand_to_network(ticket.clone()))?.place(network).await?;
    Prepared::new(TicketChange::close(ticket.clone(), TicketUpdateResponsible::Co))?.place(network).await?;
    let ticket = network.ticket(&ticket).await?;
    assert_eq!(ticket.status.get().map(|status| status.as_str()), Some("CLOSED"));
    Ok(())
}

async fn read_invoices(network: &OnApi) -> Result<(), Failure> {
    let periods = network.invoice_periods().await?;
    let mut ids = periods.iter().rev().filter_map(|period| PeriodId::try_from(&period.get()?.id).ok());
    let mut lines = network.invoice_lines(&ids.next().ok_or("there is no invoice")?).await?;
    let mut count = 0;
    while let Some(line) = lines.next().await {
        line?;
        count += 1;
    }
    assert!(count > 0);
    Ok(())
}
