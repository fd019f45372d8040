//! What is known to show what it should not. Each entry is wrong as long as it is here, and a test fails when one is mended
//! and left here.

use std::collections::{BTreeMap, BTreeSet};

use lastmile::Prepared;
use lastmile::cocon::types::CustomerCreate;
use lastmile::cocon::{Batch, Connection, RouteScenario};
use lastmile::covage::types::{
    AppointmentSlot, EligibilityEndpoint, Event, EventData, Offer, Order, OrderCreate,
};
use lastmile::covage::types::{OrderEndpoint, OrderEndpointUpdate, OrderUpdate, ServiceFtthMigration};
use lastmile::covage::{Migrated, Socket};
use lastmile::onapi::types::Service;
use lastmile_sandbox::{Answer, Spec};
use lastmile_tests::{cocon, sandbox};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::generated::is_free;
use crate::marks::{PERSONAL, SOCKET, personal};

/// The types of the facade that show what they should not.
pub fn types() -> BTreeSet<&'static str> {
    ["lastmile::covage::draft::Socket"].into()
}

#[test]
fn the_place_of_a_socket_is_shown() {
    let socket = Socket { stairs: personal(), floor: personal() };
    assert!(format!("{socket:?}").contains(PERSONAL), "it is quiet now: take it off this list");
}

/// The names of buildings are postal code and house number.
#[tokio::test]
async fn buildings_that_are_left_out_are_shown() {
    let sandbox = sandbox().await;
    let answer = json!({ "failure": [{ "buildingName": PERSONAL }] });
    sandbox.cocon().answer_next("getDelayedConnectionBatch", Answer::json(200, &answer));
    let report = cocon(&sandbox).batch(&"1".parse().unwrap()).await.unwrap();
    let twice = Batch::new([PERSONAL; 2].map(|name| Connection::new(name, RouteScenario::KeepRoute)));
    let again = twice.failures(&report);
    assert_eq!(again.left_out, [PERSONAL]);
    assert!(format!("{again:?}").contains(PERSONAL), "it is quiet now: take it off this list");
}

#[test]
fn the_words_of_a_supplier_about_a_migration_are_shown() {
    let answer = json!({ "eligible": false, "data": PERSONAL });
    let answer: ServiceFtthMigration = serde_json::from_value(answer).unwrap();
    assert!(format!("{answer:?}").contains(PERSONAL), "it is quiet now: take it off this list");
    assert!(!format!("{:?}", Migrated::of(&answer)).contains(PERSONAL));
}

#[test]
fn the_reference_of_a_socket_is_shown_in_a_request() {
    let update = OrderEndpointUpdate { reference: SOCKET.to_owned() };
    assert!(format!("{update:?}").contains(SOCKET), "it is quiet now: take it off this list");
}

#[test]
fn a_stored_value_that_cannot_be_read_is_quoted_by_the_error() {
    let stored = json!({ "version": 1, "kind": "cocon.customer", "progress": "ready", "request": { "name": [PERSONAL] } });
    let error = serde_json::from_str::<Prepared<CustomerCreate>>(&stored.to_string()).unwrap_err();
    let stored = json!({ "version": 1, "kind": "cocon.customer", "progress": "ready", "request": PERSONAL });
    let quoting = serde_json::from_str::<Prepared<CustomerCreate>>(&stored.to_string()).unwrap_err();
    assert!(!error.to_string().contains(PERSONAL));
    assert!(quoting.to_string().contains(PERSONAL), "it is quiet now: take it off this list");
}

/// What is shown of an object whose fields no document lists: all of it, where elsewhere such fields are counted.
#[test]
fn free_objects_are_shown_whole() {
    fn shows<T: DeserializeOwned + std::fmt::Debug>(json: Value) {
        let value: T = serde_json::from_value(json).unwrap();
        assert!(format!("{value:?}").contains(PERSONAL), "it is quiet now: take it off this list");
    }
    let free = || json!({ "free": PERSONAL });
    shows::<AppointmentSlot>(free());
    shows::<EventData>(free());
    shows::<Event>(json!({ "data": free() }));
    shows::<Order>(json!({ "information": free() }));
    shows::<OrderCreate>(json!({ "information": free() }));
    shows::<OrderUpdate>(json!({ "information": free() }));
    shows::<OrderEndpoint>(json!({ "ont": free() }));
    shows::<EligibilityEndpoint>(json!({ "fiber_info": free() }));
    shows::<Service>(json!({ "characteristics": free() }));
    // It has fields beside the free ones, so they are counted.
    assert!(!format!("{:?}", serde_json::from_value::<Offer>(free()).unwrap()).contains(PERSONAL));

    let mut found = BTreeMap::<&str, Vec<String>>::new();
    for (api, spec) in [("cocon", Spec::cocon()), ("covage", Spec::covage()), ("onapi", Spec::onapi())] {
        let document = spec.document();
        for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
            let properties = schema["properties"].as_object().into_iter().flatten();
            let free =
                properties.filter(|(_, one)| is_free(document, one) && one.get("x-sensitive").is_none());
            found.entry(api).or_default().extend(free.map(|(property, _)| format!("{name}.{property}")));
        }
    }
    let covage = [
        "EligibilityEndpoint.fiber_info",
        "Event.data",
        "Order.information",
        "OrderCreate.information",
        "OrderEndpoint.ont",
        "OrderUpdate.information",
    ];
    assert_eq!(found["cocon"], [""; 0]);
    assert_eq!(found["covage"], covage);
    assert_eq!(found["onapi"], ["Service.characteristics"]);
}
