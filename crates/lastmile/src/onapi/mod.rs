//! ON-API (Sweden): the open networks of communication operators (CO), where service providers order services on accesses.
//!
//! ```no_run
//! use lastmile::onapi::{Activation, OnApi};
//! use lastmile::{Poll, Prepared};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let network = OnApi::builder("https://co.example/onapi/2.6").login("sp", "…").build()?;
//!
//! let access = network.access_of_option82("520A01036162630203313233").await?;
//! for offer in network.services(&access).await?.services.iter().filter_map(|offer| offer.get()) {
//!     println!("{:?}", offer.service.get());
//! }
//! let mut activation = Prepared::new(Activation::new(access, "BB-100", "SP-0431".parse()?))?;
//! activation.begin()?;
//! // … store it …
//! let placed = activation.place(&network).await?;
//! if let Some(id) = placed.order_id() {
//!     let order = network.wait_for_order(&id, &Poll::default()).await?;
//!     println!("{:?}", order.state.get());
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Every CO has its own address, prefix and habits: see [`OnApiBuilder::path_habits`].

mod accesses;
mod orders;
mod tickets;

pub use accesses::{ChangedRows, Changes, Cursor};
pub use lastmile_onapi::types;
pub use orders::{Activation, Placed};
pub use tickets::{NewTicket, TicketReference};

use std::fmt;

use lastmile_core::auth::Credentials;
use lastmile_core::call::{Builder, Error, PathHabits};
use lastmile_core::wire::Segment;

use crate::SetupError;
use crate::rules::OnApiId;
use crate::supplier::supplier;

/// The way to one network. Cheap to clone.
#[derive(Clone, Debug)]
pub struct OnApi {
    handle: lastmile_onapi::Handle,
}

impl OnApi {
    /// Begins a handle. `base` is the network's own address with its prefix and version, such as
    /// `https://co.example/onapi/2.6`.
    pub fn builder(base: impl Into<String>) -> OnApiBuilder {
        OnApiBuilder { handle: lastmile_onapi::Handle::builder(base), login: None }
    }
}

supplier!(OnApi, OnApiBuilder, lastmile_onapi);

/// An id as a part of a path.
fn segment(id: &OnApiId) -> Result<Segment, Error> {
    id.as_str().parse().map_err(|error| refused(format_args!("the id cannot stand in a path: {error}")))
}

/// Builds an [`OnApi`].
pub struct OnApiBuilder {
    handle: Builder<lastmile_onapi::Client>,
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
    /// use lastmile::{PathHabits, Slash, onapi::OnApi};
    ///
    /// let network = OnApi::builder("https://co.example/2.6")
    ///     .login("sp", "…")
    ///     .path_habits(PathHabits { collections: Slash::Never, ..Default::default() });
    /// ```
    #[must_use]
    pub fn path_habits(self, habits: PathHabits) -> Self {
        self.connection(|handle| handle.path_habits(habits))
    }

    /// The handle.
    ///
    /// # Errors
    /// When the login is missing or unusable, or the address is.
    pub fn build(self) -> Result<OnApi, SetupError> {
        let (user, password) = self.login.ok_or(SetupError::Missing("a login"))?;
        let credentials = Credentials::none().basic(&user, &password)?;
        Ok(OnApi { handle: self.handle.credentials(credentials).build()? })
    }
}
