//! What can go wrong with an outbox.

use std::fmt;
use std::time::Duration;

use crate::State;

/// The error of an operation of an [`Outbox`](crate::Outbox).
///
/// `Display` and `Debug` quote nothing that was stored or given. [`StoreError::database_error`] returns the error of the
/// database, which may.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The key belongs to an order with another request. Nothing was enqueued.
    KeyUsed,
    /// The key is empty, longer than 200 characters, or contains a control character.
    InvalidKey,
    /// No order has this key.
    NotFound,
    /// The state of the order does not allow this. A [`Ready`](State::Ready) order is not cancelled if an earlier step of it was placed, or
    /// if it may have been sent before a failover of the database.
    NotAllowed(State),
    /// A person declared an order absent while the supplier may still process what was sent: the order may be there later. Nothing was
    /// changed. Look at the supplier again after this time, and decide then.
    TooEarly(Duration),
    /// The value cannot be enqueued.
    Invalid(lastmile::Error),
    /// The database was created by a later version of this library, or was not migrated: see
    /// [`Outbox::migrate`](crate::Outbox::migrate).
    Schema(String),
    /// The database failed, or did not answer in time. It is not known whether a change was made.
    Store(StoreError),
}

/// The failure of a database.
#[derive(Debug)]
pub struct StoreError {
    what: &'static str,
    code: Option<String>,
    source: Option<Hidden>,
}

/// An error whose text may quote stored data.
struct Hidden(Box<dyn std::error::Error + Send + Sync>);

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(not shown)")
    }
}

impl StoreError {
    pub(crate) fn new(what: &'static str) -> Self {
        Self { what, code: None, source: None }
    }

    /// Returns the error for another order that the same statement was to change.
    #[cfg(feature = "postgres")]
    pub(crate) fn without_source(&self) -> Self {
        Self { what: self.what, code: self.code.clone(), source: None }
    }

    pub(crate) fn with_code(self, code: Option<String>) -> Self {
        Self { code, ..self }
    }

    pub(crate) fn with_source(self, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self { source: Some(Hidden(Box::new(source))), ..self }
    }

    /// Returns the error of the database or its driver. Its text may quote stored data.
    pub fn database_error(&self) -> Option<&(dyn std::error::Error + Send + Sync + 'static)> {
        self.source.as_ref().map(|hidden| &*hidden.0)
    }

    /// Returns the code of the error: a SQLSTATE of PostgreSQL, or an extended result code of SQLite.
    pub fn code(&self) -> Option<&str> {
        self.code.as_deref()
    }
}

impl Error {
    /// Returns whether a claim failed because the clock of the database shows a later time than it should.
    pub(crate) fn is_clock_ahead(&self) -> bool {
        matches!(self, Self::Store(error) if error.code() == Some("LM002"))
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.what)?;
        match &self.code {
            Some(code) => write!(f, " (code {code})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for StoreError {}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::KeyUsed => {
                f.write_str("the key belongs to an order with another request; nothing was enqueued")
            }
            Self::InvalidKey => {
                f.write_str("the key is empty, longer than 200 characters, or contains a control character")
            }
            Self::NotFound => f.write_str("no order has this key"),
            Self::NotAllowed(state) => write!(f, "the state of the order does not allow this: it is {state}"),
            Self::TooEarly(left) => write!(
                f,
                "the supplier may still process what was sent, so that the order may be there later; nothing was changed. Look again \
                 in {} seconds",
                left.as_millis().div_ceil(1000)
            ),
            Self::Invalid(error) => error.fmt(f),
            Self::Schema(reason) => f.write_str(reason),
            Self::Store(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Invalid(error) => Some(error),
            Self::Store(error) => Some(error),
            _ => None,
        }
    }
}

impl From<lastmile::Error> for Error {
    fn from(error: lastmile::Error) -> Self {
        Self::Invalid(error)
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}
