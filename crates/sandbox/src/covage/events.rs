//! The events about orders and services.

use serde_json::{Value, json};

use super::error_response::ErrorResponse;
use super::generator::Generator;
use super::page::Page;
use super::query::Query;

/// Events in the order in which they happened. The oldest can be deleted.
#[derive(Debug, Default)]
pub(super) struct Events {
    /// The remaining events, the oldest first.
    kept: Vec<Value>,
    /// How many events there have been.
    count: usize,
    /// The maximum number of events in a page, whatever `limit` the request has.
    max_page: Option<usize>,
}

impl Events {
    /// Records an event about an order or a service. In the supplier's samples the times of events have no offset,
    /// unlike all others.
    pub(super) fn add(&mut self, kind: &str, object_type: &str, object: &Value, generator: &mut Generator) {
        let mut moment = || generator.stamp().trim_end_matches('Z').to_owned();
        let (happened, recorded) = (moment(), moment());
        self.kept.push(json!({
            "event_uuid": generator.short_id(),
            "model": "event",
            "type": kind,
            "object_type": object_type,
            "object_uuid": object["uuid"],
            "object_alias": object["reference"],
            "event_date": happened,
            "creation_date": recorded,
            "modification_date": recorded,
            "data": {},
            "sort_value": format!("{:06}", self.count),
        }));
        self.count += 1;
    }

    pub(super) fn delete_oldest(&mut self, oldest: usize) {
        self.kept.drain(..oldest.min(self.kept.len()));
    }

    pub(super) fn set_max_page(&mut self, events: usize) {
        self.max_page = Some(events);
    }

    fn max_page(&self) -> usize {
        self.max_page.unwrap_or(usize::MAX)
    }

    /// Lists events, the latest first unless `sort` says otherwise (events page). The interval of 30 seconds that the
    /// French edition demands is not enforced.
    pub(super) fn list(&self, query: &Query) -> Result<Page, ErrorResponse> {
        let wanted = ["object_type", "object_uuid"].map(|name| (name, query.get(name)));
        let matches = |event: &&Value| {
            let fit = |(name, value): &(&str, Option<&str>)| value.is_none_or(|value| event[*name] == value);
            wanted.iter().all(fit)
        };
        let events = self.kept.iter().filter(matches);
        // Events are stored in the order of both dates.
        match query.get("sort").unwrap_or("-event_date") {
            "event_date" | "creation_date" => Ok(Page::limited_to(self.max_page(), events, query)),
            "-event_date" | "-creation_date" => Ok(Page::limited_to(self.max_page(), events.rev(), query)),
            _ => Err(ErrorResponse::field("sort", "Sorted by event_date or creation_date only.")),
        }
    }
}
