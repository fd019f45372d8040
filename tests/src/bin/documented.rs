//! What the guide shows, with a crash after each line.
//!
//! The lines between the marks are those of `docs/guide/own-store.md`, each with a `crash.here()` behind it; `tests/documented.rs` holds them equal.
//! Called with the base address of an ON-API network, its user and password, the file of a store, after how many lines to crash, and
//! which of the store's operations fails, before or after it has written. Ends with status 0 once the order is placed, with 3 if the
//! same lines are to be run again.

use std::cell::Cell;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use lastmile::onapi::{Dialect, NewOrder, OnApi};
use lastmile::{Prepared, PreparedState, Reconciled};
use lastmile_tests::paused::policy;

/// A store that outlives the process, is asked asynchronously, and may fail.
struct Store {
    path: PathBuf,
    operations: Cell<usize>,
    fails: Option<(usize, bool)>,
}

impl Store {
    async fn operation(
        &self,
        act: impl FnOnce() -> Result<(), std::io::Error>,
    ) -> Result<(), std::io::Error> {
        tokio::task::yield_now().await;
        self.operations.set(self.operations.get() + 1);
        let broken = || std::io::Error::other("the connection to the store broke");
        match self.fails.filter(|(number, _)| *number == self.operations.get()) {
            Some((_, false)) => return Err(broken()),
            Some((_, true)) => {
                act()?;
                return Err(broken());
            }
            None => act()?,
        }
        Ok(())
    }

    async fn load(&self, _: &str) -> Result<String, std::io::Error> {
        self.operation(|| Ok(())).await?;
        std::fs::read_to_string(&self.path)
    }

    async fn replace(&self, _: &str, old: &str, new: &str) -> Result<(), std::io::Error> {
        let write = || {
            if std::fs::read_to_string(&self.path)? != old {
                return Err(std::io::Error::other("another worker has replaced it"));
            }
            let written = self.path.with_extension("new");
            std::fs::write(&written, new)?;
            std::fs::rename(written, &self.path)
        };
        self.operation(write).await
    }
}

/// Ends the process after so many lines, as a crash does.
struct Crash {
    after: usize,
    lines: Cell<usize>,
}

impl Crash {
    fn here(&self) {
        self.lines.set(self.lines.get() + 1);
        if self.lines.get() == self.after {
            let _ = std::io::stdout().flush();
            std::process::abort();
        }
    }
}

async fn run(network: OnApi, store: Store, crash: &Crash) -> Result<bool, Box<dyn std::error::Error>> {
    // guide begins
    let mut stored = store.load("order-17").await?;
    crash.here();
    let mut order: Prepared<NewOrder> = serde_json::from_str(&stored)?;
    crash.here();

    if order.state() != PreparedState::Ready {
        match order.reconcile(&network).await? {
            Reconciled::Indeterminate(later) => println!("{later}"), // run this again then
            Reconciled::Undecidable(person) => println!("{person}"), // somebody has to look
            _ => {}                                                  // placed or absent
        }
        crash.here();
    } else if order.look_up(&network).await?.is_none() {
        crash.here();
        order.mark_in_flight()?; // from now on it may have been sent
        crash.here();
        let marked = serde_json::to_string(&order)?;
        crash.here();
        store.replace("order-17", &stored, &marked).await?; // fails if another worker was faster
        crash.here();
        stored = marked;
        crash.here();
        if let Err(error) = order.place(&network).await {
            crash.here();
            println!("{error}"); // rejected: correct the order; else run this again
            crash.here();
        }
        crash.here();
    }
    crash.here();
    store.replace("order-17", &stored, &serde_json::to_string(&order)?).await?;
    crash.here();
    if let Some(placed) = order.created() {
        println!("placed: {:?}", placed.order_id());
        crash.here();
    }
    // guide ends
    Ok(order.state() == PreparedState::Placed)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [base, user, password, path, after, fails, writes] = arguments.as_slice() else {
        eprintln!("usage: documented BASE USER PASSWORD STORE CRASH-AFTER FAILING-OPERATION BEFORE-OR-AFTER");
        return ExitCode::from(2);
    };
    let number = |text: &str| text.parse::<usize>().expect("a number");
    let network = OnApi::builder(base)
        .dialect(Dialect::Vendor26)
        .login(user, password)
        .policy(policy())
        .build()
        .expect("loopback");
    let fails = Some(number(fails)).filter(|number| *number > 0).map(|number| (number, writes == "after"));
    let store = Store { path: path.into(), operations: Cell::new(0), fails };
    let crash = Crash { after: number(after), lines: Cell::new(0) };
    match run(network, store, &crash).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(3),
        Err(error) => {
            println!("{error}");
            ExitCode::from(3)
        }
    }
}
