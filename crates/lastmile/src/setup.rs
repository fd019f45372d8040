use std::fmt;

use lastmile_core::auth::CredentialError;
use lastmile_core::client::BuildError;

/// Why a supplier's handle cannot be built.
#[derive(Debug)]
#[non_exhaustive]
pub enum SetupError {
    /// A credential that the supplier demands was not given.
    Missing(&'static str),
    /// A credential cannot be used.
    Credential(CredentialError),
    /// The address or the HTTP client cannot be used.
    Connection(BuildError),
}

impl fmt::Display for SetupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(what) => write!(f, "the supplier demands {what}: give it to the builder"),
            Self::Credential(error) => error.fmt(f),
            Self::Connection(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for SetupError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Missing(_) => None,
            Self::Credential(error) => error.source(),
            Self::Connection(error) => error.source(),
        }
    }
}

impl From<CredentialError> for SetupError {
    fn from(error: CredentialError) -> Self {
        Self::Credential(error)
    }
}

impl From<BuildError> for SetupError {
    fn from(error: BuildError) -> Self {
        Self::Connection(error)
    }
}
