//! JSON as it arrived: with the digits of its numbers, which no `Value` keeps.

use std::collections::BTreeMap;

use chrono::{DateTime, FixedOffset, NaiveDate};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue;

use super::lossy;

/// A JSON text. Of a repeated key the last is kept, as everywhere in serde.
#[derive(Debug)]
pub(super) enum Tree {
    /// `null`, a boolean or a string.
    Plain(Value),
    Number(String),
    List(Vec<Tree>),
    Object(BTreeMap<String, Tree>),
}

impl Tree {
    /// Returns `None` for invalid JSON, and for JSON that is nested too deeply to be read.
    pub(super) fn of(json: &[u8]) -> Option<Self> {
        Self::at(serde_json::from_slice::<&RawValue>(json).ok()?.get(), 400)
    }

    fn at(json: &str, depth: usize) -> Option<Self> {
        let depth = depth.checked_sub(1)?;
        let inner = |raw: &RawValue| Self::at(raw.get(), depth);
        Some(match json.as_bytes().first()? {
            b'{' => {
                let members: BTreeMap<String, &RawValue> = serde_json::from_str(json).ok()?;
                let members = members.into_iter().map(|(key, raw)| Some((key, inner(raw)?)));
                Self::Object(members.collect::<Option<_>>()?)
            }
            b'[' => {
                let items: Vec<&RawValue> = serde_json::from_str(json).ok()?;
                Self::List(items.into_iter().map(inner).collect::<Option<_>>()?)
            }
            b'-' | b'0'..=b'9' => Self::Number(json.to_owned()),
            _ => Self::Plain(serde_json::from_str(json).ok()?),
        })
    }

    /// Returns whether both have the same content: every digit of a 64-bit integer, other numbers to the precision
    /// of a float.
    pub(super) fn says(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Plain(one), Self::Plain(two)) => one == two,
            (Self::Number(one), Self::Number(two)) => one == two || (!is_whole(one) && close(one, two)),
            (Self::List(one), Self::List(two)) => {
                one.len() == two.len() && one.iter().zip(two).all(|(one, two)| one.says(two))
            }
            (Self::Object(one), Self::Object(two)) => one.len() == two.len() && one_holds(two, one),
            _ => false,
        }
    }

    /// Returns whether the other value contains everything that this one does, in the same form or in another that
    /// serde accepts.
    pub(super) fn is_within(&self, other: &Self) -> bool {
        match (self, other) {
            // The fields of a struct in order, without their names.
            (Self::Object(one), Self::List(two)) => {
                one.values().all(|one| two.iter().any(|two| one.is_within(two)))
            }
            // An enum variant, as a key with `null`.
            (Self::Plain(Value::String(word)), Self::Object(two)) => two.len() == 1 && two.contains_key(word),
            (Self::Plain(Value::String(one)), Self::Plain(Value::String(two))) => {
                one == two || same_time(one, two)
            }
            (Self::Object(one), Self::Object(two)) => {
                one.iter().all(|(key, one)| two.get(key).is_some_and(|two| one.is_within(two)))
            }
            (Self::List(one), Self::List(two)) => {
                one.len() == two.len() && one.iter().zip(two).all(|(one, two)| one.is_within(two))
            }
            _ => self.says(other),
        }
    }

    pub(super) fn member(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Object(members) => members.get(key),
            _ => None,
        }
    }
}

/// Returns whether two texts are the same timestamp or date.
fn same_time(one: &str, two: &str) -> bool {
    fn both<T: std::str::FromStr + PartialEq>(one: &str, two: &str) -> bool {
        matches!((one.parse::<T>(), two.parse::<T>()), (Ok(one), Ok(two)) if one == two)
    }
    both::<DateTime<FixedOffset>>(one, two) || both::<NaiveDate>(one, two)
}

fn one_holds(one: &BTreeMap<String, Tree>, two: &BTreeMap<String, Tree>) -> bool {
    two.iter().all(|(key, two)| one.get(key).is_some_and(|one| one.says(two)))
}

/// Returns whether a number fits an integer type of Rust. Negative zero does not.
fn is_whole(number: &str) -> bool {
    number != "-0" && (number.parse::<i64>().is_ok() || number.parse::<u64>().is_ok())
}

fn close(one: &str, two: &str) -> bool {
    let (Ok(one), Ok(two)) = (one.parse::<f64>(), two.parse::<f64>()) else { return false };
    one == two || (one - two).abs() <= 4.0 * f64::EPSILON * one.abs().max(two.abs())
}

/// Decodes bytes as a client decodes a response. The value is written, read again and written identically, and contains
/// everything that arrived.
pub(super) fn reads_back<T: DeserializeOwned + Serialize>(data: &[u8]) -> Option<T> {
    let read: T = serde_json::from_slice(data).ok()?;
    let text = serde_json::to_string(&read).expect("what was read can be written");
    let again: T = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    let again = serde_json::to_string(&again).expect("what was read can be written");
    if let (Some(arrived), Some(written)) = (Tree::of(data), Tree::of(text.as_bytes())) {
        assert!(arrived.says(&written), "arrived: {}\nwritten: {text}", lossy(data));
        let again = Tree::of(again.as_bytes()).expect("what is written is JSON");
        assert!(written.says(&again), "written: {text}\nand then: {again:?}");
    }
    Some(read)
}

/// Returns the bytes as a JSON text that serde can always read: without a repeated key, and without a number beyond the
/// range of a float.
pub(super) fn readable(data: &[u8]) -> Option<(Value, String)> {
    let json: Value = serde_json::from_slice(data).ok()?;
    let text = json.to_string();
    Some((json, text))
}
