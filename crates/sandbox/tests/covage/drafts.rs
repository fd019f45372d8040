//! Drafts: their initial fields and their changes.

use serde_json::{Value, json};

use crate::caller::{Caller, ORDERS, bound_path, endpoint_path, fields, path};

#[tokio::test]
async fn a_copper_draft_looks_like_the_suppliers_sample() {
    let caller = Caller::new().await;
    let draft = caller.copper_draft().await;
    let expected = [
        "bounds",
        "creation_date",
        "eligibility_ref",
        "end_customer",
        "information",
        "modification_date",
        "operator_info",
        "options",
        "product",
        "reference",
        "request_type",
        "status",
        "type",
        "updated_status_date",
        "uuid",
    ];
    assert_eq!(draft.as_object().unwrap().keys().collect::<Vec<_>>(), expected);
    assert_eq!((&draft["status"], &draft["request_type"]), (&json!("draft"), &json!("activate")));
    assert_eq!((&draft["end_customer"], &draft["options"]), (&json!({}), &json!({})));
    assert_eq!(draft["product"]["line"]["family"]["code"], "A");
    let endpoint = &draft["bounds"][0]["endpoints"][0];
    assert_eq!((&endpoint["type"], &endpoint["locked"]), (&json!("line_number"), &json!(true)));
    assert_eq!(endpoint["reference"], caller.place(0).line.as_ref().unwrap().number.as_str());
    assert_eq!(draft["bounds"][0]["address"]["street_number"], caller.place(0).street_number.as_str());
    assert!(draft["reference"].as_str().unwrap().starts_with("O260105_"));
    assert!(draft["creation_date"].as_str() < draft["modification_date"].as_str());
    assert_eq!(caller.get(&path(&draft)).await, draft);
    assert_eq!(caller.covage.took_effect("createOrder"), 1);
    caller.assert_sound();
}

#[tokio::test]
async fn a_fiber_draft_starts_with_a_contract_term_and_without_a_socket() {
    let caller = Caller::new().await;
    let check = caller.check_building(0).await;
    let draft = caller.draft(&check, "FP01").await;
    let term = json!({ "enabled": true, "value": "36_months", "default_value": "12_months" });
    assert_eq!(draft["options"], json!({ "contract_term": term }));
    assert_eq!(draft["request_type"], Value::Null);
    let bound = &draft["bounds"][0];
    let endpoint = &bound["endpoints"][0];
    assert_eq!((&endpoint["type"], &endpoint["locked"]), (&json!("otp"), &json!(false)));
    assert_eq!((&endpoint["reference"], &endpoint["ont"]), (&Value::Null, &json!({})));
    assert_eq!(bound["address"]["building_code"], caller.place(0).buildings[0].reference.as_str());
    assert_eq!((&bound["address"]["stairs"], &bound["address"]["floor"]), (&Value::Null, &Value::Null));
    caller.assert_sound();
}

#[tokio::test]
async fn a_draft_needs_a_known_eligibility_check_and_one_of_its_products() {
    let caller = Caller::new().await;
    let check = caller.check_line(0, "create").await;
    let reference = &check["eligibility_ref"];
    let service = &caller.covage.services()[0].uuid;
    let cases = [
        (json!({}), vec!["type"]),
        (json!({ "type": "activate" }), vec!["eligibility_ref", "product.code"]),
        (
            json!({ "type": "activate", "eligibility_ref": "elig-0", "product": { "code": "AM01" } }),
            vec!["eligibility_ref"],
        ),
        (
            json!({ "type": "activate", "eligibility_ref": reference, "product": { "code": "FP01" } }),
            vec!["product.code"],
        ),
        (
            json!({ "type": "activate", "eligibility_ref": reference, "service_uuid": service, "product": { "code": "AM01" } }),
            vec!["service_uuid"],
        ),
        (
            json!({ "type": "activate", "eligibility_ref": reference, "product": { "code": "AM01" }, "request_type": "activate" }),
            vec!["request_type"],
        ),
        (json!({ "type": "activate", "colour": "blue" }), vec!["body"]),
    ];
    for (body, expected) in cases {
        assert_eq!(fields(&caller.refused("POST", ORDERS, body.clone()).await), expected, "{body}");
    }
    assert_eq!(caller.get(ORDERS).await, json!([]));
    assert_eq!((caller.covage.count("createOrder"), caller.covage.took_effect("createOrder")), (7, 0));
    let untyped = json!({ "eligibility_ref": reference, "product": { "code": "AM01" } });
    assert_eq!(caller.post(ORDERS, untyped).await["type"], "activate");
    caller.assert_sound();
}

#[tokio::test]
async fn only_sent_fields_are_changed() {
    let caller = Caller::new().await;
    let draft = caller.copper_draft().await;
    let first = json!({
        "end_customer": { "type": "registered", "name": "Palais Colvert", "contact": { "first_name": "Zoé" } },
        "options": { "gtr": { "value": "4h_bhbd" }, "contract_term": { "enabled": true, "value": "36_months" } },
        "comment": "au fond de la cour / à droite",
    });
    caller.patch(&path(&draft), first).await;
    let second = json!({
        "end_customer": { "type": "unregistered", "contact": { "last_name": "Sarcelle" } },
        "operator_info": { "order_ref": "A-1" },
        "options": { "portability": { "enabled": true, "rio_code": "99F123456ABC" } },
    });
    let changed = caller.patch(&path(&draft), second).await;
    assert_eq!(
        changed["end_customer"],
        json!({
            "type": "unregistered", "name": "Palais Colvert",
            "contact": { "first_name": "Zoé", "last_name": "Sarcelle" },
        })
    );
    assert_eq!(changed["operator_info"], json!({ "order_ref": "A-1" }));
    assert_eq!(changed["options"]["gtr"], json!({ "enabled": false, "value": "4h_bhbd" }));
    assert_eq!(changed["options"]["contract_term"]["default_value"], "12_months");
    let porting = changed["options"]["portability"].as_object().unwrap();
    assert_eq!(porting.keys().collect::<Vec<_>>(), ["contract_ref", "enabled", "operator_code", "rio_code"]);
    assert_eq!(changed["comment"], "au fond de la cour / à droite", "the rule of characters is not for it");
    assert_eq!(changed["creation_date"], draft["creation_date"]);
    assert!(changed["modification_date"].as_str() > draft["modification_date"].as_str());
    assert_eq!(caller.get(&path(&draft)).await, changed);
    caller.assert_sound();
}

#[tokio::test]
async fn an_invalid_change_changes_nothing() {
    let caller = Caller::new().await;
    let draft = caller.copper_draft().await;
    let cases = [
        (json!({ "product": { "code": "FP01" } }), vec!["product.code"]),
        (json!({ "request_type": "create" }), vec!["request_type"]),
        (json!({ "request_type": "activate_defined" }), vec!["request_type"]),
        (
            json!({ "end_customer": { "name": "L'Aigrette", "contact": { "last_name": "Ébène" } } }),
            vec!["end_customer.contact.last_name", "end_customer.name"],
        ),
        (json!({ "end_customer": { "name": "Doe & Co" }, "comment": "x" }), vec!["end_customer.name"]),
        (json!({ "allow_second_rdv": false }), vec!["allow_second_rdv"]),
        (json!({ "address_second_rdv": { "city": "ANKEBOURG" } }), vec!["address_second_rdv"]),
        (json!({ "status": "draft" }), vec!["status"]),
        (json!({ "eligibility_ref": "elig-0" }), vec!["body"]),
        (json!({ "comment": null }), vec!["comment"]),
    ];
    for (body, expected) in cases {
        let faults = caller.refused("PATCH", &path(&draft), body.clone()).await;
        assert_eq!(fields(&faults), expected, "{body}");
    }
    assert_eq!(caller.get(&path(&draft)).await, draft);
    assert_eq!(caller.covage.took_effect("updateOrder"), 0);
    let changed = caller.patch(&path(&draft), json!({ "product": { "code": "SD01" } })).await;
    assert_eq!(changed["product"]["line"]["family"]["code"], "S");
    let unknown = caller.call("PATCH", "/api/v2/orders/0/", json!({})).await;
    assert_eq!(unknown.status, 404);
    caller.assert_sound();
}

#[tokio::test]
async fn a_second_appointment_needs_fp05_with_a_socket() {
    let caller = Caller::new().await;
    let check = caller.check_building(0).await;
    let draft = caller.draft(&check, "FP05").await;
    let address =
        json!({ "zipcode": "76990", "city": "Ankebourg", "street_number": 1, "street_name": "Rue de l'Île" });
    let both = json!({
        "request_type": "activate_undefined", "allow_second_rdv": true, "address_second_rdv": address,
    });
    let changed = caller.patch(&path(&draft), both).await;
    assert_eq!((&changed["allow_second_rdv"], &changed["address_second_rdv"]), (&json!(true), &address));
    let faults = caller.refused("PATCH", &path(&draft), json!({ "request_type": "create" })).await;
    assert_eq!(fields(&faults), ["allow_second_rdv"]);
    let faults = caller.refused("PATCH", &path(&draft), json!({ "product": { "code": "FP01" } })).await;
    assert_eq!(fields(&faults), ["address_second_rdv", "allow_second_rdv"]);
    caller.assert_sound();
}

#[tokio::test]
async fn staircase_and_floor_apply_to_some_fiber_orders() {
    let caller = Caller::new().await;
    let place = json!({ "address": { "stairs": "1", "floor": "2" } });
    for request_type in ["create", "activate_undefined"] {
        let draft = caller.fiber_draft(request_type).await;
        let bound = caller.patch(&bound_path(&draft), place.clone()).await;
        assert_eq!((&bound["address"]["stairs"], &bound["address"]["floor"]), (&json!("1"), &json!("2")));
        assert_eq!(bound["address"]["zipcode"], draft["bounds"][0]["address"]["zipcode"], "the rest stays");
        let higher = caller.patch(&bound_path(&draft), json!({ "address": { "floor": "3" } })).await;
        assert_eq!((&higher["address"]["stairs"], &higher["address"]["floor"]), (&json!("1"), &json!("3")));
        assert_eq!(caller.get(&path(&draft)).await["bounds"][0], higher);
        let faults = caller
            .refused("PATCH", &bound_path(&draft), json!({ "address": { "street_number": "2" } }))
            .await;
        assert_eq!(fields(&faults), ["address.street_number"]);
        let faults =
            caller.refused("PATCH", &bound_path(&draft), json!({ "address": { "stairs": "A^1" } })).await;
        assert_eq!(fields(&faults), ["address.stairs"]);
    }
    let others = [caller.fiber_draft("activate_defined").await, caller.copper_draft().await];
    for draft in others {
        let faults = caller.refused("PATCH", &bound_path(&draft), place.clone()).await;
        assert_eq!(fields(&faults), ["address.floor", "address.stairs"]);
    }
    assert_eq!(caller.covage.took_effect("updateOrderBound"), 4);
    let draft = caller.copper_draft().await;
    let unknown = caller.call("PATCH", &format!("{}bounds/0/", path(&draft)), place).await;
    assert_eq!(unknown.status, 404);
    caller.assert_sound();
}

#[tokio::test]
async fn the_street_number_applies_to_a_neighbours_line() {
    let caller = Caller::new().await;
    let check = caller.check_line(0, "create_neighbour").await;
    let draft = caller.draft(&check, "AM01").await;
    assert_eq!(draft["bounds"][0]["address"]["street_number"], Value::Null, "the caller gives it");
    let number = json!({ "address": { "street_number": "24" } });
    let bound = caller.patch(&bound_path(&draft), number.clone()).await;
    assert_eq!(bound["address"]["street_number"], "24");
    for activation_type in ["activate", "create", "create_nearby"] {
        let check = caller.check_line(0, activation_type).await;
        let draft = caller.draft(&check, "AM01").await;
        let faults = caller.refused("PATCH", &bound_path(&draft), number.clone()).await;
        assert_eq!(fields(&faults), ["address.street_number"]);
    }
    caller.assert_sound();
}

#[tokio::test]
async fn a_socket_sets_staircase_and_floor() {
    let caller = Caller::new().await;
    let draft = caller.fiber_draft("activate_defined").await;
    let sockets = &caller.place(1).buildings[0].sockets;
    for length in [12, 13] {
        let socket = sockets.iter().find(|socket| socket.reference.len() == length).unwrap();
        let set = caller.patch(&endpoint_path(&draft), json!({ "reference": socket.reference })).await;
        let uuid = &draft["bounds"][0]["endpoints"][0]["uuid"];
        assert_eq!(set, json!({ "uuid": uuid, "reference": socket.reference, "locked": false }));
        let address = caller.get(&path(&draft)).await["bounds"][0]["address"].clone();
        assert_eq!(address["stairs"], socket.stairs.as_str());
        assert_eq!(address["floor"], socket.floor.as_str());
    }
    let elsewhere = json!({ "reference": "FIE-2523-4523" });
    caller.patch(&endpoint_path(&draft), elsewhere.clone()).await;
    assert!(caller.get(&path(&draft)).await["bounds"][0]["address"]["floor"].is_string());

    for form in ["", "F-1234-1234", "FI-123-1234", "fi-1234-1234", "FIEX-1234-1234", "FI-1234-1234 "] {
        let faults = caller.refused("PATCH", &endpoint_path(&draft), json!({ "reference": form })).await;
        assert_eq!(fields(&faults), ["reference"], "{form}");
    }
    for order in [caller.fiber_draft("create").await, caller.copper_draft().await] {
        let faults = caller.refused("PATCH", &endpoint_path(&order), elsewhere.clone()).await;
        assert_eq!(fields(&faults), ["request_type"]);
    }
    let body = json!({ "reference": sockets[0].reference, "reference_type": "otp" });
    let check = caller.post("/api/v2/eligibility/offers/", body).await;
    let fixed = caller.draft(&check, "FP01").await;
    let faults = caller.refused("PATCH", &endpoint_path(&fixed), elsewhere).await;
    assert_eq!(fields(&faults), ["reference"]);
    let unknown = format!("{}endpoints/0/", path(&draft));
    assert_eq!(caller.call("PATCH", &unknown, json!({ "reference": "FI-1234-1234" })).await.status, 404);
    caller.assert_sound();
}
