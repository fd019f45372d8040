//! Responses are decoded or end in the right outcome, and nothing of them is lost.

use lastmile::cocon::types::{AssetType, Contact};
use lastmile::cocon::{Batch, Connection, RouteScenario};
use lastmile::{Error, Outcome, Reply};
use lastmile_sandbox::Answer;
use lastmile_tests::{cocon, sandbox};
use serde_json::{Value, json};

/// Reads a contact from this response.
async fn contact(answer: Answer) -> Result<Reply<Contact>, Error> {
    let sandbox = sandbox().await;
    sandbox.cocon().answer_next("getContact", answer);
    let id = "1".parse().unwrap();
    cocon(&sandbox).raw().get_contact(&id).await
}

async fn read(json: Value) -> Contact {
    let contact = contact(Answer::json(200, &json)).await.unwrap().value;
    assert_eq!(serde_json::to_value(&contact).unwrap(), json, "written back as it came");
    contact
}

#[tokio::test]
async fn values_of_unexpected_types_are_read() {
    let contact = read(json!({
        "id": 17,
        "name": null,
        "isPrimaryContact": "true",
        "phoneNumber": ["+31 20 555 0100"],
    }))
    .await;
    assert_eq!(contact.id.as_deref(), Some("17"));
    assert_eq!(contact.name.get(), None);
    assert!(contact.name.is_nothing() && !contact.name.is_absent());
    assert!(contact.customer_name.is_absent());
    assert_eq!(contact.is_primary_contact.get(), Some(&true));
    assert_eq!(contact.phone_number.get(), None);
    assert_eq!(contact.phone_number.unexpected(), Some(&json!(["+31 20 555 0100"])));
}

#[tokio::test]
async fn null_and_a_single_element_are_read_as_lists() {
    assert!(read(json!({ "emailAddresses": null })).await.email_addresses.is_empty());
    assert!(read(json!({})).await.email_addresses.is_absent());
    assert_eq!(read(json!({ "emailAddresses": "a@sp.example" })).await.email_addresses.len(), 1);
    let contact = read(json!({ "emailAddresses": ["a@sp.example", null, 3] })).await;
    let texts: Vec<_> = contact.email_addresses.iter().map(|address| address.as_deref()).collect();
    assert_eq!(texts, [Some("a@sp.example"), None, Some("3")]);
}

#[tokio::test]
async fn an_unknown_field_is_kept() {
    let contact = read(json!({ "id": "1", "shoeSize": { "eu": 44 } })).await;
    assert_eq!(contact.extra["shoeSize"], json!({ "eu": 44 }));
}

#[tokio::test]
async fn null_lists_and_unlisted_states_of_a_batch_are_read() {
    let sandbox = sandbox().await;
    let json = json!({ "batchId": "1", "status": "ZZZ", "success": [{}], "failure": null, "pending": null });
    sandbox.cocon().answer_next("getDelayedConnectionBatch", Answer::json(200, &json));
    let report = cocon(&sandbox).batch(&"1".parse().unwrap()).await.unwrap();
    assert_eq!(report.status().status.as_deref(), Some("ZZZ"));
    assert!(report.is_finished());
    assert_eq!(serde_json::to_value(report.status()).unwrap(), json);

    for nothing in [json!({ "batchId": "1" }), json!({ "success": [], "failure": [], "pending": [] })] {
        sandbox.cocon().answer_next("getDelayedConnectionBatch", Answer::json(200, &nothing));
        let report = cocon(&sandbox).batch(&"1".parse().unwrap()).await.unwrap();
        assert!(!report.is_finished(), "the jobs may not have been begun");
        let batch = Batch::new([Connection::new("1234AB-1", RouteScenario::KeepRoute)]);
        assert_eq!(report.missing(&batch), ["1234AB-1"]);
    }
}

#[tokio::test]
async fn an_unexpected_value_affects_only_its_own_field() {
    let sandbox = sandbox().await;
    let json = json!({
        "success": [{ "buildingName": "a", "details": "" }, "b", null],
        "failure": [{ "buildingName": "c", "errors": ["text"] }],
        "pending": {},
    });
    sandbox.cocon().answer_next("getDelayedConnectionBatch", Answer::json(200, &json));
    let report = cocon(&sandbox).batch(&"1".parse().unwrap()).await.unwrap();
    assert_eq!(serde_json::to_value(report.status()).unwrap(), json, "written back as it came");
    assert_eq!(report.connected().map(|(name, _)| name).collect::<Vec<_>>(), ["a", "", ""]);
    assert_eq!(report.failed().map(|(name, why)| (name, why.len())).collect::<Vec<_>>(), [("c", 0)]);
    assert_eq!(report.pending().count(), 1);

    for additional in [json!(null), json!([]), json!(""), json!({ "a": null, "b": 1 })] {
        let json = json!({ "id": "1", "additionalInformation": additional });
        sandbox.cocon().answer_next("getCustomer", Answer::json(200, &json));
        let customer = cocon(&sandbox).customer(&"1".parse().unwrap()).await.unwrap();
        assert_eq!(customer.id.as_deref(), Some("1"));
        assert_eq!(serde_json::to_value(&customer).unwrap(), json);
    }
}

#[tokio::test]
async fn an_unknown_enum_value_is_kept_unchanged() {
    for (json, value) in
        [("\"Building\"", AssetType::Building), ("\"Duct\"", AssetType::Unlisted("Duct".into()))]
    {
        let read: AssetType = serde_json::from_str(json).unwrap();
        assert_eq!(read, value);
        assert_eq!(serde_json::to_string(&read).unwrap(), json);
    }
    assert_eq!(AssetType::from("Building"), AssetType::Building);
}

#[tokio::test]
async fn a_date_with_a_time_is_read() {
    let sandbox = sandbox().await;
    let json = json!({ "id": "1", "startDate": "2019-08-24T00:00:00", "endDate": "some day" });
    sandbox.cocon().answer_next("getCustomerContract", Answer::json(200, &json));
    let contract = cocon(&sandbox).contract(&"1".parse().unwrap()).await.unwrap();
    assert_eq!(contract.start_date.get().unwrap().to_string(), "2019-08-24");
    assert_eq!(contract.end_date.get(), None);
    assert_eq!(serde_json::to_value(&contract).unwrap(), json);
}

#[tokio::test]
async fn an_html_error_page_of_a_gateway_is_indeterminate_and_kept() {
    let page = format!("<html>Bad gateway{}</html>", " ".repeat(3000));
    let answer =
        || Answer::status(502).header("content-type", "text/html").header("x-edge", "ams").body(page.clone());
    let sandbox = sandbox().await;
    for _ in 0..4 {
        sandbox.cocon().answer_next("getContact", answer());
    }
    let error = cocon(&sandbox).contact(&"1".parse().unwrap()).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::Indeterminate);
    assert_eq!(error.status().unwrap(), 502);
    assert_eq!(error.headers()["x-edge"], "ams");
    assert!(error.excerpt().starts_with("<html>Bad gateway"));
    assert_eq!(error.excerpt().chars().count(), 500);
    assert_eq!(error.body().as_ref(), page.as_bytes());
    assert_eq!(error.attempts(), 4, "a read is tried again");
    assert!(error.is_safe_to_repeat() && !error.may_have_taken_effect());
    assert!(!error.to_string().contains("Bad gateway"), "{error}");
}

#[tokio::test]
async fn an_empty_404_is_rejected() {
    let error = contact(Answer::status(404).header("x-request", "9")).await.unwrap_err();
    assert_eq!((error.outcome(), error.status().unwrap().as_u16()), (Outcome::Rejected, 404));
    assert_eq!(error.headers()["x-request"], "9");
    assert_eq!((error.message(), error.supplier_id(), error.details().len()), (None, None, 0));
    assert!(error.body().is_empty());
}

#[tokio::test]
async fn the_error_body_is_read() {
    let body = json!({
        "timestamp": "2026-01-01T00:00:00Z", "id": "497f6eca-6276-4993-bfeb-53cbbbba6f08", "status": 400,
        "errors": [{ "code": "E17", "message": "no" }, { "code": 4 }, "odd"], "message": "Kalle Anka is known already",
    });
    let error = contact(Answer::json(400, &body)).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::Rejected);
    assert_eq!(error.supplier_id(), Some("497f6eca-6276-4993-bfeb-53cbbbba6f08"));
    assert_eq!(error.message(), Some("Kalle Anka is known already"));
    let codes: Vec<_> = error.details().iter().map(|detail| detail.code.as_deref()).collect();
    assert_eq!(codes, [Some("E17"), Some("4"), None]);
    let shown = error.to_string();
    assert!(
        shown.contains("status 400, code E17, code 4, id 497f6eca-6276-4993-bfeb-53cbbbba6f08"),
        "{shown}"
    );
    assert!(!shown.contains("Kalle"), "{shown}");
}

#[tokio::test]
async fn an_empty_success_fails_to_decode_where_a_body_is_documented() {
    for status in [200, 204] {
        let error = contact(Answer::status(status).header("x-request", "9")).await.unwrap_err();
        assert_eq!(error.outcome(), Outcome::Decode);
        assert_eq!(error.status().unwrap(), status);
        assert_eq!(error.headers()["x-request"], "9");
        assert!(error.to_string().contains("the response is empty where a body is documented"), "{error}");
    }
}

#[tokio::test]
async fn a_decode_error_names_the_path_and_keeps_the_body() {
    let sandbox = sandbox().await;
    // A repeated key is one of the few things that no type can read.
    let body = r#"{"batchId":"1","failure":[{},{"errors":[{"errors":[{"code":"Kalle Anka","code":"Kalle Anka"}]}]}]}"#;
    let answer = Answer::status(200).header("content-type", "application/json").body(body);
    sandbox.cocon().answer_next("getDelayedConnectionBatch", answer);
    let error = cocon(&sandbox).batch(&"1".parse().unwrap()).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::Decode);
    assert_eq!(error.decode_path(), Some("failure[1].errors[0].errors[0]"));
    assert_eq!(error.body().as_ref(), body.as_bytes());
    assert_eq!(error.status().unwrap(), 200);
    assert!(error.to_string().contains("failure[1].errors[0].errors[0]"), "{error}");
    assert!(!lastmile_tests::shown(&error).contains("Kalle"));
}

#[tokio::test]
async fn an_undocumented_body_is_kept() {
    let sandbox = sandbox().await;
    sandbox.cocon().answer_next("deleteContact", Answer::json(200, &json!({ "deleted": 1 })));
    let id = "1".parse().unwrap();
    let cocon = cocon(&sandbox);
    let reply = cocon.raw().delete_contact(&id).await.unwrap();
    assert_eq!(reply.status, 200);
    assert_eq!(reply.body.as_ref(), br#"{"deleted":1}"#);

    let page =
        Answer::status(200).header("content-type", "text/html; charset=utf-8").body("<html>Log in</html>");
    sandbox.cocon().answer_next("deleteContact", page);
    let error = cocon.delete_contact(&"1".parse().unwrap()).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::Decode, "a page for people is no proof of a deletion");
    assert!(error.may_have_taken_effect());
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_truncated() {
    let sandbox = sandbox().await;
    sandbox.cocon().answer_next("getContact", Answer::json(200, &json!({ "name": "x".repeat(100) })));
    let policy = lastmile_tests::brisk().with_body_limit(50);
    let error = cocon(&sandbox).with_policy(policy).contact(&"1".parse().unwrap()).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::Decode);
    assert_eq!(error.body().len(), 50);
    assert!(error.to_string().contains("longer than the limit of 50 bytes"), "{error}");
}
