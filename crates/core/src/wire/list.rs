use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use serde::de::value::MapAccessDeserializer;
use serde::de::{self, MapAccess, SeqAccess, Visitor};
use serde::ser::SerializeSeq;
use serde::{Deserialize, Deserializer, Serialize, Serializer, forward_to_deserialize_any};
use serde_json::Value;

/// A list in a response, which some servers send as one element without brackets, as `null` or as `""`.
///
/// It dereferences to a slice and is serialized in the form in which it arrived. A number that arrives instead of a list has the
/// precision of a float.
///
/// ```
/// use lastmile_core::wire::OneOrMany;
///
/// for arrived in [r#"["a","b"]"#, r#""a""#, "null", r#""""#] {
///     let list: OneOrMany<String> = serde_json::from_str(arrived)?;
///     println!("{} elements", list.len());
///     assert_eq!(serde_json::to_string(&list)?, arrived);
/// }
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct OneOrMany<T> {
    items: Vec<T>,
    form: Form,
}

/// The form in which the list arrived.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Absent,
    Null,
    EmptyText,
    One,
    Many,
}

impl<T> OneOrMany<T> {
    /// Returns whether the field was missing. `null` and `[]` are empty, but not absent.
    pub fn is_absent(&self) -> bool {
        self.form == Form::Absent
    }

    /// Returns whether a JSON array arrived, with or without elements. A missing field, `null`, `""` and one element without
    /// brackets are not arrays: they do not say which elements are missing from the list. A list that is created from a `Vec`
    /// counts as an array.
    ///
    /// ```
    /// use lastmile_core::wire::OneOrMany;
    ///
    /// let nothing: OneOrMany<String> = serde_json::from_str("null")?;
    /// let empty: OneOrMany<String> = serde_json::from_str("[]")?;
    /// assert!(nothing.is_empty() && !nothing.is_array());
    /// assert!(empty.is_empty() && empty.is_array());
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn is_array(&self) -> bool {
        self.form == Form::Many
    }

    /// Creates a list of one element that is serialized without brackets.
    ///
    /// ```
    /// use lastmile_core::wire::OneOrMany;
    ///
    /// assert_eq!(serde_json::to_string(&OneOrMany::one(7))?, "7");
    /// assert_eq!(serde_json::to_string(&OneOrMany::from(vec![7]))?, "[7]");
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn one(item: T) -> Self {
        Self { items: vec![item], form: Form::One }
    }

    /// Returns the elements as a vector.
    pub fn into_vec(self) -> Vec<T> {
        self.items
    }
}

impl<T> Default for OneOrMany<T> {
    fn default() -> Self {
        Self { items: Vec::new(), form: Form::Absent }
    }
}

impl<T> From<Vec<T>> for OneOrMany<T> {
    fn from(items: Vec<T>) -> Self {
        Self { items, form: Form::Many }
    }
}

impl<T> Deref for OneOrMany<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.items
    }
}

impl<T> IntoIterator for OneOrMany<T> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        self.items.into_iter()
    }
}

impl<'a, T> IntoIterator for &'a OneOrMany<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.items.iter()
    }
}

impl<T: fmt::Debug> fmt::Debug for OneOrMany<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.items.fmt(f)
    }
}

impl<T: Serialize> Serialize for OneOrMany<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match (self.form, self.items.as_slice()) {
            (Form::Absent | Form::Null, []) => serializer.serialize_none(),
            (Form::EmptyText, []) => serializer.serialize_str(""),
            (Form::One, [item]) => item.serialize(serializer),
            (_, items) => {
                let mut list = serializer.serialize_seq(Some(items.len()))?;
                for item in items {
                    list.serialize_element(item)?;
                }
                list.end()
            }
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OneOrMany<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ListVisitor(PhantomData))
    }
}

struct ListVisitor<T>(PhantomData<T>);

impl<T> ListVisitor<T> {
    fn none<E>(form: Form) -> Result<OneOrMany<T>, E> {
        Ok(OneOrMany { items: Vec::new(), form })
    }

    fn one<E>(item: T) -> Result<OneOrMany<T>, E> {
        Ok(OneOrMany { items: vec![item], form: Form::One })
    }

    fn scalar<'de, E: de::Error>(value: impl Into<Value>) -> Result<OneOrMany<T>, E>
    where
        T: Deserialize<'de>,
    {
        Self::one(T::deserialize(value.into()).map_err(E::custom)?)
    }
}

/// An object that arrives instead of a list. A type that reads the JSON text of its value, such as a number with its digits,
/// deserializes a newtype, which requires the complete value.
struct Alone<A>(A);

impl<'de, A: MapAccess<'de>> Deserializer<'de> for Alone<A> {
    type Error = A::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, A::Error> {
        visitor.visit_map(self.0)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        let whole = Value::deserialize(MapAccessDeserializer::new(self.0))?;
        whole.deserialize_newtype_struct(name, visitor).map_err(de::Error::custom)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct seq tuple
        tuple_struct map struct enum identifier ignored_any
    }
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for ListVisitor<T> {
    type Value = OneOrMany<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list, one element, or nothing")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(items.into())
    }

    fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
        Self::none(Form::Null)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
        match text {
            "" => Self::none(Form::EmptyText),
            text => Self::scalar(text),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        Self::one(T::deserialize(Alone(map))?)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Self::Value, E> {
        Self::scalar(value)
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Self::Value, E> {
        Self::scalar(value)
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Self::Value, E> {
        Self::scalar(value)
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Self::Value, E> {
        Self::scalar(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{Decimal, Lenient};

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Mac {
        mac: String,
    }

    fn back<T: for<'a> Deserialize<'a> + Serialize>(arrived: &str) -> (usize, String) {
        let list: OneOrMany<T> = serde_json::from_str(arrived).unwrap();
        (list.len(), serde_json::to_string(&list).unwrap())
    }

    #[test]
    fn each_form_is_read_and_written_back() {
        for (arrived, n) in
            [("[]", 0), ("null", 0), ("\"\"", 0), (r#"{"mac":"a"}"#, 1), (r#"[{"mac":"a"}]"#, 1)]
        {
            assert_eq!(back::<Mac>(arrived), (n, arrived.to_owned()));
        }
        for (arrived, n) in
            [("7", 1), ("-7", 1), ("true", 1), ("1.5", 1), ("\"x\"", 1), ("[null,\"x\",3]", 3)]
        {
            assert_eq!(back::<Lenient<String>>(arrived), (n, arrived.to_owned()));
        }
    }

    #[test]
    fn only_brackets_make_an_array() {
        for (arrived, is_array) in [
            ("[]", true),
            ("[null]", true),
            (r#"["a"]"#, true),
            ("null", false),
            ("\"\"", false),
            (r#""a""#, false),
            ("{}", false),
            ("7", false),
        ] {
            let list: OneOrMany<Lenient<String>> = serde_json::from_str(arrived).unwrap();
            assert_eq!(list.is_array(), is_array, "{arrived}");
        }
        assert!(!OneOrMany::<String>::default().is_array(), "the field is missing");
        assert!(OneOrMany::from(vec!["a"]).is_array());
    }

    #[test]
    fn one_decimal_stands_for_a_list_of_them() {
        for arrived in
            ["7", "-7", "0.5", "\"0.10\"", "true", "\"x\"", "{}", r#"{"a":[1]}"#, "[0.10,\"0.10\",{}]"]
        {
            assert_eq!(back::<Lenient<Decimal>>(arrived).1, arrived);
        }
        let list: OneOrMany<Lenient<Decimal>> = serde_json::from_str("\"0.10\"").unwrap();
        assert_eq!(list[0].get().map(Decimal::as_str), Some("0.10"));
    }

    #[test]
    fn what_is_neither_a_list_nor_an_element_is_an_error_that_says_so() {
        let error = serde_json::from_str::<OneOrMany<Mac>>("[3]").unwrap_err();
        assert!(error.to_string().contains("expected struct Mac"), "{error}");
        assert!(serde_json::from_str::<OneOrMany<Mac>>("3").is_err());
    }
}
