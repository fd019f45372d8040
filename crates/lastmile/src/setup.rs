use lastmile_core::auth::CredentialError;
use lastmile_core::client::BuildError;

/// An error that occurs when a supplier's client cannot be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SetupError {
    /// The builder was not given a credential that the supplier requires.
    #[error("the supplier demands {0}: give it to the builder")]
    Missing(&'static str),
    /// A credential is invalid.
    #[error(transparent)]
    Credential(#[from] CredentialError),
    /// The base URL or the HTTP client configuration is invalid.
    #[error(transparent)]
    Connection(#[from] BuildError),
}
