//! What the supplier holds, compared with what the service believes.

use std::collections::{HashMap, HashSet};
use std::fmt;

use futures_util::{StreamExt as _, stream};
use lastmile::Policy;
use lastmile::covage::types::{ListOrdersParams, OrderStatus};
use lastmile_sandbox::{Fault, Received, Supplier};

use super::outbox::{Stage, Step};
use super::site::{DEADLINE, Site, Wanted, Which};
use super::work::AT_A_TIME;

/// How a campaign ended at one supplier.
#[derive(Debug)]
pub struct Verdict {
    which: Which,
    orders: usize,
    requests: usize,
    faults: usize,
    placed: usize,
    /// Believed to be placed, or not known to be, and not there.
    lost: usize,
    /// There more than once.
    doubled: usize,
    undecidable: usize,
    /// Undecidable although their answer arrived, or the reverse.
    wrongly_decided: usize,
    /// Ended otherwise, and why.
    failed: Vec<String>,
    /// Faults of the sandbox itself.
    violations: Vec<String>,
}

impl Verdict {
    /// Reads what the supplier holds. `in_flight` are the orders that were being sent when their process was killed.
    pub(super) async fn of(
        site: &Site,
        supplier: &Supplier,
        steps: &HashMap<String, Step>,
        in_flight: &HashSet<String>,
    ) -> Self {
        let received = supplier.received();
        let stage = |wanted: &Wanted| steps.get(&wanted.key).map(|step| step.stage);
        let ended = |end: Stage| site.orders.iter().filter(|wanted| stage(wanted) == Some(end)).count();
        let held = match site.which {
            Which::OnApi => activated(site).await,
            Which::Covage => submitted(site).await,
            Which::Cocon => created(site, &received),
        };
        let held = |wanted: &Wanted| held.get(wanted.key.as_str()).copied().unwrap_or_default();
        let undecidable = site.orders.iter().filter(|wanted| stage(wanted) == Some(Stage::Undecidable));
        let undecidable: HashSet<&str> = undecidable.map(|wanted| wanted.key.as_str()).collect();
        let unknowable = match site.which {
            Which::OnApi | Which::Covage => HashSet::new(),
            Which::Cocon => unanswered(site, &received, in_flight),
        };
        let failed = steps.iter().filter(|(_, step)| step.stage == Stage::Failed);
        Self {
            which: site.which,
            orders: site.orders.len(),
            requests: received.len(),
            faults: received.iter().filter(|received| received.fault.is_some()).count(),
            placed: ended(Stage::Placed),
            lost: site
                .orders
                .iter()
                .filter(|wanted| held(wanted) == 0 && stage(wanted) != Some(Stage::Undecidable))
                .count(),
            doubled: site.orders.iter().filter(|wanted| held(wanted) > 1).count(),
            undecidable: undecidable.len(),
            wrongly_decided: undecidable.symmetric_difference(&unknowable).count(),
            failed: failed.map(|(key, step)| format!("{key}: {}", step.value)).collect(),
            violations: supplier.violations(),
        }
    }

    /// The counts that matter, in short.
    pub fn counts(&self) -> String {
        let Self { which, placed, lost, doubled, undecidable, wrongly_decided, .. } = self;
        let mut text = format!("{which:?} {placed} placed, {lost} lost, {doubled} doubled");
        if *which == Which::Cocon {
            text.push_str(&format!(", {undecidable} undecidable ({wrongly_decided} wrongly)"));
        }
        text
    }

    /// Whether every order was placed once, or its end is rightly not known.
    pub fn is_right(&self) -> bool {
        self.lost + self.doubled + self.wrongly_decided == 0
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

/// How many orders of each reference the network holds.
async fn activated(site: &Site) -> HashMap<String, usize> {
    let network = site.onapi_handle().with_policy(Policy::default());
    let look = |wanted: &Wanted| {
        let (network, access) = (network.clone(), wanted.place.parse().expect("an id"));
        async move { network.orders_of(&access).await.expect("no faults any more") }
    };
    let looks: Vec<_> = site.orders.iter().map(look).collect();
    let mut looks = stream::iter(looks).buffer_unordered(AT_A_TIME);
    let mut held = HashMap::new();
    while let Some(orders) = looks.next().await {
        for order in orders {
            let reference = order.get().and_then(|order| order.sp_reference.get().cloned());
            *held.entry(reference.expect("all orders are ours")).or_default() += 1;
        }
    }
    held
}

/// How many submitted orders of each reference the supplier holds.
async fn submitted(site: &Site) -> HashMap<String, usize> {
    let covage = site.covage_handle().with_policy(Policy::default());
    let mut orders = covage.orders(ListOrdersParams { limit: Some(200), ..Default::default() });
    let mut held = HashMap::new();
    while let Some(order) = orders.next().await {
        let order = order.expect("no faults any more").into_option().expect("an order");
        if order.status.get() != Some(&OrderStatus::Draft) {
            let info = order.operator_info.into_option().expect("it was demanded");
            *held.entry(info.order_ref.into_option().expect("it was demanded")).or_default() += 1;
        }
    }
    held
}

/// How many requests for each order took effect. The supplier has no reference, but every order is for a place of its own.
fn created(site: &Site, received: &[Received]) -> HashMap<String, usize> {
    let keys = keys(site);
    let mut held = HashMap::new();
    for received in received.iter().filter(|received| received.took_effect) {
        if let Some(key) = place(received).and_then(|place| keys.get(&place)) {
            *held.entry((*key).to_owned()).or_default() += 1;
        }
    }
    held
}

/// The orders whose sender cannot know what became of them.
fn unanswered<'a>(site: &'a Site, received: &[Received], in_flight: &'a HashSet<String>) -> HashSet<&'a str> {
    let keys = keys(site);
    let lost = received.iter().filter(|received| received.fault.is_some_and(loses_the_answer));
    let lost = lost.filter_map(|received| keys.get(&place(received)?).copied());
    lost.chain(in_flight.iter().map(String::as_str)).collect()
}

fn loses_the_answer(fault: Fault) -> bool {
    match fault {
        Fault::Throttled(_) => false,
        Fault::Latency(time) => time > DEADLINE,
        _ => true,
    }
}

fn keys(site: &Site) -> HashMap<String, &str> {
    site.orders.iter().map(|wanted| (wanted.place.clone(), wanted.key.as_str())).collect()
}

/// What a request to Cocon is about.
fn place(received: &Received) -> Option<String> {
    let body = received.json()?;
    let pointers = ["/name", "/buildingName", "/delayedConnections/0/buildingName"];
    pointers.iter().find_map(|pointer| body.pointer(pointer)?.as_str().map(str::to_owned))
}
