//! What calls and lists cost, beside the same done by hand: for `cargo xtask bench`. Linux only, for its `/proc`.

mod calls;
mod lists;
mod plain;
mod server;

pub use calls::{Caller, Cost, calls, follow};
pub use lists::{Listed, decode_at_once, decode_rows, drain, read_rows, time_rows};
pub use plain::PlainAccess;
pub use server::{access, list, serve};

use std::fs;
use std::time::Duration;

/// How long the threads of this process, as far as they are there still, have run.
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

/// The most memory that this process has had, in KiB.
///
/// # Panics
/// Where there is no `/proc`.
pub fn peak_memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("Linux");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    peak.and_then(|peak| peak.trim().trim_end_matches(" kB").parse().ok()).expect("it says so")
}
