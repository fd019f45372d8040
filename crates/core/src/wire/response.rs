use serde::de::DeserializeOwned;

use super::{Lenient, OneOrMany, Readable};

/// The type of a whole JSON response body: an [`Object`](super::Object), or a [`OneOrMany`] of objects.
pub trait ResponseBody: DeserializeOwned {
    /// Reads a list from the JSON of its elements, one by one, so that an unreadable element does not affect the others. Returns
    /// `None` for a type that is not a list.
    fn from_elements<'a>(_: impl Iterator<Item = &'a [u8]>) -> Option<Self> {
        None
    }
}

impl<T: Readable> ResponseBody for OneOrMany<Lenient<T>> {
    fn from_elements<'a>(elements: impl Iterator<Item = &'a [u8]>) -> Option<Self> {
        let read = |json| serde_json::from_slice(json).unwrap_or_else(|_| Lenient::unreadable_json(json));
        Some(elements.map(read).collect::<Vec<_>>().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_element_that_no_value_can_hold_is_written_back_as_it_arrived() {
        let elements = [r#""a""#, r#""\ud800""#, "1e999", r#"{"x":"\udfff"}"#, "nan", "null"];
        let list = OneOrMany::<Lenient<String>>::from_elements(elements.iter().map(|json| json.as_bytes()));
        let list = list.unwrap();
        assert_eq!(list[0].as_deref(), Some("a"));
        for (element, json) in list[1..5].iter().zip(&elements[1..]) {
            assert!(element.get().is_none() && !element.is_nothing());
            assert_eq!(element.unexpected().and_then(|text| text.as_str()), Some(*json));
            assert_eq!(format!("{element:?}"), "Unreadable");
        }
        assert!(list[5].is_nothing());
        let written = serde_json::to_string(&list).unwrap();
        assert_eq!(written, r#"["a","\ud800",1e999,{"x":"\udfff"},"nan",null]"#);
    }
}
