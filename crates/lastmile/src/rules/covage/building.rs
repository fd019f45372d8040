use serde::Serialize;

use crate::rules::{Problem, Warning, hidden, text_rule};

/// Covage's reference of a building, such as `IMB/76540/X/043X`: 1 to 32 characters.
///
/// Source: Covage, eligibility API, "offers", which states the maximum length. In addition, texts that would change the meaning
/// of a path are rejected: `.`, `..`, and texts with a backslash.
///
/// ```
/// use lastmile::rules::BuildingRef;
///
/// let building: BuildingRef = "IMB/76540/X/043X".parse()?;
/// assert!(building.warnings().is_empty());
///
/// let error = "IMB\\76540\\X\\043X".parse::<BuildingRef>().unwrap_err();
/// assert!(error.to_string().starts_with("the character '\\\\' at index 3 is not allowed there"));
/// # Ok::<(), lastmile::rules::RuleError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(into = "String")]
pub struct BuildingRef(String);

text_rule!(
    BuildingRef,
    "the reference of a building is 1 to 32 characters, not a backslash, not . or .. alone",
    r"^[^\\]{1,32}$"
);

impl BuildingRef {
    const LONGEST: usize = 32;

    fn check(text: &str) -> Result<(), Problem> {
        match text {
            "" => return Err(Problem::Empty),
            "." | ".." => return Err(Problem::Path),
            _ => {}
        }
        for (at, character) in text.chars().enumerate() {
            if at >= Self::LONGEST {
                return Err(Problem::TooLong { allowed: Self::LONGEST });
            }
            if character == '\\' {
                return Err(Problem::Character { character, at });
            }
        }
        Ok(())
    }

    /// Returns [`Warning::BuildingForm`] if the reference does not have the form of all known samples: `IMB/`, the five letters
    /// or digits of the municipality, `/`, one letter or digit, `/`, and four letters or digits.
    pub fn warnings(&self) -> Vec<Warning> {
        let known = self.0.len() == 16
            && self.0.starts_with("IMB/")
            && self.0.bytes().enumerate().skip(4).all(|(at, byte)| match at {
                9 | 11 => byte == b'/',
                _ => byte.is_ascii_digit() || byte.is_ascii_uppercase(),
            });
        if known { Vec::new() } else { vec![Warning::BuildingForm] }
    }
}

/// Covage's name of a staircase of a building, as in the keys of `stairs` and `stairs_with_otp_ref`: the building, `^` and the
/// staircase, such as `NA^1`. `_NA_` stands for no building and no staircase.
///
/// Source: Covage, eligibility API, "building": `BUILDING^STAIR`, and its samples.
///
/// `Debug` does not show the key, because it is part of an address.
///
/// ```
/// use lastmile::rules::StairsKey;
///
/// let key: StairsKey = "NA^1".parse()?;
/// assert_eq!(key.stairs(), Some("1"));
/// assert_eq!("_NA_".parse::<StairsKey>()?.stairs(), None);
///
/// let error = "NA^".parse::<StairsKey>().unwrap_err();
/// assert!(error.to_string().starts_with("it is too short"));
/// # Ok::<(), lastmile::rules::RuleError>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(into = "String")]
pub struct StairsKey(String);

text_rule!(
    StairsKey,
    "a key is the building and the staircase with ^ between them, such as NA^1, or _NA_",
    r"^([^\^]+\^[^\^]+|_NA_)$"
);
hidden!(StairsKey);

impl StairsKey {
    fn check(text: &str) -> Result<(), Problem> {
        let mut caret = None;
        for (at, character) in text.chars().enumerate() {
            if character == '^' {
                // The separator can be neither first nor repeated: no part is empty, and no part contains it.
                if at == 0 || caret.is_some() {
                    return Err(Problem::Character { character, at });
                }
                caret = Some(at);
            }
        }
        match caret {
            _ if text == "_NA_" => Ok(()),
            _ if text.is_empty() => Err(Problem::Empty),
            Some(_) if !text.ends_with('^') => Ok(()),
            _ => Err(Problem::TooShort),
        }
    }

    /// Returns the building, as the supplier writes it (`NA` in the samples). Returns `None` for `_NA_`.
    pub fn building(&self) -> Option<&str> {
        self.0.split_once('^').map(|(building, _)| building)
    }

    /// Returns the staircase, which is the value to use in the address of an order, where `^` is not allowed. Returns `None`
    /// for `_NA_`.
    pub fn stairs(&self) -> Option<&str> {
        self.0.split_once('^').map(|(_, stairs)| stairs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buildings() {
        for good in ["IMB/93077/X/00ZY", "...", &"é".repeat(32)] {
            assert!(good.parse::<BuildingRef>().is_ok(), "{good:?}");
        }
        for (bad, problem) in [
            ("", Problem::Empty),
            (".", Problem::Path),
            ("..", Problem::Path),
            (&"é".repeat(33), Problem::TooLong { allowed: 32 }),
            ("é\\", Problem::Character { character: '\\', at: 1 }),
        ] {
            assert_eq!(bad.parse::<BuildingRef>().unwrap_err().problem(), problem, "{bad:?}");
        }
        for (text, warned) in [
            ("IMB/94058/C/NGA3", false),
            ("IMB/2A004/S/0001", false),
            ("IMB/94058/C/NGA", true),
            ("IMB/94058/C/nga3", true),
            ("IMB-94058-C-NGA3", true),
            ("éIMB/94058/C/NG", true),
        ] {
            assert_eq!(!text.parse::<BuildingRef>().unwrap().warnings().is_empty(), warned, "{text}");
        }
    }

    #[test]
    fn keys_of_stairs() {
        let key: StairsKey = "BAT A^C".parse().unwrap();
        assert_eq!((key.building(), key.stairs()), (Some("BAT A"), Some("C")));
        assert!(!format!("{key:?}").contains("BAT"));
        let neither: StairsKey = "_NA_".parse().unwrap();
        assert_eq!((neither.building(), neither.stairs()), (None, None));
        for (bad, problem) in [
            ("", Problem::Empty),
            ("A", Problem::TooShort),
            ("A^", Problem::TooShort),
            ("^1", Problem::Character { character: '^', at: 0 }),
            ("é^1^2", Problem::Character { character: '^', at: 3 }),
        ] {
            assert_eq!(bad.parse::<StairsKey>().unwrap_err().problem(), problem, "{bad:?}");
        }
    }
}
