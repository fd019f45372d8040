//! ON-API (Sweden): the API of open networks. Service providers use it to order services on accesses from a communication
//! operator (CO).
//!
//! ```no_run
//! use lastmile::onapi::{Dialect, OnApi};
//! use lastmile::{Poll, Prepared};
//!
//! # struct Store;
//! # impl Store {
//! #     async fn insert(&self, new: &str) -> Result<(), std::io::Error> { Ok(()) }
//! #     async fn replace(&self, old: &str, new: &str) -> Result<(), std::io::Error> { Ok(()) }
//! # }
//! # async fn example(store: &Store) -> Result<(), Box<dyn std::error::Error>> {
//! let network = OnApi::builder("https://co.example/onapi/2.4").login("sp", "…").dialect(Dialect::Standard24).build()?;
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
//! | list the services and subscriptions of an access | [`OnApi::offers`], [`Offer::availability`], [`OnApi::subscriptions`] |
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
//! # Versions and dialects
//!
//! Networks implement different versions of the standard, and one vendor's networks a reading of their own: see [`Dialect`] for
//! what each of them offers and lacks. A client must be told which dialect its network speaks:
//! [`OnApiBuilder::dialect`] or [`OnApiBuilder::from_directory`].
//!
//! # Operations
//!
//! Every operation of the API has a method or a [`Prepared`](crate::Prepared) type here. To find it, search this documentation
//! for the operation's id, such as `getAccess`, or for its method and path, such as `GET /accesses/{accessId}`.

mod accesses;
mod availability;
mod deletions;
mod dialect;
mod directory;
mod events;
mod ids;
mod invoices;
mod lists;
mod networks;
mod new_order;
mod object_events;
mod offered;
mod offers;
mod orders;
mod placing;
mod presets;
mod sync;
mod synced;
mod technical;
mod ticket_changes;
mod tickets;
mod warnings;

pub use availability::{Availability, AvailabilityState, ServiceDate};
pub use dialect::{CharacteristicsExt, Dialect, InvoiceLineExt, TransceiverExt, UnknownDialect};
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
pub use sync::{Deleted, SyncItem, SyncPlan, SyncRun, SyncState};
pub use synced::Synced;
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
use std::time::Duration;

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
    dialect: Dialect,
    endpoints: Option<Arc<directory::EndpointMap>>,
    /// How far back the network knows what has changed.
    changes_kept: Option<Duration>,
    /// Whether several orders may have the same reference.
    shares_references: bool,
}

impl OnApi {
    /// Creates a builder. `base` is the network's own address with its prefix and version, such as
    /// `https://co.example/onapi/2.6`.
    pub fn builder(base: impl Into<String>) -> OnApiBuilder {
        OnApiBuilder {
            client: lastmile_onapi::Client::builder(base),
            login: None,
            dialect: None,
            only: None,
            changes_kept: None,
            shares_references: false,
        }
    }

    /// Returns the dialect that the network speaks. An endpoint that the network's [directory](Self::with_directory) lists in
    /// another version is called in the dialect of that version.
    pub fn dialect(&self) -> Dialect {
        self.dialect
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
    dialect: Option<Dialect>,
    only: Option<Vec<EndpointName>>,
    changes_kept: Option<Duration>,
    shares_references: bool,
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
    /// use lastmile::{PathStyle, TrailingSlash, onapi::{Dialect, OnApi}};
    ///
    /// let network = OnApi::builder("https://co.example/2.6")
    ///     .login("sp", "…")
    ///     .dialect(Dialect::Standard26)
    ///     .path_style(PathStyle { collections: TrailingSlash::Never, ..Default::default() });
    /// ```
    #[must_use]
    pub fn path_style(self, path_style: PathStyle) -> Self {
        self.connection(|handle| handle.path_style(path_style))
    }

    /// Sets the dialect that the network speaks. It is required, unless the client is built
    /// [from the network's directory](Self::from_directory): a network of another dialect could misunderstand an order.
    #[must_use]
    pub fn dialect(mut self, dialect: Dialect) -> Self {
        self.dialect = Some(dialect);
        self
    }

    /// Sets the only endpoints that the network offers. Calls of others fail before anything is sent. By default, and unless a
    /// [directory](OnApi::with_directory) says otherwise, a network is taken to offer every endpoint of its dialect.
    #[must_use]
    pub fn only(mut self, endpoints: impl IntoIterator<Item = EndpointName>) -> Self {
        self.only = Some(endpoints.into_iter().collect());
        self
    }

    /// Sets how far back the network knows what has changed. [`OnApi::sync`] reads the complete list when its cursor is older.
    /// There is no limit by default.
    #[must_use]
    pub fn changes_kept(mut self, period: Duration) -> Self {
        self.changes_kept = Some(period);
        self
    }

    /// Sets whether several of your orders at this network may have the same reference, because it stands for a customer. (Source:
    /// ON-API, data formats: some networks use `spReference` to call back.) By default, each order is taken to have a reference
    /// of its own.
    ///
    /// A look-up always compares the reference, operation, access and service, and the requested times of orders that have one.
    /// With shared references, only an order with the very requested time is found, an order that was requested for a time more
    /// than two weeks earlier is another one, and with any other order the look-up is inconclusive. So it is with a subscription
    /// of this service and reference, which an earlier order of the customer may have created. Give each order a time with
    /// [`NewOrder::not_before`].
    #[must_use]
    pub fn shared_references(mut self, shared: bool) -> Self {
        self.shares_references = shared;
        self
    }

    /// Builds the client.
    ///
    /// # Errors
    /// Returns an error when the login or the dialect is missing, when the login is empty, has a control character, or has a
    /// colon in the user, or when the address is unusable.
    pub fn build(self) -> Result<OnApi, SetupError> {
        let (user, password) = self.login.ok_or(SetupError::Missing("a login"))?;
        let credentials = Credentials::none().basic(&user, &password)?;
        let dialect = self.dialect.ok_or(SetupError::Missing("a dialect"))?;
        let client = self.client.credentials(credentials).build()?;
        let network = OnApi {
            client,
            dialect,
            endpoints: None,
            changes_kept: self.changes_kept,
            shares_references: self.shares_references,
        };
        Ok(match self.only {
            Some(endpoints) => network.with_only(&endpoints),
            None => network,
        })
    }

    /// Reads the network's directory and builds a client that uses it: see [`OnApi::with_directory`]. Each endpoint is called in
    /// the highest version that the directory lists and this client implements.
    ///
    /// Versions 2.4 and 2.5 have one dialect each. Version 2.6 has two, and a directory states the standard by entries whose
    /// `documentation` is in the standard's own repository. If an entry of version 2.6 is documented elsewhere, or none is
    /// documented, set the dialect with [`dialect`](Self::dialect): the network is taken to be of the kind of that dialect, and the
    /// version is that of the directory.
    ///
    /// ```no_run
    /// # use lastmile::onapi::OnApi;
    /// # async fn example() -> Result<OnApi, lastmile::Error> {
    /// let builder = OnApi::builder("https://co.example/onapi/2.4").login("sp", "…");
    /// let network = builder.from_directory(&["https://orders.co.example"]).await?;
    /// println!("the network speaks {}", network.dialect());
    /// # Ok(network)
    /// # }
    /// ```
    ///
    /// # Errors
    /// Returns the error of the call. Returns [`Outcome::Invalid`](crate::Outcome::Invalid) when the client cannot be built, when
    /// the network has no directory, when the directory lists no endpoint in a version that this client implements, and when
    /// neither the directory nor the caller states the dialect.
    #[doc(alias = "listEndpoints")]
    #[doc(alias = "GET /")]
    pub async fn from_directory(mut self, allowed: &[&str]) -> Result<OnApi, Error> {
        let given = self.dialect;
        // The directory has the same form in each dialect.
        self.dialect = given.or(Some(Dialect::Standard26));
        let network = self.build()?;
        let Some(directory) = network.directory().await? else {
            return Err(refused("the network has no directory: give its dialect to the builder"));
        };
        let dialect = directory.dialect(given)?;
        Ok(OnApi { dialect, ..network }.with_directory(&directory, allowed))
    }
}
