//! Customers, contacts and contracts of Cocon.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::{Caller, JSON};
use serde_json::json;

#[tokio::test]
async fn a_customer_has_the_suppliers_response_body() {
    let caller = Caller::new().await;
    let reply = caller
        .post(
            "/api/v1/customers",
            json!({
                "clientCode": "K-1", "name": "Ankeborg Wonen",
                "postalAddress": {
                    "street": "Kade", "houseNumber": "12", "zipCode": "1234AB", "city": "Ankeborg",
                },
                "outageContactInformation": {
                    "emailAddresses": ["storing@sp.example"], "phoneNumber": "0201234567",
                },
                "additionalInformation": { "note": "x" },
            }),
        )
        .await;
    let id = reply.json()["id"].clone();
    let expected = json!({
        "id": id, "name": "Ankeborg Wonen", "postalAddress": "Kade 12, 1234AB Ankeborg",
        "emailAddresses": ["storing@sp.example"], "phoneNumber": "0201234567",
        "additionalInformation": { "note": "x" },
    });
    assert_eq!(reply.json(), expected);
    let path = format!("/api/v1/customers/{}", id.as_str().unwrap());
    assert_eq!(caller.get(&path).await.json(), expected);

    let reply = caller
        .patch(
            &path,
            json!({
                "postalAddress": { "city": "Eendstad", "houseNumber": null },
                "outageContactInformation": { "phoneNumber": null },
                "additionalInformation": { "note": null, "other": "y" },
            }),
        )
        .await;
    let patched = json!({
        "id": id, "name": "Ankeborg Wonen", "postalAddress": "Kade, 1234AB Eendstad",
        "emailAddresses": ["storing@sp.example"], "additionalInformation": { "other": "y" },
    });
    assert_eq!(reply.json(), patched);
    assert_eq!(caller.get(&path).await.json(), patched);
    assert_eq!((caller.0.count("updateCustomer"), caller.0.took_effect("updateCustomer")), (1, 1));
    assert_eq!((caller.0.count("getCustomer"), caller.0.took_effect("getCustomer")), (2, 0));
    assert!(caller.0.violations().is_empty());
}

#[tokio::test]
async fn a_contact_belongs_to_its_customer() {
    let caller = Caller::new().await;
    let customer = caller.create("/api/v1/customers", json!({ "name": "Ankeborg Wonen" })).await;
    let stranger = caller.create("/api/v1/customers", json!({})).await;
    let body = json!({
        "name": "A. Dijkstra", "customerId": customer, "isPrimaryContact": true, "phoneNumber": null,
    });
    let contact = caller.create("/api/v1/contacts", body).await;
    let path = format!("/api/v1/contacts/{contact}");

    let expected = json!({
        "id": contact, "name": "A. Dijkstra", "customerName": "Ankeborg Wonen", "isPrimaryContact": true,
    });
    assert_eq!(caller.get(&path).await.json(), expected);
    let under = |customer: &str, contact: &str| format!("/api/v1/customers/{customer}/contacts/{contact}");
    assert_eq!(caller.get(&under(&customer, &contact)).await.json(), expected);
    assert_eq!(caller.get(&under(&stranger, &contact)).await.status, 404);
    assert_eq!(caller.get(&under("0", &contact)).await.status, 404);
    assert_eq!(caller.get(&under(&customer, "0")).await.status, 404);

    let reply = caller.patch(&path, json!({ "name": null, "emailAddresses": ["a@sp.example"] })).await;
    let patched = json!({
        "id": contact, "customerName": "Ankeborg Wonen", "isPrimaryContact": true,
        "emailAddresses": ["a@sp.example"],
    });
    assert_eq!(reply.json(), patched);
    assert_eq!(caller.patch(&path, json!({ "customerId": stranger })).await.status, 400, "cannot be moved");
    assert_eq!(caller.get(&path).await.json(), patched);

    let orphan = caller.post("/api/v1/contacts", json!({ "customerId": "0" })).await;
    assert_eq!((orphan.status, orphan.code().as_str()), (400, "UnknownCustomer"));
    assert_eq!((caller.0.count("createContact"), caller.0.took_effect("createContact")), (2, 1));

    let customer = format!("/api/v1/customers/{customer}");
    assert_eq!(caller.delete(&customer).await.code(), "CustomerInUse");
    let deleted = caller.delete(&path).await;
    assert_eq!((deleted.status, deleted.body.as_str()), (204, ""));
    assert_eq!(caller.delete(&path).await.status, 404);
    assert_eq!(caller.delete(&customer).await.status, 204);
    assert_eq!(caller.get(&customer).await.status, 404);
    assert_eq!(caller.0.took_effect("deleteContact"), 1);
    assert!(caller.0.violations().is_empty());
}

#[tokio::test]
async fn a_contract_has_other_field_names_in_responses() {
    let caller = Caller::new().await;
    let customer = caller.create("/api/v1/customers", json!({ "name": "Ankeborg Wonen" })).await;
    let contact = caller.create("/api/v1/contacts", json!({ "customerId": customer })).await;
    let body = json!({
        "name": "Glas", "customerId": customer, "contactIds": [contact], "startDate": "2026-01-01",
        "endDate": "2026-12-31", "owner": "B. Visser", "comment": "a", "other": "b", "servicePriority": "high",
        "allowDivergentPriority": true, "contractTypeName": "standard",
    });
    let id = caller.create("/api/v1/customer-contracts", body).await;
    let path = format!("/api/v1/customer-contracts/{id}");
    let expected = json!({
        "id": id, "name": "Glas", "customerName": "Ankeborg Wonen", "owner": "B. Visser",
        "startDate": "2026-01-01", "endDate": "2026-12-31", "remarks": "a", "additionalInformation": "b",
        "contacts": [{ "id": contact, "href": format!("/api/v1/contacts/{contact}") }],
    });
    assert_eq!(caller.get(&path).await.json(), expected);

    assert_eq!(caller.patch(&path, json!({ "endDate": "2025-12-31" })).await.code(), "EndBeforeStart");
    assert_eq!(caller.patch(&path, json!({ "contactIds": ["0"] })).await.code(), "UnknownContact");
    assert_eq!(caller.get(&path).await.json(), expected, "a refused patch changes nothing");
    assert_eq!(caller.delete(&format!("/api/v1/contacts/{contact}")).await.code(), "ContactInUse");

    let patched =
        caller.patch(&path, json!({ "contactIds": null, "comment": null, "startDate": null })).await;
    assert_eq!(patched.json()["contacts"], json!(null));
    assert_eq!(patched.json()["remarks"], json!(null));
    assert_eq!(caller.delete(&format!("/api/v1/contacts/{contact}")).await.status, 204);
    assert_eq!(caller.delete(&path).await.status, 204);
    assert_eq!(caller.get(&path).await.status, 404);

    let backwards = json!({ "startDate": "2026-02-01", "endDate": "2026-01-31" });
    assert_eq!(caller.post("/api/v1/customer-contracts", backwards).await.code(), "EndBeforeStart");
    let stranger = json!({ "customerId": "0" });
    assert_eq!(caller.post("/api/v1/customer-contracts", stranger).await.code(), "UnknownCustomer");
    assert_eq!(caller.0.took_effect("createCustomerContract"), 1);
    assert_eq!(caller.0.took_effect("updateCustomerContract"), 1);
    assert!(caller.0.violations().is_empty());
}

#[tokio::test]
async fn an_approval_is_recorded() {
    let caller = Caller::new().await;
    let body = json!({
        "projectName": "Ankeborg Noord", "timestamp": "2026-01-05T08:00:00+01:00",
        "assetApproval": { "asset": { "type": "Building", "name": "1234AB-56" }, "type": "Photo" },
    });
    assert_eq!(caller.post("/api/v1/project-asset-approvals", body).await.status, 204);
    assert_eq!(caller.post("/api/v1/project-asset-approvals", json!({ "when": 1 })).await.status, 400);
    assert_eq!(caller.0.took_effect("createProjectAssetApproval"), 1);
}

#[tokio::test]
async fn an_invalid_request_gets_every_problem() {
    let caller = Caller::new().await;
    let reply = caller.post("/api/v1/contacts", json!({ "name": 1, "isPrimaryContact": "no", "x": 1 })).await;
    assert_eq!(reply.status, 400);
    let codes: Vec<_> =
        reply.json()["errors"].as_array().unwrap().iter().map(|e| e["code"].clone()).collect();
    assert_eq!(codes, ["InvalidRequest"; 3]);
    assert_eq!(caller.0.last().unwrap().problems.len(), 3);
    let reply = caller.call("POST", "/api/v1/contacts", &[JSON], "{").await;
    assert_eq!((reply.status, reply.code().as_str()), (400, "InvalidRequest"));
    assert_eq!(caller.0.took_effect("createContact"), 0);
}

#[tokio::test]
async fn no_undocumented_400_is_sent() {
    let caller = Caller::new().await;
    let customer = caller.create("/api/v1/customers", json!({})).await;
    assert_eq!(caller.get(&format!("/api/v1/customers/{customer}?page=2")).await.status, 200);
    assert_eq!(caller.0.last().unwrap().problems.len(), 1);
    let contact = caller.create("/api/v1/contacts", json!({})).await;
    assert_eq!(caller.get(&format!("/api/v1/contacts/{contact}?page=2")).await.status, 400);
}
