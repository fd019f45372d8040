//! Path templates, such as `/contacts/{id}`, and how paths match them.

use std::collections::BTreeMap;

/// The decoded values of path parameters, by name.
pub type Parameters = BTreeMap<String, String>;

#[derive(Debug, Clone)]
pub(super) struct Template(Vec<Segment>);

#[derive(Debug, Clone)]
enum Segment {
    Literal(String),
    Parameter(String),
}

impl Template {
    pub(super) fn parse(path: &str) -> Result<Template, String> {
        let segments =
            path.strip_prefix('/').ok_or_else(|| format!("{path}: does not begin with a slash"))?;
        segments.split('/').map(Segment::parse).collect::<Result<_, _>>().map(Template)
    }

    /// Returns whether a path with these decoded segments matches. A parameter matches any segment that is not empty.
    pub(super) fn matches(&self, segments: &[String]) -> bool {
        self.0.len() == segments.len()
            && self.0.iter().zip(segments).all(|(expected, segment)| match expected {
                Segment::Literal(literal) => literal == segment,
                Segment::Parameter(_) => !segment.is_empty(),
            })
    }

    pub(super) fn parameters(&self, segments: Vec<String>) -> Parameters {
        self.0
            .iter()
            .zip(segments)
            .filter_map(|(expected, segment)| match expected {
                Segment::Parameter(name) => Some((name.clone(), segment)),
                Segment::Literal(_) => None,
            })
            .collect()
    }

    /// Returns which segments are literal. Of two templates that match the same path, the one with the greater value
    /// is more specific.
    pub(super) fn literals(&self) -> Vec<bool> {
        self.0.iter().map(|segment| matches!(segment, Segment::Literal(_))).collect()
    }
}

impl Segment {
    fn parse(text: &str) -> Result<Segment, String> {
        match text.strip_prefix('{').and_then(|remaining| remaining.strip_suffix('}')) {
            Some(name) => Ok(Segment::Parameter(name.to_owned())),
            None if text.contains(['{', '}']) => Err(format!("{text}: a parameter must fill its segment")),
            None => Ok(Segment::Literal(text.to_owned())),
        }
    }
}

/// Returns the decoded segments of a path, or `None` if it does not start with a slash or cannot be decoded.
pub(super) fn split(path: &str) -> Option<Vec<String>> {
    path.strip_prefix('/')?.split('/').map(decode).collect()
}

/// Removes the percent-encoding. Returns `None` if the text cannot be decoded.
pub(crate) fn decode(segment: &str) -> Option<String> {
    let mut decoded = Vec::with_capacity(segment.len());
    let mut remaining = segment.as_bytes();
    while let Some((&byte, tail)) = remaining.split_first() {
        remaining = tail;
        if byte == b'%' {
            let (digits, tail) = remaining.split_at_checked(2)?;
            decoded.push(hex(digits[0])? << 4 | hex(digits[1])?);
            remaining = tail;
        } else {
            decoded.push(byte);
        }
    }
    String::from_utf8(decoded).ok()
}

fn hex(digit: u8) -> Option<u8> {
    // A digit in base 16 is less than 16, so the conversion is lossless.
    char::from(digit).to_digit(16).map(|value| value as u8)
}
