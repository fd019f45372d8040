//! A campaign places thousands of orders at a supplier where a third of all calls fails. Each order must be placed once.
//!
//! A service enqueues its orders in an outbox and runs workers, as documented. At the end the campaign compares the
//! supplier's data with the outbox:
//!
//! - ON-API orders and Covage submissions: each exists once; none is lost, duplicated or undecidable, and none has
//!   another socket than the one that was ordered.
//! - Cocon, which offers no look-up: none is duplicated, and exactly those with a lost response are undecidable.
//! - A supplier that normalizes references: none is duplicated, and at most those with a lost response are undecidable.
//!
//! The service may consist of several workers in processes of their own with one database, SQLite or PostgreSQL. They are
//! killed (`SIGKILL`) and stopped (`SIGSTOP`) at random moments. Stopped ones resume after every deadline has passed.
//! PostgreSQL is killed and restarted, and its connections are cut.

mod processes;
mod rows;
mod site;
mod store;
mod verdict;
mod work;

pub use processes::Processes;
pub use rows::{Broken, Row, RowsPlan, RowsVerdict, keep_a_copy};
pub use site::{Site, Wanted, Which};
pub use verdict::Verdict;
pub use work::work_through;

use std::collections::HashSet;
use std::path::PathBuf;
use std::time::Duration;

use lastmile_sandbox::{Dialect, Fault, Faults, Sandbox, Supplier, TextNormalization};
use store::Store;

/// How long after the client gave up a delayed request is carried out.
const LATE: Duration = Duration::from_millis(200);

/// The options of a campaign.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The number of orders at each supplier.
    pub orders: usize,
    /// The seed of all random decisions.
    pub seed: u64,
    /// Whether suppliers reject or recognise duplicates.
    pub deduplicates: bool,
    /// How the supplier normalizes texts.
    pub texts: TextNormalization,
    /// The dialect of ON-API's network.
    pub dialect: Dialect,
    /// Workers in processes of their own; otherwise there is one, in this process.
    pub processes: Option<Processes>,
    /// Whether the orders are stored in PostgreSQL, on a server of the campaign's own; otherwise in SQLite.
    pub postgres: bool,
}

/// Every fault with the same probability. Immediate connection resets are only used for suppliers with a look-up: the
/// operating system decides whether the reset arrives before the request is written, and a Cocon order would be
/// undecidable although nothing arrived.
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
    Faults::new(seed, 0.3, kinds).refusing_connections(refusing)
}

/// Places all orders at one supplier and compares the results.
pub async fn run(plan: &Plan, which: Which) -> Verdict {
    let sandbox = Sandbox::builder()
        .seed(plan.seed)
        // The verdict is about every request.
        .keep_requests(usize::MAX)
        .onapi_dialect(plan.dialect)
        .onapi_deduplicates(plan.deduplicates)
        .covage_unique_references(plan.deduplicates)
        .text_normalization(plan.texts)
        .cocon_buildings_per_street(u32::try_from(plan.orders).expect("a sensible number"))
        .start()
        .await
        .expect("a loopback port");
    let site = Site::at(which, &sandbox, plan.orders, plan.texts != TextNormalization::Unchanged).await;
    let supplier: &Supplier = match which {
        Which::OnApi => sandbox.onapi(),
        Which::Covage => sandbox.covage(),
        Which::Cocon => sandbox.cocon(),
    };
    let folder = Folder::new(plan.seed, which);
    let store = if plan.postgres { Store::postgres().await } else { Store::sqlite(&folder.0) };
    store.prepare().await;
    work::enqueue(&site, &store.outbox()).await;
    supplier.set_faults(faults(plan.seed, which));
    let mut in_flight = HashSet::new();
    match &plan.processes {
        None => work_through(&site, &store.outbox()).await,
        Some(processes) => {
            in_flight = processes::run(processes, plan.seed, &site, supplier, &store, &folder.0).await;
        }
    }
    supplier.set_faults(Faults::none());
    supplier.settled().await;
    Verdict::of(&site, supplier, &store.ends().await, &in_flight).await
}

/// A folder that is deleted when this value is dropped.
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
