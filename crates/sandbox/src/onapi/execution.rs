//! What an order does to the network when its time has come.

use serde_json::Value;

use super::chronicle::{Change, Chronicle};
use super::network::{FAILING, Line, Network, Subscription, kind_of};
use super::orders::Order;
use super::placing::check_place;

const ENDED: &str = "The subscription has ended.";
const BROKEN: &str = "The fibre is broken.";
const TAKEN: &str = "Another service is in its place.";

/// Carries an order out, or says why that failed.
pub(super) fn carry_out(
    order: &Order,
    deduplicates: bool,
    network: &mut Network,
    chronicle: &mut Chronicle,
) -> Result<(), &'static str> {
    let line = network.line_mut(&order.access_id).ok_or(TAKEN)?;
    if order.service == FAILING {
        return Err(BROKEN);
    }
    match order.operation() {
        "ACTIVATE" => {
            activate(order, deduplicates, line, chronicle)?;
            let number = line.number;
            network.note_subscription(&order.subscription_id, number);
            Ok(())
        }
        "DEACTIVATE" => {
            end(order, line, chronicle);
            Ok(())
        }
        operation => alter(operation, order, line, chronicle),
    }
}

/// A careless CO delivers twice what was ordered twice.
fn activate(
    order: &Order,
    deduplicates: bool,
    line: &mut Line,
    chronicle: &mut Chronicle,
) -> Result<(), &'static str> {
    if deduplicates && line.subscriptions.iter().any(|one| one.service == order.service) {
        return Ok(());
    }
    let offer = line.offer(order.service).ok_or(TAKEN)?;
    let forced = order.given.get("forcedTakeover") == Some(&Value::Bool(true));
    check_place(line, &offer, forced, None).map_err(|_| TAKEN)?;
    if line.held.iter().any(|held| held.kind == offer.kind) {
        line.held.retain(|held| held.kind != offer.kind);
        line.changed.services = chronicle.tick();
    }
    let id = order.subscription_id.clone();
    line.changed.subscriptions = chronicle.note(Change::Create, "subscriptions", &id, &line.id);
    line.subscriptions.push(Subscription {
        id,
        service: offer.service,
        kind: offer.kind,
        suspended: false,
        since: chronicle.now(),
        given: order.given.clone(),
    });
    if line.state == "HOMESPASSED" {
        line.state = "CONNECTED";
        line.changed.access = chronicle.note(Change::Update, "accesses", &line.id, &line.id);
    }
    Ok(())
}

/// What is gone already stays gone.
fn end(order: &Order, line: &mut Line, chronicle: &mut Chronicle) {
    let Some(place) = line.subscriptions.iter().position(|one| one.id == order.subscription_id) else {
        return;
    };
    let subscription = line.subscriptions.remove(place);
    line.changed.subscriptions = chronicle.note(Change::Delete, "subscriptions", &subscription.id, &line.id);
    line.ended.push(subscription);
}

fn alter(
    operation: &str,
    order: &Order,
    line: &mut Line,
    chronicle: &mut Chronicle,
) -> Result<(), &'static str> {
    let id = order.subscription_id.as_str();
    if operation == "CHANGE" {
        let offer = line.offer(order.service).ok_or(TAKEN)?;
        check_place(line, &offer, false, Some(id)).map_err(|_| TAKEN)?;
    }
    let subscription = line.subscriptions.iter_mut().find(|one| one.id == id).ok_or(ENDED)?;
    match operation {
        "SUSPEND" => subscription.suspended = true,
        "RESUME" => subscription.suspended = false,
        "CHANGE" => {
            subscription.service = order.service;
            subscription.kind = kind_of(order.service).unwrap_or(subscription.kind);
            take_over(&mut subscription.given, &order.given);
        }
        _ => take_over(&mut subscription.given, &order.given),
    }
    line.changed.subscriptions = chronicle.note(Change::Update, "subscriptions", id, &line.id);
    Ok(())
}

/// The fields that the order gives take the place of those that were there.
fn take_over(given: &mut Value, order: &Value) {
    for field in ["spReference", "spSubscriptionId", "characteristics", "equipment"] {
        if let Some(value) = order.get(field) {
            given[field] = value.clone();
        }
    }
}
