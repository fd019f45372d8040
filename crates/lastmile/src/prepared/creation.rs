//! What can be created at a supplier, as [`Prepared`](super::Prepared) sees it.

use lastmile_core::Error;
use lastmile_core::client::SendDeadline;
use lastmile_core::retry::Policy;
use serde::Serialize;
use serde::de::DeserializeOwned;

use sealed::{Lookup, LookupPurpose, Supplier};

/// Something that can be created at a supplier. Implemented here for what suppliers create.
pub trait Creation: Serialize + DeserializeOwned + sealed::Sealed {
    /// The client of the supplier.
    type Supplier: Supplier;
    /// What the supplier answers. It is stored with the [`Prepared`](super::Prepared) value.
    type Created: Clone + Serialize + DeserializeOwned;
    /// What is created, as stored with a [`Prepared`](super::Prepared) value.
    const KIND: &'static str;
    /// What a person should look at, when nothing else tells whether it is there.
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
    use super::{Policy, SendDeadline};

    pub trait Sealed {}

    /// The client of a supplier.
    pub trait Supplier: Sync {
        const API: &'static str;

        fn policy(&self) -> &Policy;

        /// The same client, by which nothing that changes something leaves after this moment.
        fn with_send_deadline(&self, deadline: SendDeadline) -> Self;
    }

    /// Why the supplier's data are looked at.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum LookupPurpose {
        /// Whether it is there already, before it is sent.
        BeforeSending,
        /// What became of it, when its answer was lost.
        AfterSending,
    }

    /// What the supplier's data say.
    #[derive(Debug)]
    pub enum Lookup<T> {
        /// It is there.
        Found(T),
        /// It is not there.
        NotFound,
        /// They do not tell now, and why. They may tell later.
        Indeterminate(&'static str),
        /// Something is there that this request may have brought about, or something else; which of them, only a person can
        /// tell.
        #[cfg_attr(not(any(feature = "covage", feature = "onapi")), allow(dead_code))]
        Conflict(&'static str),
        /// The API offers nothing that would tell, and why.
        Unsupported(&'static str),
    }
}
