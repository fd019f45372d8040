//! What the program prints at its start.

use std::io::{self, Write};

use lastmile_sandbox::onapi::Availability;
use lastmile_sandbox::{BuildingKind, Cocon, ControlApi, Covage, OnApi, Sandbox, SupplierName};

use super::options::{Clock, Options};

/// How many accesses are looked at for examples; the initial states repeat after six.
const SAMPLE: usize = 30;

pub(super) fn print_all(sandbox: &Sandbox, options: &Options, out: &mut impl Write) -> io::Result<()> {
    for name in SupplierName::ALL {
        writeln!(out, "{name} ({})  {}", name.country(), sandbox.supplier(name).base_url())?;
        if let Some(control) = sandbox.control() {
            let credentials = control.credentials(name);
            for credential in &credentials {
                writeln!(out, "  {:<10} {}", format!("{}:", credential.name), credential.value)?;
            }
        }
        match name {
            SupplierName::Cocon => print_cocon(sandbox.cocon(), out)?,
            SupplierName::Covage => print_covage(sandbox.covage(), out)?,
            SupplierName::OnApi => print_onapi(sandbox.onapi(), out)?,
        }
        if let Some(control) = sandbox.control() {
            print_example(control, name, &sandbox.supplier(name).base_url(), out)?;
        }
        writeln!(out)?;
    }
    if let Some(control) = sandbox.control() {
        print_control(control, out)?;
    }
    match options.clock {
        Clock::Wall => writeln!(
            out,
            "A simulated day takes {} s. With each day, every open order advances by one state.",
            shortest(86_400.0 / options.speed)
        )?,
        Clock::Manual => writeln!(out, "Time stands still until the page or the control API lets it pass.")?,
    }
    if options.faults > 0.0 {
        writeln!(out, "{} % of all requests and connections get a fault.", percent(options.faults))?;
    }
    if let Some(control) = sandbox.control() {
        writeln!(out, "\nThe page is at {}/", control.base_url())?;
    }
    writeln!(out, "Ctrl-C stops it.")?;
    out.flush()
}

/// Prints lines for a shell that place an order.
fn print_example(
    control: &ControlApi,
    name: SupplierName,
    base_url: &str,
    out: &mut impl Write,
) -> io::Result<()> {
    let origin = base_url.split('/').take(3).collect::<Vec<_>>().join("/");
    writeln!(out, "  Document:  {origin}/openapi.yaml")?;
    for step in control.example(name) {
        writeln!(out, "  # {}\n  {}", step.title, step.curl(base_url))?;
    }
    Ok(())
}

fn print_control(control: &ControlApi, out: &mut impl Write) -> io::Result<()> {
    let url = control.base_url();
    writeln!(out, "Control API  {url}")?;
    writeln!(out, "  Document:  {url}/openapi.yaml")?;
    writeln!(
        out,
        "  # Let a day pass: every open order advances by one state\n  curl -sS -X POST '{url}/advance'"
    )?;
    writeln!(
        out,
        "  # The next order at ON-API takes effect, but the client gets no response\n  \
         curl -sS '{url}/suppliers/onapi/script' -H 'Content-Type: application/json' \
         -d '{{\"operation\":\"createOrder\",\"fault\":\"reset-after\"}}'"
    )?;
    writeln!(out, "  # What arrived, and what took effect\n  curl -sS '{url}/suppliers/onapi/effects'")?;
    writeln!(out)
}

/// Formats a number without trailing zeros.
fn shortest(number: f64) -> String {
    let rounded = format!("{number:.4}");
    rounded.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Formats a fraction as a percentage without binary rounding errors: 0.07 times 100 is not exactly 7.
fn percent(fraction: f64) -> String {
    let shortest = shortest(fraction * 100.0);
    if shortest == "0" { "less than 0.0001".to_owned() } else { shortest }
}

fn print_cocon(cocon: &Cocon, out: &mut impl Write) -> io::Result<()> {
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
    let accesses = onapi.first_accesses(SAMPLE);
    for availability in [Availability::Free, Availability::Active, Availability::HeldByOther] {
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
}
