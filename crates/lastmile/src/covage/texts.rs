//! Checks and warnings for the texts in requests to Covage.

use std::collections::BTreeSet;

use lastmile_core::Error;
use lastmile_covage::types::{
    ContactCreate, ContactReplace, EndCustomerUpdate, OrderOptionUpdate, OrderUpdate,
};
use serde::Serialize;

use super::{Information, Migration, NewOrder, Options, refused};
use crate::HasWarnings;
use crate::checks::{Texts, long_id};
use crate::rules::{CovageText, FieldWarning};

/// The comment and the message are free text. The supplier's sample request of a migration contains an empty `imb`.
pub(super) const TEXTS: Texts =
    Texts { multiline: &["comment", "message"], may_be_empty: &["imb"], maps: &["information"] };

/// A contact is replaced as a whole, and the supplier represents an unknown field as an empty text.
pub(super) const REPLACED: Texts = Texts {
    multiline: &[],
    may_be_empty: &["first_name", "last_name", "email", "phone_number", "cell_phone_number"],
    maps: &[],
};

/// Rejects blank texts and control characters, except in the fields that are skipped.
pub(super) fn check_lines(request: &impl Serialize, skipped: &BTreeSet<String>) -> Result<(), Error> {
    TEXTS.check(request, &|path| skipped.contains(path)).map_err(refused)
}

/// Checks the texts of an end customer. The supplier passes them on to its own suppliers, which accept only certain characters.
pub(super) fn check_texts(
    customer: Option<&EndCustomerUpdate>,
    skipped: &BTreeSet<String>,
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
        .try_for_each(|(field, text)| text.map_or(Ok(()), |text| check_text(field, text, skipped)))
}

pub(super) fn check_text(field: &str, text: &str, skipped: &BTreeSet<String>) -> Result<(), Error> {
    match CovageText::try_from(text) {
        Err(error) if !skipped.contains(field) => Err(refused(format_args!("{field}: {error}"))),
        _ => Ok(()),
    }
}

impl HasWarnings for Information {
    fn warnings(&self) -> Vec<FieldWarning> {
        let mut warnings = TEXTS.warnings(self.body());
        warnings.extend(long_id("uuid", self.order().as_str()));
        warnings
    }
}

impl HasWarnings for Migration {
    fn warnings(&self) -> Vec<FieldWarning> {
        long_id("uuid", self.service().as_str()).into_iter().collect()
    }
}

macro_rules! warnings {
    ($($request:ty: |$this:ident| $body:expr),* $(,)?) => {$(
        impl HasWarnings for $request {
            fn warnings(&self) -> Vec<FieldWarning> {
                let $this = self;
                TEXTS.warnings($body)
            }
        }
    )*};
}

warnings! {
    NewOrder: |order| order.body(),
    OrderUpdate: |update| update,
    Options: |options| &std::collections::BTreeMap::<String, OrderOptionUpdate>::from(options.clone()),
    ContactCreate: |contact| contact,
    ContactReplace: |contact| contact,
}
