//! Marks and results of many orders, written in one statement, so that they share a commit.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;
use tokio::time::timeout;

use super::Postgres;
use crate::Error;
use crate::error::StoreError;

/// The most writes of one statement.
const MOST: usize = 128;

/// The most bytes of one statement. A single write may have more.
const MOST_BYTES: usize = 1 << 20;

/// How many statements run at once, so that one dead connection does not stop all writes.
const STATEMENTS: usize = 2;

/// How many time limits of an operation a write waits: for its turn, for a connection, and for its statement.
const LIMITS: u32 = 3;

/// What a statement does with an order that another transaction has locked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Locked {
    /// Leaves it as it is, so that it delays no other order.
    Skip,
    /// Waits for the transaction.
    Wait,
}

impl Locked {
    /// Returns the end of a locking clause.
    pub(super) fn sql(self) -> &'static str {
        match self {
            Self::Skip => "SKIP LOCKED",
            Self::Wait => "",
        }
    }
}

/// A change of one order.
pub(super) trait Write: Send + Sync + Sized + 'static {
    /// Returns how many bytes the change has, approximately.
    fn bytes(&self) -> usize;

    /// Makes the changes in one transaction. Returns the numbers, from one, of those that were made: two workers may believe that they
    /// hold the same order, so that the orders would not tell.
    fn write(
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
    /// Receives nothing if the order was changed, or the write, which is then to be made by itself.
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

impl<W: Write> Group<W> {
    /// Changes an order, together with others. Returns false if it is not in the state that the change expects.
    pub(super) async fn write(&self, postgres: &Postgres, write: W) -> Result<bool, Error> {
        let (reply, result) = oneshot::channel();
        if let Some(running) = self.add(Entry { write, reply }) {
            // A task of its own, because whoever waits for this write may be dropped, and others wait for the same statement.
            tokio::spawn(running.run(postgres.clone()));
        }
        // The task may belong to another runtime, which does not run any more.
        let result = timeout(postgres.timeout.saturating_mul(LIMITS), result)
            .await
            .map_err(|_| StoreError::new("PostgreSQL did not answer in time"))?
            .map_err(|_| StoreError::new("the runtime that wrote to PostgreSQL has ended"))?;
        match result? {
            None => Ok(true),
            // It was locked, or refused with others, or its order is in another state: by itself, it tells which.
            Some(write) => Ok(!W::write(postgres, &[write], Locked::Wait).await?.is_empty()),
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
struct Running<W: Write> {
    group: Group<W>,
    is_counted: bool,
}

impl<W: Write> Running<W> {
    async fn run(mut self, postgres: Postgres) {
        while let Some(entries) = self.take() {
            write_together(&postgres, entries).await;
        }
    }

    /// Takes the writes of the next statement. Without any, the task is no longer counted, so that the next write starts one.
    fn take(&mut self) -> Option<Vec<Entry<W>>> {
        let mut waiting = self.group.lock();
        // A worker that was dropped sends nothing: a mark would only make its order wait.
        waiting.writes.retain(|entry| !entry.reply.is_closed());
        let (mut count, mut bytes) = (0, 0);
        for entry in waiting.writes.iter().take(MOST) {
            bytes += entry.write.bytes();
            if count > 0 && bytes > MOST_BYTES {
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

impl<W: Write> Drop for Running<W> {
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

async fn write_together<W: Write>(postgres: &Postgres, entries: Vec<Entry<W>>) {
    let (writes, replies): (Vec<_>, Vec<_>) =
        entries.into_iter().map(|entry| (entry.write, entry.reply)).unzip();
    let result = W::write(postgres, &writes, Locked::Skip).await;
    // The receivers may have given up.
    match result {
        Ok(made) => {
            for (number, (write, reply)) in (1..).zip(writes.into_iter().zip(replies)) {
                let _ = reply.send(Ok((!made.contains(&number)).then_some(write)));
            }
        }
        Err(Error::Store(error)) if is_refusal(&error) => {
            for (write, reply) in writes.into_iter().zip(replies) {
                let _ = reply.send(Ok(Some(write)));
            }
        }
        Err(error) => {
            let what = if let Error::Store(error) = &error { error.what() } else { "PostgreSQL failed" };
            let mut error = Some(error);
            for reply in replies {
                let _ = reply.send(Err(error.take().unwrap_or_else(|| StoreError::new(what).into())));
            }
        }
    }
}

/// Returns whether PostgreSQL has changed nothing, and one of the writes may be the reason. A pool between answers with errors of class 08
/// when it loses the server, whose last transaction may be committed.
fn is_refusal(error: &StoreError) -> bool {
    const UNKNOWN: [&str; 3] = ["08", "57P", "40003"];
    error.code().is_some_and(|code| !UNKNOWN.iter().any(|unknown| code.starts_with(unknown)))
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Waker};
    use std::time::Duration;

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

    impl Write for Fake {
        fn bytes(&self) -> usize {
            if let Self::Made(bytes) = self { *bytes } else { 1 }
        }

        async fn write(_: &Postgres, writes: &[Self], locked: Locked) -> Result<Vec<i64>, Error> {
            assert!(writes.len() <= MOST);
            assert!(writes.len() == 1 || writes.iter().map(Self::bytes).sum::<usize>() <= MOST_BYTES);
            assert!(locked == Locked::Skip || writes.len() == 1);
            let mut made = Vec::new();
            for (number, write) in (1..).zip(writes) {
                match write {
                    Self::Made(_) => made.push(number),
                    Self::MadeAlone if locked == Locked::Wait => made.push(number),
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

    async fn outcomes(writes: Vec<Fake>) -> Vec<Result<bool, Error>> {
        let (group, postgres) = (Group::default(), postgres());
        join_all(writes.into_iter().map(|write| group.write(&postgres, write))).await
    }

    #[tokio::test]
    async fn each_write_receives_its_own_outcome() {
        let all = outcomes((0..1000).map(|_| Fake::Made(MOST_BYTES / 10)).collect()).await;
        assert!(all.into_iter().all(|made| made.unwrap()));
        let large = outcomes(vec![Fake::Made(1), Fake::Made(MOST_BYTES * 2), Fake::MadeAlone]).await;
        assert!(large.into_iter().all(|made| made.unwrap()));
        let refused = outcomes(vec![Fake::Made(1), Fake::Fails("22021"), Fake::MadeAlone]).await;
        assert!(matches!(refused[..], [Ok(true), Err(_), Ok(true)]));
        // Whether the statement was committed is not known of any.
        for unknown in [Fake::Unknown, Fake::Fails("08P01"), Fake::Fails("57P01"), Fake::Fails("40003")] {
            let unknown = outcomes(vec![Fake::Made(1), unknown, Fake::MadeAlone]).await;
            assert!(matches!(unknown[..], [Err(_), Err(_), Err(_)]));
        }
    }

    #[tokio::test]
    async fn a_write_whose_worker_was_dropped_is_not_made() {
        let (group, postgres) = (Group::default(), postgres());
        let mut dropped = Box::pin(group.write(&postgres, Fake::Unknown));
        assert!(dropped.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        drop(dropped);
        // Both would be in one statement, whose outcome would not be known.
        assert!(group.write(&postgres, Fake::Made(1)).await.unwrap());
    }

    #[tokio::test(start_paused = true)]
    async fn a_write_waits_no_longer_than_its_limit() {
        let (group, postgres) = (Group::default(), postgres());
        let writes = (0..3).map(|_| group.write(&postgres, Fake::Hangs));
        assert!(join_all(writes).await.into_iter().all(|made| made.is_err()));
    }

    #[test]
    fn writes_are_told_when_another_runtime_ends_that_ran_their_statement() {
        let runtime = || Builder::new_multi_thread().worker_threads(1).enable_time().build().unwrap();
        let (first, second) = (runtime(), runtime());
        let (group, postgres) = (Group::default(), postgres());
        for _ in 0..STATEMENTS {
            let (group, postgres) = (group.clone(), postgres.clone());
            first.spawn(async move { group.write(&postgres, Fake::Hangs).await });
        }
        while group.lock().running < STATEMENTS || !group.lock().writes.is_empty() {
            std::thread::yield_now();
        }
        let (waits, other) = (group.clone(), postgres.clone());
        let waits = second.spawn(async move { waits.write(&other, Fake::Made(1)).await });
        while group.lock().writes.is_empty() {
            std::thread::yield_now();
        }
        drop(first);
        let told = second.block_on(async { timeout(Duration::from_secs(10), waits).await });
        assert!(told.unwrap().unwrap().is_err());
        assert!(second.block_on(group.write(&postgres, Fake::Made(1))).unwrap());
    }
}
