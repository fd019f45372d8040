//! The CO itself: which part of it answers what.

use fastrand::Rng;
use serde_json::{Value, json};

use super::access::Access;
use super::chronicle::{Change, Chronicle};
use super::dhcp::is_option82;
use super::habits::{PathHabits, Query};
use super::invoices;
use super::network::{Line, Network};
use super::orders::Orders;
use super::reply::{Handled, Refusal, Reply};
use super::tech::Probe;
use super::tickets::Tickets;
use super::time::{Moment, http_date, parse_http_date};
use super::{Dialect, Manner};
use crate::Received;
use crate::desk::Effects;

/// How many accesses there are at the start.
const ACCESSES: usize = 30;

/// Endpoints in the order of the directory, each with the document's own form of its path.
const ENDPOINTS: [(&str, &str); 12] = [
    ("accesses", "/accesses/"),
    ("dhcplookup", "/dhcplookup/"),
    ("option82", "/option82/"),
    ("orders", "/orders/"),
    ("orderevents", "/orderevents/"),
    ("events", "/events/"),
    ("services", "/services/"),
    ("subscriptions", "/subscriptions/"),
    ("tech/cpe", "/tech/cpe/"),
    ("tech/access", "/tech/access/"),
    ("invoicespecification", "/invoicespecification/"),
    ("tickets", "/tickets"),
];

#[derive(Debug)]
pub(super) struct Operator {
    habits: PathHabits,
    dialect: Dialect,
    dates_lists: bool,
    lacks: Vec<String>,
    network: Network,
    orders: Orders,
    tickets: Tickets,
    chronicle: Chronicle,
}

/// A request that is known to be as the document has it.
pub(super) struct Asked<'a> {
    pub(super) operation: &'a str,
    /// Its path in the document.
    pub(super) path: &'a str,
    /// The one parameter of the path, if it has one.
    pub(super) id: &'a str,
    pub(super) query: Query,
    pub(super) body: Value,
    pub(super) received: &'a Received,
}

impl Asked<'_> {
    /// A condition that cannot be read is no condition (RFC 9110, 13.1.3).
    fn since(&self) -> Option<Moment> {
        self.received.header("if-modified-since").and_then(parse_http_date)
    }
}

impl Operator {
    pub(super) fn new(rng: &mut Rng, manner: &Manner) -> Operator {
        let mut network = Network::new(rng);
        for _ in 0..ACCESSES {
            network.extend(Chronicle::opening());
        }
        Operator {
            habits: manner.habits,
            dialect: manner.dialect,
            dates_lists: manner.dates_lists,
            lacks: manner.lacks.clone(),
            network,
            orders: Orders::new(rng, manner.habits, manner.deduplicates),
            tickets: Tickets::new(rng),
            chronicle: Chronicle::new(),
        }
    }

    pub(super) fn accesses(&self) -> Vec<Access> {
        self.network.lines().map(Access::of).collect()
    }

    /// Whether the CO has an endpoint of this name.
    fn has(&self, name: &str) -> bool {
        !self.lacks.iter().any(|one| one == name)
    }

    /// Whether there was such an access.
    pub(super) fn tear_down(&mut self, access: &str) -> bool {
        let Some(subscriptions) = self.network.tear_down(access) else { return false };
        self.chronicle.tick();
        for subscription in subscriptions {
            self.chronicle.note_now(Change::Delete, "subscriptions", &subscription, access);
        }
        self.chronicle.note_now(Change::Delete, "accesses", access, access);
        true
    }

    pub(super) fn advance(&mut self) {
        self.chronicle.tick();
        self.orders.advance(&mut self.network, &mut self.chronicle);
    }

    /// All of them come in the same second.
    pub(super) fn grow(&mut self, accesses: usize) {
        let now = self.chronicle.tick();
        for _ in 0..accesses {
            let line = self.network.extend(now);
            self.chronicle.note_now(Change::Create, "accesses", &line.id, &line.id);
            for subscription in &line.subscriptions {
                self.chronicle.note_now(Change::Create, "subscriptions", &subscription.id, &line.id);
            }
        }
    }

    pub(super) fn carry_out(&mut self, asked: &Asked<'_>, effects: &mut Effects) -> Handled {
        let path = asked.path.trim_start_matches('/');
        let of =
            |name: &str| path.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        if self.lacks.iter().any(|name| of(name)) {
            return Err(Refusal::new(501, "This network has no such endpoint"));
        }
        match asked.operation {
            "createOrder" => {
                let placed = self.orders.place(&asked.body, &mut self.network, &mut self.chronicle);
                let (is_new, reply) = placed?;
                count(is_new, asked, effects);
                Ok(reply)
            }
            "replaceOrder" | "changeOrder" => {
                let wholly = asked.operation == "replaceOrder";
                let (network, chronicle) = (&mut self.network, &mut self.chronicle);
                let is_new = self.orders.change(asked.id, &asked.body, wholly, network, chronicle)?;
                count(is_new, asked, effects);
                Ok(Reply::empty(204))
            }
            "cancelOrder" => {
                self.orders.cancel(asked.id, &mut self.chronicle)?;
                count(true, asked, effects);
                Ok(Reply::empty(204))
            }
            "createTicket" => {
                let reply = self.tickets.open(&asked.body, &self.network, &mut self.chronicle)?;
                count(true, asked, effects);
                Ok(reply)
            }
            "updateTicket" => {
                let is_new = self.tickets.update(asked.id, &asked.body, &mut self.chronicle)?;
                count(is_new, asked, effects);
                Ok(Reply::empty(204))
            }
            _ => self.read(asked),
        }
    }

    fn read(&self, asked: &Asked<'_>) -> Handled {
        match asked.operation {
            "listEndpoints" => Ok(self.endpoints(asked.received)),
            "lookupDhcp" => self.look_up(&asked.query),
            "lookupOption82" if !is_option82(asked.id) => {
                Err(Refusal::new(400, "option82: it is not the hexadecimal form of an option 82"))
            }
            "lookupOption82" => self.look_up(&Query::parse(Some(&format!("ipv4option82={}", asked.id)))),
            "listOrders" => self.orders.list(&asked.query),
            "getOrder" => self.orders.get(asked.id),
            "listOrderEvents" => self.orders.events(asked.query.get("since")),
            "listEvents" => {
                let rows = self.chronicle.events().iter().map(|event| (event.time, event));
                self.listing(rows, asked, |event| Some(event.value(&self.habits)))
            }
            "listInvoicePeriods" => invoices::periods(),
            "getInvoiceLines" => invoices::lines(asked.id, &self.network),
            "listTickets" => {
                self.listing(self.tickets.fitting(&asked.query)?, asked, |ticket| Some(ticket.summary()))
            }
            "getTicket" => self.tickets.get(asked.id),
            "listAccesses" | "listServices" | "listSubscriptions" => self.list_lines(asked),
            _ => self.read_line(asked),
        }
    }

    /// The standard's lists of everything, and of what is new since a moment.
    fn list_lines(&self, asked: &Asked<'_>) -> Handled {
        let (lines, since) = (self.network.lines(), self.since(asked));
        match asked.operation {
            "listAccesses" => {
                let rows = lines.map(|line| (line.changed.access, line));
                self.listing(rows, asked, |line| Some(self.network.access_value(line)))
            }
            "listServices" => {
                let rows = lines.map(|line| (line.changed.services, line));
                self.listing(rows, asked, |line| Some(line.services_value()))
            }
            _ => {
                // An access that lost its last subscription is news, but not part of the whole list.
                let ever = lines.filter(|line| !line.subscriptions.is_empty() || !line.ended.is_empty());
                let rows = ever.map(|line| (line.changed.subscriptions, line));
                let listed = |line: &Line| since.is_some() || !line.subscriptions.is_empty();
                self.listing(rows, asked, |line| listed(line).then(|| line.subscriptions_value()))
            }
        }
    }

    fn read_line(&self, asked: &Asked<'_>) -> Handled {
        let line = self.network.line(asked.id).ok_or_else(|| Refusal::not_found("access", asked.id))?;
        let probe = || Probe::new(line, self.network.dice(line.number, 2), Chronicle::opening());
        let body = match asked.operation {
            "getAccess" => self.network.access_value(line),
            "getServices" => line.services_value(),
            "getSubscriptions" => line.subscriptions_value(),
            "getCpeStatus" => probe().cpe(),
            "getHardware" => probe().hardware(),
            // That vendor shows the fields of a MAC address table in the place of leases.
            "getLeaseInfo" if self.dialect != Dialect::Vendor => probe().leases(),
            "getMacAddressTable" | "getLeaseInfo" => probe().mac_table(),
            "getIgmpSnooping" => probe().igmp(),
            "getLinkStatus" => probe().link(),
            other => return Err(Refusal::new(501, format!("{other} is not simulated"))),
        };
        Ok(Reply::json(200, body))
    }

    /// Answers only when one access alone fits (ON-API 2.6, DHCP lookup).
    fn look_up(&self, query: &Query) -> Handled {
        let mut fitting = Vec::new();
        for line in self.network.lines() {
            match line.identifiers().answer_to(query) {
                None => return Err(Refusal::new(400, "There is nothing to look up")),
                Some(true) => fitting.push(&line.id),
                Some(false) => {}
            }
        }
        match fitting.as_slice() {
            [id] => Ok(Reply::json(200, json!({ "accessId": id }))),
            [] => Err(Refusal::new(404, "No access is known under this")),
            _ => Err(Refusal::new(404, "More than one access is known under this")),
        }
    }

    fn since(&self, asked: &Asked<'_>) -> Option<Moment> {
        asked.since().filter(|_| self.dates_lists)
    }

    fn listing<'a, T: 'a>(
        &self,
        rows: impl Iterator<Item = (Moment, &'a T)>,
        asked: &Asked<'_>,
        value: impl Fn(&T) -> Option<Value>,
    ) -> Handled {
        let (latest, reply) = listing(rows, self.since(asked), value)?;
        Ok(if self.dates_lists { reply.header("last-modified", http_date(latest)) } else { reply })
    }

    /// The addresses are those of the host that the caller asked.
    fn endpoints(&self, received: &Received) -> Reply {
        let host = received.header("host").unwrap_or("localhost");
        let endpoint = |(name, documented): (&str, &str)| {
            json!({
                "name": name,
                "endpoint": format!("http://{host}{}", self.habits.collection(documented)),
                "version": "2.6",
                "documentation": format!("https://co.example/docs/{name}"),
            })
        };
        Reply::json(200, ENDPOINTS.into_iter().filter(|(name, _)| self.has(name)).map(endpoint).collect())
    }
}

fn count(is_new: bool, asked: &Asked<'_>, effects: &mut Effects) {
    if is_new {
        effects.add(asked.operation);
    }
}

/// A list of which only what is new since a moment is asked for. Where nothing is new, 304; where there is
/// nothing at all, 404. Along with it, when the list was modified last.
fn listing<'a, T: 'a>(
    rows: impl Iterator<Item = (Moment, &'a T)>,
    since: Option<Moment>,
    value: impl Fn(&T) -> Option<Value>,
) -> Result<(Moment, Reply), Refusal> {
    let (mut latest, mut list) = (None, Vec::new());
    for (changed, row) in rows {
        latest = latest.max(Some(changed));
        if since.is_none_or(|since| changed > since) {
            list.extend(value(row));
        }
    }
    let reply = match latest {
        Some(_) if !list.is_empty() => Reply::json(200, list.into()),
        Some(_) if since.is_some() => Reply::empty(304),
        _ => return Err(Refusal::new(404, "There is nothing to list")),
    };
    Ok((latest.unwrap_or_default(), reply))
}
