//! Measures for `cargo xtask bench`, with the allocator mimalloc.

use std::process::ExitCode;

use mimalloc::MiMalloc;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    lastmile_tests::measure::run()
}
