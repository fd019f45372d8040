//! Whether an order can be placed: what each operation demands (ON-API 2.6, orders), and what a CO answers when
//! there is such an order already or nothing to be done (ON-API 2.6, responses).

use serde_json::Value;

use super::network::{Line, Network, Offered, Subscription};
use super::orders::Orders;
use super::reply::{Refusal, text};

/// What becomes of an order.
#[derive(Debug)]
pub(super) enum Verdict {
    /// It is placed.
    New(Target),
    /// The same service has an open order: the one with this number.
    Open(usize),
    /// The service is active already, or gone already.
    Done(Target),
}

/// What an order is about.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub(super) access_id: String,
    pub(super) service: &'static str,
    /// None if it is still to be given out.
    pub(super) subscription_id: Option<String>,
}

/// Judges an order, be it new or what a change would make of the one with the number `except`.
pub(super) fn judge(
    request: &Value,
    network: &Network,
    orders: &Orders,
    except: Option<usize>,
) -> Result<Verdict, Refusal> {
    let operation = demanded(request, "operation", "Every order")?;
    if operation != "ACTIVATE" && request.get("forcedTakeover") == Some(&Value::Bool(true)) {
        return Err(Refusal::new(400, "forcedTakeover: only ACTIVATE takes a service over"));
    }
    let judge = Judge { request, network, orders, except };
    if operation == "ACTIVATE" { judge.activation() } else { judge.follow_up(operation) }
}

struct Judge<'a> {
    request: &'a Value,
    network: &'a Network,
    orders: &'a Orders,
    except: Option<usize>,
}

impl Judge<'_> {
    fn activation(&self) -> Result<Verdict, Refusal> {
        let access_id = demanded(self.request, "accessId", "ACTIVATE")?;
        let service = demanded(self.request, "service", "ACTIVATE")?;
        let unknown = || Refusal::new(400, format!("accessId: there is no access {access_id}"));
        let line = self.network.line(access_id).ok_or_else(unknown)?;
        let offer = offered(line, service)?;
        let forced = self.request.get("forcedTakeover") == Some(&Value::Bool(true));
        if forced && !offer.takeover {
            return Err(Refusal::new(400, format!("forcedTakeover: {service} cannot be taken over here")));
        }
        let target =
            Target { access_id: access_id.to_owned(), service: offer.service, subscription_id: None };
        if let Some(order) = self.open_order(&target) {
            return Ok(Verdict::Open(order));
        }
        if self.orders.deduplicates() && line.subscriptions.iter().any(|one| one.service == offer.service) {
            return Ok(Verdict::Done(target));
        }
        check_place(line, &offer, forced, None)?;
        Ok(Verdict::New(target))
    }

    fn follow_up(&self, operation: &str) -> Result<Verdict, Refusal> {
        let id = demanded(self.request, "subscriptionId", operation)?;
        let unknown = || Refusal::new(400, format!("subscriptionId: there is no subscription {id}"));
        let (line, subscription, ended) = self.network.subscription(id).ok_or_else(unknown)?;
        if text(self.request, "accessId").is_some_and(|access_id| access_id != line.id) {
            return Err(Refusal::new(400, "accessId: the subscription is on another access"));
        }
        let change = if operation == "CHANGE" {
            Some(offered(line, demanded(self.request, "service", "CHANGE")?)?)
        } else if text(self.request, "service").is_some_and(|service| service != subscription.service) {
            return Err(Refusal::new(400, "service: the subscription is to another service"));
        } else {
            None
        };
        let target = Target {
            access_id: line.id.clone(),
            service: change.map_or(subscription.service, |offer| offer.service),
            subscription_id: Some(id.to_owned()),
        };
        if ended && operation == "DEACTIVATE" {
            let done = self.orders.deduplicates();
            return Ok(if done { Verdict::Done(target) } else { Verdict::New(target) });
        }
        if let Some(order) = self.open_order(&target) {
            return Ok(Verdict::Open(order));
        }
        check_state(operation, subscription, ended)?;
        if let Some(offer) = change {
            check_place(line, &offer, false, Some(id))?;
        }
        Ok(Verdict::New(target))
    }

    fn open_order(&self, target: &Target) -> Option<usize> {
        self.orders.deduplicates().then(|| self.orders.open(target, self.except)).flatten()
    }
}

fn demanded<'a>(request: &'a Value, field: &str, by: &str) -> Result<&'a str, Refusal> {
    text(request, field).ok_or_else(|| Refusal::new(400, format!("{field}: it is missing; {by} needs it")))
}

fn offered(line: &Line, service: &str) -> Result<Offered, Refusal> {
    let offer = line.offer(service);
    let offer = offer.ok_or_else(|| Refusal::new(400, format!("Unknown service: '{service}'")))?;
    if offer.later {
        return Err(Refusal::new(400, format!("service: {service} cannot be ordered yet")));
    }
    Ok(offer)
}

/// Only what is delivered can change, and only what is suspended be resumed.
fn check_state(operation: &str, subscription: &Subscription, ended: bool) -> Result<(), Refusal> {
    match operation {
        _ if ended => Err(Refusal::new(409, "The subscription has ended")),
        "SUSPEND" if subscription.suspended => {
            Err(Refusal::new(409, "The subscription is suspended already"))
        }
        "RESUME" if !subscription.suspended => Err(Refusal::new(409, "The subscription is not suspended")),
        _ => Ok(()),
    }
}

/// An access has one service of a kind, apart from the subscription that is to give way.
pub(super) fn check_place(
    line: &Line,
    offer: &Offered,
    forced: bool,
    except: Option<&str>,
) -> Result<(), Refusal> {
    let kind = offer.kind.service_type();
    let in_the_way = line
        .subscriptions
        .iter()
        .any(|one| one.kind == offer.kind && one.service != offer.service && Some(one.id.as_str()) != except);
    if in_the_way {
        return Err(Refusal::new(409, format!("Another service of the kind '{kind}' is active already")));
    }
    if !forced && line.held.iter().any(|held| held.kind == offer.kind) {
        return Err(Refusal::new(409, format!("Another service provider holds the kind '{kind}'")));
    }
    Ok(())
}
