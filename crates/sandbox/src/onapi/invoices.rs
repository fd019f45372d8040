//! Invoices: the last three months before the simulation starts, for the initial subscriptions.

use std::sync::Arc;

use serde_json::{Value, json};

use super::fixtures;
use super::network::{AccessLine, Network};
use super::response::{ErrorResponse, OperationResult, SuccessResponse};
use super::time::rfc_3339;

const PERIODS: [(&str, &str, &str); 3] = [
    ("202510", "2025-10-01", "2025-10-31"),
    ("202511", "2025-11-01", "2025-11-30"),
    ("202512", "2025-12-01", "2025-12-31"),
];

pub(super) fn periods() -> OperationResult {
    let period = |(id, from, to)| json!({ "id": id, "fromDate": from, "toDate": to });
    Ok(SuccessResponse::json(200, PERIODS.map(period).to_vec().into()))
}

/// Returns one invoice line per initial subscription, and in the last period also some credits.
pub(super) fn lines(id: &str, network: &Arc<Network>) -> OperationResult {
    let period = PERIODS.iter().find(|(other, ..)| *other == id);
    let (id_of_period, from, to) = *period.ok_or_else(|| ErrorResponse::not_found("period", id))?;
    let network = Arc::clone(network);
    let count = network.len();
    let rows = move |number| match network.numbered(number) {
        Some(line) => of_line(&line, &network, id_of_period, (from, to)),
        None => Vec::new(),
    };
    Ok(SuccessResponse::rows(count, rows))
}

/// Returns the invoice lines of an access.
fn of_line(line: &AccessLine, network: &Network, period: &str, (from, to): (&str, &str)) -> Vec<Value> {
    let mut lines = Vec::new();
    for (index, (service, _)) in line.initial_state.delivered().into_iter().enumerate() {
        let head = head(line, index, service, network);
        let price = price(service);
        lines.push(with(&head, item(service, price, "DEBIT", "PERIODIC_FEE", (from, to))));
        if period == "202512" && line.number.is_multiple_of(10) {
            let mut credit = item(service, price, "CREDIT", "OTHER", (from, to));
            credit["invoicedAmount"] = json!(-25);
            credit["comment"] = json!("Fel port kopplad.");
            lines.push(with(&head, credit));
        }
    }
    lines
}

/// Returns what an invoice line is for, as it was at the end of the period.
fn head(line: &AccessLine, index: usize, service: &str, network: &Network) -> Value {
    let mut access = network.access_value(line);
    if let Value::Object(fields) = &mut access {
        for other in ["accessState", "legacyAccessId", "nationalAddressUUID"] {
            fields.remove(other);
        }
    }
    let since = rfc_3339(fixtures::long_ago(&mut network.rng_for(line.number, 1)));
    let subscription = line.first_subscriptions.get(index).map(String::as_str).unwrap_or_default();
    let mut head = json!({
        "coId": "Ankeborgs stadsnät",
        "spName": "Exempel bredband",
        "access": access,
        "subscription": {
            "service": service,
            "connectionDate": &since[..10],
            "spReference": format!("sp-ref-{:04}", line.number + 1),
            "spSubscriptionId": format!("sp-{subscription}"),
            "coSubscriptionId": subscription,
        },
    });
    if line.number.is_multiple_of(10) {
        head["subscription"]["disconnectionDate"] = json!("2026-12-31");
    }
    head
}

fn item(service: &str, price: f64, kind: &str, row: &str, (from, to): (&str, &str)) -> Value {
    json!({
        "listPrice": price,
        "billingItem": service,
        "invoiceType": kind,
        "rowType": row,
        "fromDate": from,
        "toDate": to,
        "invoicedAmount": price,
    })
}

fn with(head: &Value, item: Value) -> Value {
    let mut line = head.clone();
    line["invoice"] = item;
    line
}

fn price(service: &str) -> f64 {
    match service {
        "BB-100-100" => 149.5,
        "BB-250-100" => 199.9,
        _ => 99.0,
    }
}
