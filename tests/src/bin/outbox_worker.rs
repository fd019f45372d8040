//! A process that uses an outbox, which a test crashes or stops.
//!
//! `outbox_worker STORE BASE USER PASSWORD [ACTION]…` is a worker of a [`TestStore`](lastmile_tests::outbox::TestStore) at an ON-API
//! network. It ends when no order is active. An action is one of
//!
//! - `POINT=abort`, `POINT=stop` (`SIGSTOP`), `POINT=stop-after-TURNS` (that many turns of the scheduler later, of a runtime with one
//!   thread) or `POINT=+SECONDS` (sets the clock that `tests/outbox/clock.c` provides), when the worker reaches a boundary for the first
//!   time,
//! - `settle=MILLISECONDS`, the settle time of the policy,
//! - `margin=MILLISECONDS`, the margin of the lease.
//!
//! `outbox_worker consume STORE CONSUMER abort|acknowledge` prints the numbers of the events that it receives, until there are none. It
//! aborts before the first acknowledgement, or acknowledges each.
//!
//! `outbox_worker lock FILE` locks a SQLite database, prints `locked`, and unlocks it when its standard input ends.

use std::io::Read as _;
use std::os::unix::fs::FileExt as _;
use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use lastmile::Policy;
use lastmile::onapi::{Dialect, OnApi};
use lastmile_outbox::probe::Point;
use lastmile_tests::outbox::{open, quick, until_done};
use lastmile_tests::paused::policy;
use tokio::runtime::Builder;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let has_one_thread = arguments.iter().any(|argument| argument.contains("=stop-after-"));
    let mut runtime =
        if has_one_thread { Builder::new_current_thread() } else { Builder::new_multi_thread() };
    let runtime = runtime.enable_all().build().expect("a runtime");
    match arguments[..] {
        ["consume", store, consumer, action] => runtime.block_on(consume(store, consumer, action == "abort")),
        ["lock", file] => lock(file),
        [store, base, user, password, ref actions @ ..] => {
            runtime.block_on(work(store, [base, user, password], actions))
        }
        _ => {
            eprintln!("usage: see the source");
            ExitCode::from(2)
        }
    }
}

async fn work(store: &str, [base, user, password]: [&str; 3], actions: &[&str]) -> ExitCode {
    let millis = |name: &str| {
        let text = actions.iter().find_map(|action| action.strip_prefix(name))?;
        Some(Duration::from_millis(text.parse().expect("a number")))
    };
    let policy: Policy = match millis("settle=") {
        Some(time) => policy().with_settle_time(time),
        None => policy(),
    };
    let builder = OnApi::builder(base).dialect(Dialect::Vendor26).login(user, password);
    let network = builder.policy(policy).build().expect("loopback");
    let outbox = open(store);
    let at_points: Vec<_> = actions.iter().filter_map(|action| Action::new(action)).collect();
    let probe = Arc::new(move |point: Point| {
        for action in at_points.iter().filter(|action| action.point == format!("{point:?}")) {
            action.happen();
        }
    });
    let mut builder = quick(outbox.worker()).serve(network).probe(probe);
    if let Some(margin) = millis("margin=") {
        builder = builder.lease_margin(margin);
    }
    let worker = builder.start();
    until_done(&outbox).await;
    match worker.drain(Duration::from_secs(10)).await {
        0 => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

struct Action {
    point: String,
    does: String,
    happened: AtomicBool,
}

impl Action {
    fn new(text: &str) -> Option<Self> {
        let (point, does) = text.split_once('=').expect("NAME=VALUE");
        let is_point = Point::ALL.iter().any(|known| format!("{known:?}") == point);
        let action =
            Self { point: point.to_owned(), does: does.to_owned(), happened: AtomicBool::new(false) };
        is_point.then_some(action)
    }

    fn happen(&self) {
        if self.happened.swap(true, Ordering::SeqCst) {
            return;
        }
        match self.does.as_str() {
            "abort" => std::process::abort(),
            "stop" => stop(),
            does => match does.strip_prefix("stop-after-") {
                Some(turns) => {
                    let turns: usize = turns.parse().expect("a number");
                    tokio::spawn(async move {
                        for _ in 0..turns {
                            tokio::task::yield_now().await;
                        }
                        stop();
                    });
                }
                None => set_clock(does.parse().expect("an action")),
            },
        }
    }
}

fn stop() {
    println!("stopping");
    let stopped = Command::new("kill").arg("-STOP").arg(std::process::id().to_string()).status();
    assert!(stopped.is_ok_and(|status| status.success()), "the system has `kill`");
}

/// Sets the clock of all processes that share the file.
fn set_clock(seconds: i64) {
    let path = std::env::var("LASTMILE_TEST_CLOCK").expect("the clock can be set");
    let file = std::fs::File::options().write(true).open(path).expect("a file");
    file.write_all_at(&seconds.to_ne_bytes(), 0).expect("it is written");
}

async fn consume(store: &str, consumer: &str, aborts: bool) -> ExitCode {
    let outbox = open(store);
    let mut events = outbox.events(consumer).redeliver_after(Duration::from_secs(1));
    // An event that another process has taken is delivered again after a second.
    while outbox.statistics().await.expect("a store").events[consumer] > 0 {
        let event = events.next().await.expect("a store").expect("there is always one more");
        println!("{}", event.id());
        if aborts {
            std::process::abort();
        }
        event.ack().await.expect("a store");
    }
    ExitCode::SUCCESS
}

fn lock(file: &str) -> ExitCode {
    let connection = rusqlite::Connection::open(file).expect("a database");
    connection.busy_timeout(Duration::from_secs(10)).expect("a connection");
    connection.execute_batch("BEGIN IMMEDIATE").expect("nobody else keeps the lock");
    println!("locked");
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
    connection.execute_batch("ROLLBACK").expect("it is locked");
    ExitCode::SUCCESS
}
