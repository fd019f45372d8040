//! What is stored of a new order, and the SQL that stores it in a transaction of the caller's.

use lastmile::outbox::{Enqueue, Entry};
use sha2::{Digest as _, Sha256};

use crate::Error;

/// Whether an order is new to the outbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Enqueued {
    /// The order was stored.
    New,
    /// The same order had been stored under this key before. Nothing was changed.
    Known,
}

/// A new order, as it is stored.
#[derive(Clone)]
pub(crate) struct NewOrder {
    pub(crate) key: String,
    pub(crate) supplier: String,
    pub(crate) kind: String,
    pub(crate) digest: String,
    pub(crate) body: String,
}

impl NewOrder {
    pub(crate) fn new(key: &str, network: Option<&str>, order: &impl Enqueue) -> Result<Self, Error> {
        check(key)?;
        let entry = order.entry()?;
        let supplier = match network {
            Some(network) => {
                check(network)?;
                supplier_at(entry.supplier(), network)
            }
            None => entry.supplier().to_owned(),
        };
        Ok(Self {
            key: key.to_owned(),
            digest: digest(&supplier, &entry),
            supplier,
            kind: entry.kind().to_owned(),
            body: entry.body().to_owned(),
        })
    }
}

/// Returns the name under which the orders of one of several networks are stored.
pub(crate) fn supplier_at(supplier: &str, network: &str) -> String {
    format!("{supplier}/{network}")
}

fn check(key: &str) -> Result<(), Error> {
    let is_valid = !key.is_empty() && key.chars().count() <= 200 && !key.chars().any(char::is_control);
    if is_valid { Ok(()) } else { Err(Error::InvalidKey) }
}

/// Returns what identifies a request. Without the key: the same request may be ordered twice, under two keys.
fn digest(supplier: &str, entry: &Entry) -> String {
    let mut hash = Sha256::new();
    for part in [supplier, entry.kind(), entry.request()] {
        hash.update(part.len().to_be_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// An SQL statement and its values, all of which are texts.
///
/// Run it in a transaction of your own, with any driver: the order then exists exactly if your transaction commits. The statement
/// fails if the key belongs to an order with another request, and does nothing if it belongs to the same order.
///
/// `Debug` does not show the values.
#[derive(Clone)]
#[must_use = "a statement does nothing until it is executed"]
pub struct Statement {
    sql: &'static str,
    values: Vec<String>,
}

impl Statement {
    pub(crate) fn new(sql: &'static str, values: Vec<String>) -> Self {
        Self { sql, values }
    }

    pub(crate) fn enqueue(sql: &'static str, order: NewOrder) -> Self {
        let NewOrder { key, supplier, kind, digest, body } = order;
        Self { sql, values: vec![key, supplier, kind, digest, body] }
    }

    /// Returns the text of the statement. It has a placeholder for each value, in the same order.
    pub fn sql(&self) -> &'static str {
        self.sql
    }

    /// Returns the values. They contain the whole request, and therefore usually personal data.
    pub fn values(&self) -> &[String] {
        &self.values
    }
}

impl std::fmt::Debug for Statement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Statement").field("sql", &self.sql).finish_non_exhaustive()
    }
}

/// Statements for a PostgreSQL database, with the placeholders `$1` to `$5`.
#[cfg(feature = "postgres")]
pub mod postgres {
    use lastmile::outbox::Enqueue;

    use super::{Error, NewOrder, Statement};

    /// Returns the statement that enqueues an order under a key of your choice.
    ///
    /// ```
    /// # use lastmile::{cocon::types::CustomerCreate, Prepared};
    /// # let request = CustomerCreate { name: Some("Ankeborg".into()), ..Default::default() };
    /// let order = Prepared::new(request)?;
    /// let enqueue = lastmile_outbox::postgres::enqueue("A-1001", &order)?;
    /// assert_eq!(enqueue.values().len(), 5);
    /// // sqlx: enqueue.values().iter().fold(sqlx::query(enqueue.sql()), |query, value| query.bind(value)).execute(&mut *tx)
    /// // tokio-postgres: tx.execute_typed or tx.execute(enqueue.sql(), &values)
    /// # Ok::<(), lastmile_outbox::Error>(())
    /// ```
    ///
    /// # Errors
    /// Returns [`Error::InvalidKey`], or [`Error::Invalid`] when the value may have been sent already.
    pub fn enqueue(key: &str, order: &impl Enqueue) -> Result<Statement, Error> {
        Ok(Statement::enqueue(crate::store::postgres::ENQUEUE, NewOrder::new(key, None, order)?))
    }

    /// Returns the statement that enqueues an order at one of several networks.
    ///
    /// # Errors
    /// Returns the same errors as [`enqueue`].
    pub fn enqueue_at(network: &str, key: &str, order: &impl Enqueue) -> Result<Statement, Error> {
        Ok(Statement::enqueue(crate::store::postgres::ENQUEUE, NewOrder::new(key, Some(network), order)?))
    }
}

/// Statements for a SQLite database, with the placeholders `?1` to `?5`.
#[cfg(feature = "sqlite")]
pub mod sqlite {
    use lastmile::outbox::Enqueue;

    use super::{Error, NewOrder, Statement};

    /// Returns the statement that enqueues an order under a key of your choice. Your connection opens the same file as the outbox.
    ///
    /// # Errors
    /// Returns [`Error::InvalidKey`], or [`Error::Invalid`] when the value may have been sent already.
    pub fn enqueue(key: &str, order: &impl Enqueue) -> Result<Statement, Error> {
        Ok(Statement::enqueue(crate::store::sqlite::ENQUEUE, NewOrder::new(key, None, order)?))
    }

    /// Returns the statement that enqueues an order at one of several networks.
    ///
    /// # Errors
    /// Returns the same errors as [`enqueue`].
    pub fn enqueue_at(network: &str, key: &str, order: &impl Enqueue) -> Result<Statement, Error> {
        Ok(Statement::enqueue(crate::store::sqlite::ENQUEUE, NewOrder::new(key, Some(network), order)?))
    }
}
