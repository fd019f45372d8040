//! Measures the outbox beside job queues that do the same work: orders per second with a supplier that answers at once and with the
//! sandbox in a process of its own, the time from enqueueing to sending, and claims in a database with a million finished orders.

mod no_op;
mod peers;

use std::fmt::Write as _;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use lastmile::Prepared;
use lastmile::cocon::Cocon;
use lastmile::cocon::types::CustomerCreate;
use lastmile_outbox::tokio_postgres::{self, Config, NoTls};
use lastmile_outbox::{Outbox, PostgresBuilder, Worker};

use crate::outbox::{TestStore, is_done, until_done};
use crate::postgres_cluster::Cluster;
use no_op::{NoOp, Order};
pub use peers::serve_sandbox;
use peers::{Latency, Peer, Rate, SandboxProcess};

/// Anything that fails.
pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// What the orders are sent to.
#[derive(Clone, Copy)]
enum Supplier<'a> {
    NoOp,
    Sandbox(&'a SandboxProcess),
}

impl Supplier<'_> {
    /// Returns the arguments of a peer.
    fn arguments(&self) -> Vec<&str> {
        match self {
            Self::NoOp => vec!["no-op"],
            Self::Sandbox(sandbox) => sandbox.access.iter().map(String::as_str).collect(),
        }
    }

    fn start_worker(&self, outbox: &Outbox) -> Result<Worker> {
        Ok(match self {
            Self::NoOp => outbox.worker().serve(NoOp::default()).start(),
            Self::Sandbox(SandboxProcess { access: [base, key, client_id], .. }) => {
                let builder = Cocon::builder(base).api_key(key).client_id(client_id);
                outbox.worker().serve(builder.build()?).start()
            }
        })
    }
}

async fn enqueue(outbox: &Outbox, is_no_op: bool, key: &str) -> Result<()> {
    match is_no_op {
        true => outbox.enqueue(key, &Order(key.to_owned())).await?,
        false => {
            let customer = CustomerCreate { name: Some(key.into()), ..Default::default() };
            outbox.enqueue(key, &Prepared::new(customer)?).await?
        }
    };
    Ok(())
}

async fn fill(outbox: &Outbox, is_no_op: bool, orders: usize) -> Result<()> {
    // As many at once as share a commit.
    for chunk in (0..orders).collect::<Vec<_>>().chunks(64) {
        let enqueued =
            chunk.iter().map(async |number| enqueue(outbox, is_no_op, &format!("B-{number}")).await);
        futures_util::future::try_join_all(enqueued).await?;
    }
    Ok(())
}

/// Returns how many orders per second these workers place: claim, mark, result and event, each durable.
async fn burn_down(outbox: &Outbox, supplier: Supplier<'_>, workers: usize, orders: usize) -> Result<f64> {
    outbox.register_consumer("bench").await?;
    fill(outbox, matches!(supplier, Supplier::NoOp), orders).await?;
    let started = Instant::now();
    let running: Vec<_> = (0..workers).map(|_| supplier.start_worker(outbox)).collect::<Result<_>>()?;
    let mut interval = tokio::time::interval(Duration::from_millis(5));
    interval.tick().await;
    // Asks the database only when the workers are idle, since counting takes as long as many orders.
    while running.iter().any(|worker| worker.in_flight() > 0) || !is_done(outbox).await {
        if started.elapsed() > LIMIT {
            break;
        }
        interval.tick().await;
    }
    let took = started.elapsed();
    for worker in running {
        worker.drain(Duration::from_secs(10)).await;
    }
    let placed = outbox.statistics().await?.count(lastmile_outbox::State::Placed);
    if placed != orders as u64 {
        return Err(format!("{placed} of {orders} orders were placed").into());
    }
    Ok(orders as f64 / took.as_secs_f64())
}

/// The longest run.
const LIMIT: Duration = Duration::from_secs(60);

/// Measures the time from enqueueing an order to sending it, with 100 orders per second.
async fn latency(outbox: &Outbox, orders: usize) -> Result<Latency> {
    let client = NoOp::default();
    let worker = outbox.worker().serve(client.clone()).start();
    let mut interval = tokio::time::interval(Duration::from_millis(10));
    let mut enqueued = Vec::new();
    for number in 0..orders {
        interval.tick().await;
        let key = format!("L-{number}");
        enqueued.push((format!("{key:<600}"), Instant::now()));
        enqueue(outbox, true, &key).await?;
    }
    until_done(outbox).await;
    worker.drain(Duration::from_secs(10)).await;
    let sent = client.0.lock().unwrap_or_else(PoisonError::into_inner);
    let mut times: Vec<Duration> =
        enqueued.iter().filter_map(|(key, at)| Some(*sent.get(key)? - *at)).collect();
    times.sort();
    let at = |share: usize| {
        times.get((times.len() * share / 100).min(times.len() - 1)).copied().unwrap_or_default()
    };
    let ms = |time: Duration| time.as_secs_f64() * 1000.0;
    Ok(Latency { p50_ms: ms(at(50)), p99_ms: ms(at(99)) })
}

/// A database of its own on the cluster.
struct Database<'a> {
    cluster: &'a Cluster,
    name: String,
}

impl<'a> Database<'a> {
    async fn create(cluster: &'a Cluster) -> Result<Self> {
        let name = format!("run_{:x}", fastrand::u64(..));
        connect(cluster, "postgres").await?.batch_execute(&format!("create database {name}")).await?;
        Ok(Self { cluster, name })
    }

    fn open(&self) -> Result<Outbox> {
        Ok(PostgresBuilder::new(config(self.cluster, &self.name)?).connections(16).build()?)
    }

    fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{}", self.cluster.port(), self.name)
    }
}

fn config(cluster: &Cluster, database: &str) -> Result<Config> {
    let mut config: Config = cluster.config().parse()?;
    config.dbname(database);
    Ok(config)
}

async fn connect(cluster: &Cluster, database: &str) -> Result<tokio_postgres::Client> {
    let (client, connection) = config(cluster, database)?.connect(NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

/// Returns the number of transactions that wrote and the bytes of the write-ahead log up to now.
async fn written(admin: &tokio_postgres::Client) -> Result<[f64; 2]> {
    // Each transaction that writes has a number. The statistics of commits are late.
    let sql = "select pg_snapshot_xmax(pg_current_snapshot())::text::float8, (pg_current_wal_lsn() - '0/0'::pg_lsn)::float8";
    let row = admin.query_one(sql, &[]).await?;
    Ok([row.get(0), row.get(1)])
}

/// Returns the plan and the 99th percentile of claims among 100,000 queued orders.
async fn claims(admin: &tokio_postgres::Client) -> Result<(String, f64)> {
    let sql = "explain select id from lastmile_order where supplier = 'no-op' and due <= now() order by due limit 32";
    let plan: Vec<String> = admin.query(sql, &[]).await?.iter().map(|row| row.get(0)).collect();
    let scan = plan.iter().find(|line| line.contains("Scan")).map_or("?", |line| line.trim()).to_owned();
    let mut times = Vec::new();
    for _ in 0..300 {
        let started = Instant::now();
        admin
            .query("select id from lastmile_claim('no-op', 32, 'bench', 3600000, 0, 0, 1, null)", &[])
            .await?;
        times.push(started.elapsed().as_secs_f64() * 1000.0);
    }
    times.sort_by(f64::total_cmp);
    Ok((scan, times[times.len() * 99 / 100]))
}

async fn add(admin: &tokio_postgres::Client, state: &str, orders: usize) -> Result<()> {
    let (due, finished) = if state == "ready" { ("now()", "null") } else { ("null", "now()") };
    let sql = format!(
        "insert into lastmile_order (key, supplier, kind, digest, body, state, due, finished_at)
         select '{state}-' || n, 'no-op', 'no-op.order', 'd', repeat('x', 300), '{state}', {due}, {finished}
         from generate_series(1, {orders}) n; vacuum analyze lastmile_order"
    );
    for statement in sql.split(';') {
        admin.batch_execute(statement).await?;
    }
    Ok(())
}

/// A row of the table: whose, in which store, and how its jobs are marked.
struct Row {
    label: [&'static str; 3],
    peer: Option<Peer>,
    is_sqlite: bool,
    /// For each column, the rates of all rounds.
    rates: [Vec<Rate>; COLUMNS],
}

/// No-op with one worker and with four, and the sandbox with one and with four.
const COLUMNS: usize = 4;

fn rows() -> Vec<Row> {
    let own = [true, false].map(|is_sqlite| {
        let store = if is_sqlite { "SQLite" } else { "PostgreSQL" };
        Row { label: ["outbox", store, "always"], peer: None, is_sqlite, rates: Default::default() }
    });
    let peers = Peer::all().into_iter().map(|peer| {
        let name = peer.name.split("-postgres").next().unwrap_or(peer.name);
        let name = name.split("-sqlite").next().unwrap_or(name);
        let store = if peer.is_sqlite { "SQLite" } else { "PostgreSQL" };
        let marked = if peer.is_marked { "a row of its own" } else { "no" };
        Row {
            label: [name, store, marked],
            peer: Some(peer),
            is_sqlite: peer.is_sqlite,
            rates: Default::default(),
        }
    });
    own.into_iter().chain(peers).collect()
}

async fn rate(
    row: &Row,
    cluster: &Cluster,
    supplier: Supplier<'_>,
    workers: usize,
    orders: usize,
) -> Result<Rate> {
    if let Some(peer) = row.peer {
        let file = SqliteFile::new();
        let database = if row.is_sqlite { file.url() } else { Database::create(cluster).await?.url() };
        let (workers, orders) = (workers.to_string(), orders.to_string());
        let arguments = [peer.name, &database, &workers, &orders, peer.mark()];
        return peers::run(&[&arguments[..], &supplier.arguments()].concat());
    }
    if row.is_sqlite {
        let store = TestStore::sqlite().await;
        let per_second = burn_down(&store.outbox, supplier, workers, orders).await?;
        return Ok(Rate { per_second, ..Rate::default() });
    }
    let database = Database::create(cluster).await?;
    let outbox = database.open()?;
    outbox.migrate().await?;
    let admin = connect(cluster, &database.name).await?;
    let before = written(&admin).await?;
    let per_second = burn_down(&outbox, supplier, workers, orders).await?;
    let after = written(&admin).await?;
    let [commits, wal] = [0, 1].map(|at| (after[at] - before[at]) / orders as f64);
    Ok(Rate { per_second, commits, wal })
}

/// A new file of a peer, which is deleted when this value is dropped.
struct SqliteFile(std::path::PathBuf);

impl SqliteFile {
    fn new() -> Self {
        Self(std::env::temp_dir().join(format!("lastmile-peer-{:x}.db", fastrand::u64(..))))
    }

    fn url(&self) -> String {
        format!("sqlite://{}?mode=rwc", self.0.display())
    }
}

impl Drop for SqliteFile {
    fn drop(&mut self) {
        for suffix in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{}{suffix}", self.0.display()));
        }
    }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

async fn throughput(text: &mut String, cluster: &Cluster, rounds: usize, orders: usize) -> Result<()> {
    // With SQLite, apalis takes several seconds even for these.
    let fewer = orders / 4;
    writeln!(
        text,
        "Orders per second until {orders} queued orders are done, {fewer} with SQLite; the median of {rounds} rounds, in each of which all\n\
         programs run in turn on the same machine. The outbox commits a claim, a mark, the result and an event. The peers run 64 jobs at\n\
         once, as each worker of the outbox; apalis also has an interval of 100 ms and `LISTEN`, `graphile_worker` the interval of 10 ms and\n\
         the local queue of its own benchmarks; all else is as published. With *a row of its own* each job commits an `INSERT` before it is\n\
         sent. The workers of a row share a process and its pool. The sandbox runs in a process of its own and receives one `POST` per order.\n\
         A run ends after a minute at the latest. SQLite: the outbox uses `synchronous = FULL`; apalis sets it to `OFF`, except for the rows\n\
         of their own. PostgreSQL 15 has its default settings (`fsync` and `synchronous_commit` on), on the same two cores. Transactions and\n\
         WAL per order include enqueueing each order by itself, with one worker and no supplier. [profile.md](profile.md#the-outbox-in-time) has\n\
         the same with fewer orders.\n"
    )?;
    let mut rows = rows();
    for _ in 0..rounds {
        for column in 0..COLUMNS {
            let (workers, is_no_op) = ([1, 4][column % 2], column < 2);
            for row in &mut rows {
                let sandbox = if is_no_op { None } else { Some(SandboxProcess::start()?) };
                let supplier = sandbox.as_ref().map_or(Supplier::NoOp, Supplier::Sandbox);
                let orders = if row.is_sqlite { fewer } else { orders };
                let rate = rate(row, cluster, supplier, workers, orders).await?;
                eprintln!("{:?} column {column}: {:.0}/s", row.label, rate.per_second);
                row.rates[column].push(rate);
            }
        }
    }
    writeln!(
        text,
        "| queue | store | marked | no-op, 1 worker | 4 workers | sandbox, 1 worker | 4 workers | transactions | WAL |"
    )?;
    writeln!(text, "|---|---|---|---|---|---|---|---|---|")?;
    for row in &rows {
        let [queue, store, marked] = row.label;
        write!(text, "| {queue} | {store} | {marked} |")?;
        for rates in &row.rates {
            write!(text, " {:.0} |", median(rates.iter().map(|rate| rate.per_second)))?;
        }
        match row.is_sqlite {
            true => writeln!(text, " | |")?,
            false => {
                let commits = median(row.rates[0].iter().map(|rate| rate.commits));
                let wal = median(row.rates[0].iter().map(|rate| rate.wal));
                writeln!(text, " {commits:.1} | {:.1} kB |", wal / 1000.0)?;
            }
        }
    }
    writeln!(text)?;
    for is_sqlite in [false, true] {
        let find = |name: &str, marked: &str| {
            rows.iter()
                .find(|row| row.is_sqlite == is_sqlite && row.label[0] == name && row.label[2] == marked)
        };
        for marked in ["no", "a row of its own"] {
            let (Some(own), Some(apalis)) = (find("outbox", "always"), find("apalis", marked)) else {
                continue;
            };
            let ratios = [0, 1, 2, 3].map(|column| {
                // Both of a round ran within minutes of each other.
                let rounds = own.rates[column].iter().zip(&apalis.rates[column]);
                format!("{:.1}", median(rounds.map(|(own, apalis)| own.per_second / apalis.per_second)))
            });
            writeln!(
                text,
                "On {}, the outbox is {} times as fast as apalis {} (in the order of the columns).",
                own.label[1],
                ratios.join(", "),
                if marked == "no" { "without a mark" } else { "with a row of its own as the mark" },
            )?;
        }
    }
    writeln!(
        text,
        "\nIn PostgreSQL, the outbox writes the marks that wait at the same time in one transaction, and the results likewise, without those\n\
         orders that another transaction has locked. apalis commits the results of many jobs together, too; `graphile_worker` writes no event.\n"
    )?;
    Ok(())
}

/// Measures, and returns a section of a page. `scale` divides the numbers of orders.
pub async fn section(scale: usize) -> Result<String> {
    peers::build()?;
    let mut text = String::from("## The outbox\n\n");
    let (rounds, orders, late) = (if scale == 1 { 3 } else { 1 }, 20_000 / scale, 1_000 / scale.min(10));
    let cluster = Cluster::start().await?;
    throughput(&mut text, &cluster, rounds, orders).await?;

    writeln!(
        text,
        "Time from enqueueing an order to sending it, with 100 orders per second and one worker in the same process:\n"
    )?;
    writeln!(text, "| queue | store | marked | median | 99th percentile |\n|---|---|---|---|---|")?;
    for row in rows() {
        let [queue, store, marked] = row.label;
        let Latency { p50_ms, p99_ms } = match row.peer {
            Some(peer) => {
                let file = SqliteFile::new();
                let database =
                    if row.is_sqlite { file.url() } else { Database::create(&cluster).await?.url() };
                peers::run(&["latency", peer.name, &database, &late.to_string(), peer.mark()])?
            }
            None if row.is_sqlite => latency(&TestStore::sqlite().await.outbox, late).await?,
            None => {
                let outbox = Database::create(&cluster).await?.open()?;
                outbox.migrate().await?;
                latency(&outbox, late).await?
            }
        };
        writeln!(text, "| {queue} | {store} | {marked} | {p50_ms:.1} ms | {p99_ms:.1} ms |")?;
    }

    writeln!(text, "\nClaims of 32 orders in PostgreSQL, one connection:\n")?;
    writeln!(text, "| queued | finished | 99th percentile | plan |\n|---|---|---|---|")?;
    let (queued, finished) = (100_000 / scale, 1_000_000 / scale);
    for finished in [0, finished] {
        let database = Database::create(&cluster).await?;
        database.open()?.migrate().await?;
        let admin = connect(&cluster, &database.name).await?;
        add(&admin, "placed", finished).await?;
        add(&admin, "ready", queued).await?;
        let (plan, p99) = claims(&admin).await?;
        writeln!(text, "| {queued} | {finished} | {p99:.1} ms | {} |", without_costs(&plan))?;
    }
    Ok(text)
}

fn without_costs(plan: &str) -> &str {
    plan.split("  (").next().unwrap_or(plan).trim_start_matches("-> ").trim()
}
