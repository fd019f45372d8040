//! Lists that are read row by row, in the memory of a few batches of rows.

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

/// The rows of an answer that is one long JSON array, decoded one by one and in their order.
///
/// An object without brackets is a list of one if it has the field by which the document tells rows apart; any other, such as
/// an error that is answered with success, is [`RowError::NotAList`]. `null`, `""` and an answer with status 204 are a list of
/// none. [`is_array`](Self::is_array) tells them from an answer that lists nothing.
///
/// It needs the tokio runtime that it was made in. No more is read than is asked for, but for a few batches of 64 KiB: where
/// the runtime has several threads, batches are decoded on them while the next are read; where it has one, a row is decoded
/// when it is asked for. Dropping it ends the call and frees everything.
///
/// A row that cannot be read is an item like any other, so it is for you to stop there, to skip it, or to collect it:
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
    /// What has arrived and is still to be split.
    arrived: Bytes,
    splitter: Splitter,
    /// The rows that are decoded, or are when they are asked for.
    ready: Rest<T>,
    /// The batches after them, which are not being decoded any more.
    raw: VecDeque<Rest<T>>,
    /// The batches after them, on other threads.
    decoding: VecDeque<Task<T>>,
    /// How many batches may be decoded ahead; none where there is one thread.
    ahead: usize,
    /// Whether the connection had its turn since the last bytes came.
    has_yielded: bool,
    /// Whether nothing more is read.
    done: bool,
    /// Why that is no good end, to be told behind the last row.
    broken: Option<RowError>,
}

// Rows are handed out by value: none is ever pinned.
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
            ready: Rest::none(),
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

    /// Decodes all rows that are still to be read as another type.
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

    /// Whether the answer is a JSON array, as far as it was read. What else counts as a list says nothing about what is not
    /// in it.
    pub fn is_array(&self) -> bool {
        self.splitter.is_array()
    }

    /// The next row; none at the end of the list.
    ///
    /// # Errors
    /// [`RowError::Unreadable`] costs one row: the next call goes on behind it. Every other error is the end, and comes
    /// after all rows that arrived whole.
    pub async fn next(&mut self) -> Option<Result<T, RowError>> {
        let asking = Asking(self);
        std::future::poll_fn(|cx| asking.0.poll_row(cx)).await
    }

    fn poll_row(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<T, RowError>>> {
        loop {
            if let Some(row) = self.ready.next() {
                self.body.stop_waiting();
                return Poll::Ready(Some(row.map_err(|bad| RowError::Unreadable(Box::new(self.named(bad))))));
            }
            if let Some(rows) = self.raw.pop_front() {
                self.ready = rows;
                continue;
            }
            if self.ahead == 0 {
                self.ready = match self.poll_batch(cx) {
                    Poll::Ready(Some(batch)) => Rest::of(Arc::new(batch)),
                    Poll::Ready(None) => return Poll::Ready(self.broken.take().map(Err)),
                    Poll::Pending => return Poll::Pending,
                };
                continue;
            }
            let mut waits = false;
            while self.decoding.len() < self.ahead && self.held() < self.ahead * BATCH {
                match self.poll_batch(cx) {
                    Poll::Ready(Some(batch)) => self.decoding.push_back(Task::spawn(batch)),
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
                    // It is not the server that is waited for.
                    self.body.stop_waiting();
                    return Poll::Pending;
                }
            }
        }
    }

    /// A full batch, or what there is of one when no more comes at the moment; none at the end.
    fn poll_batch(&mut self, cx: &mut Context<'_>) -> Poll<Option<Batch>> {
        while !self.done && !self.splitter.is_full() {
            if !self.arrived.is_empty() {
                // What arrives at once may be several batches.
                let piece = self.arrived.split_to(self.arrived.len().min(BATCH));
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
                // The connection is a task of its own: once it had its turn, there may be more to fill the batch with.
                Poll::Pending if self.ahead > 0 && !self.has_yielded => {
                    self.has_yielded = true;
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                // Whoever waits for the first rows gets them now; others decode full batches meanwhile.
                Poll::Pending if self.decoding.is_empty() => {
                    return self.splitter.take().map_or(Poll::Pending, |batch| Poll::Ready(Some(batch)));
                }
                Poll::Pending => return Poll::Pending,
            }
        }
        Poll::Ready(self.splitter.take())
    }

    /// How many bytes are in batches that are handed on.
    fn held(&self) -> usize {
        self.decoding.iter().map(Task::bytes).sum()
    }

    fn end(&mut self, broken: Option<RowError>) {
        let malformed = |reason| CallEnd::Failed { outcome: Outcome::Decode, reason, not_modified: false };
        match &broken {
            None => _ = self.body.record.end(CallEnd::Answered),
            Some(RowError::Malformed { what, .. }) => _ = self.body.record.end(malformed(what)),
            Some(RowError::NotAList(answer)) => _ = self.body.record.end(malformed(&answer.what)),
            // The error has ended the call.
            Some(_) => {}
        }
        (self.done, self.broken) = (true, broken);
    }

    fn split_error(&self, broken: Broken) -> RowError {
        if broken == Broken::NotARow {
            return RowError::NotAList(Box::new(self.named(BadRow {
                index: 0,
                offset: self.splitter.offset() - self.splitter.current().len() as u64,
                what: broken.what().to_owned(),
                path: None,
                bytes: self.splitter.current().to_vec(),
                list: None,
            })));
        }
        RowError::Malformed {
            rows: self.splitter.rows(),
            offset: self.splitter.offset(),
            what: broken.what(),
            list: self.body.list(),
        }
    }

    /// Returns a bad row with the list that it is from.
    fn named(&self, row: BadRow) -> BadRow {
        BadRow { list: Some(self.body.list()), ..row }
    }
}

impl Call<'_> {
    /// Sends the request and returns the rows of the response, which are decoded as they arrive.
    ///
    /// # Errors
    /// [`Error`] says what became of the request.
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

/// Somebody asks for a row. When nobody does any more, the time does not count as the server's.
struct Asking<'a, T>(&'a mut Rows<T>);

impl<T> Drop for Asking<'_, T> {
    fn drop(&mut self) {
        self.0.body.stop_waiting();
    }
}

/// As [`next`](Rows::next). Whoever stops polling half-way is still taken to be waiting for the server.
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
    /// This row cannot be read. The next one can still be asked for.
    Unreadable(Box<BadRow>),
    /// The answer is one JSON value that is neither a list nor a row, such as an error that is answered with success. Nothing
    /// was read, and nothing follows.
    NotAList(Box<BadRow>),
    /// The answer is not a list of JSON values, or ends before the list does.
    #[non_exhaustive]
    Malformed {
        /// How many whole rows came before.
        rows: u64,
        /// Where the answer stops making sense, in bytes from its beginning.
        offset: u64,
        /// What is wrong.
        what: &'static str,
        /// The list that was read.
        list: ListName,
    },
    /// The supplier does not know what the list was to begin behind, or not any more. For facades: a list whose cursor is one
    /// of its rows.
    UnknownCursor(Error),
    /// The connection broke.
    Call(Error),
}

/// A row that cannot be read, or what arrived in place of a list.
pub struct BadRow {
    index: u64,
    offset: u64,
    what: String,
    path: Option<String>,
    bytes: Vec<u8>,
    /// The list that it is from. A batch does not know it.
    list: Option<ListName>,
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

    /// The beginning of the row, at most 500 characters, as text. It may hold personal data.
    pub fn excerpt(&self) -> String {
        excerpt(&self.bytes)
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

impl RowError {
    /// Returns what is wrong, without the path and without what to do next.
    fn reason(&self) -> String {
        match self {
            Self::Unreadable(row) => {
                format!("row {} (byte {}) cannot be read: {}", row.index, row.offset, row.what)
            }
            Self::NotAList(answer) => format!("the answer is not a list: {}", answer.what),
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

/// Keeps the outcome of a call that failed. A row that cannot be read and an answer that is not a list become
/// [`Outcome::Decode`], with what arrived in [`Error::body`]; a list that breaks off becomes the outcome of a read without an answer.
impl From<RowError> for Error {
    fn from(error: RowError) -> Self {
        let reason = error.reason();
        let (outcome, list, path, body) = match error {
            RowError::UnknownCursor(error) | RowError::Call(error) => return error,
            RowError::Malformed { list, .. } => (Outcome::Indeterminate, Some(list), None, Vec::new()),
            RowError::Unreadable(row) | RowError::NotAList(row) => {
                let BadRow { list, path, bytes, .. } = *row;
                (Outcome::Decode, list, path, bytes)
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
