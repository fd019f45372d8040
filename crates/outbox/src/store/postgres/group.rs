//! Marks and results of many orders, written in one statement, so that they share a commit.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::{Instant, sleep, timeout};
use tokio_postgres::error::SqlState;

use super::Postgres;
use crate::Error;
use crate::error::StoreError;

/// The most writes of one statement.
const MAX_WRITES: usize = 128;

/// The most bytes of one statement. A single write may have more.
const MAX_BYTES: usize = 1 << 20;

/// How many statements run at once, so that one dead connection does not stop all writes.
const STATEMENTS: usize = 2;

/// The parts of an operation that have a time limit each: a connection from the pool, connecting, and the statement.
const PARTS: u32 = 3;

/// How often a write that is made by itself looks whether the order is still locked.
const LOCKED_INTERVAL: Duration = Duration::from_millis(50);

/// What a statement does with an order that another transaction has locked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Locked {
    /// Leaves it as it is, so that it delays no other order.
    Skip,
    /// Fails. To wait would take a connection from other orders, and PostgreSQL does not notice that nobody waits any more.
    Fail,
}

impl Locked {
    /// Returns the end of a locking clause.
    pub(super) fn sql(self) -> &'static str {
        match self {
            Self::Skip => "SKIP LOCKED",
            Self::Fail => "NOWAIT",
        }
    }
}

/// A change of one order.
pub(super) trait OrderWrite: Send + Sync + Sized + 'static {
    /// Whether the change is made although the worker that waits for it was dropped.
    const OUTLIVES_WORKER: bool;

    /// Returns how many bytes the change has, approximately.
    fn bytes(&self) -> usize;

    /// Makes the changes in one transaction. Returns the numbers, from one, of those that were made: two workers may believe that they
    /// hold the same order, so that the orders would not tell.
    fn write_all(
        postgres: &Postgres,
        writes: &[Self],
        locked: Locked,
    ) -> impl Future<Output = Result<Vec<i64>, Error>> + Send;
}

/// The writes of one kind that wait for a statement.
pub(super) struct Group<W>(Arc<Mutex<Waiting<W>>>);

struct Waiting<W> {
    writes: VecDeque<Entry<W>>,
    /// How many tasks take writes.
    running: usize,
}

struct Entry<W> {
    write: W,
    /// Receives `None` if the order was changed, or the write, which is then to be made by itself.
    reply: oneshot::Sender<Result<Option<W>, Error>>,
}

impl<W> Clone for Group<W> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<W> Default for Group<W> {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Waiting { writes: VecDeque::new(), running: 0 })))
    }
}

impl<W: OrderWrite> Group<W> {
    /// Changes an order, together with others. Returns false if it is not in the state that the change expects.
    pub(super) async fn write(&self, postgres: &Postgres, write: W) -> Result<bool, Error> {
        let (reply, result) = oneshot::channel();
        if let Some(running) = self.add(Entry { write, reply }) {
            // A task of its own, because whoever waits for this write may be dropped, and others wait for the same statement.
            tokio::spawn(running.run(postgres.clone()));
        }
        // The task may belong to another runtime, which does not run any more.
        let result = timeout(postgres.timeout.saturating_mul(PARTS), result)
            .await
            .map_err(|_| StoreError::new("PostgreSQL did not answer in time"))?
            .map_err(|_| StoreError::new("the runtime that wrote to PostgreSQL has ended"))?;
        match result? {
            None => Ok(true),
            Some(write) => write_alone(postgres, write).await,
        }
    }

    /// Adds a write. Returns what has to run, unless enough tasks do.
    fn add(&self, entry: Entry<W>) -> Option<Running<W>> {
        let mut waiting = self.lock();
        waiting.writes.push_back(entry);
        if waiting.running >= STATEMENTS {
            return None;
        }
        waiting.running += 1;
        Some(Running { group: self.clone(), is_counted: true })
    }

    fn lock(&self) -> MutexGuard<'_, Waiting<W>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A task that takes writes as long as there are some.
struct Running<W: OrderWrite> {
    group: Group<W>,
    is_counted: bool,
}

impl<W: OrderWrite> Running<W> {
    async fn run(mut self, postgres: Postgres) {
        while let Some(entries) = self.take() {
            write_together(&postgres, entries).await;
        }
    }

    /// Takes the writes of the next statement. Without any, the task is no longer counted, so that the next write starts one.
    fn take(&mut self) -> Option<Vec<Entry<W>>> {
        let mut waiting = self.group.lock();
        if !W::OUTLIVES_WORKER {
            waiting.writes.retain(|entry| !entry.reply.is_closed());
        }
        let (mut count, mut bytes) = (0, 0);
        for entry in waiting.writes.iter().take(MAX_WRITES) {
            bytes += entry.write.bytes();
            if count > 0 && bytes > MAX_BYTES {
                break;
            }
            count += 1;
        }
        if count == 0 {
            waiting.running -= 1;
            self.is_counted = false;
            return None;
        }
        Some(waiting.writes.drain(..count).collect())
    }
}

impl<W: OrderWrite> Drop for Running<W> {
    /// A runtime may end before those of others that wait for its task: they are told.
    fn drop(&mut self) {
        if self.is_counted {
            let mut waiting = self.group.lock();
            waiting.running -= 1;
            if waiting.running == 0 {
                waiting.writes.clear();
            }
        }
    }
}

async fn write_together<W: OrderWrite>(postgres: &Postgres, entries: Vec<Entry<W>>) {
    let (writes, replies): (Vec<_>, Vec<_>) =
        entries.into_iter().map(|entry| (entry.write, entry.reply)).unzip();
    let result = W::write_all(postgres, &writes, Locked::Skip).await;
    // The receivers may have given up.
    match result {
        Ok(made) => {
            for (number, (write, reply)) in (1..).zip(writes.into_iter().zip(replies)) {
                let _ = reply.send(Ok((!made.contains(&number)).then_some(write)));
            }
        }
        Err(Error::Store(error)) if blames_a_value(&error) => {
            for (write, reply) in writes.into_iter().zip(replies) {
                let _ = reply.send(Ok(Some(write)));
            }
        }
        Err(error) => {
            let others = match &error {
                Error::Store(error) => error.without_source(),
                _ => StoreError::new("PostgreSQL failed"),
            };
            let mut first = Some(error);
            for reply in replies {
                let _ = reply.send(Err(first.take().unwrap_or_else(|| others.without_source().into())));
            }
        }
    }
}

/// Makes a change that was not made together with others: its order was locked, or one of the values was refused, or the order is in
/// another state. By itself, it tells which.
async fn write_alone<W: OrderWrite>(postgres: &Postgres, write: W) -> Result<bool, Error> {
    let writes = [write];
    let until = Instant::now() + postgres.timeout;
    loop {
        match W::write_all(postgres, &writes, Locked::Fail).await {
            Err(Error::Store(error))
                if error.code() == Some(SqlState::LOCK_NOT_AVAILABLE.code()) && Instant::now() < until =>
            {
                sleep(LOCKED_INTERVAL).await;
            }
            result => return Ok(!result?.is_empty()),
        }
    }
}

/// Returns whether PostgreSQL has refused the statement for the values of one of its orders, and has changed nothing. Other errors may come
/// from a pool between, which has lost a server that may have committed.
fn blames_a_value(error: &StoreError) -> bool {
    // Data, constraints, limits, and triggers that raise an error.
    const CLASSES: [&str; 4] = ["22", "23", "54", "P0"];
    error.code().is_some_and(|code| CLASSES.iter().any(|class| code.starts_with(class)))
}

#[cfg(test)]
mod tests {
    use futures_util::future::join_all;
    use tokio::runtime::Builder;

    use super::super::Settings;
    use super::*;

    /// A write of so many bytes, which is made only by itself if it says so.
    enum Fake {
        Made(usize),
        MadeAlone,
        Hangs,
        Fails(&'static str),
        Unknown,
    }

    impl OrderWrite for Fake {
        const OUTLIVES_WORKER: bool = false;

        fn bytes(&self) -> usize {
            if let Self::Made(bytes) = self { *bytes } else { 1 }
        }

        async fn write_all(_: &Postgres, writes: &[Self], locked: Locked) -> Result<Vec<i64>, Error> {
            assert!(writes.len() <= MAX_WRITES);
            assert!(writes.len() == 1 || writes.iter().map(Self::bytes).sum::<usize>() <= MAX_BYTES);
            assert!(locked == Locked::Skip || writes.len() == 1);
            let mut made = Vec::new();
            for (number, write) in (1..).zip(writes) {
                match write {
                    Self::Made(_) => made.push(number),
                    Self::MadeAlone if locked == Locked::Fail => made.push(number),
                    Self::MadeAlone => {}
                    Self::Hangs => std::future::pending().await,
                    Self::Fails(code) => {
                        return Err(StoreError::new("refused").with_code(Some((*code).to_owned())).into());
                    }
                    Self::Unknown => return Err(StoreError::new("closed").into()),
                }
            }
            Ok(made)
        }
    }

    fn postgres() -> Postgres {
        let settings = Settings {
            config: tokio_postgres::Config::new(),
            connections: 1,
            timeout: Duration::from_secs(1),
            #[cfg(feature = "postgres-tls")]
            tls: None,
        };
        Postgres::new(settings).unwrap()
    }

    fn until(is_true: impl Fn() -> bool) {
        let limit = Instant::now() + Duration::from_secs(10);
        while !is_true() {
            assert!(Instant::now() < limit);
            std::thread::yield_now();
        }
    }

    async fn outcomes(writes: Vec<Fake>) -> Vec<Result<bool, Error>> {
        let (group, postgres) = (Group::default(), postgres());
        join_all(writes.into_iter().map(|write| group.write(&postgres, write))).await
    }

    #[tokio::test]
    async fn each_write_receives_its_own_outcome() {
        let all = outcomes((0..1000).map(|_| Fake::Made(MAX_BYTES / 10)).collect()).await;
        assert!(all.into_iter().all(|made| made.unwrap()));
        let large = outcomes(vec![Fake::Made(1), Fake::Made(MAX_BYTES * 2), Fake::MadeAlone]).await;
        assert!(large.into_iter().all(|made| made.unwrap()));
        let refused = outcomes(vec![Fake::Made(1), Fake::Fails("22021"), Fake::MadeAlone]).await;
        assert!(matches!(refused[..], [Ok(true), Err(_), Ok(true)]));
        // Whether the statement was committed is not known of any.
        for unknown in [Fake::Unknown, Fake::Fails("08P01"), Fake::Fails("57P01"), Fake::Fails("58000")] {
            let unknown = outcomes(vec![Fake::Made(1), unknown, Fake::MadeAlone]).await;
            assert!(matches!(unknown[..], [Err(_), Err(_), Err(_)]));
            let texts: Vec<String> =
                unknown.into_iter().map(|error| error.unwrap_err().to_string()).collect();
            assert!(texts.iter().all(|text| *text == texts[0]), "{texts:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_write_waits_no_longer_than_its_limit() {
        let (group, postgres) = (Group::default(), postgres());
        let (writes, started) = ((0..3).map(|_| group.write(&postgres, Fake::Hangs)), Instant::now());
        assert!(join_all(writes).await.into_iter().all(|made| made.is_err()));
        assert_eq!(started.elapsed(), postgres.timeout * PARTS);
    }

    #[test]
    fn writes_are_told_when_another_runtime_ends_that_ran_their_statement() {
        let runtime = || Builder::new_multi_thread().worker_threads(1).enable_time().build().unwrap();
        let (first, second) = (runtime(), runtime());
        let (group, postgres) = (Group::default(), postgres());
        // A task takes each write, before the next one is added.
        for running in 1..=STATEMENTS {
            let (waits, postgres) = (group.clone(), postgres.clone());
            first.spawn(async move { waits.write(&postgres, Fake::Hangs).await });
            until(|| group.lock().running == running && group.lock().writes.is_empty());
        }
        let (waits, other) = (group.clone(), postgres.clone());
        let waits = second.spawn(async move { waits.write(&other, Fake::Made(1)).await });
        until(|| !group.lock().writes.is_empty());
        drop(first);
        let told = second.block_on(async { timeout(Duration::from_secs(10), waits).await });
        let told = told.unwrap().unwrap().unwrap_err();
        assert!(told.to_string().contains("runtime"), "{told}");
        assert!(second.block_on(group.write(&postgres, Fake::Made(1))).unwrap());
    }
}
