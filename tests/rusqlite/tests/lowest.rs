//! Orders in SQLite, with the lowest version of rusqlite.

use std::time::Duration;

use lastmile_outbox::{By, Enqueued, Error, EventKind, Outbox, State};

#[allow(dead_code)]
#[path = "../../outbox/fake.rs"]
mod fake;

use fake::{Fake, FakeOrder, Fate, World};

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_works_with_the_lowest_version_of_rusqlite() {
    let path = std::env::temp_dir().join(format!("lastmile-rusqlite-{}.db", std::process::id()));
    let outbox = Outbox::sqlite(&path).unwrap();
    outbox.migrate().await.unwrap();
    outbox.migrate().await.unwrap();
    outbox.register_consumer("billing").await.unwrap();

    // In a transaction of the caller's, with the caller's rusqlite.
    let statement = lastmile_outbox::sqlite::enqueue("1", &FakeOrder::new("1")).unwrap();
    let mut connection = rusqlite::Connection::open(&path).unwrap();
    let transaction = connection.transaction().unwrap();
    transaction.execute(statement.sql(), rusqlite::params_from_iter(statement.values())).unwrap();
    transaction.commit().unwrap();
    assert_eq!(outbox.enqueue("1", &FakeOrder::new("1")).await.unwrap(), Enqueued::Known);
    assert!(matches!(outbox.enqueue("1", &FakeOrder::new("2")).await, Err(Error::KeyUsed)));

    let world = World::new(false);
    world.fates("lost", [Fate::RequestLost]);
    outbox.enqueue("lost", &FakeOrder::new("lost")).await.unwrap();
    let worker = outbox
        .worker()
        .serve(Fake(world.clone()))
        .backoff(Duration::from_millis(5), Duration::from_secs(1))
        .start();
    let mut events = outbox.events("billing").poll_interval(Duration::from_millis(20));
    let mut decided = false;
    while world.effects("1") + world.effects("lost") < 2 || !decided {
        let event = events.next().await.unwrap().unwrap();
        if let EventKind::NeedsPerson { .. } = event.kind() {
            outbox.declare_absent(event.key(), By("operator-7"), "not in the portal").await.unwrap();
            decided = true;
        }
        event.ack().await.unwrap();
    }
    worker.drain(Duration::from_secs(5)).await;
    for key in ["1", "lost"] {
        assert_eq!(outbox.order(key).await.unwrap().unwrap().state(), State::Placed);
    }
    assert_eq!(outbox.audit("lost").await.unwrap().len(), 1);
    assert_eq!(outbox.statistics().await.unwrap().count(State::Placed), 2);
    assert_eq!(outbox.prune(Duration::ZERO).await.unwrap().orders, 2);
    for suffix in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{suffix}", path.display()));
    }
}
