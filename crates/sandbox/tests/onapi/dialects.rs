//! In which shapes answers come.

use lastmile_sandbox::onapi::Availability;
use lastmile_sandbox::{Answer, Dialect, Sandbox, Spec};
use serde_json::{Value, json};

use crate::caller::{Caller, finish, header};

async fn speaking(dialect: Dialect) -> Caller {
    Caller::of(Sandbox::builder().onapi_dialect(dialect)).await
}

async fn read(caller: &Caller, path: &str) -> Value {
    caller.get(path).await.json()
}

#[tokio::test]
async fn the_standard_has_lists_where_lists_are_meant() {
    let caller = speaking(Dialect::Standard).await;
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
async fn the_vendor_has_one_where_it_shows_one() {
    let caller = speaking(Dialect::Vendor).await;
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

/// Asks for everything and gives what is wrong with the answers, by the document.
async fn problems(caller: &Caller) -> Vec<String> {
    let (access, service) = caller.offered(Availability::Active);
    caller.activate(&access, "VOIP").await;
    caller.activate(&caller.offered(Availability::Free).0, "IPTV").await;
    caller.activate(&access, &service).await;
    finish(&caller.0);
    caller.send("POST", "/tickets", json!({ "additionalInfo": { "link": true } })).await;
    let mut problems = Vec::new();
    for operation in Spec::onapi().operations().filter(|one| one.method == "GET") {
        let path = operation.path.replace("{accessId}", &access.id).replace("{invoicePeriodId}", "202512");
        let reply = caller.get(&path).await;
        let found = Spec::onapi().check_response(
            &operation.id,
            reply.status,
            Some("application/json"),
            reply.body.as_bytes(),
        );
        problems.extend(found.into_iter().map(|problem| format!("{}: {problem}", operation.id)));
    }
    assert!(caller.0.violations().is_empty(), "{:?}", caller.0.violations());
    problems
}

#[tokio::test]
async fn only_stray_answers_are_unlike_the_document() {
    for dialect in [Dialect::Standard, Dialect::Vendor] {
        assert_eq!(problems(&speaking(dialect).await).await, [""; 0], "{dialect:?}");
    }
    let stray = problems(&speaking(Dialect::Unexpected).await).await;
    assert!(stray.len() > 50, "{}", stray.len());
    let seen = |text: &str| stray.iter().any(|problem| problem.contains(text));
    assert!(seen("was unexpected"), "fields that no document lists");
    assert!(seen("/premisesType"), "values that no document lists");
    assert!(seen("/priceGroup") && seen("/availableDateTime") && seen("/comments"));
    assert!(!seen("/accessId") && !seen("/streetName"), "what is not marked does not stray");
}

#[tokio::test]
async fn stray_answers_vary_and_are_seeded() {
    let (caller, same) = (speaking(Dialect::Unexpected).await, speaking(Dialect::Unexpected).await);
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

/// What strays is how things are told, not what is done.
#[tokio::test]
async fn refusals_and_scripted_answers_do_not_stray() {
    let caller = speaking(Dialect::Unexpected).await;
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
    assert_eq!(caller.again(&access).subscriptions.len(), 1);
}
