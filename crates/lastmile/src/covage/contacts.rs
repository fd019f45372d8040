//! Contacts: the people of the operator whom the supplier may call.

use std::collections::BTreeSet;

use lastmile_core::wire::{Lenient, Text};
use lastmile_core::{Error, Reply};
use lastmile_covage::types::{Contact, ContactCreate, ContactReplace};

use super::texts::{REPLACED, check_lines};
use super::{ContactId, Covage, refused};
use crate::List;
use crate::prepared::sealed::{Lookup, LookupPurpose, Sealed};
use crate::prepared::{Creation, Match};

/// Contacts. A contact is created through a [`Prepared`](crate::Prepared) [`ContactCreate`].
impl Covage {
    /// Returns all contacts.
    ///
    /// # Errors
    /// Returns the error of the call.
    #[doc(alias = "listContacts")]
    #[doc(alias = "GET /api/contacts/")]
    pub fn contacts(&self) -> List<Contact> {
        let client = self.client.clone();
        List::new(async move { Ok(client.list_contacts().await?.value.into_vec()) })
    }

    /// Reads a contact.
    ///
    /// # Errors
    /// Returns [`Outcome::Rejected`](crate::Outcome::Rejected) with status 404 when no contact has this id.
    #[doc(alias = "getContact")]
    #[doc(alias = "GET /api/contacts/{contact_uuid}/")]
    pub async fn contact(&self, id: &ContactId) -> Result<Contact, Error> {
        self.client.get_contact(id.segment()).await.map(Reply::into_value)
    }

    /// Replaces a contact as a whole: fields that are left out are lost. [`replacement`] creates the replacement from a contact
    /// that was read. (Source: the supplier's page on contacts.)
    ///
    /// When [`earlier_attempt_unanswered`](Reply::earlier_attempt_unanswered) is set, the supplier may still carry out an
    /// earlier attempt of this change, even after a newer change. Read the contact again before you rely on it.
    ///
    /// # Errors
    /// Returns [`Outcome::Invalid`](crate::Outcome::Invalid) when the replacement has the id of another contact, is empty or
    /// contains a control character, and otherwise the error of the call. The method can be called again.
    #[doc(alias = "replaceContact")]
    #[doc(alias = "PUT /api/contacts/{contact_uuid}/")]
    pub async fn replace_contact(
        &self,
        id: &ContactId,
        contact: &ContactReplace,
    ) -> Result<Reply<Contact>, Error> {
        if contact.contact_uuid.as_deref().is_some_and(|other| other != id.as_str()) {
            return Err(refused("contact_uuid: it is that of another contact"));
        }
        let ContactReplace { first_name, last_name, email, phone_number, cell_phone_number, .. } = contact;
        if is_empty(&[first_name, last_name, email, phone_number, cell_phone_number]) {
            return Err(refused("first_name, last_name, email: the contact is empty, and would be so then"));
        }
        REPLACED.check(contact, &|_| false).map_err(refused)?;
        self.client.replace_contact(id.segment(), contact).await
    }

    /// Deletes a contact.
    ///
    /// # Errors
    /// Returns the error of the call. The method can be called again.
    #[doc(alias = "deleteContact")]
    #[doc(alias = "DELETE /api/contacts/{contact_uuid}/")]
    pub async fn delete_contact(&self, id: &ContactId) -> Result<(), Error> {
        self.client.delete_contact(id.segment()).await.map(Reply::into_value)
    }
}

/// Creates a [replacement](Covage::replace_contact) with the fields of a contact that was read.
pub fn replacement(contact: &Contact) -> ContactReplace {
    ContactReplace {
        contact_uuid: contact.contact_uuid.as_deref().map(str::to_owned),
        first_name: contact.first_name.as_deref().map(str::to_owned),
        last_name: contact.last_name.as_deref().map(str::to_owned),
        email: contact.email.as_deref().map(str::to_owned),
        phone_number: contact.phone_number.as_deref().map(str::to_owned),
        cell_phone_number: contact.cell_phone_number.as_deref().map(str::to_owned),
    }
}

fn is_empty(fields: &[&Option<String>]) -> bool {
    fields.iter().all(|field| field.as_deref().is_none_or(|text| text.trim().is_empty()))
}

/// Returns whether a contact equals the contact to create. A field that is missing from the response is not conclusive.
fn is_same(wanted: &ContactCreate, held: &Contact) -> Match {
    let text = |wanted: &Option<String>, held: &Lenient<Text>| match wanted.as_deref().unwrap_or_default() {
        wanted if held.is_absent() && !wanted.is_empty() => Match::Maybe,
        wanted => Match::of_text(held.as_deref().unwrap_or_default(), wanted),
    };
    text(&wanted.first_name, &held.first_name)
        .and(text(&wanted.last_name, &held.last_name))
        .and(text(&wanted.email, &held.email))
        .and(is_same_phone(&wanted.phone_number, &held.phone_number))
        .and(is_same_phone(&wanted.cell_phone_number, &held.cell_phone_number))
}

/// Returns whether a contact of the list is the contact to create. The supplier may have changed its fields, and a person may
/// have corrected them since. A contact that shares personal data with it is therefore a possible match.
fn is_in_list(wanted: &ContactCreate, held: &Contact) -> Match {
    match is_same(wanted, held) {
        Match::No if says_nothing(held) || is_alike(wanted, held) => Match::Maybe,
        told => told,
    }
}

/// Returns whether all fields of a contact other than its id are empty.
fn says_nothing(contact: &Contact) -> bool {
    let Contact { first_name, last_name, email, phone_number, cell_phone_number, .. } = contact;
    let fields = [first_name, last_name, email, phone_number, cell_phone_number];
    fields.into_iter().all(|field| field.as_deref().is_none_or(|text| text.trim().is_empty()))
}

/// Returns whether a contact has the same e-mail address, or the same name and one of the phone numbers.
fn is_alike(wanted: &ContactCreate, held: &Contact) -> bool {
    let is_shared = |held: &str, wanted: &str| {
        !held.trim().is_empty() && !wanted.trim().is_empty() && Match::of_text(held, wanted) != Match::No
    };
    let email = (held.email.as_deref().unwrap_or_default(), wanted.email.as_deref().unwrap_or_default());
    let name = |first: Option<&str>, last: Option<&str>| {
        format!("{} {}", first.unwrap_or_default(), last.unwrap_or_default())
    };
    let held_name = name(held.first_name.as_deref(), held.last_name.as_deref());
    let wanted_name = name(wanted.first_name.as_deref(), wanted.last_name.as_deref());
    let shares_phone = [&wanted.phone_number, &wanted.cell_phone_number].into_iter().any(|wanted| {
        let held = [&held.phone_number, &held.cell_phone_number];
        wanted.is_some() && held.into_iter().any(|held| is_same_number(wanted, held))
    });
    is_shared(email.0, email.1) || (is_shared(&held_name, &wanted_name) && shares_phone)
}

fn is_same_number(wanted: &Option<String>, held: &Lenient<Text>) -> bool {
    !held.is_absent()
        && wanted.as_deref().is_some_and(|wanted| !wanted.trim().is_empty())
        && is_same_phone(wanted, held) != Match::No
}

/// Compares phone numbers. Suppliers write them with or without the country code, and with dots, spaces or no separators.
fn is_same_phone(wanted: &Option<String>, held: &Lenient<Text>) -> Match {
    let is_missing = held.is_absent();
    let (wanted, held) = (wanted.as_deref().unwrap_or_default(), held.as_deref().unwrap_or_default());
    let national = |number: &str| {
        let digits: Vec<char> = number.chars().filter(char::is_ascii_digit).collect();
        digits[digits.len().saturating_sub(9)..].to_vec()
    };
    match wanted == held {
        true => Match::Yes,
        false if is_missing && !wanted.is_empty() => Match::Maybe,
        false if !wanted.is_empty() && national(wanted) == national(held) => Match::Maybe,
        false => Match::No,
    }
}

impl Sealed for ContactCreate {}

/// A contact has no reference of the caller, so the look-up compares all fields of the contacts in the list. A contact that is
/// equal in all fields counts as the created contact, both before and after the request is sent. A contact with the same e-mail
/// address, or with the same name and a common phone number, is a conflict that a person has to resolve.
impl Creation for ContactCreate {
    type Supplier = Covage;
    type Created = Contact;
    const KIND: &'static str = "covage.contact";
    const MANUAL_CHECK: &'static str = "look in the list of contacts for this person";

    fn check(&self) -> Result<(), Error> {
        let Self { first_name, last_name, email, phone_number, cell_phone_number } = self;
        match is_empty(&[first_name, last_name, email, phone_number, cell_phone_number]) {
            true => Err(refused("first_name, last_name, email: the contact is empty")),
            false => check_lines(self, &BTreeSet::new()),
        }
    }

    async fn send(&self, covage: &Covage) -> Result<Contact, Error> {
        let reply = covage.client.create_contact(self).await?;
        match reply.value.contact_uuid.as_deref() {
            None | Some("") => {
                Err(reply.into_decode_error("the response has no id that the contact could be used by"))
            }
            Some(_) if is_same(self, &reply.value) == Match::No => {
                Err(reply.into_decode_error("the response is another contact"))
            }
            Some(_) => Ok(reply.value),
        }
    }

    async fn find(&self, covage: &Covage, purpose: LookupPurpose) -> Result<Lookup<Contact>, Error> {
        let contacts = covage.client.list_contacts().await?.value;
        // Before the request is sent, `null` and similar responses count as an empty list.
        let mut told = match purpose {
            LookupPurpose::AfterSending if !contacts.is_array() => {
                Lookup::Indeterminate("the supplier responds without a list of contacts")
            }
            _ => Lookup::NotFound,
        };
        for contact in contacts {
            let Some(contact) = contact.into_option() else {
                told =
                    Lookup::Indeterminate("a contact of the list could not be read, and it may be this one");
                continue;
            };
            match is_in_list(self, &contact) {
                Match::Yes => return Ok(Lookup::Found(contact)),
                Match::No => {}
                Match::Maybe => told = Lookup::Conflict("a contact cannot be told from this one"),
            }
        }
        Ok(told)
    }
}
