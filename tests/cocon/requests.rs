//! What the supplier receives for each operation, sent with every field that the reference shows.

use lastmile_cocon::{Client, Handle};
use lastmile_core::progenitor_client::{Error, ResponseValue};
use lastmile_sandbox::{Answer, Part, Sandbox, Spec};
use lastmile_tests::{cocon, sandbox};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// The documented request of an operation, as its generated type.
fn request<T: DeserializeOwned>(operation: &str) -> T {
    let example = Spec::cocon().example(operation, Part::Request).unwrap();
    serde_json::from_value(example.clone()).unwrap()
}

/// Sends one operation, lets the sandbox answer with the documented example, and holds what arrived under a snapshot.
/// What the client read must be what was answered.
async fn exchange<T, F, Fut>(sandbox: &Sandbox, handle: &Handle, operation: &str, send: F)
where
    T: DeserializeOwned + Serialize,
    F: FnOnce(Client) -> Fut,
    Fut: Future<Output = Result<ResponseValue<T>, Error<()>>>,
{
    let supplier = sandbox.cocon();
    let answer = Spec::cocon().example(operation, Part::Answer(200));
    supplier.answer_next(operation, answer.map_or(Answer::status(204), |example| Answer::json(200, example)));
    let reply = handle.call(send).await.unwrap_or_else(|error| panic!("{operation}: {error}"));
    assert_eq!(
        serde_json::to_value(&reply.value).unwrap(),
        answer.cloned().unwrap_or(Value::Null),
        "{operation}"
    );

    let received = supplier.last().unwrap();
    assert_eq!(received.operation.as_deref(), Some(operation));
    assert_eq!(received.problems, Vec::<String>::new(), "{operation}");
    let sent = Spec::cocon().example(operation, Part::Request);
    assert_eq!(received.json().as_ref(), sent, "{operation}: every field arrives, and no other");

    let mut headers = received.headers.clone();
    // The port and the version are not this test's.
    headers.retain(|(name, _)| name != "host" && name != "user-agent");
    headers.sort();
    let shown = json!({
        "request": format!("{} {}", received.method, received.path),
        "query": received.query,
        "headers": headers.iter().map(|(name, value)| format!("{name}: {value}")).collect::<Vec<_>>(),
        "body": received.json(),
    });
    insta::assert_json_snapshot!(operation, shown);
}

#[tokio::test]
async fn every_operation_arrives_as_documented() {
    let sandbox = sandbox().await;
    let cocon = cocon(&sandbox);
    let handle = cocon.raw();
    let [id, contact] = &["1abc", "2"].map(|id| id.parse().unwrap());

    macro_rules! exchanges {
        ($($operation:literal: $method:ident($($argument:expr),*);)*) => {$(
            exchange(&sandbox, handle, $operation, |client| async move {
                client.$method($($argument),*).await
            }).await;
        )*};
    }
    exchanges! {
        "createContact": create_contact(&request("createContact"));
        "getContact": get_contact(id);
        "getCustomerContact": get_customer_contact(id, contact);
        "updateContact": update_contact(id, &request("updateContact"));
        "deleteContact": delete_contact(id);
        "createCustomer": create_customer(&request("createCustomer"));
        "getCustomer": get_customer(id);
        "updateCustomer": update_customer(id, &request("updateCustomer"));
        "deleteCustomer": delete_customer(id);
        "createCustomerContract": create_customer_contract(&request("createCustomerContract"));
        "getCustomerContract": get_customer_contract(id);
        "updateCustomerContract": update_customer_contract(id, &request("updateCustomerContract"));
        "deleteCustomerContract": delete_customer_contract(id);
        "createBuildingDelayedConnection":
            create_building_delayed_connection(id, &request("createBuildingDelayedConnection"));
        "createDelayedConnection": create_delayed_connection(&request("createDelayedConnection"));
        "createDelayedConnectionBatch": create_delayed_connection_batch(&request("createDelayedConnectionBatch"));
        "getDelayedConnectionBatch": get_delayed_connection_batch(id);
        "createProjectAssetApproval": create_project_asset_approval(&request("createProjectAssetApproval"));
    }
    let received = sandbox.cocon().received();
    for operation in Spec::cocon().operations() {
        assert_eq!(sandbox.cocon().count(&operation.id), 1, "{}", operation.id);
    }
    assert_eq!(received.len(), 18);
    assert_eq!(sandbox.cocon().violations(), Vec::<String>::new());
}

/// What arrives of a patch.
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
async fn a_merge_patch_leaves_clears_and_sets() {
    use lastmile::cocon::types::ContactPatch;
    use lastmile::wire::Patch;

    let patch = ContactPatch { name: Patch::set("Kajsa"), phone_number: Patch::Null, ..Default::default() };
    let sent =
        patched("updateContact", async |cocon| drop(cocon.update_contact("1", &patch).await.unwrap())).await;
    assert_eq!(sent, (Some(MERGE_PATCH.to_owned()), r#"{"name":"Kajsa","phoneNumber":null}"#.to_owned()));

    let patch = ContactPatch {
        is_primary_contact: Some(false),
        email_addresses: Patch::Value(vec![]),
        ..Default::default()
    };
    let sent =
        patched("updateContact", async |cocon| drop(cocon.update_contact("1", &patch).await.unwrap())).await;
    assert_eq!(sent.1, r#"{"emailAddresses":[],"isPrimaryContact":false}"#);

    let patch = ContactPatch::default();
    let sent =
        patched("updateContact", async |cocon| drop(cocon.update_contact("1", &patch).await.unwrap())).await;
    assert_eq!(sent, (Some(MERGE_PATCH.to_owned()), "{}".to_owned()));
}

#[tokio::test]
async fn a_merge_patch_reaches_into_nested_objects_and_maps() {
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
    let (media_type, body) =
        patched("updateCustomer", async |cocon| drop(cocon.update_customer("1", &patch).await.unwrap()))
            .await;
    assert_eq!(media_type.as_deref(), Some(MERGE_PATCH));
    let expected = json!({
        "additionalInformation": { "drop": null, "keep": "this" },
        "outageContactInformation": { "emailAddresses": null },
        "postalAddress": { "country": null, "street": "Kwakerlaan" },
    });
    assert_eq!(serde_json::from_str::<Value>(&body).unwrap(), expected);
}
