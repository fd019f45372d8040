//! The progress of an order.

use lastmile_covage::types::{Order, OrderStatus};

use crate::{HasProgress, OrderProgress, OrderStage};

/// Maps the supplier's status of an order to a stage:
///
/// | supplier status | stage |
/// |---|---|
/// | `draft` | waiting for us: the order has to be completed and submitted |
/// | `submitted`, `acknowledged` | received |
/// | `running`, `processing` | in progress |
/// | `deferred` | waiting for us: an [`Information`](super::Information) lets the order continue |
/// | `completed` | done |
/// | `rejected` | failed; the order does not state the reason |
/// | `cancelled` | cancelled |
/// | any other, or none | other |
///
/// Source: the orders API names `draft` and `submitted`. The other statuses are derived from the dates of an order, from the
/// types of events and from the section "Deferred", because no available copy of the page contains the complete list.
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
