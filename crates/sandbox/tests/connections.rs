//! Delayed connections, one at a time and in batches.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::Caller;
use lastmile_sandbox::{BuildingKind, Sandbox};
use serde_json::{Value, json};

const SINGLE: &str = "/api/v1/delayed-connections";
const BATCH: &str = "/api/v1/delayed-connections/batch";

fn keeps_geometry(building: &str) -> Value {
    json!({ "buildingName": building, "isWithoutGeometry": true })
}

fn names(entries: &Value) -> Vec<&str> {
    entries.as_array().unwrap().iter().filter_map(|entry| entry["buildingName"].as_str()).collect()
}

#[tokio::test]
async fn a_prepared_building_is_connected_once() {
    let caller = Caller::new().await;
    let building = &caller.buildings(BuildingKind::Prepared)[0];
    let path = format!("/api/v1/buildings/{}/delayed-connections", building.id);
    let body = json!({ "isWithoutGeometry": true, "newRoute": null, "frameName": building.frame });
    let reply = caller.post(&path, body.clone()).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert_eq!(reply.json()["buildingId"], building.id.as_str());
    assert_eq!(reply.json().as_object().unwrap().len(), 5);

    assert_eq!(caller.post(&path, body).await.code(), "AlreadyConnected");
    assert_eq!(caller.post(SINGLE, keeps_geometry(&building.name)).await.code(), "AlreadyConnected");
    assert_eq!(caller.0.count("createBuildingDelayedConnection"), 2);
    assert_eq!(caller.0.took_effect("createBuildingDelayedConnection"), 1);
    assert_eq!(caller.0.took_effect("createDelayedConnection"), 0);
    assert!(caller.0.violations().is_empty());
}

#[tokio::test]
async fn the_scenario_is_checked_first() {
    let caller = Caller::new().await;
    let name = &caller.buildings(BuildingKind::Prepared)[0].name;
    let route = json!({ "type": "LineString", "coordinates": [[1.5, 2.5], [3.0, 4.0]] });
    let unclear = [
        json!({ "buildingName": name }),
        json!({ "buildingName": name, "isWithoutGeometry": false, "newRoute": null }),
        json!({ "buildingName": name, "isWithoutGeometry": true, "newRoute": route }),
        json!({ "buildingName": "nowhere" }),
    ];
    for body in unclear {
        let reply = caller.post(SINGLE, body.clone()).await;
        assert_eq!((reply.status, reply.code().as_str()), (400, "UnknownScenario"), "{body}");
    }
    let body = json!({ "buildingName": name, "isWithoutGeometry": false, "newRoute": route });
    assert_eq!(caller.post(SINGLE, body).await.status, 200);
}

#[tokio::test]
async fn only_prepared_buildings_can_be_connected() {
    let caller = Caller::new().await;
    let prepared = &caller.buildings(BuildingKind::Prepared)[0];
    let refused = |status: u16, code: &'static str, body: Value| (status, code, body);
    let complex = &caller.buildings(BuildingKind::Complex)[0].name;
    let unprepared = &caller.buildings(BuildingKind::Unprepared)[0].name;
    let cases = [
        refused(400, "ComplexBuilding", keeps_geometry(complex)),
        refused(400, "NotPrepared", keeps_geometry(unprepared)),
        refused(404, "NotFound", keeps_geometry("1234AB-0")),
        refused(400, "BuildingNameMissing", json!({ "isWithoutGeometry": true, "buildingName": null })),
        refused(
            400,
            "UnknownFrame",
            json!({ "isWithoutGeometry": true, "buildingName": prepared.name, "frameName": "F" }),
        ),
    ];
    for (status, code, body) in cases {
        let reply = caller.post(SINGLE, body.clone()).await;
        assert_eq!((reply.status, reply.code().as_str()), (status, code), "{body}");
    }
    let elsewhere =
        caller.post("/api/v1/buildings/0/delayed-connections", json!({ "isWithoutGeometry": true }));
    assert_eq!(elsewhere.await.status, 404);
    assert_eq!(caller.0.took_effect("createDelayedConnection"), 0);
    assert_eq!(caller.post(SINGLE, keeps_geometry(&prepared.name)).await.status, 200, "still free");
    assert!(caller.0.violations().is_empty());
}

#[tokio::test]
async fn a_batch_advances_with_every_poll() {
    let caller = Caller::new().await;
    let buildings: Vec<_> = caller.buildings(BuildingKind::Prepared).into_iter().map(|b| b.name).collect();
    let complex = &caller.buildings(BuildingKind::Complex)[0].name;
    let jobs = [
        keeps_geometry(&buildings[0]),
        keeps_geometry(complex),
        json!({ "isWithoutGeometry": true }),
        keeps_geometry(&buildings[0]),
        keeps_geometry(&buildings[1]),
    ];
    let reply = caller.post(BATCH, json!({ "delayedConnections": jobs })).await;
    assert_eq!(reply.json().as_object().unwrap().len(), 1);
    let path = format!("{BATCH}/{}", reply.json()["batchId"].as_str().unwrap());
    assert_eq!(caller.0.took_effect("createDelayedConnectionBatch.job"), 0);

    let first = caller.get(&path).await.json();
    assert_eq!(first["status"], "Running");
    assert_eq!(names(&first["success"]), [&buildings[0]]);
    assert_eq!(names(&first["failure"]), [complex]);
    assert_eq!(first["failure"][0]["errors"][0]["errors"][0]["code"], "ComplexBuilding");
    assert_eq!(first["pending"].as_array().unwrap().len(), 3);
    assert_eq!(caller.0.took_effect("createDelayedConnectionBatch.job"), 1);

    caller.get(&path).await;
    let last = caller.get(&path).await.json();
    assert_eq!(last["status"], "Finished");
    assert_eq!(names(&last["success"]), [&buildings[0], &buildings[1]]);
    assert_eq!(names(&last["failure"]), [complex, &buildings[0]], "one job names no building");
    let codes: Vec<_> =
        (0..3).map(|index| &last["failure"][index]["errors"][0]["errors"][0]["code"]).collect();
    assert_eq!(codes, ["ComplexBuilding", "BuildingNameMissing", "AlreadyConnected"]);
    assert_eq!(last["pending"], json!([]));
    assert_eq!(caller.get(&path).await.json(), last, "a finished batch stays as it is");
    assert_eq!(caller.0.took_effect("createDelayedConnectionBatch"), 1);
    assert_eq!(caller.0.took_effect("createDelayedConnectionBatch.job"), 2);
    assert!(caller.0.violations().is_empty());
}

#[tokio::test]
async fn a_batch_must_have_connections() {
    let caller = Caller::new().await;
    for body in [json!({}), json!({ "delayedConnections": null }), json!({ "delayedConnections": [] })] {
        assert_eq!(caller.post(BATCH, body).await.code(), "EmptyBatch");
    }
    assert_eq!(caller.get(&format!("{BATCH}/0")).await.status, 404);
    assert_eq!(caller.0.took_effect("createDelayedConnectionBatch"), 0);
}

#[tokio::test]
async fn the_number_of_jobs_per_poll_is_configurable() {
    for (pace, pending) in [(0, 3), (3, 0), (usize::MAX, 0)] {
        let sandbox = Sandbox::builder().batch_jobs_per_poll(pace).start().await.unwrap();
        let caller = Caller(sandbox.cocon().clone());
        let reply = caller.post(BATCH, json!({ "delayedConnections": [{}, {}, {}] })).await;
        let path = format!("{BATCH}/{}", reply.json()["batchId"].as_str().unwrap());
        assert_eq!(caller.get(&path).await.json()["pending"].as_array().unwrap().len(), pending);
    }
}
