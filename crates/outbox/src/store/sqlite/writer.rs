//! The thread that owns the connection, and commits waiting operations together.

use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::oneshot;

use crate::Error;
use crate::error::StoreError;

/// The most operations of one commit.
const GROUP: usize = 256;

/// How long to wait for the lock of another process.
const BUSY: Duration = Duration::from_secs(10);

/// A connection on a thread of its own.
pub(super) struct Writer {
    jobs: mpsc::Sender<Box<dyn Job>>,
}

/// An operation that waits for its commit.
trait Job: Send {
    fn run(&mut self, connection: &Connection) -> Result<(), StoreError>;
    fn finish(self: Box<Self>, committed: Result<(), StoreError>);
}

struct Operation<F, T> {
    act: Option<F>,
    result: Option<Result<T, Error>>,
    reply: oneshot::Sender<Result<T, Error>>,
}

impl<F, T> Job for Operation<F, T>
where
    F: FnOnce(&Connection) -> Result<T, Error> + Send,
    T: Send,
{
    fn run(&mut self, connection: &Connection) -> Result<(), StoreError> {
        let Some(act) = self.act.take() else { return Ok(()) };
        // A failed operation must not undo the others of its group.
        connection.execute_batch("SAVEPOINT operation").map_err(failed)?;
        let result = act(connection);
        let end =
            if result.is_ok() { "RELEASE operation" } else { "ROLLBACK TO operation; RELEASE operation" };
        self.result = Some(result);
        connection.execute_batch(end).map_err(failed)
    }

    fn finish(self: Box<Self>, committed: Result<(), StoreError>) {
        let result = match (committed, self.result) {
            (Err(error), _) => Err(error.into()),
            (Ok(()), Some(result)) => result,
            (Ok(()), None) => Err(StoreError::new("the operation did not run").into()),
        };
        // The caller may have given up.
        let _ = self.reply.send(result);
    }
}

impl Writer {
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        let mut connection = Connection::open(path).map_err(failed)?;
        prepare(&connection)?;
        let (jobs, waiting) = mpsc::channel::<Box<dyn Job>>();
        thread::Builder::new()
            .name("lastmile-outbox".to_owned())
            .spawn(move || {
                while let Ok(first) = waiting.recv() {
                    let mut group = vec![first];
                    // The operations that arrived while the previous group was written.
                    while group.len() < GROUP {
                        let Ok(job) = waiting.try_recv() else { break };
                        group.push(job);
                    }
                    commit(&mut connection, group);
                }
            })
            .map_err(|error| {
                StoreError::new("the thread of the database cannot be started").with_source(error)
            })?;
        Ok(Self { jobs })
    }

    /// Runs an operation in a transaction. Its changes are durable when this returns.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        act: impl FnOnce(&Connection) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let (reply, result) = oneshot::channel();
        let stopped = || StoreError::new("the thread of the database has stopped");
        self.jobs.send(Box::new(Operation { act: Some(act), result: None, reply })).map_err(|_| stopped())?;
        result.await.map_err(|_| stopped())?
    }
}

fn prepare(connection: &Connection) -> Result<(), Error> {
    connection.busy_timeout(BUSY).map_err(failed)?;
    let mode: String =
        connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0)).map_err(failed)?;
    if mode != "wal" {
        return Err(StoreError::new(
            "the database cannot use a write-ahead log: it must be a file on a local disk",
        )
        .into());
    }
    // With NORMAL, a power failure may undo the latest commits, and with them the mark of an order that was sent. fullfsync has an
    // effect on macOS only, where fsync alone does not reach the disk.
    connection
        .execute_batch("PRAGMA synchronous = FULL; PRAGMA fullfsync = ON; PRAGMA foreign_keys = ON")
        .map_err(failed)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(())
}

fn commit(connection: &mut Connection, mut group: Vec<Box<dyn Job>>) {
    let committed = (|| {
        let transaction =
            connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
        for job in &mut group {
            job.run(&transaction)?;
        }
        transaction.commit().map_err(failed)
    })();
    let mut committed = Some(committed);
    let all_committed = matches!(committed, Some(Ok(())));
    for job in group {
        let result = match committed.take() {
            Some(result) => result,
            None if all_committed => Ok(()),
            None => {
                Err(StoreError::new("SQLite failed for the operations that were to be committed together"))
            }
        };
        job.finish(result);
    }
}

/// Returns the error of a failed statement.
pub(super) fn failed(error: rusqlite::Error) -> StoreError {
    let code = match &error {
        rusqlite::Error::SqliteFailure(failure, _) => Some(failure.extended_code.to_string()),
        _ => None,
    };
    StoreError::new("SQLite failed").with_code(code).with_source(error)
}
