//! Trouble tickets.

use lastmile_core::wire::{Lenient, OneOrMany, Text, Timestamp};
use lastmile_core::{Error, Reply};
use lastmile_onapi::types::{
    ListTicketsParams, ListTicketsStatus, Ticket, TicketCreate, TicketCreateProblemType, TicketInfoRequest,
    TicketSummary,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::lists::if_modified;
use super::lists::{Cursor, says_nothing_to_list};
use super::new_order::{check_lines, id, text};
use super::{EndpointName, OnApi, TicketReference, refused};
use crate::List;
use crate::prepared::sealed::{Lookup, LookupPurpose, Sealed};
use crate::prepared::{Creation, Match};
use crate::rules::OnApiId;

/// A new trouble ticket, to be [`Prepared`](crate::Prepared) and placed.
///
/// ```
/// use lastmile::onapi::NewTicket;
/// use lastmile::onapi::types::TicketCreateProblemType::NoLink;
/// use lastmile::Prepared;
///
/// let ticket = NewTicket::new("TT-0431", "No link since the storm", "The socket is dark")
///     .access("a-1001".parse()?)
///     .problem(NoLink)
///     .created_by("Support, Ankeborg");
/// let mut prepared = Prepared::new(ticket)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
#[must_use = "nothing is sent until it is prepared and placed"]
pub struct NewTicket {
    body: TicketCreate,
}

impl NewTicket {
    /// Creates a ticket with a heading and a description. `reference` is the ticket's reference in your own system
    /// (`spTicketReference`). It must be unique among your tickets, because it identifies the ticket after a lost response.
    pub fn new(
        reference: impl Into<String>,
        heading: impl Into<String>,
        description: impl Into<String>,
    ) -> Self {
        let body = TicketCreate {
            sp_ticket_reference: Some(reference.into()),
            heading: Some(heading.into()),
            description: Some(description.into()),
            ..Default::default()
        };
        Self { body }
    }

    /// Sets the access that has the trouble.
    pub fn access(mut self, access: OnApiId) -> Self {
        self.body.access_id = Some(access.into());
        self
    }

    /// Sets the subscription that has the trouble, by the network's id.
    pub fn subscription(mut self, subscription: OnApiId) -> Self {
        self.body.subscription_id = Some(subscription.into());
        self
    }

    /// Sets your reference to the end customer or service (`spReference`).
    pub fn customer_reference(mut self, reference: impl Into<String>) -> Self {
        self.body.sp_reference = Some(reference.into());
        self
    }

    /// Sets the kind of trouble.
    pub fn problem(mut self, kind: TicketCreateProblemType) -> Self {
        self.body.problem_type = Some(kind);
        self
    }

    /// Sets the name of the person or department that opens the ticket.
    pub fn created_by(mut self, name: impl Into<String>) -> Self {
        self.body.created_by = Some(name.into());
        self
    }

    /// Sets additional information about the line.
    pub fn info(mut self, info: TicketInfoRequest) -> Self {
        self.body.additional_info = Some(info);
        self
    }
}

impl Sealed for NewTicket {}

impl Creation for NewTicket {
    type Supplier = OnApi;
    type Created = TicketReference;
    const KIND: &'static str = "onapi.ticket";
    const MANUAL_CHECK: &'static str = "look for the ticket in the network's portal";

    fn check(&self) -> Result<(), Error> {
        let body = &self.body;
        let info = body.additional_info.clone().unwrap_or_default();
        for (field, value, shortest) in [
            ("spTicketReference", &body.sp_ticket_reference, 1),
            ("heading", &body.heading, 1),
            ("description", &body.description, 1),
            ("spReference", &body.sp_reference, 0),
            ("createdBy", &body.created_by, 0),
            ("additionalInfo.ip", &info.ip, 0),
            ("additionalInfo.mac", &info.mac, 0),
        ] {
            text(field, value.as_deref().unwrap_or_default(), shortest)?;
        }
        for (field, value) in [("accessId", &body.access_id), ("subscriptionId", &body.subscription_id)] {
            if value.is_some() {
                id(field, value.as_deref())?;
            }
        }
        check_lines(body)?;
        // The stored request may have been changed in the store.
        if body.status.is_some() {
            return Err(refused(
                "the ticket holds a status, which the network sets: it was changed in the store",
            ));
        }
        Ok(())
    }

    async fn send(&self, network: &OnApi) -> Result<TicketReference, Error> {
        let body = &self.body;
        let client = network.endpoint_client(EndpointName::Tickets)?;
        let reply = client.create_ticket(body).await?;
        if reply.value.extra.get("cause").is_some_and(|cause| !cause.is_null() && cause != "") {
            return Err(reply.into_decode_error("the response has the cause of an error: it is no ticket"));
        }
        if self.is_contradicted(&reply.value.extra) {
            return Err(
                reply.into_decode_error("the response is another ticket than the one that was asked for")
            );
        }
        match reply.value.co_ticket_reference.as_deref().map(str::parse) {
            Some(Ok(reference)) => Ok(reference),
            _ => Err(reply.into_decode_error(
                "the ticket is opened, but the response has no reference that it could be followed by",
            )),
        }
    }

    async fn find(&self, network: &OnApi, purpose: LookupPurpose) -> Result<Lookup<TicketReference>, Error> {
        let tickets = match network.listed_tickets(&TicketQuery::default()).await {
            Ok(Some(reply)) => reply.value,
            Ok(None) => {
                return Ok(Lookup::Indeterminate(
                    "the network says that nothing has changed, without having been asked",
                ));
            }
            Err(error) if says_nothing_to_list(&error) => return Ok(Lookup::NotFound),
            Err(error) => return Err(error),
        };
        // Before anything is sent, `null` and similar responses count as an empty list.
        let mut found = match purpose {
            LookupPurpose::AfterSending if !tickets.is_array() => {
                Lookup::Indeterminate("the network responds without a list of tickets")
            }
            _ => Lookup::NotFound,
        };
        for ticket in tickets {
            match ticket.get().map_or(Match::Maybe, |ticket| self.is_this(ticket)) {
                Match::Yes => {
                    let reference = ticket.get().and_then(|ticket| ticket.co_ticket_reference.as_deref());
                    return Ok(match reference.map(str::parse) {
                        Some(Ok(reference)) => Lookup::Found(reference),
                        _ => Lookup::Conflict("a ticket has the reference, but none of the network's own"),
                    });
                }
                Match::No => {}
                Match::Maybe => {
                    found = Lookup::Indeterminate("a ticket of the list cannot be told from this one")
                }
            }
        }
        Ok(found)
    }
}

impl NewTicket {
    pub(super) fn body(&self) -> &TicketCreate {
        &self.body
    }

    /// Returns whether the response to the creation differs from the request, in a field that both have.
    fn is_contradicted(&self, answer: &Map<String, Value>) -> bool {
        let body = &self.body;
        let fields = [
            ("spTicketReference", &body.sp_ticket_reference),
            ("heading", &body.heading),
            ("accessId", &body.access_id),
        ];
        fields.into_iter().any(|(name, given)| {
            let held = serde_json::from_value::<Lenient<Text>>(answer.get(name).cloned().unwrap_or_default());
            held.is_ok_and(|held| Match::of_field(&held, given.as_ref()) == Match::No)
        })
    }

    fn is_this(&self, ticket: &TicketSummary) -> Match {
        Match::of_reference(&ticket.sp_ticket_reference, self.body.sp_ticket_reference.as_ref())
    }
}

/// A filter for the list of tickets.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct TicketQuery {
    /// Limits the list to tickets with this status.
    pub status: Option<ListTicketsStatus>,
    /// Limits the list to tickets that were opened after this time.
    pub opened_after: Option<Timestamp>,
    /// Limits the list to tickets that were opened or changed since this cursor.
    pub since: Option<Cursor>,
}

impl TicketQuery {
    /// Limits the list to tickets with this status.
    #[must_use]
    pub fn with_status(self, status: ListTicketsStatus) -> Self {
        Self { status: Some(status), ..self }
    }

    /// Limits the list to tickets that were opened after this time.
    #[must_use]
    pub fn with_opened_after(self, opened_after: Timestamp) -> Self {
        Self { opened_after: Some(opened_after), ..self }
    }

    /// Limits the list to tickets that were opened or changed since this cursor. `None` removes the limit.
    #[must_use]
    pub fn with_since(self, since: impl Into<Option<Cursor>>) -> Self {
        Self { since: since.into(), ..self }
    }
}

/// The result of listing tickets, as summaries.
#[derive(Debug)]
#[non_exhaustive]
pub enum TicketList {
    /// Nothing has changed since the cursor.
    NotModified,
    /// The network reports that it has nothing to list.
    Nothing,
    /// The network returned a list.
    Tickets {
        /// The tickets.
        tickets: List<TicketSummary>,
        /// The cursor for the next request, if the network gives one.
        cursor: Option<Cursor>,
    },
}

impl OnApi {
    /// Reads a ticket.
    ///
    /// # Errors
    /// Returns [`Outcome::Rejected`](crate::Outcome::Rejected) with status 404 when no ticket has this reference.
    #[doc(alias = "getTicket")]
    #[doc(alias = "GET /tickets/{coTicketReference}")]
    pub async fn ticket(&self, reference: &TicketReference) -> Result<Ticket, Error> {
        let client = self.endpoint_client(EndpointName::Tickets)?;
        client.get_ticket(reference.segment()).await.map(Reply::into_value)
    }

    /// Lists the tickets that match a query.
    ///
    /// # Errors
    /// Returns the error of the call.
    #[doc(alias = "listTickets")]
    #[doc(alias = "GET /tickets")]
    pub async fn tickets(&self, query: &TicketQuery) -> Result<TicketList, Error> {
        match self.listed_tickets(query).await {
            Ok(Some(reply)) => {
                let cursor = Cursor::of(&reply.headers);
                Ok(TicketList::Tickets { tickets: List::arrived(reply.value.into_vec()), cursor })
            }
            Ok(None) => Ok(TicketList::NotModified),
            Err(error) if says_nothing_to_list(&error) => Ok(TicketList::Nothing),
            Err(error) => Err(error),
        }
    }

    /// Returns the list of tickets as it arrived, or `None` if nothing has changed.
    async fn listed_tickets(
        &self,
        query: &TicketQuery,
    ) -> Result<Option<Reply<OneOrMany<Lenient<TicketSummary>>>>, Error> {
        let params = ListTicketsParams {
            status: query.status,
            created: query.opened_after.map(|moment| moment.to_string()),
            if_modified_since: query.since.as_ref().map(|cursor| cursor.0.clone()),
        };
        let client = self.endpoint_client(EndpointName::Tickets)?;
        if_modified(client.list_tickets(&params).await)
    }
}
