//! Lists that are read row by row, in whatever pieces they arrive.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;

use bytes::Bytes;
use futures_util::stream;
use lastmile::onapi::types::Access;
use lastmile::wire::Lenient;
use lastmile::{Policy, RowError};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use tokio::runtime::{Builder, Runtime};

use super::lossy;
use crate::rows_from_bytes;

thread_local! {
    static THREAD: Runtime = Builder::new_current_thread().enable_time().build().expect("a runtime");
    /// Rows are decoded on several threads where the runtime has several.
    static THREADS: Runtime =
        Builder::new_multi_thread().worker_threads(2).enable_time().build().expect("a runtime");
}

/// A type that no row fits, so that each row is returned as an error with its position.
#[derive(Debug)]
struct Nothing;

impl<'de> Deserialize<'de> for Nothing {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Err(serde::de::Error::custom("no"))
    }
}

/// Lists up to this length arrive byte by byte, too.
const BRIEF: usize = 300;

/// A row, as far as it can be compared.
#[derive(Clone, Debug, PartialEq)]
enum Row {
    Read { json: String },
    Unreadable { index: u64, offset: u64, bytes: Vec<u8>, path: Option<String> },
    Broken { rows: u64, offset: u64, what: &'static str },
    NotAList { offset: u64, bytes: Vec<u8> },
}

/// Cuts the arriving bytes: each piece has the next of these lengths, which repeat after the last.
fn pieces(bytes: &[u8], lengths: &[usize]) -> Vec<Bytes> {
    let mut rest = bytes;
    let mut pieces = Vec::new();
    for length in lengths.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (piece, remaining) = rest.split_at((*length).clamp(1, rest.len()));
        pieces.push(Bytes::copy_from_slice(piece));
        rest = remaining;
    }
    pieces
}

/// Returns the rows of bytes that arrive in these pieces, each with the number of bytes that had been read by then.
fn read<T>(
    pieces: Vec<Bytes>,
    limit: usize,
    threads: bool,
    written: impl Fn(&T) -> String,
) -> Vec<(Row, usize)>
where
    T: DeserializeOwned + Send + 'static,
{
    let taken = Arc::new(AtomicUsize::new(0));
    let counter = taken.clone();
    let (mut pieces, mut is_there) = (pieces.into_iter(), true);
    let arriving = stream::poll_fn(move |cx| {
        // The next piece is never ready at once.
        is_there = !is_there;
        if !is_there {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(pieces.next().map(|piece| {
            counter.fetch_add(piece.len(), Ordering::Relaxed);
            Ok(piece)
        }))
    });
    let calls = |runtime: &Runtime| {
        runtime.block_on(async {
            let mut rows = rows_from_bytes::rows::<T>(&Policy::default(), arriving, limit);
            let mut seen = Vec::new();
            while let Some(row) = rows.next().await {
                let row = match row {
                    Ok(row) => Row::Read { json: written(&row) },
                    Err(RowError::Unreadable(row)) => Row::Unreadable {
                        index: row.index(),
                        offset: row.offset(),
                        bytes: row.bytes().to_vec(),
                        path: row.path().map(str::to_owned),
                    },
                    Err(RowError::Malformed { rows, offset, what, .. }) => Row::Broken { rows, offset, what },
                    Err(RowError::NotAList(answer)) => {
                        Row::NotAList { offset: answer.offset(), bytes: answer.bytes().to_vec() }
                    }
                    Err(other) => panic!("nothing else can break here: {other}"),
                };
                seen.push((row, taken.load(Ordering::Relaxed)));
            }
            assert!(rows.next().await.is_none(), "the end is the end");
            seen
        })
    };
    if threads { THREADS.with(calls) } else { THREAD.with(calls) }
}

fn without_counts(rows: Vec<(Row, usize)>) -> Vec<Row> {
    rows.into_iter().map(|(row, _)| row).collect()
}

/// The first byte is the row limit, the next two are the lengths of the pieces.
pub fn rows(data: &[u8]) {
    let [limit, one, two, list @ ..] = data else { return };
    let limit = if *limit == 0 { 1 << 20 } else { usize::from(*limit).max(4) };
    let lengths = [usize::from(*one), usize::from(*two)];

    let places = read::<Nothing>(pieces(list, &lengths), limit, false, |_| unreachable!("it fits nothing"));
    is_held_briefly(list, &places, lengths[0].max(lengths[1]).max(1), limit);
    let places = without_counts(places);
    let mut others = vec![pieces(list, &[usize::MAX])];
    if list.len() <= BRIEF {
        others.push(pieces(list, &[1]));
    }
    for other in others {
        let other = read::<Nothing>(other, limit, false, |_| unreachable!("it fits nothing"));
        assert_eq!(without_counts(other), places, "{}", lossy(list));
    }
    is_decoded::<Value>(pieces(list, &lengths), limit, true, &places);
    is_decoded::<Lenient<Access>>(pieces(list, &lengths), limit, false, &places);
    is_what_serde_reads(list, &places, limit);
}

/// Each row is what serde_json decodes from its bytes.
fn is_decoded<T>(pieces: Vec<Bytes>, limit: usize, threads: bool, places: &[Row])
where
    T: DeserializeOwned + Serialize + Send + 'static,
{
    let written = |row: &T| serde_json::to_string(row).expect("it can be written");
    let rows = without_counts(read::<T>(pieces, limit, threads, written));
    assert_eq!(rows.len(), places.len());
    for (place, row) in places.iter().zip(rows) {
        let Row::Unreadable { index, offset, bytes, .. } = place else {
            assert_eq!(*place, row);
            continue;
        };
        match (serde_json::from_slice::<T>(bytes), &row) {
            (Ok(expected), Row::Read { json }) => assert_eq!(written(&expected), *json),
            (Err(_), Row::Unreadable { index: i, offset: o, bytes: b, .. }) => {
                assert_eq!((i, o, b), (index, offset, bytes));
            }
            _ => panic!("{row:?}: {}", lossy(bytes)),
        }
    }
}

/// A row is returned when it has arrived and no more bytes are ready, and no row beyond the limit is read: at most one
/// row and one piece are buffered.
fn is_held_briefly(list: &[u8], rows: &[(Row, usize)], piece: usize, limit: usize) {
    for (row, taken) in rows {
        match row {
            Row::Unreadable { offset, bytes, .. } => {
                assert!(bytes.len() <= limit, "{}", lossy(list));
                // Only the byte after a number shows where the number ends.
                let end = *offset as usize + bytes.len();
                assert_eq!(&list[*offset as usize..end], bytes.as_slice());
                assert!(*taken <= end + 1 + piece, "{taken} bytes for a row that ends at {end}");
            }
            Row::Broken { offset, .. } => assert!(*taken <= *offset as usize + piece, "{taken} > {offset}"),
            Row::NotAList { offset, bytes } => {
                assert!(bytes.len() <= limit, "{}", lossy(list));
                let end = *offset as usize + bytes.len();
                assert_eq!(&list[*offset as usize..end], bytes.as_slice());
                assert!(*taken <= end + 1 + piece, "{taken} bytes for a value that ends at {end}");
            }
            Row::Read { .. } => unreachable!("it fits nothing"),
        }
    }
}

/// The rows of valid JSON are those that serde_json finds in the whole of it.
fn is_what_serde_reads(list: &[u8], rows: &[Row], limit: usize) {
    let Ok(whole) = serde_json::from_slice::<&RawValue>(list) else {
        // Invalid JSON is detected: in a row, or at the end.
        assert!(rows.iter().any(is_broken), "{}", lossy(list));
        return;
    };
    let expected: Vec<&RawValue> = match whole.get() {
        "null" | "\"\"" => Vec::new(),
        many if many.starts_with('[') => serde_json::from_str(many).expect("a list"),
        // No document describes the rows.
        value => {
            let offset = (value.as_ptr() as usize - list.as_ptr() as usize) as u64;
            let bytes = value.as_bytes()[..value.len().min(limit)].to_vec();
            assert_eq!(rows, [Row::NotAList { offset, bytes }]);
            return;
        }
    };
    let start = list.as_ptr() as usize;
    for (at, expected) in expected.iter().enumerate() {
        let offset = (expected.get().as_ptr() as usize - start) as u64;
        if expected.get().len() > limit {
            let broken = Row::Broken {
                rows: at as u64,
                offset: offset + limit as u64,
                what: "a row is longer than the limit",
            };
            assert_eq!(rows[at..], [broken]);
            return;
        }
        let Row::Unreadable { index, offset: found, bytes, .. } = &rows[at] else {
            panic!("{:?} for {expected}", rows[at]);
        };
        assert_eq!((*index, *found, bytes.as_slice()), (at as u64, offset, expected.get().as_bytes()));
    }
    assert_eq!(rows.len(), expected.len(), "{}", lossy(list));
}

/// Returns whether this error says that the list is not JSON.
fn is_broken(row: &Row) -> bool {
    match row {
        Row::Broken { .. } | Row::NotAList { .. } => true,
        Row::Unreadable { bytes, .. } => serde_json::from_slice::<&RawValue>(bytes).is_err(),
        Row::Read { .. } => false,
    }
}
