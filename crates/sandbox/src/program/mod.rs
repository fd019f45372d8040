//! The program.

mod options;
mod output;
mod print;
mod rule;

use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use lastmile_sandbox::{Fault, Faults, Sandbox, SupplierName};

use options::Options;

/// One fault of every kind, for clients with a timeout of some seconds.
const FAULTS: [Fault; 10] = [
    Fault::ResetBefore,
    Fault::ResetAfter,
    Fault::CarriedOutLate(Duration::from_secs(5)),
    Fault::Latency(Duration::from_secs(2)),
    Fault::Silence,
    Fault::Throttled(Some(Duration::from_secs(1))),
    Fault::Unavailable(503),
    Fault::FailedAfter(502),
    Fault::Truncated,
    Fault::WrongBody,
];

/// Parses the arguments and runs the sandbox.
pub(crate) async fn main() -> ExitCode {
    let options = match Options::try_parse() {
        Ok(options) => options,
        Err(error) => return report(&error),
    };
    match run(&options).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
            // If standard error is closed too, the exit status is the only report.
            let _ = writeln!(io::stderr(), "{error}{cause}");
            ExitCode::FAILURE
        }
    }
}

/// Prints the help, the version, or what is wrong with the arguments.
fn report(error: &clap::Error) -> ExitCode {
    let text = error.render();
    if error.use_stderr() {
        let _ = write!(io::stderr(), "{text}");
        return ExitCode::from(2);
    }
    match write!(io::stdout(), "{text}") {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => ExitCode::FAILURE,
        _ => ExitCode::SUCCESS,
    }
}

async fn run(options: &Options) -> Result<(), Box<dyn Error>> {
    let sandbox = options.builder().start().await?;
    set_faults(&sandbox, options)?;
    if !options.bind.is_loopback() {
        let _ = writeln!(
            io::stderr(),
            "Warning: everyone who reaches {} can use the suppliers and the control API, which has no credentials.",
            options.bind
        );
    }
    match print::print_all(&sandbox, options, &mut io::stdout()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(()),
        result => result?,
    }
    tokio::select! {
        result = interrupted() => result?,
        () = output::closed() => {}
    }
    Ok(())
}

/// Sets the faults of single operations, then those of all requests. Fails if ON-API is to have faults of an operation
/// that its dialect does not have.
fn set_faults(sandbox: &Sandbox, options: &Options) -> Result<(), String> {
    for name in SupplierName::ALL {
        let supplier = sandbox.supplier(name);
        for rule in &options.fault {
            let Some(faults) = rule.faults(name, options.seed) else { continue };
            if let Some(unknown) = faults.operations().find(|id| supplier.spec().operation(id).is_none()) {
                return Err(format!(
                    "{name} has no operation {unknown} in the dialect {}",
                    options.dialect.name()
                ));
            }
            supplier.add_faults(faults);
        }
        if options.faults > 0.0 {
            let faults = Faults::new(options.seed, options.faults, FAULTS);
            supplier.add_faults(faults.refusing_connections(options.faults));
        }
    }
    Ok(())
}

/// Waits for Ctrl-C, or for the signal that asks a program to end.
#[cfg(unix)]
async fn interrupted() -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        result = tokio::signal::ctrl_c() => result,
        _ = terminate.recv() => Ok(()),
    }
}

#[cfg(not(unix))]
async fn interrupted() -> io::Result<()> {
    tokio::signal::ctrl_c().await
}
