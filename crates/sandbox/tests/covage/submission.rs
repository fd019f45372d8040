//! The submission of orders: what it requires, and that it happens once.

use lastmile_sandbox::Sandbox;
use serde_json::{Value, json};

use crate::caller::{Caller, bound_path, complete, endpoint_path, fields, path};

const SUBMIT: &str = "submitted";

async fn refused(caller: &Caller, order: &Value) -> Vec<String> {
    let faults = caller.refused("PATCH", &path(order), json!({ "status": SUBMIT })).await;
    fields(&faults).into_iter().map(str::to_owned).collect()
}

#[tokio::test]
async fn a_submission_reports_every_missing_field() {
    let caller = Caller::new().await;
    let draft = caller.copper_draft().await;
    let faults = caller.refused("PATCH", &path(&draft), json!({ "status": SUBMIT })).await;
    let all = [
        "end_customer.contact.email",
        "end_customer.contact.first_name",
        "end_customer.contact.last_name",
        "end_customer.contact.phone_number",
        "end_customer.type",
        "operator_info.contact_uuid",
        "operator_info.order_name",
        "operator_info.order_ref",
    ];
    assert_eq!(fields(&faults), all);
    assert_eq!(faults["end_customer.type"], json!(["This field is required."]));
    assert_eq!(caller.get(&path(&draft)).await, draft);

    let types = [
        ("registered", vec!["end_customer.name", "end_customer.siret"]),
        ("unregistered", vec!["end_customer.name"]),
        ("individual", vec!["end_customer.first_name", "end_customer.last_name"]),
    ];
    for (kind, names) in types {
        let mut order = complete("A-1", "Colvert");
        order["end_customer"] = json!({ "type": kind, "contact": order["end_customer"]["contact"] });
        let draft = caller.copper_draft().await;
        caller.patch(&path(&draft), order).await;
        assert_eq!(refused(&caller, &draft).await, names, "{kind}");
        let given: Value = names.iter().map(|name| (name[13..].to_owned(), json!("1"))).collect();
        caller
            .patch(&path(&draft), json!({ "end_customer": given, "operator_info": { "order_ref": kind } }))
            .await;
        assert_eq!(caller.submit(&draft).await["status"], SUBMIT);
    }
    assert_eq!(caller.covage.took_effect("updateOrder.submit"), 3);
    caller.assert_sound();
}

#[tokio::test]
async fn each_required_field_is_checked() {
    let caller = Caller::new().await;
    let pointers = [
        "/end_customer/contact/first_name",
        "/end_customer/contact/last_name",
        "/end_customer/contact/email",
        "/end_customer/contact/phone_number",
        "/operator_info/order_ref",
        "/operator_info/order_name",
        "/operator_info/contact_uuid",
    ];
    for pointer in pointers {
        let mut order = complete("A-1", "Colvert");
        *order.pointer_mut(pointer).unwrap() = json!("");
        let draft = caller.copper_draft().await;
        caller.patch(&path(&draft), order).await;
        assert_eq!(refused(&caller, &draft).await, [pointer[1..].replace('/', ".")]);
    }
    let draft = caller.copper_draft().await;
    let mut order = complete("A-1", "Colvert");
    let contact = order["end_customer"]["contact"].as_object_mut().unwrap();
    contact.remove("phone_number");
    contact.insert("cell_phone_number".to_owned(), json!("0639980001"));
    caller.patch(&path(&draft), order).await;
    caller.submit(&draft).await;
    assert_eq!(caller.covage.took_effect("updateOrder.submit"), 1);
    caller.assert_sound();
}

#[tokio::test]
async fn required_line_fields_depend_on_the_request_type() {
    let caller = Caller::new().await;
    for request_type in ["create", "activate_undefined"] {
        let draft = caller.fiber_draft(request_type).await;
        caller.patch(&path(&draft), complete(request_type, "Colvert")).await;
        assert_eq!(refused(&caller, &draft).await, ["bounds.0.address.floor", "bounds.0.address.stairs"]);
        caller.patch(&bound_path(&draft), json!({ "address": { "stairs": "1" } })).await;
        assert_eq!(refused(&caller, &draft).await, ["bounds.0.address.floor"]);
        caller.patch(&bound_path(&draft), json!({ "address": { "floor": "0" } })).await;
        caller.submit(&draft).await;
    }
    let draft = caller.fiber_draft("activate_defined").await;
    caller.patch(&path(&draft), complete("defined", "Colvert")).await;
    assert_eq!(refused(&caller, &draft).await, ["bounds.0.endpoints.0.reference"]);
    let socket = &caller.place(0).buildings[0].sockets[1].reference;
    caller.patch(&endpoint_path(&draft), json!({ "reference": socket })).await;
    caller.submit(&draft).await;

    let check = caller.check_line(0, "create_neighbour").await;
    let draft = caller.draft(&check, "AM01").await;
    caller.patch(&path(&draft), complete("neighbour", "Colvert")).await;
    assert_eq!(refused(&caller, &draft).await, ["bounds.0.address.street_number"]);
    caller.patch(&bound_path(&draft), json!({ "address": { "street_number": "24" } })).await;
    caller.submit(&draft).await;

    let check = caller.check_building(0).await;
    let draft = caller.draft(&check, "FP01").await;
    caller.patch(&path(&draft), complete("untold", "Colvert")).await;
    assert_eq!(refused(&caller, &draft).await, ["request_type"]);
    assert_eq!(caller.covage.took_effect("updateOrder.submit"), 4);
    caller.assert_sound();
}

#[tokio::test]
async fn a_submitted_order_cannot_be_changed() {
    let caller = Caller::new().await;
    let order = caller.submitted("A-1", "Colvert").await;
    assert_eq!(order["status"], SUBMIT);
    assert!(order["submission_date"].is_string());
    assert_eq!(refused(&caller, &order).await, ["status"]);
    let refusals = [
        (path(&order), json!({ "comment": "x" })),
        (bound_path(&order), json!({ "address": {} })),
        (endpoint_path(&order), json!({ "reference": "FI-1234-1234" })),
    ];
    for (target, body) in refusals {
        assert_eq!(fields(&caller.refused("PATCH", &target, body).await), ["status"], "{target}");
    }
    assert_eq!(caller.get(&path(&order)).await, order);
    assert_eq!(
        (caller.covage.took_effect("updateOrder"), caller.covage.took_effect("updateOrder.submit")),
        (2, 1)
    );
    caller.assert_sound();
}

#[tokio::test]
async fn one_request_can_change_and_submit() {
    let caller = Caller::new().await;
    let draft = caller.copper_draft().await;
    let mut both = complete("A-1", "Colvert");
    both["status"] = json!(SUBMIT);
    both["end_customer"]["name"] = json!("");
    assert_eq!(fields(&caller.refused("PATCH", &path(&draft), both.clone()).await), ["end_customer.name"]);
    assert_eq!(caller.get(&path(&draft)).await, draft, "what is refused changes nothing");
    both["end_customer"]["name"] = json!("Palais Colvert");
    assert_eq!(caller.patch(&path(&draft), both).await["status"], SUBMIT);
    caller.assert_sound();
}

#[tokio::test]
async fn a_reference_is_unique_among_submitted_orders() {
    let caller = Caller::new().await;
    let early = caller.copper_draft().await;
    caller.patch(&path(&early), complete("A-1", "Colvert")).await;
    let order = caller.submitted("A-1", "Colvert").await;
    assert_eq!(refused(&caller, &early).await, ["operator_info.order_ref"], "a draft does not hold it");

    let late = caller.copper_draft().await;
    let set = json!({ "operator_info": { "order_ref": "A-1" } });
    let faults = caller.refused("PATCH", &path(&late), set.clone()).await;
    assert_eq!(fields(&faults), ["operator_info.order_ref"]);
    let created = json!({
        "type": "activate", "eligibility_ref": late["eligibility_ref"], "product": { "code": "AM01" },
        "operator_info": { "order_ref": "A-1" },
    });
    let faults = caller.refused("POST", "/api/v2/orders/", created).await;
    assert_eq!(fields(&faults), ["operator_info.order_ref"]);
    caller.patch(&path(&early), json!({ "operator_info": { "order_ref": "A-2" } })).await;
    caller.submit(&early).await;
    assert_eq!(caller.get(&path(&order)).await["operator_info"]["order_ref"], "A-1");
    caller.assert_sound();

    let lenient = Sandbox::builder().covage_unique_references(false).start().await.unwrap();
    let caller = Caller::of(lenient.covage().clone()).await;
    caller.submitted("A-1", "Colvert").await;
    caller.submitted("A-1", "Colvert").await;
    assert_eq!(caller.covage.took_effect("updateOrder.submit"), 2);
}
