//! The CO: carries out each operation and holds its state.

mod control;

use std::sync::Arc;

use fastrand::Rng;
use serde_json::{Value, json};

use super::access::Access;
use super::dhcp::is_option82;
use super::diagnostics::Probe;
use super::event_log::{Change, EventLog};
use super::invoices;
use super::network::{AccessLine, Changed, Network, SubscriptionForm};
use super::options::OnApiOptions;
use super::order::OrderForm;
use super::orders::Orders;
use super::paths::Paths;
use super::query::Query;
use super::response::{ErrorResponse, OperationResult, SuccessResponse};
use super::tickets::Tickets;
use super::time::{Moment, http_date, parse_http_date};
use crate::behaviour::Effects;
use crate::received::ReceivedRequest;

/// The endpoints in the order of the directory, each with its path as the document spells it.
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
    paths: Paths,
    last_modified: bool,
    keeps_references: bool,
    legacy_endpoints: bool,
    absent_endpoints: Vec<String>,
    /// Shared with the lists that are being sent.
    network: Arc<Network>,
    orders: Orders,
    tickets: Tickets,
    event_log: EventLog,
}

/// A request that was validated against the document.
pub(super) struct ApiRequest<'a> {
    pub(super) operation: &'a str,
    /// The path template of the operation.
    pub(super) path: &'a str,
    /// The value of the path parameter, or an empty string.
    pub(super) id: &'a str,
    pub(super) query: Query,
    pub(super) body: Value,
    pub(super) received: &'a ReceivedRequest,
}

impl ApiRequest<'_> {
    /// Returns the time of `If-Modified-Since`. A value that cannot be parsed is ignored (RFC 9110, 13.1.3).
    fn since(&self) -> Option<Moment> {
        self.received.header("if-modified-since").and_then(parse_http_date)
    }
}

impl Operator {
    pub(super) fn new(rng: &mut Rng, options: &OnApiOptions) -> Operator {
        let network = Arc::new(Network::new(rng, options.accesses, EventLog::start_time()));
        let paths = Paths { dialect: options.dialect, style: options.path_style };
        let form = OrderForm {
            paths,
            order_ids: options.order_ids,
            early_subscription_ids: options.early_subscription_ids,
        };
        Operator {
            paths,
            last_modified: options.last_modified,
            keeps_references: options.keeps_references,
            legacy_endpoints: options.legacy_endpoints,
            absent_endpoints: options.absent_endpoints.clone(),
            network,
            orders: Orders::new(rng, form, options.deduplicates),
            tickets: Tickets::new(rng),
            event_log: EventLog::new(),
        }
    }

    pub(super) fn accesses(&self) -> Vec<Access> {
        self.network.lines().map(|line| Access::of(&line)).collect()
    }

    /// Returns whether the CO has an endpoint of this name.
    fn has(&self, name: &str, path: &str) -> bool {
        let mut operations = self.paths.dialect.spec().operations();
        operations.any(|operation| operation.path.starts_with(path))
            && !self.absent_endpoints.iter().any(|one| one == name)
    }

    /// Removes an access. Returns whether it existed.
    pub(super) fn tear_down(&mut self, access: &str) -> bool {
        let Some(subscriptions) = Arc::make_mut(&mut self.network).tear_down(access) else { return false };
        self.event_log.tick();
        for subscription in subscriptions {
            self.event_log.record_now(Change::Delete, "subscriptions", &subscription, access);
        }
        self.event_log.record_now(Change::Delete, "accesses", access, access);
        true
    }

    pub(super) fn advance(&mut self) {
        self.event_log.tick();
        self.orders.advance(false, Arc::make_mut(&mut self.network), &mut self.event_log);
    }

    /// Adds accesses, all in the same second.
    pub(super) fn add_accesses(&mut self, accesses: usize) {
        let now = self.event_log.tick();
        let network = Arc::make_mut(&mut self.network);
        for _ in 0..accesses {
            let line = network.extend(now);
            self.event_log.record_now(Change::Create, "accesses", &line.id, &line.id);
            for subscription in &line.subscriptions {
                self.event_log.record_now(Change::Create, "subscriptions", &subscription.id, &line.id);
            }
        }
    }

    pub(super) fn carry_out(&mut self, request: &ApiRequest<'_>, effects: &mut Effects) -> OperationResult {
        let path = request.path.trim_start_matches('/');
        let of = |name: &str| {
            path.strip_prefix(name).is_some_and(|suffix| suffix.is_empty() || suffix.starts_with('/'))
        };
        if self.absent_endpoints.iter().any(|name| of(name)) {
            return Err(ErrorResponse::new(501, "This network has no such endpoint"));
        }
        match request.operation {
            "createOrder" => {
                let placed =
                    self.orders.place(&request.body, Arc::make_mut(&mut self.network), &mut self.event_log);
                let (changed, response) = placed?;
                count(changed, request, effects);
                Ok(response)
            }
            "replaceOrder" | "changeOrder" => {
                let replace_all = request.operation == "replaceOrder";
                let (network, event_log) = (Arc::make_mut(&mut self.network), &mut self.event_log);
                let changed =
                    self.orders.change(request.id, &request.body, replace_all, network, event_log)?;
                count(changed, request, effects);
                Ok(SuccessResponse::empty(204))
            }
            "cancelOrder" => {
                self.orders.cancel(request.id, &mut self.event_log)?;
                count(true, request, effects);
                Ok(SuccessResponse::empty(204))
            }
            "createTicket" => {
                let response = self.tickets.open(&request.body, &self.network, &mut self.event_log)?;
                count(true, request, effects);
                Ok(response)
            }
            "updateTicket" => {
                let changed = self.tickets.update(request.id, &request.body, &mut self.event_log)?;
                count(changed, request, effects);
                Ok(SuccessResponse::empty(204))
            }
            _ => self.read(request),
        }
    }

    fn read(&self, request: &ApiRequest<'_>) -> OperationResult {
        match request.operation {
            "listEndpoints" => Ok(self.endpoints(request.received)),
            "lookupDhcp" => self.find_access(&request.query),
            "lookupOption82" if !is_option82(request.id) => {
                Err(ErrorResponse::new(400, "option82: it is not the hexadecimal form of an option 82"))
            }
            "lookupOption82" => {
                self.find_access(&Query::parse(Some(&format!("ipv4option82={}", request.id))))
            }
            "listOrders" => self.orders.list(&request.query),
            "getOrder" => self.orders.get(request.id),
            "listOrderEvents" => self.orders.events(request.query.get("since")),
            "listEvents" => {
                let rows = self.event_log.events().iter().map(|event| (event.time, event));
                self.listing(rows, request, |event| Some(event.value(&self.paths)))
            }
            "listInvoicePeriods" => invoices::periods(),
            "getInvoiceLines" => invoices::lines(request.id, &self.network),
            "listTickets" => {
                self.listing(self.tickets.matching(&request.query)?, request, |ticket| Some(ticket.summary()))
            }
            "getTicket" => self.tickets.get(request.id),
            "listAccesses" | "listServices" | "listSubscriptions" => self.list_lines(request),
            _ => self.read_line(request),
        }
    }

    fn subscription_form(&self) -> SubscriptionForm {
        SubscriptionForm { dialect: self.paths.dialect, keeps_references: self.keeps_references }
    }

    /// Lists all lines, or those changed after a time.
    fn list_lines(&self, request: &ApiRequest<'_>) -> OperationResult {
        let (since, dialect, form) = (self.since(request), self.paths.dialect, self.subscription_form());
        let is_complete = since.is_none();
        let has_subscriptions = |line: &AccessLine| !line.subscriptions.is_empty() || !line.ended.is_empty();
        match request.operation {
            // The services are part of the row. The subscriptions are not.
            "listAccesses" if dialect.is_legacy() => self.list_of_lines(
                since,
                |changed| changed.access.max(changed.services),
                |_| true,
                move |network, line| vec![network.legacy_access_row(line, dialect)],
            ),
            "listAccesses" => self.list_of_lines(
                since,
                |changed| changed.access,
                |_| true,
                move |network, line| vec![network.access(line, dialect)],
            ),
            "listServices" => self.list_of_lines(
                since,
                |changed| changed.services,
                |_| true,
                move |_, line| vec![line.services_value(dialect)],
            ),
            // One row each. A subscription that has ended is in no list; only events tell that it has.
            _ if dialect.is_legacy() => {
                let changed = |changed: &Changed| changed.subscriptions;
                self.list_of_lines(since, changed, has_subscriptions, move |_, line| {
                    let listed = line.subscriptions.iter().filter(|one| since < Some(one.changed));
                    listed.map(|one| one.value(line, form)).collect()
                })
            }
            // An access without subscriptions is part of the list of changes, but not of the complete list.
            _ => self.list_of_lines(
                since,
                |changed| changed.subscriptions,
                has_subscriptions,
                move |_, line| match is_complete && line.subscriptions.is_empty() {
                    true => Vec::new(),
                    false => vec![line.subscriptions_value(form)],
                },
            ),
        }
    }

    /// Lists the lines of which a part changed after a time, each with the rows that `rows_of` returns. Lines that are
    /// not `listed` do not count. A complete list is generated while it is sent, if it is long.
    fn list_of_lines(
        &self,
        since: Option<Moment>,
        part: impl Fn(&Changed) -> Moment,
        listed: impl Fn(&AccessLine) -> bool,
        rows_of: impl Fn(&Network, &AccessLine) -> Vec<Value> + Send + Sync + 'static,
    ) -> OperationResult {
        let nothing = || ErrorResponse::new(404, "There is nothing to list");
        let latest = self.network.latest(&part, &listed).ok_or_else(nothing)?;
        let response = match since {
            None => {
                let (network, count) = (Arc::clone(&self.network), self.network.len());
                let rows = move |number| network.numbered(number).map(|line| rows_of(&network, &line));
                let response = SuccessResponse::rows(count, move |number| rows(number).unwrap_or_default());
                if response.is_empty_list() {
                    return Err(nothing());
                }
                response
            }
            Some(since) => {
                let lines = self.network.lines_changed_after(since);
                let changed = lines.filter(|line| listed(line) && part(&line.changed) > since);
                let rows: Vec<_> = changed.flat_map(|line| rows_of(&self.network, &line)).collect();
                if rows.is_empty() {
                    SuccessResponse::empty(304)
                } else {
                    SuccessResponse::json(200, rows.into())
                }
            }
        };
        Ok(if self.last_modified { response.header("last-modified", http_date(latest)) } else { response })
    }

    fn read_line(&self, request: &ApiRequest<'_>) -> OperationResult {
        let line =
            self.network.line(request.id).ok_or_else(|| ErrorResponse::not_found("access", request.id))?;
        let (dialect, form) = (self.paths.dialect, self.subscription_form());
        let probe = || Probe::new(&line, self.network.rng_for(line.number, 2), EventLog::start_time());
        let body = match request.operation {
            "getAccess" if dialect.is_legacy() => self.network.legacy_access(&line, form),
            "getAccess" => self.network.access(&line, dialect),
            "getServices" => line.services_value(dialect),
            "getSubscriptions" => line.subscriptions_value(form),
            "getCpeStatus" => probe().cpe(),
            "getHardware" => probe().hardware(),
            // The vendor sends the fields of a MAC address table in place of leases.
            "getLeaseInfo" if !dialect.is_vendor() => probe().leases(),
            "getMacAddressTable" | "getLeaseInfo" => probe().mac_table(),
            "getIgmpSnooping" => probe().igmp(),
            "getLinkStatus" => probe().link(),
            other => return Err(ErrorResponse::new(501, format!("{other} is not simulated"))),
        };
        Ok(SuccessResponse::json(200, body))
    }

    /// Finds an access by its DHCP identifiers, if exactly one matches (ON-API 2.6, DHCP lookup).
    fn find_access(&self, query: &Query) -> OperationResult {
        let mut matching = Vec::new();
        for line in self.network.lines() {
            match line.identifiers().matches(query) {
                None => return Err(ErrorResponse::new(400, "There is nothing to look up")),
                Some(true) => matching.push(line.id.clone()),
                Some(false) => {}
            }
        }
        match matching.as_slice() {
            [id] => Ok(SuccessResponse::json(200, json!({ "accessId": id }))),
            [] => Err(ErrorResponse::new(404, "No access is known under this")),
            _ => Err(ErrorResponse::new(404, "More than one access is known under this")),
        }
    }

    fn since(&self, request: &ApiRequest<'_>) -> Option<Moment> {
        request.since().filter(|_| self.last_modified)
    }

    fn listing<'a, T: 'a>(
        &self,
        rows: impl Iterator<Item = (Moment, &'a T)>,
        request: &ApiRequest<'_>,
        value: impl Fn(&T) -> Option<Value>,
    ) -> OperationResult {
        let (latest, response) = listing(rows, self.since(request), value)?;
        Ok(if self.last_modified { response.header("last-modified", http_date(latest)) } else { response })
    }

    /// Returns the directory. The vendor writes URLs, with the host of the request; the standard shows paths.
    fn endpoints(&self, received: &ReceivedRequest) -> SuccessResponse {
        let host = received.header("host").unwrap_or("localhost");
        let dialect = self.paths.dialect;
        let endpoint = |(name, documented): (&str, &str)| {
            let path = self.paths.collection(documented);
            json!({
                "name": name,
                "endpoint": if dialect.is_vendor() { format!("http://{host}{path}") } else { path },
                "version": dialect.version(),
                "documentation": match dialect.is_vendor() {
                    true => format!("https://co.example/docs/{name}"),
                    false => format!("https://github.com/on-api/on-api/blob/master/{}.0/README.md", dialect.version()),
                },
            })
        };
        let present = || ENDPOINTS.into_iter().filter(|(name, path)| self.has(name, path));
        // Endpoints of an earlier version, which this CO has elsewhere.
        let earlier = |(name, documented): (&str, &str)| {
            json!({
                "name": name,
                "endpoint": format!("https://legacy.co.example/onapi/2.3.1{documented}"),
                "version": "2.3.1",
                "documentation": format!("https://co.example/docs/2.3.1/{name}"),
                "note": "To be closed.",
                "unsupportedFields": ["requestedDateTime"],
            })
        };
        let earlier = present().filter(|_| self.legacy_endpoints).map(earlier);
        SuccessResponse::json(200, earlier.chain(present().map(endpoint)).collect())
    }
}

fn count(changed: bool, request: &ApiRequest<'_>, effects: &mut Effects) {
    if changed {
        effects.add(request.operation);
    }
}

/// Lists the rows that changed after a time. Responds with 304 if nothing has changed, and fails with 404 if there
/// are no rows at all. Also returns the time of the latest change.
fn listing<'a, T: 'a>(
    rows: impl Iterator<Item = (Moment, &'a T)>,
    since: Option<Moment>,
    value: impl Fn(&T) -> Option<Value>,
) -> Result<(Moment, SuccessResponse), ErrorResponse> {
    let (mut latest, mut list) = (None, Vec::new());
    for (changed, row) in rows {
        latest = latest.max(Some(changed));
        if since.is_none_or(|since| changed > since) {
            list.extend(value(row));
        }
    }
    let response = match latest {
        Some(_) if !list.is_empty() => SuccessResponse::json(200, list.into()),
        Some(_) if since.is_some() => SuccessResponse::empty(304),
        _ => return Err(ErrorResponse::new(404, "There is nothing to list")),
    };
    Ok((latest.unwrap_or_default(), response))
}
