//! The network of the CO: its accesses, what each is offered, and what is delivered there.

use std::collections::HashMap;

use fastrand::Rng;
use serde_json::{Value, json};

use super::dhcp::Identifiers;
use super::land::{self, Plan};
use super::time::{Moment, rfc_3339};

/// The service whose orders fail, on every access.
pub(super) const FAILING: &str = "FAIL";

/// Kinds of services: an access has at most one of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Broadband,
    Television,
    Telephone,
    Failing,
}

impl Kind {
    /// As troubleshooting calls it.
    pub(super) fn service_type(self) -> &'static str {
        match self {
            Kind::Broadband => "bb",
            Kind::Television => "iptv",
            Kind::Telephone => "voip",
            Kind::Failing => "unknown",
        }
    }
}

const CATALOGUE: [(&str, Kind); 6] = [
    ("BB-100-100", Kind::Broadband),
    ("BB-250-100", Kind::Broadband),
    ("BB-1000-1000", Kind::Broadband),
    ("IPTV", Kind::Television),
    ("VOIP", Kind::Telephone),
    (FAILING, Kind::Failing),
];

/// A service as an access is offered it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Offered {
    pub(super) service: &'static str,
    pub(super) kind: Kind,
    /// Whether it can be taken over from the service provider that holds it.
    pub(super) takeover: bool,
    /// Whether it cannot be ordered yet.
    pub(super) later: bool,
}

/// A service that another service provider delivers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Held {
    pub(super) kind: Kind,
    pub(super) takeover: bool,
}

/// A service that is delivered for us, or was.
#[derive(Debug, Clone)]
pub(super) struct Subscription {
    pub(super) id: String,
    pub(super) service: &'static str,
    pub(super) kind: Kind,
    pub(super) suspended: bool,
    pub(super) since: Moment,
    /// What the order gave along: references, characteristics, equipment.
    pub(super) given: Value,
}

/// When what was last changed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Changed {
    pub(super) access: Moment,
    pub(super) services: Moment,
    pub(super) subscriptions: Moment,
}

/// An access.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) number: usize,
    pub(super) id: String,
    pub(super) plan: Plan,
    pub(super) state: &'static str,
    pub(super) held: Vec<Held>,
    pub(super) subscriptions: Vec<Subscription>,
    pub(super) ended: Vec<Subscription>,
    /// The ids of those that were there from the start, which invoices name.
    pub(super) first_subscriptions: Vec<String>,
    pub(super) changed: Changed,
    /// Whether it was torn down.
    gone: bool,
}

impl Line {
    pub(super) fn offers(&self) -> impl Iterator<Item = Offered> {
        let fast = self.number.is_multiple_of(2);
        CATALOGUE.into_iter().filter(move |(service, _)| fast || *service != "BB-1000-1000").map(
            |(service, kind)| Offered {
                service,
                kind,
                takeover: self.held.iter().any(|held| held.kind == kind && held.takeover),
                later: self.plan.is_later(kind),
            },
        )
    }

    pub(super) fn offer(&self, service: &str) -> Option<Offered> {
        self.offers().find(|offer| offer.service == service)
    }

    pub(super) fn identifiers(&self) -> Identifiers {
        Identifiers::of(self.number)
    }

    pub(super) fn services_value(&self) -> Value {
        let services: Vec<_> = self.offers().map(|offer| offer.value()).collect();
        json!({ "accessId": self.id, "services": services })
    }

    pub(super) fn subscriptions_value(&self) -> Value {
        let identifiers = self.identifiers();
        let value = |subscription: &Subscription| subscription.value(&identifiers);
        let subscriptions: Vec<_> = self.subscriptions.iter().map(value).collect();
        json!({ "accessId": self.id, "subscriptions": subscriptions })
    }
}

impl Offered {
    fn value(&self) -> Value {
        let from = if self.later { "3030-12-12T00:00:01Z" } else { "1990-01-01T00:00:01Z" };
        let mut value = json!({
            "service": self.service,
            "connectionDateTime": from,
            "availableDateTime": from,
            "disconnectionDateTime": "",
            "forcedTakeoverPossible": self.takeover,
        });
        match self.kind {
            Kind::Broadband => {
                value["characteristics"] = json!({
                    "fixedIp": { "required": false, "values": [true, false] },
                    "ipAddresses": { "required": false },
                    "sla": { "required": false, "values": ["SLA-1", "SLA-2"] },
                });
            }
            Kind::Television => value["comments"] = json!(["Utrustning hämtas i Ankeborg."]),
            Kind::Telephone => {}
            Kind::Failing => value["comments"] = json!(["Beställningar av denna tjänst misslyckas."]),
        }
        value
    }
}

impl Subscription {
    fn value(&self, identifiers: &Identifiers) -> Value {
        let mut value = json!({
            "subscriptionId": self.id,
            "service": self.service,
            "operationalState": if self.suspended { "SUSPENDED" } else { "ACTIVATED" },
            "connectionDate": rfc_3339(self.since),
            "option82": identifiers.option82(),
            "dhcpIdentifier": identifiers.value(),
        });
        for field in ["spReference", "spSubscriptionId", "characteristics", "equipment"] {
            if let Some(given) = self.given.get(field) {
                value[field] = given.clone();
            }
        }
        value
    }
}

/// The lines, numbered from 0, with ids in a row.
#[derive(Debug)]
pub(super) struct Network {
    seed: u64,
    first_id: usize,
    lines: Vec<Line>,
    /// On which line each subscription is, or was.
    lines_of_subscriptions: HashMap<String, usize>,
    next_subscription: usize,
}

impl Network {
    pub(super) fn new(rng: &mut Rng) -> Network {
        let (first_id, next_subscription) = (rng.usize(1_000..9_000) * 100, rng.usize(1_000..9_000) * 1_000);
        let (lines, lines_of_subscriptions) = Default::default();
        Network { seed: rng.u64(..), first_id, lines, lines_of_subscriptions, next_subscription }
    }

    /// Those that are not torn down.
    pub(super) fn lines(&self) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(|line| !line.gone)
    }

    /// Tears a line down, and gives the ids of what was delivered on it; nothing where there is no such line.
    pub(super) fn tear_down(&mut self, id: &str) -> Option<Vec<String>> {
        let line = self.line_mut(id)?;
        line.gone = true;
        Some(line.subscriptions.iter().map(|subscription| subscription.id.clone()).collect())
    }

    pub(super) fn line(&self, id: &str) -> Option<&Line> {
        self.lines.get(self.number_of(id)?)
    }

    pub(super) fn line_mut(&mut self, id: &str) -> Option<&mut Line> {
        let number = self.number_of(id)?;
        self.lines.get_mut(number)
    }

    fn number_of(&self, id: &str) -> Option<usize> {
        let number = id.strip_prefix("a-")?.parse::<usize>().ok()?.checked_sub(self.first_id)?;
        self.lines.get(number).filter(|line| line.id == id && !line.gone).map(|line| line.number)
    }

    /// Adds a line, with what is delivered on it from the start, and gives it.
    pub(super) fn extend(&mut self, now: Moment) -> &Line {
        let number = self.lines.len();
        let plan = Plan::of(number);
        let changed = Changed { access: now, services: now, subscriptions: now };
        let mut subscriptions = Vec::new();
        for (service, suspended) in plan.delivered() {
            let Some(kind) = kind_of(service) else { continue };
            let id = self.new_subscription_id();
            let mut rng = self.dice(number, 1);
            let since = land::long_ago(&mut rng);
            let given = land::given(&id, number, kind);
            self.note_subscription(&id, number);
            subscriptions.push(Subscription { id, service, kind, suspended, since, given });
        }
        self.lines.push(Line {
            number,
            id: format!("a-{}", self.first_id + number),
            plan,
            state: plan.state(),
            held: plan.held(),
            first_subscriptions: subscriptions.iter().map(|one| one.id.clone()).collect(),
            subscriptions,
            ended: Vec::new(),
            changed,
            gone: false,
        });
        &self.lines[number]
    }

    /// The line with a subscription, and whether the subscription has ended.
    pub(super) fn subscription(&self, id: &str) -> Option<(&Line, &Subscription, bool)> {
        let line = self.lines.get(*self.lines_of_subscriptions.get(id)?).filter(|line| !line.gone)?;
        let named = |list: &'_ [Subscription]| list.iter().position(|subscription| subscription.id == id);
        let present = named(&line.subscriptions).map(|place| (line, &line.subscriptions[place], false));
        present.or_else(|| named(&line.ended).map(|place| (line, &line.ended[place], true)))
    }

    /// Keeps in mind on which line a subscription is.
    pub(super) fn note_subscription(&mut self, id: &str, line: usize) {
        self.lines_of_subscriptions.insert(id.to_owned(), line);
    }

    pub(super) fn new_subscription_id(&mut self) -> String {
        self.next_subscription += 1;
        format!("s-{}", self.next_subscription)
    }

    /// A source of what is made up about a line, the same whenever it is asked.
    pub(super) fn dice(&self, line: usize, purpose: u64) -> Rng {
        Rng::with_seed(self.seed ^ (line as u64) << 8 ^ purpose)
    }

    pub(super) fn access_value(&self, line: &Line) -> Value {
        let mut value = land::address(line.number, &mut self.dice(line.number, 0));
        value["accessId"] = json!(line.id);
        value["accessState"] = json!(line.state);
        value
    }
}

/// The name of a service as the catalogue has it, with its kind.
pub(super) fn kind_of(service: &str) -> Option<Kind> {
    CATALOGUE.iter().find(|(name, _)| *name == service).map(|(_, kind)| *kind)
}
