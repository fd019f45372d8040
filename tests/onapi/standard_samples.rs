//! The samples of the standard in versions 2.4, 2.5 and 2.6: responses are read without loss, and the facade sends what the
//! samples of requests show.

use std::path::Path;

use lastmile::Prepared;
use lastmile::onapi::types::*;
use lastmile::onapi::{NewOrder, NewTicket, OnApi, ReceivedOrder, References, SubscriptionAt, TicketChange};
use lastmile::rules::OnApiId;
use lastmile::wire::{Lenient, OneOrMany};
use lastmile_sandbox::{Answer, Dialect, Sandbox};
use lastmile_tests::{onapi, reads_and_writes_back};
use serde_json::{Value, json};

type List<T> = OneOrMany<Lenient<T>>;

/// A sample of the standard: its operation, its part (`request` or a status), the oldest version that shows it, and the body.
struct Sample {
    operation: String,
    part: String,
    since: Dialect,
    name: String,
    json: Value,
}

fn samples() -> Vec<Sample> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../specs/samples/onapi/standard");
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let sample = |path: std::path::PathBuf| {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let mut parts = name.split('.');
        let (operation, part) = (parts.next().unwrap().to_owned(), parts.next().unwrap().to_owned());
        let since = match name.rsplit('-').next().unwrap() {
            "s24" => Dialect::Standard24,
            "s25" => Dialect::Standard25,
            "s26" => Dialect::Standard26,
            other => panic!("{other}"),
        };
        let json = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        Sample { operation, part, since, name, json }
    };
    paths.into_iter().map(sample).collect()
}

#[test]
fn every_response_is_read_without_loss() {
    let mut count = 0;
    for Sample { operation, part, since, name, json } in samples() {
        macro_rules! reads {
            ($type:ty) => {
                reads_and_writes_back::<$type>(&json, &name)
            };
        }
        match (operation.as_str(), part.as_str()) {
            (_, "request") => continue,
            (_, status) if !status.starts_with('2') => reads!(Refusal),
            ("listEndpoints", _) => reads!(List<Endpoint>),
            ("listAccesses", _) => reads!(List<Access>),
            ("getAccess", _) => reads!(Access),
            ("lookupDhcp" | "lookupOption82", _) => reads!(FoundAccess),
            ("listOrders", _) => reads!(List<Order>),
            ("createOrder" | "getOrder", _) => reads!(Order),
            ("listOrderEvents", _) => reads!(List<OrderEvent>),
            ("listEvents", _) => reads!(List<ObjectEvent>),
            ("listServices", _) => reads!(List<AccessServices>),
            ("getServices", _) => reads!(AccessServices),
            ("listSubscriptions", _) if since == Dialect::Standard26 => reads!(List<AccessSubscriptions>),
            ("listSubscriptions", _) => reads!(List<Subscription>),
            ("getSubscriptions", _) => reads!(AccessSubscriptions),
            ("getCpeStatus", _) => reads!(CpeStatus),
            ("getHardware", _) => reads!(Hardware),
            ("getMacAddressTable", _) => reads!(List<MacEntry>),
            ("getLeaseInfo", _) => reads!(List<Lease>),
            ("getIgmpSnooping", _) => reads!(List<IgmpGroup>),
            ("getLinkStatus", _) => reads!(LinkStatus),
            ("listInvoicePeriods", _) => reads!(List<InvoicePeriod>),
            ("getInvoiceLines", _) => reads!(List<InvoiceLine>),
            ("listTickets", _) => reads!(List<TicketSummary>),
            ("getTicket", _) => reads!(Ticket),
            ("createTicket", _) => reads!(TicketReference),
            (other, part) => panic!("{other} {part}"),
        }
        count += 1;
    }
    assert!(count > 50, "{count}");
}

fn text(sample: &Value, field: &str) -> Option<String> {
    sample[field].as_str().map(str::to_owned)
}

fn id(sample: &Value, field: &str) -> Option<OnApiId> {
    text(sample, field).map(|id| id.parse().unwrap())
}

/// Returns the order of a sample, as a user of the facade makes it.
fn order(sample: &Value) -> NewOrder {
    let access = id(sample, "accessId").unwrap_or_else(|| "a-1".parse().unwrap());
    let reference = id(sample, "spReference").unwrap_or_else(|| "SP-1".parse().unwrap());
    let line =
        || SubscriptionAt { access: access.clone(), subscription: id(sample, "subscriptionId").unwrap() };
    let service = text(sample, "service").unwrap_or_else(|| "BB-100-100".to_owned());
    let mut order = match sample["operation"].as_str().unwrap() {
        "ACTIVATE" => NewOrder::activate(access.clone(), service, reference),
        "DEACTIVATE" => NewOrder::deactivate(line(), reference).service_of_subscription(service),
        "SUSPEND" => NewOrder::suspend(line(), reference).service_of_subscription(service),
        "RESUME" => NewOrder::resume(line(), reference).service_of_subscription(service),
        "CHANGE" => NewOrder::change(line(), service, reference),
        "MODIFY" => NewOrder::modify(line(), References { reference: Some(reference), subscription: None }),
        other => panic!("{other}"),
    };
    if let Some(reference) = id(sample, "spSubscriptionId") {
        order = order.subscription_reference(reference);
    }
    if let Some(time) = text(sample, "requestedDateTime") {
        order = order.not_before(time.parse().unwrap());
    }
    if let Some(note) = text(sample, "externalNote") {
        order = order.note(note);
    }
    let characteristics = &sample["characteristics"];
    if characteristics.is_object() {
        let addresses = characteristics["ipAddress"].as_array().unwrap().iter();
        order = order
            .fixed_ip(characteristics["fixedIp"].as_bool().unwrap())
            .ip_addresses(addresses.map(|address| address.as_str().unwrap()))
            .sla(characteristics["SLA"].as_str().unwrap());
    }
    for piece in sample["equipment"].as_array().into_iter().flatten() {
        order = order.equipment(serde_json::from_value(piece.clone()).unwrap());
    }
    order
}

/// The last request body of a method that the network received, whatever its response was.
fn sent(sandbox: &Sandbox, method: &str) -> Value {
    let received = sandbox.onapi().received();
    let last = received.iter().rev().find(|one| one.method == method).unwrap();
    assert_eq!(last.problems, Vec::<String>::new(), "it obeys the document of the dialect");
    last.json().unwrap()
}

/// Checks that everything a sample shows was sent, and nothing else but what the text of the standard names.
fn is_as_shown(shown: &Value, sent: &Value, may_also: &[&str], name: &str) {
    for (field, value) in shown.as_object().unwrap() {
        // What is false is left out.
        if field != "forcedTakeover" {
            assert_eq!(&sent[field], value, "{name}: {field}");
        }
    }
    for field in sent.as_object().unwrap().keys() {
        assert!(shown.get(field).is_some() || may_also.contains(&field.as_str()), "{name}: {field}");
    }
}

async fn speaking(dialect: Dialect) -> (Sandbox, OnApi) {
    let sandbox = Sandbox::builder().seed(1).onapi_dialect(dialect).start().await.unwrap();
    let network = onapi(&sandbox);
    (sandbox, network)
}

#[tokio::test]
async fn orders_are_sent_as_the_samples_show_them() {
    let mut count = 0;
    for Sample { operation, part, since, name, json } in samples() {
        if part != "request" || !matches!(operation.as_str(), "createOrder" | "replaceOrder" | "changeOrder")
        {
            continue;
        }
        let (sandbox, network) = speaking(since).await;
        let old = json!({
            "orderId": json.get("orderId").unwrap_or(&json!("o-1")), "state": "RECEIVED", "operation": "ACTIVATE",
            "accessId": json["accessId"], "path": json["path"], "subscriptionId": json["subscriptionId"],
            "expectedCompletionDate": json["expectedCompletionDate"],
        });
        let old: Order = serde_json::from_value(old).unwrap();
        match operation.as_str() {
            "createOrder" => {
                let answer = json!({ "orderId": "o-1", "state": "RECEIVED", "operation": json["operation"] });
                sandbox.onapi().answer_next("createOrder", Answer::json(201, &answer));
                let placed = Prepared::new(order(&json)).unwrap().place(&network).await.unwrap();
                assert!(placed.order_id().is_some());
                // The text demands what these samples leave out.
                let may_also = ["spReference", "accessId", "service"];
                is_as_shown(&json, &sent(&sandbox, "POST"), &may_also, &name);
            }
            "replaceOrder" => {
                sandbox.onapi().answer_next("replaceOrder", Answer::status(204));
                let old = ReceivedOrder::try_from(old).unwrap();
                old.replace(&network, &order(&json)).await.unwrap();
                is_as_shown(&json, &sent(&sandbox, "PUT"), &[], &name);
            }
            _ => {
                sandbox.onapi().answer_next("changeOrder", Answer::status(204));
                let change: OrderChange = serde_json::from_value(json.clone()).unwrap();
                ReceivedOrder::try_from(old).unwrap().change(&network, &change).await.unwrap();
                is_as_shown(&json, &sent(&sandbox, "PATCH"), &[], &name);
            }
        }
        count += 1;
    }
    assert!(count >= 10, "{count}");
}

#[tokio::test]
async fn tickets_are_sent_as_the_samples_show_them() {
    let mut count = 0;
    for Sample { operation, part, since, name, mut json } in samples() {
        if part == "request" && json["additionalInfo"]["link"] == "false" {
            // The table of the standard has a boolean.
            json["additionalInfo"]["link"] = json!(false);
        }
        let (sandbox, network) = speaking(since).await;
        let given = |field: &str| json[field].as_str().unwrap_or_default();
        match (operation.as_str(), part.as_str()) {
            ("createTicket", "request") => {
                let answer = json!({ "coTicketReference": "TT-1" });
                sandbox.onapi().answer_next("createTicket", Answer::json(201, &answer));
                let ticket =
                    NewTicket::new(given("spTicketReference"), given("heading"), given("description"))
                        .access(given("accessId").parse().unwrap())
                        .subscription(given("subscriptionId").parse().unwrap())
                        .customer_reference(given("spReference"))
                        .problem(given("problemType").parse().unwrap())
                        .created_by(given("createdBy"))
                        .info(serde_json::from_value(json["additionalInfo"].clone()).unwrap());
                Prepared::new(ticket).unwrap().place(&network).await.unwrap();
                is_as_shown(&json, &sent(&sandbox, "POST"), &[], &name);
            }
            ("updateTicket", "request") => {
                sandbox.onapi().answer_next("updateTicket", Answer::status(204));
                let comment = &json["comment"];
                let text = |field: &str| comment[field].as_str().unwrap();
                let written = "2026-03-02T10:00:00Z".parse().unwrap();
                let change = TicketChange::take("TT-1".parse().unwrap())
                    .responsible(given("responsible").parse().unwrap())
                    .comment(text("createdBy"), text("message"), written);
                Prepared::new(change).unwrap().place(&network).await.unwrap();
                let mut sent = sent(&sandbox, "PATCH");
                // A look-up compares the time of a comment, so it is always sent.
                sent["comment"].as_object_mut().unwrap().remove("createdAt").unwrap();
                is_as_shown(&json, &sent, &[], &name);
            }
            _ => continue,
        }
        count += 1;
    }
    assert_eq!(count, 2);
}
