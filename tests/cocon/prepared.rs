//! Creating calls: stored, placed once, reconciled.

use std::time::{Duration, UNIX_EPOCH};

use lastmile::cocon::types::{ContactCreate, CustomerCreate, ProjectAssetApprovalCreate};
use lastmile::cocon::{Batch, BuildingConnection, Connection, Geometry, NamedConnection, RouteScenario};
use lastmile::{Creation, Outcome, Prepared, PreparedState, Reconciled};
use lastmile_sandbox::Answer;
use lastmile_tests::{RawServer, Then, brisk, cocon, cocon_at, customer, sandbox};
use serde_json::json;

fn batch() -> Batch {
    Batch::new([
        Connection::new("1234AB-1", RouteScenario::KeepRoute).attenuations("0.10".parse().unwrap(), 1.into()),
        Connection::new(
            "1234AB-2",
            RouteScenario::NewRoute(Geometry::line([[1.5, 2.0], [3.0, 4.25]]).unwrap()),
        ),
    ])
}

#[test]
fn the_stored_form_is_stable() {
    let stored = |prepared| serde_json::to_string_pretty(&prepared).unwrap();
    insta::assert_snapshot!("stored batch", stored(Prepared::new(batch()).unwrap()));
    let one =
        BuildingConnection::new("1937214", RouteScenario::KeepRoute).frame("ODF-1").installed_by("Anka");
    let stored = serde_json::to_string_pretty(&Prepared::new(one).unwrap()).unwrap();
    insta::assert_snapshot!("stored connection", stored);
}

#[test]
fn what_is_stored_is_what_is_placed() {
    let stored = serde_json::to_string(&Prepared::new(batch()).unwrap()).unwrap();
    assert!(stored.contains("0.10"), "digits are kept: {stored}");
    let read: Prepared<Batch> = serde_json::from_str(&stored).unwrap();
    assert_eq!(serde_json::to_string(&read).unwrap(), stored);
    assert_eq!(read.state(), PreparedState::Ready);

    let refused = |text: &str| serde_json::from_str::<Prepared<ContactCreate>>(text).unwrap_err().to_string();
    assert!(refused(&stored.replace("\"version\":1", "\"version\":2")).contains("stored as version 2"));
    assert!(
        refused(r#"{"version":1,"kind":"cocon.customer","progress":"ready","request":{}}"#)
            .contains("another kind")
    );
}

#[tokio::test]
async fn placed_once() {
    let sandbox = sandbox().await;
    let cocon = cocon(&sandbox);
    let mut prepared = Prepared::new(customer()).unwrap();
    prepared.place(&cocon).await.unwrap();
    assert_eq!(prepared.state(), PreparedState::Placed);
    let error = prepared.place(&cocon).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::Unknown);
    assert!(error.may_have_taken_effect() && !error.is_safe_to_repeat());
    assert!(error.to_string().contains("placed already"), "{error}");

    let stored = serde_json::to_string(&prepared).unwrap();
    let mut again: Prepared<CustomerCreate> = serde_json::from_str(&stored).unwrap();
    assert_eq!(again.place(&cocon).await.unwrap_err().outcome(), Outcome::Unknown, "also after a restart");
    assert_eq!(sandbox.cocon().took_effect("createCustomer"), 1);
}

#[tokio::test]
async fn a_lost_answer_is_undecidable_and_is_not_sent_again() {
    let server = RawServer::start(&[Then::Close]).await;
    let cocon = cocon_at(&server.base_url(), "key", "client");
    let mut prepared = Prepared::new(batch()).unwrap();
    assert_eq!(prepared.place(&cocon).await.unwrap_err().outcome(), Outcome::Unknown);
    assert_eq!(prepared.state(), PreparedState::InFlight);
    let error = prepared.place(&cocon).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::Unknown);
    assert!(error.may_have_taken_effect());
    assert!(error.to_string().contains("reconcile it"), "{error}");
    assert_eq!(server.requests(), 1);

    let Reconciled::Undecidable(undecidable) = prepared.reconcile(&cocon).await.unwrap() else {
        panic!("Cocon has no look-up");
    };
    assert!(undecidable.why.contains("no look-up by a reference"), "{undecidable}");
    assert!(undecidable.manual_check.contains("which of the buildings are connected"), "{undecidable}");
    assert_eq!(undecidable.retry_after, None);
    assert_eq!((prepared.state(), server.requests()), (PreparedState::InFlight, 1));

    prepared.declare_absent();
    assert_eq!(prepared.place(&cocon).await.unwrap_err().outcome(), Outcome::Unknown);
    assert_eq!(server.requests(), 2, "somebody has looked");
}

#[tokio::test]
async fn a_dropped_future_leaves_it_unclear() {
    let server = RawServer::start(&[Then::Hang]).await;
    let cocon = cocon_at(&server.base_url(), "key", "client").with_policy(brisk());
    let mut prepared = Prepared::new(customer()).unwrap();
    let placing = tokio::time::timeout(Duration::from_millis(100), prepared.place(&cocon)).await;
    assert!(placing.is_err(), "the server says nothing");
    assert_eq!(prepared.state(), PreparedState::InFlight);
    assert_eq!(prepared.place(&cocon).await.unwrap_err().outcome(), Outcome::Unknown);
    assert_eq!(server.requests(), 1);
}

#[tokio::test]
async fn what_was_begun_before_a_crash_is_not_sent_after_it() {
    let sandbox = sandbox().await;
    let cocon = cocon(&sandbox);
    let mut prepared = Prepared::new(customer()).unwrap();
    prepared.mark_in_flight().unwrap();
    prepared.mark_in_flight().unwrap();
    assert_eq!(prepared.state(), PreparedState::InFlight);
    let stored = serde_json::to_string(&prepared).unwrap();
    prepared.place(&cocon).await.unwrap();

    let mut found: Prepared<CustomerCreate> = serde_json::from_str(&stored).unwrap();
    assert_eq!(found.mark_in_flight().unwrap_err().outcome(), Outcome::Unknown);
    assert_eq!(found.place(&cocon).await.unwrap_err().outcome(), Outcome::Unknown);
    assert_eq!(sandbox.cocon().took_effect("createCustomer"), 1);
}

#[tokio::test]
async fn a_mark_that_is_too_old_is_made_anew() {
    let sandbox = sandbox().await;
    let cocon = cocon(&sandbox);
    let time = |prepared: &Prepared<CustomerCreate>, name: &str| {
        serde_json::to_value(prepared).unwrap()[name].as_u64()
    };
    let mut prepared = Prepared::new(customer()).unwrap();
    assert_eq!((time(&prepared, "send_by"), time(&prepared, "ended_at")), (None, None));
    prepared.mark_in_flight().unwrap();
    let begun = time(&prepared, "send_by").unwrap();
    assert_eq!(time(&prepared, "ended_at"), None);
    prepared.place(&cocon).await.unwrap();
    assert!(time(&prepared, "ended_at").unwrap() < begun, "done within the minute");

    let ready = json!({
        "version": 1, "kind": "cocon.customer", "progress": "ready", "send_by": 1, "ended_at": 1, "request": { "name": "Anka" },
    });
    let mut old: Prepared<CustomerCreate> = serde_json::from_value(ready).unwrap();
    old.mark_in_flight().unwrap();
    assert!(time(&old, "send_by").unwrap() >= begun, "begun now, not then");
    assert_eq!(time(&old, "ended_at"), None);
    old.place(&cocon).await.unwrap();

    let mut late = Prepared::new(customer()).unwrap();
    late.mark_in_flight_for(Duration::ZERO).unwrap();
    while UNIX_EPOCH.elapsed().unwrap().as_millis() <= u128::from(time(&late, "send_by").unwrap()) {
        std::hint::spin_loop();
    }
    for _ in 0..2 {
        let error = late.place(&cocon).await.unwrap_err();
        assert!(error.to_string().contains("begun too long ago"), "{error}");
    }
    late.mark_in_flight().unwrap();
    assert!(time(&late, "send_by").unwrap() >= begun);
    late.place(&cocon).await.unwrap();
    assert_eq!(sandbox.cocon().took_effect("createCustomer"), 3);
}

#[test]
fn what_is_stored_is_checked_again() {
    let stored = |kind: &str, request: serde_json::Value| {
        json!({ "version": 1, "kind": kind, "progress": "ready", "request": request }).to_string()
    };
    let empty = stored("cocon.delayed-connection-batch", json!({ "delayedConnections": [] }));
    let error = serde_json::from_str::<Prepared<Batch>>(&empty).unwrap_err();
    assert!(error.to_string().contains("at least one connection"), "{error}");
    let both = json!({ "buildingName": "1234AB-1", "newRoute": {}, "isWithoutGeometry": true });
    let error = serde_json::from_str::<Prepared<NamedConnection>>(&stored("cocon.delayed-connection", both))
        .unwrap_err();
    assert!(error.to_string().contains("choose one of the two scenarios"), "{error}");
}

#[tokio::test]
async fn what_was_refused_or_never_sent_can_be_placed_again() {
    let sandbox = sandbox().await;
    let mut prepared = Prepared::new(customer()).unwrap();
    for status in [400, 401, 403, 429] {
        sandbox.cocon().answer_next("createCustomer", Answer::status(status));
        prepared.place(&cocon(&sandbox)).await.unwrap_err();
        assert_eq!(prepared.state(), PreparedState::Ready, "{status}");
    }
    prepared.place(&cocon(&sandbox)).await.unwrap();
    assert_eq!(sandbox.cocon().took_effect("createCustomer"), 1);
}

#[tokio::test]
async fn a_batch_whose_answer_has_no_id_is_unclear_and_keeps_the_answer() {
    let sandbox = sandbox().await;
    for answer in [json!({}), json!({ "batchId": null }), json!({ "batchId": ".." })] {
        sandbox.cocon().answer_next("createDelayedConnectionBatch", Answer::json(200, &answer));
        let mut prepared = Prepared::new(batch()).unwrap();
        let error = prepared.place(&cocon(&sandbox)).await.unwrap_err();
        assert_eq!(error.outcome(), Outcome::Decode);
        assert_eq!(error.body().as_ref(), answer.to_string().as_bytes());
        assert_eq!(prepared.state(), PreparedState::InFlight);
    }
}

#[test]
fn bad_input_is_refused_before_anything_is_sent() {
    fn refused<C: Creation>(request: C) -> String {
        let error = Prepared::new(request).unwrap_err();
        assert_eq!(error.outcome(), Outcome::Invalid);
        error.to_string()
    }
    assert!(refused(Batch::new([])).contains("at least one connection"));
    assert!(refused(Batch::new([Connection::new(" ", RouteScenario::KeepRoute)])).contains("no name"));
    assert!(refused(NamedConnection::new("", RouteScenario::KeepRoute)).contains("no name"));
    assert!(refused(BuildingConnection::new("..", RouteScenario::KeepRoute)).contains("the building's id"));

    let contradiction = json!({ "buildingName": "1234AB-1", "newRoute": {}, "isWithoutGeometry": true });
    let connection: NamedConnection = serde_json::from_value(contradiction).unwrap();
    assert!(refused(connection).contains("choose one of the two scenarios"));
}

#[tokio::test]
async fn the_other_creations_arrive_too() {
    let sandbox = sandbox().await;
    let cocon = cocon(&sandbox);
    let approval =
        ProjectAssetApprovalCreate { project_name: Some("Ankeborg 4".into()), ..Default::default() };
    Prepared::new(approval.clone()).unwrap().place(&cocon).await.unwrap();
    assert_eq!(sandbox.cocon().took_effect("createProjectAssetApproval"), 1);
    sandbox.cocon().answer_next("createProjectAssetApproval", Answer::json(200, &json!({ "id": "77" })));
    let reply = Prepared::new(approval).unwrap().place(&cocon).await.unwrap();
    assert_eq!(reply.body.as_ref(), br#"{"id":"77"}"#, "an answer that nobody documents is kept");
    assert_eq!(sandbox.cocon().violations(), Vec::<String>::new());
}
