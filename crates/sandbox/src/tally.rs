//! Which operations the sandboxes of a process have carried out, written down for the workspace's own tasks.

use std::collections::BTreeSet;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::sync::{LazyLock, Mutex, PoisonError};

use crate::spec::Spec;

/// Names the file that is written to, if there is to be one.
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

/// Writes the operation down, once in a process.
pub(crate) fn count(spec: &Spec, operation: &str) {
    let Some(tally) = &*TALLY else { return };
    let title = spec.document()["info"]["title"].as_str().unwrap_or_default();
    let line = format!("{title}: {operation}\n");
    let mut tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
    if tally.written.insert(line.clone()) {
        // Several processes write to the file: a line goes out whole. Who reads it misses what could not be written.
        let _ = tally.file.write_all(line.as_bytes());
    }
}
