//! Invoice specifications: the charged items, for checking the invoice.

use lastmile_core::Error;
use lastmile_core::rows::Rows;
use lastmile_onapi::types::{InvoiceLine, InvoicePeriod};

use super::lists::says_nothing_to_list;
use super::{EndpointName, OnApi, PeriodId};
use crate::List;

impl OnApi {
    /// Lists the periods that have an invoice specification.
    ///
    /// # Errors
    /// Returns the error of the call.
    #[doc(alias = "listInvoicePeriods")]
    #[doc(alias = "GET /invoicespecification/")]
    pub fn invoice_periods(&self) -> List<InvoicePeriod> {
        let network = self.clone();
        List::new(async move {
            let client = network.endpoint_client(EndpointName::InvoiceSpecification)?;
            match client.list_invoice_periods().await {
                Ok(reply) => Ok(reply.value.into_vec()),
                Err(error) if says_nothing_to_list(&error) => Ok(Vec::new()),
                Err(error) => Err(error),
            }
        })
    }

    /// Returns the invoice lines of a period, row by row: one line for each item of each subscription.
    ///
    /// # Errors
    /// Returns the error of the call, such as [`Outcome::Rejected`](crate::Outcome::Rejected) with status 404 when the network
    /// has no such period.
    #[doc(alias = "getInvoiceLines")]
    #[doc(alias = "GET /invoicespecification/{invoicePeriodId}")]
    pub async fn invoice_lines(&self, period: &PeriodId) -> Result<Rows<InvoiceLine>, Error> {
        let client = self.endpoint_client(EndpointName::InvoiceSpecification)?;
        client.get_invoice_lines_rows(period.segment()).await
    }
}
