use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::redact::redact_errors;
use crate::rules::{Warning, schema};

/// The first and the last day of a contract. The last day is required and must not be `null`.
///
/// Source: Cocon, reference of customer contracts, `startDate` and `endDate`. The reference does not state that the first day
/// precedes the last one.
///
/// ```
/// use lastmile::rules::{ContractDates, Warning};
///
/// let dates: ContractDates = serde_json::from_str(r#"{"startDate":"2026-01-01","endDate":"2026-12-31"}"#)?;
/// assert!(dates.warnings().is_empty());
///
/// let swapped = ContractDates { start: Some(dates.end), end: "2026-01-01".parse()? };
/// assert_eq!(swapped.warnings(), [Warning::ContractOrder]);
///
/// assert!(serde_json::from_str::<ContractDates>(r#"{"startDate":"2026-01-01","endDate":null}"#).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct ContractDates {
    /// The first day, if it is known.
    #[serde(rename = "startDate", default, skip_serializing_if = "Option::is_none")]
    pub start: Option<NaiveDate>,
    /// The last day.
    #[serde(rename = "endDate")]
    pub end: NaiveDate,
}

redact_errors!(ContractDates);

schema!(ContractDates, {
    "type": "object",
    "description": "The first and the last day of a contract",
    "properties": {
        "startDate": { "type": ["string", "null"], "format": "date" },
        "endDate": { "type": "string", "format": "date" }
    },
    "required": ["endDate"]
});

impl ContractDates {
    /// Returns [`Warning::ContractOrder`] if the last day precedes the first one.
    pub fn warnings(&self) -> Vec<Warning> {
        if self.start.is_some_and(|start| self.end < start) {
            vec![Warning::ContractOrder]
        } else {
            Vec::new()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_contract_of_one_day_is_in_order() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let dates = |start: Option<&str>, end| ContractDates { start: start.map(day), end: day(end) };
        assert_eq!(dates(Some("2026-03-01"), "2026-03-01").warnings(), []);
        assert_eq!(dates(None, "2026-03-01").warnings(), []);
        assert_eq!(dates(Some("2026-03-02"), "2026-03-01").warnings(), [Warning::ContractOrder]);
        assert_eq!(serde_json::to_string(&dates(None, "2026-03-01")).unwrap(), r#"{"endDate":"2026-03-01"}"#);
    }
}
