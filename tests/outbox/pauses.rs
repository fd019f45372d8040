//! Workers that are stopped (`SIGSTOP`) while they send, past their lease, and then continue.
#![cfg(target_os = "linux")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use lastmile_tests::outbox::{TestStore, quick, until, until_done};
use lastmile_tests::paused::{fill, is_connecting, short_listener, signal};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::scene::{Scene, is_locked, until_stopped};
use crate::stores::stores;

/// After so many turns of the scheduler after its mark a worker stops: while it connects, after it has handed the request to hyper, or
/// while it waits for the response.
const TURNS: [usize; 14] = [0, 1, 2, 3, 4, 5, 6, 8, 10, 13, 17, 22, 30, 60];

/// Returns how often the order had been requested when the worker stopped, or `None` if it was stopped while it kept the lock of the
/// database.
async fn stop_after(store: TestStore, turns: usize) -> Option<usize> {
    let scene = Scene::new(store, 1).await;
    let supplier = scene.sandbox.onapi();
    let mut worker = scene.worker(&[&format!("Marked=stop-after-{turns}")]);
    let mut lines = BufReader::new(worker.stdout.take().unwrap()).lines();
    let stops = lines.next_line().await.unwrap().is_some();
    let mut requests = supplier.count("createOrder");
    if stops {
        until_stopped(&worker).await;
        if is_locked(&scene.store.address) {
            return None;
        }
        requests = supplier.count("createOrder");
        let outbox = lastmile_tests::outbox::open(&scene.store.address);
        let other = quick(outbox.worker()).serve(scene.network.clone()).start();
        until_done(&outbox).await;
        signal("-CONT", &worker.id().unwrap().to_string()).await;
        assert!(worker.wait().await.unwrap().success());
        other.drain(Duration::from_secs(5)).await;
    } else {
        assert!(worker.wait().await.unwrap().success());
    }
    scene.assert_placed_once(&format!("after {turns} turns")).await;
    assert_eq!(supplier.count("createOrder"), 1, "{}: after {turns} turns", scene.store.name);
    Some(requests)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_is_stopped_between_its_mark_and_the_response_sends_nothing_afterwards() {
    let mut runs = Vec::new();
    for turns in TURNS {
        runs.extend(stores().await.into_iter().map(|store| stop_after(store, turns)));
    }
    let requests: Vec<_> = stream::iter(runs).buffer_unordered(6).collect().await;
    assert!(requests.contains(&Some(0)), "some stop before the request has left: {requests:?}");
    assert!(requests.contains(&Some(1)), "some stop afterwards: {requests:?}");
}

/// A server that passes connections on to the network while it is open.
struct Gateway {
    listener: Arc<TcpListener>,
    network: SocketAddr,
    accepting: Option<JoinHandle<()>>,
}

impl Gateway {
    fn to(base: &str) -> Self {
        let base: lastmile_core::reqwest::Url = base.parse().unwrap();
        let network = base.socket_addrs(|| None).unwrap()[0];
        let mut gateway = Self { listener: Arc::new(short_listener()), network, accepting: None };
        gateway.open(Vec::new());
        gateway
    }

    fn port(&self) -> u16 {
        self.listener.local_addr().unwrap().port()
    }

    /// Accepts connections, except from these ports.
    fn open(&mut self, ignored: Vec<u16>) {
        let (listener, network) = (self.listener.clone(), self.network);
        self.accepting = Some(tokio::spawn(async move {
            while let Ok((mut stream, peer)) = listener.accept().await {
                if !ignored.contains(&peer.port()) {
                    tokio::spawn(async move {
                        let mut network = TcpStream::connect(network).await?;
                        tokio::io::copy_bidirectional(&mut stream, &mut network).await
                    });
                }
            }
        }));
    }

    /// Accepts no more connections, and lets those who connect wait. Connections that are accepted stay.
    async fn close(&mut self) -> Vec<TcpStream> {
        if let Some(accepting) = self.accepting.take() {
            accepting.abort();
            let _ = accepting.await;
        }
        fill(&self.listener).await
    }
}

/// Returns whether the worker was stopped as intended: on SQLite it may have kept the lock of the database.
async fn stop_while_connecting(store: TestStore) -> bool {
    let scene = Scene::new(store, 1).await;
    let supplier = scene.sandbox.onapi();
    let mut gateway = Gateway::to(&supplier.base_url());
    let port = gateway.port();
    let mut base: lastmile_core::reqwest::Url = supplier.base_url().parse().unwrap();
    base.set_port(Some(port)).unwrap();
    // The lease has to outlast the preparations.
    let actions = ["LookedUp=stop", "margin=4000"];
    let mut worker = scene.worker_at(base.as_str(), &actions).spawn().unwrap();
    let process = worker.id().unwrap().to_string();
    let mut lines = BufReader::new(worker.stdout.take().unwrap()).lines();
    assert_eq!(lines.next_line().await.unwrap().as_deref(), Some("stopping"));
    until_stopped(&worker).await;
    // A creating call uses a connection of its own, which is not established.
    let waiting = gateway.close().await;
    signal("-CONT", &process).await;
    until(|| async { is_connecting(port) }).await;
    signal("-STOP", &process).await;
    until_stopped(&worker).await;
    if is_locked(&scene.store.address) {
        return false;
    }
    let outbox = lastmile_tests::outbox::open(&scene.store.address);
    let other = quick(outbox.worker()).serve(scene.network.clone()).start();
    until_done(&outbox).await;
    // The connection is established while the worker is stopped: its socket is writable when it continues.
    let ports = waiting.iter().map(|stream| stream.local_addr().unwrap().port()).collect();
    gateway.open(ports);
    until(|| async { !is_connecting(port) }).await;
    signal("-CONT", &process).await;
    assert!(worker.wait().await.unwrap().success());
    other.drain(Duration::from_secs(5)).await;
    scene.assert_placed_once("connecting").await;
    assert_eq!(supplier.count("createOrder"), 1, "{}", scene.store.name);
    true
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_is_stopped_while_it_connects_sends_nothing_afterwards() {
    let runs = stores().await.into_iter().map(|store| async move {
        let (name, mut store) = (store.name, Some(store));
        for _ in 0..10 {
            let another = async || stores().await.into_iter().find(|store| store.name == name).unwrap();
            let store = match store.take() {
                Some(store) => store,
                None => another().await,
            };
            if stop_while_connecting(store).await {
                return;
            }
        }
        panic!("the worker always kept the lock of the database");
    });
    futures_util::future::join_all(runs).await;
}
