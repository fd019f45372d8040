//! Cocon Fiber (Netherlands): customers, contacts, contracts, delayed connections and approvals.
//!
//! ```
//! use lastmile::cocon::{Cocon, types::CustomerCreate};
//! use lastmile::Prepared;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let sandbox = lastmile_sandbox::Sandbox::builder().start().await?;
//! let cocon = Cocon::builder(sandbox.cocon().base_url())
//!     .api_key(sandbox.cocon().api_key())
//!     .client_id(sandbox.cocon().client_id())
//!     .build()?;
//!
//! let mut customer = Prepared::new(CustomerCreate { name: Some("Ankeborg Bostad".into()), ..Default::default() })?;
//! let customer = customer.place(&cocon).await?;
//! assert_eq!(customer.name.as_deref(), Some("Ankeborg Bostad"));
//! # Ok(())
//! # }
//! ```
//!
//! # The supplier's reason
//!
//! The `Display` output of an [`Error`](crate::Error) contains nothing that the supplier sent, since that may be personal data. Where the
//! supplier's reason may be logged, convert the error with
//! [`display_with_supplier_message`](crate::Error::display_with_supplier_message) before applying `?`:
//!
//! ```
//! use lastmile::cocon::{Cocon, ContactId};
//! use lastmile_sandbox::{Answer, Sandbox};
//!
//! async fn name_of(cocon: &Cocon, id: &ContactId) -> Result<Option<String>, Box<dyn std::error::Error>> {
//!     let contact = cocon.contact(id).await.map_err(|error| error.display_with_supplier_message().to_string())?;
//!     Ok(contact.name.as_deref().map(str::to_owned))
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let sandbox = Sandbox::builder().start().await?;
//! let supplier = sandbox.cocon();
//! let cocon = Cocon::builder(supplier.base_url()).api_key(supplier.api_key()).client_id(supplier.client_id()).build()?;
//!
//! supplier.answer_next("getContact", Answer::status(400).body(r#"{"message": "The contact is locked"}"#));
//! let error = name_of(&cocon, &"1".parse()?).await.unwrap_err();
//! assert!(error.to_string().ends_with("The supplier's message: The contact is locked"));
//! # Ok(())
//! # }
//! ```
//!
//! Cocon stores no reference of the caller, so an object cannot be looked up after the response to its creation was lost.
//! [`Prepared::reconcile`](crate::Prepared::reconcile) returns what a person has to check instead. The example above does not
//! store the prepared value; [`Prepared`](crate::Prepared) describes how to store it so that a crash neither loses nor
//! duplicates a request.
//!
//! # Operations
//!
//! Every operation of the API has a method or a [`Prepared`](crate::Prepared) type in this module. To find it, search this
//! documentation for the operation's id, such as `getContact`, or for its method and path, such as `GET /api/v1/contacts/{id}`.

mod batch;
mod connection;
mod creations;
mod ids;
mod objects;
mod texts;
mod warnings;

pub use batch::{BatchReport, Resubmission};
pub use connection::Connection;
pub use ids::{BatchId, BuildingId, ContactId, ContractId, CustomerId};
#[doc(alias = "createContact")]
#[doc(alias = "POST /api/v1/contacts")]
#[doc(inline)]
pub use lastmile_cocon::types::ContactCreate;
#[doc(alias = "createCustomerContract")]
#[doc(alias = "POST /api/v1/customer-contracts")]
#[doc(inline)]
pub use lastmile_cocon::types::CustomerContractCreate;
#[doc(alias = "createCustomer")]
#[doc(alias = "POST /api/v1/customers")]
#[doc(inline)]
pub use lastmile_cocon::types::CustomerCreate;
#[doc(alias = "createProjectAssetApproval")]
#[doc(alias = "POST /api/v1/project-asset-approvals")]
#[doc(inline)]
pub use lastmile_cocon::types::ProjectAssetApprovalCreate;
pub use lastmile_cocon::{Client, types};

#[doc(alias = "createDelayedConnectionBatch")]
#[doc(alias = "POST /api/v1/delayed-connections/batch")]
pub use batch::Batch;
#[doc(alias = "createBuildingDelayedConnection")]
#[doc(alias = "POST /api/v1/buildings/{id}/delayed-connections")]
pub use connection::BuildingConnection;
#[doc(alias = "createDelayedConnection")]
#[doc(alias = "POST /api/v1/delayed-connections")]
pub use connection::NamedConnection;

pub use crate::rules::{ContractDates, Geometry, GeometryError, RouteScenario};

use std::fmt;

use lastmile_core::auth::Credentials;
use lastmile_core::client::Builder;

use crate::SetupError;
use crate::supplier::supplier;

/// A client for Cocon. Cloning it is cheap.
#[derive(Clone, Debug)]
pub struct Cocon {
    client: lastmile_cocon::Client,
}

impl Cocon {
    /// Returns a builder of a client. `base` is the base URL that the supplier provided; the request paths begin with `/api/v1`
    /// after it.
    pub fn builder(base: impl Into<String>) -> CoconBuilder {
        let header = |scheme: &str| lastmile_cocon::TABLE.key_header(scheme).unwrap_or(scheme).to_owned();
        CoconBuilder {
            client: lastmile_cocon::Client::builder(base),
            api_key: None,
            client_id: None,
            bearer: None,
            api_key_header: header("Api-Key-Header"),
            client_id_header: header("Client-Id-Header"),
        }
    }
}

supplier!(Cocon, CoconBuilder, lastmile_cocon);

/// Builds a [`Cocon`] client.
pub struct CoconBuilder {
    client: Builder<lastmile_cocon::Client>,
    api_key: Option<String>,
    client_id: Option<String>,
    bearer: Option<String>,
    api_key_header: String,
    client_id_header: String,
}

impl fmt::Debug for CoconBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CoconBuilder")
            .field("api_key_header", &self.api_key_header)
            .field("client_id_header", &self.client_id_header)
            .finish_non_exhaustive()
    }
}

impl CoconBuilder {
    /// Sets the API key. Required.
    #[must_use]
    pub fn api_key(mut self, key: impl Into<String>) -> Self {
        self.api_key = Some(key.into());
        self
    }

    /// Sets the client id. Required.
    #[must_use]
    pub fn client_id(mut self, id: impl Into<String>) -> Self {
        self.client_id = Some(id.into());
        self
    }

    /// Sets a bearer token of the trusted party, for accounts where the supplier requires one in addition to the keys.
    #[must_use]
    pub fn bearer(mut self, token: impl Into<String>) -> Self {
        self.bearer = Some(token.into());
        self
    }

    /// Sets the names of the two headers that carry the API key and the client id. The defaults `Api-Key` and `Client-Id` are
    /// assumptions, since no public source states the names.
    #[must_use]
    pub fn key_headers(mut self, api_key: impl Into<String>, client_id: impl Into<String>) -> Self {
        self.api_key_header = api_key.into();
        self.client_id_header = client_id.into();
        self
    }

    /// Builds the client.
    ///
    /// # Errors
    /// Returns a [`SetupError`] when a credential is missing or invalid, or the base URL is invalid.
    pub fn build(self) -> Result<Cocon, SetupError> {
        let api_key = self.api_key.ok_or(SetupError::Missing("an API key"))?;
        let client_id = self.client_id.ok_or(SetupError::Missing("a client id"))?;
        let mut credentials = Credentials::none()
            .header(&self.api_key_header, &api_key)?
            .header(&self.client_id_header, &client_id)?;
        if let Some(token) = self.bearer {
            credentials = credentials.bearer(&token)?;
        }
        Ok(Cocon { client: self.client.credentials(credentials).build()? })
    }
}
