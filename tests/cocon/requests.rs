//! The request that the supplier receives for each operation, with every field that the reference shows.

use lastmile_sandbox::{Answer, Spec};
use lastmile_tests::{cocon, exchanges, request, sandbox};
use serde_json::{Value, json};

#[tokio::test]
async fn every_operation_sends_its_documented_request() {
    let sandbox = sandbox().await;
    let supplier = sandbox.cocon();
    let cocon = cocon(&sandbox);
    let [id, contact] = &["1abc", "2"].map(|id| id.parse().unwrap());
    let spec = Spec::cocon();
    exchanges!(supplier, cocon.raw(), {
        "createContact": create_contact(&request(spec, "createContact"));
        "getContact": get_contact(id);
        "getCustomerContact": get_customer_contact(id, contact);
        "updateContact": update_contact(id, &request(spec, "updateContact"));
        "deleteContact": delete_contact(id);
        "createCustomer": create_customer(&request(spec, "createCustomer"));
        "getCustomer": get_customer(id);
        "updateCustomer": update_customer(id, &request(spec, "updateCustomer"));
        "deleteCustomer": delete_customer(id);
        "createCustomerContract": create_customer_contract(&request(spec, "createCustomerContract"));
        "getCustomerContract": get_customer_contract(id);
        "updateCustomerContract": update_customer_contract(id, &request(spec, "updateCustomerContract"));
        "deleteCustomerContract": delete_customer_contract(id);
        "createBuildingDelayedConnection":
            create_building_delayed_connection(id, &request(spec, "createBuildingDelayedConnection"));
        "createDelayedConnection": create_delayed_connection(&request(spec, "createDelayedConnection"));
        "createDelayedConnectionBatch": create_delayed_connection_batch(&request(spec, "createDelayedConnectionBatch"));
        "getDelayedConnectionBatch": get_delayed_connection_batch(id);
        "createProjectAssetApproval": create_project_asset_approval(&request(spec, "createProjectAssetApproval"));
    });
    for operation in spec.operations() {
        assert_eq!(supplier.count(&operation.id), 1, "{}", operation.id);
    }
    assert_eq!(supplier.received().len(), 18);
    assert_eq!(supplier.violations(), Vec::<String>::new());
}

/// Returns the body that the sandbox receives for a patch.
async fn patched(
    operation: &str,
    patch: impl AsyncFnOnce(lastmile::cocon::Cocon),
) -> (Option<String>, String) {
    let sandbox = sandbox().await;
    sandbox.cocon().answer_next(operation, Answer::json(200, &json!({})));
    patch(cocon(&sandbox)).await;
    let received = sandbox.cocon().last().unwrap();
    assert_eq!(received.problems, Vec::<String>::new());
    (received.header("content-type").map(str::to_owned), String::from_utf8(received.body).unwrap())
}

const MERGE_PATCH: &str = "application/merge-patch+json";

#[tokio::test]
async fn a_merge_patch_keeps_clears_and_sets_fields() {
    use lastmile::cocon::types::ContactPatch;
    use lastmile::wire::Patch;

    let patch = ContactPatch { name: Patch::set("Kajsa"), phone_number: Patch::Null, ..Default::default() };
    let sent = patched("updateContact", async |cocon| {
        drop(cocon.update_contact(&"1".parse().unwrap(), &patch).await.unwrap())
    })
    .await;
    assert_eq!(sent, (Some(MERGE_PATCH.to_owned()), r#"{"name":"Kajsa","phoneNumber":null}"#.to_owned()));

    let patch = ContactPatch {
        is_primary_contact: Some(false),
        email_addresses: Patch::Value(vec![]),
        ..Default::default()
    };
    let sent = patched("updateContact", async |cocon| {
        drop(cocon.update_contact(&"1".parse().unwrap(), &patch).await.unwrap())
    })
    .await;
    assert_eq!(sent.1, r#"{"emailAddresses":[],"isPrimaryContact":false}"#);
}

#[tokio::test]
async fn a_merge_patch_covers_nested_objects_and_maps() {
    use lastmile::cocon::types::{CustomerPatch, OutageContactInformationPatch, PostalAddressPatch};
    use lastmile::wire::Patch;

    let patch = CustomerPatch {
        postal_address: Some(PostalAddressPatch {
            street: Patch::set("Kwakerlaan"),
            country: Patch::Null,
            ..Default::default()
        }),
        outage_contact_information: Some(OutageContactInformationPatch {
            email_addresses: Patch::Null,
            ..Default::default()
        }),
        additional_information: Patch::Value(
            [("keep".to_owned(), Some("this".to_owned())), ("drop".to_owned(), None)].into(),
        ),
        ..Default::default()
    };
    let (media_type, body) = patched("updateCustomer", async |cocon| {
        drop(cocon.update_customer(&"1".parse().unwrap(), &patch).await.unwrap())
    })
    .await;
    assert_eq!(media_type.as_deref(), Some(MERGE_PATCH));
    let expected = json!({
        "additionalInformation": { "drop": null, "keep": "this" },
        "outageContactInformation": { "emailAddresses": null },
        "postalAddress": { "country": null, "street": "Kwakerlaan" },
    });
    assert_eq!(serde_json::from_str::<Value>(&body).unwrap(), expected);
}
