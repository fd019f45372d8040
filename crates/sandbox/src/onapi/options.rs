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
    pub(crate) path_style: PathStyle,
    pub(crate) deduplicates: bool,
    pub(crate) last_modified: bool,
    pub(crate) absent_endpoints: Vec<String>,
    pub(crate) text_normalization: TextNormalization,
}

impl Default for OnApiOptions {
    fn default() -> OnApiOptions {
        OnApiOptions {
            accesses: 30,
            dialect: Dialect::default(),
            path_style: PathStyle::default(),
            deduplicates: true,
            last_modified: true,
            absent_endpoints: Vec::new(),
            text_normalization: TextNormalization::default(),
        }
    }
}
