//! Places one order, and is stopped while it does.
//!
//! The arguments are the base URL of an ON-API network, its user and password, an access, a service, a reference, and
//! after how many scheduler turns to stop. Without the last argument the program runs on several threads and another
//! process stops it. It prints the stored form of the marked order, stops (`SIGSTOP`), continues on `SIGCONT`, and
//! prints the outcome.

use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use lastmile::Prepared;
use lastmile::onapi::{Dialect, NewOrder, OnApi};
use lastmile_tests::paused::{MARK, policy};

static IS_DONE: AtomicBool = AtomicBool::new(false);

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (arguments, turns) = match arguments.split_at_checked(6) {
        Some((arguments, [])) => (arguments, None),
        Some((arguments, [turns])) => (arguments, Some(turns.parse().expect("a number"))),
        _ => {
            eprintln!("usage: paused BASE USER PASSWORD ACCESS SERVICE REFERENCE [TURNS]");
            std::process::exit(2);
        }
    };
    // The program stops itself between two other tasks of one thread: while a connection is established, or after a
    // request was handed to the connection and before the connection writes it.
    let mut runtime = match turns {
        Some(_) => tokio::runtime::Builder::new_current_thread(),
        None => tokio::runtime::Builder::new_multi_thread(),
    };
    runtime.enable_all().build().expect("a runtime").block_on(place(arguments, turns.unwrap_or(usize::MAX)));
}

async fn place(arguments: &[String], turns: usize) {
    let [base, user, password, access, service, reference] = arguments else { panic!("six arguments") };
    let network = OnApi::builder(base)
        .dialect(Dialect::Vendor26)
        .login(user, password)
        .policy(policy())
        .build()
        .expect("loopback");
    let order =
        NewOrder::activate(access.parse().expect("an id"), service, reference.parse().expect("an id"));
    let mut order = Prepared::new(order).expect("it is right");
    order.mark_in_flight_for(MARK).expect("it is new");
    println!("{}", serde_json::to_string(&order).expect("JSON"));

    let stopping = tokio::spawn(async move {
        if turns == usize::MAX {
            return;
        }
        for _ in 0..turns {
            tokio::task::yield_now().await;
            if IS_DONE.load(Ordering::Relaxed) {
                return;
            }
        }
        println!("stopping");
        let stopped = Command::new("kill").arg("-STOP").arg(std::process::id().to_string()).status();
        assert!(stopped.is_ok_and(|status| status.success()), "the system has `kill`");
    });
    let outcome = match order.place(&network).await {
        Ok(_) => "placed".to_owned(),
        Err(error) => error.outcome().to_string(),
    };
    IS_DONE.store(true, Ordering::Relaxed);
    stopping.await.expect("no panic");
    println!("{outcome}");
}
