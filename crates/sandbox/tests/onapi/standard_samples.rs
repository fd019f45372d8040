//! The samples of the standard: each is valid in the documents of the versions that show it, and the sandbox of these
//! dialects carries out each request.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use lastmile_sandbox::onapi::Availability;
use lastmile_sandbox::{Dialect, OnApi, Sandbox};
use serde_json::{Value, json};

use crate::caller::{Caller, finish};

struct Sample {
    name: String,
    operation: String,
    /// `request` or a status code.
    part: String,
    dialects: Vec<Dialect>,
    body: Value,
}

/// Reads the samples that the index lists, with the versions that show them.
fn samples() -> Vec<Sample> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../specs/samples/onapi");
    let index = std::fs::read_to_string(folder.join("README.md")).unwrap();
    let rows = index.lines().filter_map(|line| {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let name = cells.get(1)?.strip_prefix('`')?.strip_suffix('`')?.to_owned();
        let versions = cells.get(3)?.split(", ").map(str::to_owned).collect::<Vec<_>>();
        Some((name, versions)).filter(|_| cells.len() == 7)
    });
    let samples: Vec<Sample> = rows
        .map(|(name, versions)| {
            let mut parts = name.split('.');
            let file = folder.join(format!("standard/{name}.json"));
            let body = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
            // The page of data formats shows fragments in all versions. They stand within rows as before 2.6.
            let versions: &[String] =
                if name == "listSubscriptions.200.formats-s24" { &versions[..2] } else { &versions };
            let standard = Dialect::ALL.into_iter().filter(|dialect| *dialect != Dialect::Vendor26);
            let dialects = standard.filter(|one| versions.iter().any(|version| one.version() == version));
            Sample {
                operation: parts.next().unwrap().to_owned(),
                part: parts.next().unwrap().to_owned(),
                dialects: dialects.collect(),
                body,
                name,
            }
        })
        .collect();
    let files = std::fs::read_dir(folder.join("standard")).unwrap().count();
    assert_eq!(samples.len(), files, "the index lists each file");
    samples
}

#[test]
fn each_sample_is_valid_in_the_versions_that_show_it() {
    let mut problems = Vec::new();
    let mut count = 0;
    for sample in samples() {
        assert!(!sample.dialects.is_empty(), "{}", sample.name);
        for dialect in &sample.dialects {
            let (spec, body) = (dialect.spec(), sample.body.to_string());
            let json = Some("application/json");
            let found = match sample.part.as_str() {
                "request" => spec.check_request(&sample.operation, json, body.as_bytes()),
                status => {
                    let status = status.parse().unwrap();
                    spec.check_response(&sample.operation, status, json, body.as_bytes())
                }
            };
            let of = |problem| format!("{} {}: {problem}", sample.name, dialect.version());
            problems.extend(found.into_iter().map(of));
            count += 1;
        }
    }
    assert_eq!(problems, [""; 0], "{count} checked");
    assert!(count >= 145, "{count}");
}

/// What a request refers to, in place of what the sample refers to.
struct Replacement {
    access: String,
    service: String,
    subscription: String,
}

/// Returns objects of the network that an order with this operation can refer to.
fn replacement(caller: &Caller, operation: &str) -> Replacement {
    if operation == "ACTIVATE" {
        let (access, service) = caller.offered(Availability::Free);
        return Replacement { access: access.id, service, subscription: "s-0".to_owned() };
    }
    let accesses = caller.0.accesses();
    let found = accesses.iter().find_map(|access| {
        let wanted = operation == "RESUME";
        let one = access.subscriptions.iter().find(|one| one.suspended == wanted)?;
        let service = if operation == "CHANGE" { "BB-100-100" } else { &one.service };
        Some(Replacement {
            access: access.id.clone(),
            service: service.to_owned(),
            subscription: one.subscription_id.clone(),
        })
    });
    found.unwrap()
}

/// Replaces the ids of a sample by those of the network. No field is added.
fn adapt(sample: &Value, with: &Replacement) -> Value {
    let mut body = sample.clone();
    for (field, value) in
        [("accessId", &with.access), ("service", &with.service), ("subscriptionId", &with.subscription)]
    {
        if let Some(present) = body.get_mut(field) {
            *present = json!(value);
        }
    }
    body
}

async fn take(sample: &Sample, dialect: Dialect) {
    let caller = Caller::of(Sandbox::builder().onapi_dialect(dialect)).await;
    // A ticket is about an active subscription.
    let default = if sample.operation == "createTicket" { "SUSPEND" } else { "ACTIVATE" };
    let operation = sample.body["operation"].as_str().unwrap_or(default);
    let with = replacement(&caller, operation);
    let mut body = adapt(&sample.body, &with);
    let name = format!("{} in {}", sample.name, dialect.name());
    match sample.operation.as_str() {
        "createOrder" => {
            let id = caller.place(body).await;
            finish(&caller.0);
            assert_eq!(caller.state(&id).await, "DONE_SUCCESS", "{name}");
        }
        "replaceOrder" | "changeOrder" => {
            let placed = json!({
                "operation": "ACTIVATE", "accessId": with.access, "service": with.service,
                "spReference": "sp-ref-1",
            });
            let id = caller.place(placed).await;
            if body.get("orderId").is_some() {
                body["orderId"] = json!(id);
            }
            let method = if sample.operation == "replaceOrder" { "PUT" } else { "PATCH" };
            let reply = caller.send(method, &format!("/orders/{id}"), body).await;
            assert_eq!(reply.status, 204, "{name}: {}", reply.body);
        }
        "createTicket" => {
            let reply = caller.send("POST", "/tickets", body.clone()).await;
            assert_eq!(reply.status, 201, "{name}: {}", reply.body);
            let reference = reply.json()["coTicketReference"].as_str().unwrap().to_owned();
            let ticket = caller.get(&format!("/tickets/{reference}")).await.json();
            assert_eq!(ticket["heading"], body["heading"]);
        }
        "updateTicket" => {
            let ticket = caller.send("POST", "/tickets", json!({ "heading": "No link" })).await.json();
            let path = format!("/tickets/{}", ticket["coTicketReference"].as_str().unwrap());
            let reply = caller.send("PATCH", &path, body).await;
            assert_eq!(reply.status, 204, "{name}: {}", reply.body);
        }
        other => unreachable!("{other} has a request"),
    }
    let received = caller.0.received();
    assert!(received.iter().all(|one| one.problems.is_empty() && one.undocumented.is_empty()), "{name}");
    assert!(caller.0.violations().is_empty(), "{name}: {:?}", caller.0.violations());
}

#[tokio::test]
async fn the_sandbox_carries_out_each_request_of_the_standard() {
    let mut count = 0;
    for sample in samples().iter().filter(|sample| sample.part == "request") {
        for dialect in &sample.dialects {
            take(sample, *dialect).await;
            count += 1;
        }
    }
    assert!(count >= 25, "{count}");
}

/// The types of the values at each place of a body, where a place is a JSON pointer without indices.
type Shape = BTreeMap<String, BTreeSet<&'static str>>;

fn add_shape(value: &Value, place: &str, shape: &mut Shape) {
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(text) if text.is_empty() => "empty text",
        Value::String(_) => "text",
        Value::Array(_) => "list",
        Value::Object(_) => "object",
    };
    shape.entry(place.to_owned()).or_default().insert(kind);
    match value {
        Value::Array(list) => list.iter().for_each(|one| add_shape(one, &format!("{place}/*"), shape)),
        Value::Object(fields) => {
            fields.iter().for_each(|(name, one)| add_shape(one, &format!("{place}/{name}"), shape));
        }
        _ => {}
    }
}

/// Returns the shapes of what each read operation answers for any access, and of a created order.
async fn shapes(samples: &[Sample], dialect: Dialect) -> BTreeMap<String, Shape> {
    let builder = Sandbox::builder().onapi_dialect(dialect).onapi_legacy_endpoints(true);
    let caller = Caller::of(builder).await;
    let named = |name: &str| &samples.iter().find(|sample| sample.name == name).unwrap().body;
    let (access, _) = caller.offered(Availability::Free);
    let failing = json!({
        "operation": "ACTIVATE", "accessId": access.id, "service": OnApi::FAILING_SERVICE, "spReference": "r-1",
    });
    caller.place(failing).await;
    finish(&caller.0);
    let activation = adapt(named("createOrder.request.activate-s24"), &replacement(&caller, "ACTIVATE"));
    let order = caller.order(activation).await.json();
    let ticket = adapt(named("createTicket.request.one-s24"), &replacement(&caller, "SUSPEND"));
    let ticket = caller.send("POST", "/tickets", ticket).await.json();
    let ticket = ticket["coTicketReference"].as_str().unwrap();
    let comment = json!({ "comment": { "createdBy": "Kajsa Anka", "message": "It is dark." } });
    caller.send("PATCH", &format!("/tickets/{ticket}"), comment).await;

    let mut shapes = BTreeMap::new();
    add_shape(&order, "", shapes.entry("createOrder".to_owned()).or_default());
    for operation in dialect.spec().operations().filter(|operation| operation.method == "GET") {
        let shape = shapes.entry(operation.id.clone()).or_default();
        for access in caller.0.accesses() {
            let path =
                operation.path.replace("{accessId}", &access.id).replace("{option82}", &access.option82);
            let path = path.replace("{orderId}", order["orderId"].as_str().unwrap());
            let path = path.replace("{invoicePeriodId}", "202512").replace("{coTicketReference}", ticket);
            let query = if operation.id == "lookupDhcp" { "?ipv4RemoteId=line-000001" } else { "" };
            let reply = caller.get(&format!("{path}{query}")).await;
            assert_eq!(reply.status, 200, "{}: {}", operation.id, reply.body);
            add_shape(&reply.json(), "", shape);
            if !operation.path.contains("{accessId}") {
                break;
            }
        }
    }
    shapes
}

/// Whatever a sample of the standard has, the sandbox's answers to the same operation have, too, in the same type.
#[tokio::test]
async fn answers_have_the_shapes_of_the_samples() {
    let samples = samples();
    let mut missing = Vec::new();
    for dialect in Dialect::ALL.into_iter().filter(|dialect| *dialect != Dialect::Vendor26) {
        let shapes = shapes(&samples, dialect).await;
        let answers = samples.iter().filter(|sample| {
            // An order is created in one way here; the other samples show other orders and other servers.
            let is_compared = match sample.operation.as_str() {
                "createOrder" => sample.name == "createOrder.201.activate-s24",
                // Fragments, with another name of a characteristic.
                _ => sample.part == "200" && sample.name != "listSubscriptions.200.formats-s24",
            };
            is_compared && sample.dialects.contains(&dialect)
        });
        for sample in answers {
            let mut shape = Shape::new();
            add_shape(&sample.body, "", &mut shape);
            let own = &shapes[&sample.operation];
            for (place, kinds) in shape {
                let own = own.get(&place).cloned().unwrap_or_default();
                let absent: Vec<_> = kinds.difference(&own).copied().collect();
                if !absent.is_empty() {
                    missing.push(format!("{} {} {place}: {absent:?}", dialect.name(), sample.name));
                }
            }
        }
    }
    assert_eq!(missing, [""; 0]);
}
