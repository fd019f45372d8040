//! Pagination: detects the end of a list that is read page by page.

use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher};

use lastmile_core::{Error, Reply};
use serde::Deserialize;
use serde_json::Value;

/// Information of a page about the whole list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Page {
    /// The total number of elements in the list.
    pub(super) total: Option<u64>,
    /// Whether the response states that there is no next page.
    pub(super) is_last: bool,
}

/// The envelope that may contain a list. (The supplier's documentation shows lists without an envelope.)
#[derive(Deserialize)]
struct Envelope {
    #[serde(default)]
    count: Value,
    /// The location of the next page. Absent and `null` have different meanings.
    next: Option<Value>,
}

impl Page {
    /// Reads the header `X-Total-Count`, and the envelope if the response has one.
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
        // If the total is stated, it takes precedence over `next`.
        Self { total, is_last: total.is_none() && next.is_some_and(|next| next.is_null() || next == "") }
    }

    /// Returns whether the list ends with a page of `elements` elements. `next` is the offset of the next page.
    pub(super) fn ends(self, elements: usize, next: i64) -> bool {
        // A short page is not necessarily the last one, since no source states the maximum page size.
        let is_total = self.total.is_some_and(|total| u64::try_from(next).is_ok_and(|next| next >= total));
        elements == 0 || self.is_last || is_total
    }
}

/// Returns the fingerprint of a page, which detects that the supplier returned the same page again. It is a hash of the first
/// id, or of the whole body if there is no id.
pub(super) fn mark(first: Option<&str>, body: &[u8]) -> Option<u64> {
    let hasher = BuildHasherDefault::<DefaultHasher>::default();
    match first {
        Some(id) => Some(hasher.hash_one(id)),
        None => (!body.is_empty()).then(|| hasher.hash_one(body)),
    }
}

/// Returns whether the supplier reports an offset after the end of its list, by status 404 instead of an empty page. The result
/// is `false` if an earlier page stated that there are more elements, or if the response is an HTML page, such as that of a
/// gateway.
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
