//! A campaign: thousands of orders at a supplier where a third of all calls goes wrong, each of them to be placed once.
//!
//! A service works through its orders as it should: every step is stored ([`Outbox`]) before it is taken, and what is
//! not known is reconciled. At the end the supplier's own data are compared with what the service believes:
//!
//! - ON-API orders and Covage submissions: every one is there once; none is lost, none is doubled, none is undecidable, and none has
//!   a socket that was chosen first and replaced.
//! - Cocon, which offers no look-up: none is doubled, and those whose answer was lost are undecidable, no others.
//! - A supplier that writes references back in its own way: none is doubled, and at most those whose answer was lost are undecidable.
//!
//! The service may be several workers, in processes of their own over one store, which are killed (`SIGKILL`) and stopped (`SIGSTOP`)
//! at random moments. Those that are killed start again from the store, those that are stopped go on when nobody expects it any more.

mod outbox;
mod processes;
mod rows;
mod site;
mod verdict;
mod work;

pub use outbox::{Outbox, Stage, Step};
pub use processes::Processes;
pub use rows::{Broken, Row, RowsPlan, RowsVerdict, keep_a_copy};
pub use site::{Site, Wanted, Which};
pub use verdict::Verdict;
pub use work::{Worker, work_through};

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use lastmile_sandbox::{Fault, Faults, Sandbox, Supplier, TextNormalization};

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
    /// How the supplier writes texts back.
    pub texts: TextNormalization,
    /// Workers in processes of their own; else there is one, in this process.
    pub processes: Option<Processes>,
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
    Faults::new(seed, 0.3, kinds).refusing_connections(refusing)
}

/// Places all orders at one supplier and compares.
pub async fn run(plan: &Plan, which: Which) -> Verdict {
    let sandbox = Sandbox::builder()
        .seed(plan.seed)
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
    let path = folder.0.join("outbox");
    supplier.set_faults(faults(plan.seed, which));
    let mut in_flight = HashSet::new();
    match &plan.processes {
        None => {
            let outbox = Arc::new(Outbox::open(&path).expect("a new file"));
            work_through(site.clone(), outbox, Worker::ALONE).await;
        }
        Some(processes) => {
            in_flight = processes::run(processes, plan.seed, &site, supplier, &folder.0).await;
        }
    }
    supplier.set_faults(Faults::none());
    supplier.settled().await;
    let outbox = Outbox::open(&path).expect("it is there");
    Verdict::of(&site, supplier, &outbox.steps(), &in_flight).await
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
