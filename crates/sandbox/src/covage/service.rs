//! A service, which is a line in operation.

use serde_json::Value;

use crate::json::text_at;

/// A service and where it is.
#[derive(Debug, Clone)]
pub(super) struct Service {
    /// As it is answered.
    pub(super) view: Value,
    /// Which place of the town; the supplier's own links to the operator have none.
    pub(super) premises_index: Option<usize>,
}

/// A service that is there from the start.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SeededService {
    /// Its identifier.
    pub uuid: String,
    /// Its commercial reference, such as `S191128_21428`.
    pub reference: String,
    /// Code of its product.
    pub product: String,
    /// Whether it was active at the start.
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
