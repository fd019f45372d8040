//! Writes orders in the dialect of a network.

use lastmile_core::Error;
use lastmile_core::wire::{OneOrMany, Timestamp};
use lastmile_onapi::types::{
    CharacteristicsRequest, EquipmentRequest, Order, OrderChange, OrderCreate, OrderReplace,
};
use serde::Serialize;
use serde_json::Value;

use super::super::{NewOrder, refused};
use super::Dialect;
use super::traits::{AddressesName, EquipmentForm, ServiceLevelName};

/// Returns the name of a characteristic without the differences between dialects: `SLA` is `sla`, `ipAddress` is `ipAddresses`.
pub(in super::super) fn known_name(name: &str) -> &str {
    match name {
        "SLA" => "sla",
        "ipAddress" => "ipAddresses",
        other => other,
    }
}

impl Dialect {
    /// Returns a new order as this dialect writes it.
    pub(in super::super) fn order(self, order: &NewOrder) -> Result<OrderCreate, Error> {
        let traits = self.traits();
        let mut body = order.body.clone();
        if traits.repeats_line && body.access_id.is_none() {
            body.access_id = Some(order.access.to_string());
            body.service = body.service.or_else(|| order.service_of_subscription.clone());
        }
        let names: Vec<&str> = order.offered_names().collect();
        body.characteristics = body.characteristics.map(|given| self.characteristics(given, &names));
        body.equipment = self.equipment(body.equipment)?;
        let written = json(&body)?;
        match traits.required.of(body.operation).iter().find(|field| written.get(**field).is_none()) {
            Some(&"service") => Err(refused(format_args!(
                "service: a network that speaks {self} needs the service of the subscription in this order: give it \
                 with `service_of_subscription`"
            ))),
            Some(field) => {
                Err(refused(format_args!("{field}: a network that speaks {self} needs it in this order")))
            }
            None => Ok(body),
        }
    }

    /// Returns the complete object that replaces an order, as this dialect writes it.
    pub(in super::super) fn replacement(self, old: &Order, new: &NewOrder) -> Result<OrderReplace, Error> {
        let mut body = json(&self.order(new)?)?;
        let old = json(old)?;
        if let Some(fields) = body.as_object_mut() {
            let repeated = self.traits().replacement_repeats;
            // The samples repeat the subscription, too, which the same activation creates.
            let is_same = |field: &str| old.get(field) == fields.get(field);
            let same_line = is_same("operation") && is_same("accessId");
            let subscription = (same_line && !repeated.is_empty()).then_some("subscriptionId");
            for name in repeated.iter().copied().chain(subscription) {
                let Some(text) = old.get(name).and_then(Value::as_str) else { continue };
                let is_usable = match name {
                    "expectedCompletionDate" => text.parse::<Timestamp>().is_ok(),
                    _ => !text.is_empty(),
                };
                if is_usable && !fields.contains_key(name) {
                    fields.insert(name.to_owned(), text.into());
                }
            }
        }
        // A replacement is a complete order, so both types have the same fields.
        serde_json::from_value(body).map_err(|_| refused("the order cannot be written as a replacement"))
    }

    /// Returns the changes of an order as this dialect writes them.
    pub(in super::super) fn change(self, change: &OrderChange) -> Result<OrderChange, Error> {
        let mut body = change.clone();
        body.characteristics = body.characteristics.map(|given| self.characteristics(given, &[]));
        body.equipment = self.equipment(body.equipment)?;
        Ok(body)
    }

    /// Writes characteristics under the names that the offer lists, or else under those of the dialect.
    fn characteristics(self, mut given: CharacteristicsRequest, offered: &[&str]) -> CharacteristicsRequest {
        let traits = self.traits();
        let upper = match (offered.contains(&"SLA"), offered.contains(&"sla")) {
            (true, false) => true,
            (false, true) => false,
            _ => traits.service_level == ServiceLevelName::Upper,
        };
        let sla = given.sla.take().or(given.sla_upper.take());
        *(if upper { &mut given.sla_upper } else { &mut given.sla }) = sla;
        let plural = match (offered.contains(&"ipAddresses"), offered.contains(&"ipAddress")) {
            (true, false) => true,
            (false, true) => false,
            _ => traits.addresses == AddressesName::Plural,
        };
        let addresses = given.ip_addresses.take().or(given.ip_address.take());
        *(if plural { &mut given.ip_addresses } else { &mut given.ip_address }) = addresses;
        given
    }

    fn equipment(self, given: OneOrMany<EquipmentRequest>) -> Result<OneOrMany<EquipmentRequest>, Error> {
        if given.is_empty() {
            return Ok(given);
        }
        let mut pieces = given.into_vec();
        match (self.traits().equipment, pieces.len()) {
            (EquipmentForm::List, _) => Ok(pieces.into()),
            (EquipmentForm::One, 1) => Ok(OneOrMany::one(pieces.remove(0))),
            (EquipmentForm::One, _) => Err(refused(format_args!(
                "equipment: a network that speaks {self} takes one piece of equipment in an order"
            ))),
        }
    }
}

fn json(value: &impl Serialize) -> Result<Value, Error> {
    serde_json::to_value(value).map_err(|_| refused("the order cannot be written as JSON"))
}
