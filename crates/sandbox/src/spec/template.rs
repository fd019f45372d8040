//! Path templates: `/contacts/{id}` against `/contacts/a%2Fb`.

use std::collections::BTreeMap;

/// The values of a path's parameters by name, decoded.
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

    /// Whether a path of these decoded segments fits. A parameter takes any segment but an empty one.
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

    /// Which segments are literal; of two templates that take the same path, the greater is the closer one.
    pub(super) fn literals(&self) -> Vec<bool> {
        self.0.iter().map(|segment| matches!(segment, Segment::Literal(_))).collect()
    }
}

impl Segment {
    fn parse(text: &str) -> Result<Segment, String> {
        match text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
            Some(name) => Ok(Segment::Parameter(name.to_owned())),
            None if text.contains(['{', '}']) => Err(format!("{text}: a parameter must fill its segment")),
            None => Ok(Segment::Literal(text.to_owned())),
        }
    }
}

/// The decoded segments of a path as it came over the wire; nothing if it is no path or not decodable.
pub(super) fn split(path: &str) -> Option<Vec<String>> {
    path.strip_prefix('/')?.split('/').map(decode).collect()
}

/// A text without its percent-encoding; nothing if it cannot be decoded.
pub(crate) fn decode(segment: &str) -> Option<String> {
    let mut decoded = Vec::with_capacity(segment.len());
    let mut rest = segment.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        if byte == b'%' {
            let (digits, tail) = rest.split_at_checked(2)?;
            decoded.push(hex(digits[0])? << 4 | hex(digits[1])?);
            rest = tail;
        } else {
            decoded.push(byte);
        }
    }
    String::from_utf8(decoded).ok()
}

fn hex(digit: u8) -> Option<u8> {
    // A digit in base 16 is below 16, so nothing is cut off.
    char::from(digit).to_digit(16).map(|value| value as u8)
}
