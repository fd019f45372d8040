//! The outbox of a campaign, with a history of its states that only the verdict reads.

use std::collections::HashMap;
use std::path::Path;

use lastmile_outbox::tokio_postgres::{Client, Config, NoTls};
use lastmile_outbox::{Filter, Outbox, State};

use crate::outbox::open;
use crate::postgres_cluster::Cluster;

/// Where the orders of a campaign are stored.
pub(super) enum Store {
    /// A SQLite file.
    Sqlite { address: String, path: String },
    /// A PostgreSQL server of its own.
    Postgres { address: String, cluster: Cluster },
}

/// What became of an order.
pub(super) struct End {
    pub(super) state: State,
    pub(super) reason: String,
}

impl Store {
    pub(super) fn sqlite(folder: &Path) -> Self {
        let path = folder.join("orders.db").display().to_string();
        Self::Sqlite { address: format!("sqlite:{path}"), path }
    }

    pub(super) async fn postgres() -> Self {
        let cluster = Cluster::start().await.expect("PostgreSQL is installed");
        Self::Postgres { address: format!("postgres:{}", cluster.config()), cluster }
    }

    pub(super) fn address(&self) -> &str {
        match self {
            Self::Sqlite { address, .. } | Self::Postgres { address, .. } => address,
        }
    }

    /// Creates the tables, and a trigger that keeps every change of a state.
    pub(super) async fn prepare(&self) {
        open(self.address()).migrate().await.expect("a new database");
        match self {
            Self::Sqlite { path, .. } => {
                let sql = "CREATE TABLE history (seq INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT, state TEXT);
                           CREATE TRIGGER history AFTER UPDATE OF state ON lastmile_order WHEN OLD.state <> NEW.state
                           BEGIN INSERT INTO history (key, state) VALUES (NEW.key, NEW.state); END";
                connect_sqlite(path).execute_batch(sql).expect("a new database");
            }
            Self::Postgres { cluster, .. } => {
                let sql = "create table history (seq bigint generated always as identity, key text, state text);
                           create function keep_history() returns trigger language plpgsql as $$
                             begin insert into history (key, state) values (new.key, new.state); return null; end $$;
                           create trigger history after update of state on lastmile_order for each row
                             when (old.state <> new.state) execute function keep_history()";
                connect(cluster).await.batch_execute(sql).await.expect("a new database");
            }
        }
    }

    /// Returns the number of the latest change.
    pub(super) async fn latest(&self) -> i64 {
        const SQL: &str = "SELECT coalesce(max(seq), 0) FROM history";
        match self {
            Self::Sqlite { path, .. } => {
                connect_sqlite(path).query_row(SQL, [], |row| row.get(0)).expect("a number")
            }
            Self::Postgres { cluster, .. } => {
                connect(cluster).await.query_one(SQL, &[]).await.expect("a number").get(0)
            }
        }
    }

    /// Returns every change, in order: its number, the key and the new state.
    pub(super) async fn history(&self) -> Vec<(i64, String, State)> {
        const SQL: &str = "SELECT seq, key, state FROM history ORDER BY seq";
        let rows: Vec<(i64, String, String)> = match self {
            Self::Sqlite { path, .. } => {
                let connection = connect_sqlite(path);
                let mut statement = connection.prepare(SQL).expect("a table");
                let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
                rows.expect("rows").map(|row| row.expect("a row")).collect()
            }
            Self::Postgres { cluster, .. } => {
                let rows = connect(cluster).await.query(SQL, &[]).await.expect("rows");
                rows.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect()
            }
        };
        let state = |name: String| State::of(&name).expect("a state");
        rows.into_iter().map(|(seq, key, name)| (seq, key, state(name))).collect()
    }

    /// Returns what became of every order.
    pub(super) async fn ends(&self) -> HashMap<String, End> {
        let orders = open(self.address()).orders(&Filter::all().limit(u32::MAX)).await.expect("orders");
        let end = |order: &lastmile_outbox::StoredOrder| End {
            state: order.state(),
            reason: order.reason().unwrap_or_default().to_owned(),
        };
        orders.iter().map(|order| (order.key().to_owned(), end(order))).collect()
    }

    /// Kills the server and starts it again.
    pub(super) async fn restart(&self) {
        if let Self::Postgres { cluster, .. } = self {
            cluster.kill_and_restart().await;
        }
    }

    /// Ends all connections of the workers.
    pub(super) async fn cut(&self) {
        if let Self::Postgres { cluster, .. } = self {
            let sql = "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'lastmile-outbox'";
            connect(cluster).await.batch_execute(sql).await.expect("an administrator");
        }
    }

    pub(super) fn outbox(&self) -> Outbox {
        open(self.address())
    }
}

fn connect_sqlite(path: &str) -> rusqlite::Connection {
    let connection = rusqlite::Connection::open(path).expect("it is there");
    connection.busy_timeout(std::time::Duration::from_secs(30)).expect("a connection");
    connection
}

async fn connect(cluster: &Cluster) -> Client {
    let config: Config = cluster.config().parse().expect("a configuration");
    let (client, connection) = config.connect(NoTls).await.expect("it runs");
    tokio::spawn(connection);
    client
}
