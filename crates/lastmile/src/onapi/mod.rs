//! ON-API (Sweden): the API of open networks. Service providers use it to order services on accesses from a communication
//! operator (CO).
//!
//! ```no_run
//! use lastmile::onapi::OnApi;
//! use lastmile::{Poll, Prepared};
//!
//! # struct Store;
//! # impl Store {
//! #     async fn insert(&self, new: &str) -> Result<(), std::io::Error> { Ok(()) }
//! #     async fn replace(&self, old: &str, new: &str) -> Result<(), std::io::Error> { Ok(()) }
//! # }
//! # async fn example(store: &Store) -> Result<(), Box<dyn std::error::Error>> {
//! let network = OnApi::builder("https://co.example/onapi/2.6").login("sp", "…").build()?;
//!
//! let access = network.access_of_option82(&"520A01036162630203313233".parse()?).await?;
//! let offers = network.offers(&access).await?;
//! let offer = offers.of("BB-100").ok_or("not offered")?;
//! let mut order = Prepared::new(offer.activate("SP-0431".parse()?))?;
//! order.mark_in_flight()?;
//! let marked = serde_json::to_string(&order)?;
//! store.insert(&marked).await?; // after a crash: reconcile it
//! let placed = order.place(&network).await;
//! store.replace(&marked, &serde_json::to_string(&order)?).await?;
//! if let Some(id) = placed?.order_id() {
//!     let order = network.wait_for_order(&id, &Poll::default()).await?;
//!     println!("{:?}", order.state.get());
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Tasks
//!
//! | task | see |
//! |---|---|
//! | find an access | [`OnApi::access_of_option82`], [`OnApi::access_of_dhcp`], [`OnApi::access`] |
//! | list the services and subscriptions of an access | [`OnApi::offers`], [`OnApi::subscriptions`] |
//! | order | [`NewOrder`], in six operations, through [`Prepared`](crate::Prepared) |
//! | change or cancel an order | [`ReceivedOrder`] |
//! | follow one order | [`OnApi::wait_for_order`], [`HasProgress`](crate::HasProgress) |
//! | follow all orders | [`OnApi::order_events`] |
//! | synchronize a copy of accesses, services or subscriptions | [`OnApi::sync`] |
//! | diagnose a line | [`OnApi::link_status`], [`OnApi::cpe_status`], [`OnApi::mac_table`] and others |
//! | open, read, comment and close tickets | [`NewTicket`], [`OnApi::tickets`], [`TicketChange`] |
//! | check the invoice | [`OnApi::invoice_periods`], [`OnApi::invoice_lines`] |
//! | list the endpoints of a network and their addresses | [`OnApi::directory`], [`OnApi::with_directory`] |
//! | use several networks | [`Networks`] |
//!
//! Every CO has its own address, path prefix and path style. Set the style with [`OnApiBuilder::path_style`], or use the
//! network's directory.
//!
//! # Operations
//!
//! Every operation of the API has a method or a [`Prepared`](crate::Prepared) type here. To find it, search this documentation
//! for the operation's id, such as `getAccess`, or for its method and path, such as `GET /accesses/{accessId}`.

mod accesses;
mod deletions;
mod directory;
mod events;
mod ids;
mod invoices;
mod lists;
mod networks;
mod new_order;
mod offers;
mod orders;
mod placing;
mod sync;
mod technical;
mod ticket_changes;
mod tickets;
mod warnings;

pub use directory::{Directory, EndpointName};
pub use events::{DeliveredEvent, EventCursor, OrderEvents};
pub use ids::{PeriodId, TicketReference};
pub use lastmile_onapi::{Client, types};
pub use lists::{ChangedRows, Changes, Cursor};
pub use networks::Networks;
pub use new_order::{References, SubscriptionAt};
pub use offers::{Offer, Offers, TakeoverPermit};
pub use orders::ReceivedOrder;
pub use placing::Placed;
pub use sync::{Deleted, SyncItem, SyncPlan, SyncRun, SyncState, Synced};
pub use tickets::{TicketList, TicketQuery};

#[doc(alias = "createOrder")]
#[doc(alias = "POST /orders/")]
pub use new_order::NewOrder;
#[doc(alias = "updateTicket")]
#[doc(alias = "PATCH /tickets/{coTicketReference}")]
pub use ticket_changes::TicketChange;
#[doc(alias = "createTicket")]
#[doc(alias = "POST /tickets")]
pub use tickets::NewTicket;

use std::fmt;
use std::sync::Arc;

use lastmile_core::Error;
use lastmile_core::auth::Credentials;
use lastmile_core::client::{Builder, PathStyle};
use lastmile_core::wire::Segment;

use crate::SetupError;
use crate::rules::OnApiId;
use crate::supplier::supplier;

/// A client of one network. It is cheap to clone.
#[derive(Clone, Debug)]
pub struct OnApi {
    client: lastmile_onapi::Client,
    endpoints: Option<Arc<directory::EndpointMap>>,
}

impl OnApi {
    /// Creates a builder. `base` is the network's own address with its prefix and version, such as
    /// `https://co.example/onapi/2.6`.
    pub fn builder(base: impl Into<String>) -> OnApiBuilder {
        OnApiBuilder { client: lastmile_onapi::Client::builder(base), login: None }
    }
}

supplier!(OnApi, OnApiBuilder, lastmile_onapi);

/// Returns an id as a path segment.
fn segment(id: &OnApiId) -> Result<Segment, Error> {
    id.as_str().parse().map_err(|error| refused(format_args!("the id cannot stand in a path: {error}")))
}

/// Builds an [`OnApi`].
pub struct OnApiBuilder {
    client: Builder<lastmile_onapi::Client>,
    login: Option<(String, String)>,
}

impl fmt::Debug for OnApiBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnApiBuilder").finish_non_exhaustive()
    }
}

impl OnApiBuilder {
    /// Sets the user and password of HTTP Basic authentication. They are required.
    #[must_use]
    pub fn login(mut self, user: impl Into<String>, password: impl Into<String>) -> Self {
        self.login = Some((user.into(), password.into()));
        self
    }

    /// Sets the style of this network's paths. The standard writes collections with a trailing slash (`/accesses/`) and items
    /// without one. Networks differ, and some write the query parameters of the DHCP look-up in lower case.
    ///
    /// ```
    /// use lastmile::{PathStyle, TrailingSlash, onapi::OnApi};
    ///
    /// let network = OnApi::builder("https://co.example/2.6")
    ///     .login("sp", "…")
    ///     .path_style(PathStyle { collections: TrailingSlash::Never, ..Default::default() });
    /// ```
    #[must_use]
    pub fn path_style(self, path_style: PathStyle) -> Self {
        self.connection(|handle| handle.path_style(path_style))
    }

    /// Builds the client.
    ///
    /// # Errors
    /// Returns an error when the login is missing, is empty, has a control character, or has a colon in the user, or when the
    /// address is unusable.
    pub fn build(self) -> Result<OnApi, SetupError> {
        let (user, password) = self.login.ok_or(SetupError::Missing("a login"))?;
        let credentials = Credentials::none().basic(&user, &password)?;
        Ok(OnApi { client: self.client.credentials(credentials).build()?, endpoints: None })
    }
}
