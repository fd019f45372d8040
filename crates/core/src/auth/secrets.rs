//! Detects secrets that a server repeats in its response.

use percent_encoding::percent_decode_str;

/// The minimum length of a secret that is searched for, in characters. A shorter secret is only searched for together with the
/// text that it is sent with (`user:password`): removing every text that contains an `a` would leave nothing to read.
const SHORTEST: usize = 4;

/// How many times a text is decoded: a server may repeat a secret in JSON inside JSON, or in a URL inside an HTML page.
const ROUNDS: usize = 3;

/// Returns whether the text contains one of the secrets that is long enough to be searched for: as it is, or in the notation of
/// percent-encoding, JSON or HTML, and in upper or lower case.
pub(super) fn repeats_one_of<'a>(text: &str, secrets: impl Iterator<Item = &'a str>) -> bool {
    let needles: Vec<String> = secrets.flat_map(spellings).collect();
    if needles.is_empty() || text.is_empty() {
        return false;
    }
    let found = |text: &str| {
        let text = text.to_lowercase();
        needles.iter().any(|needle| text.contains(needle.as_str()))
    };
    if found(text) {
        return true;
    }
    let mut text = text.to_owned();
    for decode in [of_json, of_html, of_address, of_form].repeat(ROUNDS) {
        if let Some(decoded) = decode(&text).filter(|decoded| *decoded != text) {
            if found(&decoded) {
                return true;
            }
            text = decoded;
        }
    }
    false
}

/// Returns the secret in lower case, and as it appears after a server or this library has decoded it with the wrong character
/// encoding.
fn spellings(secret: &str) -> Vec<String> {
    let secret = secret.to_lowercase();
    if secret.chars().count() < SHORTEST {
        return Vec::new();
    }
    let mut spellings = Vec::new();
    if !secret.is_ascii() {
        let other =
            |replacement: char| secret.chars().map(|c| if c.is_ascii() { c } else { replacement }).collect();
        spellings.extend([other(char::REPLACEMENT_CHARACTER), other('?')]);
        let as_latin_1: String = secret.bytes().map(char::from).collect();
        spellings.push(as_latin_1.to_lowercase());
    }
    spellings.push(secret);
    spellings
}

fn of_address(text: &str) -> Option<String> {
    text.contains('%').then(|| percent_decode_str(text).decode_utf8_lossy().into_owned())
}

/// Decodes blanks as HTML forms encode them: as `+`.
fn of_form(text: &str) -> Option<String> {
    text.contains('+').then(|| text.replace('+', " "))
}

fn of_json(text: &str) -> Option<String> {
    if !text.contains('\\') {
        return None;
    }
    let mut units = Vec::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        let escape = if c == '\\' { chars.next() } else { None };
        let digits = chars.as_str().get(..4).filter(|_| escape == Some('u'));
        if let Some(unit) = digits.and_then(|digits| u16::from_str_radix(digits, 16).ok()) {
            units.push(unit);
            chars.nth(3);
            continue;
        }
        let decoded = match escape {
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            other => other.unwrap_or(c),
        };
        units.extend_from_slice(decoded.encode_utf16(&mut [0; 2]));
    }
    Some(String::from_utf16_lossy(&units))
}

fn of_html(text: &str) -> Option<String> {
    // A blank may be written as one that does not break the line.
    text.contains('&').then(|| html_escape::decode_html_entities(text).replace('\u{a0}', " "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repeats(text: &str, secret: &str) -> bool {
        repeats_one_of(text, std::iter::once(secret))
    }

    #[test]
    fn echoes_in_other_spellings() {
        for (secret, echo) in [
            ("open sesame", "no account for open sesame"),
            ("open sesame", "no account for OPEN SESAME"),
            ("open sesame", "no account for open%20sesame"),
            ("open sesame", "no account for open+sesame"),
            ("open sesame", "no account for open&nbsp;sesame"),
            ("p%41ss/w", "p%41ss/w"),
            ("p%41ss/w", "p%2541ss%2Fw"),
            ("pa\"ss\\w", r#"pa\"ss\\w"#),
            ("pa\"ss\\w", r#"pa\\\"ss\\\\w"#),
            ("pa\"ss<w", "pa&quot;ss&lt;w"),
            ("pa'ss&w", "pa&#39;ss&#x26;w"),
            ("passé-w", r"pass\u00e9-w"),
            ("passé-w", "pass%C3%A9-w"),
            ("passé-w", "pass\u{fffd}-w"),
            ("passé-w", "pass?-w"),
            ("passé-w", "passÃ©-w"),
            ("\u{1f600}-key", r"\ud83d\ude00-key"),
            ("word", "\u{65e5}\\u{word}\\"),
        ] {
            assert!(repeats(echo, secret), "{secret} in {echo}");
        }
    }

    #[test]
    fn other_texts_stay() {
        for (secret, text) in [
            ("a", "a frame is full"),
            ("abc", "abc"),
            ("", "anything"),
            ("word", ""),
            ("open sesame", "open the door"),
            ("word", r"\u00zz \ %zz &#xzz; & 100% \"),
        ] {
            assert!(!repeats(text, secret), "{secret} in {text}");
        }
    }
}
