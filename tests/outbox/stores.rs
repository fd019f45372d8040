//! The databases that every test runs on.

use lastmile_tests::outbox::{TestStore, postgres};

/// Returns an empty outbox on each database that is available.
pub(crate) async fn stores() -> Vec<TestStore> {
    let mut stores = vec![TestStore::sqlite().await];
    if postgres().is_some() {
        stores.push(TestStore::postgres().await);
    }
    stores
}
