//! Compares the supplier's orders with the service's.

use std::collections::{HashMap, HashSet};
use std::fmt;

use futures_util::{StreamExt as _, stream};
use lastmile::Policy;
use lastmile::covage::types::{ListOrdersParams, OrderStatus};
use lastmile_sandbox::{Fault, ReceivedRequest, Supplier};

use lastmile_outbox::State;

use super::site::{DEADLINE, Site, Wanted, Which};
use super::store::End;
use super::work::MAX_IN_FLIGHT;

/// The result of a campaign at one supplier.
#[derive(Debug)]
pub struct Verdict {
    which: Which,
    orders: usize,
    requests: usize,
    faults: usize,
    placed: usize,
    /// Placed or undecidable according to the service, but absent.
    lost: usize,
    /// Placed more than once.
    doubled: usize,
    /// Placed with a socket that was chosen first and replaced.
    wrong: usize,
    undecidable: usize,
    /// Undecidable although their response arrived, or the reverse.
    wrongly_decided: usize,
    /// Ended in another way, and why.
    failed: Vec<String>,
    /// Faults of the sandbox itself.
    violations: Vec<String>,
}

impl Verdict {
    /// Reads the supplier's orders. `in_flight` are the orders that were being sent when their process was killed.
    pub(super) async fn of(
        site: &Site,
        supplier: &Supplier,
        ends: &HashMap<String, End>,
        in_flight: &HashSet<String>,
    ) -> Self {
        let received = supplier.received();
        let state = |wanted: &Wanted| ends.get(&wanted.key).map(|end| end.state);
        let ended = |end: State| site.orders.iter().filter(|wanted| state(wanted) == Some(end)).count();
        let (held, wrong) = match site.which {
            Which::OnApi => (activated(site).await, 0),
            Which::Covage => submitted(site).await,
            Which::Cocon => (created(site, &received), 0),
        };
        let held = |wanted: &Wanted| held.get(wanted.key.as_str()).copied().unwrap_or_default();
        let undecidable = site.orders.iter().filter(|wanted| state(wanted) == Some(State::NeedsPerson));
        let undecidable: HashSet<&str> = undecidable.map(|wanted| wanted.key.as_str()).collect();
        // These orders may be undecidable. Where there is no look-up, those without a response must be.
        let lost_by = |loses: fn(Fault) -> bool| match site.which {
            Which::Cocon => unanswered(site, &received, loses),
            _ => HashSet::new(),
        };
        let lost = lost_by(loses_the_answer);
        let may_be = |key: &&str| {
            let is_lost = lost.contains(key) || in_flight.contains(*key);
            is_lost || site.normalises && was_asked_for_again(site, &received, key)
        };
        let wrongly = undecidable.iter().filter(|key| !may_be(key)).count();
        let wrongly_decided = wrongly + lost_by(certainly_loses_the_answer).difference(&undecidable).count();
        let failed = ends.iter().filter(|(_, end)| !matches!(end.state, State::Placed | State::NeedsPerson));
        Self {
            which: site.which,
            orders: site.orders.len(),
            requests: received.len(),
            faults: received.iter().filter(|received| received.fault.is_some()).count(),
            placed: ended(State::Placed),
            lost: site
                .orders
                .iter()
                .filter(|wanted| held(wanted) == 0 && state(wanted) != Some(State::NeedsPerson))
                .count(),
            doubled: site.orders.iter().filter(|wanted| held(wanted) > 1).count(),
            wrong,
            undecidable: undecidable.len(),
            wrongly_decided,
            failed: failed.map(|(key, end)| format!("{key} is {}: {}", end.state, end.reason)).collect(),
            violations: supplier.violations(),
        }
    }

    /// Returns the most important counts as a short text.
    pub fn counts(&self) -> String {
        let Self { which, placed, lost, doubled, undecidable, wrongly_decided, .. } = self;
        let mut text = format!("{which:?} {placed} placed, {lost} lost, {doubled} doubled");
        if *which == Which::Covage {
            text.push_str(&format!(", {} wrong", self.wrong));
        }
        if *which == Which::Cocon || self.undecidable > 0 {
            text.push_str(&format!(", {undecidable} undecidable ({wrongly_decided} wrongly)"));
        }
        text
    }

    /// Returns whether every order was placed once, or is rightly undecidable.
    pub fn is_right(&self) -> bool {
        self.lost + self.doubled + self.wrong + self.wrongly_decided == 0
            && self.failed.is_empty()
            && self.violations.is_empty()
            && self.placed + self.undecidable == self.orders
            && self.faults * 5 > self.requests
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { orders, placed, lost, doubled, undecidable, wrongly_decided, requests, faults, .. } = self;
        write!(f, "{:?}: {orders} orders, {placed} placed, {lost} lost, {doubled} doubled, ", self.which)?;
        write!(f, "{} with a wrong socket, ", self.wrong)?;
        write!(
            f,
            "{undecidable} undecidable ({wrongly_decided} wrongly), {requests} requests, {faults} faults"
        )?;
        for trouble in self.failed.iter().chain(&self.violations).take(5) {
            write!(f, "; {trouble}")?;
        }
        Ok(())
    }
}

/// Returns how many orders of each reference the network holds.
async fn activated(site: &Site) -> HashMap<String, usize> {
    let network = site.onapi_client().expect("it is at ON-API").with_policy(Policy::default());
    let look = |wanted: &Wanted| {
        let (network, access) = (network.clone(), wanted.place.parse().expect("an id"));
        async move { network.orders_of(&access).await.expect("no faults any more") }
    };
    let looks: Vec<_> = site.orders.iter().map(look).collect();
    let mut looks = stream::iter(looks).buffer_unordered(MAX_IN_FLIGHT);
    let mut held = HashMap::new();
    while let Some(orders) = looks.next().await {
        for order in orders {
            let reference = order.get().and_then(|order| order.sp_reference.get());
            let number = site.number_of(reference.expect("all orders are ours")).expect("one of ours");
            *held.entry(site.orders[number].key.clone()).or_default() += 1;
        }
    }
    held
}

/// Returns how many submitted orders of each reference the supplier holds, and how many of all have a wrong socket.
async fn submitted(site: &Site) -> (HashMap<String, usize>, usize) {
    let covage = site.covage_client().expect("it is at Covage").with_policy(Policy::default());
    let mut orders = covage.orders(ListOrdersParams { limit: Some(200), ..Default::default() });
    let (mut held, mut wrong) = (HashMap::new(), 0);
    while let Some(order) = orders.next().await {
        let order = order.expect("no faults any more").into_option().expect("an order");
        if order.status.get() != Some(&OrderStatus::Draft) {
            let info = order.operator_info.get().expect("it was demanded");
            let reference = info.order_ref.as_deref().expect("it was demanded");
            let wanted = &site.orders[site.number_of(reference).expect("one of ours")];
            *held.entry(wanted.key.clone()).or_default() += 1;
            let json = serde_json::to_string(&order.bounds).expect("JSON");
            wrong += usize::from(!json.contains(&format!("\"{}\"", wanted.socket)));
        }
    }
    (held, wrong)
}

/// Returns how many requests for each order took effect. The supplier has no reference, but every order has a building
/// of its own.
fn created(site: &Site, received: &[ReceivedRequest]) -> HashMap<String, usize> {
    let keys = keys(site);
    let mut held = HashMap::new();
    for received in received.iter().filter(|received| received.took_effect) {
        if let Some(key) = place(received).and_then(|place| keys.get(&place)) {
            *held.entry((*key).to_owned()).or_default() += 1;
        }
    }
    held
}

/// Returns the orders whose sender cannot know whether they were placed.
fn unanswered<'a>(
    site: &'a Site,
    received: &[ReceivedRequest],
    loses: fn(Fault) -> bool,
) -> HashSet<&'a str> {
    let keys = keys(site);
    let lost = received.iter().filter(|received| received.fault.is_some_and(loses));
    lost.filter_map(|received| keys.get(&place(received)?).copied()).collect()
}

/// Returns whether a response to the request that creates an order was lost.
fn was_asked_for_again(site: &Site, received: &[ReceivedRequest], key: &str) -> bool {
    received.iter().any(|received| {
        let body = received.json();
        let pointers = ["/spReference", "/operator_info/order_ref"];
        let references = pointers.iter().find_map(|pointer| body.as_ref()?.pointer(pointer)?.as_str());
        let is_its = references.and_then(|reference| site.number_of(reference));
        is_its.is_some_and(|number| site.orders[number].key == key)
            && received.fault.is_some_and(loses_the_answer)
    })
}

fn loses_the_answer(fault: Fault) -> bool {
    match fault {
        Fault::Throttled(_) => false,
        Fault::Latency(time) => time > DEADLINE,
        _ => true,
    }
}

/// A worker that was stopped meanwhile reads a response that arrives after the deadline: it finds the response and the
/// expired timer at the same moment.
fn certainly_loses_the_answer(fault: Fault) -> bool {
    !matches!(fault, Fault::Latency(_)) && loses_the_answer(fault)
}

fn keys(site: &Site) -> HashMap<String, &str> {
    site.orders.iter().map(|wanted| (wanted.place.clone(), wanted.key.as_str())).collect()
}

/// Returns the building of a request to Cocon.
fn place(received: &ReceivedRequest) -> Option<String> {
    let body = received.json()?;
    let pointers = ["/name", "/buildingName", "/delayedConnections/0/buildingName"];
    pointers.iter().find_map(|pointer| body.pointer(pointer)?.as_str().map(str::to_owned))
}
