//! What a test controls: keys, recorded requests, scripted responses, seeds, and the end of a sandbox.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::collections::BTreeSet;

use common::{Caller, JSON, Reply, send};
use lastmile_sandbox::{Answer, BuildingKind, Sandbox, Spec, Supplier};
use serde_json::{Value, json};

#[tokio::test]
async fn only_valid_keys_are_accepted() {
    let caller = Caller::new().await;
    let cocon = &caller.0;
    let (key, client) = (("api-key", cocon.api_key()), ("client-id", cocon.client_id()));
    let refused: [&[(&str, &str)]; 6] = [
        &[],
        &[key],
        &[client],
        &[("api-key", cocon.client_id()), ("client-id", cocon.api_key())],
        &[key, client, ("authorization", "Basic dTpw")],
        &[key, client, ("authorization", "Bearer")],
    ];
    for headers in refused {
        let reply = send(&cocon.base_url(), "POST", "/api/v1/contacts", headers, "{}").await;
        assert_eq!((reply.status, reply.code().as_str()), (401, "Unauthorized"), "{headers:?}");
        assert!(headers.iter().all(|(_, value)| !reply.body.contains(value)), "{}", reply.body);
    }
    let token = [key, client, ("authorization", "Bearer abc"), JSON];
    assert_eq!(send(&cocon.base_url(), "POST", "/api/v1/contacts", &token, "{}").await.status, 200);
    assert_eq!((cocon.count("createContact"), cocon.took_effect("createContact")), (7, 1));
}

#[tokio::test]
async fn no_response_repeats_a_header() {
    let caller = Caller::new().await;
    let reply = caller.call("POST", "/api/v1/contacts", &[("content-type", "text/x-secret")], "{}").await;
    assert_eq!(reply.status, 400);
    assert!(!reply.body.contains("secret") && !reply.body.contains(caller.0.api_key()));
}

#[tokio::test]
async fn undocumented_paths_get_the_suppliers_error_body() {
    let caller = Caller::new().await;
    let unknown = caller.get("/api/v1/contacts").await;
    assert_eq!((unknown.status, unknown.code().as_str()), (405, "MethodNotAllowed"));
    assert!(unknown.head.contains("allow: POST"), "{}", unknown.head);
    for path in ["/", "/api/v1/contacts/", "/api/v2/contacts/1"] {
        let reply = caller.get(path).await;
        assert_eq!((reply.status, reply.code().as_str()), (404, "UnknownPath"), "{path}");
        // Validated against the document's own error body.
        let problems =
            Spec::cocon().check_response("getContact", 404, Some("application/json"), reply.body.as_bytes());
        assert!(problems.is_empty(), "{problems:?}");
    }
    let received = caller.0.received();
    assert_eq!(received.len(), 4);
    assert!(received.iter().all(|request| request.operation.is_none()));
}

#[tokio::test]
async fn a_request_is_recorded_as_it_was_sent() {
    let caller = Caller::new().await;
    let reply = caller.call("GET", "/api/v1/contacts/a%2Fb%20c", &[("X-Trace", "T1")], "").await;
    assert_eq!(reply.json()["message"], "There is no contact a/b c", "the id is decoded, and one segment");
    let received = caller.0.last().unwrap();
    assert_eq!(received.operation.as_deref(), Some("getContact"));
    assert_eq!((received.method.as_str(), received.path.as_str()), ("GET", "/api/v1/contacts/a%2Fb%20c"));
    assert_eq!((received.query.as_deref(), received.status), (None, 404));
    assert_eq!(received.header("x-TRACE"), Some("T1"));
    let names: Vec<_> = received.headers.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["host", "connection", "api-key", "client-id", "x-trace", "content-length"]);
    assert_eq!(received.json(), None);
    caller.post("/api/v1/contacts", json!({ "name": "A. Dijkstra" })).await;
    assert_eq!(caller.0.last().unwrap().json(), Some(json!({ "name": "A. Dijkstra" })));
}

#[tokio::test]
async fn scripted_responses_are_used_in_order() {
    let caller = Caller::new().await;
    let html = "<html>Bad gateway</html>";
    caller.0.answer_next("createContact", Answer::status(502).header("Content-Type", "text/html").body(html));
    caller.0.answer_next("createContact", Answer::json(201, &json!({ "made": "up" })));

    let first = caller.post("/api/v1/contacts", json!({})).await;
    assert_eq!((first.status, first.body.as_str()), (502, html));
    assert!(first.head.contains("content-type: text/html"), "{}", first.head);
    let second = caller.post("/api/v1/contacts", json!({})).await;
    assert_eq!((second.status, second.json()), (201, json!({ "made": "up" })));
    assert_eq!((caller.0.count("createContact"), caller.0.took_effect("createContact")), (2, 0));
    assert_eq!(caller.0.received()[0].status, 502);

    assert_eq!(caller.post("/api/v1/contacts", json!({})).await.status, 200);
    assert_eq!(caller.0.took_effect("createContact"), 1);
    assert!(caller.0.violations().is_empty());
}

#[tokio::test]
#[should_panic(expected = "the document has no operation getContacts")]
async fn scripting_an_unknown_operation_panics() {
    Caller::new().await.0.answer_next("getContacts", Answer::status(500));
}

/// Calls many operations, including rejected requests.
async fn day(seed: u64) -> Vec<Reply> {
    let sandbox = Sandbox::builder().seed(seed).start().await.unwrap();
    let caller = Caller(sandbox.cocon().clone());
    let names: Vec<_> = caller.0.buildings().into_iter().map(|building| building.name).collect();
    let jobs: Vec<_> =
        names.iter().map(|name| json!({ "buildingName": name, "isWithoutGeometry": true })).collect();
    let batch = caller.post("/api/v1/delayed-connections/batch", json!({ "delayedConnections": jobs })).await;
    let path = format!("/api/v1/delayed-connections/batch/{}", batch.json()["batchId"].as_str().unwrap());
    let mut replies = vec![batch];
    for _ in 0..20 {
        replies.push(caller.get(&path).await);
    }
    replies.push(caller.post("/api/v1/customers", json!({ "name": "Ankeborg Wonen" })).await);
    replies.push(caller.post("/api/v1/contacts", json!({ "customerId": "0" })).await);
    replies.push(caller.get("/nowhere").await);
    assert!(caller.0.violations().is_empty(), "{:?}", caller.0.violations());
    replies
}

#[tokio::test]
async fn equal_seeds_produce_equal_responses() {
    let (first, again, other) = (day(3).await, day(3).await, day(4).await);
    assert_eq!(first, again);
    assert_ne!(first, other);
    let done = first[20].json();
    assert_eq!(done["status"], "Finished");
    assert_eq!(done["success"].as_array().map(Vec::len), Some(28));
    let error = &done["failure"][0]["errors"][0];
    assert_eq!(error["timestamp"], "2026-01-05T08:00:02Z", "a second passes with each request");
}

#[tokio::test]
async fn buildings_have_every_kind_and_unique_names() {
    let caller = Caller::new().await;
    let buildings = caller.0.buildings();
    assert_eq!(buildings.len(), 40);
    let counts = [BuildingKind::Prepared, BuildingKind::Unprepared, BuildingKind::Complex]
        .map(|kind| caller.buildings(kind).len());
    assert_eq!(counts, [28, 8, 4]);
    for building in &buildings {
        assert_eq!(buildings.iter().filter(|other| other.name == building.name).count(), 1);
        assert_eq!(buildings.iter().filter(|other| other.id == building.id).count(), 1);
        assert_eq!(building.frame.is_some(), building.kind == BuildingKind::Prepared);
        let (zip, number) = building.name.split_once('-').unwrap();
        assert!(zip.len() == 6 && zip[..4].parse::<u16>().is_ok() && number.parse::<u16>().is_ok());
        assert!(building.id.parse::<u64>().is_ok());
    }
    assert_eq!(Sandbox::builder().seed(7).start().await.unwrap().cocon().buildings(), buildings);
}

#[tokio::test]
async fn the_number_of_buildings_is_configurable() {
    for (houses, kinds) in [(2_500, [9_988, 8, 4]), (3, [0, 8, 4]), (1, [0, 0, 4]), (0, [0, 0, 0])] {
        let sandbox = Sandbox::builder().seed(7).cocon_buildings_per_street(houses).start().await.unwrap();
        let buildings = sandbox.cocon().buildings();
        let count = |kind| buildings.iter().filter(|building| building.kind == kind).count();
        let counts = [BuildingKind::Prepared, BuildingKind::Unprepared, BuildingKind::Complex].map(count);
        assert_eq!(counts, kinds);
        let distinct = |texts: Vec<&str>| texts.iter().collect::<BTreeSet<_>>().len() == buildings.len();
        assert!(distinct(buildings.iter().map(|building| building.name.as_str()).collect()));
        assert!(distinct(buildings.iter().map(|building| building.id.as_str()).collect()));
    }
}

/// No operation responds with an undocumented status code.
#[tokio::test]
async fn every_operation_is_simulated() {
    let caller = Caller::new().await;
    for operation in Spec::cocon().operations() {
        let path = operation.path.replace("{id}", "1").replace("{contactId}", "2");
        let example = Spec::cocon().example(&operation.id, lastmile_sandbox::ExamplePart::Request);
        let body = example.map(Value::to_string).unwrap_or_default();
        let media_type = operation.request_media_types().next().unwrap_or("application/json");
        let reply =
            caller.call(operation.method.as_str(), &path, &[("content-type", media_type)], &body).await;
        assert_ne!(reply.status, 500, "{}: {}", operation.id, reply.body);
        assert_eq!(caller.0.count(&operation.id), 1);
        assert!(caller.0.last().unwrap().problems.is_empty(), "{:?}", caller.0.last());
    }
    assert!(caller.0.violations().is_empty());
}

#[tokio::test]
async fn a_supplier_listens_until_its_last_handle_is_dropped() {
    let sandbox = Sandbox::builder().start().await.unwrap();
    let supplier: Supplier = (**sandbox.cocon()).clone();
    let address = supplier.base_url().replace("http://", "");
    drop(sandbox);
    let connects = || tokio::net::TcpStream::connect(&address);
    let mut kept_alive = connects().await.unwrap();
    drop(supplier);
    let mut rest = Vec::new();
    let end = tokio::io::AsyncReadExt::read_to_end(&mut kept_alive, &mut rest);
    let end = tokio::time::timeout(std::time::Duration::from_secs(5), end).await;
    assert!(end.is_ok() && rest.is_empty(), "an open connection ends too");
    assert!(connects().await.is_err());
}

#[tokio::test]
async fn a_port_in_use_is_an_error() {
    let first = Sandbox::builder().start().await.unwrap();
    let port: u16 = first.cocon().base_url().rsplit(':').next().unwrap().parse().unwrap();
    let error = Sandbox::builder().port(port).start().await.unwrap_err();
    assert_eq!(error.to_string(), format!("Cocon cannot listen on 127.0.0.1:{port}"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_take_effect_one_after_the_other() {
    let caller = std::sync::Arc::new(Caller::new().await);
    let building = caller.buildings(BuildingKind::Prepared)[0].name.clone();
    let mut race = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let (caller, building) = (caller.clone(), building.clone());
        race.spawn(async move {
            let body = json!({ "buildingName": building, "isWithoutGeometry": true });
            caller.post("/api/v1/delayed-connections", body).await.status
        });
    }
    let statuses = race.join_all().await;
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1);
    assert_eq!(caller.0.took_effect("createDelayedConnection"), 1);
    assert_eq!(caller.0.count("createDelayedConnection"), 20);
}
