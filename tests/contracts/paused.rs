//! A worker that is paused while it sends, for longer than everybody waits for it.
#![cfg(unix)]

use std::process::Stdio;

use futures_util::{StreamExt as _, stream};
use lastmile::onapi::{NewOrder, OnApi};
use lastmile::{Prepared, PreparedState, Reconciled};
use lastmile_sandbox::Sandbox;
use lastmile_sandbox::onapi::Standing;
use lastmile_tests::paused::{MARK, policy};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;

/// How many turns of the scheduler a placement takes at most; each of them is a moment to stop at.
const RUNS: usize = 100;

/// At most as many processes at a time.
const AT_A_TIME: usize = 10;

async fn signal(name: &str, process: &str) {
    let sent = Command::new("kill").args([name, process]).status().await;
    assert!(sent.is_ok_and(|status| status.success()), "{name}");
}

/// Whether the process is stopped, by the system's word.
async fn is_stopped(process: &str) -> bool {
    let shown = Command::new("ps").args(["-o", "state=", "-p", process]).output().await.unwrap();
    String::from_utf8_lossy(&shown.stdout).trim().starts_with('T')
}

/// What the second worker found, and how the first one ended.
#[derive(Debug, PartialEq)]
struct End {
    found: bool,
    first: String,
}

/// Lets one worker stop after so many turns, a second one take over, and the first one go on.
async fn run(sandbox: &Sandbox, access: String, service: String, turns: usize) -> End {
    let supplier = sandbox.onapi();
    let reference = format!("SP-{turns}");
    let base = supplier.base_url();
    let mut first = Command::new(env!("CARGO_BIN_EXE_paused"))
        .args([&base, supplier.user(), supplier.password(), &access, &service, &reference, &turns.to_string()])
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let process = first.id().unwrap().to_string();
    let mut said = BufReader::new(first.stdout.take().unwrap()).lines();
    let stored = said.next_line().await.unwrap().unwrap();
    let mut next = said.next_line().await.unwrap().unwrap();
    let stops = next == "stopping";
    if stops {
        while !is_stopped(&process).await {
            tokio::task::yield_now().await;
        }
    }

    let network =
        OnApi::builder(&base).login(supplier.user(), supplier.password()).policy(policy()).build().unwrap();
    let mut order: Prepared<NewOrder> = serde_json::from_str(&stored).unwrap();
    let found = loop {
        match order.reconcile(&network).await.unwrap() {
            Reconciled::Placed(_) => break true,
            Reconciled::Absent => break false,
            Reconciled::Indeterminate(wait) => tokio::time::sleep(wait.retry_after).await,
            undecidable => panic!("{undecidable:?}"),
        }
    };
    if !found {
        assert!(order.look_up(&network).await.unwrap().is_none());
        order.mark_in_flight_for(MARK).unwrap();
        let _stored = serde_json::to_string(&order).unwrap();
        order.place(&network).await.unwrap();
    }
    assert_eq!(order.state(), PreparedState::Placed);

    if stops {
        signal("-CONT", &process).await;
        next = said.next_line().await.unwrap().unwrap();
    }
    assert!(first.wait().await.unwrap().success());
    let access = access.parse().unwrap();
    assert_eq!(network.orders_of(&access).await.unwrap().len(), 1, "after {turns} turns: {next}");
    End { found, first: next }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_leaves_a_paused_process_after_its_deadline() {
    let sandbox = Sandbox::builder().seed(1).onapi_deduplicates(false).start().await.unwrap();
    let mut free = Vec::new();
    while free.len() < RUNS {
        sandbox.onapi().grow(RUNS);
        let accesses = sandbox.onapi().accesses();
        let offers =
            accesses.iter().filter_map(|access| Some((access.id.clone(), access.service(Standing::Free)?)));
        free = offers.map(|(access, offer)| (access, offer.service.clone())).collect();
    }
    let runs = free.into_iter().take(RUNS).enumerate();
    let runs: Vec<_> =
        runs.map(|(turns, (access, service))| run(&sandbox, access, service, turns)).collect();
    let ends: Vec<End> = stream::iter(runs).buffer_unordered(AT_A_TIME).collect().await;
    sandbox.onapi().settled().await;
    assert_eq!(sandbox.onapi().took_effect("createOrder"), RUNS, "each order once");
    let sent_in_time = ends.iter().filter(|end| end.found).count();
    assert!(sent_in_time > 0, "some stop after the request has left: {ends:?}");
    let kept_back = ends.iter().filter(|end| !end.found && end.first == "not-sent").count();
    assert!(kept_back > 2, "some stop before: {ends:?}");
}
