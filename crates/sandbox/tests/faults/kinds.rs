//! Each kind of fault: what the client sees, what arrived, what took effect.

use std::time::{Duration, Instant};

use lastmile_sandbox::onapi::{Access, Availability};
use lastmile_sandbox::{BuildingKind, Fault, Sandbox};
use serde_json::json;
use tokio::io::AsyncWriteExt;

use crate::common::{open, read};
use crate::creation::{Creation, Seen, announced, goes_on_as_before, is_silent, see};

const SOON: Duration = Duration::from_millis(300);
/// Stands for the status of the real answer.
const REAL: u16 = 1;

/// Each supplier meets with a fault once, is held against what is expected, and then goes on as before.
async fn each_supplier_meets(fault: Fault, took_effect: bool, status: u16, check: impl Fn(&Creation, Seen)) {
    let sandbox = Sandbox::builder().start().await.unwrap();
    for creation in Creation::at_each(&sandbox).await {
        creation.fail_next(fault);
        let seen = creation.see().await;
        assert_eq!(creation.counts(), (1, usize::from(took_effect)), "{}", creation.path);
        let last = creation.last();
        let status = if status == REAL { creation.status } else { status };
        assert_eq!((last.fault, last.took_effect, last.status), (Some(fault), took_effect, status));
        assert_eq!(last.json().as_ref(), Some(&creation.body), "it arrived whole");
        check(&creation, seen);
        goes_on_as_before(&creation).await;
    }
}

#[tokio::test]
async fn reset_before() {
    each_supplier_meets(Fault::ResetBefore, false, 0, |_, seen| assert_eq!(seen, Seen::Reset)).await;
}

#[tokio::test]
async fn reset_after() {
    each_supplier_meets(Fault::ResetAfter, true, 0, |_, seen| assert_eq!(seen, Seen::Reset)).await;
}

#[tokio::test]
async fn throttled() {
    for (wait, seconds) in [(None, None), (Some(Duration::from_millis(1500)), Some("retry-after: 2"))] {
        each_supplier_meets(Fault::Throttled(wait), false, 429, |_, seen| {
            let reply = seen.answer();
            assert_eq!(reply.status, 429);
            let told = reply.head.lines().find(|line| line.starts_with("retry-after"));
            assert_eq!(told, seconds);
        })
        .await;
    }
}

#[tokio::test]
async fn unavailable() {
    let is_page = |_: &Creation, seen: Seen| {
        let reply = seen.answer();
        assert_eq!(reply.status, 503);
        assert!(reply.head.contains("content-type: text/html") && reply.body.starts_with("<html>"));
    };
    each_supplier_meets(Fault::Unavailable(503), false, 503, is_page).await;
    each_supplier_meets(Fault::FailedAfter(503), true, 503, is_page).await;
}

#[tokio::test]
async fn truncated() {
    each_supplier_meets(Fault::Truncated, true, REAL, |creation, seen| {
        let Seen::ExamplePart(text) = seen else { panic!("{seen:?}") };
        let reply = read(&text);
        assert_eq!(reply.status, creation.status);
        assert!(reply.head.contains("content-type: application/json"));
        assert!(reply.body.starts_with('{') && reply.body.len() == announced(&text) / 2, "{text}");
    })
    .await;
}

#[tokio::test]
async fn reset_within() {
    let sandbox = Sandbox::builder().start().await.unwrap();
    for creation in Creation::at_each(&sandbox).await {
        creation.fail_next(Fault::ResetWithin);
        let mut stream = creation.open().await;
        let mut bytes = Vec::new();
        let end = tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut bytes).await;
        assert_eq!(end.unwrap_err().kind(), std::io::ErrorKind::ConnectionReset);
        // What was sent before the reset may have arrived or not.
        let text = String::from_utf8(bytes).unwrap();
        assert!(text.is_empty() || text.starts_with("HTTP/1.1 2"), "{text}");
        assert_eq!(creation.counts(), (1, 1), "it is carried out");
        goes_on_as_before(&creation).await;
    }
}

#[tokio::test]
async fn wrong_body() {
    each_supplier_meets(Fault::WrongBody, true, REAL, |creation, seen| {
        let reply = seen.answer();
        assert_eq!(reply.status, creation.status);
        assert!(reply.head.contains("content-type: text/html") && reply.body.starts_with("<html>"));
    })
    .await;
}

#[tokio::test]
async fn latency() {
    let sandbox = Sandbox::builder().start().await.unwrap();
    for creation in Creation::at_each(&sandbox).await {
        let begun = Instant::now();
        creation.fail_next(Fault::Latency(SOON));
        let first = creation.open().await;
        assert_eq!(creation.see().await.answer().status, creation.status);
        assert_eq!(creation.counts(), (2, 2), "both are carried out at once");
        let reply = see(first).await.answer();
        assert!(begun.elapsed() >= SOON);
        assert_eq!(reply.status, creation.status);
        let received = creation.supplier.received_by(creation.operation);
        assert_eq!((received[0].fault, received[0].status), (Some(Fault::Latency(SOON)), creation.status));
    }
}

#[tokio::test]
async fn silence() {
    let sandbox = Sandbox::builder().start().await.unwrap();
    for creation in Creation::at_each(&sandbox).await {
        creation.fail_next(Fault::Silence);
        let first = creation.open().await;
        let reply = creation.see().await.answer();
        assert_eq!(reply.status, creation.status);
        assert_eq!(creation.counts(), (2, 1));
        let silent = creation.supplier.received_by(creation.operation).swap_remove(0);
        assert_eq!(
            (silent.fault, silent.took_effect, silent.status),
            (Some(Fault::Silence), false, 0),
            "the first"
        );
        let (is_silent, mut first) = is_silent(first);
        assert!(is_silent);
        first.shutdown().await.unwrap();
        assert_eq!(see(first).await, Seen::Closed, "it ends when the client goes");
        goes_on_as_before(&creation).await;
    }
}

#[tokio::test]
async fn carried_out_late() {
    let sandbox = Sandbox::builder().start().await.unwrap();
    for creation in Creation::at_each(&sandbox).await {
        creation.supplier.settled().await;
        creation.fail_next(Fault::CarriedOutLate(SOON));
        creation.fail_next(Fault::CarriedOutLate(SOON * 2));
        assert_eq!(creation.see().await, Seen::Closed);
        assert_eq!(creation.counts(), (1, 0), "it arrived, and is not carried out yet");
        assert_eq!(creation.see().await, Seen::Closed);
        goes_on_as_before(&creation).await;
        assert_eq!(creation.counts(), (3, 1));

        creation.supplier.settled().await;
        assert_eq!(creation.counts(), (3, 3));
        let late = creation.supplier.received_by(creation.operation).swap_remove(1);
        assert_eq!(
            (late.fault, late.took_effect, late.status),
            (Some(Fault::CarriedOutLate(SOON * 2)), true, 0)
        );
        assert!(creation.supplier.violations().is_empty());
    }
}

/// What comes late finds the world as it is then.
#[tokio::test]
async fn what_comes_late_may_come_too_late() {
    let sandbox = Sandbox::builder().start().await.unwrap();
    let buildings = sandbox.cocon().buildings();
    let building = buildings.iter().find(|building| building.kind == BuildingKind::Prepared).unwrap();
    let order = Creation {
        operation: "createDelayedConnection",
        path: "/api/v1/delayed-connections",
        body: json!({ "buildingName": building.name, "isWithoutGeometry": true }),
        ..Creation::at_each(&sandbox).await.remove(0)
    };
    order.fail_next(Fault::CarriedOutLate(SOON));
    assert_eq!(order.see().await, Seen::Closed);
    assert_eq!(order.see().await.answer().status, 200, "the second order is the first that is carried out");
    order.supplier.settled().await;
    assert_eq!(order.counts(), (2, 1));
    let took_effect: Vec<_> = order.supplier.received().iter().map(|received| received.took_effect).collect();
    assert_eq!(took_effect, [false, true]);
}

/// A refusal is one with and without a fault, and changes nothing.
#[tokio::test]
async fn to_carry_out_is_to_do_what_is_done_without_a_fault() {
    let sandbox = Sandbox::builder().start().await.unwrap();
    let refused = Creation { body: json!({ "nmae": 1 }), ..Creation::at_each(&sandbox).await.remove(0) };
    for fault in [Fault::ResetAfter, Fault::FailedAfter(500), Fault::CarriedOutLate(Duration::ZERO)] {
        refused.fail_next(fault);
        refused.see().await;
        refused.supplier.settled().await;
        assert!(!refused.last().took_effect && refused.last().problems.len() == 1, "{fault:?}");
    }
    refused.fail_next(Fault::WrongBody);
    assert_eq!(refused.see().await.answer().status, 400);
    assert_eq!(refused.counts(), (4, 0));
}

/// An order that is there already is not placed again, so that its repetition takes no effect.
#[tokio::test]
async fn a_repeated_order_takes_effect_once() {
    let sandbox = Sandbox::builder().start().await.unwrap();
    let accesses = sandbox.onapi().accesses();
    let offer =
        |access: &Access| Some((access.id.clone(), access.service(Availability::Free)?.service.clone()));
    let (access, service) = accesses.iter().find_map(offer).unwrap();
    let order = Creation {
        operation: "createOrder",
        path: "/onapi/2.6/orders/",
        body: json!({ "operation": "ACTIVATE", "accessId": access, "service": service }),
        ..Creation::at_each(&sandbox).await.remove(2)
    };
    order.fail_next(Fault::ResetAfter);
    assert_eq!(order.see().await, Seen::Reset);
    let again = order.see().await.answer();
    assert_eq!((again.status, &again.json()["state"]), (200, &json!("RECEIVED")));
    assert_eq!(order.counts(), (2, 1));
}

#[tokio::test]
async fn an_answer_without_a_body_breaks_off_within_its_head() {
    let creation = Creation::new().await;
    let id = creation.see().await.answer().json()["id"].as_str().unwrap().to_owned();
    let headers: Vec<_> = creation.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    creation.supplier.fail_next("deleteContact", Fault::Truncated);
    let target = format!("{}/{id}", creation.path);
    let seen = see(open(&creation.root(), "DELETE", &target, &headers, "").await).await;
    assert_eq!(seen, Seen::ExamplePart("HTTP/1.1 204".to_owned()));
    assert_eq!((creation.last().took_effect, creation.last().status), (true, 0));
}
