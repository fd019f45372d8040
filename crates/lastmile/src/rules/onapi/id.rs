use serde::Serialize;

use crate::rules::{Problem, Warning, luhn, scan, text_rule};

/// An identifier of ON-API: 1 to 36 letters, digits, hyphens and dots, and never a personal identity number. It identifies an
/// access, an order, a subscription or an event, or it is a reference of the service provider.
///
/// Source: ON-API 2.6, data formats, "ID". In addition, `.` and `..` are rejected, since they would change the meaning of a
/// path.
///
/// ```
/// use lastmile::rules::OnApiId;
///
/// let access: OnApiId = "17".parse()?;
/// assert!("..".parse::<OnApiId>().is_err());
/// let error = "ACC/17".parse::<OnApiId>().unwrap_err();
/// assert!(error.to_string().starts_with("the character '/' at index 3 is not allowed there"));
/// # Ok::<(), lastmile::rules::RuleError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(into = "String")]
pub struct OnApiId(String);

text_rule!(
    OnApiId,
    "an id is 1 to 36 letters, digits, hyphens and points, not . or .. alone",
    "^[-0-9a-zA-Z.]{1,36}$"
);

impl OnApiId {
    fn check(text: &str) -> Result<(), Problem> {
        scan(text, 1..=36, |_, byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.')?;
        if text == "." || text == ".." { Err(Problem::Path) } else { Ok(()) }
    }

    /// Returns [`Warning::IdentityNumber`] if a part of the identifier has the date and the check digit of a Swedish personal
    /// identity number. This is not a rule, although the standard forbids such numbers: one in several hundred ten-digit
    /// numbers looks like one.
    pub fn warnings(&self) -> Vec<Warning> {
        // The complete sequences of digits, optionally with a hyphen before the last four digits.
        let parts = || self.0.split(|character: char| !character.is_ascii_digit());
        let dated = parts().zip(parts().skip(1));
        let mut at = 0;
        let hyphened = dated.filter(|(date, serial)| {
            at += date.len() + 1;
            self.0.as_bytes().get(at - 1) == Some(&b'-') && is_identity_number(date, serial)
        });
        let whole = parts().filter_map(|part| part.split_at_checked(part.len().saturating_sub(4)));
        let found =
            hyphened.count() + whole.filter(|(date, serial)| is_identity_number(date, serial)).count();
        if found > 0 { vec![Warning::IdentityNumber] } else { Vec::new() }
    }
}

/// Returns whether the digits are a date of birth (`YYMMDD` or `YYYYMMDD`, where 60 may be added to the day) and its four-digit
/// suffix.
fn is_identity_number(date: &str, serial: &str) -> bool {
    let born = match date.len() {
        6 => date,
        8 if date.starts_with("19") || date.starts_with("20") => &date[2..],
        _ => return false,
    };
    let number = |digits: &str| digits.parse::<u32>().unwrap_or_default();
    serial.len() == 4
        && matches!(number(&born[2..4]), 1..=12)
        && matches!(number(&born[4..]), 1..=31 | 61..=91)
        && luhn::passes(born.bytes().chain(serial.bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_standard_s_pattern_without_other_paths() {
        for good in ["1", "17", "a-B.9", "...", &"x".repeat(36)] {
            assert_eq!(good.parse::<OnApiId>().unwrap().as_str(), good);
        }
        for (bad, problem) in [
            ("", Problem::Empty),
            (".", Problem::Path),
            ("..", Problem::Path),
            ("a b", Problem::Character { character: ' ', at: 1 }),
            ("é", Problem::Character { character: 'é', at: 0 }),
            ("a_b", Problem::Character { character: '_', at: 1 }),
            (&"x".repeat(37), Problem::TooLong { allowed: 36 }),
        ] {
            assert_eq!(bad.parse::<OnApiId>().unwrap_err().problem(), problem, "{bad:?}");
        }
    }

    #[test]
    fn personal_identity_numbers_are_said_and_not_refused() {
        // 811218-9876 is the example of the Swedish Tax Agency. In 701063-2391, 60 is added to the day.
        for (id, warned) in [
            ("811218-9876", true),
            ("8112189876", true),
            ("19811218-9876", true),
            ("198112189876", true),
            ("701063-2391", true),
            ("customer-811218-9876.a", true),
            ("17.811218-9876", true),
            ("811218-9875", false),
            ("811318-9876", false),
            ("811218.9876", false),
            ("1811218-9876", false),
            ("811218-98760", false),
            ("18811218-9876", false),
            ("17", false),
            ("58128a38-8df0-11e9-b683-526af7764f64", false),
            ("-", false),
        ] {
            assert_eq!(!id.parse::<OnApiId>().unwrap().warnings().is_empty(), warned, "{id}");
        }
    }
}
