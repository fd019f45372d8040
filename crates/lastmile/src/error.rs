//! Conversions into the one error that a service returns.

use lastmile_core::Error;

use crate::rules::{GeometryError, RuleError, ScenarioError};
use crate::{IdError, SetupError};

/// The result of everything that can fail here.
///
/// Every error of this library becomes an [`Error`] with `?`, which keeps what became of the request: the outcome of a call stays,
/// and what was refused before a request was sent is [`Outcome::Invalid`](crate::Outcome::Invalid).
///
/// ```
/// # #[cfg(feature = "covage")] {
/// use lastmile::covage::{Covage, OrderId};
///
/// async fn status(url: &str, password: &str, order: &str) -> lastmile::Result<Option<String>> {
///     let covage = Covage::builder(url).login("orders@sp.example", password).build()?; // SetupError
///     let id: OrderId = order.parse()?; // IdError
///     let order = covage.order(&id).await?;
///     Ok(order.status.get().map(|status| status.as_str().to_owned()))
/// }
/// # }
/// ```
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl From<IdError> for Error {
    fn from(error: IdError) -> Self {
        Self::invalid(error.api(), error.to_string())
    }
}

/// Makes each of these errors [`Outcome::Invalid`](crate::Outcome::Invalid). They do not know of which supplier they are.
macro_rules! invalid {
    ($($error:ty),*) => {$(
        impl From<$error> for Error {
            fn from(error: $error) -> Self {
                Self::invalid("lastmile", error.to_string())
            }
        }
    )*};
}

invalid!(GeometryError, RuleError, ScenarioError, SetupError);
