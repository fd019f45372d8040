//! Lists that are read row by row, with a few batches of rows in memory.

mod batch;
mod body;

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::{FutureExt as _, Stream};
use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use serde::de::DeserializeOwned;

use crate::classify::Failure;
use crate::client::Transport;
use crate::decode::{BATCH, Batch, Broken, Splitter};
use crate::error::{Error, Inner, Outcome, excerpt};
use crate::operation::Operation;
use crate::send::{Call, CallEnd, CallRecord};
use batch::{Rest, Task, ahead};
use body::Body;

/// The rows of a response that is a long JSON array, decoded one by one and in order.
///
/// An object without brackets is a list of one row if it has the field that identifies rows in the document. Any other object,
/// such as an error with a successful status, is [`RowError::NotAList`]. `null`, `""` and a response with status 204 are empty
/// lists; [`is_array`](Self::is_array) distinguishes them from an empty array.
///
/// Reading requires the tokio runtime in which the rows were created. The client reads at most a few batches of 64 KiB ahead of
/// the caller. On a runtime with several threads, batches are decoded on those threads while the next ones are read; on a runtime
/// with one thread, a row is decoded when it is requested. Dropping the rows ends the call and releases its resources.
///
/// A row that cannot be decoded is an item like any other. The caller decides whether to stop, to skip it, or to collect it:
///
/// ```
/// # use lastmile_core::rows::{BadRow, RowError, Rows};
/// # async fn example(mut rows: Rows<serde_json::Value>) -> Result<(), RowError> {
/// let mut bad = Vec::new();
/// while let Some(row) = rows.next().await {
///     match row {
///         Ok(row) => println!("{row}"),
///         Err(RowError::Unreadable(row)) => bad.push(row), // or `continue`, to skip it
///         Err(end) => return Err(end),
///     }
/// }
/// # Ok(())
/// # }
/// ```
pub struct Rows<T> {
    body: Body,
    /// The bytes that have arrived and are still to be split.
    arrived: Bytes,
    splitter: Splitter,
    /// The current batch, whose rows are decoded or will be when they are requested.
    ready: Rest<T>,
    /// The batches after it, which are no longer being decoded.
    raw: VecDeque<Rest<T>>,
    /// The batches after them, which other threads decode.
    decoding: VecDeque<Task<T>>,
    /// How many batches may be decoded ahead; zero on a runtime with one thread.
    ahead: usize,
    /// Whether the connection's task has been able to run since the last bytes arrived.
    has_yielded: bool,
    /// Whether reading has ended.
    done: bool,
    /// Why the list broke off, to be returned after the last row.
    broken: Option<RowError>,
}

// Rows are returned by value and are never pinned.
impl<T> Unpin for Rows<T> {}

impl<T> fmt::Debug for Rows<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rows")
            .field("rows", &self.splitter.rows())
            .field("done", &self.done)
            .finish_non_exhaustive()
    }
}

impl<T: DeserializeOwned + Send + 'static> Rows<T> {
    pub(crate) fn of_stream(
        stream: impl Stream<Item = Result<Bytes, reqwest::Error>> + Send + Sync + 'static,
        record: CallRecord,
        transport: &Transport,
    ) -> Self {
        let body = Body::new(stream, record, transport);
        let identity = body.record.operation.list.and_then(|list| list.identity);
        let done = body.record.status == Some(StatusCode::NO_CONTENT);
        Self {
            arrived: Bytes::new(),
            splitter: Splitter::new(body.row_limit, identity),
            ready: Rest::none(body.list()),
            raw: VecDeque::new(),
            decoding: VecDeque::new(),
            ahead: ahead(),
            has_yielded: false,
            done,
            broken: None,
            body,
        }
    }

    /// Returns the status of the response.
    pub fn status(&self) -> StatusCode {
        self.body.record.status.unwrap_or_default()
    }

    /// Returns the headers of the response.
    pub fn headers(&self) -> &HeaderMap {
        &self.body.record.headers
    }

    /// Decodes all remaining rows as another type.
    pub fn decode_as<U: DeserializeOwned + Send + 'static>(self) -> Rows<U> {
        Rows {
            body: self.body,
            arrived: self.arrived,
            splitter: self.splitter,
            ready: self.ready.decode_as(),
            raw: self
                .raw
                .into_iter()
                .map(Rest::decode_as)
                .chain(self.decoding.into_iter().map(Task::into_rest).map(Rest::decode_as))
                .collect(),
            decoding: VecDeque::new(),
            ahead: self.ahead,
            has_yielded: self.has_yielded,
            done: self.done,
            broken: self.broken,
        }
    }

    /// Returns whether the response is a JSON array, as far as it has been read. Other responses that count as a list do not say
    /// which rows are missing.
    pub fn is_array(&self) -> bool {
        self.splitter.is_array()
    }

    /// Returns the next row; `None` at the end of the list.
    ///
    /// # Errors
    /// Returns [`RowError::Unreadable`] for a row that cannot be decoded; the next call returns the row after it. Every other
    /// error ends the list, and is returned after all rows that arrived completely.
    pub async fn next(&mut self) -> Option<Result<T, RowError>> {
        let asking = Asking(self);
        std::future::poll_fn(|cx| asking.0.poll_row(cx)).await
    }

    fn poll_row(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<T, RowError>>> {
        loop {
            if let Some(row) = self.ready.next() {
                self.body.stop_waiting();
                return Poll::Ready(Some(row));
            }
            if let Some(rows) = self.raw.pop_front() {
                self.ready = rows;
                continue;
            }
            if self.ahead == 0 {
                self.ready = match self.poll_batch(cx) {
                    Poll::Ready(Some(batch)) => Rest::of(Arc::new(batch), self.body.list()),
                    Poll::Ready(None) => return Poll::Ready(self.broken.take().map(Err)),
                    Poll::Pending => return Poll::Pending,
                };
                continue;
            }
            let mut waits = false;
            while self.decoding.len() < self.ahead && self.held() < self.ahead * BATCH {
                match self.poll_batch(cx) {
                    Poll::Ready(Some(batch)) => self.decoding.push_back(Task::spawn(batch, self.body.list())),
                    Poll::Ready(None) => break,
                    Poll::Pending => {
                        waits = true;
                        break;
                    }
                }
            }
            let Some(first) = self.decoding.front_mut() else {
                return if waits { Poll::Pending } else { Poll::Ready(self.broken.take().map(Err)) };
            };
            match first.poll_unpin(cx) {
                Poll::Ready(rows) => {
                    self.ready = rows;
                    self.decoding.pop_front();
                }
                Poll::Pending => {
                    // The caller is waiting for the decoder, not for the server.
                    self.body.stop_waiting();
                    return Poll::Pending;
                }
            }
        }
    }

    /// Returns a full batch, or the available rows if no further data is available at the moment; `None` at the end.
    fn poll_batch(&mut self, cx: &mut Context<'_>) -> Poll<Option<Batch>> {
        while !self.done && !self.splitter.is_full() {
            if !self.arrived.is_empty() {
                // The bytes that arrive at once may contain several batches.
                let piece = self.arrived.split_to(self.arrived.len().min(self.splitter.room()));
                if let Err(broken) = self.splitter.feed(&piece) {
                    self.end(Some(self.split_error(broken)));
                }
                continue;
            }
            match self.body.poll_chunk(cx) {
                Poll::Ready(Some(Ok(chunk))) => {
                    self.has_yielded = false;
                    self.arrived = chunk;
                }
                Poll::Ready(Some(Err(error))) => self.end(Some(RowError::Call(error))),
                Poll::Ready(None) => {
                    let finished = self.splitter.finish();
                    self.end(finished.err().map(|broken| self.split_error(broken)));
                }
                // The connection runs in its own task: after that task has run, more data may be available to fill the batch.
                Poll::Pending if self.ahead > 0 && !self.has_yielded => {
                    self.has_yielded = true;
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                // The first rows are returned without delay. Later rows are decoded in full batches.
                Poll::Pending if self.decoding.is_empty() => {
                    return self.splitter.take().map_or(Poll::Pending, |batch| Poll::Ready(Some(batch)));
                }
                Poll::Pending => return Poll::Pending,
            }
        }
        Poll::Ready(self.splitter.take())
    }

    /// Returns the number of bytes in batches that are being decoded.
    fn held(&self) -> usize {
        self.decoding.iter().map(Task::bytes).sum()
    }

    fn end(&mut self, broken: Option<RowError>) {
        let malformed = |reason| CallEnd::Failed { outcome: Outcome::Decode, reason, not_modified: false };
        match &broken {
            None => _ = self.body.record.end(CallEnd::Answered),
            Some(RowError::Malformed { what, .. }) => _ = self.body.record.end(malformed(what)),
            Some(RowError::NotAList(answer)) => _ = self.body.record.end(malformed(&answer.what)),
            // The error has already ended the call.
            Some(_) => {}
        }
        (self.done, self.broken) = (true, broken);
    }

    fn split_error(&self, broken: Broken) -> RowError {
        if broken == Broken::NotARow {
            return RowError::NotAList(Box::new(BadRow {
                index: 0,
                offset: self.splitter.offset() - self.splitter.current().len() as u64,
                what: broken.what().to_owned(),
                path: None,
                bytes: self.splitter.current().to_vec(),
                list: self.body.list(),
            }));
        }
        RowError::Malformed {
            rows: self.splitter.rows(),
            offset: self.splitter.offset(),
            what: broken.what(),
            list: self.body.list(),
        }
    }
}

impl Call<'_> {
    /// Sends the request and returns the rows of the response, which are decoded as they arrive.
    ///
    /// # Errors
    /// Returns an [`Error`] if there is no successful response; its outcome says whether the request was sent.
    pub async fn rows<T: DeserializeOwned + Send + 'static>(self) -> Result<Rows<T>, Error> {
        let transport = self.transport;
        match self.open(true).await? {
            (record, Some(response)) => Ok(Rows::of_stream(response.bytes_stream(), record, transport)),
            // Each successful response of a call that is streamed is returned.
            (mut record, None) => {
                let failure = Failure::of(Outcome::Indeterminate, "there is no response body");
                Err(record.error(&transport.shared, failure))
            }
        }
    }
}

/// A pending request for a row. Dropping it stops the clock of the server.
struct Asking<'a, T>(&'a mut Rows<T>);

impl<T> Drop for Asking<'_, T> {
    fn drop(&mut self) {
        self.0.body.stop_waiting();
    }
}

/// Behaves like [`next`](Rows::next), except that the time after an incomplete poll counts as waiting for the server.
impl<T: DeserializeOwned + Send + 'static> Stream for Rows<T> {
    type Item = Result<T, RowError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll_row(cx)
    }
}

/// Why there is no row, or no further row.
#[derive(Debug)]
#[non_exhaustive]
pub enum RowError {
    /// The row cannot be decoded. The next row can still be read.
    Unreadable(Box<BadRow>),
    /// The response is a single JSON value that is neither a list nor a row, such as an error with a successful status. No rows
    /// were read, and none follow.
    NotAList(Box<BadRow>),
    /// The response is not a valid JSON list, or ends before the list does.
    #[non_exhaustive]
    Malformed {
        /// The number of complete rows before the error.
        rows: u64,
        /// The offset of the error in the response, in bytes.
        offset: u64,
        /// A description of the error.
        what: &'static str,
        /// The list that was read.
        list: ListName,
    },
    /// The supplier does not know, or no longer knows, the row after which the list was to begin. For facades whose cursor is a
    /// row of the list.
    UnknownCursor(Error),
    /// The call failed while the response body was being read.
    Call(Error),
}

/// A row that cannot be decoded, or the value that arrived instead of a list.
pub struct BadRow {
    index: u64,
    offset: u64,
    what: String,
    path: Option<String>,
    bytes: Vec<u8>,
    /// The list that the row belongs to.
    list: ListName,
}

/// Names the list that a [`RowError`] is about.
#[derive(Clone, Copy)]
pub struct ListName {
    pub(crate) api: &'static str,
    pub(crate) operation: &'static Operation,
}

impl fmt::Debug for ListName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.api, self.operation.id)
    }
}

impl BadRow {
    /// Returns the index of the row in the list, from 0.
    pub fn index(&self) -> u64 {
        self.index
    }

    /// Returns the offset of the row in the response, in bytes.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Returns the path of the part of the row that could not be decoded, such as `services[2].comments`.
    pub fn path(&self) -> Option<&str> {
        self.path.as_deref()
    }

    /// Returns the first 500 characters of the row, as text. It may contain personal data.
    pub fn excerpt(&self) -> String {
        excerpt(&self.bytes)
    }

    /// Returns the row as it arrived. It may contain personal data.
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

impl RowError {
    /// Returns what is wrong, without the path and without advice.
    fn reason(&self) -> String {
        match self {
            Self::Unreadable(row) => {
                format!("row {} (byte {}) cannot be read: {}", row.index, row.offset, row.what)
            }
            Self::NotAList(answer) => format!("the response is not a list: {}", answer.what),
            Self::Malformed { rows, offset, what, .. } => {
                format!("the list breaks off after {rows} rows at byte {offset}: {what}")
            }
            Self::UnknownCursor(error) | Self::Call(error) => error.to_string(),
        }
    }
}

impl fmt::Display for RowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(row) => {
                f.write_str(&self.reason())?;
                if let Some(path) = &row.path {
                    write!(f, " at {path}")?;
                }
                f.write_str(". The next row can be asked for; read bytes() for what arrived, and report it")
            }
            Self::NotAList(_) => write!(f, "{}. Read bytes() for what arrived", self.reason()),
            Self::Malformed { .. } => write!(f, "{}. Ask again", self.reason()),
            Self::UnknownCursor(error) => write!(
                f,
                "the supplier does not know the event of the cursor (any more): begin again without the cursor, or from one that \
                 it knows. {error}"
            ),
            Self::Call(error) => error.fmt(f),
        }
    }
}

/// Keeps the outcome of a call that failed. An unreadable row and a response that is not a list become [`Outcome::Decode`], with
/// the bytes in [`Error::body`]; a list that breaks off becomes the outcome of a read without a response.
impl From<RowError> for Error {
    fn from(error: RowError) -> Self {
        let reason = error.reason();
        let (outcome, list, path, body) = match error {
            RowError::UnknownCursor(error) | RowError::Call(error) => return error,
            RowError::Malformed { list, .. } => (Outcome::Indeterminate, Some(list), None, Vec::new()),
            RowError::Unreadable(row) | RowError::NotAList(row) => {
                let BadRow { list, path, bytes, .. } = *row;
                (Outcome::Decode, Some(list), path, bytes)
            }
        };
        let api = list.map_or("list", |list| list.api);
        Self::new(Inner {
            operation: list.map(|list| list.operation),
            is_read: true,
            body: body.into(),
            decode_path: path,
            ..Inner::of(api, outcome, reason)
        })
    }
}

impl std::error::Error for RowError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::UnknownCursor(error) | Self::Call(error) => error.source(),
            _ => None,
        }
    }
}
