//! What happened to orders and services.

use serde_json::{Value, json};

use super::error_response::ErrorResponse;
use super::generator::Generator;
use super::page::Page;
use super::query::Query;

/// Events in the order in which they happened. They are never taken back, but the oldest may be forgotten.
#[derive(Debug, Default)]
pub(super) struct Events {
    /// The oldest first.
    kept: Vec<Value>,
    /// How many there ever were.
    count: usize,
    /// How many are answered at once at the most, whatever is asked for.
    max_page: Option<usize>,
}

impl Events {
    /// Notes what happened to an order or a service. The supplier's samples show these moments without an
    /// offset, unlike all others.
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

    /// The latest first unless sorted otherwise (events page). The pause of 30 seconds that its French
    /// edition asks for is not enforced.
    pub(super) fn list(&self, query: &Query) -> Result<Page, ErrorResponse> {
        let wanted = ["object_type", "object_uuid"].map(|name| (name, query.get(name)));
        let matches = |event: &&Value| {
            let fit = |(name, value): &(&str, Option<&str>)| value.is_none_or(|value| event[*name] == value);
            wanted.iter().all(fit)
        };
        let events = self.kept.iter().filter(matches);
        // They happened, and were recorded, in the order in which they are kept.
        match query.get("sort").unwrap_or("-event_date") {
            "event_date" | "creation_date" => Ok(Page::at_most(self.max_page(), events, query)),
            "-event_date" | "-creation_date" => Ok(Page::at_most(self.max_page(), events.rev(), query)),
            _ => Err(ErrorResponse::field("sort", "Sorted by event_date or creation_date only.")),
        }
    }
}
