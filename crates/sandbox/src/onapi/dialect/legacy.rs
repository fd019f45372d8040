//! What 2.4 and 2.5 have in another form than 2.6. Where services and subscriptions are is decided elsewhere, because
//! the paths differ, too.

use serde_json::{Value, json};

use super::edit::{for_each, for_each_in, remove, rename, retain, retain_in};

/// Converts a response body of 2.6 to the form of 2.4 and 2.5.
pub(super) fn shape(operation: &str, mut body: Value) -> Value {
    match operation {
        "getMacAddressTable" => {
            for_each(&mut body, |entry| retain(entry, &["mac", "serviceType"]));
        }
        "getLeaseInfo" => for_each(&mut body, |lease| remove(lease, "lastRenew")),
        "getLinkStatus" => {
            remove(&mut body, "adminDown");
            rename(&mut body, "transceiver", "fiber");
            retain_in(&mut body, "fiber", &["dbmRx", "dbmTx", "temp"]);
        }
        "getCpeStatus" => {
            for_each_in(&mut body, "ports", |port| rename(port, "transceiver", "fiber"));
            for_each_in(&mut body, "macAddressTable", |entry| retain(entry, &["mac", "serviceType", "port"]));
        }
        "getInvoiceLines" => for_each(&mut body, |line| *line = invoice_line(line)),
        _ => {}
    }
    body
}

/// Returns an invoice line with the names of 2.4 and 2.5. There is no `invoiceType`: a credit is one because it has a
/// `creditAmount`. Texts that are not known are `null`, where 2.6 has an empty text.
fn invoice_line(line: &Value) -> Value {
    let (access, item) = (&line["access"], &line["invoice"]);
    let known = |field: &str| access.get(field).filter(|value| **value != "").cloned();
    let amount = item["invoicedAmount"].as_str().unwrap_or_default();
    let credit = if item["invoiceType"] == "CREDIT" { amount.trim_start_matches('-') } else { "0" };
    let mut old = json!({
        "coID": line["coId"],
        "serviceProvider": { "name": line["spName"] },
        "address": {
            "accessID": access["accessId"],
            "streetName": access["streetName"],
            "streetNumber": access["streetNumber"],
            "streetLittera": known("streetLittera"),
            "postalCode": access["postalCode"],
            "city": access["city"],
            "apartmentNumber": known("mduApartmentNumber"),
            "apartmentAddress": known("mduDistinguisher"),
            "apartmentOutlet": known("outlet"),
        },
        "subscription": line["subscription"],
        "invoice": {
            "listPrice": item["listPrice"],
            "billingItem": item["billingItem"],
            "rowType": item["rowType"],
            "fromDate": item["fromDate"],
            "toDate": item["toDate"],
            "creditAmount": credit,
            "invoicedAmount": amount,
        },
        "population": access["population"],
    });
    rename(&mut old["subscription"], "service", "serviceName");
    old
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invoice_line_has_the_old_names() {
        let line = json!({
            "coId": "Ankeborgs stadsnät",
            "spName": "Exempel bredband",
            "access": { "accessId": "a-1", "mduApartmentNumber": 1101, "outlet": "" },
            "subscription": { "service": "VOIP", "coSubscriptionId": "s-1" },
            "invoice": { "listPrice": "99.0", "invoiceType": "CREDIT", "invoicedAmount": "-25" },
        });
        let old = shape("getInvoiceLines", json!([line]))[0].clone();
        assert_eq!((&old["coID"], &old["serviceProvider"]["name"]), (&line["coId"], &line["spName"]));
        let address = &old["address"];
        assert_eq!((&address["accessID"], &address["apartmentNumber"]), (&json!("a-1"), &json!(1101)));
        assert_eq!(address.get("apartmentOutlet"), Some(&Value::Null));
        assert_eq!(old["subscription"], json!({ "serviceName": "VOIP", "coSubscriptionId": "s-1" }));
        let item = &old["invoice"];
        assert_eq!((&item["creditAmount"], &item["invoicedAmount"]), (&json!("25"), &json!("-25")));
        assert_eq!(item.get("invoiceType"), None);
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
