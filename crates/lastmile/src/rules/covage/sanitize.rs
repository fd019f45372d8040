use std::fmt;

use super::CovageText;

/// A spelling that Covage takes, and what it changes. See [`CovageText::sanitize`].
///
/// `Debug` does not show the text, but the characters that are changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// The proposed spelling.
    pub text: CovageText,
    /// What it changes, in order. Empty when the text was legal.
    pub changes: Vec<Change>,
}

/// One change of a [`Proposal`].
///
/// ```
/// use lastmile::rules::CovageText;
///
/// let proposal = CovageText::sanitize("12/14");
/// assert_eq!(proposal.changes[0].to_string(), r#"at place 2 "/" becomes "-""#);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The place in the text that was given, in characters from 0.
    pub at: usize,
    /// What stood there: a character, or a letter with the accent that followed it.
    pub from: String,
    /// What stands for it now. Empty when it is left out.
    pub to: String,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at place {} {:?} ", self.at, self.from)?;
        match self.to.as_str() {
            "" => f.write_str("is left out"),
            to => write!(f, "becomes {to:?}"),
        }
    }
}

impl CovageText {
    /// Proposes a spelling that the supplier takes. Show it to somebody: it may no longer be the customer's name.
    ///
    /// What is legal stays as it is. A capital loses its accent, an apostrophe becomes a space (both as the supplier's own
    /// street names have it, such as `ALLEE DE L ESPERANCE`), a ligature becomes its letters, other scripts become Latin
    /// letters, and what has no spelling is left out. No space is added at either end or beside another.
    ///
    /// ```
    /// use lastmile::rules::CovageText;
    ///
    /// let proposal = CovageText::sanitize("L'Église d'Évry");
    /// assert_eq!(proposal.text.as_str(), "L Eglise d Evry");
    /// assert_eq!(proposal.changes.len(), 4);
    ///
    /// let legal = CovageText::sanitize("Rue de la république");
    /// assert!(legal.changes.is_empty());
    /// ```
    #[must_use]
    pub fn sanitize(text: &str) -> Proposal {
        let mut out = String::with_capacity(text.len());
        let mut changes: Vec<Change> = Vec::new();
        // The change whose space is still to be written, once it is clear that something else than a space follows.
        let mut pending: Option<usize> = None;
        let mut rest = text.chars().enumerate().peekable();
        while let Some((at, character)) = rest.next() {
            let mut piece = String::new();
            let composed = rest.peek().and_then(|(_, accent)| composed(character, *accent));
            if let Some(composed) = composed {
                let accent = rest.next().map(|(_, accent)| accent);
                let from = [Some(character), accent].into_iter().flatten().collect();
                piece.push(composed);
                changes.push(Change { at, from, to: piece.clone() });
            } else if Self::allows(character) {
                piece.push(character);
            } else {
                spell(character, &mut piece);
                let from = character.to_string();
                if piece.trim_matches(' ').is_empty() {
                    if !piece.is_empty() && !out.is_empty() && !out.ends_with(is_space) {
                        pending = pending.or(Some(changes.len()));
                    }
                    changes.push(Change { at, from, to: String::new() });
                    continue;
                }
                changes.push(Change { at, from, to: piece.clone() });
            }
            if let Some(change) = pending.take()
                && !piece.starts_with(is_space)
            {
                out.push(' ');
                changes[change].to.push(' ');
            }
            out.push_str(&piece);
        }
        Proposal { text: Self(out), changes }
    }
}

fn is_space(character: char) -> bool {
    character == ' ' || character == '\u{a0}'
}

/// The letters with an accent that are legal, where the accent is a character of its own, as some systems write it.
fn composed(letter: char, accent: char) -> Option<char> {
    let (plain, accented) = match accent {
        '\u{300}' => ("aeu", "àèù"),
        '\u{301}' => ("e", "é"),
        '\u{302}' => ("aeiou", "âêîôû"),
        '\u{308}' => ("aeiou", "äëïöü"),
        '\u{327}' => ("c", "ç"),
        _ => return None,
    };
    plain.chars().zip(accented.chars()).find(|(plain, _)| *plain == letter).map(|(_, accented)| accented)
}

/// Writes what stands for a character that is not legal, in legal characters.
fn spell(character: char, piece: &mut String) {
    let latin = match character {
        // What the transliteration would make something odd of.
        '«' | '»' | '‹' | '›' | '„' | '‟' | '“' | '”' => " ",
        '°' => "o",
        'Œ' => "OE",
        'Æ' => "AE",
        _ if character.is_ascii() => return piece.push(ascii(character)),
        _ => any_ascii::any_ascii_char(character),
    };
    piece.extend(latin.chars().map(ascii));
}

fn ascii(character: char) -> char {
    match character {
        _ if CovageText::allows(character) => character,
        '/' | '\\' | '|' | '=' | '~' => '-',
        '&' => '+',
        ';' => ',',
        '!' | '?' => '.',
        '<' => '(',
        '>' => ')',
        _ => ' ',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proposals() {
        for (given, proposed) in [
            ("", ""),
            ("Kajsa Anka", "Kajsa Anka"),
            ("L'Église d'Évry", "L Eglise d Evry"),
            ("Cœur d’Ankeborg", "Coeur d Ankeborg"),
            ("ŒUVRE", "OEUVRE"),
            ("Doe & Co", "Doe + Co"),
            ("IMB/93077", "IMB-93077"),
            ("n° 12", "no 12"),
            ("\"Anka\"", "Anka"),
            ("« Anka »", " Anka "),
            ("a ' b", "a  b"),
            ("a''b", "a b"),
            ("a\r\nb", "a b"),
            ("Muñoz Łukasz Ştefan", "Munoz Lukasz Stefan"),
            ("e\u{301}te\u{301} E\u{301}", "été E"),
            ("Иванов", "Ivanov"),
            ("a\u{202f}b\u{200b}c", "a bc"),
            ("'", ""),
        ] {
            let proposal = CovageText::sanitize(given);
            assert_eq!(proposal.text.as_str(), proposed, "{given:?}");
            assert_eq!(proposal.changes.is_empty(), given == proposed, "{given:?}");
        }
    }

    #[test]
    fn every_change_is_said() {
        let changes = CovageText::sanitize("d'É«e\u{301}'").changes;
        let said: Vec<_> = changes.iter().map(|c| (c.at, c.from.as_str(), c.to.as_str())).collect();
        assert_eq!(said, [(1, "'", " "), (2, "É", "E"), (3, "«", " "), (4, "e\u{301}", "é"), (6, "'", "")]);
        assert_eq!(changes[4].to_string(), r#"at place 6 "'" is left out"#);
    }
}
