//! Places thousands of orders at each supplier while a third of all calls goes wrong, and counts. The exit status is 0 only if
//! every order was placed once, or is rightly not known to be.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use lastmile_tests::campaign::{Outbox, Plan, Which, run, work_through};

const USAGE: &str = "\
usage: campaign [--orders N] [--seed N] [--kills N]

  --orders N   how many orders each supplier gets (default: 1000)
  --seed N     where everything that is left to chance comes from (default: 1)
  --kills N    kills the ordering process so many times at random moments and lets it go on from its store
               (default: 0)";

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [work, site, outbox] = arguments.as_slice()
        && work == "work"
    {
        let site = std::fs::read_to_string(site).expect("the site of the parent process");
        let outbox = Outbox::open(outbox.as_ref()).expect("the outbox of the parent process");
        work_through(serde_json::from_str(&site).expect("a site"), Arc::new(outbox)).await;
        return ExitCode::SUCCESS;
    }
    let Some([orders, seed, kills]) = read(&arguments) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    let program = std::env::current_exe().expect("it runs");
    let kills = usize::try_from(kills).ok().filter(|kills| *kills > 0).map(|kills| (kills, program));
    let orders = usize::try_from(orders).expect("a sensible number");
    let mut ends = Vec::new();
    for (which, deduplicates) in [
        (Which::OnApi, true),
        (Which::OnApi, false),
        (Which::Covage, true),
        (Which::Covage, false),
        // It has nothing to switch off.
        (Which::Cocon, true),
    ] {
        let plan = Plan { orders, seed, deduplicates, kills: kills.clone() };
        let started = Instant::now();
        let verdict = run(&plan, which).await;
        let how = if deduplicates { "" } else { " without de-duplication" };
        println!("{verdict}{how}, {} s", started.elapsed().as_secs());
        ends.push((verdict.counts() + how, verdict.is_right()));
    }
    let all_right = ends.iter().all(|(_, is_right)| *is_right);
    let counts: Vec<_> = ends.into_iter().map(|(counts, _)| counts).collect();
    let result = if all_right { "right" } else { "WRONG" };
    println!("seed {seed}, {orders} orders each: {}: {result}", counts.join("; "));
    if all_right { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Orders, seed and kills.
fn read(arguments: &[String]) -> Option<[u64; 3]> {
    let mut values = [1000, 1, 0];
    for pair in arguments.chunks(2) {
        let [name, value] = pair else { return None };
        let at = ["--orders", "--seed", "--kills"].iter().position(|known| known == name)?;
        values[at] = value.parse().ok()?;
    }
    Some(values)
}
