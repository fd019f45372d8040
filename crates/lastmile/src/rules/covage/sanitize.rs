use std::fmt;

use super::CovageText;

/// A spelling that Covage accepts, and the changes that lead to it. Returned by [`CovageText::sanitize`].
///
/// `Debug` shows the changed characters, but not the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// The proposed spelling.
    pub text: CovageText,
    /// The changes, in order of their position. Empty if the text was valid.
    pub changes: Vec<Change>,
}

/// One change of a [`Proposal`].
///
/// ```
/// use lastmile::rules::CovageText;
///
/// let proposal = CovageText::sanitize("12/14");
/// assert_eq!(proposal.changes[0].to_string(), r#"at index 2 "/" becomes "-""#);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The index of the change in the original text, in characters from 0.
    pub at: usize,
    /// The original text: a character, or a letter with a combining accent.
    pub from: String,
    /// The replacement. Empty if the original is removed.
    pub to: String,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at index {} {:?} ", self.at, self.from)?;
        match self.to.as_str() {
            "" => f.write_str("is left out"),
            to => write!(f, "becomes {to:?}"),
        }
    }
}

impl CovageText {
    /// Proposes a spelling that the supplier accepts. Show the result to a person, because it may no longer be the customer's
    /// name.
    ///
    /// Valid characters stay unchanged. A capital letter loses its accent, an apostrophe becomes a space (both as in the
    /// supplier's own street names, such as `ALLEE DE L ESPERANCE`), a ligature becomes its letters, other scripts become Latin
    /// letters, and characters without a valid spelling are removed. No space is added at either end or next to another space.
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
        // The change whose space is still to be written, once a character other than a space follows.
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

/// Returns the precomposed form of a valid accented letter. Some systems write the accent as a separate combining character.
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

/// Writes the valid spelling of an invalid character.
fn spell(character: char, piece: &mut String) {
    let latin = match character {
        // Characters for which the transliteration is not suitable.
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
        assert_eq!(changes[4].to_string(), r#"at index 6 "'" is left out"#);
    }
}
