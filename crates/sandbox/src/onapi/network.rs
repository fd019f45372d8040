//! The network of the CO: its accesses, the services they offer, and the subscriptions on them.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

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
#[derive(Debug, Clone)]
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
///
/// The lines of the start are generated whenever they are asked for, so a network of any size takes no memory. A line is
/// stored as soon as something changes it.
#[derive(Debug, Clone)]
pub(super) struct Network {
    seed: u64,
    first_id: usize,
    /// The number of lines at the start, and the time at which all of them changed last.
    initial_lines: usize,
    start: Moment,
    /// The number of all lines.
    count: usize,
    /// The lines that differ from their initial state, and those that were added.
    stored: BTreeMap<usize, AccessLine>,
    /// The number of the line on which each subscription is, or was, unless the subscription is an initial one.
    lines_of_subscriptions: HashMap<String, usize>,
    first_subscription: usize,
    next_subscription: usize,
}

impl Network {
    pub(super) fn new(rng: &mut Rng, initial_lines: usize, start: Moment) -> Network {
        let (first_id, first_subscription) = (rng.usize(1_000..9_000) * 100, rng.usize(1_000..9_000) * 1_000);
        Network {
            seed: rng.u64(..),
            first_id,
            initial_lines,
            start,
            count: initial_lines,
            stored: BTreeMap::new(),
            lines_of_subscriptions: HashMap::new(),
            first_subscription,
            next_subscription: first_subscription + subscriptions_before(initial_lines),
        }
    }

    /// Returns the number of lines, including those that have been removed.
    pub(super) fn len(&self) -> usize {
        self.count
    }

    /// Returns the lines that have not been removed.
    pub(super) fn lines(&self) -> impl Iterator<Item = Cow<'_, AccessLine>> {
        (0..self.count).filter_map(|number| self.numbered(number))
    }

    /// Returns the lines that changed after a time, and perhaps others.
    pub(super) fn lines_changed_after(
        &self,
        moment: Moment,
    ) -> Box<dyn Iterator<Item = Cow<'_, AccessLine>> + '_> {
        if moment < self.start {
            return Box::new(self.lines());
        }
        Box::new(self.stored.values().filter(|line| !line.removed).map(Cow::Borrowed))
    }

    /// Returns the time of the latest change of a part of the `listed` lines, or `None` if there are none.
    pub(super) fn latest(
        &self,
        part: impl Fn(&Changed) -> Moment,
        listed: impl Fn(&AccessLine) -> bool,
    ) -> Option<Moment> {
        let present = self.stored.values().filter(|line| !line.removed && listed(line));
        let stored = present.map(|line| part(&line.changed)).max();
        let mut initial = (0..self.initial_lines).filter(|number| !self.stored.contains_key(number));
        let is_listed = initial.any(|number| listed(&self.initial_line(number)));
        stored.max(is_listed.then_some(self.start))
    }

    /// Returns the line with a number, unless it has been removed or does not exist.
    pub(super) fn numbered(&self, number: usize) -> Option<Cow<'_, AccessLine>> {
        match self.stored.get(&number) {
            Some(line) => (!line.removed).then_some(Cow::Borrowed(line)),
            None => (number < self.initial_lines).then(|| Cow::Owned(self.initial_line(number))),
        }
    }

    /// Removes a line and returns the ids of its active subscriptions, or `None` if there is no such line.
    pub(super) fn tear_down(&mut self, id: &str) -> Option<Vec<String>> {
        let line = self.line_mut(id)?;
        line.removed = true;
        Some(line.subscriptions.iter().map(|subscription| subscription.id.clone()).collect())
    }

    pub(super) fn line(&self, id: &str) -> Option<Cow<'_, AccessLine>> {
        let number = id.strip_prefix("a-")?.parse::<usize>().ok()?.checked_sub(self.first_id)?;
        self.numbered(number).filter(|line| line.id == id)
    }

    /// Returns a line to be changed, which is stored from now on.
    pub(super) fn line_mut(&mut self, id: &str) -> Option<&mut AccessLine> {
        let line = self.line(id)?.into_owned();
        Some(self.stored.entry(line.number).or_insert(line))
    }

    /// Adds a line with its initial subscriptions and returns it.
    pub(super) fn extend(&mut self, now: Moment) -> &AccessLine {
        let number = self.count;
        self.count += 1;
        let line = self.new_line(number, now, self.next_subscription);
        self.next_subscription += line.subscriptions.len();
        for subscription in &line.subscriptions {
            self.lines_of_subscriptions.insert(subscription.id.clone(), number);
        }
        self.stored.entry(number).or_insert(line)
    }

    /// Returns a line as it was at the start.
    fn initial_line(&self, number: usize) -> AccessLine {
        self.new_line(number, self.start, self.first_subscription + subscriptions_before(number))
    }

    /// Returns a line with its initial subscriptions. `last_subscription` is the number of the subscription before them.
    fn new_line(&self, number: usize, now: Moment, mut last_subscription: usize) -> AccessLine {
        let initial_state = InitialState::of(number);
        let changed = Changed { access: now, services: now, subscriptions: now };
        let mut subscriptions = Vec::new();
        for (service, suspended) in initial_state.delivered() {
            let Some(kind) = kind_of(service) else { continue };
            last_subscription += 1;
            let id = format!("s-{last_subscription}");
            let mut rng = self.rng_for(number, 1);
            let since = fixtures::long_ago(&mut rng);
            let sp_fields = fixtures::sp_fields(&id, number, kind);
            subscriptions.push(Subscription { id, service, kind, suspended, since, changed: now, sp_fields });
        }
        AccessLine {
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
        }
    }

    /// Returns a subscription, its line, and whether the subscription has ended.
    pub(super) fn subscription(&self, id: &str) -> Option<(Cow<'_, AccessLine>, Subscription, bool)> {
        let number = match self.lines_of_subscriptions.get(id) {
            Some(number) => *number,
            None => line_of_subscription(
                id.strip_prefix("s-")?.parse::<usize>().ok()?.checked_sub(self.first_subscription)?,
            )?,
        };
        let line = self.numbered(number)?;
        let named = |list: &[Subscription]| list.iter().find(|subscription| subscription.id == id).cloned();
        let (subscription, ended) = match named(&line.subscriptions) {
            Some(subscription) => (subscription, false),
            None => (named(&line.ended)?, true),
        };
        Some((line, subscription, ended))
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

    /// Returns an access as a CO of 2.6 sends it.
    pub(super) fn access(&self, line: &AccessLine, dialect: Dialect) -> Value {
        if dialect.is_vendor() { self.access_value(line) } else { self.standard_access_value(line) }
    }

    /// Returns an access as the standard's CO of 2.6 sends it: what is not known is absent or empty.
    fn standard_access_value(&self, line: &AccessLine) -> Value {
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

/// Returns the number of initial subscriptions on the lines before this one.
fn subscriptions_before(line: usize) -> usize {
    let count = |lines| (0..lines).map(|line| InitialState::of(line).delivered().len()).sum::<usize>();
    line / InitialState::CYCLE * count(InitialState::CYCLE) + count(line % InitialState::CYCLE)
}

/// Returns the line of an initial subscription. The first subscription has the number 1.
fn line_of_subscription(number: usize) -> Option<usize> {
    let cycle = subscriptions_before(InitialState::CYCLE);
    let first = number.checked_sub(1)? / cycle * InitialState::CYCLE;
    (first..first + InitialState::CYCLE).find(|line| subscriptions_before(line + 1) >= number)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    /// The lines of the start, which are generated on demand, are those that adding them one by one stores.
    #[test]
    fn generated_lines_equal_stored_ones() {
        let generated = Network::new(&mut Rng::with_seed(7), 100, 5);
        let mut stored = Network::new(&mut Rng::with_seed(7), 0, 5);
        for _ in 0..100 {
            stored.extend(5);
        }
        assert!(generated.stored.is_empty());
        assert_eq!(generated.next_subscription, stored.next_subscription);
        let shown = |network: &Network| network.lines().map(|line| format!("{line:?}")).collect::<Vec<_>>();
        assert_eq!(shown(&generated), shown(&stored));
        for line in stored.lines() {
            assert_eq!(generated.line(&line.id).unwrap().number, line.number);
            for subscription in &line.subscriptions {
                assert_eq!(generated.subscription(&subscription.id).unwrap().0.number, line.number);
            }
        }
        assert!(generated.subscription("s-0").is_none() && generated.line("a-0").is_none());
        let last = generated.next_subscription;
        assert!(generated.subscription(&format!("s-{}", last + 1)).is_none());
    }

    #[test]
    fn a_changed_line_is_stored() {
        let mut network = Network::new(&mut Rng::with_seed(7), 1_000_000, 5);
        let id = network.numbered(999_999).unwrap().id.clone();
        network.line_mut(&id).unwrap().changed.access = 9;
        assert_eq!((network.stored.len(), network.latest(|changed| changed.access, |_| true)), (1, Some(9)));
        assert!(network.lines_changed_after(5).map(|line| line.number).eq([999_999]));
        network.tear_down(&id).unwrap();
        assert!(network.line(&id).is_none() && network.line_mut(&id).is_none());
    }
}
