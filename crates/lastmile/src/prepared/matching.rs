//! Comparing what a supplier holds with what was requested.

use any_ascii::any_ascii;
use lastmile_core::wire::{Lenient, Text};
use percent_encoding::percent_decode_str;
#[cfg(feature = "cocon")]
use serde::Serialize;
#[cfg(feature = "cocon")]
use serde_json::Value;

/// Whether something that a supplier holds is what was requested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Match {
    Yes,
    No,
    /// The two cannot be distinguished with certainty.
    Maybe,
}

/// The minimum length at which a text may have been truncated by a supplier.
const SHORTEST_CUT: usize = 20;

// Not every supplier uses every comparison.
#[cfg_attr(not(all(feature = "cocon", feature = "covage", feature = "onapi")), allow(dead_code))]
impl Match {
    /// Compares a text that a supplier holds with the text that it was given. Suppliers change case, white space and accents,
    /// escape characters, drop unknown characters, add a prefix, and truncate long texts. The result is [`Maybe`](Self::Maybe)
    /// if such a change explains the difference.
    pub(crate) fn of_text(held: &str, given: &str) -> Self {
        if held == given {
            return Self::Yes;
        }
        let spellings = [given.to_owned(), without_foreign(given, ""), without_foreign(given, "?")]
            .map(|one| folded(&one));
        for held in [held.to_owned(), unescaped(held)] {
            let held = folded(&held);
            if spellings.contains(&held) || is_cut(&held, given) || is_surrounded(&held, &spellings[0]) {
                return Self::Maybe;
            }
            if let (Some(held), Some(given)) = (number(&held), number(&spellings[0]))
                && held == given
            {
                return Self::Maybe;
            }
        }
        Self::No
    }

    /// Returns whether a reference that the supplier holds is the given one.
    pub(crate) fn of_reference(held: &Lenient<Text>, given: Option<&String>) -> Self {
        match (held.as_deref(), held.unexpected(), given) {
            // A reference that arrives as a number may have lost leading zeros. Some servers write a missing reference as an
            // empty string.
            (_, Some(_), _) | (None | Some(""), None, _) => Self::Maybe,
            (Some(held), None, Some(given)) => Self::of_text(held, given),
            (Some(_), None, None) => Self::No,
        }
    }

    /// Returns whether a field has the requested value. A field that was not requested always matches.
    pub(crate) fn of_field(held: &Lenient<Text>, given: Option<&String>) -> Self {
        match (held.as_deref(), given) {
            (_, None) => Self::Yes,
            (None | Some(""), Some(_)) => Self::Maybe,
            (Some(text), Some(given)) => match Self::of_text(text, given) {
                // A value that arrives as a number may have lost leading zeros.
                Self::No if held.unexpected().is_some() => Self::Maybe,
                told => told,
            },
        }
    }

    /// Returns whether a response repeats the request, judged by the strings, numbers and booleans that both have.
    #[cfg(feature = "cocon")]
    pub(crate) fn of_response(answer: &Value, request: &impl Serialize) -> Self {
        let Ok(Value::Object(request)) = serde_json::to_value(request) else { return Self::Maybe };
        let text = |value: &Value| match value {
            Value::String(text) => Some(text.clone()),
            Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
            _ => None,
        };
        let both = request.iter().filter_map(|(name, given)| Some((text(answer.get(name)?)?, text(given)?)));
        let told: Vec<Self> = both.map(|(held, given)| Self::of_text(&held, &given)).collect();
        match (told.contains(&Self::No), told.is_empty()) {
            (true, _) => Self::No,
            (false, true) => Self::Maybe,
            (false, false) => Self::Yes,
        }
    }

    /// Returns `Yes` if both are `Yes`, and `No` if either is `No`.
    pub(crate) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::No, _) | (_, Self::No) => Self::No,
            (Self::Yes, Self::Yes) => Self::Yes,
            _ => Self::Maybe,
        }
    }
}

/// Returns a text without accents and white space, in lower case.
fn folded(text: &str) -> String {
    let text = text.replace('\u{fffd}', "?");
    let mut folded = any_ascii(&text);
    folded.retain(|c| !c.is_whitespace() && !c.is_control());
    folded.make_ascii_lowercase();
    folded
}

/// Returns a text as written by a server that supports only ASCII: each other character is replaced by `instead`.
fn without_foreign(text: &str, instead: &str) -> String {
    text.chars().map(|c| if c.is_ascii() { c.to_string() } else { instead.to_owned() }).collect()
}

/// Returns whether a folded text is a truncated form of the given text.
fn is_cut(held: &str, given: &str) -> bool {
    let (held, shortest) = match held.strip_suffix("...") {
        // The text itself shows that it is truncated.
        Some(begin) => (begin, SHORTEST_CUT / 2),
        None => (held, SHORTEST_CUT),
    };
    let cuts = given.char_indices().skip(shortest).map(|(at, _)| &given[..at]);
    cuts.map(folded).any(|cut| cut == held)
}

/// Returns whether a folded text contains the given one, delimited by characters that are not part of a reference.
fn is_surrounded(held: &str, given: &str) -> bool {
    let is_separator =
        |c: char| matches!(c, ':' | '/' | '#' | '(' | ')' | '[' | ']' | ';' | ',' | '|' | '=' | '"' | '\'');
    held.match_indices(given).any(|(at, _)| {
        let (before, after) = (held[..at].chars().next_back(), held[at + given.len()..].chars().next());
        !given.is_empty() && before.is_none_or(is_separator) && after.is_none_or(is_separator)
    })
}

/// Returns the digits of a number without leading zeros.
fn number(text: &str) -> Option<&str> {
    (!text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.trim_start_matches('0'))
}

/// Returns a text without the escapes of URLs, HTML and string literals, and with UTF-8 that was decoded as Latin-1 repaired.
fn unescaped(text: &str) -> String {
    let text = percent_decode_str(text).decode_utf8_lossy().into_owned();
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(at) = rest.find(['&', '\\']) {
        plain.push_str(&rest[..at]);
        let entity = rest[at..].split_inclusive(';').next().unwrap_or_default();
        match character(entity) {
            Some(c) => {
                plain.push(c);
                rest = &rest[at + entity.len()..];
            }
            None => {
                plain.push_str(if rest[at..].starts_with('&') { "&" } else { "" });
                rest = &rest[at + 1..];
            }
        }
    }
    plain.push_str(rest);
    let latin1: Option<Vec<u8>> = plain.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect();
    latin1.and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or(plain)
}

/// Returns the character of an HTML entity.
fn character(entity: &str) -> Option<char> {
    let name = entity.strip_prefix('&')?.strip_suffix(';')?;
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        "nbsp" => Some(' '),
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16),
                None => number.parse(),
            };
            char::from_u32(code.ok()?)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_spelling_cannot_be_told_from_the_one_that_was_given() {
        let long = "SP-2026-ANKEBORG-0000431";
        for (held, given) in [
            ("sp-1", "SP-1"),
            (" SP-1 ", "SP-1"),
            ("SP-1", " SP-1"),
            ("SP 1", "SP1"),
            ("Gavle-1", "Gävle-1"),
            ("SP-1", "SP\u{a0}-1"),
            (&long[..20], long),
            (&long[..23], long),
            ("sp-2026-ankeborg-000", long),
            // Truncated at 20 characters, then trimmed.
            ("SP-2026 ANKEBORG 00", "SP-2026 ANKEBORG 00 431"),
            ("SP-2026-ANKE...", long),
            ("SP-2026-ANKEBORG\u{2026}", long),
            ("SP&amp;1", "SP&1"),
            ("SP&#39;1", "SP'1"),
            ("SP%2F1", "SP/1"),
            ("SP\\'1", "SP'1"),
            ("G\u{c3}\u{a4}vle-1", "G\u{e4}vle-1"),
            ("G?vle-1", "G\u{e4}vle-1"),
            ("G\u{fffd}vle-1", "G\u{e4}vle-1"),
            ("Gvle-1", "G\u{e4}vle-1"),
            ("431", "0431"),
            ("0000431", "431"),
            ("ISP:SP-1", "SP-1"),
            ("SP-1/1", "SP-1"),
            ("Ref: (SP-1)", "SP-1"),
        ] {
            assert_eq!(Match::of_text(held, given), Match::Maybe, "{held:?} {given:?}");
        }
    }

    #[test]
    fn another_reference_is_another() {
        let long = "SP-2026-ANKEBORG-0000431";
        for (held, given) in [
            ("A-10", "A-1"),
            ("A-1", "A-10"),
            ("A-1", "A1"),
            ("", "A-1"),
            (&long[..19], long),
            ("SP-2026-A...", long),
            ("A-1-0", "A-1"),
            ("XA-1", "A-1"),
            ("432", "0431"),
            (long, &long[..20]),
            ("SP-2026-ANKEBORG-0000432", long),
        ] {
            assert_eq!(Match::of_text(held, given), Match::No, "{held:?} {given:?}");
        }
        assert_eq!(Match::of_text(long, long), Match::Yes);
    }

    #[test]
    fn what_is_missing_cannot_be_told() {
        let given = Some("0431".to_owned());
        let read = |json: &str| serde_json::from_str::<Lenient<Text>>(json).unwrap();
        for (held, as_reference, as_field) in [
            (r#""0431""#, Match::Yes, Match::Yes),
            ("431", Match::Maybe, Match::Maybe),
            (r#""""#, Match::Maybe, Match::Maybe),
            ("null", Match::Maybe, Match::Maybe),
            (r#""432""#, Match::No, Match::No),
        ] {
            assert_eq!(Match::of_reference(&read(held), given.as_ref()), as_reference, "{held}");
            assert_eq!(Match::of_field(&read(held), given.as_ref()), as_field, "{held}");
        }
        assert_eq!(Match::of_reference(&Lenient::Absent, given.as_ref()), Match::Maybe);
        assert_eq!(Match::of_field(&read("7"), None), Match::Yes);
    }
}
