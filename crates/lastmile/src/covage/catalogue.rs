//! The product catalogue, and the users of the account.

use lastmile_core::{Error, Reply};
use lastmile_covage::types::{ProductFamily, ProductLine, User};

use super::{Covage, ProductFamilyId, ProductLineId, UserId};
use crate::List;

/// Product families, product lines and users.
impl Covage {
    /// Returns all product families.
    ///
    /// # Errors
    /// Returns the error of the call.
    #[doc(alias = "listProductFamilies")]
    #[doc(alias = "GET /api/product-families/")]
    pub fn product_families(&self) -> List<ProductFamily> {
        let client = self.client.clone();
        List::new(async move { Ok(client.list_product_families().await?.value.into_vec()) })
    }

    /// Reads a product family.
    ///
    /// # Errors
    /// Returns [`Outcome::Rejected`](crate::Outcome::Rejected) with status 404 when no product family has this id.
    #[doc(alias = "getProductFamily")]
    #[doc(alias = "GET /api/product-families/{product_family_uuid}/")]
    pub async fn product_family(&self, id: &ProductFamilyId) -> Result<ProductFamily, Error> {
        self.client.get_product_family(id.segment()).await.map(Reply::into_value)
    }

    /// Reads a product line. The product of an order or an offer contains the `uuid` of its line.
    ///
    /// # Errors
    /// Returns [`Outcome::Rejected`](crate::Outcome::Rejected) with status 404 when no product line has this id.
    #[doc(alias = "getProductLine")]
    #[doc(alias = "GET /api/product-lines/{product_line_uuid}/")]
    pub async fn product_line(&self, id: &ProductLineId) -> Result<ProductLine, Error> {
        self.client.get_product_line(id.segment()).await.map(Reply::into_value)
    }

    /// Reads a user of the supplier's extranet.
    ///
    /// # Errors
    /// Returns [`Outcome::Rejected`](crate::Outcome::Rejected) with status 404 when no user has this id.
    #[doc(alias = "getUser")]
    #[doc(alias = "GET /api/users/{user_uuid}/")]
    pub async fn user(&self, id: &UserId) -> Result<User, Error> {
        self.client.get_user(id.segment()).await.map(Reply::into_value)
    }
}
