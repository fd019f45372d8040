//! A worker of an outbox in a process of its own, which a test crashes or stops.
//!
//! The arguments are the address of a [`TestStore`](lastmile_tests::outbox::TestStore), the base URL of an ON-API network, its user
//! and password, and then any number of `POINT=ACTION`: what happens when the worker reaches a boundary for the first time, `abort`
//! or `stop` (`SIGSTOP`). Ends when no order is active.

use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use lastmile::onapi::{Dialect, OnApi};
use lastmile_outbox::probe::Point;
use lastmile_tests::outbox::{open, quick, until_done};
use lastmile_tests::paused::policy;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, base, user, password, actions @ ..] = arguments.as_slice() else {
        eprintln!("usage: outbox_worker STORE BASE USER PASSWORD [POINT=ACTION]…");
        return ExitCode::from(2);
    };
    let network = OnApi::builder(base)
        .dialect(Dialect::Vendor26)
        .login(user, password)
        .policy(policy())
        .build()
        .expect("loopback");
    let outbox = open(address);
    let actions: Vec<_> = actions.iter().map(|action| Action::new(action)).collect();
    let probe = Arc::new(move |point: Point| {
        for action in actions.iter().filter(|action| action.point == format!("{point:?}")) {
            action.happen();
        }
    });
    let worker = quick(outbox.worker()).serve(network).probe(probe).start();
    until_done(&outbox).await;
    match worker.drain(Duration::from_secs(10)).await {
        0 => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

struct Action {
    point: String,
    stops: bool,
    happened: AtomicBool,
}

impl Action {
    fn new(text: &str) -> Self {
        let (point, action) = text.split_once('=').expect("POINT=ACTION");
        Self { point: point.to_owned(), stops: action == "stop", happened: AtomicBool::new(false) }
    }

    fn happen(&self) {
        if self.happened.swap(true, Ordering::SeqCst) {
            return;
        }
        if !self.stops {
            std::process::abort();
        }
        println!("stopping");
        let stopped = Command::new("kill").arg("-STOP").arg(std::process::id().to_string()).status();
        assert!(stopped.is_ok_and(|status| status.success()), "the system has `kill`");
    }
}
