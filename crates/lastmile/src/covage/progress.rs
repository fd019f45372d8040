//! How far an order has come.

use lastmile_covage::types::{Order, OrderStatus};

use crate::{HasProgress, OrderProgress, OrderStage};

/// | the supplier's word | stage |
/// |---|---|
/// | `draft` | waiting for us: it is to be completed and submitted |
/// | `submitted`, `acknowledged` | received |
/// | `running`, `processing` | in progress |
/// | `deferred` | waiting for us: an [`Information`](super::Information) lets it go on |
/// | `completed` | done |
/// | `rejected` | failed; the order does not say why |
/// | `cancelled` | cancelled |
/// | any other, or none | other |
///
/// Source: the orders API names `draft` and `submitted`; the others are taken from the dates of an order, from the types of
/// events and from the section "Deferred", because the list of words is lost in every copy of the page.
impl HasProgress for Order {
    fn progress(&self) -> OrderProgress {
        let own = self.status.get().map(|status| status.as_str().to_owned());
        let stage = match self.status.get() {
            Some(OrderStatus::Draft) => OrderStage::WaitingForUs,
            Some(OrderStatus::Submitted) => OrderStage::Received,
            Some(other) => match other.as_str() {
                "acknowledged" => OrderStage::Received,
                "running" | "processing" => OrderStage::InProgress,
                "deferred" => OrderStage::WaitingForUs,
                "completed" => OrderStage::Done,
                "rejected" => OrderStage::Failed,
                "cancelled" => OrderStage::Cancelled,
                _ => OrderStage::Other,
            },
            None => OrderStage::Other,
        };
        OrderProgress::new(stage, own, None)
    }
}
