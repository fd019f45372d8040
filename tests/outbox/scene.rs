//! Orders at a simulated network, and workers in processes of their own.

use std::collections::HashMap;
use std::process::Stdio;
use std::time::Duration;

use lastmile::Prepared;
use lastmile::onapi::{Dialect, NewOrder, OnApi};
use lastmile_outbox::State;
use lastmile_sandbox::Sandbox;
use lastmile_sandbox::onapi::Availability;
use lastmile_tests::outbox::{TestStore, until};
use lastmile_tests::paused::{is_stopped, policy};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::stores::stores;

/// A network and an outbox with orders for it.
pub(crate) struct Scene {
    pub(crate) sandbox: Sandbox,
    pub(crate) store: TestStore,
    pub(crate) network: OnApi,
    accesses: Vec<String>,
}

impl Scene {
    /// The network does not recognise an order that is sent twice.
    pub(crate) async fn new(store: TestStore, orders: usize) -> Self {
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

    pub(crate) fn worker(&self, actions: &[&str]) -> Child {
        self.worker_at(&self.sandbox.onapi().base_url(), actions).spawn().unwrap()
    }

    /// Returns the program of a worker that reaches the network at this address.
    pub(crate) fn worker_at(&self, base: &str, actions: &[&str]) -> Command {
        let supplier = self.sandbox.onapi();
        let mut command = Command::new(env!("CARGO_BIN_EXE_outbox_worker"));
        command
            .args([&self.store.address, base, supplier.user(), supplier.password()])
            .args(actions)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true);
        command
    }

    /// Returns a scene with one order, and the worker that has it and is stopped by this action. A process that happens to be stopped
    /// while it writes to SQLite keeps the lock of the database, so that nobody else can write: then another one is started.
    pub(crate) async fn with_stopped_worker(store: TestStore, action: &str) -> (Self, Child) {
        let name = store.name;
        let mut store = Some(store);
        for _ in 0..20 {
            let another = async || stores().await.into_iter().find(|store| store.name == name).unwrap();
            let scene = match store.take() {
                Some(store) => Self::new(store, 1).await,
                None => Self::new(another().await, 1).await,
            };
            let mut stopped = scene.worker(&[action]);
            let mut lines = BufReader::new(stopped.stdout.take().unwrap()).lines();
            assert_eq!(lines.next_line().await.unwrap().as_deref(), Some("stopping"));
            until_stopped(&stopped).await;
            if !is_locked(&scene.store.address) {
                return (scene, stopped);
            }
            stopped.kill().await.unwrap();
        }
        panic!("each process was stopped while it wrote to the database");
    }

    /// Runs a worker until all orders have ended.
    pub(crate) async fn finish(&self) {
        assert!(self.worker(&[]).wait().await.unwrap().success());
    }

    /// Every order is placed once, at the network and by the outbox.
    pub(crate) async fn assert_placed_once(&self, what: &str) {
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

/// Waits until the operating system has stopped a process.
pub(crate) async fn until_stopped(process: &Child) {
    let id = process.id().unwrap().to_string();
    until(|| is_stopped(&id)).await;
}

/// Returns whether another process has locked a SQLite database for longer than a commit takes.
pub(crate) fn is_locked(address: &str) -> bool {
    let Some(path) = address.strip_prefix("sqlite:") else { return false };
    let connection = rusqlite::Connection::open(path).unwrap();
    connection.busy_timeout(Duration::from_secs(2)).unwrap();
    connection.execute_batch("BEGIN IMMEDIATE; ROLLBACK").is_err()
}
