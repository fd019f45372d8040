use serde::Serialize;

use crate::rules::class::{CAPITAL, DIGIT, HYPHEN, SMALL};
use crate::rules::{Problem, hidden, shape, text_rule};

/// The reference of an optical socket: a prefix of two or three capital letters or digits, followed by two groups of a hyphen
/// and four letters or digits. OTP stands for *optical termination point* (French: PTO), the socket in the home; it is not a
/// one-time password.
///
/// Source: Covage, orders API, "Update the OTP reference of an order", which states one form with a prefix of two characters
/// and one with a prefix of three.
///
/// `Debug` does not show the reference, because it identifies a socket in a home.
///
/// ```
/// use lastmile::rules::Otp;
///
/// let otp: Otp = "FI-3790-3415".parse()?;
/// assert_eq!(otp.as_str(), "FI-3790-3415");
/// assert!("FIE-2523-4523".parse::<Otp>().is_ok());
///
/// let error = "fi-3790-3415".parse::<Otp>().unwrap_err();
/// assert!(error.to_string().starts_with("the character 'f' at index 0 is not allowed there"));
/// # Ok::<(), lastmile::rules::RuleError>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(into = "String")]
pub struct Otp(String);

text_rule!(
    Otp,
    "an OTP is such as FI-1234-4234 or FIE-2523-4523",
    "^[A-Z0-9]{2,3}-[A-Za-z0-9]{4}-[A-Za-z0-9]{4}$"
);
hidden!(Otp);

impl Otp {
    fn check(text: &str) -> Result<(), Problem> {
        const P: u8 = CAPITAL | DIGIT;
        const A: u8 = CAPITAL | SMALL | DIGIT;
        const H: u8 = HYPHEN;
        // The third character distinguishes the two forms.
        match text.as_bytes().get(2) {
            Some(b'-') => shape(text, &[P, P, H, A, A, A, A, H, A, A, A, A]),
            _ => shape(text, &[P, P, P, H, A, A, A, A, H, A, A, A, A]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_and_nothing_else() {
        for good in ["FI-1234-4234", "FIE-2523-4523", "00-abCD-zz99", "9A9-0000-0000"] {
            assert_eq!(good.parse::<Otp>().unwrap().to_string(), good);
        }
        let character = |character, at| Problem::Character { character, at };
        for (bad, problem) in [
            ("", Problem::Empty),
            ("FI", Problem::TooShort),
            ("FI-1234-423", Problem::TooShort),
            ("FI-1234-42345", Problem::TooLong { allowed: 12 }),
            ("FIE-2523-45234", Problem::TooLong { allowed: 13 }),
            ("F-1234-4234", character('-', 1)),
            ("FIEX-1234-4234", character('X', 3)),
            ("FI-12_4-4234", character('_', 5)),
            ("FI-12344234", character('4', 7)),
            ("FI-1234-42é4", character('é', 10)),
            (" FI-1234-4234", character(' ', 0)),
            ("FI-1234-4234\n", Problem::TooLong { allowed: 12 }),
        ] {
            assert_eq!(bad.parse::<Otp>().unwrap_err().problem(), problem, "{bad:?}");
        }
    }

    #[test]
    fn debug_does_not_show_it() {
        assert_eq!(format!("{:?}", "FI-1234-4234".parse::<Otp>()), "Ok(Otp((hidden)))");
    }

    #[test]
    fn reading_json_keeps_the_rule() {
        assert!(serde_json::from_str::<Otp>(r#""fi-1234-4234""#).is_err());
        let otp: Otp = serde_json::from_str(r#""FI-1234-4234""#).unwrap();
        assert_eq!(serde_json::to_string(&otp).unwrap(), r#""FI-1234-4234""#);
    }
}
