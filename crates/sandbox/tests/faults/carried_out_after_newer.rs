//! An older change of an object that is carried out after a newer one.

use lastmile_sandbox::onapi::Availability;
use lastmile_sandbox::{Fault, Supplier};
use serde_json::{Value, json};

use crate::common::JSON;
use crate::covage;
use crate::creation::{Observed, observe};
use crate::onapi;

/// Sends a change whose response is lost, a repetition of it, and a newer change. In the end the older change is
/// stored.
async fn older_overwrites_newer(
    supplier: &Supplier,
    operation: &str,
    older: Value,
    newer: Value,
    send: impl AsyncFn(&Value) -> Observed,
    read: impl AsyncFn() -> Value,
) {
    supplier.fail_next(operation, Fault::CarriedOutAfterNewer);
    assert_eq!(send(&older).await, Observed::Closed);
    let before = supplier.took_effect(operation);
    // The repetition is the same change, so it does not count as newer.
    for body in [&older, &newer] {
        let status = send(body).await.answer().status;
        assert!((200..300).contains(&status), "{status}");
    }
    let received = supplier.received_by(operation);
    let of_older: Vec<_> = received.iter().filter(|one| one.json().as_ref() == Some(&older)).collect();
    assert_eq!(of_older.len(), 2);
    assert_eq!((of_older[0].fault, of_older[0].status), (Some(Fault::CarriedOutAfterNewer), 0));
    assert!(of_older[0].took_effect, "it took effect, last of all");
    assert_eq!(supplier.took_effect(operation), before + 3);
    assert_eq!(read().await, older, "{operation}");
    assert_eq!(supplier.violations(), Vec::<String>::new());
}

/// `sent` and `held` are the JSON pointers of the change in the request and in the order.
async fn covage_older_overwrites_newer(
    operation: &str,
    request_type: &str,
    older: Value,
    newer: Value,
    sent: &str,
    held: &str,
) {
    let caller = covage::Caller::new().await;
    let draft = caller.fiber_draft(request_type).await;
    let target = match operation {
        "updateOrderEndpoint" => covage::endpoint_path(&draft),
        "updateOrderBound" => covage::bound_path(&draft),
        _ => covage::path(&draft),
    };
    let authorization = format!("Bearer {}", caller.token);
    let send = async |body: &Value| {
        let headers = [("authorization", authorization.as_str()), JSON];
        observe(
            crate::common::open(&caller.covage.base_url(), "PATCH", &target, &headers, &body.to_string())
                .await,
        )
        .await
    };
    let read = async || {
        let order = caller.get(&covage::path(&draft)).await;
        let value = order.pointer(held);
        [&older, &newer].into_iter().find(|body| body.pointer(sent) == value).cloned().unwrap()
    };
    older_overwrites_newer(&caller.covage, operation, older.clone(), newer.clone(), send, read).await;
}

#[tokio::test]
async fn an_older_covage_socket_overwrites_a_newer_one() {
    let (older, newer) = (json!({ "reference": "FI-1234-0001" }), json!({ "reference": "FI-1234-0002" }));
    let held = "/bounds/0/endpoints/0/reference";
    covage_older_overwrites_newer(
        "updateOrderEndpoint",
        "activate_defined",
        older,
        newer,
        "/reference",
        held,
    )
    .await;
}

#[tokio::test]
async fn an_older_covage_address_overwrites_a_newer_one() {
    let (older, newer) = (json!({ "address": { "floor": "1" } }), json!({ "address": { "floor": "2" } }));
    let held = "/bounds/0/address/floor";
    covage_older_overwrites_newer("updateOrderBound", "create", older, newer, "/address/floor", held).await;
}

#[tokio::test]
async fn an_older_covage_draft_overwrites_a_newer_one() {
    let (older, newer) = (json!({ "comment": "first" }), json!({ "comment": "second" }));
    covage_older_overwrites_newer("updateOrder", "create", older, newer, "/comment", "/comment").await;
}

#[tokio::test]
async fn an_older_onapi_order_overwrites_a_newer_one() {
    for (operation, method) in [("changeOrder", "PATCH"), ("replaceOrder", "PUT")] {
        let caller = onapi::Caller::new().await;
        let (access, service) = caller.offered(Availability::Free);
        let whole = |reference: &str| json!({ "operation": "ACTIVATE", "accessId": access.id, "service": service, "spReference": reference });
        let id = caller.place(whole("SP-0")).await;
        let body = |reference: &str| match method {
            "PUT" => whole(reference),
            _ => json!({ "spReference": reference }),
        };
        let (older, newer) = (body("SP-1"), body("SP-2"));
        let authorization = caller.authorization();
        let target = format!("/onapi/2.6/orders/{id}");
        let send = async |body: &Value| {
            let headers = [("authorization", authorization.as_str()), JSON];
            observe(crate::common::open(&caller.root(), method, &target, &headers, &body.to_string()).await)
                .await
        };
        let read = async || {
            let held = caller.get(&format!("/orders/{id}")).await.json();
            [&older, &newer]
                .into_iter()
                .find(|body| body["spReference"] == held["spReference"])
                .cloned()
                .unwrap()
        };
        older_overwrites_newer(&caller.0, operation, older.clone(), newer.clone(), send, read).await;
    }
}

#[tokio::test]
async fn settled_carries_out_requests_without_a_newer_one() {
    let caller = onapi::Caller::new().await;
    let (access, service) = caller.offered(Availability::Free);
    let id = caller
        .place(json!({ "operation": "ACTIVATE", "accessId": access.id, "service": service, "spReference": "SP-0" }))
        .await;
    caller.0.fail_next("changeOrder", Fault::CarriedOutAfterNewer);
    let authorization = caller.authorization();
    let headers = [("authorization", authorization.as_str()), JSON];
    let target = format!("/onapi/2.6/orders/{id}");
    let body = json!({ "spReference": "SP-1" }).to_string();
    assert_eq!(
        observe(crate::common::open(&caller.root(), "PATCH", &target, &headers, &body).await).await,
        Observed::Closed
    );
    // A rejected request does not count as newer.
    assert_eq!(
        caller.send("PATCH", &format!("/orders/{id}"), json!({ "accessId": "none" })).await.status,
        400
    );
    let reference = async || caller.get(&format!("/orders/{id}")).await.json()["spReference"].clone();
    assert_eq!(reference().await, "SP-0");
    caller.0.settled().await;
    assert_eq!(reference().await, "SP-1");
    caller.0.settled().await;
    assert_eq!(caller.0.took_effect("changeOrder"), 1, "once");
}
