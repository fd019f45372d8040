//! Compares the library with the same work written by hand, and renders the ratios as `docs/performance.md`. A ratio holds
//! within one run only, because machines differ.

mod dependents;
mod lists;
mod programs;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::measure::{Cost, FutureSizes, Listed};
use programs::{Programs, cargo};

/// The result of a measurement, or why it failed.
pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// How much is measured.
#[derive(Debug)]
pub struct Plan {
    /// How often each figure is measured. The median counts.
    runs: usize,
    /// How often two programs run in turn whose costs differ by less than the machine's speed varies.
    pairs: usize,
    /// The number of rows of a list whose speed is measured.
    rows: usize,
    /// The numbers of threads of the runtimes in which the list is read.
    threads: &'static [usize],
    /// The numbers of rows of the lists whose memory is measured.
    memory_rows: [usize; 3],
    /// The number of rows of a list of accesses with their services, whose memory is measured.
    rows_with_services: usize,
    /// The number of single calls.
    calls: usize,
    /// The number of single calls whose allocations are counted.
    counted_calls: usize,
    /// The number of polls. Many, so that the cost of opening connections does not count.
    polls: usize,
    /// Whether to measure what needs other builds: the rules' benchmarks and the dependents.
    builds: bool,
}

impl Plan {
    /// Returns the plan for `docs/performance.md`. It takes a quarter of an hour.
    pub fn full() -> Self {
        Self {
            runs: 5,
            pairs: 21,
            rows: 200_000,
            threads: &[1, 2, 4],
            memory_rows: [10_000, 100_000, 1_000_000],
            rows_with_services: 1_700_000,
            calls: 16_000,
            counted_calls: 2_000,
            polls: 50_000,
            builds: true,
        }
    }

    /// Returns a plan that measures once, and little of it. It shows that the programs work; its figures mean nothing.
    pub fn quick() -> Self {
        Self {
            runs: 1,
            pairs: 1,
            rows: 1_000,
            threads: &[2],
            memory_rows: [10, 100, 1_000],
            rows_with_services: 1_000,
            calls: 128,
            counted_calls: 128,
            polls: 1_000,
            builds: false,
        }
    }
}

/// How often criterion's benchmarks run. The fastest sample of all runs counts.
const ROUNDS: usize = 3;

const HEAD: &str = "\
# What it costs

Written by `cargo xtask bench`. Unless a text says otherwise, each figure is the median of five measurements. Both sides of a ratio
are measured in turn on the same machine, with the server in its own process; do not compare figures of two machines.
[profile.md](profile.md) explains the remaining differences.
";

/// Returns the root folder of the workspace.
pub fn root() -> PathBuf {
    // The manifest's folder is `tests`, which lies in the root.
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new(".")).to_owned()
}

/// Measures what a plan asks for, and returns the page.
///
/// # Errors
/// If a program cannot be built, fails, or prints something else than figures.
pub fn page(plan: &Plan) -> Result<String> {
    let root = root();
    let programs = Programs::build(&root)?;
    let mut page = String::from(HEAD);
    lists::measure(plan, &programs, &mut page)?;
    single_calls(plan, &programs, &mut page)?;
    followers(plan, &programs, &mut page)?;
    if plan.builds {
        rules(&root, &programs, &mut page)?;
    }
    rows(plan, &programs, &mut page)?;
    if plan.builds {
        dependents::measure(&root, &mut page)?;
    }
    Ok(page)
}

fn single_calls(plan: &Plan, programs: &Programs, page: &mut String) -> Result<()> {
    let (_server, address) = programs.serve(1, "short")?;
    let [calls, counted] = [plan.calls, plan.counted_calls].map(|count| count.to_string());
    let mut columns = Vec::new();
    for concurrency in ["1", "64"] {
        let [facade, hand] = ["facade", "hand"].map(|caller| [caller, &address, &calls, concurrency]);
        let [wall, cpu] =
            programs.pairs(plan.pairs, &facade, &hand, |cost: &Cost| [cost.wall_us, cost.cpu_us])?;
        let [facade, hand] = ["facade", "hand"]
            .map(|caller| programs.allocations(&[caller, address.as_str(), &counted, concurrency]));
        let (facade, hand) = (facade?, hand?);
        columns.push([wall, cpu, facade.allocations / hand.allocations, facade.bytes / hand.bytes]);
    }
    write!(
        page,
        "\n## Single calls\n\n`OnApi::access` compared with the same call written with reqwest (credentials, a timeout, a check of the \
         status, a decoded body), over\nkept connections. Time and processor time are the median of {} pairs.\n\n\
         | | one at a time | 64 at a time |\n|---|---|---|\n",
        plan.pairs
    )?;
    let names = ["time", "processor time of all threads", "allocations", "bytes allocated"];
    for (row, name) in names.iter().enumerate() {
        writeln!(page, "| {name} | {:.2} | {:.2} |", columns[0][row], columns[1][row])?;
    }
    let FutureSizes { facade, hand } = programs.measure(&["futures"])?;
    writeln!(page, "\nThe future of a call takes {facade} bytes; by hand, {hand} bytes.")?;
    Ok(())
}

fn followers(plan: &Plan, programs: &Programs, page: &mut String) -> Result<()> {
    const ORDERS: [usize; 3] = [10, 100, 1000];
    let (_server, address) = programs.serve(1, "short")?;
    let polls = plan.polls.to_string();
    let mut rounds = Vec::new();
    let mut bytes = Vec::new();
    for round in 0..plan.runs {
        let mut times = Vec::new();
        for orders in ORDERS {
            let (each, orders) = ((plan.polls / orders).to_string(), orders.to_string());
            let follow = ["follow", &address, &orders, &each];
            for arguments in [follow, ["hand", &address, &polls, &orders]] {
                times.push(programs.measure::<Cost>(&arguments)?.cpu_us);
            }
            if round == 0 {
                bytes.push(programs.allocations(&follow)?.bytes);
            }
        }
        rounds.push(times);
    }
    page.push_str(
        "\n## Followers\n\nThe cost of one poll when many orders are followed with one client, compared with 10 orders. A client keeps at \
         most 64 requests in\nflight; reqwest by hand has no such limit, and opens as many connections as there are callers.\n\n\
         | orders | processor time | processor time by hand | bytes allocated |\n|---|---|---|---|\n",
    );
    for (row, orders) in ORDERS.iter().enumerate() {
        // Against 10 orders in the same round.
        let growth = |column: usize| {
            median(rounds.iter().map(|round| round[2 * row + column] / round[column]).collect())
        };
        let bytes = bytes[row] / bytes[0];
        writeln!(page, "| {orders} | {:.2} | {:.2} | {bytes:.2} |", growth(0), growth(1))?;
    }
    Ok(())
}

fn rules(root: &Path, programs: &Programs, page: &mut String) -> Result<()> {
    const RULES: [&str; 4] = ["Otp", "CovageText", "OnApiId", "MacAddress"];
    let mut fastest = [[f64::INFINITY; 2]; RULES.len()];
    for _ in 0..ROUNDS {
        let bench = ["bench", "--locked", "-p", "lastmile-tests", "--bench", "rules", "--"];
        let sampling = ["--sample-size", "20", "--measurement-time", "2", "--warm-up-time", "1", "--noplot"];
        cargo(root, &[&bench[..], &sampling[..]].concat())?;
        for (rule, times) in RULES.iter().zip(&mut fastest) {
            let samples = [programs.fastest_sample(rule, "rule")?, programs.fastest_sample(rule, "regex")?];
            *times = [times[0].min(samples[0]), times[1].min(samples[1])];
        }
    }
    write!(
        page,
        "\n## Rules\n\nThe time of a rule compared with its pattern compiled by the `regex` crate, over accepted and refused texts: for each \
         the fastest sample\nof {ROUNDS} runs.\n\n\
         | rule | ratio |\n|---|---|\n",
    )?;
    for (rule, [rule_time, regex_time]) in RULES.iter().zip(fastest) {
        writeln!(page, "| `{rule}` | {:.2} |", rule_time / regex_time)?;
    }
    Ok(())
}

fn rows(plan: &Plan, programs: &Programs, page: &mut String) -> Result<()> {
    let rows = plan.rows.to_string();
    let cpu = |listed: &Listed| [listed.cpu_seconds];
    let [time] = programs.pairs(plan.pairs, &["generated", &rows], &["plain", &rows], cpu)?;
    write!(
        page,
        "\n## Rows\n\nThe processor time of decoding well-formed rows with the generated types, which read unexpected values, keep unknown \
         fields and have\nopen enums, compared with plain structs, which lose all of these: {time:.2} (the median of {} pairs).\n",
        plan.pairs
    )?;
    Ok(())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
