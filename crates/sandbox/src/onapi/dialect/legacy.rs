//! What 2.4 and 2.5 have in another form than 2.6. Where services and subscriptions are is decided elsewhere, because
//! the paths differ, too.

use serde_json::{Value, json};

/// Converts a response body of 2.6 to the form of 2.4 and 2.5.
pub(super) fn shape(operation: &str, mut body: Value) -> Value {
    match operation {
        "getMacAddressTable" => {
            for_each(&mut body, |entry| retain(entry, &["mac", "serviceType"]));
        }
        "getLeaseInfo" => for_each(&mut body, |lease| remove(lease, &["lastRenew"])),
        "getLinkStatus" => {
            remove(&mut body, &["adminDown"]);
            rename(&mut body, "transceiver", "fiber");
            body.get_mut("fiber").into_iter().for_each(|fiber| retain(fiber, &["dbmRx", "dbmTx", "temp"]));
        }
        "getCpeStatus" => {
            for_each_in(&mut body, "ports", |port| rename(port, "transceiver", "fiber"));
            for_each_in(&mut body, "macAddressTable", |entry| retain(entry, &["mac", "serviceType", "port"]));
        }
        "getInvoiceLines" => for_each(&mut body, |line| *line = invoice_line(line)),
        _ => {}
    }
    remove_nulls(&mut body);
    body
}

/// Returns an invoice line with the names of 2.4 and 2.5. There is no `invoiceType`: a credit is one because it has a
/// `creditAmount`.
fn invoice_line(line: &Value) -> Value {
    let (access, subscription, item) = (&line["access"], &line["subscription"], &line["invoice"]);
    let credit = item["invoiceType"] == "CREDIT";
    let amount = &item["invoicedAmount"];
    let credited = amount.as_f64().filter(|_| credit).map_or(0.0, f64::abs);
    let mut old = json!({
        "coID": line["coId"],
        "serviceProvider": { "name": line["spName"] },
        "address": {
            "accessID": access["accessId"],
            "streetName": access["streetName"],
            "streetNumber": access["streetNumber"],
            "streetLittera": access["streetLittera"],
            "postalCode": access["postalCode"],
            "city": access["city"],
            "apartmentNumber": access["mduApartmentNumber"],
            "apartmentAddress": access["mduDistinguisher"],
            "apartmentOutlet": access["outlet"],
        },
        "subscription": subscription,
        "invoice": {
            "listPrice": item["listPrice"],
            "billingItem": item["billingItem"],
            "rowType": item["rowType"],
            "fromDate": item["fromDate"],
            "toDate": item["toDate"],
            "creditAmount": credited,
            "invoicedAmount": amount,
        },
        "population": access["population"],
    });
    rename(&mut old["subscription"], "service", "serviceName");
    old
}

fn for_each(list: &mut Value, change: impl FnMut(&mut Value)) {
    list.as_array_mut().into_iter().flatten().for_each(change);
}

fn for_each_in(object: &mut Value, field: &str, change: impl FnMut(&mut Value)) {
    if let Some(list) = object.get_mut(field) {
        for_each(list, change);
    }
}

fn retain(object: &mut Value, fields: &[&str]) {
    if let Some(object) = object.as_object_mut() {
        object.retain(|field, _| fields.contains(&field.as_str()));
    }
}

fn remove(object: &mut Value, fields: &[&str]) {
    if let Some(object) = object.as_object_mut() {
        object.retain(|field, _| !fields.contains(&field.as_str()));
    }
}

fn rename(object: &mut Value, from: &str, to: &str) {
    let Some(object) = object.as_object_mut() else { return };
    if let Some(value) = object.remove(from) {
        object.insert(to.to_owned(), value);
    }
}

/// Removes the fields that the conversion asked for although the body has none.
fn remove_nulls(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|_, value| !value.is_null());
            fields.values_mut().for_each(remove_nulls);
        }
        Value::Array(list) => list.iter_mut().for_each(remove_nulls),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invoice_line_has_the_old_names() {
        let line = json!({
            "coId": "Ankeborgs stadsnät",
            "spName": "Exempel bredband",
            "access": { "accessId": "a-1", "mduApartmentNumber": "1101", "population": "Ankeborg" },
            "subscription": { "service": "VOIP", "coSubscriptionId": "s-1" },
            "invoice": { "listPrice": 99.0, "invoiceType": "CREDIT", "invoicedAmount": -25 },
        });
        let old = json!([{
            "coID": "Ankeborgs stadsnät",
            "serviceProvider": { "name": "Exempel bredband" },
            "address": { "accessID": "a-1", "apartmentNumber": "1101" },
            "subscription": { "serviceName": "VOIP", "coSubscriptionId": "s-1" },
            "invoice": { "listPrice": 99.0, "creditAmount": 25.0, "invoicedAmount": -25 },
            "population": "Ankeborg",
        }]);
        assert_eq!(shape("getInvoiceLines", json!([line])), old);
    }

    #[test]
    fn technical_information_has_the_fields_of_old_versions() {
        let link =
            json!({ "link": true, "adminDown": false, "transceiver": { "temp": "35", "vendor": "X" } });
        assert_eq!(shape("getLinkStatus", link), json!({ "link": true, "fiber": { "temp": "35" } }));
        let lease = json!([{ "lease": "192.0.2.1", "lastRenew": "2026-01-05T08:00:00Z" }]);
        assert_eq!(shape("getLeaseInfo", lease), json!([{ "lease": "192.0.2.1" }]));
    }
}
