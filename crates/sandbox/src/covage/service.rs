//! Services, which are lines in operation.

use serde_json::Value;

use crate::json::text_at;

/// A service and its premises.
#[derive(Debug, Clone)]
pub(super) struct Service {
    /// The service as response bodies contain it.
    pub(super) view: Value,
    /// The index of the premises. `None` for a link to the operator.
    pub(super) premises_index: Option<usize>,
}

/// A service that exists at the start of the simulation.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SeededService {
    /// The identifier (`uuid`).
    pub uuid: String,
    /// The commercial reference, such as `S191128_21428`.
    pub reference: String,
    /// The code of the product.
    pub product: String,
    /// Whether the service was active at the start.
    pub active: bool,
}

impl Service {
    pub(super) fn is_active(&self) -> bool {
        self.view["status"] == "active"
    }

    pub(super) fn summary(&self) -> SeededService {
        let text = |pointer| text_at(&self.view, pointer).unwrap_or_default().to_owned();
        SeededService {
            uuid: text("/uuid"),
            reference: text("/reference"),
            product: text("/product/code"),
            active: self.is_active(),
        }
    }
}
