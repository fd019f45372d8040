//! The document, and the sandbox against the whole document.

use lastmile_sandbox::{Answer, Sandbox, Spec};
use serde_json::{Value, json};

use crate::caller::{Caller, ORDERS, faults, path};
use crate::common::Reply;

/// Returns every example body: its operation, its status code (`None` for a request), and its value.
fn examples() -> Vec<(&'static str, Option<u16>, &'static Value)> {
    let document = Spec::covage().document();
    let resolve = |node: &'static Value| match node["$ref"].as_str() {
        Some(reference) => document.pointer(&reference[1..]).unwrap(),
        None => node,
    };
    let mut found = Vec::new();
    for operation in Spec::covage().operations() {
        let method = operation.method.as_str().to_ascii_lowercase();
        let node = &document["paths"][&operation.path][method];
        let answers = node["responses"].as_object().unwrap().iter();
        let answers = answers.map(|(status, answer)| (Some(status.parse().unwrap()), answer));
        for (status, body) in answers.chain([(None, &node["requestBody"])]) {
            let media = &resolve(body)["content"]["application/json"];
            for example in media["examples"].as_object().into_iter().flat_map(|named| named.values()) {
                found.push((operation.id.as_str(), status, &resolve(example)["value"]));
            }
        }
    }
    found
}

#[test]
fn documented_samples_are_valid() {
    let (json, spec) = (Some("application/json"), Spec::covage());
    for (operation, status, example) in examples() {
        let body = example.to_string();
        let problems = match status {
            None => spec.check_request(operation, json, body.as_bytes()),
            Some(status) => spec.check_response(operation, status, json, body.as_bytes()),
        };
        assert!(problems.is_empty(), "{operation} {status:?}: {problems:?}");
        let mut unexpected = example.clone();
        unexpected["stray"] = json!(1);
        let body = unexpected.to_string();
        let problems = match status {
            None => spec.check_request(operation, json, body.as_bytes()),
            Some(status) => spec.check_response(operation, status, json, body.as_bytes()),
        };
        assert_eq!(problems, ["body: Additional properties are not allowed ('stray' was unexpected)"]);
    }
    let own = examples().into_iter().filter(|(_, status, _)| status.is_none_or(|status| status == 200));
    assert_eq!(own.count(), 21, "as many as the supplier's pages show");
    assert_eq!(spec.operations().count(), 34);
}

/// No operation responds with an undocumented status code.
#[tokio::test]
async fn every_operation_is_simulated() {
    let caller = Caller::new().await;
    for operation in Spec::covage().operations() {
        let path = operation.path.replace(['{', '}'], "");
        let body = operation.request_media_types().next().map_or(Value::Null, |_| json!({}));
        let before = caller.covage.count(&operation.id);
        let reply = caller.call(operation.method.as_str(), &path, body).await;
        assert_ne!(reply.status, 500, "{}: {}", operation.id, reply.body);
        assert_eq!(caller.covage.count(&operation.id), before + 1);
    }
    caller.assert_sound();
}

#[tokio::test]
async fn undocumented_paths_get_the_suppliers_error_body() {
    let caller = Caller::new().await;
    let wrong = caller.call("DELETE", &format!("{ORDERS}1/"), Value::Null).await;
    assert_eq!(wrong.status, 405, "drafts cannot be deleted");
    assert!(wrong.head.contains("allow: GET, PATCH"), "{}", wrong.head);
    for path in ["/", "/api/v2/orders", "/api/v1/orders/"] {
        let reply = caller.call("GET", path, Value::Null).await;
        assert_eq!(reply.status, 404, "{path}");
        assert!(faults(&reply).is_empty());
    }
    let shapeless = caller.call("POST", ORDERS, json!([])).await;
    assert_eq!(shapeless.status, 400);
    assert_eq!(faults(&shapeless).len(), 1);
}

#[tokio::test]
async fn a_port_above_the_maximum_is_an_error() {
    let error = Sandbox::builder().port(u16::MAX).start().await.unwrap_err();
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(cause, "there is no port after 65535");
}

#[tokio::test]
async fn a_scripted_response_takes_precedence() {
    let caller = Caller::new().await;
    let draft = caller.copper_draft().await;
    caller.covage.answer_next("updateOrder", Answer::status(503));
    let submit = json!({ "status": "submitted" });
    assert_eq!(caller.call("PATCH", &path(&draft), submit).await.status, 503);
    assert_eq!((caller.covage.count("updateOrder"), caller.covage.took_effect("updateOrder")), (1, 0));
}

/// Calls many operations, including rejected requests.
async fn day(seed: u64) -> Vec<Reply> {
    let sandbox = Sandbox::builder().seed(seed).start().await.unwrap();
    let caller = Caller::of(sandbox.covage().clone()).await;
    let order = caller.submitted("A-1", "Colvert").await;
    caller.fiber_draft("create").await;
    let mut replies = Vec::new();
    for _ in 0..3 {
        caller.covage.advance();
        replies.push(caller.call("GET", &path(&order), Value::Null).await);
    }
    for target in [ORDERS, "/api/v2/services/", "/api/events/", "/api/contacts/", "/nowhere"] {
        replies.push(caller.call("GET", target, Value::Null).await);
    }
    replies.push(caller.call("POST", ORDERS, json!({ "type": "activate" })).await);
    caller.assert_sound();
    replies
}

#[tokio::test]
async fn equal_seeds_produce_equal_responses() {
    let (first, again, other) = (day(3).await, day(3).await, day(4).await);
    assert_eq!(first, again);
    assert_ne!(first, other);
    let completed = first[2].json();
    assert!(completed["completion_date"].as_str().unwrap().starts_with("2026-01-08T08:00:"), "a day a step");
}
