//! The sandbox as a program: it prints where it listens and what it accepts, and runs until Ctrl-C, or until nobody reads what
//! it prints any more.

use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

use lastmile_sandbox::onapi::Availability;
use lastmile_sandbox::{BuildingKind, Cocon, Covage, Fault, Faults, OnApi, Sandbox, SandboxBuilder};

const USAGE: &str = "\
usage: lastmile-sandbox [--port N] [--seed N] [--faults P]

  --port N    the port of the first supplier, on 127.0.0.1; the others take those after it (default: any
              free ones)
  --seed N    where keys, ids, buildings and faults come from (default: 1)
  --faults P  the share of requests that meet with a fault, and of connections that are refused, from 0 to 1
              (default: 0): answers that are late, wrong, cut off or missing, 429, 5xx, resets, and requests
              that are carried out after the client gave up";

/// One of every kind, in which a client's patience is taken to be some seconds.
const KINDS: [Fault; 10] = [
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
    let wanted = match read(std::env::args().skip(1)) {
        Ok(Some(wanted)) => wanted,
        Ok(None) => {
            return match writeln!(io::stdout(), "{USAGE}") {
                Err(error) if error.kind() != io::ErrorKind::BrokenPipe => ExitCode::FAILURE,
                _ => ExitCode::SUCCESS,
            };
        }
        Err(problem) => {
            // Where nobody reads that either, the status tells.
            let _ = writeln!(io::stderr(), "{problem}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match run(wanted).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
            let _ = writeln!(io::stderr(), "{error}{cause}");
            ExitCode::FAILURE
        }
    }
}

#[derive(Debug)]
struct Wanted {
    builder: SandboxBuilder,
    seed: u64,
    faults: f64,
}

/// Nothing where help is asked for.
fn read(mut arguments: impl Iterator<Item = String>) -> Result<Option<Wanted>, String> {
    let mut wanted = Wanted { builder: Sandbox::builder(), seed: 1, faults: 0.0 };
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--port" => wanted.builder = wanted.builder.port(number("--port", arguments.next())?),
            "--seed" => wanted.seed = number("--seed", arguments.next())?,
            "--faults" => wanted.faults = share("--faults", arguments.next())?,
            "--help" | "-h" => return Ok(None),
            other => return Err(format!("unknown argument: {other}")),
        }
    }
    wanted.builder = wanted.builder.seed(wanted.seed);
    Ok(Some(wanted))
}

fn number<N: std::str::FromStr>(name: &str, value: Option<String>) -> Result<N, String> {
    let value = value.ok_or_else(|| format!("{name} needs a number"))?;
    value.parse().map_err(|_| format!("{name} cannot be {value}"))
}

fn share(name: &str, value: Option<String>) -> Result<f64, String> {
    let share = number(name, value)?;
    if (0.0..=1.0).contains(&share) { Ok(share) } else { Err(format!("{name} cannot be {share}")) }
}

async fn run(wanted: Wanted) -> Result<(), Box<dyn Error>> {
    let sandbox = wanted.builder.start().await?;
    let faults = Faults::new(wanted.seed, wanted.faults, KINDS).refusing(wanted.faults);
    for supplier in [&**sandbox.cocon(), sandbox.covage(), sandbox.onapi()] {
        supplier.set_faults(faults.clone());
    }
    match introduce_all(&sandbox, wanted.faults, &mut io::stdout()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(()),
        result => result?,
    }
    tokio::select! {
        result = tokio::signal::ctrl_c() => result?,
        () = nobody_reads() => {}
    }
    Ok(())
}

/// Waits until the other end of a pipe that standard output is written to is closed, as by `head`. Forever if it is none.
#[cfg(unix)]
async fn nobody_reads() {
    use rustix::event::{PollFd, PollFlags, poll};

    let (closed, is_closed) = tokio::sync::oneshot::channel::<()>();
    // A thread of its own, which does not keep the program from ending.
    std::thread::spawn(move || {
        let output = io::stdout();
        // Asked for nothing, it returns for errors only. A file has none: then this waits as long as the program runs.
        let mut outputs = [PollFd::new(&output, PollFlags::empty())];
        while let Err(rustix::io::Errno::INTR) = poll(&mut outputs, None) {}
        let _ = closed.send(());
    });
    // Fails if that thread panics.
    if is_closed.await.is_err() {
        std::future::pending().await
    }
}

#[cfg(not(unix))]
async fn nobody_reads() {
    std::future::pending().await
}

fn introduce_all(sandbox: &Sandbox, faults: f64, out: &mut impl Write) -> io::Result<()> {
    introduce(sandbox.cocon(), out)?;
    introduce_covage(sandbox.covage(), out)?;
    introduce_onapi(sandbox.onapi(), out)?;
    if faults > 0.0 {
        writeln!(out, "{} % of all requests and connections go wrong.", percent(faults))?;
    }
    writeln!(out, "Ctrl-C stops it.")?;
    out.flush()
}

/// A share as it was meant: 0.07 times 100 is not 7 in binary.
fn percent(share: f64) -> String {
    let rounded = format!("{:.4}", share * 100.0);
    let shortest = rounded.trim_end_matches('0').trim_end_matches('.');
    if shortest == "0" { "less than 0.0001".to_owned() } else { shortest.to_owned() }
}

fn introduce(cocon: &Cocon, out: &mut impl Write) -> io::Result<()> {
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

fn introduce_covage(covage: &Covage, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "Covage (France)  {}", covage.base_url())?;
    writeln!(out, "  E-mail:   {}", covage.email())?;
    writeln!(out, "  Password: {}", covage.password())?;
    for place in covage.premises().iter().filter(|place| !place.buildings.is_empty()).take(3) {
        let number = place.line.as_ref().map(|line| line.number.as_str()).unwrap_or_default();
        let building = place.buildings.iter().map(|building| building.reference.as_str()).next();
        writeln!(
            out,
            "  {} {}, {} {}: line {number}, building {}",
            place.street_number,
            place.street_name,
            place.zipcode,
            place.city,
            building.unwrap_or_default()
        )?;
    }
    Ok(())
}

fn introduce_onapi(onapi: &OnApi, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "ON-API (Sweden)  {}", onapi.base_url())?;
    writeln!(out, "  User:     {}", onapi.user())?;
    writeln!(out, "  Password: {}", onapi.password())?;
    for standing in [Availability::Free, Availability::Active, Availability::HeldByOther] {
        let accesses = onapi.accesses();
        let offered = accesses.iter().filter_map(|access| Some((access, access.service(standing)?))).take(3);
        let examples: Vec<_> =
            offered.map(|(access, offer)| format!("{} on {}", offer.service, access.id)).collect();
        writeln!(out, "  {standing:?}: {}, ...", examples.join(", "))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(line: &str) -> Result<Option<Wanted>, String> {
        read(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn reads_its_arguments() {
        let builder = Sandbox::builder().port(8080).seed(7);
        let wanted = Some(Wanted { builder, seed: 7, faults: 0.3 });
        let built = arguments("--port 8080 --seed 7 --faults 0.3").map(|wanted| format!("{wanted:?}"));
        assert_eq!(built, Ok(format!("{wanted:?}")));
        assert!(arguments("").is_ok_and(|wanted| wanted.is_some_and(|wanted| wanted.faults == 0.0)));
        assert!(arguments("--help").is_ok_and(|wanted| wanted.is_none()));
    }

    #[test]
    fn a_share_is_shown_as_it_was_meant() {
        for (share, shown) in [
            (0.07, "7"),
            (0.29, "29"),
            (0.3, "30"),
            (1.0, "100"),
            (0.005, "0.5"),
            (0.123_456, "12.3456"),
            (1e-9, "less than 0.0001"),
        ] {
            assert_eq!(percent(share), shown);
        }
    }

    #[test]
    fn says_what_is_wrong_with_them() {
        let problem = |line: &str| arguments(line).err().unwrap_or_default();
        assert_eq!(problem("--port"), "--port needs a number");
        assert_eq!(problem("--port 70000"), "--port cannot be 70000");
        assert_eq!(problem("--seed x"), "--seed cannot be x");
        assert_eq!(problem("--faults"), "--faults needs a number");
        for share in ["1.5", "-1", "NaN", "all"] {
            assert_eq!(problem(&format!("--faults {share}")), format!("--faults cannot be {share}"));
        }
        assert_eq!(problem("--colour"), "unknown argument: --colour");
    }
}
