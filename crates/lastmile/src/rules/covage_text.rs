use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Problem, text_rule};

/// A text of an end customer or of an address, in the characters that Covage's own suppliers take.
///
/// Source: Covage, orders API, the note of "Order Creation": it lists the characters one by one, the space and the
/// no-break space among them. There is no apostrophe, no slash and no capital with an accent.
///
/// `Debug` does not show the text, which is somebody's name or address.
///
/// ```
/// use lastmile::rules::CovageText;
///
/// let street: CovageText = "Rue de la république (bât. B)".parse()?;
///
/// let error = "L'Église".parse::<CovageText>().unwrap_err();
/// assert!(error.to_string().starts_with("the character '\\'' at place 1 is not allowed there"));
/// # Ok::<(), lastmile::rules::RuleError>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CovageText(String);

text_rule!(
    CovageText,
    "letters, digits, spaces and ( ) + , - . : @ [ ] _ { } and the accented small letters of French"
);

impl fmt::Debug for CovageText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CovageText((hidden))")
    }
}

impl CovageText {
    /// Whether the supplier takes this character.
    pub fn allows(character: char) -> bool {
        const MARKS: &str = " \u{a0}()+,-.:@[]_{}";
        const ACCENTED: &str = "àâäçèéêëîïôöùûü";
        character.is_ascii_alphanumeric() || MARKS.contains(character) || ACCENTED.contains(character)
    }

    fn check(text: &str) -> Result<(), Problem> {
        let stranger = text.chars().enumerate().find(|(_, character)| !Self::allows(*character));
        match stranger {
            Some((at, character)) => Err(Problem::Character { character, at }),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_allows_the_seed_s_list_and_nothing_else() {
        // As the source prints it, and the two spaces that it names.
        let printed = "() +, -. 0123456789: ABCDEFGHIJKLMNOPQRSTUVWXYZ @ [] _ abcdefghijklmnopqrstuvwxyz {} àâäçèéêëîïôöùûü";
        for character in '\0'..=char::MAX {
            let listed = printed.contains(character) || character == '\u{a0}';
            assert_eq!(CovageText::allows(character), listed, "{character:?}");
        }
    }

    #[test]
    fn the_first_stranger_is_named() {
        let problem = |text: &str| text.parse::<CovageText>().unwrap_err().problem();
        assert_eq!(problem("L'Église"), Problem::Character { character: '\'', at: 1 });
        assert_eq!(problem("ééÉ"), Problem::Character { character: 'É', at: 2 });
        assert_eq!(problem("a\tb"), Problem::Character { character: '\t', at: 1 });
        assert!("".parse::<CovageText>().is_ok(), "no source forbids an empty text");
        assert!(!format!("{:?}", "Anka".parse::<CovageText>().unwrap()).contains("Anka"));
    }
}
