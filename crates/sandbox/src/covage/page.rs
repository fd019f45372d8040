//! Pages of lists.

use serde_json::Value;

use super::query::Query;
use crate::script::Answer;

/// The default length of a page. The supplier does not document its own.
const LENGTH: usize = 20;

/// The requested part of a list.
pub(super) struct Page {
    body: String,
    /// The length of the whole list.
    total: usize,
}

impl Page {
    pub(super) fn of<'a>(list: impl IntoIterator<Item = &'a Value>, query: &Query) -> Page {
        Page::limited_to(usize::MAX, list, query)
    }

    /// Returns a page with at most this number of entries.
    pub(super) fn limited_to<'a>(
        most: usize,
        list: impl IntoIterator<Item = &'a Value>,
        query: &Query,
    ) -> Page {
        let limit = query.number("limit").unwrap_or(LENGTH).min(most);
        let offset = query.number("offset").unwrap_or_default();
        let (mut entries, mut total) = (Vec::new(), 0);
        for entry in list {
            if total >= offset && entries.len() < limit {
                entries.push(entry.to_string());
            }
            total += 1;
        }
        Page { body: format!("[{}]", entries.join(",")), total }
    }

    /// Returns the response. If `counted` is true, `X-Total-Count` has the length of the whole list.
    pub(super) fn answer(self, counted: bool) -> Answer {
        let answer = Answer::json_text(200, self.body);
        if counted { answer.header("X-Total-Count", self.total.to_string()) } else { answer }
    }
}
