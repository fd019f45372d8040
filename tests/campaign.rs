//! Runs small campaigns. Large ones are run by hand, with `cargo run --release -p lastmile-tests --bin campaign`.

use lastmile::onapi::types::{Access, AccessServices};
use lastmile_sandbox::{Dialect, TextNormalization};
use lastmile_tests::campaign::{Broken, Plan, Processes, RowsPlan, Which, keep_a_copy, run};

fn plan(seed: u64) -> Plan {
    Plan {
        orders: 48,
        seed,
        deduplicates: false,
        texts: TextNormalization::Unchanged,
        dialect: Dialect::default(),
        processes: None,
        postgres: false,
    }
}

async fn is_right(plan: &Plan, which: Which) {
    let verdict = run(plan, which).await;
    assert!(verdict.is_right(), "{verdict}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn onapi_orders_are_placed_once() {
    is_right(&Plan { deduplicates: true, ..plan(1) }, Which::OnApi).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn onapi_orders_are_placed_once_without_deduplication() {
    is_right(&plan(2), Which::OnApi).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn onapi_orders_are_placed_once_in_the_standard_s_dialects() {
    for (dialect, deduplicates) in
        [(Dialect::Standard24, true), (Dialect::Standard24, false), (Dialect::Standard26, true)]
    {
        is_right(&Plan { dialect, deduplicates, ..plan(9) }, Which::OnApi).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn covage_orders_are_submitted_once() {
    is_right(&Plan { deduplicates: true, ..plan(3) }, Which::Covage).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn covage_orders_are_submitted_once_without_unique_references() {
    is_right(&plan(4), Which::Covage).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cocon_requests_take_effect_at_most_once() {
    is_right(&plan(5), Which::Cocon).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn normalized_references_cause_no_duplicate_orders() {
    is_right(&Plan { texts: TextNormalization::UpperCase, ..plan(7) }, Which::OnApi).await;
    is_right(&Plan { texts: TextNormalization::Truncated(20), ..plan(8) }, Which::Covage).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_and_stopped_workers_place_every_order_once() {
    let program = env!("CARGO_BIN_EXE_campaign");
    let processes =
        Processes { program: program.into(), workers: 3, kills: 2, stops: 2, restarts: 0, cuts: 0 };
    for which in [Which::OnApi, Which::Covage, Which::Cocon] {
        is_right(&Plan { processes: Some(processes.clone()), ..plan(6) }, which).await;
    }
}

/// Breaks every list in every way, in incremental and in full runs.
const ROWS: RowsPlan = RowsPlan { rounds: 4 * Broken::ALL.len(), accesses: 60, seed: 7 };

#[tokio::test]
async fn a_copy_of_accesses_stays_correct_when_lists_break() {
    let verdict = keep_a_copy::<Access>(&ROWS).await;
    assert!(verdict.is_right(), "{verdict}");
}

#[tokio::test]
async fn a_copy_of_services_stays_correct_when_lists_break() {
    let verdict = keep_a_copy::<AccessServices>(&ROWS).await;
    assert!(verdict.is_right(), "{verdict}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn orders_survive_kills_of_postgresql_and_of_its_connections() {
    if lastmile_tests::outbox::postgres().is_none() {
        return;
    }
    let program = env!("CARGO_BIN_EXE_campaign").into();
    let processes = Processes { program, workers: 3, kills: 1, stops: 1, restarts: 2, cuts: 2 };
    for which in [Which::OnApi, Which::Covage, Which::Cocon] {
        is_right(&Plan { processes: Some(processes.clone()), postgres: true, ..plan(9) }, which).await;
    }
}
