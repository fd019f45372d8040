use chrono::NaiveDate;
use serde::Serialize;

use crate::rules::{Problem, Warning, scan, text_rule};

/// Covage's reference of an order: `O`, a date of six digits, `_` and five letters or digits, such as `O191016_32563`.
///
/// Source: Covage, orders API, "Common Fields", `reference`: format OYYMMDD_XXXXX. The documentation does not state what X
/// stands for.
///
/// ```
/// use lastmile::rules::CovageOrderRef;
///
/// let order: CovageOrderRef = "O191016_32563".parse()?;
/// assert!(order.warnings().is_empty());
///
/// let error = "S191128_21428".parse::<CovageOrderRef>().unwrap_err(); // that of a service
/// assert!(error.to_string().starts_with("the character 'S' at index 0 is not allowed there"));
/// # Ok::<(), lastmile::rules::RuleError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(into = "String")]
pub struct CovageOrderRef(String);

text_rule!(
    CovageOrderRef,
    "the reference of an order is such as O191016_32563",
    "^O[0-9]{6}_[0-9A-Za-z]{5}$"
);

impl CovageOrderRef {
    fn check(text: &str) -> Result<(), Problem> {
        check(text, b'O')
    }

    /// Returns [`Warning::ReferenceDate`] if the six digits are not a date, and [`Warning::ReferenceLetters`] if the last five
    /// characters contain a letter. All known samples have digits only.
    pub fn warnings(&self) -> Vec<Warning> {
        warnings(self.as_str())
    }
}

/// Covage's reference of a service: `S`, a date of six digits, `_` and five letters or digits, such as `S191128_21428`.
///
/// Source: Covage, orders API, "Order terminate". It contains one sample, which has the documented form of an order's
/// reference.
///
/// ```
/// use lastmile::rules::CovageServiceRef;
///
/// let service: CovageServiceRef = "S191128_21428".parse()?;
/// assert!(service.warnings().is_empty());
///
/// let error = "S191128-21428".parse::<CovageServiceRef>().unwrap_err();
/// assert!(error.to_string().starts_with("the character '-' at index 7 is not allowed there"));
/// # Ok::<(), lastmile::rules::RuleError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(into = "String")]
pub struct CovageServiceRef(String);

text_rule!(
    CovageServiceRef,
    "the reference of a service is such as S191128_21428",
    "^S[0-9]{6}_[0-9A-Za-z]{5}$"
);

impl CovageServiceRef {
    fn check(text: &str) -> Result<(), Problem> {
        check(text, b'S')
    }

    /// Returns [`Warning::ReferenceDate`] if the six digits are not a date, and [`Warning::ReferenceLetters`] if the last five
    /// characters contain a letter. All known samples have digits only.
    pub fn warnings(&self) -> Vec<Warning> {
        warnings(self.as_str())
    }
}

fn check(text: &str, kind: u8) -> Result<(), Problem> {
    scan(text, 13..=13, |at, byte| match at {
        0 => byte == kind,
        1..=6 => byte.is_ascii_digit(),
        7 => byte == b'_',
        _ => byte.is_ascii_alphanumeric(),
    })
}

fn warnings(reference: &str) -> Vec<Warning> {
    let number = |from: usize| reference.get(from..from + 2).and_then(|digits| digits.parse::<u32>().ok());
    let date = match (number(1), number(3), number(5)) {
        // The two digits stand for a year from 2000 on, since the supplier was founded later.
        (Some(year), Some(month), Some(day)) => {
            NaiveDate::from_ymd_opt(2000 + year.cast_signed(), month, day)
        }
        _ => None,
    };
    let letters = reference.bytes().skip(8).any(|byte| !byte.is_ascii_digit());
    let date = date.is_none().then_some(Warning::ReferenceDate);
    date.into_iter().chain(letters.then_some(Warning::ReferenceLetters)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_form_does_not_say_is_a_warning() {
        let warnings = |text: &str| text.parse::<CovageOrderRef>().unwrap().warnings();
        assert_eq!(warnings("O191016_32563"), []);
        assert_eq!(warnings("O200229_00000"), []);
        assert_eq!(warnings("O190229_32563"), [Warning::ReferenceDate]);
        assert_eq!(warnings("O191301_3256O"), [Warning::ReferenceDate, Warning::ReferenceLetters]);
        let service: CovageServiceRef = "S191131_21428".parse().unwrap();
        assert_eq!(service.warnings(), [Warning::ReferenceDate]);
    }
}
