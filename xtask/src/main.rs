//! The workspace's own tasks, run as `cargo xtask TASK`.

mod bench;
mod codegen;

use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask codegen            write the client crates that specs/*.yaml give
       cargo xtask codegen --check    write nothing; fail with a diff when a committed file differs

       cargo xtask bench              measures for some ten minutes, and writes docs/performance.md";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let result = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["codegen"] => codegen::run(codegen::Mode::Write),
        ["codegen", "--check"] => codegen::run(codegen::Mode::Check),
        ["bench"] => bench::run(),
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
