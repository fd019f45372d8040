//! Conversions into [`Error`], the error type that all calls return.

use lastmile_core::Error;

use crate::rules::{GeometryError, RuleError, ScenarioError};
use crate::{IdError, SetupError};

/// The result type of the fallible operations of this crate.
///
/// Every error of this crate converts into an [`Error`] with `?`. The conversion preserves the outcome of the request: a failed
/// call keeps its [`Outcome`](crate::Outcome), and an error that occurs before a request is sent becomes
/// [`Outcome::Invalid`](crate::Outcome::Invalid).
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

/// Converts each of these errors into [`Outcome::Invalid`](crate::Outcome::Invalid). None of these errors names a supplier, so
/// the error names `lastmile` as the API.
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
