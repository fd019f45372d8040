//! Reads `Retry-After` ([RFC 9110, 10.2.3](https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3)).
//!
//! The parser accepts what servers and gateways actually send in addition to the two documented formats. When in doubt it returns
//! the longer time, never a shorter one than requested.

use std::time::{Duration, SystemTime};

use chrono::NaiveDateTime;
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};

/// The wait for a `Retry-After` that is present but unreadable. The server requests a wait of unknown length; five seconds are
/// far above the usual backoff and still allow a retry within the default deadline.
pub(crate) const UNREADABLE_PAUSE: Duration = Duration::from_secs(5);

/// Returns how long `Retry-After` asks to wait: a number of seconds, or the time until a date (zero if the date has passed). Of
/// several values, in several headers or separated by commas, the longest counts. An unreadable value counts as
/// [`UNREADABLE_PAUSE`]. Returns `None` only if there is no such header.
pub(crate) fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let values = headers.get_all(RETRY_AFTER);
    // Uses the clock of the server that wrote the date, if the response has a `Date` header.
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
    // The value is a list. A date contains a comma of its own, after the name of the day.
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

/// Removes surrounding blanks and quotes.
fn trimmed(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || matches!(c, '"' | '\''))
}

fn parse(value: &str, clock: &dyn Fn() -> SystemTime) -> Option<Duration> {
    let value = trimmed(value);
    seconds(value).or_else(|| parse_date(value).map(|date| date.duration_since(clock()).unwrap_or_default()))
}

/// Parses a number of seconds: `120`, `2.5`, `120s`, `2 minutes`.
fn seconds(value: &str) -> Option<Duration> {
    let value = value.strip_prefix('+').unwrap_or(value);
    let end = value.find(|c: char| !c.is_ascii_digit()).unwrap_or(value.len());
    let (whole, rest) = value.split_at(end);
    if whole.is_empty() {
        return None;
    }
    // A number that overflows counts as the maximum.
    let whole: u64 = whole.parse().unwrap_or(u64::MAX);
    let (fraction, unit) = match rest.strip_prefix('.') {
        Some(rest) => rest.split_at(rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len())),
        None => ("", rest),
    };
    // Rounds up to the next nanosecond, so that the time is never shorter than the one sent.
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

/// The date formats of RFC 9110 (IMF-fixdate, RFC 850, asctime) and of ISO 8601, between the name of the day and the zone.
const DATES: [&str; 6] =
    ["%d %B %y TIME", "%d %B %Y TIME", "%d-%B-%y TIME", "%d-%B-%Y TIME", "%B %d TIME %Y", "%Y-%m-%d TIME"];
const TIMES: [&str; 2] = ["%H:%M:%S%.f", "%H:%M"];

/// Parses a date with the deviations that servers are known for: a day of one digit, a wrong or missing name of the day, an
/// offset instead of `GMT`. A date without a zone is in GMT, as in RFC 9110.
fn parse_date(text: &str) -> Option<SystemTime> {
    let text = trimmed(text);
    if let Ok(date) = httpdate::parse_http_date(text) {
        return Some(date);
    }
    if let Ok(date) = chrono::DateTime::parse_from_rfc3339(text) {
        return Some(date.into());
    }
    let (mut words, mut offset) = (Vec::new(), 0);
    for word in text.split([' ', '\t', ',']) {
        let word = short_name(word);
        if word.is_empty() || is_weekday(word) {
            continue;
        }
        match offset_of(word) {
            Some(seconds) => offset += seconds,
            None => words.push(word),
        }
    }
    let text = words.join(" ");
    let mut formats = DATES.iter().flat_map(|date| TIMES.map(|time| date.replace("TIME", time)));
    let date = formats.find_map(|format| NaiveDateTime::parse_from_str(&text, &format).ok())?;
    Some(date.and_utc().checked_sub_signed(chrono::TimeDelta::try_seconds(offset)?)?.into())
}

/// Shortens the name of a month or a day (`Sept.`, `November`, `Tues`) to three letters.
fn short_name(word: &str) -> &str {
    let word = word.trim_end_matches('.');
    let is_name = word.len() > 3 && word.bytes().all(|byte| byte.is_ascii_alphabetic());
    if is_name { &word[..3] } else { word }
}

fn is_weekday(word: &str) -> bool {
    short_name(word).parse::<chrono::Weekday>().is_ok()
}

/// Returns the offset of a zone from GMT in seconds: `GMT`, `UTC`, `Z`, `+0100`, `GMT+1`, `+01:00`.
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
    let (hours, minutes): (u32, u32) = (hours.parse().ok()?, minutes.parse().ok()?);
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
            "Sun, 06 Nov 1994, 08:50:07 GMT",
            "06 Nov, 1994 08:50:07 GMT",
            "Sun, 06 Nov 1994 09:50:07 GMT+1:00",
            "Sun, 06 Nov 1994 14:20:07 GMT+5:30",
            "Sun Nov 6 08:50:07, 1994",
            "Sun, 06 Nov 1994 08:50:07",
            "Sun, 6 Nov 1994 08:50:07 GMT",
            "Sun,  6 Nov 1994 8:50:07 gmt",
            "Mon, 06 Nov 1994 08:50:07 GMT",
            "06 Nov 1994 08:50:07 GMT",
            "\"Sun, 06 Nov 1994 08:50:07 GMT\"",
            "Sunday, 06 November 1994 08:50:07 GMT",
            "Sun Nov 6 08:50:07 GMT 1994",
            "06 Nov. 1994 08:50:07 GMT",
            "Sund, 06 Novem 1994 08:50:07 GMT",
            "Sun, 06 Nov 1994 09:50:07 GMT +0100",
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
