use std::fmt;

use serde::Serialize;

use crate::rules::{Problem, RuleError, hidden, scan, text_rule};

/// DHCP option 82 as a relay agent writes it, in hexadecimal digits: `52`, the length, and the sub-options, each with its code,
/// length and bytes. Lowercase digits are accepted and stored as capital letters.
///
/// Source: ON-API 2.6, data formats, "option82", and RFC 3046, which requires at least one sub-option and allows an empty one.
///
/// `Debug` does not show the option, because it identifies a customer's line.
///
/// ```
/// use lastmile::rules::Option82;
///
/// let option: Option82 = "520a01036162630203313233".parse()?;
/// assert_eq!(option.circuit_id().and_then(|circuit| circuit.text()).as_deref(), Some("abc"));
///
/// let built = Option82::from_sub_options([(1, &b"abc"[..]), (2, b"123")])?;
/// assert_eq!(built, option);
///
/// let error = "520A010361626302033132".parse::<Option82>().unwrap_err();
/// assert!(error.to_string().starts_with("the length at index 2 says 10 bytes, but 9 are there"));
/// # Ok::<(), lastmile::rules::RuleError>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(into = "String")]
pub struct Option82(String);

text_rule!(
    Option82,
    "option 82 is hexadecimal: 52, the length of the rest, and at least one sub-option as its code, its length and its bytes",
    "^52([0-9A-Fa-f]{2}){3,256}$",
    str::make_ascii_uppercase
);
hidden!(Option82);

impl Option82 {
    /// The code of the sub-option with the circuit id.
    pub const CIRCUIT_ID: u8 = 1;
    /// The code of the sub-option with the remote id.
    pub const REMOTE_ID: u8 = 2;

    fn check(text: &str) -> Result<(), Problem> {
        scan(text, 2..=usize::MAX, |at, byte| match at {
            0 => byte == b'5',
            1 => byte == b'2',
            _ => byte.is_ascii_hexdigit(),
        })?;
        if !text.len().is_multiple_of(2) {
            return Err(Problem::TooShort);
        }
        let (stated, mut rest) = sized(text, 2).ok_or(Problem::TooShort)?;
        let there = rest.len() / 2;
        if stated != there {
            return Err(Problem::Length { at: 2, stated, there });
        }
        if rest.is_empty() {
            return Err(Problem::TooShort);
        }
        while !rest.is_empty() {
            let at = text.len() - rest.len() + 2;
            let (stated, behind) = sized(rest, 2).ok_or(Problem::TooShort)?;
            let there = behind.len() / 2;
            rest = behind.get(2 * stated..).ok_or(Problem::Length { at, stated, there })?;
        }
        Ok(())
    }

    /// Creates an option from the codes and bytes of its sub-options, in the given order.
    ///
    /// # Errors
    /// Returns an error if there is no sub-option, or if the sub-options exceed 255 bytes in total.
    pub fn from_sub_options<'a>(
        sub_options: impl IntoIterator<Item = (u8, &'a [u8])>,
    ) -> Result<Self, RuleError> {
        const LONGEST: usize = 2 + 255;
        let too_long = RuleError::new(Self::RULE, Problem::TooLong { allowed: 2 * LONGEST });
        let mut bytes = vec![0x52, 0];
        for (code, value) in sub_options {
            let length = u8::try_from(value.len()).map_err(|_| too_long)?;
            bytes.extend([code, length]);
            bytes.extend_from_slice(value);
            if bytes.len() > LONGEST {
                return Err(too_long);
            }
        }
        if bytes.len() == 2 {
            return Err(RuleError::new(Self::RULE, Problem::Empty));
        }
        bytes[1] = u8::try_from(bytes.len() - 2).map_err(|_| too_long)?;
        let digit = |half: u8| char::from(b"0123456789ABCDEF"[usize::from(half)]);
        Ok(Self(bytes.into_iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()))
    }

    /// Returns the sub-options, in order.
    pub fn sub_options(&self) -> impl Iterator<Item = SubOption<'_>> {
        let mut rest = self.0.get(4..).unwrap_or_default();
        std::iter::from_fn(move || {
            let code = byte(rest, 0)?;
            let (length, behind) = sized(rest, 2)?;
            let (hex, behind) = behind.split_at_checked(2 * length)?;
            rest = behind;
            Some(SubOption { code, hex })
        })
    }

    /// Returns the sub-option with the circuit id.
    pub fn circuit_id(&self) -> Option<SubOption<'_>> {
        self.sub_options().find(|sub_option| sub_option.code == Self::CIRCUIT_ID)
    }

    /// Returns the sub-option with the remote id.
    pub fn remote_id(&self) -> Option<SubOption<'_>> {
        self.sub_options().find(|sub_option| sub_option.code == Self::REMOTE_ID)
    }
}

/// A sub-option of an [`Option82`]. `Debug` shows only its code and length.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SubOption<'a> {
    code: u8,
    hex: &'a str,
}

impl<'a> SubOption<'a> {
    /// Returns the code: 1 for the circuit id, 2 for the remote id. RFC 3046 and others define further codes.
    pub fn code(self) -> u8 {
        self.code
    }

    /// Returns the bytes.
    pub fn bytes(self) -> impl Iterator<Item = u8> + 'a {
        (0..self.hex.len()).step_by(2).filter_map(move |at| byte(self.hex, at))
    }

    /// Returns the bytes in hexadecimal digits.
    pub fn hex(self) -> &'a str {
        self.hex
    }

    /// Returns the bytes as text, if they are UTF-8 without control characters.
    pub fn text(self) -> Option<String> {
        let text = String::from_utf8(self.bytes().collect()).ok()?;
        (!text.contains(char::is_control)).then_some(text)
    }
}

impl fmt::Debug for SubOption<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SubOption({}, {} bytes)", self.code, self.hex.len() / 2)
    }
}

/// Returns the byte that two hexadecimal digits represent.
fn byte(hex: &str, at: usize) -> Option<u8> {
    u8::from_str_radix(hex.get(at..at + 2)?, 16).ok()
}

/// Returns the length that is stored at an index, and the digits after it.
fn sized(hex: &str, at: usize) -> Option<(usize, &str)> {
    Some((usize::from(byte(hex, at)?), hex.get(at + 2..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_standard_s_samples() {
        let texts = |hex: &str| {
            let option: Option82 = hex.parse().unwrap();
            option.sub_options().map(|sub| (sub.code(), sub.text().unwrap())).collect::<Vec<_>>()
        };
        assert_eq!(texts("520A01036162630203313233"), [(1, "abc".into()), (2, "123".into())]);
        assert_eq!(
            texts("5216010765746820302F31020B31302E31302E31302E3130"),
            [(1, "eth 0/1".into()), (2, "10.10.10.10".into())]
        );
        assert_eq!(texts("52020200"), [(2, String::new())]);
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place() {
        let character = |character, at| Problem::Character { character, at };
        let length = |at, stated, there| Problem::Length { at, stated, there };
        for (bad, problem) in [
            ("", Problem::Empty),
            ("5", Problem::TooShort),
            ("52", Problem::TooShort),
            ("5200", Problem::TooShort),
            ("5301", character('3', 1)),
            ("520A0103616263020331323", Problem::TooShort),
            ("520A0103616263020331323G", character('G', 23)),
            ("52 0A", character(' ', 2)),
            ("520é", character('é', 3)),
            ("520B01036162630203313233", length(2, 11, 10)),
            ("520901036162630203313233", length(2, 9, 10)),
            ("520A01096162630203313233", length(6, 9, 8)),
            ("520A01036162630204313233", length(16, 4, 3)),
            // A code without a length, such as an end marker, which RFC 3046 forbids.
            ("52060103616263FF", Problem::TooShort),
        ] {
            assert_eq!(bad.parse::<Option82>().unwrap_err().problem(), problem, "{bad:?}");
        }
    }

    #[test]
    fn nothing_too_long_is_built() {
        let built = |lengths: &[usize]| {
            let values: Vec<_> = lengths.iter().map(|length| vec![7; *length]).collect();
            Option82::from_sub_options(values.iter().map(|value| (9, value.as_slice())))
        };
        let longest = built(&[253]).unwrap();
        assert_eq!(longest.as_str().parse::<Option82>().unwrap(), longest);
        assert_eq!(longest.as_str().len(), 514);
        let too_long = Problem::TooLong { allowed: 514 };
        for lengths in [&[254][..], &[256], &[200, 60], &[0; 128]] {
            assert_eq!(built(lengths).unwrap_err().problem(), too_long, "{lengths:?}");
        }
        assert_eq!(built(&[]).unwrap_err().problem(), Problem::Empty);
        assert!(built(&[0; 127]).is_ok());
    }

    #[test]
    fn debug_shows_no_bytes() {
        let option: Option82 = "520A01036162630203313233".parse().unwrap();
        assert_eq!(
            format!("{option:?} {:?}", option.circuit_id().unwrap()),
            "Option82((hidden)) SubOption(1, 3 bytes)"
        );
    }
}
