//! Lists of orders.

use serde_json::{Value, json};

use crate::caller::{Caller, ORDERS, complete, path};

async fn references(caller: &Caller, query: &str) -> (Vec<Value>, String) {
    let reply = caller.call("GET", &format!("{ORDERS}{query}"), Value::Null).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    let total = reply.head.lines().find_map(|line| line.strip_prefix("x-total-count: ")).unwrap().to_owned();
    let orders = reply.json().as_array().unwrap().iter().map(|order| order["reference"].clone()).collect();
    (orders, total)
}

#[tokio::test]
async fn a_page_has_twenty_orders_by_default() {
    let caller = Caller::new().await;
    let check = caller.check_line(0, "activate").await;
    let mut made = Vec::new();
    for _ in 0..23 {
        made.push(caller.draft(&check, "AM01").await["reference"].clone());
    }
    let total = "23".to_owned();
    assert_eq!(references(&caller, "").await, (made[..20].to_vec(), total.clone()));
    assert_eq!(references(&caller, "?offset=20").await, (made[20..].to_vec(), total.clone()));
    assert_eq!(references(&caller, "?limit=5&offset=3").await, (made[3..8].to_vec(), total.clone()));
    assert_eq!(references(&caller, "?limit=0").await, (vec![], total.clone()));
    assert_eq!(references(&caller, "?limit=100").await, (made.clone(), total.clone()));
    assert_eq!(references(&caller, "?offset=100").await, (vec![], total.clone()));
    let newest: Vec<_> = made.iter().rev().cloned().collect();
    assert_eq!(references(&caller, "?sort=-creation_date&limit=100").await, (newest, total.clone()));
    let mut sorted = made.clone();
    sorted.sort_by_key(|reference| reference.as_str().map(str::to_owned));
    assert_eq!(references(&caller, "?sort=reference&limit=100").await, (sorted, total));
    caller.assert_sound();
}

#[tokio::test]
async fn every_filter_applies() {
    let caller = Caller::new().await;
    let copper = caller.submitted("A-1", "Colvert").await;
    let fiber = caller.fiber_draft("create").await;
    let person =
        json!({ "end_customer": { "type": "individual", "first_name": "Zoé", "last_name": "Macreuse" } });
    caller.patch(&path(&fiber), person).await;
    let service = &caller.covage.services()[3].uuid;
    let ending = caller.post(ORDERS, json!({ "type": "terminate", "service_uuid": service })).await;
    let line = copper["bounds"][0]["endpoints"][0]["reference"].as_str().unwrap();
    let reference = fiber["reference"].as_str().unwrap();
    let [copper, fiber, ending] = [&copper, &fiber, &ending].map(|order| order["reference"].clone());
    let cases = [
        (format!("?reference={reference}"), vec![&fiber]),
        ("?type=activate".to_owned(), vec![&copper, &fiber]),
        ("?type=terminate".to_owned(), vec![&ending]),
        ("?status=submitted".to_owned(), vec![&copper]),
        ("?status=draft".to_owned(), vec![&fiber, &ending]),
        (format!("?endpoint_ref={line}"), vec![&copper]),
        ("?end_customer=Palais+Colvert".to_owned(), vec![&copper]),
        ("?end_customer=Zo%C3%A9%20Macreuse".to_owned(), vec![&fiber]),
        ("?product_family=F".to_owned(), vec![&fiber, &ending]),
        ("?product_line=AM".to_owned(), vec![&copper]),
        ("?product_family=F&type=activate".to_owned(), vec![&fiber]),
        ("?product_family=A&product_line=FP".to_owned(), vec![]),
        ("?sort=-submission_date&limit=1".to_owned(), vec![&copper]),
        ("?status=".to_owned(), vec![&copper, &fiber, &ending]),
    ];
    for (query, expected) in cases {
        let (found, total) = references(&caller, &query).await;
        assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{query}");
        let counted = if query.contains("limit") { 3 } else { expected.len() };
        assert_eq!(total, counted.to_string(), "{query}");
    }
    for query in ["?sort=status", "?type=both", "?limit=-1", "?offset=x"] {
        assert_eq!(caller.refused("GET", &format!("{ORDERS}{query}"), Value::Null).await.len(), 1, "{query}");
    }
    caller.assert_sound();
}

#[tokio::test]
async fn services_are_paged() {
    let caller = Caller::new().await;
    let services = caller.get("/api/v2/services/").await;
    let seeded = caller.covage.services();
    assert_eq!(services.as_array().unwrap().len(), seeded.len());
    let page = caller.get("/api/v2/services/?limit=2&offset=1").await;
    assert_eq!(page, json!([services[1], services[2]]));
    for (service, seeded) in services.as_array().unwrap().iter().zip(seeded) {
        assert_eq!(
            (&service["uuid"], &service["reference"]),
            (&json!(seeded.uuid), &json!(seeded.reference))
        );
        assert_eq!(service["status"] == "active", seeded.active);
        let path = format!("/api/v2/services/{}/", seeded.uuid);
        assert_eq!(&caller.get(&path).await, service);
    }
    assert_eq!(caller.call("GET", "/api/v2/services/0/", Value::Null).await.status, 404);
    let draft = caller.copper_draft().await;
    caller.patch(&path(&draft), complete("A-1", "Colvert")).await;
    caller.assert_sound();
}
