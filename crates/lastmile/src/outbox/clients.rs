//! The clients of this crate's suppliers, and the kinds of orders that each of them opens.

use std::time::Duration;

use super::{Client, OpenError, Step};
use crate::prepared::sealed::Supplier as _;
use crate::prepared::step::open;

macro_rules! client {
    ($client:ty: $($request:ty),+ $(,)?) => {
        impl Client for $client {
            fn supplier(&self) -> &str {
                <$client>::API
            }

            fn deadline(&self) -> Duration {
                self.policy().deadline
            }

            fn settle_time(&self) -> Duration {
                self.policy().settle_time
            }

            fn open(&self, kind: &str, body: &str) -> Result<Box<dyn Step>, OpenError> {
                match kind {
                    $(<$request as crate::Creation>::KIND => open::<$request>(self, body),)+
                    _ => Err(OpenError::UnknownKind),
                }
            }
        }
    };
}

#[cfg(feature = "cocon")]
client!(
    crate::cocon::Cocon: crate::cocon::types::CustomerCreate, crate::cocon::types::ContactCreate,
    crate::cocon::types::CustomerContractCreate, crate::cocon::types::ProjectAssetApprovalCreate,
    crate::cocon::NamedConnection, crate::cocon::BuildingConnection, crate::cocon::Batch,
);

#[cfg(feature = "covage")]
client!(
    crate::covage::Covage: crate::covage::NewOrder, crate::covage::Submission, crate::covage::types::ContactCreate,
    crate::covage::Information, crate::covage::Migration,
);

#[cfg(feature = "onapi")]
client!(crate::onapi::OnApi: crate::onapi::NewOrder, crate::onapi::NewTicket, crate::onapi::TicketChange);
