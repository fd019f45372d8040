use lastmile_core::auth::CredentialError;
use lastmile_core::client::BuildError;

/// Why a supplier's handle cannot be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SetupError {
    /// A credential that the supplier demands was not given.
    #[error("the supplier demands {0}: give it to the builder")]
    Missing(&'static str),
    /// A credential cannot be used.
    #[error(transparent)]
    Credential(#[from] CredentialError),
    /// The address or the HTTP client cannot be used.
    #[error(transparent)]
    Connection(#[from] BuildError),
}
