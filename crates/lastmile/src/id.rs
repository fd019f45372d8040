//! Ids of the suppliers' objects.

use std::fmt;

/// An error that occurs when a text cannot be the id of a supplier's object.
///
/// The error does not repeat the text. With `?` it converts into an [`Error`](crate::Error) with
/// [`Outcome::Invalid`](crate::Outcome::Invalid).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdError {
    api: &'static str,
    what: &'static str,
    reason: String,
}

impl IdError {
    pub(crate) fn new(api: &'static str, what: &'static str, reason: String) -> Self {
        Self { api, what, reason }
    }

    /// Returns the short name of the supplier's API.
    pub(crate) fn api(&self) -> &'static str {
        self.api
    }
}

impl fmt::Display for IdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} cannot stand in a path: {}", self.what, self.reason)
    }
}

impl std::error::Error for IdError {}

/// Defines an id type: a text that is exactly one path segment. `$what` names the id in error messages.
macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $api:path, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
        #[serde(transparent)]
        pub struct $name(lastmile_core::wire::Segment);

        impl $name {
            /// Returns the id as text.
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }

            /// Returns the id as a path segment.
            #[allow(dead_code, reason = "not every id is sent in a path of its own")]
            pub(crate) fn segment(&self) -> &lastmile_core::wire::Segment {
                &self.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::IdError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match $crate::checks::segment(text) {
                    Ok(segment) => Ok(Self(segment)),
                    Err(reason) => Err($crate::IdError::new($api, $what, reason)),
                }
            }
        }

        impl TryFrom<&str> for $name {
            type Error = $crate::IdError;

            fn try_from(text: &str) -> Result<Self, Self::Error> {
                text.parse()
            }
        }

        impl TryFrom<String> for $name {
            type Error = $crate::IdError;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                text.parse()
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::redact::text(deserializer)?.try_into().map_err(serde::de::Error::custom)
            }
        }

        /// Reads the id from a field of a response. A missing or unreadable field is an error.
        impl TryFrom<&lastmile_core::wire::Lenient<lastmile_core::wire::Text>> for $name {
            type Error = $crate::IdError;

            fn try_from(field: &lastmile_core::wire::Lenient<lastmile_core::wire::Text>) -> Result<Self, Self::Error> {
                field.as_deref().unwrap_or_default().parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0.into()
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                self.as_str()
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}
pub(crate) use id;
