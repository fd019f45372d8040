//! The document accepts the samples of both sources, and rejects undocumented fields and values.

use std::path::Path;

use lastmile_sandbox::Dialect;
use serde_json::{Value, json};

/// Returns the problems of a body in the vendor's document: `part` is `request` or a status code.
fn check(operation: &str, part: &str, body: &str) -> Vec<String> {
    check_in(Dialect::Vendor26, operation, part, body)
}

fn check_in(dialect: Dialect, operation: &str, part: &str, body: &str) -> Vec<String> {
    let (spec, json) = (dialect.spec(), Some("application/json"));
    match part {
        "request" => spec.check_request(operation, json, body.as_bytes()),
        status => spec.check_response(operation, status.parse().unwrap(), json, body.as_bytes()),
    }
}

#[test]
fn samples_are_valid() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../specs/samples/onapi");
    let mut count = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let file = file.unwrap();
        let name = file.file_name().into_string().unwrap();
        if !name.ends_with(".json") {
            continue;
        }
        if !name.ends_with(".json") {
            continue;
        }
        let mut parts = name.split('.');
        let (operation, part) = (parts.next().unwrap(), parts.next().unwrap());
        let body = std::fs::read_to_string(file.path()).unwrap();
        let is_standard = parts.next() == Some("standard");
        let dialect = if is_standard { Dialect::Standard26 } else { Dialect::Vendor26 };
        assert_eq!(check_in(dialect, operation, part, &body), [""; 0], "{name}");
        count += 1;
    }
    assert!(count >= 45, "{count}");
}

#[test]
fn an_x_stray_mark_allows_any_text_and_nothing_else() {
    let services = |field: &str, value: Value| {
        let service = json!({ "service": "BB-100-100", field: value });
        let body = json!({ "accessId": "a-1", "services": [service] });
        check("getServices", "200", &body.to_string())
    };
    assert!(services("availableDateTime", json!("some day")).is_empty());
    assert!(services("availableDateTime", json!("")).is_empty());
    assert_eq!(
        services("availableDateTime", json!(null)).len(),
        1,
        "marked, yet not of the standard's shape"
    );
    assert_eq!(services("availableDateTime", json!(1)).len(), 1);
    assert_eq!(services("comments", json!("")).len(), 1);
    let order = |body: Value| check("getOrder", "200", &body.to_string()).len();
    assert_eq!(order(json!({ "requestedDateTime": "2026-03-02T07:00:00+01:00" })), 0);
    assert_eq!(order(json!({ "requestedDateTime": "2026-03-02" })), 1);
    assert_eq!(order(json!({ "state": "LOST" })), 1);
    assert_eq!(check("getAccess", "200", &json!({ "priceGroup": "1" }).to_string()).len(), 1);
}

#[test]
fn requests_are_strict() {
    let order = |field: &str, value: Value| {
        let body = json!({ "operation": "ACTIVATE", "accessId": "a-1", "service": "VOIP", field: value });
        check("createOrder", "request", &body.to_string())
    };
    assert!(order("spReference", json!("sp-ref.1")).is_empty());
    for (field, value) in [
        ("spReference", json!("ref/1")),
        ("spReference", json!(null)),
        ("operation", json!("MOVE")),
        ("requestedDateTime", json!("2026-03-02")),
        ("note", json!("x")),
        ("externalNote", json!("x".repeat(256))),
    ] {
        assert_eq!(order(field, value).len(), 1, "{field}");
    }
}
