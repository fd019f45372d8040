//! The sandbox as a program: it says where it listens and what it accepts, and runs until Ctrl-C.
#![allow(clippy::print_stdout, reason = "a program talks to whoever started it")]

use std::error::Error;
use std::process::ExitCode;

use lastmile_sandbox::onapi::Standing;
use lastmile_sandbox::{BuildingKind, Cocon, Covage, OnApi, Sandbox, SandboxBuilder};

const USAGE: &str = "\
usage: lastmile-sandbox [--port N] [--seed N]

  --port N   the port of the first supplier, on 127.0.0.1; the others take those after it (default: any
             free ones)
  --seed N   where keys, ids and buildings come from (default: 1)";

#[tokio::main]
async fn main() -> ExitCode {
    let builder = match read(std::env::args().skip(1)) {
        Ok(Some(builder)) => builder,
        Ok(None) => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        Err(problem) => {
            eprintln!("{problem}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match run(builder).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
            eprintln!("{error}{cause}");
            ExitCode::FAILURE
        }
    }
}

/// Nothing where help is asked for.
fn read(mut arguments: impl Iterator<Item = String>) -> Result<Option<SandboxBuilder>, String> {
    let mut builder = Sandbox::builder();
    while let Some(argument) = arguments.next() {
        builder = match argument.as_str() {
            "--port" => builder.port(number("--port", arguments.next())?),
            "--seed" => builder.seed(number("--seed", arguments.next())?),
            "--help" | "-h" => return Ok(None),
            other => return Err(format!("unknown argument: {other}")),
        };
    }
    Ok(Some(builder))
}

fn number<N: std::str::FromStr>(name: &str, value: Option<String>) -> Result<N, String> {
    let value = value.ok_or_else(|| format!("{name} needs a number"))?;
    value.parse().map_err(|_| format!("{name} cannot be {value}"))
}

async fn run(builder: SandboxBuilder) -> Result<(), Box<dyn Error>> {
    let sandbox = builder.start().await?;
    introduce(sandbox.cocon());
    introduce_covage(sandbox.covage());
    introduce_onapi(sandbox.onapi());
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

    fn arguments(line: &str) -> Result<Option<SandboxBuilder>, String> {
        read(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn reads_its_arguments() {
        let built = arguments("--port 8080 --seed 7").map(|builder| format!("{builder:?}"));
        assert_eq!(built, Ok(format!("{:?}", Some(Sandbox::builder().port(8080).seed(7)))));
        assert!(arguments("--help").is_ok_and(|builder| builder.is_none()));
    }

    #[test]
    fn says_what_is_wrong_with_them() {
        let problem = |line| arguments(line).err().unwrap_or_default();
        assert_eq!(problem("--port"), "--port needs a number");
        assert_eq!(problem("--port 70000"), "--port cannot be 70000");
        assert_eq!(problem("--seed x"), "--seed cannot be x");
        assert_eq!(problem("--colour"), "unknown argument: --colour");
    }
}
