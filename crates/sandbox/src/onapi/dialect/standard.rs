//! What the standard has in every version, and the vendor has not. Where the samples of the standard and its tables
//! differ in the type of a field, the response has that of the samples.

use serde_json::{Map, Value, json};

use super::edit::{for_each, for_each_in};

/// Converts a response body to the form that the standard has in every version.
pub(super) fn shape(operation: &str, mut body: Value) -> Value {
    match operation {
        "getLinkStatus" => {
            if body["link"] == true {
                body["linkSpeed"] = json!(1000);
            }
            for_each_in(&mut body, "configuredSpeed", |speed| {
                ["queue", "cir", "pir"].into_iter().for_each(|field| make_number(speed, field));
            });
        }
        "getCpeStatus" => {
            for_each_in(&mut body, "ports", |port| {
                if let Some(statistics) = port.get_mut("statistics") {
                    *statistics = cpe_statistics(statistics);
                }
                // A port without an optical module.
                if port.get("transceiver").is_none() {
                    port["transceiver"] = Value::Null;
                }
            });
            for_each_in(&mut body, "macAddressTable", |entry| make_number(entry, "port"));
        }
        "getInvoiceLines" => for_each(&mut body, write_amounts_as_texts),
        "listTickets" => for_each(&mut body, |ticket| {
            // Nobody is responsible before somebody works on the ticket.
            if ticket["status"] == "CREATED" {
                ticket["responsible"] = json!("");
            }
        }),
        _ => {}
    }
    body
}

/// Returns the counters of a port of customer equipment, which have other names than those of a link.
fn cpe_statistics(of_link: &Value) -> Value {
    let direction = |name: &str| {
        let of_link = &of_link[name];
        json!({
            "errors": of_link["errors"],
            "crcErrors": of_link["crcErrors"],
            "pause": of_link["pauses"],
            "bytes": of_link["bytes"],
            "multicast": of_link["multicast"],
            "unicast": of_link["unicast"],
            "packets": of_link["packets"],
            "multicastPackets": of_link["multicast"],
            "unicastPackets": of_link["unicast"],
        })
    };
    let both = ["input", "output"].map(|name| (name.to_owned(), direction(name)));
    Value::Object(Map::from_iter(both))
}

/// Writes numbers as texts, except for the apartment, whose number is a number here. Texts that are not known are
/// empty.
fn write_amounts_as_texts(line: &mut Value) {
    for (object, field) in [("access", "priceGroup"), ("invoice", "listPrice"), ("invoice", "invoicedAmount")]
    {
        if let Some(number) = line[object].get_mut(field).filter(|value| value.is_number()) {
            *number = json!(number.to_string());
        }
    }
    make_number(&mut line["access"], "mduApartmentNumber");
    for field in ["streetLittera", "mduApartmentNumber", "mduDistinguisher", "outlet"] {
        if line["access"].get(field).is_none() {
            line["access"][field] = json!("");
        }
    }
}

/// Writes a text of digits as a number.
fn make_number(object: &mut Value, field: &str) {
    if let Some(value) = object.get_mut(field)
        && let Some(number) = value.as_str().and_then(|digits| digits.parse::<u64>().ok())
    {
        *value = json!(number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_texts_and_unknown_texts_are_empty() {
        let line = json!([{
            "access": { "priceGroup": 1, "mduApartmentNumber": "1101", "outlet": "A-1" },
            "invoice": { "listPrice": 149.5, "invoicedAmount": -25 },
        }]);
        let written = json!([{
            "access": {
                "priceGroup": "1", "mduApartmentNumber": 1101, "outlet": "A-1", "streetLittera": "",
                "mduDistinguisher": "",
            },
            "invoice": { "listPrice": "149.5", "invoicedAmount": "-25" },
        }]);
        assert_eq!(shape("getInvoiceLines", line), written);
    }
}
