//! Changes of tickets: commenting, assigning and closing them.

use lastmile_core::Error;
use lastmile_core::wire::Timestamp;
use lastmile_onapi::types::{
    Ticket, TicketComment, TicketCommentCreate, TicketStatus, TicketUpdate, TicketUpdateResponsible,
    TicketUpdateStatus,
};
use serde::{Deserialize, Serialize};

use super::new_order::{check_lines, text};
use super::{EndpointName, OnApi, TicketReference, refused};
use crate::prepared::sealed::{Lookup, LookupPurpose, Sealed};
use crate::prepared::{Creation, Match};

/// A change of a ticket, to be [`Prepared`](crate::Prepared) and placed. It is prepared because the call is not idempotent: a
/// comment that is sent twice appears twice.
///
/// ```
/// use lastmile::onapi::TicketChange;
/// use lastmile::onapi::types::TicketUpdateResponsible;
/// use lastmile::Prepared;
///
/// let ticket = "TT-1042".parse()?;
/// let closing = TicketChange::close(ticket, TicketUpdateResponsible::Co)
///     .comment("Kajsa Anka", "It works again.", "2026-03-03T10:00:00Z".parse()?);
/// let mut prepared = Prepared::new(closing)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// After a lost response, the change is looked up in the ticket: a comment by its author, text and time, a status by its value.
/// If the network assigns its own times to comments, a comment with the same text makes the result undecidable.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[must_use = "nothing is sent until it is prepared and placed"]
pub struct TicketChange {
    ticket: TicketReference,
    body: TicketUpdate,
}

impl TicketChange {
    /// Creates a change that adds a comment. `written` is the time of the comment; it distinguishes comments with the same
    /// text.
    pub fn comment_on(
        ticket: TicketReference,
        author: impl Into<String>,
        message: impl Into<String>,
        written: Timestamp,
    ) -> Self {
        Self { ticket, body: TicketUpdate::default() }.comment(author, message, written)
    }

    /// Creates a change that closes a ticket. `responsible` states who was responsible for the trouble; it is required to close
    /// a ticket. (Source: ON-API 2.6, tickets.)
    pub fn close(ticket: TicketReference, responsible: TicketUpdateResponsible) -> Self {
        let status = Some(TicketUpdateStatus::Closed);
        Self { ticket, body: TicketUpdate { status, responsible: Some(responsible), comment: None } }
    }

    /// Creates a change that assigns a ticket to the network (`IN_PROGRESS_CO`).
    pub fn hand_to_network(ticket: TicketReference) -> Self {
        Self {
            ticket,
            body: TicketUpdate { status: Some(TicketUpdateStatus::InProgressCo), ..Default::default() },
        }
    }

    /// Creates a change that assigns a ticket to the service provider (`IN_PROGRESS_SP`).
    pub fn take(ticket: TicketReference) -> Self {
        Self {
            ticket,
            body: TicketUpdate { status: Some(TicketUpdateStatus::InProgressSp), ..Default::default() },
        }
    }

    /// Adds a comment to the change.
    pub fn comment(
        mut self,
        author: impl Into<String>,
        message: impl Into<String>,
        written: Timestamp,
    ) -> Self {
        self.body.comment = Some(TicketCommentCreate {
            created_at: Some(written),
            created_by: Some(author.into()),
            message: Some(message.into()),
        });
        self
    }

    /// Sets which side is responsible for the trouble. Service levels are computed from it. (Source: ON-API 2.4 to 2.6, tickets.)
    pub fn responsible(mut self, side: TicketUpdateResponsible) -> Self {
        self.body.responsible = Some(side);
        self
    }

    /// Returns the ticket's reference.
    pub fn ticket(&self) -> &TicketReference {
        &self.ticket
    }

    pub(super) fn body(&self) -> &TicketUpdate {
        &self.body
    }

    fn is_in(&self, ticket: &Ticket, purpose: LookupPurpose) -> Lookup<()> {
        let Some(mine) = &self.body.comment else { return self.is_status_of(ticket, purpose) };
        if ticket.comments.is_absent() {
            return Lookup::Indeterminate("the network shows no comments of the ticket");
        }
        let mut found = Lookup::NotFound;
        for comment in ticket.comments.iter() {
            match comment.get().map_or(Match::Maybe, |held| is_comment(held, mine)) {
                Match::Yes => return Lookup::Found(()),
                Match::No => {}
                Match::Maybe => {
                    found = Lookup::Conflict("a comment of the ticket cannot be told from this one")
                }
            }
        }
        found
    }

    /// Returns whether the response has a status other than the requested one.
    fn contradicts(&self, ticket: &Ticket) -> bool {
        let mine = self.body.status.map(|status| status.to_string());
        let held = ticket.status.get();
        mine.zip(held).is_some_and(|(mine, held)| !held.as_str().eq_ignore_ascii_case(&mine))
    }

    fn is_status_of(&self, ticket: &Ticket, purpose: LookupPurpose) -> Lookup<()> {
        let Some(mine) = self.body.status else { return Lookup::NotFound };
        let responsible = self.body.responsible.map(|one| one.to_string());
        let held = ticket.responsible.get().map(|held| held.as_str().to_owned());
        match ticket.status.get() {
            None => Lookup::Indeterminate("the status of the ticket cannot be told"),
            // No change returns a ticket to its initial status.
            Some(TicketStatus::Created) if mine != TicketUpdateStatus::Created => Lookup::NotFound,
            // Nothing was sent yet, so the ticket still has the status that this change replaces.
            Some(status)
                if purpose == LookupPurpose::BeforeSending && status.as_str() != mine.to_string() =>
            {
                Lookup::NotFound
            }
            // A later change may have replaced the status: the network closes tickets that are assigned to it, and reopens
            // closed ones.
            Some(status) if status.as_str() != mine.to_string() => {
                Lookup::Conflict("the ticket has another status, which it may have been given after this one")
            }
            // The ticket has the requested status, by this change or another.
            Some(_) if responsible.is_none() || responsible == held => Lookup::Found(()),
            Some(_) => Lookup::Conflict("the ticket has the status already, under another responsible"),
        }
    }
}

fn is_comment(held: &TicketComment, mine: &TicketCommentCreate) -> Match {
    let author = match Match::of_reference(&held.created_by, mine.created_by.as_ref()) {
        // Some networks record the company as the author.
        Match::No => Match::Maybe,
        told => told,
    };
    let moment = match (held.created_at.get(), mine.created_at) {
        (Some(held), Some(mine)) if held.at() == mine.at() => Match::Yes,
        // The network may have assigned its own time.
        _ => Match::Maybe,
    };
    match Match::of_reference(&held.message, mine.message.as_ref()) {
        // Two comments rarely have the same time, so the network may have changed the text, and the author, too.
        Match::No if moment == Match::Yes => Match::Maybe,
        text => text.and(author).and(moment),
    }
}

impl Sealed for TicketChange {}

impl Creation for TicketChange {
    type Supplier = OnApi;
    type Created = ();
    const KIND: &'static str = "onapi.ticket-change";
    const MANUAL_CHECK: &'static str = "look at the ticket in the network's portal";

    fn check(&self) -> Result<(), Error> {
        if let Err(error) = crate::checks::segment(self.ticket.as_str()) {
            return Err(refused(format_args!("coTicketReference: {error}")));
        }
        text("coTicketReference", self.ticket.as_str(), 1)?;
        let TicketUpdate { status, responsible, comment } = &self.body;
        if status.is_none() && comment.is_none() {
            return Err(refused("nothing is to be changed"));
        }
        if *status == Some(TicketUpdateStatus::Closed) && responsible.is_none() {
            return Err(refused(
                "responsible: it is missing; whoever closes a ticket says who was responsible",
            ));
        }
        if let Some(comment) = comment {
            text("comment.createdBy", comment.created_by.as_deref().unwrap_or_default(), 1)?;
            text("comment.message", comment.message.as_deref().unwrap_or_default(), 1)?;
            if comment.created_at.is_none() {
                return Err(refused("comment.createdAt: it is missing: the change was altered in the store"));
            }
        }
        check_lines(&self.body)
    }

    async fn send(&self, network: &OnApi) -> Result<(), Error> {
        let (id, body) = (self.ticket.segment(), &self.body);
        let client = network.endpoint_client(EndpointName::Tickets)?;
        let reply = client.update_ticket(id, body).await?;
        // The standard's response has no body. A network that does return a body returns the ticket.
        match serde_json::from_slice::<Ticket>(reply.json_body()) {
            _ if reply.json_body().trim_ascii().is_empty() => Ok(()),
            Ok(ticket) if ticket.co_ticket_reference.as_deref() != Some(id.as_str()) => {
                Err(reply.into_decode_error("the response is neither empty nor the ticket that was changed"))
            }
            Ok(ticket) if self.contradicts(&ticket) => Err(reply.into_decode_error(
                "the response is the ticket with another status than the one that was asked for",
            )),
            Ok(_) => Ok(()),
            _ => {
                Err(reply.into_decode_error("the response is neither empty nor the ticket that was changed"))
            }
        }
    }

    async fn find(&self, network: &OnApi, purpose: LookupPurpose) -> Result<Lookup<()>, Error> {
        let ticket = network.ticket(&self.ticket).await?;
        if ticket.co_ticket_reference.as_deref() != Some(self.ticket.as_str()) {
            return Ok(Lookup::Indeterminate("the network responds with another ticket"));
        }
        Ok(self.is_in(&ticket, purpose))
    }
}
