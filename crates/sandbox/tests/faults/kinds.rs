//! Each kind of fault: what the client observes, what arrived, and what took effect.

use std::time::{Duration, Instant};

use lastmile_sandbox::onapi::{Access, Availability};
use lastmile_sandbox::{BuildingKind, Fault, Sandbox};
use serde_json::json;
use tokio::io::AsyncWriteExt;

use crate::common::{open, read};
use crate::creation::{Creation, Observed, announced, is_silent, observe, works_normally_again};

const SOON: Duration = Duration::from_millis(300);
/// Stands for the status code of the real response.
const REAL: u16 = 1;

/// Applies a fault at each supplier, checks the outcome, and checks that the supplier works normally again.
async fn check_each_supplier(
    fault: Fault,
    took_effect: bool,
    status: u16,
    check: impl Fn(&Creation, Observed),
) {
    let sandbox = Sandbox::builder().start().await.unwrap();
    for creation in Creation::at_each(&sandbox).await {
        creation.fail_next(fault);
        let observed = creation.observe().await;
        assert_eq!(creation.counts(), (1, usize::from(took_effect)), "{}", creation.path);
        let last = creation.last();
        let status = if status == REAL { creation.status } else { status };
        assert_eq!((last.fault, last.took_effect, last.status), (Some(fault), took_effect, status));
        assert_eq!(last.json().as_ref(), Some(&creation.body), "it arrived whole");
        check(&creation, observed);
        works_normally_again(&creation).await;
    }
}

#[tokio::test]
async fn reset_before() {
    check_each_supplier(Fault::ResetBefore, false, 0, |_, observed| assert_eq!(observed, Observed::Reset))
        .await;
}

#[tokio::test]
async fn reset_after() {
    check_each_supplier(Fault::ResetAfter, true, 0, |_, observed| assert_eq!(observed, Observed::Reset))
        .await;
}

#[tokio::test]
async fn throttled() {
    for (wait, seconds) in [(None, None), (Some(Duration::from_millis(1500)), Some("retry-after: 2"))] {
        check_each_supplier(Fault::Throttled(wait), false, 429, |_, observed| {
            let reply = observed.answer();
            assert_eq!(reply.status, 429);
            let reported = reply.head.lines().find(|line| line.starts_with("retry-after"));
            assert_eq!(reported, seconds);
        })
        .await;
    }
}

#[tokio::test]
async fn unavailable() {
    let is_page = |_: &Creation, observed: Observed| {
        let reply = observed.answer();
        assert_eq!(reply.status, 503);
        assert!(reply.head.contains("content-type: text/html") && reply.body.starts_with("<html>"));
    };
    check_each_supplier(Fault::Unavailable(503), false, 503, is_page).await;
    check_each_supplier(Fault::FailedAfter(503), true, 503, is_page).await;
}

#[tokio::test]
async fn truncated() {
    check_each_supplier(Fault::Truncated, true, REAL, |creation, observed| {
        let Observed::ExamplePart(text) = observed else { panic!("{observed:?}") };
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
        // The bytes before the reset may or may not arrive.
        let text = String::from_utf8(bytes).unwrap();
        assert!(text.is_empty() || text.starts_with("HTTP/1.1 2"), "{text}");
        assert_eq!(creation.counts(), (1, 1), "it is carried out");
        works_normally_again(&creation).await;
    }
}

#[tokio::test]
async fn wrong_body() {
    check_each_supplier(Fault::WrongBody, true, REAL, |creation, observed| {
        let reply = observed.answer();
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
        assert_eq!(creation.observe().await.answer().status, creation.status);
        assert_eq!(creation.counts(), (2, 2), "both are carried out at once");
        let reply = observe(first).await.answer();
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
        let reply = creation.observe().await.answer();
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
        assert_eq!(observe(first).await, Observed::Closed, "it ends when the client goes");
        works_normally_again(&creation).await;
    }
}

#[tokio::test]
async fn carried_out_late() {
    let sandbox = Sandbox::builder().start().await.unwrap();
    for creation in Creation::at_each(&sandbox).await {
        creation.supplier.settled().await;
        creation.fail_next(Fault::CarriedOutLate(SOON));
        creation.fail_next(Fault::CarriedOutLate(SOON * 2));
        assert_eq!(creation.observe().await, Observed::Closed);
        assert_eq!(creation.counts(), (1, 0), "it arrived, and is not carried out yet");
        assert_eq!(creation.observe().await, Observed::Closed);
        works_normally_again(&creation).await;
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

/// A late request is carried out in the state of that time.
#[tokio::test]
async fn a_late_request_can_be_rejected() {
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
    assert_eq!(order.observe().await, Observed::Closed);
    assert_eq!(
        order.observe().await.answer().status,
        200,
        "the second order is the first that is carried out"
    );
    order.supplier.settled().await;
    assert_eq!(order.counts(), (2, 1));
    let took_effect: Vec<_> = order.supplier.received().iter().map(|received| received.took_effect).collect();
    assert_eq!(took_effect, [false, true]);
}

/// A rejected request is rejected with and without a fault, and changes nothing.
#[tokio::test]
async fn a_fault_does_not_change_how_a_request_is_carried_out() {
    let sandbox = Sandbox::builder().start().await.unwrap();
    let refused = Creation { body: json!({ "nmae": 1 }), ..Creation::at_each(&sandbox).await.remove(0) };
    for fault in [Fault::ResetAfter, Fault::FailedAfter(500), Fault::CarriedOutLate(Duration::ZERO)] {
        refused.fail_next(fault);
        refused.observe().await;
        refused.supplier.settled().await;
        assert!(!refused.last().took_effect && refused.last().problems.len() == 1, "{fault:?}");
    }
    refused.fail_next(Fault::WrongBody);
    assert_eq!(refused.observe().await.answer().status, 400);
    assert_eq!(refused.counts(), (4, 0));
}

/// A duplicate order is not placed, so it takes no effect.
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
    assert_eq!(order.observe().await, Observed::Reset);
    let again = order.observe().await.answer();
    assert_eq!((again.status, &again.json()["state"]), (200, &json!("RECEIVED")));
    assert_eq!(order.counts(), (2, 1));
}

#[tokio::test]
async fn a_response_without_a_body_is_cut_off_within_its_head() {
    let creation = Creation::new().await;
    let id = creation.observe().await.answer().json()["id"].as_str().unwrap().to_owned();
    let headers: Vec<_> = creation.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    creation.supplier.fail_next("deleteContact", Fault::Truncated);
    let target = format!("{}/{id}", creation.path);
    let observed = observe(open(&creation.root(), "DELETE", &target, &headers, "").await).await;
    assert_eq!(observed, Observed::ExamplePart("HTTP/1.1 204".to_owned()));
    assert_eq!((creation.last().took_effect, creation.last().status), (true, 0));
}
