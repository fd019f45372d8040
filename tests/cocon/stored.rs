//! The stored form of prepared values: the created object, versions, and fields that would be lost.

use std::time::Duration;

use lastmile::cocon::types::{
    ContactCreate, CustomerContractCreate, CustomerCreate, PostalAddress, ProjectAssetApprovalCreate,
};
use lastmile::cocon::{Batch, BuildingConnection, Connection, NamedConnection, RouteScenario};
use lastmile::{Creation, Outcome, Prepared, PreparedState, Reconciled, covage};
use lastmile_sandbox::{Answer, Sandbox};
use lastmile_tests::{cocon, copy, crashed, created, customer, sandbox, settled};
use serde_json::{Value, json};

/// Places a request that gets this response, and returns what is stored of the response.
async fn placed<C>(sandbox: &Sandbox, operation: &str, request: C, answer: Value) -> Value
where
    C: Creation<Supplier = lastmile::cocon::Cocon>,
{
    let cocon = cocon(sandbox);
    sandbox.cocon().answer_next(operation, Answer::json(200, &answer));
    let mut prepared = Prepared::new(request).unwrap();
    prepared.place(&cocon).await.unwrap();
    let sent = sandbox.cocon().received().len();
    for mut value in [copy(&prepared), prepared] {
        let known = value.reconcile(&cocon).await.unwrap();
        assert!(matches!(known, Reconciled::Placed(_)), "{operation}");
        assert!(value.look_up(&cocon).await.unwrap().is_some(), "{operation}");
        assert_eq!(created(&value), answer_of(&answer), "{operation}");
    }
    assert_eq!(sandbox.cocon().received().len(), sent, "{operation}: what is stored is not asked for");
    answer
}

/// Returns what is stored of a response: the id of a batch, and for an approval only that it exists.
fn answer_of(answer: &Value) -> Value {
    match &answer["batchId"] {
        Value::Null if answer["projectName"].is_string() => Value::Null,
        Value::Null => answer.clone(),
        id => id.clone(),
    }
}

#[tokio::test]
async fn the_created_object_is_stored() {
    let sandbox = sandbox().await;
    let named = |id: &str| json!({ "id": id, "name": "Ankeborg", "unlisted": [1, "x"] });
    let customer = CustomerCreate { name: Some("Ankeborg".into()), ..Default::default() };
    placed(&sandbox, "createCustomer", customer, named("1")).await;
    let contact = ContactCreate { name: Some("ANKEBORG".into()), ..Default::default() };
    placed(&sandbox, "createContact", contact, named("2")).await;
    let contract = CustomerContractCreate { name: Some("Ankeborg ".into()), ..Default::default() };
    placed(&sandbox, "createCustomerContract", contract, named("3")).await;
    let approval =
        ProjectAssetApprovalCreate { project_name: Some("Ankeborg 4".into()), ..Default::default() };
    let answer = json!({ "projectName": "Ankeborg 4" });
    placed(&sandbox, "createProjectAssetApproval", approval, answer).await;
    let connected = json!({ "buildingId": "1937214", "cableId": "17" });
    let connection = NamedConnection::new("1234AB-1", RouteScenario::KeepRoute);
    placed(&sandbox, "createDelayedConnection", connection, connected.clone()).await;
    let connection = BuildingConnection::new("1937214".parse().unwrap(), RouteScenario::KeepRoute);
    placed(&sandbox, "createBuildingDelayedConnection", connection, connected).await;
    let batch = Batch::new([Connection::new("1234AB-1", RouteScenario::KeepRoute)]);
    placed(&sandbox, "createDelayedConnectionBatch", batch, json!({ "batchId": "17" })).await;
}

/// Some servers report a failure with status 200, or respond with another object than the requested one.
#[tokio::test]
async fn a_response_with_another_object_is_not_accepted() {
    async fn doubted<C>(sandbox: &Sandbox, operation: &str, request: impl Fn() -> C, others: &[Value])
    where
        C: Creation<Supplier = lastmile::cocon::Cocon>,
    {
        let none = [json!({ "cause": "maintenance" }), json!({}), json!({ "id": "", "batchId": "" })];
        for answer in none.iter().chain(others) {
            sandbox.cocon().answer_next(operation, Answer::json(200, answer));
            let mut prepared = Prepared::new(request()).unwrap();
            let error = prepared.place(&cocon(sandbox)).await.err().unwrap_or_else(|| panic!("{answer}"));
            assert_eq!(
                (error.outcome(), prepared.state()),
                (Outcome::Decode, PreparedState::Indeterminate),
                "{operation}: {answer}"
            );
        }
    }
    let sandbox = sandbox().await;
    let name = || Some("Ankeborg".to_owned());
    let other = [json!({ "id": "1", "name": "Gaseborg" })];
    let customer = || CustomerCreate { name: name(), ..Default::default() };
    doubted(&sandbox, "createCustomer", customer, &other).await;
    let contact = || ContactCreate { name: name(), ..Default::default() };
    doubted(&sandbox, "createContact", contact, &other).await;
    let contract = || CustomerContractCreate { name: name(), ..Default::default() };
    doubted(&sandbox, "createCustomerContract", contract, &other).await;
    let approval = || ProjectAssetApprovalCreate { project_name: name(), ..Default::default() };
    let other = [json!({ "projectName": "Gaseborg" })];
    doubted(&sandbox, "createProjectAssetApproval", approval, &other).await;
    let connection = || NamedConnection::new("1234AB-1", RouteScenario::KeepRoute);
    doubted(&sandbox, "createDelayedConnection", connection, &[]).await;
    let connection = || BuildingConnection::new("1937214".parse().unwrap(), RouteScenario::KeepRoute);
    let other = [json!({ "buildingId": "1937215", "cableId": "17" })];
    doubted(&sandbox, "createBuildingDelayedConnection", connection, &other).await;
    let batch = || Batch::new([Connection::new("1234AB-1", RouteScenario::KeepRoute)]);
    doubted(&sandbox, "createDelayedConnectionBatch", batch, &[]).await;
}

/// The stored form of version 0.1.0 of the library.
#[tokio::test]
async fn stored_version_1_is_read() {
    let read = |more: Value| -> Prepared<CustomerCreate> {
        let mut stored = json!({ "version": 1, "kind": "cocon.customer", "request": { "name": "Ankeborg" } });
        stored.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        serde_json::from_value(stored).unwrap()
    };
    let (send_by, ended_at) = (1_790_000_000_000_u64, 1_790_000_001_000_u64);
    for (more, state, written) in [
        (json!({ "progress": "ready" }), PreparedState::Ready, json!({ "state": "ready" })),
        (
            json!({ "progress": "unclear", "send_by": send_by }),
            PreparedState::InFlight,
            json!({ "state": "in_flight", "send_by": send_by }),
        ),
        (
            json!({ "progress": "unclear", "send_by": send_by, "ended_at": ended_at }),
            PreparedState::Indeterminate,
            json!({ "state": "indeterminate", "send_by": send_by, "ended_at": ended_at }),
        ),
        (
            json!({ "progress": "placed", "send_by": send_by, "ended_at": ended_at }),
            PreparedState::Placed,
            json!({ "state": "placed" }),
        ),
    ] {
        let prepared = read(more);
        assert_eq!(prepared.state(), state);
        assert!(prepared.created().is_none());
        let mut expected =
            json!({ "version": 2, "kind": "cocon.customer", "request": { "name": "Ankeborg" } });
        expected.as_object_mut().unwrap().extend(written.as_object().unwrap().clone());
        assert_eq!(serde_json::to_value(&prepared).unwrap(), expected);
        assert_eq!(copy(&prepared).state(), state);
    }
    let sandbox = sandbox().await;
    let cocon = cocon(&sandbox);
    let mut placed = read(json!({ "progress": "placed" }));
    assert_eq!(placed.place(&cocon).await.unwrap_err().outcome(), Outcome::Invalid);
    assert_eq!(placed.look_up(&cocon).await.unwrap_err().outcome(), Outcome::Invalid);
    assert!(matches!(placed.reconcile(&cocon).await.unwrap(), Reconciled::Undecidable(_)), "not kept then");
    assert_eq!((placed.state(), sandbox.cocon().received().len()), (PreparedState::Placed, 0));
    // An approval has no created object that could be stored.
    let approval =
        json!({ "version": 1, "kind": "cocon.project-asset-approval", "progress": "placed", "request": {} });
    // A request that a later version refuses is still read if it was already sent.
    let approval: Prepared<ProjectAssetApprovalCreate> = serde_json::from_value(approval).unwrap();
    assert_eq!(approval.created(), Some(&()));
}

#[test]
fn an_unknown_stored_field_is_refused() {
    fn refused<C: Creation>(stored: &Value) -> String {
        serde_json::from_str::<Prepared<C>>(&stored.to_string()).expect_err("it is refused").to_string()
    }
    let address = PostalAddress { city: Some("Ankeborg".into()), ..Default::default() };
    let customer = CustomerCreate { postal_address: Some(address), ..Default::default() };
    let customer = serde_json::to_value(Prepared::new(customer).unwrap()).unwrap();
    let batch = Batch::new([Connection::new("1234AB-1", RouteScenario::KeepRoute)]);
    let batch = serde_json::to_value(Prepared::new(batch).unwrap()).unwrap();
    let draft = json!({ "uuid": "1", "order": { "uuid": "1" }, "overruled": [] });
    let draft = json!({
        "version": 2, "kind": "covage.order", "state": "placed", "created": draft,
        "request": { "type": "terminate", "service_ref": "S-1" },
    });
    serde_json::from_value::<Prepared<covage::NewOrder>>(draft.clone()).unwrap();
    let with = |stored: &Value, place: &str| {
        let mut stored = stored.clone();
        stored.pointer_mut(place).unwrap()["Personal"] = json!("Personal");
        stored
    };
    for (error, part) in [
        (refused::<CustomerCreate>(&with(&customer, "")), "it has a field"),
        (refused::<CustomerCreate>(&with(&customer, "/request")), "the stored request has a field"),
        (
            refused::<CustomerCreate>(&with(&customer, "/request/postalAddress")),
            "the stored request has a field",
        ),
        (refused::<Batch>(&with(&batch, "/request/delayedConnections/0")), "the stored request has a field"),
        (refused::<covage::NewOrder>(&with(&draft, "/created")), "the stored created has a field"),
    ] {
        assert!(error.starts_with(part), "{error}");
        assert!(error.contains("use the version that stored it, or a later one"), "{error}");
        assert!(!error.contains("Personal"), "{error}");
    }
    // A field without a value carries no information.
    let mut nothing = customer;
    nothing["request"]["Personal"] = Value::Null;
    serde_json::from_value::<Prepared<CustomerCreate>>(nothing).unwrap();
}

#[test]
fn an_unknown_stored_state_is_refused() {
    let read = |more: Value| {
        let mut stored = json!({ "kind": "cocon.customer", "request": {} });
        stored.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        serde_json::from_value::<Prepared<CustomerCreate>>(stored).unwrap_err().to_string()
    };
    for (more, says) in [
        (json!({ "version": 0, "state": "ready" }), "this library reads versions 1 to 2"),
        (json!({ "version": 3, "state": "ready" }), "this library reads versions 1 to 2"),
        (json!({ "version": 2, "state": "Personal" }), "another state than this version"),
        (json!({ "version": 2, "progress": "ready" }), "its state is missing"),
        (json!({ "version": 1, "state": "ready" }), "its state is missing"),
        (json!({ "state": "ready" }), "missing field `version`"),
    ] {
        let error = read(more);
        assert!(error.contains(says) && !error.contains("Personal"), "{error}");
    }
}

/// Cocon has no look-up. Once no process can still be sending the value, only a person can decide.
#[tokio::test]
async fn a_crashed_value_is_undecidable() {
    let sandbox = sandbox().await;
    let settled = cocon(&sandbox).with_policy(settled());
    let mut fresh = crashed(&mut Prepared::new(customer()).unwrap(), Duration::ZERO);
    let found = fresh.reconcile(&settled).await.unwrap();
    let Reconciled::Indeterminate(wait) = found else { panic!("{found:?}") };
    assert!(
        wait.retry_after > settled.raw().policy().deadline / 2,
        "another worker may be sending it: {wait}"
    );
    assert_eq!(fresh.state(), PreparedState::InFlight);

    let mut lost = crashed(&mut Prepared::new(customer()).unwrap(), Duration::from_secs(3600));
    let found = lost.reconcile(&settled).await.unwrap();
    let Reconciled::Undecidable(person) = found else { panic!("{found:?}") };
    assert!(person.to_string().contains("A person has to look in Cocon"), "{person}");
    assert_eq!(lost.state(), PreparedState::InFlight);
    assert_eq!(sandbox.cocon().received().len(), 0);
}
