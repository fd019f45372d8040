//! Value types that enforce the format that the supplier's documentation states.
//!
//! Most of them are newtypes over text: they are created with `parse` or `try_from`, read as `&str`, and serialized as a
//! string. The error for an invalid text states the rule, the character and its index. The types need neither HTTP nor any
//! feature: a form or an importer can use them with `default-features = false`.
//!
//! | type | supplier | meaning |
//! |---|---|---|
//! | [`Otp`] | Covage | reference of an optical socket |
//! | [`CovageText`] | Covage | text of the end customer or an address; [`sanitize`](CovageText::sanitize) proposes a spelling |
//! | [`CovageEmail`], [`CovagePhone`] | Covage | e-mail address and phone number of the end customer |
//! | [`CovageZipCode`] | Covage | postal code |
//! | [`Siret`] | Covage | number of a French company's establishment |
//! | [`Rio`] | Covage | authorization code for porting a number |
//! | [`LineNumber`] | Covage | number of a copper line |
//! | [`CovageOrderRef`], [`CovageServiceRef`] | Covage | the supplier's reference of an order, of a service |
//! | [`BuildingRef`], [`StairsKey`] | Covage | reference of a building, name of a staircase in it |
//! | [`OnApiId`] | ON-API | identifier of an access, an order, a subscription and other objects |
//! | [`MacAddress`] | ON-API | hardware address of equipment |
//! | [`OnApiPostalCode`], [`CountryCode`], [`OnApiStreetNumber`], [`ApartmentNumber`] | ON-API | parts of an address |
//! | [`OnApiPhone`] | ON-API | telephone number, E.164 |
//! | [`Option82`], [`DhcpIdentifier`] | ON-API | identification of a line at a DHCP server |
//! | [`Geometry`], [`RouteScenario`] | Cocon | route of a cable, and whether it is drawn anew |
//! | [`ContractDates`] | Cocon | first and last day of a contract |
//!
//! # Rules and warnings
//!
//! A rule is stated by the supplier's documentation, and a value that violates it is rejected. A condition that no supplier
//! states, such as the checksum of a SIRET, results in a [`Warning`]: types with such conditions have a method `warnings`. Show
//! warnings to a person who can compare the value with its origin. A warning does not prevent a request from being sent.
//!
//! # Personal data
//!
//! The `Debug` output of these types does not contain personal data. A [`RuleError`] shows at most one character of the text,
//! and a deserialization error does not quote the input.
//!
//! # JSON Schema
//!
//! With the feature `schemars`, all types implement `JsonSchema`, with a pattern where one exists. A pattern accepts every
//! value that the rule accepts; the description states what the pattern cannot express.

mod cocon;
mod covage;
mod luhn;
mod onapi;
mod warning;

pub use cocon::{ContractDates, Geometry, GeometryError, GeometryKind, RouteScenario, ScenarioError};
pub use covage::{
    BuildingRef, Change, CovageEmail, CovageOrderRef, CovagePhone, CovageServiceRef, CovageText,
    CovageZipCode, LineNumber, Otp, Proposal, Rio, Siret, StairsKey,
};
pub use onapi::{
    ApartmentNumber, CountryCode, DhcpIdentifier, MacAddress, OnApiId, OnApiPhone, OnApiPostalCode,
    OnApiStreetNumber, Option82, SubOption,
};
#[cfg(feature = "_calls")]
pub(crate) use warning::is_email;
pub use warning::{FieldWarning, Warning};

use std::fmt;
use std::ops::RangeInclusive;

/// An error that occurs when a text violates its rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RuleError {
    rule: &'static str,
    problem: Problem,
}

/// The reason why a text violates its rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// The text is empty.
    Empty,
    /// The text is too short.
    TooShort,
    /// The text is too long.
    TooLong {
        /// The maximum length, in characters.
        allowed: usize,
    },
    /// A character is not allowed at its position.
    Character {
        /// The character.
        character: char,
        /// The index of the character, in characters from 0.
        at: usize,
    },
    /// The text would change the meaning of a path (`.` or `..`).
    Path,
    /// A length field states a length other than the actual one.
    Length {
        /// The index of the length field, in characters from 0.
        at: usize,
        /// The stated length, in bytes.
        stated: usize,
        /// The actual length, in bytes.
        there: usize,
    },
}

impl RuleError {
    fn new(rule: &'static str, problem: Problem) -> Self {
        Self { rule, problem }
    }

    /// Returns the reason why the text violates its rule.
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
                write!(f, "the character {character:?} at index {at} is not allowed there")?;
            }
            Problem::Path => f.write_str("it would mean another path")?,
            Problem::Length { at, stated, there } => {
                write!(f, "the length at index {at} says {stated} bytes, but {there} are there")?;
            }
        }
        write!(f, ": {}", self.rule)
    }
}

impl std::error::Error for RuleError {}

/// Checks each byte of a text with `fits`, and the length of the text. `fits` must accept ASCII only, so that byte indices and
/// character indices are equal up to the first invalid character.
fn scan(text: &str, length: RangeInclusive<usize>, fits: impl Fn(usize, u8) -> bool) -> Result<(), Problem> {
    if text.is_empty() {
        return Err(Problem::Empty);
    }
    for (at, byte) in text.bytes().enumerate() {
        if at >= *length.end() {
            return Err(Problem::TooLong { allowed: at });
        }
        if !fits(at, byte) {
            return Err(stranger(text, at));
        }
    }
    if text.len() < *length.start() { Err(Problem::TooShort) } else { Ok(()) }
}

/// Character classes. Each class is one bit.
mod class {
    pub(super) const CAPITAL: u8 = 1;
    pub(super) const SMALL: u8 = 1 << 1;
    pub(super) const DIGIT: u8 = 1 << 2;
    pub(super) const HEX: u8 = 1 << 3;
    pub(super) const HYPHEN: u8 = 1 << 4;
    pub(super) const COLON: u8 = 1 << 5;

    /// The classes of each byte, computed at compile time.
    pub(super) static OF: [u8; 256] = {
        let mut classes = [0; 256];
        let mut byte = 0;
        while byte < 128 {
            let ascii = byte as u8;
            classes[byte] = (if ascii.is_ascii_uppercase() { CAPITAL } else { 0 })
                | (if ascii.is_ascii_lowercase() { SMALL } else { 0 })
                | (if ascii.is_ascii_digit() { DIGIT } else { 0 })
                | (if ascii.is_ascii_hexdigit() { HEX } else { 0 })
                | (if ascii == b'-' { HYPHEN } else { 0 })
                | (if ascii == b':' { COLON } else { 0 });
            byte += 1;
        }
        classes
    };
}

/// Checks each byte of a text against the character classes that are allowed at its index.
fn shape(text: &str, places: &[u8]) -> Result<(), Problem> {
    let misfits = |(byte, allowed): (u8, &u8)| class::OF[usize::from(byte)] & allowed == 0;
    match text.bytes().zip(places).position(misfits) {
        Some(at) => Err(stranger(text, at)),
        None if text.len() == places.len() => Ok(()),
        None if text.is_empty() => Err(Problem::Empty),
        None if text.len() < places.len() => Err(Problem::TooShort),
        None => Err(Problem::TooLong { allowed: places.len() }),
    }
}

/// Returns the problem for the invalid character at an index.
fn stranger(text: &str, at: usize) -> Problem {
    text.chars().nth(at).map_or(Problem::TooShort, |character| Problem::Character { character, at })
}

/// Implements the common items of a text type: `FromStr`, `TryFrom`, `Display`, `AsRef` and the JSON Schema. The optional last
/// argument is a function that normalizes the stored text. Its result must satisfy the rule as well.
macro_rules! text_rule {
    ($name:ident, $rule:literal, $pattern:literal $(, $written:path)?) => {
        impl $name {
            const RULE: &'static str = $rule;

            /// Returns the text.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// Checks a text without creating a value, for example in a form that is being filled in.
            ///
            /// # Errors
            /// Returns the errors of `parse`.
            pub fn validate(text: &str) -> Result<(), $crate::rules::RuleError> {
                Self::check(text).map_err(|problem| $crate::rules::RuleError::new(Self::RULE, problem))
            }
        }

        impl TryFrom<String> for $name {
            type Error = $crate::rules::RuleError;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                Self::validate(&text)?;
                $(let mut text = text; $written(&mut text);)?
                Ok(Self(text))
            }
        }

        impl TryFrom<&str> for $name {
            type Error = $crate::rules::RuleError;

            fn try_from(text: &str) -> Result<Self, Self::Error> {
                Self::validate(text)?;
                let text = text.to_owned();
                $(let mut text = text; $written(&mut text);)?
                Ok(Self(text))
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::redact::text(deserializer)?.try_into().map_err(serde::de::Error::custom)
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

        $crate::rules::schema!($name, { "type": "string", "pattern": $pattern, "description": $rule });
    };
}
use text_rule;

/// Implements `JsonSchema` for a type.
macro_rules! schema {
    ($name:ident, $schema:tt) => {
        #[cfg(feature = "schemars")]
        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn schema_id() -> std::borrow::Cow<'static, str> {
                concat!("lastmile::rules::", stringify!($name)).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!($schema)
            }
        }
    };
}
use schema;

/// Implements a `Debug` that hides a text with personal data.
macro_rules! hidden {
    ($name:ident) => {
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($name), "((hidden))"))
            }
        }
    };
}
use hidden;
