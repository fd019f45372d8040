//! Covage (Kosc, France): eligibility, drafts of copper and fibre orders, their submission, and their progress.
//!
//! An order starts as a draft, which is created from an eligibility reference. Its fields are completed in any order, and its
//! submission places the order. A duplicate draft does no harm; a submission is sent only once.
//!
//! ```no_run
//! use lastmile::covage::{Covage, Fibre, NewOrder, types::OrderUpdate};
//! use lastmile::Prepared;
//!
//! # struct Store;
//! # impl Store {
//! #     async fn insert(&self, new: &str) -> Result<(), std::io::Error> { Ok(()) }
//! #     async fn replace(&self, old: &str, new: &str) -> Result<(), std::io::Error> { Ok(()) }
//! # }
//! # async fn example(building: &str, data: &OrderUpdate, store: &Store) -> Result<(), Box<dyn std::error::Error>> {
//! let covage = Covage::builder(Covage::ADDRESS).login("orders@sp.example", "…").build()?;
//!
//! let offers = covage.offers_for_building(&building.parse()?).await?;
//! let eligibility = offers.eligibility_ref.get().ok_or("no eligibility reference")?;
//! let order = NewOrder::fibre(eligibility, "FP01", Fibre::ActivateDefined).reference("SP-2026-0431");
//! let mut draft = Prepared::new(order)?.place(&covage).await?;
//! draft.complete(&covage, data).await?;
//! let socket = draft.set_otp(&covage, &"FI-3790-3415".parse()?).await?;
//! if socket.is_at("C", "1") != Some(true) {
//!     return Err("the socket is not where the customer says".into());
//! }
//! println!("{}", draft.readiness()); // every field that is missing or illegal
//! let mut submission = Prepared::new(draft.submission()?)?;
//! submission.mark_in_flight()?;
//! let marked = serde_json::to_string(&submission)?;
//! store.insert(&marked).await?; // after a crash: reconcile it
//! let order = submission.place(&covage).await;
//! store.replace(&marked, &serde_json::to_string(&submission)?).await?;
//! println!("{:?}", order?.reference.get());
//! # Ok(())
//! # }
//! ```
//!
//! | created object | type to prepare |
//! |---|---|
//! | a draft | [`NewOrder`] |
//! | an order, or the termination of a service | [`Submission`], from [`Draft::submission`] or [`Draft::termination`] |
//! | information about an order | [`Information`] |
//! | a migration of a service to fibre | [`Migration`] |
//! | a contact | [`types::ContactCreate`] |
//!
//! Examples that run against the sandbox: `covage_fibre`, `covage_terminate`.
//!
//! # Operations
//!
//! Every operation of the API has a method or a [`Prepared`](crate::Prepared) type in this module. To find it, search this
//! documentation for the operation's id, such as `listCities`, or for its method and path, such as
//! `GET /api/v2/eligibility/cities/`.

mod catalogue;
mod contacts;
mod draft;
mod eligibility;
mod events;
mod ids;
mod information;
mod new_order;
mod options;
mod orders;
mod pages;
mod progress;
mod readiness;
mod request;
mod seen;
mod services;
mod slots;
mod submission;
mod texts;

pub use contacts::replacement;
pub use draft::{Draft, Socket};
pub use events::{DeliveredEvent, EventCursor, Events};
pub use ids::{ContactId, OrderId, ProductFamilyId, ProductLineId, ServiceId, UserId};
#[doc(alias = "createContact")]
#[doc(alias = "POST /api/contacts/")]
#[doc(inline)]
pub use lastmile_covage::types::ContactCreate;
pub use lastmile_covage::{Client, types};
pub use options::{Options, OrderOption};
pub use orders::{OrderFilter, OrderSort, Orders};
pub use readiness::{Issue, IssueKind, Readiness};
pub use request::{Copper, Demand, Fibre};
pub use services::{Migrated, Services};
pub use slots::SlotRequest;
pub use submission::{ConfirmTermination, NotReady};

#[doc(alias = "createOrderInfoEvent")]
#[doc(alias = "POST /api/v2/orders/{uuid}/events/info/")]
pub use information::Information;
#[doc(alias = "createOrder")]
#[doc(alias = "POST /api/v2/orders/")]
pub use new_order::NewOrder;
#[doc(alias = "migrateServiceToFtth")]
#[doc(alias = "POST /api/v2/services/{uuid}/migrate_to_ftth/")]
pub use services::Migration;
#[doc(alias = "updateOrder")]
#[doc(alias = "PATCH /api/v2/orders/{uuid}/")]
pub use submission::Submission;

use std::fmt;

use lastmile_core::Error;
use lastmile_core::auth::Credentials;
use lastmile_core::client::Builder;
use lastmile_core::wire::Segment;

use crate::SetupError;
use crate::supplier::supplier;

/// A client for Covage. Cloning it is cheap, and all clones share one token.
#[derive(Clone, Debug)]
pub struct Covage {
    client: lastmile_covage::Client,
}

impl Covage {
    /// The base URL in the supplier's own documentation.
    pub const ADDRESS: &'static str = "https://extranet.kosc-telecom.fr";

    /// Returns a builder of a client. `base` is the base URL: [`ADDRESS`](Self::ADDRESS), or the URL of a sandbox.
    pub fn builder(base: impl Into<String>) -> CovageBuilder {
        CovageBuilder { client: lastmile_covage::Client::builder(base), login: None, scheme: "Bearer" }
    }
}

supplier!(Covage, CovageBuilder, lastmile_covage);

/// Returns a text as a path segment.
fn segment(what: &str, text: &str) -> Result<Segment, Error> {
    crate::checks::segment(text)
        .map_err(|reason| refused(format_args!("{what} cannot stand in a path: {reason}")))
}

/// Builds a [`Covage`] client.
pub struct CovageBuilder {
    client: Builder<lastmile_covage::Client>,
    login: Option<(String, String)>,
    scheme: &'static str,
}

impl fmt::Debug for CovageBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CovageBuilder").field("scheme", &self.scheme).finish_non_exhaustive()
    }
}

impl CovageBuilder {
    /// Sets the account with which tokens are obtained. Required.
    #[must_use]
    #[doc(alias = "obtainToken")]
    #[doc(alias = "POST /api/v2/account/token/")]
    #[doc(alias = "refreshToken")]
    #[doc(alias = "POST /api/v2/account/token/refresh/")]
    pub fn login(mut self, email: impl Into<String>, password: impl Into<String>) -> Self {
        self.login = Some((email.into(), password.into()));
        self
    }

    /// Uses the older type of tokens (`Authorization: JWT …`, valid for 24 hours) instead of the newer one (`Bearer`, valid for
    /// one hour and renewable for twelve hours). The supplier documents both.
    #[must_use]
    #[doc(alias = "obtainLegacyToken")]
    #[doc(alias = "POST /api/account/token/")]
    #[doc(alias = "refreshLegacyToken")]
    #[doc(alias = "POST /api/account/token/refresh/")]
    pub fn legacy_tokens(mut self) -> Self {
        self.scheme = "Legacy-Token";
        self
    }

    /// Builds the client.
    ///
    /// # Errors
    /// Returns a [`SetupError`] when the login is missing, is empty or contains a control character, or when the base URL is
    /// invalid.
    pub fn build(self) -> Result<Covage, SetupError> {
        let (email, password) = self.login.ok_or(SetupError::Missing("a login"))?;
        let flow =
            lastmile_covage::TABLE.token_flow(self.scheme).ok_or(SetupError::Missing("a token flow"))?;
        let login = serde_json::json!({ "email": email, "password": password });
        let credentials = Credentials::none().token(flow, &login)?;
        Ok(Covage { client: self.client.credentials(credentials).build()? })
    }
}
