//! Which request meets with a fault, and what becomes of all that when the sandbox ends.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use lastmile_sandbox::{Answer, Fault, Faults};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio::task::JoinSet;

use crate::common::send;
use crate::creation::{Creation, PATIENCE, Seen, goes_on_as_before, see};

const NEVER: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn faults_and_answers_laid_down_stand_in_one_queue() {
    let creation = Creation::new().await;
    creation.supplier.set_faults(Faults::new(1, 1.0, [Fault::Unavailable(599)]));
    creation.fail_next(Fault::ResetBefore);
    creation.supplier.answer_next(creation.operation, Answer::status(418));
    creation.fail_next(Fault::FailedAfter(500));
    assert_eq!(creation.see().await, Seen::Reset);
    for status in [418, 500, 599, 599] {
        assert_eq!(creation.see().await.answer().status, status);
    }
    assert_eq!(creation.counts(), (5, 1));
    creation.supplier.set_faults(Faults::none());
    goes_on_as_before(&creation).await;
}

#[tokio::test]
async fn connections_are_refused() {
    let creation = Creation::new().await;
    creation.supplier.refuse_next_connections(2);
    let address = creation.root()[7..].to_owned();
    for _ in 0..2 {
        // Nothing is sent, so that nothing can be the reason.
        assert_eq!(see(TcpStream::connect(&address).await.unwrap()).await, Seen::Reset);
    }
    assert_eq!((creation.supplier.refused_connections(), creation.supplier.received().len()), (2, 0));
    goes_on_as_before(&creation).await;

    creation.supplier.set_faults(Faults::none().refusing(1.0));
    assert_eq!(see(TcpStream::connect(&address).await.unwrap()).await, Seen::Reset);
    creation.supplier.set_faults(Faults::none());
    goes_on_as_before(&creation).await;
    assert_eq!(creation.supplier.refused_connections(), 3);
}

/// What became of each of 80 requests in a row, one connection each; none where the connection was refused.
async fn struck(seed: u64) -> Vec<Option<Option<Fault>>> {
    const KINDS: [Fault; 4] =
        [Fault::ResetAfter, Fault::Throttled(None), Fault::Truncated, Fault::CarriedOutLate(NEVER)];
    let creation = Creation::new().await;
    let faults = Faults::new(seed, 0.4, KINDS).only([creation.operation]).refusing(0.2);
    creation.supplier.set_faults(faults);
    let address = creation.root()[7..].to_owned();
    let mut struck = Vec::new();
    for _ in 0..80 {
        let refused = creation.supplier.refused_connections();
        // What is sent into a refused connection may be an error of its own.
        let mut stream = TcpStream::connect(&address).await.unwrap();
        let _ = stream.write_all(request(&creation).as_bytes()).await;
        let mut answer = Vec::new();
        let _ = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await.unwrap();
        let was_refused = creation.supplier.refused_connections() > refused;
        struck.push((!was_refused).then(|| creation.last().fault));
    }
    struck
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
async fn a_seed_decides_what_goes_wrong() {
    let (first, again, other) = (struck(3).await, struck(3).await, struck(4).await);
    assert_eq!(first, again);
    assert_ne!(first, other);
    let in_range = |count: usize, range: Range<usize>| assert!(range.contains(&count), "{count}");
    in_range(first.iter().filter(|fate| fate.is_none()).count(), 8..26);
    in_range(first.iter().flatten().flatten().count(), 16..40);
}

/// However much goes wrong at once, the books say of each request what its fault does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_books_agree_in_a_storm() {
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
                creation.see().await;
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
async fn only_the_chosen_operations_meet_with_faults() {
    let creation = Creation::new().await;
    let all = Faults::new(1, 1.0, [Fault::Unavailable(500)]);
    let status = async |path: &str| {
        let headers: Vec<_> = creation.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        send(&creation.root(), "GET", path, &headers, "").await.status
    };
    creation.supplier.set_faults(all.clone().only(["createContact", "getCustomer"]));
    let paths = ["/api/v1/contacts/1", "/api/v1/customers/1", "/elsewhere"];
    assert_eq!([status(paths[0]).await, status(paths[1]).await, status(paths[2]).await], [404, 500, 404]);
    assert_eq!(creation.see().await.answer().status, 500);
    creation.supplier.set_faults(all);
    assert_eq!([status(paths[0]).await, status(paths[1]).await, status(paths[2]).await], [500; 3]);
}

#[tokio::test]
#[should_panic(expected = "there is no operation createContacts")]
async fn a_fault_cannot_be_laid_down_for_nothing() {
    Creation::new().await.supplier.fail_next("createContacts", Fault::Silence);
}

#[tokio::test]
#[should_panic(expected = "404 is no status of a server's own fault")]
async fn a_refusal_of_the_supplier_is_no_fault() {
    Creation::new().await.fail_next(Fault::Unavailable(404));
}

#[tokio::test]
#[should_panic(expected = "there is no operation createContacts")]
async fn faults_cannot_be_limited_to_nothing() {
    let faults = Faults::new(1, 0.5, [Fault::Silence]).only(["createContacts"]);
    Creation::new().await.supplier.set_faults(faults);
}

/// Neither what is still to be carried out nor what is silent outlives the sandbox.
#[tokio::test]
async fn everything_ends_with_the_sandbox() {
    let alive = || Handle::current().metrics().num_alive_tasks();
    let before = alive();
    let creation = Creation::new().await;
    creation.fail_next(Fault::CarriedOutLate(NEVER));
    creation.fail_next(Fault::Silence);
    creation.fail_next(Fault::Latency(NEVER));
    assert_eq!(creation.see().await, Seen::Closed);
    let silent = creation.open().await;
    let waiting = creation.open().await;
    creation.see().await.answer();
    assert_eq!(creation.counts(), (4, 2));
    assert!(alive() > before + 3);

    drop(creation);
    assert_eq!(see(silent).await, Seen::Closed);
    assert_eq!(see(waiting).await, Seen::Closed);
    for _ in 0..1000 {
        if alive() == before {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("{} tasks are left", alive() - before);
}
