//! Types that can only hold what their source allows, compared with the regular expressions of their sources.

use lastmile::rules::{
    BuildingRef, ContractDates, CountryCode, CovageEmail, CovageOrderRef, CovagePhone, CovageServiceRef,
    CovageText, Geometry, LineNumber, MacAddress, OnApiId, OnApiPhone, Option82, Problem, Rio, RouteScenario,
    Siret, Warning,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::oracle::{COVAGE, Rule, is_option82, rules};
use super::tree::Tree;
use super::{choose, lossy};

/// The rules of ON-API; the others are Covage's.
pub(super) const ONAPI: [&str; 8] = [
    "OnApiId",
    "MacAddress",
    "OnApiPostalCode",
    "CountryCode",
    "OnApiStreetNumber",
    "ApartmentNumber",
    "OnApiPhone",
    "Option82",
];

thread_local! {
    static RULES: [Vec<Rule>; 2] = {
        let (onapi, covage) = rules().into_iter().partition(|rule| ONAPI.contains(&rule.name));
        [covage, onapi]
    };
}

/// Parses a text with every constructor. All agree with the source, and the value prints as the text.
fn agrees(rule: &Rule, text: &str) {
    let name = rule.name;
    match rule.read(text) {
        Ok(seen) => {
            assert!(rule.allows(text), "{name} takes {text:?}");
            assert!(rule.pattern.is_match(text), "the schema of {name} refuses {text:?}");
            let kept = if rule.capitals { text.to_ascii_uppercase() } else { text.to_owned() };
            assert_eq!(seen.printed, kept, "{name}");
            assert_eq!(seen.json, serde_json::to_string(&kept).expect("a text can be written"), "{name}");
            assert_eq!(
                rule.read(&kept).map(|seen| seen.printed),
                Ok(kept.clone()),
                "{name} refuses what it prints"
            );
            assert!(!rule.hidden || seen.debug == format!("{name}((hidden))"), "{name} shows {text:?}");
        }
        Err(error) => {
            assert!(!rule.allows(text), "{name} refuses {text:?}: {error}");
            assert!(
                !rule.pattern_is_all || !rule.pattern.is_match(text),
                "the schema of {name} takes {text:?}"
            );
            assert!(error.to_string().len() < 400, "{error}");
            match error.problem() {
                Problem::Empty => assert_eq!(text, "", "{name}"),
                Problem::Character { character, at } => {
                    assert_eq!(text.chars().nth(at), Some(character), "{name} on {text:?}");
                }
                Problem::TooLong { allowed } => assert!(text.chars().count() > allowed, "{name} on {text:?}"),
                Problem::Length { at, stated, .. } => {
                    assert_eq!(
                        usize::from_str_radix(&text[at..at + 2], 16),
                        Ok(stated),
                        "{name} on {text:?}"
                    );
                }
                _ => assert!(!text.is_empty(), "{name}"),
            }
        }
    }
}

/// The first byte chooses the rule; the value after the last rule chooses another use of the text.
fn family(data: &[u8], which: usize, otherwise: impl FnOnce(&str)) {
    RULES.with(|rules| {
        let rules = &rules[which];
        let Some((chosen, text)) = choose(data, rules.len() + 1) else { return };
        let Ok(text) = std::str::from_utf8(text) else { return };
        match rules.get(chosen) {
            Some(rule) => agrees(rule, text),
            None => otherwise(text),
        }
    });
}

/// The warnings about a text, if it is a value of this rule.
macro_rules! warnings {
    ($text:expr, [$($rule:ty),* $(,)?]) => {
        $($text.parse::<$rule>().map_or_else(|_| Vec::new(), |value| value.warnings()).into_iter().for_each(told);)*
    };
}

fn told(warning: Warning) {
    assert_eq!(warning.to_string(), warning.as_str());
}

pub fn covage_rules(data: &[u8]) {
    family(data, 0, |text| {
        warnings!(
            text,
            [Siret, Rio, CovageOrderRef, CovageServiceRef, BuildingRef, CovagePhone, LineNumber, CovageEmail]
        );
        // A code and a number in one text.
        if let Some((rio, Ok(line))) =
            text.split_once(' ').map(|(rio, line)| (rio, line.parse::<LineNumber>()))
        {
            rio.parse::<Rio>().iter().flat_map(|rio| rio.warnings_for(&line)).for_each(told);
        }
        let proposal = CovageText::sanitize(text);
        assert!(proposal.text.as_str().chars().all(|c| COVAGE.contains(c)), "{text:?} became {proposal:?}");
        assert_eq!(text.parse::<CovageText>().is_ok(), proposal.changes.is_empty(), "{text:?}");
        let again = CovageText::sanitize(proposal.text.as_str());
        assert_eq!((&again.text, again.changes.len()), (&proposal.text, 0), "once is enough for {text:?}");
        for change in &proposal.changes {
            let there: String = text.chars().skip(change.at).take(change.from.chars().count()).collect();
            assert_eq!(there, change.from, "{text:?}");
        }
    });
}

pub fn onapi_rules(data: &[u8]) {
    family(data, 1, |text| {
        warnings!(text, [OnApiId, MacAddress, CountryCode, OnApiPhone]);
        if let Ok(option) = text.parse::<Option82>() {
            let parts: Vec<(u8, Vec<u8>)> =
                option.sub_options().map(|sub| (sub.code(), sub.bytes().collect())).collect();
            let built =
                Option82::from_sub_options(parts.iter().map(|(code, bytes)| (*code, bytes.as_slice())));
            assert_eq!(built.as_ref(), Ok(&option), "{text:?}");
            if let Some(line) = option.dhcp_identifier().filter(|line| !line.is_empty()) {
                let again = Option82::try_from(&line).expect("it has something to say");
                assert_eq!(again.dhcp_identifier(), Some(line), "{text:?}");
            }
        }
        // The same text as the bytes of a sub-option.
        if let Ok(option) = Option82::from_sub_options([(Option82::CIRCUIT_ID, text.as_bytes())]) {
            assert!(is_option82(option.as_str()), "{option}");
            assert_eq!(option.circuit_id().map(|sub| sub.bytes().collect()), Some(text.as_bytes().to_vec()));
        }
    });
}

/// Parses a value of several fields. An accepted value is written such that it is accepted again, and contains nothing
/// new.
fn taken<T: Serialize + DeserializeOwned>(data: &[u8]) -> Option<(T, Tree)> {
    let read: T = serde_json::from_slice(data).ok()?;
    let text = serde_json::to_string(&read).expect("it can be written");
    let again: T = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    let again = serde_json::to_string(&again).expect("it can be written");
    let [written, again] = [text, again].map(|text| Tree::of(text.as_bytes()).expect("JSON"));
    assert!(written.says(&again), "{written:?}\n{again:?}");
    Some((read, written))
}

/// The first byte chooses the value.
pub fn cocon_rules(data: &[u8]) {
    let Some((chosen, data)) = choose(data, 3) else { return };
    match chosen {
        0 => {
            let Some((geometry, written)) = taken::<Geometry>(data) else { return };
            assert!(Tree::of(data).is_none_or(|arrived| written.is_within(&arrived)), "{}", lossy(data));
            assert!(!geometry.kind().as_str().is_empty() && geometry.positions().len() > 0);
            for position in geometry.positions() {
                assert!(position.len() >= 2 && position.iter().all(|number| number.is_finite()));
            }
            geometry.warnings().into_iter().for_each(told);
            let shown = format!("{geometry:?}");
            assert!(shown.len() < 60 + 2 * geometry.kind().as_str().len(), "{shown}");
        }
        // An omitted field may be written explicitly.
        1 => drop(taken::<RouteScenario>(data)),
        _ => {
            let Some((dates, written)) = taken::<ContractDates>(data) else { return };
            assert!(Tree::of(data).is_none_or(|arrived| written.is_within(&arrived)), "{}", lossy(data));
            let out_of_order = dates.start.is_some_and(|start| start > dates.end);
            assert_eq!(dates.warnings().is_empty(), !out_of_order);
        }
    }
}
