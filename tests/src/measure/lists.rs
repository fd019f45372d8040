//! A long list, read as a stream of rows, and all at once.

use std::time::{Duration, Instant};

use lastmile::Policy;
use lastmile::onapi::types::Access;
use lastmile::onapi::{Changes, OnApi};
use serde::{Deserialize, Serialize};

use super::{cpu, peak_memory};

/// What reading a list took.
#[derive(Debug, Serialize, Deserialize)]
pub struct Listed {
    /// How many rows there were.
    pub rows: usize,
    /// From the first byte of the answer to the last row.
    pub seconds: f64,
    /// From the head of the answer to the first row.
    pub first_row_ms: f64,
    /// How long the threads ran.
    pub cpu_seconds: f64,
    /// The most memory of the process.
    pub peak_kib: u64,
}

/// Reads all accesses of a network as a stream of rows.
///
/// # Panics
/// If the network does not answer with accesses.
pub async fn read_rows(base: &str) -> Listed {
    let policy = Policy { deadline: Duration::from_secs(600), ..Policy::default() };
    let network = OnApi::builder(base).login("sp", "invented").policy(policy).build().expect("loopback");
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
        rows: count,
        seconds: started.elapsed().as_secs_f64(),
        first_row_ms: first.unwrap_or_default().as_secs_f64() * 1000.0,
        cpu_seconds: (cpu() - before).as_secs_f64(),
        peak_kib: peak_memory(),
    }
}

/// Decodes a list that lies in memory, all at once.
///
/// # Panics
/// If it is no list of accesses.
pub fn decode_at_once(list: &[u8]) -> Listed {
    let (started, before) = (Instant::now(), cpu());
    let accesses: Vec<Access> = serde_json::from_slice(list).expect("accesses");
    let seconds = started.elapsed().as_secs_f64();
    Listed {
        rows: accesses.len(),
        seconds,
        first_row_ms: seconds * 1000.0,
        cpu_seconds: (cpu() - before).as_secs_f64(),
        peak_kib: peak_memory(),
    }
}
