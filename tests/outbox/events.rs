//! Events: at least once for each consumer.

use std::process::Stdio;
use std::time::Duration;

use lastmile_outbox::tokio_postgres::{Config, NoTls};
use lastmile_outbox::{Outbox, State};
use lastmile_tests::outbox::{TestStore, postgres, quick, until};
use tokio::process::Command;

use crate::fake::{Fake, FakeOrder, World};
use crate::stores::stores;

async fn place(outbox: &Outbox, keys: &[&str]) {
    let world = World::new(true);
    for key in keys {
        outbox.enqueue(key, &FakeOrder::new(key)).await.unwrap();
    }
    outbox.register_consumer("end").await.unwrap();
    let worker = quick(outbox.worker()).serve(Fake(world)).start();
    let mut events = outbox.events("end").poll_interval(Duration::from_millis(20));
    for _ in keys {
        events.next().await.unwrap().unwrap().ack().await.unwrap();
    }
    worker.drain(Duration::from_secs(5)).await;
}

#[tokio::test]
async fn each_consumer_receives_each_event_until_it_acknowledges() {
    for store in stores().await {
        let outbox = &store.outbox;
        outbox.register_consumer("billing").await.unwrap();
        outbox.register_consumer("mail").await.unwrap();
        place(outbox, &["1", "2"]).await;
        let hidden_for = Duration::from_millis(50);
        let mut billing = outbox.events("billing").redeliver_after(hidden_for).poll_interval(hidden_for);
        let first = billing.next().await.unwrap().unwrap();
        let (key, id) = (first.key().to_owned(), first.id());
        drop(first);
        // The other one is acknowledged; the first one arrives again and again, as the same event.
        let mut is_acknowledged = false;
        loop {
            let event = billing.next().await.unwrap().unwrap();
            if event.key() != key {
                event.ack().await.unwrap();
                is_acknowledged = true;
            } else if is_acknowledged {
                assert_eq!(event.id(), id, "{}", store.name);
                event.ack().await.unwrap();
                break;
            }
        }
        assert!(outbox.events("billing").try_next().await.unwrap().is_none(), "{}", store.name);
        let mut mail = outbox.events("mail");
        for _ in 0..2 {
            mail.next().await.unwrap().unwrap().ack().await.unwrap();
        }
        assert!(mail.try_next().await.unwrap().is_none(), "{}", store.name);
        let waiting = outbox.statistics().await.unwrap().events;
        assert!(waiting.values().all(|count| *count == 0), "{waiting:?}");
        outbox.prune(Duration::from_secs(3600)).await.unwrap();
    }
}

#[tokio::test]
async fn the_processes_of_one_consumer_share_its_events() {
    for store in stores().await {
        let outbox = &store.outbox;
        outbox.register_consumer("billing").await.unwrap();
        let keys: Vec<String> = (0..40).map(|number| number.to_string()).collect();
        place(outbox, &keys.iter().map(String::as_str).collect::<Vec<_>>()).await;
        let mut seen = std::collections::BTreeSet::new();
        let other = lastmile_tests::outbox::open(&store.address);
        let (mut one, mut two) = (outbox.events("billing"), other.events("billing"));
        loop {
            let (first, second) = (one.try_next().await.unwrap(), two.try_next().await.unwrap());
            if first.is_none() && second.is_none() {
                break;
            }
            for event in [first, second].into_iter().flatten() {
                assert!(seen.insert(event.key().to_owned()), "{}: {} twice", store.name, event.key());
                event.ack().await.unwrap();
            }
        }
        assert_eq!(seen.len(), keys.len(), "{}", store.name);
    }
}

#[tokio::test]
async fn an_event_is_acknowledged_in_the_callers_transaction() {
    for store in stores().await {
        let outbox = &store.outbox;
        outbox.register_consumer("billing").await.unwrap();
        place(outbox, &["1"]).await;
        let hidden_for = Duration::from_millis(20);
        let mut billing = outbox.events("billing").redeliver_after(hidden_for).poll_interval(hidden_for);
        for commits in [false, true] {
            let event = billing.next().await.unwrap().unwrap();
            let statement = event.ack_statement();
            match store.address.split_once(':').unwrap() {
                ("sqlite", path) => {
                    let mut connection = rusqlite::Connection::open(path).unwrap();
                    let transaction = connection.transaction().unwrap();
                    let values = rusqlite::params_from_iter(statement.values());
                    assert_eq!(transaction.execute(statement.sql(), values).unwrap(), 1);
                    if commits { transaction.commit().unwrap() } else { transaction.rollback().unwrap() }
                }
                (_, config) => {
                    let quoted: Vec<_> =
                        statement.values().iter().map(|value| format!("'{value}'")).collect();
                    let sql = statement.sql().replace("$1", &quoted[0]).replace("$2", &quoted[1]);
                    let end = if commits { "commit" } else { "rollback" };
                    lastmile_tests::outbox::execute(config, &format!("begin; {sql}; {end}")).await;
                }
            }
        }
        assert_eq!(outbox.statistics().await.unwrap().events["billing"], 0, "{}", store.name);
    }
}

#[tokio::test]
async fn a_consumer_that_is_given_up_keeps_nothing() {
    for store in stores().await {
        let outbox = &store.outbox;
        outbox.register_consumer("old").await.unwrap();
        place(outbox, &["1"]).await;
        outbox.unregister_consumer("old").await.unwrap();
        assert!(!outbox.statistics().await.unwrap().events.contains_key("old"));
        assert_eq!(outbox.prune(Duration::from_secs(3600)).await.unwrap().events, 1, "{}", store.name);
    }
}

#[tokio::test]
async fn an_event_whose_consumer_crashes_before_the_acknowledgement_is_delivered_again() {
    for store in stores().await {
        let outbox = &store.outbox;
        outbox.register_consumer("billing").await.unwrap();
        place(outbox, &["1", "2", "3"]).await;
        let consume = async |action: &str| {
            let mut process = Command::new(env!("CARGO_BIN_EXE_outbox_worker"));
            process
                .args(["consume", &store.address, "billing", action])
                .stderr(Stdio::null())
                .kill_on_drop(true);
            let output = process.output().await.unwrap();
            let numbers = String::from_utf8(output.stdout).unwrap();
            (output.status.success(), numbers.lines().map(str::to_owned).collect::<Vec<_>>())
        };
        let (succeeded, crashed) = consume("abort").await;
        assert_eq!((succeeded, crashed.len()), (false, 1), "{}", store.name);
        let (succeeded, mut received) = consume("acknowledge").await;
        assert!(succeeded && received.contains(&crashed[0]), "{}: {crashed:?}, {received:?}", store.name);
        received.sort();
        received.dedup();
        assert_eq!(received.len(), 3, "{}", store.name);
        assert_eq!(outbox.statistics().await.unwrap().events["billing"], 0, "{}", store.name);
    }
}

/// In SQLite one transaction writes at a time, so that commits have the order of the numbers.
#[tokio::test(flavor = "multi_thread")]
async fn commits_that_are_out_of_order_lose_no_event_and_no_order() {
    let Some(server) = postgres() else { return };
    let (store, world) = (TestStore::postgres().await, World::new(true));
    let (address, outbox) = (store.address.split_once(':').unwrap().1, &store.outbox);
    outbox.register_consumer("test").await.unwrap();
    let connect = async |config: &str| {
        let (client, connection) = config.parse::<Config>().unwrap().connect(NoTls).await.unwrap();
        tokio::spawn(connection);
        client
    };
    // An order with a low number, whose transaction stays open while later ones commit.
    let service = connect(address).await;
    service.batch_execute("begin").await.unwrap();
    let statement = lastmile_outbox::postgres::enqueue("late", &FakeOrder::new("late")).unwrap();
    let values = statement.values().iter().map(|value| value as _).collect::<Vec<_>>();
    service.execute(statement.sql(), &values).await.unwrap();
    // The transaction that books this order has numbered its event, and waits for the test before it commits.
    let (admin, number) = (connect(&server).await, i64::from(fastrand::u32(..)));
    admin.execute("select pg_advisory_lock($1)", &[&number]).await.unwrap();
    let sql = format!(
        "create function hold() returns trigger language plpgsql as $$ begin
           perform pg_advisory_xact_lock_shared({number}); return null; end $$;
         create trigger hold after insert on lastmile_event for each row
           when (new.data = '{{\"id\":\"held\"}}') execute function hold()"
    );
    lastmile_tests::outbox::execute(address, &sql).await;
    outbox.enqueue("held", &FakeOrder::new("held")).await.unwrap();
    let worker = quick(outbox.worker()).serve(Fake(world.clone())).start();
    let waits =
        "select from pg_locks where locktype = 'advisory' and not granted and objid = $1::bigint::oid";
    let is_waiting = || async { admin.query(waits, &[&number]).await.unwrap().len() == 1 };
    until(is_waiting).await;
    outbox.enqueue("next", &FakeOrder::new("next")).await.unwrap();
    let mut events = outbox.events("test").poll_interval(Duration::from_millis(20));
    let next = events.next().await.unwrap().unwrap();
    assert_eq!(next.key(), "next");
    let next_number = next.id();
    next.ack().await.unwrap();
    assert!(events.try_next().await.unwrap().is_none());
    // Now what has lower numbers commits.
    admin.execute("select pg_advisory_unlock($1)", &[&number]).await.unwrap();
    let held = events.next().await.unwrap().unwrap();
    assert_eq!((held.key(), held.id() < next_number), ("held", true));
    held.ack().await.unwrap();
    service.batch_execute("commit").await.unwrap();
    let late = events.next().await.unwrap().unwrap();
    assert_eq!(late.key(), "late");
    late.ack().await.unwrap();
    worker.drain(Duration::from_secs(5)).await;
    for key in ["late", "held", "next"] {
        assert_eq!(world.effects(key), 1);
        assert_eq!(outbox.order(key).await.unwrap().unwrap().state(), State::Placed);
    }
}
