use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};
use serde_json::value::RawValue;

use super::lenient::{Lenient, LenientVisitor, Readable, Reading, Scalar};

/// A number with the digits that it was written with: `0.10` stays `0.10`, and no digit is rounded away.
///
/// Two numbers are equal if their digits are the same, so `0.1` and `0.10` differ. For calculations, convert the text into
/// another number type. Serialization is supported for JSON with serde_json only.
///
/// ```
/// use lastmile_core::wire::Decimal;
///
/// let attenuation: Decimal = "0.35".parse()?;
/// assert_eq!(serde_json::to_string(&attenuation).unwrap(), "0.35");
/// assert_eq!(Decimal::try_from(0.35)?, attenuation);
/// assert!(Decimal::try_from(f64::NAN).is_err());
/// # Ok::<(), lastmile_core::wire::NotANumber>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Decimal(Box<str>);

/// The error for a text that is not a JSON number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotANumber;

impl fmt::Display for NotANumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a finite decimal number: write it with digits and a point, such as 0.35 or -12")
    }
}

impl std::error::Error for NotANumber {}

impl Decimal {
    /// Returns the digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the nearest floating-point number, or infinity if the number is out of range.
    pub fn to_f64(&self) -> f64 {
        // Rust parses every JSON number as a float, and returns infinity on overflow.
        self.0.parse().unwrap_or(f64::NAN)
    }
}

impl FromStr for Decimal {
    type Err = NotANumber;

    fn from_str(text: &str) -> Result<Self, NotANumber> {
        if is_json_number(text.as_bytes()) { Ok(Self(text.into())) } else { Err(NotANumber) }
    }
}

/// Returns whether the text matches the grammar of RFC 8259: `-? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)?`
fn is_json_number(text: &[u8]) -> bool {
    fn digits(text: &[u8]) -> (usize, &[u8]) {
        let n = text.iter().take_while(|b| b.is_ascii_digit()).count();
        (n, &text[n..])
    }
    let text = text.strip_prefix(b"-").unwrap_or(text);
    let leading_zero = text.starts_with(b"0");
    let (whole, mut rest) = digits(text);
    if whole == 0 || (leading_zero && whole > 1) {
        return false;
    }
    if let Some(fraction) = rest.strip_prefix(b".") {
        let (n, after) = digits(fraction);
        if n == 0 {
            return false;
        }
        rest = after;
    }
    if let Some(exponent) = rest.strip_prefix(b"e").or_else(|| rest.strip_prefix(b"E")) {
        let unsigned =
            exponent.strip_prefix(b"+").or_else(|| exponent.strip_prefix(b"-")).unwrap_or(exponent);
        let (n, after) = digits(unsigned);
        if n == 0 {
            return false;
        }
        rest = after;
    }
    rest.is_empty()
}

impl TryFrom<f64> for Decimal {
    type Error = NotANumber;

    /// Uses the shortest digits that parse to the same float.
    fn try_from(number: f64) -> Result<Self, NotANumber> {
        serde_json::Number::from_f64(number).map(|n| Self(n.to_string().into())).ok_or(NotANumber)
    }
}

macro_rules! from_integers {
    ($($integer:ty),*) => {$(
        impl From<$integer> for Decimal {
            fn from(number: $integer) -> Self {
                Self(number.to_string().into())
            }
        }
    )*};
}
from_integers!(i32, i64, u32, u64);

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        RawValue::from_string(self.0.to_string()).map_err(ser::Error::custom)?.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        raw.get().parse().map_err(|NotANumber| de::Error::custom("invalid type, expected a number"))
    }
}

impl Readable for Decimal {
    fn read(given: Scalar<'_>) -> Reading<Self> {
        match given {
            Scalar::Unsigned(number) => Reading::Canonical(number.into()),
            Scalar::Signed(number) => Reading::Canonical(number.into()),
            Scalar::Float(number) => number.try_into().map_or(Reading::Invalid, Reading::Canonical),
            Scalar::Text(text) => text.trim().parse().map_or(Reading::Invalid, Reading::Coerced),
            Scalar::Bool(_) => Reading::Invalid,
        }
    }

    /// Reads the text of the number, since a float would already have lost digits.
    fn read_from<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Lenient<Self>, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        match raw.get().parse() {
            Ok(number) => Ok(Lenient::Value(number)),
            Err(NotANumber) => serde_json::Deserializer::from_str(raw.get())
                .deserialize_any(LenientVisitor(PhantomData))
                .map_err(de::Error::custom),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_survive() {
        for digits in
            ["0.10", "1234567.1234567890123", "-0", "1e400", "123456789012345678901234567890", "1E+2"]
        {
            let number: Decimal = serde_json::from_str(digits).unwrap();
            assert_eq!(number.as_str(), digits);
            assert_eq!(serde_json::to_string(&number).unwrap(), digits);
        }
    }

    #[test]
    fn only_json_numbers_are_taken() {
        for text in
            ["", "-", "01", "1.", ".5", "+1", "1e", "1e+", "0x1", "NaN", "1 ", " 1", "1,5", "--1", "inf"]
        {
            assert_eq!(text.parse::<Decimal>(), Err(NotANumber), "{text:?}");
        }
        assert!(serde_json::from_str::<Decimal>(r#""1""#).is_err());
        assert!(serde_json::from_str::<Decimal>("[1]").is_err());
        assert!(Decimal::try_from(f64::INFINITY).is_err());
        assert_eq!(Decimal::from(-12i64).as_str(), "-12");
        assert_eq!("1e400".parse::<Decimal>().unwrap().to_f64(), f64::INFINITY);
    }

    #[test]
    fn loosely_read_it_keeps_its_digits_too() {
        for (arrived, digits) in [
            ("1234567.1234567890123", Some("1234567.1234567890123")),
            ("0.10", Some("0.10")),
            ("\"0.10\"", Some("0.10")),
            ("\"\"", None),
            ("null", None),
            ("\"1,5\"", None),
            ("{\"a\":1}", None),
        ] {
            let lenient: Lenient<Decimal> = serde_json::from_str(arrived).unwrap();
            assert_eq!(lenient.get().map(Decimal::as_str), digits, "{arrived}");
            assert_eq!(serde_json::to_string(&lenient).unwrap(), arrived);
        }
    }

    #[test]
    fn it_passes_through_a_value() {
        let value = serde_json::to_value("0.5".parse::<Decimal>().unwrap()).unwrap();
        assert_eq!(value, serde_json::json!(0.5));
        assert_eq!(serde_json::from_value::<Decimal>(value).unwrap().as_str(), "0.5");
    }
}
