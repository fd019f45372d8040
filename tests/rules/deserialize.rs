//! The error for an invalid value does not quote the value.

use std::any::type_name;
use std::collections::BTreeSet;

use lastmile::cocon::BatchId;
use lastmile::covage::EventCursor as CovageEventCursor;
use lastmile::onapi::{Cursor, EventCursor, PeriodId, SyncState, TicketReference};
use lastmile::rules::*;
use lastmile::wire::{Segment, Timestamp};
use lastmile_tests::sources;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// A person's number, and the same as a string.
const NUMBER: u64 = 81_352_886_600_029;
const TEXT: &str = "81352886600029 Kalle";

/// Returns a value of each JSON type that contains a person's data.
fn each_type() -> Vec<Value> {
    vec![
        json!(NUMBER),
        json!(-81_352_886_600_029_i64),
        json!(8_135_288_660_002.9),
        json!(true),
        json!(null),
        json!(TEXT),
        json!([NUMBER, TEXT]),
        json!([[NUMBER]]),
        json!({ TEXT: NUMBER }),
        json!({ "type": NUMBER, "coordinates": [[TEXT]] }),
        json!({ "type": "Point", "coordinates": [[TEXT]] }),
        json!({ "type": "Point", "coordinates": TEXT }),
        json!({ "type": "Point", "bbox": TEXT, "coordinates": [] }),
        json!({ "newRoute": TEXT, "isWithoutGeometry": TEXT }),
        json!({ "isWithoutGeometry": NUMBER }),
        json!({ "startDate": NUMBER, "endDate": TEXT }),
        json!({ "endDate": TEXT }),
        json!({ "ipv4CircuitId": NUMBER }),
        json!({ "rows": NUMBER, "full_at": TEXT }),
        json!({ "full_at": TEXT }),
        json!({ "place": TEXT, "known": TEXT }),
        json!({ "place": 1, "known": [NUMBER] }),
        json!({ "place": 1, "known": [], "search": TEXT }),
    ]
}

/// Returns the type's own name.
fn quotes_nothing<T: DeserializeOwned>() -> &'static str {
    let name = type_name::<T>().rsplit("::").next().unwrap();
    let mut errors = 0;
    for value in each_type() {
        let text = value.to_string();
        let read = [
            serde_json::from_value::<T>(value).map(drop),
            serde_json::from_str::<T>(&text).map(drop),
            serde_json::from_slice::<T>(text.as_bytes()).map(drop),
            serde_json::from_str::<Vec<T>>(&format!("[{text}]")).map(drop),
        ];
        for error in read.into_iter().filter_map(Result::err) {
            let shown = format!("{error}\n{error:?}");
            let quoted = ["8135288660002", "Kalle", "8.135"].into_iter().find(|mark| shown.contains(mark));
            assert!(quoted.is_none(), "{name}: {shown}");
            errors += 1;
        }
    }
    assert!(errors > 20, "{name} takes nearly everything");
    name
}

macro_rules! each {
    ($($type:ty),* $(,)?) => { [$(quotes_nothing::<$type>()),*] };
}

#[test]
fn no_rule_quotes_an_invalid_value() {
    let texts = each![
        ApartmentNumber,
        BuildingRef,
        CountryCode,
        CovageEmail,
        CovageOrderRef,
        CovagePhone,
        CovageServiceRef,
        CovageText,
        CovageZipCode,
        LineNumber,
        MacAddress,
        OnApiId,
        OnApiPhone,
        OnApiPostalCode,
        OnApiStreetNumber,
        Option82,
        Otp,
        Rio,
        Siret,
        StairsKey,
    ];
    let declared = sources::text_rules();
    assert_eq!(BTreeSet::from(texts.map(str::to_owned)), declared);
    each![ContractDates, DhcpIdentifier, Geometry, GeometryKind, RouteScenario];
}

#[test]
fn no_stored_type_quotes_an_invalid_value() {
    each![
        BatchId,
        CovageEventCursor,
        Cursor,
        EventCursor,
        PeriodId,
        SyncState,
        TicketReference,
        Segment,
        Timestamp
    ];
}

#[test]
fn errors_name_the_expectation_and_the_position() {
    let says = |error: serde_json::Error| error.to_string();
    assert_eq!(
        says(serde_json::from_str::<Siret>("81352886600029").unwrap_err()),
        "invalid type, expected a string at line 1 column 14"
    );
    let route =
        serde_json::from_str::<Geometry>(r#"{"type":"Point","coordinates":[["Kalle"]]}"#).unwrap_err();
    assert!(says(route).starts_with("invalid type, expected f64 at line 1"));
    let siret = serde_json::from_str::<Siret>("\"813 528\"").unwrap_err().to_string();
    assert!(siret.starts_with("the character ' ' at index 3"), "the rule's own words stay: {siret}");
    assert!(serde_json::from_str::<Siret>("\"813").unwrap_err().is_eof(), "an error of the JSON stays");
}
