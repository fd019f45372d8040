//! Values that can only be what their source allows.
//!
//! Most are newtypes over text: made with `parse` or `try_from`, read as `&str`, stored and sent as a string. What is
//! refused is refused with the rule, the character and its place. They need no HTTP and no feature: a form or an importer
//! can use them with `default-features = false`.
//!
//! | type | supplier | what it is |
//! |---|---|---|
//! | [`Otp`] | Covage | reference of an optical socket |
//! | [`CovageText`] | Covage | text of the end customer and of addresses; [`sanitize`](CovageText::sanitize) proposes a legal spelling |
//! | [`CovageEmail`], [`CovagePhone`] | Covage | how to reach the end customer |
//! | [`CovageZipCode`] | Covage | postal code |
//! | [`Siret`] | Covage | number of a French company's establishment |
//! | [`Rio`] | Covage | code that a number is ported with |
//! | [`LineNumber`] | Covage | number of a copper line |
//! | [`CovageOrderRef`], [`CovageServiceRef`] | Covage | the supplier's reference of an order, of a service |
//! | [`BuildingRef`], [`StairsKey`] | Covage | reference of a building, name of a staircase in it |
//! | [`OnApiId`] | ON-API | identifier of an access, order, subscription … |
//! | [`MacAddress`] | ON-API | hardware address of equipment |
//! | [`OnApiPostalCode`], [`CountryCode`], [`OnApiStreetNumber`], [`ApartmentNumber`] | ON-API | parts of an address |
//! | [`OnApiPhone`] | ON-API | telephone number, E.164 |
//! | [`Option82`], [`DhcpIdentifier`] | ON-API | how a DHCP server knows a line |
//! | [`Geometry`], [`RouteScenario`] | Cocon | the way of a cable, and whether it is drawn anew |
//! | [`ContractDates`] | Cocon | first and last day of a contract |
//!
//! # Rules and warnings
//!
//! A rule has its source's word, and refuses. What no supplier states, such as the checksum of a SIRET, is a [`Warning`]:
//! types that know of some have a method `warnings`. Show them to somebody who can compare; they keep nothing from being
//! sent.
//!
//! # Personal data
//!
//! `Debug` does not show what says who somebody is or where somebody lives. A [`RuleError`] shows one character at most, and
//! an error of deserializing does not quote what it met in the place of a value.
//!
//! # JSON Schema
//!
//! With the feature `schemars` all of them describe themselves in your own JSON Schema, with the pattern where there is
//! one. A pattern never refuses what the rule takes; what it cannot say is in the description.

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
    /// A length that it states is not the length that is there.
    Length {
        /// The place of the length, in characters from 0.
        at: usize,
        /// How many bytes it states.
        stated: usize,
        /// How many bytes are there.
        there: usize,
    },
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
            Problem::Length { at, stated, there } => {
                write!(f, "the length at place {at} says {stated} bytes, but {there} are there")?;
            }
        }
        write!(f, ": {}", self.rule)
    }
}

impl std::error::Error for RuleError {}

/// Holds a text to what may stand at each place. `fits` must take ASCII only: up to the first stranger the bytes are then the
/// characters.
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

/// What may stand at a place: some of these bits.
mod class {
    pub(super) const CAPITAL: u8 = 1;
    pub(super) const SMALL: u8 = 1 << 1;
    pub(super) const DIGIT: u8 = 1 << 2;
    pub(super) const HEX: u8 = 1 << 3;
    pub(super) const HYPHEN: u8 = 1 << 4;
    pub(super) const COLON: u8 = 1 << 5;

    /// The classes of each byte, worked out beforehand.
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

/// Holds a text to the classes of characters that may stand at each of its places.
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

/// The character at a place, as the problem.
fn stranger(text: &str, at: usize) -> Problem {
    text.chars().nth(at).map_or(Problem::TooShort, |character| Problem::Character { character, at })
}

/// What every text's type has: `FromStr`, `TryFrom`, `Display`, `AsRef`, a JSON Schema. With a last argument, what is kept is
/// the text after that change, which must take nothing that the rule refuses.
macro_rules! text_rule {
    ($name:ident, $rule:literal, $pattern:literal $(, $written:path)?) => {
        impl $name {
            const RULE: &'static str = $rule;

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// Says what is wrong with a text, if anything, and keeps none of it: for a form that is being filled in.
            ///
            /// # Errors
            /// As those of `parse`.
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
                $crate::quiet::text(deserializer)?.try_into().map_err(serde::de::Error::custom)
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

/// How a type describes itself in a caller's JSON Schema.
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

/// `Debug` of a text that is personal data.
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
