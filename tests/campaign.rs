//! Small campaigns: the large ones are run by hand, with `cargo run --release -p lastmile-tests --bin campaign`.

use lastmile::onapi::types::{Access, AccessServices};
use lastmile_tests::campaign::{Broken, Plan, RowsPlan, Which, keep_a_copy, run};

async fn small(which: Which, deduplicates: bool, seed: u64) {
    let verdict = run(&Plan { orders: 48, seed, deduplicates, kills: None }, which).await;
    assert!(verdict.is_right(), "{verdict}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn onapi_orders_are_placed_once() {
    small(Which::OnApi, true, 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn onapi_orders_are_placed_once_at_a_network_that_takes_every_order_for_a_new_one() {
    small(Which::OnApi, false, 2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn covage_orders_are_submitted_once() {
    small(Which::Covage, true, 3).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn covage_orders_are_submitted_once_without_unique_references() {
    small(Which::Covage, false, 4).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cocon_never_gets_anything_twice() {
    small(Which::Cocon, true, 5).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_is_killed_goes_on_where_it_was() {
    for which in [Which::OnApi, Which::Covage, Which::Cocon] {
        let kills = Some((2, env!("CARGO_BIN_EXE_campaign").into()));
        let verdict = run(&Plan { orders: 48, seed: 6, deduplicates: false, kills }, which).await;
        assert!(verdict.is_right(), "{verdict}");
    }
}

/// Every list in every way, as news and as a whole.
const ROWS: RowsPlan = RowsPlan { rounds: 4 * Broken::ALL.len(), accesses: 60, seed: 7 };

#[tokio::test]
async fn a_copy_of_accesses_survives_lists_that_break() {
    let verdict = keep_a_copy::<Access>(&ROWS).await;
    assert!(verdict.is_right(), "{verdict}");
}

#[tokio::test]
async fn a_copy_of_services_survives_lists_that_break() {
    let verdict = keep_a_copy::<AccessServices>(&ROWS).await;
    assert!(verdict.is_right(), "{verdict}");
}
