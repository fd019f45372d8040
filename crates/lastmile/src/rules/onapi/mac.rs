use serde::Serialize;

use crate::rules::class::{COLON, HEX};
use crate::rules::{Problem, Warning, hidden, shape, text_rule};

/// A MAC address: six bytes of two hexadecimal digits each, separated by colons. Lowercase letters are accepted and stored as
/// capital letters, which the standard requires.
///
/// Source: ON-API 2.6, data formats, "macAddress".
///
/// `Debug` does not show the address, because it identifies a customer's device.
///
/// ```
/// use lastmile::rules::MacAddress;
///
/// let mac: MacAddress = "02:00:00:00:00:fe".parse()?;
/// assert_eq!(mac.as_str(), "02:00:00:00:00:FE");
///
/// let error = "02-00-00-00-00-FE".parse::<MacAddress>().unwrap_err();
/// assert!(error.to_string().starts_with("the character '-' at index 2 is not allowed there"));
/// # Ok::<(), lastmile::rules::RuleError>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(into = "String")]
pub struct MacAddress(String);

text_rule!(
    MacAddress,
    "a MAC address is such as 02:00:00:00:00:FE",
    "^([0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}$",
    str::make_ascii_uppercase
);
hidden!(MacAddress);

impl MacAddress {
    fn check(text: &str) -> Result<(), Problem> {
        const X: u8 = HEX;
        const C: u8 = COLON;
        shape(text, &[X, X, C, X, X, C, X, X, C, X, X, C, X, X, C, X, X])
    }

    /// Returns [`Warning::GroupAddress`] if the lowest bit of the first byte is set, which marks the address of a group of
    /// devices.
    pub fn warnings(&self) -> Vec<Warning> {
        let group = self.0.as_bytes().get(1).is_some_and(|digit| b"13579BDF".contains(digit));
        if group { vec![Warning::GroupAddress] } else { Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_letters_become_capitals() {
        let mac: MacAddress = "aA:bB:cC:dD:eE:fF".parse().unwrap();
        assert_eq!(mac.to_string(), "AA:BB:CC:DD:EE:FF");
        assert_eq!(mac, "AA:BB:CC:DD:EE:FF".parse().unwrap());
        assert_eq!(serde_json::to_string(&mac).unwrap(), r#""AA:BB:CC:DD:EE:FF""#);
        assert!(!format!("{mac:?}").contains("AA"));
        assert_eq!(mac.warnings(), []);
        assert_eq!("01:02:03:04:05:06".parse::<MacAddress>().unwrap().warnings(), [Warning::GroupAddress]);
    }

    #[test]
    fn other_spellings_are_refused() {
        let character = |character, at| Problem::Character { character, at };
        for (bad, problem) in [
            ("", Problem::Empty),
            ("02:00:00:00:00", Problem::TooShort),
            ("02:00:00:00:00:FE:00", Problem::TooLong { allowed: 17 }),
            ("0200.0000.00FE", character('0', 2)),
            ("02:00:00:00:00:FG", character('G', 16)),
            ("02:00:00:00:00:é", character('é', 15)),
        ] {
            assert_eq!(bad.parse::<MacAddress>().unwrap_err().problem(), problem, "{bad:?}");
        }
    }
}
