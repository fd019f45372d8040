//! Fails if a run of all tests left an operation of the documents that no sandbox carried out.
//!
//! Sandboxes append each operation that they carry out to the file in the environment variable `LASTMILE_SANDBOX_TALLY`.
//! `.ci/run` sets it for the tests, and then passes the file to this program.

use std::collections::BTreeSet;
use std::process::ExitCode;

use lastmile_sandbox::Spec;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [path] = arguments.as_slice() else {
        eprintln!("usage: operations TALLY");
        return ExitCode::from(2);
    };
    let tally = match std::fs::read_to_string(path) {
        Ok(tally) => tally,
        Err(error) => {
            eprintln!("{path}: {error}");
            return ExitCode::FAILURE;
        }
    };
    let performed: BTreeSet<&str> = tally.lines().collect();
    let missing: Vec<String> = [Spec::cocon(), Spec::covage(), Spec::onapi()]
        .into_iter()
        .flat_map(|spec| {
            let title = spec.document()["info"]["title"].as_str().unwrap_or_default();
            spec.operations().map(move |operation| format!("{title}: {}", operation.id))
        })
        .filter(|line| !performed.contains(line.as_str()))
        .collect();
    if missing.is_empty() {
        return ExitCode::SUCCESS;
    }
    eprintln!("No sandbox of a test carried out these operations:\n{}", missing.join("\n"));
    ExitCode::FAILURE
}
