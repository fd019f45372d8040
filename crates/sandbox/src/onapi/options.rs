//! The configuration of a simulated CO.

use super::dialect::Dialect;
use super::path_style::PathStyle;
use crate::text_normalization::TextNormalization;

/// The configuration of a simulated CO.
#[derive(Debug, Clone)]
pub(crate) struct OnApiOptions {
    /// The number of accesses at the start.
    pub(crate) accesses: usize,
    pub(crate) dialect: Dialect,
    pub(crate) unexpected_values: bool,
    pub(crate) path_style: PathStyle,
    pub(crate) deduplicates: bool,
    pub(crate) last_modified: bool,
    pub(crate) order_ids: bool,
    pub(crate) early_subscription_ids: bool,
    pub(crate) keeps_references: bool,
    pub(crate) legacy_endpoints: bool,
    pub(crate) absent_endpoints: Vec<String>,
    pub(crate) text_normalization: TextNormalization,
}

impl Default for OnApiOptions {
    fn default() -> OnApiOptions {
        OnApiOptions {
            accesses: 30,
            dialect: Dialect::default(),
            unexpected_values: false,
            path_style: PathStyle::default(),
            deduplicates: true,
            last_modified: true,
            order_ids: true,
            early_subscription_ids: true,
            keeps_references: true,
            legacy_endpoints: false,
            absent_endpoints: Vec::new(),
            text_normalization: TextNormalization::default(),
        }
    }
}
