//! Networks whose settings are known.

use std::time::Duration;

use super::{Dialect, EndpointName, OnApi, OnApiBuilder};
use crate::rules::OnApiId;

/// (Source: the portal's help pages, and its entry in ON-API's list of implementers.)
const STADSNATSPORTALEN: &str = "https://www.stadsnatsportalen.se/plain/onapi";

/// How far back the portal answers `If-Modified-Since`. (Source: the portal's help pages.)
const CHANGES_KEPT: Duration = Duration::from_secs(14 * 24 * 60 * 60);

impl OnApi {
    /// Creates a builder for one network of Stadsnätsportalen, a portal of some forty Swedish city networks. `co` is the
    /// network's id at the portal. The login is the portal's API user with its key.
    ///
    /// The portal speaks ON-API 2.4 without a version in its paths, and offers accesses only, with the services in them.
    /// Orders go to the own system of each network. The portal tells what has changed for 14 days, so [`sync`](Self::sync)
    /// reads the complete list when its cursor is older. (Source: the portal's help pages.)
    ///
    /// ```
    /// use lastmile::onapi::{EndpointName, OnApi};
    ///
    /// let network = OnApi::stadsnatsportalen(&"ankeborg".parse()?).login("sp", "…").build()?;
    /// assert_eq!(network.offers_endpoint(EndpointName::Orders), Some(false));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn stadsnatsportalen(co: &OnApiId) -> OnApiBuilder {
        Self::builder(format!("{STADSNATSPORTALEN}/{co}"))
            .dialect(Dialect::Standard24)
            .only([EndpointName::Accesses])
            .changes_kept(CHANGES_KEPT)
    }
}
