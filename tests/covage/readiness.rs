//! A draft's readiness reports all issues at once, and the supplier agrees.

use lastmile::covage::types::{
    EndCustomerContactUpdate, EndCustomerUpdate, EndCustomerUpdateType, OfferRequestStatus,
    OperatorInfoUpdate, Order, OrderUpdate, SecondAppointmentAddressUpdate,
};
use lastmile::covage::{Copper, Covage, Draft, Fibre, IssueKind, NewOrder, Options, OrderOption, Readiness};
use lastmile::rules::LineNumber;
use lastmile::{Error, Outcome, Prepared};
use lastmile_sandbox::Sandbox;
use lastmile_tests::{covage, sandbox};
use serde_json::{Value, json};

/// Returns a draft in the supplier's form.
fn draft(json: Value) -> Draft {
    let mut order = json!({ "uuid": "1", "status": "draft", "type": "activate" });
    order.as_object_mut().unwrap().extend(json.as_object().unwrap().clone());
    Draft::try_from(serde_json::from_value::<Order>(order).unwrap()).unwrap()
}

fn paths(readiness: &Readiness) -> Vec<(&str, IssueKind)> {
    readiness.issues().iter().map(|gap| (gap.path.as_str(), gap.kind)).collect()
}

/// Returns a complete order, so that each test only removes what it is about.
fn complete() -> Value {
    json!({
        "end_customer": {
            "type": "unregistered", "name": "Ankeborg Epicerie",
            "contact": {
                "first_name": "Kajsa", "last_name": "Anka", "email": "kajsa@sp.example",
                "phone_number": "0123456789",
            },
        },
        "operator_info": { "order_ref": "SP-1", "order_name": "Ankeborg 1", "contact_uuid": "8w10yfnb" },
        "product": { "code": "FP01", "line": { "family": { "code": "F" } } },
        "request_type": "activate_undefined",
        "bounds": [{ "endpoints": [{ "type": "otp" }], "address": { "stairs": "C", "floor": "1" } }],
    })
}

fn with(pointer: &str, value: Value) -> Draft {
    let mut order = complete();
    let (place, name) = pointer.rsplit_once('/').unwrap();
    order.pointer_mut(place).unwrap()[name] = value;
    draft(order)
}

#[test]
fn an_empty_draft_lacks_every_required_field() {
    use IssueKind::{Missing, MissingHere};
    let expected = [
        ("end_customer.type", Missing),
        ("end_customer.contact.first_name", Missing),
        ("end_customer.contact.last_name", Missing),
        ("end_customer.contact.email", Missing),
        ("end_customer.contact.phone_number", MissingHere),
        ("operator_info.order_ref", Missing),
        ("operator_info.order_name", Missing),
        ("operator_info.contact_uuid", Missing),
        ("product.code", MissingHere),
        ("request_type", MissingHere),
    ];
    let empty = draft(json!({ "end_customer": {}, "operator_info": { "order_ref": "" }, "bounds": null }));
    assert_eq!(paths(&empty.readiness()), expected);
    assert!(
        empty.readiness().issues().iter().all(|gap| gap.source.contains("order") && !gap.message.is_empty())
    );
    assert!(draft(complete()).readiness().is_ready(), "{}", draft(complete()).readiness());
    assert_eq!(draft(complete()).readiness().warnings(), []);
}

#[test]
fn a_conditional_field_is_required_only_with_its_condition() {
    use IssueKind::MissingHere;
    for (kind, missing) in [
        ("registered", &["end_customer.siret"][..]),
        ("unregistered", &[]),
        ("individual", &["end_customer.first_name", "end_customer.last_name"]),
        ("a word of tomorrow", &[]),
    ] {
        let draft = with("/end_customer/type", json!(kind));
        let missing: Vec<_> = missing.iter().map(|path| (*path, MissingHere)).collect();
        assert_eq!(paths(&draft.readiness()), missing, "{kind}");
    }
    let mobile = with("/end_customer/contact/phone_number", json!(null));
    assert_eq!(paths(&mobile.readiness()), [("end_customer.contact.phone_number", MissingHere)]);
    let contact =
        json!({ "first_name": "K", "last_name": "A", "email": "k@sp.example", "cell_phone_number": "06" });
    assert!(with("/end_customer/contact", contact).readiness().is_ready());

    let floor = with("/bounds/0/address", json!({ "stairs": "C" }));
    assert_eq!(paths(&floor.readiness()), [("bounds[0].address.floor", MissingHere)]);
    let socket = with("/request_type", json!("activate_defined"));
    let reference = "bounds[0].endpoints[0].reference";
    assert_eq!(paths(&socket.readiness()), [(reference, MissingHere)]);
    for (otp, gap) in [("FI-3790-3415", None), ("fi-3790-3415", Some((reference, IssueKind::Illegal)))] {
        let mut order = complete();
        order["request_type"] = json!("activate_defined");
        order["bounds"][0]["endpoints"][0]["reference"] = json!(otp);
        let readiness = draft(order).readiness();
        assert_eq!(paths(&readiness), gap.into_iter().collect::<Vec<_>>());
        assert!(!format!("{readiness}").contains(otp), "it is somebody's socket");
    }
    let mut order = complete();
    order["request_type"] = json!("activate_defined");
    order["bounds"][0]["endpoints"][0] =
        json!({ "type": "otp", "locked": true, "reference": "fi-3790-3415" });
    let readiness = draft(order).readiness();
    assert!(readiness.is_ready(), "the supplier's own is its own: {readiness}");
    assert_eq!(readiness.warnings()[0].path, reference);
    let copper = |request_type: &str| {
        let mut order = complete();
        order["product"] = json!({ "code": "AM01", "line": { "family": { "code": "A" } } });
        order["request_type"] = json!(request_type);
        order["bounds"] = json!([{ "endpoints": [{ "type": "line_number", "reference": "0417101993" }] }]);
        draft(order)
    };
    assert!(copper("activate").readiness().is_ready());
    let neighbour = copper("create_neighbour").readiness();
    assert_eq!(paths(&neighbour), [("bounds[0].address.street_number", MissingHere)]);
    assert!(neighbour.warnings()[0].message.contains("appointment"));
    assert_eq!(paths(&copper("activate_defined").readiness()), [("request_type", IssueKind::Illegal)]);
}

#[test]
fn an_invalid_value_is_an_issue() {
    use IssueKind::{Illegal, MissingHere};
    let church = with("/end_customer/name", json!("L'Eglise"));
    let readiness = church.readiness();
    assert_eq!(paths(&readiness), [("end_customer.name", Illegal)]);
    assert!(!format!("{readiness} {readiness:?}").contains("Eglise"), "it says nothing about anybody");
    let building = json!({ "stairs": "C", "floor": "1/2", "building_code": "IMB/93077/X/00ZY" });
    let address = with("/bounds/0/address", building);
    assert_eq!(
        paths(&address.readiness()),
        [("bounds[0].address.floor", Illegal)],
        "the supplier's own is its own"
    );

    let mut second = complete();
    second["allow_second_rdv"] = json!(true);
    second["address_second_rdv"] = json!({ "city": "Rouen" });
    assert_eq!(
        paths(&draft(second.clone()).readiness()),
        [("allow_second_rdv", Illegal), ("address_second_rdv", Illegal)]
    );
    second["product"]["code"] = json!("FP05");
    assert!(draft(second.clone()).readiness().is_ready());
    second["request_type"] = json!("create");
    assert_eq!(paths(&draft(second).readiness()), [("allow_second_rdv", Illegal)]);

    let options = json!({
        "gtr": { "enabled": true },
        "contract_term": { "enabled": true, "default_value": "12_months" },
        "portability": { "enabled": true },
        "unlisted_number": { "enabled": false },
        "double_otp": { "enabled": true },
        "tomorrow": { "enabled": true },
    });
    let readiness = with("/options", options).readiness();
    let missing = [("options.gtr.value", MissingHere), ("options.portability.rio_code", MissingHere)];
    assert_eq!(paths(&readiness), missing);
    let warned: Vec<_> = readiness.warnings().iter().map(|gap| gap.path.as_str()).collect();
    assert_eq!(warned, ["options.double_otp", "options.portability"]);
}

#[test]
fn an_unstated_rule_is_a_warning_only() {
    let mut order = complete();
    order["end_customer"]["type"] = json!("registered");
    order["end_customer"]["siret"] = json!("81352886600028");
    order["end_customer"]["contact"]["email"] = json!("kajsa@ankeborg");
    order["end_customer"]["contact"]["phone_number"] = json!("+33123456789");
    order["product"] = json!({ "code": "AM01", "line": { "family": { "code": "A" } } });
    order["request_type"] = json!("activate");
    order["options"] = json!({ "portability": { "enabled": true, "rio_code": "01FA1B2C37Y0" } });
    let endpoint = |number: &str| json!([{ "type": "line_number", "reference": number }]);
    order["bounds"] = json!([{ "endpoints": endpoint("0417101994") }]);
    let readiness = draft(order.clone()).readiness();
    assert!(readiness.is_ready(), "{readiness}");
    let warned: Vec<_> = readiness.warnings().iter().map(|gap| gap.path.as_str()).collect();
    let rio = "options.portability.rio_code";
    let contact = ["end_customer.contact.email", "end_customer.contact.phone_number"];
    assert_eq!(warned, ["end_customer.siret", contact[0], contact[1], rio]);
    order["bounds"] = json!([{ "endpoints": endpoint("0417101993") }]);
    assert_eq!(draft(order.clone()).readiness().warnings().len(), 3, "it is the RIO of this number");
    order["end_customer"]["siret"] = json!("813528866");
    assert_eq!(paths(&draft(order).readiness()), [("end_customer.siret", IssueKind::Illegal)]);
}

#[test]
fn skip_validation_names_the_fields_it_covers() {
    let church = |overruled: &str| {
        let mut draft = with("/end_customer/name", json!("L'Eglise"));
        draft.skip_validation([overruled]);
        draft.submission()
    };
    let error = church("end_customer.siret").unwrap_err();
    assert_eq!(error.readiness().unwrap().issues().len(), 1, "another field is another field");
    let error = Error::from(error);
    assert_eq!(error.outcome(), Outcome::Invalid);
    assert!(error.to_string().contains("end_customer.name: the character"), "{error}");
    assert_eq!(church("end_customer.name").unwrap().id().as_str(), "1");
}

#[tokio::test]
async fn a_draft_with_skipped_validation_is_sent() {
    let sandbox = sandbox().await;
    let covage = covage(&sandbox);
    let (eligibility, _) = building(&sandbox, &covage).await;
    let order = NewOrder::fibre(&eligibility, "FP01", Fibre::ActivateUndefined).reference("SP-1");
    let mut draft = Prepared::new(order).unwrap().place(&covage).await.unwrap();
    let name = EndCustomerUpdate { name: Some("L'Eglise".into()), ..Default::default() };
    let church = OrderUpdate { end_customer: Some(name), ..Default::default() };
    let before = sandbox.covage().received().len();
    draft.skip_validation(["end_customer.siret", "bounds[0].address.floor"]);
    assert_eq!(draft.complete(&covage, &church).await.unwrap_err().outcome(), Outcome::Invalid);
    assert_eq!(draft.set_floor(&covage, "C/D", "1/2").await.unwrap_err().outcome(), Outcome::Invalid);
    assert_eq!(
        draft.set_second_appointment(&covage, true, None).await.unwrap_err().outcome(),
        Outcome::Invalid
    );
    assert_eq!(sandbox.covage().received().len(), before, "another field is another field");

    // The sandbox, like the supplier, rejects them.
    draft.skip_validation(["end_customer.name", "bounds[0].address.stairs", "allow_second_rdv"]);
    let address =
        SecondAppointmentAddressUpdate { zipcode: None, city: None, street_number: None, street_name: None };
    let error = draft.set_second_appointment(&covage, true, Some(address)).await.unwrap_err();
    assert!(error.to_string().contains("address_second_rdv: only"), "{error}");
    for error in [
        draft.complete(&covage, &church).await.unwrap_err(),
        draft.set_floor(&covage, "C/D", "1/2").await.unwrap_err(),
        draft.set_second_appointment(&covage, true, None).await.unwrap_err(),
    ] {
        assert_eq!((error.outcome(), error.status().unwrap().as_u16()), (Outcome::Rejected, 400), "{error}");
    }
    assert_eq!(sandbox.covage().received().len(), before + 3);
}

async fn building(sandbox: &Sandbox, covage: &Covage) -> (String, lastmile_sandbox::covage::Building) {
    let premises = sandbox.covage().premises();
    let building =
        premises.iter().flat_map(|one| &one.buildings).find(|one| !one.sockets.is_empty()).unwrap();
    let offers = covage.offers_for_building(&building.reference.parse().unwrap()).await.unwrap();
    (offers.eligibility_ref.into_string().unwrap(), building.clone())
}

fn customer() -> OrderUpdate {
    OrderUpdate {
        end_customer: Some(EndCustomerUpdate {
            type_: Some(EndCustomerUpdateType::Individual),
            first_name: Some("Kajsa".into()),
            last_name: Some("Anka".into()),
            contact: Some(EndCustomerContactUpdate {
                first_name: Some("Kajsa".into()),
                last_name: Some("Anka".into()),
                email: Some("kajsa.anka@sp.example".into()),
                cell_phone_number: Some("0612345678".into()),
                ..Default::default()
            }),
            ..Default::default()
        }),
        ..Default::default()
    }
}

fn operator(sandbox: &Sandbox, order_ref: &str) -> OrderUpdate {
    OrderUpdate {
        operator_info: Some(OperatorInfoUpdate {
            order_ref: Some(order_ref.into()),
            order_name: Some("Ankeborg 1".into()),
            contact_uuid: Some(sandbox.covage().contact_uuid().into()),
        }),
        ..Default::default()
    }
}

/// Completes a draft in any order, and submits it.
async fn submit(sandbox: &Sandbox, covage: &Covage, mut draft: Draft, order_ref: &str) {
    draft.complete(covage, &operator(sandbox, order_ref)).await.unwrap();
    draft.complete(covage, &customer()).await.unwrap();
    assert!(draft.readiness().is_ready(), "{}", draft.readiness());
    Prepared::new(draft.submission().unwrap()).unwrap().place(covage).await.unwrap();
}

#[tokio::test]
async fn each_kind_of_fibre_order_is_submitted() {
    let sandbox = sandbox().await;
    let covage = covage(&sandbox);
    let (eligibility, building) = building(&sandbox, &covage).await;
    let socket = &building.sockets[0];
    for (number, work) in [Fibre::Create, Fibre::ActivateUndefined].into_iter().enumerate() {
        let order_ref = format!("SP-{number}");
        let order = NewOrder::fibre(&eligibility, "FP01", work).reference(&order_ref);
        let mut draft = Prepared::new(order).unwrap().place(&covage).await.unwrap();
        let error = draft.set_otp(&covage, &socket.reference.parse().unwrap()).await.unwrap_err();
        assert!(error.outcome() == Outcome::Invalid && error.to_string().contains("request_type"), "{error}");
        draft.set_floor(&covage, &socket.stairs, &socket.floor).await.unwrap();
        submit(&sandbox, &covage, draft, &order_ref).await;
    }
    // A request type other than the initial one, an FP05 with its second appointment, and options.
    let address = SecondAppointmentAddressUpdate {
        zipcode: Some("76000".into()),
        city: Some("Rouen".into()),
        street_number: Some(1),
        street_name: Some("Rue de la république".into()),
    };
    let options = Options::new().value(OrderOption::ContractTerm, "36_months");
    let order = NewOrder::fibre(&eligibility, "FP05", Fibre::Create).options(options);
    let mut draft = Prepared::new(order.reference("SP-9")).unwrap().place(&covage).await.unwrap();
    draft.set_fibre(&covage, Fibre::ActivateDefined).await.unwrap();
    draft.set_second_appointment(&covage, true, Some(address)).await.unwrap();
    draft.set_options(&covage, Options::new().on(OrderOption::CpeInstall)).await.unwrap();
    let found = draft.set_otp(&covage, &socket.reference.parse().unwrap()).await.unwrap();
    assert_eq!(found.is_at(&socket.stairs, &socket.floor), Some(true));
    let options = draft.order().options.get().unwrap();
    assert!(options.contains_key("contract_term") && options.contains_key("cpe_install"));
    submit(&sandbox, &covage, draft, "SP-9").await;
    assert_eq!(sandbox.covage().took_effect("updateOrder.submit"), 3);
    assert_eq!(sandbox.covage().violations(), Vec::<String>::new());
}

#[tokio::test]
async fn a_requested_socket_cannot_be_changed() {
    let sandbox = sandbox().await;
    let covage = covage(&sandbox);
    let (_, building) = building(&sandbox, &covage).await;
    let socket = &building.sockets[0];
    let otp = socket.reference.parse().unwrap();
    let offers = covage.offers_for_socket(&otp).await.unwrap();
    let order = NewOrder::fibre(offers.eligibility_ref.get().unwrap(), "FP01", Fibre::ActivateDefined);
    let mut draft = Prepared::new(order.reference("SP-1")).unwrap().place(&covage).await.unwrap();
    let found = draft.set_otp(&covage, &otp).await.unwrap();
    assert_eq!(found.is_at(&socket.stairs, &socket.floor), Some(true));
    let other = draft.set_otp(&covage, &"FI-0000-0000".parse().unwrap()).await.unwrap_err();
    assert_eq!(other.outcome(), Outcome::Invalid);
    assert_eq!(sandbox.covage().count("updateOrderEndpoint"), 0);
    submit(&sandbox, &covage, draft, "SP-1").await;
}

#[tokio::test]
async fn each_kind_of_copper_order_is_submitted() {
    let sandbox = sandbox().await;
    let covage = covage(&sandbox);
    let premises = sandbox.covage().premises();
    let mut lines = premises.iter().filter_map(|one| one.line.as_ref()).filter(|line| line.active);
    let line = lines.next().unwrap();
    for work in [Copper::Activate, Copper::Create, Copper::CreateNearby, Copper::CreateNeighbour] {
        let offers = covage
            .offers_for_line(&line.number.parse().unwrap(), OfferRequestStatus::Active, work)
            .await
            .unwrap();
        let order_ref = format!("SP-{work:?}");
        let options = Options::new()
            .portability(&"01FA1B2C37Y0".parse().unwrap(), None)
            .on(OrderOption::UnlistedNumber);
        let order = NewOrder::copper(offers.eligibility_ref.get().unwrap(), "AM01", work);
        let order = order.reference(&order_ref).options(options);
        let mut draft = Prepared::new(order).unwrap().place(&covage).await.unwrap();
        let number = draft.set_street_number(&covage, "24").await;
        if work == Copper::CreateNeighbour {
            number.unwrap();
        } else {
            assert_eq!(number.unwrap_err().outcome(), Outcome::Invalid, "the platform fills it in");
        }
        assert!(draft.set_second_appointment(&covage, true, None).await.is_err(), "it is no FP05");
        submit(&sandbox, &covage, draft, &order_ref).await;
    }
    assert!(!covage.portability(&line.number.parse().unwrap()).await.unwrap().is_empty());
    assert!("041710199".parse::<LineNumber>().is_err());
    assert_eq!(sandbox.covage().took_effect("updateOrder.submit"), 4);
    assert_eq!(sandbox.covage().violations(), Vec::<String>::new());
}

/// The caller cannot correct what the supplier filled in, so it is only a warning.
#[test]
fn a_doubtful_value_of_the_supplier_is_not_an_issue() {
    let floor = |request_type: &str| {
        let mut order = complete();
        order["request_type"] = json!(request_type);
        order["bounds"][0]["address"]["floor"] = json!("1/2");
        order["bounds"][0]["endpoints"][0]["reference"] = json!("FI-3790-3415");
        draft(order).readiness()
    };
    let path = "bounds[0].address.floor";
    assert_eq!(paths(&floor("activate_undefined")), [(path, IssueKind::Illegal)], "the caller has sent it");
    let looked_up = floor("activate_defined");
    assert!(looked_up.is_ready(), "{looked_up}");
    assert!(looked_up.warnings().iter().any(|warning| warning.path == path), "{looked_up:?}");

    let mut order = complete();
    order["type"] = json!("terminate");
    order["service_ref"] = json!("S191128_21428");
    order["end_customer"]["name"] = json!("Doe & Co");
    let termination = draft(order).readiness();
    assert!(termination.is_ready(), "{termination}");
    assert!(termination.warnings().iter().any(|warning| warning.path == "end_customer.name"));
}
