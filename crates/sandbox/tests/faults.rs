//! Faults on demand: what the client sees, what arrived, what took effect.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use std::io::ErrorKind;
use std::ops::Range;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use common::{JSON, Reply, open, read, send};
use lastmile_sandbox::onapi::Standing;
use lastmile_sandbox::{Answer, BuildingKind, Fault, Faults, Received, Sandbox, Supplier};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::Handle;

const SOON: Duration = Duration::from_millis(300);
const NEVER: Duration = Duration::from_secs(3600);
/// Longer than anything takes here.
const PATIENCE: Duration = Duration::from_secs(20);

/// Something that can be created at a supplier, any number of times.
struct Creation {
    supplier: Supplier,
    operation: &'static str,
    path: &'static str,
    headers: Vec<(&'static str, String)>,
    body: Value,
    /// The success without a fault.
    status: u16,
}

impl Creation {
    /// At Cocon.
    async fn new() -> Creation {
        let sandbox = Sandbox::builder().start().await.unwrap();
        Creation::at_each(&sandbox).await.remove(0)
    }

    async fn at_each(sandbox: &Sandbox) -> Vec<Creation> {
        let (cocon, covage, onapi) = (sandbox.cocon(), sandbox.covage(), sandbox.onapi());
        let login = json!({ "email": covage.email(), "password": covage.password() }).to_string();
        let account = send(&covage.base_url(), "POST", "/api/v2/account/token/", &[JSON], &login).await;
        let token = account.json()["access"].as_str().unwrap().to_owned();
        let basic = STANDARD.encode(format!("{}:{}", onapi.user(), onapi.password()));
        let keys = [("api-key", cocon.api_key()), ("client-id", cocon.client_id())];
        vec![
            Creation {
                supplier: (**cocon).clone(),
                operation: "createContact",
                path: "/api/v1/contacts",
                headers: keys.map(|(name, value)| (name, value.to_owned())).to_vec(),
                body: json!({ "name": "A. Dijkstra" }),
                status: 200,
            },
            Creation {
                supplier: (**covage).clone(),
                operation: "createContact",
                path: "/api/contacts/",
                headers: vec![("authorization", format!("Bearer {token}"))],
                body: json!({ "first_name": "Odile", "last_name": "Plumet", "email": "o.plumet@client.example" }),
                status: 200,
            },
            Creation {
                supplier: (**onapi).clone(),
                operation: "createTicket",
                path: "/onapi/2.6/tickets",
                headers: vec![("authorization", format!("Basic {basic}"))],
                body: json!({ "spTicketReference": "CASE#1", "heading": "Ingen länk" }),
                status: 201,
            },
        ]
    }

    /// Without the prefix of the supplier.
    fn root(&self) -> String {
        let base_url = self.supplier.base_url();
        let path = base_url[7..].find('/').map_or(base_url.len(), |start| start + 7);
        base_url[..path].to_owned()
    }

    async fn open(&self) -> TcpStream {
        let headers = self.headers.iter().map(|(name, value)| (*name, value.as_str()));
        let headers: Vec<_> = headers.chain([JSON]).collect();
        open(&self.root(), "POST", self.path, &headers, &self.body.to_string()).await
    }

    async fn see(&self) -> Seen {
        see(self.open().await).await
    }

    fn fail_next(&self, fault: Fault) {
        self.supplier.fail_next(self.operation, fault);
    }

    /// How many requests arrived, and how many took effect.
    fn counts(&self) -> (usize, usize) {
        let (operation, supplier) = (self.operation, &self.supplier);
        let received = supplier.received_by(operation);
        let took_effect = received.iter().filter(|received| received.took_effect).count();
        let counts = (supplier.count(operation), supplier.took_effect(operation));
        assert_eq!(counts, (received.len(), took_effect), "both ways of counting agree");
        counts
    }

    fn last(&self) -> Received {
        self.supplier.last().unwrap()
    }
}

/// What a client sees of an answer.
#[derive(Debug, PartialEq)]
enum Seen {
    Answer(Reply),
    /// It breaks off with the end of the connection.
    Part(String),
    /// The connection is closed with nothing said.
    Closed,
    Reset,
}

impl Seen {
    fn answer(self) -> Reply {
        let Seen::Answer(reply) = self else { panic!("{self:?}") };
        reply
    }
}

async fn see(mut stream: TcpStream) -> Seen {
    let mut bytes = Vec::new();
    let end = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.unwrap();
    let text = String::from_utf8(bytes).unwrap();
    match end {
        Ok(0) => Seen::Closed,
        Ok(_) if is_whole(&text) => Seen::Answer(read(&text)),
        Ok(_) => Seen::Part(text),
        Err(error) => {
            assert_eq!((error.kind(), text.as_str()), (ErrorKind::ConnectionReset, ""));
            Seen::Reset
        }
    }
}

fn is_whole(text: &str) -> bool {
    text.contains("\r\n\r\n") && announced(text) == read(text).body.len()
}

/// The length that the head says the body has.
fn announced(text: &str) -> usize {
    let head = text.split_once("\r\n\r\n").unwrap().0;
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    length.map_or(0, |length| length.parse().unwrap())
}

/// Whether nothing has arrived and the connection is open, as the system has it at this moment.
fn is_silent(stream: TcpStream) -> (bool, TcpStream) {
    let stream = stream.into_std().unwrap();
    let peeked = stream.peek(&mut [0]).map_err(|error| error.kind());
    (peeked == Err(ErrorKind::WouldBlock), TcpStream::from_std(stream).unwrap())
}

/// The second request is answered as without the fault before, and has taken effect.
async fn goes_on_as_before(creation: &Creation) {
    let before = creation.counts();
    let reply = creation.see().await.answer();
    assert_eq!(reply.status, creation.status);
    assert_eq!(creation.counts(), (before.0 + 1, before.1 + 1));
    let last = creation.last();
    assert_eq!((last.fault, last.took_effect, last.status), (None, true, creation.status));
    assert!(creation.supplier.violations().is_empty(), "{:?}", creation.supplier.violations());
}

/// Each supplier meets with a fault once, is held against what is expected, and then goes on as before.
async fn each_supplier_meets(fault: Fault, took_effect: bool, status: u16, check: impl Fn(&Creation, Seen)) {
    let sandbox = Sandbox::builder().start().await.unwrap();
    for creation in Creation::at_each(&sandbox).await {
        creation.fail_next(fault);
        let seen = creation.see().await;
        assert_eq!(creation.counts(), (1, usize::from(took_effect)), "{}", creation.path);
        let last = creation.last();
        let status = if status == 2 { creation.status } else { status };
        assert_eq!((last.fault, last.took_effect, last.status), (Some(fault), took_effect, status));
        assert_eq!(last.json().as_ref(), Some(&creation.body), "it arrived whole");
        check(&creation, seen);
        goes_on_as_before(&creation).await;
    }
}

const REAL: u16 = 2;

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
        let Seen::Part(text) = seen else { panic!("{seen:?}") };
        let reply = read(&text);
        assert_eq!(reply.status, creation.status);
        assert!(reply.head.contains("content-type: application/json"));
        assert!(reply.body.starts_with('{') && reply.body.len() == announced(&text) / 2, "{text}");
    })
    .await;
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
    let offer = |access: &lastmile_sandbox::onapi::Access| {
        Some((access.id.clone(), access.service(Standing::Free)?.service.clone()))
    };
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
    assert_eq!(seen, Seen::Part("HTTP/1.1 204".to_owned()));
    assert_eq!((creation.last().took_effect, creation.last().status), (true, 0));
}

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
