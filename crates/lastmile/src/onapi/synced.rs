//! The rows that a synchronized copy consists of, and what each of them must contain.

use lastmile_core::Error;
use lastmile_core::rows::Rows;
use lastmile_core::wire::{Lenient, OneOrMany, Text};
use lastmile_onapi::types::{Access, AccessServices, AccessSubscriptions, Subscription};
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer};

pub(super) use sealed::Kind;

use super::OnApi;
use super::lists::Cursor;

/// A type that [`OnApi::sync`] can keep a copy of: [`Access`], [`AccessServices`], and [`AccessSubscriptions`] or, for a network
/// whose list has one row for each subscription, [`Subscription`]. (Source: ON-API 2.4 and 2.5, subscriptions.)
pub trait Synced: DeserializeOwned + Send + 'static + sealed::Sealed {}

impl Synced for Access {}
impl Synced for AccessServices {}
impl Synced for AccessSubscriptions {}
impl Synced for Subscription {}

#[expect(unnameable_types, reason = "what cannot be named cannot be implemented elsewhere")]
mod sealed {
    use lastmile_core::Error;
    use lastmile_core::rows::Rows;
    use lastmile_core::wire::{Lenient, Text};

    use super::super::{Cursor, Deleted, OnApi};

    pub trait Sealed: Sized {
        /// The kinds of objects whose deletions are relevant.
        const KINDS: &'static [Kind];

        /// The required content of a row, for the error of an incomplete row.
        const NEEDS: &'static str;

        fn open(
            network: &OnApi,
            since: Option<&Cursor>,
        ) -> impl Future<Output = Result<Option<Rows<Self>>, Error>> + Send;

        fn id(&self) -> &Lenient<Text>;

        /// Returns whether the row has its required content besides the id. A row replaces everything that a copy holds for its
        /// access, so an unreadable list in the row must not be treated as a shorter list.
        fn has_content(&self) -> bool {
            true
        }
    }

    /// A kind of object, as named in events.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub enum Kind {
        Access,
        Service,
        Subscription,
    }

    impl Kind {
        /// Returns the kind that a name stands for. Some networks use the singular.
        pub(in super::super) fn named(name: &str) -> Option<Self> {
            match name.to_ascii_lowercase().as_str() {
                "access" | "accesses" => Some(Self::Access),
                "service" | "services" => Some(Self::Service),
                "subscription" | "subscriptions" => Some(Self::Subscription),
                _ => None,
            }
        }

        pub(in super::super) fn deleted(self, id: String) -> Deleted {
            match self {
                Self::Access => Deleted::Access(id),
                Self::Service => Deleted::Service(id),
                Self::Subscription => Deleted::Subscription(id),
            }
        }
    }
}

impl sealed::Sealed for Access {
    const KINDS: &'static [Kind] = &[Kind::Access];
    const NEEDS: &'static str = "an access with its accessId";

    async fn open(network: &OnApi, since: Option<&Cursor>) -> Result<Option<Rows<Self>>, Error> {
        network.open_accesses(since).await
    }

    fn id(&self) -> &Lenient<Text> {
        &self.access_id
    }
}

impl sealed::Sealed for AccessServices {
    const KINDS: &'static [Kind] = &[Kind::Access, Kind::Service];
    const NEEDS: &'static str =
        "an access with its accessId and the list of its services, each with its service";

    async fn open(network: &OnApi, since: Option<&Cursor>) -> Result<Option<Rows<Self>>, Error> {
        network.open_services(since).await
    }

    fn id(&self) -> &Lenient<Text> {
        &self.access_id
    }

    fn has_content(&self) -> bool {
        is_list_complete(&self.services, |service| &service.service)
    }
}

impl sealed::Sealed for AccessSubscriptions {
    const KINDS: &'static [Kind] = &[Kind::Access, Kind::Subscription];
    const NEEDS: &'static str = "an access with its accessId and the list of its subscriptions, as from ON-API 2.6 on, each with its subscriptionId";

    async fn open(network: &OnApi, since: Option<&Cursor>) -> Result<Option<Rows<Self>>, Error> {
        network.open_subscriptions(since).await
    }

    fn id(&self) -> &Lenient<Text> {
        &self.access_id
    }

    /// Before ON-API 2.6, each row is one subscription. If such a row were read as a row of 2.6, the copy would lose all
    /// subscriptions of the access.
    fn has_content(&self) -> bool {
        is_list_complete(&self.subscriptions, |subscription| &subscription.subscription_id)
    }
}

impl sealed::Sealed for Subscription {
    /// A deleted access has no subscriptions.
    const KINDS: &'static [Kind] = &[Kind::Access, Kind::Subscription];
    const NEEDS: &'static str =
        "a subscription with its subscriptionId and its accessId, as before ON-API 2.6";

    async fn open(network: &OnApi, since: Option<&Cursor>) -> Result<Option<Rows<Self>>, Error> {
        network.open_flat_subscriptions(since).await
    }

    fn id(&self) -> &Lenient<Text> {
        &self.subscription_id
    }

    /// A copy needs the access to delete the subscriptions of a deleted access.
    fn has_content(&self) -> bool {
        text_of(&self.access_id).is_some()
    }
}

/// Returns whether a list in a row is present, and each of its elements is readable and has its id as a string. `null` and `""`
/// count as empty lists, because some servers write them that way.
fn is_list_complete<T>(list: &OneOrMany<Lenient<T>>, id: impl Fn(&T) -> &Lenient<Text>) -> bool {
    let has_id = |element: &Lenient<T>| {
        element.get().map(&id).is_some_and(|id| id.unexpected().is_none() && text_of(id).is_some())
    };
    !list.is_absent() && list.iter().all(has_id)
}

/// Returns an id without surrounding white space, or `None` if nothing remains.
pub(super) fn text_of(id: &Lenient<Text>) -> Option<&str> {
    id.as_deref().map(str::trim).filter(|id| !id.is_empty())
}

/// A row with all required content.
#[derive(Debug)]
pub(super) struct Usable<T>(pub(super) T);

impl<'de, T: Synced> Deserialize<'de> for Usable<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let row = T::deserialize(deserializer)?;
        if text_of(row.id()).is_some() && row.has_content() {
            return Ok(Self(row));
        }
        Err(D::Error::custom(format_args!("incomplete row, expected {}", T::NEEDS)))
    }
}
