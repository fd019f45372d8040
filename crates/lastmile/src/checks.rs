//! Checks that apply to the texts of every request, whichever supplier receives it.
//!
//! The checks run on the serialized form of a request, so they also cover fields that are added to a type later.

use lastmile_core::wire::Segment;
use serde::Serialize;
use serde_json::Value;

use crate::rules::{FieldWarning, Warning, is_email};

/// The length in characters above which a single-line text causes a [`Warning::LongText`]. ON-API states this length as a rule.
pub(crate) const LONG_LINE: usize = 255;
/// The length in characters above which a multi-line text causes a [`Warning::LongText`].
const LONG_TEXT: usize = 4000;

/// Describes how the texts of a supplier's requests differ from the default: a single line that is not blank. Fields are listed
/// by the name that is sent, without the names of the enclosing objects.
pub(crate) struct Texts {
    /// Fields that may contain line breaks and tabs.
    pub(crate) multiline: &'static [&'static str],
    /// Fields that may be empty.
    pub(crate) may_be_empty: &'static [&'static str],
    /// Objects whose keys the caller chooses. Error paths do not repeat these keys, and the values may be empty or multi-line.
    pub(crate) maps: &'static [&'static str],
}

impl Texts {
    /// Rejects blank texts, control characters, and numbers that JSON cannot represent. A path for which `skipped` returns
    /// `true` is not checked.
    pub(crate) fn check(
        &self,
        request: &impl Serialize,
        skipped: &dyn Fn(&str) -> bool,
    ) -> Result<(), String> {
        let mut problem = None;
        self.walk(request, &mut |leaf| {
            if problem.is_none() && !skipped(leaf.path) {
                problem = leaf.problem();
            }
        })?;
        problem.map_or(Ok(()), Err)
    }

    /// Returns the warnings about the texts and numbers of a request.
    pub(crate) fn warnings(&self, request: &impl Serialize) -> Vec<FieldWarning> {
        let mut warnings = Vec::new();
        // `check` rejects a request that cannot be serialized.
        let _ = self.walk(request, &mut |leaf| {
            warnings.extend(leaf.warning().map(|warning| FieldWarning::new(leaf.path, warning)));
        });
        warnings
    }

    fn walk(&self, request: &impl Serialize, visit: &mut dyn FnMut(&Leaf<'_>)) -> Result<(), String> {
        let value = serde_json::to_value(request)
            .map_err(|_| "a number is beyond the range of a double: correct it".to_owned())?;
        self.visit(&value, &mut String::new(), "", false, visit);
        Ok(())
    }

    fn visit(
        &self,
        value: &Value,
        path: &mut String,
        name: &str,
        in_map: bool,
        visit: &mut dyn FnMut(&Leaf<'_>),
    ) {
        let length = path.len();
        match value {
            Value::Object(fields) => {
                let in_map = in_map || self.maps.contains(&name);
                for (at, (key, value)) in fields.iter().enumerate() {
                    if in_map || !is_plain(key) {
                        path.push_str(&format!("[{at}]"));
                        let key = Leaf {
                            path,
                            name: "",
                            multiline: false,
                            may_be_empty: false,
                            value: Scalar::Text(key),
                        };
                        visit(&key);
                    } else {
                        path.push_str(if length == 0 { "" } else { "." });
                        path.push_str(key);
                    }
                    self.visit(value, path, if in_map { "" } else { key }, in_map, visit);
                    path.truncate(length);
                }
            }
            Value::Array(values) => {
                for (at, value) in values.iter().enumerate() {
                    path.push_str(&format!("[{at}]"));
                    self.visit(value, path, name, in_map, visit);
                    path.truncate(length);
                }
            }
            Value::String(text) => visit(&Leaf {
                path,
                name,
                multiline: in_map || self.multiline.contains(&name),
                may_be_empty: in_map || self.may_be_empty.contains(&name),
                value: Scalar::Text(text),
            }),
            Value::Number(number) => {
                let value = Scalar::Number(number.as_f64().unwrap_or_default());
                visit(&Leaf { path, name, multiline: false, may_be_empty: false, value });
            }
            Value::Null | Value::Bool(_) => {}
        }
    }
}

/// Returns whether an error may repeat a key, because it is a field name or a code of the supplier.
fn is_plain(key: &str) -> bool {
    (1..=64).contains(&key.len())
        && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
}

/// A text or a number in a request.
struct Leaf<'a> {
    path: &'a str,
    name: &'a str,
    multiline: bool,
    may_be_empty: bool,
    value: Scalar<'a>,
}

enum Scalar<'a> {
    Text(&'a str),
    Number(f64),
}

impl Leaf<'_> {
    fn problem(&self) -> Option<String> {
        let Scalar::Text(text) = self.value else { return None };
        let path = self.path;
        if let Some(at) = control_character(text, self.multiline) {
            return Some(format!(
                "{path}: the character at index {at} is a control character, which is not sent: remove it"
            ));
        }
        if text.trim().is_empty() && !(text.is_empty() && self.may_be_empty) {
            return Some(format!("{path}: it is {}: fill it in or leave it out", blank(text)));
        }
        None
    }

    fn warning(&self) -> Option<Warning> {
        match self.value {
            Scalar::Number(number) => {
                let is_attenuation = self.name.starts_with("attenuation");
                (is_attenuation && number < 0.0).then_some(Warning::NegativeAttenuation)
            }
            Scalar::Text(text) => {
                let is_email_field = matches!(self.name, "email" | "emailAddresses");
                let longest = if self.multiline { LONG_TEXT } else { LONG_LINE };
                if is_email_field && !text.is_empty() && !is_email(text) {
                    Some(Warning::Email)
                } else if text.chars().count() > longest {
                    Some(Warning::LongText)
                } else {
                    None
                }
            }
        }
    }
}

pub(crate) fn blank(text: &str) -> &'static str {
    if text.is_empty() { "empty" } else { "blank" }
}

/// Returns the index of the first control character (Unicode category Cc), in characters from 0. In a multi-line text, line
/// breaks and tabs do not count as control characters.
pub(crate) fn control_character(text: &str, multiline: bool) -> Option<usize> {
    let mut characters = text.chars().peekable();
    let mut at = 0;
    while let Some(character) = characters.next() {
        let is_break = match character {
            '\n' | '\t' => true,
            // Windows writes a line break as "\r\n".
            '\r' => characters.peek() == Some(&'\n'),
            _ => false,
        };
        if character.is_control() && !(multiline && is_break) {
            return Some(at);
        }
        at += 1;
    }
    None
}

/// Returns whether every text of a request is empty or blank.
#[cfg(any(feature = "cocon", test))]
pub(crate) fn is_empty(request: &impl Serialize) -> bool {
    fn says_something(value: &Value) -> bool {
        match value {
            Value::String(text) => !text.trim().is_empty(),
            Value::Array(values) => values.iter().any(says_something),
            Value::Object(fields) => fields.values().any(says_something),
            Value::Null | Value::Bool(_) | Value::Number(_) => false,
        }
    }
    serde_json::to_value(request).is_ok_and(|value| !says_something(&value))
}

/// Returns whether a change leaves every field unchanged. A field that is `null` is cleared, and an empty list is a value.
pub(crate) fn changes_nothing(change: &impl Serialize) -> bool {
    fn is_nothing(value: &Value) -> bool {
        value.as_object().is_some_and(|fields| fields.values().all(is_nothing))
    }
    serde_json::to_value(change).is_ok_and(|value| is_nothing(&value))
}

/// Returns an id as a path segment.
pub(crate) fn segment(id: &str) -> Result<Segment, String> {
    if id.trim().is_empty() && !id.is_empty() {
        return Err("it is blank: give the id as the supplier wrote it".to_owned());
    }
    match control_character(id, false) {
        Some(at) => Err(format!(
            "the character at index {at} is a control character: give the id as the supplier wrote it"
        )),
        None => id.parse().map_err(|error: lastmile_core::wire::NotASegment| error.to_string()),
    }
}

/// Returns a warning when an id is longer than 255 characters. No known id is that long.
#[cfg(any(feature = "cocon", feature = "covage"))]
pub(crate) fn long_id(field: &str, id: &str) -> Option<FieldWarning> {
    (id.chars().count() > LONG_LINE).then(|| FieldWarning::new(field, Warning::LongText))
}

/// A request that can report what is probably wrong with its fields.
///
/// A warning never prevents a request from being sent. It is based on general knowledge, such as the form of an e-mail address,
/// and not on a rule of the supplier. Show warnings to a person who can compare them with the customer's data. Anything that a
/// supplier's document forbids is rejected by [`Prepared::new`](crate::Prepared::new) or by the call itself.
///
/// ```
/// # #[cfg(feature = "cocon")] {
/// use lastmile::HasWarnings;
/// use lastmile::cocon::types::ContactCreate;
///
/// let contact = ContactCreate {
///     name: Some("Kajsa Anka".into()),
///     customer_id: Some("10".into()),
///     email_addresses: Some(vec!["kajsa at ankeborg".into()]),
///     ..Default::default()
/// };
/// let warnings = contact.warnings();
/// assert_eq!(warnings[0].path, "emailAddresses[0]");
/// # }
/// ```
pub trait HasWarnings {
    /// Returns one warning for each field that is probably wrong. The list is empty when nothing is known to be wrong.
    fn warnings(&self) -> Vec<FieldWarning>;
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const TEXTS: Texts = Texts { multiline: &["note"], may_be_empty: &["memo"], maps: &["extra"] };

    fn check(request: Value) -> String {
        TEXTS.check(&request, &|path| path == "skipped").err().unwrap_or_default()
    }

    #[test]
    fn blank_texts_and_control_characters_are_named_by_their_path() {
        assert_eq!(
            check(json!({ "name": "Anka", "note": "a\r\n\tb\n", "memo": "", "n": 1, "skipped": "" })),
            ""
        );
        for (request, path) in [
            (json!({ "name": "" }), "name: it is empty"),
            (json!({ "name": " \u{a0}" }), "name: it is blank"),
            (json!({ "memo": " " }), "memo: it is blank"),
            (json!({ "note": "" }), "note: it is empty"),
            (json!({ "a": [{ "b": ["x", "\n"] }] }), "a[0].b[1]: the character at index 0"),
            (json!({ "note": "a\rb" }), "note: the character at index 1"),
            (json!({ "name": "a\u{7f}" }), "name: the character at index 1"),
            (json!({ "name": "é\u{85}" }), "name: the character at index 1"),
            (json!({ "note": "\u{0}" }), "note: the character at index 0"),
            (json!({ "a": { "Kajsa\n": {} } }), "a[0]: the character at index 5"),
            (json!({ "a": { "x": 1, " ": {} } }), "a[0]: it is blank"),
            (json!({ "extra": { "": "x" } }), "extra[0]: it is empty"),
            (json!({ "extra": { "Kajsa\n": "x" } }), "extra[0]: the character at index 5"),
        ] {
            let problem = check(request.clone());
            assert!(problem.starts_with(path) && !problem.contains("Kajsa"), "{request}: {problem}");
        }
    }

    #[test]
    fn a_change_that_sets_or_clears_something_is_one() {
        for nothing in [json!({}), json!({ "a": {} }), json!({ "a": { "b": {} } })] {
            assert!(changes_nothing(&nothing), "{nothing}");
        }
        for change in
            [json!({ "a": null }), json!({ "a": [] }), json!({ "a": false }), json!({ "a": { "b": "" } })]
        {
            assert!(!changes_nothing(&change), "{change}");
        }
        for empty in [json!({}), json!({ "a": [" "], "b": true, "c": {} })] {
            assert!(is_empty(&empty), "{empty}");
        }
        assert!(!is_empty(&json!({ "a": { "b": "x" } })));
    }
}
