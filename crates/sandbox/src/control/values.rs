//! The values of the control API as JSON.

use serde_json::{Map, Value, json};

use super::Controlled;
use super::Shared;
use crate::fault::{Fault, Faults};
use crate::json::text;
use crate::object::ObjectSnapshot;
use crate::received::ReceivedRequest;
use crate::script::Answer;
use crate::{ClockMode, ParseFaultError};

/// How many objects and requests of a supplier an overview has at most: the latest.
const OVERVIEW_OBJECTS: usize = 100;
const OVERVIEW_REQUESTS: usize = 30;

/// Returns what the page shows of all suppliers.
pub(super) fn overview(shared: &Shared) -> Value {
    let suppliers: Vec<_> = shared
        .suppliers
        .iter()
        .map(|supplier| {
            let objects = supplier.objects();
            let latest = &objects[objects.len().saturating_sub(OVERVIEW_OBJECTS)..];
            let requests = {
                let state = supplier.supplier().dispatcher().state();
                let first = state.received.arrived().saturating_sub(OVERVIEW_REQUESTS);
                let latest = state.received.since(first);
                latest.map(|(index, received)| request_summary(index, received)).collect::<Vec<_>>()
            };
            json!({
                "supplier": supplier.name().key(),
                "time": supplier.time(),
                "objectCount": objects.len(),
                "objects": latest.iter().map(object).collect::<Vec<_>>(),
                "requests": requests,
                "faults": supplier.supplier().faults().iter().map(faults).collect::<Vec<_>>(),
                "scripted": scripted(&**supplier),
                "effects": effects(&**supplier),
            })
        })
        .collect();
    json!({ "clock": clock(shared.clock), "suppliers": suppliers })
}

fn clock(mode: ClockMode) -> Value {
    match mode {
        ClockMode::Manual => json!({ "mode": "manual" }),
        ClockMode::Wall { speed } => json!({ "mode": "wall", "speed": speed }),
    }
}

pub(super) fn supplier(supplier: &dyn Controlled) -> Value {
    let (name, handle) = (supplier.name(), supplier.supplier());
    let base_url = handle.base_url();
    let origin = base_url.strip_suffix(handle.prefix()).unwrap_or(&base_url);
    let operations = handle.spec().operations().map(|operation| {
        json!({ "operation": operation.id, "method": operation.method.as_str(), "path": operation.path })
    });
    let credentials = supplier.credentials();
    let credentials = credentials.iter().map(|one| json!({ "name": one.name, "value": one.value }));
    let example = supplier.example();
    let steps = example.iter().map(|step| {
        let headers: Map<_, _> =
            step.headers.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
        let mut value = json!({
            "title": step.title,
            "method": step.method,
            "path": format!("{}{}", handle.prefix(), step.path),
            "headers": headers,
            "curl": step.curl(&base_url),
        });
        if let Some(body) = &step.body {
            value["body"] = json!(body.to_string());
        }
        if let Some((variable, field)) = step.sets {
            value["sets"] = json!({ "variable": variable, "field": field });
        }
        value
    });
    json!({
        "supplier": name.key(),
        "name": name.to_string(),
        "country": name.country(),
        "baseUrl": base_url,
        "document": format!("{origin}/openapi.yaml"),
        "time": supplier.time(),
        "credentials": credentials.collect::<Vec<_>>(),
        "operations": operations.collect::<Vec<_>>(),
        "example": steps.collect::<Vec<_>>(),
    })
}

pub(super) fn object(object: &ObjectSnapshot) -> Value {
    json!({
        "kind": object.kind.name(),
        "id": object.id,
        "reference": object.reference,
        "description": object.description,
        "state": object.state,
        "open": object.open,
    })
}

fn request_summary(index: usize, received: &ReceivedRequest) -> Value {
    json!({
        "number": index + 1,
        "operation": received.operation,
        "method": received.method.as_str(),
        "path": received.path,
        "query": received.query,
        "status": received.status,
        "fault": received.fault.map(|fault| fault.to_string()),
        "tookEffect": received.took_effect,
        "problems": received.problems,
    })
}

pub(super) fn request(index: usize, received: &ReceivedRequest) -> Value {
    let mut value = request_summary(index, received);
    let headers = received.headers.iter().map(|(name, value)| json!({ "name": name, "value": value }));
    value["headers"] = headers.collect();
    value["body"] = json!(String::from_utf8_lossy(&received.body));
    value
}

/// Returns how many requests arrived, and how many took effect, by operation.
pub(super) fn effects(supplier: &dyn Controlled) -> Value {
    let handle = supplier.supplier();
    let state = handle.dispatcher().state();
    let mut operations = Map::new();
    for (name, received) in state.arrivals() {
        operations.insert(name.to_owned(), json!({ "received": received, "tookEffect": 0 }));
    }
    for (name, effects) in state.effects.iter() {
        let counts = operations.entry(name).or_insert_with(|| json!({ "received": 0 }));
        counts["tookEffect"] = json!(effects);
    }
    json!({
        "operations": operations,
        "refusedConnections": state.refused_connections,
        "violations": state.violations,
    })
}

/// Returns the scripted steps that no request has used yet.
fn scripted(supplier: &dyn Controlled) -> Value {
    let state = supplier.supplier().dispatcher().state();
    let steps =
        state.script.pending().map(|(operation, step)| json!({ "operation": operation, "step": step }));
    steps.collect()
}

pub(super) fn faults(faults: &Faults) -> Value {
    json!({
        "share": faults.share(),
        "faults": faults.kinds().iter().map(Fault::to_string).collect::<Vec<_>>(),
        "operations": faults.operations().collect::<Vec<_>>(),
        "refusedConnections": faults.refused_connections(),
        "seed": faults.seed(),
    })
}

/// Reads settings of faults that were validated against the document.
pub(super) fn parse_faults(value: &Value) -> Result<Faults, String> {
    let number = |field: &str| value.get(field).and_then(Value::as_f64);
    let texts = |field: &str| {
        let list = value.get(field).and_then(Value::as_array);
        list.into_iter().flatten().filter_map(Value::as_str)
    };
    let kinds: Result<Vec<Fault>, ParseFaultError> = texts("faults").map(str::parse).collect();
    let kinds = kinds.map_err(|error| error.to_string())?;
    let share = number("share").unwrap_or(if kinds.is_empty() { 0.0 } else { 1.0 });
    if share > 0.0 && kinds.is_empty() {
        return Err("a share of requests gets faults, but no faults are named".to_owned());
    }
    let seed = value.get("seed").and_then(Value::as_u64).unwrap_or(1);
    let faults =
        Faults::new(seed, share, kinds).refusing_connections(number("refusedConnections").unwrap_or(0.0));
    let operations: Vec<_> = texts("operations").collect();
    Ok(if operations.is_empty() { faults } else { faults.only(operations) })
}

/// Reads a response that was validated against the document.
pub(super) fn parse_answer(value: &Value) -> Result<Answer, String> {
    let status = value.get("status").and_then(Value::as_u64).and_then(|status| u16::try_from(status).ok());
    let status = status.ok_or("the answer has no status")?;
    let answer = match (value.get("json"), text(value, "body")) {
        (Some(_), Some(_)) => return Err("the answer has both json and body".to_owned()),
        (Some(json), None) => Answer::json(status, json),
        (None, body) => Answer::status(status).body(body.unwrap_or_default()),
    };
    let headers = value.get("headers").and_then(Value::as_object).into_iter().flatten();
    let headers = headers.filter_map(|(name, value)| Some((name, value.as_str()?)));
    Ok(headers.fold(answer, |answer, (name, value)| answer.header(name, value)))
}
