//! Errors of deserializing that do not say what arrived.

use serde::{Deserialize, Deserializer, de};

/// What serde says before it quotes what arrived.
const QUOTING: [&str; 5] =
    ["invalid type", "invalid value", "invalid length", "unknown variant", "unknown field"];

/// The same error without what arrived, which may be personal data or a secret. What was expected stays, and the place.
pub(crate) fn quiet<E: de::Error>(error: E) -> E {
    let text = error.to_string();
    let Some(kind) = QUOTING.iter().find(|kind| text.starts_with(**kind)) else { return error };
    match text.rsplit_once(", expected ") {
        Some((_, expected)) => E::custom(format_args!("{kind}, expected {expected}")),
        None => E::custom(kind),
    }
}

/// Reads a text.
pub(crate) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    String::deserialize(deserializer).map_err(quiet)
}

/// `Serialize` and `Deserialize` of a type whose derived ones are methods of its own (`#[serde(remote = "Self")]`): errors do not
/// say what arrived.
macro_rules! quietly {
    ($name:ident) => {
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                Self::serialize(self, serializer)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::deserialize(deserializer).map_err($crate::quiet::quiet)
            }
        }
    };
}
pub(crate) use quietly;
