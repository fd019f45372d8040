//! Measures what the library costs compared with the same work written by hand: `cargo xtask bench`.

use std::fs;
use std::process::ExitCode;

use lastmile_tests::bench::{Plan, Result, page, root};

const USAGE: &str = "\
usage: bench            measures for a quarter of an hour, and writes docs/performance.md
       bench --quick    measures little, and prints the page without the parts that need other builds;
                        its figures mean nothing";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match arguments[..] {
        [] => write(),
        ["--quick"] => page(&Plan::quick()).map(|page| print!("{page}")),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn write() -> Result<()> {
    let page = page(&Plan::full())?;
    let path = root().join("docs/performance.md");
    fs::write(&path, page).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(())
}
