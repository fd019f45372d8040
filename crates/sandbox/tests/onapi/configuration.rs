//! Absent endpoints, lists without `Last-Modified`, and removed accesses.

use lastmile_sandbox::Sandbox;
use serde_json::json;

use crate::caller::{Caller, header};

#[tokio::test]
async fn an_absent_endpoint_is_not_available() {
    let caller =
        Caller::of(Sandbox::builder().onapi_without_endpoint("events").onapi_without_endpoint("tech/cpe"))
            .await;
    let listed = caller.rows("/").await;
    let names: Vec<_> = listed.iter().filter_map(|entry| entry["name"].as_str()).collect();
    assert_eq!(names.len(), 10);
    assert!(!names.contains(&"events") && !names.contains(&"tech/cpe") && names.contains(&"orderevents"));
    let access = caller.0.accesses()[0].id.clone();
    assert_eq!(caller.get("/events/").await.status, 501);
    assert_eq!(caller.get(&format!("/tech/cpe/{access}/status")).await.status, 501);
    assert_eq!(caller.get(&format!("/tech/access/{access}/hardware")).await.status, 200);
    assert_eq!(caller.get("/orderevents/").await.status, 404, "there, with nothing to list");
    assert_eq!(caller.0.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn without_last_modified_conditions_are_ignored() {
    let caller = Caller::of(Sandbox::builder().onapi_last_modified(false)).await;
    let all = caller.get("/accesses/").await;
    assert_eq!((all.status, header(&all, "last-modified")), (200, None));
    let again = caller.since("/accesses/", "Fri, 01 Jan 2100 00:00:00 GMT").await;
    assert_eq!(again.json(), all.json());
}

#[tokio::test]
async fn removing_an_access_deletes_it_and_records_events() {
    let caller = Caller::new().await;
    let known = caller.0.accesses()[1].clone();
    let subscription = known.subscriptions[0].subscription_id.clone();
    let before = caller.rows("/accesses/").await.len();
    caller.0.tear_down(&known.id);
    assert_eq!(caller.rows("/accesses/").await.len(), before - 1);
    assert_eq!(caller.0.accesses().len(), before - 1);
    for path in ["accesses", "services", "subscriptions"] {
        assert_eq!(caller.get(&format!("/{path}/{}", known.id)).await.status, 404);
    }
    assert_eq!(caller.get(&format!("/option82/{}", known.option82)).await.status, 404);
    let order = json!({ "operation": "SUSPEND", "subscriptionId": subscription });
    assert_eq!(caller.order(order).await.status, 400);
    let events = caller.rows("/events/").await;
    let reported: Vec<_> = events.iter().map(|event| (&event["type"], &event["objectId"])).collect();
    assert_eq!(reported, [(&json!("DELETE"), &json!(subscription)), (&json!("DELETE"), &json!(known.id))]);
    assert!(events.iter().all(|event| event.get("path").is_none()));
    // Later accesses keep their ids.
    caller.0.add_accesses(1);
    assert_eq!(caller.rows("/accesses/").await.len(), before);
    assert_eq!(caller.0.violations(), Vec::<String>::new());
}

#[tokio::test]
#[should_panic(expected = "there is no access a-none")]
async fn removing_an_unknown_access_panics() {
    Caller::new().await.0.tear_down("a-none");
}
