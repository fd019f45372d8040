//! Workers that crash or are stopped anywhere. The sandbox's orders tell what became of theirs, not the outbox.

use std::collections::HashMap;
use std::process::Stdio;
use std::time::Duration;

use lastmile::Prepared;
use lastmile::onapi::{Dialect, NewOrder, OnApi};
use lastmile_outbox::State;
use lastmile_outbox::probe::Point;
use lastmile_sandbox::onapi::Availability;
use lastmile_sandbox::{Fault, Sandbox};
use lastmile_tests::outbox::{TestStore, is_done, quick, until, until_done};
use lastmile_tests::paused::policy;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::task::JoinSet;

use crate::stores::stores;

/// A network and an outbox with orders for it.
struct Scene {
    sandbox: Sandbox,
    store: TestStore,
    network: OnApi,
    accesses: Vec<String>,
}

impl Scene {
    /// The network does not recognise an order that is sent twice.
    async fn new(store: TestStore, orders: usize) -> Self {
        let sandbox = Sandbox::builder().seed(1).onapi_deduplicates(false).start().await.unwrap();
        let supplier = sandbox.onapi();
        supplier.add_accesses(orders * 4);
        let free = |access: &lastmile_sandbox::onapi::Access| access.service(Availability::Free).is_some();
        let accesses: Vec<_> = supplier.accesses().into_iter().filter(free).take(orders).collect();
        let builder = OnApi::builder(supplier.base_url())
            .dialect(Dialect::Vendor26)
            .login(supplier.user(), supplier.password());
        let network = builder.policy(policy()).build().unwrap();
        for (number, access) in accesses.iter().enumerate() {
            let service = &access.service(Availability::Free).unwrap().service;
            let reference = format!("SP-{number}").parse().unwrap();
            let order = NewOrder::activate(access.id.parse().unwrap(), service, reference);
            let order = Prepared::new(order).unwrap();
            store.outbox.enqueue(&format!("A-{number}"), &order).await.unwrap();
        }
        assert_eq!(accesses.len(), orders);
        let accesses = accesses.into_iter().map(|access| access.id).collect();
        Self { sandbox, store, network, accesses }
    }

    fn worker(&self, actions: &[String]) -> Child {
        let supplier = self.sandbox.onapi();
        Command::new(env!("CARGO_BIN_EXE_outbox_worker"))
            .args([&self.store.address, &supplier.base_url(), supplier.user(), supplier.password()])
            .args(actions)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap()
    }

    /// Returns a scene with one order, and the worker that has it and is stopped at this point. A process that happens to be stopped
    /// while it writes to SQLite keeps the lock of the database, so that nobody else can write: then another one is started.
    async fn with_stopped_worker(store: TestStore, point: Point) -> (Self, Child) {
        let name = store.name;
        let mut store = Some(store);
        for _ in 0..20 {
            let another = async || stores().await.into_iter().find(|store| store.name == name).unwrap();
            let scene = match store.take() {
                Some(store) => Self::new(store, 1).await,
                None => Self::new(another().await, 1).await,
            };
            let mut stopped = scene.worker(&[format!("{point:?}=stop")]);
            let mut lines = BufReader::new(stopped.stdout.take().unwrap()).lines();
            assert_eq!(lines.next_line().await.unwrap().as_deref(), Some("stopping"));
            if !is_locked(&scene.store.address) {
                return (scene, stopped);
            }
            stopped.kill().await.unwrap();
        }
        panic!("each process was stopped while it wrote to the database");
    }

    /// Runs a worker until all orders have ended.
    async fn finish(&self) {
        assert!(self.worker(&[]).wait().await.unwrap().success());
    }

    /// Every order is placed once, at the network and by the outbox.
    async fn assert_placed_once(&self, what: &str) {
        self.sandbox.onapi().settled().await;
        let network = self.network.with_policy(lastmile_tests::brisk());
        let mut held = HashMap::new();
        for access in &self.accesses {
            for order in network.orders_of(&access.parse().unwrap()).await.unwrap() {
                let reference =
                    order.get().and_then(|order| order.sp_reference.get().map(ToString::to_string)).unwrap();
                *held.entry(reference).or_insert(0) += 1;
            }
        }
        for number in 0..self.accesses.len() {
            let order = self.store.outbox.order(&format!("A-{number}")).await.unwrap().unwrap();
            let at_network = held.get(format!("SP-{number}").as_str()).copied().unwrap_or_default();
            let name = self.store.name;
            assert_eq!(
                (order.state(), at_network),
                (State::Placed, 1),
                "{name}, {what}, order {number}: {:?}",
                order.reason()
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_at_any_boundary_neither_loses_nor_doubles_an_order() {
    let mut scenes = JoinSet::new();
    for point in Point::ALL {
        for store in stores().await {
            scenes.spawn(async move {
                let scene = Scene::new(store, 2).await;
                let crashed = scene.worker(&[format!("{point:?}=abort")]).wait().await.unwrap();
                assert!(!crashed.success(), "it meets {point:?}");
                scene.finish().await;
                scene.assert_placed_once(&format!("{point:?}")).await;
            });
        }
    }
    while let Some(done) = scenes.join_next().await {
        done.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_is_killed_after_the_supplier_has_the_order_loses_nothing() {
    for store in stores().await {
        let scene = Scene::new(store, 1).await;
        // The answer takes longer than the worker lives.
        scene.sandbox.onapi().fail_next("createOrder", Fault::Latency(Duration::from_secs(30)));
        let mut worker = scene.worker(&[]);
        until(|| async { scene.sandbox.onapi().took_effect("createOrder") > 0 }).await;
        worker.kill().await.unwrap();
        scene.finish().await;
        scene.assert_placed_once("killed").await;
        assert_eq!(scene.sandbox.onapi().count("createOrder"), 1, "{}", scene.store.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_that_are_killed_again_and_again_lose_nothing() {
    const ORDERS: usize = 30;
    let mut scenes = JoinSet::new();
    for store in stores().await {
        scenes.spawn(async move {
            let scene = Scene::new(store, ORDERS).await;
            for kill in 1..=4 {
                let mut workers = [scene.worker(&[]), scene.worker(&[])];
                // Orders whose workers were killed three times are left to a person, so that there may be none to place.
                until(|| async {
                    let placed = scene.sandbox.onapi().took_effect("createOrder");
                    placed >= kill * 5 || is_done(&scene.store.outbox).await
                })
                .await;
                for worker in &mut workers {
                    worker.kill().await.unwrap();
                }
            }
            // What no one could finish because its worker was killed three times is tried again by a person.
            loop {
                scene.finish().await;
                let stuck = scene.store.outbox.needs_person().await.unwrap();
                if stuck.is_empty() {
                    break;
                }
                for order in stuck {
                    let by = lastmile_outbox::By("test");
                    scene
                        .store
                        .outbox
                        .declare_absent(order.key(), by, "the workers were killed")
                        .await
                        .unwrap();
                }
            }
            scene.assert_placed_once("killed").await;
        });
    }
    while let Some(done) = scenes.join_next().await {
        done.unwrap();
    }
}

/// Returns whether another process has locked a SQLite database for longer than a commit takes.
fn is_locked(address: &str) -> bool {
    let Some(path) = address.strip_prefix("sqlite:") else { return false };
    let connection = rusqlite::Connection::open(path).unwrap();
    connection.busy_timeout(Duration::from_secs(2)).unwrap();
    connection.execute_batch("BEGIN IMMEDIATE; ROLLBACK").is_err()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_is_stopped_past_its_lease_sends_nothing_afterwards() {
    let mut scenes = JoinSet::new();
    for point in [Point::Claimed, Point::LookedUp, Point::BeforeMark, Point::Marked, Point::Answered] {
        for store in stores().await {
            scenes.spawn(async move {
                let (scene, mut stopped) = Scene::with_stopped_worker(store, point).await;
                // Another worker takes the order over and brings it to its end, which takes longer than the lease, the deadline and
                // the settle time together.
                let outbox = lastmile_tests::outbox::open(&scene.store.address);
                let other = quick(outbox.worker()).serve(scene.network.clone()).start();
                until_done(&outbox).await;
                let process = stopped.id().unwrap().to_string();
                assert!(Command::new("kill").args(["-CONT", &process]).status().await.unwrap().success());
                assert!(stopped.wait().await.unwrap().success());
                other.drain(Duration::from_secs(5)).await;
                scene.assert_placed_once(&format!("{point:?}")).await;
                assert_eq!(scene.sandbox.onapi().count("createOrder"), 1, "{point:?}");
            });
        }
    }
    while let Some(done) = scenes.join_next().await {
        done.unwrap();
    }
}
