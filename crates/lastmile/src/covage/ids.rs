//! Ids of Covage's objects (`uuid`).

use crate::id::id;

const API: &str = lastmile_covage::TABLE.api;

id! {
    /// The id of a contact of the operator (`contact_uuid`).
    ContactId, API, "the contact's id"
}

id! {
    /// The id of an order, or of its draft (`uuid`). It is not the commercial reference, such as `O191016_32563`.
    ///
    /// ```
    /// use lastmile::covage::OrderId;
    ///
    /// let id: OrderId = "0cd8d842-b0ca-43c0-8cbc-5d275cbdb1c2".parse()?; // from your store
    /// assert_eq!(id.to_string(), "0cd8d842-b0ca-43c0-8cbc-5d275cbdb1c2");
    /// assert!("..".parse::<OrderId>().is_err(), "it would be another path");
    /// # Ok::<(), lastmile::IdError>(())
    /// ```
    ///
    /// To get the id of an order that was read, call `OrderId::try_from(&order.uuid)`.
    OrderId, API, "the order's id"
}

id! {
    /// The id of a product family.
    ProductFamilyId, API, "the product family's id"
}

id! {
    /// The id of a product line.
    ProductLineId, API, "the product line's id"
}

id! {
    /// The id of a service (`uuid`). It is not the commercial reference, such as `S191128_21428`.
    ServiceId, API, "the service's id"
}

id! {
    /// The id of a user of the supplier's extranet.
    UserId, API, "the user's id"
}
