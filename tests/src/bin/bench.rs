//! Measures what the library costs compared with the same work written by hand: `cargo xtask bench`.

use std::fs;
use std::process::ExitCode;

use lastmile_tests::bench::{Plan, Result, page, root};

const USAGE: &str = "\
usage: bench            measures for a quarter of an hour, and writes docs/performance.md
       bench --quick    measures little, and prints the page without the parts that need other builds;
                        its figures mean nothing
       bench outbox     measures the outbox beside job queues for half an hour, and writes its section of docs/performance.md;
                        needs PostgreSQL, and builds tests/peers
       bench outbox --quick
                        measures little, and prints the section";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match arguments[..] {
        [] => write(),
        ["outbox"] => outbox(1).and_then(|section| write_page(&with_section(&read_page(), &section))),
        // A process that the measurement of the outbox starts.
        ["outbox-sandbox"] => serve_sandbox(),
        ["outbox", "--quick"] => outbox(100).map(|section| print!("{section}")),
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
    // The section of the outbox is measured by itself.
    let old = read_page();
    let section = old.find(OUTBOX).map(|at| &old[at..]).unwrap_or_default();
    write_page(&with_section(&page, section))
}

/// The heading of the section that `bench outbox` writes, the last one of the page.
const OUTBOX: &str = "## The outbox";

fn serve_sandbox() -> Result<()> {
    tokio::runtime::Runtime::new()?.block_on(lastmile_tests::outbox_bench::serve_sandbox())
}

fn outbox(scale: usize) -> Result<String> {
    tokio::runtime::Runtime::new()?.block_on(lastmile_tests::outbox_bench::section(scale))
}

fn with_section(page: &str, section: &str) -> String {
    let rest = page.split(OUTBOX).next().unwrap_or(page).trim_end();
    format!("{rest}\n\n{section}").trim_end().to_owned() + "\n"
}

fn read_page() -> String {
    fs::read_to_string(root().join("docs/performance.md")).unwrap_or_default()
}

fn write_page(page: &str) -> Result<()> {
    let path = root().join("docs/performance.md");
    fs::write(&path, page).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(())
}
