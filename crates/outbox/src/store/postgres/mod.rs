//! Orders in a PostgreSQL database. All times are those of the database.

mod connect;
mod events;
mod group;
mod hidden;
mod orders;
mod people;
#[cfg(test)]
mod tests;

use std::time::Duration;

use deadpool_postgres::Pool;
use tokio_postgres::Row;

use super::rows::{Claim, ClaimedRow, Fence, Late, millis};
use crate::enqueue::NewOrder;
use crate::machine::{Booking, Tries};
use crate::{Enqueued, Error, State};
pub(crate) use connect::Settings;
use connect::failed;
use group::Group;
use orders::{Booked, Mark};

/// The statement that enqueues an order. All values are texts, so that any driver can bind them.
pub(crate) const ENQUEUE: &str = "SELECT lastmile_enqueue($1::text, $2::text, $3::text, $4::text, $5::text)";

/// The statement that acknowledges an event, with two texts: the consumer and the event's number. A prune removes the event itself.
pub(crate) const ACKNOWLEDGE: &str =
    "DELETE FROM lastmile_delivery WHERE consumer = $1::text AND event_id = ($2::text)::bigint";

/// The error code of the function that enqueues.
const KEY_USED: &str = "LM001";

/// The versions of the schema, oldest first.
const MIGRATIONS: [&str; 1] = [include_str!("schema.sql")];

/// A number of our own, so that two processes do not migrate at once.
const MIGRATION_LOCK: i64 = 0x6c61_7374_6d69_6c65;

#[derive(Clone)]
pub(crate) struct Postgres {
    pool: Pool,
    timeout: Duration,
    marks: Group<Mark>,
    bookings: Group<Booked>,
}

impl Postgres {
    pub(crate) fn new(settings: Settings) -> Result<Self, Error> {
        let timeout = settings.timeout;
        Ok(Self { pool: settings.pool()?, timeout, marks: Group::default(), bookings: Group::default() })
    }

    pub(crate) async fn migrate(&self) -> Result<(), Error> {
        let mut client = self.client().await?;
        // Without the time limit of other operations: another process may be migrating.
        let transaction = client.transaction().await.map_err(failed)?;
        transaction.execute("SELECT pg_advisory_xact_lock($1)", &[&MIGRATION_LOCK]).await.map_err(failed)?;
        let create = "CREATE TABLE IF NOT EXISTS lastmile_schema (version bigint NOT NULL)";
        transaction.batch_execute(create).await.map_err(failed)?;
        let row = transaction
            .query_one("SELECT coalesce(max(version), 0) FROM lastmile_schema", &[])
            .await
            .map_err(failed)?;
        let current = usize::try_from(row.get::<_, i64>(0)).unwrap_or(usize::MAX);
        if current > MIGRATIONS.len() {
            return Err(Error::Schema(format!(
                "the database has version {current} of the schema, and this library knows version {}: use a later version of the library",
                MIGRATIONS.len()
            )));
        }
        for (number, sql) in MIGRATIONS.iter().enumerate().skip(current) {
            transaction.batch_execute(sql).await.map_err(failed)?;
            let version = i64::try_from(number + 1).unwrap_or(i64::MAX);
            let insert = "INSERT INTO lastmile_schema (version) VALUES ($1)";
            transaction.execute(insert, &[&version]).await.map_err(failed)?;
        }
        transaction.commit().await.map_err(failed)?;
        Ok(())
    }

    pub(crate) async fn clock(&self) -> Result<i64, Error> {
        let row =
            self.query_one("SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint", &[]).await?;
        Ok(row.get(0))
    }

    pub(crate) async fn prolong_settle_times(
        &self,
        supplier: &str,
        quiet: Duration,
        ahead: Duration,
    ) -> Result<(), Error> {
        let sql = "UPDATE lastmile_timeline SET changed_at = clock_timestamp()
                   WHERE changed_at + ($1::bigint + $2::bigint) * interval '1 millisecond' > clock_timestamp()";
        self.execute(sql, &[&millis(quiet), &millis(ahead)]).await?;
        // Half a minute more than is needed, so that the same step, noticed by another worker, writes no order again.
        let sql = "UPDATE lastmile_order
                   SET settled_at = clock_timestamp() + $2::bigint * interval '1 millisecond' + interval '30 seconds'
                   WHERE supplier = $1 AND (due IS NOT NULL OR manual_check IS NOT NULL)
                     AND (mark_may_be_lost OR mark > 0 AND state IN ('in_flight', 'indeterminate', 'needs_person'))
                     AND (settled_at IS NULL OR settled_at < clock_timestamp() + $2::bigint * interval '1 millisecond')";
        self.execute(sql, &[&supplier, &millis(quiet)]).await?;
        Ok(())
    }

    pub(crate) async fn enqueue(&self, order: &NewOrder) -> Result<Enqueued, Error> {
        let NewOrder { key, supplier, kind, digest, body } = order;
        match self.query_one(ENQUEUE, &[key, supplier, kind, digest, body]).await {
            Ok(row) => Ok(if row.get(0) { Enqueued::New } else { Enqueued::Known }),
            Err(Error::Store(error)) if error.code() == Some(KEY_USED) => Err(Error::KeyUsed),
            Err(error) => Err(error),
        }
    }

    pub(crate) async fn claim(&self, claim: &Claim) -> Result<Vec<ClaimedRow>, Error> {
        let sql = "SELECT id, kind, state, body, epoch, mark, crashes, attempts, doubts, step, decision, decision_data,
                     greatest((extract(epoch FROM settled_at - clock_timestamp()) * 1000)::bigint, 0), mark_may_be_lost
                   FROM lastmile_claim($1, $2, $3, $4, $5, $6, $7, $8)";
        let (gap, burst) = claim.pace.map_or((0, 1), |pace| (pace.gap_micros(), pace.burst));
        let (lease, quiet) = (millis(claim.lease), millis(claim.quiet));
        let values: [&(dyn tokio_postgres::types::ToSql + Sync); 8] =
            [&claim.supplier, &claim.limit, &claim.owner, &lease, &quiet, &gap, &burst, &claim.latest];
        let rows = self.query(sql, &values).await?;
        Ok(rows.iter().map(|row| claimed(row, &claim.owner)).collect())
    }

    pub(crate) async fn mark(
        &self,
        fence: &Fence,
        body: &str,
        needed: Duration,
        settle: Duration,
    ) -> Result<bool, Error> {
        let mark = Mark {
            fence: fence.clone(),
            body: body.to_owned(),
            needed: millis(needed),
            settle: millis(settle),
        };
        self.marks.write(self, mark).await
    }

    pub(crate) async fn book(&self, fence: &Fence, booking: &Booking) -> Result<bool, Error> {
        self.bookings.write(self, Booked { fence: fence.clone(), booking: booking.clone() }).await
    }

    pub(crate) async fn book_late(&self, fence: &Fence, booking: &Booking) -> Result<Late, Error> {
        self.limited(async {
            let mut client = self.client().await?;
            let transaction = client.transaction().await.map_err(failed)?;
            // The caller tries again: to wait would take a connection from other orders.
            let sql = "SELECT state, mark, step, step_marks, erased FROM lastmile_order WHERE id = $1 FOR UPDATE NOWAIT";
            let row = transaction.query_one(sql, &[&fence.id]).await.map_err(failed)?;
            let booking = &if row.get(4) { booking.without_data() } else { booking.clone() };
            let late = Late::of(state_of(row.get(0)), row.get(1), row.get(2), row.get(3), fence, booking);
            if late == Late::Settled {
                // The new epoch keeps out whoever holds the order now.
                let due = booking.state.is_active().then(|| millis(booking.due));
                let sql = "UPDATE lastmile_order SET state = $2, body = coalesce($3, body),
                             due = CASE WHEN $4::bigint IS NULL THEN NULL ELSE clock_timestamp() + $4 * interval '1 millisecond' END,
                             owner = NULL, epoch = epoch + 1, crashes = 0, attempts = 0, doubts = 0, step = step + $5,
                             step_marks = CASE WHEN $5 > 0 THEN step_marks || mark || ' ' ELSE step_marks END,
                             decision = NULL, decision_data = NULL, reason = $6, manual_check = $7,
                             result = coalesce($8, result), finished_at = CASE WHEN $9 THEN clock_timestamp() END
                           WHERE id = $1";
                hidden::execute(
                        &*transaction,
                        sql,
                        &[
                            &fence.id,
                            &booking.state.as_str(),
                            &booking.body,
                            &due,
                            &i64::from(booking.next_step),
                            &booking.reason,
                            &booking.manual_check,
                            &booking.result,
                            &booking.state.is_final(),
                        ],
                    )
                    .await
                    .map_err(failed)?;
            }
            let event = match late {
                Late::Settled => booking.event.as_ref().map(|event| (event.what, event.data.as_deref())),
                Late::Contradicted => Some((crate::machine::What::Contradicted, booking.result.as_deref())),
                Late::Known => None,
            };
            if let Some((what, data)) = event {
                hidden::execute(&*transaction, EVENT, &[&fence.id, &what.as_str(), &data]).await.map_err(failed)?;
            }
            let sql = "INSERT INTO lastmile_late (order_id, mark, state, result, outcome) VALUES ($1, $2, $3, $4, $5)";
            let state = booking.state.as_str();
            hidden::execute(&*transaction, sql, &[&fence.id, &fence.mark, &state, &booking.result, &late.as_str()])
                .await
                .map_err(failed)?;
            transaction.commit().await.map_err(failed)?;
            Ok(late)
        })
        .await
    }

    pub(crate) async fn pause(&self, supplier: &str, time: Duration) -> Result<(), Error> {
        let sql = "INSERT INTO lastmile_pace (supplier, not_before)
                   VALUES ($1, clock_timestamp() + $2::bigint * interval '1 millisecond')
                   ON CONFLICT (supplier) DO UPDATE SET not_before = greatest(lastmile_pace.not_before, excluded.not_before)";
        self.execute(sql, &[&supplier, &millis(time)]).await?;
        Ok(())
    }
}

/// Writes an event for each registered consumer. Without one there is no event.
const EVENT: &str = "WITH written AS (
       INSERT INTO lastmile_event (order_id, step, what, data)
       SELECT id, step, $2::text, $3::text FROM lastmile_order
       WHERE id = $1 AND EXISTS (SELECT FROM lastmile_consumer) RETURNING id)
     INSERT INTO lastmile_delivery (consumer, event_id) SELECT c.name, w.id FROM written w CROSS JOIN lastmile_consumer c";

fn claimed(row: &Row, owner: &str) -> ClaimedRow {
    let fence = Fence {
        id: row.get(0),
        owner: owner.to_owned(),
        epoch: row.get(4),
        mark: row.get(5),
        step: row.get(9),
    };
    ClaimedRow {
        fence,
        kind: row.get(1),
        state: state_of(row.get(2)),
        body: row.get(3),
        crashes: row.get(6),
        settling: Duration::from_millis(
            row.get::<_, Option<i64>>(12).and_then(|left| u64::try_from(left).ok()).unwrap_or_default(),
        ),
        mark_may_be_lost: row.get(13),
        tries: Tries { attempts: row.get(7), doubts: row.get(8) },
        decision: row.get(10),
        decision_data: row.get(11),
    }
}

/// A constraint of the table excludes other names. A later version's state is treated as the one in which nothing is sent.
fn state_of(name: &str) -> State {
    State::of(name).unwrap_or(State::Indeterminate)
}
