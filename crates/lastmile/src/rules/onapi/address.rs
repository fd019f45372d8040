use serde::Serialize;

use crate::rules::{Problem, Warning, hidden, scan, text_rule};

/// A Swedish postal code: five digits, the first not 0.
///
/// Source: ON-API 2.6, data formats, "postalCode".
///
/// `Debug` does not show the code, because it is part of an address.
///
/// ```
/// use lastmile::rules::OnApiPostalCode;
///
/// let code: OnApiPostalCode = "10000".parse()?;
///
/// let error = "100 00".parse::<OnApiPostalCode>().unwrap_err();
/// assert!(error.to_string().starts_with("the character ' ' at index 3 is not allowed there"));
/// # Ok::<(), lastmile::rules::RuleError>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(into = "String")]
pub struct OnApiPostalCode(String);

text_rule!(OnApiPostalCode, "a postal code is five digits, the first not 0", "^[1-9][0-9]{4}$");
hidden!(OnApiPostalCode);

impl OnApiPostalCode {
    fn check(text: &str) -> Result<(), Problem> {
        scan(text, 5..=5, |at, byte| byte.is_ascii_digit() && (at > 0 || byte != b'0'))
    }
}

/// The code of a country: two capital letters.
///
/// Source: ON-API 2.6, data formats, "countryCode", which requires ISO 3166-1 alpha-2.
///
/// ```
/// use lastmile::rules::{CountryCode, Warning};
///
/// let country: CountryCode = "SE".parse()?;
/// assert!(country.warnings().is_empty());
/// assert_eq!("SW".parse::<CountryCode>()?.warnings(), [Warning::Country]);
///
/// let error = "se".parse::<CountryCode>().unwrap_err();
/// assert!(error.to_string().starts_with("the character 's' at index 0 is not allowed there"));
/// # Ok::<(), lastmile::rules::RuleError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(into = "String")]
pub struct CountryCode(String);

text_rule!(CountryCode, "a country's code is two capitals, such as SE", "^[A-Z]{2}$");

impl CountryCode {
    /// The codes that ISO 3166-1 assigns. The list changes occasionally, and the pattern of the standard also accepts other
    /// codes.
    const ASSIGNED: &str = "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV \
        BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO \
        FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP \
        KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU \
        MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB \
        SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY \
        UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW";

    fn check(text: &str) -> Result<(), Problem> {
        scan(text, 2..=2, |_, byte| byte.is_ascii_uppercase())
    }

    /// Returns [`Warning::Country`] if the code is not assigned to a country.
    pub fn warnings(&self) -> Vec<Warning> {
        let assigned = Self::ASSIGNED.split(' ').any(|code| code == self.0);
        if assigned { Vec::new() } else { vec![Warning::Country] }
    }
}

/// The number of a house: digits, or the distance-based address of a country road, such as `550-7`. The letter of a house
/// belongs in another field (`streetLittera`).
///
/// Source: ON-API 2.6, accesses, "streetNumber".
///
/// `Debug` does not show the number, because it is part of an address.
///
/// ```
/// use lastmile::rules::OnApiStreetNumber;
///
/// let number: OnApiStreetNumber = "550-7".parse()?;
///
/// let error = "10G".parse::<OnApiStreetNumber>().unwrap_err();
/// assert!(error.to_string().starts_with("the character 'G' at index 2 is not allowed there"));
/// # Ok::<(), lastmile::rules::RuleError>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(into = "String")]
pub struct OnApiStreetNumber(String);

text_rule!(
    OnApiStreetNumber,
    "a street number is digits, or twice one to four digits with a hyphen between them",
    "^([0-9]+|[0-9]{1,4}-[0-9]{1,4})$"
);
hidden!(OnApiStreetNumber);

impl OnApiStreetNumber {
    fn check(text: &str) -> Result<(), Problem> {
        // A text without a hyphen at a valid position is checked as a plain number.
        let hyphen = text.bytes().take_while(u8::is_ascii_digit).count();
        if !(1..=4).contains(&hyphen) || text.as_bytes().get(hyphen) != Some(&b'-') {
            return scan(text, 1..=usize::MAX, |_, byte| byte.is_ascii_digit());
        }
        scan(text, hyphen + 2..=hyphen + 5, |at, byte| at == hyphen || byte.is_ascii_digit())
    }
}

/// The number of an apartment in its house: four digits.
///
/// Source: ON-API 2.6, accesses, "mduApartmentNumber". The standard calls it a JSON number, but its sample is a string. This
/// type is a string, since a number would lose a leading zero.
///
/// `Debug` does not show the number, because it is part of an address.
///
/// ```
/// use lastmile::rules::ApartmentNumber;
///
/// let apartment: ApartmentNumber = "1001".parse()?;
///
/// let error = "101".parse::<ApartmentNumber>().unwrap_err();
/// assert!(error.to_string().starts_with("it is too short"));
/// # Ok::<(), lastmile::rules::RuleError>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(into = "String")]
pub struct ApartmentNumber(String);

text_rule!(ApartmentNumber, "the number of an apartment is four digits", "^[0-9]{4}$");
hidden!(ApartmentNumber);

impl ApartmentNumber {
    fn check(text: &str) -> Result<(), Problem> {
        scan(text, 4..=4, |_, byte| byte.is_ascii_digit())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_houses() {
        for good in ["1", "100", "123456789012345678901234567890", "550-7", "1-1", "0001-9999"] {
            assert_eq!(good.parse::<OnApiStreetNumber>().unwrap().as_str(), good);
        }
        let character = |character, at| Problem::Character { character, at };
        for (bad, problem) in [
            ("", Problem::Empty),
            ("-7", character('-', 0)),
            ("550-", Problem::TooShort),
            ("55000-7", character('-', 5)),
            ("550-70000", Problem::TooLong { allowed: 8 }),
            ("550-7-1", character('-', 5)),
            ("550–7", character('–', 3)),
            ("10 G", character(' ', 2)),
        ] {
            assert_eq!(bad.parse::<OnApiStreetNumber>().unwrap_err().problem(), problem, "{bad:?}");
        }
    }

    #[test]
    fn all_assigned_codes_are_known() {
        assert_eq!(CountryCode::ASSIGNED.split(' ').count(), 249);
        for code in CountryCode::ASSIGNED.split(' ') {
            assert_eq!(code.parse::<CountryCode>().unwrap().warnings(), [], "{code}");
        }
        for code in ["UK", "EU", "XX", "AA"] {
            assert_eq!(code.parse::<CountryCode>().unwrap().warnings(), [Warning::Country], "{code}");
        }
    }
}
