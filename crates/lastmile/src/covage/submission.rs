//! Submissions of drafts. A submission places an order or terminates a service.

use std::fmt;
use std::time::Duration;

use lastmile_core::client::ApiClient as _;
use lastmile_core::{Error, Outcome};
use lastmile_covage::types::{Order, OrderStatus, OrderUpdate, OrderUpdateStatus};
use serde::{Deserialize, Serialize};

use super::seen::Seen;
use super::{Covage, Draft, OrderId, Readiness, refused};
use crate::prepared::Creation;
use crate::prepared::sealed::{Lookup, LookupPurpose, Sealed, Supplier as _};

/// An error that occurs when a draft is not ready for submission. It contains the draft, so that its fields can be completed.
///
/// It converts into an [`Error`] with [`Outcome::Invalid`], since no request was sent.
#[derive(Debug)]
pub struct NotReady {
    draft: Box<Draft>,
    why: Why,
}

#[derive(Debug)]
pub(super) enum Why {
    Incomplete(Readiness),
    Otherwise(&'static str),
}

impl NotReady {
    pub(super) fn new(draft: Draft, why: Why) -> Self {
        Self { draft: Box::new(draft), why }
    }

    /// Returns all fields that prevent the submission. Returns `None` if the draft is another type of order, or if the
    /// confirmation names another service.
    pub fn readiness(&self) -> Option<&Readiness> {
        match &self.why {
            Why::Incomplete(readiness) => Some(readiness),
            Why::Otherwise(_) => None,
        }
    }

    /// Returns the unchanged draft.
    pub fn into_draft(self) -> Draft {
        *self.draft
    }

    /// Returns [`Outcome::Invalid`], since no request was sent.
    pub fn outcome(&self) -> Outcome {
        Outcome::Invalid
    }
}

impl fmt::Display for NotReady {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.why {
            Why::Incomplete(readiness) => write!(f, "the draft cannot be submitted: {readiness}"),
            Why::Otherwise(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for NotReady {}

impl From<NotReady> for Error {
    fn from(not_ready: NotReady) -> Self {
        refused(not_ready)
    }
}

/// A confirmation that a service may be disconnected. The disconnection is permanent and takes effect as soon as the
/// termination is submitted.
///
/// A notice period is agreed with the supplier beforehand; submit the termination at its end. (Source: orders API, "Order
/// terminate".)
///
/// ```
/// use lastmile::covage::ConfirmTermination;
///
/// let confirmation = ConfirmTermination::new("S191128_21428");
/// ```
#[derive(Clone, PartialEq, Eq)]
#[must_use]
pub struct ConfirmTermination {
    service: String,
}

impl ConfirmTermination {
    /// Confirms that this service may be disconnected. `service` is its id or its commercial reference.
    pub fn new(service: impl Into<String>) -> Self {
        Self { service: service.into() }
    }

    /// Returns whether the confirmation names the service of this order.
    pub(super) fn is_of(&self, order: &Order) -> bool {
        // An id may also be written in capital letters and without hyphens.
        let plain = |id: &str| id.replace('-', "").to_ascii_lowercase();
        let is_id = |id: &str| !id.is_empty() && plain(id) == plain(&self.service);
        let is_reference = |reference: &str| !reference.is_empty() && reference == self.service;
        order.service_uuid.as_deref().is_some_and(is_id)
            || order.service_ref.as_deref().is_some_and(is_reference)
    }
}

impl fmt::Debug for ConfirmTermination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ConfirmTermination({})", self.service)
    }
}

/// The submission of a draft. It is placed through [`Prepared`](crate::Prepared).
///
/// A submission cannot be undone: a submitted order cannot be changed, and cannot be submitted again.
///
/// ```compile_fail,E0382
/// # use lastmile::covage::Draft;
/// fn twice(draft: Draft) {
///     let first = draft.submission();
///     let second = draft.submission();
/// }
/// ```
///
/// The submission contains the fields of the draft as they were last seen. Before the submission is sent, the draft is read and
/// compared with them. If it now has another socket, customer or option, it is not submitted and the call fails with
/// [`Outcome::Invalid`]: read the draft again, check what it orders, and create a new submission. Another change can still
/// occur between this read and the submission. The response is therefore compared as well, and the call fails with
/// [`Outcome::Decode`] if the order was submitted with other fields.
#[derive(Debug, Serialize, Deserialize)]
#[must_use = "a submission orders nothing until it is placed"]
pub struct Submission {
    uuid: OrderId,
    /// `None` if an earlier version of this crate stored the submission.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    seen: Option<Seen>,
}

impl Submission {
    pub(super) fn new(uuid: OrderId, seen: Seen) -> Self {
        Self { uuid, seen: Some(seen) }
    }

    /// Returns the fields in which an order differs from the last known state of the draft.
    fn differences(&self, order: &Order) -> String {
        let differences = self.seen.as_ref().map(|seen| seen.differences(order)).unwrap_or_default();
        differences.join(", ")
    }

    /// Returns the supplier's id of the order (`uuid`).
    pub fn id(&self) -> &OrderId {
        &self.uuid
    }

    /// Returns whether a response states that this order is submitted. Returns `None` if it is another order or states no
    /// status.
    fn is_submitted(&self, order: &Order) -> Option<bool> {
        if order.uuid.as_deref() != Some(self.uuid.as_str()) {
            return None;
        }
        match order.status.get()? {
            OrderStatus::Draft => Some(false),
            OrderStatus::Submitted => Some(true),
            // No source lists the statuses after the submission, so the date of the submission decides.
            _ => order.submission_date.get().map(|_| true),
        }
    }
}

/// Returns the message for an order that was submitted with other fields than the draft last had.
fn submitted_otherwise(differences: &str) -> String {
    format!(
        "{differences}: the order is submitted, but not as the draft was last seen: read it, and tell the supplier"
    )
}

/// Returns the error of a request that is not sent now, with the time after which to retry.
fn refused_for(reason: &str, wait: Duration) -> Error {
    Error::throttled(Covage::API, reason).with_own_advice().with_retry_after(wait)
}

impl Sealed for Submission {}

impl Creation for Submission {
    type Supplier = Covage;
    type Created = Order;
    const KIND: &'static str = "covage.submission";
    const MANUAL_CHECK: &'static str = "look at the order on the extranet, whether it is submitted";

    fn check(&self) -> Result<(), Error> {
        Ok(())
    }

    async fn send(&self, covage: &Covage) -> Result<Order, Error> {
        let uuid = self.uuid.segment();
        let body = OrderUpdate { status: Some(OrderUpdateStatus::Submitted), ..Default::default() };
        // A change that received no response may still be carried out after the draft is compared. The submission therefore
        // waits.
        let own = serde_json::to_vec(&body).unwrap_or_default();
        if let Some(wait) =
            covage.client.transport().unsettled_change(&format!("/orders/{}/", uuid.encoded()), &own)
        {
            let reason = "a change of the draft was not answered and may still be carried out. Nothing was sent. Submit it later";
            return Err(refused_for(reason, wait));
        }
        let draft = covage.order(&self.uuid).await?;
        let differences = self.differences(&draft);
        if self.is_submitted(&draft) == Some(true) {
            return match differences.is_empty() {
                true => Ok(draft),
                false => {
                    Err(Error::indeterminate(Covage::API, submitted_otherwise(&differences))
                        .with_own_advice())
                }
            };
        }
        if !differences.is_empty() {
            return Err(refused(format_args!(
                "{differences}: the draft has changed since it was last seen: read it again, look at what it orders, and make \
                 a new submission"
            )));
        }
        let reply = covage.client.update_order(uuid, &body).await?;
        if self.is_submitted(&reply.value) == Some(true) {
            let differences = self.seen.as_ref().map(|seen| seen.differences_in_response(&reply.value));
            let differences = differences.unwrap_or_default().join(", ");
            if !differences.is_empty() {
                return Err(reply.into_decode_error(submitted_otherwise(&differences)));
            }
            return Ok(reply.value);
        }
        Err(reply.into_decode_error("the response does not say that this order is submitted"))
    }

    async fn find(&self, covage: &Covage, _: LookupPurpose) -> Result<Lookup<Order>, Error> {
        let order = covage.order(&self.uuid).await?;
        Ok(match self.is_submitted(&order) {
            Some(true) if !self.differences(&order).is_empty() => Lookup::Conflict(
                "the order is submitted, but not as the draft was last seen: read it, and tell the supplier",
            ),
            Some(true) => Lookup::Found(order),
            Some(false) => Lookup::NotFound,
            None => Lookup::Indeterminate("the response does not tell whether this order is submitted"),
        })
    }
}
