use serde::Serialize;

use crate::rules::{Problem, Warning, hidden, scan, text_rule};

/// A telephone number: `+` and digits, beginning with the country code.
///
/// Source: ON-API 2.6, data formats, "phoneNo", which requires E.164.
///
/// `Debug` does not show the number.
///
/// ```
/// use lastmile::rules::OnApiPhone;
///
/// let phone: OnApiPhone = "+4685550100".parse()?;
/// assert!(phone.warnings().is_empty());
///
/// let error = "085550100".parse::<OnApiPhone>().unwrap_err();
/// assert!(error.to_string().starts_with("the character '0' at index 0 is not allowed there"));
/// # Ok::<(), lastmile::rules::RuleError>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(into = "String")]
pub struct OnApiPhone(String);

text_rule!(
    OnApiPhone,
    "a telephone number is + and digits, the country's code first, such as +4685550100",
    r"^\+[0-9]+$"
);
hidden!(OnApiPhone);

impl OnApiPhone {
    fn check(text: &str) -> Result<(), Problem> {
        scan(text, 2..=usize::MAX, |at, byte| if at == 0 { byte == b'+' } else { byte.is_ascii_digit() })
    }

    /// Returns [`Warning::InternationalNumber`] if the country code begins with 0, or if there are more than the 15 digits that
    /// E.164 allows. The pattern of the standard checks neither.
    pub fn warnings(&self) -> Vec<Warning> {
        let digits = self.0.len() - 1;
        if digits > 15 || self.0.starts_with("+0") { vec![Warning::InternationalNumber] } else { Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_e164_has_is_said_and_not_refused() {
        for (phone, warned) in [
            ("+468214930", false),
            ("+123456789012345", false),
            ("+1234567890123456", true),
            ("+0468214930", true),
        ] {
            assert_eq!(!phone.parse::<OnApiPhone>().unwrap().warnings().is_empty(), warned, "{phone}");
        }
        assert_eq!("+".parse::<OnApiPhone>().unwrap_err().problem(), Problem::TooShort);
        assert_eq!("".parse::<OnApiPhone>().unwrap_err().problem(), Problem::Empty);
    }
}
