use std::fmt;
use std::marker::PhantomData;

use serde::de::{self, DeserializeOwned, DeserializeSeed, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use super::{Field, Lenient, Readable, ResponseBody};

/// An object of a response, whose fields are read directly into the struct. Generated code implements it with
/// [`response_object!`](crate::response_object).
///
/// The implementation that serde derives for a struct with flattened fields is slower, because it buffers each field until all
/// are read.
pub trait Object: Default {
    /// Returns the number of a field by its name on the wire; `None` for a field that no document lists.
    fn number(name: &str) -> Option<usize>;

    /// Reads the next value into the field with this number.
    ///
    /// # Errors
    /// Returns an error if the value is invalid, or if the field was read before.
    fn read<'de, A: MapAccess<'de>>(&mut self, number: usize, map: &mut A) -> Result<(), A::Error>;

    /// Returns the fields that no document lists.
    fn extra(&mut self) -> &mut Map<String, Value>;
}

impl<T: Object> Readable for T {
    fn read_map<'de, A: MapAccess<'de>>(map: A) -> Result<Lenient<Self>, A::Error> {
        read_fields(map).map(Lenient::Value)
    }
}

impl<T: Object + DeserializeOwned> ResponseBody for T {}

/// Reads the next value into a field.
///
/// # Errors
/// Returns an error if the value is invalid, or if the field was read before.
#[doc(hidden)]
#[inline]
pub fn fill<'de, A, F>(field: &mut F, name: &'static str, map: &mut A) -> Result<(), A::Error>
where
    A: MapAccess<'de>,
    F: Field + Deserialize<'de>,
{
    if !field.is_absent() {
        return Err(de::Error::duplicate_field(name));
    }
    // An absent field owns nothing, so it need not be dropped.
    std::mem::forget(std::mem::replace(field, map.next_value()?));
    Ok(())
}

/// Reads an object.
///
/// # Errors
/// Returns an error if the value is not an object, or if a part of it is invalid.
#[doc(hidden)]
pub fn read_object<'de, T: Object, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    deserializer.deserialize_map(ObjectVisitor(PhantomData))
}

/// Reads the fields of an object.
///
/// # Errors
/// Returns an error if a part of the object is invalid.
#[doc(hidden)]
pub fn read_fields<'de, T: Object, A: MapAccess<'de>>(mut map: A) -> Result<T, A::Error> {
    let mut object = T::default();
    let mut unlisted = String::new();
    while let Some(number) = map.next_key_seed(Key::<T>(&mut unlisted, PhantomData))? {
        match number {
            Some(number) => object.read(number, &mut map)?,
            None => {
                let value = map.next_value()?;
                object.extra().insert(std::mem::take(&mut unlisted), value);
            }
        }
    }
    Ok(object)
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Object> Visitor<'de> for ObjectVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        read_fields(map)
    }
}

/// Reads the name of a field as its number, and stores a name that no document lists.
struct Key<'a, T>(&'a mut String, PhantomData<T>);

impl<'de, T: Object> DeserializeSeed<'de> for Key<'_, T> {
    type Value = Option<usize>;

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<usize>, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl<T: Object> Visitor<'_> for Key<'_, T> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a field")
    }

    #[inline]
    fn visit_str<E: de::Error>(self, name: &str) -> Result<Option<usize>, E> {
        let number = T::number(name);
        if number.is_none() {
            name.clone_into(self.0);
        }
        Ok(number)
    }
}

/// Defines an object of a response: one line per field, with its type and its name on the wire.
///
/// The struct also has a field `extra` for fields that the API's document does not list. `Debug` does not show fields that are
/// marked `sensitive`.
///
/// ```
/// use lastmile_core::wire::{Lenient, OneOrMany, Text};
///
/// lastmile_core::response_object! {
///     /// A line.
///     Line {
///         /// The id of the line.
///         id: Lenient<Text> = "lineId",
///         /// Who uses it.
///         users: OneOrMany<Lenient<Text>> = "users" sensitive,
///     }
/// }
///
/// let line: Line = serde_json::from_str(r#"{"lineId":7,"users":"Kalle","port":3}"#)?;
/// assert_eq!(line.id.as_deref(), Some("7"));
/// assert_eq!(serde_json::to_string(&line)?, r#"{"lineId":7,"users":"Kalle","port":3}"#);
/// assert_eq!(format!("{line:?}"), r#"Line { id: "7", users: (hidden), extra: 1 unlisted fields }"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[doc(hidden)]
#[macro_export]
macro_rules! response_object {
    (
        $(#[$meta:meta])*
        $object:ident {
            $($(#[$field_meta:meta])* $field:ident: $type:ty = $name:literal $($sensitive:ident)?,)*
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Default)]
        pub struct $object {
            $($(#[$field_meta])* pub $field: $type,)*
            /// The fields that the API's document does not list.
            pub extra: ::serde_json::Map<String, ::serde_json::Value>,
        }

        $crate::serialize_and_debug! { $object { $($field = $name $($sensitive)?,)* } extra }

        const _: () = {
            #[allow(non_camel_case_types)]
            enum Number { $($field,)* }

            impl $crate::wire::Object for $object {
                #[inline]
                fn number(name: &str) -> Option<usize> {
                    match name {
                        $($name => Some(Number::$field as usize),)*
                        _ => None,
                    }
                }

                #[inline]
                fn read<'de, A>(&mut self, number: usize, map: &mut A) -> Result<(), A::Error>
                where
                    A: ::serde::de::MapAccess<'de>,
                {
                    match number {
                        $(n if n == Number::$field as usize => $crate::wire::fill(&mut self.$field, $name, map),)*
                        _ => Ok(()),
                    }
                }

                fn extra(&mut self) -> &mut ::serde_json::Map<String, ::serde_json::Value> {
                    &mut self.extra
                }
            }

            impl<'de> ::serde::Deserialize<'de> for $object {
                fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    $crate::wire::read_object(deserializer)
                }
            }
        };
    };
}

/// Defines an object of a response whose fields the API's document does not list. `Debug` shows how many fields it has.
#[doc(hidden)]
#[macro_export]
macro_rules! response_map {
    ($(#[$meta:meta])* $object:ident) => {
        $(#[$meta])*
        #[derive(Clone, ::serde::Deserialize, ::serde::Serialize)]
        #[serde(transparent)]
        pub struct $object(pub ::serde_json::Map<String, ::serde_json::Value>);

        impl ::std::ops::Deref for $object {
            type Target = ::serde_json::Map<String, ::serde_json::Value>;

            fn deref(&self) -> &Self::Target { &self.0 }
        }

        impl From<$object> for ::serde_json::Map<String, ::serde_json::Value> {
            fn from(object: $object) -> Self { object.0 }
        }

        impl From<::serde_json::Map<String, ::serde_json::Value>> for $object {
            fn from(map: ::serde_json::Map<String, ::serde_json::Value>) -> Self { Self(map) }
        }

        impl ::std::fmt::Debug for $object {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                ::std::write!(f, "{}({} unlisted fields)", ::std::stringify!($object), self.0.len())
            }
        }

        impl $crate::wire::Readable for $object {
            fn read_map<'de, A: ::serde::de::MapAccess<'de>>(map: A) -> Result<$crate::wire::Lenient<Self>, A::Error> {
                let map = ::serde::de::value::MapAccessDeserializer::new(map);
                <Self as ::serde::Deserialize>::deserialize(map).map($crate::wire::Lenient::Value)
            }
        }
    };
}

#[cfg(test)]
#[expect(unreachable_pub, reason = "response_object! defines public types")]
mod tests {
    use super::*;
    use crate::wire::{OneOrMany, Text};

    crate::response_object! {
        Line {
            id: Lenient<Text> = "lineId",
            speeds: OneOrMany<Lenient<i64>> = "speeds" sensitive,
        }
    }

    #[test]
    fn fields_find_their_places() {
        let line: Line =
            serde_json::from_str(r#"{"b":{"c":1},"speeds":7,"line\u0049d":"l-1","id":"other","b":2}"#)
                .unwrap();
        assert_eq!(line.id.as_deref(), Some("l-1"));
        assert_eq!(line.speeds[0].get(), Some(&7));
        assert_eq!(Value::Object(line.extra), serde_json::json!({ "b": 2, "id": "other" }));
        let none: Line = serde_json::from_str("{}").unwrap();
        assert!(none.id.is_absent() && none.speeds.is_absent() && none.extra.is_empty());
    }

    #[test]
    fn what_is_no_object_or_told_twice_is_an_error() {
        for (json, says) in [
            ("[]", "expected an object"),
            (r#"{"lineId":null,"lineId":null}"#, "duplicate field `lineId`"),
            (r#"{"speeds":[],"speeds":[]}"#, "duplicate field `speeds`"),
            (r#"{"lineId":"#, "EOF"),
        ] {
            let error = serde_json::from_str::<Line>(json).err().unwrap();
            assert!(error.to_string().contains(says), "{error}");
        }
        let unexpected: Lenient<Line> = serde_json::from_str("[]").unwrap();
        assert!(unexpected.get().is_none() && unexpected.unexpected().is_some());
        assert!(serde_json::from_str::<Lenient<Line>>(r#"{"x":1}"#).unwrap().get().is_some());
    }
}
