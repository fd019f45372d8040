use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use chrono::NaiveDate;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{self, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;

/// A value in a response: the expected type, or what arrived instead.
///
/// Some suppliers send numbers as strings and strings as numbers, and `null` or `""` for missing values. All of these are read,
/// and are serialized in the form in which they arrived. A value that cannot be read is kept as it arrived.
///
/// ```
/// use lastmile_core::wire::Lenient;
///
/// let [plain, text, nothing, odd]: [Lenient<i64>; 4] = serde_json::from_str(r#"[7, "7", "", "seven"]"#)?;
/// assert_eq!(plain.get(), Some(&7));
/// assert_eq!(text.get(), Some(&7));
/// assert!(nothing.is_nothing());
/// assert_eq!(odd.get(), None);
/// assert_eq!(odd.unexpected(), Some(&serde_json::json!("seven")));
/// assert_eq!(serde_json::to_string(&(text, odd))?, r#"["7","seven"]"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// A number with a fraction or beyond 64 bits that arrives instead of another type is kept with the precision of a float. If a
/// whole number could lose digits that way, it is not read as a value.
#[derive(Clone, Default, PartialEq)]
pub enum Lenient<T> {
    /// The field was missing.
    #[default]
    Absent,
    /// The value arrived in its canonical form.
    Value(T),
    /// Something else arrived instead.
    Unexpected(Unexpected<T>),
}

/// What arrived instead of a value in its canonical form.
#[derive(Clone, PartialEq)]
pub struct Unexpected<T>(
    /// `None` only while it is being dropped.
    Option<Box<Arrived<T>>>,
);

#[derive(Clone, PartialEq)]
struct Arrived<T> {
    read: Option<T>,
    arrived: Value,
    /// Whether `arrived` contains the JSON text of the value, because no [`Value`] can represent it.
    is_json_text: bool,
}

impl<T> Unexpected<T> {
    #[cold]
    fn new(read: Option<T>, arrived: Value) -> Self {
        Self(Some(Box::new(Arrived { read, arrived, is_json_text: false })))
    }

    /// Returns the value that could nevertheless be read.
    fn read(&self) -> Option<&T> {
        self.0.as_ref()?.read.as_ref()
    }

    fn arrived(&self) -> &Value {
        self.0.as_ref().map_or(&Value::Null, |unexpected| &unexpected.arrived)
    }

    /// Returns the JSON text that is serialized instead of [`arrived`](Self::arrived), if that is the text of valid JSON.
    fn json_text(&self) -> Option<&RawValue> {
        let unexpected = self.0.as_ref().filter(|unexpected| unexpected.is_json_text)?;
        serde_json::from_str(unexpected.arrived.as_str()?).ok()
    }
}

impl<T> Drop for Unexpected<T> {
    /// Not inlined: every field of every row is dropped, and almost none is unexpected.
    #[inline]
    fn drop(&mut self) {
        #[cold]
        #[inline(never)]
        fn drop_boxed<T>(_: Box<Arrived<T>>) {}

        if let Some(unexpected) = self.0.take() {
            drop_boxed(unexpected);
        }
    }
}

impl<T> Lenient<T> {
    /// Returns the value, if one arrived that could be read.
    pub fn get(&self) -> Option<&T> {
        match self {
            Self::Absent => None,
            Self::Value(value) => Some(value),
            Self::Unexpected(unexpected) => unexpected.read(),
        }
    }

    /// Returns the owned value, if one arrived that could be read.
    pub fn into_option(self) -> Option<T> {
        match self {
            Self::Absent => None,
            Self::Value(value) => Some(value),
            Self::Unexpected(mut unexpected) => unexpected.0.take().and_then(|unexpected| unexpected.read),
        }
    }

    /// Returns the dereferenced value: `Option<&str>` for a `Lenient<Text>`.
    pub fn as_deref(&self) -> Option<&T::Target>
    where
        T: Deref,
    {
        self.get().map(Deref::deref)
    }

    /// Returns a field without a value, for JSON that no [`Value`] can represent: a repeated key, half a surrogate pair, or a
    /// number beyond the range of floats. [`unexpected`](Self::unexpected) returns the JSON as a string. The field is serialized
    /// as it arrived, or as that string if it is not valid JSON.
    #[cold]
    pub(super) fn unreadable_json(json: &[u8]) -> Self {
        let arrived = Value::String(String::from_utf8_lossy(json).into_owned());
        Self::Unexpected(Unexpected(Some(Box::new(Arrived { read: None, arrived, is_json_text: true }))))
    }

    /// Returns what arrived, if it was not the value in its canonical form. JSON that no [`Value`] can represent is returned as a
    /// string.
    pub fn unexpected(&self) -> Option<&Value> {
        match self {
            Self::Unexpected(unexpected) => Some(unexpected.arrived()),
            _ => None,
        }
    }

    /// Returns whether the field was missing. `null` and `""` are empty, but not absent.
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    /// Returns whether the supplier sent no value: a missing field, `null`, or `""` for anything other than text.
    pub fn is_nothing(&self) -> bool {
        match self {
            Self::Absent => true,
            Self::Value(_) => false,
            Self::Unexpected(unexpected) => unexpected.arrived().is_null() || unexpected.arrived() == "",
        }
    }
}

impl<T> From<T> for Lenient<T> {
    fn from(value: T) -> Self {
        Self::Value(value)
    }
}

impl<T: fmt::Debug> fmt::Debug for Lenient<T> {
    /// Shows the value that was read. Anything else is not shown, since it may contain personal data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self, self.get()) {
            (Self::Absent, _) => f.write_str("Absent"),
            (_, Some(value)) => value.fmt(f),
            (lenient, None) => f.write_str(if lenient.is_nothing() { "Nothing" } else { "Unreadable" }),
        }
    }
}

/// A scalar as it arrived. `Debug` shows only its kind, since the value may be personal data.
#[derive(Clone, Copy, PartialEq)]
pub enum Scalar<'a> {
    /// `true` or `false`.
    Bool(bool),
    /// A whole number that is not negative.
    Unsigned(u64),
    /// A negative whole number.
    Signed(i64),
    /// Any other number.
    Float(f64),
    /// A string.
    Text(&'a str),
}

impl fmt::Debug for Scalar<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bool(_) => "Bool((hidden))",
            Self::Unsigned(_) => "Unsigned((hidden))",
            Self::Signed(_) => "Signed((hidden))",
            Self::Float(_) => "Float((hidden))",
            Self::Text(_) => "Text((hidden))",
        })
    }
}

impl From<Scalar<'_>> for Value {
    fn from(given: Scalar<'_>) -> Self {
        match given {
            Scalar::Bool(value) => value.into(),
            Scalar::Unsigned(value) => value.into(),
            Scalar::Signed(value) => value.into(),
            Scalar::Float(value) => value.into(),
            Scalar::Text(value) => value.into(),
        }
    }
}

/// The result of reading a [`Scalar`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Reading<T> {
    /// The value was read, and serializing it reproduces exactly what arrived.
    Canonical(T),
    /// The value was read, but it arrived in another form.
    Coerced(T),
    /// The scalar could not be read.
    Invalid,
}

impl<T> Reading<T> {
    fn bent(read: Option<T>) -> Self {
        read.map_or(Self::Invalid, Self::Coerced)
    }

    /// Reads a value of an open enum. An empty string has no value.
    pub fn named(given: Scalar<'_>) -> Self
    where
        T: for<'a> From<&'a str>,
    {
        match given {
            Scalar::Text("") => Self::Invalid,
            Scalar::Text(name) => Self::Canonical(name.into()),
            other => match String::read(other) {
                Reading::Canonical(name) | Reading::Coerced(name) => Self::Coerced(name.as_str().into()),
                Reading::Invalid => Self::Invalid,
            },
        }
    }
}

/// The magnitude below which a float represents every whole number exactly.
const WHOLE: f64 = 9_007_199_254_740_992.0;

/// A type that a [`Lenient`] can hold.
pub trait Readable: Sized {
    /// Reads a scalar. The default implementation reads none.
    fn read(_: Scalar<'_>) -> Reading<Self> {
        Reading::Invalid
    }

    /// Reads a string that is the value in its canonical form, as a shortcut. `None` means that [`read`](Self::read) is called.
    fn read_text(_: &str) -> Option<Self> {
        None
    }

    /// Reads an object.
    ///
    /// # Errors
    /// Returns an error if the object is invalid, or if a part of it is invalid that must have one particular form.
    fn read_map<'de, A: MapAccess<'de>>(map: A) -> Result<Lenient<Self>, A::Error> {
        Ok(LenientVisitor::unreadable(Value::deserialize(MapAccessDeserializer::new(map))?))
    }

    /// Reads the value from a deserializer, for types that need more of it than a [`Scalar`] contains.
    #[doc(hidden)]
    fn read_from<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Lenient<Self>, D::Error> {
        deserializer.deserialize_any(LenientVisitor(PhantomData))
    }
}

impl Readable for String {
    #[inline]
    fn read_text(text: &str) -> Option<Self> {
        Some(text.to_owned())
    }

    fn read(given: Scalar<'_>) -> Reading<Self> {
        match given {
            Scalar::Text(text) => Reading::Canonical(text.to_owned()),
            // The float may have lost digits, and an id with wrong digits is worse than none.
            Scalar::Float(number) if number.abs() >= WHOLE => Reading::Invalid,
            other => Reading::Coerced(Value::from(other).to_string()),
        }
    }
}

impl Readable for bool {
    fn read(given: Scalar<'_>) -> Reading<Self> {
        match given {
            Scalar::Bool(value) => Reading::Canonical(value),
            Scalar::Text(text) if text.eq_ignore_ascii_case("true") => Reading::Coerced(true),
            Scalar::Text(text) if text.eq_ignore_ascii_case("false") => Reading::Coerced(false),
            _ => Reading::Invalid,
        }
    }
}

impl Readable for i64 {
    fn read(given: Scalar<'_>) -> Reading<Self> {
        match given {
            Scalar::Unsigned(value) => Self::try_from(value).map_or(Reading::Invalid, Reading::Canonical),
            Scalar::Signed(value) => Reading::Canonical(value),
            #[expect(clippy::cast_possible_truncation, reason = "whole and within range")]
            Scalar::Float(value) => {
                Reading::bent((value.fract() == 0.0 && value.abs() < WHOLE).then_some(value as Self))
            }
            Scalar::Text(text) => Reading::bent(text.trim().parse().ok()),
            Scalar::Bool(_) => Reading::Invalid,
        }
    }
}

impl Readable for NaiveDate {
    /// A date-time is read as its date, ignoring its offset. Eight digits are read as year, month and day, from the year 1900 on:
    /// in any other order, a date of these years does not begin with such a number.
    fn read(given: Scalar<'_>) -> Reading<Self> {
        let Scalar::Text(whole) = given else { return Reading::Invalid };
        let text = whole.trim();
        if text.len() != whole.len() {
            return match Self::read(Scalar::Text(text)) {
                Reading::Canonical(date) | Reading::Coerced(date) => Reading::Coerced(date),
                Reading::Invalid => Reading::Invalid,
            };
        }
        if text.len() == 8 {
            let digits = text.bytes().all(|byte| byte.is_ascii_digit()) && text >= "1900";
            return Reading::bent(digits.then(|| Self::parse_from_str(text, "%Y%m%d").ok()).flatten());
        }
        let Some((date, rest)) = text.split_at_checked(10) else { return Reading::Invalid };
        let looks_right = date.bytes().enumerate().all(|(at, b)| match at {
            4 | 7 => b == b'-',
            _ => b.is_ascii_digit(),
        });
        match (looks_right.then(|| date.parse().ok()).flatten(), rest.as_bytes().first()) {
            (Some(date), None) => Reading::Canonical(date),
            (Some(date), Some(b'T' | b't' | b' ')) => Reading::Coerced(date),
            _ => Reading::Invalid,
        }
    }
}

impl<T: for<'a> Deserialize<'a>> Readable for BTreeMap<String, T> {
    fn read_map<'de, A: MapAccess<'de>>(map: A) -> Result<Lenient<Self>, A::Error> {
        Self::deserialize(MapAccessDeserializer::new(map)).map(Lenient::Value)
    }
}

impl Readable for serde_json::Map<String, Value> {
    fn read_map<'de, A: MapAccess<'de>>(map: A) -> Result<Lenient<Self>, A::Error> {
        Self::deserialize(MapAccessDeserializer::new(map)).map(Lenient::Value)
    }
}

impl<T: Serialize> Serialize for Lenient<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Absent => serializer.serialize_none(),
            Self::Value(value) => value.serialize(serializer),
            Self::Unexpected(unexpected) => match unexpected.json_text() {
                None => unexpected.arrived().serialize(serializer),
                Some(json) => json.serialize(serializer),
            },
        }
    }
}

impl<'de, T: Readable> Deserialize<'de> for Lenient<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::read_from(deserializer)
    }
}

pub(super) struct LenientVisitor<T>(pub(super) PhantomData<T>);

impl<T: Readable> LenientVisitor<T> {
    #[inline(never)]
    fn scalar<E>(given: Scalar<'_>) -> Result<Lenient<T>, E> {
        Ok(match T::read(given) {
            Reading::Canonical(value) => Lenient::Value(value),
            Reading::Coerced(value) => Self::bent(value, given),
            Reading::Invalid => Self::unreadable(given.into()),
        })
    }

    #[cold]
    fn bent(value: T, given: Scalar<'_>) -> Lenient<T> {
        Lenient::Unexpected(Unexpected::new(Some(value), given.into()))
    }

    #[cold]
    fn unreadable(arrived: Value) -> Lenient<T> {
        Lenient::Unexpected(Unexpected::new(None, arrived))
    }
}

impl<'de, T: Readable> Visitor<'de> for LenientVisitor<T> {
    type Value = Lenient<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Self::Value, E> {
        Self::scalar(Scalar::Bool(value))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Self::Value, E> {
        Self::scalar(Scalar::Unsigned(value))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Self::Value, E> {
        Self::scalar(u64::try_from(value).map_or(Scalar::Signed(value), Scalar::Unsigned))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Self::Value, E> {
        Self::scalar(Scalar::Float(value))
    }

    #[inline]
    fn visit_str<E: de::Error>(self, value: &str) -> Result<Self::Value, E> {
        match T::read_text(value) {
            Some(value) => Ok(Lenient::Value(value)),
            None => Self::scalar(Scalar::Text(value)),
        }
    }

    fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
        Ok(Self::unreadable(Value::Null))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Self::Value, A::Error> {
        Ok(Self::unreadable(Value::deserialize(SeqAccessDeserializer::new(list))?))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        T::read_map(map)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn reads<T: Readable + Serialize + PartialEq + fmt::Debug>(arrived: &str, value: Option<T>) {
        let lenient: Lenient<T> = serde_json::from_str(arrived).unwrap();
        assert_eq!(lenient.get(), value.as_ref(), "{arrived}");
        assert_eq!(serde_json::to_string(&lenient).unwrap(), arrived, "written back as it came");
    }

    #[test]
    fn texts() {
        reads(r#""x""#, Some("x".to_owned()));
        reads(r#""""#, Some(String::new()));
        reads("7", Some("7".to_owned()));
        reads("-7", Some("-7".to_owned()));
        reads("1.5", Some("1.5".to_owned()));
        reads("true", Some("true".to_owned()));
        reads("18446744073709551615", Some("18446744073709551615".to_owned()));
        assert_eq!(serde_json::from_str::<Lenient<String>>("18446744073709551616").unwrap().get(), None);
        reads::<String>("null", None);
        reads::<String>(r#"["x"]"#, None);
        reads::<String>(r#"{"a":{"b":null}}"#, None);
    }

    #[test]
    fn numbers() {
        reads("7", Some(7));
        reads(r#""7""#, Some(7));
        reads("-7", Some(-7));
        reads("7.0", Some(7));
        reads::<i64>("7.5", None);
        reads::<i64>("18446744073709551615", None);
        reads::<i64>("1e+300", None);
        reads::<i64>("true", None);
        reads::<i64>(r#""""#, None);
    }

    #[test]
    fn truths_and_dates() {
        reads("true", Some(true));
        reads(r#""False""#, Some(false));
        reads::<bool>("1", None);
        let day = NaiveDate::from_ymd_opt(2019, 8, 24);
        reads(r#""2019-08-24""#, day);
        reads(r#""2019-08-24T00:00:00+02:00""#, day);
        reads::<NaiveDate>(r#""2019-8-24""#, None);
        reads::<NaiveDate>(r#""+201-08-24""#, None);
        reads::<NaiveDate>(r#""2019-02-30""#, None);
        reads::<NaiveDate>(r#""2019-08-2é""#, None);
        reads::<NaiveDate>(r#""2019-08-24x""#, None);
        reads(r#""20190824""#, day);
        reads(r#"" 2019-08-24 ""#, day);
        reads::<NaiveDate>(r#""24082019""#, None);
        reads::<NaiveDate>(r#""12101987""#, None);
        reads::<NaiveDate>(r#""20191324""#, None);
        reads::<NaiveDate>("20190824", None);
    }

    #[test]
    fn maps() {
        type Map = BTreeMap<String, Lenient<i64>>;
        let map: Lenient<Map> = serde_json::from_str(r#"{"a":1,"b":null}"#).unwrap();
        assert_eq!(map.get().unwrap()["a"].get(), Some(&1));
        assert_eq!(serde_json::to_string(&map).unwrap(), r#"{"a":1,"b":null}"#);
        reads::<Map>("null", None);
        reads::<Map>("[]", None);
        reads::<Map>(r#""""#, None);
    }

    #[test]
    fn nothing_is_told_from_unreadable() {
        let nothing: Vec<Lenient<bool>> = serde_json::from_str(r#"[null, ""]"#).unwrap();
        assert!(nothing.iter().all(|lenient| lenient.is_nothing() && !lenient.is_absent()));
        assert!(Lenient::<bool>::default().is_nothing());
        let odd: Lenient<bool> = serde_json::from_str(r#""Kalle""#).unwrap();
        assert!(!odd.is_nothing());
        assert_eq!(format!("{:?}", Scalar::Text("Kalle")), "Text((hidden))");
        assert_eq!(format!("{odd:?} {:?} {:?}", nothing[0], Lenient::Value(true)), "Unreadable Nothing true");
    }
}
