//! The workers as processes of their own, which are killed and stopped.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use lastmile_sandbox::Supplier;
use tokio::process::{Child, Command};

use super::site::{DEADLINE, SETTLE, Site, Which};
use super::store::Store;
use super::work::{MARGIN, MARK};
use lastmile_outbox::State;

/// What happens to the workers.
#[derive(Clone, Debug)]
pub struct Processes {
    /// The program of a worker. Its arguments are `work`, the path of a site, and the address of an outbox.
    pub program: PathBuf,
    /// The number of concurrent workers.
    pub workers: usize,
    /// How often one of them is killed (`SIGKILL`) and restarted.
    pub kills: usize,
    /// How often one of them is stopped (`SIGSTOP`) for longer than every deadline, and resumed.
    pub stops: usize,
    /// How often PostgreSQL is killed (`SIGKILL`) and restarted.
    pub restarts: usize,
    /// How often the connections to PostgreSQL are cut.
    pub cuts: usize,
}

/// How long a worker is stopped: after that, nothing waits for its requests any more.
fn pause() -> Duration {
    MARK + DEADLINE * 2 + MARGIN + SETTLE + Duration::from_secs(1)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Event {
    Kill,
    Stop,
    Restart,
    Cut,
}

/// Runs the workers, and kills and stops them at random moments, until all orders have ended. Returns the orders that were in
/// flight at those moments.
pub(super) async fn run(
    plan: &Processes,
    seed: u64,
    site: &Site,
    supplier: &Supplier,
    store: &Store,
    folder: &Path,
) -> HashSet<String> {
    let site_path = folder.join("site");
    std::fs::write(&site_path, serde_json::to_string(site).expect("JSON")).expect("a new file");
    let start = || {
        Command::new(&plan.program)
            .arg("work")
            .arg(&site_path)
            .arg(store.address())
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("the program starts")
    };
    let mut workers: Vec<Child> = (0..plan.workers).map(|_| start()).collect();
    let mut resumed = tokio::task::JoinSet::new();
    // The ranges of the history during which a worker was killed or stopped.
    let mut disturbed = Vec::new();
    for (moment, event, at) in events(plan, seed, site.orders.len()) {
        while done(site.which, supplier) < moment && !has_ended(&mut workers) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let worker = &mut workers[at];
        // Few orders may be done before a worker's time to be killed or stopped has come.
        let Some(process) = worker.id().filter(|_| matches!(worker.try_wait(), Ok(None))) else { continue };
        let begins = store.latest().await;
        match event {
            Event::Kill => {
                worker.kill().await.expect("it runs");
                *worker = start();
                disturbed.push((begins, store.latest().await));
            }
            Event::Stop => {
                signal("-STOP", process).await;
                resumed.spawn(async move {
                    tokio::time::sleep(pause()).await;
                    signal("-CONT", process).await;
                    begins
                });
            }
            Event::Restart => {
                store.restart().await;
                disturbed.push((begins, store.latest().await));
            }
            Event::Cut => {
                store.cut().await;
                disturbed.push((begins, store.latest().await));
            }
        }
    }
    while let Some(stopped) = resumed.join_next().await {
        disturbed.push((stopped.expect("no panic"), store.latest().await));
    }
    for worker in &mut workers {
        assert!(worker.wait().await.expect("it ends").success(), "a worker fails");
    }
    let in_flight = in_flight(&store.history().await, &disturbed);
    assert!(plan.kills + plan.stops == 0 || !in_flight.is_empty(), "no kill and no stop met any work");
    in_flight
}

/// Returns the orders that were in flight during these ranges of the history: it does not matter whose orders they are.
fn in_flight(history: &[(i64, String, State)], disturbed: &[(i64, i64)]) -> HashSet<String> {
    let mut since: HashMap<&str, i64> = HashMap::new();
    let mut found = HashSet::new();
    let is_disturbed =
        |from: i64, to: i64| disturbed.iter().any(|(begins, ends)| from <= *ends && *begins <= to);
    for (seq, key, state) in history {
        match since.remove(key.as_str()) {
            Some(from) if is_disturbed(from, *seq) => _ = found.insert(key.clone()),
            _ => {}
        }
        if matches!(state, State::InFlight | State::Indeterminate) {
            since.insert(key, *seq);
        }
    }
    found
}

/// Returns when which worker is killed or stopped: after how many orders have taken effect, up to three quarters of
/// them, since at Cocon some of the lost ones never do.
fn events(plan: &Processes, seed: u64, orders: usize) -> Vec<(usize, Event, usize)> {
    let mut chance = fastrand::Rng::with_seed(seed);
    let kinds = [
        (Event::Kill, plan.kills),
        (Event::Stop, plan.stops),
        (Event::Restart, plan.restarts),
        (Event::Cut, plan.cuts),
    ];
    let kinds = kinds.into_iter().flat_map(|(event, times)| std::iter::repeat_n(event, times));
    let mut events: Vec<_> =
        kinds.map(|event| (chance.usize(1..=orders * 3 / 4), event, chance.usize(..plan.workers))).collect();
    events.sort_unstable_by_key(|(moment, ..)| *moment);
    events
}

fn has_ended(workers: &mut [Child]) -> bool {
    workers.iter_mut().all(|worker| !matches!(worker.try_wait(), Ok(None)))
}

/// A worker that was killed meanwhile gets no further signal.
async fn signal(name: &str, process: u32) {
    let _ = Command::new("kill").args([name, &process.to_string()]).stderr(Stdio::null()).status().await;
}

/// Returns how many orders took effect.
fn done(which: Which, supplier: &Supplier) -> usize {
    let operations: &[&str] = match which {
        Which::OnApi => &["createOrder"],
        Which::Covage => &["updateOrder.submit"],
        Which::Cocon => &["createCustomer", "createDelayedConnection", "createDelayedConnectionBatch"],
    };
    operations.iter().map(|operation| supplier.took_effect(operation)).sum()
}
