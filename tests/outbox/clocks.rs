//! Clocks that are set while orders are in flight.
//!
//! The wall clock of a worker's process is replaced by one that the test sets (`clock.c`): what the process reads from the system, in
//! the library and in SQLite, is what it would read after an operator or a time server has set the clock. PostgreSQL keeps its own.
#![cfg(target_os = "linux")]

use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use lastmile_outbox::State;
use lastmile_sandbox::Fault;
use lastmile_tests::outbox::{execute, postgres, quick, until};
use tokio::task::JoinSet;

use crate::fake::{Fake, FakeOrder, Fate, World};
use crate::scene::Scene;
use crate::stores::stores;

const HOUR: i64 = 3600;

/// A clock that some processes share.
struct Clock {
    file: PathBuf,
}

impl Clock {
    fn new() -> Self {
        let file = temporary("clock");
        std::fs::write(&file, [0; 8]).unwrap();
        Self { file }
    }

    fn set(&self, seconds: i64) {
        let file = std::fs::File::options().write(true).open(&self.file).unwrap();
        file.write_all_at(&seconds.to_ne_bytes(), 0).unwrap();
    }

    /// Lets a program use this clock.
    fn give_to(&self, program: &mut tokio::process::Command) {
        program.env("LD_PRELOAD", library()).env("LASTMILE_TEST_CLOCK", &self.file);
    }
}

impl Drop for Clock {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.file);
    }
}

fn temporary(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("lastmile-{name}-{}-{:x}", std::process::id(), fastrand::u64(..)))
}

/// Returns the compiled `clock.c`. The workspace needs a C compiler for SQLite anyway.
fn library() -> &'static PathBuf {
    static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        let library = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("outbox-clock.so");
        let new = temporary("clock.so");
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/outbox/clock.c");
        let compiled =
            Command::new("cc").args(["-shared", "-fPIC", "-O1", "-o"]).arg(&new).arg(source).status();
        assert!(compiled.unwrap().success());
        std::fs::copy(&new, &library).unwrap();
        let _ = std::fs::remove_file(new);
        library
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_set_at_any_boundary_neither_loses_nor_doubles_an_order() {
    let mut scenes = JoinSet::new();
    for point in ["Claimed", "LookedUp", "BeforeMark", "Marked", "Answered"] {
        for offset in [HOUR, -HOUR] {
            for store in stores().await {
                scenes.spawn(async move {
                    let scene = Scene::new(store, 1).await;
                    let clock = Clock::new();
                    let base = scene.sandbox.onapi().base_url();
                    let mut first = scene.worker_at(&base, &[&format!("{point}={offset:+}")]);
                    clock.give_to(&mut first);
                    let mut second = scene.worker_at(&base, &[]);
                    // The processes of one machine share its clock. PostgreSQL serves several machines.
                    if scene.store.name == "sqlite" {
                        clock.give_to(&mut second);
                    }
                    let mut workers = [first.spawn().unwrap(), second.spawn().unwrap()];
                    for worker in &mut workers {
                        assert!(
                            worker.wait().await.unwrap().success(),
                            "{} {point} {offset:+}",
                            scene.store.name
                        );
                    }
                    scene.assert_placed_once(&format!("{point} {offset:+}")).await;
                    assert_eq!(scene.sandbox.onapi().count("createOrder"), 1, "{point} {offset:+}");
                });
            }
        }
    }
    while let Some(done) = scenes.join_next().await {
        done.unwrap();
    }
}

/// The supplier carries a request out after the connection is closed, within the settle time. By the worker's clock that time is over
/// at once.
#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_set_does_not_end_the_settle_time() {
    let mut scenes = JoinSet::new();
    for store in stores().await {
        scenes.spawn(async move {
            let scene = Scene::new(store, 1).await;
            let (supplier, clock) = (scene.sandbox.onapi(), Clock::new());
            supplier.fail_next("createOrder", Fault::CarriedOutLate(Duration::from_millis(2500)));
            let mut worker = scene.worker_at(&supplier.base_url(), &["settle=5000"]);
            clock.give_to(&mut worker);
            let mut worker = worker.spawn().unwrap();
            until(|| async { supplier.count("createOrder") > 0 }).await;
            clock.set(HOUR);
            assert!(worker.wait().await.unwrap().success(), "{}", scene.store.name);
            scene.assert_placed_once("set").await;
            assert_eq!(supplier.count("createOrder"), 1, "{}", scene.store.name);
        });
    }
    while let Some(done) = scenes.join_next().await {
        done.unwrap();
    }
}

/// A database on the machine of the workers shares their clock, and both are set at once.
#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_set_for_the_database_as_well_does_not_end_the_settle_time() {
    for store in stores().await.into_iter().filter(|store| store.name == "postgres") {
        let mut scene = Scene::new(store, 1).await;
        let (server, clock) = (postgres().unwrap(), Clock::new());
        let schema = scene.store.address.rsplit(['=', '\'']).nth(1).unwrap().to_owned();
        // Functions of the schema, which the search path names before those of the system.
        execute(
            &server,
            &format!(
                "create table {schema}.clock as select interval '0' as ahead;
                 create function {schema}.clock_timestamp() returns timestamptz language sql volatile
                   as 'select pg_catalog.clock_timestamp() + ahead from {schema}.clock';
                 create function {schema}.now() returns timestamptz language sql stable
                   as 'select pg_catalog.now() + ahead from {schema}.clock'"
            ),
        )
        .await;
        let path = format!("search_path={schema}");
        scene.store.address = scene.store.address.replace(&path, &format!("{path},pg_catalog"));
        let supplier = scene.sandbox.onapi();
        supplier.fail_next("createOrder", Fault::CarriedOutLate(Duration::from_millis(2500)));
        let mut worker = scene.worker_at(&supplier.base_url(), &["settle=5000"]);
        clock.give_to(&mut worker);
        let mut worker = worker.spawn().unwrap();
        until(|| async { supplier.count("createOrder") > 0 }).await;
        execute(&server, &format!("update {schema}.clock set ahead = interval '1 hour'")).await;
        clock.set(HOUR);
        assert!(worker.wait().await.unwrap().success());
        scene.assert_placed_once("set for both").await;
        assert_eq!(supplier.count("createOrder"), 1);
    }
}

/// A queue in front of the database, or a busy one: the claim begins later than the clock of the database may be ahead.
#[tokio::test]
async fn a_database_that_begins_late_with_each_claim_is_no_clock_that_was_set() {
    for store in stores().await.into_iter().filter(|store| store.name == "postgres") {
        let (server, world) = (postgres().unwrap(), World::new(true));
        let schema = store.address.rsplit(['=', '\'']).nth(1).unwrap();
        execute(
            &server,
            &format!(
                "alter function {schema}.lastmile_claim rename to claim_at_once;
                 create function {schema}.lastmile_claim(text, bigint, text, bigint, bigint, bigint, bigint, bigint)
                   returns setof {schema}.lastmile_order language sql volatile as
                   'select pg_sleep(1.2); select * from {schema}.claim_at_once($1, $2, $3, $4, $5, $6, $7, $8)'"
            ),
        )
        .await;
        store.outbox.enqueue("1", &FakeOrder::new("1")).await.unwrap();
        let worker = quick(store.outbox.worker()).serve(Fake(world.clone())).start();
        until(|| async { store.outbox.order("1").await.unwrap().unwrap().state() == State::Placed }).await;
        worker.drain(Duration::from_secs(5)).await;
        assert_eq!(world.sent().len(), 1);
    }
}

/// The step in memory answers that the order is absent at once, as it would with a clock that was set: only the time of the database
/// keeps the order from being sent again.
#[tokio::test]
async fn an_absent_order_is_sent_again_only_after_the_settle_time_of_the_database() {
    const SETTLE: Duration = Duration::from_millis(700);
    for store in stores().await {
        let (world, outbox) = (World::settling(true, SETTLE), &store.outbox);
        world.fates("1", [Fate::RequestLost]);
        outbox.enqueue("1", &FakeOrder::new("1")).await.unwrap();
        let worker = quick(outbox.worker()).serve(Fake(world.clone())).start();
        until(|| async { outbox.order("1").await.unwrap().unwrap().state() == State::Placed }).await;
        worker.drain(Duration::from_secs(5)).await;
        let sent = world.sent();
        assert_eq!(sent.len(), 2, "{}", store.name);
        assert!(sent[1] - sent[0] >= SETTLE, "{}: after {:?}", store.name, sent[1] - sent[0]);
    }
}
