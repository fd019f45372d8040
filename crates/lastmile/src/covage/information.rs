//! Information about a submitted order.

use std::collections::BTreeSet;

use lastmile_core::Error;
use lastmile_covage::types::{OrderInfoEvent, OrderInfoEventCreate};
use serde::{Deserialize, Serialize};

use super::texts::check_lines;
use super::{Covage, OrderId, refused};
use crate::prepared::Creation;
use crate::prepared::sealed::{Lookup, LookupPurpose, Sealed};

/// Information for the supplier about an order, which may also resume a deferred order. It is placed through
/// [`Prepared`](crate::Prepared).
///
/// The supplier accepts one piece of information per order in five minutes. A second one within this time fails with
/// [`Outcome::Throttled`](crate::Outcome::Throttled) and the time to wait, and is not sent. (Source: orders API, "Deferred".)
///
/// ```
/// use lastmile::{Prepared, covage::Information};
///
/// let code = Information::new("0cd8d842-b0ca-43c0-8cbc-5d275cbdb1c2".parse()?, "The door code is 4711").stop_deferred();
/// let prepared = Prepared::new(code)?;
/// # Ok::<(), lastmile::Error>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[must_use = "nothing is sent until it is prepared and placed"]
pub struct Information {
    order: OrderId,
    body: OrderInfoEventCreate,
}

impl Information {
    /// Creates a message about the order with this id.
    pub fn new(order: OrderId, message: impl Into<String>) -> Self {
        let body = OrderInfoEventCreate { message: Some(message.into()), ..Default::default() };
        Self { order, body }
    }

    /// Requests that the supplier resume a deferred order.
    pub fn stop_deferred(mut self) -> Self {
        self.body.stop_deferred = Some(true);
        self
    }
}

impl Information {
    pub(super) fn order(&self) -> &OrderId {
        &self.order
    }

    pub(super) fn body(&self) -> &OrderInfoEventCreate {
        &self.body
    }
}

impl Sealed for Information {}

impl Creation for Information {
    type Supplier = Covage;
    type Created = OrderInfoEvent;
    const KIND: &'static str = "covage.information";
    const MANUAL_CHECK: &'static str = "look at the order on the extranet, whether the message is there; said twice, it does no more than said once";

    fn check(&self) -> Result<(), Error> {
        if self.body.message.as_deref().is_none_or(|message| message.trim().is_empty()) {
            return Err(refused("message: it says nothing"));
        }
        check_lines(&self.body, &BTreeSet::new())
    }

    async fn send(&self, covage: &Covage) -> Result<OrderInfoEvent, Error> {
        let reply = covage.client.create_order_info_event(self.order.segment(), &self.body).await?;
        match reply.value.info.as_deref() {
            None | Some("") => {
                Err(reply.into_decode_error("the response does not say what became of the information"))
            }
            Some(_) => Ok(reply.value),
        }
    }

    async fn find(&self, _: &Covage, _: LookupPurpose) -> Result<Lookup<OrderInfoEvent>, Error> {
        Ok(Lookup::Unsupported("the API shows no messages that it was sent"))
    }
}
