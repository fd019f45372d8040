//! A day of orders at an ON-API network, against the embedded sandbox: what an access is offered, an order that is stored
//! before it is sent, a change and a cancellation, a takeover, a suspension, and the events that tell what became of all.
//!
//! ```text
//! cargo run -p lastmile --example onapi_order
//! ```
#![allow(clippy::print_stdout, reason = "showing is what it is for")]

use std::error::Error;

use lastmile::onapi::types::OrderChange;
use lastmile::onapi::{Dialect, EventCursor, NewOrder, OnApi, Placed, ReceivedOrder, SubscriptionAt};
use lastmile::rules::OnApiId;
use lastmile::{HasProgress, Prepared, Reconciled, StreamExt as _};
use lastmile_sandbox::onapi::Availability;
use lastmile_sandbox::{Fault, Sandbox};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let sandbox = Sandbox::builder().seed(1).start().await?;
    let supplier = sandbox.onapi();
    let network = OnApi::builder(supplier.base_url())
        .dialect(Dialect::Vendor26)
        .login(supplier.user(), supplier.password())
        .build()?;

    println!("What the network offers, by its own directory");
    let directory = network.directory().await?.ok_or("no directory")?;
    println!("  {} endpoints", directory.entries().len());
    let network = network.with_directory(&directory, &[]);

    println!("An order, stored before it is sent");
    let seeded = supplier.accesses();
    let known =
        seeded.iter().find(|access| access.service(Availability::Free).is_some()).ok_or("nothing is free")?;
    let access = network.access_of_option82(&known.option82.parse()?).await?;
    let offers = network.offers(&access).await?;
    for offer in offers.iter() {
        println!("  {access} is offered {}", offer.name());
    }
    let offer = offers.iter().next().ok_or("no offer")?;
    let mut order = Prepared::new(offer.activate("SP-0431".parse()?))?;
    order.mark_in_flight()?;
    let stored = serde_json::to_string(&order)?;
    println!("  {} bytes to store", stored.len());
    // The network does it, and the response is lost.
    supplier.fail_next("createOrder", Fault::ResetAfter);
    if let Err(error) = order.place(&network).await {
        println!("  {error}");
    }
    let Reconciled::Placed(placed) = order.reconcile(&network).await? else {
        return Err("it is not found".into());
    };
    let id = placed.order_id().ok_or("no id")?;
    println!("  found again by its reference: {id}, {:?}", state(&placed));

    println!("Changed and cancelled, while it is received");
    let received = ReceivedOrder::try_from(network.order(&id).await?)?;
    let change: OrderChange = serde_json::from_str(r#"{ "externalNote": "The fitter rings twice" }"#)?;
    received.change(&network, &change).await?;
    received.cancel(&network).await?;
    println!("  orders that are open: {}", network.open_orders().await?.len());

    println!("A takeover, which needs the permit of an offer");
    let mut permit = None;
    for access in &seeded {
        let offers = network.offers(&access.id.parse()?).await?;
        permit = offers.iter().find_map(|offer| offer.takeover_permit());
        if permit.is_some() {
            break;
        }
    }
    let permit = permit.ok_or("nothing can be taken over")?;
    println!("  {} on {}", permit.service(), permit.access());
    let takeover = NewOrder::take_over(permit, "SP-0432".parse()?);
    Prepared::new(takeover)?.place(&network).await?;

    println!("A suspension");
    let held = seeded.iter().find_map(|access| {
        let held = access.subscriptions.iter().find(|held| !held.suspended)?;
        Some((access.id.parse(), held.subscription_id.parse()))
    });
    let (access, subscription) = held.ok_or("nothing is delivered")?;
    let line = SubscriptionAt { access: access?, subscription: subscription? };
    let suspension = NewOrder::suspend(line, "SP-0433".parse()?).note("Please call us");
    Prepared::new(suspension)?.place(&network).await?;

    println!("What becomes of them");
    let mut cursor = follow(&network, None).await?;
    for _ in 0..2 {
        supplier.advance();
        cursor = follow(&network, cursor).await?;
    }
    Ok(())
}

/// Reads what is new, as a service does every few seconds. The cursor is all that it has to keep.
async fn follow(network: &OnApi, cursor: Option<EventCursor>) -> Result<Option<EventCursor>, Box<dyn Error>> {
    let mut events = network.order_events(cursor);
    while let Some(event) = events.next().await {
        let event = event?;
        let Some(order) = event.event.order.get() else { continue };
        let id = OnApiId::try_from(order)?;
        let operation = order.operation.get().map_or("?", |operation| operation.as_str());
        println!("  {id} {operation}: {:?}", order.progress().stage());
    }
    Ok(events.cursor().cloned())
}

fn state(placed: &Placed) -> Option<lastmile::OrderStage> {
    match placed {
        Placed::Order(order) | Placed::Existing(order) => Some(order.progress().stage()),
        _ => None,
    }
}
