//! The ends of the line that an order is for.

use serde_json::{Value, json};

use super::eligibility::{Check, Target, copper_facts};
use super::journal::Journal;
use super::town::{Building, Premises, Socket};

/// The end of the line that an activation starts with: what the eligibility answer knew, and nothing that the
/// caller has to give.
pub(super) fn of_activation(place: &Premises, check: &Check, journal: &mut Journal) -> Value {
    let building = |index: usize| place.buildings.get(index);
    match &check.target {
        Target::Line { activation_type } => copper(place, activation_type, journal),
        Target::Building(index) => fiber(place, building(*index), None, journal),
        Target::Socket(index, socket) => {
            let building = building(*index);
            fiber(place, building, building.and_then(|building| building.sockets.get(*socket)), journal)
        }
    }
}

/// The number of the line is fixed. A new line at another address has a street number of its own, which the
/// caller gives (`create_neighbour`, text on the address of an order).
fn copper(place: &Premises, activation_type: &str, journal: &mut Journal) -> Value {
    let mut address = address(place);
    address["floor"] = json!("00");
    if activation_type == "create_neighbour" {
        address["street_number"] = Value::Null;
    }
    let line = place.line.as_ref();
    json!({
        "uuid": journal.uuid(),
        "endpoints": [{
            "uuid": journal.uuid(),
            "reference": line.map(|line| &line.number),
            "type": "line_number",
            "locked": true,
            "information": line.map(|line| copper_facts(place, line)),
        }],
        "address": without_nulls(address),
        "information": { "co": place.exchange() },
    })
}

/// A socket that was checked is fixed, and the platform knows where it is; any other is the caller's to give.
fn fiber(
    place: &Premises,
    building: Option<&Building>,
    socket: Option<&Socket>,
    journal: &mut Journal,
) -> Value {
    let mut address = address(place);
    address["building_name"] = json!(building.map(|building| &building.name));
    address["building_code"] = json!(building.map(|building| &building.reference));
    let bound = journal.uuid();
    let mut endpoint = json!({ "uuid": journal.uuid(), "type": "otp", "locked": socket.is_some() });
    match socket {
        Some(socket) => {
            endpoint["reference"] = json!(socket.reference);
            address["stairs"] = json!(socket.stairs);
            address["floor"] = json!(socket.floor);
        }
        None => endpoint["ont"] = json!({}),
    }
    json!({
        "uuid": bound,
        "endpoints": [endpoint],
        "address": without_nulls(address),
        "information": { "co": place.exchange() },
    })
}

/// The end of a line in operation, with what the sample of a termination shows of it.
pub(super) fn of_copper_service(place: &Premises, journal: &mut Journal) -> Value {
    let mut bound = copper(place, "activate", journal);
    let endpoint = &mut bound["endpoints"][0];
    endpoint["locked"] = json!(false);
    let facts = &mut endpoint["information"];
    *facts = json!({
        "dti_presence": false,
        "sections_lengths": facts["sections_lengths"],
        "head": "D/52621",
        "starter": 20,
        "pair": 7,
        "concentration_point": facts["concentration_point"],
    });
    bound
}

/// The ends of a service's line, as an order about them has them: the same with identifiers of its own.
pub(super) fn copied(bounds: &Value, journal: &mut Journal) -> Value {
    let mut bounds = bounds.clone();
    for bound in bounds.as_array_mut().into_iter().flatten() {
        bound["uuid"] = json!(journal.uuid());
        for endpoint in bound["endpoints"].as_array_mut().into_iter().flatten() {
            endpoint["uuid"] = json!(journal.uuid());
        }
    }
    bounds
}

fn address(place: &Premises) -> Value {
    json!({
        "kosc_street_code": place.kosc_street_code,
        "kosc_insee_code": place.kosc_insee_code,
        "zipcode": place.zipcode,
        "street_name": place.street_name,
        "street_number": place.street_number,
        "city": place.city,
    })
}

fn without_nulls(mut object: Value) -> Value {
    if let Some(fields) = object.as_object_mut() {
        fields.retain(|_, value| !value.is_null());
    }
    object
}
