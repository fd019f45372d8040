//! A long list, read as a stream of rows, and all at once.

use std::hint::black_box;
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use lastmile::Policy;
use lastmile::onapi::{Changes, Dialect, OnApi};
use lastmile_core::reqwest;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::progenitor::Client;
use super::{cpu, peak_memory};

/// The cost of reading a list.
#[derive(Debug, Serialize, Deserialize)]
pub struct Listed {
    /// The number of rows.
    pub rows: usize,
    /// From the first byte of the response to the last row.
    pub seconds: f64,
    /// From the head of the response to the first row.
    pub first_row_ms: f64,
    /// The CPU time of the threads.
    pub cpu_seconds: f64,
    /// The peak memory of the process.
    pub peak_kib: u64,
}

impl Listed {
    /// Returns the current values. The first row is available together with the last.
    fn of(rows: usize, started: Instant, before: Duration) -> Self {
        let seconds = started.elapsed().as_secs_f64();
        let cpu_seconds = cpu().saturating_sub(before).as_secs_f64();
        Self { rows, seconds, first_row_ms: seconds * 1000.0, cpu_seconds, peak_kib: peak_memory() }
    }
}

/// Reads all accesses of a network as a stream of rows.
///
/// # Panics
/// If the network does not respond with accesses.
pub async fn read_rows(base: &str) -> Listed {
    let policy = Policy::default().with_deadline(Duration::from_secs(600));
    let network = OnApi::builder(base)
        .dialect(Dialect::Vendor26)
        .login("sp", "invented")
        .policy(policy)
        .build()
        .expect("loopback");
    let before = cpu();
    let Changes::Rows(mut rows) = network.accesses(None).await.expect("it answers") else {
        panic!("there are accesses")
    };
    let started = Instant::now();
    let (mut count, mut first) = (0, None);
    while let Some(row) = rows.next().await {
        first.get_or_insert_with(|| started.elapsed());
        count += usize::from(row.expect("an access").access_id.get().is_some());
    }
    Listed {
        first_row_ms: first.unwrap_or_default().as_secs_f64() * 1000.0,
        ..Listed::of(count, started, before)
    }
}

/// Reads the bytes of the list of all accesses and drops them: the cost of a stream of rows without its rows.
///
/// # Panics
/// If the network does not respond with a list.
pub async fn drain(base: &str) -> Listed {
    let request = reqwest::Client::new().get(format!("{base}/accesses/")).basic_auth("sp", Some("invented"));
    let before = cpu();
    let mut response = request.send().await.expect("it answers");
    let started = Instant::now();
    let mut bytes = 0;
    while let Some(chunk) = response.chunk().await.expect("it goes on") {
        bytes += chunk.len();
    }
    assert!(bytes > 0, "there are accesses");
    Listed::of(0, started, before)
}

/// Decodes rows in memory, one by one, and drops them: the cost of a stream of rows without its bytes.
///
/// # Panics
/// If a row cannot be decoded.
pub fn decode_rows<T: DeserializeOwned>(rows: &[String]) {
    for row in rows {
        black_box(serde_json::from_str::<T>(row).expect("a row"));
    }
}

/// Measures [`decode_rows`].
pub fn time_rows<T: DeserializeOwned>(rows: &[String]) -> Listed {
    let (started, before) = (Instant::now(), cpu());
    decode_rows::<T>(rows);
    Listed::of(rows.len(), started, before)
}

/// Decodes a list in memory, all at once.
///
/// # Panics
/// If it is not a list of accesses.
pub fn decode_at_once<T: DeserializeOwned>(list: &[u8]) -> Listed {
    let (started, before) = (Instant::now(), cpu());
    let accesses: Vec<T> = serde_json::from_slice(list).expect("accesses");
    Listed::of(accesses.len(), started, before)
}

/// Reads all accesses with the client that progenitor generates.
///
/// # Panics
/// If the network does not respond with accesses.
pub async fn read_with_progenitor(base: &str) -> Listed {
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    let client = Client::new_with_client(base, client);
    let (started, before) = (Instant::now(), cpu());
    let accesses = client.list_accesses().await.expect("accesses").into_inner();
    Listed::of(accesses.len(), started, before)
}
