//! What people see and decide, and retention.

use std::time::{Duration, SystemTime};

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::writer::failed;
use super::{Sqlite, millis, now, state_of, write_event};
use crate::machine::{Happening, What};
use crate::people::{AuditEntry, Filter, StoredOrder};
use crate::retention::Pruned;
use crate::statistics::Statistics;
use crate::store::rows::time;
use crate::store::{Decision, Subject};
use crate::{Error, State};

const COLUMNS: &str = "key, supplier, kind, state, step, mark, attempts, crashes, decision, reason, manual_check, body, result, \
                       erased, enqueued_at, due, finished_at";

impl Sqlite {
    pub(crate) async fn order(&self, key: &str) -> Result<Option<StoredOrder>, Error> {
        let key = key.to_owned();
        let find = move |connection: &Connection| {
            let sql = format!("SELECT {COLUMNS} FROM lastmile_order WHERE key = ?1");
            Ok(connection.query_row(&sql, [key], stored_order).optional().map_err(failed)?)
        };
        self.writer.run(find).await
    }

    pub(crate) async fn orders(&self, filter: &Filter) -> Result<Vec<StoredOrder>, Error> {
        let Filter { state, supplier, limit } = filter.clone();
        let list = move |connection: &Connection| {
            // The condition on manual_check lets the index of orders that need a person be used.
            let person = if state == Some(State::NeedsPerson) { "manual_check IS NOT NULL AND" } else { "" };
            let sql = format!(
                "SELECT {COLUMNS} FROM lastmile_order WHERE {person} (?1 IS NULL OR state = ?1)
                   AND (?2 IS NULL OR supplier = ?2) ORDER BY id DESC LIMIT ?3"
            );
            let mut statement = connection.prepare(&sql).map_err(failed)?;
            let rows = statement.query_map(params![state.map(State::as_str), supplier, limit], stored_order);
            Ok(rows.map_err(failed)?.collect::<rusqlite::Result<Vec<_>>>().map_err(failed)?)
        };
        self.writer.run(list).await
    }

    pub(crate) async fn decide(
        &self,
        key: &str,
        decision: &Decision,
        who: &str,
        why: &str,
    ) -> Result<(), Error> {
        let (key, decision, who, why) = (key.to_owned(), decision.clone(), who.to_owned(), why.to_owned());
        let decide = move |connection: &Connection| {
            let now = now();
            let order = find(connection, &key, now)?;
            decision.check(&order)?;
            apply(connection, order.id, &decision, now).map_err(failed)?;
            audit(connection, order.id, &who, decision.as_str(), Some(&why), now).map_err(failed)?;
            Ok(())
        };
        self.writer.run(decide).await
    }

    pub(crate) async fn audit(&self, key: &str) -> Result<Vec<AuditEntry>, Error> {
        let key = key.to_owned();
        let list = move |connection: &Connection| {
            let sql = "SELECT a.who, a.what, a.why, a.at FROM lastmile_audit a
                       JOIN lastmile_order o ON o.id = a.order_id WHERE o.key = ?1 ORDER BY a.id";
            let mut statement = connection.prepare(sql).map_err(failed)?;
            let entry = |row: &Row<'_>| {
                Ok(AuditEntry {
                    who: row.get(0)?,
                    what: row.get(1)?,
                    why: row.get(2)?,
                    at: time(row.get(3)?),
                })
            };
            let rows = statement.query_map([key], entry).map_err(failed)?;
            Ok(rows.collect::<rusqlite::Result<Vec<_>>>().map_err(failed)?)
        };
        self.writer.run(list).await
    }

    pub(crate) async fn statistics(&self, with_finished: bool) -> Result<Statistics, Error> {
        self.writer.run(move |connection| Ok(count(connection, with_finished).map_err(failed)?)).await
    }

    pub(crate) async fn prune(&self, age: Duration) -> Result<Pruned, Error> {
        self.writer.run(move |connection| Ok(prune(connection, age).map_err(failed)?)).await
    }

    pub(crate) async fn erase(&self, key: &str, who: &str) -> Result<(), Error> {
        let (key, who) = (key.to_owned(), who.to_owned());
        let erase = move |connection: &Connection| {
            let now = now();
            let order = find(connection, &key, now)?;
            let id = order.id;
            if !order.state.is_final() {
                Decision::Cancel.check(&order)?;
                apply(connection, id, &Decision::Cancel, now).map_err(failed)?;
            }
            audit(connection, id, &who, "erase", None, now).map_err(failed)?;
            erase(connection, id).map_err(failed)?;
            Ok(())
        };
        self.writer.run(erase).await
    }
}

/// Returns what a decision about an order depends on.
pub(super) fn find(connection: &Connection, key: &str, now: i64) -> Result<Subject, Error> {
    let sql =
        "SELECT id, state, max(coalesce(settled_at - ?2, 0), 0), step FROM lastmile_order WHERE key = ?1";
    let row = |row: &Row<'_>| {
        Ok(Subject {
            id: row.get(0)?,
            state: state_of(&row.get::<_, String>(1)?),
            step: row.get(3)?,
            settling: Duration::from_millis(u64::try_from(row.get::<_, i64>(2)?).unwrap_or_default()),
            // The file of a database does not tell that it was restored.
            mark_may_be_lost: false,
        })
    };
    connection.query_row(sql, params![key, now], row).optional().map_err(failed)?.ok_or(Error::NotFound)
}

/// Writes a decision. The epoch changes, so that a worker that holds the order writes nothing any more.
fn apply(connection: &Connection, id: i64, decision: &Decision, now: i64) -> rusqlite::Result<()> {
    let sql =
        "UPDATE lastmile_order SET state = ?2, decision = ?3, decision_data = ?4, due = ?5, finished_at = ?6,
                 owner = NULL, epoch = epoch + 1, crashes = 0, attempts = 0, doubts = 0, manual_check = NULL
               WHERE id = ?1";
    match decision.pending() {
        Some((name, data)) => {
            let state = State::Indeterminate.as_str();
            connection.execute(sql, params![id, state, name, data, now, None::<i64>])?;
        }
        None => {
            let state = State::Cancelled.as_str();
            let none = None::<String>;
            connection.execute(sql, params![id, state, none, none, None::<i64>, now])?;
            write_event(connection, id, &Happening { what: What::Cancelled, data: None }, now)?;
        }
    }
    Ok(())
}

fn audit(
    connection: &Connection,
    id: i64,
    who: &str,
    what: &str,
    why: Option<&str>,
    now: i64,
) -> rusqlite::Result<()> {
    let sql = "INSERT INTO lastmile_audit (order_id, who, what, why, at) VALUES (?1, ?2, ?3, ?4, ?5)";
    connection.execute(sql, params![id, who, what, why, now])?;
    Ok(())
}

fn erase(connection: &Connection, id: i64) -> rusqlite::Result<()> {
    for sql in [
        "UPDATE lastmile_order SET body = NULL, result = NULL, reason = NULL, decision_data = NULL, erased = 1 WHERE id = ?1",
        "UPDATE lastmile_event SET data = NULL WHERE order_id = ?1",
        "UPDATE lastmile_late SET result = NULL WHERE order_id = ?1",
        "UPDATE lastmile_audit SET why = NULL WHERE order_id = ?1",
    ] {
        connection.execute(sql, [id])?;
    }
    Ok(())
}

fn prune(connection: &Connection, age: Duration) -> rusqlite::Result<Pruned> {
    let before = now() - millis(age);
    let sql = "UPDATE lastmile_order SET body = NULL, result = NULL, reason = NULL, decision_data = NULL, erased = 1
               WHERE id IN (SELECT id FROM lastmile_order WHERE finished_at IS NOT NULL AND erased = 0 AND finished_at <= ?1
                            LIMIT 10000)";
    let orders = connection.execute(sql, [before])?;
    connection.execute(
        "UPDATE lastmile_late SET result = NULL WHERE result IS NOT NULL
           AND order_id IN (SELECT id FROM lastmile_order WHERE erased = 1)",
        [],
    )?;
    let sql = "DELETE FROM lastmile_event
               WHERE NOT EXISTS (SELECT 1 FROM lastmile_delivery d WHERE d.event_id = lastmile_event.id)";
    let events = connection.execute(sql, [])?;
    Ok(Pruned { orders: orders as u64, events: events as u64 })
}

fn count(connection: &Connection, with_finished: bool) -> rusqlite::Result<Statistics> {
    let mut statistics = Statistics::default();
    let which = if with_finished { "" } else { "WHERE due IS NOT NULL OR manual_check IS NOT NULL" };
    let sql = format!(
        "SELECT supplier, state, count(*), ?1 - min(enqueued_at) FILTER (WHERE step = 0 AND due IS NOT NULL)
         FROM lastmile_order {which} GROUP BY supplier, state"
    );
    let mut statement = connection.prepare(&sql)?;
    let mut rows = statement.query([now()])?;
    while let Some(row) = rows.next()? {
        let state = state_of(&row.get::<_, String>(1)?);
        statistics.add(row.get(0)?, state, row.get(2)?, row.get(3)?);
    }
    let sql = "SELECT c.name, (SELECT count(*) FROM lastmile_delivery d WHERE d.consumer = c.name) FROM lastmile_consumer c";
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        statistics.events.insert(row.get(0)?, u64::try_from(row.get::<_, i64>(1)?).unwrap_or(0));
    }
    Ok(statistics)
}

fn stored_order(row: &Row<'_>) -> rusqlite::Result<StoredOrder> {
    let moment = |at: Option<i64>| -> Option<SystemTime> { at.map(time) };
    Ok(StoredOrder {
        key: row.get(0)?,
        supplier: row.get(1)?,
        kind: row.get(2)?,
        state: state_of(&row.get::<_, String>(3)?),
        step: row.get(4)?,
        marks: row.get(5)?,
        attempts: row.get(6)?,
        crashes: row.get(7)?,
        decision: row.get(8)?,
        reason: row.get(9)?,
        manual_check: row.get(10)?,
        body: row.get(11)?,
        result: row.get(12)?,
        is_erased: row.get(13)?,
        enqueued_at: time(row.get(14)?),
        due: moment(row.get(15)?),
        finished_at: moment(row.get(16)?),
    })
}
