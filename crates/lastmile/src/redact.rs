//! Deserialization errors that do not quote the input.

use serde::{Deserialize, Deserializer, de};

/// The prefixes of serde's messages that quote the input.
const QUOTING: [&str; 5] =
    ["invalid type", "invalid value", "invalid length", "unknown variant", "unknown field"];

/// Returns the error without the input that it quotes, which may be personal data or a secret. The message keeps what was
/// expected.
pub(crate) fn redact_error<E: de::Error>(error: E) -> E {
    let text = error.to_string();
    let Some(kind) = QUOTING.iter().find(|kind| text.starts_with(**kind)) else { return error };
    match text.rsplit_once(", expected ") {
        Some((_, expected)) => E::custom(format_args!("{kind}, expected {expected}")),
        None => E::custom(kind),
    }
}

/// Deserializes a text. Errors do not quote the input.
pub(crate) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    String::deserialize(deserializer).map_err(redact_error)
}

/// Implements `Serialize` and `Deserialize` for a type whose derived implementations are inherent methods
/// (`#[serde(remote = "Self")]`). Deserialization errors do not quote the input.
macro_rules! redact_errors {
    ($name:ident) => {
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                Self::serialize(self, serializer)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::deserialize(deserializer).map_err($crate::redact::redact_error)
            }
        }
    };
}
pub(crate) use redact_errors;
