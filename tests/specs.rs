//! Compares the documents in `specs/` with their sources.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use lastmile_sandbox::{Dialect, ExamplePart, Spec};
use serde_json::Value;

const SPECS: [fn() -> &'static Spec; 3] = [Spec::cocon, Spec::covage, Spec::onapi];
const APIS: [&str; 3] = ["cocon", "covage", "onapi"];

/// A sample of a supplier's reference.
struct Sample {
    name: String,
    operation: String,
    part: ExamplePart,
    json: Value,
    /// Whether it is invented, in the form of a standard that shows no complete samples.
    invented: bool,
}

fn samples(api: &str) -> Vec<Sample> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../specs/samples").join(api);
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut samples: Vec<Sample> = files
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .map(|path| {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let mut parts = name.splitn(3, '.');
            let operation = parts.next().unwrap().to_owned();
            let part = match parts.next().unwrap() {
                "request" => ExamplePart::Request,
                status => ExamplePart::Response(status.parse().unwrap()),
            };
            let invented = parts.next() == Some("standard");
            let json = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
            Sample { name, operation, part, json, invented }
        })
        .collect();
    samples.sort_by(|a, b| a.name.cmp(&b.name));
    samples
}

fn problems(spec: &Spec, sample: &Sample, json: &Value) -> Vec<String> {
    let body = serde_json::to_vec(json).unwrap();
    match sample.part {
        ExamplePart::Request => {
            let media_type = spec.operation(&sample.operation).unwrap().request_media_types().next();
            spec.check_request(&sample.operation, media_type, &body)
        }
        ExamplePart::Response(status) => {
            spec.check_response(&sample.operation, status, Some("application/json"), &body)
        }
    }
}

#[test]
fn every_reference_sample_matches_its_closed_schema() {
    let mut counts = Vec::new();
    for (api, spec) in APIS.into_iter().zip(SPECS) {
        let samples = samples(api);
        for sample in &samples {
            let spec = match (api, sample.invented) {
                ("onapi", false) => Dialect::Vendor26.spec(),
                ("onapi", true) => Dialect::Standard26.spec(),
                _ => spec(),
            };
            assert_eq!(problems(spec, sample, &sample.json), Vec::<String>::new(), "{api}/{}", sample.name);
        }
        counts.push(samples.iter().filter(|sample| !sample.invented).count());
    }
    assert_eq!(counts, [28, 21, 25], "as many as the three references show");
}

#[test]
fn an_undescribed_field_is_detected_at_every_depth() {
    let mut noticed = 0;
    for (api, spec) in APIS.into_iter().zip(SPECS) {
        let free = free_maps(spec().document());
        for sample in samples(api) {
            for pointer in objects(&sample.json) {
                let mut changed = sample.json.clone();
                let object = changed.pointer_mut(&pointer).unwrap().as_object_mut().unwrap();
                object.insert("undescribed".into(), Value::from(1));
                let in_a_map = pointer.split('/').any(|part| free.contains(part));
                let problems = problems(spec(), &sample, &changed);
                // In a map whose keys are data, every key is allowed, but most values are not numbers.
                assert!(!problems.is_empty() || in_a_map, "{api}/{} at {pointer:?}", sample.name);
                noticed += usize::from(!problems.is_empty());
            }
        }
    }
    assert!(noticed > 300, "{noticed}");
}

/// The properties whose keys are data.
fn free_maps(json: &Value) -> BTreeSet<&str> {
    let mut found = BTreeSet::new();
    match json {
        Value::Object(members) => {
            for (key, member) in members {
                if member.get("x-map").is_some() {
                    found.insert(key.as_str());
                }
                found.extend(free_maps(member));
            }
        }
        Value::Array(items) => items.iter().for_each(|item| found.extend(free_maps(item))),
        _ => {}
    }
    found
}

fn objects(json: &Value) -> Vec<String> {
    lastmile_tests::pointers(json)
        .into_iter()
        .filter(|pointer| json.pointer(pointer).unwrap().is_object())
        .collect()
}

#[test]
fn the_samples_are_examples_in_the_documents() {
    for (api, spec) in APIS.into_iter().zip(SPECS) {
        let examples = spec().document()["components"]["examples"].as_object().unwrap();
        let values: Vec<&Value> = examples.values().map(|example| &example["value"]).collect();
        let mut seen = BTreeSet::new();
        for sample in samples(api) {
            assert!(values.contains(&&sample.json), "{api}/{}", sample.name);
            seen.insert(sample.operation);
        }
        assert!(seen.iter().all(|operation| spec().operation(operation).is_some()));
        if api == "cocon" {
            assert_eq!(seen.len(), 18, "every operation of this reference has a sample");
        }
    }
}
