//! The documents in `specs/` against what they were made from.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use lastmile_sandbox::{Part, Spec};
use serde_json::Value;

/// The samples of the supplier's reference: operation, what of it (`request` or a status), JSON.
fn samples(api: &str) -> Vec<(String, String, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../specs/samples").join(api);
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut samples: Vec<_> = files
        .map(|path| {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let (operation, part) = name.split_once('.').unwrap();
            let json = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
            (operation.to_owned(), part.to_owned(), json)
        })
        .collect();
    samples.sort_by(|a, b| (&a.0, &a.1).cmp(&(&b.0, &b.1)));
    samples
}

fn problems(spec: &Spec, operation: &str, part: &str, json: &Value) -> Vec<String> {
    let body = serde_json::to_vec(json).unwrap();
    match part {
        "request" => {
            let media_type = spec.operation(operation).unwrap().request_media_types().next();
            spec.check_request(operation, media_type, &body)
        }
        status => spec.check_answer(operation, status.parse().unwrap(), Some("application/json"), &body),
    }
}

#[test]
fn every_sample_of_the_reference_fits_its_closed_schema() {
    let samples = samples("cocon");
    assert_eq!(samples.len(), 28, "18 operations: 10 requests, 14 answers, 4 refusals");
    for (operation, part, json) in samples {
        assert_eq!(
            problems(Spec::cocon(), &operation, &part, &json),
            Vec::<String>::new(),
            "{operation}.{part}"
        );
    }
}

#[test]
fn a_field_that_no_schema_describes_is_noticed_at_every_depth() {
    let mut places = 0;
    for (operation, part, json) in samples("cocon") {
        for pointer in objects(&json, String::new()) {
            let mut changed = json.clone();
            let object = changed.pointer_mut(&pointer).unwrap().as_object_mut().unwrap();
            object.insert("undescribed".into(), Value::from(1));
            let problems = problems(Spec::cocon(), &operation, &part, &changed);
            // In a map of free keys the key is fine and the number is not.
            assert!(!problems.is_empty(), "{operation}.{part} at {pointer:?}");
            places += 1;
        }
    }
    assert!(places > 50, "{places}");
}

fn objects(json: &Value, at: String) -> Vec<String> {
    let mut found = Vec::new();
    match json {
        Value::Object(members) => {
            found.push(at.clone());
            found.extend(members.iter().flat_map(|(key, member)| objects(member, format!("{at}/{key}"))));
        }
        Value::Array(items) => {
            found.extend(items.iter().enumerate().flat_map(|(n, item)| objects(item, format!("{at}/{n}"))));
        }
        _ => {}
    }
    found
}

#[test]
fn the_samples_stand_in_the_document_as_examples() {
    let mut seen = BTreeSet::new();
    for (operation, part, json) in samples("cocon") {
        let example = match part.as_str() {
            "request" => Spec::cocon().example(&operation, Part::Request),
            status => Spec::cocon().example(&operation, Part::Answer(status.parse().unwrap())),
        };
        assert_eq!(example, Some(&json), "{operation}.{part}");
        seen.insert(operation);
    }
    assert_eq!(seen.len(), 18, "every operation has a sample");
}
