//! Customers, their contacts and their contracts.

use std::collections::BTreeMap;

use fastrand::Rng;
use serde_json::Value;

use super::Handled;
use super::answers::{self, given, text};
use super::refusal::Refusal;
use crate::merge_patch::merge_patch;

/// What was created, by id, as the caller sent it and patched it since, without the nulls.
type Shelf = BTreeMap<String, Value>;

#[derive(Debug)]
pub(super) struct Register {
    customers: Shelf,
    contacts: Shelf,
    contracts: Shelf,
    next_id: u64,
}

impl Register {
    pub(super) fn new(rng: &mut Rng) -> Register {
        let (customers, contacts, contracts) = Default::default();
        Register { customers, contacts, contracts, next_id: rng.u64(1_000..9_000) }
    }

    pub(super) fn create_customer(&mut self, body: &Value) -> Handled {
        let id = self.new_id();
        self.customers.insert(id.clone(), patched(&Value::Null, body));
        self.customer(&id)
    }

    pub(super) fn customer(&self, id: &str) -> Handled {
        let stored = find(&self.customers, "customer", id)?;
        Ok(Some(answers::customer(id, stored)))
    }

    pub(super) fn update_customer(&mut self, id: &str, patch: &Value) -> Handled {
        let customer = patched(find(&self.customers, "customer", id)?, patch);
        self.customers.insert(id.to_owned(), customer);
        self.customer(id)
    }

    /// Contacts and contracts would be left without their customer, so they must go first.
    pub(super) fn delete_customer(&mut self, id: &str) -> Handled {
        find(&self.customers, "customer", id)?;
        let belongs = |stored: &Value| text(stored, "customerId") == Some(id);
        if self.contacts.values().chain(self.contracts.values()).any(belongs) {
            return Err(Refusal::new(400, "CustomerInUse", "The customer still has contacts or contracts"));
        }
        self.customers.remove(id);
        Ok(None)
    }

    pub(super) fn create_contact(&mut self, body: &Value) -> Handled {
        self.demand_customer(body)?;
        let id = self.new_id();
        self.contacts.insert(id.clone(), patched(&Value::Null, body));
        self.contact(&id)
    }

    pub(super) fn contact(&self, id: &str) -> Handled {
        let stored = find(&self.contacts, "contact", id)?;
        Ok(Some(answers::contact(id, stored, self.customer_of(stored))))
    }

    pub(super) fn contact_of(&self, customer_id: &str, id: &str) -> Handled {
        find(&self.customers, "customer", customer_id)?;
        let stored = find(&self.contacts, "contact", id)?;
        if text(stored, "customerId") != Some(customer_id) {
            return Err(Refusal::not_found("contact", id));
        }
        self.contact(id)
    }

    pub(super) fn update_contact(&mut self, id: &str, patch: &Value) -> Handled {
        let contact = patched(find(&self.contacts, "contact", id)?, patch);
        self.contacts.insert(id.to_owned(), contact);
        self.contact(id)
    }

    /// A contract would point to nobody, so it must let go of the contact first.
    pub(super) fn delete_contact(&mut self, id: &str) -> Handled {
        find(&self.contacts, "contact", id)?;
        if self.contracts.values().any(|contract| contact_ids(contract).any(|other| other == id)) {
            return Err(Refusal::new(400, "ContactInUse", "The contact is named in a contract"));
        }
        self.contacts.remove(id);
        Ok(None)
    }

    pub(super) fn create_contract(&mut self, body: &Value) -> Handled {
        self.demand_customer(body)?;
        let contract = patched(&Value::Null, body);
        self.check_contract(&contract)?;
        let id = self.new_id();
        self.contracts.insert(id.clone(), contract);
        self.contract(&id)
    }

    pub(super) fn contract(&self, id: &str) -> Handled {
        let stored = find(&self.contracts, "contract", id)?;
        Ok(Some(answers::contract(id, stored, self.customer_of(stored))))
    }

    /// What the patch makes of the contract is checked before the contract is changed.
    pub(super) fn update_contract(&mut self, id: &str, patch: &Value) -> Handled {
        let contract = patched(find(&self.contracts, "contract", id)?, patch);
        self.check_contract(&contract)?;
        self.contracts.insert(id.to_owned(), contract);
        self.contract(id)
    }

    pub(super) fn delete_contract(&mut self, id: &str) -> Handled {
        find(&self.contracts, "contract", id)?;
        self.contracts.remove(id);
        Ok(None)
    }

    fn check_contract(&self, contract: &Value) -> Result<(), Refusal> {
        if let Some(id) = contact_ids(contract).find(|id| !self.contacts.contains_key(*id)) {
            return Err(Refusal::new(400, "UnknownContact", format!("There is no contact {id}")));
        }
        // The schema has made sure that these are dates, whose texts sort as the days do.
        match (text(contract, "startDate"), text(contract, "endDate")) {
            (Some(start), Some(end)) if end < start => {
                Err(Refusal::new(400, "EndBeforeStart", format!("{end} is before {start}")))
            }
            _ => Ok(()),
        }
    }

    /// A 400, not a 404: the customer is part of the body, not the place that was asked for.
    fn demand_customer(&self, body: &Value) -> Result<(), Refusal> {
        match text(body, "customerId") {
            Some(id) if !self.customers.contains_key(id) => {
                Err(Refusal::new(400, "UnknownCustomer", format!("There is no customer {id}")))
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

fn find<'a>(shelf: &'a Shelf, kind: &str, id: &str) -> Result<&'a Value, Refusal> {
    shelf.get(id).ok_or_else(|| Refusal::not_found(kind, id))
}

fn contact_ids(contract: &Value) -> impl Iterator<Item = &str> {
    let ids = given(contract, "contactIds").and_then(Value::as_array);
    ids.into_iter().flatten().filter_map(Value::as_str)
}

fn patched(stored: &Value, patch: &Value) -> Value {
    let mut result = stored.clone();
    merge_patch(&mut result, patch);
    result
}
