//! Events and their consumers.

use std::time::Duration;

use super::{ACKNOWLEDGE, Postgres, millis};
use crate::Error;
use crate::error::StoreError;
use crate::machine::What;
use crate::store::StoredEvent;

impl Postgres {
    pub(crate) async fn register(&self, consumer: &str) -> Result<(), Error> {
        self.execute("INSERT INTO lastmile_consumer (name) VALUES ($1) ON CONFLICT DO NOTHING", &[&consumer])
            .await?;
        Ok(())
    }

    pub(crate) async fn unregister(&self, consumer: &str) -> Result<(), Error> {
        self.execute("DELETE FROM lastmile_consumer WHERE name = $1", &[&consumer]).await?;
        self.execute("DELETE FROM lastmile_delivery WHERE consumer = $1", &[&consumer]).await?;
        Ok(())
    }

    pub(crate) async fn take_events(
        &self,
        consumer: &str,
        limit: i64,
        hidden_for: Duration,
    ) -> Result<Vec<StoredEvent>, Error> {
        let sql = "WITH next AS MATERIALIZED (
               SELECT event_id FROM lastmile_delivery WHERE consumer = $1 AND taken_until <= now()
               ORDER BY event_id LIMIT $2 FOR UPDATE SKIP LOCKED),
             taken AS (
               UPDATE lastmile_delivery d SET taken_until = clock_timestamp() + $3::bigint * interval '1 millisecond'
               FROM next WHERE d.consumer = $1 AND d.event_id = next.event_id RETURNING d.event_id)
             SELECT e.id, o.key, o.supplier, o.kind, e.step, e.what, e.data, (extract(epoch FROM e.at) * 1000)::bigint
             FROM taken JOIN lastmile_event e ON e.id = taken.event_id JOIN lastmile_order o ON o.id = e.order_id
             ORDER BY e.id";
        let rows = self.query(sql, &[&consumer, &limit, &millis(hidden_for)]).await?;
        let events = rows.iter().map(|row| {
            Some(StoredEvent {
                id: row.get(0),
                key: row.get(1),
                supplier: row.get(2),
                kind: row.get(3),
                step: row.get(4),
                what: What::of(row.get(5))?,
                data: row.get(6),
                at: row.get(7),
            })
        });
        events.collect::<Option<Vec<_>>>().ok_or_else(|| {
            StoreError::new("a row has a content that this version of the library does not know").into()
        })
    }

    pub(crate) async fn acknowledge(&self, consumer: &str, event: i64) -> Result<(), Error> {
        self.execute(ACKNOWLEDGE, &[&consumer, &event.to_string()]).await?;
        // If two consumers acknowledge at the same moment, each still sees the other's row, and the event stays until a prune.
        let sql = "DELETE FROM lastmile_event e WHERE e.id = $1
                     AND NOT EXISTS (SELECT FROM lastmile_delivery d WHERE d.event_id = e.id)";
        self.execute(sql, &[&event]).await?;
        Ok(())
    }
}
