//! The CO: carries out each operation and holds its state.

mod control;

use std::sync::Arc;

use fastrand::Rng;
use serde_json::{Value, json};

use super::access::Access;
use super::dhcp::is_option82;
use super::diagnostics::Probe;
use super::dialect::Dialect;
use super::event_log::{Change, EventLog};
use super::invoices;
use super::network::{AccessLine, Changed, Network};
use super::options::OnApiOptions;
use super::orders::Orders;
use super::path_style::PathStyle;
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
    path_style: PathStyle,
    dialect: Dialect,
    last_modified: bool,
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
        Operator {
            path_style: options.path_style,
            dialect: options.dialect,
            last_modified: options.last_modified,
            absent_endpoints: options.absent_endpoints.clone(),
            network,
            orders: Orders::new(rng, options.path_style, options.deduplicates),
            tickets: Tickets::new(rng),
            event_log: EventLog::new(),
        }
    }

    pub(super) fn accesses(&self) -> Vec<Access> {
        self.network.lines().map(|line| Access::of(&line)).collect()
    }

    /// Returns whether the CO has an endpoint of this name.
    fn has(&self, name: &str) -> bool {
        !self.absent_endpoints.iter().any(|one| one == name)
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
                self.listing(rows, request, |event| Some(event.value(&self.path_style)))
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

    /// Lists all lines, or those changed after a time.
    fn list_lines(&self, request: &ApiRequest<'_>) -> OperationResult {
        let since = self.since(request);
        // An access without subscriptions is part of the list of changes, but not of the complete list.
        let is_changes = since.is_some();
        match request.operation {
            "listAccesses" => self.list_of_lines(
                since,
                |changed| changed.access,
                |_| true,
                |network, line| Some(network.access_value(line)),
            ),
            "listServices" => self.list_of_lines(
                since,
                |changed| changed.services,
                |_| true,
                |_, line| Some(line.services_value()),
            ),
            _ => self.list_of_lines(
                since,
                |changed| changed.subscriptions,
                |line| !line.subscriptions.is_empty() || !line.ended.is_empty(),
                move |_, line| {
                    (is_changes || !line.subscriptions.is_empty()).then(|| line.subscriptions_value())
                },
            ),
        }
    }

    /// Lists the lines of which a part changed after a time, each as `value` shows it. Lines that are not `listed` do not
    /// count. A complete list is generated while it is sent, if it is long.
    fn list_of_lines(
        &self,
        since: Option<Moment>,
        part: impl Fn(&Changed) -> Moment,
        listed: impl Fn(&AccessLine) -> bool,
        value: impl Fn(&Network, &AccessLine) -> Option<Value> + Send + Sync + 'static,
    ) -> OperationResult {
        let nothing = || ErrorResponse::new(404, "There is nothing to list");
        let latest = self.network.latest(&part, &listed).ok_or_else(nothing)?;
        let response = match since {
            None => {
                let (network, count) = (Arc::clone(&self.network), self.network.len());
                let row = move |number| network.numbered(number).and_then(|line| value(&network, &line));
                let response = SuccessResponse::rows(count, move |number| row(number).into_iter().collect());
                if response.is_empty_list() {
                    return Err(nothing());
                }
                response
            }
            Some(since) => {
                let lines = self.network.lines_changed_after(since);
                let changed = lines.filter(|line| listed(line) && part(&line.changed) > since);
                let rows: Vec<_> = changed.filter_map(|line| value(&self.network, &line)).collect();
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
        let probe = || Probe::new(&line, self.network.rng_for(line.number, 2), EventLog::start_time());
        let body = match request.operation {
            "getAccess" => self.network.access_value(&line),
            "getServices" => line.services_value(),
            "getSubscriptions" => line.subscriptions_value(),
            "getCpeStatus" => probe().cpe(),
            "getHardware" => probe().hardware(),
            // The vendor sends the fields of a MAC address table in place of leases.
            "getLeaseInfo" if self.dialect != Dialect::Vendor => probe().leases(),
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

    /// Returns the directory. Its URLs have the host of the request.
    fn endpoints(&self, received: &ReceivedRequest) -> SuccessResponse {
        let host = received.header("host").unwrap_or("localhost");
        let endpoint = |(name, documented): (&str, &str)| {
            json!({
                "name": name,
                "endpoint": format!("http://{host}{}", self.path_style.collection(documented)),
                "version": "2.6",
                "documentation": format!("https://co.example/docs/{name}"),
            })
        };
        SuccessResponse::json(
            200,
            ENDPOINTS.into_iter().filter(|(name, _)| self.has(name)).map(endpoint).collect(),
        )
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
