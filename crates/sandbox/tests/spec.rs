//! The document accepts the supplier's own samples, and rejects undocumented fields.
#![allow(clippy::unwrap_used, reason = "tests")]

use lastmile_sandbox::{ExamplePart, Operation, Spec};
use serde_json::Value;

/// Returns every documented body: its operation, its part, its media type, its example.
fn samples() -> Vec<(&'static Operation, ExamplePart, &'static str, Value)> {
    let spec = Spec::cocon();
    let mut samples = Vec::new();
    for operation in spec.operations() {
        let answers = operation.statuses().map(|status| (ExamplePart::Response(status), "application/json"));
        let request = operation.request_media_types().map(|media_type| (ExamplePart::Request, media_type));
        for (part, media_type) in request.chain(answers) {
            if let Some(example) = spec.example(&operation.id, part) {
                samples.push((operation, part, media_type, example.clone()));
            }
        }
    }
    samples
}

fn check(operation: &Operation, part: ExamplePart, media_type: &str, body: &str) -> Vec<String> {
    match part {
        ExamplePart::Request => Spec::cocon().check_request(&operation.id, Some(media_type), body.as_bytes()),
        ExamplePart::Response(status) => {
            Spec::cocon().check_response(&operation.id, status, Some(media_type), body.as_bytes())
        }
    }
}

/// Returns the pointers of all objects that are not maps with free keys.
fn objects(value: &Value, pointer: String, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            found.push(pointer.clone());
            for (name, field) in fields.iter().filter(|(name, _)| *name != "additionalInformation") {
                objects(field, format!("{pointer}/{name}"), found);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                objects(item, format!("{pointer}/{index}"), found);
            }
        }
        _ => {}
    }
}

#[test]
fn documented_samples_are_valid() {
    let samples = samples();
    for (operation, part, media_type, example) in &samples {
        let problems = check(operation, *part, media_type, &example.to_string());
        assert!(problems.is_empty(), "{} {part:?}: {problems:?}", operation.id);
    }
    for operation in Spec::cocon().operations() {
        let has =
            |part: ExamplePart| samples.iter().any(|(other, of, ..)| other.id == operation.id && *of == part);
        assert_eq!(
            has(ExamplePart::Request),
            operation.request_media_types().next().is_some(),
            "{}",
            operation.id
        );
        assert!(has(ExamplePart::Response(401)), "{}", operation.id);
        for status in operation.statuses().filter(|status| *status >= 400) {
            assert!(has(ExamplePart::Response(status)), "{} {status}", operation.id);
        }
    }
}

#[test]
fn an_undocumented_field_is_rejected_at_every_depth() {
    for (operation, part, media_type, example) in samples() {
        let mut pointers = Vec::new();
        objects(&example, String::new(), &mut pointers);
        for pointer in pointers {
            let mut body = example.clone();
            body.pointer_mut(&pointer).unwrap()["stray"] = Value::from(1);
            let expected =
                format!("body{pointer}: Additional properties are not allowed ('stray' was unexpected)");
            assert_eq!(check(operation, part, media_type, &body.to_string()), [expected], "{}", operation.id);
        }
    }
}

#[test]
fn an_undocumented_media_type_is_rejected() {
    for (operation, part, media_type, example) in samples() {
        let body = example.to_string();
        assert!(check(operation, part, &format!("{media_type}; charset=utf-8"), &body).is_empty());
        for other in ["text/html", "application/problem+json", "application/json-patch+json", ""] {
            let problem = format!("content-type: it is not {media_type}");
            assert_eq!(check(operation, part, other, &body), [problem], "{} {other}", operation.id);
        }
    }
    let plain = Spec::cocon().check_request("updateContact", Some("application/json"), b"{}");
    assert_eq!(plain, ["content-type: it is not application/merge-patch+json"]);
}

#[test]
fn a_body_is_required_exactly_where_documented() {
    let spec = Spec::cocon();
    assert_eq!(spec.check_request("createContact", Some("application/json"), b""), ["body: it is missing"]);
    assert!(spec.check_request("getContact", None, b"").is_empty());
    assert_eq!(
        spec.check_request("deleteContact", Some("application/json"), b"{}"),
        ["body: none is documented"]
    );
    assert_eq!(
        spec.check_response("deleteContact", 204, Some("application/json"), b"{}"),
        ["body: none is documented"]
    );
}

#[test]
fn problems_contain_the_path_and_no_value() {
    let check = |operation: &str, body: &str| {
        Spec::cocon().check_request(operation, Some("application/json"), body.as_bytes())
    };
    assert_eq!(
        check("createContact", r#"{"name": 12345, "emailAddresses": ["a@sp.example", 6]}"#),
        [
            "body/emailAddresses/1: value is not of type \"string\"",
            "body/name: value is not of types \"null\", \"string\""
        ]
    );
    assert_eq!(
        check("createCustomerContract", r#"{"startDate": "24-08-2019"}"#),
        ["body/startDate: value is not a \"date\""]
    );
    assert_eq!(
        check("createProjectAssetApproval", r#"{"timestamp": "2019-08-24 14:15"}"#),
        ["body/timestamp: value is not a \"date-time\""]
    );
}

#[test]
fn null_is_valid_where_documented() {
    let fits = |body: &str| {
        Spec::cocon()
            .check_request("createBuildingDelayedConnection", Some("application/json"), body.as_bytes())
            .is_empty()
    };
    assert!(fits(r#"{"newRoute": null, "frameName": null}"#));
    assert!(!fits(r#"{"attenuation1": null}"#));
    assert!(!fits("null"));
}

#[test]
fn free_keys_are_valid_where_documented() {
    let check = |body: &str| {
        Spec::cocon().check_request("updateCustomer", Some("application/merge-patch+json"), body.as_bytes())
    };
    assert!(check(r#"{"additionalInformation": {"anything": "x", "gone": null}}"#).is_empty());
    assert_eq!(check(r#"{"additionalInformation": {"anything": 1}}"#).len(), 1);
}
