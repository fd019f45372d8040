//! Decides whether an order is placed: what each operation requires (ON-API 2.6, orders), and how a CO responds if
//! there is such an order already or nothing is left to do (ON-API 2.6, responses).

use serde_json::Value;

use super::dialect::Dialect;
use super::network::{AccessLine, Network, Subscription};
use super::order::Target;
use super::order_book::OrderBook;
use super::response::ErrorResponse;
use super::services::ServiceOffer;
use crate::json::text;

/// The decision about an order.
#[derive(Debug)]
pub(super) enum Decision {
    /// The order is placed.
    Place(Target),
    /// There is an open order for the same service; this is its number.
    Duplicate(usize),
    /// Nothing is left to do: the service is already active, or has already ended.
    AlreadyDone(Target),
}

/// Validates a new order, or, if `except` is given, the changed order with that number.
pub(super) fn validate(
    request: &Value,
    dialect: Dialect,
    network: &Network,
    orders: &OrderBook,
    except: Option<usize>,
) -> Result<Decision, ErrorResponse> {
    let operation = required_field(request, "operation", "Every order")?;
    if operation != "ACTIVATE" && request.get("forcedTakeover") == Some(&Value::Bool(true)) {
        return Err(ErrorResponse::new(400, "forcedTakeover: only ACTIVATE takes a service over"));
    }
    for field in dialect.required_fields(operation) {
        required_field(request, field, operation)?;
    }
    let check = OrderCheck { request, dialect, network, orders, except };
    if operation == "ACTIVATE" { check.activation() } else { check.subscription_order(operation) }
}

struct OrderCheck<'a> {
    request: &'a Value,
    dialect: Dialect,
    network: &'a Network,
    orders: &'a OrderBook,
    except: Option<usize>,
}

impl OrderCheck<'_> {
    fn activation(&self) -> Result<Decision, ErrorResponse> {
        let access_id = required_field(self.request, "accessId", "ACTIVATE")?;
        let service = required_field(self.request, "service", "ACTIVATE")?;
        let unknown = || ErrorResponse::new(400, format!("accessId: there is no access {access_id}"));
        let line = self.network.line(access_id).ok_or_else(unknown)?;
        let offer = orderable_offer(&line, service)?;
        let forced = self.request.get("forcedTakeover") == Some(&Value::Bool(true));
        if forced && !offer.takeover_possible {
            return Err(ErrorResponse::new(
                400,
                format!("forcedTakeover: {service} cannot be taken over here"),
            ));
        }
        offer.check_characteristics(self.dialect, self.request, true)?;
        let target =
            Target { access_id: access_id.to_owned(), service: offer.service, subscription_id: None };
        if let Some(order) = self.open_order(&target) {
            return Ok(Decision::Duplicate(order));
        }
        if self.orders.deduplicates && line.subscriptions.iter().any(|one| one.service == offer.service) {
            return Ok(Decision::AlreadyDone(target));
        }
        check_conflict(&line, &offer, forced, None)?;
        Ok(Decision::Place(target))
    }

    fn subscription_order(&self, operation: &str) -> Result<Decision, ErrorResponse> {
        let Some(id) = text(self.request, "subscriptionId") else { return self.deactivation_by_service() };
        let unknown = || ErrorResponse::new(400, format!("subscriptionId: there is no subscription {id}"));
        let (line, subscription, ended) = self.network.subscription(id).ok_or_else(unknown)?;
        if text(self.request, "accessId").is_some_and(|access_id| access_id != line.id) {
            return Err(ErrorResponse::new(400, "accessId: the subscription is on another access"));
        }
        let change = if operation == "CHANGE" {
            Some(orderable_offer(&line, required_field(self.request, "service", "CHANGE")?)?)
        } else if text(self.request, "service").is_some_and(|service| service != subscription.service) {
            return Err(ErrorResponse::new(400, "service: the subscription is to another service"));
        } else {
            None
        };
        let target = Target {
            access_id: line.id.clone(),
            service: change.map_or(subscription.service, |offer| offer.service),
            subscription_id: Some(id.to_owned()),
        };
        if ended && operation == "DEACTIVATE" {
            let done = self.orders.deduplicates;
            return Ok(if done { Decision::AlreadyDone(target) } else { Decision::Place(target) });
        }
        if let Some(order) = self.open_order(&target) {
            return Ok(Decision::Duplicate(order));
        }
        check_state(operation, &subscription, ended)?;
        if let Some(offer) = change {
            offer.check_characteristics(self.dialect, self.request, false)?;
            check_conflict(&line, &offer, false, Some(id))?;
        }
        Ok(Decision::Place(target))
    }

    /// Validates a `DEACTIVATE` order that names the access and the service, but not the subscription: 2.4 does not
    /// require it. Of several subscriptions to the service, the order is for the first.
    fn deactivation_by_service(&self) -> Result<Decision, ErrorResponse> {
        let access_id = required_field(self.request, "accessId", "DEACTIVATE")?;
        let service = required_field(self.request, "service", "DEACTIVATE")?;
        let unknown = || ErrorResponse::new(400, format!("accessId: there is no access {access_id}"));
        let line = self.network.line(access_id).ok_or_else(unknown)?;
        let unknown = || ErrorResponse::new(400, format!("Unknown service: '{service}'"));
        let offer = line.offer(service).ok_or_else(unknown)?;
        let subscription = line.subscriptions.iter().find(|one| one.service == service);
        let target = Target {
            access_id: access_id.to_owned(),
            service: offer.service,
            subscription_id: subscription.map(|one| one.id.clone()),
        };
        Ok(match (subscription, self.open_order(&target)) {
            (None, _) => Decision::AlreadyDone(target),
            (Some(_), Some(order)) => Decision::Duplicate(order),
            (Some(_), None) => Decision::Place(target),
        })
    }

    fn open_order(&self, target: &Target) -> Option<usize> {
        self.orders.deduplicates.then(|| self.orders.find_open(target, self.except)).flatten()
    }
}

fn required_field<'a>(request: &'a Value, field: &str, by: &str) -> Result<&'a str, ErrorResponse> {
    text(request, field)
        .ok_or_else(|| ErrorResponse::new(400, format!("{field}: it is missing; {by} needs it")))
}

fn orderable_offer(line: &AccessLine, service: &str) -> Result<ServiceOffer, ErrorResponse> {
    let offer = line.offer(service);
    let offer = offer.ok_or_else(|| ErrorResponse::new(400, format!("Unknown service: '{service}'")))?;
    if offer.not_yet_orderable {
        return Err(ErrorResponse::new(400, format!("service: {service} cannot be ordered yet")));
    }
    Ok(offer)
}

/// Checks that the subscription is in a state in which the operation is possible.
fn check_state(operation: &str, subscription: &Subscription, ended: bool) -> Result<(), ErrorResponse> {
    match operation {
        _ if ended => Err(ErrorResponse::new(409, "The subscription has ended")),
        "SUSPEND" if subscription.suspended => {
            Err(ErrorResponse::new(409, "The subscription is suspended already"))
        }
        "RESUME" if !subscription.suspended => {
            Err(ErrorResponse::new(409, "The subscription is not suspended"))
        }
        _ => Ok(()),
    }
}

/// Checks that no other service of this kind is active. `except` is the subscription that the order changes.
pub(super) fn check_conflict(
    line: &AccessLine,
    offer: &ServiceOffer,
    forced: bool,
    except: Option<&str>,
) -> Result<(), ErrorResponse> {
    let kind = offer.kind.service_type();
    let conflict = line
        .subscriptions
        .iter()
        .any(|one| one.kind == offer.kind && one.service != offer.service && Some(one.id.as_str()) != except);
    if conflict {
        return Err(ErrorResponse::new(
            409,
            format!("Another service of the kind '{kind}' is active already"),
        ));
    }
    if !forced && line.foreign_services.iter().any(|foreign| foreign.kind == offer.kind) {
        return Err(ErrorResponse::new(409, format!("Another service provider holds the kind '{kind}'")));
    }
    Ok(())
}
