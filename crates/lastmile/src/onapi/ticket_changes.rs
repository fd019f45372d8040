//! Tickets that go on: commented, handed over, closed.

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

/// What is added to a ticket, to be [`Prepared`](crate::Prepared): sent twice, a comment would stand there twice.
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
/// When the answer is lost, it is looked for in the ticket: a comment by its author, text and moment, a status by itself. A
/// network that gives comments a moment of its own leaves it undecidable whether one of the same text is this one.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[must_use = "nothing is sent until it is prepared and placed"]
pub struct TicketChange {
    ticket: TicketReference,
    body: TicketUpdate,
}

impl TicketChange {
    /// A comment. `written` is when it was; it tells this comment from another of the same text.
    pub fn comment_on(
        ticket: TicketReference,
        author: impl Into<String>,
        message: impl Into<String>,
        written: Timestamp,
    ) -> Self {
        Self { ticket, body: TicketUpdate::default() }.comment(author, message, written)
    }

    /// Closes a ticket. `responsible` is who was responsible for the trouble; whoever closes a ticket has to say so.
    /// (Source: ON-API 2.6, tickets.)
    pub fn close(ticket: TicketReference, responsible: TicketUpdateResponsible) -> Self {
        let status = Some(TicketUpdateStatus::Closed);
        Self { ticket, body: TicketUpdate { status, responsible: Some(responsible), comment: None } }
    }

    /// Gives a ticket to the network to work on (`IN_PROGRESS_CO`).
    pub fn hand_to_network(ticket: TicketReference) -> Self {
        Self {
            ticket,
            body: TicketUpdate { status: Some(TicketUpdateStatus::InProgressCo), ..Default::default() },
        }
    }

    /// Takes a ticket to work on it oneself (`IN_PROGRESS_SP`).
    pub fn take(ticket: TicketReference) -> Self {
        Self {
            ticket,
            body: TicketUpdate { status: Some(TicketUpdateStatus::InProgressSp), ..Default::default() },
        }
    }

    /// The same with a comment.
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

    /// The ticket.
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

    /// Whether the answer to the change has another status than the one that was asked for.
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
            // No change leads back to where a ticket begins.
            Some(TicketStatus::Created) if mine != TicketUpdateStatus::Created => Lookup::NotFound,
            // Nothing was sent yet, so the other status is what is to be changed.
            Some(status)
                if purpose == LookupPurpose::BeforeSending && status.as_str() != mine.to_string() =>
            {
                Lookup::NotFound
            }
            // Somebody may have taken it further: the network closes what it was handed, and opens again what was closed.
            Some(status) if status.as_str() != mine.to_string() => {
                Lookup::Conflict("the ticket has another status, which it may have been given after this one")
            }
            // Whoever brought it about, it is as it was to be.
            Some(_) if responsible.is_none() || responsible == held => Lookup::Found(()),
            Some(_) => Lookup::Conflict("the ticket has the status already, under another responsible"),
        }
    }
}

fn is_comment(held: &TicketComment, mine: &TicketCommentCreate) -> Match {
    let author = match Match::of_reference(&held.created_by, mine.created_by.as_ref()) {
        // Some networks write the company instead.
        Match::No => Match::Maybe,
        told => told,
    };
    let moment = match (held.created_at.get(), mine.created_at) {
        (Some(held), Some(mine)) if held.at() == mine.at() => Match::Yes,
        // The network may have its own moment for it.
        _ => Match::Maybe,
    };
    match Match::of_reference(&held.message, mine.message.as_ref()) {
        // Few write at the same moment; so the network may have changed the text, and the author, too.
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
        // The standard answers without a body; what a network answers beyond that is the ticket.
        match serde_json::from_slice::<Ticket>(reply.json_body()) {
            _ if reply.json_body().trim_ascii().is_empty() => Ok(()),
            Ok(ticket) if ticket.co_ticket_reference.as_deref() != Some(id.as_str()) => {
                Err(reply.unfit("the answer is neither empty nor the ticket that was changed"))
            }
            Ok(ticket) if self.contradicts(&ticket) => {
                Err(reply
                    .unfit("the answer is the ticket with another status than the one that was asked for"))
            }
            Ok(_) => Ok(()),
            _ => Err(reply.unfit("the answer is neither empty nor the ticket that was changed")),
        }
    }

    async fn find(&self, network: &OnApi, purpose: LookupPurpose) -> Result<Lookup<()>, Error> {
        let ticket = network.ticket(&self.ticket).await?;
        if ticket.co_ticket_reference.as_deref() != Some(self.ticket.as_str()) {
            return Ok(Lookup::Indeterminate("the network answers with another ticket"));
        }
        Ok(self.is_in(&ticket, purpose))
    }
}
