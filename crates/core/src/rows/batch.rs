//! Batches of rows, which are decoded on other threads if the runtime has several.

use std::panic::resume_unwind;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::thread::available_parallelism;
use std::vec;

use futures_util::FutureExt as _;
use serde::de::DeserializeOwned;
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::task::JoinHandle;

use super::{BadRow, ListName, RowError};
use crate::decode::{Batch, into_decode_error};

/// The maximum number of batches that are decoded ahead. More do not improve the throughput.
const MOST: usize = 8;

/// Returns how many batches may be decoded ahead on other threads of the runtime; zero if it has one thread.
pub(super) fn ahead() -> usize {
    let threads = match Handle::try_current() {
        Ok(runtime) if runtime.runtime_flavor() == RuntimeFlavor::MultiThread => {
            runtime.metrics().num_workers().min(available_parallelism().map_or(1, usize::from))
        }
        _ => 1,
    };
    // With fewer, threads run out of work while the caller's task is not scheduled.
    if threads > 1 { (2 * threads + 2).min(MOST) } else { 0 }
}

/// The remaining rows of a batch.
pub(super) struct Rest<T> {
    batch: Arc<Batch>,
    list: ListName,
    next: usize,
    /// The rows from `next` on, if they are already decoded.
    decoded: Option<vec::IntoIter<Result<T, RowError>>>,
}

impl<T> Rest<T> {
    pub(super) fn none(list: ListName) -> Self {
        Self::of(Arc::default(), list)
    }

    pub(super) fn of(batch: Arc<Batch>, list: ListName) -> Self {
        Self { batch, list, next: 0, decoded: None }
    }

    /// Returns the same rows, to be decoded as another type.
    pub(super) fn decode_as<U>(self) -> Rest<U> {
        Rest { batch: self.batch, list: self.list, next: self.next, decoded: None }
    }
}

impl<T: DeserializeOwned> Rest<T> {
    #[inline]
    pub(super) fn next(&mut self) -> Option<Result<T, RowError>> {
        let row = match &mut self.decoded {
            Some(rows) => rows.next(),
            None => decode(&self.batch, self.list, self.next),
        };
        // Afterwards, so that a row whose decoding panics is not skipped.
        self.next += 1;
        row
    }

    fn decoded(batch: Arc<Batch>, list: ListName) -> Self {
        // The exact capacity spares moving the rows while the vector grows.
        let mut rows = Vec::with_capacity(batch.rows.len());
        rows.extend((0..batch.rows.len()).filter_map(|row| decode(&batch, list, row)));
        Self { batch, list, next: 0, decoded: Some(rows.into_iter()) }
    }
}

fn decode<T: DeserializeOwned>(batch: &Batch, list: ListName, at: usize) -> Option<Result<T, RowError>> {
    let place = batch.rows.get(at)?;
    let bytes = &batch.bytes[place.clone()];
    // Validating the UTF-8 of a whole row once is faster than validating each of its strings.
    let row = match std::str::from_utf8(bytes) {
        Ok(text) => serde_json::from_str(text),
        Err(_) => serde_json::from_slice(bytes),
    };
    Some(row.map_err(|_| {
        let failure = into_decode_error::<T>(bytes);
        RowError::Unreadable(Box::new(BadRow {
            index: batch.index + at as u64,
            offset: batch.offset + place.start as u64,
            what: failure.what,
            path: failure.path,
            bytes: bytes.to_vec(),
            list,
        }))
    }))
}

/// A batch that is decoded on another thread of the runtime. Dropping the task before it starts cancels it.
pub(super) struct Task<T> {
    decoding: JoinHandle<Rest<T>>,
    batch: Arc<Batch>,
    list: ListName,
}

impl<T> Task<T> {
    /// Returns the rows of the batch, not decoded.
    pub(super) fn into_rest(self) -> Rest<T> {
        Rest::of(self.batch.clone(), self.list)
    }
}

impl<T: DeserializeOwned + Send + 'static> Task<T> {
    pub(super) fn spawn(batch: Batch, list: ListName) -> Self {
        let batch = Arc::new(batch);
        let decoded = batch.clone();
        Self { decoding: tokio::spawn(async move { Rest::decoded(decoded, list) }), batch, list }
    }

    pub(super) fn bytes(&self) -> usize {
        self.batch.bytes.len()
    }
}

impl<T: DeserializeOwned> Future for Task<T> {
    type Output = Rest<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Rest<T>> {
        Poll::Ready(match ready!(self.decoding.poll_unpin(cx)) {
            Ok(rows) => rows,
            Err(error) => match error.try_into_panic() {
                // The caller's type panicked. The panic is resumed here, as if the row had been decoded on this thread.
                Ok(panic) => resume_unwind(panic),
                // The runtime shuts down. The rows are decoded when the caller requests them.
                Err(_) => Rest::of(self.batch.clone(), self.list),
            },
        })
    }
}

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        self.decoding.abort();
    }
}
