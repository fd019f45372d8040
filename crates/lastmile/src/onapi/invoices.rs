//! What is charged, line by line, to hold against the invoice.

use std::fmt;
use std::str::FromStr;

use lastmile_core::Error;
use lastmile_core::rows::Rows;
use lastmile_core::wire::{Loose, NotASegment, Segment};
use lastmile_onapi::types::{InvoiceLine, InvoicePeriod};
use serde::{Deserialize, Serialize};

use super::lists::says_nothing_to_list;
use super::{EndpointName, OnApi};

/// The network's id of an invoice period.
///
/// ```
/// use lastmile::onapi::PeriodId;
///
/// let period: PeriodId = "202512".parse()?; // from your store, or from `PeriodId::of`
/// # Ok::<(), lastmile::wire::NotASegment>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PeriodId(Segment);

impl PeriodId {
    /// The id of a period that the network lists; none where it has no usable one.
    pub fn of(period: &InvoicePeriod) -> Option<Self> {
        period.id.as_deref()?.parse().ok()
    }
}

impl FromStr for PeriodId {
    type Err = NotASegment;

    fn from_str(text: &str) -> Result<Self, NotASegment> {
        text.parse().map(Self)
    }
}

impl fmt::Display for PeriodId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl OnApi {
    /// The periods that can be looked at.
    ///
    /// # Errors
    /// The outcome of the call.
    #[doc(alias = "listInvoicePeriods")]
    #[doc(alias = "GET /invoicespecification/")]
    pub async fn invoice_periods(&self) -> Result<Vec<Loose<InvoicePeriod>>, Error> {
        let way = self.way(EndpointName::InvoiceSpecification)?;
        match way.list_invoice_periods().await {
            Ok(reply) => Ok(reply.value.into_vec()),
            Err(error) if says_nothing_to_list(&error) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// What is charged for a period, row by row: one line for each item of each subscription.
    ///
    /// # Errors
    /// The outcome of the call; [`Outcome::Rejected`](crate::Outcome::Rejected) with status 404 when there is no such period.
    #[doc(alias = "getInvoiceLines")]
    #[doc(alias = "GET /invoicespecification/{invoicePeriodId}")]
    pub async fn invoice_lines(&self, period: &PeriodId) -> Result<Rows<InvoiceLine>, Error> {
        let id = &period.0;
        let way = self.way(EndpointName::InvoiceSpecification)?;
        way.get_invoice_lines_rows(id).await
    }
}
