//! Warnings about prepared requests.

use super::{Creation, Prepared};
use crate::HasWarnings;
use crate::rules::FieldWarning;

impl<C: Creation + HasWarnings> HasWarnings for Prepared<C> {
    fn warnings(&self) -> Vec<FieldWarning> {
        self.request().warnings()
    }
}
