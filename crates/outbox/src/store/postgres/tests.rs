//! Tests of single operations, where `LASTMILE_TEST_POSTGRES` names a server.

use std::task::{Context, Waker};
use std::time::Duration;

use futures_util::future::join_all;
use tokio_postgres::{Client, NoTls};

use super::Postgres;
use super::group::Locked;
use super::orders::{Booked, Mark};
use crate::machine::Booking;
use crate::store::{Claim, Fence, Store};
use crate::{Error, Outbox};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

/// An outbox in a schema of its own, and a connection to it.
struct Scene {
    outbox: Outbox,
    client: Client,
    schema: String,
}

impl Scene {
    /// Returns nothing without a server.
    async fn new() -> Option<Self> {
        let server = std::env::var("LASTMILE_TEST_POSTGRES").ok().filter(|config| !config.is_empty())?;
        let schema = format!("lastmile_unit_{}_{:x}", std::process::id(), fastrand::u64(..));
        let mut config: tokio_postgres::Config = server.parse().unwrap();
        config.options(format!("-c search_path={schema}"));
        let (client, connection) = config.connect(NoTls).await.unwrap();
        tokio::spawn(connection);
        client.batch_execute(&format!("create schema {schema}")).await.unwrap();
        let outbox = Outbox::postgres(config).unwrap();
        outbox.migrate().await.unwrap();
        Some(Self { outbox, client, schema })
    }

    /// Enqueues and claims orders.
    async fn claimed(&self, orders: i64) -> Vec<Fence> {
        let sql = "insert into lastmile_order (key, supplier, kind, digest, body)
                   select n::text, 'fake', 'k', 'd', 'old' from generate_series(1::bigint, $1) n";
        self.client.execute(sql, &[&orders]).await.unwrap();
        let claim = Claim {
            supplier: "fake".to_owned(),
            owner: "w".to_owned(),
            limit: orders,
            lease: HOUR,
            quiet: MINUTE,
            pace: None,
            latest: None,
        };
        let rows = self.outbox.store.claim(&claim).await.unwrap();
        assert_eq!(rows.len() as i64, orders);
        rows.into_iter().map(|row| row.fence).collect()
    }

    async fn mark(&self, fence: &Fence) -> Result<bool, Error> {
        self.outbox.store.mark(fence, "marked", MINUTE, MINUTE).await
    }

    /// Returns how many transactions wrote the orders.
    async fn transactions(&self) -> i64 {
        let sql = "select count(distinct xmin::text) from lastmile_order";
        self.client.query_one(sql, &[]).await.unwrap().get(0)
    }

    async fn end(self) {
        self.client.batch_execute(&format!("drop schema {} cascade", self.schema)).await.unwrap();
    }
}

// In the following tests, a runtime with one thread runs a statement when all writes are waiting for it.

#[tokio::test]
async fn marks_and_results_at_the_same_time_share_a_commit() {
    let Some(scene) = Scene::new().await else { return };
    scene.outbox.register_consumer("test").await.unwrap();
    let fences = scene.claimed(50).await;
    let marked = join_all(fences.iter().map(|fence| scene.mark(fence))).await;
    assert!(marked.into_iter().all(|marked| marked.unwrap()));
    assert_eq!(scene.transactions().await, 1);
    let booked = fences.iter().map(async |fence| {
        let booking = Booking::placed(Some(format!("result of {}", fence.id)));
        scene.outbox.store.book(fence, &booking).await
    });
    assert!(join_all(booked).await.into_iter().all(|booked| booked.unwrap()));
    assert_eq!(scene.transactions().await, 1);
    // Each order has its own values.
    let sql = "select count(*) from lastmile_order o join lastmile_event e on e.order_id = o.id
               join lastmile_delivery d on d.event_id = e.id and d.consumer = 'test'
               where o.state = 'placed' and o.body = 'marked' and o.mark = 1 and o.result = 'result of ' || o.id
                 and o.owner is null and o.due is null and o.finished_at is not null and e.data = o.result";
    assert_eq!(scene.client.query_one(sql, &[]).await.unwrap().get::<_, i64>(0), 50);
    scene.end().await;
}

#[tokio::test]
async fn an_order_that_is_locked_delays_no_other_and_is_written_later() {
    let Some(scene) = Scene::new().await else { return };
    let fences = scene.claimed(40).await;
    // A paused `psql` holds more orders than there are connections. Another worker has claimed the first, a failover has prolonged what
    // the others wait for.
    let change = "begin; update lastmile_order set epoch = epoch + 1 where key = '1';
                  update lastmile_order set settled_at = clock_timestamp() where key::int between 2 and 20";
    let waiting =
        "select count(*) from pg_locks where not granted and pg_backend_pid() = any (pg_blocking_pids(pid))";
    for is_mark in [true, false] {
        scene.client.batch_execute(change).await.unwrap();
        let mut writes: Vec<_> = fences
            .iter()
            .map(|fence| tokio::spawn(write(scene.outbox.clone(), fence.clone(), is_mark)))
            .collect();
        for other in writes.split_off(20) {
            assert!(other.await.unwrap().unwrap());
        }
        assert!(writes.iter().all(|locked| !locked.is_finished()));
        let late = scene.outbox.store.book_late(&fences[1], &Booking::placed(None)).await;
        assert!(late.unwrap_err().to_string().contains("another transaction keeps the order locked"));
        // The next operation has a connection.
        scene.outbox.order("40").await.unwrap().unwrap();
        assert_eq!(scene.client.query_one(waiting, &[]).await.unwrap().get::<_, i64>(0), 0);
        scene.client.batch_execute("commit").await.unwrap();
        for (number, locked) in writes.into_iter().enumerate() {
            assert_eq!(locked.await.unwrap().unwrap(), number > 0, "{number}");
        }
    }
    scene.end().await;
}

async fn write(outbox: Outbox, fence: Fence, is_mark: bool) -> Result<bool, Error> {
    match is_mark {
        true => outbox.store.mark(&fence, "marked", MINUTE, MINUTE).await,
        false => outbox.store.book(&fence, &Booking::placed(None)).await,
    }
}

#[tokio::test]
async fn a_value_that_postgresql_refuses_harms_no_other_order() {
    let Some(scene) = Scene::new().await else { return };
    let fences = scene.claimed(10).await;
    let booked = fences.iter().enumerate().map(async |(number, fence)| {
        let result = if number == 3 { "\0" } else { "result" };
        scene.outbox.store.book(fence, &Booking::placed(Some(result.to_owned()))).await
    });
    for (number, booked) in join_all(booked).await.into_iter().enumerate() {
        match booked {
            Ok(is_booked) => assert!(is_booked && number != 3),
            // A character that is not in the repertoire.
            Err(Error::Store(error)) => assert_eq!((number, error.code()), (3, Some("22021"))),
            Err(error) => panic!("{error}"),
        }
    }
    scene.end().await;
}

#[tokio::test]
async fn of_two_workers_that_write_the_same_order_at_once_only_its_holder_does() {
    let Some(scene) = Scene::new().await else { return };
    let fences = scene.claimed(2).await;
    let stale = Fence { epoch: 0, ..fences[0].clone() };
    let stranger = Fence { owner: "other".to_owned(), ..fences[0].clone() };
    let marked = join_all([&stale, &fences[0], &stranger, &fences[1]].map(|fence| scene.mark(fence))).await;
    assert_eq!(marked.into_iter().map(Result::unwrap).collect::<Vec<_>>(), [false, true, false, true]);
    let booked = join_all([&stranger, &stale, &fences[1], &fences[0]].map(async |fence| {
        let booking = Booking::placed(Some(fence.owner.clone()));
        scene.outbox.store.book(fence, &booking).await
    }))
    .await;
    assert_eq!(booked.into_iter().map(Result::unwrap).collect::<Vec<_>>(), [false, false, true, true]);
    let sql = "select count(*) from lastmile_order where mark = 1 and result = 'w'";
    assert_eq!(scene.client.query_one(sql, &[]).await.unwrap().get::<_, i64>(0), 2);
    scene.end().await;
}

#[tokio::test]
async fn a_dropped_worker_marks_nothing_any_more_and_loses_no_result() {
    let Some(scene) = Scene::new().await else { return };
    let fences = scene.claimed(2).await;
    let state = async || -> String {
        let sql = "select state from lastmile_order where id = $1";
        scene.client.query_one(sql, &[&fences[0].id]).await.unwrap().get(0)
    };
    for (is_mark, expected) in [(true, "ready"), (false, "placed")] {
        let mut dropped = Box::pin(write(scene.outbox.clone(), fences[0].clone(), is_mark));
        assert!(dropped.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        drop(dropped);
        // In the same statement.
        assert!(write(scene.outbox.clone(), fences[1].clone(), is_mark).await.unwrap());
        assert_eq!(state().await, expected);
    }
    scene.end().await;
}

#[tokio::test]
async fn a_write_that_is_made_twice_in_one_statement_counts_once() {
    let Some(scene) = Scene::new().await else { return };
    let fences = scene.claimed(1).await;
    let marked = join_all([0, 0].map(|at| scene.mark(&fences[at]))).await;
    assert_eq!(marked.into_iter().filter(|marked| *marked.as_ref().unwrap()).count(), 1);
    let marks: i64 = scene.client.query_one("select mark from lastmile_order", &[]).await.unwrap().get(0);
    assert_eq!(marks, 1);
    scene.end().await;
}

#[tokio::test]
async fn a_timeout_closes_the_connections_that_were_idle_meanwhile() {
    let Some(scene) = Scene::new().await else { return };
    let Store::Postgres(postgres) = &*scene.outbox.store else { panic!("PostgreSQL") };
    let postgres = Postgres { timeout: Duration::from_millis(200), ..postgres.clone() };
    let sleep = async |seconds: f64| postgres.query("select pg_sleep($1)", &[&seconds]).await;
    join_all([0.05, 0.05, 0.05].map(sleep)).await;
    assert_eq!(postgres.pool.status().size, 3);
    let failed = sleep(10.0).await.unwrap_err();
    assert!(failed.to_string().contains("in time"), "{failed}");
    assert_eq!(postgres.pool.status().size, 0);
    assert!(sleep(0.0).await.is_ok());
    scene.end().await;
}

/// A worker prepares its statements while the table is small, and uses their plans when it has grown.
#[tokio::test]
async fn a_statement_that_was_prepared_for_an_empty_table_reads_no_other_order() {
    let Some(scene) = Scene::new().await else { return };
    scene.client.batch_execute("set plan_cache_mode = force_generic_plan").await.unwrap();
    for (name, parameters, sql) in
        [("mark", 6, Mark::sql(Locked::Skip)), ("book", 17, Booked::sql(Locked::Skip))]
    {
        scene.client.batch_execute(&format!("prepare {name} as {sql}")).await.unwrap();
        let nulls = vec!["null"; parameters].join(", ");
        let plan = scene.client.query(&format!("explain execute {name} ({nulls})"), &[]).await.unwrap();
        let plan: Vec<String> = plan.iter().map(|row| row.get(0)).collect();
        assert!(!plan.iter().any(|line| line.contains("Seq Scan on lastmile_order")), "{plan:#?}");
        assert!(plan.iter().any(|line| line.contains("lastmile_order_pkey")), "{plan:#?}");
    }
    scene.end().await;
}

#[tokio::test]
async fn a_clock_that_was_set_ends_no_settle_time_and_no_quiet_time_after_a_failover() {
    let Some(scene) = Scene::new().await else { return };
    let Scene { outbox, client, .. } = &scene;
    // The clock was set forward by an hour: what was to end in a moment has ended.
    client
        .batch_execute(
            "insert into lastmile_order (key, supplier, kind, digest, state, due, mark, mark_may_be_lost, settled_at, manual_check)
             select key, 'fake', 'k', 'd', state, case when state <> 'needs_person' then clock_timestamp() end, mark, is_lost,
               clock_timestamp() - interval '59 minutes', case when state = 'needs_person' then 'look' end
             from (values ('sent', 'in_flight', 1, false), ('lost', 'ready', 0, true), ('person', 'needs_person', 1, false),
               ('new', 'ready', 0, false), ('followed', 'following', 1, false)) as orders (key, state, mark, is_lost);
             update lastmile_timeline set changed_at = clock_timestamp() - interval '1 hour'",
        )
        .await
        .unwrap();
    let prolonged = async || -> Vec<(String, i64)> {
        let sql = "select key, (extract(epoch from settled_at) * 1000)::bigint from lastmile_order
                   where settled_at > clock_timestamp() + interval '50 seconds' order by key";
        client.query(sql, &[]).await.unwrap().iter().map(|row| (row.get(0), row.get(1))).collect()
    };
    let is_quiet = async || -> bool {
        let sql = "select changed_at > clock_timestamp() - interval '1 minute' from lastmile_timeline";
        client.query_one(sql, &[]).await.unwrap().get(0)
    };
    outbox.store.prolong_settle_times("fake", MINUTE, HOUR).await.unwrap();
    let first = prolonged().await;
    let keys: Vec<_> = first.iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!(keys, ["lost", "person", "sent"]);
    assert!(is_quiet().await, "the failover was noticed a moment before");

    // Another worker notices the same step, and a failover is long past.
    client
        .batch_execute("update lastmile_timeline set changed_at = clock_timestamp() - interval '2 hours'")
        .await
        .unwrap();
    outbox.store.prolong_settle_times("fake", MINUTE, HOUR).await.unwrap();
    assert_eq!(prolonged().await, first, "no order is written twice");
    assert!(!is_quiet().await);
    scene.end().await;
}
