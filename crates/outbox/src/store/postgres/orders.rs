//! What workers write into the orders that they hold.
//!
//! Both statements lock each order by itself and find it by its number, even if their plans were made while the table was new and are kept
//! until PostgreSQL analyzes the table that has grown. The updates check all conditions, because an order may change before it is locked.

use super::Postgres;
use super::group::{Locked, OrderWrite};
use crate::Error;
use crate::machine::Booking;
use crate::store::rows::{Fence, millis};

/// An order is about to be sent.
pub(super) struct Mark {
    pub(super) fence: Fence,
    pub(super) body: String,
    /// How long the order must still be claimed, in milliseconds.
    pub(super) needed: i64,
    /// How long the supplier may process the request after the lease has ended, in milliseconds.
    pub(super) settle: i64,
}

/// What became of an order.
pub(super) struct Booked {
    pub(super) fence: Fence,
    pub(super) booking: Booking,
}

/// The first columns of all writes.
fn fences<'a>(fences: impl Iterator<Item = &'a Fence> + Clone) -> (Vec<i64>, Vec<&'a str>, Vec<i64>) {
    (
        fences.clone().map(|fence| fence.id).collect(),
        fences.clone().map(|fence| fence.owner.as_str()).collect(),
        fences.map(|fence| fence.epoch).collect(),
    )
}

impl Mark {
    pub(super) fn sql(locked: Locked) -> String {
        // clock_timestamp(), because now() is the time at which the transaction began. The commit is durable before this returns: the
        // setting is that of the transaction, because behind a pool in transaction mode this may be another session than the one
        // that `connect` has set up.
        format!(
            "WITH held AS (
               SELECT m.* FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::text[], $5::bigint[], $6::bigint[])
                 WITH ORDINALITY AS m (id, owner, epoch, body, needed, settle, number)
               CROSS JOIN LATERAL (SELECT owner, epoch FROM lastmile_order WHERE id = m.id FOR NO KEY UPDATE {}) AS locked
               WHERE locked.owner = m.owner AND locked.epoch = m.epoch)
             UPDATE lastmile_order o SET state = 'in_flight', mark = o.mark + 1, body = held.body, mark_may_be_lost = false,
               settled_at = o.due + held.settle * interval '1 millisecond'
             FROM held,
               (SELECT set_config('synchronous_commit', coalesce(nullif(current_setting('synchronous_commit'), 'off'), 'on'), true)
                AS level) AS durable
             WHERE durable.level <> 'off' AND o.id = held.id AND o.owner = held.owner AND o.epoch = held.epoch AND o.state = 'ready'
               AND o.due > clock_timestamp() + held.needed * interval '1 millisecond'
             RETURNING held.number",
            locked.sql()
        )
    }
}

impl OrderWrite for Mark {
    // Nobody would send the order.
    const OUTLIVES_WORKER: bool = false;

    fn bytes(&self) -> usize {
        self.body.len()
    }

    async fn write_all(postgres: &Postgres, marks: &[Self], locked: Locked) -> Result<Vec<i64>, Error> {
        let sql = Self::sql(locked);
        let (ids, owners, epochs) = fences(marks.iter().map(|mark| &mark.fence));
        let bodies: Vec<&str> = marks.iter().map(|mark| mark.body.as_str()).collect();
        let needed: Vec<i64> = marks.iter().map(|mark| mark.needed).collect();
        let settle: Vec<i64> = marks.iter().map(|mark| mark.settle).collect();
        let rows = postgres.query(&sql, &[&ids, &owners, &epochs, &bodies, &needed, &settle]).await?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }
}

impl Booked {
    pub(super) fn sql(locked: Locked) -> String {
        // One statement, so that an order and its event are one transaction and one round trip.
        format!(
            "WITH held AS (
               SELECT b.* FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::bigint[], $7::bigint[],
                 $8::bigint[], $9::bool[], $10::bool[], $11::text[], $12::text[], $13::text[], $14::bool[], $15::text[], $16::text[],
                 $17::bigint[])
                 WITH ORDINALITY AS b (id, owner, epoch, state, body, due, attempts, doubts, next_step, keeps_decision, reason,
                   manual_check, result, is_final, what, data, settle, number)
               CROSS JOIN LATERAL (SELECT owner, epoch FROM lastmile_order WHERE id = b.id FOR NO KEY UPDATE {}) AS locked
               WHERE locked.owner = b.owner AND locked.epoch = b.epoch),
             booked AS (
               UPDATE lastmile_order o SET state = held.state, body = coalesce(held.body, o.body),
                 due = clock_timestamp() + held.due * interval '1 millisecond',
                 owner = NULL, crashes = 0, attempts = held.attempts, doubts = held.doubts, step = o.step + held.next_step::int,
                 step_marks = CASE WHEN held.next_step THEN o.step_marks || o.mark || ' ' ELSE o.step_marks END,
                 decision = CASE WHEN held.keeps_decision THEN o.decision END,
                 decision_data = CASE WHEN held.keeps_decision THEN o.decision_data END,
                 reason = held.reason, manual_check = held.manual_check, result = coalesce(held.result, o.result),
                 finished_at = CASE WHEN held.is_final THEN clock_timestamp() END,
                 settled_at = coalesce(clock_timestamp() + held.settle * interval '1 millisecond', o.settled_at)
               FROM held WHERE o.id = held.id AND o.owner = held.owner AND o.epoch = held.epoch
               RETURNING o.id, o.step, held.what, held.data, held.number),
             written AS (
               INSERT INTO lastmile_event (order_id, step, what, data)
               SELECT id, step, what, data FROM booked
               WHERE what IS NOT NULL AND EXISTS (SELECT FROM lastmile_consumer) RETURNING id),
             delivered AS (
               INSERT INTO lastmile_delivery (consumer, event_id)
               SELECT c.name, w.id FROM written w CROSS JOIN lastmile_consumer c)
             SELECT number FROM booked",
            locked.sql()
        )
    }
}

impl OrderWrite for Booked {
    // What a supplier has answered may not be found out again.
    const OUTLIVES_WORKER: bool = true;

    fn bytes(&self) -> usize {
        let Booking { body, reason, manual_check, result, event, .. } = &self.booking;
        let data = event.as_ref().and_then(|event| event.data.as_ref());
        [body.as_ref(), reason.as_ref(), manual_check.as_ref(), result.as_ref(), data]
            .into_iter()
            .flatten()
            .map(String::len)
            .sum()
    }

    async fn write_all(postgres: &Postgres, booked: &[Self], locked: Locked) -> Result<Vec<i64>, Error> {
        let sql = Self::sql(locked);
        let bookings = || booked.iter().map(|booked| &booked.booking);
        let texts = |of: fn(&Booking) -> Option<&str>| -> Vec<Option<&str>> { bookings().map(of).collect() };
        let (ids, owners, epochs) = fences(booked.iter().map(|booked| &booked.fence));
        let states: Vec<&str> = bookings().map(|booking| booking.state.as_str()).collect();
        let due: Vec<Option<i64>> =
            bookings().map(|booking| booking.state.is_active().then(|| millis(booking.due))).collect();
        let attempts: Vec<i64> = bookings().map(|booking| booking.tries.attempts).collect();
        let doubts: Vec<i64> = bookings().map(|booking| booking.tries.doubts).collect();
        let next_step: Vec<bool> = bookings().map(|booking| booking.next_step).collect();
        let keeps_decision: Vec<bool> = bookings().map(|booking| booking.keeps_decision).collect();
        let is_final: Vec<bool> = bookings().map(|booking| booking.state.is_final()).collect();
        let settle: Vec<Option<i64>> = bookings().map(|booking| booking.settle.map(millis)).collect();
        let rows = postgres
            .query(
                &sql,
                &[
                    &ids,
                    &owners,
                    &epochs,
                    &states,
                    &texts(|booking| booking.body.as_deref()),
                    &due,
                    &attempts,
                    &doubts,
                    &next_step,
                    &keeps_decision,
                    &texts(|booking| booking.reason.as_deref()),
                    &texts(|booking| booking.manual_check.as_deref()),
                    &texts(|booking| booking.result.as_deref()),
                    &is_final,
                    &texts(|booking| booking.event.as_ref().map(|event| event.what.as_str())),
                    &texts(|booking| booking.event.as_ref()?.data.as_deref()),
                    &settle,
                ],
            )
            .await?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }
}
