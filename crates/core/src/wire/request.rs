use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde_json::{Map, Value};

use super::{Decimal, Lenient, OneOrMany, Patch, Timestamp};

/// A field of a generated type.
#[doc(hidden)]
pub trait Field {
    /// Returns whether the field is omitted from the JSON object.
    #[inline]
    fn is_absent(&self) -> bool {
        false
    }
}

macro_rules! fields {
    ($([$($generic:ident)?] $type:ty: $is_absent:path;)* ; $($required:ty),*) => {
        $(
            impl<$($generic)?> Field for $type {
                #[inline]
                fn is_absent(&self) -> bool {
                    $is_absent(self)
                }
            }
        )*
        $(impl Field for $required {})*
    };
}

fields! {
    [T] Lenient<T>: Self::is_absent;
    [T] OneOrMany<T>: Self::is_absent;
    [T] Patch<T>: Self::is_absent;
    [T] Option<T>: Self::is_none;
    [T] Vec<T>: Self::is_empty;
    [T] BTreeMap<String, T>: Self::is_empty;
    [] Map<String, Value>: Self::is_empty;
    ; bool, i64, Decimal, NaiveDate, String, Timestamp
}

/// Implements `Serialize` and `Debug` for a generated struct. `Debug` shows neither `sensitive` fields nor those in `extra`.
#[doc(hidden)]
#[macro_export]
macro_rules! serialize_and_debug {
    ($type:ident { $($field:ident = $name:literal $($sensitive:ident)?,)* } $($extra:ident)?) => {
        impl ::serde::Serialize for $type {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                use ::serde::ser::SerializeMap as _;

                let mut map = serializer.serialize_map(None)?;
                $(if !$crate::wire::Field::is_absent(&self.$field) {
                    map.serialize_entry($name, &self.$field)?;
                })*
                $(for (name, value) in &self.$extra {
                    map.serialize_entry(name, value)?;
                })?
                map.end()
            }
        }

        $crate::redacted_debug! { $type { $($field $($sensitive)?,)* } $($extra)? }
    };
}

/// Implements `Debug` for a generated struct. It shows neither `sensitive` fields nor those in `extra`.
#[doc(hidden)]
#[macro_export]
macro_rules! redacted_debug {
    ($type:ident { $($field:ident $($sensitive:ident)?,)* } $($extra:ident)?) => {
        impl ::std::fmt::Debug for $type {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.debug_struct(::std::stringify!($type))
                    $(.field(::std::stringify!($field), $crate::debug_value!(self.$field $($sensitive)?)))*
                    $(.field("extra", &::std::format_args!("{} unlisted fields", self.$extra.len())))?
                    .finish()
            }
        }
    };
}

/// Returns what `Debug` shows of a field.
#[doc(hidden)]
#[macro_export]
macro_rules! debug_value {
    ($self:ident.$field:ident) => {
        &$self.$field
    };
    ($self:ident.$field:ident sensitive) => {
        &::std::format_args!("(hidden)")
    };
}

/// Defines an object of a request: one line per field, with its type and its name on the wire. `Debug` does not show fields that
/// are marked `sensitive`. A field that may be absent is an `Option`.
///
/// ```
/// lastmile_core::request_object! {
///     /// An order to be placed.
///     #[derive(Default)]
///     OrderCreate {
///         /// The id of the access.
///         access: String = "accessId",
///         /// What the technician should know.
///         note: Option<String> = "note" sensitive,
///     }
/// }
///
/// let order = OrderCreate { access: "17".to_owned(), note: None };
/// assert_eq!(serde_json::to_string(&order)?, r#"{"accessId":"17"}"#);
/// assert_eq!(format!("{order:?}"), r#"OrderCreate { access: "17", note: (hidden) }"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// An object that may have other fields than those that the API's document lists is followed by `extra`, the name of the field
/// that holds them.
#[doc(hidden)]
#[macro_export]
macro_rules! request_object {
    (
        $(#[$meta:meta])*
        $object:ident {
            $($(#[$field_meta:meta])* $field:ident: $type:ty = $name:literal $($sensitive:ident)?,)*
        } $($extra:ident)?
    ) => {
        #[derive(Clone, ::serde::Deserialize)]
        $(#[$meta])*
        pub struct $object {
            $($(#[$field_meta])* #[serde(rename = $name)] pub $field: $type,)*
            $(
                /// Fields that the API's document does not list.
                #[serde(flatten)]
                pub $extra: ::serde_json::Map<::std::string::String, ::serde_json::Value>,
            )?
        }

        impl $crate::wire::Field for $object {}

        $crate::serialize_and_debug! { $object { $($field = $name $($sensitive)?,)* } $($extra)? }
    };
}

/// Defines the body of a merge patch, with a setter method for each field. A field that can be cleared is a [`Patch`] and names
/// the method that clears it.
///
/// ```
/// use lastmile_core::wire::Patch;
///
/// lastmile_core::merge_patch! {
///     /// The fields of a contact that change.
///     ContactPatch {
///         /// The name.
///         name: Option<String> = "name" sensitive;
///         /// The phone number.
///         phone: Patch<String> = "phoneNumber" sensitive, clear_phone;
///     }
/// }
///
/// let patch = ContactPatch::default().name("Anka").clear_phone();
/// assert_eq!(serde_json::to_string(&patch)?, r#"{"name":"Anka","phoneNumber":null}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[doc(hidden)]
#[macro_export]
macro_rules! merge_patch {
    (
        $(#[$meta:meta])*
        $object:ident {
            $(
                $(#[$field_meta:meta])*
                $field:ident: $kind:ident<$type:ty> = $name:literal $($sensitive:ident)? $(, $clear:ident)?;
            )*
        }
    ) => {
        $crate::request_object! {
            $(#[$meta])*
            #[derive(Default)]
            #[serde(default)]
            $object {
                $($(#[$field_meta])* $field: $kind<$type> = $name $($sensitive)?,)*
            }
        }

        impl $object {
            $(
                #[doc = ::std::concat!("Sets `", $name, "`.")]
                #[must_use]
                pub fn $field(mut self, value: impl Into<$type>) -> Self {
                    self.$field = $kind::from(value.into());
                    self
                }

                $(
                    #[doc = ::std::concat!("Clears `", $name, "`.")]
                    #[must_use]
                    pub fn $clear(mut self) -> Self {
                        self.$field = $crate::wire::Patch::Null;
                        self
                    }
                )?
            )*
        }
    };
}

/// Defines the optional parameters of an operation. `Debug` does not show parameters that are marked `sensitive`.
#[doc(hidden)]
#[macro_export]
macro_rules! parameters {
    (
        $(#[$meta:meta])*
        $name:ident { $($(#[$field_meta:meta])* $field:ident: $type:ty $(= $sensitive:ident)?,)* }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Default)]
        pub struct $name {
            $($(#[$field_meta])* pub $field: $type,)*
        }

        $crate::redacted_debug! { $name { $($field $($sensitive)?,)* } }
    };
}
