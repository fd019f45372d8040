//! The databases that every test runs on.

use lastmile_tests::outbox::{TestStore, execute, postgres};

/// Returns an empty outbox on each database that is available.
pub(crate) async fn stores() -> Vec<TestStore> {
    let mut stores = vec![TestStore::sqlite().await];
    if postgres().is_some() {
        stores.push(TestStore::postgres().await);
    }
    stores
}

/// Changes what a store contains.
pub(crate) async fn alter(store: &TestStore, sql: &str) {
    match store.address.split_once(':').unwrap() {
        ("sqlite", path) => {
            let connection = rusqlite::Connection::open(path).unwrap();
            connection.busy_timeout(std::time::Duration::from_secs(10)).unwrap();
            connection.execute_batch(sql).unwrap();
        }
        (_, config) => execute(config, sql).await,
    }
}
