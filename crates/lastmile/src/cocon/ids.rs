//! Ids of Cocon's objects.

use crate::id::id;

const API: &str = lastmile_cocon::TABLE.api;

id! {
    /// The id of a registered batch of delayed connections.
    ///
    /// ```
    /// use lastmile::cocon::BatchId;
    ///
    /// let id: BatchId = "10".parse()?; // from your store
    /// assert_eq!(id.to_string(), "10");
    /// # Ok::<(), lastmile::IdError>(())
    /// ```
    BatchId, API, "the batch's id"
}

id! {
    /// The id of a building, such as `1937214`.
    BuildingId, API, "the building's id"
}

id! {
    /// The id of a contact.
    ///
    /// ```
    /// use lastmile::cocon::ContactId;
    ///
    /// let id: ContactId = "10".parse()?; // from your store
    /// assert_eq!(id.as_str(), "10");
    /// assert!("..".parse::<ContactId>().is_err(), "it would be another path");
    /// # Ok::<(), lastmile::IdError>(())
    /// ```
    ///
    /// To get the id of a contact that was read, call `ContactId::try_from(&contact.id)`.
    ContactId, API, "the contact's id"
}

id! {
    /// The id of a customer's contract.
    ContractId, API, "the contract's id"
}

id! {
    /// The id of a customer.
    CustomerId, API, "the customer's id"
}
