//! Databases that are locked, full, shared, or keep old versions of rows.

use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use lastmile_outbox::probe::Point;
use lastmile_outbox::tokio_postgres::{Config, NoTls};
use lastmile_outbox::{Error, PostgresBuilder, State};
use lastmile_tests::outbox::{TestStore, is_done, quick, until, until_done};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;

use crate::fake::{Fake, FakeOrder, World};
use crate::scene::Scene;
use crate::stores::stores;

/// Returns the code of SQLite in an error.
fn code(error: &Error) -> Option<&str> {
    match error {
        Error::Store(error) => error.code(),
        _ => None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sqlite_file_that_another_process_locks_delays_orders_and_loses_none() {
    let (store, world) = (TestStore::sqlite().await, World::new(true));
    let (file, outbox) = (store.address.strip_prefix("sqlite:").unwrap(), &store.outbox);
    for key in ["1", "2", "3"] {
        outbox.enqueue(key, &FakeOrder::new(key)).await.unwrap();
    }
    let mut locker = Command::new(env!("CARGO_BIN_EXE_outbox_worker"));
    let locker = locker.args(["lock", file]).stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
    let mut locker = locker.spawn().unwrap();
    let mut lines = BufReader::new(locker.stdout.take().unwrap()).lines();
    assert_eq!(lines.next_line().await.unwrap().as_deref(), Some("locked"));
    let worker = quick(outbox.worker()).serve(Fake(world.clone())).start();
    // The operation waits for the lock for a limited time, and then fails: nothing was changed, and nothing is sent.
    let error =
        lastmile_tests::outbox::open(&store.address).enqueue("4", &FakeOrder::new("4")).await.unwrap_err();
    assert_eq!(code(&error), Some("5"), "SQLITE_BUSY");
    assert!(world.sent().is_empty());
    drop(locker.stdin.take());
    assert!(locker.wait().await.unwrap().success());
    until_done(outbox).await;
    outbox.enqueue("4", &FakeOrder::new("4")).await.unwrap();
    until_done(outbox).await;
    worker.drain(Duration::from_secs(5)).await;
    for key in ["1", "2", "3", "4"] {
        assert_eq!(world.effects(key), 1);
        assert_eq!(outbox.order(key).await.unwrap().unwrap().marks(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_refuses_orders_and_loses_none() {
    let (store, world) = (TestStore::sqlite().await, World::new(true));
    let outbox = &store.outbox;
    // What the database contains fits, and nothing else does.
    let mut pages = outbox.limit_pages(1).await.unwrap();
    let mut keys = Vec::new();
    let error = loop {
        let key = format!("{:050}", keys.len());
        match outbox.enqueue(&key, &FakeOrder::new(&key)).await {
            Ok(_) => keys.push(key),
            Err(error) => break error,
        }
        assert!(keys.len() < 10_000, "the disk has a limit");
    };
    assert_eq!(code(&error), Some("13"), "SQLITE_FULL");
    assert!(!keys.is_empty(), "some fitted into the pages that there were");
    let claims = Arc::new(AtomicUsize::new(0));
    let counter = claims.clone();
    let probe = Arc::new(move |point: Point| {
        counter.fetch_add(usize::from(point == Point::BeforeClaim), Ordering::SeqCst);
    });
    // A disk that is full makes no order an order that stops workers.
    let worker = quick(outbox.worker()).serve(Fake(world.clone())).crashes(u32::MAX).probe(probe).start();
    // The disk gets space, and is full again at once: claims, marks and results are refused in turn.
    while !is_done(outbox).await {
        let before = claims.load(Ordering::SeqCst);
        until(|| async { claims.load(Ordering::SeqCst) >= before + 3 }).await;
        for key in &keys {
            let marks = outbox.order(key).await.unwrap().unwrap().marks();
            assert!(world.effects(key) <= usize::try_from(marks).unwrap(), "an order is sent after its mark");
        }
        pages = outbox.limit_pages(pages + 1).await.unwrap();
        assert!(pages < 10_000, "the orders fit into a few pages");
    }
    worker.drain(Duration::from_secs(5)).await;
    for key in &keys {
        assert_eq!(world.effects(key), 1);
        assert_eq!(outbox.order(key).await.unwrap().unwrap().state(), State::Placed);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_place_each_order_of_one_database_once_while_a_third_enqueues() {
    const ORDERS: usize = 24;
    for store in stores().await {
        let scene = Scene::new(store, ORDERS).await;
        let others = World::new(true);
        let mut workers = [scene.worker(&[]), scene.worker(&[])];
        let ended = async {
            for worker in &mut workers {
                assert!(worker.wait().await.unwrap().success());
            }
        };
        let enqueued = async {
            for number in 0..20 {
                let key = format!("other {number}");
                scene.store.outbox.enqueue(&key, &FakeOrder::new(&key)).await.unwrap();
            }
            let own = quick(scene.store.outbox.worker()).serve(Fake(others.clone())).start();
            until_done(&scene.store.outbox).await;
            own.drain(Duration::from_secs(5)).await;
        };
        tokio::join!(ended, enqueued);
        scene.assert_placed_once("two processes").await;
        assert_eq!(scene.sandbox.onapi().count("createOrder"), ORDERS, "{}", scene.store.name);
        for number in 0..20 {
            assert_eq!(others.effects(&format!("other {number}")), 1, "{}", scene.store.name);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_32_processes_one_places_the_order() {
    for store in stores().await {
        let scene = Scene::new(store, 1).await;
        let mut workers: Vec<_> = (0..32).map(|_| scene.worker(&[])).collect();
        for worker in &mut workers {
            assert!(worker.wait().await.unwrap().success(), "{}", scene.store.name);
        }
        scene.assert_placed_once("32 processes").await;
        assert_eq!(scene.sandbox.onapi().count("createOrder"), 1, "{}", scene.store.name);
        let order = scene.store.outbox.order("A-0").await.unwrap().unwrap();
        assert_eq!((order.marks(), order.crashes()), (1, 0), "{}", scene.store.name);
    }
}

/// A pool in transaction mode gives each transaction any session, also one that acknowledges commits before they are durable.
#[tokio::test]
async fn a_mark_is_durable_in_a_session_that_acknowledges_commits_early() {
    if lastmile_tests::outbox::postgres().is_none() {
        return;
    }
    let (store, world) = (TestStore::postgres().await, World::new(true));
    let config = store.address.split_once(':').unwrap().1;
    // All transactions use this session.
    let outbox = PostgresBuilder::new(config.parse().unwrap()).connections(1).build().unwrap();
    let sql = "create table levels (state text, level text);
               create function record() returns trigger language plpgsql as $$ begin
                 if new.state = 'in_flight' then
                   insert into levels values (new.state, current_setting('synchronous_commit'));
                 else
                   perform set_config('synchronous_commit', 'off', false);
                 end if;
                 return new;
               end $$;
               create trigger record before update on lastmile_order for each row execute function record();";
    lastmile_tests::outbox::execute(config, sql).await;
    for key in ["1", "2", "3"] {
        outbox.enqueue(key, &FakeOrder::new(key)).await.unwrap();
    }
    let worker = quick(outbox.worker()).serve(Fake(world.clone())).start();
    until_done(&outbox).await;
    worker.drain(Duration::from_secs(5)).await;
    let (client, connection) = config.parse::<Config>().unwrap().connect(NoTls).await.unwrap();
    tokio::spawn(connection);
    let rows = client.query("select level from levels", &[]).await.unwrap();
    let levels: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    assert_eq!(levels, ["on", "on", "on"]);
}

/// A transaction that stays open with an old snapshot: the rows that it sees cannot be removed. Every claim meets the dead versions of
/// the orders that were placed meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_that_is_held_delays_no_order() {
    const ORDERS: usize = 150;
    for store in stores().await {
        let (world, outbox) = (World::new(true), &store.outbox);
        outbox.enqueue("first", &FakeOrder::new("first")).await.unwrap();
        let count = "select count(*) from lastmile_order where state = 'ready'";
        match store.address.split_once(':').unwrap() {
            ("sqlite", path) => {
                let reader = rusqlite::Connection::open(path).unwrap();
                reader.execute_batch("BEGIN").unwrap();
                let ready = || reader.query_row(count, [], |row| row.get::<_, i64>(0)).unwrap();
                assert_eq!(ready(), 1);
                work(&store, &world, ORDERS).await;
                assert_eq!(ready(), 1, "the snapshot is held");
            }
            (_, config) => {
                let config: Config = config.parse().unwrap();
                let (reader, connection) = config.connect(NoTls).await.unwrap();
                tokio::spawn(connection);
                reader.batch_execute("begin isolation level repeatable read").await.unwrap();
                let ready = async || reader.query_one(count, &[]).await.unwrap().get::<_, i64>(0);
                assert_eq!(ready().await, 1);
                work(&store, &world, ORDERS).await;
                assert_eq!(ready().await, 1, "the snapshot is held");
                // The finished orders, of which no version could be removed, are not read by a claim.
                let (admin, connection) = config.connect(NoTls).await.unwrap();
                tokio::spawn(connection);
                admin
                    .batch_execute("vacuum analyze lastmile_order; set enable_seqscan = off")
                    .await
                    .unwrap_or(());
                let sql = "explain select id from lastmile_order where supplier = 'fake' and due <= now() order by due limit 32";
                let plan: Vec<String> =
                    admin.query(sql, &[]).await.unwrap().iter().map(|row| row.get(0)).collect();
                assert!(plan.iter().any(|line| line.contains("lastmile_order_due")), "{plan:?}");
            }
        }
    }
}

async fn work(store: &TestStore, world: &Arc<World>, orders: usize) {
    for number in 0..orders {
        let key = number.to_string();
        store.outbox.enqueue(&key, &FakeOrder::new(&key)).await.unwrap();
    }
    let worker = quick(store.outbox.worker()).serve(Fake(world.clone())).start();
    until_done(&store.outbox).await;
    worker.drain(Duration::from_secs(5)).await;
    for number in 0..orders {
        assert_eq!(world.effects(&number.to_string()), 1, "{}", store.name);
    }
}
