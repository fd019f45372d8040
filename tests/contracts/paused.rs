//! A worker that is paused while it sends, for longer than any deadline.
#![cfg(target_os = "linux")]

use std::process::Stdio;

use futures_util::{StreamExt as _, stream};
use lastmile::onapi::{Dialect, NewOrder, OnApi};
use lastmile::{Prepared, PreparedState, Reconciled};
use lastmile_sandbox::Sandbox;
use lastmile_sandbox::onapi::Availability;
use lastmile_tests::paused::{MARK, busy_listener, is_connecting, is_stopped, policy, signal};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::net::TcpStream;
use tokio::process::{Child, ChildStdout, Command};

/// The maximum number of scheduler turns of a placement. The test stops the worker at each of them.
const RUNS: usize = 100;

/// The maximum number of concurrent processes.
const AT_A_TIME: usize = 10;

/// A second worker that loads the order from the store and takes it over once it has settled. Returns whether the order
/// was found.
async fn take_over(network: &OnApi, stored: &str) -> bool {
    let mut order: Prepared<NewOrder> = serde_json::from_str(stored).unwrap();
    let mut found = true;
    // A busy machine may take longer than the deadline of a call.
    for _ in 0..50 {
        match order.state() {
            PreparedState::Placed => return found,
            PreparedState::Ready if !matches!(order.look_up(network).await, Ok(None)) => {}
            PreparedState::Ready => {
                found = false;
                order.mark_in_flight_for(MARK).unwrap();
                let _stored = serde_json::to_string(&order).unwrap();
                let _ended = order.place(network).await;
            }
            _ => {
                if let Ok(Reconciled::Indeterminate(wait)) = order.reconcile(network).await {
                    tokio::time::sleep(wait.retry_after).await;
                }
            }
        }
    }
    panic!("it is never placed: {order:?}");
}

/// Starts a network without de-duplication, and returns offers on this many accesses.
async fn network(orders: usize) -> (Sandbox, Vec<(String, String)>) {
    let sandbox = Sandbox::builder().seed(1).onapi_deduplicates(false).start().await.unwrap();
    let mut free = Vec::new();
    while free.len() < orders {
        sandbox.onapi().add_accesses(orders);
        let accesses = sandbox.onapi().accesses();
        let offers = accesses
            .iter()
            .filter_map(|access| Some((access.id.clone(), access.service(Availability::Free)?)));
        free = offers.map(|(access, offer)| (access, offer.service.clone())).collect();
    }
    free.truncate(orders);
    (sandbox, free)
}

fn client(sandbox: &Sandbox) -> OnApi {
    let supplier = sandbox.onapi();
    let login = OnApi::builder(supplier.base_url())
        .dialect(Dialect::Vendor26)
        .login(supplier.user(), supplier.password());
    login.policy(policy()).build().unwrap()
}

/// What the second worker found, and how the first one ended.
#[derive(Debug, PartialEq)]
struct End {
    found: bool,
    first: String,
}

/// A worker in its own process.
struct FirstWorker {
    process: Child,
    id: String,
    lines: Lines<BufReader<ChildStdout>>,
}

impl FirstWorker {
    /// Starts a worker, and returns it with the prepared value that it stored.
    async fn start(arguments: &[&str]) -> (Self, String) {
        let mut process = Command::new(env!("CARGO_BIN_EXE_paused"))
            .args(arguments)
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let id = process.id().unwrap().to_string();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut worker = Self { process, id, lines };
        let stored = worker.next_line().await;
        (worker, stored)
    }

    async fn next_line(&mut self) -> String {
        self.lines.next_line().await.unwrap().unwrap()
    }
}

/// Stops one worker after this many turns, lets a second one take over, and resumes the first.
async fn run(sandbox: &Sandbox, access: String, service: String, turns: usize) -> End {
    let supplier = sandbox.onapi();
    let reference = format!("SP-{turns}");
    let (base, turn) = (supplier.base_url(), turns.to_string());
    let arguments = [&base, supplier.user(), supplier.password(), &access, &service, &reference, &turn];
    let (mut first, stored) = FirstWorker::start(&arguments).await;
    let mut next = first.next_line().await;
    let stops = next == "stopping";
    if stops {
        for _ in 0..10_000 {
            if is_stopped(&first.id).await {
                break;
            }
        }
    }

    let network = client(sandbox);
    let found = take_over(&network, &stored).await;
    if stops {
        signal("-CONT", &first.id).await;
        next = first.next_line().await;
    }
    assert!(first.process.wait().await.unwrap().success());
    let access = access.parse().unwrap();
    assert_eq!(network.orders_of(&access).await.unwrap().len(), 1, "after {turns} turns: {next}");
    End { found, first: next }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_process_sends_nothing_after_its_deadline() {
    let (sandbox, free) = network(RUNS).await;
    let runs = free.into_iter().enumerate();
    let runs: Vec<_> = runs.map(|(turns, (access, service))| run(&sandbox, access, service, turns)).collect();
    let ends: Vec<End> = stream::iter(runs).buffer_unordered(AT_A_TIME).collect().await;
    sandbox.onapi().settled().await;
    assert_eq!(sandbox.onapi().took_effect("createOrder"), RUNS, "each order once");
    let sent_in_time = ends.iter().filter(|end| end.found).count();
    assert!(sent_in_time > 0, "some stop after the request has left: {ends:?}");
    let kept_back = ends.iter().filter(|end| !end.found && end.first == "not-sent").count();
    assert!(kept_back > 2, "some stop before: {ends:?}");
}

/// How many orders are stopped while they connect.
const CONNECTING: usize = 40;

/// Lets one worker connect to a busy server, stops it meanwhile, lets a second one take over and the connection be
/// established, and resumes the first, which finds its socket ready and its deadline passed at the same moment.
async fn stopped_while_connecting(sandbox: &Sandbox, access: String, service: String, number: usize) -> bool {
    let supplier = sandbox.onapi();
    let (listener, waiting) = busy_listener().await;
    let port = listener.local_addr().unwrap().port();
    let base: lastmile_core::reqwest::Url = supplier.base_url().parse().unwrap();
    let (path, server) = (base.path().to_owned(), base.socket_addrs(|| None).unwrap()[0]);
    let (base, reference) = (format!("http://127.0.0.1:{port}{path}"), format!("SP-{number}"));
    let arguments = [&base, supplier.user(), supplier.password(), &access, &service, &reference];
    let (mut first, stored) = FirstWorker::start(&arguments).await;
    let own = |stream: &TcpStream| stream.local_addr().unwrap().port();
    let ports: Vec<u16> = waiting.iter().map(own).collect();
    // On a slow machine the worker gave up before the test saw it connect, so it cannot have sent anything.
    while !is_connecting(port) && matches!(first.process.try_wait(), Ok(None)) {
        tokio::task::yield_now().await;
    }
    signal("-STOP", &first.id).await;
    let accepting = tokio::spawn(async move {
        loop {
            let (mut stream, peer) = listener.accept().await.unwrap();
            if !ports.contains(&peer.port()) {
                let mut server = TcpStream::connect(server).await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut stream, &mut server).await;
            }
        }
    });
    let network = client(sandbox);
    take_over(&network, &stored).await;
    while is_connecting(port) {
        tokio::task::yield_now().await;
    }
    signal("-CONT", &first.id).await;
    let outcome = first.next_line().await;
    assert!(first.process.wait().await.unwrap().success());
    accepting.abort();
    drop(waiting);
    let orders = network.orders_of(&access.parse().unwrap()).await.unwrap().len();
    assert_eq!(orders, 1, "order {number}: {outcome}");
    outcome == "not-sent"
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_sent_over_a_connection_established_too_late() {
    let (sandbox, free) = network(CONNECTING).await;
    let runs = free.into_iter().enumerate();
    let runs: Vec<_> = runs
        .map(|(number, (access, service))| stopped_while_connecting(&sandbox, access, service, number))
        .collect();
    let ends: Vec<bool> = stream::iter(runs).buffer_unordered(AT_A_TIME).collect().await;
    sandbox.onapi().settled().await;
    assert_eq!(sandbox.onapi().took_effect("createOrder"), CONNECTING, "each order once");
    assert!(ends.iter().filter(|not_sent| **not_sent).count() > CONNECTING / 2, "{ends:?}");
}
