use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveTime, SecondsFormat, Timelike};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::lenient::{Readable, Reading, Scalar};
use super::redact::text_alone;

/// An instant, with the offset and the digits that it was written with.
///
/// ```
/// use lastmile_core::wire::Timestamp;
///
/// let moment: Timestamp = "2019-10-16T09:59:04.5410+02:00".parse()?;
/// assert_eq!(moment.at().offset().local_minus_utc(), 7200);
/// assert_eq!(moment.to_string(), "2019-10-16T09:59:04.5410+02:00");
/// # Ok::<(), lastmile_core::wire::NotAMoment>(())
/// ```
///
/// Other forms that RFC 3339 allows are read, and formatted like this one: `t`, `z` or a space instead of `T` and `Z`, the offset
/// `-00:00`, more than nine fractional digits. A [`Lenient`](super::Lenient) serializes them as they arrived.
///
/// Two timestamps are equal if they are written alike; compare [`at`](Self::at) to compare instants.
#[derive(Clone, Copy)]
pub struct Timestamp {
    at: DateTime<FixedOffset>,
    /// The number of fractional digits of the second.
    digits: u8,
    /// Whether the offset is written as `Z`.
    zulu: bool,
}

/// The error for a text that is not an RFC 3339 date and time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAMoment;

impl fmt::Display for NotAMoment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a date and time: write it such as 2019-10-16T09:59:04Z")
    }
}

impl std::error::Error for NotAMoment {}

impl Timestamp {
    /// Returns the instant.
    pub fn at(&self) -> DateTime<FixedOffset> {
        self.at
    }

    /// Returns whether formatting the timestamp that was read from `text` reproduces `text` exactly.
    fn is_written_as(text: &str) -> bool {
        let bytes = text.as_bytes();
        let (Some(b'T'), Some(rest)) = (bytes.get(10), bytes.get(19..)) else { return false };
        let zone = match rest {
            [b'.', fraction @ ..] => {
                let digits = fraction.iter().take_while(|b| b.is_ascii_digit()).count();
                if digits > 9 {
                    return false;
                }
                &fraction[digits..]
            }
            rest => rest,
        };
        // The offset `-00:00` means that the offset is unknown; it would be formatted as `+00:00`.
        !bytes.contains(&b' ') && (zone == b"Z" || (zone.len() == 6 && zone != b"-00:00"))
    }
}

impl PartialEq for Timestamp {
    fn eq(&self, other: &Self) -> bool {
        let written =
            |this: &Self| (this.at.naive_utc(), this.at.offset().local_minus_utc(), this.digits, this.zulu);
        written(self) == written(other)
    }
}

impl Eq for Timestamp {}

impl FromStr for Timestamp {
    type Err = NotAMoment;

    fn from_str(text: &str) -> Result<Self, NotAMoment> {
        let at = DateTime::parse_from_rfc3339(text).map_err(|_| NotAMoment)?;
        let fraction = text.split_once('.').map(|(_, fraction)| fraction).unwrap_or_default();
        let digits = fraction.bytes().take_while(u8::is_ascii_digit).count().min(9);
        Ok(Self { at, digits: u8::try_from(digits).unwrap_or(9), zulu: text.ends_with(['Z', 'z']) })
    }
}

impl From<DateTime<FixedOffset>> for Timestamp {
    fn from(at: DateTime<FixedOffset>) -> Self {
        let zulu = at.offset().local_minus_utc() == 0;
        let digits = match at.nanosecond() % 1_000_000_000 {
            0 => 0,
            nanos => 9 - (0..9).take_while(|power| nanos % 10u32.pow(power + 1) == 0).count(),
        };
        Self { at, digits: u8::try_from(digits).unwrap_or(9), zulu }
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The text always has nine fractional digits, of which the original number is shown.
        let full = self.at.to_rfc3339_opts(SecondsFormat::Nanos, self.zulu);
        let (seconds, rest) = full.split_once('.').unwrap_or((&full, ""));
        let (fraction, zone) = rest.split_at_checked(9).unwrap_or((rest, ""));
        f.write_str(seconds)?;
        if self.digits > 0 {
            write!(f, ".{}", &fraction[..usize::from(self.digits).min(fraction.len())])?;
        }
        f.write_str(zone)
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // The error does not contain the text, which may be personal data.
        text_alone(deserializer)?
            .parse()
            .map_err(|NotAMoment| de::Error::custom("invalid value, expected a date and time"))
    }
}

impl Readable for Timestamp {
    /// A date without a time is read as its first instant, and a time without an offset as UTC. Other unambiguous forms are read
    /// as well: a blank instead of `T`, no seconds, the offsets `+01`, `+0100` and ` UTC`, a comma before the fraction, `24:00`
    /// for the end of a day, the basic format `20260302T060000Z` of ISO 8601, an HTTP date. All of them count as coerced, so that
    /// the original text is available.
    fn read(given: Scalar<'_>) -> Reading<Self> {
        let Scalar::Text(text) = given else { return Reading::Invalid };
        if let Ok(moment) = text.parse() {
            return if Self::is_written_as(text) {
                Reading::Canonical(moment)
            } else {
                Reading::Coerced(moment)
            };
        }
        other_form(text.trim()).map_or(Reading::Invalid, Reading::Coerced)
    }
}

/// Reads a timestamp that is not written in the RFC 3339 format.
#[cold]
fn other_form(text: &str) -> Option<Timestamp> {
    // An HTTP date; chrono checks the day of the week.
    if text.starts_with(|first: char| first.is_ascii_alphabetic()) {
        return DateTime::parse_from_rfc2822(text).ok().map(Timestamp::from);
    }
    let is_basic = text.bytes().take(8).filter(u8::is_ascii_digit).count() == 8;
    let (date, rest) = text.split_at_checked(if is_basic { 8 } else { 10 })?;
    let date = match NaiveDate::read(Scalar::Text(date)) {
        Reading::Canonical(date) | Reading::Coerced(date) => date,
        Reading::Invalid => return None,
    };
    let midnight = |date: NaiveDate| date.and_time(NaiveTime::MIN);
    if rest.is_empty() {
        return Some(midnight(date).and_utc().fixed_offset().into());
    }
    let rest = rest.strip_prefix(['T', 't']).or_else(|| rest.strip_prefix(' ').map(str::trim_start))?;
    let (time, zone) =
        rest.split_at(rest.find(|c: char| !matches!(c, '0'..='9' | ':' | '.' | ',')).unwrap_or(rest.len()));
    let offset = offset(zone.trim_start())?;
    let (clock, fraction) = match time.split_once(['.', ',']) {
        Some((_, "")) => return None,
        Some((clock, fraction)) => (clock, fraction),
        None => (time, ""),
    };
    let (hour, minute, second) = clock_of(clock, is_basic)?;
    // A fraction belongs to the last part, which must be a second.
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) || (second.is_none() && !fraction.is_empty()) {
        return None;
    }
    let second = second.unwrap_or("00");
    if hour == "24" {
        let is_end = minute == "00" && second == "00" && fraction.bytes().all(|byte| byte == b'0');
        let end = is_end.then(|| date.succ_opt()).flatten()?;
        let at = midnight(end).and_local_timezone(offset).single()?;
        return Some(at.into());
    }
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{date}T{hour}:{minute}:{second}{point}{fraction}{offset}").parse().ok()
}

/// Returns hours, minutes and seconds, each with two digits. A time without colons requires a date without hyphens.
fn clock_of(clock: &str, is_basic: bool) -> Option<(&str, &str, Option<&str>)> {
    let is_pair = |part: &str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
    let mut parts: [Option<&str>; 3] = [None; 3];
    if clock.contains(':') {
        let mut given = clock.split(':');
        parts.iter_mut().for_each(|part| *part = given.next());
        if given.next().is_some() {
            return None;
        }
    } else if is_basic && matches!(clock.len(), 4 | 6) {
        parts = [clock.get(0..2), clock.get(2..4), clock.get(4..6)];
    } else {
        return None;
    }
    let [Some(hour), Some(minute), second] = parts else { return None };
    [Some(hour), Some(minute), second].into_iter().flatten().all(is_pair).then_some((hour, minute, second))
}

/// Parses an offset in any of its forms; a missing offset is UTC.
fn offset(zone: &str) -> Option<FixedOffset> {
    let utc = FixedOffset::east_opt(0);
    if zone.is_empty() || ["Z", "UTC", "GMT"].iter().any(|name| zone.eq_ignore_ascii_case(name)) {
        return utc;
    }
    let (is_west, digits) = match zone.split_at_checked(1)? {
        ("+", digits) => (false, digits),
        ("-", digits) => (true, digits),
        _ => return None,
    };
    let (hours, minutes) = match digits.len() {
        2 => (digits, "00"),
        4 => digits.split_at_checked(2)?,
        5 => digits.split_once(':')?,
        _ => return None,
    };
    let number = |text: &str, most: i32| {
        let is_pair = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<i32>().ok().filter(|number| is_pair && *number <= most)
    };
    let seconds = number(hours, 23)? * 3600 + number(minutes, 59)? * 60;
    FixedOffset::east_opt(if is_west { -seconds } else { seconds })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Lenient;

    #[track_caller]
    fn reads(text: &str, exact: bool, as_utc: &str) {
        let arrived = format!("\"{text}\"");
        let lenient: Lenient<Timestamp> = serde_json::from_str(&arrived).unwrap();
        assert_eq!(lenient.get().unwrap().at().to_utc().to_rfc3339_opts(SecondsFormat::AutoSi, true), as_utc);
        assert_eq!(lenient.unexpected().is_none(), exact, "{text}");
        assert_eq!(serde_json::to_string(&lenient).unwrap(), arrived);
    }

    #[test]
    fn moments_keep_their_form() {
        reads("2019-10-16T09:59:04Z", true, "2019-10-16T09:59:04Z");
        reads("2019-10-16T09:59:04.541090Z", true, "2019-10-16T09:59:04.541090Z");
        reads("2019-10-16T09:59:04.5000+02:00", true, "2019-10-16T07:59:04.500Z");
        reads("2016-12-31T23:59:60Z", true, "2016-12-31T23:59:60Z");
        reads("2019-10-16T09:59:04+00:00", true, "2019-10-16T09:59:04Z");
        reads("2019-10-16t09:59:04z", false, "2019-10-16T09:59:04Z");
        reads("2019-10-16T09:59:04-00:00", false, "2019-10-16T09:59:04Z");
        reads("2019-10-16 09:59:04Z", false, "2019-10-16T09:59:04Z");
        reads("2019-10-16T09:59:04.1234567891Z", false, "2019-10-16T09:59:04.123456789Z");
        reads("2019-10-16T09:59:04", false, "2019-10-16T09:59:04Z");
        reads("2019-10-16", false, "2019-10-16T00:00:00Z");
    }

    #[test]
    fn other_forms_with_one_meaning_are_read() {
        for (text, as_utc) in [
            ("2026-03-02 06:00:00", "2026-03-02T06:00:00Z"),
            ("2026-03-02T06:00Z", "2026-03-02T06:00:00Z"),
            ("2026-03-02 06:00", "2026-03-02T06:00:00Z"),
            ("2026-03-02t06:00+01:00", "2026-03-02T05:00:00Z"),
            ("2026-03-02T06:00:00+01", "2026-03-02T05:00:00Z"),
            ("2026-03-02T06:00:00-0130", "2026-03-02T07:30:00Z"),
            ("2026-03-02T06:00:00 +01:00", "2026-03-02T05:00:00Z"),
            ("2026-03-02 06:00:00 UTC", "2026-03-02T06:00:00Z"),
            ("2026-03-02 06:00:00 gmt", "2026-03-02T06:00:00Z"),
            ("2026-03-02T06:00:00,25+0100", "2026-03-02T05:00:00.250Z"),
            ("2026-03-02 06:00:00.5", "2026-03-02T06:00:00.500Z"),
            ("2026-03-02T06:00:00.1234567891", "2026-03-02T06:00:00.123456789Z"),
            ("2026-03-02T24:00", "2026-03-03T00:00:00Z"),
            ("2026-12-31T24:00:00.0+01:00", "2026-12-31T23:00:00Z"),
            ("20260302T060000Z", "2026-03-02T06:00:00Z"),
            ("20260302T0600", "2026-03-02T06:00:00Z"),
            ("20260302", "2026-03-02T00:00:00Z"),
            (" 2026-03-02T06:00:00Z ", "2026-03-02T06:00:00Z"),
            ("Mon, 02 Mar 2026 06:00:00 GMT", "2026-03-02T06:00:00Z"),
        ] {
            reads(text, false, as_utc);
        }
    }

    #[test]
    fn forms_with_several_meanings_are_not_read() {
        for text in [
            "02-03-2026 06:00",
            "02/03/2026",
            "2026-03-02T06",
            "2026-03-02T0600",
            "2026-03-02T6:00",
            "2026-03-02T06:00:0",
            "2026-03-02T06:00:00:00",
            "2026-03-02T06:00.5",
            "2026-03-02T06:00:00.",
            "2026-03-02T06:00:00.1,2",
            "2026-03-02T24:00:01",
            "2026-03-02T25:00",
            "2026-03-02T06:60",
            "2026-03-02T06:00:00+1",
            "2026-03-02T06:00:00+2500",
            "2026-03-02T06:00:00+01:0",
            "2026-03-02T06:00:00 CET",
            "2026-03-02T06:00:00 PM",
            "2026-03-0206:00",
            "2026-02-30 06:00",
            "2026-03-02T06:00:00é",
            "02032026",
            "1772431200",
            "Tue, 02 Mar 2026 06:00:00 GMT",
            "06:00",
        ] {
            let arrived = format!("\"{text}\"");
            let lenient: Lenient<Timestamp> = serde_json::from_str(&arrived).unwrap();
            assert_eq!(lenient.get(), None, "{text}");
            assert_eq!(serde_json::to_string(&lenient).unwrap(), arrived);
        }
    }

    #[test]
    fn everything_exact_is_written_as_it_came() {
        for text in ["1990-01-01T00:00:00Z", "3030-12-12T23:59:59.9999-11:30", "0001-01-01T00:00:00.1Z"] {
            assert_eq!(text.parse::<Timestamp>().unwrap().to_string(), text);
            assert!(Timestamp::is_written_as(text));
        }
    }

    #[test]
    fn the_same_moment_written_otherwise_is_another() {
        let read = |text: &str| text.parse::<Timestamp>().unwrap();
        let (here, there) = (read("2019-10-16T09:59:04+02:00"), read("2019-10-16T08:59:04+01:00"));
        assert_eq!(here.at(), there.at());
        assert_ne!(here, there);
        assert_eq!(here, read("2019-10-16T09:59:04+02:00"));
    }

    #[test]
    fn what_is_no_moment_is_kept() {
        for arrived in
            ["\"\"", "null", "\"soon\"", "7", "\"2019-13-01T00:00:00Z\"", "\"é019-10-16T09:59:04Z\""]
        {
            let lenient: Lenient<Timestamp> = serde_json::from_str(arrived).unwrap();
            assert_eq!(lenient.get(), None, "{arrived}");
            assert_eq!(serde_json::to_string(&lenient).unwrap(), arrived);
        }
    }

    #[test]
    fn a_moment_of_ones_own_has_as_many_digits_as_it_needs() {
        for text in ["2019-10-16T09:59:04Z", "2019-10-16T09:59:04.25Z", "2019-10-16T09:59:04.000000001+01:00"]
        {
            let at = DateTime::parse_from_rfc3339(text).unwrap();
            assert_eq!(Timestamp::from(at).to_string(), text);
        }
    }
}
