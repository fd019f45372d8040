//! Lists that are read row by row, in the memory of a row.

mod splitter;

use std::collections::VecDeque;
use std::fmt;
use std::marker::PhantomData;

use serde::de::DeserializeOwned;

use crate::call::{Body, Error, misfit};
use splitter::{Broken, RawRow, Splitter};

/// The rows of an answer that is one long JSON array, decoded one by one.
///
/// One element without brackets is a list of one; `null` and `""` are a list of none.
pub struct Rows<T> {
    body: Body,
    splitter: Splitter,
    ready: VecDeque<RawRow>,
    done: bool,
    row: PhantomData<fn() -> T>,
}

impl<T> fmt::Debug for Rows<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rows")
            .field("ready", &self.ready.len())
            .field("done", &self.done)
            .finish_non_exhaustive()
    }
}

impl<T: DeserializeOwned> Rows<T> {
    /// The rows of a body. `row_limit` is how many bytes one row may take.
    pub fn new(body: Body, row_limit: usize) -> Self {
        Self {
            body,
            splitter: Splitter::new(row_limit),
            ready: VecDeque::new(),
            done: false,
            row: PhantomData,
        }
    }

    /// The next row; none at the end of the list.
    ///
    /// # Errors
    /// [`RowError::Unreadable`] costs one row: the next call goes on behind it. Every other error is the end, and comes
    /// after all rows that arrived whole.
    pub async fn next(&mut self) -> Option<Result<T, RowError>> {
        loop {
            if let Some(row) = self.ready.pop_front() {
                return Some(decode(row));
            }
            if self.done {
                return None;
            }
            let broken = match self.body.chunk().await {
                Some(Ok(chunk)) => match self.splitter.feed(&chunk, &mut self.ready) {
                    Ok(()) => continue,
                    Err(broken) => self.split_error(broken),
                },
                Some(Err(error)) => RowError::Call(error),
                None => {
                    self.done = true;
                    match self.splitter.finish(&mut self.ready) {
                        Ok(()) => continue,
                        Err(broken) => self.split_error(broken),
                    }
                }
            };
            self.done = true;
            // Rows that were split before the break come first.
            if self.ready.is_empty() {
                return Some(Err(broken));
            }
            self.ready.push_back(RawRow::broken(broken));
        }
    }

    fn split_error(&self, broken: Broken) -> RowError {
        RowError::Malformed {
            rows: self.splitter.rows(),
            offset: self.splitter.offset(),
            what: broken.what(),
        }
    }
}

fn decode<T: DeserializeOwned>(row: RawRow) -> Result<T, RowError> {
    if let Some(broken) = row.broken {
        return Err(*broken);
    }
    serde_json::from_slice(&row.bytes).map_err(|_| {
        let misfit = misfit::<T>(&row.bytes);
        RowError::Unreadable(Box::new(BadRow {
            index: row.index,
            offset: row.offset,
            what: misfit.what,
            path: misfit.path,
            bytes: row.bytes,
        }))
    })
}

/// Why there is no row, or no further row.
#[derive(Debug)]
#[non_exhaustive]
pub enum RowError {
    /// This row cannot be read. The next one can still be asked for.
    Unreadable(Box<BadRow>),
    /// The answer is not a list of JSON values, or ends before the list does.
    Malformed {
        /// How many whole rows came before.
        rows: u64,
        /// Where the answer stops making sense, in bytes from its beginning.
        offset: u64,
        /// What is wrong.
        what: &'static str,
    },
    /// The connection broke.
    Call(Error),
}

/// A row that cannot be read.
pub struct BadRow {
    index: u64,
    offset: u64,
    what: String,
    path: Option<String>,
    bytes: Vec<u8>,
}

impl BadRow {
    /// Its number in the list, from 0.
    pub fn index(&self) -> u64 {
        self.index
    }

    /// Where it begins, in bytes from the beginning of the answer.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Where inside it the part is that was not understood: `services[2].comments`.
    pub fn path(&self) -> Option<&str> {
        self.path.as_deref()
    }

    /// The row as it arrived. It may hold personal data.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl fmt::Debug for BadRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BadRow")
            .field("index", &self.index)
            .field("offset", &self.offset)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for RowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(row) => {
                write!(f, "row {} (byte {}) cannot be read: {}", row.index, row.offset, row.what)?;
                if let Some(path) = &row.path {
                    write!(f, " at {path}")?;
                }
                f.write_str(". The next row can be asked for; read bytes() for what arrived, and report it")
            }
            Self::Malformed { rows, offset, what } => {
                write!(f, "the list breaks off after {rows} rows at byte {offset}: {what}. Ask again")
            }
            Self::Call(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for RowError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Call(error) => error.source(),
            _ => None,
        }
    }
}
