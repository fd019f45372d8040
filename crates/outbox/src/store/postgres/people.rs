//! What people see and decide, and retention.

use std::time::Duration;

use deadpool_postgres::Transaction;
use tokio_postgres::Row;

use super::connect::failed;
use super::{EVENT, Postgres, hidden, millis, state_of};
use crate::machine::What;
use crate::people::{AuditEntry, Filter, StoredOrder};
use crate::retention::Pruned;
use crate::statistics::Statistics;
use crate::store::{Decision, Subject, time};
use crate::{Error, State};

const COLUMNS: &str = "key, supplier, kind, state, step, mark, attempts, crashes, decision, reason, manual_check, body, result, \
                       erased, (extract(epoch FROM enqueued_at) * 1000)::bigint, (extract(epoch FROM due) * 1000)::bigint, \
                       (extract(epoch FROM finished_at) * 1000)::bigint";

impl Postgres {
    pub(crate) async fn order(&self, key: &str) -> Result<Option<StoredOrder>, Error> {
        let sql = format!("SELECT {COLUMNS} FROM lastmile_order WHERE key = $1");
        Ok(self.query(&sql, &[&key]).await?.first().map(stored_order))
    }

    pub(crate) async fn orders(&self, filter: &Filter) -> Result<Vec<StoredOrder>, Error> {
        // The condition on manual_check lets the index of orders that need a person be used.
        let person =
            if filter.state == Some(State::NeedsPerson) { "manual_check IS NOT NULL AND" } else { "" };
        let sql = format!(
            "SELECT {COLUMNS} FROM lastmile_order WHERE {person} ($1::text IS NULL OR state = $1)
               AND ($2::text IS NULL OR supplier = $2) ORDER BY id DESC LIMIT $3"
        );
        let rows =
            self.query(&sql, &[&filter.state.map(State::as_str), &filter.supplier, &filter.limit]).await?;
        Ok(rows.iter().map(stored_order).collect())
    }

    pub(crate) async fn decide(
        &self,
        key: &str,
        decision: &Decision,
        who: &str,
        why: &str,
    ) -> Result<(), Error> {
        self.limited(async {
            let mut client = self.client().await?;
            let transaction = client.transaction().await.map_err(failed)?;
            let order = find(&transaction, key).await?;
            decision.check(&order)?;
            apply(&transaction, order.id, decision).await.map_err(failed)?;
            audit(&transaction, order.id, who, decision.as_str(), Some(why)).await.map_err(failed)?;
            transaction.commit().await.map_err(failed)?;
            Ok(())
        })
        .await
    }

    pub(crate) async fn audit(&self, key: &str) -> Result<Vec<AuditEntry>, Error> {
        let sql =
            "SELECT a.who, a.what, a.why, (extract(epoch FROM a.at) * 1000)::bigint FROM lastmile_audit a
                   JOIN lastmile_order o ON o.id = a.order_id WHERE o.key = $1 ORDER BY a.id";
        let rows = self.query(sql, &[&key]).await?;
        let entry = |row: &Row| AuditEntry {
            who: row.get(0),
            what: row.get(1),
            why: row.get(2),
            at: time(row.get(3)),
        };
        Ok(rows.iter().map(entry).collect())
    }

    pub(crate) async fn statistics(&self, with_finished: bool) -> Result<Statistics, Error> {
        let mut statistics = Statistics::default();
        let which = if with_finished { "" } else { "WHERE due IS NOT NULL OR manual_check IS NOT NULL" };
        let sql = format!(
            "SELECT supplier, state, count(*), (extract(epoch FROM clock_timestamp()
               - min(enqueued_at) FILTER (WHERE step = 0 AND due IS NOT NULL)) * 1000)::bigint
             FROM lastmile_order {which} GROUP BY supplier, state"
        );
        for row in self.query(&sql, &[]).await? {
            statistics.add(row.get(0), state_of(row.get(1)), row.get(2), row.get(3));
        }
        let sql = "SELECT c.name, (SELECT count(*) FROM lastmile_delivery d WHERE d.consumer = c.name)
                   FROM lastmile_consumer c";
        for row in self.query(sql, &[]).await? {
            statistics.events.insert(row.get(0), u64::try_from(row.get::<_, i64>(1)).unwrap_or(0));
        }
        Ok(statistics)
    }

    pub(crate) async fn prune(&self, age: Duration) -> Result<Pruned, Error> {
        let sql = "WITH old AS MATERIALIZED (
               SELECT id FROM lastmile_order WHERE finished_at IS NOT NULL AND NOT erased
                 AND finished_at <= clock_timestamp() - $1::bigint * interval '1 millisecond' LIMIT 10000),
             late AS (UPDATE lastmile_late l SET result = NULL FROM old WHERE l.order_id = old.id)
             UPDATE lastmile_order o SET body = NULL, result = NULL, reason = NULL, decision_data = NULL, erased = true
             FROM old WHERE o.id = old.id";
        let orders = self.execute(sql, &[&millis(age)]).await?;
        let sql = "DELETE FROM lastmile_event e WHERE NOT EXISTS (SELECT FROM lastmile_delivery d WHERE d.event_id = e.id)";
        let events = self.execute(sql, &[]).await?;
        Ok(Pruned { orders, events })
    }

    pub(crate) async fn erase(&self, key: &str, who: &str) -> Result<(), Error> {
        self.limited(async {
            let mut client = self.client().await?;
            let transaction = client.transaction().await.map_err(failed)?;
            let order = find(&transaction, key).await?;
            let id = order.id;
            if !order.state.is_final() {
                Decision::Cancel.check(&order)?;
                apply(&transaction, id, &Decision::Cancel).await.map_err(failed)?;
            }
            audit(&transaction, id, who, "erase", None).await.map_err(failed)?;
            for sql in [
                "UPDATE lastmile_order SET body = NULL, result = NULL, reason = NULL, decision_data = NULL, erased = true WHERE id = $1",
                "UPDATE lastmile_event SET data = NULL WHERE order_id = $1",
                "UPDATE lastmile_late SET result = NULL WHERE order_id = $1",
                "UPDATE lastmile_audit SET why = NULL WHERE order_id = $1",
            ] {
                transaction.execute(sql, &[&id]).await.map_err(failed)?;
            }
            transaction.commit().await.map_err(failed)?;
            Ok(())
        })
        .await
    }
}

/// Returns what a decision about an order depends on. A timeline that no worker has noticed yet may have lost a mark of any order.
async fn find(transaction: &Transaction<'_>, key: &str) -> Result<Subject, Error> {
    let sql = "SELECT id, state, ceil(extract(epoch FROM settled_at - clock_timestamp()) * 1000)::bigint, step,
                 mark_may_be_lost OR lastmile_current_timeline() IS DISTINCT FROM (SELECT timeline FROM lastmile_timeline)
               FROM lastmile_order WHERE key = $1 FOR UPDATE";
    let rows = hidden::query(&**transaction, sql, &[&key]).await.map_err(failed)?;
    let row = rows.first().ok_or(Error::NotFound)?;
    let left = row.get::<_, Option<i64>>(2).and_then(|left| u64::try_from(left).ok()).unwrap_or_default();
    Ok(Subject {
        id: row.get(0),
        state: state_of(row.get(1)),
        step: row.get(3),
        settling: Duration::from_millis(left),
        mark_may_be_lost: row.get(4),
    })
}

/// Writes a decision. The epoch changes, so that a worker that holds the order writes nothing any more.
async fn apply(
    transaction: &Transaction<'_>,
    id: i64,
    decision: &Decision,
) -> Result<(), tokio_postgres::Error> {
    match decision.pending() {
        Some((name, data)) => {
            let sql = "UPDATE lastmile_order SET state = 'indeterminate', decision = $2, decision_data = $3,
                         due = clock_timestamp(), owner = NULL, epoch = epoch + 1, crashes = 0, attempts = 0, doubts = 0,
                         manual_check = NULL, mark_may_be_lost = false
                       WHERE id = $1";
            hidden::execute(&**transaction, sql, &[&id, &name, &data]).await?;
        }
        None => {
            let sql = "UPDATE lastmile_order SET state = 'cancelled', decision = NULL, decision_data = NULL, due = NULL,
                         finished_at = clock_timestamp(), owner = NULL, epoch = epoch + 1, crashes = 0, attempts = 0,
                         doubts = 0, manual_check = NULL
                       WHERE id = $1";
            transaction.execute(sql, &[&id]).await?;
            transaction.execute(EVENT, &[&id, &What::Cancelled.as_str(), &None::<&str>]).await?;
        }
    }
    Ok(())
}

async fn audit(
    transaction: &Transaction<'_>,
    id: i64,
    who: &str,
    what: &str,
    why: Option<&str>,
) -> Result<(), tokio_postgres::Error> {
    let sql = "INSERT INTO lastmile_audit (order_id, who, what, why) VALUES ($1, $2, $3, $4)";
    hidden::execute(&**transaction, sql, &[&id, &who, &what, &why]).await?;
    Ok(())
}

fn stored_order(row: &Row) -> StoredOrder {
    let moment = |column: usize| row.get::<_, Option<i64>>(column).map(time);
    StoredOrder {
        key: row.get(0),
        supplier: row.get(1),
        kind: row.get(2),
        state: state_of(row.get(3)),
        step: row.get(4),
        marks: row.get(5),
        attempts: row.get(6),
        crashes: row.get(7),
        decision: row.get(8),
        reason: row.get(9),
        manual_check: row.get(10),
        body: row.get(11),
        result: row.get(12),
        is_erased: row.get(13),
        enqueued_at: time(row.get(14)),
        due: moment(15),
        finished_at: moment(16),
    }
}
