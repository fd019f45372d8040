use lastmile::rules::Problem;

use crate::oracle::{Rule, rules};
use crate::{arbitrary, character, characters, rounds};

/// Checks that a rule and its source agree on one text, and returns whether the rule accepts it.
fn agree(rule: &Rule, text: &str) -> bool {
    let name = rule.name;
    let taken = rule.read(text);
    assert_eq!(taken.is_ok(), rule.allows(text), "{name} and its source differ on {text:?}");
    if rule.pattern_is_all {
        assert_eq!(taken.is_ok(), rule.pattern.is_match(text), "{name} and its schema differ on {text:?}");
    }
    match taken {
        Ok(seen) => {
            assert!(rule.pattern.is_match(text), "the schema of {name} refuses {text:?}");
            let kept = if rule.capitals { text.to_ascii_uppercase() } else { text.to_owned() };
            assert_eq!(seen.printed, kept, "{name}");
            assert_eq!(seen.json, serde_json::to_string(&kept).unwrap(), "{name}");
            let again = rule.read(&seen.printed).map(|seen| seen.printed);
            assert_eq!(again, Ok(kept), "{name} refuses what it prints");
            // A single character could be a part of the type's name.
            if rule.hidden && text.len() > 6 {
                assert!(!seen.debug.contains(&seen.printed), "{name} shows {text:?}");
            }
            true
        }
        Err(error) => {
            let length = text.chars().count();
            match error.problem() {
                Problem::Empty => assert_eq!(text, "", "{name}"),
                Problem::TooShort => assert!(length > 0, "{name} calls {text:?} too short"),
                Problem::TooLong { allowed } => assert!(length > allowed, "{name} calls {text:?} too long"),
                Problem::Character { character, at } => {
                    assert_eq!(text.chars().nth(at), Some(character), "{name} on {text:?}");
                }
                Problem::Path => assert!(text == "." || text == "..", "{name} on {text:?}"),
                Problem::Length { at, stated, there } => {
                    assert_eq!(
                        usize::from_str_radix(&text[at..at + 2], 16),
                        Ok(stated),
                        "{name} on {text:?}"
                    );
                    assert_eq!((length - at) / 2 - 1, there, "{name} on {text:?}");
                    assert_ne!(stated, there);
                }
                other => panic!("{name}: a problem that no test knows: {other:?}"),
            }
            false
        }
    }
}

#[test]
fn one_character_mutations_agree_with_the_source() {
    for rule in rules() {
        let (mut taken, mut refused) = (0, 0);
        let mut check = |text: &str| match agree(&rule, text) {
            true => taken += 1,
            false => refused += 1,
        };
        for good in rule.good {
            assert!(agree(&rule, good), "{} refuses {good:?}", rule.name);
            let ends: Vec<usize> = good.char_indices().map(|(at, _)| at).chain([good.len()]).collect();
            for places in ends.windows(2) {
                let (before, after) = (&good[..places[0]], &good[places[1]..]);
                check(&format!("{before}{after}"));
                for character in characters() {
                    check(&format!("{before}{character}{after}"));
                }
            }
            for place in ends {
                let (before, after) = good.split_at(place);
                for character in characters() {
                    check(&format!("{before}{character}{after}"));
                }
            }
        }
        assert!(taken > 0 && refused > 0, "{}: {taken} taken, {refused} refused", rule.name);
    }
}

#[test]
fn random_texts_agree_with_the_source() {
    let rules = rules();
    rounds(0..4_000, |random| {
        let text = arbitrary(random);
        for rule in &rules {
            agree(rule, &text);
        }
    });
}

#[test]
fn mutated_valid_texts_agree_with_the_source() {
    let rules = rules();
    rounds(0..4_000, |random| {
        let rule = &rules[random.usize(0..rules.len())];
        let mut text: Vec<char> = rule.good[random.usize(0..rule.good.len())].chars().collect();
        for _ in 0..random.usize(1..5) {
            let place = random.usize(0..=text.len());
            match (random.u8(0..4), text.get(place).copied()) {
                (0, Some(_)) => drop(text.remove(place)),
                (1, Some(_)) => text[place] = character(random),
                (2, Some(same)) => text.insert(place, same),
                _ => text.insert(place, character(random)),
            }
        }
        agree(rule, &text.iter().collect::<String>());
    });
}

#[test]
fn length_limits_agree_with_the_source() {
    for rule in rules() {
        for good in rule.good {
            for times in [2, 3, 40, 700] {
                agree(&rule, &good.repeat(times));
            }
        }
        for length in 0..70 {
            for character in ["0", "A", "a", "é", "-", "^", "."] {
                agree(&rule, &character.repeat(length));
            }
        }
    }
}

#[test]
fn warnings_reject_nothing_and_never_panic() {
    use lastmile::rules::{
        BuildingRef, CountryCode, CovageEmail, CovageOrderRef, CovagePhone, CovageServiceRef, LineNumber,
        MacAddress, OnApiId, OnApiPhone, Rio, Siret, Warning,
    };
    let mut seen = Vec::new();
    rounds(0..4_000, |random| {
        fn of<T: TryFrom<String>>(text: &str, warnings: fn(&T) -> Vec<Warning>) -> Vec<Warning> {
            T::try_from(text.to_owned()).map(|value| warnings(&value)).unwrap_or_default()
        }
        let mut digits = |length: usize| (0..length).map(|_| random.digit(10)).collect::<String>();
        let line: LineNumber = digits(10).parse().unwrap();
        let rio: Rio = digits(12).parse().unwrap();
        seen.extend(rio.warnings_for(&line));
        seen.extend(line.warnings());
        seen.extend(of(&digits(14), Siret::warnings));
        seen.extend(of(&format!("O{}_{}", digits(6), digits(5)), CovageOrderRef::warnings));
        seen.extend(of(&format!("S{}_{}A", digits(6), digits(4)), CovageServiceRef::warnings));
        seen.extend(of(&format!("0{}:00:00:00:00:00", digits(1)), MacAddress::warnings));
        seen.extend(of(&format!("+{}", digits(16)), OnApiPhone::warnings));
        let text = arbitrary(random);
        seen.extend(of(&text, BuildingRef::warnings));
        let legal = lastmile::rules::CovageText::sanitize(&text).text;
        seen.extend(of(legal.as_str(), CovageEmail::warnings));
        seen.extend(of(legal.as_str(), CovagePhone::warnings));
        let id: String = text.chars().filter(|c| c.is_ascii_digit() || *c == '-').take(36).collect();
        seen.extend(of(&id, OnApiId::warnings));
        let country: String = text.chars().filter(char::is_ascii_uppercase).take(2).collect();
        seen.extend(of(&country, CountryCode::warnings));
        seen.sort_unstable();
        seen.dedup();
    });
    for warning in [
        Warning::SiretChecksum,
        Warning::RioLine,
        Warning::RioKey,
        Warning::ReferenceDate,
        Warning::ReferenceLetters,
        Warning::BuildingForm,
        Warning::FrenchNumber,
        Warning::Email,
        Warning::GroupAddress,
        Warning::Country,
        Warning::InternationalNumber,
    ] {
        assert!(seen.contains(&warning), "none of the texts was one for {warning:?}");
    }
}
