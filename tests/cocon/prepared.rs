//! Creating calls are stored, placed once and reconciled.

use std::time::Duration;

use lastmile::cocon::types::{ContactCreate, CustomerCreate, ProjectAssetApprovalCreate};
use lastmile::cocon::{
    Batch, BuildingConnection, BuildingId, Connection, Geometry, NamedConnection, RouteScenario,
};
use lastmile::{Creation, Outcome, Prepared, PreparedState, Reconciled};
use lastmile_sandbox::Answer;
use lastmile_tests::{
    RawServer, Then, brisk, cocon, cocon_at, copy, crashed, customer, sandbox, settled, store_and_place,
};
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
    let one = BuildingConnection::new("1937214".parse().unwrap(), RouteScenario::KeepRoute)
        .frame("ODF-1")
        .installed_by("Anka");
    let stored = serde_json::to_string_pretty(&Prepared::new(one).unwrap()).unwrap();
    insta::assert_snapshot!("stored connection", stored);
}

#[test]
fn the_stored_form_round_trips() {
    let stored = serde_json::to_string(&Prepared::new(batch()).unwrap()).unwrap();
    assert!(stored.contains("0.10"), "digits are kept: {stored}");
    let read: Prepared<Batch> = serde_json::from_str(&stored).unwrap();
    assert_eq!(serde_json::to_string(&read).unwrap(), stored);
    assert_eq!(read.state(), PreparedState::Ready);

    let refused = |text: &str| serde_json::from_str::<Prepared<ContactCreate>>(text).unwrap_err().to_string();
    assert!(refused(&stored.replace("\"version\":2", "\"version\":3")).contains("stored as version 3"));
    assert!(
        refused(r#"{"version":2,"kind":"cocon.customer","state":"ready","request":{}}"#)
            .contains("another kind")
    );
}

#[tokio::test]
async fn a_placed_value_is_not_sent_again() {
    let sandbox = sandbox().await;
    let cocon = cocon(&sandbox);
    let mut prepared = Prepared::new(customer()).unwrap();
    prepared.place(&cocon).await.unwrap();
    assert_eq!(prepared.state(), PreparedState::Placed);
    let mut again = copy(&prepared);
    for value in [&mut prepared, &mut again] {
        let error = value.place(&cocon).await.unwrap_err();
        assert_eq!(error.outcome(), Outcome::Invalid, "also after a restart");
        assert!(error.to_string().contains("this value is placed already"), "{error}");
    }
    assert_eq!(sandbox.cocon().took_effect("createCustomer"), 1);
}

#[tokio::test]
async fn a_lost_response_is_undecidable_and_is_not_sent_again() {
    let server = RawServer::start(&[Then::Close]).await;
    let cocon = cocon_at(&server.base_url(), "key", "client");
    let mut prepared = Prepared::new(batch()).unwrap();
    assert_eq!(prepared.place(&cocon).await.unwrap_err().outcome(), Outcome::Indeterminate);
    assert_eq!(prepared.state(), PreparedState::Indeterminate);
    let error = prepared.place(&cocon).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::Indeterminate);
    assert!(error.may_have_taken_effect());
    assert!(error.to_string().contains("Reconcile it"), "{error}");
    assert_eq!(server.requests(), 1);

    let Reconciled::Undecidable(undecidable) = prepared.reconcile(&cocon).await.unwrap() else {
        panic!("Cocon has no look-up");
    };
    assert!(undecidable.reason.contains("no look-up by a reference"), "{undecidable}");
    assert!(undecidable.manual_check.contains("which of the buildings are connected"), "{undecidable}");
    assert_eq!((prepared.state(), server.requests()), (PreparedState::Indeterminate, 1));

    prepared.declare_absent(&cocon.with_policy(settled())).unwrap();
    assert_eq!(store_and_place(&mut prepared, &cocon).await.unwrap_err().outcome(), Outcome::Indeterminate);
    assert_eq!(server.requests(), 2, "somebody has looked");
}

#[tokio::test]
async fn a_dropped_future_leaves_the_value_in_flight() {
    let server = RawServer::start(&[Then::Hang]).await;
    let cocon = cocon_at(&server.base_url(), "key", "client").with_policy(brisk());
    let mut prepared = Prepared::new(customer()).unwrap();
    let placing = tokio::time::timeout(Duration::from_millis(100), prepared.place(&cocon)).await;
    assert!(placing.is_err(), "the server says nothing");
    assert_eq!(prepared.state(), PreparedState::InFlight);
    assert_eq!(prepared.place(&cocon).await.unwrap_err().outcome(), Outcome::Indeterminate);
    assert_eq!(server.requests(), 1);
}

#[tokio::test]
async fn a_value_marked_before_a_crash_is_not_sent_after_it() {
    let sandbox = sandbox().await;
    let cocon = cocon(&sandbox);
    let mut prepared = Prepared::new(customer()).unwrap();
    prepared.mark_in_flight().unwrap();
    assert_eq!(prepared.mark_in_flight().unwrap_err().outcome(), Outcome::Invalid, "it is marked already");
    assert_eq!(prepared.state(), PreparedState::InFlight);
    let stored = serde_json::to_string(&prepared).unwrap();
    prepared.place(&cocon).await.unwrap();

    let mut found: Prepared<CustomerCreate> = serde_json::from_str(&stored).unwrap();
    assert_eq!(found.mark_in_flight().unwrap_err().outcome(), Outcome::Indeterminate);
    assert_eq!(found.place(&cocon).await.unwrap_err().outcome(), Outcome::Indeterminate);
    assert_eq!(sandbox.cocon().took_effect("createCustomer"), 1);
}

#[tokio::test]
async fn send_by_and_ended_at_are_stored() {
    let sandbox = sandbox().await;
    let cocon = cocon(&sandbox);
    let times = |prepared: &Prepared<CustomerCreate>| {
        let stored = serde_json::to_value(prepared).unwrap();
        ["send_by", "ended_at"].map(|name| stored[name].as_u64())
    };
    assert_eq!(times(&Prepared::new(customer()).unwrap()), [None, None]);
    let mut prepared = Prepared::new(customer()).unwrap();
    prepared.mark_in_flight().unwrap();
    let [Some(send_by), None] = times(&prepared) else { panic!("it is marked") };
    sandbox.cocon().answer_next("createCustomer", Answer::status(500));
    prepared.place(&cocon).await.unwrap_err();
    let [Some(by), Some(ended_at)] = times(&prepared) else { panic!("its end is known") };
    assert!(by == send_by && ended_at < by, "ended within the minute of the mark");
    prepared.declare_absent(&cocon.with_policy(settled())).unwrap();
    assert_eq!(times(&prepared), [None, None]);
}

#[tokio::test]
async fn a_value_with_an_expired_mark_is_not_sent() {
    let sandbox = sandbox().await;
    let cocon = cocon(&sandbox);
    let mut never_stored = Prepared::new(customer()).unwrap();
    never_stored.mark_in_flight_for(Duration::ZERO).unwrap();
    let mut stored = Prepared::new(customer()).unwrap();
    let mut loaded = crashed(&mut stored, Duration::ZERO);
    for (value, state) in [(&mut never_stored, PreparedState::Ready), (&mut stored, PreparedState::InFlight)]
    {
        let error = value.place(&cocon).await.unwrap_err();
        assert_eq!((error.outcome(), value.state()), (Outcome::Invalid, state));
        assert!(error.to_string().contains("the mark of this value has lapsed"), "{error}");
    }
    for value in [&mut stored, &mut loaded] {
        let error = value.place(&cocon).await.unwrap_err();
        assert_eq!((error.outcome(), value.state()), (Outcome::Indeterminate, PreparedState::InFlight));
        assert_eq!(value.mark_in_flight().unwrap_err().outcome(), Outcome::Indeterminate);
    }
    assert_eq!(sandbox.cocon().count("createCustomer"), 0);
    never_stored.place(&cocon).await.unwrap();
    assert_eq!(sandbox.cocon().took_effect("createCustomer"), 1);
}

#[test]
fn a_stored_request_is_validated_when_it_is_loaded() {
    let stored = |kind: &str, request: serde_json::Value| {
        json!({ "version": 2, "kind": kind, "state": "ready", "request": request }).to_string()
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
async fn a_rejected_or_unsent_value_can_be_placed_again() {
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
async fn a_batch_response_without_an_id_is_indeterminate_and_kept() {
    let sandbox = sandbox().await;
    for answer in [json!({}), json!({ "batchId": null }), json!({ "batchId": ".." })] {
        sandbox.cocon().answer_next("createDelayedConnectionBatch", Answer::json(200, &answer));
        let mut prepared = Prepared::new(batch()).unwrap();
        let error = prepared.place(&cocon(&sandbox)).await.unwrap_err();
        assert_eq!(error.outcome(), Outcome::Decode);
        assert_eq!(error.body().as_ref(), answer.to_string().as_bytes());
        assert_eq!(prepared.state(), PreparedState::Indeterminate);
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
    let error = "..".parse::<BuildingId>().unwrap_err();
    assert!(error.to_string().contains("the building's id"));

    let contradiction = json!({ "buildingName": "1234AB-1", "newRoute": {}, "isWithoutGeometry": true });
    let connection: NamedConnection = serde_json::from_value(contradiction).unwrap();
    assert!(refused(connection).contains("choose one of the two scenarios"));
}

#[tokio::test]
async fn an_approval_is_created() {
    let sandbox = sandbox().await;
    let cocon = cocon(&sandbox);
    let approval =
        ProjectAssetApprovalCreate { project_name: Some("Ankeborg 4".into()), ..Default::default() };
    Prepared::new(approval.clone()).unwrap().place(&cocon).await.unwrap();
    assert_eq!(sandbox.cocon().took_effect("createProjectAssetApproval"), 1);
    let other = json!({ "id": "77", "projectName": "Ankeborg 5" });
    for (answer, is_it) in [(other, false), (json!({ "id": "77", "projectName": "ANKEBORG 4" }), true)] {
        sandbox.cocon().answer_next("createProjectAssetApproval", Answer::json(200, &answer));
        let placed = Prepared::new(approval.clone()).unwrap().place(&cocon).await;
        assert_eq!(placed.is_ok(), is_it, "what nobody documents must be the approval: {answer}");
    }
    assert_eq!(sandbox.cocon().violations(), Vec::<String>::new());
}

/// Some servers respond with another customer, or with one that differs from the request.
#[tokio::test]
async fn a_response_with_another_contact_fails_to_decode() {
    let sandbox = sandbox().await;
    let cocon = cocon(&sandbox);
    let contact = || ContactCreate {
        name: Some("Kajsa Anka".into()),
        customer_id: Some("0017".into()),
        phone_number: Some("+31 20 555 0100".into()),
        email_addresses: Some(vec!["kajsa@sp.example".into()]),
        ..Default::default()
    };
    for (answer, is_it) in [
        (json!({ "id": "1" }), true),
        (json!({ "id": "1", "name": "KAJSA ANKA", "phoneNumber": "0205550100", "customerId": 17 }), true),
        (json!({ "id": "1", "name": "", "phoneNumber": null }), true),
        (json!({ "id": "1", "name": "Kajsa Anka", "phoneNumber": "+31 20 555 0101" }), false),
        (json!({ "id": "1", "name": "Kajsa Anka", "customerId": "0018" }), false),
        (json!({ "id": "1", "name": "Joakim Anka" }), false),
        (json!({ "name": "Kajsa Anka" }), false),
    ] {
        sandbox.cocon().answer_next("createContact", Answer::json(200, &answer));
        let mut prepared = Prepared::new(contact()).unwrap();
        let placed = prepared.place(&cocon).await;
        assert_eq!(placed.is_ok(), is_it, "{answer}");
        assert!(placed.err().is_none_or(|error| error.outcome() == Outcome::Decode), "{answer}");
    }
}
