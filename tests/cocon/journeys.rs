//! The complete workflows of a service, against the sandbox's own behaviour.

use std::time::Duration;

use lastmile::cocon::types::{
    ContactCreate, ContactPatch, CustomerContractCreate, CustomerContractPatch, CustomerCreate, CustomerPatch,
};
use lastmile::cocon::{
    Batch, BatchReport, BuildingConnection, Cocon, Connection, ContractDates, Geometry, NamedConnection,
    RouteScenario,
};
use lastmile::{OrderStage, Outcome, Poll, Prepared, WaitError};
use lastmile_sandbox::{Answer, BuildingKind, Sandbox};
use lastmile_tests::{cocon, customer, sandbox};
use serde_json::json;

fn names(sandbox: &Sandbox, kind: BuildingKind) -> Vec<String> {
    let buildings = sandbox.cocon().buildings();
    buildings.into_iter().filter(|building| building.kind == kind).map(|building| building.name).collect()
}

#[tokio::test]
async fn a_batch_is_polled_until_it_ends() {
    let sandbox = Sandbox::builder().seed(1).batch_jobs_per_poll(1).start().await.unwrap();
    let cocon = cocon(&sandbox);
    let prepared = names(&sandbox, BuildingKind::Prepared);
    let complex = names(&sandbox, BuildingKind::Complex);
    let wanted = [&prepared[0], &complex[0], &prepared[1], &prepared[0], "0000XX-0"];
    let batch = Batch::new(wanted.map(|name| Connection::new(name, RouteScenario::KeepRoute)));
    let id = Prepared::new(batch).unwrap().place(&cocon).await.unwrap();

    let first = cocon.batch(&id).await.unwrap();
    assert!(!first.is_finished() && first.pending().count() >= 3);
    let impatient = Poll::default().interval(Duration::from_millis(1)).timeout(Duration::ZERO);
    let error = cocon.wait_for_batch(&id, &impatient).await.unwrap_err();
    let WaitError::TimedOut { last: report, .. } = &error else { panic!("{error}") };
    assert!(report.pending().count() > 0);
    let text = error.to_string();
    assert!(text.starts_with(&format!("batch {id} is not done")) && text.contains("wait again"), "{text}");
    let [connected, failed, pending] = report.counts();
    let state = format!("last state is {connected} connected, {failed} failed, {pending} pending");
    assert!(text.contains(&state), "{text}");

    let poll = Poll::default().interval(Duration::from_millis(1)).timeout(Duration::from_secs(20));
    let report = cocon.wait_for_batch(&id, &poll).await.unwrap();
    let mut connected: Vec<&str> = report.connected().map(|(name, _)| name).collect();
    connected.sort_unstable();
    let mut expected = [prepared[0].as_str(), &prepared[1]];
    expected.sort_unstable();
    assert_eq!(connected, expected);
    assert!(report.connected().all(|(_, details)| details.is_some_and(|d| d.cable_id.get().is_some())));
    let failed: Vec<&str> = report.failed().map(|(name, _)| name).collect();
    assert_eq!(failed, [complex[0].as_str(), &prepared[0], "0000XX-0"]);
    assert!(report.failed().all(|(_, errors)| errors.iter().all(|error| error.message.get().is_some())));
    for (building, progress) in report.progress() {
        let is_done = expected.contains(&building) && progress.stage() == OrderStage::Done;
        assert_eq!(
            (progress.supplier_status(), is_done),
            if is_done { (Some("success"), true) } else { (Some("failure"), false) }
        );
        assert_eq!(progress.reason().is_some_and(|reason| !reason.is_empty()), !is_done);
        assert!(progress.stage().is_final());
    }
    assert_eq!(sandbox.cocon().took_effect("createDelayedConnectionBatch.job"), 2);

    let error = cocon.wait_for_batch(&"none".parse().unwrap(), &poll).await.unwrap_err();
    assert!(matches!(&error, WaitError::Call { error, .. } if error.status().unwrap() == 404), "{error}");
    assert!(error.to_string().starts_with("waiting for batch none failed: cocon "), "{error}");
}

#[tokio::test]
async fn a_customer_and_a_contact_are_created_changed_and_deleted() {
    let sandbox = sandbox().await;
    let cocon = cocon(&sandbox);
    let customer = CustomerCreate { name: Some("Ankeborg Wonen".into()), ..Default::default() };
    let customer = Prepared::new(customer).unwrap().place(&cocon).await.unwrap();
    let customer = customer.id.as_deref().unwrap();
    let contact = contact_of(customer, &cocon).await;

    let patch = ContactPatch::default().name("Katrien Duck").clear_phone_number();
    let changed = cocon.update_contact(&contact.parse().unwrap(), &patch).await.unwrap().value;
    let read = cocon.contact(&contact.parse().unwrap()).await.unwrap();
    let through_the_customer =
        cocon.customer_contact(&customer.parse().unwrap(), &contact.parse().unwrap()).await.unwrap();
    for contact in [changed, read, through_the_customer] {
        assert_eq!(contact.name.as_deref(), Some("Katrien Duck"), "set");
        assert_eq!(contact.phone_number.get(), None, "cleared");
        assert_eq!(contact.email_addresses[0].as_deref(), Some("katrien@sp.example"), "left alone");
        assert_eq!(contact.customer_name.as_deref(), Some("Ankeborg Wonen"));
    }
    let renamed = CustomerPatch::default().name("Ankeborg Wonen BV");
    assert_eq!(
        cocon.update_customer(&customer.parse().unwrap(), &renamed).await.unwrap().value.name.as_deref(),
        Some("Ankeborg Wonen BV")
    );
    assert_eq!(
        cocon.customer(&customer.parse().unwrap()).await.unwrap().name.as_deref(),
        Some("Ankeborg Wonen BV")
    );

    cocon.delete_contact(&contact.parse().unwrap()).await.unwrap();
    let gone = cocon.contact(&contact.parse().unwrap()).await.unwrap_err();
    assert_eq!((gone.outcome(), gone.status().unwrap().as_u16()), (Outcome::Rejected, 404));
    cocon.delete_customer(&customer.parse().unwrap()).await.unwrap();
    assert_eq!(sandbox.cocon().violations(), Vec::<String>::new());
}

async fn contact_of(customer: &str, cocon: &Cocon) -> String {
    let contact = ContactCreate {
        customer_id: Some(customer.to_owned()),
        name: Some("Katrien".into()),
        phone_number: Some("+31 20 555 0100".into()),
        email_addresses: Some(vec!["katrien@sp.example".into()]),
        ..Default::default()
    };
    let contact = Prepared::new(contact).unwrap().place(cocon).await.unwrap();
    contact.id.into_string().unwrap()
}

#[tokio::test]
async fn a_contract_is_created_changed_and_deleted() {
    let sandbox = sandbox().await;
    let cocon = cocon(&sandbox);
    let customer = Prepared::new(customer()).unwrap().place(&cocon).await.unwrap();
    let dates = ContractDates { start: "2026-01-01".parse().ok(), end: "2026-06-30".parse().unwrap() };
    let contract = CustomerContractCreate {
        customer_id: customer.id.into_string(),
        comment: Some("by hand".into()),
        ..dates.into()
    };
    let contract = Prepared::new(contract).unwrap().place(&cocon).await.unwrap();
    let id = contract.id.as_deref().unwrap();
    assert_eq!(contract.remarks.as_deref(), Some("by hand"));
    let longer = ContractDates { start: None, end: "2027-01-01".parse().unwrap() };
    let contract = cocon.update_contract(&id.parse().unwrap(), &longer.into()).await.unwrap().value;
    assert_eq!(contract.start_date.get().copied(), dates.start, "left alone");
    assert_eq!(contract.end_date.get(), Some(&longer.end));
    let patch = CustomerContractPatch::default().clear_comment().clear_start_date();
    let contract = cocon.update_contract(&id.parse().unwrap(), &patch).await.unwrap().value;
    assert_eq!((contract.remarks.get(), contract.start_date.get()), (None, None));
    assert_eq!(
        cocon.contract(&id.parse().unwrap()).await.unwrap().end_date.get().unwrap().to_string(),
        "2027-01-01"
    );
    cocon.delete_contract(&id.parse().unwrap()).await.unwrap();
    assert_eq!(sandbox.cocon().violations(), Vec::<String>::new());
}

#[tokio::test]
async fn single_connections_are_created() {
    let sandbox = sandbox().await;
    let cocon = cocon(&sandbox);
    let mut prepared = sandbox.cocon().buildings().into_iter().filter(|b| b.kind == BuildingKind::Prepared);
    let (by_name, by_id) = (prepared.next().unwrap(), prepared.next().unwrap());

    let named = NamedConnection::new(&by_name.name, RouteScenario::KeepRoute);
    let connected = Prepared::new(named).unwrap().place(&cocon).await.unwrap();
    assert_eq!(connected.building_id.as_deref(), Some(by_name.id.as_str()));

    let again = NamedConnection::new(&by_name.name, RouteScenario::KeepRoute);
    let error = Prepared::new(again).unwrap().place(&cocon).await.unwrap_err();
    assert_eq!((error.outcome(), error.status().unwrap().as_u16()), (Outcome::Rejected, 400));

    let building = BuildingConnection::new(by_id.id.parse().unwrap(), RouteScenario::KeepRoute);
    let connected = Prepared::new(building).unwrap().place(&cocon).await.unwrap();
    assert_eq!(connected.building_id.as_deref(), Some(by_id.id.as_str()));
    assert_eq!(sandbox.cocon().violations(), Vec::<String>::new());
}

/// Returns a batch report in the supplier's form.
async fn report(sandbox: &Sandbox, status: serde_json::Value) -> BatchReport {
    sandbox.cocon().answer_next("getDelayedConnectionBatch", Answer::json(200, &status));
    cocon(sandbox).batch(&"1".parse().unwrap()).await.unwrap()
}

#[tokio::test]
async fn only_failed_connections_are_placed_again() {
    let sandbox = sandbox().await;
    let route = Geometry::line([[1.5, 2.0], [3.0, 4.25]]).unwrap();
    let names = ["A-1", "A-2", "A-3", "A-4", "A-5", "A-5", "A-6", "A-6", "A-7"];
    let batch = Batch::new(names.map(|name| Connection::new(name, RouteScenario::NewRoute(route.clone()))))
        .installed_by("Graafbedrijf Anka");
    let named = |names: &[&str]| names.iter().map(|name| json!({ "buildingName": name })).collect::<Vec<_>>();
    // A-3 is pending and A-4 is not reported. Both requests of A-5 failed, and one of two of A-6. A-7 is reported
    // twice.
    let failed = [named(&["A-2", "A-5", "A-5", "A-6", "A-7", "B-1"]), vec![json!({})]].concat();
    let told = json!({
        "success": named(&["A-1"]),
        "failure": failed,
        "pending": named(&["A-3", "A-7"]),
    });
    let told = report(&sandbox, told).await;
    assert_eq!(told.counts(), [1, 7, 2]);
    let progress: Vec<_> = told.progress().collect();
    assert_eq!(progress.len(), 10);
    let stage = |name: &str| progress.iter().find(|(building, _)| *building == name).unwrap().1.stage();
    let stages = ["A-1", "A-2", "A-3"].map(stage);
    assert_eq!(stages, [OrderStage::Done, OrderStage::Failed, OrderStage::InProgress]);
    let again = batch.failures(&told);
    assert_eq!(again.left_out, ["", "A-6", "A-7", "B-1"]);
    let again = again.batch.unwrap();
    assert_eq!(again.buildings().collect::<Vec<_>>(), ["A-2", "A-5", "A-5"]);
    let sent = serde_json::to_value(&again).unwrap();
    assert_eq!(sent["installationCompanyName"], "Graafbedrijf Anka");
    assert_eq!(sent["delayedConnections"][0]["newRoute"]["coordinates"][0], json!([1.5, 2.0]));

    let none = report(&sandbox, json!({ "success": named(&names), "failure": [], "pending": [] })).await;
    assert!(batch.failures(&none).batch.is_none() && batch.failures(&none).left_out.is_empty());
}

#[tokio::test]
async fn a_large_batch_is_split_and_its_failures_are_placed_again() {
    let sandbox = Sandbox::builder()
        .seed(1)
        .cocon_buildings_per_street(300)
        .batch_jobs_per_poll(100)
        .start()
        .await
        .unwrap();
    let cocon = cocon(&sandbox);
    let mut wanted = names(&sandbox, BuildingKind::Prepared);
    assert!(wanted.len() > 1000, "{}", wanted.len());
    let unready =
        [BuildingKind::Complex, BuildingKind::Unprepared].map(|kind| names(&sandbox, kind)).concat();
    wanted.extend_from_slice(&unready);
    let batch = Batch::new(wanted.iter().map(|name| Connection::new(name, RouteScenario::KeepRoute)));
    let (mut connected, mut failed) = (0, Vec::new());
    let poll = Poll::default().interval(Duration::from_millis(1)).timeout(Duration::from_secs(60));
    for part in batch.parts(400.try_into().unwrap()) {
        let id = Prepared::new(part.clone()).unwrap().place(&cocon).await.unwrap();
        let mut report = cocon.batch(&id).await.unwrap();
        for _ in 0..400 {
            if report.is_finished() {
                break;
            }
            report = cocon.batch(&id).await.unwrap();
        }
        let [done, ..] = report.counts();
        assert!(report.is_finished() && report.missing(&part).is_empty());
        connected += done;
        if let Some(again) = part.failures(&report).batch {
            failed.extend(again.buildings().map(str::to_owned));
            // The network owner prepares the connections that can be prepared.
            again.buildings().for_each(|name| sandbox.cocon().prepare(name));
            let id = Prepared::new(again).unwrap().place(&cocon).await.unwrap();
            let report = cocon.wait_for_batch(&id, &poll).await.unwrap();
            connected += report.connected().count();
        }
    }
    let complex = names(&sandbox, BuildingKind::Complex).len();
    assert_eq!(connected, wanted.len() - complex);
    assert_eq!(failed, unready);
    assert_eq!(sandbox.cocon().took_effect("createDelayedConnectionBatch.job"), connected);
    assert_eq!(sandbox.cocon().violations(), Vec::<String>::new());
}

#[test]
fn errors_in_a_batch_name_their_path() {
    let batch = Batch::new(["A-1", " "].map(|name| Connection::new(name, RouteScenario::KeepRoute)));
    let error = Prepared::new(batch).unwrap_err();
    assert!(error.to_string().contains("delayedConnections[1].buildingName:"), "{error}");
    assert_eq!(error.outcome(), Outcome::Invalid);
}
