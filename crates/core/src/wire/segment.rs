use std::fmt;
use std::str::FromStr;

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde::{Deserialize, Deserializer, Serialize, de};

use super::redact::text_alone;

/// Characters that have a meaning in a path or are not allowed in a URL.
const PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'/')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'`')
    .add(b'{')
    .add(b'}');

/// A path parameter: a single path segment that cannot change the rest of the path.
///
/// Empty text, `.` and `..`, and text with a backslash are rejected, since URL parsers turn them into a different URL. All other
/// characters, slashes included, are percent-encoded and arrive as one segment.
///
/// ```
/// use lastmile_core::wire::Segment;
///
/// let id: Segment = "27/0431".parse()?;
/// assert_eq!(id.as_str(), "27/0431");
/// assert!("..".parse::<Segment>().is_err());
/// # Ok::<(), lastmile_core::wire::NotASegment>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(into = "String")]
pub struct Segment(String);

impl Segment {
    /// Returns the text as given, not encoded.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the percent-encoded text for a path.
    ///
    /// ```
    /// # use lastmile_core::wire::Segment;
    /// assert_eq!("27/0431".parse::<Segment>()?.encoded().to_string(), "27%2F0431");
    /// # Ok::<(), lastmile_core::wire::NotASegment>(())
    /// ```
    pub fn encoded(&self) -> impl fmt::Display + '_ {
        utf8_percent_encode(&self.0, PATH)
    }
}

impl<'de> Deserialize<'de> for Segment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text_alone(deserializer)?.try_into().map_err(de::Error::custom)
    }
}

/// Why a text cannot be a [`Segment`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotASegment {
    /// The text is empty.
    Empty,
    /// The text is `.` or `..`.
    Dots,
    /// The text contains a backslash at this byte offset.
    Backslash(usize),
}

impl fmt::Display for NotASegment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("it is empty: give the id as the supplier wrote it"),
            Self::Dots => f.write_str(
                "it is `.` or `..`, which means another path: give the id as the supplier wrote it",
            ),
            Self::Backslash(at) => {
                write!(
                    f,
                    "it holds a backslash at byte {at}, which URLs read as a slash: give the id as the supplier wrote it"
                )
            }
        }
    }
}

impl std::error::Error for NotASegment {}

impl TryFrom<String> for Segment {
    type Error = NotASegment;

    fn try_from(text: String) -> Result<Self, NotASegment> {
        match text.as_str() {
            "" => Err(NotASegment::Empty),
            "." | ".." => Err(NotASegment::Dots),
            other => match other.find('\\') {
                Some(at) => Err(NotASegment::Backslash(at)),
                None => Ok(Self(text)),
            },
        }
    }
}

impl TryFrom<&str> for Segment {
    type Error = NotASegment;

    fn try_from(text: &str) -> Result<Self, NotASegment> {
        text.to_owned().try_into()
    }
}

impl FromStr for Segment {
    type Err = NotASegment;

    fn from_str(text: &str) -> Result<Self, NotASegment> {
        text.try_into()
    }
}

impl From<Segment> for String {
    fn from(segment: Segment) -> Self {
        segment.0
    }
}

impl AsRef<str> for Segment {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_paths_are_refused() {
        assert_eq!("".parse::<Segment>(), Err(NotASegment::Empty));
        assert_eq!(".".parse::<Segment>(), Err(NotASegment::Dots));
        assert_eq!("..".parse::<Segment>(), Err(NotASegment::Dots));
        assert_eq!("a\\b".parse::<Segment>(), Err(NotASegment::Backslash(1)));
    }

    #[test]
    fn everything_else_is_kept() {
        for text in ["1abc", "a/b", "é", "%2e%2e", "...", " "] {
            assert_eq!(text.parse::<Segment>().unwrap().as_str(), text);
        }
    }

    #[test]
    fn reading_json_keeps_the_rule() {
        assert!(serde_json::from_str::<Segment>(r#""..""#).is_err());
        assert_eq!(serde_json::from_str::<Segment>(r#""a/b""#).unwrap().as_str(), "a/b");
    }
}
