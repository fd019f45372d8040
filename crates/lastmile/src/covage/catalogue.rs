//! The catalogue, and the users of the account.

use lastmile_core::wire::{Loose, OneOrMany};
use lastmile_core::{Error, Reply};
use lastmile_covage::types::{ProductFamily, ProductLine, User};

use super::{Covage, segment};

/// Product families, product lines and users.
impl Covage {
    /// All product families.
    ///
    /// # Errors
    /// The outcome of the call.
    #[doc(alias = "listProductFamilies")]
    #[doc(alias = "GET /api/product-families/")]
    pub async fn product_families(&self) -> Result<OneOrMany<Loose<ProductFamily>>, Error> {
        self.client.list_product_families().await.map(Reply::into_value)
    }

    /// Reads a product family.
    ///
    /// # Errors
    /// [`Outcome::Rejected`](crate::Outcome::Rejected) with status 404 when there is none of this id.
    #[doc(alias = "getProductFamily")]
    #[doc(alias = "GET /api/product-families/{product_family_uuid}/")]
    pub async fn product_family(&self, uuid: &str) -> Result<ProductFamily, Error> {
        let uuid = segment("the product family's id", uuid)?;
        self.client.get_product_family(&uuid).await.map(Reply::into_value)
    }

    /// Reads a product line. The `uuid` of a line stands in the product of an order or an offer.
    ///
    /// # Errors
    /// [`Outcome::Rejected`](crate::Outcome::Rejected) with status 404 when there is none of this id.
    #[doc(alias = "getProductLine")]
    #[doc(alias = "GET /api/product-lines/{product_line_uuid}/")]
    pub async fn product_line(&self, uuid: &str) -> Result<ProductLine, Error> {
        let uuid = segment("the product line's id", uuid)?;
        self.client.get_product_line(&uuid).await.map(Reply::into_value)
    }

    /// Reads a user of the supplier's extranet.
    ///
    /// # Errors
    /// [`Outcome::Rejected`](crate::Outcome::Rejected) with status 404 when there is none of this id.
    #[doc(alias = "getUser")]
    #[doc(alias = "GET /api/users/{user_uuid}/")]
    pub async fn user(&self, uuid: &str) -> Result<User, Error> {
        let uuid = segment("the user's id", uuid)?;
        self.client.get_user(&uuid).await.map(Reply::into_value)
    }
}
