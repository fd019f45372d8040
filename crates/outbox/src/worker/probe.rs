//! Calls at the boundaries between the steps of a worker, where tests crash or stop it.

use std::sync::Arc;

/// A boundary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Point {
    BeforeClaim,
    Claimed,
    LookedUp,
    BeforeMark,
    Marked,
    Answered,
    Booked,
}

impl Point {
    /// All boundaries, in order.
    pub const ALL: [Self; 7] = [
        Self::BeforeClaim,
        Self::Claimed,
        Self::LookedUp,
        Self::BeforeMark,
        Self::Marked,
        Self::Answered,
        Self::Booked,
    ];
}

/// Called at each boundary.
pub type Probe = Arc<dyn Fn(Point) + Send + Sync>;
