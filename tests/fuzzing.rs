//! Runs the fuzz targets over their seeds and a few thousand mutations of them. `tests/fuzz` runs the same targets
//! without a limit.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use fastrand::Rng;
use lastmile_tests::fuzzing::{ANSWERS, KINDS, OPEN_ENUMS, TARGETS, mutated};
use lastmile_tests::sources::{generated, sources};

/// The number of mutations for each target.
const ROUNDS: usize = 2000;

const APIS: [&str; 3] = ["cocon", "covage", "onapi"];

#[track_caller]
fn run(name: &str) {
    let target = TARGETS.iter().find(|target| target.name == name).unwrap();
    let seeds = (target.seeds)();
    assert!(!seeds.is_empty());
    seeds.iter().for_each(|seed| (target.run)(seed));
    let mut random = Rng::with_seed(1);
    for _ in 0..ROUNDS {
        (target.run)(&mutated(&mut random, &seeds));
    }
}

macro_rules! targets {
    ($($name:ident),* $(,)?) => {
        $(
            #[test]
            fn $name() {
                run(stringify!($name));
            }
        )*
    };
}

lastmile_tests::for_each_target!(targets);

#[test]
fn every_target_has_its_file_for_libfuzzer() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap();
    let files: BTreeSet<_> =
        fs::read_dir(folder.join("fuzz_targets")).unwrap().map(|file| file.unwrap().path()).collect();
    assert_eq!(files.len(), TARGETS.len());
    for target in TARGETS {
        let path = format!("fuzz_targets/{}.rs", target.name);
        assert!(manifest.contains(&format!("name = \"{}\"\npath = \"{path}\"\n", target.name)), "{path}");
        let call = format!(
            "libfuzzer_sys::fuzz_target!(|data: &[u8]| lastmile_tests::fuzzing::{}(data));",
            target.name
        );
        assert_eq!(fs::read_to_string(folder.join(path)).unwrap(), format!("#![no_main]\n\n{call}\n"));
    }
}

#[test]
fn every_response_type_is_in_a_target() {
    for api in APIS {
        let mut declared = generated(api).answers;
        declared.retain(|_, ty| ty != "()" && ty != "ByteStream");
        let listed = ANSWERS.iter().filter(|answer| answer.api == api).map(|answer| {
            let ty = match answer.ty.strip_prefix("List<") {
                Some(row) => format!("OneOrMany<Lenient<{row}>"),
                None => answer.ty.to_owned(),
            };
            (answer.method.to_owned(), ty)
        });
        assert_eq!(listed.collect::<BTreeMap<_, _>>(), declared, "{api}");
    }
}

#[test]
fn every_open_enum_is_in_a_target() {
    for api in APIS {
        let listed = OPEN_ENUMS.iter().filter(|one| one.api == api).map(|one| one.name.to_owned());
        assert_eq!(listed.collect::<BTreeSet<_>>(), generated(api).open_enums, "{api}");
    }
}

#[test]
fn every_stored_seed_is_accepted() {
    let stored = TARGETS.iter().find(|target| target.name == "stored").unwrap();
    let mut taken = 0;
    for seed in (stored.seeds)() {
        let Some(kind) = KINDS.get(usize::from(seed[0])) else { continue };
        assert!((kind.takes)(&seed[1..]), "{}", kind.name);
        taken += 1;
    }
    assert_eq!(taken, 8 * KINDS.len(), "three of version 1, five of version 2");
}

#[test]
fn every_kind_of_prepared_value_is_in_a_target() {
    // Chains are no prepared values: the target has them among the other stored types. Two files contain kinds of unit tests.
    let others = ["prepared/model.rs", "prepared/step.rs", "outbox/chains.rs"];
    let paths =
        sources("lastmile").into_iter().filter(|path| !others.iter().any(|other| path.ends_with(other)));
    let text: String = paths.map(|path| fs::read_to_string(path).unwrap()).collect();
    // The kinds of Cocon are in the arms of a macro: `Request => Created, "kind",`.
    let arms = text.split("\ncreation! {\n").skip(1).filter_map(|arm| arm.lines().next()?.split('"').nth(1));
    let given = text.split("const KIND: &'static str = \"").skip(1).filter_map(|rest| rest.split('"').next());
    let declared: BTreeSet<_> =
        given.map(str::to_owned).chain(arms.map(|kind| format!("cocon.{kind}"))).collect();
    assert_eq!(KINDS.iter().map(|kind| kind.name.to_owned()).collect::<BTreeSet<_>>(), declared);
}
