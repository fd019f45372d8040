//! The queues behind one interface. Each has its published defaults, and 64 jobs at once as a worker of the outbox.
//!
//! With their defaults alone two would show little: apalis asks for new jobs every 30 seconds, and `graphile_worker` runs each job slot
//! once a second. apalis is also given an interval and, in PostgreSQL, `LISTEN`, as its documentation shows, and `graphile_worker` the
//! interval and the local queue of its own benchmarks.

use std::str::FromStr as _;
use std::time::Duration;

use apalis::prelude::{
    BackendExt as _, ParallelizeExt as _, Strategy, TaskSink as _, WorkerBuilder, WorkerBuilderExt as _,
};
use apalis_postgres::PostgresStorage;
use apalis_sqlite::SqliteStorage;
use graphile_worker::{
    IntoTaskHandlerResult, JobSpec, LocalQueueConfig, TaskHandler, WorkerContext, WorkerOptions, WorkerUtils,
};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{PgPool, SqlitePool};
use tokio::runtime::Handle;

use crate::{Job, Result, Work};

const AT_ONCE: usize = 64;

/// How often apalis asks for new jobs.
const INTERVAL: Duration = Duration::from_millis(100);

/// Starts a worker of apalis in a thread of its own. A macro, since the bounds of a storage are longer than these lines.
macro_rules! start_apalis {
    ($storage:expr, $name:expr, $runtime:expr, $work:expr) => {{
        let storage = $storage.poll_with_strategy(Strategy::new().interval(INTERVAL));
        std::thread::spawn(move || {
            let worker = WorkerBuilder::new($name)
                .backend(storage)
                .concurrency(AT_ONCE)
                .parallelize(tokio::spawn)
                .data($work)
                .build(run);
            report($runtime.block_on(worker.run()));
        });
    }};
}

/// A pool of connections, with the default number of each.
#[derive(Clone)]
pub enum Pool {
    Postgres(PgPool),
    Sqlite(SqlitePool),
}

impl Pool {
    /// Opens the table of the marks. In SQLite through connections of its own: those of apalis do not wait for the disk.
    pub async fn create_marks(&self, database: &str) -> Result<Self> {
        let sql = "CREATE TABLE IF NOT EXISTS mark (key text PRIMARY KEY)";
        match self {
            Self::Postgres(pool) => {
                sqlx::query(sql).execute(pool).await?;
                Ok(self.clone())
            }
            Self::Sqlite(_) => {
                let options = SqliteConnectOptions::from_str(database)?;
                let durable =
                    options.journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Full);
                let pool = SqlitePool::connect_with(durable).await?;
                sqlx::query(sql).execute(&pool).await?;
                Ok(Self::Sqlite(pool))
            }
        }
    }

    /// Commits the mark of a job.
    pub async fn mark(&self, key: &str) -> Result<()> {
        match self {
            Self::Postgres(pool) => {
                _ = sqlx::query("INSERT INTO mark (key) VALUES ($1) ON CONFLICT DO NOTHING")
                    .bind(key)
                    .execute(pool)
                    .await?;
            }
            Self::Sqlite(pool) => {
                _ = sqlx::query("INSERT INTO mark (key) VALUES (?1) ON CONFLICT DO NOTHING")
                    .bind(key)
                    .execute(pool)
                    .await?;
            }
        }
        Ok(())
    }

    /// Returns the number of transactions that wrote and the bytes of the write-ahead log up to now.
    pub async fn written(&self) -> Result<[f64; 2]> {
        let Self::Postgres(pool) = self else { return Ok([0.0; 2]) };
        // Each transaction that writes has a number. The statistics of commits are late.
        let sql = "select pg_snapshot_xmax(pg_current_snapshot())::text::float8, (pg_current_wal_lsn() - '0/0'::pg_lsn)::float8";
        let (commits, wal): (f64, f64) = sqlx::query_as(sql).fetch_one(pool).await?;
        Ok([commits, wal])
    }

    async fn count(&self, sql: &'static str) -> Result<i64> {
        Ok(match self {
            Self::Postgres(pool) => sqlx::query_scalar(sql).fetch_one(pool).await?,
            Self::Sqlite(pool) => sqlx::query_scalar(sql).fetch_one(pool).await?,
        })
    }
}

pub enum Queue {
    ApalisPostgres(Pool, PgPool),
    ApalisSqlite(Pool, SqlitePool),
    Graphile(Pool, PgPool),
}

impl Queue {
    pub async fn open(queue: &str, database: &str) -> Result<Self> {
        match queue {
            "apalis-postgres" => {
                let pool = PgPool::connect(database).await?;
                PostgresStorage::setup(&pool).await?;
                Ok(Self::ApalisPostgres(Pool::Postgres(pool.clone()), pool))
            }
            "apalis-sqlite" => {
                let pool = SqlitePool::connect(database).await?;
                SqliteStorage::setup(&pool).await?;
                Ok(Self::ApalisSqlite(Pool::Sqlite(pool.clone()), pool))
            }
            "graphile-worker" => {
                let pool = PgPool::connect(database).await?;
                let queue = Self::Graphile(Pool::Postgres(pool.clone()), pool.clone());
                // Creates the tables.
                graphile(&pool).init().await?;
                Ok(queue)
            }
            _ => Err("apalis-postgres, apalis-sqlite or graphile-worker".into()),
        }
    }

    pub fn pool(&self) -> &Pool {
        match self {
            Self::ApalisPostgres(pool, _) | Self::ApalisSqlite(pool, _) | Self::Graphile(pool, _) => pool,
        }
    }

    pub async fn push(&self, job: Job) -> Result<()> {
        match self {
            Self::ApalisPostgres(_, pool) => PostgresStorage::<Job>::new(pool).push(job).await?,
            Self::ApalisSqlite(_, pool) => SqliteStorage::<Job>::new(pool).push(job).await?,
            Self::Graphile(_, pool) => {
                let utils = WorkerUtils::new(pool.clone(), "graphile_worker");
                utils.add_job(job, JobSpec::default()).await?;
            }
        }
        Ok(())
    }

    /// Starts a worker, which runs until the process ends. The futures of apalis stay on one thread; its jobs do not.
    pub async fn start(&self, number: usize, work: Work) -> Result<()> {
        let (name, runtime) = (format!("worker-{number}"), Handle::current());
        match self {
            Self::ApalisPostgres(_, pool) => {
                start_apalis!(PostgresStorage::<Job>::new(pool).with_pubsub(), name, runtime, work)
            }
            Self::ApalisSqlite(_, pool) => {
                start_apalis!(SqliteStorage::<Job>::new(pool), name, runtime, work)
            }
            Self::Graphile(_, pool) => {
                let worker = graphile(pool).add_extension(work).init().await?;
                std::thread::spawn(move || report(runtime.block_on(worker.run())));
            }
        }
        Ok(())
    }

    /// Returns the number of jobs that are not done.
    pub async fn left(&self) -> Result<i64> {
        self.pool()
            .count(match self {
                Self::ApalisPostgres(..) => "SELECT count(*) FROM apalis.jobs WHERE status <> 'Done'",
                Self::ApalisSqlite(..) => "SELECT count(*) FROM Jobs WHERE status <> 'Done'",
                Self::Graphile(..) => "SELECT count(*) FROM graphile_worker._private_jobs",
            })
            .await
    }
}

async fn run(job: Job, work: apalis::prelude::Data<Work>) -> Result<()> {
    work.run(job).await
}

fn report<E: std::fmt::Debug>(ended: std::result::Result<(), E>) {
    if let Err(error) = ended {
        eprintln!("{error:?}");
    }
}

fn graphile(pool: &PgPool) -> WorkerOptions {
    WorkerOptions::default()
        .database(pool.clone())
        .schema("graphile_worker")
        .concurrency(AT_ONCE)
        .poll_interval(Duration::from_millis(10))
        .local_queue(LocalQueueConfig::default().with_size(100))
        .listen_os_shutdown_signals(false)
        .define_job::<Job>()
}

impl TaskHandler for Job {
    const IDENTIFIER: &'static str = "order";

    async fn run(self, context: WorkerContext) -> impl IntoTaskHandlerResult {
        match context.get_ext::<Work>() {
            Some(work) => work.run(self).await.map_err(|error| error.to_string()),
            None => Err("no supplier".to_owned()),
        }
    }
}
