//! Ids of the network whose format the standard does not define. Ids of accesses, subscriptions and orders are [`OnApiId`]s.

use lastmile_core::wire::{Lenient, Text};
use lastmile_onapi::types::OrderOfEvent;

use crate::id::id;
use crate::rules::{OnApiId, RuleError};

const API: &str = lastmile_onapi::TABLE.api;

id! {
    /// The network's id of an invoice period.
    ///
    /// ```
    /// use lastmile::onapi::PeriodId;
    ///
    /// let period: PeriodId = "202512".parse()?; // from your store
    /// # Ok::<(), lastmile::IdError>(())
    /// ```
    ///
    /// To get the id of a listed period, use `PeriodId::try_from(&period.id)`.
    PeriodId, API, "the period's id"
}

id! {
    /// The network's reference of a ticket (`coTicketReference`).
    ///
    /// ```
    /// use lastmile::onapi::TicketReference;
    ///
    /// let reference: TicketReference = "TT-1042".parse()?; // from your store
    /// assert_eq!(reference.to_string(), "TT-1042");
    /// # Ok::<(), lastmile::IdError>(())
    /// ```
    TicketReference, API, "the ticket's reference"
}

/// Reads the id from a field of a response. Fails if the field is missing or unreadable.
impl TryFrom<&Lenient<Text>> for OnApiId {
    type Error = RuleError;

    fn try_from(field: &Lenient<Text>) -> Result<Self, RuleError> {
        field.as_deref().unwrap_or_default().parse()
    }
}

/// Reads the id of an event's order from the last segment of its `path`, because events carry no other id. (Source: ON-API 2.6,
/// order events.)
impl TryFrom<&OrderOfEvent> for OnApiId {
    type Error = RuleError;

    fn try_from(order: &OrderOfEvent) -> Result<Self, RuleError> {
        in_path(&order.path)
    }
}

/// Returns the id in the `path` of an order.
pub(super) fn in_path(path: &Lenient<Text>) -> Result<OnApiId, RuleError> {
    let path = path.as_deref().unwrap_or_default().trim_end_matches('/');
    path.rsplit('/').next().unwrap_or_default().parse()
}
