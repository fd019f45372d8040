//! Runs the journeys of the facades through Prism, which validates each request and each response against the document
//! that the sandbox serves. Fails on a violation in either direction.
//!
//! ```text
//! cargo run -p lastmile-tests --bin proxied -- PRISM
//! ```
//!
//! `PRISM` is the path of Prism's command, which `tests/interop/prism.sh` installs.

use std::process::ExitCode;

use lastmile_sandbox::Dialect;
use lastmile_tests::proxied;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [prism] = arguments.as_slice() else {
        eprintln!("usage: proxied PRISM");
        return ExitCode::from(2);
    };
    let mut failed = false;
    let mut show = |result: Result<proxied::Report, proxied::Failure>| match result {
        Ok(report) => println!("{report}"),
        Err(error) => {
            failed = true;
            eprintln!("{error}");
        }
    };
    for dialect in Dialect::ALL {
        show(proxied::onapi(prism, dialect).await);
    }
    show(proxied::covage(prism).await);
    show(proxied::cocon(prism).await);
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
