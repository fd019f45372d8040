//! Measures, and writes `docs/performance.md`: ratios within one run, since no machine is like another.

mod dependents;

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::codegen::{Error, output, root};

/// How often each thing is measured; the median counts.
const RUNS: usize = 5;

/// How often two things are measured in turn that differ by less than the machine does from one moment to the next.
const PAIRS: usize = 21;

/// How often benchmarks of criterion are run, for their fastest samples.
const ROUNDS: usize = 3;

/// How many rows a list has whose speed is measured.
const ROWS: usize = 100_000;

pub(crate) fn run() -> Result<(), Error> {
    let root = root();
    cargo(&root, &["build", "--release", "--locked", "-p", "lastmile-tests", "--bins"])?;
    let tools = Tools { root: root.clone() };
    let mut page = String::from(HEAD);
    lists(&tools, &mut page)?;
    single_calls(&tools, &mut page)?;
    followers(&tools, &mut page)?;
    rules(&tools, &mut page)?;
    rows(&tools, &mut page)?;
    dependents::measure(&root, &mut page)?;
    let docs = root.join("docs");
    std::fs::create_dir_all(&docs).map_err(|error| Error(format!("{}: {error}", docs.display())))?;
    output::write(&docs.join("performance.md"), &page)
}

const HEAD: &str = "\
# What it costs

Written by `cargo xtask bench`. Each figure is the median of five, if nothing else is said, and a ratio within one run: what is compared was measured
in turn on the same machine, with the server in a process of its own. Compare no figure with one of another machine. What is left
between a figure and what was asked for is in [profile.md](profile.md).
";

fn lists(tools: &Tools, page: &mut String) -> Result<(), Error> {
    let (server, address) = tools.serve(ROWS)?;
    let (mut speed, mut zipped, mut first, mut busy) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let (mut bytes, mut decoding) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let at_once = tools.measure(&["at-once", &ROWS.to_string()])?;
        let rows = tools.measure(&["rows", &format!("{address}/plain")])?;
        let gzip = tools.measure(&["rows", &address])?;
        speed.push(at_once.number("seconds") / rows.number("seconds"));
        zipped.push(rows.number("seconds") / gzip.number("seconds"));
        busy.push(rows.number("cpu_seconds") / at_once.number("cpu_seconds"));
        first.push(rows.number("first_row_ms"));
        let of_it = |part: Measured| part.number("cpu_seconds") / rows.number("cpu_seconds");
        bytes.push(of_it(tools.measure(&["drain", &format!("{address}/plain")])?));
        decoding.push(of_it(tools.measure(&["generated", &ROWS.to_string()])?));
    }
    drop(server);
    let (bytes, decoding) = (median(bytes), median(decoding));
    let _ = write!(
        page,
        "\n## Long lists\n\nA list of {ROWS} accesses (about 400 bytes each), read as a stream of rows over loopback, beside \
         `serde_json::from_slice::<Vec<_>>`\nof the same bytes that lie in memory already.\n\n\
         | | ratio |\n|---|---|\n\
         | speed of the stream against decoding at once | {:.2} |\n\
         | processor time of the stream against decoding at once | {:.2} |\n\
         | speed with gzip against without | {:.2} |\n\n\
         The first row is there {:.1} ms after the head of the answer.\n\n\
         Where the stream's processor time goes, by what its parts take alone (so that they are about right, and no more):\n\n\
         | part | share |\n|---|---|\n\
         | the bytes read from the connection | {:.2} |\n\
         | the rows decoded and dropped | {:.2} |\n\
         | the rest: rows told apart, handed from thread to thread, dropped elsewhere | {:.2} |\n\n\
         | rows | most memory of the process, stream | at once |\n|---|---|---|\n",
        median(speed),
        median(busy),
        median(zipped),
        median(first),
        bytes,
        decoding,
        (1.0 - bytes - decoding).max(0.0),
    );
    for rows in [10_000, 100_000, 1_000_000] {
        let (_server, address) = tools.serve(rows)?;
        let stream = tools.measure(&["rows", &format!("{address}/plain")])?;
        let at_once = tools.measure(&["at-once", &rows.to_string()])?;
        if stream.number("rows") != rows as f64 {
            return Err(Error(format!("{} rows arrived of {rows}", stream.number("rows"))));
        }
        let mib = |measured: &Measured| measured.number("peak_kib") / 1024.0;
        let _ = writeln!(page, "| {rows} | {:.1} MiB | {:.0} MiB |", mib(&stream), mib(&at_once));
    }
    page.push_str("\n(What is decoded at once is counted with the bytes it is made of.)\n");
    Ok(())
}

fn single_calls(tools: &Tools, page: &mut String) -> Result<(), Error> {
    let (_server, address) = tools.serve(1)?;
    let _ = write!(
        page,
        "\n## Single calls\n\n`OnApi::access` beside the same with reqwest by hand (credentials, a limit of time, the status, the \
         body decoded), over\nkept connections; of time and processor time the median of {PAIRS} pairs.\n\n| | one at a time | 64 at a time |\n|---|---|---|\n",
    );
    let mut columns = Vec::new();
    for at_a_time in ["1", "64"] {
        let [facade, hand] = ["facade", "hand"].map(|who| [who, address.as_str(), "16000", at_a_time]);
        let [wall, cpu] = tools.pairs(&facade, &hand, ["wall_us", "cpu_us"])?;
        let [facade, hand] =
            ["facade", "hand"].map(|who| tools.allocations(&[who, &address, "2000", at_a_time]));
        let (facade, hand) = (facade?, hand?);
        let ratio = |name: &str| facade.number(name) / hand.number(name);
        columns.push([wall, cpu, ratio("allocations"), ratio("bytes")]);
    }
    let names = ["time", "processor time of all threads", "allocations", "bytes allocated"];
    for (row, name) in names.iter().enumerate() {
        let _ = writeln!(page, "| {name} | {:.2} | {:.2} |", columns[0][row], columns[1][row]);
    }
    Ok(())
}

fn followers(tools: &Tools, page: &mut String) -> Result<(), Error> {
    let (_server, address) = tools.serve(1)?;
    page.push_str(
        "\n## Followers\n\nOrders followed on one handle: what a look costs, beside the same with 10. A handle has 64 requests under way \
         at once, and\nno more; reqwest by hand, without such a limit, makes as many connections as there are callers.\n\n\
         | orders | processor time | processor time by hand | bytes allocated |\n|---|---|---|---|\n",
    );
    const ORDERS: [usize; 3] = [10, 100, 1000];
    // Many looks, so that it does not matter what connections cost.
    const LOOKS: usize = 50_000;
    let mut rounds = Vec::new();
    let mut bytes = Vec::new();
    for round in 0..RUNS {
        let mut times = Vec::new();
        for orders in ORDERS {
            let (looks, each, orders) = (LOOKS.to_string(), (LOOKS / orders).to_string(), orders.to_string());
            let follow = ["follow", &address, &orders, &each];
            for arguments in [follow, ["hand", &address, &looks, &orders]] {
                times.push(tools.measure(&arguments)?.number("cpu_us"));
            }
            if round == 0 {
                bytes.push(tools.allocations(&follow)?.number("bytes"));
            }
        }
        rounds.push(times);
    }
    for (row, orders) in ORDERS.iter().enumerate() {
        // Beside the first of the same round.
        let growth = |column: usize| {
            median(rounds.iter().map(|round| round[2 * row + column] / round[column]).collect())
        };
        let _ = writeln!(
            page,
            "| {orders} | {:.2} | {:.2} | {:.2} |",
            growth(0),
            growth(1),
            bytes[row] / bytes[0]
        );
    }
    Ok(())
}

fn rules(tools: &Tools, page: &mut String) -> Result<(), Error> {
    let _ = write!(
        page,
        "\n## Rules\n\nTime of a rule against its pattern compiled by the `regex` crate, over texts that it takes and refuses; of each the \
         fastest sample of {ROUNDS} runs.\n\n\
         | rule | ratio |\n|---|---|\n",
    );
    const RULES: [&str; 4] = ["Otp", "CovageText", "OnApiId", "MacAddress"];
    let mut fastest = [[f64::INFINITY; 2]; RULES.len()];
    for _ in 0..ROUNDS {
        let quick =
            ["--", "--sample-size", "20", "--measurement-time", "2", "--warm-up-time", "1", "--noplot"];
        cargo(
            &tools.root,
            &[&["bench", "--locked", "-p", "lastmile-tests", "--bench", "rules"], &quick[..]].concat(),
        )?;
        for (rule, times) in RULES.iter().zip(&mut fastest) {
            *times =
                [times[0].min(tools.fastest(rule, "rule")?), times[1].min(tools.fastest(rule, "regex")?)];
        }
    }
    for (rule, [ours, other]) in RULES.iter().zip(fastest) {
        let _ = writeln!(page, "| `{rule}` | {:.2} |", ours / other);
    }
    Ok(())
}

fn rows(tools: &Tools, page: &mut String) -> Result<(), Error> {
    let rows = ROWS.to_string();
    let [time] = tools.pairs(&["generated", &rows], &["plain", &rows], ["cpu_seconds"])?;
    let _ = write!(
        page,
        "\n## Rows\n\nProcessor time to decode rows in which nothing is odd, with what reads strays, keeps unknown fields and knows open \
         enums, against plain\nstructs that lose all that: {time:.2} (the median of {PAIRS} pairs).\n",
    );
    Ok(())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

fn cargo(root: &Path, arguments: &[&str]) -> Result<(), Error> {
    let status = Command::new(env!("CARGO")).current_dir(root).args(arguments).status();
    match status {
        Ok(status) if status.success() => Ok(()),
        _ => Err(Error(format!("cargo {} fails", arguments.join(" ")))),
    }
}

/// The programs that measure.
struct Tools {
    root: PathBuf,
}

struct Measured(Value);

impl Measured {
    fn number(&self, name: &str) -> f64 {
        self.0[name].as_f64().unwrap_or(f64::NAN)
    }
}

/// Serves until it is dropped.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Tools {
    fn program(&self, name: &str) -> Command {
        Command::new(self.root.join("target/release").join(name))
    }

    fn serve(&self, rows: usize) -> Result<(Server, String), Error> {
        let failed = |error: std::io::Error| Error(format!("measure serve: {error}"));
        let mut server = self.program("measure");
        server.arg("serve").arg(rows.to_string()).stdout(Stdio::piped());
        let mut server = Server(server.spawn().map_err(failed)?);
        let mut address = String::new();
        if let Some(output) = server.0.stdout.take() {
            BufReader::new(output).read_line(&mut address).map_err(failed)?;
        }
        Ok((server, address.trim().to_owned()))
    }

    fn measure(&self, arguments: &[&str]) -> Result<Measured, Error> {
        read(self.program("measure").args(arguments), arguments)
    }

    /// How much more the one takes than the other, each first as often as the other.
    fn pairs<const N: usize>(
        &self,
        one: &[&str],
        other: &[&str],
        names: [&str; N],
    ) -> Result<[f64; N], Error> {
        let mut ratios = [const { Vec::new() }; N];
        for pair in 0..PAIRS {
            let (first, second) = if pair % 2 == 0 { (one, other) } else { (other, one) };
            let (first, second) = (self.measure(first)?, self.measure(second)?);
            let (one, other) = if pair % 2 == 0 { (first, second) } else { (second, first) };
            for (ratios, name) in ratios.iter_mut().zip(names) {
                ratios.push(one.number(name) / other.number(name));
            }
        }
        Ok(ratios.map(median))
    }

    fn allocations(&self, arguments: &[&str]) -> Result<Measured, Error> {
        read(self.program("allocations").args(arguments), arguments)
    }

    /// The fastest sample of a benchmark, in nanoseconds: two benchmarks are not measured in turn, and a machine that is slow
    /// for a while must not count for one of them.
    fn fastest(&self, group: &str, name: &str) -> Result<f64, Error> {
        let path = self.root.join(format!("target/criterion/{group}/{name}/new/sample.json"));
        let samples: Value = serde_json::from_str(&output::read(&path)?)
            .map_err(|error| Error(format!("{}: {error}", path.display())))?;
        let numbers = |name: &str| {
            samples[name].as_array().into_iter().flatten().filter_map(Value::as_f64).collect::<Vec<_>>()
        };
        let each = numbers("times").into_iter().zip(numbers("iters")).map(|(time, count)| time / count);
        Ok(each.fold(f64::NAN, f64::min))
    }
}

fn read(command: &mut Command, arguments: &[&str]) -> Result<Measured, Error> {
    let what = arguments.join(" ");
    let output = command.output().map_err(|error| Error(format!("{what}: {error}")))?;
    if !output.status.success() {
        return Err(Error(format!("{what}: {}", String::from_utf8_lossy(&output.stderr))));
    }
    let measured =
        serde_json::from_slice(&output.stdout).map_err(|error| Error(format!("{what}: {error}")))?;
    Ok(Measured(measured))
}
