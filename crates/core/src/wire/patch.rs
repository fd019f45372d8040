use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A field of a JSON merge patch ([RFC 7396]) that the supplier allows to be cleared: unchanged, cleared or set.
///
/// A field that cannot be cleared has the type `Option<T>` instead, where `None` leaves it unchanged.
///
/// ```
/// use lastmile_core::wire::Patch;
///
/// #[derive(serde::Serialize)]
/// struct Change {
///     #[serde(skip_serializing_if = "Patch::is_absent")]
///     name: Patch<String>,
///     #[serde(skip_serializing_if = "Patch::is_absent")]
///     phone: Patch<String>,
///     #[serde(skip_serializing_if = "Patch::is_absent")]
///     fax: Patch<String>,
/// }
///
/// let change = Change { name: Patch::set("Anka"), phone: Patch::Null, fax: Patch::Absent };
/// assert_eq!(serde_json::to_string(&change)?, r#"{"name":"Anka","phone":null}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// [RFC 7396]: https://www.rfc-editor.org/rfc/rfc7396
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Patch<T> {
    /// The field is not sent and keeps its value.
    #[default]
    Absent,
    /// `null` is sent, which clears the field.
    Null,
    /// The value is sent and replaces the current one.
    Value(T),
}

impl<T> Patch<T> {
    /// Returns a patch that sets the field, and converts the value: `Patch::set("text")` for a `Patch<String>`.
    pub fn set(value: impl Into<T>) -> Self {
        Self::Value(value.into())
    }

    /// Returns whether the field stays unchanged.
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }
}

impl<T> From<T> for Patch<T> {
    fn from(value: T) -> Self {
        Self::Value(value)
    }
}

impl<T: Serialize> Serialize for Patch<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Absent | Self::Null => serializer.serialize_none(),
            Self::Value(value) => value.serialize(serializer),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Patch<T> {
    /// Missing fields are not deserialized: their default is [`Patch::Absent`].
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::deserialize(deserializer)?.map_or(Self::Null, Self::Value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
    struct Change {
        #[serde(default, skip_serializing_if = "Patch::is_absent")]
        a: Patch<String>,
        #[serde(default, skip_serializing_if = "Patch::is_absent")]
        b: Patch<Vec<u8>>,
    }

    #[test]
    fn the_three_states_survive_both_ways() {
        for (text, change) in [
            ("{}", Change::default()),
            (r#"{"a":null}"#, Change { a: Patch::Null, ..Change::default() }),
            (r#"{"a":"x","b":[]}"#, Change { a: Patch::set("x"), b: Patch::Value(vec![]) }),
        ] {
            assert_eq!(serde_json::from_str::<Change>(text).unwrap(), change);
            assert_eq!(serde_json::to_string(&change).unwrap(), text);
        }
    }
}
