//! The clients of this crate's suppliers, and the kinds of orders that each of them opens.

use std::time::Duration;

use super::chain::open as open_chain;
use super::{Chain, Client, OpenError, Step};
use crate::prepared::sealed::Supplier as _;
use crate::prepared::step::open;

macro_rules! client {
    ($client:ty: $($request:ty),+; $($chain:ty),+ $(,)?) => {
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
                    $(<$chain as Chain>::KIND => open_chain::<$chain>(self, body),)+
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
    crate::cocon::NamedConnection, crate::cocon::BuildingConnection, crate::cocon::Batch;
    super::BatchAndReport,
);

#[cfg(feature = "covage")]
client!(
    crate::covage::Covage: crate::covage::NewOrder, crate::covage::Submission, crate::covage::types::ContactCreate,
    crate::covage::Information, crate::covage::Migration;
    super::DraftAndSubmit,
);

#[cfg(feature = "onapi")]
client!(crate::onapi::OnApi: crate::onapi::NewOrder, crate::onapi::NewTicket, crate::onapi::TicketChange; super::PlaceAndFollow);
