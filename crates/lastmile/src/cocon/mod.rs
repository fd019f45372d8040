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
//! `Display` of an [`Error`] repeats nothing that the supplier sent, since that may hold personal data. Where the reason may be
//! written down, convert the error with
//! [`display_with_supplier_message`](crate::Error::display_with_supplier_message) before `?` does:
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
//! Cocon knows no reference of the caller's, so nothing created there can be looked up when its answer was lost:
//! [`Prepared::reconcile`](crate::Prepared::reconcile) says what a person should look at instead. The value above is never stored;
//! how one is stored, so that a crash neither loses nor doubles it, stands at [`Prepared`](crate::Prepared).
//!
//! # Operations
//!
//! Every operation of the API has a method or a [`Prepared`](crate::Prepared) type here. To find it, search this documentation
//! for the operation's id, such as `getContact`, or for its method and path, such as `GET /api/v1/contacts/{id}`.

mod batch;
mod connection;
mod creations;
mod doubts;
mod ids;
mod objects;
mod texts;

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

/// A client of Cocon. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Cocon {
    client: lastmile_cocon::Client,
}

impl Cocon {
    /// Begins a handle. `base` is the address that the supplier gave you; the paths begin with `/api/v1` after it.
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

/// Builds a [`Cocon`].
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
    /// The API key. Demanded.
    #[must_use]
    pub fn api_key(mut self, key: impl Into<String>) -> Self {
        self.api_key = Some(key.into());
        self
    }

    /// The client id. Demanded.
    #[must_use]
    pub fn client_id(mut self, id: impl Into<String>) -> Self {
        self.client_id = Some(id.into());
        self
    }

    /// A token of the trusted party, where the supplier demands one beside the keys.
    #[must_use]
    pub fn bearer(mut self, token: impl Into<String>) -> Self {
        self.bearer = Some(token.into());
        self
    }

    /// The names of the two headers that carry the API key and the client id. No public source states them; `Api-Key` and
    /// `Client-Id` are assumed unless you say otherwise.
    #[must_use]
    pub fn key_headers(mut self, api_key: impl Into<String>, client_id: impl Into<String>) -> Self {
        self.api_key_header = api_key.into();
        self.client_id_header = client_id.into();
        self
    }

    /// The handle.
    ///
    /// # Errors
    /// When a credential is missing or unusable, or the address is.
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
