//! Rows that are decoded ahead, and servers that send them slowly.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{FutureExt as _, Stream, StreamExt, stream};
use lastmile::{Outcome, Policy, RowError, Rows};
use lastmile_core::reqwest;
use lastmile_tests::rows_from_bytes::rows;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc;
use tokio::time::{Instant, advance, sleep};

type Row = BTreeMap<String, u64>;

fn threads() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_time().build().unwrap()
}

/// Returns a list of this many rows in pieces of 10,000 bytes.
fn pieces(count: u64) -> Vec<Bytes> {
    let list: Vec<String> = (0..count).map(|number| format!(r#"{{"number":{number}}}"#)).collect();
    let list = format!("[{}]", list.join(","));
    list.as_bytes().chunks(10_000).map(Bytes::copy_from_slice).collect()
}

async fn all(mut rows: Rows<Row>) -> Vec<u64> {
    let mut seen = Vec::new();
    while let Some(row) = rows.next().await {
        seen.push(row.unwrap()["number"]);
    }
    seen
}

#[test]
fn rows_keep_their_order_on_one_and_several_threads() {
    let policy = Policy::default();
    for runtime in [Builder::new_current_thread().enable_time().build().unwrap(), threads()] {
        let seen = runtime.block_on(async {
            let arriving = stream::iter(pieces(100_000)).map(Ok);
            tokio::spawn(all(rows(&policy, arriving, 100))).await.unwrap()
        });
        assert_eq!(seen, (0..100_000).collect::<Vec<_>>());
    }
}

/// A caller that shuts the runtime down and reads on must not take the missing rows for the end of the list.
#[test]
fn no_row_is_lost_when_the_runtime_shuts_down() {
    let policy = Policy::default();
    let runtime = threads();
    let mut reading =
        runtime.block_on(async { rows::<Row>(&policy, stream::iter(pieces(50_000)).map(Ok), 100) });
    let first = runtime.block_on(reading.next()).unwrap().unwrap();
    assert_eq!(first["number"], 0);
    let remains = runtime.handle().clone();
    runtime.shutdown_background();
    assert_eq!(remains.block_on(all(reading)), (1..50_000).collect::<Vec<_>>());
}

/// Returns the rows of a list that arrives as it is sent.
fn line() -> (mpsc::UnboundedSender<Bytes>, impl Stream<Item = reqwest::Result<Bytes>> + Send + Sync + 'static)
{
    let (sender, mut receiver) = mpsc::unbounded_channel();
    (sender, stream::poll_fn(move |cx| receiver.poll_recv(cx).map(|piece| piece.map(Ok))))
}

/// A call that was dropped half-way is resumed later, and the time between does not count.
#[tokio::test(start_paused = true)]
async fn the_caller_s_pauses_do_not_count_as_idle_time() {
    let idle = Duration::from_secs(30);
    let policy = Policy::default().with_stream_idle_timeout(idle).with_min_bytes_per_second(1000);
    for more in [true, false] {
        let (sender, arriving) = line();
        let mut reading = rows::<Row>(&policy, arriving, 100);
        assert!(reading.next().now_or_never().is_none(), "nothing has come");
        advance(2 * idle).await;
        if more {
            sender.send(Bytes::from_static(b"[{},")).unwrap();
            assert_eq!(reading.next().await.unwrap().unwrap(), Row::new());
        }
        // No more bytes arrive, and the idle timeout starts with this call.
        let asked = Instant::now();
        let Some(Err(RowError::Call(error))) = reading.next().await else { panic!("it stands still") };
        assert_eq!(error.outcome(), Outcome::Indeterminate);
        assert!(error.to_string().contains("stalled"), "{error}");
        assert!(asked.elapsed() >= idle && asked.elapsed() < 2 * idle);
        assert!(reading.next().await.is_none());
        drop(sender);
    }
}

/// A stream cannot tell that its caller does something else. It counts the time until bytes arrived, and not until they were read.
#[tokio::test(start_paused = true)]
async fn bytes_that_wait_for_the_caller_do_not_count_as_slow() {
    let idle = Duration::from_secs(30);
    let policy = Policy::default().with_stream_idle_timeout(idle).with_min_bytes_per_second(1000);
    let (sender, arriving) = line();
    let mut reading = rows::<Row>(&policy, arriving, 100);
    assert!(StreamExt::next(&mut reading).now_or_never().is_none(), "nothing has come");
    sender.send(Bytes::from_static(b"[{},")).unwrap();
    advance(10 * idle).await;
    assert_eq!(StreamExt::next(&mut reading).await.unwrap().unwrap(), Row::new());
    sender.send(Bytes::from_static(b"{}]")).unwrap();
    assert_eq!(StreamExt::next(&mut reading).await.unwrap().unwrap(), Row::new());
    drop(sender);
    assert!(StreamExt::next(&mut reading).await.is_none());
}

#[tokio::test(start_paused = true)]
async fn rows_that_arrived_too_slowly_are_still_returned() {
    let policy =
        Policy::default().with_stream_idle_timeout(Duration::from_secs(30)).with_min_bytes_per_second(1000);
    let (sender, arriving) = line();
    let mut reading = rows::<Row>(&policy, arriving, 100);
    let sending = tokio::spawn(async move {
        for piece in ["[{}", ",{}", ",{}", ",{}", ",{}"] {
            // Each piece is in time, and all of them together are too slow.
            sleep(Duration::from_secs(8)).await;
            sender.send(Bytes::from_static(piece.as_bytes())).unwrap();
        }
        sender
    });
    for _ in 0..4 {
        assert_eq!(reading.next().await.unwrap().unwrap(), Row::new());
    }
    let Some(Err(RowError::Call(error))) = reading.next().await else { panic!("it is too slow") };
    assert!(error.to_string().contains("more slowly than 1000 bytes"), "{error}");
    sending.abort();
}
