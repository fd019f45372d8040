use serde::{Deserialize, Serialize};

use super::{Problem, text_rule};

/// An identifier of ON-API (of an access, an order, a subscription, an event, or a reference of the service provider's): 1
/// to 36 letters, digits, hyphens and points, never a personal identity number.
///
/// Source: ON-API 2.6, data formats, "ID". Beyond it, `.` and `..` are refused, since they would be another path.
///
/// ```
/// use lastmile::rules::OnApiId;
///
/// let access: OnApiId = "17".parse()?;
/// assert!("..".parse::<OnApiId>().is_err());
/// let error = "ACC/17".parse::<OnApiId>().unwrap_err();
/// assert!(error.to_string().starts_with("the character '/' at place 3 is not allowed there"));
/// # Ok::<(), lastmile::rules::RuleError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct OnApiId(String);

text_rule!(OnApiId, "an id is 1 to 36 letters, digits, hyphens and points");

impl OnApiId {
    const LONGEST: usize = 36;

    fn check(text: &str) -> Result<(), Problem> {
        if text.is_empty() {
            return Err(Problem::Empty);
        }
        for (at, character) in text.chars().enumerate() {
            if !(character.is_ascii_alphanumeric() || character == '-' || character == '.') {
                return Err(Problem::Character { character, at });
            }
            if at >= Self::LONGEST {
                return Err(Problem::TooLong { allowed: Self::LONGEST });
            }
        }
        if text == "." || text == ".." { Err(Problem::Path) } else { Ok(()) }
    }
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
}
