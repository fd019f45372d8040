//! Events and their consumers.

use std::time::Duration;

use rusqlite::{Connection, Row, params};

use super::writer::failed;
use super::{ACKNOWLEDGE, Sqlite, invalid_row, millis, now};
use crate::Error;
use crate::machine::What;
use crate::store::StoredEvent;

impl Sqlite {
    pub(crate) async fn register(&self, consumer: &str) -> Result<(), Error> {
        let consumer = consumer.to_owned();
        let register = move |connection: &Connection| {
            let sql = "INSERT INTO lastmile_consumer (name) VALUES (?1) ON CONFLICT DO NOTHING";
            connection.execute(sql, [consumer]).map_err(failed)?;
            Ok(())
        };
        self.writer.run(register).await
    }

    pub(crate) async fn unregister(&self, consumer: &str) -> Result<(), Error> {
        let consumer = consumer.to_owned();
        let unregister = move |connection: &Connection| {
            connection
                .execute("DELETE FROM lastmile_consumer WHERE name = ?1", [&consumer])
                .map_err(failed)?;
            connection
                .execute("DELETE FROM lastmile_delivery WHERE consumer = ?1", [&consumer])
                .map_err(failed)?;
            Ok(())
        };
        self.writer.run(unregister).await
    }

    pub(crate) async fn take_events(
        &self,
        consumer: &str,
        limit: i64,
        hidden_for: Duration,
    ) -> Result<Vec<StoredEvent>, Error> {
        let consumer = consumer.to_owned();
        let take = move |connection: &Connection| {
            let now = now();
            let sql = "SELECT e.id, o.key, o.supplier, o.kind, e.step, e.what, e.data, e.at
                       FROM lastmile_delivery d JOIN lastmile_event e ON e.id = d.event_id
                         JOIN lastmile_order o ON o.id = e.order_id
                       WHERE d.consumer = ?1 AND d.taken_until <= ?2 ORDER BY d.event_id LIMIT ?3";
            let mut statement = connection.prepare_cached(sql).map_err(failed)?;
            let rows = statement.query_map(params![consumer, now, limit], stored_event).map_err(failed)?;
            let events = rows.collect::<rusqlite::Result<Vec<_>>>().map_err(failed)?;
            let sql = "UPDATE lastmile_delivery SET taken_until = ?3 WHERE consumer = ?1 AND event_id = ?2";
            let mut statement = connection.prepare_cached(sql).map_err(failed)?;
            for event in events.iter().flatten() {
                statement.execute(params![consumer, event.id, now + millis(hidden_for)]).map_err(failed)?;
            }
            events.into_iter().collect::<Option<Vec<_>>>().ok_or_else(invalid_row)
        };
        self.writer.run(take).await
    }

    pub(crate) async fn acknowledge(&self, consumer: &str, event: i64) -> Result<(), Error> {
        let consumer = consumer.to_owned();
        let acknowledge = move |connection: &Connection| {
            connection
                .prepare_cached(ACKNOWLEDGE)
                .and_then(|mut statement| statement.execute(params![consumer, event.to_string()]))
                .map_err(failed)?;
            let sql = "DELETE FROM lastmile_event
                       WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM lastmile_delivery WHERE event_id = ?1)";
            connection
                .prepare_cached(sql)
                .and_then(|mut statement| statement.execute([event]))
                .map_err(failed)?;
            Ok(())
        };
        self.writer.run(acknowledge).await
    }
}

fn stored_event(row: &Row<'_>) -> rusqlite::Result<Option<StoredEvent>> {
    let Some(what) = What::of(&row.get::<_, String>(5)?) else { return Ok(None) };
    Ok(Some(StoredEvent {
        id: row.get(0)?,
        key: row.get(1)?,
        supplier: row.get(2)?,
        kind: row.get(3)?,
        step: row.get(4)?,
        what,
        data: row.get(6)?,
        at: row.get(7)?,
    }))
}
