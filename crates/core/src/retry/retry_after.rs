//! Reads `Retry-After` ([RFC 9110, 10.2.3](https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3)).
//!
//! The reader accepts what servers and gateways really send beside the two documented forms, and errs on the side of waiting:
//! it never returns a shorter time than the one that was asked for.

use std::time::{Duration, SystemTime};

use chrono::{NaiveDate, NaiveTime};
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};

/// The pause for a `Retry-After` that is present and cannot be read. The server asks for a pause of unknown length; five
/// seconds is far above the usual backoff and still lets a call of the default deadline try again.
pub(crate) const UNREADABLE_PAUSE: Duration = Duration::from_secs(5);

/// How long `Retry-After` asks to wait: seconds, or the time until a date (nothing if that has passed). Of several values, in
/// several headers or separated by commas, the longest counts. A value that cannot be read counts as
/// [`UNREADABLE_PAUSE`]; none is returned only when there is no such header.
pub(crate) fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let values = headers.get_all(RETRY_AFTER);
    // By the clock that the date was made with, if the answer has a date of its own.
    let clock = || {
        let date = headers.get(DATE).and_then(|date| parse_date(&String::from_utf8_lossy(date.as_bytes())));
        date.unwrap_or(now)
    };
    values.iter().map(|value| longest(&String::from_utf8_lossy(value.as_bytes()), &clock)).max()
}

fn longest(value: &str, clock: &dyn Fn() -> SystemTime) -> Duration {
    if let Some(wait) = parse(value, clock) {
        return wait;
    }
    // A list. A date has a comma of its own, behind the name of the day.
    let mut parts = value.split([',', ';']).peekable();
    let mut longest = None;
    while let Some(part) = parts.next() {
        let date = parts.peek().filter(|_| is_weekday(trimmed(part))).map(|rest| format!("{part},{rest}"));
        let wait = match date {
            Some(date) => {
                parts.next();
                parse(&date, clock)
            }
            None if trimmed(part).is_empty() => continue,
            None => parse(part, clock),
        };
        longest = longest.max(Some(wait.unwrap_or(UNREADABLE_PAUSE)));
    }
    longest.unwrap_or(UNREADABLE_PAUSE)
}

/// Without the blanks and quotes around it.
fn trimmed(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || matches!(c, '"' | '\''))
}

fn parse(value: &str, clock: &dyn Fn() -> SystemTime) -> Option<Duration> {
    let value = trimmed(value);
    seconds(value).or_else(|| parse_date(value).map(|date| date.duration_since(clock()).unwrap_or_default()))
}

/// A number of seconds: `120`, `2.5`, `120s`, `2 minutes`.
fn seconds(value: &str) -> Option<Duration> {
    let value = value.strip_prefix('+').unwrap_or(value);
    let end = value.find(|c: char| !c.is_ascii_digit()).unwrap_or(value.len());
    let (whole, rest) = value.split_at(end);
    if whole.is_empty() {
        return None;
    }
    // More seconds than can be counted are as good as never.
    let whole: u64 = whole.parse().unwrap_or(u64::MAX);
    let (fraction, unit) = match rest.strip_prefix('.') {
        Some(rest) => rest.split_at(rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len())),
        None => ("", rest),
    };
    // Rounded up to the next nanosecond, so that the time is never shorter than it was written.
    let digits = format!("{fraction:0<9}");
    let (kept, cut) = digits.split_at(9);
    let nanoseconds: u32 = kept.parse().ok()?;
    let rounded = u64::from(cut.bytes().any(|digit| digit != b'0'));
    let wait =
        Duration::from_secs(whole).saturating_add(Duration::from_nanos(u64::from(nanoseconds) + rounded));
    let factor = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "s" | "sec" | "secs" | "second" | "seconds" => 1,
        "m" | "min" | "mins" | "minute" | "minutes" => 60,
        "h" | "hour" | "hours" => 3600,
        _ => return None,
    };
    Some(wait.saturating_mul(factor))
}

/// A date in the three forms of RFC 9110 (IMF-fixdate, RFC 850, asctime), with the deviations that servers are known for: a day
/// of one digit, another or no name of the day, an offset instead of `GMT`; or as RFC 3339 writes it. A date without a zone is in
/// GMT, as those of RFC 9110 are.
fn parse_date(text: &str) -> Option<SystemTime> {
    let text = trimmed(text);
    if let Ok(date) = httpdate::parse_http_date(text) {
        return Some(date);
    }
    if let Ok(date) = chrono::DateTime::parse_from_rfc3339(text) {
        return Some(date.into());
    }
    let (mut day, mut month, mut year, mut time, mut offset) = (None, None, None, None, None);
    for word in text.split([' ', '\t', ',']).filter(|word| !word.is_empty()) {
        let is_joined = word.contains('-') && word.contains(|c: char| c.is_ascii_alphabetic());
        let is_offset = word
            .get(..3)
            .is_some_and(|zone| zone.eq_ignore_ascii_case("GMT") || zone.eq_ignore_ascii_case("UTC"));
        if is_joined && !is_offset {
            // RFC 850: `06-Nov-94`.
            let mut parts = word.split('-');
            day = Some(number(parts.next()?)?);
            month = Some(month_of(parts.next()?)?);
            year = Some(full_year(parts.next()?)?);
            continue;
        }
        // ISO 8601 with a blank for the `T`.
        if let [y, m, d] = word.split('-').collect::<Vec<_>>()[..]
            && y.len() == 4
        {
            (year, month, day) = (Some(full_year(y)?), Some(number(m)?), Some(number(d)?));
            continue;
        }
        if word.contains(':') && time.is_none() {
            time = Some(time_of(word)?);
        } else if word.bytes().all(|byte| byte.is_ascii_digit()) {
            if day.is_none() {
                day = Some(number(word)?);
            } else if year.is_none() {
                year = Some(full_year(word)?);
            } else {
                return None;
            }
        } else if let Some(found) = month_of(word) {
            month = Some(found);
        } else if !is_weekday(word) {
            offset = Some(offset.unwrap_or(0) + offset_of(word)?);
        }
    }
    let date = NaiveDate::from_ymd_opt(year?, month?, day?)?.and_time(time?).and_utc();
    let date = date.checked_sub_signed(chrono::TimeDelta::try_seconds(offset.unwrap_or(0))?)?;
    Some(date.into())
}

fn number(text: &str) -> Option<u32> {
    text.parse().ok().filter(|_| text.len() <= 2)
}

fn full_year(text: &str) -> Option<i32> {
    let year: i32 = text.parse().ok()?;
    match text.len() {
        4 => Some(year),
        // As RFC 9110 reads the years of RFC 850, for the time in which this is used.
        2 => Some(if year < 70 { 2000 + year } else { 1900 + year }),
        _ => None,
    }
}

fn month_of(word: &str) -> Option<u32> {
    const MONTHS: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    let word = word.trim_end_matches('.').to_ascii_lowercase();
    let at = MONTHS.iter().position(|month| word.len() >= 3 && month.starts_with(&word))?;
    u32::try_from(at + 1).ok()
}

fn is_weekday(word: &str) -> bool {
    const DAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    let word = word.trim_end_matches('.').to_ascii_lowercase();
    word.len() >= 3 && DAYS.iter().any(|day| day.starts_with(&word))
}

fn time_of(word: &str) -> Option<NaiveTime> {
    let mut parts = word.split(':');
    let (hour, minute) = (number(parts.next()?)?, number(parts.next()?)?);
    // A leap second counts as the one before it, and a part of a second as the next whole one at the most.
    let (second, fraction) = match parts.next() {
        Some(second) => second.split_once('.').unwrap_or((second, "")),
        None => ("0", ""),
    };
    if parts.next().is_some() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let milliseconds = if fraction.bytes().any(|byte| byte != b'0') { 999 } else { 0 };
    NaiveTime::from_hms_milli_opt(hour, minute, number(second)?.min(59), milliseconds)
}

/// The seconds that a zone is ahead of GMT: `GMT`, `UTC`, `Z`, `+0100`, `GMT+1`, `+01:00`.
fn offset_of(word: &str) -> Option<i64> {
    let word = word.to_ascii_uppercase();
    let rest = ["GMT", "UTC", "UT", "Z"].iter().find_map(|name| word.strip_prefix(name)).unwrap_or(&word);
    if rest.is_empty() {
        return Some(0);
    }
    let (sign, digits) = match rest.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let (hours, minutes) = match digits.split_once(':') {
        Some(parts) => parts,
        None if digits.len() == 4 => digits.split_at_checked(2)?,
        None => (digits, "0"),
    };
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    (hours <= 14 && minutes < 60).then(|| sign * i64::from(hours * 3600 + minutes * 60))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: &str = "Sun, 06 Nov 1994 08:49:37 GMT";

    fn asked(values: &[&str]) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(RETRY_AFTER, value.parse().unwrap());
        }
        retry_after(&headers, httpdate::parse_http_date(NOW).unwrap())
    }

    #[test]
    fn both_documented_forms() {
        assert_eq!(asked(&["120"]), Some(Duration::from_secs(120)));
        assert_eq!(asked(&["18446744073709551615"]), Some(Duration::from_secs(u64::MAX)));
        assert_eq!(asked(&["Sun, 06 Nov 1994 08:50:07 GMT"]), Some(Duration::from_secs(30)));
        assert_eq!(asked(&["Sun, 06 Nov 1994 08:00:00 GMT"]), Some(Duration::ZERO));
        assert_eq!(asked(&[]), None);
    }

    #[test]
    fn numbers_of_seconds_in_other_spellings() {
        for (value, milliseconds) in [
            ("2.5", 2500),
            ("0.0", 0),
            ("3.", 3000),
            ("+7", 7000),
            ("\"120\"", 120_000),
            ("'120'", 120_000),
            ("120s", 120_000),
            ("120 seconds", 120_000),
            ("2 minutes", 120_000),
            ("1h", 3_600_000),
        ] {
            assert_eq!(asked(&[value]), Some(Duration::from_millis(milliseconds)), "{value}");
        }
        assert!(asked(&["0.0000000001"]).unwrap() > Duration::ZERO, "it is rounded up");
        assert_eq!(asked(&["99999999999999999999999"]), Some(Duration::from_secs(u64::MAX)));
    }

    #[test]
    fn dates_in_other_spellings() {
        for value in [
            "Sunday, 06-Nov-94 08:50:07 GMT",
            "Sunday, 6-Nov-1994 08:50:07 GMT",
            "Sun Nov  6 08:50:07 1994",
            "Sun Nov 6 08:50:07 1994",
            "Sun, 06 Nov 1994 08:50:07 +0000",
            "Sun, 06 Nov 1994 09:50:07 +0100",
            "Sun, 06 Nov 1994 03:20:07 -0530",
            "Sun, 06 Nov 1994 08:50:07 GMT+0",
            "Sun, 06 Nov 1994 08:50:07 GMT+00:00",
            "Sun, 06 Nov 1994 10:50:07 GMT+2",
            "Sun, 06 Nov 1994 08:50:07 UTC",
            "Sun, 06 Nov 1994 08:50:07 Z",
            "Sun, 06 Nov 1994 08:50:07",
            "Sun, 6 Nov 1994 08:50:07 GMT",
            "Sun,  6 Nov 1994 8:50:07 gmt",
            "Mon, 06 Nov 1994 08:50:07 GMT",
            "06 Nov 1994 08:50:07 GMT",
            "\"Sun, 06 Nov 1994 08:50:07 GMT\"",
            "Sunday, 06 November 1994 08:50:07 GMT",
            "1994-11-06T08:50:07Z",
            "1994-11-06 08:50:07",
            "1994-11-06 08:50:07 +0000",
            "1994-11-06T09:50:07+01:00",
        ] {
            assert_eq!(asked(&[value]), Some(Duration::from_secs(30)), "{value}");
        }
        assert!(asked(&["Sun, 06 Nov 1994 08:50:07.2 GMT"]).unwrap() > Duration::from_secs(30));
    }

    #[test]
    fn of_several_the_longest() {
        for values in [
            &["120", "60"][..],
            &["60", "120"],
            &["60, 120"],
            &["120,60"],
            &["120; 60"],
            &["60, Sun, 06 Nov 1994 08:51:37 GMT"],
            &["Sun, 06 Nov 1994 08:51:37 GMT, Sun, 06 Nov 1994 08:50:37 GMT, 7"],
            &["soon", "120"],
            &["soon, 120"],
        ] {
            assert_eq!(asked(values), Some(Duration::from_secs(120)), "{values:?}");
        }
    }

    #[test]
    fn what_cannot_be_read_asks_for_a_cautious_pause() {
        for value in [
            "soon",
            "-1",
            "",
            ",",
            "1e3",
            "1.2.3",
            "inf",
            "5 parsecs",
            "Sun, 06 Nov 1994",
            "Sun, 06 Nov 1994 08:50:07 CET",
            "Sun, 06 Nov 1994 25:50:07 GMT",
            "Sun, 31 Feb 1994 08:50:07 GMT",
            "06-Nov",
        ] {
            assert_eq!(asked(&[value]), Some(UNREADABLE_PAUSE), "{value}");
        }
        assert_eq!(
            asked(&["1, soon"]),
            Some(UNREADABLE_PAUSE),
            "the longest may be the one that cannot be read"
        );
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, reqwest::header::HeaderValue::from_bytes(b"\xe9t\xe9").unwrap());
        assert_eq!(retry_after(&headers, SystemTime::now()), Some(UNREADABLE_PAUSE));
    }

    #[test]
    fn a_date_counts_from_the_date_of_the_answer() {
        for date in ["Sun, 06 Nov 1994 07:00:00 GMT", "Sun, 06 Nov 1994 08:00:00 +0100"] {
            let mut headers = HeaderMap::new();
            headers.insert(DATE, date.parse().unwrap());
            headers.insert(RETRY_AFTER, "Sun, 06 Nov 1994 07:00:30 GMT".parse().unwrap());
            let now = httpdate::parse_http_date(NOW).unwrap();
            assert_eq!(retry_after(&headers, now), Some(Duration::from_secs(30)));
        }
    }
}
