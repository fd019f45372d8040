//! The workspace's own tasks, run as `cargo xtask TASK`.

mod codegen;
mod spec_diff;

use std::process::{Command, ExitCode};

use codegen::{Error, Mode};

const USAGE: &str = "\
usage: cargo xtask codegen            writes the client crates that specs/*.yaml give
       cargo xtask codegen --check    writes nothing; fails with a diff when a committed file differs

       cargo xtask spec-diff OLD NEW  says what a changed document means for callers: patch (exit status 0), minor (3) or major (4)

       cargo xtask bench              measures for a quarter of an hour, and writes docs/performance.md
       cargo xtask bench --quick      measures little, and prints the page
       cargo xtask bench outbox       measures the outbox beside job queues, and writes its section of docs/performance.md";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let result = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["codegen"] => codegen::run(Mode::Write).map(|()| ExitCode::SUCCESS),
        ["codegen", "--check"] => codegen::run(Mode::Check).map(|()| ExitCode::SUCCESS),
        ["spec-diff", old, new] => spec_diff::run(old, new).map(ExitCode::from),
        ["bench", ref arguments @ ..] => bench(arguments),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    result.unwrap_or_else(|error| {
        eprintln!("{error}");
        ExitCode::FAILURE
    })
}

/// Runs the program `bench` of `lastmile-tests`. Returns its exit status.
fn bench(arguments: &[&str]) -> Result<ExitCode, Error> {
    let run =
        ["run", "--quiet", "--release", "--locked", "--package", "lastmile-tests", "--bin", "bench", "--"];
    let status = Command::new(env!("CARGO")).args(run).args(arguments).status();
    let status = status.map_err(|error| Error(format!("cargo run: {error}")))?;
    // A program that a signal ended has no code.
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from))
}
