//! What can be created at a supplier, as [`Prepared`](super::Prepared) sees it.

use lastmile_core::call::Error;
use lastmile_core::retry::Policy;
use serde::Serialize;
use serde::de::DeserializeOwned;

use sealed::{Found, Look, Supplier};

/// Something that can be created at a supplier. Implemented here for what suppliers create.
pub trait Creation: Serialize + DeserializeOwned + sealed::Sealed {
    /// The handle of the supplier.
    type Supplier: Supplier;
    /// What the supplier answers.
    type Created;
    /// What is created, as stored with a [`Prepared`](super::Prepared) value.
    const KIND: &'static str;
    /// What a person should look at, when nothing else tells whether it is there.
    #[doc(hidden)]
    const LOOK_AT: &'static str;

    #[doc(hidden)]
    fn check(&self) -> Result<(), Error>;
    #[doc(hidden)]
    fn send(&self, supplier: &Self::Supplier) -> impl Future<Output = Result<Self::Created, Error>> + Send;
    #[doc(hidden)]
    fn find(
        &self,
        supplier: &Self::Supplier,
        look: Look,
    ) -> impl Future<Output = Result<Found<Self::Created>, Error>> + Send;
}

#[expect(unnameable_types, reason = "what cannot be named cannot be implemented elsewhere")]
pub(crate) mod sealed {
    use super::Policy;

    pub trait Sealed {}

    /// The handle of a supplier.
    pub trait Supplier: Sync {
        const API: &'static str;

        fn policy(&self) -> &Policy;
    }

    /// Why the supplier's data are looked at.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Look {
        /// Whether it is there already, before it is sent.
        BeforeSending,
        /// What became of it, when its answer was lost.
        Afterwards,
    }

    /// What the supplier's data say.
    #[derive(Debug)]
    pub enum Found<T> {
        /// It is there.
        Held(T),
        /// It is not there.
        Nothing,
        /// They do not tell, and why. It may be seen later.
        Unclear(&'static str),
        /// They never tell, and why.
        Never(&'static str),
        /// Something else of it is there, so that it must not be sent again; why that is not it.
        #[cfg_attr(not(any(feature = "covage", feature = "onapi")), allow(dead_code))]
        Taken(&'static str),
    }
}
