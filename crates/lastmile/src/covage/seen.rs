//! A snapshot of the fields of a draft that determine what is ordered.

use std::fmt;

use lastmile_covage::types::Order;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::prepared::Match;

/// The fields that determine what is ordered, as the caller last saw them. A submission contains them, and compares them with
/// the draft before it is sent.
///
/// A change of a draft whose response was lost may be carried out later, after a newer change. The draft may then have another
/// socket than the one that the caller chose.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Seen(Map<String, Value>);

/// The fields of an order that the caller determines, each with its relevant inner fields. An empty list stands for all inner
/// fields. Fields that the platform fills in, such as ids and dates, are not included.
const FIELDS: [(&str, &[&str]); 12] = [
    ("type", &[]),
    ("request_type", &[]),
    ("eligibility_ref", &[]),
    ("service_ref", &[]),
    ("service_uuid", &[]),
    ("comment", &[]),
    ("product", &["code"]),
    ("end_customer", &[]),
    ("operator_info", &[]),
    ("options", &["enabled", "value", "prefix_code", "rio_code"]),
    ("allow_second_rdv", &[]),
    ("address_second_rdv", &[]),
];

/// Inner fields that the platform fills in.
const OF_PLATFORM: [&str; 7] =
    ["uuid", "id", "href", "links", "_links", "creation_date", "modification_date"];

/// The kind of order that a snapshot is compared with.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// A draft that was read. A missing field has no value.
    Draft,
    /// The response to a submission. A missing field is not conclusive.
    Answer,
}

/// Hides the content, because what is ordered and for whom is personal data.
impl fmt::Debug for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seen((hidden))")
    }
}

impl Seen {
    pub(super) fn of(order: &Order) -> Self {
        let order = serde_json::to_value(order).unwrap_or_default();
        let mut seen = Map::new();
        for (field, inside) in FIELDS {
            let value = match (field, &order[field]) {
                ("options", Value::Object(options)) => {
                    let options = options.iter().map(|(name, option)| (name.clone(), only(option, inside)));
                    Value::Object(options.collect())
                }
                (_, value) if inside.is_empty() => value.clone(),
                (_, value) => only(value, inside),
            };
            seen.insert(field.to_owned(), value);
        }
        let bounds = objects(&order["bounds"]).into_iter().map(|bound| {
            let endpoints: Vec<Value> = objects(&bound["endpoints"])
                .into_iter()
                .map(|endpoint| only(endpoint, &["uuid", "reference", "type"]))
                .collect();
            serde_json::json!({ "uuid": bound["uuid"], "address": bound["address"], "endpoints": endpoints })
        });
        seen.insert("bounds".to_owned(), bounds.collect());
        seen.retain(|_, value| !value.is_null());
        Self(seen)
    }

    /// Returns the fields in which a draft that was read differs from the snapshot.
    pub(super) fn differences(&self, draft: &Order) -> Vec<&'static str> {
        self.compared(draft, Mode::Draft)
    }

    /// Returns the fields in which the response to the submission differs from the snapshot. Fields that are missing from the
    /// response are not compared.
    pub(super) fn differences_in_response(&self, answer: &Order) -> Vec<&'static str> {
        self.compared(answer, Mode::Answer)
    }

    fn compared(&self, order: &Order, mode: Mode) -> Vec<&'static str> {
        let Self(now) = Self::of(order);
        let is_termination = plain(&self.0.get("type").and_then(text).unwrap_or_default()) == "terminate";
        let names = FIELDS.iter().map(|(field, _)| *field).chain(["bounds"]);
        names
            // The platform fills in the service that results from an activation.
            .filter(|field| is_termination || !field.starts_with("service_"))
            .filter(|field| {
                let was = self.0.get(*field).unwrap_or(&Value::Null);
                let now = now.get(*field).unwrap_or(&Value::Null);
                !match *field {
                    "bounds" => are_same_bounds(was, now, mode),
                    "options" => are_same_options(was, now, mode),
                    field => is_same(field, was, now, mode),
                }
            })
            .collect()
    }
}

/// Returns whether two values of a field are equal. Servers represent an unset field in several ways, write numbers as texts,
/// and change the spelling of texts.
fn is_same(name: &str, was: &Value, now: &Value, mode: Mode) -> bool {
    if (is_empty(was) && is_empty(now)) || (mode == Mode::Answer && now.is_null()) {
        return true;
    }
    match (was, now) {
        (Value::Object(_) | Value::Null, Value::Object(_)) | (Value::Object(_), Value::Null) => {
            names(was, now)
                .all(|name| OF_PLATFORM.contains(&name) || is_same(name, &was[name], &now[name], mode))
        }
        (Value::Array(was), Value::Array(now)) => {
            was.len() == now.len() && was.iter().zip(now).all(|(was, now)| is_same(name, was, now, mode))
        }
        // A response may contain a link in place of an object.
        (Value::Object(_), Value::String(_)) => mode == Mode::Answer,
        _ if is_truth(name) => truth(was) == truth(now),
        _ => match (text(was), text(now)) {
            (Some(given), Some(held)) => {
                is_same_text(name, &given, &held, was.is_number() != now.is_number())
            }
            _ => false,
        },
    }
}

fn is_same_text(name: &str, given: &str, held: &str, is_one_number: bool) -> bool {
    if name.contains("phone") {
        let (given, held) = (national(given), national(held));
        if !given.is_empty() || !held.is_empty() {
            return given == held;
        }
    }
    match name {
        // A truncated reference is a different reference.
        "reference" | "eligibility_ref" | "service_ref" => plain(given) == plain(held),
        "service_uuid" => is_same_id(given, held),
        _ if is_one_number => plain(given).trim_start_matches('0') == plain(held).trim_start_matches('0'),
        _ => Match::of_text(held, given) != Match::No,
    }
}

/// Returns the digits of a phone number that are the same with and without the country code.
fn national(number: &str) -> String {
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    digits[digits.len().saturating_sub(9)..].to_owned()
}

/// Returns a reference without the differences that servers introduce: spaces and letter case.
pub(super) fn plain(text: &str) -> String {
    text.split_whitespace().collect::<String>().to_lowercase()
}

fn is_same_id(one: &str, other: &str) -> bool {
    plain(one).replace('-', "") == plain(other).replace('-', "")
}

/// Compares options. An option that is disabled equals an option that is missing.
fn are_same_options(was: &Value, now: &Value, mode: Mode) -> bool {
    if !matches!((was, now), (Value::Object(_), _) | (_, Value::Object(_))) {
        return mode == Mode::Answer || (is_empty(was) && is_empty(now));
    }
    names(was, now).all(|name| {
        let (was, now) = (&was[name], &now[name]);
        let is_said = mode == Mode::Draft || !is_empty(now);
        match (is_off(was), is_off(now)) {
            (true, true) => true,
            (false, false) => is_same(name, was, now, mode),
            _ => !is_said,
        }
    })
}

fn is_off(option: &Value) -> bool {
    match &option["enabled"] {
        Value::Null => is_empty(option),
        enabled => !truth(enabled),
    }
}

/// Compares the ends of the line: their addresses, and their sockets or lines.
fn are_same_bounds(was: &Value, now: &Value, mode: Mode) -> bool {
    let is_same_bound = |was: &Value, now: &Value| is_same_bound(was, now, mode);
    let (pairs, added) = pairs(objects(was), objects(now), is_same_bound);
    let is_gone = |bound: &Value| {
        mode == Mode::Draft
            && (!is_empty(&bound["address"]) || objects(&bound["endpoints"]).into_iter().any(has_reference))
    };
    pairs.into_iter().all(|(was, now)| match now {
        Some(now) => is_same_bound(was, now),
        None => !is_gone(was),
    }) && !added.into_iter().any(|bound| objects(&bound["endpoints"]).into_iter().any(is_set_socket))
}

fn is_same_bound(was: &Value, now: &Value, mode: Mode) -> bool {
    let (was_at, now_at) = (&was["address"], &now["address"]);
    let is_same_address = match (was_at, now_at) {
        (Value::Object(_), Value::Object(_)) => {
            // The platform fills in the fields that the caller left empty.
            names(was_at, now_at).all(|name| {
                is_empty(&was_at[name])
                    || OF_PLATFORM.contains(&name)
                    || is_same(name, &was_at[name], &now_at[name], mode)
            })
        }
        _ => is_empty(was_at) || is_same("address", was_at, now_at, mode),
    };
    let is_same_endpoint = |was: &Value, now: &Value| is_same_endpoint(was, now, mode);
    let (pairs, added) = pairs(objects(&was["endpoints"]), objects(&now["endpoints"]), is_same_endpoint);
    is_same_address
        && pairs.into_iter().all(|(was, now)| match now {
            Some(now) => is_same_endpoint(was, now),
            None => mode == Mode::Answer || !has_reference(was),
        })
        && !added.into_iter().any(is_set_socket)
}

fn is_same_endpoint(was: &Value, now: &Value, mode: Mode) -> bool {
    let is_filled_in = is_empty(&was["reference"]) && !is_set_socket(now);
    is_same("type", &was["type"], &now["type"], mode)
        && (is_filled_in || is_same("reference", &was["reference"], &now["reference"], mode))
}

fn has_reference(endpoint: &Value) -> bool {
    !is_empty(&endpoint["reference"])
}

/// Returns whether an endpoint is a socket with a reference. An endpoint without a type may be a socket.
fn is_set_socket(endpoint: &Value) -> bool {
    let is_socket = text(&endpoint["type"]).is_none_or(|kind| plain(&kind) == "otp");
    is_socket && has_reference(endpoint)
}

type Pairs<'a> = (Vec<(&'a Value, Option<&'a Value>)>, Vec<&'a Value>);

/// Pairs each element of the snapshot with its current element, by id or else by index, and returns the added elements
/// separately.
fn pairs<'a>(
    was: Vec<&'a Value>,
    now: Vec<&'a Value>,
    is_same: impl Fn(&Value, &Value) -> bool,
) -> Pairs<'a> {
    let id = |value: &Value| text(&value["uuid"]).filter(|id| !id.is_empty());
    let mut left: Vec<Option<&Value>> = now.into_iter().map(Some).collect();
    let mut paired: Vec<(&Value, Option<&Value>)> = was
        .into_iter()
        .map(|was| {
            let known = id(was);
            let is_it = |now: &Value| known.as_deref().zip(id(now)).is_some_and(|(a, b)| is_same_id(a, &b));
            (was, left.iter_mut().find(|now| now.is_some_and(is_it)).and_then(Option::take))
        })
        .collect();
    // An element whose id is unknown or has changed is the element at the same index, or another element that is equal to it.
    for (place, (was, now)) in paired.iter_mut().enumerate().filter(|(_, (_, now))| now.is_none()) {
        let fits = |at: &usize| left.get(*at).copied().flatten().is_some_and(|now| is_same(was, now));
        let lacks_id =
            |at: &usize| left.get(*at).copied().flatten().is_some_and(|now| id(was).and(id(now)).is_none());
        let at = Some(place)
            .filter(fits)
            .or_else(|| (0..left.len()).find(fits))
            .or_else(|| Some(place).filter(lacks_id));
        *now = at.and_then(|at| left.get_mut(at)?.take());
    }
    (paired, left.into_iter().flatten().collect())
}

/// Returns the field names of both objects.
fn names<'a>(one: &'a Value, other: &'a Value) -> impl Iterator<Item = &'a str> {
    let fields = [one, other].into_iter().filter_map(Value::as_object);
    fields.flat_map(Map::keys).map(String::as_str)
}

/// Returns the objects of a list, or the single object in place of a list. Links are ignored.
fn objects(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(list) => list.iter().filter(|item| item.is_object()).collect(),
        Value::Object(_) => vec![value],
        _ => Vec::new(),
    }
}

fn only(value: &Value, fields: &[&str]) -> Value {
    let Value::Object(value) = value else { return value.clone() };
    let kept = value.iter().filter(|(name, _)| fields.contains(&name.as_str()));
    Value::Object(kept.map(|(name, value)| (name.clone(), value.clone())).collect())
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        Value::Null => Some(String::new()),
        _ => None,
    }
}

fn is_truth(name: &str) -> bool {
    matches!(name, "enabled" | "allow_second_rdv")
}

/// Returns a value as a boolean. Servers also write booleans as numbers and texts.
fn truth(value: &Value) -> bool {
    text(value).is_some_and(|text| !matches!(plain(&text).as_str(), "" | "false" | "0" | "no"))
}

/// Returns whether a value is empty. An empty text, list or object, and `false`, are equivalent to a missing field, because
/// responses use them interchangeably.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(items) => items.iter().all(is_empty),
        Value::Object(fields) => fields.values().all(is_empty),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn order(json: Value) -> Order {
        serde_json::from_value(json).unwrap()
    }

    fn draft() -> Value {
        json!({
            "uuid": "u-1", "status": "draft", "type": "activate", "request_type": "activate_defined",
            "product": { "code": "FP01", "name": "Fibre" }, "comment": null, "allow_second_rdv": true,
            "operator_info": { "order_ref": "SP-1", "contact_uuid": "c-1" },
            "end_customer": {
                "type": "company", "name": "Société Anka", "siret": "12345678900012",
                "contact": { "phone_number": "0612345678", "email": "kajsa@sp.example" },
            },
            "options": {
                "gtr": { "enabled": true, "value": "4h", "default_value": "8h" },
                "porta": { "enabled": false, "value": "" },
            },
            "bounds": [
                { "uuid": "b-1", "endpoints": [{ "uuid": "e-1", "type": "otp", "reference": "FI-1", "locked": false }],
                  "address": { "floor": "1", "stairs": "" } },
                { "uuid": "b-2", "endpoints": [] },
            ],
            "modification_date": "2026-03-02T06:00:00Z",
        })
    }

    /// Returns the draft with other values at some paths. `null` removes the field.
    fn with(changes: &[(&str, Value)]) -> Order {
        let mut changed = draft();
        for (pointer, value) in changes {
            let (parent, name) = pointer.rsplit_once('/').unwrap();
            match (changed.pointer_mut(parent).unwrap(), value) {
                (Value::Object(fields), Value::Null) => drop(fields.remove(name)),
                (Value::Object(fields), value) => drop(fields.insert(name.to_owned(), value.clone())),
                (Value::Array(items), value) => items.insert(name.parse().unwrap(), value.clone()),
                _ => panic!("{pointer}"),
            }
        }
        order(changed)
    }

    #[test]
    fn what_the_caller_decides_is_compared() {
        let seen = Seen::of(&order(draft()));
        for (pointer, value, field) in [
            ("/bounds/0/endpoints/0/reference", json!("FI-2"), "bounds"),
            ("/bounds/0/endpoints/0/uuid", json!("e-9"), ""),
            ("/bounds/0/endpoints/0", json!({ "uuid": "e-2", "type": "otp", "reference": "FI-2" }), "bounds"),
            ("/bounds/1/endpoints/0", json!({ "type": "otp", "reference": "FI-2" }), "bounds"),
            (
                "/bounds/2",
                json!({ "uuid": "b-3", "endpoints": [{ "type": "otp", "reference": "FI-2" }] }),
                "bounds",
            ),
            ("/bounds/0/address/floor", json!("2"), "bounds"),
            ("/request_type", json!("create"), "request_type"),
            ("/type", json!("terminate"), "type"),
            ("/product/code", json!("FP02"), "product"),
            ("/options/gtr/value", json!("8h"), "options"),
            ("/options/gtr/enabled", json!(false), "options"),
            ("/options/porta/enabled", json!(true), "options"),
            ("/options/other", json!({ "enabled": true }), "options"),
            ("/end_customer/name", json!("Ankeborg"), "end_customer"),
            ("/end_customer/contact/phone_number", json!("0612345679"), "end_customer"),
            ("/operator_info/order_ref", json!("SP-10"), "operator_info"),
            ("/comment", json!("Ring twice"), "comment"),
            ("/allow_second_rdv", json!(false), "allow_second_rdv"),
        ] {
            let changed = with(&[(pointer, value)]);
            let differs: Vec<&str> = [field].into_iter().filter(|field| !field.is_empty()).collect();
            assert_eq!(seen.differences(&changed), differs, "{pointer}");
            assert_eq!(seen.differences_in_response(&changed), differs, "{pointer}");
        }
    }

    #[test]
    fn another_way_to_write_the_same_is_no_difference() {
        let seen = Seen::of(&order(draft()));
        for (pointer, value) in [
            ("/bounds/0/endpoints/0/reference", json!(" fi-1")),
            ("/bounds/0/endpoints/0", json!({ "uuid": "l-1", "type": "line_number", "reference": "0123" })),
            ("/bounds/0/endpoints/1", json!({ "uuid": "e-3", "type": "otp" })),
            ("/bounds/0/address/stairs", json!("A")),
            ("/bounds/0/address/city", json!("Ankeborg")),
            ("/bounds/0/address/floor", json!(1)),
            ("/bounds/1/address", json!({ "city": "Ankeborg" })),
            ("/bounds/2", json!({ "uuid": "b-3" })),
            ("/bounds/0/uuid", Value::Null),
            ("/options/porta", Value::Null),
            ("/options/other", json!({ "enabled": false, "value": "x" })),
            ("/options/gtr/enabled", json!(1)),
            ("/product/code", json!("fp01")),
            ("/end_customer/name", json!("SOCIETE  ANKA")),
            ("/end_customer/siret", json!(12_345_678_900_012_u64)),
            ("/end_customer/uuid", json!("k-1")),
            ("/end_customer/contact/phone_number", json!("+33 6 12 34 56 78")),
            ("/end_customer/contact/cell_phone_number", json!("")),
            ("/service_ref", json!("S1")),
            ("/service_uuid", json!("s-1")),
            ("/comment", json!(" ")),
            ("/address_second_rdv", json!({ "city": "" })),
        ] {
            let changed = with(&[(pointer, value)]);
            assert_eq!(seen.differences(&changed), Vec::<&str>::new(), "{pointer}");
            assert_eq!(seen.differences_in_response(&changed), Vec::<&str>::new(), "{pointer}");
        }
    }

    #[test]
    fn a_cut_reference_is_another_socket() {
        let reference = "FI-12345-67890-12345-67890";
        let seen = Seen::of(&with(&[("/bounds/0/endpoints/0/reference", json!(reference))]));
        let cut = with(&[("/bounds/0/endpoints/0/reference", json!(&reference[..22]))]);
        assert_eq!(seen.differences(&cut), ["bounds"]);
        assert_eq!(seen.differences_in_response(&cut), ["bounds"]);
    }

    #[test]
    fn what_is_missing_differs_in_a_draft_and_not_in_an_answer() {
        let seen = Seen::of(&order(draft()));
        for (pointer, value, field) in [
            ("/bounds", Value::Null, "bounds"),
            ("/bounds", json!([]), "bounds"),
            ("/bounds", json!(["/bounds/b-1", "/bounds/b-2"]), "bounds"),
            ("/bounds/0/endpoints", json!(["/endpoints/e-1"]), "bounds"),
            ("/bounds/0/address", json!("/addresses/a-1"), "bounds"),
            ("/end_customer", Value::Null, "end_customer"),
            ("/end_customer", json!("/customers/k-1"), "end_customer"),
            ("/end_customer/siret", Value::Null, "end_customer"),
            ("/options", Value::Null, "options"),
            ("/options", json!([]), "options"),
            ("/options/gtr", Value::Null, "options"),
            ("/operator_info", Value::Null, "operator_info"),
            ("/product", Value::Null, "product"),
            ("/request_type", Value::Null, "request_type"),
            ("/allow_second_rdv", Value::Null, "allow_second_rdv"),
        ] {
            let changed = with(&[(pointer, value)]);
            assert_eq!(seen.differences(&changed), [field], "{pointer}");
            assert_eq!(seen.differences_in_response(&changed), Vec::<&str>::new(), "{pointer}");
        }
        let short = order(json!({ "uuid": "u-1", "status": "submitted" }));
        assert_eq!(seen.differences_in_response(&short), Vec::<&str>::new());
    }

    #[test]
    fn the_service_matters_to_its_termination() {
        let ends = |service: &str| order(json!({ "type": "terminate", "service_ref": service }));
        let seen = Seen::of(&ends("S1"));
        assert_eq!(seen.differences(&ends("s1 ")), Vec::<&str>::new());
        assert_eq!(seen.differences(&ends("S2")), ["service_ref"]);
        assert_eq!(seen.differences_in_response(&ends("S2")), ["service_ref"]);
    }

    #[test]
    fn what_the_platform_fills_in_is_not() {
        let seen = Seen::of(&order(draft()));
        let mut changed = draft();
        changed["status"] = json!("submitted");
        changed["modification_date"] = json!("2026-03-03T06:00:00Z");
        changed["product"]["name"] = json!("Fibre 1G");
        changed["options"]["gtr"]["default_value"] = json!("12h");
        changed["bounds"].as_array_mut().unwrap().reverse();
        changed["bounds"][1]["endpoints"][0]["locked"] = json!(true);
        changed["bounds"][1]["address"]["stairs"] = Value::Null;
        changed.as_object_mut().unwrap().remove("comment");
        assert_eq!(seen.differences(&order(changed.clone())), Vec::<&str>::new());
        assert_eq!(seen.differences_in_response(&order(changed)), Vec::<&str>::new());
        let again: Seen = serde_json::from_str(&serde_json::to_string(&seen).unwrap()).unwrap();
        assert_eq!(again, seen);
        assert_eq!(format!("{seen:?}"), "Seen((hidden))");
    }
}
