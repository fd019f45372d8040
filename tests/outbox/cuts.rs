//! Connections to PostgreSQL that are cut.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use lastmile_outbox::probe::Point;
use lastmile_outbox::tokio_postgres::config::Host;
use lastmile_outbox::tokio_postgres::{Config, NoTls};
use lastmile_outbox::{EventKind, Events, PostgresBuilder, State, Worker};
use lastmile_tests::outbox::{TestStore, postgres, quick};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::fake::{Fake, FakeOrder, World};

/// Passes connections on to a server. Cuts as many as are armed when the server's next response arrives: the server has carried
/// the statement out, and the client receives no response. Discards what is sent in the directions that `discards` names.
struct Proxy {
    port: u16,
    armed: Arc<AtomicUsize>,
    discards: Arc<Discards>,
}

#[derive(Default)]
struct Discards {
    statements: AtomicBool,
    responses: AtomicBool,
}

impl Discards {
    fn set(&self, statements: bool, responses: bool) {
        self.statements.store(statements, Ordering::SeqCst);
        self.responses.store(responses, Ordering::SeqCst);
    }
}

impl Proxy {
    async fn to(config: &Config) -> Self {
        let Some(Host::Tcp(host)) = config.get_hosts().first() else { panic!("a host name") };
        let server = (host.clone(), config.get_ports().first().copied().unwrap_or(5432));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let armed = Arc::new(AtomicUsize::new(0));
        let (arms, discards) = (armed.clone(), Arc::new(Discards::default()));
        let shared = discards.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (server, armed, discards) = (server.clone(), arms.clone(), shared.clone());
                tokio::spawn(async move {
                    let server = TcpStream::connect(server).await.unwrap();
                    let (mut from_client, mut to_client) = client.into_split();
                    let (mut from_server, mut to_server) = server.into_split();
                    let discarded = discards.clone();
                    let up = tokio::spawn(async move {
                        let mut buffer = vec![0; 1 << 16];
                        while let Ok(length @ 1..) = from_client.read(&mut buffer).await {
                            if !discarded.statements.load(Ordering::SeqCst)
                                && to_server.write_all(&buffer[..length]).await.is_err()
                            {
                                break;
                            }
                        }
                    });
                    let mut buffer = vec![0; 1 << 16];
                    while let Ok(length @ 1..) = from_server.read(&mut buffer).await {
                        if discards.responses.load(Ordering::SeqCst) {
                            continue;
                        }
                        let less = |armed: usize| armed.checked_sub(1);
                        if armed.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less).is_ok()
                            || to_client.write_all(&buffer[..length]).await.is_err()
                        {
                            break;
                        }
                    }
                    up.abort();
                });
            }
        });
        Self { port, armed, discards }
    }
}

/// Returns the configuration of a store, at another port.
fn at_port(store: &TestStore, port: u16) -> Config {
    let config: Config = store.address.split_once(':').unwrap().1.parse().unwrap();
    let mut other = Config::new();
    other
        .host("127.0.0.1")
        .port(port)
        .user(config.get_user().unwrap())
        .options(config.get_options().unwrap());
    if let Some(name) = config.get_dbname() {
        other.dbname(name);
    }
    other
}

/// A worker that has placed one order, for which it prepared its statements. Its connection is cut at the next response after a given number
/// of further orders have come to a point.
struct Cut {
    store: TestStore,
    proxy: Proxy,
    world: Arc<World>,
    worker: Worker,
    events: Events,
}

impl Cut {
    async fn new(cut_at: Point, orders: usize) -> Self {
        let store = TestStore::postgres().await;
        let config: Config = store.address.split_once(':').unwrap().1.parse().unwrap();
        let proxy = Proxy::to(&config).await;
        // One connection, so that the one that is cut is the one that is used.
        let outbox = PostgresBuilder::new(at_port(&store, proxy.port)).connections(1).build().unwrap();
        // Nobody can ask this supplier: an order that were left in flight would need a person.
        let world = World::new(false);
        store.outbox.register_consumer("test").await.unwrap();
        store.outbox.enqueue("first", &FakeOrder::new("first")).await.unwrap();
        let (armed, came) = (proxy.armed.clone(), AtomicUsize::new(0));
        let probe = Arc::new(move |point: Point| {
            if point == cut_at && came.fetch_add(1, Ordering::SeqCst) == orders {
                armed.store(1, Ordering::SeqCst);
            }
        });
        let worker = quick(outbox.worker())
            .poll_interval(Duration::from_millis(300))
            .serve(Fake(world.clone()))
            .probe(probe)
            .start();
        let events = store.outbox.events("test").poll_interval(Duration::from_millis(20));
        let mut cut = Self { store, proxy, world, worker, events };
        cut.until_placed(1).await;
        cut
    }

    async fn until_placed(&mut self, orders: usize) {
        for _ in 0..orders {
            let event = self.events.next().await.unwrap().unwrap();
            assert_eq!(event.kind(), EventKind::Placed);
            event.ack().await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_whose_marks_commit_is_unanswered_is_not_sent_and_not_lost() {
    if postgres().is_none() {
        return;
    }
    for cut_at in [Point::BeforeMark, Point::Answered, Point::Marked] {
        let mut cut = Cut::new(cut_at, 1).await;
        cut.store.outbox.enqueue("1", &FakeOrder::new("1")).await.unwrap();
        cut.until_placed(1).await;
        cut.worker.drain(Duration::from_secs(5)).await;
        let order = cut.store.outbox.order("1").await.unwrap().unwrap();
        assert_eq!((order.state(), cut.world.effects("1")), (State::Placed, 1), "{cut_at:?}");
        assert_eq!(order.marks(), if cut_at == Point::BeforeMark { 2 } else { 1 }, "{cut_at:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_that_are_written_together_survive_a_lost_response() {
    const ORDERS: usize = 20;
    if postgres().is_none() {
        return;
    }
    for cut_at in [Point::BeforeMark, Point::Answered] {
        let mut cut = Cut::new(cut_at, ORDERS / 2).await;
        for number in 0..ORDERS {
            let key = number.to_string();
            cut.store.outbox.enqueue(&key, &FakeOrder::new(&key)).await.unwrap();
        }
        cut.until_placed(ORDERS).await;
        cut.worker.drain(Duration::from_secs(5)).await;
        assert_eq!(cut.proxy.armed.load(Ordering::SeqCst), 0, "{cut_at:?}");
        let mut marked_again = 0;
        for number in 0..ORDERS {
            let key = number.to_string();
            assert_eq!(cut.world.effects(&key), 1, "{cut_at:?}");
            marked_again += cut.store.outbox.order(&key).await.unwrap().unwrap().marks() - 1;
        }
        assert_eq!(marked_again > 0, cut_at == Point::BeforeMark, "{marked_again}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_the_server_ends_lose_nothing() {
    const ORDERS: usize = 60;
    let Some(server) = postgres() else { return };
    let store = TestStore::postgres().await;
    let application = format!("lastmile-test-{:x}", fastrand::u64(..));
    let mut config: Config = store.address.split_once(':').unwrap().1.parse().unwrap();
    config.application_name(&application);
    let cut = PostgresBuilder::new(config).connections(4).build().unwrap();
    let world = World::new(false);
    store.outbox.register_consumer("test").await.unwrap();
    for number in 0..ORDERS {
        let key = number.to_string();
        store.outbox.enqueue(&key, &FakeOrder::new(&key)).await.unwrap();
    }
    let (admin, connection) = server.parse::<Config>().unwrap().connect(NoTls).await.unwrap();
    tokio::spawn(connection);
    let worker = quick(cut.worker()).serve(Fake(world.clone())).max_in_flight(4).start();
    let mut events = store.outbox.events("test").poll_interval(Duration::from_millis(20));
    for number in 0..ORDERS {
        if number % 3 == 0 {
            let sql = "select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1";
            admin.query(sql, &[&application]).await.unwrap();
        }
        let event = events.next().await.unwrap().unwrap();
        assert_eq!(event.kind(), EventKind::Placed, "{}", event.key());
        event.ack().await.unwrap();
    }
    worker.drain(Duration::from_secs(5)).await;
    for number in 0..ORDERS {
        assert_eq!(world.effects(&number.to_string()), 1);
    }
}

/// A network that discards what is sent, without an error: the worker learns nothing, and neither side closes the connection.
#[tokio::test(flavor = "multi_thread")]
async fn a_worker_behind_a_black_hole_sends_nothing_after_its_lease_and_recovers() {
    if postgres().is_none() {
        return;
    }
    let mut cases = tokio::task::JoinSet::new();
    for point in [Point::LookedUp, Point::BeforeMark, Point::Marked, Point::Answered] {
        for (statements, responses) in [(true, true), (false, true)] {
            cases.spawn(black_hole(point, statements, responses));
        }
    }
    while let Some(done) = cases.join_next().await {
        done.unwrap();
    }
}

async fn black_hole(point: Point, statements: bool, responses: bool) {
    let what = format!("{point:?}, statements: {statements}, responses: {responses}");
    let store = TestStore::postgres().await;
    let config: Config = store.address.split_once(':').unwrap().1.parse().unwrap();
    let proxy = Proxy::to(&config).await;
    let cut = PostgresBuilder::new(at_port(&store, proxy.port)).timeout(Duration::from_millis(300));
    let cut = cut.connections(2).build().unwrap();
    let world = World::new(true);
    store.outbox.register_consumer("test").await.unwrap();
    store.outbox.enqueue("1", &FakeOrder::new("1")).await.unwrap();
    let (discards, is_first) = (proxy.discards.clone(), AtomicBool::new(true));
    let probe = Arc::new(move |at: Point| {
        if at == point && is_first.swap(false, Ordering::SeqCst) {
            discards.set(statements, responses);
        }
    });
    let worker = quick(cut.worker()).serve(Fake(world.clone())).probe(probe).start();
    // Another machine, whose network is in order, takes the order over when the lease has ended.
    let is_discarding = || async { proxy.discards.responses.load(Ordering::SeqCst) };
    lastmile_tests::outbox::until(is_discarding).await;
    let other = quick(store.outbox.worker()).serve(Fake(world.clone())).start();
    let mut events = store.outbox.events("test").poll_interval(Duration::from_millis(20));
    let event = events.next().await.unwrap().unwrap();
    assert_eq!((event.kind(), event.key()), (EventKind::Placed, "1"), "{what}");
    event.ack().await.unwrap();
    other.drain(Duration::from_secs(5)).await;
    assert_eq!(world.sent().len(), 1, "{what}");
    // The network is in order again, and the worker is the only one.
    proxy.discards.set(false, false);
    store.outbox.enqueue("2", &FakeOrder::new("2")).await.unwrap();
    loop {
        let event = events.next().await.unwrap().unwrap();
        assert_eq!(event.kind(), EventKind::Placed, "{what}");
        let key = event.key().to_owned();
        event.ack().await.unwrap();
        if key == "2" {
            break;
        }
    }
    assert_eq!(worker.drain(Duration::from_secs(10)).await, 0, "{what}");
    assert_eq!([world.effects("1"), world.effects("2")], [1, 1], "{what}");
    assert_eq!(store.outbox.order("1").await.unwrap().unwrap().state(), State::Placed, "{what}");
}
