//! Appointment slots for the visit of an engineer.

use serde_json::{Value, json};

use super::error_response::{ErrorResponse, FieldError, fail_if_any};
use super::products::{self, Technology};
use super::query::Query;
use super::simulation::Simulation;
use crate::json::text_at;

/// The last offered day, counted from today. It is documented for copper; the sandbox uses it for fibre as well.
const LAST_DAY: u64 = 26;

impl Simulation {
    /// Returns two slots for every working day of the window, each with its start and end; the fields of a slot are
    /// not documented.
    pub(super) fn slots(&self, query: &Query) -> Result<Value, ErrorResponse> {
        let first_day = match self.slot_technology(query)? {
            Technology::Copper if query.get("level") == Some("premium") => 6,
            Technology::Copper => 8,
            _ => 12,
        };
        let mut slots = Vec::new();
        for clock in (first_day..=LAST_DAY).map(|days| self.generator.clock().after_days(days)) {
            let moment = clock.to_string();
            let day = &moment[..10];
            let wanted = query.get("start_date").is_none_or(|start| day >= start)
                && query.get("end_date").is_none_or(|end| day <= end);
            if clock.is_working_day() && wanted {
                for (from, to) in [("08:00:00Z", "12:00:00Z"), ("13:00:00Z", "17:00:00Z")] {
                    slots.push(json!({
                        "start_date": format!("{day}T{from}"),
                        "end_date": format!("{day}T{to}"),
                    }));
                }
            }
        }
        Ok(Value::Array(slots))
    }

    /// Returns the technology of the order, or else of the product. Without an order the query must have an address,
    /// a product and, for copper, the line (page on appointments).
    fn slot_technology(&self, query: &Query) -> Result<Technology, ErrorResponse> {
        if let Some(uuid) = query.get("order_uuid") {
            let order = self.order(uuid);
            let order = order.map_err(|_| ErrorResponse::field("order_uuid", "There is no such order."))?;
            return technology_of(text_at(&order, "/product/code").unwrap_or_default());
        }
        let needed = ["kosc_insee_code", "kosc_street_code", "product_code"];
        fail_if_any(missing(query, &needed))?;
        let known = self.fixtures.all().any(|premises| {
            premises.kosc_insee_code == query.text("kosc_insee_code")
                && premises.kosc_street_code == query.text("kosc_street_code")
        });
        if !known {
            return Err(ErrorResponse::field("kosc_street_code", "There is no such street."));
        }
        let technology = technology_of(query.text("product_code"))?;
        if technology == Technology::Copper {
            fail_if_any(missing(query, &["endpoint_ref"]))?;
        }
        Ok(technology)
    }
}

fn missing(query: &Query, names: &[&str]) -> Vec<FieldError> {
    let absent = names.iter().filter(|name| query.text(name).is_empty());
    absent.map(|name| FieldError::required(*name)).collect()
}

fn technology_of(product: &str) -> Result<Technology, ErrorResponse> {
    products::technology(product)
        .filter(|technology| *technology != Technology::Delivery)
        .ok_or_else(|| ErrorResponse::field("product_code", "There is no such product to install."))
}
