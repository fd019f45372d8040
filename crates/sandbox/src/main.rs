//! Runs the sandbox as a program: prints where the suppliers listen and which credentials they accept, and runs until
//! Ctrl-C or until its output is closed.

mod program;

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    program::main().await
}
