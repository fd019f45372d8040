use std::fmt;

/// The error for a text that is not one of the documented values of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConversionError;

impl fmt::Display for ConversionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("invalid value")
    }
}

impl std::error::Error for ConversionError {}

/// Defines an enum of a response: the values that the API's document lists, and `Unlisted` for all others.
///
/// ```
/// lastmile_core::open_enum! {
///     /// How far the order has come.
///     OrderState {
///         Received = "RECEIVED",
///         Done = "DONE",
///     }
/// }
///
/// let states: [OrderState; 2] = serde_json::from_str(r#"["DONE","LOST"]"#)?;
/// assert_eq!(states, [OrderState::Done, OrderState::Unlisted("LOST".into())]);
/// assert_eq!(serde_json::to_string(&states)?, r#"["DONE","LOST"]"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[doc(hidden)]
#[macro_export]
macro_rules! open_enum {
    ($(#[$meta:meta])* $name:ident { $($variant:ident = $value:literal,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $(#[doc = ::std::concat!("`", $value, "`")] $variant,)*
            /// A value that the API's document does not list, as it arrived.
            Unlisted($crate::wire::Text),
        }

        impl $name {
            /// Returns the value on the wire.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $value,)*
                    Self::Unlisted(value) => value,
                }
            }
        }

        impl From<&str> for $name {
            fn from(value: &str) -> Self {
                match value {
                    $($value => Self::$variant,)*
                    value => Self::Unlisted(value.into()),
                }
            }
        }

        impl From<String> for $name {
            fn from(value: String) -> Self { value.as_str().into() }
        }

        impl ::std::str::FromStr for $name {
            type Err = ::std::convert::Infallible;

            fn from_str(value: &str) -> Result<Self, Self::Err> { Ok(value.into()) }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result { f.write_str(self.as_str()) }
        }

        impl ::serde::Serialize for $name {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $name {
            fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                <$crate::wire::Text as ::serde::Deserialize>::deserialize(deserializer).map(|text| text.as_str().into())
            }
        }

        impl $crate::wire::Readable for $name {
            fn read(given: $crate::wire::Scalar<'_>) -> $crate::wire::Reading<Self> { $crate::wire::Reading::named(given) }

            #[inline]
            fn read_text(text: &str) -> Option<Self> { (!text.is_empty()).then(|| text.into()) }
        }

        impl $crate::wire::Field for $name {}
    };
}

/// Defines an enum of a request, which has only the values that the API's document lists.
///
/// ```
/// lastmile_core::closed_enum! {
///     /// What the order is to do.
///     OrderOperation {
///         Activate = "ACTIVATE",
///         Suspend = "SUSPEND",
///     }
/// }
///
/// assert_eq!("SUSPEND".parse(), Ok(OrderOperation::Suspend));
/// assert_eq!(OrderOperation::Activate.to_string(), "ACTIVATE");
/// assert!("RESUME".parse::<OrderOperation>().is_err());
/// ```
#[doc(hidden)]
#[macro_export]
macro_rules! closed_enum {
    ($(#[$meta:meta])* $name:ident { $($variant:ident = $value:literal,)* }) => {
        $(#[$meta])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, ::serde::Deserialize, ::serde::Serialize,
        )]
        pub enum $name {
            $(#[doc = ::std::concat!("`", $value, "`")] #[serde(rename = $value)] $variant,)*
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(match self { $(Self::$variant => $value,)* })
            }
        }

        impl ::std::str::FromStr for $name {
            type Err = $crate::wire::ConversionError;

            fn from_str(value: &str) -> Result<Self, Self::Err> {
                match value {
                    $($value => Ok(Self::$variant),)*
                    _ => Err($crate::wire::ConversionError),
                }
            }
        }

        impl TryFrom<&str> for $name {
            type Error = $crate::wire::ConversionError;

            fn try_from(value: &str) -> Result<Self, Self::Error> { value.parse() }
        }

        impl TryFrom<String> for $name {
            type Error = $crate::wire::ConversionError;

            fn try_from(value: String) -> Result<Self, Self::Error> { value.parse() }
        }

        impl $crate::wire::Field for $name {}
    };
}
