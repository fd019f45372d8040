//! Contacts, product families and product lines.

use serde_json::{Value, json};

use crate::caller::{Caller, fields};

const CONTACTS: &str = "/api/contacts/";

#[tokio::test]
async fn a_contact_is_created_replaced_and_deleted() {
    let caller = Caller::new().await;
    let seeded = caller.get(CONTACTS).await;
    assert_eq!(seeded[0]["contact_uuid"], caller.covage.contact_uuid());
    let body = json!({ "first_name": "Zoé", "last_name": "Macreuse", "phone_number": "0199000102" });
    let contact = caller.post(CONTACTS, body).await;
    let path = format!("{CONTACTS}{}/", contact["contact_uuid"].as_str().unwrap());
    assert_eq!(caller.get(&path).await, contact);
    assert_eq!(caller.get(CONTACTS).await.as_array().unwrap().len(), 2);

    let whole = json!({ "contact_uuid": contact["contact_uuid"], "last_name": "Macreuse" });
    assert_eq!(caller.ok("PUT", &path, whole.clone()).await, whole, "what is left out is lost");
    assert_eq!(caller.get(&path).await, whole);
    let other = caller.refused("PUT", &path, json!({ "contact_uuid": "other" })).await;
    assert_eq!(fields(&other), ["contact_uuid"]);

    let deleted = caller.call("DELETE", &path, Value::Null).await;
    assert_eq!((deleted.status, deleted.body.as_str()), (204, ""));
    for (method, body) in [("GET", Value::Null), ("PUT", json!({})), ("DELETE", Value::Null)] {
        assert_eq!(caller.call(method, &path, body).await.status, 404, "{method}");
    }
    for operation in ["createContact", "replaceContact", "deleteContact"] {
        assert_eq!(caller.covage.took_effect(operation), 1, "{operation}");
    }
    caller.assert_sound();
}

#[tokio::test]
async fn products_match_those_of_orders() {
    let caller = Caller::new().await;
    let families = caller.get("/api/product-families/").await;
    let codes: Vec<_> = families.as_array().unwrap().iter().map(|family| &family["code"]).collect();
    assert_eq!(codes, ["A", "S", "M", "F", "N"]);
    let draft = caller.copper_draft().await;
    let line = &draft["product"]["line"];
    let family = format!("/api/product-families/{}/", line["family"]["uuid"].as_str().unwrap());
    assert_eq!(caller.get(&family).await, families[0]);
    let path = format!("/api/product-lines/{}/", line["uuid"].as_str().unwrap());
    let found = caller.get(&path).await;
    assert_eq!((&found["code"], &found["family"]["code"]), (&json!("AM"), &json!("A")));
    for path in ["/api/product-families/x/", "/api/product-lines/x/"] {
        assert_eq!(caller.call("GET", path, Value::Null).await.status, 404);
    }
    caller.assert_sound();
}
