//! A campaign: thousands of orders at a supplier where a third of all calls goes wrong, each of them to be placed once.
//!
//! A service works through its orders as it should: every step is stored ([`Outbox`]) before it is taken, and what is
//! not known is reconciled. At the end the supplier's own data are compared with what the service believes:
//!
//! - ON-API orders and Covage submissions: every one is there once; none is lost, none is doubled, none is undecidable.
//! - Cocon, which offers no look-up: none is doubled, and those whose answer was lost are undecidable, no others.
//!
//! With kills, the service is a process of its own that is killed at random moments, and goes on from its store.

mod outbox;
mod rows;
mod site;
mod verdict;
mod work;

pub use outbox::{Outbox, Stage, Step};
pub use rows::{Broken, Row, RowsPlan, RowsVerdict, keep_a_copy};
pub use site::{Site, Wanted, Which};
pub use verdict::Verdict;
pub use work::work_through;

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use lastmile_sandbox::{Fault, Faults, Sandbox, Supplier};

/// How long after the client gave up a late request is carried out.
const LATE: Duration = Duration::from_millis(200);

/// What is to be done.
#[derive(Clone, Debug)]
pub struct Plan {
    /// How many orders each supplier gets.
    pub orders: usize,
    /// Where everything that is left to chance comes from.
    pub seed: u64,
    /// Whether suppliers refuse or recognise what they have already.
    pub deduplicates: bool,
    /// How often the process is killed, and the program that is it: called with `work`, the paths of a site and of an outbox.
    pub kills: Option<(usize, PathBuf)>,
}

/// Of everything that can go wrong, the same share. Connections that are reset at once are for those suppliers that can be
/// asked afterwards: whether the reset came before the request was written is the system's to decide, and a Cocon order
/// would be undecidable although nothing arrived.
fn faults(seed: u64, which: Which) -> Faults {
    let refusing = if which == Which::Cocon { 0.0 } else { 0.05 };
    let kinds = [
        Fault::ResetBefore,
        Fault::ResetAfter,
        Fault::CarriedOutLate(LATE),
        Fault::Latency(Duration::from_millis(20)),
        Fault::Latency(site::DEADLINE * 2),
        Fault::Silence,
        Fault::Throttled(None),
        Fault::Throttled(Some(Duration::from_secs(1))),
        Fault::Unavailable(503),
        Fault::FailedAfter(502),
        Fault::Truncated,
        Fault::WrongBody,
    ];
    Faults::new(seed, 0.3, kinds).refusing(refusing)
}

/// Places all orders at one supplier and compares.
pub async fn run(plan: &Plan, which: Which) -> Verdict {
    let sandbox = Sandbox::builder()
        .seed(plan.seed)
        .onapi_deduplicates(plan.deduplicates)
        .covage_unique_references(plan.deduplicates)
        .cocon_houses_per_street(u32::try_from(plan.orders).expect("a sensible number"))
        .start()
        .await
        .expect("a loopback port");
    let site = Site::at(which, &sandbox, plan.orders).await;
    let supplier: &Supplier = match which {
        Which::OnApi => sandbox.onapi(),
        Which::Covage => sandbox.covage(),
        Which::Cocon => sandbox.cocon(),
    };
    let folder = Folder::new(plan.seed, which);
    let path = folder.0.join("outbox");
    supplier.set_faults(faults(plan.seed, which));
    let mut in_flight = HashSet::new();
    match &plan.kills {
        None => {
            let outbox = Arc::new(Outbox::open(&path).expect("a new file"));
            work_through(site.clone(), outbox).await;
        }
        Some((kills, program)) => {
            in_flight = kill_and_restart(plan, *kills, program, &site, supplier, &folder.0).await
        }
    }
    supplier.set_faults(Faults::none());
    supplier.settled().await;
    let outbox = Outbox::open(&path).expect("it is there");
    Verdict::of(&site, supplier, &outbox.steps(), &in_flight).await
}

/// Lets a process of its own work, kills it again and again, and lets the last one come to its end. Answers with the orders
/// that were being sent when it was killed.
async fn kill_and_restart(
    plan: &Plan,
    kills: usize,
    program: &Path,
    site: &Site,
    supplier: &Supplier,
    folder: &Path,
) -> HashSet<String> {
    let (site_path, path) = (folder.join("site"), folder.join("outbox"));
    std::fs::write(&site_path, serde_json::to_string(site).expect("JSON")).expect("a new file");
    let mut chance = fastrand::Rng::with_seed(plan.seed);
    // How much is done when it is killed, up to three quarters: at Cocon some of what is lost never takes effect.
    let most = plan.orders * 3 / 4;
    let mut moments: Vec<usize> = (0..kills).map(|_| chance.usize(0..=most)).collect();
    moments.sort_unstable();
    let mut in_flight = HashSet::new();
    for moment in moments.into_iter().map(Some).chain([None]) {
        let mut process = tokio::process::Command::new(program)
            .arg("work")
            .args([&site_path, &path])
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("the program starts");
        let Some(moment) = moment else {
            assert!(process.wait().await.expect("it ends").success(), "the last process fails");
            break;
        };
        // One that was killed early comes a little further at least.
        let mut least = Duration::from_millis(chance.u64(5..50));
        while let Err(_still_working) = tokio::time::timeout(least, process.wait()).await {
            if done(site.which, supplier) >= moment {
                break;
            }
            least = Duration::from_millis(1);
        }
        // Few orders may be done before their turn to kill has come.
        if let Some(ended) = process.try_wait().expect("it can be asked") {
            assert!(ended.success(), "a process fails");
            break;
        }
        process.kill().await.expect("it runs");
        let steps = Outbox::open(&path).expect("it is there").steps();
        // One that is placed, and was not told so to the end, is as good as unknown to the next process.
        let ready = r#""progress":"ready""#;
        let begun = steps.into_iter().filter(|(_, step)| !step.value.contains(ready));
        in_flight.extend(begun.filter(|(_, step)| !step.stage.is_end()).map(|(key, _)| key));
    }
    assert!(!in_flight.is_empty(), "no kill met any work");
    in_flight
}

/// How many orders took effect.
fn done(which: Which, supplier: &Supplier) -> usize {
    let operations: &[&str] = match which {
        Which::OnApi => &["createOrder"],
        Which::Covage => &["updateOrder.submit"],
        Which::Cocon => &["createCustomer", "createDelayedConnection", "createDelayedConnectionBatch"],
    };
    operations.iter().map(|operation| supplier.took_effect(operation)).sum()
}

/// A folder that is gone at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(seed: u64, which: Which) -> Self {
        let mut name = format!("lastmile-campaign-{}-{seed}-{which:?}", std::process::id());
        name.push_str(&format!("-{:x}", fastrand::u64(..)));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).expect("a place for files");
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
