use lastmile::rules::{CovageText, Proposal};

use crate::oracle::COVAGE;
use crate::{arbitrary, rounds};

fn held(text: &str) -> Proposal {
    let proposal = CovageText::sanitize(text);
    let proposed = proposal.text.as_str();
    assert!(proposed.chars().all(|character| COVAGE.contains(character)), "{text:?} became {proposed:?}");
    assert_eq!(proposed.parse::<CovageText>().as_ref(), Ok(&proposal.text));
    // Sanitizing twice changes nothing.
    let again = CovageText::sanitize(proposed);
    assert_eq!(again.text, proposal.text, "of {text:?}");
    assert_eq!(again.changes, [], "of {text:?}");
    // The reported changes are complete.
    assert_eq!(apply(text, &proposal), proposed, "of {text:?}");
    assert_eq!(text.parse::<CovageText>().is_ok(), proposal.changes.is_empty(), "of {text:?}");
    proposal
}

/// Applies the reported changes, by their positions alone. An added space separates two words.
fn apply(text: &str, proposal: &Proposal) -> String {
    let characters: Vec<char> = text.chars().collect();
    let mut done = String::new();
    let mut added = Vec::new();
    let mut at = 0;
    for change in &proposal.changes {
        done.extend(&characters[at..change.at]);
        at = change.at + change.from.chars().count();
        assert_eq!(characters[change.at..at].iter().collect::<String>(), change.from);
        assert_ne!(change.from, change.to);
        if change.to == " " {
            added.push(done.chars().count());
        }
        done.push_str(&change.to);
    }
    done.extend(&characters[at..]);
    let done: Vec<char> = done.chars().collect();
    for place in added {
        let word = |place: usize| done.get(place).is_some_and(|character| !" \u{a0}".contains(*character));
        assert!(place > 0 && word(place - 1) && word(place + 1), "{text:?}: a space too many at {place}");
    }
    done.into_iter().collect()
}

#[test]
fn every_character_is_sanitized_to_an_allowed_text() {
    for character in '\0'..=char::MAX {
        held(&format!("a{character}b"));
    }
}

#[test]
fn every_text_is_sanitized_to_an_allowed_text() {
    rounds(0..20_000, |random| {
        held(&arbitrary(random));
        // Names as people write them, and the characters between their words.
        let parts = [
            "L",
            "'",
            "’",
            " ",
            "Église",
            "d",
            "E\u{301}vry",
            "Cœur",
            "«",
            "»",
            "&",
            "/",
            "12",
            "\u{a0}",
            "é",
        ];
        let text: String = (0..random.usize(0..12)).map(|_| parts[random.usize(0..parts.len())]).collect();
        held(&text);
    });
}
