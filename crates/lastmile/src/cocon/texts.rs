//! What holds for the texts of what is sent to Cocon.

use lastmile_core::Error;
use serde::Serialize;

use super::refused;
use crate::checks::{Texts, changes_nothing, is_empty};

pub(super) const TEXTS: Texts =
    Texts { multiline: &["comment", "other"], may_be_empty: &[], maps: &["additionalInformation"] };

pub(super) fn check(request: &impl Serialize) -> Result<(), Error> {
    TEXTS.check(request, &|_| false).map_err(refused)
}

/// Source: the reference requires no field, but something without any text is nothing that could be found again.
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
