use std::fmt;

/// The stage of an order, in terms that are common to all suppliers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OrderStage {
    /// The supplier has received the order and has not started work. Some suppliers still allow changes and cancellation.
    Received,
    /// The supplier is working on the order.
    InProgress,
    /// The supplier is waiting for an action or information of the service provider.
    WaitingForUs,
    /// The order is completed.
    Done,
    /// The order failed and will not be carried out. [`OrderProgress::reason`] returns the reason, if the supplier states one.
    Failed,
    /// The order was cancelled.
    Cancelled,
    /// The supplier reports a state that corresponds to none of these stages, or no state.
    Other,
}

impl OrderStage {
    /// Returns whether the stage is final, so that the order does not change any more.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Done | Self::Failed | Self::Cancelled)
    }
}

/// The stage of an order, together with the state that the supplier reports.
///
/// `Debug` does not show the reason, which may contain personal data.
#[derive(Clone, PartialEq, Eq)]
pub struct OrderProgress {
    stage: OrderStage,
    supplier_status: Option<String>,
    reason: Option<String>,
}

impl OrderProgress {
    #[allow(dead_code, reason = "until every supplier has it")]
    pub(crate) fn new(stage: OrderStage, supplier_status: Option<String>, reason: Option<String>) -> Self {
        Self { stage, supplier_status, reason }
    }

    /// Returns the stage of the order.
    pub fn stage(&self) -> OrderStage {
        self.stage
    }

    /// Returns the state in the supplier's own words, as it arrived. Returns `None` if the supplier sent no readable state.
    pub fn supplier_status(&self) -> Option<&str> {
        self.supplier_status.as_deref()
    }

    /// Returns the supplier's reason why the order failed or is waiting, if there is one. The reason may contain personal data.
    pub fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }
}

impl fmt::Debug for OrderProgress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OrderProgress")
            .field("stage", &self.stage)
            .field("supplier_status", &self.supplier_status)
            .finish_non_exhaustive()
    }
}

/// An object of a supplier that reports the progress of an order.
///
/// The documentation of each implementation lists which supplier state corresponds to which stage.
pub trait HasProgress {
    /// Returns the progress of the order.
    fn progress(&self) -> OrderProgress;
}
