//! Each rule with the regular expression of its source, and with texts that it accepts.

use std::fmt::Debug;
use std::str::FromStr;

use lastmile::rules::{self, RuleError};
use regex::Regex;
use schemars::{JsonSchema, schema_for};
use serde::{Serialize, de::DeserializeOwned};

pub(crate) struct Rule {
    pub(crate) name: &'static str,
    pub(crate) good: &'static [&'static str],
    /// What its source allows.
    source: Box<dyn Fn(&str) -> bool>,
    /// The pattern of its JSON Schema.
    pub(crate) pattern: Regex,
    /// Whether the schema's pattern expresses the whole rule.
    pub(crate) pattern_is_all: bool,
    /// Whether it preserves upper case.
    pub(crate) capitals: bool,
    /// Whether `Debug` redacts it.
    pub(crate) hidden: bool,
    check: fn(&str) -> Result<Seen, RuleError>,
}

/// A value, as each of its conversions shows it.
pub(crate) struct Seen {
    pub(crate) printed: String,
    pub(crate) json: String,
    pub(crate) debug: String,
}

impl Rule {
    pub(crate) fn allows(&self, text: &str) -> bool {
        (self.source)(text)
    }

    /// Parses with every constructor, which must agree, and prints with every conversion.
    pub(crate) fn read(&self, text: &str) -> Result<Seen, RuleError> {
        (self.check)(text)
    }
}

fn read<T>(text: &str) -> Result<Seen, RuleError>
where
    T: FromStr<Err = RuleError> + TryFrom<String, Error = RuleError> + Into<String> + AsRef<str> + ToString,
    T: for<'a> TryFrom<&'a str, Error = RuleError> + Clone + Debug + PartialEq + Serialize + DeserializeOwned,
{
    let parsed = text.parse::<T>();
    assert_eq!(T::try_from(text), parsed);
    assert_eq!(T::try_from(text.to_owned()), parsed);
    let json = serde_json::to_string(text).unwrap();
    assert_eq!(serde_json::from_str::<T>(&json).ok(), parsed.clone().ok());
    let value = parsed?;
    let printed = value.to_string();
    assert_eq!(value.as_ref(), printed);
    assert_eq!(Into::<String>::into(value.clone()), printed);
    Ok(Seen { printed, json: serde_json::to_string(&value).unwrap(), debug: format!("{value:?}") })
}

fn pattern<T: JsonSchema>() -> Regex {
    let schema = serde_json::to_value(schema_for!(T)).unwrap();
    assert_eq!(schema["type"], "string");
    assert!(schema["description"].as_str().is_some_and(|text| text.len() > 10), "{schema}");
    Regex::new(schema["pattern"].as_str().unwrap()).unwrap()
}

/// A rule whose source states, or amounts to, a regular expression.
macro_rules! rule {
    ($type:ident, $source:expr, $good:expr $(, $flag:ident = $value:expr)*) => {{
        let source = Regex::new($source).unwrap();
        #[allow(unused_mut)]
        let mut rule = Rule {
            name: stringify!($type),
            good: &$good,
            source: Box::new(move |text| source.is_match(text)),
            pattern: pattern::<rules::$type>(),
            pattern_is_all: true,
            capitals: false,
            hidden: true,
            check: read::<rules::$type>,
        };
        $(rule.$flag = $value;)*
        rule
    }};
}

/// The characters that Covage's page lists, and the two spaces that it names.
pub(crate) const COVAGE: &str = "() +, -. 0123456789: ABCDEFGHIJKLMNOPQRSTUVWXYZ @ [] _ abcdefghijklmnopqrstuvwxyz {} àâäçèéêëîïôöùûü\u{a0}";

pub(crate) fn rules() -> Vec<Rule> {
    let covage = |least| format!("^[{}]{{{least},}}$", regex::escape(COVAGE));
    let otp = "^[A-Z0-9]{2}-[A-Za-z0-9]{4}-[A-Za-z0-9]{4}$|^[A-Z0-9]{3}-[A-Za-z0-9]{4}-[A-Za-z0-9]{4}$";
    let mut building = rule!(
        BuildingRef,
        r"^[^\\]{1,32}$",
        ["IMB/76540/X/043X", "IMB/93077/X/00ZY", "B", "..."],
        hidden = false,
        pattern_is_all = false
    );
    let length = building.source;
    building.source = Box::new(move |text| length(text) && text != "." && text != "..");
    let mut id = rule!(
        OnApiId,
        r"^[-0-9a-zA-Z\.]{1,36}$",
        ["17", "ADA134312", "58128a38-8df0-11e9-b683-526af7764f64", "a.b", "..."],
        hidden = false,
        pattern_is_all = false
    );
    let characters = id.source;
    id.source = Box::new(move |text| characters(text) && text != "." && text != "..");
    let mut option82 = rule!(
        Option82,
        "^",
        [
            "520A01036162630203313233",
            "5216010765746820302F31020B31302E31302E31302E3130",
            "52270123434F2D38373332633266303635653234393062616263653832306539346231303131610200",
            "52020200"
        ],
        pattern_is_all = false,
        capitals = true
    );
    option82.source = Box::new(is_option82);
    vec![
        rule!(Otp, otp, ["FI-1234-4234", "FIE-2523-4523", "00-abCD-zz99"]),
        rule!(
            CovageText,
            &covage(0),
            ["", "Rue de la république (bât. B)", "Anka\u{a0}[1]", "{a_b}:c+d,e-f@g."]
        ),
        rule!(CovageEmail, &covage(1), ["kajsa@ankeborg.example", "k"]),
        rule!(CovagePhone, &covage(1), ["0123456789", "+33 1 23"]),
        rule!(CovageZipCode, "^[0-9]{5}$", ["06130", "20250"]),
        rule!(LineNumber, "^[0-9]{10}$", ["0123456789"]),
        rule!(Siret, "^[0-9]{14}$", ["81352886600029", "35600000000048"]),
        rule!(Rio, r"^[0-9A-Za-z+]{12}$", ["03H000017NH+", "+9Z+++ABCU6R"], capitals = true),
        rule!(CovageOrderRef, "^O[0-9]{6}_[0-9A-Za-z]{5}$", ["O191016_32563"], hidden = false),
        rule!(CovageServiceRef, "^S[0-9]{6}_[0-9A-Za-z]{5}$", ["S191128_21428"], hidden = false),
        building,
        rule!(StairsKey, r"^(?:[^\^]+\^[^\^]+|_NA_)$", ["NA^1", "_NA_", "BAT A^C"]),
        id,
        rule!(
            MacAddress,
            "^([0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}$",
            ["01:02:03:04:05:06", "AA:BB:CC:DD:EE:FF"],
            capitals = true
        ),
        rule!(OnApiPostalCode, "^[1-9][0-9]{4}$", ["10000", "98499"]),
        rule!(CountryCode, "^[A-Z]{2}$", ["SE", "ZZ"], hidden = false),
        rule!(
            OnApiStreetNumber,
            "^(([0-9]+)|([0-9]{1,4}-[0-9]{1,4}))$",
            ["7", "100", "550-7", "1234-5678", "123456789"]
        ),
        rule!(ApartmentNumber, "^[0-9]{4}$", ["1001", "0000"]),
        rule!(OnApiPhone, r"^\+[0-9]+$", ["+468214930", "+1"]),
        option82,
    ]
}

/// RFC 3046 over bytes, written from the figures of the document.
pub(crate) fn is_option82(text: &str) -> bool {
    let digits: Option<Vec<u8>> =
        text.chars().map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
    let Some(digits) = digits.filter(|digits| digits.len() % 2 == 0) else { return false };
    let bytes: Vec<u8> = digits.chunks(2).map(|pair| pair[0] * 16 + pair[1]).collect();
    let [82, length, sub_options @ ..] = bytes.as_slice() else { return false };
    let mut rest = sub_options;
    while let [_, length, remaining @ ..] = rest {
        if remaining.len() < usize::from(*length) {
            return false;
        }
        rest = &remaining[usize::from(*length)..];
    }
    rest.is_empty() && !sub_options.is_empty() && sub_options.len() == usize::from(*length)
}
