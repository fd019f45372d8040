use std::ops::Range;

use super::lone::Lone;

/// How many bytes a batch holds before it is handed on, unless the answer comes more slowly.
pub(crate) const BATCH: usize = 64 * 1024;

/// How many rows it may have, when they are so short that decoded they take much more than their bytes.
const MOST_ROWS: usize = 1024;

/// Whole rows, one behind the other as they arrived.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) bytes: Vec<u8>,
    /// Where in the bytes each row is.
    pub(crate) rows: Vec<Range<usize>>,
    /// The number of the first row in the list.
    pub(crate) index: u64,
    /// Where the bytes begin, from the beginning of the answer.
    pub(crate) offset: u64,
}

/// Why the bytes are no list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    NotAList,
    /// One value without brackets, which is no row.
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

/// Cuts a JSON array into its elements while it arrives. It looks at strings and brackets only; whether an element is
/// right is found out when it is decoded.
pub(crate) struct Splitter {
    state: State,
    /// What has arrived, from the first row that was not handed on yet.
    batch: Batch,
    /// Up to where the bytes of the batch are looked at.
    at: usize,
    /// Where the row begins that has begun.
    start: usize,
    limit: usize,
    /// Whether there is a list around the rows.
    listed: bool,
    /// The field that makes an object a row, without a list around it.
    identity: Option<&'static str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nothing but white space yet.
    Start,
    /// Inside a byte order mark, behind so many of its bytes.
    Mark(usize),
    /// Behind `[`: a row or the end.
    First,
    /// Behind a comma: a row.
    Next,
    /// Behind a row: a comma or the end.
    Behind,
    /// Inside an object or a list.
    Nested { depth: usize, within: Within },
    /// Inside a text that is a row of its own.
    Text { escaped: bool },
    /// Inside a number, `true`, `false` or `null`.
    Bare,
    /// Behind the list.
    End,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Within {
    Structure,
    Text,
    Escape,
}

/// The bytes that matter between texts.
const STRUCTURE: [bool; 256] = {
    let mut table = [false; 256];
    let mut bytes: &[u8] = b"\"{}[]";
    while let [byte, rest @ ..] = bytes {
        table[*byte as usize] = true;
        bytes = rest;
    }
    table
};

impl Splitter {
    /// `limit` is how many bytes one row may take; 4 at least, so that `null` is still a list of none. `identity` is the field
    /// that each row has.
    pub(crate) fn new(limit: usize, identity: Option<&'static str>) -> Self {
        let limit = limit.max(4);
        Self { state: State::Start, batch: Batch::default(), at: 0, start: 0, limit, listed: false, identity }
    }

    /// Whether the answer is a JSON array, as far as it has arrived.
    pub(crate) fn is_array(&self) -> bool {
        self.listed
    }

    /// The value that the splitter stands behind.
    pub(crate) fn current(&self) -> &[u8] {
        &self.batch.bytes[self.start..self.at]
    }

    /// How many rows are split off.
    pub(crate) fn rows(&self) -> u64 {
        self.batch.index + self.batch.rows.len() as u64
    }

    /// Where the answer stops making sense, in bytes from its beginning.
    pub(crate) fn offset(&self) -> u64 {
        self.batch.offset + self.at as u64
    }

    /// Whether there is enough for a batch.
    pub(crate) fn is_full(&self) -> bool {
        let rows = self.batch.rows.len();
        rows >= MOST_ROWS || rows > 0 && self.batch.bytes.len() >= BATCH
    }

    /// The rows that have arrived whole, if any.
    pub(crate) fn take(&mut self) -> Option<Batch> {
        if self.batch.rows.is_empty() {
            return None;
        }
        // What follows the last row goes with the next batch.
        let passed = self.passed();
        let mut bytes = Vec::with_capacity(self.batch.bytes.len().max(BATCH));
        bytes.extend_from_slice(&self.batch.bytes[passed..]);
        let rows = Vec::with_capacity(self.batch.rows.len());
        let next = Batch { bytes, rows, index: self.rows(), offset: self.batch.offset };
        let batch = std::mem::replace(&mut self.batch, next);
        self.move_on(passed);
        Some(batch)
    }

    /// How many bytes belong to no row that is still to end.
    fn passed(&self) -> usize {
        match self.state {
            State::Nested { .. } | State::Text { .. } | State::Bare => self.start,
            _ => self.at,
        }
    }

    /// So many bytes are not held any more.
    fn move_on(&mut self, passed: usize) {
        self.batch.offset += passed as u64;
        (self.at, self.start) = (self.at - passed, self.start.saturating_sub(passed));
    }

    /// Takes the next bytes.
    pub(crate) fn feed(&mut self, bytes: &[u8]) -> Result<(), Broken> {
        let mut all = std::mem::take(&mut self.batch.bytes);
        if self.batch.rows.is_empty() {
            // However much white space comes, none of it is held.
            let passed = self.passed();
            all.drain(..passed);
            self.move_on(passed);
        }
        all.extend_from_slice(bytes);
        let result = self.scan(&all);
        self.batch.bytes = all;
        result
    }

    /// Says whether the list was whole when no more bytes come.
    pub(crate) fn finish(&mut self) -> Result<(), Broken> {
        // A bare value without a list around it has no other end.
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
                State::Nested { depth, within } => self.nested(all, depth, within)?,
                State::Text { escaped } => self.text(all, escaped)?,
                State::Bare => self.bare(all)?,
                _ => {
                    self.between(all[self.at])?;
                    self.at += 1;
                }
            }
        }
        match self.state {
            State::Nested { .. } | State::Text { .. } | State::Bare => self.check_length(),
            _ => Ok(()),
        }
    }

    /// Outside of rows.
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
                    b'{' | b'[' => State::Nested { depth: 1, within: Within::Structure },
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

    /// To the end of an object or a list, or of what has arrived of it.
    fn nested(&mut self, all: &[u8], mut depth: usize, mut within: Within) -> Result<(), Broken> {
        let mut at = self.at;
        while at < all.len() {
            match within {
                Within::Structure => {
                    let Some(skipped) = all[at..].iter().position(|byte| STRUCTURE[usize::from(*byte)])
                    else {
                        at = all.len();
                        break;
                    };
                    at += skipped + 1;
                    match all[at - 1] {
                        b'"' => within = Within::Text,
                        b'{' | b'[' => depth += 1,
                        _ => depth -= 1,
                    }
                    if depth == 0 {
                        self.at = at;
                        return self.end_row(all);
                    }
                }
                Within::Text => match memchr::memchr2(b'"', b'\\', &all[at..]) {
                    Some(skipped) => {
                        at += skipped + 1;
                        within = if all[at - 1] == b'"' { Within::Structure } else { Within::Escape };
                    }
                    None => at = all.len(),
                },
                Within::Escape => {
                    at += 1;
                    within = Within::Text;
                }
            }
        }
        self.at = at;
        self.state = State::Nested { depth, within };
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

    /// The row ends where the splitter stands.
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

    /// Without a list around it, `null` and `""` are a list of none, and an object that looks like a row is a list of one.
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
            // The same place however the row arrived.
            self.at = self.start + self.limit;
            return Err(if self.listed { Broken::TooLong } else { Broken::NotARow });
        }
        Ok(())
    }
}

/// The elements of a JSON array that has arrived as a whole.
pub(crate) struct Elements(Batch);

impl Elements {
    /// The JSON of each element.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.0.rows.iter().map(|row| &self.0.bytes[row.clone()])
    }
}

/// Cuts a JSON array into its elements. Returns none when it is not a whole array.
pub(crate) fn elements(json: &[u8]) -> Option<Elements> {
    let mut splitter = Splitter::new(usize::MAX, None);
    splitter.feed(json).ok()?;
    splitter.finish().ok()?;
    splitter.listed.then_some(Elements(splitter.batch))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rows of a text that arrives in pieces of this length, and how it ends.
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

    /// It may arrive in pieces, and its bytes count.
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
