//! The states of submitted orders.

use serde_json::{Value, json};

use crate::caller::{Caller, ORDERS, complete, fields, path};

/// Returns the events of an object, the oldest first.
async fn story(caller: &Caller, object: &Value) -> Vec<String> {
    let uuid = object["uuid"].as_str().unwrap();
    let events = caller.get(&format!("/api/events/?object_uuid={uuid}&sort=creation_date")).await;
    let events = events.as_array().unwrap();
    assert!(events.iter().all(|event| event["object_alias"] == object["reference"]));
    events.iter().map(|event| event["type"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn an_activation_becomes_a_service() {
    let caller = Caller::new().await;
    let order = caller.submitted("A-1", "Colvert").await;
    let draft = caller.copper_draft().await;
    let before = caller.get("/api/v2/services/").await.as_array().unwrap().len();
    let steps = [
        ("acknowledged", "acknowledged_date"),
        ("running", "processing_date"),
        ("completed", "completion_date"),
    ];
    let mut last = order["updated_status_date"].clone();
    for (status, date) in steps {
        caller.covage.advance();
        let now = caller.get(&path(&order)).await;
        assert_eq!((&now["status"], &now["updated_status_date"]), (&json!(status), &now[date]));
        assert!(now[date].as_str() > last.as_str(), "{date}");
        last = now[date].clone();
    }
    caller.covage.advance();
    assert_eq!(caller.get(&path(&order)).await["updated_status_date"], last, "it is over");
    assert_eq!(caller.get(&path(&draft)).await, draft, "a draft waits");
    let expected = ["order-submitted", "order-acknowledged", "order-running", "order-completed"];
    assert_eq!(story(&caller, &order).await, expected);

    let services = caller.get("/api/v2/services/").await;
    assert_eq!(services.as_array().unwrap().len(), before + 1);
    let service = &services[before];
    assert_eq!((&service["status"], &service["activate_order_uuid"]), (&json!("active"), &order["uuid"]));
    assert_eq!(service["end_customer"]["name"], "Palais Colvert");
    assert_eq!(story(&caller, service).await, ["service-activated"]);
    let end = json!({ "type": "terminate", "service_ref": service["reference"] });
    assert_eq!(caller.post(ORDERS, end).await["service_uuid"], service["uuid"]);
    caller.assert_sound();
}

#[tokio::test]
async fn an_order_can_be_rejected() {
    let caller = Caller::new().await;
    let order = caller.submitted("A-1", "to be Rejected").await;
    caller.covage.advance();
    caller.covage.advance();
    caller.covage.advance();
    let rejected = caller.get(&path(&order)).await;
    assert_eq!(rejected["status"], "rejected");
    assert!(rejected["rejection_date"].is_string() && rejected["processing_date"].is_null());
    let expected = ["order-submitted", "order-acknowledged", "order-rejected"];
    assert_eq!(story(&caller, &order).await, expected);
    caller.assert_sound();
}

#[tokio::test]
async fn an_information_event_is_accepted_once_per_day() {
    let caller = Caller::new().await;
    let draft = caller.copper_draft().await;
    let info = |order: &Value| format!("{}events/info/", path(order));
    let reported = json!({ "message": "Le code est 12", "stop_deferred": false });
    assert_eq!(caller.call("POST", &info(&draft), reported.clone()).await.status, 400);
    let order = caller.submitted("A-1", "Colvert").await;
    let other = caller.submitted("A-2", "Colvert").await;
    let held = caller.post(&info(&order), reported.clone()).await;
    let text = "Event was successfully created, please wait 5 minutes before trying again on this order";
    assert_eq!(held, json!({ "info": text }));
    assert_eq!(caller.call("POST", &info(&order), reported.clone()).await.status, 400);
    caller.post(&info(&other), reported.clone()).await;
    caller.covage.advance();
    caller.post(&info(&order), reported.clone()).await;
    assert_eq!(caller.covage.took_effect("createOrderInfoEvent"), 3);
    assert_eq!(caller.call("POST", "/api/v2/orders/0/events/info/", reported).await.status, 404);
    caller.assert_sound();
}

#[tokio::test]
async fn a_deferred_order_waits_for_information() {
    let caller = Caller::new().await;
    let order = caller.submitted("A-1", "to be deferred").await;
    let info = format!("{}events/info/", path(&order));
    for _ in 0..4 {
        caller.covage.advance();
    }
    assert_eq!(caller.get(&path(&order)).await["status"], "deferred");
    caller.post(&info, json!({ "message": "x", "stop_deferred": false })).await;
    caller.covage.advance();
    assert_eq!(caller.get(&path(&order)).await["status"], "deferred");
    caller.post(&info, json!({ "message": "x", "stop_deferred": true })).await;
    caller.covage.advance();
    assert_eq!(caller.get(&path(&order)).await["status"], "running");
    caller.assert_sound();
}

#[tokio::test]
async fn a_termination_ends_a_service_at_submission() {
    let caller = Caller::new().await;
    for index in [0, 3] {
        let service = &caller.covage.services()[index];
        let before = caller.get(&format!("/api/v2/services/{}/", service.uuid)).await;
        let order = caller.post(ORDERS, json!({ "type": "terminate", "service_uuid": service.uuid })).await;
        assert_eq!((&order["type"], &order["status"]), (&json!("terminate"), &json!("draft")));
        assert_eq!(order["service_ref"], service.reference.as_str());
        assert_eq!(order["product"], before["product"]);
        assert_eq!(order["end_customer"], before["end_customer"]);
        assert_eq!(order["operator_info"], json!({ "contact_uuid": caller.covage.contact_uuid() }));
        assert_eq!(order["bounds"][0]["address"], before["bounds"][0]["address"]);
        assert_ne!(order["bounds"][0]["uuid"], before["bounds"][0]["uuid"]);

        let rival =
            caller.post(ORDERS, json!({ "type": "terminate", "service_ref": service.reference })).await;
        let faults = caller.refused("PATCH", &path(&order), json!({ "status": "submitted" })).await;
        assert_eq!(fields(&faults), ["operator_info.order_name", "operator_info.order_ref"]);
        let info =
            |order_ref: String| json!({ "operator_info": { "order_ref": order_ref, "order_name": "Fin" } });
        caller.patch(&path(&order), info(format!("F-{index}"))).await;
        assert_eq!(caller.get(&format!("/api/v2/services/{}/", service.uuid)).await["status"], "active");
        caller.submit(&order).await;
        let ended = caller.get(&format!("/api/v2/services/{}/", service.uuid)).await;
        assert_eq!(ended["status"], "terminated");
        assert_eq!(story(&caller, &ended).await, ["service-terminated"]);

        caller.patch(&path(&rival), info(format!("R-{index}"))).await;
        let faults = caller.refused("PATCH", &path(&rival), json!({ "status": "submitted" })).await;
        assert_eq!(fields(&faults), ["service_uuid"], "it is over already");
        for _ in 0..3 {
            caller.covage.advance();
        }
        assert_eq!(caller.get(&path(&order)).await["status"], "completed");
        assert_eq!(caller.get(&path(&rival)).await["status"], "draft");
    }
    caller.assert_sound();
}

#[tokio::test]
async fn a_termination_needs_an_active_service_of_the_right_family() {
    let caller = Caller::new().await;
    let services = caller.covage.services();
    let (active, delivery, over) = (&services[0], &services[4], &services[5]);
    assert_eq!((delivery.product.as_str(), over.active), ("EN01", false));
    let cases = [
        (json!({}), vec!["service_ref", "service_uuid"]),
        (json!({ "service_ref": "S000000_00000" }), vec!["service_ref"]),
        (json!({ "service_uuid": over.uuid }), vec!["service_uuid"]),
        (json!({ "service_uuid": delivery.uuid }), vec!["service_uuid"]),
        (json!({ "service_uuid": active.uuid, "service_ref": over.reference }), vec!["service_uuid"]),
        (json!({ "service_uuid": active.uuid, "eligibility_ref": "elig-0" }), vec!["eligibility_ref"]),
        (json!({ "service_uuid": active.uuid, "request_type": "create" }), vec!["request_type"]),
        (json!({ "service_uuid": active.uuid, "product": { "code": "FP01" } }), vec!["product.code"]),
    ];
    for (mut body, expected) in cases {
        body["type"] = json!("terminate");
        assert_eq!(fields(&caller.refused("POST", ORDERS, body.clone()).await), expected, "{body}");
    }
    assert_eq!(caller.covage.took_effect("createOrder"), 0);
    caller.assert_sound();
}

#[tokio::test]
async fn events_are_listed_latest_first_by_default() {
    let caller = Caller::new().await;
    for reference in ["A-1", "A-2"] {
        let draft = caller.copper_draft().await;
        caller.patch(&path(&draft), complete(reference, "Colvert")).await;
        caller.submit(&draft).await;
    }
    for _ in 0..3 {
        caller.covage.advance();
    }
    let latest = caller.get("/api/events/").await;
    let oldest = caller.get("/api/events/?sort=creation_date").await;
    let (latest, oldest) = (latest.as_array().unwrap(), oldest.as_array().unwrap());
    assert_eq!(latest.len(), 10);
    assert!(latest.iter().eq(oldest.iter().rev()));
    assert!(oldest.is_sorted_by_key(|event| event["event_date"].as_str().map(str::to_owned)));
    assert!(oldest.is_sorted_by_key(|event| event["sort_value"].as_str().map(str::to_owned)));
    assert_eq!(caller.get("/api/events/?sort=creation_date&limit=2&offset=3").await, json!(oldest[3..5]));
    let services = caller.get("/api/events/?object_type=service").await;
    assert_eq!(services.as_array().unwrap().len(), 2);
    assert!(!oldest[0]["event_date"].as_str().unwrap().ends_with('Z'));
    caller.assert_sound();
}
