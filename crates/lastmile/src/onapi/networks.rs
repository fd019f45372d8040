//! A registry of several networks.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;

use lastmile_core::Error;

use super::{OnApi, refused};

/// The networks of a service provider, by keys that the caller chooses. Each network has its own address, dialect, path style,
/// credentials and policy.
///
/// ```
/// use lastmile::onapi::{Dialect, Networks, OnApi};
///
/// let ankeborg = OnApi::builder("https://co.example/onapi/2.4").dialect(Dialect::Standard24);
/// let gaseborg = OnApi::builder("https://net.example/2.6").dialect(Dialect::Vendor26);
/// let networks: Networks<String> = Networks::from_iter([
///     ("ankeborg".to_owned(), ankeborg.login("sp", "…").build()?),
///     ("gaseborg".to_owned(), gaseborg.login("sp-17", "…").build()?),
/// ]);
/// let network = networks.at("ankeborg")?;
/// assert_eq!(network.dialect(), Dialect::Standard24);
/// assert!(networks.at("kvackstad").is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// A [`Prepared`](crate::Prepared) value does not know its network: store the key together with the value.
///
/// `Debug` shows the keys with the dialects.
#[derive(Clone)]
pub struct Networks<K> {
    networks: HashMap<K, OnApi>,
}

impl<K: Eq + Hash> Networks<K> {
    /// Creates a registry without networks.
    pub fn new() -> Self {
        Self { networks: HashMap::new() }
    }

    /// Registers a network. Returns the network that was registered under the key before, such as one with an old password.
    pub fn insert(&mut self, key: K, network: OnApi) -> Option<OnApi> {
        self.networks.insert(key, network)
    }

    /// Removes the network of a key and returns it, or `None` if there is none.
    pub fn remove<Q: Eq + Hash + ?Sized>(&mut self, key: &Q) -> Option<OnApi>
    where
        K: Borrow<Q>,
    {
        self.networks.remove(key)
    }

    /// Returns the network of a key, or `None` if there is none.
    pub fn get<Q: Eq + Hash + ?Sized>(&self, key: &Q) -> Option<&OnApi>
    where
        K: Borrow<Q>,
    {
        self.networks.get(key)
    }

    /// Returns the network of a key.
    ///
    /// # Errors
    /// Returns [`Outcome::Invalid`](crate::Outcome::Invalid) when no network is registered under the key.
    pub fn at<Q: Eq + Hash + ?Sized>(&self, key: &Q) -> Result<&OnApi, Error>
    where
        K: Borrow<Q>,
    {
        self.get(key).ok_or_else(|| refused("no network is registered under this key"))
    }

    /// Returns an iterator over all keys and networks, in arbitrary order.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &OnApi)> {
        self.networks.iter()
    }

    /// Returns the number of networks.
    pub fn len(&self) -> usize {
        self.networks.len()
    }

    /// Returns whether the registry has no networks.
    pub fn is_empty(&self) -> bool {
        self.networks.is_empty()
    }
}

impl<K: Eq + Hash> Default for Networks<K> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K: Eq + Hash> FromIterator<(K, OnApi)> for Networks<K> {
    fn from_iter<I: IntoIterator<Item = (K, OnApi)>>(networks: I) -> Self {
        Self { networks: networks.into_iter().collect() }
    }
}

impl<K: Eq + Hash> Extend<(K, OnApi)> for Networks<K> {
    fn extend<I: IntoIterator<Item = (K, OnApi)>>(&mut self, networks: I) {
        self.networks.extend(networks);
    }
}

impl<K: fmt::Debug> fmt::Debug for Networks<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dialects = self.networks.iter().map(|(key, network)| (key, network.dialect()));
        f.debug_map().entries(dialects).finish()
    }
}
