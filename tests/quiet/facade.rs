//! Helpers that the tests of the three facades share.

use std::time::Duration;

use lastmile::cocon::types::CustomerCreate;
use lastmile::{Creation, Poll, Prepared};
use lastmile_sandbox::Spec;
use lastmile_tests::{answer_schema, copy};
use serde_json::{Value, json};

use crate::generated::{marked, with_more};
use crate::marks::{PERSONAL, Walked, quiet};

/// A poll that times out at once.
pub const GLANCE: Poll = Poll::new().interval(Duration::from_millis(10)).timeout(Duration::ZERO);

/// Checks a creating call's request: as it is, prepared, marked, and loaded from the store.
pub fn prepared<C: Creation + std::fmt::Debug>(walked: &Walked, request: C) -> Prepared<C> {
    walked.debug(&request);
    let mut prepared = Prepared::new(request).unwrap();
    walked.debug(&prepared);
    walked.debug(&prepared.state());
    prepared.mark_in_flight().unwrap();
    walked.error(&prepared.mark_in_flight().unwrap_err());
    walked.debug(&prepared);
    let mut marked = copy(&prepared);
    walked.error(&marked.mark_in_flight().unwrap_err());
    // As if it had been found absent.
    let mut stored = serde_json::to_value(&marked).unwrap();
    stored["state"] = "ready".into();
    let mut ready: Prepared<C> = serde_json::from_value(stored).unwrap();
    walked.error(&ready.mark_in_flight().unwrap_err());
    ready
}

/// Returns the response of an operation with marks in each sensitive field, and in fields that no document lists.
pub fn answer(spec: &Spec, operation: &str) -> Value {
    let schema = answer_schema(spec.document(), operation).unwrap();
    with_more(marked(spec.document(), schema).0)
}

#[test]
fn an_unreadable_stored_value_is_not_quoted() {
    let stored = |state: &str, request: Value| {
        let stored = json!({ "version": 2, "kind": "cocon.customer", "state": state, "request": request });
        serde_json::from_str::<Prepared<CustomerCreate>>(&stored.to_string()).unwrap_err().to_string()
    };
    for (error, says) in [
        (stored("ready", json!({ "name": [PERSONAL] })), "something else than a string"),
        (stored("ready", json!(PERSONAL)), "something else than struct CustomerCreate"),
        (stored(PERSONAL, json!({})), "another state than this version of the library knows"),
    ] {
        quiet(&error);
        assert!(error.contains(says), "{error}");
    }
    let error = serde_json::from_str::<Prepared<CustomerCreate>>(r#"{"version":1}"#).unwrap_err();
    assert!(error.to_string().contains("missing field `kind`"), "{error}");
}
