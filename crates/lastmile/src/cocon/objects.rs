//! Operations that read, change and delete Cocon's objects.

use lastmile_cocon::types::{
    Contact, ContactPatch, Customer, CustomerContract, CustomerContractCreate, CustomerContractPatch,
    CustomerPatch,
};
use lastmile_core::wire::Patch;
use lastmile_core::{Error, Reply};

use super::texts::check_change;
use super::{Cocon, ContactId, ContractDates, ContractId, CustomerId};

/// Contacts, customers and contracts. They are created through [`Prepared`](crate::Prepared) values.
impl Cocon {
    /// Reads a contact.
    ///
    /// # Errors
    /// Returns [`Outcome::Rejected`](crate::Outcome::Rejected) with status 404 when no contact has this id.
    #[doc(alias = "getContact")]
    #[doc(alias = "GET /api/v1/contacts/{id}")]
    pub async fn contact(&self, id: &ContactId) -> Result<Contact, Error> {
        self.client.get_contact(id.segment()).await.map(Reply::into_value)
    }

    /// Reads a contact of a customer.
    ///
    /// # Errors
    /// Returns [`Outcome::Rejected`](crate::Outcome::Rejected) with status 404 when the customer has no contact with this id.
    #[doc(alias = "getCustomerContact")]
    #[doc(alias = "GET /api/v1/customers/{id}/contacts/{contactId}")]
    pub async fn customer_contact(
        &self,
        customer: &CustomerId,
        contact: &ContactId,
    ) -> Result<Contact, Error> {
        self.client.get_customer_contact(customer.segment(), contact.segment()).await.map(Reply::into_value)
    }

    /// Changes the fields of a contact that the patch sets or clears, and returns the changed contact.
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
    /// A field that Cocon does not allow to be cleared has no method that clears it:
    ///
    /// ```compile_fail,E0599
    /// # use lastmile::cocon::types::ContactPatch;
    /// ContactPatch::default().clear_is_primary_contact();
    /// ```
    ///
    /// When [`earlier_attempt_unanswered`](Reply::earlier_attempt_unanswered) is set, the supplier may still carry out an
    /// earlier attempt of this change, even after a newer change. Read the contact again before you rely on it.
    ///
    /// # Errors
    /// Returns [`Outcome::Invalid`](crate::Outcome::Invalid) when the patch changes nothing or sets a blank text, and otherwise
    /// the error of the call. The same patch can be sent again.
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
    /// Returns the error of the call. The method can be called again.
    #[doc(alias = "deleteContact")]
    #[doc(alias = "DELETE /api/v1/contacts/{id}")]
    pub async fn delete_contact(&self, id: &ContactId) -> Result<(), Error> {
        self.client.delete_contact(id.segment()).await.map(Reply::into_value)
    }

    /// Reads a customer.
    ///
    /// # Errors
    /// Returns [`Outcome::Rejected`](crate::Outcome::Rejected) with status 404 when no customer has this id.
    #[doc(alias = "getCustomer")]
    #[doc(alias = "GET /api/v1/customers/{id}")]
    pub async fn customer(&self, id: &CustomerId) -> Result<Customer, Error> {
        self.client.get_customer(id.segment()).await.map(Reply::into_value)
    }

    /// Changes the fields of a customer that the patch sets or clears, and returns the changed customer. The fields of the
    /// address and of the outage contact are changed individually.
    ///
    /// When [`earlier_attempt_unanswered`](Reply::earlier_attempt_unanswered) is set, the supplier may still carry out an
    /// earlier attempt of this change, even after a newer change. Read the customer again before you rely on it.
    ///
    /// # Errors
    /// Returns [`Outcome::Invalid`](crate::Outcome::Invalid) when the patch changes nothing or sets a blank text, and otherwise
    /// the error of the call. The same patch can be sent again.
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
    /// Returns the error of the call. The method can be called again.
    #[doc(alias = "deleteCustomer")]
    #[doc(alias = "DELETE /api/v1/customers/{id}")]
    pub async fn delete_customer(&self, id: &CustomerId) -> Result<(), Error> {
        self.client.delete_customer(id.segment()).await.map(Reply::into_value)
    }

    /// Reads a contract.
    ///
    /// # Errors
    /// Returns [`Outcome::Rejected`](crate::Outcome::Rejected) with status 404 when no contract has this id.
    #[doc(alias = "getCustomerContract")]
    #[doc(alias = "GET /api/v1/customer-contracts/{id}")]
    pub async fn contract(&self, id: &ContractId) -> Result<CustomerContract, Error> {
        self.client.get_customer_contract(id.segment()).await.map(Reply::into_value)
    }

    /// Changes the fields of a contract that the patch sets or clears, and returns the changed contract.
    ///
    /// When [`earlier_attempt_unanswered`](Reply::earlier_attempt_unanswered) is set, the supplier may still carry out an
    /// earlier attempt of this change, even after a newer change. Read the contract again before you rely on it.
    ///
    /// # Errors
    /// Returns [`Outcome::Invalid`](crate::Outcome::Invalid) when the patch changes nothing or sets a blank text, and otherwise
    /// the error of the call. The same patch can be sent again.
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
    /// Returns the error of the call. The method can be called again.
    #[doc(alias = "deleteCustomerContract")]
    #[doc(alias = "DELETE /api/v1/customer-contracts/{id}")]
    pub async fn delete_contract(&self, id: &ContractId) -> Result<(), Error> {
        self.client.delete_customer_contract(id.segment()).await.map(Reply::into_value)
    }
}

/// Creates a contract with these dates. All other fields are unset.
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

/// Creates a patch that sets these dates. If `start` is `None`, the contract keeps its start date.
impl From<ContractDates> for CustomerContractPatch {
    fn from(dates: ContractDates) -> Self {
        let start_date = dates.start.map_or(Patch::Absent, Patch::set);
        Self { start_date, end_date: Some(dates.end), ..Default::default() }
    }
}
