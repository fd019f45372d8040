//! The people of the operator that the supplier may call.

use std::collections::BTreeSet;

use lastmile_core::call::{Error, Reply};
use lastmile_core::wire::{Loose, OneOrMany};
use lastmile_covage::Client;
use lastmile_covage::types::{Contact, ContactCreate, ContactReplace};

use super::texts::{REPLACED, check_lines};
use super::{Covage, refused, segment};
use crate::prepared::Creation;
use crate::prepared::sealed::{Found, Look, Sealed};

/// Contacts. Each is created through a [`Prepared`](crate::Prepared) [`ContactCreate`].
impl Covage {
    /// All contacts.
    ///
    /// # Errors
    /// The outcome of the call.
    pub async fn contacts(&self) -> Result<OneOrMany<Loose<Contact>>, Error> {
        self.handle.value(|client: Client| async move { client.list_contacts().await }).await
    }

    /// Reads a contact.
    ///
    /// # Errors
    /// [`Outcome::Rejected`](crate::Outcome::Rejected) with status 404 when there is none of this id.
    pub async fn contact(&self, uuid: &str) -> Result<Contact, Error> {
        let uuid = segment("the contact's id", uuid)?;
        self.handle.value(|client: Client| async move { client.get_contact(&uuid).await }).await
    }

    /// Puts a whole contact in the place of the old one: what is left out is lost. [`replacement`] makes one from what was
    /// read. (Source: the supplier's page on contacts.)
    ///
    /// # Errors
    /// [`Outcome::Invalid`](crate::Outcome::Invalid) when it has the id of another, nothing in it, or a control character; else the outcome of the
    /// call, which can be called again.
    pub async fn replace_contact(&self, uuid: &str, contact: &ContactReplace) -> Result<Contact, Error> {
        if contact.contact_uuid.as_deref().is_some_and(|other| other != uuid) {
            return Err(refused("contact_uuid: it is that of another contact"));
        }
        let ContactReplace { first_name, last_name, email, phone_number, cell_phone_number, .. } = contact;
        if is_empty(&[first_name, last_name, email, phone_number, cell_phone_number]) {
            return Err(refused("first_name, last_name, email: the contact is empty, and would be so then"));
        }
        REPLACED.check(contact, &|_| false).map_err(refused)?;
        let uuid = segment("the contact's id", uuid)?;
        let call = |client: Client| async move { client.replace_contact(&uuid, contact).await };
        self.handle.value(call).await
    }

    /// Deletes a contact.
    ///
    /// # Errors
    /// The outcome of the call. It can be called again.
    pub async fn delete_contact(&self, uuid: &str) -> Result<Reply<()>, Error> {
        let uuid = segment("the contact's id", uuid)?;
        self.handle.call(|client: Client| async move { client.delete_contact(&uuid).await }).await
    }
}

/// A contact as it was read, to be changed and [put in its place](Covage::replace_contact).
pub fn replacement(contact: &Contact) -> ContactReplace {
    ContactReplace {
        contact_uuid: contact.contact_uuid.get().cloned(),
        first_name: contact.first_name.get().cloned(),
        last_name: contact.last_name.get().cloned(),
        email: contact.email.get().cloned(),
        phone_number: contact.phone_number.get().cloned(),
        cell_phone_number: contact.cell_phone_number.get().cloned(),
    }
}

fn is_empty(fields: &[&Option<String>]) -> bool {
    fields.iter().all(|field| field.as_deref().is_none_or(|text| text.trim().is_empty()))
}

/// Whether it says just what is to be created.
fn is_same(wanted: &ContactCreate, held: &Contact) -> bool {
    let same = |wanted: &Option<String>, held: &Loose<String>| {
        wanted.as_deref().unwrap_or_default() == held.as_deref().unwrap_or_default()
    };
    same(&wanted.first_name, &held.first_name)
        && same(&wanted.last_name, &held.last_name)
        && same(&wanted.email, &held.email)
        && same(&wanted.phone_number, &held.phone_number)
        && same(&wanted.cell_phone_number, &held.cell_phone_number)
}

impl Sealed for ContactCreate {}

/// A contact has no reference of the caller's, so it is looked for by all that it says: one that says just the same is taken
/// for it, before it is sent and afterwards.
impl Creation for ContactCreate {
    type Supplier = Covage;
    type Created = Contact;
    const KIND: &'static str = "covage.contact";
    const LOOK_AT: &'static str = "Look in the list of contacts for this person";

    fn check(&self) -> Result<(), Error> {
        let Self { first_name, last_name, email, phone_number, cell_phone_number } = self;
        match is_empty(&[first_name, last_name, email, phone_number, cell_phone_number]) {
            true => Err(refused("first_name, last_name, email: the contact is empty")),
            false => check_lines(self, &BTreeSet::new()),
        }
    }

    async fn send(&self, covage: &Covage) -> Result<Contact, Error> {
        let call = |client: Client| async move { client.create_contact(self).await };
        let reply = covage.handle.call(call).await?;
        match reply.value.contact_uuid.as_deref() {
            None | Some("") => Err(reply.unfit("the answer has no id that the contact could be used by")),
            Some(_) => Ok(reply.value),
        }
    }

    async fn find(&self, covage: &Covage, _: Look) -> Result<Found<Contact>, Error> {
        let mut is_readable = true;
        for contact in covage.contacts().await? {
            match contact.into_option() {
                Some(contact) if is_same(self, &contact) => return Ok(Found::Held(contact)),
                Some(_) => {}
                None => is_readable = false,
            }
        }
        match is_readable {
            true => Ok(Found::Nothing),
            false => Ok(Found::Unclear("a contact of the list could not be read, and it may be this one")),
        }
    }
}
