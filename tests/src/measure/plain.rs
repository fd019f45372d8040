//! The type of a row as a generator that trusts the documents makes it.

use serde::Deserialize;

/// An access as a generator that trusts the documents makes it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(dead_code, reason = "decoding it is what is measured")]
pub struct PlainAccess {
    access_id: Option<String>,
    legacy_access_id: Option<String>,
    street_name: Option<String>,
    street_number: Option<String>,
    street_littera: Option<String>,
    postal_code: Option<String>,
    city: Option<String>,
    country_code: Option<String>,
    premises_type: Option<Premises>,
    mdu_apartment_number: Option<String>,
    mdu_distinguisher: Option<String>,
    outlet: Option<String>,
    population: Option<String>,
    price_group: Option<i64>,
    access_state: Option<State>,
    #[serde(rename = "nationalAddressUUID")]
    national_address_uuid: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Premises {
    MduApartment,
    ResidentialHouse,
    Commercial,
}

#[derive(Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum State {
    Connected,
    HomesPassed,
    Planned,
}
