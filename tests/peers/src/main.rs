//! A job queue that does the work of an outbox, for `cargo xtask bench outbox`.
//!
//! `lastmile-peers QUEUE DATABASE WORKERS JOBS MARK SUPPLIER` enqueues jobs and measures how fast they are done. `QUEUE` is
//! `apalis-postgres`, `apalis-sqlite` or `graphile-worker`. `MARK` is `marked` if each job commits a row of its own before it is sent,
//! or `as-shipped`. `SUPPLIER` is `no-op`, or `URL KEY CLIENT_ID` of a Cocon server, which each job sends a customer to.
//!
//! `lastmile-peers latency QUEUE DATABASE JOBS MARK` enqueues 100 jobs per second and measures how long each takes until it is sent.
//!
//! Prints JSON: `{"per_second": …, "commits": …, "wal": …}` (both per job, and 0 with SQLite) or `{"p50_ms": …, "p99_ms": …}`.

mod queues;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use queues::{Pool, Queue};
use serde::{Deserialize, Serialize};

pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// A job with a payload of the usual size of an order.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Job {
    pub key: String,
    pub body: String,
}

impl Job {
    fn new(key: String) -> Self {
        Self { body: format!("{key:<560}"), key }
    }
}

/// What all jobs share.
#[derive(Clone)]
pub struct Work {
    /// Where each job commits its mark.
    marks: Option<Pool>,
    supplier: Option<Supplier>,
    http: reqwest::Client,
    sent: Arc<Mutex<HashMap<String, Instant>>>,
}

impl std::fmt::Debug for Work {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Work").finish_non_exhaustive()
    }
}

#[derive(Clone)]
struct Supplier {
    url: String,
    key: String,
    client_id: String,
}

impl Work {
    /// Marks and sends a job.
    pub async fn run(&self, job: Job) -> Result<()> {
        if let Some(marks) = &self.marks {
            marks.mark(&job.key).await?;
        }
        self.sent.lock().unwrap_or_else(PoisonError::into_inner).insert(job.key.clone(), Instant::now());
        if let Some(supplier) = &self.supplier {
            // A queue would try a job again and again that the supplier refuses.
            if let Err(error) = self.send(supplier, &job).await {
                eprintln!("{error}");
                std::process::exit(1);
            }
        }
        Ok(())
    }

    async fn send(&self, supplier: &Supplier, job: &Job) -> Result<()> {
        let Supplier { url, key, client_id } = supplier;
        let request = self.http.post(url).header("Api-Key", key).header("Client-Id", client_id);
        let response = request.json(&serde_json::json!({ "name": job.key })).send().await?;
        let _created = response.error_for_status()?.bytes().await?;
        Ok(())
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    measure().await?;
    // The workers run until here.
    std::process::exit(0)
}

async fn measure() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["latency", queue, database, jobs, mark] => latency(queue, database, jobs.parse()?, mark).await,
        [queue, database, workers, jobs, mark, ref supplier @ ..] => {
            let supplier = match supplier {
                ["no-op"] => None,
                [url, key, client_id] => Some(Supplier {
                    url: format!("{}/api/v1/customers", url.trim_end_matches('/')),
                    key: (*key).to_owned(),
                    client_id: (*client_id).to_owned(),
                }),
                _ => return Err("no-op, or URL KEY CLIENT_ID".into()),
            };
            burn_down(queue, database, workers.parse()?, jobs.parse()?, mark, supplier).await
        }
        _ => Err("see the source for the arguments".into()),
    }
}

async fn open(queue: &str, database: &str, mark: &str, supplier: Option<Supplier>) -> Result<(Queue, Work)> {
    let queue = Queue::open(queue, database).await?;
    let marks = match mark {
        "marked" => Some(queue.pool().create_marks(database).await?),
        _ => None,
    };
    let work = Work { marks, supplier, http: reqwest::Client::new(), sent: Arc::default() };
    Ok((queue, work))
}

async fn burn_down(
    queue: &str,
    database: &str,
    workers: usize,
    jobs: usize,
    mark: &str,
    supplier: Option<Supplier>,
) -> Result<()> {
    let (queue, work) = open(queue, database, mark, supplier).await?;
    let before = queue.pool().written().await?;
    // As many at once as the outbox is given.
    for chunk in (0..jobs).collect::<Vec<_>>().chunks(64) {
        let pushed = chunk.iter().map(|number| queue.push(Job::new(format!("B-{number}"))));
        futures::future::try_join_all(pushed).await?;
    }
    let started = Instant::now();
    for number in 0..workers {
        queue.start(number, work.clone()).await?;
    }
    until_done(&queue, &work, jobs, started).await?;
    let took = started.elapsed();
    let done = jobs - usize::try_from(queue.left().await?)?.min(jobs);
    let after = queue.pool().written().await?;
    let [commits, wal] = [0, 1].map(|at| (after[at] - before[at]) / jobs as f64);
    let per_second = done as f64 / took.as_secs_f64();
    println!("{}", serde_json::json!({ "per_second": per_second, "commits": commits, "wal": wal }));
    Ok(())
}

async fn latency(queue: &str, database: &str, jobs: usize, mark: &str) -> Result<()> {
    let (queue, work) = open(queue, database, mark, None).await?;
    queue.start(0, work.clone()).await?;
    let mut interval = tokio::time::interval(Duration::from_millis(10));
    let mut enqueued = Vec::new();
    for number in 0..jobs {
        interval.tick().await;
        let key = format!("L-{number}");
        enqueued.push((key.clone(), Instant::now()));
        queue.push(Job::new(key)).await?;
    }
    until_done(&queue, &work, jobs, Instant::now()).await?;
    let sent = work.sent.lock().unwrap_or_else(PoisonError::into_inner);
    let mut times: Vec<f64> = enqueued
        .iter()
        .filter_map(|(key, at)| Some(sent.get(key)?.saturating_duration_since(*at).as_secs_f64() * 1000.0))
        .collect();
    times.sort_by(f64::total_cmp);
    let at =
        |share: usize| times.get((times.len() * share / 100).min(times.len().saturating_sub(1))).copied();
    println!("{}", serde_json::json!({ "p50_ms": at(50), "p99_ms": at(99) }));
    Ok(())
}

/// The longest measurement. A queue that needs longer is measured by what it has done until then.
const LIMIT: Duration = Duration::from_secs(60);

/// Waits until no job is left. Asks the database only when all jobs were sent, since counting takes as long as many jobs.
async fn until_done(queue: &Queue, work: &Work, jobs: usize, started: Instant) -> Result<()> {
    let mut interval = tokio::time::interval(Duration::from_millis(5));
    let sent = || work.sent.lock().unwrap_or_else(PoisonError::into_inner).len();
    while (sent() < jobs || queue.left().await? > 0) && started.elapsed() < LIMIT {
        interval.tick().await;
    }
    Ok(())
}
