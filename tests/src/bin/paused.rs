//! Places one order, and stops itself in the middle of it.
//!
//! Called with the base address of an ON-API network, its user and password, an access, a service, a reference, and after how many
//! turns of the scheduler to stop. Prints the stored form of the marked order, stops (`SIGSTOP`) when its time has come, and goes on
//! when somebody lets it (`SIGCONT`). Prints the outcome.

use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use lastmile::Prepared;
use lastmile::onapi::{NewOrder, OnApi};
use lastmile_tests::paused::{MARK, policy};

static IS_DONE: AtomicBool = AtomicBool::new(false);

/// In one thread, so that the stop comes between two other tasks: while a connection is made, or after a request was handed to the
/// connection and before that writes it.
#[tokio::main(flavor = "current_thread")]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [base, user, password, access, service, reference, turns] = arguments.as_slice() else {
        eprintln!("usage: paused BASE USER PASSWORD ACCESS SERVICE REFERENCE TURNS");
        std::process::exit(2);
    };
    let turns: usize = turns.parse().expect("a number");
    let network = OnApi::builder(base).login(user, password).policy(policy()).build().expect("loopback");
    let order =
        NewOrder::activate(access.parse().expect("an id"), service, reference.parse().expect("an id"));
    let mut order = Prepared::new(order).expect("it is right");
    order.mark_in_flight_for(MARK).expect("it is new");
    println!("{}", serde_json::to_string(&order).expect("JSON"));

    let stopping = tokio::spawn(async move {
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
