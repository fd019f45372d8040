//! Places thousands of orders at each supplier while a third of all calls fails, and counts the results; then keeps
//! copies of long lists that break. The exit status is 0 only if every order was placed once or is rightly undecidable,
//! and the copies are right.

use std::process::ExitCode;
use std::time::Instant;

use lastmile::onapi::types::{Access, AccessServices};
use lastmile_sandbox::{Dialect, TextNormalization};
use lastmile_tests::campaign::{Plan, Processes, RowsPlan, Which, keep_a_copy, run, work_through};

const USAGE: &str = "\
usage: campaign [--orders N] [--seed N] [--workers N] [--kills N] [--stops N] [--restarts N] [--cuts N]
                [--postgres 0|1] [--supplier NAME]

  --orders N   how many orders each supplier gets (default: 1000)
  --seed N     where everything that is left to chance comes from (default: 1)
  --workers N  how many workers share one store, each a process of its own (default: 1)
  --kills N    kills a worker (SIGKILL) so many times at random moments and starts it again (default: 0)
  --stops N    stops a worker (SIGSTOP) so many times, for longer than anybody waits for it (default: 0)
  --postgres 1 stores the orders in PostgreSQL, on a server of its own, instead of SQLite (default: 0)
  --restarts N kills PostgreSQL (SIGKILL) so many times and starts it again (default: 0)
  --cuts N     cuts all connections to PostgreSQL so many times (default: 0)
  --supplier NAME
               places orders at one supplier only: onapi, covage or cocon";

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [work, site, outbox] = arguments.as_slice()
        && work == "work"
    {
        let site = std::fs::read_to_string(site).expect("the site of the parent process");
        let site = serde_json::from_str(&site).expect("a site");
        work_through(&site, &lastmile_tests::outbox::open(outbox)).await;
        return ExitCode::SUCCESS;
    }
    let Some(([orders, seed, workers, kills, stops, restarts, cuts, postgres], only)) = read(&arguments)
    else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    let [orders, workers, kills, stops, restarts, cuts] = [orders, workers, kills, stops, restarts, cuts]
        .map(|number| usize::try_from(number).expect("a sensible number"));
    let program = std::env::current_exe().expect("it runs");
    let processes = Processes { program, workers: workers.max(1), kills, stops, restarts, cuts };
    let processes = (workers > 1 || kills + stops + restarts + cuts > 0).then_some(processes);
    let mut ends = Vec::new();
    for (which, deduplicates, texts, how) in [
        (Which::OnApi, true, TextNormalization::Unchanged, ""),
        (Which::OnApi, true, TextNormalization::Unchanged, " in standard26"),
        (Which::OnApi, true, TextNormalization::Unchanged, " in standard24"),
        (Which::OnApi, false, TextNormalization::Unchanged, " without de-duplication, in standard24"),
        (Which::OnApi, false, TextNormalization::Unchanged, " without de-duplication"),
        (Which::OnApi, false, TextNormalization::UpperCase, " without de-duplication, in capitals"),
        (Which::Covage, true, TextNormalization::Unchanged, ""),
        (Which::Covage, false, TextNormalization::Unchanged, " without unique references"),
        (Which::Covage, false, TextNormalization::Truncated(20), " without unique references, cut to 20"),
        // This supplier has nothing to disable.
        (Which::Cocon, true, TextNormalization::Unchanged, ""),
    ] {
        if only.is_some_and(|only| only != which) {
            continue;
        }
        let dialect = Dialect::ALL.into_iter().find(|dialect| how.ends_with(dialect.name()));
        let dialect = dialect.unwrap_or_default();
        let (processes, postgres) = (processes.clone(), postgres > 0);
        let plan = Plan { orders, seed, deduplicates, texts, dialect, processes, postgres };
        let started = Instant::now();
        let verdict = run(&plan, which).await;
        println!("{verdict}{how}, {} s", started.elapsed().as_secs());
        ends.push((verdict.counts() + how, verdict.is_right()));
    }
    let plan = RowsPlan { rounds: 96, accesses: orders.min(1000), seed };
    for (what, verdict) in [
        ("accesses", keep_a_copy::<Access>(&plan).await),
        ("services", keep_a_copy::<AccessServices>(&plan).await),
    ] {
        println!("copy of {what}: {verdict}");
        ends.push((format!("copy of {what}"), verdict.is_right()));
    }
    let all_right = ends.iter().all(|(_, is_right)| *is_right);
    let counts: Vec<_> = ends.into_iter().map(|(counts, _)| counts).collect();
    let result = if all_right { "right" } else { "WRONG" };
    println!("seed {seed}, {orders} orders each: {}: {result}", counts.join("; "));
    if all_right { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The numbers, in the order of the options; and the only supplier.
fn read(arguments: &[String]) -> Option<([u64; 8], Option<Which>)> {
    let (mut values, mut only) = ([1000, 1, 1, 0, 0, 0, 0, 0], None);
    for pair in arguments.chunks(2) {
        let [name, value] = pair else { return None };
        let known =
            ["--orders", "--seed", "--workers", "--kills", "--stops", "--restarts", "--cuts", "--postgres"];
        match (known.iter().position(|known| known == name), name.as_str(), value.as_str()) {
            (Some(at), ..) => values[at] = value.parse().ok()?,
            (None, "--supplier", "onapi") => only = Some(Which::OnApi),
            (None, "--supplier", "covage") => only = Some(Which::Covage),
            (None, "--supplier", "cocon") => only = Some(Which::Cocon),
            _ => return None,
        }
    }
    Some((values, only))
}
