//! Reads the bytes of an error body as JSON or as text, as far as they are readable.

use std::borrow::Cow;

use serde_json::Value;

/// The maximum length of a plain text message, in characters.
const LONGEST_TEXT: usize = 1000;

/// Returns the body as JSON, if it is JSON. Invalid UTF-8, a line break inside a string, half a surrogate pair, and anything
/// after the end make only themselves unreadable, not the whole body.
pub(super) fn json(body: &[u8], media_type: &str) -> Option<Value> {
    if let Ok(value) = serde_json::from_slice(body) {
        return Some(value);
    }
    let text = decoded(body, media_type);
    let text = text.trim_start();
    if !text.starts_with(['{', '[', '"']) {
        return None;
    }
    let first = |text: &str| serde_json::Deserializer::from_str(text).into_iter().next()?.ok();
    let value = first(text).or_else(|| first(&repaired(text)))?;
    // A text in quotes that is followed by more text is not JSON.
    (!matches!(value, Value::String(_))).then_some(value)
}

/// Removes characters that JSON does not allow inside strings.
fn repaired(text: &str) -> String {
    let mut repaired = String::with_capacity(text.len());
    let (mut rest, mut inside) = (text, false);
    while let Some(c) = rest.chars().next() {
        let (length, kept) = match c {
            '\\' if inside => match (rest.get(..6).and_then(unit), rest.get(6..12).and_then(unit)) {
                (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => (12, &rest[..12]),
                (Some(0xd800..=0xdfff), _) => (6, "\u{fffd}"),
                _ if rest[1..].starts_with(['"', '\\', '/', 'b', 'f', 'n', 'r', 't', 'u']) => (2, &rest[..2]),
                // A backslash that begins no escape sequence is a literal backslash.
                _ => (1, "\\\\"),
            },
            c if inside && c.is_ascii_control() => (1, " "),
            c => {
                inside ^= c == '"';
                (c.len_utf8(), &rest[..c.len_utf8()])
            }
        };
        repaired.push_str(kept);
        rest = &rest[length..];
    }
    repaired
}

/// Returns the UTF-16 code unit of an escape such as `\ud83d`.
fn unit(escape: &str) -> Option<u16> {
    u16::from_str_radix(escape.strip_prefix("\\u")?, 16).ok()
}

/// Returns the body as text. A body that is declared as Latin-1 is decoded as such; in any other, invalid UTF-8 is replaced.
fn decoded<'a>(body: &'a [u8], media_type: &str) -> Cow<'a, str> {
    const LATIN_1: [&str; 5] = ["iso-8859-1", "iso_8859-1", "latin1", "windows-1252", "iso-8859-15"];
    let charset = media_type.split(';').find_map(|part| part.trim().strip_prefix("charset="));
    let charset = charset.map(|charset| charset.trim_matches(['"', '\'', ' ']));
    if charset.is_some_and(|charset| LATIN_1.contains(&charset)) && std::str::from_utf8(body).is_err() {
        return body.iter().copied().map(char::from).collect();
    }
    String::from_utf8_lossy(body)
}

/// Returns the body if it is a readable text: neither an HTML page nor malformed JSON.
pub(super) fn plain_text(body: &[u8], media_type: &str) -> Option<String> {
    let text = decoded(body, media_type);
    let text = text.trim();
    let is_declared = media_type.trim_start().starts_with("text/plain");
    let is_short = text.chars().nth(LONGEST_TEXT).is_none();
    let is_text = !text.contains(|c: char| c.is_control() && !matches!(c, '\r' | '\n' | '\t'));
    // More than a few replacement characters indicate another encoding, or binary data.
    let replaced = text.chars().filter(|c| *c == char::REPLACEMENT_CHARACTER).count();
    let is_markup = text.starts_with('<') || (!is_declared && text.starts_with(['{', '[']));
    if text.is_empty() || is_markup || !is_text || replaced * 8 > text.len() || !(is_short || is_declared) {
        return None;
    }
    Some(text.chars().take(LONGEST_TEXT).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_no_utf_8() {
        let detail = |media_type: &str, body: &[u8]| {
            json(body, media_type)
                .and_then(|json| json.pointer("/detail").and_then(Value::as_str).map(str::to_owned))
        };
        let latin_1 = b"{\"detail\":\"Le num\xe9ro est invalide\"}";
        assert_eq!(detail("application/json", latin_1).as_deref(), Some("Le num\u{fffd}ro est invalide"));
        for charset in ["ISO-8859-1", "latin1", "\"windows-1252\""] {
            let media_type = format!("application/json; charset={charset}").to_ascii_lowercase();
            assert_eq!(detail(&media_type, latin_1).as_deref(), Some("Le numéro est invalide"), "{charset}");
        }
        let utf_8 = "{\"detail\":\"Le numéro\"}";
        assert_eq!(
            detail("application/json; charset=iso-8859-1", utf_8.as_bytes()).as_deref(),
            Some("Le numéro")
        );
        assert_eq!(plain_text(b"refus\xe9", "text/plain; charset=\"latin1\"").as_deref(), Some("refusé"));
    }

    #[test]
    fn what_json_does_not_allow_costs_itself() {
        for (body, read) in [
            ("{\"a\":\"x\ny\"}", r#"{"a":"x y"}"#),
            (r#"{"a":"\ud83d x \ud83d\ude00"}"#, "{\"a\":\"\u{fffd} x \u{1f600}\"}"),
            (r#"{"a":"\udc00"}"#, "{\"a\":\"\u{fffd}\"}"),
            (r#"{"a":"C:\path\\x \" y"}"#, r#"{"a":"C:\\path\\x \" y"}"#),
            ("{\"a\":1}\n<br>", r#"{"a":1}"#),
        ] {
            let read: Value = serde_json::from_str(read).unwrap();
            assert_eq!(json(body.as_bytes(), ""), Some(read), "{body}");
        }
        for body in ["", "{", "{\"a\":\"x", "x", "<a>", "\"x\" y", "{\"a\":\"\\"] {
            assert_eq!(json(body.as_bytes(), ""), None, "{body}");
        }
    }

    #[test]
    fn plain_texts() {
        for (media_type, body, message) in [
            ("text/plain", "Frame is full\r\n", Some("Frame is full")),
            ("", "Frame is full", Some("Frame is full")),
            ("text/html", "Frame is full", Some("Frame is full")),
            ("text/plain", "{not json", Some("{not json")),
            ("", "{not json", None),
            ("application/json", "{\"detail\":\"cut", None),
            ("text/html", "<html>maintenance</html>", None),
            ("text/plain", " <!doctype html>", None),
            ("", " \r\n", None),
            ("application/octet-stream", "\u{0}\u{1}", None),
        ] {
            assert_eq!(plain_text(body.as_bytes(), media_type).as_deref(), message, "{body:?}");
        }
        let long = "x".repeat(5000);
        assert_eq!(plain_text(long.as_bytes(), ""), None);
        assert_eq!(plain_text(long.as_bytes(), "text/plain").unwrap().len(), LONGEST_TEXT);
        assert_eq!(plain_text(b"\xff\xfe\xff\xfe\x80", ""), None);
    }
}
