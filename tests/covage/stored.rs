//! The created object in the stored form.

use lastmile::covage::types::{ContactCreate, OrderCreateRequestType};
use lastmile::covage::{Covage, Information, Migration, NewOrder, Submission};
use lastmile::{Creation, Prepared, Reconciled};
use lastmile_sandbox::{Answer, Sandbox};
use lastmile_tests::{copy, covage, created, sandbox};
use serde_json::{Value, json};

/// Places a request that gets this response, and returns what is stored of the response.
async fn placed<C>(sandbox: &Sandbox, operation: &str, request: C, answer: &Value) -> Value
where
    C: Creation<Supplier = Covage>,
{
    let covage = covage(sandbox);
    sandbox.covage().answer_next(operation, Answer::json(200, answer));
    let mut prepared = Prepared::new(request).unwrap();
    prepared.place(&covage).await.unwrap();
    let sent = sandbox.covage().received().len();
    for mut value in [copy(&prepared), copy(&copy(&prepared))] {
        assert!(matches!(value.reconcile(&covage).await.unwrap(), Reconciled::Placed(_)), "{operation}");
    }
    assert_eq!(sandbox.covage().received().len(), sent, "{operation}: what is stored is not asked for");
    created(&prepared)
}

#[tokio::test]
async fn the_created_object_is_stored() {
    let sandbox = sandbox().await;
    let draft = json!({ "uuid": "u-1", "status": "draft", "unlisted": { "x": [1.50, null] } });
    let order = NewOrder::activate("e", "p", OrderCreateRequestType::Create).reference("SP-1");
    let stored = placed(&sandbox, "createOrder", order, &draft).await;
    assert_eq!((&stored["uuid"], &stored["order"]), (&json!("u-1"), &draft));

    let submission: Submission = serde_json::from_value(json!({ "uuid": "u-1" })).unwrap();
    sandbox.covage().answer_next("getOrder", Answer::json(200, &draft));
    let submitted = json!({ "uuid": "u-1", "status": "submitted", "unlisted": 7 });
    assert_eq!(placed(&sandbox, "updateOrder", submission, &submitted).await, submitted);

    let contact = ContactCreate { first_name: Some("Kajsa".into()), ..Default::default() };
    let answer = json!({ "contact_uuid": "c-1", "first_name": "KAJSA" });
    assert_eq!(placed(&sandbox, "createContact", contact, &answer).await, answer);
    let answer = json!({ "info": "noted" });
    let information = Information::new("u-1".parse().unwrap(), "The concierge has the key");
    assert_eq!(placed(&sandbox, "createOrderInfoEvent", information, &answer).await, answer);
    let answer = json!({ "eligible": true, "data": "O-1" });
    assert_eq!(
        placed(&sandbox, "migrateServiceToFtth", Migration::new("s-1".parse().unwrap()), &answer).await,
        answer
    );
}
