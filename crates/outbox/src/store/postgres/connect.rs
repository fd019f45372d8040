//! Connections to PostgreSQL, and operations with a time limit.

use std::time::Duration;

use deadpool_postgres::{Hook, HookError, Manager, ManagerConfig, Object, Pool, RecyclingMethod, Runtime};
use tokio::time::timeout;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Config, NoTls, Row};

use super::{Postgres, hidden};
use crate::Error;
use crate::error::StoreError;

/// How to connect.
pub(crate) struct Settings {
    pub(crate) config: Config,
    pub(crate) connections: usize,
    pub(crate) timeout: Duration,
    #[cfg(feature = "postgres-tls")]
    pub(crate) tls: Option<rustls::ClientConfig>,
}

impl Settings {
    pub(super) fn pool(self) -> Result<Pool, Error> {
        let limit = self.timeout;
        let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let mut config = self.config;
        if config.get_application_name().is_none() {
            config.application_name("lastmile-outbox");
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(self.timeout);
        }
        #[cfg(feature = "postgres-tls")]
        let manager = match self.tls {
            Some(tls) => {
                Manager::from_config(config, tokio_postgres_rustls::MakeRustlsConnect::new(tls), recycling)
            }
            None => Manager::from_config(config, NoTls, recycling),
        };
        #[cfg(not(feature = "postgres-tls"))]
        let manager = Manager::from_config(config, NoTls, recycling);
        Pool::builder(manager)
            .max_size(self.connections)
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(self.timeout))
            .create_timeout(Some(self.timeout))
            .post_create(Hook::async_fn(move |client, _| {
                Box::pin(async move {
                    // A server or role may be configured to acknowledge commits before they are durable. A lost mark would make
                    // an order be sent twice. Other settings, such as the wait for a standby, are the operator's choice.
                    let sql = "SELECT set_config('synchronous_commit', 'on', false)
                               WHERE current_setting('synchronous_commit') = 'off'";
                    // The limits of the pool do not include this.
                    match timeout(limit, client.batch_execute(sql)).await {
                        Ok(result) => result.map_err(HookError::Backend),
                        Err(_) => Err(HookError::message("PostgreSQL did not answer in time")),
                    }
                })
            }))
            .build()
            .map_err(|error| {
                StoreError::new("the pool of connections cannot be created").with_source(error).into()
            })
    }
}

impl Postgres {
    pub(super) async fn client(&self) -> Result<Object, Error> {
        self.pool.get().await.map_err(|error| {
            StoreError::new("no connection to PostgreSQL is available").with_source(error).into()
        })
    }

    /// Limits an operation in a transaction. The transaction is rolled back when the limit is reached; what is sent on its connection
    /// next waits for that, and closes the connection if it takes too long.
    pub(super) async fn limited<T>(
        &self,
        operation: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        match timeout(self.timeout, operation).await {
            Ok(result) => result,
            Err(_) => Err(StoreError::new("PostgreSQL did not answer in time").into()),
        }
    }

    pub(super) async fn query(&self, sql: &str, values: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>, Error> {
        let client = self.client().await?;
        let answer = timeout(self.timeout, async {
            let statement = client.prepare_cached(sql).await?;
            hidden::query(&**client, &statement, values).await
        })
        .await;
        match answer {
            Ok(rows) => Ok(rows.map_err(failed)?),
            Err(_) => Err(self.discard(client)),
        }
    }

    /// Closes a connection on which no answer arrived in time, and those that were idle meanwhile: they may be dead, too.
    fn discard(&self, client: Object) -> Error {
        // The answer may still arrive, and must not be taken for that of the next statement.
        drop(Object::take(client));
        self.pool.retain(|_, metrics| metrics.last_used() < self.timeout);
        StoreError::new("PostgreSQL did not answer in time").into()
    }

    pub(super) async fn query_one(&self, sql: &str, values: &[&(dyn ToSql + Sync)]) -> Result<Row, Error> {
        let mut rows = self.query(sql, values).await?;
        rows.pop().ok_or_else(|| StoreError::new("PostgreSQL returned no row").into())
    }

    /// Returns the number of changed rows.
    pub(super) async fn execute(&self, sql: &str, values: &[&(dyn ToSql + Sync)]) -> Result<u64, Error> {
        let client = self.client().await?;
        let answer = timeout(self.timeout, async {
            let statement = client.prepare_cached(sql).await?;
            hidden::execute(&**client, &statement, values).await
        })
        .await;
        match answer {
            Ok(changed) => Ok(changed.map_err(failed)?),
            Err(_) => Err(self.discard(client)),
        }
    }
}

/// Returns the error of a failed statement.
pub(super) fn failed(error: tokio_postgres::Error) -> StoreError {
    let what = match error.code() {
        Some(&SqlState::LOCK_NOT_AVAILABLE) => "another transaction keeps the order locked: end it",
        _ if error.is_closed() => "the connection to PostgreSQL is closed",
        _ => "PostgreSQL failed",
    };
    StoreError::new(what).with_code(error.code().map(|code| code.code().to_owned())).with_source(error)
}
