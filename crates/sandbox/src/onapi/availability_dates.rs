//! When a service can be delivered and ordered, and how each dialect writes it.

use serde_json::{Value, json};

use super::dialect::Dialect;
use super::fixtures::InitialState;
use super::services::ServiceKind;
use super::time::{DAY, Moment, rfc_3339};

/// 2013-10-12T14:09:23Z.
const FIRST_LINES: Moment = 1_381_586_963;
/// 2031-01-01T00:00:00Z, which no simulation reaches.
const LATER: Moment = 1_924_992_000;

/// One of the three dates of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Date {
    /// At an unknown time in the past.
    LongAgo,
    /// At a known time in the past or future.
    Known(Moment),
    /// At an unknown time in the future.
    SomeDay,
    /// Not known, or never.
    Unknown,
}

/// The dates of a service on an access.
#[derive(Debug, Clone, Copy)]
pub(super) struct ServiceDates {
    connection: Date,
    available: Date,
    disconnection: Date,
}

impl ServiceDates {
    /// Returns the dates of a service on the line with this number. The dates of one line differ from those of the
    /// next, so that each form that a dialect has occurs.
    pub(super) fn of(line: usize, state: InitialState, kind: ServiceKind) -> ServiceDates {
        let connected = match line % 3 {
            0 => Date::LongAgo,
            days => Date::Known(FIRST_LINES + days as u64 * DAY),
        };
        let ends = kind == ServiceKind::Telephone && line.is_multiple_of(4);
        let disconnection = if ends { Date::Known(LATER) } else { Date::Unknown };
        let (connection, available) = match (state.is_not_yet_orderable(kind), state) {
            (false, _) => (connected, connected),
            (true, InitialState::TelephoneNotYet) => (connected, Date::Known(LATER)),
            (true, _) if kind == ServiceKind::Broadband => (Date::SomeDay, Date::SomeDay),
            (true, _) => (Date::SomeDay, Date::Unknown),
        };
        ServiceDates { connection, available, disconnection }
    }

    /// Adds the dates to a service, with the names and in the form of the dialect. `in_list` says whether the service
    /// is one of a list of all accesses.
    pub(super) fn write(&self, service: &mut Value, dialect: Dialect, in_list: bool) {
        let names = match dialect {
            Dialect::Standard24 => ["connection", "available", "disconnection"],
            _ => ["connectionDateTime", "availableDateTime", "disconnectionDateTime"],
        };
        let dates = [self.connection, self.available, self.disconnection];
        for (index, (name, date)) in names.into_iter().zip(dates).enumerate() {
            let is_end = index == 2;
            service[name] = json!(match dialect {
                Dialect::Vendor26 => date.of_the_vendor(is_end),
                Dialect::Standard24 => date.of_2_4(is_end),
                // The sample of the list shows another date of long ago than the text of the same version.
                Dialect::Standard25 if in_list && date == Date::LongAgo => "1970-01-01T00:00:00Z".to_owned(),
                Dialect::Standard25 | Dialect::Standard26 => date.date_time(),
            });
        }
    }
}

impl Date {
    /// Returns the date as 2.4 writes it: a date, or whether the time has come.
    fn of_2_4(self, is_end: bool) -> String {
        match self {
            Date::LongAgo => "YES".to_owned(),
            Date::Known(moment) => rfc_3339(moment)[..10].to_owned(),
            Date::SomeDay | Date::Unknown if is_end => String::new(),
            Date::SomeDay | Date::Unknown => "NO".to_owned(),
        }
    }

    /// Returns the date as 2.5 and 2.6 write it: a date-time, or one that stands for an unknown one.
    fn date_time(self) -> String {
        match self {
            Date::LongAgo => "1990-01-01T00:00:01Z".to_owned(),
            Date::Known(moment) => rfc_3339(moment),
            Date::SomeDay => "3030-12-12T00:00:01Z".to_owned(),
            Date::Unknown => String::new(),
        }
    }

    /// Returns the date as the vendor writes it, who knows no dates of his own.
    fn of_the_vendor(self, is_end: bool) -> String {
        match self {
            _ if is_end => String::new(),
            Date::Known(moment) if moment < LATER => Date::LongAgo.date_time(),
            Date::LongAgo => self.date_time(),
            _ => Date::SomeDay.date_time(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(line: usize, dialect: Dialect, in_list: bool) -> [Value; 3] {
        let mut service = json!({});
        let dates = ServiceDates::of(line, InitialState::of(line), ServiceKind::Telephone);
        dates.write(&mut service, dialect, in_list);
        let name = |name: &str| match dialect {
            Dialect::Standard24 => name.to_owned(),
            _ => format!("{name}DateTime"),
        };
        ["connection", "available", "disconnection"].map(|one| service[name(one)].clone())
    }

    #[test]
    fn each_dialect_writes_dates_in_its_form() {
        assert_eq!(written(0, Dialect::Standard24, true), ["YES", "YES", "2031-01-01"]);
        assert_eq!(written(1, Dialect::Standard24, false), ["2013-10-13", "2013-10-13", ""]);
        assert_eq!(written(5, Dialect::Standard24, false), ["NO", "NO", ""]);
        assert_eq!(written(11, Dialect::Standard24, false), ["2013-10-14", "2031-01-01", ""]);
        let (old, listed) = ("1990-01-01T00:00:01Z", "1970-01-01T00:00:00Z");
        assert_eq!(written(0, Dialect::Standard25, false), [old, old, "2031-01-01T00:00:00Z"]);
        assert_eq!(written(0, Dialect::Standard25, true), [listed, listed, "2031-01-01T00:00:00Z"]);
        assert_eq!(written(5, Dialect::Standard26, false), ["3030-12-12T00:00:01Z", "", ""]);
        assert_eq!(written(1, Dialect::Vendor26, false), [old, old, ""]);
        assert_eq!(written(5, Dialect::Vendor26, false)[1], "3030-12-12T00:00:01Z");
    }
}
