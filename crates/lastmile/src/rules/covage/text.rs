use serde::Serialize;

use crate::rules::{Problem, hidden, stranger, text_rule};

/// A text of an end customer or of an address, with only the characters that Covage's own suppliers accept.
///
/// Source: Covage, orders API, the note of "Order Creation", which lists the characters individually, including the space and
/// the no-break space. The list contains no apostrophe, no slash and no capital letter with an accent.
/// [`sanitize`](Self::sanitize) proposes a valid spelling for a text that is rejected.
///
/// `Debug` does not show the text, because it may be a person's name or address.
///
/// ```
/// use lastmile::rules::CovageText;
///
/// let street: CovageText = "Rue de la république (bât. B)".parse()?;
///
/// let error = "L'Église".parse::<CovageText>().unwrap_err();
/// assert!(error.to_string().starts_with("the character '\\'' at index 1 is not allowed there"));
/// # Ok::<(), lastmile::rules::RuleError>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(into = "String")]
pub struct CovageText(pub(super) String);

text_rule!(
    CovageText,
    "letters, digits, spaces and ( ) + , - . : @ [ ] _ { } and the accented small letters of French",
    "^[ \u{a0}()+,.0-9:@A-Z\\[\\]_a-z{}àâäçèéêëîïôöùûü-]*$"
);
hidden!(CovageText);

impl CovageText {
    /// Returns whether the supplier accepts a character.
    pub fn allows(character: char) -> bool {
        usize::try_from(u32::from(character)).is_ok_and(|place| ALLOWED.get(place) == Some(&true))
    }

    pub(super) fn check(text: &str) -> Result<(), Problem> {
        match text.chars().position(|character| !Self::allows(character)) {
            Some(at) => Err(stranger(text, at)),
            None => Ok(()),
        }
    }
}

/// Whether a character is allowed, by its code point. All allowed characters are among the first 256.
const ALLOWED: [bool; 256] = {
    let mut allowed = [false; 256];
    let mut byte = 0u8;
    while byte < 255 {
        byte += 1;
        allowed[byte as usize] = matches!(byte as char,
            'a'..='z' | 'A'..='Z' | '0'..='9' | ' ' | '\u{a0}'
            | '(' | ')' | '+' | ',' | '-' | '.' | ':' | '@' | '[' | ']' | '_' | '{' | '}'
            | 'à' | 'â' | 'ä' | 'ç' | 'è'..='ë' | 'î' | 'ï' | 'ô' | 'ö' | 'ù' | 'û' | 'ü');
    }
    allowed
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_allows_the_seed_s_list_and_nothing_else() {
        // The characters as the source prints them, and the two spaces that it names.
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
