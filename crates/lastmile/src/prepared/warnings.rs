//! What is probably wrong with a prepared request.

use super::{Creation, Prepared};
use crate::HasWarnings;
use crate::rules::FieldWarning;

impl<C: Creation + HasWarnings> HasWarnings for Prepared<C> {
    fn warnings(&self) -> Vec<FieldWarning> {
        self.request().warnings()
    }
}
