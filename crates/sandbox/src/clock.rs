//! A clock that moves only on demand, so that a run can be repeated byte for byte.

use std::fmt;

/// The seconds of a day.
pub(crate) const DAY: u64 = 86_400;

/// Seconds since 1970-01-01T00:00:00Z. `Display` writes an RFC 3339 timestamp in UTC.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock(u64);

impl Clock {
    /// The start of each simulation, a Monday morning: 2026-01-05T08:00:00Z.
    pub(crate) const START: Clock = Clock(1_767_600_000);

    /// Returns the clock at a number of seconds since 1970.
    pub(crate) fn at(seconds: u64) -> Clock {
        Clock(seconds)
    }

    /// Returns the number of seconds since 1970.
    pub(crate) fn seconds(self) -> u64 {
        self.0
    }

    /// Advances to a number of seconds since 1970, unless they have passed.
    pub(crate) fn advance_to(&mut self, seconds: u64) {
        self.0 = self.0.max(seconds);
    }

    pub(crate) fn tick(&mut self) {
        self.0 += 1;
    }

    /// Returns the same time of day, a number of days later.
    pub(crate) fn after_days(self, days: u64) -> Clock {
        Clock(self.0 + days * 86_400)
    }

    /// Returns whether the day is neither a Saturday nor a Sunday. 1970-01-01 was a Thursday.
    pub(crate) fn is_working_day(self) -> bool {
        (self.0 / 86_400 + 3) % 7 < 5
    }
}

impl fmt::Display for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = civil(self.0 / 86_400);
        let (hour, minute, second) = (self.0 / 3600 % 24, self.0 / 60 % 60, self.0 % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
    }
}

/// Converts days since 1970 to year, month and day. Counts in years that begin on the first of March, so the leap day
/// is the last day of a year, and in eras of 400 years, which all have the same length.
fn civil(days: u64) -> (u64, u64, u64) {
    let since_era_0 = days + 719_468;
    let (era, day_of_era) = (since_era_0 / 146_097, since_era_0 % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn display_is_rfc_3339() {
        let seconds_and_text = [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_767_225_599, "2025-12-31T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ];
        for (seconds, text) in seconds_and_text {
            assert_eq!(Clock(seconds).to_string(), text);
        }
        assert_eq!(Clock::START.to_string(), "2026-01-05T08:00:00Z");
    }

    #[test]
    fn working_days_are_recognized() {
        assert_eq!(Clock::START.after_days(27).to_string(), "2026-02-01T08:00:00Z");
        let week: Vec<_> = (0..8).map(|days| Clock::START.after_days(days).is_working_day()).collect();
        assert_eq!(week, [true, true, true, true, true, false, false, true]);
    }
}
