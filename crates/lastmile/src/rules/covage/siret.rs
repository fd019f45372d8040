use serde::Serialize;

use crate::rules::{Problem, Warning, hidden, luhn, scan, text_rule};

/// The SIRET of an establishment of a French company: 14 digits, of which the first nine are the company's SIREN.
///
/// Source: Covage, orders API, `end_customer[siret]`, which asks for the SIRET number. A SIRET has 14 digits without spaces.
/// The equivalent numbers of Monaco, which contain letters, are not SIRET numbers.
///
/// `Debug` does not show the number, because the SIRET of a sole trader identifies a person.
///
/// ```
/// use lastmile::rules::Siret;
///
/// let siret: Siret = "81352886600029".parse()?;
/// assert!(siret.warnings().is_empty());
///
/// let error = "813 528 866 00029".parse::<Siret>().unwrap_err();
/// assert!(error.to_string().starts_with("the character ' ' at index 3 is not allowed there"));
/// # Ok::<(), lastmile::rules::RuleError>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(into = "String")]
pub struct Siret(String);

text_rule!(Siret, "a SIRET is 14 digits", "^[0-9]{14}$");
hidden!(Siret);

impl Siret {
    const SIREN_OF_LA_POSTE: &str = "356000000";

    fn check(text: &str) -> Result<(), Problem> {
        scan(text, 14..=14, |_, byte| byte.is_ascii_digit())
    }

    /// Returns the SIREN of the company: the first nine digits.
    pub fn siren(&self) -> &str {
        self.0.get(..9).unwrap_or_default()
    }

    /// Returns [`Warning::SiretChecksum`] if all 14 digits, or those of the SIREN, fail the Luhn check. Establishments of La
    /// Poste also pass if the sum of their digits is a multiple of 5. No source states that the supplier checks this.
    pub fn warnings(&self) -> Vec<Warning> {
        let digits = || self.0.bytes();
        let right = luhn::passes(digits()) && luhn::passes(self.siren().bytes());
        let of_la_poste = self.siren() == Self::SIREN_OF_LA_POSTE
            && digits().map(|digit| u32::from(digit - b'0')).sum::<u32>().is_multiple_of(5);
        if right || of_la_poste { Vec::new() } else { vec![Warning::SiretChecksum] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fourteen_digits() {
        let problem = |text: &str| text.parse::<Siret>().unwrap_err().problem();
        assert_eq!(problem(""), Problem::Empty);
        assert_eq!(problem("8135288660002"), Problem::TooShort);
        assert_eq!(problem("813528866000290"), Problem::TooLong { allowed: 14 });
        assert_eq!(problem("MONACOCONFO001"), Problem::Character { character: 'M', at: 0 });
        assert_eq!(problem("8135288660002٩"), Problem::Character { character: '٩', at: 13 });
    }

    #[test]
    fn a_wrong_checksum_is_said_and_not_refused() {
        for (siret, warned) in [
            ("81352886600029", false),
            ("81352886600028", true),
            ("73282932000074", false),
            // The head office of La Poste passes the Luhn check; its other establishments have a digit sum that is a multiple
            // of 5.
            ("35600000000048", false),
            ("35600000000001", false),
            ("35600000049837", false),
            ("35600000049838", true),
            // A digit sum of 15 is not sufficient for other companies.
            ("35600000100000", true),
            // All 14 digits pass the Luhn check, but the SIREN does not.
            ("81352886500005", true),
        ] {
            let siret: Siret = siret.parse().unwrap();
            assert_eq!(!siret.warnings().is_empty(), warned, "{siret}");
        }
    }
}
