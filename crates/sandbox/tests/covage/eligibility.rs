//! From a postal code to the offers.

use serde_json::{Value, json};

use crate::caller::{Caller, faults, fields};

const OFFERS: &str = "/api/v2/eligibility/offers/";

fn at(call: &str, street: &Value, number: &Value) -> String {
    let (street, number) = (street.as_str().unwrap(), number.as_str().unwrap());
    format!("/api/v2/eligibility/{call}/?kosc_street_code={street}&street_number={number}")
}

#[tokio::test]
async fn a_postal_code_leads_to_offers() {
    let caller = Caller::new().await;
    let zipcode = &caller.place(0).zipcode;
    let cities = caller.get(&format!("/api/v2/eligibility/cities/?zipcode={zipcode}")).await;
    assert_eq!(cities.as_array().unwrap().len(), 2, "two municipalities share the postal code");
    let insee = cities[0]["kosc_insee_code"].as_str().unwrap();
    let streets = caller.get(&format!("/api/v2/eligibility/streets/?kosc_insee_code={insee}")).await;
    assert_eq!(streets.as_array().unwrap().len(), 3);
    let street = &streets[0]["kosc_street_code"];
    let code = street.as_str().unwrap();
    let numbers = caller.get(&format!("/api/v2/eligibility/street_numbers/?kosc_street_code={code}")).await;
    assert_eq!(numbers.as_array().unwrap().len(), 6);

    let lines = caller.get(&at("endpoints", street, &numbers[0]["street_number"])).await;
    let active = &lines[0];
    assert_eq!(active["endpoint_ref_type"], "line_number");
    let body = json!({
        "reference": active["endpoint_ref"], "reference_type": "line_number",
        "status": active["copper_info"]["status"], "activation_type": "activate",
    });
    let offers = caller.post(OFFERS, body).await;
    assert!(offers["eligibility_ref"].as_str().unwrap().starts_with("elig-"));
    let codes: Vec<_> = (0..3).map(|index| &offers["offers"][index]["product"]["code"]).collect();
    assert_eq!(codes, ["AM01", "SD01", "SM01"]);

    let buildings = caller.get(&at("buildings", street, &numbers[0]["street_number"])).await;
    let body = json!({ "reference": buildings[0]["building_ref"], "reference_type": "building" });
    let offers = caller.post(OFFERS, body).await;
    let codes: Vec<_> = (0..2).map(|index| &offers["offers"][index]["product"]["code"]).collect();
    assert_eq!(codes, ["FP01", "FP05"]);
    caller.assert_sound();
}

#[tokio::test]
async fn every_kind_of_premises_has_its_own_response() {
    let caller = Caller::new().await;
    let (mut buildings, mut lines, mut served) = (Vec::new(), Vec::new(), Vec::new());
    for kind in 0..6 {
        let (street, number) =
            (json!(caller.place(kind).kosc_street_code), json!(caller.place(kind).street_number));
        buildings.push(caller.get(&at("buildings", &street, &number)).await.as_array().unwrap().len());
        let found = caller.get(&at("endpoints", &street, &number)).await;
        lines.push(found[0]["copper_info"]["status"].clone());
        let inactive = caller.get(&format!("{}&status=inactive", at("endpoints", &street, &number))).await;
        assert_eq!(inactive.as_array().unwrap().len(), usize::from(kind == 1));
        served.push(
            caller.get(&at("forecast_eligibility", &street, &number)).await["message_elig_code"].is_null(),
        );
    }
    assert_eq!(buildings, [1, 1, 2, 1, 0, 0]);
    assert_eq!(
        lines,
        [json!("active"), json!("inactive"), json!("active"), json!("active"), json!("active"), Value::Null]
    );
    assert_eq!(served, [true, true, true, true, false, false]);
    let house = caller.place(3);
    assert!(house.street_number.ends_with('B') && house.buildings[0].house);
    let (street, number) = (&house.kosc_street_code, house.street_number.trim_end_matches('B'));
    let extended = format!(
        "/api/v2/eligibility/forecast_eligibility/?kosc_street_code={street}&street_number={number}&street_extension=b"
    );
    assert_eq!(caller.get(&extended).await["address"]["street_number"], house.street_number.as_str());
    caller.assert_sound();
}

#[tokio::test]
async fn a_building_shows_its_staircases_and_sockets_on_request() {
    let caller = Caller::new().await;
    let building = &caller.place(1).buildings[0];
    let path = format!("/api/v2/eligibility/buildings/{}/", building.reference.replace('/', "%2F"));
    let bare = caller.get(&path).await;
    assert_eq!((&bare["stairs"], &bare["stairs_with_otp_ref"]), (&Value::Null, &Value::Null));
    assert_eq!(bare["building_ref"], building.reference.as_str());
    let stairs = caller.get(&format!("{path}?include_stairs=true")).await["stairs"].clone();
    assert_eq!(stairs, json!({ "A^1": ["0", "1", "2"], "A^2": ["0", "1", "2"] }));
    let sockets = caller.get(&format!("{path}?include_otp_ref=true")).await["stairs_with_otp_ref"].clone();
    let first = &building.sockets[0];
    assert_eq!(sockets["A^1"]["0"], json!([first.reference]));
    let house = caller.place(3).buildings[0].reference.replace('/', "%2F");
    let house = caller.get(&format!("/api/v2/eligibility/buildings/{house}/?include_stairs=true")).await;
    assert_eq!(house["stairs"], json!({ "_NA_": ["0"] }));

    let raw = caller.call("GET", &path.replace("%2F", "/"), Value::Null).await;
    assert_eq!(raw.status, 404, "the reference is one segment");
    let unknown = caller.call("GET", "/api/v2/eligibility/buildings/IMB%2F1/", Value::Null).await;
    assert_eq!(unknown.status, 404);
    caller.assert_sound();
}

#[tokio::test]
async fn a_socket_is_checked_by_either_form_of_its_reference() {
    let caller = Caller::new().await;
    let sockets = &caller.place(1).buildings[0].sockets;
    for length in [12, 13] {
        let socket = sockets.iter().find(|socket| socket.reference.len() == length).unwrap();
        let body = json!({ "reference": socket.reference, "reference_type": "otp" });
        let answer = caller.post(OFFERS, body).await;
        assert_eq!(answer["endpoint"]["address"]["floor"], socket.floor.as_str());
        let order = caller.draft(&answer, "FP01").await;
        assert_eq!(order["request_type"], "activate_defined");
        assert_eq!(order["bounds"][0]["endpoints"][0]["locked"], true);
        assert_eq!(order["bounds"][0]["address"]["stairs"], socket.stairs.as_str());
    }
    caller.assert_sound();
}

#[tokio::test]
async fn an_unknown_reference_is_rejected() {
    let caller = Caller::new().await;
    let number = &caller.place(0).line.as_ref().unwrap().number;
    let line = |extra: Value| {
        let mut body = json!({ "reference": number, "reference_type": "line_number" });
        body.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        body
    };
    let cases = [
        (json!({}), vec!["reference", "reference_type"]),
        (line(json!({})), vec!["activation_type", "status"]),
        (line(json!({ "status": "active" })), vec!["activation_type"]),
        (line(json!({ "status": "inactive", "activation_type": "activate" })), vec!["status"]),
        (json!({ "reference": "0", "reference_type": "building" }), vec!["reference"]),
        (json!({ "reference": "FI-0000-0000", "reference_type": "otp" }), vec!["reference"]),
        (json!({ "reference": "0", "reference_type": "house" }), vec!["reference_type"]),
    ];
    for (body, expected) in cases {
        assert_eq!(fields(&caller.refused("POST", OFFERS, body.clone()).await), expected, "{body}");
    }
    assert_eq!(caller.covage.took_effect("createOffers"), 0);
    let some =
        line(json!({ "status": "active", "activation_type": "create", "product_lines": ["AM", "FP"] }));
    let offers = caller.post(OFFERS, some).await;
    assert_eq!(offers["offers"].as_array().unwrap().len(), 1, "of copper lines, those asked for");
    caller.assert_sound();
}

#[tokio::test]
async fn query_parameters_are_validated() {
    let caller = Caller::new().await;
    let cases = [
        ("/api/v2/eligibility/cities/", vec!["zipcode"]),
        ("/api/v2/eligibility/cities/?zipcode=1", vec!["zipcode"]),
        ("/api/v2/eligibility/streets/?kosc_insee_code=123456", vec!["kosc_insee_code"]),
        ("/api/v2/eligibility/buildings/", vec!["kosc_street_code", "street_number"]),
        ("/api/v2/eligibility/endpoints/?kosc_street_code=1&street_number=2&status=off", vec!["status"]),
        (
            "/api/v2/eligibility/forecast_eligibility/?kosc_street_code=1&street_number=2",
            vec!["street_number"],
        ),
        ("/api/v2/orders/?page=2", vec!["query"]),
        ("/api/events/?sort=type", vec!["sort"]),
    ];
    for (target, expected) in cases {
        assert_eq!(fields(&caller.refused("GET", target, Value::Null).await), expected, "{target}");
    }
    let page =
        caller.covage.received().into_iter().find(|request| request.query.as_deref() == Some("page=2"));
    assert_eq!(page.unwrap().problems, ["query: the parameter 'page' is not documented"]);
    assert_eq!(caller.get("/api/v2/eligibility/cities/?zipcode=00000").await, json!([]));
    caller.assert_sound();
}

#[tokio::test]
async fn a_number_in_use_can_be_ported() {
    let caller = Caller::new().await;
    for (kind, eligible) in [(0, true), (1, false)] {
        let number = &caller.place(kind).line.as_ref().unwrap().number;
        let found = caller.get(&format!("/api/eligibility/endpoints/{number}/portability/")).await;
        assert_eq!(found[0]["eligibility"]["eligible"], eligible);
        assert_eq!(found[0]["eligibility"]["reasons"].as_array().unwrap().is_empty(), eligible);
    }
    let unknown = caller.call("GET", "/api/eligibility/endpoints/1/portability/", Value::Null).await;
    assert_eq!(unknown.status, 404);
    assert!(faults(&unknown).is_empty());
    caller.assert_sound();
}
