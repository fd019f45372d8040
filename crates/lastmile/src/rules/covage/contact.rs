use serde::Serialize;

use super::CovageText;
use crate::rules::warning::is_email;
use crate::rules::{Problem, Warning, hidden, scan, text_rule};

/// The e-mail address of an end customer's contact: not empty, with the characters of [`CovageText`] only.
///
/// Source: Covage, orders API, the note of "Order Creation", which applies to all fields of the end customer, and
/// `end_customer[contact][email]`, which is required for the submission.
///
/// `Debug` does not show the address.
///
/// ```
/// use lastmile::rules::CovageEmail;
///
/// let email: CovageEmail = "kajsa@ankeborg.example".parse()?;
/// assert!(email.warnings().is_empty());
///
/// let error = "o'anka@ankeborg.example".parse::<CovageEmail>().unwrap_err();
/// assert!(error.to_string().starts_with("the character '\\'' at index 1 is not allowed there"));
/// # Ok::<(), lastmile::rules::RuleError>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(into = "String")]
pub struct CovageEmail(String);

text_rule!(
    CovageEmail,
    "an e-mail address is not empty, and has letters, digits, spaces and ( ) + , - . : @ [ ] _ { } and the accented small \
     letters of French",
    "^[ \u{a0}()+,.0-9:@A-Z\\[\\]_a-z{}àâäçèéêëîïôöùûü-]+$"
);
hidden!(CovageEmail);

impl CovageEmail {
    fn check(text: &str) -> Result<(), Problem> {
        filled(text)
    }

    /// Returns [`Warning::Email`] if the text is not the address of a mailbox as defined by RFC 5321 and RFC 5322, or if its
    /// domain contains no dot.
    pub fn warnings(&self) -> Vec<Warning> {
        if is_email(&self.0) { Vec::new() } else { vec![Warning::Email] }
    }
}

/// The telephone number of an end customer's contact: not empty, with the characters of [`CovageText`] only.
///
/// Source: Covage, orders API, the note of "Order Creation", which applies to all fields of the end customer.
///
/// `Debug` does not show the number.
///
/// ```
/// use lastmile::rules::{CovagePhone, Warning};
///
/// let phone: CovagePhone = "0123456789".parse()?;
/// assert!(phone.warnings().is_empty());
/// assert_eq!("+33123456789".parse::<CovagePhone>()?.warnings(), [Warning::FrenchNumber]);
///
/// let error = "01/23/45/67/89".parse::<CovagePhone>().unwrap_err();
/// assert!(error.to_string().starts_with("the character '/' at index 2 is not allowed there"));
/// # Ok::<(), lastmile::rules::RuleError>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(into = "String")]
pub struct CovagePhone(String);

text_rule!(
    CovagePhone,
    "a telephone number is not empty, and has letters, digits, spaces and ( ) + , - . : @ [ ] _ { } and the accented small \
     letters of French",
    "^[ \u{a0}()+,.0-9:@A-Z\\[\\]_a-z{}àâäçèéêëîïôöùûü-]+$"
);
hidden!(CovagePhone);

impl CovagePhone {
    fn check(text: &str) -> Result<(), Problem> {
        filled(text)
    }

    /// Returns [`Warning::FrenchNumber`] if the number does not consist of ten digits that begin with 0, as in all known
    /// samples.
    pub fn warnings(&self) -> Vec<Warning> {
        french(&self.0)
    }
}

/// The number of a copper line, which eligibility requests use: ten digits.
///
/// Source: Covage, eligibility API, "offers", `reference` of the type `line_number`.
///
/// `Debug` does not show the number.
///
/// ```
/// use lastmile::rules::LineNumber;
///
/// let line: LineNumber = "0123456789".parse()?;
///
/// let error = "+33123456789".parse::<LineNumber>().unwrap_err();
/// assert!(error.to_string().starts_with("the character '+' at index 0 is not allowed there"));
/// # Ok::<(), lastmile::rules::RuleError>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(into = "String")]
pub struct LineNumber(String);

text_rule!(LineNumber, "a line number is ten digits", "^[0-9]{10}$");
hidden!(LineNumber);

impl LineNumber {
    fn check(text: &str) -> Result<(), Problem> {
        scan(text, 10..=10, |_, byte| byte.is_ascii_digit())
    }

    /// Returns [`Warning::FrenchNumber`] if the number does not begin with 0.
    pub fn warnings(&self) -> Vec<Warning> {
        french(&self.0)
    }
}

/// A French postal code: five digits.
///
/// Source: Covage, eligibility API, "address funnel", `zipcode`.
///
/// `Debug` does not show the code, because it is part of an address.
///
/// ```
/// use lastmile::rules::CovageZipCode;
///
/// let zip_code: CovageZipCode = "06130".parse()?;
///
/// let error = "6130".parse::<CovageZipCode>().unwrap_err();
/// assert!(error.to_string().starts_with("it is too short"));
/// # Ok::<(), lastmile::rules::RuleError>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(into = "String")]
pub struct CovageZipCode(String);

text_rule!(CovageZipCode, "a postal code is five digits", "^[0-9]{5}$");
hidden!(CovageZipCode);

impl CovageZipCode {
    fn check(text: &str) -> Result<(), Problem> {
        scan(text, 5..=5, |_, byte| byte.is_ascii_digit())
    }
}

fn filled(text: &str) -> Result<(), Problem> {
    if text.is_empty() { Err(Problem::Empty) } else { CovageText::check(text) }
}

fn french(number: &str) -> Vec<Warning> {
    let known = number.len() == 10 && number.starts_with('0') && number.bytes().all(|b| b.is_ascii_digit());
    if known { Vec::new() } else { vec![Warning::FrenchNumber] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_odd_address_of_a_mailbox_is_said_and_not_refused() {
        for (email, warned) in [
            ("lepetitnageur@4ev.er", false),
            ("adolin.kholin+fibre@palace.ak", false),
            ("kajsa", true),
            ("kajsa@localhost", true),
            ("kajsa@@ankeborg.example", true),
            ("kajsa anka@ankeborg.example", true),
            ("@ankeborg.example", true),
            ("kajsa@", true),
        ] {
            let email: CovageEmail = email.parse().unwrap();
            assert_eq!(!email.warnings().is_empty(), warned, "{email}");
            assert!(!format!("{email:?}").contains("kajsa"));
        }
        assert_eq!("".parse::<CovageEmail>().unwrap_err().problem(), Problem::Empty);
    }

    #[test]
    fn numbers() {
        for (phone, warned) in
            [("0626082019", false), ("06 26 08 20 19", true), ("1626082019", true), ("062608201", true)]
        {
            assert_eq!(!phone.parse::<CovagePhone>().unwrap().warnings().is_empty(), warned, "{phone}");
        }
        assert_eq!("".parse::<CovagePhone>().unwrap_err().problem(), Problem::Empty);
        assert_eq!("1417101993".parse::<LineNumber>().unwrap().warnings(), [Warning::FrenchNumber]);
        assert_eq!("0417101993".parse::<LineNumber>().unwrap().warnings(), []);
    }
}
