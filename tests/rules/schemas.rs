use lastmile::rules::{self, ContractDates, DhcpIdentifier, Geometry, RouteScenario};
use schemars::{JsonSchema, schema_for};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

/// Checks for each value that a type and its schema agree, according to an independent validator.
fn agree<T: JsonSchema + Serialize + DeserializeOwned>(good: &[Value], bad: &[Value]) {
    let schema = serde_json::to_value(schema_for!(T)).unwrap();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    for value in good {
        assert!(validator.is_valid(value), "{}: its schema refuses {value}", T::schema_name());
        let read: T = serde_json::from_value(value.clone()).unwrap();
        let written = serde_json::to_value(&read).unwrap();
        assert!(validator.is_valid(&written), "{}: its schema refuses {written}", T::schema_name());
    }
    for value in bad {
        assert!(!validator.is_valid(value), "{}: its schema takes {value}", T::schema_name());
        assert!(serde_json::from_value::<T>(value.clone()).is_err(), "{} takes {value}", T::schema_name());
    }
}

#[test]
fn objects_match_their_schema() {
    agree::<DhcpIdentifier>(
        &[
            json!({}),
            json!({ "ipv4CircuitId": "A", "ipv4RemoteId": null, "ipv6InterfaceId": "C", "ipv6RemoteId": "D" }),
        ],
        &[json!({ "ipv4CircuitId": 1 }), json!("A")],
    );
    agree::<Geometry>(
        &[
            json!({ "type": "Point", "bbox": [0], "coordinates": [[0, 0], [0, 0]] }),
            json!({ "type": "Polygon", "bbox": null, "coordinates": [[0, 0.5, 1]] }),
        ],
        &[
            json!({ "type": "", "coordinates": [[0, 0]] }),
            json!({ "type": "Point", "coordinates": [] }),
            json!({ "type": "Point", "coordinates": [[0]] }),
            json!({ "type": "Point", "coordinates": [0, 0] }),
            json!({ "coordinates": [[0, 0]] }),
        ],
    );
    let route = json!({ "type": "LineString", "coordinates": [[0, 0], [1, 1]] });
    agree::<RouteScenario>(
        &[
            json!({ "isWithoutGeometry": true }),
            json!({ "newRoute": null, "isWithoutGeometry": true }),
            json!({ "newRoute": route, "isWithoutGeometry": false }),
            json!({ "newRoute": route, "isWithoutGeometry": null }),
            json!({ "newRoute": route }),
        ],
        &[
            json!({}),
            json!({ "isWithoutGeometry": false }),
            json!({ "newRoute": null }),
            json!({ "newRoute": route, "isWithoutGeometry": true }),
        ],
    );
    agree::<ContractDates>(
        &[json!({ "endDate": "2026-12-31" }), json!({ "startDate": null, "endDate": "2026-12-31" })],
        &[json!({ "startDate": "2026-01-01" }), json!({ "endDate": null })],
    );
}

#[test]
fn texts_match_their_schema() {
    agree::<rules::CovageText>(
        &[json!("Rue de la république\u{a0}(bât. B) [_]{-}")],
        &[json!("L'As"), json!(1)],
    );
    agree::<rules::StairsKey>(&[json!("NA^1"), json!("_NA_")], &[json!("NA^"), json!("N")]);
    agree::<rules::BuildingRef>(&[json!("IMB/76540/X/043X")], &[json!("a\\b"), json!("")]);
    agree::<rules::OnApiPhone>(&[json!("+468214930")], &[json!("08214930")]);
    agree::<rules::MacAddress>(&[json!("aa:bb:cc:dd:ee:ff")], &[json!("aa-bb-cc-dd-ee-ff")]);
    agree::<rules::Option82>(
        &[json!("520A01036162630203313233"), json!("52020200")],
        &[json!("5200"), json!("53")],
    );
}

#[test]
fn a_caller_s_schema_references_the_rules() {
    let mut generator = schemars::SchemaGenerator::default();
    generator.subschema_for::<rules::Siret>();
    generator.subschema_for::<Option<rules::Otp>>();
    let definitions = generator.take_definitions(true);
    assert_eq!(definitions["Siret"]["pattern"], "^[0-9]{14}$");
    assert_eq!(definitions["Otp"]["description"], "an OTP is such as FI-1234-4234 or FIE-2523-4523");
}
