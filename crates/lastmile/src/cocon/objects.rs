//! Reading, changing and deleting what Cocon holds.

use lastmile_cocon::types::{
    Contact, ContactPatch, Customer, CustomerContract, CustomerContractCreate, CustomerContractPatch,
    CustomerPatch,
};
use lastmile_core::wire::Patch;
use lastmile_core::{Error, Reply};

use super::texts::check_change;
use super::{Cocon, ContactId, ContractDates, ContractId, CustomerId};

/// Contacts, customers and contracts. Each is created through a [`Prepared`](crate::Prepared) value.
impl Cocon {
    /// Reads a contact.
    ///
    /// # Errors
    /// [`Outcome::Rejected`](crate::Outcome::Rejected) with status 404 when there is none of this id.
    #[doc(alias = "getContact")]
    #[doc(alias = "GET /api/v1/contacts/{id}")]
    pub async fn contact(&self, id: &ContactId) -> Result<Contact, Error> {
        self.client.get_contact(id.segment()).await.map(Reply::into_value)
    }

    /// Reads a contact of a customer.
    ///
    /// # Errors
    /// [`Outcome::Rejected`](crate::Outcome::Rejected) with status 404 when the customer has none of this id.
    #[doc(alias = "getCustomerContact")]
    #[doc(alias = "GET /api/v1/customers/{id}/contacts/{contactId}")]
    pub async fn customer_contact(
        &self,
        customer: &CustomerId,
        contact: &ContactId,
    ) -> Result<Contact, Error> {
        self.client.get_customer_contact(customer.segment(), contact.segment()).await.map(Reply::into_value)
    }

    /// Changes the fields of a contact that the patch sets or clears, and answers with the contact as it is then.
    ///
    /// ```
    /// # use lastmile::cocon::{Cocon, ContactId, types::ContactPatch};
    /// # async fn example(cocon: &Cocon, id: &ContactId) -> lastmile::Result<()> {
    /// // What is not named is left alone.
    /// let patch = ContactPatch::default().name("Kajsa Anka").clear_phone_number();
    /// let contact = cocon.update_contact(id, &patch).await?.value;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// A field that Cocon does not let be cleared cannot be:
    ///
    /// ```compile_fail,E0599
    /// # use lastmile::cocon::types::ContactPatch;
    /// ContactPatch::default().clear_is_primary_contact();
    /// ```
    ///
    /// Where [`earlier_attempt_unanswered`](Reply::earlier_attempt_unanswered) is set, the supplier may still carry an earlier
    /// attempt out, after a newer change: read it again before you rely on it.
    ///
    /// # Errors
    /// [`Outcome::Invalid`](crate::Outcome::Invalid) when the patch changes nothing or sets a blank text; else the outcome of the
    /// call. The same patch can be sent again.
    #[doc(alias = "updateContact")]
    #[doc(alias = "PATCH /api/v1/contacts/{id}")]
    pub async fn update_contact(
        &self,
        id: &ContactId,
        patch: &ContactPatch,
    ) -> Result<Reply<Contact>, Error> {
        check_change(patch)?;
        self.client.update_contact(id.segment(), patch).await
    }

    /// Deletes a contact.
    ///
    /// # Errors
    /// The outcome of the call. It can be called again.
    #[doc(alias = "deleteContact")]
    #[doc(alias = "DELETE /api/v1/contacts/{id}")]
    pub async fn delete_contact(&self, id: &ContactId) -> Result<(), Error> {
        self.client.delete_contact(id.segment()).await.map(Reply::into_value)
    }

    /// Reads a customer.
    ///
    /// # Errors
    /// [`Outcome::Rejected`](crate::Outcome::Rejected) with status 404 when there is none of this id.
    #[doc(alias = "getCustomer")]
    #[doc(alias = "GET /api/v1/customers/{id}")]
    pub async fn customer(&self, id: &CustomerId) -> Result<Customer, Error> {
        self.client.get_customer(id.segment()).await.map(Reply::into_value)
    }

    /// Changes the fields of a customer that the patch sets or clears, those of the address and the outage contact one by
    /// one, and answers with the customer as it is then.
    ///
    /// Where [`earlier_attempt_unanswered`](Reply::earlier_attempt_unanswered) is set, the supplier may still carry an earlier
    /// attempt out, after a newer change: read it again before you rely on it.
    ///
    /// # Errors
    /// [`Outcome::Invalid`](crate::Outcome::Invalid) when the patch changes nothing or sets a blank text; else the outcome of the
    /// call. The same patch can be sent again.
    #[doc(alias = "updateCustomer")]
    #[doc(alias = "PATCH /api/v1/customers/{id}")]
    pub async fn update_customer(
        &self,
        id: &CustomerId,
        patch: &CustomerPatch,
    ) -> Result<Reply<Customer>, Error> {
        check_change(patch)?;
        self.client.update_customer(id.segment(), patch).await
    }

    /// Deletes a customer.
    ///
    /// # Errors
    /// The outcome of the call. It can be called again.
    #[doc(alias = "deleteCustomer")]
    #[doc(alias = "DELETE /api/v1/customers/{id}")]
    pub async fn delete_customer(&self, id: &CustomerId) -> Result<(), Error> {
        self.client.delete_customer(id.segment()).await.map(Reply::into_value)
    }

    /// Reads a contract.
    ///
    /// # Errors
    /// [`Outcome::Rejected`](crate::Outcome::Rejected) with status 404 when there is none of this id.
    #[doc(alias = "getCustomerContract")]
    #[doc(alias = "GET /api/v1/customer-contracts/{id}")]
    pub async fn contract(&self, id: &ContractId) -> Result<CustomerContract, Error> {
        self.client.get_customer_contract(id.segment()).await.map(Reply::into_value)
    }

    /// Changes the fields of a contract that the patch sets or clears, and answers with the contract as it is then.
    ///
    /// Where [`earlier_attempt_unanswered`](Reply::earlier_attempt_unanswered) is set, the supplier may still carry an earlier
    /// attempt out, after a newer change: read it again before you rely on it.
    ///
    /// # Errors
    /// [`Outcome::Invalid`](crate::Outcome::Invalid) when the patch changes nothing or sets a blank text; else the outcome of the
    /// call. The same patch can be sent again.
    #[doc(alias = "updateCustomerContract")]
    #[doc(alias = "PATCH /api/v1/customer-contracts/{id}")]
    pub async fn update_contract(
        &self,
        id: &ContractId,
        patch: &CustomerContractPatch,
    ) -> Result<Reply<CustomerContract>, Error> {
        check_change(patch)?;
        self.client.update_customer_contract(id.segment(), patch).await
    }

    /// Deletes a contract.
    ///
    /// # Errors
    /// The outcome of the call. It can be called again.
    #[doc(alias = "deleteCustomerContract")]
    #[doc(alias = "DELETE /api/v1/customer-contracts/{id}")]
    pub async fn delete_contract(&self, id: &ContractId) -> Result<(), Error> {
        self.client.delete_customer_contract(id.segment()).await.map(Reply::into_value)
    }
}

/// A contract of these dates, to be filled in further.
///
/// ```
/// use lastmile::cocon::{ContractDates, types::CustomerContractCreate};
///
/// let dates = ContractDates { start: "2026-01-01".parse().ok(), end: "2026-12-31".parse()? };
/// assert!(dates.warnings().is_empty());
/// let contract = CustomerContractCreate { name: Some("Glasvezel".into()), ..dates.into() };
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
impl From<ContractDates> for CustomerContractCreate {
    fn from(dates: ContractDates) -> Self {
        Self { start_date: dates.start, end_date: Some(dates.end), ..Default::default() }
    }
}

/// A change of a contract to these dates. Where the first day is not known, the contract's own is left alone.
impl From<ContractDates> for CustomerContractPatch {
    fn from(dates: ContractDates) -> Self {
        let start_date = dates.start.map_or(Patch::Absent, Patch::set);
        Self { start_date, end_date: Some(dates.end), ..Default::default() }
    }
}
