//! Checks for the texts in requests to Cocon.

use lastmile_core::Error;
use serde::Serialize;

use super::refused;
use crate::checks::{Texts, changes_nothing, is_empty};

pub(super) const TEXTS: Texts =
    Texts { multiline: &["comment", "other"], may_be_empty: &[], maps: &["additionalInformation"] };

pub(super) fn check(request: &impl Serialize) -> Result<(), Error> {
    TEXTS.check(request, &|_| false).map_err(refused)
}

/// Checks a creating request. The reference requires no field, but an object without any text could not be found again, so an
/// empty request is rejected. (Source: Cocon's API reference.)
pub(super) fn check_creation(what: &str, fields: &str, request: &impl Serialize) -> Result<(), Error> {
    if is_empty(request) {
        return Err(refused(format_args!("{fields}: the {what} is empty: fill in at least one of them")));
    }
    check(request)
}

pub(super) fn check_change(change: &impl Serialize) -> Result<(), Error> {
    if changes_nothing(change) {
        return Err(refused("the patch is empty: set or clear at least one field"));
    }
    check(change)
}
