//! What a test or the control API does to the CO.

use std::sync::Arc;

use serde_json::json;

use super::super::access::{Access, Availability, Offer};
use super::super::query::Query;
use super::super::time::Moment;
use super::Operator;
use crate::json::text;
use crate::object::{Completion, FinishError, ObjectKind, ObjectSnapshot};

impl Operator {
    pub(in super::super) fn now(&self) -> Moment {
        self.event_log.now()
    }

    /// Advances the clock to a time, unless it has passed.
    pub(in super::super) fn advance_to(&mut self, moment: Moment) {
        self.event_log.advance_to(moment);
    }

    /// Advances every open order that is due by one state.
    pub(in super::super) fn step(&mut self) {
        self.orders.advance(true, Arc::make_mut(&mut self.network), &mut self.event_log);
    }

    /// Returns the first accesses.
    pub(in super::super) fn first_accesses(&self, limit: usize) -> Vec<Access> {
        self.network.lines().take(limit).map(|line| Access::of(&line)).collect()
    }

    /// Returns the first access with a service that can be ordered without characteristics, and the service.
    pub(in super::super) fn first_free_service(&self) -> Option<(String, String)> {
        self.network.lines().find_map(|line| {
            let access = Access::of(&line);
            let is_free = |offer: &&Offer| {
                let is_open = self.orders.has_open_order(&access.id, &offer.service);
                let needs_more = line
                    .offer(&offer.service)
                    .is_some_and(|offer| offer.needs_service_level(self.paths.dialect));
                offer.availability == Availability::Free && !is_open && !needs_more
            };
            let service = access.services.iter().find(is_free)?.service.clone();
            Some((access.id, service))
        })
    }

    pub(in super::super) fn objects(&self) -> Vec<ObjectSnapshot> {
        let mut objects = self.orders.objects();
        let all = Query::parse(None);
        let tickets = self.tickets.matching(&all).into_iter().flatten();
        objects.extend(tickets.map(|(_, ticket)| {
            let summary = ticket.summary();
            let field = |name| text(&summary, name).unwrap_or_default().to_owned();
            let state = field("status");
            ObjectSnapshot {
                kind: ObjectKind::Ticket,
                id: field("coTicketReference"),
                reference: text(&summary, "spTicketReference").map(str::to_owned),
                description: format!("{} is responsible", field("responsible")),
                open: state != "CLOSED",
                state,
            }
        }));
        objects
    }

    /// Finishes an order, or closes a ticket.
    pub(in super::super) fn finish(&mut self, id: &str, completion: Completion) -> Result<(), FinishError> {
        let ticket = self.objects().into_iter().find(|one| one.kind == ObjectKind::Ticket && one.id == id);
        match ticket {
            Some(ticket) if !ticket.open => Err(FinishError::NotOpen(ticket.state)),
            Some(_) => {
                let responsible = if completion == Completion::Success { "CO" } else { "SP" };
                let close = json!({ "status": "CLOSED", "responsible": responsible });
                let closed = self.tickets.update(id, &close, &mut self.event_log);
                closed.map(|_| ()).map_err(|_| FinishError::NotFound)
            }
            None => self.orders.finish(id, completion, Arc::make_mut(&mut self.network), &mut self.event_log),
        }
    }
}
