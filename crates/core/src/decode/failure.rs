use serde::de::DeserializeOwned;
use serde_json::error::Category;
use serde_path_to_error::Segment;

/// Why a response body does not match its type. The text does not repeat the contents of the body.
pub(crate) struct DecodeFailure {
    pub(crate) what: String,
    pub(crate) path: Option<String>,
}

/// Removes a leading byte order mark, which some servers send and which a JSON parser may ignore ([RFC 8259,
/// 8.1](https://www.rfc-editor.org/rfc/rfc8259#section-8.1)).
pub(crate) fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}

/// Decodes a body that could not be decoded a second time, to determine the path of the error.
pub(crate) fn into_decode_error<T: DeserializeOwned>(body: &[u8]) -> DecodeFailure {
    let body = without_mark(body);
    if body.is_empty() {
        return DecodeFailure {
            what: "the response is empty where a body is documented".to_owned(),
            path: None,
        };
    }
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    match serde_path_to_error::deserialize::<_, T>(&mut deserializer) {
        Ok(_) => DecodeFailure { what: "more follows the response's JSON".to_owned(), path: None },
        Err(error) => {
            let inner = error.inner();
            let place = format!("line {}, column {}", inner.line(), inner.column());
            match inner.classify() {
                Category::Eof => {
                    DecodeFailure { what: format!("the response's JSON ends early ({place})"), path: None }
                }
                Category::Data => DecodeFailure {
                    what: format!(
                        "the response holds something else than {} ({place})",
                        expected(&inner.to_string()).unwrap_or("the document describes")
                    ),
                    path: Some(path(error.path())),
                },
                Category::Syntax if inner.to_string().starts_with("recursion limit") => DecodeFailure {
                    what: "the response's JSON is nested too deeply to be read".to_owned(),
                    path: None,
                },
                Category::Syntax | Category::Io => {
                    DecodeFailure { what: format!("the response is not JSON ({place})"), path: None }
                }
            }
        }
    }
}

/// Returns the part of serde's message that says what was expected, if there is one. The rest of the message may quote the input.
pub fn expected(message: &str) -> Option<&str> {
    let (_, expected) = message.rsplit_once(", expected ")?;
    Some(expected.rsplit_once(" at line ").map_or(expected, |(what, _)| what))
}

/// Formats the path as `contacts[2].href`. A key that is not a plain name is not shown, since it may be data.
fn path(path: &serde_path_to_error::Path) -> String {
    let mut text = String::new();
    for segment in path.iter() {
        match segment {
            Segment::Seq { index } => text.push_str(&format!("[{index}]")),
            Segment::Map { key } | Segment::Enum { variant: key } => {
                let plain = key.len() <= 40 && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
                if !text.is_empty() {
                    text.push('.');
                }
                text.push_str(if plain { key } else { "(key)" });
            }
            Segment::Unknown => text.push('?'),
        }
    }
    if text.is_empty() { "the top".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    struct Outer {
        #[expect(dead_code, reason = "read by serde only")]
        list: Vec<std::collections::BTreeMap<String, bool>>,
    }

    #[test]
    fn the_place_is_named_and_the_content_is_not() {
        let failure =
            into_decode_error::<Outer>(br#"{"list":[{},{"a":true,"plain":"Kalle, expected a Duck"}]}"#);
        assert_eq!(failure.path.as_deref(), Some("list[1].plain"));
        assert_eq!(failure.what, "the response holds something else than a boolean (line 1, column 54)");
    }

    #[test]
    fn other_kinds() {
        for (body, says) in [
            ("", "empty where a body"),
            ("\u{feff}", "empty where a body"),
            ("\u{feff}{}", "something else than the document describes"),
            ("<html>", "not JSON"),
            (r#"{"list":["#, "ends early"),
            (r#"{"list":[]} x"#, "more follows"),
            ("{}", "something else than the document describes"),
        ] {
            let failure = into_decode_error::<Outer>(body.as_bytes());
            assert!(failure.what.contains(says), "{body}: {}", failure.what);
        }
        let deep = into_decode_error::<serde_json::Value>("[".repeat(200).as_bytes());
        assert!(deep.what.contains("nested too deeply"), "{}", deep.what);
        let failure = into_decode_error::<Outer>(br#"{"list":[{"Kalle Anka":1}]}"#);
        assert_eq!(failure.path.as_deref(), Some("list[0].(key)"));
    }
}
