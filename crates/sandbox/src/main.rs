//! The sandbox as a program: it says where it listens and what it accepts, and runs until Ctrl-C.
#![allow(clippy::print_stdout, reason = "a program talks to whoever started it")]

use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use lastmile_sandbox::onapi::Standing;
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
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        Err(problem) => {
            eprintln!("{problem}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match run(wanted).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
            eprintln!("{error}{cause}");
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
    introduce(sandbox.cocon());
    introduce_covage(sandbox.covage());
    introduce_onapi(sandbox.onapi());
    if wanted.faults > 0.0 {
        println!("{} % of all requests and connections go wrong.", wanted.faults * 100.0);
    }
    println!("Ctrl-C stops it.");
    tokio::signal::ctrl_c().await?;
    Ok(())
}

fn introduce(cocon: &Cocon) {
    println!("Cocon (Netherlands)  {}", cocon.base_url());
    println!("  Api-Key:   {}", cocon.api_key());
    println!("  Client-Id: {}", cocon.client_id());
    let buildings = cocon.buildings();
    for kind in [BuildingKind::Prepared, BuildingKind::Unprepared, BuildingKind::Complex] {
        let examples = buildings.iter().filter(|building| building.kind == kind).take(3);
        let examples: Vec<_> =
            examples.map(|building| format!("{} (id {})", building.name, building.id)).collect();
        println!("  {kind:?} buildings ({}): {}, ...", kind.good_for(), examples.join(", "));
    }
}

fn introduce_covage(covage: &Covage) {
    println!("Covage (France)  {}", covage.base_url());
    println!("  E-mail:   {}", covage.email());
    println!("  Password: {}", covage.password());
    for place in covage.premises().iter().filter(|place| !place.buildings.is_empty()).take(3) {
        let number = place.line.as_ref().map(|line| line.number.as_str()).unwrap_or_default();
        let building = place.buildings.iter().map(|building| building.reference.as_str()).next();
        println!(
            "  {} {}, {} {}: line {number}, building {}",
            place.street_number,
            place.street_name,
            place.zipcode,
            place.city,
            building.unwrap_or_default()
        );
    }
}

fn introduce_onapi(onapi: &OnApi) {
    println!("ON-API (Sweden)  {}", onapi.base_url());
    println!("  User:     {}", onapi.user());
    println!("  Password: {}", onapi.password());
    for standing in [Standing::Free, Standing::Active, Standing::Taken] {
        let accesses = onapi.accesses();
        let offered = accesses.iter().filter_map(|access| Some((access, access.service(standing)?))).take(3);
        let examples: Vec<_> =
            offered.map(|(access, offer)| format!("{} on {}", offer.service, access.id)).collect();
        println!("  {standing:?}: {}, ...", examples.join(", "));
    }
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
