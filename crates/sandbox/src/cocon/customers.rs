//! Customers, their contacts and their contracts.

use std::collections::BTreeMap;

use fastrand::Rng;
use serde_json::Value;

use super::error_response::{ErrorResponse, OperationResult};
use super::response_bodies;
use crate::json::{non_null, text};
use crate::merge_patch::merge_patch;

/// Stored objects by id, as they were sent and patched, without nulls.
type Store = BTreeMap<String, Value>;

#[derive(Debug)]
pub(super) struct Customers {
    customers: Store,
    contacts: Store,
    contracts: Store,
    next_id: u64,
}

impl Customers {
    pub(super) fn new(rng: &mut Rng) -> Customers {
        let (customers, contacts, contracts) = Default::default();
        Customers { customers, contacts, contracts, next_id: rng.u64(1_000..9_000) }
    }

    /// Returns the customers with their ids.
    pub(super) fn customers(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.customers.iter().map(|(id, customer)| (id.as_str(), customer))
    }

    pub(super) fn create_customer(&mut self, body: &Value) -> OperationResult {
        let id = self.new_id();
        self.customers.insert(id.clone(), patched(&Value::Null, body));
        self.customer(&id)
    }

    pub(super) fn customer(&self, id: &str) -> OperationResult {
        let stored = find(&self.customers, "customer", id)?;
        Ok(Some(response_bodies::customer(id, stored)))
    }

    pub(super) fn update_customer(&mut self, id: &str, patch: &Value) -> OperationResult {
        let customer = patched(find(&self.customers, "customer", id)?, patch);
        self.customers.insert(id.to_owned(), customer);
        self.customer(id)
    }

    /// Deletes a customer. Its contacts and contracts must be deleted first.
    pub(super) fn delete_customer(&mut self, id: &str) -> OperationResult {
        find(&self.customers, "customer", id)?;
        let belongs = |stored: &Value| text(stored, "customerId") == Some(id);
        if self.contacts.values().chain(self.contracts.values()).any(belongs) {
            return Err(ErrorResponse::new(
                400,
                "CustomerInUse",
                "The customer still has contacts or contracts",
            ));
        }
        self.customers.remove(id);
        Ok(None)
    }

    pub(super) fn create_contact(&mut self, body: &Value) -> OperationResult {
        self.check_customer(body)?;
        let id = self.new_id();
        self.contacts.insert(id.clone(), patched(&Value::Null, body));
        self.contact(&id)
    }

    pub(super) fn contact(&self, id: &str) -> OperationResult {
        let stored = find(&self.contacts, "contact", id)?;
        Ok(Some(response_bodies::contact(id, stored, self.customer_of(stored))))
    }

    pub(super) fn contact_of(&self, customer_id: &str, id: &str) -> OperationResult {
        find(&self.customers, "customer", customer_id)?;
        let stored = find(&self.contacts, "contact", id)?;
        if text(stored, "customerId") != Some(customer_id) {
            return Err(ErrorResponse::not_found("contact", id));
        }
        self.contact(id)
    }

    pub(super) fn update_contact(&mut self, id: &str, patch: &Value) -> OperationResult {
        let contact = patched(find(&self.contacts, "contact", id)?, patch);
        self.contacts.insert(id.to_owned(), contact);
        self.contact(id)
    }

    /// Deletes a contact, unless a contract refers to it.
    pub(super) fn delete_contact(&mut self, id: &str) -> OperationResult {
        find(&self.contacts, "contact", id)?;
        if self.contracts.values().any(|contract| contact_ids(contract).any(|other| other == id)) {
            return Err(ErrorResponse::new(400, "ContactInUse", "The contact is named in a contract"));
        }
        self.contacts.remove(id);
        Ok(None)
    }

    pub(super) fn create_contract(&mut self, body: &Value) -> OperationResult {
        self.check_customer(body)?;
        let contract = patched(&Value::Null, body);
        self.check_contract(&contract)?;
        let id = self.new_id();
        self.contracts.insert(id.clone(), contract);
        self.contract(&id)
    }

    pub(super) fn contract(&self, id: &str) -> OperationResult {
        let stored = find(&self.contracts, "contract", id)?;
        Ok(Some(response_bodies::contract(id, stored, self.customer_of(stored))))
    }

    /// Updates a contract. The patched contract is validated before it is stored.
    pub(super) fn update_contract(&mut self, id: &str, patch: &Value) -> OperationResult {
        let contract = patched(find(&self.contracts, "contract", id)?, patch);
        self.check_contract(&contract)?;
        self.contracts.insert(id.to_owned(), contract);
        self.contract(id)
    }

    pub(super) fn delete_contract(&mut self, id: &str) -> OperationResult {
        find(&self.contracts, "contract", id)?;
        self.contracts.remove(id);
        Ok(None)
    }

    fn check_contract(&self, contract: &Value) -> Result<(), ErrorResponse> {
        if let Some(id) = contact_ids(contract).find(|id| !self.contacts.contains_key(*id)) {
            return Err(ErrorResponse::new(400, "UnknownContact", format!("There is no contact {id}")));
        }
        // The schema has validated the dates; as texts they sort chronologically.
        match (text(contract, "startDate"), text(contract, "endDate")) {
            (Some(start), Some(end)) if end < start => {
                Err(ErrorResponse::new(400, "EndBeforeStart", format!("{end} is before {start}")))
            }
            _ => Ok(()),
        }
    }

    /// Checks that the customer named in a request body exists. The error is a 400, because the customer is not part
    /// of the path.
    fn check_customer(&self, body: &Value) -> Result<(), ErrorResponse> {
        match text(body, "customerId") {
            Some(id) if !self.customers.contains_key(id) => {
                Err(ErrorResponse::new(400, "UnknownCustomer", format!("There is no customer {id}")))
            }
            _ => Ok(()),
        }
    }

    fn customer_of(&self, stored: &Value) -> Option<&Value> {
        self.customers.get(text(stored, "customerId")?)
    }

    fn new_id(&mut self) -> String {
        self.next_id += 1;
        self.next_id.to_string()
    }
}

fn find<'a>(store: &'a Store, kind: &str, id: &str) -> Result<&'a Value, ErrorResponse> {
    store.get(id).ok_or_else(|| ErrorResponse::not_found(kind, id))
}

fn contact_ids(contract: &Value) -> impl Iterator<Item = &str> {
    let ids = non_null(contract, "contactIds").and_then(Value::as_array);
    ids.into_iter().flatten().filter_map(Value::as_str)
}

fn patched(stored: &Value, patch: &Value) -> Value {
    let mut result = stored.clone();
    merge_patch(&mut result, patch);
    result
}
