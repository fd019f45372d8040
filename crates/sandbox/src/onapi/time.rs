//! Times in the formats of RFC 3339 and HTTP.

use std::time::{Duration, UNIX_EPOCH};

use crate::clock::Clock;

/// Seconds since 1970.
pub(super) type Moment = u64;

pub(super) const HOUR: u64 = 3600;
pub(super) const DAY: u64 = 24 * HOUR;

/// The last time whose year has four digits: 9999-12-31T23:59:59Z.
const LAST: Moment = 253_402_300_799;

/// Formats a time as RFC 3339, such as `2026-03-02T06:00:00Z`.
pub(super) fn rfc_3339(moment: Moment) -> String {
    Clock::at(moment).to_string()
}

/// Formats a time as an HTTP date, such as `Mon, 02 Mar 2026 06:00:00 GMT`.
pub(super) fn http_date(moment: Moment) -> String {
    httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(moment.min(LAST)))
}

/// Parses an HTTP date. An invalid one is ignored (RFC 9110, 13.1.3).
pub(super) fn parse_http_date(text: &str) -> Option<Moment> {
    let time = httpdate::parse_http_date(text).ok()?;
    time.duration_since(UNIX_EPOCH).ok().map(|since| since.as_secs())
}

/// Parses a date-time with any offset, or a date, which stands for its first second. Fractions are truncated; times
/// before 1970 become 0.
pub(super) fn parse_rfc_3339(text: &str) -> Option<Moment> {
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<i64>().ok();
    let days = days(number(0, 4)?, number(5, 7)?, number(8, 10)?)?;
    let seconds = match text.get(10..) {
        Some("") => 0,
        _ => {
            let time = number(11, 13)? * 3600 + number(14, 16)? * 60 + number(17, 19)?;
            time - offset(text.get(19..)?)?
        }
    };
    Some((days * 86_400 + seconds).try_into().unwrap_or(0))
}

/// Parses the part after the seconds, such as `.25+01:00`, and returns the offset from UTC in seconds.
fn offset(suffix: &str) -> Option<i64> {
    let suffix = suffix
        .strip_prefix('.')
        .map_or(suffix, |suffix| suffix.trim_start_matches(|c: char| c.is_ascii_digit()));
    if suffix.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let sign = match suffix.get(..1)? {
        "+" => 1,
        "-" => -1,
        _ => return None,
    };
    let (hours, minutes) = suffix.get(1..)?.split_once(':')?;
    Some(sign * (hours.parse::<i64>().ok()? * 3600 + minutes.parse::<i64>().ok()? * 60))
}

/// Returns the number of days since 1970. Counts in years that begin on the first of March.
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Some(era * 146_097 + day_of_era - 719_468)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_round_trip() {
        for moment in [0, 951_782_399, 951_782_400, 1_767_225_599, 1_772_431_200, 4_107_542_400, LAST] {
            assert_eq!(parse_rfc_3339(&rfc_3339(moment)), Some(moment), "{}", rfc_3339(moment));
            assert_eq!(parse_http_date(&http_date(moment)), Some(moment));
        }
        assert_eq!(http_date(1_772_431_200), "Mon, 02 Mar 2026 06:00:00 GMT");
    }

    #[test]
    fn dates_offsets_and_fractions_are_parsed() {
        let same = [
            "2026-03-02T06:00:00Z",
            "2026-03-02T06:00:00.1252z",
            "2026-03-02T07:00:00+01:00",
            "2026-03-01T22:30:00.5-07:30",
        ];
        for text in same {
            assert_eq!(parse_rfc_3339(text), Some(1_772_431_200), "{text}");
        }
        assert_eq!(parse_rfc_3339("2026-03-02").map(rfc_3339).as_deref(), Some("2026-03-02T00:00:00Z"));
        assert_eq!(parse_rfc_3339("1969-12-31T00:00:00Z"), Some(0));
        for text in
            ["", "soon", "2026-13-01", "2026-03-02T06:00", "2026-03-02T06:00:00", "2026-03-02T06:00:00+1"]
        {
            assert_eq!(parse_rfc_3339(text), None, "{text}");
        }
    }
}
