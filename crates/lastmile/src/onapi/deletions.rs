//! Finds out from the events of objects which objects were deleted.

use std::collections::{BTreeMap, VecDeque};

use chrono::{DateTime, Utc};
use futures_util::StreamExt as _;
use lastmile_core::rows::RowError;
use lastmile_core::{Error, Outcome};
use lastmile_onapi::types::{ObjectEvent, ObjectEventType};

use super::lists::{Changes, Cursor};
use super::sync::Deleted;
use super::synced::Kind;
use super::{EndpointName, OnApi};

/// The deletions that the events report.
#[derive(Default)]
pub(super) struct Deletions {
    pub(super) deleted: VecDeque<Deleted>,
    pub(super) cursor: Option<Cursor>,
    /// Whether the events may be incomplete or unclear.
    pub(super) doubtful: bool,
}

impl OnApi {
    /// Returns the objects of these kinds that were deleted since a cursor, or `None` if the network has no events.
    pub(super) async fn deletions(
        &self,
        kinds: &[Kind],
        since: Option<&Cursor>,
    ) -> Result<Option<Deletions>, Error> {
        let mut news = Deletions::default();
        if self.offers_endpoint(EndpointName::Events) == Some(false) {
            return Ok(None);
        }
        let mut rows = match self.object_events(since).await {
            Ok(Changes::Rows(rows)) => rows,
            Ok(Changes::NotModified) => return Ok(Some(news)),
            Ok(Changes::Nothing { .. }) => {
                // A network that has no such list, or that has lost its events, may return the same response.
                news.doubtful = true;
                return Ok(Some(news));
            }
            Err(error) if has_no_events(&error) => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut events = LastEvents::default();
        while let Some(row) = rows.next().await {
            match row {
                Ok(event) => news.doubtful |= !events.read(&event, kinds),
                Err(RowError::Call(error)) => return Err(error),
                // A list that breaks off has no cursor either.
                Err(_) => news.doubtful = true,
            }
        }
        news.doubtful |= !rows.is_whole_list();
        news.cursor = rows.cursor().cloned();
        let (deleted, is_sure) = events.deleted();
        (news.deleted, news.doubtful) = (deleted, news.doubtful || !is_sure);
        Ok(Some(news))
    }
}

/// Returns whether the network does not implement the events of objects. The standard defines them, but some networks lack
/// them.
fn has_no_events(error: &Error) -> bool {
    error.outcome() == Outcome::Rejected
        && error.status().is_some_and(|status| matches!(status.as_u16(), 404 | 405 | 501))
}

/// The time of an event, or `None` if the event has no time.
type Time = Option<DateTime<Utc>>;

/// The last event of an object among the events read so far.
struct Last {
    time: Time,
    /// Whether any event of the object has no time.
    is_untimed: bool,
    /// Whether the object is deleted. `None` when its events contradict each other and their order is not known.
    is_deleted: Option<bool>,
    /// The same, assuming that the list has the newest event first.
    is_deleted_backwards: Option<bool>,
}

/// The events of objects, reduced to the last event of each object.
#[derive(Default)]
struct LastEvents {
    objects: BTreeMap<(Kind, String), Last>,
    /// The time of the preceding event in the list.
    before: Time,
    /// Whether any event is newer, or older, than the event before it in the list.
    rises: bool,
    falls: bool,
}

impl LastEvents {
    /// Adds an event. Returns whether the event is clear.
    fn read(&mut self, event: &ObjectEvent, kinds: &[Kind]) -> bool {
        let time = event.time.get().map(|time| time.at().to_utc());
        if let (Some(before), Some(time)) = (self.before, time) {
            self.rises |= time > before;
            self.falls |= time < before;
        }
        self.before = time.or(self.before);
        let Some(name) = event.object_type.as_deref() else { return false };
        // Events of orders and tickets are ignored.
        let Some(kind) = Kind::named(name) else { return true };
        let is_deleted = match event.type_.get() {
            Some(ObjectEventType::Delete) => true,
            Some(ObjectEventType::Create | ObjectEventType::Update) => false,
            _ => return false,
        };
        let id = match (event.object_id.as_deref(), event.object_id.unexpected()) {
            (Some(id), None) if !id.trim().is_empty() => id.to_owned(),
            // An id that arrives as a number may have lost its leading zeros.
            _ => return false,
        };
        if kinds.contains(&kind) {
            self.record((kind, id), time, is_deleted);
        }
        true
    }

    fn record(&mut self, object: (Kind, String), time: Time, is_deleted: bool) {
        let said = Some(is_deleted);
        let new = Last { time, is_untimed: time.is_none(), is_deleted: said, is_deleted_backwards: said };
        let Some(last) = self.objects.get_mut(&object) else {
            self.objects.insert(object, new);
            return;
        };
        if last.is_untimed || new.is_untimed {
            last.is_untimed = true;
            if (last.is_deleted, last.is_deleted_backwards) != (said, said) {
                (last.is_deleted, last.is_deleted_backwards) = (None, None);
            }
        } else if time > last.time {
            *last = new;
        } else if time == last.time {
            // The order of the list decides which of the two events is the later one. `is_deleted` holds the event that comes
            // later in the list, and `is_deleted_backwards` keeps the one that comes first.
            last.is_deleted = said;
        }
    }

    /// Returns the deleted objects, in a stable order, and whether the events are clear for every object.
    fn deleted(self) -> (VecDeque<Deleted>, bool) {
        let (mut deleted, mut is_sure) = (VecDeque::new(), true);
        for ((kind, id), last) in self.objects {
            let is_deleted = match (self.rises, self.falls) {
                (true, false) => last.is_deleted,
                (false, true) => last.is_deleted_backwards,
                _ => last.is_deleted.filter(|_| last.is_deleted == last.is_deleted_backwards),
            };
            is_sure &= is_deleted.is_some();
            if is_deleted == Some(true) {
                deleted.push_back(kind.deleted(id));
            }
        }
        (deleted, is_sure)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// Returns the ids that these events, each given as type, id and minute, report as deleted, and whether that is certain.
    fn deleted(events: &[(&str, &str, Option<u32>)]) -> (Vec<String>, bool) {
        let mut last = LastEvents::default();
        let mut is_clear = true;
        for (kind, id, minute) in events {
            let time = minute.map_or(Value::Null, |at| json!(format!("2026-03-02T06:{at:02}:00Z")));
            let event = json!({ "type": kind, "objectType": "accesses", "objectId": id, "time": time });
            is_clear &= last.read(&serde_json::from_value(event).unwrap(), &[Kind::Access]);
        }
        let (deleted, is_sure) = last.deleted();
        let id = |gone| match gone {
            Deleted::Access(id) => id,
            other => panic!("{other:?}"),
        };
        (deleted.into_iter().map(id).collect(), is_sure && is_clear)
    }

    #[test]
    fn the_newest_event_of_an_object_counts_wherever_it_stands() {
        let mut events = [
            ("CREATE", "brief", Some(1)),
            ("DELETE", "back", Some(2)),
            ("DELETE", "brief", Some(3)),
            ("CREATE", "back", Some(4)),
            ("UPDATE", "other", Some(5)),
        ];
        let expected = (vec!["brief".to_owned()], true);
        assert_eq!(deleted(&events), expected);
        events.reverse();
        assert_eq!(deleted(&events), expected, "newest first");
        events.swap(0, 2);
        assert_eq!(deleted(&events), expected, "in no order");
    }

    #[test]
    fn events_of_one_moment_are_ordered_as_the_list_is() {
        let forwards = [("CREATE", "x", Some(1)), ("CREATE", "a", Some(2)), ("DELETE", "a", Some(2))];
        assert_eq!(deleted(&forwards), (vec!["a".to_owned()], true));
        let backwards = [("DELETE", "a", Some(2)), ("CREATE", "a", Some(2)), ("CREATE", "x", Some(1))];
        assert_eq!(deleted(&backwards), (vec!["a".to_owned()], true));
        let unknown = [("CREATE", "a", Some(2)), ("DELETE", "a", Some(2))];
        assert_eq!(deleted(&unknown), (vec![], false), "either may be the last");
    }

    #[test]
    fn without_times_a_contradiction_is_doubtful_and_deletes_nothing() {
        let both = [("CREATE", "a", None), ("DELETE", "a", None), ("DELETE", "b", None)];
        assert_eq!(deleted(&both), (vec!["b".to_owned()], false));
        let agreed = [("DELETE", "a", None), ("DELETE", "a", Some(1)), ("UPDATE", "b", None)];
        assert_eq!(deleted(&agreed), (vec!["a".to_owned()], true));
        let half = [("DELETE", "a", Some(1)), ("CREATE", "a", None), ("DELETE", "a", Some(2))];
        assert_eq!(deleted(&half), (vec![], false));
        let late = [("CREATE", "a", Some(1)), ("CREATE", "a", None), ("DELETE", "a", Some(2))];
        assert_eq!(deleted(&late), (vec![], false));
    }
}
