//! Measures for `cargo xtask bench`, with the allocator of the system.

use std::process::ExitCode;

fn main() -> ExitCode {
    lastmile_tests::measure::run()
}
