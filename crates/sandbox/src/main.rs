//! Runs the sandbox as a program: prints where the suppliers listen and which credentials they accept, and runs until
//! Ctrl-C or until its output is closed.

use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

use lastmile_sandbox::onapi::Availability;
use lastmile_sandbox::{BuildingKind, Cocon, Covage, Dialect, Fault, Faults, OnApi, Sandbox, SandboxBuilder};

const USAGE: &str = "\
usage: lastmile-sandbox [--port N] [--seed N] [--faults P] [--onapi-dialect NAME]

  --port N    the port of the first supplier on 127.0.0.1; the others listen on the next ports (default: any
              free ports)
  --seed N    the seed of keys, ids, addresses and faults (default: 1)
  --faults P  the share of requests with a fault, and of connections that are reset, from 0 to 1 (default: 0);
              the faults are late, wrong, truncated or missing responses, 429, 5xx, resets, and requests that
              are carried out after the client has timed out
  --onapi-dialect NAME
              the version and form of the ON-API: vendor26, standard26, standard25 or standard24 (default:
              vendor26)

Each supplier serves its OpenAPI document at /openapi.json.";

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

#[tokio::main]
async fn main() -> ExitCode {
    let options = match parse(std::env::args().skip(1)) {
        Ok(Some(options)) => options,
        Ok(None) => {
            return match writeln!(io::stdout(), "{USAGE}") {
                Err(error) if error.kind() != io::ErrorKind::BrokenPipe => ExitCode::FAILURE,
                _ => ExitCode::SUCCESS,
            };
        }
        Err(problem) => {
            // If standard error is closed too, the exit status is the only report.
            let _ = writeln!(io::stderr(), "{problem}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match run(options).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
            let _ = writeln!(io::stderr(), "{error}{cause}");
            ExitCode::FAILURE
        }
    }
}

#[derive(Debug)]
struct Options {
    builder: SandboxBuilder,
    seed: u64,
    faults: f64,
}

/// Parses the arguments. Returns `None` if help is requested.
fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Option<Options>, String> {
    let mut options = Options { builder: Sandbox::builder(), seed: 1, faults: 0.0 };
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--port" => options.builder = options.builder.port(number("--port", arguments.next())?),
            "--seed" => options.seed = number("--seed", arguments.next())?,
            "--faults" => options.faults = fraction("--faults", arguments.next())?,
            "--onapi-dialect" => {
                options.builder = options.builder.onapi_dialect(dialect(arguments.next())?);
            }
            "--help" | "-h" => return Ok(None),
            other => return Err(format!("unknown argument: {other}")),
        }
    }
    options.builder = options.builder.seed(options.seed);
    Ok(Some(options))
}

fn dialect(name: Option<String>) -> Result<Dialect, String> {
    let name = name.ok_or("--onapi-dialect needs a name")?;
    let named = Dialect::ALL.into_iter().find(|dialect| dialect.name() == name);
    named.ok_or_else(|| format!("--onapi-dialect cannot be {name}"))
}

fn number<N: std::str::FromStr>(name: &str, value: Option<String>) -> Result<N, String> {
    let value = value.ok_or_else(|| format!("{name} needs a number"))?;
    value.parse().map_err(|_| format!("{name} cannot be {value}"))
}

fn fraction(name: &str, value: Option<String>) -> Result<f64, String> {
    let fraction = number(name, value)?;
    if (0.0..=1.0).contains(&fraction) { Ok(fraction) } else { Err(format!("{name} cannot be {fraction}")) }
}

async fn run(options: Options) -> Result<(), Box<dyn Error>> {
    let sandbox = options.builder.start().await?;
    let faults = Faults::new(options.seed, options.faults, FAULTS).refusing_connections(options.faults);
    for supplier in [&**sandbox.cocon(), sandbox.covage(), sandbox.onapi()] {
        supplier.set_faults(faults.clone());
    }
    match print_all(&sandbox, options.faults, &mut io::stdout()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(()),
        result => result?,
    }
    tokio::select! {
        result = tokio::signal::ctrl_c() => result?,
        () = output_closed() => {}
    }
    Ok(())
}

/// Waits until the reader of standard output closes its end of the pipe, as `head` does. Waits forever if standard
/// output is no pipe.
#[cfg(unix)]
async fn output_closed() {
    use rustix::event::{PollFd, PollFlags, poll};

    let (closed, is_closed) = tokio::sync::oneshot::channel::<()>();
    // A separate thread, which does not keep the program running.
    std::thread::spawn(move || {
        let output = io::stdout();
        // Without requested events, `poll` returns only on errors. A file never has one, so this then waits as long
        // as the program runs.
        let mut outputs = [PollFd::new(&output, PollFlags::empty())];
        while let Err(rustix::io::Errno::INTR) = poll(&mut outputs, None) {}
        let _ = closed.send(());
    });
    // Fails if the thread panics.
    if is_closed.await.is_err() {
        std::future::pending().await
    }
}

#[cfg(not(unix))]
async fn output_closed() {
    std::future::pending().await
}

fn print_all(sandbox: &Sandbox, faults: f64, out: &mut impl Write) -> io::Result<()> {
    print_cocon(sandbox.cocon(), out)?;
    print_covage(sandbox.covage(), out)?;
    print_onapi(sandbox.onapi(), out)?;
    if faults > 0.0 {
        writeln!(out, "{} % of all requests and connections get a fault.", percent(faults))?;
    }
    writeln!(out, "Ctrl-C stops it.")?;
    out.flush()
}

/// Formats a fraction as a percentage without binary rounding errors: 0.07 times 100 is not exactly 7.
fn percent(fraction: f64) -> String {
    let rounded = format!("{:.4}", fraction * 100.0);
    let shortest = rounded.trim_end_matches('0').trim_end_matches('.');
    if shortest == "0" { "less than 0.0001".to_owned() } else { shortest.to_owned() }
}

fn print_cocon(cocon: &Cocon, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "Cocon (Netherlands)  {}", cocon.base_url())?;
    writeln!(out, "  Api-Key:   {}", cocon.api_key())?;
    writeln!(out, "  Client-Id: {}", cocon.client_id())?;
    let buildings = cocon.buildings();
    for kind in [BuildingKind::Prepared, BuildingKind::Unprepared, BuildingKind::Complex] {
        let examples = buildings.iter().filter(|building| building.kind == kind).take(3);
        let examples: Vec<_> =
            examples.map(|building| format!("{} (id {})", building.name, building.id)).collect();
        writeln!(out, "  {kind:?} buildings ({}): {}, ...", kind.connection_outcome(), examples.join(", "))?;
    }
    Ok(())
}

fn print_covage(covage: &Covage, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "Covage (France)  {}", covage.base_url())?;
    writeln!(out, "  E-mail:   {}", covage.email())?;
    writeln!(out, "  Password: {}", covage.password())?;
    for premises in covage.premises().iter().filter(|premises| !premises.buildings.is_empty()).take(3) {
        let number = premises.line.as_ref().map(|line| line.number.as_str()).unwrap_or_default();
        let building = premises.buildings.iter().map(|building| building.reference.as_str()).next();
        writeln!(
            out,
            "  {} {}, {} {}: line {number}, building {}",
            premises.street_number,
            premises.street_name,
            premises.zipcode,
            premises.city,
            building.unwrap_or_default()
        )?;
    }
    Ok(())
}

fn print_onapi(onapi: &OnApi, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "ON-API (Sweden)  {}", onapi.base_url())?;
    writeln!(out, "  User:     {}", onapi.user())?;
    writeln!(out, "  Password: {}", onapi.password())?;
    for availability in [Availability::Free, Availability::Active, Availability::HeldByOther] {
        let accesses = onapi.accesses();
        let offered =
            accesses.iter().filter_map(|access| Some((access, access.service(availability)?))).take(3);
        let examples: Vec<_> =
            offered.map(|(access, offer)| format!("{} on {}", offer.service, access.id)).collect();
        writeln!(out, "  {availability:?}: {}, ...", examples.join(", "))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(line: &str) -> Result<Option<Options>, String> {
        parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn arguments_are_parsed() {
        let builder = Sandbox::builder().port(8080).seed(7).onapi_dialect(Dialect::Standard24);
        let options = Some(Options { builder, seed: 7, faults: 0.3 });
        let built = arguments("--port 8080 --seed 7 --faults 0.3 --onapi-dialect standard24")
            .map(|options| format!("{options:?}"));
        assert_eq!(built, Ok(format!("{options:?}")));
        assert!(arguments("").is_ok_and(|options| options.is_some_and(|options| options.faults == 0.0)));
        assert!(arguments("--help").is_ok_and(|options| options.is_none()));
    }

    #[test]
    fn percentages_are_printed_without_rounding_errors() {
        for (fraction, shown) in [
            (0.07, "7"),
            (0.29, "29"),
            (0.3, "30"),
            (1.0, "100"),
            (0.005, "0.5"),
            (0.123_456, "12.3456"),
            (1e-9, "less than 0.0001"),
        ] {
            assert_eq!(percent(fraction), shown);
        }
    }

    #[test]
    fn invalid_arguments_have_messages() {
        let problem = |line: &str| arguments(line).err().unwrap_or_default();
        assert_eq!(problem("--port"), "--port needs a number");
        assert_eq!(problem("--port 70000"), "--port cannot be 70000");
        assert_eq!(problem("--seed x"), "--seed cannot be x");
        assert_eq!(problem("--faults"), "--faults needs a number");
        for fraction in ["1.5", "-1", "NaN", "all"] {
            assert_eq!(problem(&format!("--faults {fraction}")), format!("--faults cannot be {fraction}"));
        }
        assert_eq!(problem("--onapi-dialect"), "--onapi-dialect needs a name");
        assert_eq!(problem("--onapi-dialect standard27"), "--onapi-dialect cannot be standard27");
        assert_eq!(problem("--colour"), "unknown argument: --colour");
    }
}
