//! The clock of the CO, and the events about its objects.

use serde_json::{Value, json};

use super::paths::Paths;
use super::time::{Moment, rfc_3339};
use crate::clock::Clock;

/// The type of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    Create,
    Update,
    Delete,
}

/// An event about an object (ON-API 2.6, events).
#[derive(Debug)]
pub(super) struct ObjectEvent {
    change: Change,
    collection: &'static str,
    id: String,
    /// The id in the path of the object; for a subscription that of its access.
    key: String,
    pub(super) time: Moment,
}

impl ObjectEvent {
    /// Returns the event as response bodies contain it. A deleted object has no path.
    pub(super) fn value(&self, paths: &Paths) -> Value {
        let (change, path) = match self.change {
            Change::Create => ("CREATE", true),
            Change::Update => ("UPDATE", true),
            Change::Delete => ("DELETE", false),
        };
        let mut value = json!({
            "type": change,
            "objectType": self.collection,
            "objectId": self.id,
            "time": rfc_3339(self.time),
        });
        if path {
            value["path"] = json!(paths.object(self.collection, &self.key));
        }
        value
    }
}

/// The clock and the events. The clock advances by one second with each change, because `If-Modified-Since` has no
/// fractions: a change after a response is always newer than its `Last-Modified`.
#[derive(Debug)]
pub(super) struct EventLog {
    now: Moment,
    events: Vec<ObjectEvent>,
}

impl EventLog {
    pub(super) fn new() -> EventLog {
        EventLog { now: EventLog::start_time(), events: Vec::new() }
    }

    /// Returns the time at which the simulation starts, which is the time of the latest change of everything that
    /// exists then.
    pub(super) fn start_time() -> Moment {
        Clock::START.seconds()
    }

    pub(super) fn now(&self) -> Moment {
        self.now
    }

    pub(super) fn events(&self) -> &[ObjectEvent] {
        &self.events
    }

    pub(super) fn tick(&mut self) -> Moment {
        self.now += 1;
        self.now
    }

    /// Advances the clock to a time, unless it has passed.
    pub(super) fn advance_to(&mut self, moment: Moment) {
        self.now = self.now.max(moment);
    }

    /// Advances the clock, records a change, and returns its time.
    pub(super) fn record(&mut self, change: Change, collection: &'static str, id: &str, key: &str) -> Moment {
        let time = self.tick();
        self.record_now(change, collection, id, key);
        time
    }

    /// Records another change at the current time.
    pub(super) fn record_now(&mut self, change: Change, collection: &'static str, id: &str, key: &str) {
        let (id, key, time) = (id.to_owned(), key.to_owned(), self.now);
        self.events.push(ObjectEvent { change, collection, id, key, time });
    }
}
