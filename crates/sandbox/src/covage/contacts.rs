//! The contact persons of the operator.

use std::collections::BTreeMap;

use fastrand::Rng;
use serde_json::{Value, json};

use super::error_response::ErrorResponse;
use super::generator::{Generator, short_id};
use crate::json::text_at;

/// Contacts by identifier, as response bodies contain them.
#[derive(Debug)]
pub(super) struct Contacts(BTreeMap<String, Value>);

impl Contacts {
    /// Creates the store with one contact. It is not a default: drafts start without a contact, as in the supplier's
    /// samples.
    pub(super) fn new(rng: &mut Rng) -> Contacts {
        let id = short_id(rng);
        let contact = json!({
            "contact_uuid": id,
            "first_name": "Anatole",
            "last_name": "Becfin",
            "phone_number": "0199000000",
            "email": "livraison@operateur.example",
        });
        Contacts(BTreeMap::from([(id, contact)]))
    }

    pub(super) fn list(&self) -> Value {
        self.0.values().cloned().collect()
    }

    pub(super) fn first(&self) -> String {
        self.0.keys().next().cloned().unwrap_or_default()
    }

    pub(super) fn get(&self, id: &str) -> Result<Value, ErrorResponse> {
        self.0.get(id).cloned().ok_or_else(|| ErrorResponse::not_found("contact"))
    }

    pub(super) fn create(&mut self, body: &Value, generator: &mut Generator) -> Value {
        self.put(generator.short_id(), body)
    }

    /// Replaces a contact. Fields that are not sent are removed, as the documentation demands the whole object.
    pub(super) fn replace(&mut self, id: &str, body: &Value) -> Result<Value, ErrorResponse> {
        self.get(id)?;
        if text_at(body, "/contact_uuid").is_some_and(|other| other != id) {
            return Err(ErrorResponse::field("contact_uuid", "It is not that of the path."));
        }
        Ok(self.put(id.to_owned(), body))
    }

    pub(super) fn delete(&mut self, id: &str) -> Result<(), ErrorResponse> {
        self.0.remove(id).map(|_| ()).ok_or_else(|| ErrorResponse::not_found("contact"))
    }

    fn put(&mut self, id: String, body: &Value) -> Value {
        let mut contact = body.clone();
        contact["contact_uuid"] = Value::from(id.as_str());
        self.0.insert(id, contact.clone());
        contact
    }
}
