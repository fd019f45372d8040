use std::collections::VecDeque;

use super::RowError;

/// One element of the list, as bytes.
pub(super) struct RawRow {
    pub(super) index: u64,
    pub(super) offset: u64,
    pub(super) bytes: Vec<u8>,
    /// In place of a row: why there are no more.
    pub(super) broken: Option<Box<RowError>>,
}

impl RawRow {
    pub(super) fn broken(error: RowError) -> Self {
        Self { index: 0, offset: 0, bytes: Vec::new(), broken: Some(Box::new(error)) }
    }
}

/// Why the bytes are no list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Broken {
    NotAList,
    NoComma,
    More,
    CutShort,
    TooLong,
}

impl Broken {
    pub(super) fn what(self) -> &'static str {
        match self {
            Self::NotAList => "it is not a JSON list",
            Self::NoComma => "no comma between two rows",
            Self::More => "more follows the end of the list",
            Self::CutShort => "it ends before the list does",
            Self::TooLong => "a row is longer than the limit",
        }
    }
}

/// Cuts a JSON array into its elements while it arrives. It looks at strings and brackets only; whether an element is
/// right is found out when it is decoded.
pub(super) struct Splitter {
    state: State,
    /// The bytes of the row that has begun.
    row: Vec<u8>,
    row_offset: u64,
    row_limit: usize,
    offset: u64,
    rows: u64,
    /// Whether there is a list around the rows.
    listed: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nothing but white space yet.
    Start,
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

#[derive(Clone, Copy, PartialEq, Eq)]
enum Within {
    Structure,
    Text,
    Escape,
}

impl Splitter {
    pub(super) fn new(row_limit: usize) -> Self {
        Self {
            state: State::Start,
            row: Vec::new(),
            row_offset: 0,
            row_limit,
            offset: 0,
            rows: 0,
            listed: false,
        }
    }

    /// How many rows are split off.
    pub(super) fn rows(&self) -> u64 {
        self.rows
    }

    /// How many bytes are looked at.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// Takes the next bytes and puts the rows that end in them into `rows`.
    pub(super) fn feed(&mut self, bytes: &[u8], rows: &mut VecDeque<RawRow>) -> Result<(), Broken> {
        for &byte in bytes {
            self.step(byte, rows)?;
            self.offset += 1;
        }
        Ok(())
    }

    /// Says whether the list was whole when no more bytes come.
    pub(super) fn finish(&mut self, rows: &mut VecDeque<RawRow>) -> Result<(), Broken> {
        // A bare value without a list around it has no other end.
        if self.state == State::Bare && !self.listed {
            self.end_row(rows);
        }
        if self.state == State::End { Ok(()) } else { Err(Broken::CutShort) }
    }

    fn step(&mut self, byte: u8, rows: &mut VecDeque<RawRow>) -> Result<(), Broken> {
        match self.state {
            State::Nested { depth, within } => self.nested(byte, depth, within, rows),
            State::Text { escaped } => self.text(byte, escaped, rows),
            State::Bare if !matches!(byte, b',' | b']' | b' ' | b'\t' | b'\n' | b'\r') => self.keep(byte),
            State::Bare => {
                self.end_row(rows);
                self.between(byte)
            }
            _ => self.between(byte),
        }
    }

    /// Outside of rows.
    fn between(&mut self, byte: u8) -> Result<(), Broken> {
        match (self.state, byte) {
            (_, b' ' | b'\t' | b'\n' | b'\r') => Ok(()),
            (State::Start, b'[') => {
                self.state = State::First;
                self.listed = true;
                Ok(())
            }
            (State::First | State::Behind, b']') => {
                self.state = State::End;
                Ok(())
            }
            (State::Behind, b',') => {
                self.state = State::Next;
                Ok(())
            }
            (State::Start | State::First | State::Next, b'{' | b'[') => {
                self.begin(State::Nested { depth: 1, within: Within::Structure }, byte)
            }
            (State::Start | State::First | State::Next, b'"') => {
                self.begin(State::Text { escaped: false }, byte)
            }
            (State::Start | State::First | State::Next, b'-' | b'0'..=b'9' | b't' | b'f' | b'n') => {
                self.begin(State::Bare, byte)
            }
            (State::Behind, _) => Err(Broken::NoComma),
            (State::End, _) => Err(Broken::More),
            _ => Err(Broken::NotAList),
        }
    }

    fn nested(
        &mut self,
        byte: u8,
        depth: usize,
        within: Within,
        rows: &mut VecDeque<RawRow>,
    ) -> Result<(), Broken> {
        self.keep(byte)?;
        let (depth, within) = match (within, byte) {
            (Within::Escape, _) => (depth, Within::Text),
            (Within::Text, b'\\') => (depth, Within::Escape),
            (Within::Text, b'"') => (depth, Within::Structure),
            (Within::Structure, b'"') => (depth, Within::Text),
            (Within::Structure, b'{' | b'[') => (depth + 1, within),
            (Within::Structure, b'}' | b']') => (depth - 1, within),
            _ => (depth, within),
        };
        self.state = State::Nested { depth, within };
        if depth == 0 {
            self.end_row(rows);
        }
        Ok(())
    }

    fn text(&mut self, byte: u8, escaped: bool, rows: &mut VecDeque<RawRow>) -> Result<(), Broken> {
        self.keep(byte)?;
        match (escaped, byte) {
            (false, b'"') => self.end_row(rows),
            (false, b'\\') => self.state = State::Text { escaped: true },
            _ => self.state = State::Text { escaped: false },
        }
        Ok(())
    }

    fn begin(&mut self, state: State, byte: u8) -> Result<(), Broken> {
        self.state = state;
        self.row_offset = self.offset;
        self.keep(byte)
    }

    fn keep(&mut self, byte: u8) -> Result<(), Broken> {
        if self.row.len() >= self.row_limit {
            return Err(Broken::TooLong);
        }
        self.row.push(byte);
        Ok(())
    }

    fn end_row(&mut self, rows: &mut VecDeque<RawRow>) {
        let bytes = std::mem::take(&mut self.row);
        // Without a list around it, `null` and `""` are a list of none, and anything else a list of one.
        self.state = if self.listed { State::Behind } else { State::End };
        if self.listed || !matches!(bytes.as_slice(), b"null" | b"\"\"") {
            rows.push_back(RawRow { index: self.rows, offset: self.row_offset, bytes, broken: None });
            self.rows += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rows of a text that arrives in pieces of this length, and how it ends.
    fn split(text: &str, piece: usize) -> (Vec<(u64, String)>, Result<(), Broken>) {
        let mut splitter = Splitter::new(100);
        let mut rows = VecDeque::new();
        let fed = text.as_bytes().chunks(piece).try_for_each(|piece| splitter.feed(piece, &mut rows));
        let end = fed.and_then(|()| splitter.finish(&mut rows));
        let rows = rows.into_iter().map(|row| (row.offset, String::from_utf8(row.bytes).unwrap()));
        (rows.collect(), end)
    }

    #[track_caller]
    fn splits(text: &str, expected: &[(u64, &str)], end: Result<(), Broken>) {
        let expected: Vec<_> = expected.iter().map(|(offset, row)| (*offset, (*row).to_owned())).collect();
        for piece in 1..=text.len().max(1) {
            assert_eq!(split(text, piece), (expected.clone(), end), "{text:?} in pieces of {piece}");
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

    #[test]
    fn one_and_none_without_a_list() {
        splits(r#" {"a":1} "#, &[(1, r#"{"a":1}"#)], Ok(()));
        splits("7", &[(0, "7")], Ok(()));
        splits("null", &[], Ok(()));
        splits(r#""""#, &[], Ok(()));
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
    }
}
