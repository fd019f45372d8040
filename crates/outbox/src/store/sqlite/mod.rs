//! Orders in a SQLite database. The clock is that of the machine, since only one machine can use the file.

mod clock;
mod events;
mod people;
mod writer;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use rusqlite::{Connection, OptionalExtension as _, Row, named_params, params};

use super::rows::{Claim, ClaimedRow, Fence, Late, millis, millis_since_1970};
use crate::enqueue::NewOrder;
use crate::error::StoreError;
use crate::machine::{Booking, Happening, Tries, What};
use crate::{Enqueued, Error, State};
use clock::StepDetector;
use writer::{Writer, failed};

/// The statement that enqueues an order: `ON CONFLICT` applies to the same order, and a trigger refuses another one.
pub(crate) const ENQUEUE: &str = "INSERT INTO lastmile_order (key, supplier, kind, digest, body) VALUES (?1, ?2, ?3, ?4, ?5) \
                                  ON CONFLICT (key) DO NOTHING";

/// The statement that acknowledges an event, with two texts: the consumer and the event's number. A prune removes the event itself.
pub(crate) const ACKNOWLEDGE: &str =
    "DELETE FROM lastmile_delivery WHERE consumer = ?1 AND event_id = CAST(?2 AS INTEGER)";

/// The versions of the schema, oldest first.
const MIGRATIONS: [&str; 1] = [include_str!("schema.sql")];

pub(crate) struct Sqlite {
    writer: Writer,
    steps: Arc<Mutex<StepDetector>>,
}

impl Sqlite {
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        let steps = Arc::new(Mutex::new(StepDetector::new(SystemTime::now(), Instant::now())));
        Ok(Self { writer: Writer::open(path)?, steps })
    }

    pub(crate) async fn migrate(&self) -> Result<(), Error> {
        self.writer.run(migrate).await
    }

    #[cfg(feature = "testing")]
    pub(crate) async fn limit_pages(&self, pages: u32) -> Result<u32, Error> {
        let limit = move |connection: &Connection| {
            let sql = format!("PRAGMA max_page_count = {pages}");
            Ok(connection.query_row(&sql, [], |row| row.get(0)).map_err(failed)?)
        };
        self.writer.run(limit).await
    }

    pub(crate) async fn clock(&self) -> Result<i64, Error> {
        Ok(now())
    }

    /// Each claim does that itself.
    pub(crate) async fn prolong_settle_times(&self, _: &str, _: Duration, _: Duration) -> Result<(), Error> {
        Ok(())
    }

    pub(crate) async fn enqueue(&self, order: &NewOrder) -> Result<Enqueued, Error> {
        let order = order.clone();
        let insert = move |connection: &Connection| {
            let NewOrder { key, supplier, kind, digest, body } = order;
            let mut statement = connection.prepare_cached(ENQUEUE).map_err(failed)?;
            match statement.execute(params![key, supplier, kind, digest, body]) {
                Ok(0) => Ok(Enqueued::Known),
                Ok(_) => Ok(Enqueued::New),
                Err(rusqlite::Error::SqliteFailure(failure, _))
                    if failure.extended_code == rusqlite::ffi::SQLITE_CONSTRAINT_TRIGGER =>
                {
                    Err(Error::KeyUsed)
                }
                Err(error) => Err(failed(error).into()),
            }
        };
        self.writer.run(insert).await
    }

    pub(crate) async fn claim(&self, claim: &Claim) -> Result<Vec<ClaimedRow>, Error> {
        let (claim, steps) = (claim.clone(), self.steps.clone());
        let claim = move |connection: &Connection| {
            let (wall, monotonic) = (SystemTime::now(), Instant::now());
            let quiet_left = {
                let mut steps = steps.lock().unwrap_or_else(PoisonError::into_inner);
                steps.observe(wall, monotonic);
                steps.quiet_left(monotonic, claim.quiet)
            };
            Ok(claim_due(connection, &claim, quiet_left, millis_since_1970(wall)).map_err(failed)?)
        };
        self.writer.run(claim).await
    }

    pub(crate) async fn mark(
        &self,
        fence: &Fence,
        body: &str,
        needed: Duration,
        settle: Duration,
    ) -> Result<bool, Error> {
        let (fence, body) = (fence.clone(), body.to_owned());
        let mark = move |connection: &Connection| {
            let sql = "UPDATE lastmile_order SET state = 'in_flight', mark = mark + 1, body = ?4, settled_at = due + ?6
                       WHERE id = ?1 AND owner = ?2 AND epoch = ?3 AND state = 'ready' AND due > ?5";
            let mut statement = connection.prepare_cached(sql).map_err(failed)?;
            let until = now() + millis(needed);
            let settle = millis(settle);
            let changed = statement.execute(params![fence.id, fence.owner, fence.epoch, body, until, settle]);
            Ok(changed.map_err(failed)? == 1)
        };
        self.writer.run(mark).await
    }

    pub(crate) async fn book(&self, fence: &Fence, booking: &Booking) -> Result<bool, Error> {
        let (fence, booking) = (fence.clone(), booking.clone());
        let book = move |connection: &Connection| {
            let is_held = "id = :id AND owner = :owner AND epoch = :epoch";
            Ok(write_booking(connection, is_held, &fence, &booking, now()).map_err(failed)?)
        };
        self.writer.run(book).await
    }

    pub(crate) async fn book_late(&self, fence: &Fence, booking: &Booking) -> Result<Late, Error> {
        let (fence, booking) = (fence.clone(), booking.clone());
        self.writer.run(move |connection| Ok(late(connection, &fence, &booking).map_err(failed)?)).await
    }

    pub(crate) async fn pause(&self, supplier: &str, time: Duration) -> Result<(), Error> {
        let supplier = supplier.to_owned();
        let pause = move |connection: &Connection| {
            let sql = "INSERT INTO lastmile_pace (supplier, not_before) VALUES (?1, ?2)
                       ON CONFLICT (supplier) DO UPDATE SET not_before = max(not_before, excluded.not_before)";
            connection.execute(sql, params![supplier, now() + millis(time)]).map_err(failed)?;
            Ok(())
        };
        self.writer.run(pause).await
    }
}

pub(super) fn now() -> i64 {
    millis_since_1970(SystemTime::now())
}

fn migrate(connection: &Connection) -> Result<(), Error> {
    let create = "CREATE TABLE IF NOT EXISTS lastmile_schema (version INTEGER NOT NULL)";
    connection.execute_batch(create).map_err(failed)?;
    let current: i64 = connection
        .query_row("SELECT coalesce(max(version), 0) FROM lastmile_schema", [], |row| row.get(0))
        .map_err(failed)?;
    let current = usize::try_from(current).unwrap_or(usize::MAX);
    if current > MIGRATIONS.len() {
        return Err(Error::Schema(format!(
            "the database has version {current} of the schema, and this library knows version {}: use a later version of the library",
            MIGRATIONS.len()
        )));
    }
    for (number, sql) in MIGRATIONS.iter().enumerate().skip(current) {
        connection.execute_batch(sql).map_err(failed)?;
        connection
            .execute(
                "INSERT INTO lastmile_schema (version) VALUES (?1)",
                [i64::try_from(number + 1).unwrap_or(i64::MAX)],
            )
            .map_err(failed)?;
    }
    Ok(())
}

/// Claims orders that are due. After the clock was set (`is_quiet`), leases and settle times tell nothing: an order that may have been
/// sent is left alone. One that is ready is claimed: a worker that still has it can no longer mark it.
fn claim_due(
    connection: &Connection,
    claim: &Claim,
    quiet_left: Option<Duration>,
    now: i64,
) -> rusqlite::Result<Vec<ClaimedRow>> {
    if let Some(left) = quiet_left {
        bring_near(connection, &claim.supplier, now + millis(claim.quiet))?;
        prolong(connection, &claim.supplier, now + millis(left))?;
    }
    let pace = connection
        .prepare_cached("SELECT arrival, not_before FROM lastmile_pace WHERE supplier = ?1")?
        .query_row([&claim.supplier], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)))
        .optional()?;
    let (arrival, not_before) = pace.unwrap_or_default();
    if not_before > now {
        return Ok(Vec::new());
    }
    let allowed = claim.pace.map(|pace| pace.allowed(arrival, now.saturating_mul(1000)));
    let limit = allowed.map_or(claim.limit, |(allowed, _)| allowed.min(claim.limit));
    if limit == 0 {
        return Ok(Vec::new());
    }
    let sql = "UPDATE lastmile_order
               SET crashes = crashes + (owner IS NOT NULL), owner = ?3, epoch = epoch + 1, due = ?5
               WHERE id IN (SELECT id FROM lastmile_order WHERE supplier = ?1 AND due <= ?4
                              AND (NOT ?6 OR state IN ('ready', 'following') OR decision IS NOT NULL) ORDER BY due LIMIT ?2)
               RETURNING id, kind, state, body, epoch, mark, crashes, attempts, doubts, step, decision, decision_data,
                 max(coalesce(settled_at - ?4, 0), 0) AS settling";
    let mut statement = connection.prepare_cached(sql)?;
    let lease_ends = now + millis(claim.lease);
    let values = params![claim.supplier, limit, claim.owner, now, lease_ends, quiet_left.is_some()];
    let rows = statement.query_map(values, |row| claimed(row, &claim.owner))?;
    let rows = rows.collect::<rusqlite::Result<Vec<_>>>()?;
    if let (Some(pace), Some((_, from))) = (claim.pace, allowed) {
        let count = i64::try_from(rows.len()).unwrap_or(i64::MAX);
        let sql = "INSERT INTO lastmile_pace (supplier, arrival) VALUES (?1, ?2)
                   ON CONFLICT (supplier) DO UPDATE SET arrival = excluded.arrival";
        if count > 0 {
            let arrival = from.saturating_add(count.saturating_mul(pace.gap_micros()));
            connection.prepare_cached(sql)?.execute(params![claim.supplier, arrival])?;
        }
    }
    Ok(rows)
}

/// Brings the times of a supplier's orders to `latest` at most. A clock that was too far ahead, and was corrected, leaves times in the
/// future for as long as it was ahead. No lease that lasts and no settle time ends too early: both are shorter than the quiet time.
fn bring_near(connection: &Connection, supplier: &str, latest: i64) -> rusqlite::Result<()> {
    for sql in [
        "UPDATE lastmile_order SET due = ?2 WHERE supplier = ?1 AND due > ?2",
        "UPDATE lastmile_order SET settled_at = ?2 WHERE supplier = ?1 AND due IS NOT NULL AND settled_at > ?2",
        "UPDATE lastmile_order SET settled_at = ?2 WHERE manual_check IS NOT NULL AND supplier = ?1 AND settled_at > ?2",
        "UPDATE lastmile_pace SET arrival = min(arrival, ?2 * 1000), not_before = min(not_before, ?2) WHERE supplier = ?1",
    ] {
        connection.prepare_cached(sql)?.execute(params![supplier, latest])?;
    }
    Ok(())
}

/// Lets no settle time of a supplier's orders end before `earliest`. A clock that was set forward would end it too early, and a person
/// might decide, or have decided, before what was sent is there.
fn prolong(connection: &Connection, supplier: &str, earliest: i64) -> rusqlite::Result<()> {
    // Two statements, each with an index: with OR, SQLite reads every order. Some slack, so that an order is not written with each claim.
    for sql in [
        "UPDATE lastmile_order SET settled_at = ?2
         WHERE supplier = ?1 AND due IS NOT NULL AND mark > 0 AND coalesce(settled_at, 0) < ?2 - 1000",
        "UPDATE lastmile_order SET settled_at = ?2
         WHERE manual_check IS NOT NULL AND supplier = ?1 AND mark > 0 AND coalesce(settled_at, 0) < ?2 - 1000",
    ] {
        connection.prepare_cached(sql)?.execute(params![supplier, earliest])?;
    }
    Ok(())
}

fn claimed(row: &Row<'_>, owner: &str) -> rusqlite::Result<ClaimedRow> {
    let fence = Fence {
        id: row.get("id")?,
        owner: owner.to_owned(),
        epoch: row.get("epoch")?,
        mark: row.get("mark")?,
        step: row.get("step")?,
    };
    Ok(ClaimedRow {
        fence,
        kind: row.get("kind")?,
        state: state_of(&row.get::<_, String>("state")?),
        body: row.get("body")?,
        crashes: row.get("crashes")?,
        settling: Duration::from_millis(u64::try_from(row.get::<_, i64>("settling")?).unwrap_or_default()),
        // The file of a database does not tell that it was restored.
        mark_may_be_lost: false,
        tries: Tries { attempts: row.get("attempts")?, doubts: row.get("doubts")? },
        decision: row.get("decision")?,
        decision_data: row.get("decision_data")?,
    })
}

/// A constraint of the table excludes other names. A later version's state is treated as the one in which nothing is sent.
pub(super) fn state_of(name: &str) -> State {
    State::of(name).unwrap_or(State::Indeterminate)
}

/// Writes a booking where the condition holds, and its event. Returns whether it did.
fn write_booking(
    connection: &Connection,
    condition: &str,
    fence: &Fence,
    booking: &Booking,
    now: i64,
) -> rusqlite::Result<bool> {
    let sql = format!(
        "UPDATE lastmile_order SET state = :state, body = coalesce(:body, body), due = :due, owner = NULL,
           epoch = epoch + :is_late, crashes = 0, attempts = :attempts, doubts = :doubts, step = step + :next_step,
           step_marks = iif(:next_step, step_marks || mark || ' ', step_marks),
           decision = iif(:keeps_decision, decision, NULL), decision_data = iif(:keeps_decision, decision_data, NULL),
           reason = :reason, manual_check = :manual_check, result = coalesce(:result, result), finished_at = :finished_at,
           settled_at = coalesce(:settled_at, settled_at)
         WHERE {condition} AND :owner IS NOT NULL AND :epoch IS NOT NULL AND :mark IS NOT NULL"
    );
    let is_late = condition == IS_OPEN;
    let changed = connection.prepare_cached(&sql)?.execute(named_params! {
        ":id": fence.id, ":owner": fence.owner, ":epoch": fence.epoch, ":mark": fence.mark,
        ":state": booking.state.as_str(), ":body": booking.body, ":is_late": is_late,
        ":due": booking.state.is_active().then(|| now + millis(booking.due)),
        ":attempts": booking.tries.attempts, ":doubts": booking.tries.doubts, ":next_step": booking.next_step,
        ":keeps_decision": booking.keeps_decision, ":reason": booking.reason,
        ":manual_check": booking.manual_check, ":result": booking.result,
        ":finished_at": booking.state.is_final().then_some(now),
        ":settled_at": booking.settle.map(|settle| now + millis(settle)),
    })?;
    if changed == 0 {
        return Ok(false);
    }
    if let Some(event) = &booking.event {
        write_event(connection, fence.id, event, now)?;
    }
    Ok(true)
}

/// The condition under which a late response settles an order: it was not marked again, and nothing is final.
const IS_OPEN: &str = "id = :id AND mark = :mark AND finished_at IS NULL";

fn late(connection: &Connection, fence: &Fence, booking: &Booking) -> rusqlite::Result<Late> {
    let now = now();
    let sql = "SELECT state, mark, step, step_marks, erased FROM lastmile_order WHERE id = ?1";
    let row = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?));
    let (state, mark, step, step_marks, is_erased): (String, i64, i64, String, bool) =
        connection.query_row(sql, [fence.id], row)?;
    let booking = &if is_erased { booking.without_data() } else { booking.clone() };
    let late = Late::of(state_of(&state), mark, step, &step_marks, fence, booking);
    if late == Late::Settled {
        write_booking(connection, IS_OPEN, fence, booking, now)?;
    }
    if late == Late::Contradicted {
        let event = Happening { what: What::Contradicted, data: booking.result.clone() };
        write_event(connection, fence.id, &event, now)?;
    }
    let sql = "INSERT INTO lastmile_late (order_id, mark, state, result, outcome, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let state = booking.state.as_str();
    connection.execute(sql, params![fence.id, fence.mark, state, booking.result, late.as_str(), now])?;
    Ok(late)
}

/// Writes an event for each registered consumer. Without one there is no event.
fn write_event(connection: &Connection, order: i64, event: &Happening, now: i64) -> rusqlite::Result<()> {
    let sql = "INSERT INTO lastmile_event (order_id, step, what, data, at)
               SELECT id, step, ?2, ?3, ?4 FROM lastmile_order WHERE id = ?1 AND EXISTS (SELECT 1 FROM lastmile_consumer)";
    let written =
        connection.prepare_cached(sql)?.execute(params![order, event.what.as_str(), event.data, now])?;
    if written == 1 {
        let sql = "INSERT INTO lastmile_delivery (consumer, event_id) SELECT name, ?1 FROM lastmile_consumer";
        connection.prepare_cached(sql)?.execute([connection.last_insert_rowid()])?;
    }
    Ok(())
}

/// Returns an error of this store.
fn invalid_row() -> Error {
    StoreError::new("a row has a content that this version of the library does not know").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_corrected_backwards_delays_nothing_for_longer_than_the_quiet_time() {
        let connection = Connection::open_in_memory().unwrap();
        migrate(&connection).unwrap();
        let (now, quiet, hour) = (1_793_000_000_000, 60_000, 3_600_000);
        let insert = "INSERT INTO lastmile_order (key, supplier, kind, digest, body, state, due, settled_at, manual_check)
                      VALUES (?1, ?2, 'k', 'd', 'b', ?3, ?4, ?5, ?6)";
        for (key, supplier, state, due, settled_at) in [
            ("lease", "fake", "in_flight", Some(now + hour), Some(now + hour)),
            ("retry", "fake", "ready", Some(now + hour), None),
            ("near", "fake", "ready", Some(now + 1000), Some(now + 2000)),
            ("person", "fake", "needs_person", None, Some(now + hour)),
            ("other", "other", "ready", Some(now + hour), Some(now + hour)),
        ] {
            let check = (state == "needs_person").then_some("look");
            connection.execute(insert, params![key, supplier, state, due, settled_at, check]).unwrap();
        }
        let pace = "INSERT INTO lastmile_pace (supplier, arrival, not_before) VALUES ('fake', ?1, ?2)";
        connection.execute(pace, [(now + hour) * 1000, now + hour]).unwrap();
        let claim = Claim {
            supplier: "fake".to_owned(),
            owner: "w".to_owned(),
            limit: 10,
            lease: Duration::from_secs(10),
            quiet: Duration::from_millis(60_000),
            pace: None,
            latest: None,
        };
        let times = |key: &str| -> (Option<i64>, Option<i64>) {
            let sql = "SELECT due, settled_at FROM lastmile_order WHERE key = ?1";
            connection.query_row(sql, [key], |row| Ok((row.get(0)?, row.get(1)?))).unwrap()
        };
        let far = Some(now + hour);
        assert!(claim_due(&connection, &claim, None, now).unwrap().is_empty());
        assert_eq!(times("lease"), (far, far), "nothing tells that the clock was set");
        assert!(claim_due(&connection, &claim, Some(claim.quiet), now).unwrap().is_empty());
        let latest = Some(now + quiet);
        assert_eq!(times("lease"), (latest, latest));
        assert_eq!(times("retry"), (latest, None));
        assert_eq!(times("near"), (Some(now + 1000), Some(now + 2000)));
        assert_eq!(times("person"), (None, latest));
        assert_eq!(times("other"), (far, far), "its quiet time is another");
        assert_eq!(claim_due(&connection, &claim, None, now + quiet).unwrap().len(), 3);
    }

    #[test]
    fn a_person_who_decides_after_the_clock_was_set_forward_has_to_look_again() {
        let connection = Connection::open_in_memory().unwrap();
        migrate(&connection).unwrap();
        let (now, quiet, hour) = (1_793_000_000_000, Duration::from_secs(60), 3_600_000);
        let insert = "INSERT INTO lastmile_order (key, supplier, kind, digest, body, state, due, settled_at, mark, manual_check, decision)
                      VALUES (?1, 'fake', 'k', 'd', 'b', ?2, ?3, ?4, 1, ?5, ?6)";
        for (key, state, due, check, decision) in [
            ("person", "needs_person", None, Some("look"), None),
            ("decided", "indeterminate", Some(now), None, Some("absent")),
            ("sent", "in_flight", Some(now), None, None),
        ] {
            connection.execute(insert, params![key, state, due, now - hour, check, decision]).unwrap();
        }
        let claim = Claim {
            supplier: "fake".to_owned(),
            owner: "w".to_owned(),
            limit: 10,
            lease: Duration::from_secs(10),
            quiet,
            pace: None,
            latest: None,
        };
        let claimed = claim_due(&connection, &claim, Some(quiet), now).unwrap();
        let [decided] = &claimed[..] else { panic!("{} are claimed", claimed.len()) };
        assert_eq!((decided.decision.as_deref(), decided.settling), (Some("absent"), quiet));
        let person = people::find(&connection, "person", now).unwrap();
        assert_eq!(person.settling, quiet, "a decision is refused until then");
    }
}
