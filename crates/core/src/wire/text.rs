use std::borrow::{Borrow, Cow};
use std::cmp::Ordering;
use std::convert::Infallible;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::str::FromStr;

use compact_str::CompactString;
use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::redact::redact_error;
use super::{Field, Lenient, Readable, Reading, Scalar};

/// A text in a response. It stores up to 24 bytes without an allocation, and takes as much memory as a [`String`].
///
/// It dereferences to [`str`] and compares, sorts and hashes like one, so that it can be looked up as one. Requests use [`String`],
/// which converts from and into it.
///
/// ```
/// use lastmile_core::wire::Text;
///
/// let text: Text = serde_json::from_str(r#""Ankeborg""#)?;
/// assert_eq!(text, "Ankeborg");
/// assert!(text.starts_with("Anke"));
/// assert_eq!(String::from(text), "Ankeborg");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Default, Eq, PartialEq)]
pub struct Text(CompactString);

impl Text {
    /// Returns the text as a string slice.
    #[inline]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Returns the text as a [`String`].
    pub fn into_string(self) -> String {
        self.0.into_string()
    }
}

impl Deref for Text {
    type Target = str;

    #[inline]
    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl AsRef<str> for Text {
    fn as_ref(&self) -> &str {
        self
    }
}

impl AsRef<[u8]> for Text {
    fn as_ref(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl Borrow<str> for Text {
    fn borrow(&self) -> &str {
        self
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.as_str(), f)
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

/// The hash of a [`str`], which [`Borrow`] requires.
impl Hash for Text {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl PartialOrd for Text {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Text {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_str().cmp(other)
    }
}

/// Compares a text with another type of text, in both directions.
macro_rules! compares_with {
    ($($other:ty),*) => {
        $(
            impl PartialEq<$other> for Text {
                fn eq(&self, other: &$other) -> bool {
                    let other: &str = other;
                    self.as_str() == other
                }
            }

            impl PartialEq<Text> for $other {
                fn eq(&self, other: &Text) -> bool {
                    other == self
                }
            }

            impl PartialOrd<$other> for Text {
                fn partial_cmp(&self, other: &$other) -> Option<Ordering> {
                    let other: &str = other;
                    Some(self.as_str().cmp(other))
                }
            }

            impl PartialOrd<Text> for $other {
                fn partial_cmp(&self, other: &Text) -> Option<Ordering> {
                    let text: &str = self;
                    Some(text.cmp(other))
                }
            }
        )*
    };
}

compares_with!(str, &str, String);

impl From<&str> for Text {
    #[inline]
    fn from(text: &str) -> Self {
        Self(CompactString::new(text))
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl From<&String> for Text {
    fn from(text: &String) -> Self {
        text.as_str().into()
    }
}

impl From<Cow<'_, str>> for Text {
    fn from(text: Cow<'_, str>) -> Self {
        Self(text.into())
    }
}

impl From<Text> for String {
    fn from(text: Text) -> Self {
        text.into_string()
    }
}

impl From<&Text> for String {
    fn from(text: &Text) -> Self {
        text.as_str().to_owned()
    }
}

impl FromStr for Text {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(text.into())
    }
}

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self)
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(TextVisitor).map_err(redact_error)
    }
}

struct TextVisitor;

impl Visitor<'_> for TextVisitor {
    type Value = Text;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Text, E> {
        Ok(text.into())
    }

    fn visit_string<E: de::Error>(self, text: String) -> Result<Text, E> {
        Ok(text.into())
    }
}

impl Lenient<Text> {
    /// Returns the owned text as a [`String`], if one arrived that could be read.
    pub fn into_string(self) -> Option<String> {
        self.into_option().map(Text::into_string)
    }
}

/// Reads what a [`String`] reads.
impl Readable for Text {
    #[inline]
    fn read_text(text: &str) -> Option<Self> {
        Some(text.into())
    }

    fn read(given: Scalar<'_>) -> Reading<Self> {
        match String::read(given) {
            Reading::Canonical(text) => Reading::Canonical(text.into()),
            Reading::Coerced(text) => Reading::Coerced(text.into()),
            Reading::Invalid => Reading::Invalid,
        }
    }
}

impl Field for Text {}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, HashMap};

    use serde_json::json;

    use super::*;

    const TEXTS: [&str; 6] = [
        "",
        "é",
        "Lilla huset",
        "24 bytes are in its place",
        "00000000-0000-4000-8000-000000000001",
        "Österlånggatan 17, 2 trappor",
    ];

    #[test]
    fn a_text_behaves_like_a_str() {
        for text in TEXTS {
            let (inline, string) = (Text::from(text), text.to_owned());
            assert_eq!(inline, text);
            assert_eq!(inline, *text);
            assert_eq!(inline, string);
            assert!(*text == inline && text == inline && string == inline);
            assert_eq!(inline.as_str(), text);
            assert_eq!(format!("{inline} {inline:?} {inline:>30}"), format!("{text} {text:?} {text:>30}"));
            assert_eq!(String::from(inline.clone()), text);
            assert_eq!(Text::from(text.to_owned()), inline);
            assert_eq!(text.parse::<Text>(), Ok(inline));
        }
    }

    #[test]
    fn a_text_sorts_and_hashes_like_a_str() {
        let hashed: HashMap<Text, &str> = TEXTS.iter().map(|text| (Text::from(*text), *text)).collect();
        let sorted: BTreeMap<Text, &str> = TEXTS.iter().map(|text| (Text::from(*text), *text)).collect();
        for text in TEXTS {
            assert_eq!(hashed.get(text), Some(&text));
            assert_eq!(sorted.get(text), Some(&text));
            for other in TEXTS {
                let (one, two) = (Text::from(text), Text::from(other));
                assert_eq!(one.cmp(&two), text.cmp(other));
                assert_eq!(one.partial_cmp(other), text.partial_cmp(other));
                assert_eq!(text.partial_cmp(&two), text.partial_cmp(other));
            }
        }
    }

    #[test]
    fn a_text_is_read_from_every_kind_of_deserializer() {
        for text in TEXTS {
            let json = json!(text);
            assert_eq!(serde_json::from_value::<Text>(json.clone()).unwrap(), text);
            assert_eq!(serde_json::from_str::<Text>(&json.to_string()).unwrap(), text);
            assert_eq!(serde_json::from_reader::<_, Text>(json.to_string().as_bytes()).unwrap(), text);
            assert_eq!(serde_json::to_value(Text::from(text)).unwrap(), json);
        }
        assert_eq!(serde_json::from_str::<Text>(r#""\u00e9""#).unwrap(), "é");
        assert!(serde_json::from_str::<Text>("7").is_err());
    }

    #[test]
    fn a_text_is_read_as_leniently_as_a_string() {
        for json in
            ["7", "-1.5", "true", "null", "[]", "{}", r#""x""#, r#""""#, "1e300", "18446744073709551616"]
        {
            let text: Lenient<Text> = serde_json::from_str(json).unwrap();
            let string: Lenient<String> = serde_json::from_str(json).unwrap();
            assert_eq!(text.as_deref(), string.as_deref(), "{json}");
            assert_eq!(text.unexpected(), string.unexpected(), "{json}");
        }
    }

    #[test]
    fn a_text_makes_no_field_larger() {
        assert_eq!(size_of::<Text>(), size_of::<String>());
        assert_eq!(size_of::<Lenient<Text>>(), size_of::<String>());
    }
}
