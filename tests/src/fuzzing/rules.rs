//! Values that can only be what their source allows. The other opinion on each is written here from the source again.

use std::fmt::{Debug, Display};
use std::str::FromStr;

use lastmile::rules::{CovageText, OnApiId, Otp, Problem, RuleError};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::lossy;

/// Makes a value of a text in every way there is. All agree with `allowed`, and what is made prints itself.
fn rule<T>(data: &[u8], allowed: impl Fn(&str) -> bool)
where
    T: FromStr<Err = RuleError> + TryFrom<String, Error = RuleError> + Into<String>,
    T: AsRef<str> + Display + Debug + Clone + PartialEq + Serialize + DeserializeOwned,
{
    let Ok(text) = std::str::from_utf8(data) else {
        let quoted = [b"\"", data, b"\""].concat();
        assert!(serde_json::from_slice::<T>(&quoted).is_err(), "{}", lossy(data));
        return;
    };
    let json = serde_json::to_string(text).expect("a text can be written");
    match text.parse::<T>() {
        Ok(value) => {
            assert!(allowed(text), "{text:?} is taken");
            assert_eq!((value.to_string().as_str(), value.as_ref()), (text, text));
            assert_eq!(T::try_from(text.to_owned()).as_ref(), Ok(&value));
            assert_eq!(serde_json::to_string(&value).expect("it can be written"), json);
            assert_eq!(serde_json::from_str::<T>(&json).expect("it can be read"), value);
            assert_eq!(value.clone().into(), text);
            let _ = format!("{value:?}");
        }
        Err(error) => {
            assert!(!allowed(text), "{text:?} is refused: {error}");
            assert_eq!(T::try_from(text.to_owned()).err(), Some(error));
            assert!(serde_json::from_str::<T>(&json).is_err());
            assert!(error.to_string().len() < 300, "{error}");
            match error.problem() {
                Problem::Empty => assert_eq!(text, ""),
                Problem::Character { character, at } => assert_eq!(text.chars().nth(at), Some(character)),
                Problem::TooLong { allowed } => assert!(text.chars().count() > allowed, "{text:?}"),
                _ => {}
            }
        }
    }
}

pub fn otp(data: &[u8]) {
    rule::<Otp>(data, |text| {
        let parts: Vec<&str> = text.split('-').collect();
        let [prefix, one, two] = parts.as_slice() else { return false };
        let capitals = |part: &str| part.chars().all(|c| matches!(c, 'A'..='Z' | '0'..='9'));
        let four = |part: &str| part.len() == 4 && capitals(&part.to_ascii_uppercase());
        (2..=3).contains(&prefix.len()) && capitals(prefix) && four(one) && four(two)
    });
}

pub fn covage_text(data: &[u8]) {
    // As the source prints it, the two spaces that it names included.
    const LISTED: &str =
        "()+,-.0123456789:ABCDEFGHIJKLMNOPQRSTUVWXYZ@[]_abcdefghijklmnopqrstuvwxyz{}àâäçèéêëîïôöùûü \u{a0}";
    rule::<CovageText>(data, |text| text.chars().all(|c| LISTED.contains(c)));
}

pub fn on_api_id(data: &[u8]) {
    rule::<OnApiId>(data, |text| {
        let listed = |c: char| matches!(c, 'a'..='z' | 'A'..='Z' | '0'..='9' | '-' | '.');
        (1..=36).contains(&text.len()) && text.chars().all(listed) && !matches!(text, "." | "..")
    });
}
