//! What the standard has in every version, and the vendor has not.

use serde_json::{Map, Value, json};

/// Converts a response body to the form that the standard has in every version.
pub(super) fn shape(operation: &str, mut body: Value) -> Value {
    match operation {
        "getLinkStatus" if body["link"] == true => body["linkSpeed"] = json!(1000),
        "getCpeStatus" => {
            for port in body.get_mut("ports").and_then(Value::as_array_mut).into_iter().flatten() {
                if let Some(statistics) = port.get_mut("statistics") {
                    *statistics = cpe_statistics(statistics);
                }
            }
        }
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
