//! Warnings about requests: values that the standard allows but that are probably mistakes.

use lastmile_onapi::types::{EquipmentRequest, OrderChange};

use super::new_order::TEXTS;
use super::{NewOrder, NewTicket, TicketChange};
use crate::HasWarnings;
use crate::rules::{FieldWarning, MacAddress, OnApiId};

/// Returns the warnings about the caller's own references, such as one that may be a personal identity number.
fn references<const N: usize>(fields: [(&str, &Option<String>); N]) -> Vec<FieldWarning> {
    let warnings = |(field, text): (&str, &Option<String>)| -> Vec<FieldWarning> {
        let id = text.as_deref().and_then(|text| text.parse::<OnApiId>().ok());
        let warnings = id.map(|id| id.warnings()).unwrap_or_default();
        warnings.into_iter().map(|warning| FieldWarning::new(field, warning)).collect()
    };
    fields.into_iter().flat_map(warnings).collect()
}

fn equipment(given: &[EquipmentRequest]) -> Vec<FieldWarning> {
    let macs = given.iter().filter_map(|given| given.mac_address.as_deref()?.parse::<MacAddress>().ok());
    let warnings = macs.flat_map(|mac| mac.warnings());
    warnings.into_iter().map(|warning| FieldWarning::new("equipment.macAddress", warning)).collect()
}

impl HasWarnings for NewOrder {
    fn warnings(&self) -> Vec<FieldWarning> {
        let body = &self.body;
        let mut warnings = TEXTS.warnings(body);
        warnings.extend(references([
            ("spReference", &body.sp_reference),
            ("spSubscriptionId", &body.sp_subscription_id),
        ]));
        warnings.extend(equipment(&body.equipment));
        warnings
    }
}

impl HasWarnings for OrderChange {
    fn warnings(&self) -> Vec<FieldWarning> {
        let mut warnings = TEXTS.warnings(self);
        warnings.extend(references([
            ("spReference", &self.sp_reference),
            ("spSubscriptionId", &self.sp_subscription_id),
        ]));
        warnings.extend(equipment(&self.equipment));
        warnings
    }
}

impl HasWarnings for NewTicket {
    fn warnings(&self) -> Vec<FieldWarning> {
        let body = self.body();
        let mut warnings = TEXTS.warnings(body);
        warnings.extend(references([
            ("spReference", &body.sp_reference),
            ("spTicketReference", &body.sp_ticket_reference),
        ]));
        warnings
    }
}

impl HasWarnings for TicketChange {
    fn warnings(&self) -> Vec<FieldWarning> {
        TEXTS.warnings(self.body())
    }
}
