//! Eligibility: the steps from a postal code to the offers that an order is based on.

use serde_json::{Value, json};

use super::error_response::{ErrorResponse, FieldError, fail_if_any};
use super::fixtures::{Building, CopperLine, Fixtures, Premises, Socket};
use super::products::{self, Products, Technology};
use super::query::Query;
use crate::json::{push, text_at};

/// The result of an eligibility check, as far as an order needs it.
#[derive(Debug, Clone)]
pub(super) struct EligibilityCheck {
    /// The index of the premises.
    pub(super) premises_index: usize,
    pub(super) target: Target,
    /// The codes of the offered products.
    pub(super) products: Vec<&'static str>,
}

/// What was checked.
#[derive(Debug, Clone)]
pub(super) enum Target {
    /// The copper line of the premises, and the kind of activation.
    CopperLine { activation_type: String },
    /// A building of the premises, by index.
    Building(usize),
    /// A socket, by the index of its building and its own.
    Socket(usize, usize),
}

impl EligibilityCheck {
    pub(super) fn technology(&self) -> Technology {
        match self.target {
            Target::CopperLine { .. } => Technology::Copper,
            _ => Technology::Fiber,
        }
    }
}

pub(super) fn cities(fixtures: &Fixtures, query: &Query) -> Value {
    let mut cities: Vec<Value> = Vec::new();
    for premises in fixtures.all().filter(|premises| premises.zipcode == query.text("zipcode")) {
        let city = json!({
            "kosc_insee_code": premises.kosc_insee_code,
            "city": premises.city,
            "locality": premises.city,
            "zipcode": premises.zipcode,
        });
        push_unique(&mut cities, city);
    }
    Value::Array(cities)
}

pub(super) fn streets(fixtures: &Fixtures, query: &Query) -> Value {
    let mut streets: Vec<Value> = Vec::new();
    for premises in
        fixtures.all().filter(|premises| premises.kosc_insee_code == query.text("kosc_insee_code"))
    {
        let street =
            json!({ "street_name": premises.street_name, "kosc_street_code": premises.kosc_street_code });
        push_unique(&mut streets, street);
    }
    Value::Array(streets)
}

pub(super) fn street_numbers(fixtures: &Fixtures, query: &Query) -> Value {
    fixtures
        .all()
        .filter(|premises| premises.kosc_street_code == query.text("kosc_street_code"))
        .map(|premises| json!({ "street_number": premises.street_number }))
        .collect()
}

pub(super) fn endpoints(fixtures: &Fixtures, query: &Query) -> Value {
    let premises = find_premises(fixtures, query);
    let line = premises.and_then(|premises| Some((premises, premises.line.as_ref()?)));
    line.into_iter()
        .filter(|(_, line)| query.get("status").is_none_or(|status| status == line_status(line)))
        .map(|(premises, line)| line_view(premises, line))
        .collect()
}

pub(super) fn buildings(fixtures: &Fixtures, query: &Query) -> Value {
    let premises = find_premises(fixtures, query);
    premises
        .into_iter()
        .flat_map(|premises| premises.buildings.iter().map(move |building| building_view(premises, building)))
        .collect()
}

/// Returns a building. The query selects the optional parts.
pub(super) fn building(fixtures: &Fixtures, reference: &str, query: &Query) -> Result<Value, ErrorResponse> {
    let found = fixtures.building(reference).and_then(|(premises, index)| {
        let premises = fixtures.at(premises)?;
        Some((premises, premises.buildings.get(index)?))
    });
    let (premises, building) = found.ok_or_else(|| ErrorResponse::not_found("building"))?;
    let mut view = building_view(premises, building);
    for socket in &building.sockets {
        let staircase = building.staircase(socket);
        if query.flag("include_stairs") {
            push(&mut view["stairs"][&staircase], json!(socket.floor));
        }
        if query.flag("include_otp_ref") {
            push(&mut view["stairs_with_otp_ref"][&staircase][&socket.floor], json!(socket.reference));
        }
    }
    Ok(view)
}

/// Returns when fibre will be available. The reason and date are present only for an address without fibre.
pub(super) fn forecast(fixtures: &Fixtures, query: &Query) -> Result<Value, ErrorResponse> {
    let extension = query.get("street_extension").unwrap_or_default().to_uppercase();
    let number = format!("{}{extension}", query.text("street_number"));
    let premises = fixtures.find(query.text("kosc_street_code"), &number);
    let premises =
        premises.ok_or_else(|| ErrorResponse::field("street_number", "There is no such address."))?;
    let mut forecast = json!({ "address": address(premises) });
    if premises.buildings.is_empty() {
        forecast["message_elig_code"] = json!("FIBER_NOT_YET_DEPLOYED");
        forecast["message_elig_text_fr"] = json!("La fibre n'est pas encore déployée à cette adresse");
        forecast["message_elig_text_en"] = json!("Fiber is not yet deployed at this address");
        forecast["message_elig_date"] = json!(FORECAST);
    }
    Ok(forecast)
}

/// The date from which fibre will be available.
pub(super) const FORECAST: &str = "2027-12-31";

/// Returns whether a number can be ported, which needs an active line. The reason is one of the supplier's list.
pub(super) fn portability(fixtures: &Fixtures, number: &str) -> Result<Value, ErrorResponse> {
    let premises = fixtures.line(number).and_then(|premises| fixtures.at(premises));
    let line = premises
        .and_then(|premises| premises.line.as_ref())
        .ok_or_else(|| ErrorResponse::not_found("line"))?;
    let reason = json!({ "code": "2105", "message": "The number is temporarily not portable" });
    let reasons = if line.active { Vec::new() } else { vec![reason] };
    Ok(json!([{
        "provider": "Operateur Cedant",
        "type": "port_in",
        "quarantine_end_date": null,
        "eligibility": { "eligible": line.active, "under_conditions": [], "reasons": reasons },
    }]))
}

/// Checks a line, a building or a socket. An unknown reference is an error: the page documents neither a response
/// without offers nor a reason.
pub(super) fn check(fixtures: &Fixtures, body: &Value) -> Result<EligibilityCheck, ErrorResponse> {
    let (premises_index, target) = match text_at(body, "/reference_type") {
        Some("line_number") => line_target(fixtures, body)?,
        Some("building") => building_target(fixtures, body)?,
        _ => socket_target(fixtures, body)?,
    };
    let mut check = EligibilityCheck { premises_index, target, products: Vec::new() };
    let lines = body["product_lines"].as_array();
    let lines: Option<Vec<_>> = lines.map(|lines| lines.iter().filter_map(Value::as_str).collect());
    check.products = products::product_codes(check.technology(), lines.as_deref());
    Ok(check)
}

pub(super) fn offers(
    fixtures: &Fixtures,
    products: &Products,
    reference: &str,
    check: &EligibilityCheck,
) -> Value {
    let products = check.products.iter().map(|code| json!({ "product": products.product(code) }));
    let offers: Value = products.collect();
    let mut answer = json!({ "eligibility_ref": reference, "offers": offers });
    if let Some(premises) = fixtures.at(check.premises_index) {
        answer["endpoint"] = match &check.target {
            Target::CopperLine { .. } => {
                premises.line.as_ref().map_or(Value::Null, |line| line_view(premises, line))
            }
            Target::Building(_) => json!({ "address": endpoint_address(premises) }),
            Target::Socket(building, socket) => premises
                .buildings
                .get(*building)
                .and_then(|building| building.sockets.get(*socket))
                .map_or(Value::Null, |socket| socket_view(premises, socket)),
        };
    }
    answer
}

/// Checks a line. `status` and `activation_type` are required (offers page).
fn line_target(fixtures: &Fixtures, body: &Value) -> Result<(usize, Target), ErrorResponse> {
    let mut errors = Vec::new();
    for name in ["status", "activation_type"] {
        if text_at(body, &format!("/{name}")).is_none() {
            errors.push(FieldError::required(name));
        }
    }
    fail_if_any(errors)?;
    let index = text_at(body, "/reference").and_then(|number| fixtures.line(number));
    let line = index.and_then(|index| Some((index, fixtures.at(index)?.line.as_ref()?)));
    let (index, line) = line.ok_or_else(|| ErrorResponse::field("reference", "There is no such line."))?;
    if text_at(body, "/status") != Some(line_status(line)) {
        return Err(ErrorResponse::field("status", "It is not that of the line."));
    }
    let activation_type = text_at(body, "/activation_type").unwrap_or_default().to_owned();
    Ok((index, Target::CopperLine { activation_type }))
}

fn building_target(fixtures: &Fixtures, body: &Value) -> Result<(usize, Target), ErrorResponse> {
    let found = text_at(body, "/reference").and_then(|reference| fixtures.building(reference));
    let (index, building) =
        found.ok_or_else(|| ErrorResponse::field("reference", "There is no such building."))?;
    Ok((index, Target::Building(building)))
}

fn socket_target(fixtures: &Fixtures, body: &Value) -> Result<(usize, Target), ErrorResponse> {
    let found = text_at(body, "/reference").and_then(|reference| fixtures.socket(reference));
    let (index, building, socket) =
        found.ok_or_else(|| ErrorResponse::field("reference", "There is no such socket."))?;
    Ok((index, Target::Socket(building, socket)))
}

fn find_premises<'a>(fixtures: &'a Fixtures, query: &Query) -> Option<&'a Premises> {
    fixtures.find(query.text("kosc_street_code"), query.text("street_number"))
}

pub(super) fn line_status(line: &CopperLine) -> &'static str {
    if line.active { "active" } else { "inactive" }
}

fn line_view(premises: &Premises, line: &CopperLine) -> Value {
    let mut copper = copper_facts(premises, line);
    copper["nra"] = json!(premises.exchange());
    json!({
        "endpoint_ref": line.number,
        "endpoint_ref_type": "line_number",
        "address": endpoint_address(premises),
        "copper_info": copper,
    })
}

fn socket_view(premises: &Premises, socket: &Socket) -> Value {
    let mut address = endpoint_address(premises);
    address["stairs"] = json!(socket.stairs);
    address["floor"] = json!(socket.floor);
    json!({
        "endpoint_ref": socket.reference,
        "endpoint_ref_type": "otp",
        "address": address,
        "fiber_info": {},
    })
}

/// Returns technical details of a line, which are derived from its number.
pub(super) fn copper_facts(premises: &Premises, line: &CopperLine) -> Value {
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
                "kosc_street_code": premises.kosc_street_code,
                "kosc_insee_code": premises.kosc_insee_code,
                "street_number": format!("{:0>5}", premises.street_number),
                "street_name": premises.street_name,
                "city": premises.city,
            },
        },
    })
}

fn endpoint_address(premises: &Premises) -> Value {
    json!({
        "kosc_street_code": premises.kosc_street_code,
        "kosc_insee_code": premises.kosc_insee_code,
        "street_number": premises.street_number,
        "street_name": premises.street_name,
        "city": premises.city,
    })
}

fn address(premises: &Premises) -> Value {
    let mut address = endpoint_address(premises);
    address["zipcode"] = json!(premises.zipcode);
    address
}

fn building_view(premises: &Premises, building: &Building) -> Value {
    json!({
        "operator_code": "FI",
        "operator_name": "OPERATEUR D IMMEUBLE",
        "name": building.name,
        "building_ref": building.reference,
        "type": if building.house { "HOUSE" } else { "BUILDING" },
        "nro": premises.exchange(),
        "address": address(premises),
        "code_interop": "OPIM",
        "code_l331": "OPIM",
        "reference_pm": format!("FI-{}-00AI", premises.kosc_insee_code),
        "latitude": "49.448179",
        "longitude": "1.076237",
    })
}

fn push_unique(list: &mut Vec<Value>, value: Value) {
    if !list.contains(&value) {
        list.push(value);
    }
}
