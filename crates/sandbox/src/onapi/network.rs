//! The network of the CO: its accesses, the services they offer, and the subscriptions on them.

use std::collections::HashMap;

use fastrand::Rng;
use serde_json::{Value, json};

use super::availability_dates::ServiceDates;
use super::dhcp::Identifiers;
use super::dialect::Dialect;
use super::fixtures::{self, InitialState};
use super::services::{ForeignService, SERVICES, ServiceKind, ServiceOffer, kind_of};
use super::time::{Moment, rfc_3339};

/// A subscription of the calling service provider, active or ended.
#[derive(Debug, Clone)]
pub(super) struct Subscription {
    pub(super) id: String,
    pub(super) service: &'static str,
    pub(super) kind: ServiceKind,
    pub(super) suspended: bool,
    pub(super) since: Moment,
    /// The time of the latest change.
    pub(super) changed: Moment,
    /// The fields that the service provider sent with the order: references, characteristics, equipment.
    pub(super) sp_fields: Value,
}

/// The times of the latest changes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Changed {
    pub(super) access: Moment,
    pub(super) services: Moment,
    pub(super) subscriptions: Moment,
}

/// An access.
#[derive(Debug)]
pub(super) struct AccessLine {
    pub(super) number: usize,
    pub(super) id: String,
    pub(super) initial_state: InitialState,
    pub(super) state: &'static str,
    pub(super) foreign_services: Vec<ForeignService>,
    pub(super) subscriptions: Vec<Subscription>,
    pub(super) ended: Vec<Subscription>,
    /// The ids of the subscriptions that existed at the start, which invoices refer to.
    pub(super) first_subscriptions: Vec<String>,
    pub(super) changed: Changed,
    /// Whether the access has been removed.
    removed: bool,
}

impl AccessLine {
    pub(super) fn offers(&self) -> impl Iterator<Item = ServiceOffer> {
        let fast = self.number.is_multiple_of(2);
        SERVICES.into_iter().filter(move |(service, _)| fast || *service != "BB-1000-1000").map(
            |(service, kind)| ServiceOffer {
                service,
                kind,
                takeover_possible: self
                    .foreign_services
                    .iter()
                    .any(|foreign| foreign.kind == kind && foreign.takeover_possible),
                not_yet_orderable: self.initial_state.is_not_yet_orderable(kind),
                dates: ServiceDates::of(self.number, self.initial_state, kind),
            },
        )
    }

    pub(super) fn offer(&self, service: &str) -> Option<ServiceOffer> {
        self.offers().find(|offer| offer.service == service)
    }

    pub(super) fn identifiers(&self) -> Identifiers {
        Identifiers::of(self.number)
    }

    /// Returns the services as a row of its own contains them.
    pub(super) fn services_value(&self, dialect: Dialect) -> Value {
        json!({ "accessId": self.id, "services": self.offer_values(dialect) })
    }

    fn offer_values(&self, dialect: Dialect) -> Vec<Value> {
        self.offers().map(|offer| offer.value(dialect)).collect()
    }

    /// Returns the subscriptions as a row of its own contains them.
    pub(super) fn subscriptions_value(&self, form: SubscriptionForm) -> Value {
        json!({ "accessId": self.id, "subscriptions": self.subscription_values(form) })
    }

    fn subscription_values(&self, form: SubscriptionForm) -> Vec<Value> {
        self.subscriptions.iter().map(|subscription| subscription.value(self, form)).collect()
    }
}

/// What a CO tells about subscriptions.
#[derive(Debug, Clone, Copy)]
pub(super) struct SubscriptionForm {
    pub(super) dialect: Dialect,
    /// Whether subscriptions have the references of the service provider.
    pub(super) keeps_references: bool,
}

impl Subscription {
    pub(super) fn value(&self, line: &AccessLine, form: SubscriptionForm) -> Value {
        let identifiers = line.identifiers();
        let mut value = json!({
            "subscriptionId": self.id,
            "service": self.service,
            "operationalState": if self.suspended { "SUSPENDED" } else { "ACTIVATED" },
            "option82": identifiers.option82(),
            "dhcpIdentifier": identifiers.value(),
        });
        match form.dialect {
            Dialect::Vendor26 => value["connectionDate"] = json!(rfc_3339(self.since)),
            Dialect::Standard26 => {
                value["connectionDate"] = json!(&rfc_3339(self.since)[..10]);
                value["disconnectionDate"] = json!("");
            }
            Dialect::Standard25 | Dialect::Standard24 => value["accessId"] = json!(line.id),
        }
        if self.suspended && !form.dialect.is_vendor() {
            value["note"] = json!("Tjänsten är tillfälligt spärrad.");
        }
        let references: &[&str] =
            if form.keeps_references { &["spReference", "spSubscriptionId"] } else { &[] };
        for field in references.iter().chain(&["characteristics", "equipment"]) {
            if let Some(sent) = self.sp_fields.get(*field) {
                value[*field] = sent.clone();
            }
        }
        value
    }
}

/// The access lines, numbered from 0, with consecutive ids.
#[derive(Debug)]
pub(super) struct Network {
    seed: u64,
    first_id: usize,
    lines: Vec<AccessLine>,
    /// The number of the line on which each subscription is, or was.
    lines_of_subscriptions: HashMap<String, usize>,
    next_subscription: usize,
}

impl Network {
    pub(super) fn new(rng: &mut Rng) -> Network {
        let (first_id, next_subscription) = (rng.usize(1_000..9_000) * 100, rng.usize(1_000..9_000) * 1_000);
        let (lines, lines_of_subscriptions) = Default::default();
        Network { seed: rng.u64(..), first_id, lines, lines_of_subscriptions, next_subscription }
    }

    /// Returns the lines that have not been removed.
    pub(super) fn lines(&self) -> impl Iterator<Item = &AccessLine> {
        self.lines.iter().filter(|line| !line.removed)
    }

    /// Removes a line and returns the ids of its active subscriptions, or `None` if there is no such line.
    pub(super) fn tear_down(&mut self, id: &str) -> Option<Vec<String>> {
        let line = self.line_mut(id)?;
        line.removed = true;
        Some(line.subscriptions.iter().map(|subscription| subscription.id.clone()).collect())
    }

    pub(super) fn line(&self, id: &str) -> Option<&AccessLine> {
        self.lines.get(self.number_of(id)?)
    }

    pub(super) fn line_mut(&mut self, id: &str) -> Option<&mut AccessLine> {
        let number = self.number_of(id)?;
        self.lines.get_mut(number)
    }

    fn number_of(&self, id: &str) -> Option<usize> {
        let number = id.strip_prefix("a-")?.parse::<usize>().ok()?.checked_sub(self.first_id)?;
        self.lines.get(number).filter(|line| line.id == id && !line.removed).map(|line| line.number)
    }

    /// Adds a line with its initial subscriptions and returns it.
    pub(super) fn extend(&mut self, now: Moment) -> &AccessLine {
        let number = self.lines.len();
        let initial_state = InitialState::of(number);
        let changed = Changed { access: now, services: now, subscriptions: now };
        let mut subscriptions = Vec::new();
        for (service, suspended) in initial_state.delivered() {
            let Some(kind) = kind_of(service) else { continue };
            let id = self.new_subscription_id();
            let mut rng = self.rng_for(number, 1);
            let since = fixtures::long_ago(&mut rng);
            let sp_fields = fixtures::sp_fields(&id, number, kind);
            self.record_subscription_line(&id, number);
            subscriptions.push(Subscription { id, service, kind, suspended, since, changed: now, sp_fields });
        }
        self.lines.push(AccessLine {
            number,
            id: format!("a-{}", self.first_id + number),
            initial_state,
            state: initial_state.state(),
            foreign_services: initial_state.foreign_services(),
            first_subscriptions: subscriptions.iter().map(|one| one.id.clone()).collect(),
            subscriptions,
            ended: Vec::new(),
            changed,
            removed: false,
        });
        &self.lines[number]
    }

    /// Returns a subscription, its line, and whether the subscription has ended.
    pub(super) fn subscription(&self, id: &str) -> Option<(&AccessLine, &Subscription, bool)> {
        let line = self.lines.get(*self.lines_of_subscriptions.get(id)?).filter(|line| !line.removed)?;
        let named = |list: &'_ [Subscription]| list.iter().position(|subscription| subscription.id == id);
        let present = named(&line.subscriptions).map(|index| (line, &line.subscriptions[index], false));
        present.or_else(|| named(&line.ended).map(|index| (line, &line.ended[index], true)))
    }

    /// Records on which line a subscription is.
    pub(super) fn record_subscription_line(&mut self, id: &str, line: usize) {
        self.lines_of_subscriptions.insert(id.to_owned(), line);
    }

    pub(super) fn new_subscription_id(&mut self) -> String {
        self.next_subscription += 1;
        format!("s-{}", self.next_subscription)
    }

    /// Returns the random generator for one purpose of a line. It yields the same values each time.
    pub(super) fn rng_for(&self, line: usize, purpose: u64) -> Rng {
        Rng::with_seed(self.seed ^ (line as u64) << 8 ^ purpose)
    }

    /// Returns the address and the other constant fields of an access, and its state.
    pub(super) fn access_value(&self, line: &AccessLine) -> Value {
        let mut value = fixtures::address(line.number, &mut self.rng_for(line.number, 0));
        value["accessId"] = json!(line.id);
        value["accessState"] = json!(line.state);
        value
    }

    /// Returns an access as the standard's CO of 2.6 sends it: what is not known is absent or empty.
    pub(super) fn standard_access_value(&self, line: &AccessLine) -> Value {
        let mut value = self.access_value(line);
        if value.get("streetLittera").is_none() && line.number.is_multiple_of(2) {
            value["streetLittera"] = json!("");
        }
        value
    }

    /// Returns an access as the list of accesses contains it before 2.6: with its services in short.
    pub(super) fn legacy_access_row(&self, line: &AccessLine, dialect: Dialect) -> Value {
        let mut value = self.standard_access_value(line);
        fixtures::make_legacy(&mut value, line.number);
        value["services"] = line.offers().map(|offer| offer.summary(dialect)).collect();
        value
    }

    /// Returns an access as the response about it contains it before 2.6: with its services and subscriptions.
    pub(super) fn legacy_access(&self, line: &AccessLine, form: SubscriptionForm) -> Value {
        let mut value = self.standard_access_value(line);
        fixtures::make_legacy(&mut value, line.number);
        value["services"] = line.offer_values(form.dialect).into();
        value["subscriptions"] = line.subscription_values(form).into();
        value
    }
}
