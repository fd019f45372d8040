use std::fmt;

/// How far an order has come, in words that hold for every supplier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OrderStage {
    /// The supplier has it and has not begun; some let it be changed or cancelled still.
    Received,
    /// The supplier is at work.
    InProgress,
    /// The supplier waits for something that the service provider has to do or say.
    WaitingForUs,
    /// It is carried out.
    Done,
    /// It will not be carried out: see [`OrderProgress::reason`].
    Failed,
    /// It was taken back.
    Cancelled,
    /// The supplier says something that none of these stands for, or nothing.
    Other,
}

impl OrderStage {
    /// Whether nothing more will happen.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Done | Self::Failed | Self::Cancelled)
    }
}

/// How far an order has come, with the supplier's own word for it.
///
/// `Debug` does not show the reason, which may say something about somebody.
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

    /// How far it has come.
    pub fn stage(&self) -> OrderStage {
        self.stage
    }

    /// The supplier's own word for that, as it arrived; none where it said nothing readable.
    pub fn supplier_status(&self) -> Option<&str> {
        self.supplier_status.as_deref()
    }

    /// Why it failed or waits, in the supplier's words, if it gave any. They may hold personal data.
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

/// What a supplier holds of an order, and how far that has come.
///
/// Each supplier's module says which of its own states is which stage.
pub trait HasProgress {
    /// How far it has come.
    fn progress(&self) -> OrderProgress;
}
