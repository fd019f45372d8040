//! The ends of the line that an order is for, which the API calls bounds.

use serde_json::{Value, json};

use super::eligibility::{EligibilityCheck, Target, copper_facts};
use super::fixtures::{Building, Premises, Socket};
use super::generator::Generator;

/// Returns the bound that an activation starts with: what the eligibility check determined, without the fields that
/// the client has to send.
pub(super) fn of_activation(
    premises: &Premises,
    check: &EligibilityCheck,
    generator: &mut Generator,
) -> Value {
    let building = |index: usize| premises.buildings.get(index);
    match &check.target {
        Target::CopperLine { activation_type } => copper(premises, activation_type, generator),
        Target::Building(index) => fiber(premises, building(*index), None, generator),
        Target::Socket(index, socket) => {
            let building = building(*index);
            fiber(premises, building, building.and_then(|building| building.sockets.get(*socket)), generator)
        }
    }
}

/// Returns the bound of a copper line. Its number is fixed. For a new line at another address the client sends the
/// street number (`create_neighbour`, text on the address of an order).
fn copper(premises: &Premises, activation_type: &str, generator: &mut Generator) -> Value {
    let mut address = address(premises);
    address["floor"] = json!("00");
    if activation_type == "create_neighbour" {
        address["street_number"] = Value::Null;
    }
    let line = premises.line.as_ref();
    json!({
        "uuid": generator.uuid(),
        "endpoints": [{
            "uuid": generator.uuid(),
            "reference": line.map(|line| &line.number),
            "type": "line_number",
            "locked": true,
            "information": line.map(|line| copper_facts(premises, line)),
        }],
        "address": without_nulls(address),
        "information": { "co": premises.exchange() },
    })
}

/// Returns the bound of a fibre line. A checked socket is fixed, and its location is known; any other socket is sent
/// by the client.
fn fiber(
    premises: &Premises,
    building: Option<&Building>,
    socket: Option<&Socket>,
    generator: &mut Generator,
) -> Value {
    let mut address = address(premises);
    address["building_name"] = json!(building.map(|building| &building.name));
    address["building_code"] = json!(building.map(|building| &building.reference));
    let bound = generator.uuid();
    let mut endpoint = json!({ "uuid": generator.uuid(), "type": "otp", "locked": socket.is_some() });
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
        "information": { "co": premises.exchange() },
    })
}

/// Returns the bound of an active copper service, with the fields that the sample of a termination has.
pub(super) fn of_copper_service(premises: &Premises, generator: &mut Generator) -> Value {
    let mut bound = copper(premises, "activate", generator);
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

/// Copies the bounds of a service for an order about it, with new identifiers.
pub(super) fn copied(bounds: &Value, generator: &mut Generator) -> Value {
    let mut bounds = bounds.clone();
    for bound in bounds.as_array_mut().into_iter().flatten() {
        bound["uuid"] = json!(generator.uuid());
        for endpoint in bound["endpoints"].as_array_mut().into_iter().flatten() {
            endpoint["uuid"] = json!(generator.uuid());
        }
    }
    bounds
}

fn address(premises: &Premises) -> Value {
    json!({
        "kosc_street_code": premises.kosc_street_code,
        "kosc_insee_code": premises.kosc_insee_code,
        "zipcode": premises.zipcode,
        "street_name": premises.street_name,
        "street_number": premises.street_number,
        "city": premises.city,
    })
}

fn without_nulls(mut object: Value) -> Value {
    if let Some(fields) = object.as_object_mut() {
        fields.retain(|_, value| !value.is_null());
    }
    object
}
