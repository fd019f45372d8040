//! When a service can be ordered: dates in the forms of all dialects.

use chrono::{DateTime, Datelike as _, FixedOffset, TimeDelta, Utc};
use lastmile_core::wire::{Lenient, Text, Timestamp};

use super::Offer;

/// A date of a service, in the forms of all dialects.
///
/// | form | is |
/// |---|---|
/// | `YES` (2.4), 1990-01-01, 1970-01-01 | [`LongAgo`](Self::LongAgo) |
/// | `NO` (2.4), 3030-12-12 | [`NoDate`](Self::NoDate) |
/// | a date or a date and time | [`At`](Self::At) |
/// | `""`, `null`, a missing field | [`Unspecified`](Self::Unspecified) |
///
/// The dates that stand for others are recognised by the date alone. (Source: ON-API 2.4, accesses, services; 2.5, accesses,
/// and 2.6, services: their texts and samples differ in the time of day, and a sample of 2.5 has 1970.)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ServiceDate {
    /// A time in the past that the network does not know.
    LongAgo,
    /// A time in the future that the network does not know, or never.
    NoDate,
    /// This time. A date without a time stands for its first instant in UTC.
    At(DateTime<FixedOffset>),
    /// The network states no date.
    Unspecified,
    /// The network states something that cannot be read.
    Unreadable,
}

impl ServiceDate {
    /// Reads a date from the field of 2.5 and 2.6, or else from that of 2.4.
    fn of(date_time: &Lenient<Timestamp>, text: &Lenient<Text>) -> Self {
        let (date, is_nothing) = if date_time.is_absent() {
            (text.as_deref().map(|text| Self::of_text(text.trim())), text.is_nothing())
        } else {
            (date_time.get().map(|time| Self::at(time.at())), date_time.is_nothing())
        };
        date.unwrap_or(if is_nothing { Self::Unspecified } else { Self::Unreadable })
    }

    fn of_text(text: &str) -> Self {
        match text.to_ascii_uppercase().as_str() {
            "" => Self::Unspecified,
            "YES" => Self::LongAgo,
            "NO" => Self::NoDate,
            _ => {
                let read = serde_json::from_value::<Lenient<Timestamp>>(text.into()).ok();
                read.and_then(|time| time.get().copied()).map_or(Self::Unreadable, |time| Self::at(time.at()))
            }
        }
    }

    fn at(time: DateTime<FixedOffset>) -> Self {
        match (time.year(), time.ordinal()) {
            (1990 | 1970, 1) => Self::LongAgo,
            (3000.., _) => Self::NoDate,
            _ => Self::At(time),
        }
    }
}

/// Whether a service can be ordered at some time, and until when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Availability {
    /// Whether it can be ordered.
    pub state: AvailabilityState,
    /// When the service is no longer available. `None` if the network knows no end.
    pub until: Option<DateTime<FixedOffset>>,
}

/// Whether a service can be ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AvailabilityState {
    /// It can be ordered, since this time if the network states one.
    Since(Option<DateTime<FixedOffset>>),
    /// It can be ordered from this time on.
    From(DateTime<FixedOffset>),
    /// It cannot be ordered: it has ended, or nobody knows when it will be available.
    Not,
    /// The network does not say, or what it says cannot be read.
    Unknown,
}

impl Availability {
    /// Returns whether the service can be ordered without a later date.
    pub fn is_now(&self) -> bool {
        matches!(self.state, AvailabilityState::Since(_))
    }

    fn of(available: ServiceDate, disconnection: ServiceDate, now: DateTime<Utc>) -> Self {
        let until = match disconnection {
            ServiceDate::At(time) => Some(time),
            ServiceDate::LongAgo => Some(now.fixed_offset() - TimeDelta::days(1)),
            _ => None,
        };
        let state = match available {
            _ if until.is_some_and(|until| until <= now) => AvailabilityState::Not,
            ServiceDate::LongAgo => AvailabilityState::Since(None),
            ServiceDate::At(time) if time <= now => AvailabilityState::Since(Some(time)),
            ServiceDate::At(time) => AvailabilityState::From(time),
            ServiceDate::NoDate => AvailabilityState::Not,
            ServiceDate::Unspecified | ServiceDate::Unreadable => AvailabilityState::Unknown,
        };
        let until = until.filter(|_| disconnection != ServiceDate::LongAgo);
        Self { state, until }
    }
}

impl Offer<'_> {
    /// Returns when the service can technically be delivered for the first time.
    pub fn connection(&self) -> ServiceDate {
        let service = self.service();
        ServiceDate::of(&service.connection_date_time, &service.connection)
    }

    /// Returns from when the service can be ordered.
    pub fn available(&self) -> ServiceDate {
        let service = self.service();
        ServiceDate::of(&service.available_date_time, &service.available)
    }

    /// Returns from when the service is no longer available.
    pub fn disconnection(&self) -> ServiceDate {
        let service = self.service();
        ServiceDate::of(&service.disconnection_date_time, &service.disconnection)
    }

    /// Returns whether the service can be ordered at a time, usually `SystemTime::now()`, and until when.
    pub fn availability(&self, at: impl Into<DateTime<Utc>>) -> Availability {
        Availability::of(self.available(), self.disconnection(), at.into())
    }
}

#[cfg(test)]
mod tests {
    use lastmile_onapi::types::Service;
    use serde_json::{Value, json};

    use super::*;

    fn read(service: &Value) -> Availability {
        let service: Service = serde_json::from_value(service.clone()).unwrap();
        let available = ServiceDate::of(&service.available_date_time, &service.available);
        let disconnection = ServiceDate::of(&service.disconnection_date_time, &service.disconnection);
        Availability::of(available, disconnection, "2026-03-02T06:00:00Z".parse().unwrap())
    }

    #[test]
    fn the_forms_of_all_dialects_are_read() {
        use AvailabilityState::{From, Not, Since, Unknown};
        let time = |text: &str| DateTime::parse_from_rfc3339(text).unwrap();
        for (available, expected) in [
            (json!({ "available": "YES", "disconnection": "" }), Since(None)),
            (json!({ "available": "NO" }), Not),
            (json!({ "available": "2019-01-01" }), Since(Some(time("2019-01-01T00:00:00Z")))),
            (json!({ "available": "2026-12-31" }), From(time("2026-12-31T00:00:00Z"))),
            (json!({ "available": "" }), Unknown),
            (json!({ "available": "soon" }), Unknown),
            (json!({}), Unknown),
            (json!({ "availableDateTime": "" }), Unknown),
            (json!({ "availableDateTime": "1990-01-01T00:00:01Z" }), Since(None)),
            (json!({ "availableDateTime": "1970-01-01T00:00:00Z" }), Since(None)),
            (json!({ "availableDateTime": "3030-12-12T14:09:23Z" }), Not),
            (
                json!({ "availableDateTime": "2013-10-12T14:09:23Z" }),
                Since(Some(time("2013-10-12T14:09:23Z"))),
            ),
            (json!({ "available": "YES", "disconnection": "2018-12-31" }), Not),
        ] {
            assert_eq!(read(&available).state, expected, "{available}");
        }
        let ends = json!({ "available": "YES", "disconnection": "2026-12-31" });
        assert_eq!(read(&ends).until, Some(time("2026-12-31T00:00:00Z")));
        assert!(read(&ends).is_now());
        let no_end = json!({ "available": "YES", "disconnectionDateTime": "3030-12-12T00:00:01Z" });
        assert_eq!(read(&no_end).until, None);
    }
}
