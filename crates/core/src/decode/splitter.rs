use std::ops::Range;

use super::lone::Lone;
use super::nesting::Nesting;

/// The size of a batch in bytes, unless the response arrives slowly.
pub(crate) const BATCH: usize = 64 * 1024;

/// The maximum number of rows in a batch. Decoded, many short rows take much more memory than their bytes.
const MOST_ROWS: usize = 1024;

/// Complete rows, one after the other as they arrived.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) bytes: Vec<u8>,
    /// The range of each row in the bytes.
    pub(crate) rows: Vec<Range<usize>>,
    /// The index of the first row in the list.
    pub(crate) index: u64,
    /// The offset of the bytes in the response.
    pub(crate) offset: u64,
}

/// Why the bytes are not a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    NotAList,
    /// A single value without brackets, which is not a row.
    NotARow,
    NoComma,
    More,
    CutShort,
    TooLong,
}

impl Broken {
    pub(crate) fn what(self) -> &'static str {
        match self {
            Self::NotAList => "it is not a JSON list",
            Self::NotARow => "it is one value, and not a list of rows",
            Self::NoComma => "no comma between two rows",
            Self::More => "more follows the end of the list",
            Self::CutShort => "it ends before the list does",
            Self::TooLong => "a row is longer than the limit",
        }
    }
}

/// Splits a JSON array into its elements while it arrives. The splitter only examines strings and brackets; whether an element is
/// valid is determined when it is decoded.
pub(crate) struct Splitter {
    state: State,
    /// The bytes that have arrived, from the first row that is not in an earlier batch.
    batch: Batch,
    /// The number of bytes of the batch that have been examined.
    at: usize,
    /// The offset of the current row in the batch.
    start: usize,
    limit: usize,
    /// Whether the rows are in a list.
    listed: bool,
    /// The field that makes an object without a list around it a row.
    identity: Option<&'static str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Only white space so far.
    Start,
    /// Inside a byte order mark, after this number of its bytes.
    Mark(usize),
    /// After `[`: a row or the end follows.
    First,
    /// After a comma: a row follows.
    Next,
    /// After a row: a comma or the end follows.
    Behind,
    /// Inside an object or a list.
    Nested(Nesting),
    /// Inside a string that is a row itself.
    Text { escaped: bool },
    /// Inside a number, `true`, `false` or `null`.
    Bare,
    /// After the list.
    End,
}

impl Splitter {
    /// `limit` is the maximum size of a row in bytes, at least 4, so that `null` is still an empty list. `identity` is the field
    /// that each row has.
    pub(crate) fn new(limit: usize, identity: Option<&'static str>) -> Self {
        let limit = limit.max(4);
        Self { state: State::Start, batch: Batch::default(), at: 0, start: 0, limit, listed: false, identity }
    }

    /// Returns whether the response is a JSON array, as far as it has arrived.
    pub(crate) fn is_array(&self) -> bool {
        self.listed
    }

    /// Returns the value that ends at the current position.
    pub(crate) fn current(&self) -> &[u8] {
        &self.batch.bytes[self.start..self.at]
    }

    /// Returns the number of rows that have been split off.
    pub(crate) fn rows(&self) -> u64 {
        self.batch.index + self.batch.rows.len() as u64
    }

    /// Returns the current offset in the response, in bytes; after an error, the offset of the error.
    pub(crate) fn offset(&self) -> u64 {
        self.batch.offset + self.at as u64
    }

    /// Returns whether there are enough rows for a batch.
    pub(crate) fn is_full(&self) -> bool {
        let rows = self.batch.rows.len();
        rows >= MOST_ROWS || rows > 0 && self.batch.bytes.len() >= BATCH
    }

    /// Returns how many bytes complete a batch; after them, the batch is full unless it has no row yet.
    pub(crate) fn room(&self) -> usize {
        match BATCH.saturating_sub(self.batch.bytes.len()) {
            0 => BATCH,
            room => room,
        }
    }

    /// Removes and returns the rows that have arrived completely, if any.
    pub(crate) fn take(&mut self) -> Option<Batch> {
        if self.batch.rows.is_empty() {
            return None;
        }
        // The bytes after the last row remain for the next batch.
        let passed = self.passed();
        let mut bytes = Vec::with_capacity(BATCH.max(self.batch.bytes.len() - passed));
        bytes.extend_from_slice(&self.batch.bytes[passed..]);
        let rows = Vec::with_capacity(self.batch.rows.len());
        let next = Batch { bytes, rows, index: self.rows(), offset: self.batch.offset };
        let batch = std::mem::replace(&mut self.batch, next);
        self.move_on(passed);
        Some(batch)
    }

    /// Returns the number of leading bytes that are not part of an incomplete row.
    fn passed(&self) -> usize {
        match self.state {
            State::Nested(_) | State::Text { .. } | State::Bare => self.start,
            _ => self.at,
        }
    }

    /// Records that the first `passed` bytes are no longer stored.
    fn move_on(&mut self, passed: usize) {
        self.batch.offset += passed as u64;
        (self.at, self.start) = (self.at - passed, self.start.saturating_sub(passed));
    }

    /// Processes the next bytes.
    pub(crate) fn feed(&mut self, bytes: &[u8]) -> Result<(), Broken> {
        let mut all = std::mem::take(&mut self.batch.bytes);
        if self.batch.rows.is_empty() {
            // White space between rows is not stored.
            let passed = self.passed();
            all.drain(..passed);
            self.move_on(passed);
        }
        all.extend_from_slice(bytes);
        let result = self.scan(&all);
        self.batch.bytes = all;
        result
    }

    /// Ends the input and checks that the list was complete.
    pub(crate) fn finish(&mut self) -> Result<(), Broken> {
        // A number or literal without a list around it ends only with the input.
        if self.state == State::Bare && !self.listed {
            let all = std::mem::take(&mut self.batch.bytes);
            let ended = self.end_row(&all);
            self.batch.bytes = all;
            ended?;
        }
        if self.state == State::End { Ok(()) } else { Err(Broken::CutShort) }
    }

    fn scan(&mut self, all: &[u8]) -> Result<(), Broken> {
        while self.at < all.len() {
            match self.state {
                State::Nested(nesting) => self.nested(all, nesting)?,
                State::Text { escaped } => self.text(all, escaped)?,
                State::Bare => self.bare(all)?,
                _ => {
                    self.between(all[self.at])?;
                    self.at += 1;
                }
            }
        }
        match self.state {
            State::Nested(_) | State::Text { .. } | State::Bare => self.check_length(),
            _ => Ok(()),
        }
    }

    /// Processes a byte between rows.
    fn between(&mut self, byte: u8) -> Result<(), Broken> {
        self.state = match (self.state, byte) {
            (State::Start, 0xef) if self.offset() == 0 => State::Mark(1),
            (State::Mark(1), 0xbb) => State::Mark(2),
            (State::Mark(2), 0xbf) => State::Start,
            (State::Mark(_), _) => return Err(Broken::NotAList),
            (state, b' ' | b'\t' | b'\n' | b'\r') => state,
            (State::Start, b'[') => {
                self.listed = true;
                State::First
            }
            (State::First | State::Behind, b']') => State::End,
            (State::Behind, b',') => State::Next,
            (State::Start | State::First | State::Next, _) => {
                self.start = self.at;
                match byte {
                    b'{' | b'[' => State::Nested(Nesting::OPENED),
                    b'"' => State::Text { escaped: false },
                    b'-' | b'0'..=b'9' | b't' | b'f' | b'n' => State::Bare,
                    _ => return Err(Broken::NotAList),
                }
            }
            (State::Behind, _) => return Err(Broken::NoComma),
            _ => return Err(Broken::More),
        };
        Ok(())
    }

    /// Processes bytes to the end of an object or a list, or to the end of the available bytes.
    fn nested(&mut self, all: &[u8], mut nesting: Nesting) -> Result<(), Broken> {
        if let Some(length) = nesting.find_end(&all[self.at..]) {
            self.at += length;
            return self.end_row(all);
        }
        self.at = all.len();
        self.state = State::Nested(nesting);
        Ok(())
    }

    fn text(&mut self, all: &[u8], escaped: bool) -> Result<(), Broken> {
        let byte = all[self.at];
        self.at += 1;
        match (escaped, byte) {
            (false, b'"') => return self.end_row(all),
            (false, b'\\') => self.state = State::Text { escaped: true },
            _ => self.state = State::Text { escaped: false },
        }
        Ok(())
    }

    fn bare(&mut self, all: &[u8]) -> Result<(), Broken> {
        if matches!(all[self.at], b',' | b']' | b' ' | b'\t' | b'\n' | b'\r') {
            return self.end_row(all);
        }
        self.at += 1;
        Ok(())
    }

    /// Ends the row at the current position.
    fn end_row(&mut self, all: &[u8]) -> Result<(), Broken> {
        self.check_length()?;
        let row = self.start..self.at;
        if self.listed {
            self.state = State::Behind;
            self.batch.rows.push(row);
            return Ok(());
        }
        self.state = State::End;
        self.end_lone(&all[row.clone()], row)
    }

    /// Ends a value without a list around it: `null` and `""` are an empty list, and an object with the identity field is a list
    /// of one row.
    #[cold]
    fn end_lone(&mut self, json: &[u8], row: Range<usize>) -> Result<(), Broken> {
        match json {
            b"null" | b"\"\"" => {}
            _ if Lone::read(json).is_some_and(|lone| lone.is_row(self.identity)) => self.batch.rows.push(row),
            _ => return Err(Broken::NotARow),
        }
        Ok(())
    }

    fn check_length(&mut self) -> Result<(), Broken> {
        if self.at - self.start > self.limit {
            // The offset must not depend on the chunks in which the row arrived.
            self.at = self.start + self.limit;
            return Err(if self.listed { Broken::TooLong } else { Broken::NotARow });
        }
        Ok(())
    }
}

/// The elements of a complete JSON array.
pub(crate) struct Elements(Batch);

impl Elements {
    /// Returns an iterator over the JSON of the elements.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.0.rows.iter().map(|row| &self.0.bytes[row.clone()])
    }
}

/// Splits a JSON array into its elements. Returns `None` if it is not a complete array.
pub(crate) fn elements(json: &[u8]) -> Option<Elements> {
    let mut splitter = Splitter::new(usize::MAX, None);
    splitter.feed(json).ok()?;
    splitter.finish().ok()?;
    splitter.listed.then_some(Elements(splitter.batch))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the rows of a text that arrives in chunks of this length, and how it ends.
    fn split(text: &str, piece: usize, taking: bool) -> (Vec<(u64, String)>, Result<(), Broken>, u64) {
        let mut splitter = Splitter::new(100, Some("a"));
        let mut rows = Vec::new();
        let mut take = |splitter: &mut Splitter| {
            let Some(batch) = splitter.take() else { return };
            assert_eq!(batch.index, rows.len() as u64);
            for row in batch.rows {
                let offset = batch.offset + row.start as u64;
                rows.push((offset, String::from_utf8(batch.bytes[row].to_vec()).unwrap()));
            }
        };
        let fed = text.as_bytes().chunks(piece).try_for_each(|piece| {
            let fed = splitter.feed(piece);
            if taking {
                take(&mut splitter);
            }
            fed
        });
        let end = fed.and_then(|()| splitter.finish());
        take(&mut splitter);
        assert!(splitter.take().is_none());
        let offset = splitter.offset();
        (rows, end, offset)
    }

    #[track_caller]
    fn splits(text: &str, expected: &[(u64, &str)], end: Result<(), Broken>) {
        let expected: Vec<_> = expected.iter().map(|(offset, row)| (*offset, (*row).to_owned())).collect();
        let whole = split(text, text.len().max(1), false);
        assert_eq!((&whole.0, whole.1), (&expected, end), "{text:?}");
        for piece in 1..=text.len().max(1) {
            for taking in [false, true] {
                assert_eq!(split(text, piece, taking), whole, "{text:?} in pieces of {piece}");
            }
        }
    }

    #[test]
    fn lists() {
        splits("[]", &[], Ok(()));
        splits(" [ ] ", &[], Ok(()));
        splits(
            r#"[{"a":"]}\"["},[1,[2]] , "x\\" ,-1.5e3,true,null]"#,
            &[
                (1, r#"{"a":"]}\"["}"#),
                (15, "[1,[2]]"),
                (25, r#""x\\""#),
                (32, "-1.5e3"),
                (39, "true"),
                (44, "null"),
            ],
            Ok(()),
        );
        splits("[\"é\"]", &[(1, "\"é\"")], Ok(()));
    }

    /// A byte order mark may be split between chunks, and its bytes count for offsets.
    #[test]
    fn a_byte_order_mark_is_skipped() {
        splits("\u{feff}[1, 2]", &[(4, "1"), (7, "2")], Ok(()));
        splits("\u{feff} \r\n[{}]", &[(7, "{}")], Ok(()));
        splits("\u{feff}{\"a\":1}", &[(3, r#"{"a":1}"#)], Ok(()));
        splits("\u{feff}7", &[], Err(Broken::NotARow));
        splits("\u{feff}null", &[], Ok(()));
        splits("\u{feff}", &[], Err(Broken::CutShort));
        splits("\u{feff}\u{feff}[]", &[], Err(Broken::NotAList));
        splits(" \u{feff}[]", &[], Err(Broken::NotAList));
        splits("\u{ff01}[]", &[], Err(Broken::NotAList));
    }

    #[test]
    fn one_and_none_without_a_list() {
        splits(r#" {"a":1} "#, &[(1, r#"{"a":1}"#)], Ok(()));
        splits("null", &[], Ok(()));
        splits(r#""""#, &[], Ok(()));
    }

    #[test]
    fn one_value_that_is_no_row_is_no_list() {
        for value in ["7", "true", r#""x""#, r#"{"cause":"no"}"#, r#"{"b":[{"a":1}]}"#, r#"{"a":null}"#, "{}"]
        {
            splits(value, &[], Err(Broken::NotARow));
        }
        splits(r#"{"a":1} x"#, &[(0, r#"{"a":1}"#)], Err(Broken::More));
        splits(&format!("{{\"a\":\"{}\"}}", "x".repeat(200)), &[], Err(Broken::NotARow));
    }

    #[test]
    fn the_elements_of_a_whole_array() {
        let all = |json: &str| {
            let list = elements(json.as_bytes())?;
            Some(list.iter().map(|json| String::from_utf8_lossy(json).into_owned()).collect::<Vec<_>>())
        };
        assert_eq!(all(r#" [1, {"a":[2]} , nan]"#).unwrap(), ["1", r#"{"a":[2]}"#, "nan"]);
        assert_eq!(all("[]").unwrap(), Vec::<String>::new());
        for other in ["{}", "null", "[1", "[1] 2", "[1,]", ""] {
            assert!(all(other).is_none(), "{other}");
        }
    }

    #[test]
    fn what_breaks_off_says_so_after_the_whole_rows() {
        splits("", &[], Err(Broken::CutShort));
        splits("[", &[], Err(Broken::CutShort));
        splits("[1,", &[(1, "1")], Err(Broken::CutShort));
        splits("[1,2", &[(1, "1")], Err(Broken::CutShort));
        splits(r#"[{"a":1},{"b"#, &[(1, r#"{"a":1}"#)], Err(Broken::CutShort));
        splits("[1 2]", &[(1, "1")], Err(Broken::NoComma));
        splits("[1,]", &[(1, "1")], Err(Broken::NotAList));
        splits("[1] x", &[(1, "1")], Err(Broken::More));
        splits("<html>", &[], Err(Broken::NotAList));
        splits(&format!("[\"{}\"]", "x".repeat(200)), &[], Err(Broken::TooLong));
        splits(&format!("[1,{{\"a\":\"{}\"}},2]", "x".repeat(200)), &[(1, "1")], Err(Broken::TooLong));
        splits(&format!("[{}1]", " ".repeat(200)), &[(201, "1")], Ok(()));
    }

    #[test]
    fn a_batch_is_full_with_a_row_in_it() {
        let mut splitter = Splitter::new(1 << 20, None);
        splitter.feed(b"[\"").unwrap();
        splitter.feed(&[b'x'; BATCH]).unwrap();
        assert!(!splitter.is_full(), "no row has ended");
        splitter.feed(b"\",1").unwrap();
        assert!(splitter.is_full());
        assert_eq!(splitter.take().unwrap().rows.len(), 1);
        assert!(!splitter.is_full());
    }
}
