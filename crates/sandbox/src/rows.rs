//! Long lists that are generated while they are sent, so that they are never held as a whole.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;

/// How many bytes a chunk has at least, except for the last one.
const CHUNK: usize = 64 << 10;
/// How many items are looked at where a list is validated or cut off.
const SAMPLE: usize = 60;

/// The rows of a JSON list, generated from numbered items on demand. Each item has any number of rows.
#[derive(Clone)]
pub(crate) struct Rows {
    count: usize,
    rows_of: Arc<dyn Fn(usize) -> Vec<Value> + Send + Sync>,
}

impl Rows {
    pub(crate) fn new(count: usize, rows_of: impl Fn(usize) -> Vec<Value> + Send + Sync + 'static) -> Rows {
        Rows { count, rows_of: Arc::new(rows_of) }
    }

    /// Returns the rows as `change` leaves them, which gets them as lists of one row each.
    pub(crate) fn map(self, change: impl Fn(Value) -> Value + Send + Sync + 'static) -> Rows {
        let Rows { count, rows_of } = self;
        let changed = move |row| match change(Value::Array(vec![row])) {
            Value::Array(rows) => rows,
            other => vec![other],
        };
        Rows::new(count, move |item| rows_of(item).into_iter().flat_map(&changed).collect())
    }

    /// Returns the rows of the first items as a list.
    pub(crate) fn sample(&self) -> Vec<u8> {
        let rows: Value = (0..self.count.min(SAMPLE)).flat_map(|item| (self.rows_of)(item)).collect();
        rows.to_string().into()
    }

    /// Returns the list as it is sent, in chunks.
    pub(crate) fn chunks(self) -> impl Iterator<Item = Bytes> + Send + 'static {
        let (mut item, mut is_first, mut is_done) = (0, true, false);
        std::iter::from_fn(move || {
            if is_done {
                return None;
            }
            let mut chunk = if item == 0 { "[".to_owned() } else { String::new() };
            while item < self.count && chunk.len() < CHUNK {
                for row in (self.rows_of)(item) {
                    if !std::mem::take(&mut is_first) {
                        chunk.push(',');
                    }
                    chunk.push_str(&row.to_string());
                }
                item += 1;
            }
            if item == self.count {
                chunk.push(']');
                is_done = true;
            }
            Some(chunk.into())
        })
    }
}

impl fmt::Debug for Rows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rows").field("count", &self.count).finish_non_exhaustive()
    }
}

impl PartialEq for Rows {
    fn eq(&self, other: &Rows) -> bool {
        self.count == other.count && Arc::ptr_eq(&self.rows_of, &other.rows_of)
    }
}

impl Eq for Rows {}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn text(rows: Rows) -> String {
        rows.chunks().map(|chunk| String::from_utf8_lossy(&chunk).into_owned()).collect()
    }

    #[test]
    fn chunks_form_a_list() {
        let rows = |count| Rows::new(count, |item| vec![json!(item); item % 3]);
        assert_eq!(text(rows(0)), "[]");
        assert_eq!(text(rows(1)), "[]");
        assert_eq!(text(rows(6)), "[1,2,2,4,5,5]");
        assert_eq!(
            text(rows(6).map(|mut list| {
                list[0] = json!({ "n": list[0] });
                list
            })),
            r#"[{"n":1},{"n":2},{"n":2},{"n":4},{"n":5},{"n":5}]"#
        );
        let long = Rows::new(100_000, |item| vec![json!(item)]);
        assert!(long.clone().chunks().count() > 5 && long.sample().len() < 300);
        let parsed: Vec<usize> = serde_json::from_str(&text(long)).unwrap();
        assert_eq!(parsed.len(), 100_000);
    }
}
