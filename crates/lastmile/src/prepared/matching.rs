//! Whether something that a supplier holds is what was asked for.

use any_ascii::any_ascii;
use lastmile_core::wire::Loose;
#[cfg(feature = "cocon")]
use serde::Serialize;
#[cfg(feature = "cocon")]
use serde_json::Value;

/// Whether something that the supplier holds is what was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Match {
    Yes,
    No,
    /// It cannot be told.
    Maybe,
}

/// The length from which on suppliers are taken to cut texts.
const SHORTEST_CUT: usize = 20;

impl Match {
    /// Compares a text that a supplier wrote back with the one that it was given. Suppliers change capitals, blanks and accents,
    /// and cut what is too long for them: then it cannot be told.
    pub(crate) fn of_text(held: &str, given: &str) -> Self {
        if held == given {
            return Self::Yes;
        }
        let held = folded(held);
        if held == folded(given) {
            return Self::Maybe;
        }
        let cuts = given.char_indices().skip(SHORTEST_CUT).map(|(at, _)| &given[..at]);
        let is_cut = cuts.map(folded).any(|cut| cut == held);
        if is_cut { Self::Maybe } else { Self::No }
    }

    /// Whether a reference that the supplier holds is the one that was given.
    pub(crate) fn of_reference(held: &Loose<String>, given: Option<&String>) -> Self {
        match (held.as_deref(), held.stray(), given) {
            // Written as a number it may have lost a nought. An empty text is how some servers write that there is none.
            (_, Some(_), _) | (None | Some(""), None, _) => Self::Maybe,
            (Some(held), None, Some(given)) => Self::of_text(held, given),
            (Some(_), None, None) => Self::No,
        }
    }

    /// Whether a field is what was asked for. One that was not asked for does not matter.
    pub(crate) fn of_field(held: &Loose<String>, given: Option<&String>) -> Self {
        match (held.as_deref(), given) {
            (_, None) => Self::Yes,
            (None | Some(""), Some(_)) => Self::Maybe,
            (Some(text), Some(given)) => match Self::of_text(text, given) {
                // Written as a number it may have lost a nought.
                Self::No if held.stray().is_some() => Self::Maybe,
                told => told,
            },
        }
    }

    /// Whether an answer repeats what was asked for, by the texts, numbers and truths that both have.
    #[cfg(feature = "cocon")]
    pub(crate) fn of_answer(answer: &Value, request: &impl Serialize) -> Self {
        let Ok(Value::Object(request)) = serde_json::to_value(request) else { return Self::Maybe };
        let text = |value: &Value| match value {
            Value::String(text) => Some(text.clone()),
            Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
            _ => None,
        };
        let both = request.iter().filter_map(|(name, given)| Some((text(answer.get(name)?)?, text(given)?)));
        let told: Vec<Self> = both.map(|(held, given)| Self::of_text(&held, &given)).collect();
        match (told.contains(&Self::No), told.is_empty()) {
            (true, _) => Self::No,
            (false, true) => Self::Maybe,
            (false, false) => Self::Yes,
        }
    }

    /// Both must be so.
    pub(crate) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::No, _) | (_, Self::No) => Self::No,
            (Self::Yes, Self::Yes) => Self::Yes,
            _ => Self::Maybe,
        }
    }
}

/// A text without what suppliers change: no accents, no capitals, no blanks.
fn folded(text: &str) -> String {
    let mut folded = any_ascii(text);
    folded.retain(|c| !c.is_whitespace() && !c.is_control());
    folded.make_ascii_lowercase();
    folded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_spelling_cannot_be_told_from_the_one_that_was_given() {
        let long = "SP-2026-ANKEBORG-0000431";
        for (held, given) in [
            ("sp-1", "SP-1"),
            (" SP-1 ", "SP-1"),
            ("SP-1", " SP-1"),
            ("SP 1", "SP1"),
            ("Gavle-1", "Gävle-1"),
            ("SP-1", "SP\u{a0}-1"),
            (&long[..20], long),
            (&long[..23], long),
            ("sp-2026-ankeborg-000", long),
            // Cut at 20 and trimmed.
            ("SP-2026 ANKEBORG 00", "SP-2026 ANKEBORG 00 431"),
        ] {
            assert_eq!(Match::of_text(held, given), Match::Maybe, "{held:?} {given:?}");
        }
    }

    #[test]
    fn another_reference_is_another() {
        let long = "SP-2026-ANKEBORG-0000431";
        for (held, given) in [
            ("A-10", "A-1"),
            ("A-1", "A-10"),
            ("A-1", "A1"),
            ("", "A-1"),
            (&long[..19], long),
            (long, &long[..20]),
            ("SP-2026-ANKEBORG-0000432", long),
        ] {
            assert_eq!(Match::of_text(held, given), Match::No, "{held:?} {given:?}");
        }
        assert_eq!(Match::of_text(long, long), Match::Yes);
    }

    #[test]
    fn what_is_missing_cannot_be_told() {
        let given = Some("0431".to_owned());
        let read = |json: &str| serde_json::from_str::<Loose<String>>(json).unwrap();
        for (held, as_reference, as_field) in [
            (r#""0431""#, Match::Yes, Match::Yes),
            ("431", Match::Maybe, Match::Maybe),
            (r#""""#, Match::Maybe, Match::Maybe),
            ("null", Match::Maybe, Match::Maybe),
            (r#""432""#, Match::No, Match::No),
        ] {
            assert_eq!(Match::of_reference(&read(held), given.as_ref()), as_reference, "{held}");
            assert_eq!(Match::of_field(&read(held), given.as_ref()), as_field, "{held}");
        }
        assert_eq!(Match::of_reference(&Loose::Absent, given.as_ref()), Match::Maybe);
        assert_eq!(Match::of_field(&read("7"), None), Match::Yes);
    }
}
