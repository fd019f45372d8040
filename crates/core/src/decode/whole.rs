//! Decodes a complete JSON body as the response type of its operation.

use serde::de::IgnoredAny;

use super::failure::{DecodeFailure, into_decode_error, without_mark};
use super::lone::Lone;
use super::splitter::elements;
use crate::operation::{ListShape, Operation};
use crate::wire::ResponseBody;

/// Decodes a body. A body in the usual form costs nothing beyond its decoding.
pub(crate) fn read<T: ResponseBody>(body: &[u8], operation: &Operation) -> Result<T, DecodeFailure> {
    let body = without_mark(body);
    let first = body.iter().find(|byte| !byte.is_ascii_whitespace());
    match (&operation.list, first) {
        (Some(_), Some(b'[')) => serde_json::from_slice(body).or_else(|_| by_element(body)),
        (Some(list), _) => not_an_array(body, list, operation),
        (None, first) => serde_json::from_slice(body).or_else(|_| one_of_a_list(body, first)),
    }
}

/// Decodes a list with invalid elements, element by element.
#[cold]
fn by_element<T: ResponseBody>(body: &[u8]) -> Result<T, DecodeFailure> {
    let list = elements(body).and_then(|list| T::from_elements(list.iter()));
    list.ok_or_else(|| into_decode_error::<T>(body))
}

/// Decodes a value that is not an array where a list is expected: an empty value, a row without brackets, or an envelope around
/// the list.
#[cold]
fn not_an_array<T: ResponseBody>(
    body: &[u8],
    list: &ListShape,
    operation: &Operation,
) -> Result<T, DecodeFailure> {
    let says = |what: &str| DecodeFailure { what: what.to_owned(), path: None };
    let body = if body.is_empty() { b"null" } else { body };
    let Some(lone) = Lone::read(body) else {
        return match body.trim_ascii() {
            b"null" | b"\"\"" => serde_json::from_slice(body).map_err(|_| into_decode_error::<T>(body)),
            _ if serde_json::from_slice::<IgnoredAny>(body).is_err() => Err(into_decode_error::<T>(body)),
            _ => Err(says("the response is one value where a list is documented")),
        };
    };
    if lone.is_row(list.identity) {
        return serde_json::from_slice(body).map_err(|_| into_decode_error::<T>(body));
    }
    let Some(results) = lone.results().map(str::as_bytes) else {
        return Err(says(
            "the response is one object where a list is documented, and it does not have the field that each row has",
        ));
    };
    let count = elements(results).map_or(0, |list| list.iter().count());
    if !list.is_paged && lone.has_more_than(count) {
        return Err(says("the response is a part of a list that cannot be asked for page by page"));
    }
    read(results, operation)
}

/// Decodes the only element of a list where an object is expected.
#[cold]
fn one_of_a_list<T: ResponseBody>(body: &[u8], first: Option<&u8>) -> Result<T, DecodeFailure> {
    if first != Some(&b'[') {
        return Err(into_decode_error::<T>(body));
    }
    let Some(list) = elements(body) else { return Err(into_decode_error::<T>(body)) };
    let says = |what: &str| DecodeFailure { what: what.to_owned(), path: None };
    let mut each = list.iter();
    match (each.next(), each.next()) {
        (Some(one), None) => serde_json::from_slice(one).map_err(|_| into_decode_error::<T>(one)),
        (None, _) => Err(says("the response is an empty list where one object is documented")),
        (Some(_), Some(_)) => Err(says("the response is a list of several where one object is documented")),
    }
}

#[cfg(test)]
#[expect(unreachable_pub, reason = "response_object! defines public types")]
mod tests {
    use super::*;
    use crate::wire::{Lenient, OneOrMany, Text};

    crate::response_object! {
        Row {
            id: Lenient<Text> = "id",
        }
    }

    const LIST: Operation =
        Operation { list: Some(ListShape { identity: Some("id"), is_paged: false }), ..Operation::READ };
    const PAGE: Operation =
        Operation { list: Some(ListShape { identity: Some("id"), is_paged: true }), ..Operation::READ };

    /// Returns the ids of the elements; `?` for an element that could not be decoded.
    fn ids(body: &str, operation: &Operation) -> Result<Vec<String>, String> {
        let list: OneOrMany<Lenient<Row>> =
            read(body.as_bytes(), operation).map_err(|failure| failure.what)?;
        let id = |row: &Lenient<Row>| row.get().and_then(|row| row.id.as_deref()).unwrap_or("?").to_owned();
        Ok(list.iter().map(id).collect())
    }

    #[test]
    fn a_list_is_read_in_each_of_its_forms() {
        for (body, expected) in [
            (r#"[{"id":"a"},{"id":"b"}]"#, &["a", "b"][..]),
            (" [ ] ", &[]),
            ("null", &[]),
            (" \"\" ", &[]),
            ("", &[]),
            (r#" {"id":"a"}"#, &["a"]),
            (r#"{"id":17}"#, &["17"]),
            (r#"{"count":2,"next":null,"previous":null,"results":[{"id":"a"},{"id":"b"}]}"#, &["a", "b"]),
            (r#"{"count":0,"results":[]}"#, &[]),
            (r#"{"count":1,"next":"","results":[{"id":"a","id":"b"}]}"#, &["?"]),
        ] {
            assert_eq!(ids(body, &LIST).unwrap(), expected, "{body}");
        }
    }

    #[test]
    fn what_is_no_list_is_an_error_and_no_row() {
        for (body, says) in [
            (r#"{"cause":"Kalle"}"#, "one object where a list"),
            ("{}", "one object where a list"),
            (r#"{"rows":[{"id":"a"}]}"#, "one object where a list"),
            (r#"{"id":null}"#, "one object where a list"),
            (r#"{"results":{"id":"a"},"count":1}"#, "one object where a list"),
            ("\"Kalle\"", "one value where a list"),
            ("7", "one value where a list"),
            ("false", "one value where a list"),
            ("<html>", "not JSON"),
            (r#"[{"id":"a"},"#, "ends early"),
            (r#"[{"id":"a"}] x"#, "more follows"),
            (r#"[{"id":"a"},]"#, "not JSON"),
            (r#"{"count":3,"results":[{"id":"a"}]}"#, "a part of a list"),
            (r#"{"next":"https://sp.example/2","results":[{"id":"a"}]}"#, "a part of a list"),
        ] {
            let error = ids(body, &LIST).unwrap_err();
            assert!(error.contains(says) && !error.contains("Kalle"), "{body}: {error}");
        }
        let unknown = Operation { list: Some(ListShape { identity: None, is_paged: true }), ..PAGE };
        assert!(ids(r#"{"id":"a"}"#, &unknown).is_err());
        assert_eq!(ids(r#"{"count":3,"next":"2","results":[{"id":"a"}]}"#, &PAGE).unwrap(), ["a"]);
    }

    #[test]
    fn what_serde_cannot_read_costs_its_element() {
        let deep = format!("{{\"x\":{}1{}}}", "[".repeat(200), "]".repeat(200));
        let bad =
            [r#"{"id":"b","id":"c"}"#, r#"{"id":"\ud800"}"#, r#"{"x":1e999}"#, r#"{"x":NaN}"#, deep.as_str()];
        for bad in bad {
            let body = format!(r#"[{{"id":"a"}},{bad},{{"id":"d"}}]"#);
            assert_eq!(ids(&body, &LIST).unwrap(), ["a", "?", "d"], "{bad}");
        }
        let latin1 = b"[{\"id\":\"a\"},{\"id\":\"\xe9\"}]";
        let list: OneOrMany<Lenient<Row>> = read(latin1, &LIST).map_err(|failure| failure.what).unwrap();
        assert!(list[0].get().is_some() && list[1].get().is_none());
        let body = r#"[{"id":"a"},{"id":"b","id":"c","n":1.50}]"#;
        let list: OneOrMany<Lenient<Row>> =
            read(body.as_bytes(), &LIST).map_err(|failure| failure.what).unwrap();
        assert_eq!(serde_json::to_string(&list).unwrap(), body, "written back as it arrived");
    }

    #[test]
    fn a_list_of_one_is_read_as_its_element() {
        let id = |body: &str| {
            let row: Result<Row, _> = read(body.as_bytes(), &Operation::READ);
            row.map(|row| row.id.into_string()).map_err(|failure| failure.what)
        };
        for body in [r#"{"id":"a"}"#, r#"[{"id":"a"}]"#, r#" [ {"id":"a"} ] "#] {
            assert_eq!(id(body).unwrap().as_deref(), Some("a"), "{body}");
        }
        for (body, says) in [
            ("[]", "an empty list where one object"),
            (r#"[{"id":"a"},{"id":"b"}]"#, "a list of several where one object"),
            (r#"[[{"id":"a"}]]"#, "something else than an object"),
            ("[7]", "something else than an object"),
            ("7", "something else than an object"),
            ("null", "something else than an object"),
            (r#"[{"id":"a"}"#, "something else than an object"),
            (r#"{"id":"a","id":"b"}"#, "something else than"),
        ] {
            let error = id(body).unwrap_err();
            assert!(error.contains(says), "{body}: {error}");
        }
    }
}
