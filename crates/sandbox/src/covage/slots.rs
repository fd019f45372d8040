//! Times at which an engineer could come.

use serde_json::{Value, json};

use super::catalogue::{self, Technology};
use super::query::Query;
use super::refusal::{Fault, Refusal, none_of};
use super::{Office, field};

/// The last day ahead. It is known for copper; the end of the fibre window is not, and is taken to be the same.
const LAST_DAY: u64 = 26;

impl Office {
    /// Two slots on every working day of the window, each as a pair of moments: the fields of a slot are not
    /// documented.
    pub(super) fn slots(&self, query: &Query) -> Result<Value, Refusal> {
        let first_day = match self.slot_technology(query)? {
            Technology::Copper if query.get("level") == Some("premium") => 6,
            Technology::Copper => 8,
            _ => 12,
        };
        let mut slots = Vec::new();
        for clock in (first_day..=LAST_DAY).map(|days| self.journal.clock().after_days(days)) {
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

    /// An order, or a place and a product, and for copper the line (page on appointments).
    fn slot_technology(&self, query: &Query) -> Result<Technology, Refusal> {
        if let Some(uuid) = query.get("order_uuid") {
            let order = self.order(uuid);
            let order = order.map_err(|_| Refusal::field("order_uuid", "There is no such order."))?;
            return technology_of(field(&order, "/product/code").unwrap_or_default());
        }
        let needed = ["kosc_insee_code", "kosc_street_code", "product_code"];
        none_of(missing(query, &needed))?;
        let known = self.town.all().any(|place| {
            place.kosc_insee_code == query.text("kosc_insee_code")
                && place.kosc_street_code == query.text("kosc_street_code")
        });
        if !known {
            return Err(Refusal::field("kosc_street_code", "There is no such street."));
        }
        let technology = technology_of(query.text("product_code"))?;
        if technology == Technology::Copper {
            none_of(missing(query, &["endpoint_ref"]))?;
        }
        Ok(technology)
    }
}

fn missing(query: &Query, names: &[&str]) -> Vec<Fault> {
    let absent = names.iter().filter(|name| query.text(name).is_empty());
    absent.map(|name| Fault::required(*name)).collect()
}

fn technology_of(product: &str) -> Result<Technology, Refusal> {
    catalogue::technology(product)
        .filter(|technology| *technology != Technology::Delivery)
        .ok_or_else(|| Refusal::field("product_code", "There is no such product to install."))
}
