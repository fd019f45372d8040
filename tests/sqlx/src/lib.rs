//! Enqueues an order and acknowledges its event in transactions of sqlx, as `docs/guide/orders-that-survive.md` shows.

use lastmile::Prepared;
use lastmile::cocon::types::CustomerCreate;
use lastmile_outbox::Event;
use sqlx::PgPool;

/// Writes the service's own data and the order in one transaction.
pub async fn take_order(
    pool: &PgPool,
    key: &str,
    order: &Prepared<CustomerCreate>,
) -> Result<(), Box<dyn std::error::Error>> {
    let mut tx = pool.begin().await?;
    sqlx::query("INSERT INTO customers (key) VALUES ($1)").bind(key).execute(&mut *tx).await?;
    let enqueue = lastmile_outbox::postgres::enqueue(key, order)?;
    let query = enqueue.values().iter().fold(sqlx::query(enqueue.sql()), |query, value| query.bind(value));
    query.execute(&mut *tx).await?;
    tx.commit().await?;
    Ok(())
}

/// Writes the service's own data and the acknowledgement in one transaction.
pub async fn note_result(pool: &PgPool, event: &Event) -> Result<(), Box<dyn std::error::Error>> {
    let mut tx = pool.begin().await?;
    sqlx::query("UPDATE customers SET is_done = true WHERE key = $1")
        .bind(event.key())
        .execute(&mut *tx)
        .await?;
    let ack = event.ack_statement();
    let query = ack.values().iter().fold(sqlx::query(ack.sql()), |query, value| query.bind(value));
    query.execute(&mut *tx).await?;
    tx.commit().await?;
    Ok(())
}
