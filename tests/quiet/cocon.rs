//! What the facade of Cocon shows of marked data.

use lastmile::cocon::types::*;
use lastmile::cocon::{
    Batch, BatchId, BuildingConnection, Cocon, Connection, ContactId, Geometry, NamedConnection,
    RouteScenario,
};
use lastmile::wire::Patch;
use lastmile::{HasWarnings, Prepared, Reconciled, WaitError};
use lastmile_sandbox::{Answer, Sandbox};
use lastmile_tests::{brisk, store_and_place};
use serde_json::json;

use crate::facade::{GLANCE, prepared};
use crate::marks::{CLIENT, KEY, NUMBER, PERSONAL, TOKEN, Walked, echo, personal, quiet};

pub async fn walk(sandbox: &Sandbox, walked: &Walked) {
    let supplier = sandbox.cocon();
    let builder = Cocon::builder(supplier.base_url()).api_key(KEY).client_id(CLIENT).bearer(TOKEN);
    let cocon = builder.policy(brisk()).build().unwrap();
    walked.debug(&cocon);
    walked.debug(cocon.raw());

    let place = NUMBER as f64;
    let route = || Geometry::line([[place, 2.0], [3.0, place]]).unwrap();
    walked.debug(&route());
    walked.error(&Geometry::line([[place, f64::NAN]]).unwrap_err());
    walked.debug(&RouteScenario::NewRoute(route()));
    let connection = || Connection::new(PERSONAL, RouteScenario::NewRoute(route()));
    walked.debug(&connection());
    let approval = AssetApproval { author: personal(), ..Default::default() };
    let approval = ProjectAssetApprovalCreate {
        approver: personal(),
        asset_approval: Some(approval),
        ..Default::default()
    };
    prepared(walked, NamedConnection::new(PERSONAL, RouteScenario::KeepRoute));
    prepared(walked, BuildingConnection::new("1937214".parse().unwrap(), RouteScenario::NewRoute(route())));
    prepared(walked, CustomerCreate { name: personal(), client_code: personal(), ..Default::default() });
    prepared(walked, CustomerContractCreate { owner: personal(), comment: personal(), ..Default::default() });
    prepared(walked, approval);
    let address = PostalAddressPatch { street: Patch::set(PERSONAL), ..Default::default() };
    walked.debug(&CustomerPatch { postal_address: Some(address), ..Default::default() });

    let contact = || ContactCreate { name: personal(), phone_number: personal(), ..Default::default() };
    supplier.answer_next("createContact", Answer::json(400, &echo()));
    walked.error(&store_and_place(&mut prepared(walked, contact()), &cocon).await.unwrap_err());
    let mut lost = prepared(walked, contact());
    supplier.answer_next("createContact", Answer::json(500, &echo()));
    walked.error(&store_and_place(&mut lost, &cocon).await.unwrap_err());
    let found = lost.reconcile(&cocon).await.unwrap();
    walked.debug(&found);
    let Reconciled::Undecidable(undecidable) = found else { panic!("Cocon cannot tell") };
    walked.both(&undecidable);
    walked.error(&lastmile::Error::from("Personal\\".parse::<ContactId>().unwrap_err()));
    let map = [(PERSONAL.to_owned(), "x".repeat(5000)), (format!("{PERSONAL}\n"), PERSONAL.to_owned())];
    let odd = CustomerCreate { additional_information: Some(map.into()), ..Default::default() };
    walked.error(&Prepared::new(odd.clone()).unwrap_err());
    let warnings = odd.warnings();
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    warnings.iter().for_each(|warning| walked.both(warning));

    let batch = Batch::new([connection()]);
    supplier.answer_next("createDelayedConnectionBatch", Answer::json(200, &json!({ "batchId": "17" })));
    let id: BatchId = store_and_place(&mut prepared(walked, batch.clone()), &cocon).await.unwrap();
    walked.both(&id);
    let report = json!({
        "success": [{ "buildingName": PERSONAL, "details": { "unlisted": PERSONAL } }, PERSONAL],
        "failure": [{ "buildingName": PERSONAL, "errors": [{ "message": PERSONAL, "errors": [{ "message": PERSONAL }] }] }],
        "pending": [{ "buildingName": PERSONAL }], "unlisted": PERSONAL,
    });
    (0..2).for_each(|_| supplier.answer_next("getDelayedConnectionBatch", Answer::json(200, &report)));
    walked.debug(&cocon.batch(&id).await.unwrap());
    let not_yet = cocon.wait_for_batch(&id, &GLANCE).await.unwrap_err();
    assert!(matches!(not_yet, WaitError::TimedOut { .. }));
    walked.error(&not_yet);
    supplier.answer_next("getDelayedConnectionBatch", Answer::json(404, &echo()));
    walked.error(&cocon.wait_for_batch(&id, &GLANCE).await.unwrap_err());
    walked.debug(&GLANCE);
    // An invalid id.
    supplier.answer_next("getDelayedConnectionBatch", Answer::json(200, &report));
    let odd = cocon.wait_for_batch(&"Personal data".parse().unwrap(), &GLANCE).await.unwrap_err();
    quiet(&odd.to_string());
    // The failed connections, to be placed again.
    let failed = json!({ "failure": [{ "buildingName": PERSONAL }] });
    supplier.answer_next("getDelayedConnectionBatch", Answer::json(200, &failed));
    let again = batch.failures(&cocon.batch(&id).await.unwrap());
    assert_eq!(again.batch.as_ref().map(|batch| batch.buildings().count()), Some(1));
    walked.debug(&again);
    // An undecidable value.
    let twice = Batch::new([PERSONAL; 2].map(|name| Connection::new(name, RouteScenario::KeepRoute)));
    supplier.answer_next("getDelayedConnectionBatch", Answer::json(200, &failed));
    let again = twice.failures(&cocon.batch(&id).await.unwrap());
    assert_eq!(again.left_out, [PERSONAL]);
    walked.debug(&again);
}
