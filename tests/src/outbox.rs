//! Databases for tests of the outbox.

use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Once;
use std::time::{Duration, Instant};

use lastmile_outbox::tokio_postgres::{Config, NoTls};
use lastmile_outbox::{Outbox, PostgresBuilder, State, WorkerBuilder};

/// The variable that names a PostgreSQL server for tests, such as `host=127.0.0.1 port=5432 user=postgres`.
pub const POSTGRES: &str = "LASTMILE_TEST_POSTGRES";

/// Returns the server that tests may use. Says once that there is none, in the output of passing tests, too.
pub fn postgres() -> Option<String> {
    static SAID: Once = Once::new();
    let named = std::env::var(POSTGRES).ok().filter(|config| !config.is_empty());
    if named.is_none() {
        // Not `eprintln`, which the test harness hides.
        SAID.call_once(|| {
            let _ =
                writeln!(std::io::stderr(), "{POSTGRES} is not set: the tests on PostgreSQL are left out");
        });
    }
    named
}

/// An outbox of its own for a test. It is deleted when this value is dropped.
pub struct TestStore {
    /// `sqlite` or `postgres`.
    pub name: &'static str,
    /// The outbox, migrated.
    pub outbox: Outbox,
    /// Where it is, for [`open`].
    pub address: String,
    file: Option<PathBuf>,
}

impl TestStore {
    /// Creates a SQLite database.
    pub async fn sqlite() -> Self {
        let name = format!("lastmile-outbox-{}-{:x}.db", std::process::id(), fastrand::u64(..));
        let file = std::env::temp_dir().join(name);
        let address = format!("sqlite:{}", file.display());
        let outbox = open(&address);
        outbox.migrate().await.expect("a new file");
        Self { name: "sqlite", outbox, address, file: Some(file) }
    }

    /// Creates a schema in the PostgreSQL database.
    pub async fn postgres() -> Self {
        let server = postgres().expect("a server");
        let schema = format!("lastmile_{}_{:x}", std::process::id(), fastrand::u64(..));
        execute(&server, &format!("create schema {schema}")).await;
        let address = format!("postgres:{server} options='-c search_path={schema}'");
        let outbox = open(&address);
        outbox.migrate().await.expect("a new schema");
        Self { name: "postgres", outbox, address, file: None }
    }
}

impl Drop for TestStore {
    fn drop(&mut self) {
        if let Some(file) = &self.file {
            for suffix in ["", "-wal", "-shm"] {
                let _ = std::fs::remove_file(format!("{}{suffix}", file.display()));
            }
        }
    }
}

/// Runs statements on the server.
pub async fn execute(config: &str, sql: &str) {
    let (client, connection) =
        config.parse::<Config>().expect("a configuration").connect(NoTls).await.expect("a server");
    let connection = tokio::spawn(connection);
    client.batch_execute(sql).await.expect("the statements are right");
    drop(client);
    let _ = connection.await;
}

/// Opens an outbox by the address of a [`TestStore`].
///
/// # Panics
/// Panics if it cannot be opened.
pub fn open(address: &str) -> Outbox {
    match address.split_once(':') {
        Some(("sqlite", path)) => Outbox::sqlite(path).expect("a file"),
        Some(("postgres", config)) => {
            let config = config.parse().expect("a configuration");
            PostgresBuilder::new(config).connections(6).build().expect("a pool")
        }
        _ => panic!("sqlite: or postgres:"),
    }
}

/// Returns a worker with a backoff and leases that fit tests.
pub fn quick(builder: WorkerBuilder) -> WorkerBuilder {
    builder
        .poll_interval(Duration::from_millis(20))
        .backoff(Duration::from_millis(5), Duration::from_millis(50))
        .mark_valid_for(Duration::from_secs(1))
        .lease_margin(Duration::from_millis(200))
}

/// Returns whether every order of an outbox has ended or needs a person. A database that is restarted is asked again.
pub async fn is_done(outbox: &Outbox) -> bool {
    match outbox.statistics().await {
        Ok(statistics) => {
            State::ALL.into_iter().all(|state| !state.is_active() || statistics.count(state) == 0)
        }
        Err(_) => false,
    }
}

/// Asks again and again until the condition holds.
///
/// # Panics
/// Panics if it does not hold within three minutes.
pub async fn until<F: Future<Output = bool>>(condition: impl Fn() -> F) {
    let mut interval = tokio::time::interval(Duration::from_millis(2));
    let start = Instant::now();
    while !condition().await {
        assert!(start.elapsed() < PATIENCE, "the condition does not hold after {PATIENCE:?}");
        interval.tick().await;
    }
}

/// Waits until [`is_done`]. Asks rarely, because the database has better things to do.
///
/// # Panics
/// Panics if the states of all orders stay the same for three minutes.
pub async fn until_done(outbox: &Outbox) {
    let mut interval = tokio::time::interval(Duration::from_millis(50));
    let (mut counts, mut since) = (Vec::new(), Instant::now());
    while !is_done(outbox).await {
        if let Ok(statistics) = outbox.statistics().await {
            let now: Vec<_> = State::ALL.into_iter().map(|state| statistics.count(state)).collect();
            if now != counts {
                (counts, since) = (now, Instant::now());
            }
        }
        assert!(since.elapsed() < PATIENCE, "nothing has changed for {PATIENCE:?}");
        interval.tick().await;
    }
}

/// A test that takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(180);
