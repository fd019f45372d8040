//! How a worker processes a prepared value.

use std::time::{Duration, UNIX_EPOCH};

use lastmile::{Creation, Error, Prepared, PreparedState};
use serde_json::{Value, json};

/// Returns the value as a second worker has it, or the same worker after a restart: stored and loaded.
pub fn copy<C: Creation>(prepared: &Prepared<C>) -> Prepared<C> {
    let stored = serde_json::to_string(prepared).expect("it can be stored");
    serde_json::from_str(&stored).expect("what was stored is read")
}

/// Places a value as a worker does that loaded it from a store: looks it up, marks, stores and sends it. Returns the
/// object that this value or a copy of it created.
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

/// Marks a value for a moment only, stores it, and loads it when its mark has expired this long ago: its worker has
/// crashed, or takes too long.
pub fn crashed<C: Creation>(prepared: &mut Prepared<C>, ago: Duration) -> Prepared<C> {
    prepared.mark_in_flight_for(Duration::ZERO).expect("it is ready");
    let mut stored = serde_json::to_value(&*prepared).expect("it can be stored");
    let send_by = Duration::from_millis(stored["send_by"].as_u64().expect("it is marked"));
    while UNIX_EPOCH.elapsed().expect("after 1970") <= send_by + Duration::from_millis(1) {
        std::hint::spin_loop();
    }
    stored["send_by"] = json!((send_by - ago).as_millis() as u64);
    serde_json::from_str(&stored.to_string()).expect("what was stored is read")
}

/// Returns the created object of a placed value, from its stored form.
pub fn created<C: Creation>(prepared: &Prepared<C>) -> Value {
    let json = |created: Option<&C::Created>| {
        serde_json::to_value(created.expect("it is kept")).expect("it can be stored")
    };
    let loaded = copy(prepared);
    assert_eq!(loaded.state(), PreparedState::Placed);
    assert_eq!(json(loaded.created()), json(prepared.created()));
    json(loaded.created())
}
