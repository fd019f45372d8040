//! Migrations to fibre and appointments.

use serde_json::{Value, json};

use crate::caller::{Caller, ORDERS, fields, path};

async fn migrate(caller: &Caller, service: usize, imb: &str) -> Value {
    let uuid = &caller.covage.services()[service].uuid;
    caller.post(&format!("/api/v2/services/{uuid}/migrate_to_ftth/"), json!({ "imb": imb })).await
}

#[tokio::test]
async fn a_copper_service_migrates_to_the_only_building() {
    let caller = Caller::new().await;
    let moved = migrate(&caller, 1, "").await;
    assert_eq!(moved["eligible"], true);
    let reference = moved["data"].as_str().unwrap();
    let order = caller.get(&format!("{ORDERS}?reference={reference}")).await[0].clone();
    assert_eq!((&order["status"], &order["product"]["code"]), (&json!("draft"), &json!("FP01")));
    let building = &caller.place(0).buildings[0].reference;
    assert_eq!(order["bounds"][0]["address"]["building_code"], building.as_str());
    let again = migrate(&caller, 1, "").await;
    let text = format!("Already have an order to migrate {reference}");
    assert_eq!(again, json!({ "eligible": false, "data": text }));
    assert_eq!(caller.covage.count("migrateServiceToFtth"), 2);
    assert_eq!(caller.covage.took_effect("migrateServiceToFtth"), 1);
    let draft = json!({ "product": { "code": "FP05" }, "request_type": "activate_undefined" });
    assert_eq!(caller.patch(&path(&order), draft).await["product"]["code"], "FP05");
    caller.assert_sound();
}

#[tokio::test]
async fn a_migration_chooses_one_of_several_buildings() {
    let caller = Caller::new().await;
    let choice = migrate(&caller, 0, "").await;
    let imbs: Vec<_> = caller.place(2).buildings.iter().map(|building| building.reference.clone()).collect();
    assert_eq!(choice, json!({ "eligible": true, "data": imbs }));
    assert_eq!(caller.covage.took_effect("migrateServiceToFtth"), 0);
    let uuid = &caller.covage.services()[0].uuid;
    let elsewhere = &caller.place(0).buildings[0].reference;
    let target = format!("/api/v2/services/{uuid}/migrate_to_ftth/");
    let reply = caller.call("POST", &target, json!({ "imb": elsewhere })).await;
    assert_eq!((reply.status, &reply.json()["error"]), (500, &json!("Building not found.")));
    let moved = migrate(&caller, 0, &imbs[1]).await;
    assert!(moved["data"].as_str().unwrap().starts_with('O'));
    caller.assert_sound();
}

#[tokio::test]
async fn an_impossible_migration_has_a_reason() {
    let caller = Caller::new().await;
    let not_yet = migrate(&caller, 2, "").await;
    let text = "FIBER_NOT_YET_DEPLOYED, Available around 2027-12-31";
    assert_eq!(not_yet, json!({ "eligible": false, "data": text }));
    for service in [3, 4, 5] {
        assert_eq!(migrate(&caller, service, "").await["eligible"], false);
    }
    let unknown = caller.call("POST", "/api/v2/services/0/migrate_to_ftth/", json!({})).await;
    assert_eq!(unknown.status, 404);
    assert_eq!(caller.get(ORDERS).await, json!([]));
    caller.assert_sound();
}

#[tokio::test]
async fn appointments_are_in_the_window_of_the_product() {
    let caller = Caller::new().await;
    let (insee, street) = (&caller.place(0).kosc_insee_code, &caller.place(0).kosc_street_code);
    let place =
        format!("/api/v2/appointment/slots/?kosc_insee_code={insee}&kosc_street_code={street}&product_code=");
    let first = async |target: String| caller.get(&target).await[0]["start_date"].clone();
    // The sandbox's first day is Monday, 5 January 2026.
    assert_eq!(first(format!("{place}AM01&endpoint_ref=1")).await, "2026-01-13T08:00:00Z");
    assert_eq!(first(format!("{place}AM01&endpoint_ref=1&level=premium")).await, "2026-01-12T08:00:00Z");
    assert_eq!(first(format!("{place}FP01")).await, "2026-01-19T08:00:00Z");
    let days = caller.get(&format!("{place}FP01&start_date=2026-01-20&end_date=2026-01-21")).await;
    assert_eq!(days.as_array().unwrap().len(), 4);
    let draft = caller.copper_draft().await;
    let target = format!("/api/v2/appointment/slots/?order_uuid={}", draft["uuid"].as_str().unwrap());
    assert_eq!(first(target).await, "2026-01-13T08:00:00Z");

    let slots = "/api/v2/appointment/slots/";
    let cases = [
        (slots.to_owned(), vec!["kosc_insee_code", "kosc_street_code", "product_code"]),
        (format!("{place}AM01"), vec!["endpoint_ref"]),
        (format!("{place}EN01"), vec!["product_code"]),
        (format!("{slots}?kosc_insee_code=1&kosc_street_code=1&product_code=FP01"), vec!["kosc_street_code"]),
        (format!("{slots}?order_uuid=38873eab-b099-4095-9042-91dfd896e225"), vec!["order_uuid"]),
        (format!("{slots}?order_uuid=1"), vec!["order_uuid"]),
    ];
    for (target, expected) in cases {
        assert_eq!(fields(&caller.refused("GET", &target, Value::Null).await), expected, "{target}");
    }
    caller.assert_sound();
}
