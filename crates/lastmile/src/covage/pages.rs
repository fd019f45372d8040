//! What a list that is read page by page says about its end.

use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher};

use lastmile_core::{Error, Reply};
use serde::Deserialize;
use serde_json::Value;

/// What a page says of the whole list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Page {
    /// How many elements the list has altogether.
    pub(super) total: Option<u64>,
    /// Whether it says itself that no page follows.
    pub(super) is_last: bool,
}

/// The envelope that a list may come in. (The supplier's documents show lists without one.)
#[derive(Deserialize)]
struct Envelope {
    #[serde(default)]
    count: Value,
    /// Where the next page is; absent is not the same as `null`.
    next: Option<Value>,
}

impl Page {
    /// Reads the header `X-Total-Count`, and the envelope if the list came in one.
    pub(super) fn of<T>(reply: &Reply<T>) -> Self {
        let header = reply.headers.get("x-total-count").and_then(|total| total.to_str().ok());
        let body = reply.json_body();
        let is_object = body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{');
        let envelope = is_object.then(|| serde_json::from_slice(body).ok()).flatten();
        Self::read(header, envelope)
    }

    fn read(header: Option<&str>, envelope: Option<Envelope>) -> Self {
        let total = header.and_then(|total| total.trim().parse().ok());
        let Some(Envelope { count, next }) = envelope else { return Self { total, is_last: false } };
        let count = count.as_u64().or_else(|| count.as_str()?.trim().parse().ok());
        let total = total.or(count);
        // Where it says how many there are, that is what is believed.
        Self { total, is_last: total.is_none() && next.is_some_and(|next| next.is_null() || next == "") }
    }

    /// Whether the list ends with a page of so many elements, behind which the next would begin at this place.
    pub(super) fn ends(self, elements: usize, next: i64) -> bool {
        // A page may be shorter than asked for, since no source states how long it may be.
        let is_total = self.total.is_some_and(|total| u64::try_from(next).is_ok_and(|next| next >= total));
        elements == 0 || self.is_last || is_total
    }
}

/// What a page is recognised by, should it come again in place of the next: the id that it begins with, or all of it.
pub(super) fn mark(first: Option<&str>, body: &[u8]) -> Option<u64> {
    let hasher = BuildHasherDefault::<DefaultHasher>::default();
    match first {
        Some(id) => Some(hasher.hash_one(id)),
        None => (!body.is_empty()).then(|| hasher.hash_one(body)),
    }
}

/// Whether the supplier says that a page is behind the end of its list, by a status 404 in place of an empty page. Not so
/// when a page before said that there are more, nor when the answer is a page for people, such as that of a gateway.
pub(super) fn is_past_the_end(error: &Error, total: Option<u64>, next: i64) -> bool {
    let is_page = error.json_body().trim_ascii_start().starts_with(b"<");
    let has_more = total.is_some_and(|total| u64::try_from(next).is_ok_and(|next| next < total));
    error.status().is_some_and(|status| status.as_u16() == 404) && !is_page && !has_more
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(header: Option<&str>, envelope: &str) -> Page {
        Page::read(header, serde_json::from_str(envelope).ok())
    }

    #[test]
    fn a_page_says_how_many_there_are_or_that_it_is_the_last() {
        let page = |total, is_last| Page { total, is_last };
        assert_eq!(read(Some(" 60 "), "[]"), page(Some(60), false));
        assert_eq!(read(None, "[]"), page(None, false));
        assert_eq!(read(None, r#"{"count":2,"next":null,"results":[]}"#), page(Some(2), false));
        assert_eq!(read(None, r#"{"count":"2","results":[]}"#), page(Some(2), false));
        assert_eq!(read(Some("7"), r#"{"count":2}"#), page(Some(7), false));
        for (last, next) in [(false, "\"2\""), (false, "17")] {
            assert_eq!(read(None, &format!("{{\"next\":{next}}}")), page(None, last), "{next}");
        }
        assert_eq!(read(None, r#"{"next":""}"#), page(None, true));
    }

    #[test]
    fn the_end_is_an_empty_page_or_the_total() {
        let known = Page { total: Some(60), is_last: false };
        assert!(known.ends(10, 60) && known.ends(0, 50) && !known.ends(10, 59));
        assert!(Page { total: None, is_last: true }.ends(10, 10));
        assert!(!Page::default().ends(10, 10) && Page::default().ends(0, 10));
    }
}
