//! ON-API (Sweden): the open networks of communication operators (CO), where service providers order services on accesses.
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
//! # What a service does
//!
//! | to | see |
//! |---|---|
//! | find an access | [`OnApi::access_of_option82`], [`OnApi::access_of_dhcp`], [`OnApi::access`] |
//! | see what can be had there, and what is | [`OnApi::offers`], [`OnApi::subscriptions`] |
//! | order | [`NewOrder`], in six operations, through [`Prepared`](crate::Prepared) |
//! | change or cancel an order | [`ReceivedOrder`] |
//! | follow one order | [`OnApi::wait_for_order`], [`HasProgress`](crate::HasProgress) |
//! | follow all orders | [`OnApi::order_events`] |
//! | keep a copy of accesses, services, subscriptions | [`OnApi::sync`] |
//! | find out what is wrong with a line | [`OnApi::link_status`], [`OnApi::cpe_status`], [`OnApi::mac_table`] … |
//! | open, read, comment and close tickets | [`NewTicket`], [`OnApi::tickets`], [`TicketChange`] |
//! | check the invoice | [`OnApi::invoice_periods`], [`OnApi::invoice_lines`] |
//! | know what the network offers, and where | [`OnApi::directory`], [`OnApi::with_directory`] |
//! | talk to many networks | [`Networks`] |
//!
//! Every CO has its own address, prefix and path_style: see [`OnApiBuilder::path_style`], or let its directory tell.
//!
//! # Operations
//!
//! Every operation of the API has a method or a [`Prepared`](crate::Prepared) type here. To find it, search this documentation
//! for the operation's id, such as `getAccess`, or for its method and path, such as `GET /accesses/{accessId}`.

mod accesses;
mod deletions;
mod directory;
mod doubts;
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

/// A client of one network. Cheap to clone.
#[derive(Clone, Debug)]
pub struct OnApi {
    client: lastmile_onapi::Client,
    endpoints: Option<Arc<directory::EndpointMap>>,
}

impl OnApi {
    /// Begins a handle. `base` is the network's own address with its prefix and version, such as
    /// `https://co.example/onapi/2.6`.
    pub fn builder(base: impl Into<String>) -> OnApiBuilder {
        OnApiBuilder { client: lastmile_onapi::Client::builder(base), login: None }
    }
}

supplier!(OnApi, OnApiBuilder, lastmile_onapi);

/// An id as a part of a path.
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
    /// The user and password of HTTP Basic authentication. Demanded.
    #[must_use]
    pub fn login(mut self, user: impl Into<String>, password: impl Into<String>) -> Self {
        self.login = Some((user.into(), password.into()));
        self
    }

    /// How this network wants its paths. The standard writes collections with a slash at their end (`/accesses/`) and items
    /// without; networks differ, and some write the parameters of the DHCP look-up in lower case.
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

    /// The handle.
    ///
    /// # Errors
    /// When the login is missing, empty, or holds a control character or a colon in the user, or the address is unusable.
    pub fn build(self) -> Result<OnApi, SetupError> {
        let (user, password) = self.login.ok_or(SetupError::Missing("a login"))?;
        let credentials = Credentials::none().basic(&user, &password)?;
        Ok(OnApi { client: self.client.credentials(credentials).build()?, endpoints: None })
    }
}
