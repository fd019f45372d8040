//! Values that are not lists where a list is expected.

use std::collections::HashMap;

use serde_json::value::RawValue;

/// The fields of an object where a list is expected.
pub(crate) struct Lone<'a>(HashMap<String, &'a RawValue>);

impl<'a> Lone<'a> {
    /// Reads an object. Returns `None` for any other value.
    pub(crate) fn read(json: &'a [u8]) -> Option<Self> {
        serde_json::from_slice(json).ok().map(Self)
    }

    /// Returns whether the object is a row, that is, whether the field that each row has contains a value. Errors with a
    /// successful status and envelopes around the list do not have it.
    pub(crate) fn is_row(&self, identity: Option<&str>) -> bool {
        identity.is_some_and(|field| self.has(field))
    }

    /// Returns the list inside an envelope such as `{"count": 1, "next": null, "results": […]}`.
    pub(crate) fn results(&self) -> Option<&'a str> {
        let is_envelope = self.0.contains_key("count") || self.0.contains_key("next");
        let results = self.0.get("results")?.get();
        (is_envelope && results.starts_with('[')).then_some(results)
    }

    /// Returns whether the envelope says that the list has more than `elements` elements.
    pub(crate) fn has_more_than(&self, elements: usize) -> bool {
        let count = self.0.get("count").and_then(|count| count.get().trim_matches('"').parse::<u64>().ok());
        self.has("next") || count.is_some_and(|count| count > elements as u64)
    }

    /// Returns whether the field is present and not empty.
    fn has(&self, field: &str) -> bool {
        let Some(value) = self.0.get(field) else { return false };
        match value.get() {
            "null" => false,
            text if text.starts_with(['"', '[', '{']) => {
                text.get(1..text.len() - 1).is_some_and(|inside| !inside.trim().is_empty())
            }
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_a_row_by_its_identity_alone() {
        let is_row = |json: &str| Lone::read(json.as_bytes()).is_some_and(|lone| lone.is_row(Some("id")));
        for row in [r#"{"id":"a"}"#, r#"{"x":1,"id":17}"#, r#"{"id":{"of":"a"}}"#, r#"{"id":0}"#] {
            assert!(is_row(row), "{row}");
        }
        for other in [
            r#"{"cause":"no"}"#,
            "{}",
            r#"{"id":null}"#,
            r#"{"id":""}"#,
            r#"{"id":" "}"#,
            r#"{"id":[]}"#,
            r#"{"id":{ }}"#,
            r#"{"ID":"a"}"#,
            r#"{"rows":[{"id":"a"}]}"#,
            "7",
            r#""id""#,
            "true",
            r#"{"id":"#,
        ] {
            assert!(!is_row(other), "{other}");
        }
        assert!(!Lone::read(br#"{"id":"a"}"#).unwrap().is_row(None));
    }

    #[test]
    fn an_envelope_has_results_and_says_how_many() {
        let lone = |json: &'static str| Lone::read(json.as_bytes()).unwrap();
        let last = lone(r#"{"count":1,"next":null,"previous":null,"results":[{}]}"#);
        assert_eq!(last.results(), Some("[{}]"));
        assert!(!last.has_more_than(1) && last.has_more_than(0));
        assert!(lone(r#"{"next":"https://sp.example/?page=2","results":[]}"#).has_more_than(9));
        for other in [r#"{"results":[]}"#, r#"{"count":1,"results":{}}"#, r#"{"count":1,"data":[]}"#] {
            assert!(lone(other).results().is_none(), "{other}");
        }
    }
}
