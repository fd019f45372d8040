//! Values that can only be what their source allows.
//!
//! Each is a newtype over text: made with `parse` or `try_from`, read as `&str`, stored and sent as a string. What is
//! refused is refused with the rule, the character and its place. They need no HTTP and no feature.
//!
//! | type | supplier | what it is |
//! |---|---|---|
//! | [`Otp`] | Covage | reference of an optical socket |
//! | [`CovageText`] | Covage | text of the end customer and of addresses |
//! | [`OnApiId`] | ON-API | identifier of an access, order, subscription … |

mod covage_text;
mod onapi_id;
mod otp;

pub use covage_text::CovageText;
pub use onapi_id::OnApiId;
pub use otp::Otp;

use std::fmt;

/// Why a text is not what its rule allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RuleError {
    rule: &'static str,
    problem: Problem,
}

/// What is wrong with a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// It is empty.
    Empty,
    /// It ends before it is complete.
    TooShort,
    /// It goes on behind what is allowed, from this character on.
    TooLong {
        /// How many characters are allowed.
        allowed: usize,
    },
    /// A character is not allowed where it stands.
    Character {
        /// The character.
        character: char,
        /// Its place, in characters from 0.
        at: usize,
    },
    /// It would be another path (`.` or `..`).
    Path,
}

impl RuleError {
    fn new(rule: &'static str, problem: Problem) -> Self {
        Self { rule, problem }
    }

    /// What is wrong.
    pub fn problem(&self) -> Problem {
        self.problem
    }
}

impl fmt::Display for RuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.problem {
            Problem::Empty => f.write_str("it is empty")?,
            Problem::TooShort => f.write_str("it is too short")?,
            Problem::TooLong { allowed } => write!(f, "it is longer than {allowed} characters")?,
            Problem::Character { character, at } => {
                write!(f, "the character {character:?} at place {at} is not allowed there")?;
            }
            Problem::Path => f.write_str("it would mean another path")?,
        }
        write!(f, ": {}", self.rule)
    }
}

impl std::error::Error for RuleError {}

/// What every rule's type has: `FromStr`, `TryFrom`, `Display`, `AsRef`, serde both ways.
macro_rules! text_rule {
    ($name:ident, $rule:literal) => {
        impl $name {
            const RULE: &'static str = $rule;

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = $crate::rules::RuleError;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                match Self::check(&text) {
                    Ok(()) => Ok(Self(text)),
                    Err(problem) => Err($crate::rules::RuleError::new(Self::RULE, problem)),
                }
            }
        }

        impl TryFrom<&str> for $name {
            type Error = $crate::rules::RuleError;

            fn try_from(text: &str) -> Result<Self, Self::Error> {
                text.to_owned().try_into()
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::rules::RuleError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.try_into()
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}
pub(crate) use text_rule;
