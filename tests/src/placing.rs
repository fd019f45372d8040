//! What a worker does with a prepared value.

use std::time::{Duration, UNIX_EPOCH};

use lastmile::{Creation, Error, Prepared};
use serde_json::Value;

/// The value as a second worker has it, or the same worker after a restart: stored and loaded.
pub fn copy<C: Creation>(prepared: &Prepared<C>) -> Prepared<C> {
    let stored = serde_json::to_string(prepared).expect("it can be stored");
    serde_json::from_str(&stored).expect("what was stored is read")
}

/// Places a value as a worker does that has it from a store: it is looked up, marked, stored and sent. Returns what was created,
/// by this value or by a copy of it.
pub async fn store_and_place<C: Creation>(
    prepared: &mut Prepared<C>,
    supplier: &C::Supplier,
) -> Result<C::Created, Error> {
    if let Some(created) = prepared.look_up(supplier).await? {
        return Ok(created);
    }
    prepared.mark_in_flight()?;
    serde_json::to_string(prepared).expect("it can be stored");
    prepared.place(supplier).await
}

/// Marks a value for a moment only, stores it, and loads it when the mark has lapsed: its worker has crashed.
pub fn crashed<C: Creation>(prepared: &mut Prepared<C>) -> Prepared<C> {
    prepared.mark_in_flight_for(Duration::ZERO).expect("it is ready");
    let stored = serde_json::to_value(&*prepared).expect("it can be stored");
    let send_by = stored["send_by"].as_u64().map(u128::from);
    while send_by.is_some_and(|by| UNIX_EPOCH.elapsed().expect("after 1970").as_millis() <= by) {
        std::hint::spin_loop();
    }
    let stored: Value = stored;
    serde_json::from_str(&stored.to_string()).expect("what was stored is read")
}
