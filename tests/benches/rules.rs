//! Compares the rules for strings with their patterns compiled by the `regex` crate.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use lastmile::rules::{CovageText, MacAddress, OnApiId, Otp, RuleError};
use regex::Regex;

/// A rule, its pattern, and strings that it accepts and rejects.
struct Case {
    name: &'static str,
    allows: fn(&str) -> Result<(), RuleError>,
    pattern: &'static str,
    texts: &'static [&'static str],
}

const CASES: [Case; 4] = [
    Case {
        name: "Otp",
        allows: Otp::validate,
        pattern: "^[A-Z0-9]{2,3}-[A-Za-z0-9]{4}-[A-Za-z0-9]{4}$",
        texts: &["FI-3790-3415", "FIE-2523-4523", "FI-37903415", "FI-3790-341é"],
    },
    Case {
        name: "CovageText",
        allows: CovageText::validate,
        pattern: r"^[ \x{a0}()+,.0-9:@A-Z\[\]_a-z{}àâäçèéêëîïôöùûü-]*$",
        texts: &["12 rue des Lilas, Bat. B", "Ankeborg Epicerie", "L'Église d'Évry", "Rue de l'Exemple"],
    },
    Case {
        name: "OnApiId",
        allows: OnApiId::validate,
        pattern: "^[-0-9a-zA-Z.]{1,36}$",
        texts: &["a-0000001", "STTA0001-OR1", "with a space", "0f8fad5b-d9cb-469f-a165-70867728950e"],
    },
    Case {
        name: "MacAddress",
        allows: MacAddress::validate,
        pattern: "^([0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}$",
        texts: &["00:1A:2B:3C:4D:5E", "00:1a:2b:3c:4d:5e", "00-1A-2B-3C-4D-5E", "00:1A:2B:3C:4D"],
    },
];

fn rules(criterion: &mut Criterion) {
    for Case { name, allows, pattern, texts } in CASES {
        let regex = Regex::new(pattern).expect("a pattern");
        let mut group = criterion.benchmark_group(name);
        group.bench_function("rule", |bencher| {
            bencher.iter(|| texts.iter().filter(|text| allows(black_box(text)).is_ok()).count());
        });
        group.bench_function("regex", |bencher| {
            bencher.iter(|| texts.iter().filter(|text| regex.is_match(black_box(text))).count());
        });
        group.finish();
    }
}

criterion_group!(benches, rules);
criterion_main!(benches);
