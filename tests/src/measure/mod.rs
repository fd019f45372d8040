//! Compares the cost of calls and lists with the same work written by hand, for `cargo xtask bench`. Linux only, for its
//! `/proc`.

mod calls;
mod lists;
mod plain;
mod progenitor;
mod program;
mod server;

pub use calls::{Caller, Cost, FutureSizes, calls, follow, future_sizes};
pub use lists::{Listed, decode_at_once, decode_rows, drain, read_rows, read_with_progenitor, time_rows};
pub use plain::PlainAccess;
pub use program::run;
pub use server::{RowSize, access, list, serve};

use std::fs;
use std::time::Duration;

/// Returns the CPU time of the threads of this process that still exist.
///
/// # Panics
/// Where there is no `/proc`.
pub fn cpu() -> Duration {
    let threads = fs::read_dir("/proc/self/task").expect("Linux");
    let nanoseconds = threads.filter_map(|thread| {
        let text = fs::read_to_string(thread.ok()?.path().join("schedstat")).ok()?;
        text.split(' ').next()?.parse::<u64>().ok()
    });
    Duration::from_nanos(nanoseconds.sum())
}

/// Returns the peak memory of this process, in KiB.
///
/// # Panics
/// Where there is no `/proc`.
pub fn peak_memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("Linux");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    peak.and_then(|peak| peak.trim().trim_end_matches(" kB").parse().ok()).expect("it says so")
}
