//! Statements whose parameters are not logged.

use std::error::Error;
use std::fmt;

use bytes::BytesMut;
use tokio_postgres::types::{Format, IsNull, ToSql, Type};
use tokio_postgres::{GenericClient, Row, ToStatement};

/// A parameter whose value is not shown. The driver logs the `Debug` form of each parameter at level DEBUG, and parameters contain what
/// an order says about a person.
struct HiddenParameter<'a>(&'a (dyn ToSql + Sync));

impl fmt::Debug for HiddenParameter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hidden)")
    }
}

impl ToSql for HiddenParameter<'_> {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        self.0.to_sql_checked(ty, out)
    }

    fn accepts(_: &Type) -> bool {
        // `to_sql_checked` of the value itself decides.
        true
    }

    fn to_sql_checked(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        self.0.to_sql_checked(ty, out)
    }

    fn encode_format(&self, ty: &Type) -> Format {
        self.0.encode_format(ty)
    }
}

/// Runs a statement and returns its rows.
pub(super) async fn query<S: ?Sized + ToStatement + Sync + Send>(
    client: &impl GenericClient,
    statement: &S,
    values: &[&(dyn ToSql + Sync)],
) -> Result<Vec<Row>, tokio_postgres::Error> {
    let hidden: Vec<HiddenParameter<'_>> = values.iter().map(|value| HiddenParameter(*value)).collect();
    let values: Vec<&(dyn ToSql + Sync)> = hidden.iter().map(|value| value as _).collect();
    client.query(statement, &values).await
}

/// Runs a statement and returns the number of changed rows.
pub(super) async fn execute<S: ?Sized + ToStatement + Sync + Send>(
    client: &impl GenericClient,
    statement: &S,
    values: &[&(dyn ToSql + Sync)],
) -> Result<u64, tokio_postgres::Error> {
    let hidden: Vec<HiddenParameter<'_>> = values.iter().map(|value| HiddenParameter(*value)).collect();
    let values: Vec<&(dyn ToSql + Sync)> = hidden.iter().map(|value| value as _).collect();
    client.execute(statement, &values).await
}
