//! Writes down which operations the sandboxes of a process have carried out, for the workspace's coverage check.

use std::collections::BTreeSet;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::sync::{LazyLock, Mutex, PoisonError};

use crate::spec::Spec;

/// The environment variable with the path of the file to append to. Nothing is written if it is not set.
const VARIABLE: &str = "LASTMILE_SANDBOX_TALLY";

static TALLY: LazyLock<Option<Mutex<Tally>>> = LazyLock::new(|| {
    let path = std::env::var_os(VARIABLE)?;
    let file = OpenOptions::new().create(true).append(true).open(path).ok()?;
    Some(Mutex::new(Tally { file, written: BTreeSet::new() }))
});

struct Tally {
    file: std::fs::File,
    written: BTreeSet<String>,
}

/// Writes the operation down, once per process.
pub(crate) fn count(spec: &Spec, operation: &str) {
    let Some(tally) = &*TALLY else { return };
    let title = spec.document()["info"]["title"].as_str().unwrap_or_default();
    let line = format!("{title}: {operation}\n");
    let mut tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
    if tally.written.insert(line.clone()) {
        // Several processes append to the file, so each line is written at once. A failed write shows as a missing
        // operation.
        let _ = tally.file.write_all(line.as_bytes());
    }
}
