//! Measures the outbox: orders per second with a supplier that answers at once, the time from enqueueing to sending, and claims in
//! a database with a million finished orders.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use lastmile::outbox::{Answer, Client, Enqueue, Entry, OpenError, Phase, Step, StepFuture};
use lastmile_outbox::tokio_postgres::{self, Config, NoTls};
use lastmile_outbox::{Outbox, PostgresBuilder};

use crate::outbox::{TestStore, until_done};
use crate::postgres_cluster::Cluster;

/// Anything that fails.
pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// A supplier that answers at once, and notes when each order was sent.
#[derive(Clone, Default)]
struct NoOp(Arc<Mutex<HashMap<String, Instant>>>);

impl Client for NoOp {
    fn supplier(&self) -> &str {
        "no-op"
    }

    fn deadline(&self) -> Duration {
        Duration::from_secs(60)
    }

    fn settle_time(&self) -> Duration {
        Duration::from_secs(300)
    }

    fn open(&self, _: &str, body: &str) -> std::result::Result<Box<dyn Step>, OpenError> {
        Ok(Box::new(NoOpStep { client: self.clone(), body: body.to_owned(), phase: Phase::Ready }))
    }
}

struct NoOpStep {
    client: NoOp,
    body: String,
    phase: Phase,
}

impl Step for NoOpStep {
    fn phase(&self) -> Phase {
        self.phase
    }

    fn manual_check(&self) -> &str {
        ""
    }

    fn body(&self) -> std::result::Result<String, lastmile::Error> {
        Ok(self.body.clone())
    }

    fn look_up(&mut self) -> StepFuture<'_> {
        Box::pin(std::future::ready(Answer::Clear))
    }

    fn mark(&mut self, _: Duration) -> std::result::Result<(), lastmile::Error> {
        self.phase = Phase::Sent;
        Ok(())
    }

    fn place(&mut self) -> StepFuture<'_> {
        let mut sent = self.client.0.lock().unwrap_or_else(PoisonError::into_inner);
        sent.insert(self.body.clone(), Instant::now());
        self.phase = Phase::Done;
        Box::pin(std::future::ready(Answer::Placed))
    }

    fn reconcile(&mut self) -> StepFuture<'_> {
        Box::pin(std::future::ready(Answer::Absent))
    }

    fn repeat(&mut self) -> StepFuture<'_> {
        Box::pin(std::future::ready(Answer::Placed))
    }

    fn declare_absent(&mut self) -> std::result::Result<(), lastmile::Error> {
        Ok(())
    }

    fn declare_placed(&mut self, _: Option<&str>) -> std::result::Result<Answer, lastmile::Error> {
        Ok(Answer::Placed)
    }

    fn result(&self) -> Option<String> {
        Some(r#"{"id":"4711"}"#.to_owned())
    }
}

/// An order with a body of the usual size.
struct Order(String);

impl Enqueue for Order {
    fn entry(&self) -> std::result::Result<Entry, lastmile::Error> {
        Ok(Entry::new("no-op", "no-op.order", format!("{:<600}", self.0), self.0.clone()))
    }
}

async fn fill(outbox: &Outbox, orders: usize) -> Result<()> {
    // As many at once as share a commit.
    for chunk in (0..orders).collect::<Vec<_>>().chunks(64) {
        let mut tasks = tokio::task::JoinSet::new();
        for number in chunk {
            let (outbox, key) = (outbox.clone(), format!("B-{number}"));
            tasks.spawn(async move { outbox.enqueue(&key, &Order(key.clone())).await });
        }
        while let Some(done) = tasks.join_next().await {
            done??;
        }
    }
    Ok(())
}

/// Returns how many orders per second these workers place: claim, mark, result and event, each durable.
async fn burn_down(outbox: &Outbox, open: impl Fn() -> Outbox, workers: usize, orders: usize) -> Result<f64> {
    outbox.register_consumer("bench").await?;
    fill(outbox, orders).await?;
    let started = Instant::now();
    let handles: Vec<_> = (0..workers).map(|_| open()).collect();
    let running: Vec<_> =
        handles.iter().map(|outbox| outbox.worker().serve(NoOp::default()).start()).collect();
    until_done(outbox).await;
    let took = started.elapsed();
    for worker in running {
        worker.drain(Duration::from_secs(10)).await;
    }
    Ok(orders as f64 / took.as_secs_f64())
}

/// Returns the median and the 99th percentile of the time from enqueueing an order to sending it, with 100 orders per second.
async fn latency(outbox: &Outbox, orders: usize) -> Result<[Duration; 2]> {
    let client = NoOp::default();
    let worker = outbox.worker().serve(client.clone()).start();
    let mut interval = tokio::time::interval(Duration::from_millis(10));
    let mut enqueued = Vec::new();
    for number in 0..orders {
        interval.tick().await;
        let key = format!("L-{number}");
        enqueued.push((format!("{key:<600}"), Instant::now()));
        outbox.enqueue(&key, &Order(key.clone())).await?;
    }
    until_done(outbox).await;
    worker.drain(Duration::from_secs(10)).await;
    let sent = client.0.lock().unwrap_or_else(PoisonError::into_inner);
    let mut times: Vec<_> = enqueued.iter().filter_map(|(key, at)| Some(*sent.get(key)? - *at)).collect();
    times.sort();
    let at = |share: usize| {
        times.get((times.len() * share / 100).min(times.len() - 1)).copied().unwrap_or_default()
    };
    Ok([at(50), at(99)])
}

async fn connect(cluster: &Cluster) -> Result<tokio_postgres::Client> {
    let (client, connection) = cluster.config().parse::<Config>()?.connect(NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

/// Returns the number of commits and the bytes of the write-ahead log up to now.
async fn written(admin: &tokio_postgres::Client) -> Result<[f64; 2]> {
    let sql = "select xact_commit::float8, (pg_current_wal_lsn() - '0/0'::pg_lsn)::float8
               from pg_stat_database where datname = current_database()";
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
        admin.query("select id from lastmile_claim('no-op', 32, 'bench', 3600000, 0, 1)", &[]).await?;
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

/// Measures, and returns a section of a page. `scale` divides the numbers of orders.
pub async fn section(scale: usize) -> Result<String> {
    let mut text = String::from("## The outbox\n\n");
    let (orders, late) = (20_000 / scale, 1_000 / scale.min(10));
    writeln!(
        text,
        "Orders per second with a supplier that answers at once. Claim, mark, result and event are durable; the median of three\nruns, interleaved. SQLite: `synchronous = FULL`. PostgreSQL 15 with its default settings (`fsync` and `synchronous_commit` on), on the\nsame two cores.\n"
    )?;
    writeln!(
        text,
        "| store | workers | orders per second | commits per order | WAL per order |\n|---|---|---|---|---|"
    )?;
    let cluster = Cluster::start().await?;
    let (mut sqlite, mut postgres): (Vec<f64>, [Vec<f64>; 2]) = Default::default();
    let mut per_order = [0.0; 2];
    for run in 0..3 {
        let store = TestStore::sqlite().await;
        sqlite.push(burn_down(&store.outbox, || store.outbox.clone(), 1, orders).await?);
        for (at, workers) in [1, 4].into_iter().enumerate() {
            let admin = connect(&cluster).await?;
            let schema = format!("run{run}_{workers}");
            admin.batch_execute(&format!("create schema {schema}")).await?;
            let open = || -> Result<Outbox> {
                let config = format!("{} options='-c search_path={schema}'", cluster.config()).parse()?;
                Ok(PostgresBuilder::new(config).connections(16).build()?)
            };
            let outbox = open()?;
            outbox.migrate().await?;
            let before = written(&admin).await?;
            let clone = || open().unwrap_or_else(|_| outbox.clone());
            postgres[at].push(burn_down(&outbox, clone, workers, orders).await?);
            let after = written(&admin).await?;
            per_order = [0, 1].map(|at| (after[at] - before[at]) / orders as f64);
        }
    }
    let median = |values: &mut Vec<f64>| {
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    writeln!(text, "| SQLite | 1 | {:.0} | | |", median(&mut sqlite))?;
    writeln!(text, "| PostgreSQL | 1 | {:.0} | | |", median(&mut postgres[0]))?;
    writeln!(
        text,
        "| PostgreSQL | 4 | {:.0} | {:.1} | {:.1} kB |\n",
        median(&mut postgres[1]),
        per_order[0],
        per_order[1] / 1000.0
    )?;
    writeln!(text, "Commits and WAL include the enqueueing of each order by itself.\n")?;

    writeln!(
        text,
        "Time from enqueueing an order to sending it, with 100 orders per second and one worker in the same process:\n"
    )?;
    writeln!(text, "| store | median | 99th percentile |\n|---|---|---|")?;
    let ms = |time: Duration| time.as_secs_f64() * 1000.0;
    let store = TestStore::sqlite().await;
    let [p50, p99] = latency(&store.outbox, late).await?;
    writeln!(text, "| SQLite | {:.1} ms | {:.1} ms |", ms(p50), ms(p99))?;
    let outbox = Outbox::postgres(cluster.config().parse()?)?;
    outbox.migrate().await?;
    let [p50, p99] = latency(&outbox, late).await?;
    writeln!(text, "| PostgreSQL | {:.1} ms | {:.1} ms |\n", ms(p50), ms(p99))?;

    writeln!(text, "Claims of 32 orders in PostgreSQL, one connection:\n")?;
    writeln!(text, "| queued | finished | 99th percentile | plan |\n|---|---|---|---|")?;
    let admin = connect(&cluster).await?;
    admin
        .batch_execute(
            "delete from lastmile_delivery; delete from lastmile_event; delete from lastmile_order",
        )
        .await?;
    let (queued, finished) = (100_000 / scale, 1_000_000 / scale);
    add(&admin, "ready", queued).await?;
    let (plan, p99) = claims(&admin).await?;
    writeln!(text, "| {queued} | 0 | {p99:.1} ms | {} |", without_costs(&plan))?;
    admin.batch_execute("delete from lastmile_order").await?;
    add(&admin, "placed", finished).await?;
    add(&admin, "ready", queued).await?;
    let (plan, p99) = claims(&admin).await?;
    writeln!(text, "| {queued} | {finished} | {p99:.1} ms | {} |", without_costs(&plan))?;
    Ok(text)
}

fn without_costs(plan: &str) -> &str {
    plan.split("  (").next().unwrap_or(plan).trim_start_matches("-> ").trim()
}
