//! How an order changes the network when it is carried out.

use serde_json::Value;

use super::event_log::{Change, EventLog};
use super::network::{AccessLine, Network, Subscription};
use super::order::Order;
use super::services::{FAILING, kind_of};
use super::validation::check_conflict;

const SUBSCRIPTION_ENDED: &str = "The subscription has ended.";
const FIBRE_BROKEN: &str = "The fibre is broken.";
const CONFLICT: &str = "Another service is in its place.";

/// Carries an order out. The error is the message of the failed order.
pub(super) fn carry_out(
    order: &Order,
    deduplicates: bool,
    network: &mut Network,
    event_log: &mut EventLog,
) -> Result<(), &'static str> {
    let line = network.line_mut(&order.access_id).ok_or(CONFLICT)?;
    if order.service == FAILING {
        return Err(FIBRE_BROKEN);
    }
    match order.operation() {
        "ACTIVATE" => {
            activate(order, deduplicates, line, event_log)?;
            let number = line.number;
            network.record_subscription_line(&order.subscription_id, number);
            Ok(())
        }
        "DEACTIVATE" => {
            end(order, line, event_log);
            Ok(())
        }
        operation => alter(operation, order, line, event_log),
    }
}

/// Activates a service. A CO that does not detect repeated orders delivers a service twice if it was ordered twice.
fn activate(
    order: &Order,
    deduplicates: bool,
    line: &mut AccessLine,
    event_log: &mut EventLog,
) -> Result<(), &'static str> {
    if deduplicates && line.subscriptions.iter().any(|one| one.service == order.service) {
        return Ok(());
    }
    let offer = line.offer(order.service).ok_or(CONFLICT)?;
    let forced = order.sp_fields.get("forcedTakeover") == Some(&Value::Bool(true));
    check_conflict(line, &offer, forced, None).map_err(|_| CONFLICT)?;
    if line.foreign_services.iter().any(|foreign| foreign.kind == offer.kind) {
        line.foreign_services.retain(|foreign| foreign.kind != offer.kind);
        line.changed.services = event_log.tick();
    }
    let id = order.subscription_id.clone();
    line.changed.subscriptions = event_log.record(Change::Create, "subscriptions", &id, &line.id);
    line.subscriptions.push(Subscription {
        id,
        service: offer.service,
        kind: offer.kind,
        suspended: false,
        since: event_log.now(),
        changed: event_log.now(),
        sp_fields: order.sp_fields.clone(),
    });
    if line.state == "HOMESPASSED" {
        line.state = "CONNECTED";
        line.changed.access = event_log.record(Change::Update, "accesses", &line.id, &line.id);
    }
    Ok(())
}

/// Ends a subscription. Does nothing if it has already ended.
fn end(order: &Order, line: &mut AccessLine, event_log: &mut EventLog) {
    let Some(index) = line.subscriptions.iter().position(|one| one.id == order.subscription_id) else {
        return;
    };
    let mut subscription = line.subscriptions.remove(index);
    subscription.changed = event_log.record(Change::Delete, "subscriptions", &subscription.id, &line.id);
    line.changed.subscriptions = subscription.changed;
    line.ended.push(subscription);
}

fn alter(
    operation: &str,
    order: &Order,
    line: &mut AccessLine,
    event_log: &mut EventLog,
) -> Result<(), &'static str> {
    let id = order.subscription_id.as_str();
    if operation == "CHANGE" {
        let offer = line.offer(order.service).ok_or(CONFLICT)?;
        check_conflict(line, &offer, false, Some(id)).map_err(|_| CONFLICT)?;
    }
    let subscription = line.subscriptions.iter_mut().find(|one| one.id == id).ok_or(SUBSCRIPTION_ENDED)?;
    match operation {
        "SUSPEND" => subscription.suspended = true,
        "RESUME" => subscription.suspended = false,
        "CHANGE" => {
            subscription.service = order.service;
            subscription.kind = kind_of(order.service).unwrap_or(subscription.kind);
            copy_fields(&mut subscription.sp_fields, &order.sp_fields);
        }
        _ => copy_fields(&mut subscription.sp_fields, &order.sp_fields),
    }
    subscription.changed = event_log.record(Change::Update, "subscriptions", id, &line.id);
    line.changed.subscriptions = subscription.changed;
    Ok(())
}

/// Copies the fields that the order has.
fn copy_fields(sp_fields: &mut Value, order: &Value) {
    for field in ["spReference", "spSubscriptionId", "characteristics", "equipment"] {
        if let Some(value) = order.get(field) {
            sp_fields[field] = value.clone();
        }
    }
}
