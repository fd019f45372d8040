//! The requests that create something at a supplier, as [`Prepared`](super::Prepared) uses them.

use lastmile_core::Error;
use lastmile_core::client::SendDeadline;
use lastmile_core::clock::Clock;
use lastmile_core::retry::Policy;
use serde::Serialize;
use serde::de::DeserializeOwned;

use sealed::{Lookup, LookupPurpose, Supplier};

/// A request that creates something at a supplier. The trait is sealed; this crate implements it for the creating requests of
/// all suppliers.
pub trait Creation: Serialize + DeserializeOwned + sealed::Sealed {
    /// The client of the supplier.
    type Supplier: Supplier;
    /// What the supplier returns. It is stored with the [`Prepared`](super::Prepared) value.
    type Created: Clone + Serialize + DeserializeOwned;
    /// The name of the kind of request, which is stored with a [`Prepared`](super::Prepared) value.
    const KIND: &'static str;
    /// What a person should check if only a person can find out whether the request took effect.
    #[doc(hidden)]
    const MANUAL_CHECK: &'static str;

    #[doc(hidden)]
    fn check(&self) -> Result<(), Error>;
    #[doc(hidden)]
    fn send(&self, supplier: &Self::Supplier) -> impl Future<Output = Result<Self::Created, Error>> + Send;
    #[doc(hidden)]
    fn find(
        &self,
        supplier: &Self::Supplier,
        purpose: LookupPurpose,
    ) -> impl Future<Output = Result<Lookup<Self::Created>, Error>> + Send;
}

#[expect(unnameable_types, reason = "what cannot be named cannot be implemented elsewhere")]
pub(crate) mod sealed {
    use super::{Clock, Policy, SendDeadline};

    pub trait Sealed {}

    /// The client of a supplier.
    pub trait Supplier: Sync {
        const API: &'static str;

        fn policy(&self) -> &Policy;

        /// Returns the clock that measures the time of calls.
        fn clock(&self) -> &Clock;

        /// Returns the same client with a deadline after which it sends no request that changes anything.
        fn with_send_deadline(&self, deadline: SendDeadline) -> Self;
    }

    /// The purpose of a look-up.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum LookupPurpose {
        /// Find out before sending whether the object exists already.
        BeforeSending,
        /// Find out after a lost response whether the request took effect.
        AfterSending,
    }

    /// The result of a look-up.
    #[derive(Debug)]
    pub enum Lookup<T> {
        /// The object exists.
        Found(T),
        /// The object does not exist.
        NotFound,
        /// The supplier's data are not conclusive at present, for this reason. They may be later.
        Indeterminate(&'static str),
        /// An object exists that this request or another one may have created, for this reason. Only a person can decide which.
        #[cfg_attr(not(any(feature = "covage", feature = "onapi")), allow(dead_code))]
        Conflict(&'static str),
        /// The API offers no call that shows the object, for this reason.
        Unsupported(&'static str),
    }
}
