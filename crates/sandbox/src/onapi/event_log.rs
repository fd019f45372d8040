//! The clock of the CO, which goes on with each change, and what became of objects.

use serde_json::{Value, json};

use super::path_style::PathStyle;
use super::time::{Moment, rfc_3339};
use crate::clock::Clock;

/// What happened to an object.
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
    /// What stands in the address, which is the access for a subscription.
    key: String,
    pub(super) time: Moment,
}

impl ObjectEvent {
    /// A deleted object has no address any more.
    pub(super) fn value(&self, path_style: &PathStyle) -> Value {
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
            value["path"] = json!(path_style.item(self.collection, &self.key));
        }
        value
    }
}

/// A second for each change, since `If-Modified-Since` tells no fractions of one: what was changed after an
/// answer is always newer than its `Last-Modified`.
#[derive(Debug)]
pub(super) struct EventLog {
    now: Moment,
    events: Vec<ObjectEvent>,
}

impl EventLog {
    pub(super) fn new() -> EventLog {
        EventLog { now: EventLog::start_time(), events: Vec::new() }
    }

    /// When the CO opened; everything that was there then was changed then.
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

    /// Lets time go by, never back.
    pub(super) fn advance_to(&mut self, moment: Moment) {
        self.now = self.now.max(moment);
    }

    /// Notes a change and gives its moment.
    pub(super) fn record(&mut self, change: Change, collection: &'static str, id: &str, key: &str) -> Moment {
        let time = self.tick();
        self.record_now(change, collection, id, key);
        time
    }

    /// Notes one more change of this moment.
    pub(super) fn record_now(&mut self, change: Change, collection: &'static str, id: &str, key: &str) {
        let (id, key, time) = (id.to_owned(), key.to_owned(), self.now);
        self.events.push(ObjectEvent { change, collection, id, key, time });
    }
}
