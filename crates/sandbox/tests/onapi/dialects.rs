//! The dialects of responses.

use lastmile_sandbox::onapi::Availability;
use lastmile_sandbox::{Answer, Dialect, Sandbox};
use serde_json::{Value, json};

use crate::caller::{Caller, finish, header};

async fn with_dialect(dialect: Dialect) -> Caller {
    Caller::of(Sandbox::builder().onapi_dialect(dialect)).await
}

async fn with_unexpected_values(dialect: Dialect) -> Caller {
    Caller::of(Sandbox::builder().onapi_dialect(dialect).onapi_unexpected_values(true)).await
}

async fn read(caller: &Caller, path: &str) -> Value {
    caller.get(path).await.json()
}

#[tokio::test]
async fn the_standard_dialect_sends_lists() {
    let caller = with_dialect(Dialect::Standard26).await;
    let (access, _) = caller.offered(Availability::Active);
    let tech = format!("/tech/access/{}/link", access.id);
    assert!(read(&caller, &format!("{tech}/macaddresstable")).await.is_array());
    assert!(read(&caller, &format!("{tech}/leaseinfo")).await[0]["lease"].is_string());
    assert!(read(&caller, &format!("{tech}/status")).await["configuredSpeed"].is_array());
    let subscription = &read(&caller, &format!("/subscriptions/{}", access.id)).await["subscriptions"][0];
    assert!(subscription["equipment"].is_array());
    let services = read(&caller, &format!("/services/{}", access.id)).await;
    assert_eq!(services["services"][0]["characteristics"].get("empty"), None);
    let (access, service) = caller.offered(Availability::Free);
    caller.activate(&access, &service).await;
    assert!(read(&caller, "/orders/").await.is_array());
}

#[tokio::test]
async fn the_vendor_dialect_unwraps_lists_of_one() {
    let caller = with_dialect(Dialect::Vendor26).await;
    let (access, _) = caller.offered(Availability::Active);
    let tech = format!("/tech/access/{}/link", access.id);
    let mac = read(&caller, &format!("{tech}/macaddresstable")).await;
    assert!(mac["mac"].is_string(), "{mac}");
    assert_eq!(read(&caller, &format!("{tech}/leaseinfo")).await, mac);
    let link = read(&caller, &format!("{tech}/status")).await;
    assert!(link["configuredSpeeds"].is_array() && link.get("configuredSpeed").is_none());
    let cpe = read(&caller, &format!("/tech/cpe/{}/status", access.id)).await;
    assert!(cpe["macAddressTable"].is_array() && cpe["dhcpSnoopingTable"].is_array());
    let subscription = &read(&caller, &format!("/subscriptions/{}", access.id)).await["subscriptions"][0];
    assert!(subscription["equipment"]["macAddress"].is_string());
    let services = read(&caller, &format!("/services/{}", access.id)).await["services"].clone();
    let empty: Vec<_> =
        services.as_array().unwrap().iter().map(|one| one["characteristics"]["empty"].clone()).collect();
    assert!(empty.contains(&json!(true)) && empty.contains(&json!(false)));

    let (access, _) = caller.offered(Availability::Free);
    let placed = caller
        .order(json!({
            "operation": "ACTIVATE", "accessId": access.id, "service": "VOIP",
            "equipment": { "macAddress": "02:00:00:00:00:01" }, "characteristics": { "ipAddress": ["192.0.2.9"] },
        }))
        .await;
    assert_eq!(placed.status, 201);
    let order = placed.json();
    assert_eq!(order["equipment"], json!({ "macAddress": "02:00:00:00:00:01" }));
    assert_eq!(order["characteristics"], json!({ "ipAddresses": ["192.0.2.9"] }));
    assert_eq!(read(&caller, "/orders/").await, order);
    caller.activate(&access, "IPTV").await;
    assert_eq!(read(&caller, "/orders/").await.as_array().map(Vec::len), Some(2));
    for list in ["/accesses/", "/services/", "/subscriptions/", "/orderevents/", "/events/", "/"] {
        assert!(read(&caller, list).await.is_array(), "{list}");
    }
    assert!(caller.0.violations().is_empty(), "{:?}", caller.0.violations());
}

/// Calls every read operation and returns how the responses violate the document.
async fn problems(caller: &Caller) -> Vec<String> {
    let (access, service) = caller.offered(Availability::Active);
    caller.activate(&access, "VOIP").await;
    caller.activate(&caller.offered(Availability::Free).0, "IPTV").await;
    caller.activate(&access, &service).await;
    finish(&caller.0);
    caller.send("POST", "/tickets", json!({ "additionalInfo": { "link": true } })).await;
    let mut problems = Vec::new();
    let spec = caller.0.spec();
    for operation in spec.operations().filter(|one| one.method == "GET") {
        let path = operation.path.replace("{accessId}", &access.id).replace("{invoicePeriodId}", "202512");
        let reply = caller.get(&path).await;
        let json = Some("application/json");
        let found = spec.check_response(&operation.id, reply.status, json, reply.body.as_bytes());
        problems.extend(found.into_iter().map(|problem| format!("{}: {problem}", operation.id)));
    }
    assert!(caller.0.violations().is_empty(), "{:?}", caller.0.violations());
    problems
}

#[tokio::test]
async fn only_unexpected_values_violate_the_document() {
    for dialect in Dialect::ALL {
        assert_eq!(problems(&with_dialect(dialect).await).await, [""; 0], "{dialect:?}");
    }
    for dialect in Dialect::ALL {
        let found = problems(&with_unexpected_values(dialect).await).await;
        assert!(found.len() > 50, "{dialect:?}: {}", found.len());
    }
    let unexpected = problems(&with_unexpected_values(Dialect::Vendor26).await).await;
    assert!(unexpected.len() > 50, "{}", unexpected.len());
    let observed = |text: &str| unexpected.iter().any(|problem| problem.contains(text));
    assert!(observed("was unexpected"), "fields that no document lists");
    assert!(observed("/premisesType"), "values that no document lists");
    assert!(observed("/priceGroup") && observed("/availableDateTime") && observed("/comments"));
    assert!(!observed("/accessId") && !observed("/streetName"), "only marked fields are replaced");
}

#[tokio::test]
async fn unexpected_values_vary_and_are_seeded() {
    let (caller, same) =
        (with_unexpected_values(Dialect::Vendor26).await, with_unexpected_values(Dialect::Vendor26).await);
    let (first, second) = (caller.get("/accesses/").await, caller.get("/accesses/").await);
    assert_ne!(first.body, second.body, "not each field in each answer");
    assert_eq!(first, same.get("/accesses/").await);
    assert_eq!(second, same.get("/accesses/").await);
    let ids =
        |body: Value| body.as_array().unwrap().iter().map(|row| row["accessId"].clone()).collect::<Vec<_>>();
    assert_eq!(ids(first.json()), ids(second.json()));

    let priced = |text: &str| text.contains("\"priceGroup\":\"") || text.contains("\"priceGroup\":null");
    assert!(priced(&first.body) || priced(&second.body));
    assert!(header(&first, "last-modified").is_some());
}

/// Unexpected values affect responses, but not what is carried out.
#[tokio::test]
async fn errors_and_scripted_responses_have_no_unexpected_values() {
    let caller = with_unexpected_values(Dialect::Vendor26).await;
    for _ in 0..20 {
        assert_eq!(caller.get("/accesses/a-1").await.json(), json!({ "cause": "There is no access a-1" }));
        caller.0.answer_next("getAccess", Answer::json(200, &json!({ "priceGroup": 1 })));
        assert_eq!(caller.get("/accesses/a-1").await.json(), json!({ "priceGroup": 1 }));
    }
    let (access, service) = caller.offered(Availability::Free);
    caller.activate(&access, &service).await;
    caller.activate(&access, &service).await;
    assert_eq!(caller.0.took_effect("createOrder"), 1);
    finish(&caller.0);
    assert_eq!(caller.reload(&access).subscriptions.len(), 1);
}
