//! The job queues of `tests/peers`, each run in a process of its own.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use serde::Deserialize;

use super::Result;
use crate::bench::root;

/// A queue with its store.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Peer {
    pub(super) name: &'static str,
    pub(super) is_sqlite: bool,
    pub(super) is_marked: bool,
}

impl Peer {
    /// All of them, as shipped and with a mark of their own.
    pub(super) fn all() -> Vec<Self> {
        let queues = [("apalis-postgres", false), ("graphile-worker", false), ("apalis-sqlite", true)];
        let marked = |(name, is_sqlite)| [false, true].map(|is_marked| Self { name, is_sqlite, is_marked });
        queues.into_iter().flat_map(marked).collect()
    }

    pub(super) fn mark(self) -> &'static str {
        if self.is_marked { "marked" } else { "as-shipped" }
    }
}

/// What a queue did.
#[derive(Clone, Copy, Default, Deserialize)]
pub(super) struct Rate {
    pub(super) per_second: f64,
    pub(super) commits: f64,
    pub(super) wal: f64,
}

/// How long jobs took from being enqueued to being sent.
#[derive(Deserialize)]
pub(super) struct Latency {
    pub(super) p50_ms: f64,
    pub(super) p99_ms: f64,
}

/// The profile of this program, and the folder of its programs.
const PROFILE: [&str; 2] = if cfg!(debug_assertions) { ["dev", "debug"] } else { ["release", "release"] };

/// Builds the program.
pub(super) fn build() -> Result<()> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let manifest = root().join("tests/peers/Cargo.toml");
    let mut build = Command::new(cargo);
    build.args(["build", "--quiet", "--profile", PROFILE[0], "--locked", "--manifest-path"]).arg(manifest);
    match build.status()?.success() {
        true => Ok(()),
        false => Err("tests/peers cannot be built".into()),
    }
}

fn program() -> PathBuf {
    root().join("tests/peers/target").join(PROFILE[1]).join("lastmile-peers")
}

/// Runs the program, and returns what it prints.
pub(super) fn run<T: serde::de::DeserializeOwned>(arguments: &[&str]) -> Result<T> {
    let output = Command::new(program()).args(arguments).stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        return Err(format!("lastmile-peers {} failed", arguments.join(" ")).into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// A simulated Cocon server in a process of its own, which ends when this value is dropped.
pub(super) struct SandboxProcess {
    process: Child,
    /// The base URL, the key and the id of the client.
    pub(super) access: [String; 3],
}

impl SandboxProcess {
    pub(super) fn start() -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        let mut process =
            command.arg("outbox-sandbox").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        if let Some(output) = process.stdout.take() {
            BufReader::new(output).read_line(&mut line)?;
        }
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        let access = words.try_into().map_err(|_| "the sandbox does not say where it is")?;
        Ok(Self { process, access })
    }
}

impl Drop for SandboxProcess {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Serves a sandbox in a process of its own until the standard input ends.
pub async fn serve_sandbox() -> Result<()> {
    let sandbox = crate::sandbox().await;
    let supplier = sandbox.cocon();
    println!("{} {} {}", supplier.base_url(), supplier.api_key(), supplier.client_id());
    tokio::task::spawn_blocking(|| std::io::copy(&mut std::io::stdin(), &mut std::io::sink())).await??;
    Ok(())
}
