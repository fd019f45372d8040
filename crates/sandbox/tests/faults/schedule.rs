//! Which requests get which fault, and what the end of the sandbox does.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use lastmile_sandbox::{Answer, Fault, Faults};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio::task::JoinSet;

use crate::common::send;
use crate::creation::{Creation, Observed, TIMEOUT, observe, works_normally_again};

const NEVER: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn scripted_faults_and_responses_share_one_queue() {
    let creation = Creation::new().await;
    creation.supplier.set_faults(Faults::new(1, 1.0, [Fault::Unavailable(599)]));
    creation.fail_next(Fault::ResetBefore);
    creation.supplier.answer_next(creation.operation, Answer::status(418));
    creation.fail_next(Fault::FailedAfter(500));
    assert_eq!(creation.observe().await, Observed::Reset);
    for status in [418, 500, 599, 599] {
        assert_eq!(creation.observe().await.answer().status, status);
    }
    assert_eq!(creation.counts(), (5, 1));
    creation.supplier.set_faults(Faults::none());
    works_normally_again(&creation).await;
}

#[tokio::test]
async fn connections_are_reset_on_demand() {
    let creation = Creation::new().await;
    creation.supplier.refuse_next_connections(2);
    let address = creation.root()[7..].to_owned();
    for _ in 0..2 {
        // Nothing is sent, so that no request can be the reason.
        assert_eq!(observe(TcpStream::connect(&address).await.unwrap()).await, Observed::Reset);
    }
    assert_eq!((creation.supplier.refused_connections(), creation.supplier.received().len()), (2, 0));
    works_normally_again(&creation).await;

    creation.supplier.set_faults(Faults::none().refusing_connections(1.0));
    assert_eq!(observe(TcpStream::connect(&address).await.unwrap()).await, Observed::Reset);
    creation.supplier.set_faults(Faults::none());
    works_normally_again(&creation).await;
    assert_eq!(creation.supplier.refused_connections(), 3);
}

/// Returns the fault of each of 80 consecutive requests, one connection each, or `None` where the connection was
/// reset.
async fn apply_sampled_faults(seed: u64) -> Vec<Option<Option<Fault>>> {
    const KINDS: [Fault; 4] =
        [Fault::ResetAfter, Fault::Throttled(None), Fault::Truncated, Fault::CarriedOutLate(NEVER)];
    let creation = Creation::new().await;
    let faults = Faults::new(seed, 0.4, KINDS).only([creation.operation]).refusing_connections(0.2);
    creation.supplier.set_faults(faults);
    let address = creation.root()[7..].to_owned();
    let mut apply_sampled_faults = Vec::new();
    for _ in 0..80 {
        let refused = creation.supplier.refused_connections();
        // Writing to a reset connection may fail.
        let mut stream = TcpStream::connect(&address).await.unwrap();
        let _ = stream.write_all(request(&creation).as_bytes()).await;
        let mut answer = Vec::new();
        let _ = tokio::time::timeout(TIMEOUT, stream.read_to_end(&mut answer)).await.unwrap();
        let was_refused = creation.supplier.refused_connections() > refused;
        apply_sampled_faults.push((!was_refused).then(|| creation.last().fault));
    }
    apply_sampled_faults
}

fn request(creation: &Creation) -> String {
    let headers = creation.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n"));
    format!(
        "POST {} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\n{}\
         content-length: 2\r\n\r\n{{}}",
        creation.path,
        headers.collect::<String>()
    )
}

#[tokio::test]
async fn equal_seeds_produce_equal_faults() {
    let (first, again, other) =
        (apply_sampled_faults(3).await, apply_sampled_faults(3).await, apply_sampled_faults(4).await);
    assert_eq!(first, again);
    assert_ne!(first, other);
    let in_range = |count: usize, range: Range<usize>| assert!(range.contains(&count), "{count}");
    in_range(first.iter().filter(|fate| fate.is_none()).count(), 8..26);
    in_range(first.iter().flatten().flatten().count(), 16..40);
}

/// The record of each request agrees with its fault, with many concurrent requests.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_requests_are_recorded_correctly() {
    let kinds = [
        (Fault::ResetBefore, false),
        (Fault::ResetAfter, true),
        (Fault::CarriedOutLate(Duration::from_millis(50)), true),
        (Fault::Latency(Duration::from_millis(50)), true),
        (Fault::Throttled(None), false),
        (Fault::Unavailable(502), false),
        (Fault::FailedAfter(502), true),
        (Fault::Truncated, true),
        (Fault::WrongBody, true),
    ];
    let creation = Arc::new(Creation::new().await);
    creation.supplier.set_faults(Faults::new(1, 0.7, kinds.map(|(fault, _)| fault)));
    let mut storm = JoinSet::new();
    for _ in 0..8 {
        let creation = Arc::clone(&creation);
        storm.spawn(async move {
            for _ in 0..50 {
                creation.observe().await;
            }
        });
    }
    storm.join_all().await;
    creation.supplier.settled().await;
    assert_eq!(creation.counts().0, 400);
    for received in creation.supplier.received() {
        let kind = kinds.iter().find(|(fault, _)| Some(*fault) == received.fault);
        assert_eq!(received.took_effect, kind.is_none_or(|(_, took_effect)| *took_effect), "{received:?}");
    }
    for (fault, _) in kinds {
        assert!(
            creation.supplier.received().iter().any(|received| received.fault == Some(fault)),
            "{fault:?}"
        );
    }
    assert!(creation.supplier.violations().is_empty());
}

#[tokio::test]
async fn faults_can_be_limited_to_operations() {
    let creation = Creation::new().await;
    let all = Faults::new(1, 1.0, [Fault::Unavailable(500)]);
    let status = async |path: &str| {
        let headers: Vec<_> = creation.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        send(&creation.root(), "GET", path, &headers, "").await.status
    };
    creation.supplier.set_faults(all.clone().only(["createContact", "getCustomer"]));
    let paths = ["/api/v1/contacts/1", "/api/v1/customers/1", "/elsewhere"];
    assert_eq!([status(paths[0]).await, status(paths[1]).await, status(paths[2]).await], [404, 500, 404]);
    assert_eq!(creation.observe().await.answer().status, 500);
    creation.supplier.set_faults(all);
    assert_eq!([status(paths[0]).await, status(paths[1]).await, status(paths[2]).await], [500; 3]);
}

#[tokio::test]
#[should_panic(expected = "the document has no operation createContacts")]
async fn a_fault_for_an_unknown_operation_panics() {
    Creation::new().await.supplier.fail_next("createContacts", Fault::Silence);
}

#[tokio::test]
#[should_panic(expected = "the status code 404 is not a 5xx")]
async fn a_fault_with_a_4xx_panics() {
    Creation::new().await.fail_next(Fault::Unavailable(404));
}

#[tokio::test]
#[should_panic(expected = "the document has no operation createContacts")]
async fn limiting_faults_to_an_unknown_operation_panics() {
    let faults = Faults::new(1, 0.5, [Fault::Silence]).only(["createContacts"]);
    Creation::new().await.supplier.set_faults(faults);
}

/// Late requests and silent connections end with the sandbox.
#[tokio::test]
async fn dropping_the_sandbox_ends_all_tasks() {
    let alive = || Handle::current().metrics().num_alive_tasks();
    let before = alive();
    let creation = Creation::new().await;
    creation.fail_next(Fault::CarriedOutLate(NEVER));
    creation.fail_next(Fault::Silence);
    creation.fail_next(Fault::Latency(NEVER));
    assert_eq!(creation.observe().await, Observed::Closed);
    let silent = creation.open().await;
    let waiting = creation.open().await;
    creation.observe().await.answer();
    assert_eq!(creation.counts(), (4, 2));
    assert!(alive() > before + 3);

    drop(creation);
    assert_eq!(observe(silent).await, Observed::Closed);
    assert_eq!(observe(waiting).await, Observed::Closed);
    for _ in 0..1000 {
        if alive() == before {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("{} tasks are left", alive() - before);
}
