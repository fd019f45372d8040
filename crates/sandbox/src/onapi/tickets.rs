//! Tickets (ON-API 2.6, tickets).

use fastrand::Rng;
use serde_json::{Value, json};

use super::event_log::{Change, EventLog};
use super::network::Network;
use super::query::Query;
use super::response::{ErrorResponse, OperationResult, SuccessResponse};
use super::time::{Moment, parse_rfc_3339, rfc_3339};
use crate::json::{push, text};

const STATUSES: [&str; 4] = ["CREATED", "IN_PROGRESS_CO", "IN_PROGRESS_SP", "CLOSED"];
const FIELDS_OF_THE_LIST: [&str; 4] = ["coTicketReference", "spTicketReference", "status", "responsible"];

#[derive(Debug)]
pub(super) struct Ticket {
    reference: String,
    /// The ticket as response bodies contain it.
    value: Value,
    created: Moment,
    changed: Moment,
}

#[derive(Debug)]
pub(super) struct Tickets {
    tickets: Vec<Ticket>,
    next_number: usize,
}

impl Tickets {
    pub(super) fn new(rng: &mut Rng) -> Tickets {
        Tickets { tickets: Vec::new(), next_number: rng.usize(1_000..9_000) }
    }

    /// Returns the tickets that match a query, with the time of their latest change.
    pub(super) fn matching(
        &self,
        query: &Query,
    ) -> Result<impl Iterator<Item = (Moment, &Ticket)>, ErrorResponse> {
        let status = query.get("status").map(str::to_owned);
        if status.as_ref().is_some_and(|status| !STATUSES.contains(&status.as_str())) {
            return Err(ErrorResponse::new(400, "status: there is no such status"));
        }
        let created = match query.get("created") {
            None => None,
            Some(text) => {
                let moment = parse_rfc_3339(text);
                Some(moment.ok_or_else(|| {
                    ErrorResponse::new(400, "created: it is neither a date nor a date-time")
                })?)
            }
        };
        let matches = move |ticket: &&Ticket| {
            let status_matches =
                status.as_deref().is_none_or(|status| text(&ticket.value, "status") == Some(status));
            status_matches && created.is_none_or(|moment| ticket.created > moment)
        };
        Ok(self.tickets.iter().filter(matches).map(|ticket| (ticket.changed, ticket)))
    }

    pub(super) fn get(&self, reference: &str) -> OperationResult {
        let ticket = self.tickets.iter().find(|ticket| ticket.reference == reference);
        let ticket = ticket.ok_or_else(|| ErrorResponse::not_found("ticket", reference))?;
        Ok(SuccessResponse::json(200, ticket.value.clone()))
    }

    /// Opens a ticket. The CO is responsible for a new ticket; a status in the request is ignored.
    pub(super) fn open(
        &mut self,
        request: &Value,
        network: &Network,
        event_log: &mut EventLog,
    ) -> OperationResult {
        if let Some(id) = text(request, "accessId").filter(|id| network.line(id).is_none()) {
            return Err(ErrorResponse::new(400, format!("accessId: there is no access {id}")));
        }
        if let Some(id) = text(request, "subscriptionId").filter(|id| network.subscription(id).is_none()) {
            return Err(ErrorResponse::new(400, format!("subscriptionId: there is no subscription {id}")));
        }
        let reference = format!("TT-{}", self.next_number);
        self.next_number += 1;
        let now = event_log.record(Change::Create, "tickets", &reference, &reference);
        let mut value = request.clone();
        value["coTicketReference"] = json!(reference);
        value["status"] = json!("CREATED");
        value["responsible"] = json!("CO");
        value["comments"] = json!([]);
        value["createdAt"] = json!(rfc_3339(now));
        value["updatedAt"] = json!(rfc_3339(now));
        let response = json!({ "coTicketReference": reference });
        self.tickets.push(Ticket { reference, value, created: now, changed: now });
        Ok(SuccessResponse::json(201, response))
    }

    /// Updates a ticket. Returns whether anything changed. A request that closes a ticket must name who was
    /// responsible.
    pub(super) fn update(
        &mut self,
        reference: &str,
        request: &Value,
        event_log: &mut EventLog,
    ) -> Result<bool, ErrorResponse> {
        let ticket = self.tickets.iter_mut().find(|ticket| ticket.reference == reference);
        let ticket = ticket.ok_or_else(|| ErrorResponse::not_found("ticket", reference))?;
        if text(request, "status") == Some("CLOSED") && text(request, "responsible").is_none() {
            return Err(ErrorResponse::new(400, "responsible: it is missing; closing a ticket needs it"));
        }
        let mut value = ticket.value.clone();
        for field in ["status", "responsible"] {
            if let Some(new) = request.get(field) {
                value[field] = new.clone();
            }
        }
        let comment = request.get("comment");
        if comment.is_none() && value == ticket.value {
            return Ok(false);
        }
        let now = event_log.record(Change::Update, "tickets", reference, reference);
        if let Some(comment) = comment {
            push(&mut value["comments"], with_time(comment, now));
        }
        value["updatedAt"] = json!(rfc_3339(now));
        ticket.value = value;
        ticket.changed = now;
        Ok(true)
    }
}

impl Ticket {
    /// Returns the fields of a ticket that lists contain.
    pub(super) fn summary(&self) -> Value {
        let fields = FIELDS_OF_THE_LIST.iter();
        let present = fields.filter_map(|field| Some(((*field).to_owned(), self.value.get(*field)?.clone())));
        Value::Object(present.collect())
    }
}

/// Returns a comment with its time, which is the current one if the request has none.
fn with_time(comment: &Value, now: Moment) -> Value {
    let mut comment = comment.clone();
    if text(&comment, "createdAt").is_none() {
        comment["createdAt"] = json!(rfc_3339(now));
    }
    comment
}
