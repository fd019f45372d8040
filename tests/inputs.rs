//! Every call that creates or changes something, with strings that are empty, blank, too long or contain a control
//! character: nothing is sent, or a warning is returned.

use std::str::FromStr;

use lastmile::cocon::types::{
    ContactCreate, ContactPatch, CustomerContractCreate, CustomerContractPatch, CustomerCreate,
    CustomerPatch, ProjectAssetApprovalCreate,
};
use lastmile::cocon::{Batch, BuildingConnection, ContactId, ContractId, CustomerId, NamedConnection};
use lastmile::covage::types::{ContactReplace, Order, OrderOptionUpdate, OrderUpdate};
use lastmile::covage::{Draft, Information, Migration, Options};
use lastmile::onapi::types::{Order as NetworkOrder, OrderChange};
use lastmile::onapi::{NewTicket, ReceivedOrder, TicketChange};
use lastmile::rules::Warning;
use lastmile::{Creation, Error, HasWarnings, Outcome, Prepared, covage, onapi};
use lastmile_tests::{cocon, covage, onapi, sandbox};
use serde_json::{Value, json};

/// The replacements of a string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bad {
    Empty,
    Blank,
    Bell,
    Nul,
    Delete,
    CarriageReturn,
    Long,
}

const ALL: [Bad; 7] =
    [Bad::Empty, Bad::Blank, Bad::Bell, Bad::Nul, Bad::Delete, Bad::CarriageReturn, Bad::Long];

impl Bad {
    fn text(self, good: &str) -> String {
        match self {
            Self::Empty => String::new(),
            Self::Blank => " ".to_owned(),
            Self::Bell => format!("{good}\u{7}"),
            Self::Nul => format!("\0{good}"),
            Self::Delete => format!("{good}\u{7f}"),
            Self::CarriageReturn => format!("{good}\rX"),
            Self::Long => good.repeat(5000),
        }
    }
}

/// Returns the JSON pointers of all strings.
fn texts(value: &Value, pointer: &str) -> Vec<String> {
    match value {
        Value::String(_) => vec![pointer.to_owned()],
        Value::Array(values) => values
            .iter()
            .enumerate()
            .flat_map(|(at, value)| texts(value, &format!("{pointer}/{at}")))
            .collect(),
        Value::Object(fields) => fields
            .iter()
            .flat_map(|(name, value)| texts(value, &format!("{pointer}/{}", name.replace('/', "~1"))))
            .collect(),
        _ => Vec::new(),
    }
}

/// Returns the sample with each of its strings replaced, one at a time.
fn variants(sample: &Value) -> Vec<(String, Bad, Value)> {
    let mut variants = Vec::new();
    for pointer in texts(sample, "") {
        for bad in ALL {
            let mut variant = sample.clone();
            let text = variant.pointer_mut(&pointer).unwrap();
            *text = bad.text(text.as_str().unwrap()).into();
            variants.push((pointer.clone(), bad, variant));
        }
    }
    assert!(!variants.is_empty());
    variants
}

#[track_caller]
fn is_invalid(error: &Error, what: &str) {
    assert_eq!(error.outcome(), Outcome::Invalid, "{what}: {error}");
}

/// Checks that no variant of a creating call can be prepared, except for those in `taken` and those with a warning.
#[track_caller]
fn creation<C: Creation>(sample: Value, taken: &[(&str, Bad)], is_warned: impl Fn(&C) -> bool) {
    let request: C = serde_json::from_value(sample.clone()).unwrap();
    assert!(!is_warned(&request), "{}: the sample is right", C::KIND);
    Prepared::new(request).unwrap_or_else(|error| panic!("{}: {error}", C::KIND));
    for (pointer, bad, variant) in variants(&sample) {
        // A value that cannot be read cannot be sent either.
        let Ok(request) = serde_json::from_value::<C>(variant) else { continue };
        let what = format!("{}: {pointer}: {bad:?}", C::KIND);
        let is_taken = taken.iter().any(|(other, kind)| *other == pointer && *kind == bad);
        let warned = is_warned(&request);
        match Prepared::new(request) {
            Ok(_) => assert!(is_taken || warned && bad == Bad::Long, "{what}: it would be sent"),
            Err(error) => {
                assert!(!is_taken, "{what}: {error}");
                is_invalid(&error, &what);
            }
        }
    }
}

fn warned<C: HasWarnings>(request: &C) -> bool {
    !request.warnings().is_empty()
}

/// The strings of these types are all limited by the supplier.
fn never<C>(_: &C) -> bool {
    false
}

/// Returns the paths of the warnings.
fn paths<C: HasWarnings>(request: &C, warning: Warning) -> Vec<String> {
    let warnings = request.warnings().into_iter();
    warnings.filter(|one| one.warning == warning).map(|one| one.path).collect()
}

fn customer() -> Value {
    json!({
        "clientCode": "AB-1", "name": "Ankeborg Wonen",
        "postalAddress": { "street": "Dorpsstraat", "houseNumber": "4", "zipCode": "1234AB", "city": "Ankeborg", "country": "NL" },
        "outageContactInformation": { "emailAddresses": ["noc@sp.example"], "phoneNumber": "+31101234567" },
    })
}

fn contact() -> Value {
    json!({
        "name": "Katrien Duck", "customerId": "10", "isPrimaryContact": true, "phoneNumber": "+31101234567",
        "emailAddresses": ["katrien@sp.example"],
    })
}

fn contract() -> Value {
    json!({
        "name": "Glasvezel", "customerId": "10", "contactIds": ["7"], "startDate": "2026-01-01",
        "endDate": "2026-12-31", "owner": "Katrien Duck", "comment": "Eerste regel\n\ttweede", "other": "x",
        "servicePriority": "1", "contractTypeName": "Standaard",
    })
}

fn approval() -> Value {
    json!({
        "projectName": "Ankeborg 4", "timestamp": "2026-03-03T10:00:00Z", "approver": "Katrien Duck",
        "assetApproval": {
            "asset": { "type": "Building", "name": "1234AB-1" }, "installationCompany": "Graafbedrijf Anka",
            "type": "Photo", "author": "Katrien Duck",
        },
    })
}

fn connection() -> Value {
    json!({
        "buildingName": "1234AB-1", "frameName": "ODF-1", "terminationUnitType": "FTU-2", "attenuation1": 0.21,
        "attenuation2": 0.35, "isWithoutGeometry": true,
    })
}

#[test]
fn cocon_creating_calls_validate_their_texts() {
    creation::<CustomerCreate>(customer(), &[], warned);
    creation::<ContactCreate>(contact(), &[], warned);
    creation::<CustomerContractCreate>(contract(), &[], warned);
    creation::<ProjectAssetApprovalCreate>(approval(), &[], warned);
    let mut named = connection();
    named["installationCompanyName"] = "Graafbedrijf Anka".into();
    creation::<NamedConnection>(named.clone(), &[], warned);
    named.as_object_mut().unwrap().remove("buildingName");
    creation::<BuildingConnection>(json!({ "building_id": "1937214", "body": named }), &[], warned);
    let batch = json!({ "installationCompanyName": "Graafbedrijf Anka", "delayedConnections": [connection(), connection()] });
    creation::<Batch>(batch, &[], warned);
}

#[test]
fn a_cocon_creation_without_any_text_is_refused_naming_its_fields() {
    fn refused<C: Creation>(samples: &[Value], fields: &[&str]) {
        for sample in samples {
            let request: C = serde_json::from_value(sample.clone()).unwrap();
            let error = Prepared::new(request).unwrap_err();
            is_invalid(&error, C::KIND);
            let text = error.to_string();
            assert!(fields.iter().all(|field| text.contains(field)), "{text}");
            // A stored value without it cannot be loaded either.
            let stored = json!({ "version": 1, "kind": C::KIND, "progress": "ready", "request": sample });
            assert!(serde_json::from_value::<Prepared<C>>(stored).is_err());
        }
    }
    let nested = json!({ "postalAddress": {}, "outageContactInformation": { "emailAddresses": [] }, "additionalInformation": {} });
    refused::<CustomerCreate>(&[json!({}), nested], &["clientCode", "name"]);
    refused::<ContactCreate>(
        &[json!({}), json!({ "isPrimaryContact": true, "emailAddresses": [] })],
        &["name", "customerId"],
    );
    let flag = json!({ "allowDivergentPriority": true, "contactIds": [] });
    refused::<CustomerContractCreate>(&[json!({}), flag], &["name", "customerId", "endDate"]);
    refused::<ProjectAssetApprovalCreate>(
        &[json!({}), json!({ "assetApproval": { "asset": {} } })],
        &["projectName", "assetApproval"],
    );
}

#[test]
fn a_cocon_object_without_identifying_fields_is_warned_about() {
    let customer = CustomerCreate { client_code: Some("AB-1".into()), ..Default::default() };
    assert_eq!(paths(&customer, Warning::MissingField), ["name"]);
    let contact = ContactCreate { phone_number: Some("+31101234567".into()), ..Default::default() };
    assert_eq!(paths(&contact, Warning::MissingField), ["name", "customerId"]);
    let contract = CustomerContractCreate { name: Some("Glasvezel".into()), ..Default::default() };
    assert_eq!(paths(&contract, Warning::MissingField), ["customerId", "endDate"]);
    let approval =
        ProjectAssetApprovalCreate { project_name: Some("Ankeborg 4".into()), ..Default::default() };
    assert_eq!(paths(&approval, Warning::MissingField), ["timestamp", "assetApproval.asset.name"]);
    assert_eq!(
        paths(&Prepared::new(customer).unwrap(), Warning::MissingField),
        ["name"],
        "a prepared one has them, too"
    );
    Prepared::new(contact).unwrap();
    Prepared::new(contract).unwrap();
    Prepared::new(approval).unwrap();
}

#[test]
fn cocon_numbers_dates_and_addresses_are_validated() {
    fn read<C: Creation>(change: impl Fn(&mut String)) -> Result<Prepared<C>, Error> {
        let mut text = connection().to_string();
        change(&mut text);
        Prepared::new(serde_json::from_str(&text).unwrap())
    }
    for number in ["-1e99999", "1e400", "1E309"] {
        for (field, digits) in [("attenuation1", "0.21"), ("attenuation2", "0.35")] {
            let error = read::<NamedConnection>(|text| *text = text.replace(digits, number)).unwrap_err();
            is_invalid(&error, number);
            assert!(error.to_string().contains(&format!("{field}: ")), "{error}");
        }
        let batch = json!({ "delayedConnections": [connection()] }).to_string().replace("0.21", number);
        let error = Prepared::<Batch>::new(serde_json::from_str(&batch).unwrap()).unwrap_err();
        assert!(error.to_string().contains("delayedConnections[0].attenuation1: "), "{error}");
        let route = format!(r#"{{"type":"Point","coordinates":[[{number},52]]}}"#);
        let text = connection().to_string().replace("true", &format!(r#"false,"newRoute":{route}"#));
        let error = Prepared::<NamedConnection>::new(serde_json::from_str(&text).unwrap()).unwrap_err();
        assert!(error.to_string().contains("newRoute: "), "{error}");
    }
    let prepared = read::<NamedConnection>(|text| *text = text.replace("0.35", "-0.35")).unwrap();
    assert_eq!(paths(&prepared, Warning::NegativeAttenuation), ["attenuation2"]);
    for nothing in ["0", "-0", "0.00", "1e-400"] {
        let prepared = read::<NamedConnection>(|text| *text = text.replace("0.35", nothing)).unwrap();
        assert_eq!(prepared.warnings(), [], "{nothing}");
    }
    let mixed = json!({ "type": "LineString", "coordinates": [[257100.5, 471200.0], [4.9, 52.37]] });
    let text = connection().to_string().replace("true", &format!(r#"false,"newRoute":{mixed}"#));
    let batch = format!(r#"{{"delayedConnections":[{},{text}]}}"#, connection());
    let batch = Prepared::<Batch>::new(serde_json::from_str(&batch).unwrap()).unwrap();
    assert_eq!(paths(&batch, Warning::MixedCoordinates), ["delayedConnections[1].newRoute"]);
    let mut swapped = contract();
    swapped["startDate"] = "2027-01-01".into();
    let swapped: CustomerContractCreate = serde_json::from_value(swapped).unwrap();
    assert_eq!(paths(&swapped, Warning::ContractOrder), ["endDate"]);
    let mut odd = contact();
    odd["emailAddresses"] = json!(["katrien@sp.example", "no at"]);
    let odd: ContactCreate = serde_json::from_value(odd).unwrap();
    assert_eq!(paths(&Prepared::new(odd).unwrap(), Warning::Email), ["emailAddresses[1]"]);
}

#[test]
fn cocon_ids_are_validated() {
    for id in ["", " ", "..", "1\n", "1\0", "a\\b"] {
        is_invalid(&Error::from(id.parse::<ContactId>().unwrap_err()), id);
        is_invalid(&Error::from(id.parse::<CustomerId>().unwrap_err()), id);
        is_invalid(&Error::from(id.parse::<ContractId>().unwrap_err()), id);
        assert!(serde_json::from_value::<ContactId>(id.into()).is_err(), "{id:?}");
    }
}

#[tokio::test]
async fn cocon_patches_validate_their_texts() {
    let sandbox = sandbox().await;
    let cocon = cocon(&sandbox);
    macro_rules! patch {
        ($patch:ty, $update:ident, $sample:expr) => {
            let sample: Value = $sample;
            for (pointer, bad, variant) in variants(&sample) {
                let Ok(patch) = serde_json::from_value::<$patch>(variant) else { continue };
                let what = format!("{pointer}: {bad:?}");
                if bad == Bad::Long {
                    assert!(warned(&patch), "{what}");
                } else {
                    is_invalid(&cocon.$update(&"10".parse().unwrap(), &patch).await.unwrap_err(), &what);
                }
            }
            for nothing in [json!({}), json!({ "postalAddress": {}, "outageContactInformation": {} })] {
                let patch: $patch = serde_json::from_value(nothing).unwrap();
                is_invalid(&cocon.$update(&"10".parse().unwrap(), &patch).await.unwrap_err(), "nothing");
            }
        };
    }
    let mut renamed = contact();
    renamed.as_object_mut().unwrap().remove("customerId");
    patch!(ContactPatch, update_contact, renamed);
    patch!(CustomerPatch, update_customer, customer());
    let mut contract = contract();
    contract.as_object_mut().unwrap().retain(|field, _| field != "customerId" && field != "servicePriority");
    patch!(CustomerContractPatch, update_contract, contract);
    assert_eq!(sandbox.cocon().received().len(), 0, "nothing was sent");
    // Clearing a field and emptying a list are changes.
    for change in [
        json!({ "phoneNumber": null }),
        json!({ "emailAddresses": [] }),
        json!({ "isPrimaryContact": false }),
    ] {
        let patch: ContactPatch = serde_json::from_value(change).unwrap();
        let error = cocon.update_contact(&"10".parse().unwrap(), &patch).await.unwrap_err();
        assert_eq!(error.status().unwrap(), 404, "it was sent");
    }
}

fn draft_request() -> Value {
    json!({
        "type": "activate", "eligibility_ref": "elig-40ea0561", "product": { "code": "FP01" },
        "request_type": "activate_defined", "comment": "Premier\nsecond",
        "operator_info": { "order_ref": "SP-1", "order_name": "Ankeborg 1", "contact_uuid": "8w10yfnb" },
        "options": { "contract_term": { "enabled": true, "value": "36_months", "prefix_code": "x", "rio_code": "01FA1B2C37Y0" } },
        "end_customer": end_customer(),
    })
}

fn end_customer() -> Value {
    json!({
        "type": "registered", "name": "Ankeborg Epicerie", "first_name": "Kajsa", "last_name": "Anka", "siret": "81352886600029",
        "contact": {
            "first_name": "Kajsa", "last_name": "Anka", "email": "kajsa@sp.example", "phone_number": "0123456789",
            "cell_phone_number": "0623456789",
        },
    })
}

fn person() -> Value {
    json!({
        "first_name": "Kajsa", "last_name": "Anka", "email": "kajsa@sp.example", "phone_number": "0123456789",
        "cell_phone_number": "0623456789",
    })
}

#[test]
fn covage_creating_calls_validate_their_texts() {
    creation::<covage::NewOrder>(draft_request(), &[], warned);
    let terminate = json!({ "type": "terminate", "service_ref": "S191128_21428" });
    creation::<covage::NewOrder>(terminate, &[], warned);
    let second = json!({
        "type": "activate", "eligibility_ref": "e", "product": { "code": "FP05" }, "allow_second_rdv": true,
        "address_second_rdv": { "zipcode": "76000", "city": "Rouen", "street_number": 1, "street_name": "Rue" },
    });
    creation::<covage::NewOrder>(second, &[], warned);
    creation::<covage::types::ContactCreate>(person(), &[], warned);
    let order = "0cd8d842-b0ca-43c0-8cbc-5d275cbdb1c2";
    let information = json!({ "order": order, "body": { "message": "Premier\nsecond" } });
    creation::<Information>(information, &[], warned);
    // Where no building is chosen, an empty string is sent, as in the supplier's sample.
    let migration = json!({ "service": order, "body": { "imb": "IMB/76540/X/043X" } });
    creation::<Migration>(migration, &[("/body/imb", Bad::Empty)], warned);
}

#[test]
fn an_invalid_email_address_is_warned_about() {
    let mut order = draft_request();
    order["end_customer"]["contact"]["email"] = "no at".into();
    let order: covage::NewOrder = serde_json::from_value(order).unwrap();
    assert_eq!(paths(&Prepared::new(order).unwrap(), Warning::Email), ["end_customer.contact.email"]);
    let mut contact = person();
    contact["email"] = "no at".into();
    let created: covage::types::ContactCreate = serde_json::from_value(contact.clone()).unwrap();
    assert_eq!(paths(&Prepared::new(created).unwrap(), Warning::Email), ["email"]);
    let replaced: ContactReplace = serde_json::from_value(contact).unwrap();
    assert_eq!(paths(&replaced, Warning::Email), ["email"]);
    let update: OrderUpdate =
        serde_json::from_value(json!({ "end_customer": { "contact": { "email": "no at" } } })).unwrap();
    assert_eq!(paths(&update, Warning::Email), ["end_customer.contact.email"]);
}

fn draft() -> Draft {
    let order = json!({
        "uuid": "0cd8d842-b0ca-43c0-8cbc-5d275cbdb1c2", "status": "draft", "type": "activate",
        "bounds": [{ "uuid": "b-1", "endpoints": [{ "uuid": "e-1", "type": "otp" }] }],
    });
    Draft::try_from(serde_json::from_value::<Order>(order).unwrap()).unwrap()
}

#[tokio::test]
async fn covage_changes_validate_their_texts() {
    let sandbox = sandbox().await;
    let covage = covage(&sandbox);
    let mut draft = draft();
    let update = json!({
        "comment": "Premier\nsecond", "product": { "code": "FP01" }, "end_customer": end_customer(),
        "operator_info": { "order_ref": "SP-1", "order_name": "Ankeborg 1", "contact_uuid": "8w10yfnb" },
        "options": { "contract_term": { "value": "36_months", "prefix_code": "x", "rio_code": "01FA1B2C37Y0" } },
        "address_second_rdv": { "zipcode": "76000", "city": "Rouen", "street_name": "Rue" },
    });
    for (pointer, bad, variant) in variants(&update) {
        let Ok(update) = serde_json::from_value::<OrderUpdate>(variant) else { continue };
        let what = format!("{pointer}: {bad:?}");
        if bad == Bad::Long {
            assert!(warned(&update), "{what}");
        } else {
            is_invalid(&draft.complete(&covage, &update).await.unwrap_err(), &what);
        }
    }
    for nothing in [json!({}), json!({ "product": {}, "end_customer": { "contact": {} }, "options": {} })] {
        let update: OrderUpdate = serde_json::from_value(nothing).unwrap();
        is_invalid(&draft.complete(&covage, &update).await.unwrap_err(), "nothing");
    }
    is_invalid(&draft.set_options(&covage, Options::new()).await.unwrap_err(), "no option");
    for code in ["", " ", "a\nb"] {
        let on = OrderOptionUpdate { enabled: Some(true), ..Default::default() };
        let options = Options::new().other(code, on);
        is_invalid(&draft.set_options(&covage, options).await.unwrap_err(), code);
    }
    for bad in [Bad::Empty, Bad::Blank, Bad::Bell, Bad::Nul, Bad::Delete, Bad::CarriageReturn] {
        let what = format!("{bad:?}");
        let text = bad.text("C");
        is_invalid(&draft.set_floor(&covage, &text, "1").await.unwrap_err(), &what);
        is_invalid(&draft.set_floor(&covage, "C", &text).await.unwrap_err(), &what);
        is_invalid(&draft.set_street_number(&covage, &text).await.unwrap_err(), &what);
    }
    for (pointer, bad, variant) in variants(&person()) {
        let what = format!("{pointer}: {bad:?}");
        let contact: ContactReplace = serde_json::from_value(variant).unwrap();
        match bad {
            // A contact that was read may have empty fields, and is replaced as a whole.
            Bad::Empty => {}
            Bad::Long => assert!(warned(&contact), "{what}"),
            _ => is_invalid(
                &covage.replace_contact(&"8w10yfnb".parse().unwrap(), &contact).await.unwrap_err(),
                &what,
            ),
        }
    }
    assert_eq!(sandbox.covage().received().len(), 0, "nothing was sent");
    // The supplier decides: a value whose validation is skipped is sent.
    draft.skip_validation(["comment"]);
    let update = OrderUpdate { comment: Some(String::new()), ..Default::default() };
    assert_eq!(draft.complete(&covage, &update).await.unwrap_err().status().unwrap(), 404);
}

fn order() -> Value {
    json!({
        "operation": "ACTIVATE", "accessId": "a-1001", "service": "BB-100", "spReference": "SP-1",
        "spSubscriptionId": "S-1", "externalNote": "Välkommen\n\ttill Ankeborg",
        "characteristics": { "sla": "Gold", "ipAddress": ["192.0.2.1"] },
        "equipment": { "vendorId": "V-1", "macAddress": "02:00:00:00:00:FE" },
    })
}

#[test]
fn onapi_creating_calls_validate_their_texts() {
    let activation = json!({ "access": "a-1001", "body": order() });
    creation::<onapi::NewOrder>(activation, &[], never);
    let change = json!({
        "access": "a-1001",
        "body": { "operation": "CHANGE", "subscriptionId": "s-17", "service": "BB-100", "spReference": "SP-1" },
    });
    creation::<onapi::NewOrder>(change, &[], never);
    let ticket = json!({
        "spTicketReference": "TT-1", "heading": "No link", "description": "First\nsecond", "spReference": "SP-1",
        "createdBy": "Support", "accessId": "a-1001", "subscriptionId": "s-17",
        "additionalInfo": { "ip": "192.0.2.1", "mac": "02:00:00:00:00:FE" },
    });
    creation::<NewTicket>(ticket, &[], never);
    let comment = json!({
        "ticket": "TT-1042",
        "body": { "comment": { "createdBy": "Support", "message": "First\nsecond", "createdAt": "2026-03-03T10:00:00Z" } },
    });
    creation::<TicketChange>(comment, &[], never);
}

#[test]
fn onapi_references_that_may_be_personal_are_warned_about() {
    let mut odd = order();
    odd["spReference"] = "19811218-9876".into();
    odd["equipment"]["macAddress"] = "01:00:5E:00:00:01".into();
    let change: OrderChange = serde_json::from_value(odd.clone()).unwrap();
    assert_eq!(paths(&change, Warning::IdentityNumber), ["spReference"]);
    assert_eq!(paths(&change, Warning::GroupAddress), ["equipment.macAddress"]);
    let order: onapi::NewOrder = serde_json::from_value(json!({ "access": "a-1001", "body": odd })).unwrap();
    let order = Prepared::new(order).unwrap();
    assert_eq!(paths(&order, Warning::IdentityNumber), ["spReference"]);
    assert_eq!(paths(&order, Warning::GroupAddress), ["equipment.macAddress"]);
    let ticket = NewTicket::new("19811218-9876", "No link", "Since the storm");
    assert_eq!(paths(&ticket, Warning::IdentityNumber), ["spTicketReference"]);
}

#[tokio::test]
async fn onapi_changes_validate_their_texts() {
    let sandbox = sandbox().await;
    let network = onapi(&sandbox);
    let received: NetworkOrder =
        serde_json::from_value(json!({ "orderId": "o-1", "state": "RECEIVED", "accessId": "a-1001" }))
            .unwrap();
    let received = ReceivedOrder::try_from(received).unwrap();
    let mut sample = order();
    sample["subscriptionId"] = "s-17".into();
    for (pointer, bad, variant) in variants(&sample) {
        let Ok(change) = serde_json::from_value::<OrderChange>(variant) else { continue };
        // An empty string removes the existing note; no source says that `null` does.
        if (pointer.as_str(), bad) != ("/externalNote", Bad::Empty) {
            is_invalid(
                &received.change(&network, &change).await.unwrap_err(),
                &format!("{pointer}: {bad:?}"),
            );
        }
    }
    for nothing in [json!({}), json!({ "characteristics": {}, "equipment": {} })] {
        let change: OrderChange = serde_json::from_value(nothing).unwrap();
        is_invalid(&received.change(&network, &change).await.unwrap_err(), "nothing");
    }
    for service in ["", " ", "BB\n100", "BB\0"] {
        let other =
            onapi::NewOrder::activate(FromStr::from_str("a-1001").unwrap(), service, "SP-1".parse().unwrap());
        is_invalid(&received.replace(&network, &other).await.unwrap_err(), service);
    }
    assert_eq!(sandbox.onapi().received().len(), 0, "nothing was sent");
}
