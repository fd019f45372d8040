//! The samples of the standard: each is valid in the documents of the versions that show it, and the sandbox of these
//! dialects carries out each request.

use std::path::Path;

use lastmile_sandbox::onapi::Availability;
use lastmile_sandbox::{Dialect, Sandbox};
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
