use serde::Serialize;

use super::LineNumber;
use crate::rules::{Problem, Warning, hidden, scan, text_rule};

/// The RIO (*relevé d'identité opérateur*), the authorization code for porting a number (option `portability`, `rio_code`): 12
/// letters, digits and `+`. Lowercase letters are accepted and stored as capital letters.
///
/// Source: the supplier asks for a RIO and states no form. The form is public: `OO Q RRRRRR CCC`, which stands for the
/// operator, the type of customer, a reference and a check key. It is defined for mobile numbers by decision 2009-0239 of the
/// French regulator, and has the same length for other numbers.
///
/// `Debug` does not show the code, because it identifies a person's line.
///
/// ```
/// use lastmile::rules::{LineNumber, Rio};
///
/// let rio: Rio = "03h000017nh+".parse()?;
/// assert_eq!(rio.as_str(), "03H000017NH+");
/// let line: LineNumber = "0123456789".parse()?;
/// assert!(rio.warnings_for(&line).is_empty());
///
/// let error = "03 H 000017 NH+".parse::<Rio>().unwrap_err();
/// assert!(error.to_string().starts_with("the character ' ' at index 2 is not allowed there"));
/// # Ok::<(), lastmile::rules::RuleError>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(into = "String")]
pub struct Rio(String);

text_rule!(Rio, "a RIO is 12 letters, digits and +", "^[0-9A-Za-z+]{12}$", str::make_ascii_uppercase);
hidden!(Rio);

impl Rio {
    fn check(text: &str) -> Result<(), Problem> {
        scan(text, 12..=12, |_, byte| byte.is_ascii_alphanumeric() || byte == b'+')
    }

    /// Returns [`Warning::RioLine`] if the third character is not one of those for fixed lines. Only numbers of fixed lines are
    /// ported here.
    pub fn warnings(&self) -> Vec<Warning> {
        let kind = self.0.as_bytes().get(2);
        if kind.is_some_and(|kind| matches!(kind, b'F'..=b'Z')) { Vec::new() } else { vec![Warning::RioLine] }
    }

    /// Returns the warnings of [`warnings`](Self::warnings), and [`Warning::RioKey`] if the last three characters are not the
    /// check key for the rest of the code and this number. In that case, the code or the number was copied incorrectly, or
    /// belongs to another line.
    pub fn warnings_for(&self, number: &LineNumber) -> Vec<Warning> {
        let mut warnings = self.warnings();
        let (head, key) = self.0.split_at_checked(9).unwrap_or_default();
        if key.as_bytes() != Self::key(head.bytes().chain(number.as_str().bytes())) {
            warnings.push(Warning::RioKey);
        }
        warnings
    }

    /// Computes the check key: three sums modulo 37 over the indices of the characters in an alphabet, where the previous sum
    /// counts once, twice and four times. Source: public descriptions of the RIO, such as the one on the French Wikipedia.
    fn key(characters: impl Iterator<Item = u8>) -> [u8; 3] {
        const ALPHABET: &[u8; 37] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+";
        let mut sums = [0, 0, 0];
        for character in characters {
            let place = ALPHABET.iter().position(|letter| *letter == character).unwrap_or_default();
            for (sum, weight) in sums.iter_mut().zip([1, 2, 4]) {
                *sum = (*sum * weight + place) % 37;
            }
        }
        sums.map(|sum| ALPHABET[sum])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_ties_a_rio_to_a_number() {
        // The keys were computed independently, with the published program.
        for (rio, number) in
            [("03H000017NH+", "0123456789"), ("01FA1B2C37Y0", "0417101993"), ("+9Z+++ABCU6R", "0626082019")]
        {
            let rio: Rio = rio.parse().unwrap();
            assert_eq!(rio.warnings_for(&number.parse().unwrap()), []);
            assert_eq!(rio.warnings_for(&"0123456798".parse().unwrap()), [Warning::RioKey]);
        }
    }

    #[test]
    fn the_kind_of_a_mobile_line_is_said() {
        for (rio, warnings) in [
            ("03E000017NH+", &[Warning::RioLine][..]),
            ("033000017NH+", &[Warning::RioLine]),
            ("03f000017NH+", &[]),
            ("03Z000017NH+", &[]),
        ] {
            assert_eq!(rio.parse::<Rio>().unwrap().warnings(), warnings, "{rio}");
        }
    }
}
