//! What a place can have: the chain from a postal code to the offers that an order starts from.

use serde_json::{Value, json};

use super::catalogue::{self, Catalogue, Technology};
use super::field;
use super::query::Query;
use super::refusal::{Fault, Refusal, none_of};
use super::town::{Building, Line, Premises, Socket, Town};

/// An eligibility answer, as far as an order needs it.
#[derive(Debug, Clone)]
pub(super) struct Check {
    /// Which place of the town.
    pub(super) place: usize,
    pub(super) target: Target,
    /// The products that were offered.
    pub(super) products: Vec<&'static str>,
}

/// What was asked about.
#[derive(Debug, Clone)]
pub(super) enum Target {
    /// The copper line of the place, and what is to be ordered of it.
    Line { activation_type: String },
    /// One of the buildings.
    Building(usize),
    /// One of the sockets of one of the buildings.
    Socket(usize, usize),
}

impl Check {
    pub(super) fn technology(&self) -> Technology {
        match self.target {
            Target::Line { .. } => Technology::Copper,
            _ => Technology::Fiber,
        }
    }
}

pub(super) fn cities(town: &Town, query: &Query) -> Value {
    let mut cities: Vec<Value> = Vec::new();
    for place in town.all().filter(|place| place.zipcode == query.text("zipcode")) {
        let city = json!({
            "kosc_insee_code": place.kosc_insee_code,
            "city": place.city,
            "locality": place.city,
            "zipcode": place.zipcode,
        });
        add_once(&mut cities, city);
    }
    Value::Array(cities)
}

pub(super) fn streets(town: &Town, query: &Query) -> Value {
    let mut streets: Vec<Value> = Vec::new();
    for place in town.all().filter(|place| place.kosc_insee_code == query.text("kosc_insee_code")) {
        let street = json!({ "street_name": place.street_name, "kosc_street_code": place.kosc_street_code });
        add_once(&mut streets, street);
    }
    Value::Array(streets)
}

pub(super) fn street_numbers(town: &Town, query: &Query) -> Value {
    town.all()
        .filter(|place| place.kosc_street_code == query.text("kosc_street_code"))
        .map(|place| json!({ "street_number": place.street_number }))
        .collect()
}

pub(super) fn endpoints(town: &Town, query: &Query) -> Value {
    let place = asked_for(town, query);
    let line = place.and_then(|place| Some((place, place.line.as_ref()?)));
    line.into_iter()
        .filter(|(_, line)| query.get("status").is_none_or(|status| status == line_status(line)))
        .map(|(place, line)| line_view(place, line))
        .collect()
}

pub(super) fn buildings(town: &Town, query: &Query) -> Value {
    let place = asked_for(town, query);
    place
        .into_iter()
        .flat_map(|place| place.buildings.iter().map(move |building| building_view(place, building)))
        .collect()
}

/// Both parts of the answer are given where both are asked for.
pub(super) fn building(town: &Town, reference: &str, query: &Query) -> Result<Value, Refusal> {
    let found = town.building(reference).and_then(|(place, index)| {
        let place = town.at(place)?;
        Some((place, place.buildings.get(index)?))
    });
    let (place, building) = found.ok_or_else(|| Refusal::not_found("building"))?;
    let mut view = building_view(place, building);
    for socket in &building.sockets {
        let staircase = building.staircase(socket);
        if query.flag("include_stairs") {
            push(&mut view["stairs"][&staircase], socket.floor.as_str());
        }
        if query.flag("include_otp_ref") {
            push(&mut view["stairs_with_otp_ref"][&staircase][&socket.floor], socket.reference.as_str());
        }
    }
    Ok(view)
}

/// For an address that fibre does not reach yet there is a reason and a date, for any other only the address.
pub(super) fn forecast(town: &Town, query: &Query) -> Result<Value, Refusal> {
    let extension = query.get("street_extension").unwrap_or_default().to_uppercase();
    let number = format!("{}{extension}", query.text("street_number"));
    let place = town.find(query.text("kosc_street_code"), &number);
    let place = place.ok_or_else(|| Refusal::field("street_number", "There is no such address."))?;
    let mut forecast = json!({ "address": address(place) });
    if place.buildings.is_empty() {
        forecast["message_elig_code"] = json!("FIBER_NOT_YET_DEPLOYED");
        forecast["message_elig_text_fr"] = json!("La fibre n'est pas encore déployée à cette adresse");
        forecast["message_elig_text_en"] = json!("Fiber is not yet deployed at this address");
        forecast["message_elig_date"] = json!(FORECAST);
    }
    Ok(forecast)
}

/// When fibre comes to where it is not.
pub(super) const FORECAST: &str = "2027-12-31";

/// Only a line in use can be ported; the reason is one that the supplier's list has.
pub(super) fn portability(town: &Town, number: &str) -> Result<Value, Refusal> {
    let place = town.line(number).and_then(|place| town.at(place));
    let line = place.and_then(|place| place.line.as_ref()).ok_or_else(|| Refusal::not_found("line"))?;
    let reason = json!({ "code": "2105", "message": "The number is temporarily not portable" });
    let reasons = if line.active { Vec::new() } else { vec![reason] };
    Ok(json!([{
        "provider": "Operateur Cedant",
        "type": "port_in",
        "quarantine_end_date": null,
        "eligibility": { "eligible": line.active, "under_conditions": [], "reasons": reasons },
    }]))
}

/// What was asked about, and what it can have. A reference that leads nowhere is refused: the page shows
/// neither an answer without offers nor a reason.
pub(super) fn check(town: &Town, body: &Value) -> Result<Check, Refusal> {
    let (place, target) = match field(body, "/reference_type") {
        Some("line_number") => line_target(town, body)?,
        Some("building") => building_target(town, body)?,
        _ => socket_target(town, body)?,
    };
    let mut check = Check { place, target, products: Vec::new() };
    let lines = body["product_lines"].as_array();
    let lines: Option<Vec<_>> = lines.map(|lines| lines.iter().filter_map(Value::as_str).collect());
    check.products = catalogue::offered(check.technology(), lines.as_deref());
    Ok(check)
}

pub(super) fn offers(town: &Town, catalogue: &Catalogue, reference: &str, check: &Check) -> Value {
    let products = check.products.iter().map(|code| json!({ "product": catalogue.product(code) }));
    let offers: Value = products.collect();
    let mut answer = json!({ "eligibility_ref": reference, "offers": offers });
    if let Some(place) = town.at(check.place) {
        answer["endpoint"] = match &check.target {
            Target::Line { .. } => place.line.as_ref().map_or(Value::Null, |line| line_view(place, line)),
            Target::Building(_) => json!({ "address": endpoint_address(place) }),
            Target::Socket(building, socket) => place
                .buildings
                .get(*building)
                .and_then(|building| building.sockets.get(*socket))
                .map_or(Value::Null, |socket| socket_view(place, socket)),
        };
    }
    answer
}

/// `status` and `activation_type` are needed for a line (offers page).
fn line_target(town: &Town, body: &Value) -> Result<(usize, Target), Refusal> {
    let mut faults = Vec::new();
    for name in ["status", "activation_type"] {
        if field(body, &format!("/{name}")).is_none() {
            faults.push(Fault::required(name));
        }
    }
    none_of(faults)?;
    let place = field(body, "/reference").and_then(|number| town.line(number));
    let line = place.and_then(|place| Some((place, town.at(place)?.line.as_ref()?)));
    let (place, line) = line.ok_or_else(|| Refusal::field("reference", "There is no such line."))?;
    if field(body, "/status") != Some(line_status(line)) {
        return Err(Refusal::field("status", "It is not that of the line."));
    }
    let activation_type = field(body, "/activation_type").unwrap_or_default().to_owned();
    Ok((place, Target::Line { activation_type }))
}

fn building_target(town: &Town, body: &Value) -> Result<(usize, Target), Refusal> {
    let found = field(body, "/reference").and_then(|reference| town.building(reference));
    let (place, building) = found.ok_or_else(|| Refusal::field("reference", "There is no such building."))?;
    Ok((place, Target::Building(building)))
}

fn socket_target(town: &Town, body: &Value) -> Result<(usize, Target), Refusal> {
    let found = field(body, "/reference").and_then(|reference| town.socket(reference));
    let (place, building, socket) =
        found.ok_or_else(|| Refusal::field("reference", "There is no such socket."))?;
    Ok((place, Target::Socket(building, socket)))
}

fn asked_for<'a>(town: &'a Town, query: &Query) -> Option<&'a Premises> {
    town.find(query.text("kosc_street_code"), query.text("street_number"))
}

pub(super) fn line_status(line: &Line) -> &'static str {
    if line.active { "active" } else { "inactive" }
}

fn line_view(place: &Premises, line: &Line) -> Value {
    let mut copper = copper_facts(place, line);
    copper["nra"] = json!(place.exchange());
    json!({
        "endpoint_ref": line.number,
        "endpoint_ref_type": "line_number",
        "address": endpoint_address(place),
        "copper_info": copper,
    })
}

fn socket_view(place: &Premises, socket: &Socket) -> Value {
    let mut address = endpoint_address(place);
    address["stairs"] = json!(socket.stairs);
    address["floor"] = json!(socket.floor);
    json!({
        "endpoint_ref": socket.reference,
        "endpoint_ref_type": "otp",
        "address": address,
        "fiber_info": {},
    })
}

/// Technical facts about a line, which its number decides.
pub(super) fn copper_facts(place: &Premises, line: &Line) -> Value {
    let number: u32 = line.number.trim_start_matches('0').parse().unwrap_or_default();
    let pairs = number % 12 + 1;
    json!({
        "status": line_status(line),
        "unlisted_number": number.is_multiple_of(5),
        "available_pairs": pairs,
        "max_available_pairs": pairs + 2,
        "under_construction": false,
        "sections_lengths": [{ "diameter": 4, "length": 400 + number % 2_000 }],
        "concentration_point": {
            "latlng": {
                "latitude": f64::from(430_000 + number % 9_999) / 10_000.0,
                "longitude": f64::from(70_000 + number % 9_973) / 10_000.0,
            },
            "address": {
                "kosc_street_code": place.kosc_street_code,
                "kosc_insee_code": place.kosc_insee_code,
                "street_number": format!("{:0>5}", place.street_number),
                "street_name": place.street_name,
                "city": place.city,
            },
        },
    })
}

fn endpoint_address(place: &Premises) -> Value {
    json!({
        "kosc_street_code": place.kosc_street_code,
        "kosc_insee_code": place.kosc_insee_code,
        "street_number": place.street_number,
        "street_name": place.street_name,
        "city": place.city,
    })
}

fn address(place: &Premises) -> Value {
    let mut address = endpoint_address(place);
    address["zipcode"] = json!(place.zipcode);
    address
}

fn building_view(place: &Premises, building: &Building) -> Value {
    json!({
        "operator_code": "FI",
        "operator_name": "OPERATEUR D IMMEUBLE",
        "name": building.name,
        "building_ref": building.reference,
        "type": if building.house { "HOUSE" } else { "BUILDING" },
        "nro": place.exchange(),
        "address": address(place),
        "code_interop": "OPIM",
        "code_l331": "OPIM",
        "reference_pm": format!("FI-{}-00AI", place.kosc_insee_code),
        "latitude": "49.448179",
        "longitude": "1.076237",
    })
}

fn add_once(list: &mut Vec<Value>, value: Value) {
    if !list.contains(&value) {
        list.push(value);
    }
}

/// Adds a text to a list that may not have been begun.
fn push(list: &mut Value, text: &str) {
    if !list.is_array() {
        *list = json!([]);
    }
    if let Some(list) = list.as_array_mut() {
        list.push(Value::from(text));
    }
}
