//! The rule on characters, applied to what is sent.

use std::collections::BTreeSet;

use lastmile_core::call::Error;
use lastmile_covage::types::EndCustomerUpdate;

use super::refused;
use crate::rules::CovageText;

/// The texts of an end customer that the supplier's own suppliers read.
pub(super) fn check_texts(
    customer: Option<&EndCustomerUpdate>,
    overruled: &BTreeSet<String>,
) -> Result<(), Error> {
    let Some(customer) = customer else { return Ok(()) };
    let contact = customer.contact.as_ref();
    let texts = [
        ("end_customer.name", customer.name.as_ref()),
        ("end_customer.first_name", customer.first_name.as_ref()),
        ("end_customer.last_name", customer.last_name.as_ref()),
        ("end_customer.siret", customer.siret.as_ref()),
        ("end_customer.contact.first_name", contact.and_then(|contact| contact.first_name.as_ref())),
        ("end_customer.contact.last_name", contact.and_then(|contact| contact.last_name.as_ref())),
        ("end_customer.contact.email", contact.and_then(|contact| contact.email.as_ref())),
        ("end_customer.contact.phone_number", contact.and_then(|contact| contact.phone_number.as_ref())),
        (
            "end_customer.contact.cell_phone_number",
            contact.and_then(|contact| contact.cell_phone_number.as_ref()),
        ),
    ];
    texts
        .into_iter()
        .try_for_each(|(field, text)| text.map_or(Ok(()), |text| check_text(field, text, overruled)))
}

pub(super) fn check_text(field: &str, text: &str, overruled: &BTreeSet<String>) -> Result<(), Error> {
    match CovageText::try_from(text) {
        Err(error) if !overruled.contains(field) => Err(refused(format_args!("{field}: {error}"))),
        _ => Ok(()),
    }
}
