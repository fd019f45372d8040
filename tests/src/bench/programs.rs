//! Runs the programs that measure, each in its own process.

use std::fmt::Display;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{Result, median};

/// What the program `allocations` counts, for each call.
#[derive(Deserialize)]
pub(super) struct Allocated {
    pub(super) allocations: f64,
    pub(super) bytes: f64,
}

/// What criterion writes down for a benchmark: the time of each sample in nanoseconds, and its number of iterations.
#[derive(Deserialize)]
struct Samples {
    times: Vec<f64>,
    iters: Vec<f64>,
}

/// The programs of this package, built with the same profile as this one.
pub(super) struct Programs {
    folder: PathBuf,
}

/// The allocator of a program that measures.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Allocator {
    System,
    Mimalloc,
}

impl Allocator {
    pub(super) const ALL: [Self; 2] = [Self::System, Self::Mimalloc];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::System => "default",
            Self::Mimalloc => "mimalloc",
        }
    }
}

/// A server that runs until it is dropped.
pub(super) struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Programs {
    pub(super) fn build(root: &Path) -> Result<Self> {
        let profile = if cfg!(debug_assertions) { "dev" } else { "release" };
        let build = ["build", "--profile", profile, "--locked", "-p", "lastmile-tests"];
        cargo(root, &[&build[..], &["--features", "mimalloc", "--bins"]].concat())?;
        let program = std::env::current_exe()?;
        let folder = program.parent().ok_or("the program lies in no folder")?;
        Ok(Self { folder: folder.to_owned() })
    }

    /// Starts a server for a list of so many rows of a size. Returns it with its base address.
    pub(super) fn serve(&self, rows: usize, size: &str) -> Result<(Server, String)> {
        let mut command = self.program("measure");
        command.args(["serve", &rows.to_string(), size]).stdout(Stdio::piped());
        let mut server = Server(command.spawn().map_err(failed("measure serve"))?);
        let mut address = String::new();
        if let Some(output) = server.0.stdout.take() {
            BufReader::new(output).read_line(&mut address).map_err(failed("measure serve"))?;
        }
        Ok((server, address.trim().to_owned()))
    }

    pub(super) fn measure<T: DeserializeOwned>(&self, arguments: &[&str]) -> Result<T> {
        self.measure_with(Allocator::System, arguments)
    }

    pub(super) fn measure_with<T: DeserializeOwned>(
        &self,
        allocator: Allocator,
        arguments: &[&str],
    ) -> Result<T> {
        let program = match allocator {
            Allocator::System => "measure",
            Allocator::Mimalloc => "measure-mimalloc",
        };
        self.run(program, arguments)
    }

    pub(super) fn allocations(&self, arguments: &[&str]) -> Result<Allocated> {
        self.run("allocations", arguments)
    }

    /// Returns the median ratios of some figures of one measurement and another. Each of the two runs first as often as the
    /// other.
    pub(super) fn pairs<T: DeserializeOwned, const N: usize>(
        &self,
        pairs: usize,
        one: &[&str],
        other: &[&str],
        figures: impl Fn(&T) -> [f64; N],
    ) -> Result<[f64; N]> {
        let mut ratios = [const { Vec::new() }; N];
        for pair in 0..pairs {
            let (one, other): (T, T) = if pair % 2 == 0 {
                (self.measure(one)?, self.measure(other)?)
            } else {
                let other = self.measure(other)?;
                (self.measure(one)?, other)
            };
            for (ratios, (one, other)) in
                ratios.iter_mut().zip(figures(&one).into_iter().zip(figures(&other)))
            {
                ratios.push(one / other);
            }
        }
        Ok(ratios.map(median))
    }

    /// Returns the fastest sample of a benchmark, in nanoseconds. Two benchmarks do not run in turn, so a phase in which the
    /// machine is slow must not count for one of them.
    pub(super) fn fastest_sample(&self, group: &str, name: &str) -> Result<f64> {
        let target = self.folder.parent().ok_or("the program lies in no target folder")?;
        let path = target.join("criterion").join(group).join(name).join("new/sample.json");
        let text = std::fs::read_to_string(&path).map_err(failed(path.display()))?;
        let Samples { times, iters } = serde_json::from_str(&text).map_err(failed(path.display()))?;
        Ok(times.into_iter().zip(iters).map(|(time, count)| time / count).fold(f64::NAN, f64::min))
    }

    fn program(&self, name: &str) -> Command {
        Command::new(self.folder.join(name))
    }

    fn run<T: DeserializeOwned>(&self, program: &str, arguments: &[&str]) -> Result<T> {
        let what = format!("{program} {}", arguments.join(" "));
        let output = self.program(program).args(arguments).output().map_err(failed(&what))?;
        if !output.status.success() {
            return Err(format!("{what}: {}", String::from_utf8_lossy(&output.stderr)).into());
        }
        Ok(serde_json::from_slice(&output.stdout).map_err(failed(&what))?)
    }
}

/// Runs cargo in a folder. Returns what it prints to the standard output.
pub(super) fn cargo(folder: &Path, arguments: &[&str]) -> Result<String> {
    let what = format!("cargo {}", arguments.join(" "));
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program);
    command.current_dir(folder).args(arguments).stderr(Stdio::inherit());
    let output = command.output().map_err(failed(&what))?;
    if !output.status.success() {
        return Err(format!("{what} fails").into());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Returns a function that says in an error what failed.
fn failed<E: Display>(what: impl Display) -> impl FnOnce(E) -> String {
    move |error| format!("{what}: {error}")
}
