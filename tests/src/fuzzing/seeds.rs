//! The seeds of each target, made from the documents' examples and samples.

use std::collections::BTreeSet;

use lastmile_sandbox::{ExamplePart, Spec};
use serde_json::{Value, json};

use super::{ANSWERS, OPEN_ENUMS};
use crate::{answer_schema, instance, pointers};

fn specs() -> [(&'static str, &'static Spec); 3] {
    [("cocon", Spec::cocon()), ("covage", Spec::covage()), ("onapi", Spec::onapi())]
}

/// Returns every example of the documents.
fn examples() -> Vec<Value> {
    let examples = specs().into_iter().flat_map(|(_, spec)| {
        spec.document()["components"]["examples"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(_, one)| one["value"].clone())
    });
    examples.collect()
}

/// Returns all scalars in the examples.
fn scalars() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for example in examples() {
        for pointer in pointers(&example) {
            let value = example.pointer(&pointer).expect("it is there");
            if !value.is_object() && !value.is_array() {
                found.insert(value.to_string());
            }
        }
    }
    found
}

/// JSON with every known kind of unexpected value, and a few more.
const UNEXPECTED_VALUES: &[&str] = &[
    "null",
    "\"\"",
    "[]",
    "{}",
    "7",
    "-7",
    "\"7\"",
    "\" 7 \"",
    "7.0",
    "-0",
    "0.10",
    "1e400",
    "\"1,5\"",
    "true",
    "\"False\"",
    "\"TRUE\"",
    "18446744073709551616",
    "9007199254740993.0",
    "\"2019-01-18\"",
    "\"2019-01-18T10:00:00\"",
    "\"2019-01-18T10:00:00.5000+02:00\"",
    "[null, \"x\", 3]",
    "{\"a\": {\"b\": null}}",
    "{\"a\": 0.10, \"a\": 2}",
    "[[1]]",
    "\"\\ud83d\\ude00\\u0000\"",
    "[[[[[[[[1]]]]]]]]",
];

fn each_with(choices: usize, seeds: &[String]) -> Vec<Vec<u8>> {
    let one = |choice: usize, seed: &String| [&[choice as u8], seed.as_bytes()].concat();
    (0..choices).flat_map(|choice| seeds.iter().map(move |seed| one(choice, seed))).collect()
}

fn texts(texts: &[&str]) -> Vec<Vec<u8>> {
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}

pub(super) fn lenient() -> Vec<Vec<u8>> {
    let mut seeds: Vec<String> = UNEXPECTED_VALUES.iter().map(|value| (*value).to_owned()).collect();
    seeds.extend(scalars().into_iter().step_by(17));
    each_with(10, &seeds)
}

pub(super) fn one_or_many() -> Vec<Vec<u8>> {
    let mut seeds: Vec<String> = UNEXPECTED_VALUES.iter().map(|value| (*value).to_owned()).collect();
    seeds.push("[\"a\", 7, 0.10, \"2019-01-18T10:00:00Z\", {\"a\": 0.10}]".to_owned());
    each_with(7, &seeds)
}

pub(super) fn patch() -> Vec<Vec<u8>> {
    let mut seeds = vec![
        json!({}).to_string(),
        json!({ "text": "x", "list": [], "map": { "keep": "this", "drop": null } }).to_string(),
        json!({ "text": null, "list": null, "map": null, "number": 0.5, "unknown": 1 }).to_string(),
    ];
    for schema in ["ContactPatch", "CustomerPatch", "CustomerContractPatch"] {
        let document = Spec::cocon().document();
        seeds.push(instance(document, &document["components"]["schemas"][schema], &|_| None).to_string());
    }
    let spec = Spec::cocon();
    let patches = ["updateContact", "updateCustomer", "updateCustomerContract"];
    seeds
        .extend(patches.iter().filter_map(|id| spec.example(id, ExamplePart::Request)).map(Value::to_string));
    each_with(4, &seeds)
}

pub(super) fn decimal() -> Vec<Vec<u8>> {
    let mut seeds = texts(&[
        "0",
        "-0",
        "0.10",
        "1e400",
        "-1E-400",
        "123456789012345678901234567890",
        "1234567.1234567890123",
        "01",
        "1.",
        ".5",
        "+1",
        " 1",
        "1 ",
        "1,5",
        "NaN",
        "0x1",
        "null",
        "\"0.35\"",
        "[0.35]",
    ]);
    let numbers =
        scalars().into_iter().filter(|text| text.starts_with(|c: char| c == '-' || c.is_ascii_digit()));
    seeds.extend(numbers.map(String::into_bytes));
    seeds.extend(
        [f64::MAX, f64::MIN_POSITIVE, f64::NAN, f64::INFINITY, 0.1].map(|float| float.to_le_bytes().to_vec()),
    );
    seeds
}

pub(super) fn timestamp() -> Vec<Vec<u8>> {
    let mut seeds = texts(&[
        "2019-10-16T09:59:04Z",
        "2019-10-16T09:59:04.5000+02:00",
        "2016-12-31T23:59:60Z",
        "2019-10-16t09:59:04z",
        "2019-10-16T09:59:04-00:00",
        "2019-10-16 09:59:04Z",
        "2019-10-16T09:59:04.1234567891Z",
        "2019-10-16T09:59:04",
        "2019-10-16",
        "0000-01-01T00:00:00+23:59",
        "9999-12-31T23:59:59.999999999-23:59",
        "+262142-12-31T23:59:59",
        "2019-10-16T09:59:04\u{2212}02:00",
        "soon",
        "\"2019-10-16T09:59:04Z\"",
        "\"2019-10-16T09:58:04-00:00\"",
    ]);
    let dated = scalars().into_iter().filter(|text| text.starts_with("\"20"));
    seeds.extend(dated.map(|text| text.trim_matches('"').as_bytes().to_vec()));
    seeds
}

pub(super) fn segment() -> Vec<Vec<u8>> {
    texts(&[
        "",
        ".",
        "..",
        "...",
        "a\\b",
        "17",
        "a/b",
        "é",
        "%2e%2e",
        "%2E",
        " ",
        "a b?c#d",
        "\t",
        "\n..",
        "../..",
        "\u{feff}",
        "IMB/76540/X/043X",
        "0cd8d842-b0ca-43c0-8cbc-5d275cbdb1c2",
        "{id}",
        ";x=1",
        "\u{7f}\u{0}",
        "@:|^~'\"<>`&=+$,!*()[]",
    ])
}

pub(super) fn open_enums() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for (at, one) in OPEN_ENUMS.iter().enumerate() {
        let mut words: Vec<String> = ["", "Unlisted", "\"x\"", "null", "7"].map(str::to_owned).into();
        let (_, spec) = specs().into_iter().find(|(api, _)| *api == one.api).expect("a supplier");
        for (name, schema) in spec.document()["components"]["schemas"].as_object().into_iter().flatten() {
            for (property, schema) in schema["properties"].as_object().into_iter().flatten() {
                if one.name == format!("{name}{}", camel(property)) {
                    let lists = [&schema["enum"], &schema["x-known-values"], &schema["anyOf"][0]["enum"]];
                    let known =
                        lists.map(Value::as_array).into_iter().flatten().flatten().filter_map(Value::as_str);
                    words.extend(known.map(str::to_owned));
                }
            }
        }
        assert!(words.len() > 5, "{} has words in its document", one.name);
        seeds.extend(words.iter().map(|word| [&[at as u8], word.as_bytes()].concat()));
    }
    seeds
}

/// Returns `endpoint_ref_type` and `endpointRefType` in the form of a type name.
fn camel(property: &str) -> String {
    let words = property.split('_').map(|word| {
        let (first, rest) = word.split_at(word.len().min(1));
        first.to_uppercase() + rest
    });
    words.collect()
}

/// Returns the documented responses of a supplier, and a generated one of each type.
fn answers(api: &str, spec: &Spec) -> Vec<Vec<u8>> {
    let mine = ANSWERS.iter().filter(|answer| answer.api == api).enumerate();
    let mut seeds = Vec::new();
    for (at, answer) in mine {
        let with = |json: &Value| [&[at as u8], json.to_string().as_bytes()].concat();
        let operation =
            spec.operations().find(|one| snake(&one.id) == answer.method).expect("it is in the document");
        let success =
            operation.statuses().find(|status| (200..300).contains(status)).expect("it can succeed");
        for sample in crate::samples(api, &operation.id, &success.to_string()) {
            seeds.push(with(&sample));
        }
        seeds.extend(spec.example(&operation.id, ExamplePart::Response(success)).map(with));
        let schema = answer_schema(spec.document(), &operation.id).expect("it has a body");
        seeds.push(with(&instance(spec.document(), schema, &|_| None)));
    }
    seeds.sort();
    seeds.dedup();
    seeds
}

/// Returns the client's name of `listOrders`: `list_orders`.
fn snake(id: &str) -> String {
    let part =
        |c: char| if c.is_ascii_uppercase() { format!("_{}", c.to_ascii_lowercase()) } else { c.to_string() };
    id.chars().map(part).collect()
}

pub(super) fn cocon() -> Vec<Vec<u8>> {
    answers("cocon", Spec::cocon())
}

pub(super) fn covage() -> Vec<Vec<u8>> {
    answers("covage", Spec::covage())
}

pub(super) fn onapi() -> Vec<Vec<u8>> {
    answers("onapi", Spec::onapi())
}

pub(super) fn errors() -> Vec<Vec<u8>> {
    let mut bodies = vec![
        Vec::new(),
        b"<html>Bad gateway</html>".to_vec(),
        br#"{"message": "key-4711", "id": 17, "errors": [{"code": 4}, "odd", {"message": ["a", "b"]}]}"#.to_vec(),
        br#"{"error": "no", "apirequest_uuid": "u", "details": [{"field": "siret", "errors": ["a", "token-4711"]}]}"#.to_vec(),
        br#"{"cause": "no"}"#.to_vec(),
        vec![b' '; 5000],
    ];
    let told = bodies.len();
    bodies.extend(examples().iter().step_by(9).map(|example| example.to_string().into_bytes()));
    let mut seeds = Vec::new();
    for (at, body) in bodies.iter().enumerate() {
        for call in 0..6 {
            let headers = ["", "120", "Sun, 06 Nov 2044 08:49:37 GMT", "/elsewhere"];
            let header = headers[(at + call) % headers.len()];
            // A success and a rejection of the documented form, and any status.
            let statuses = if at < told { vec![0, 13, at * 6 + call] } else { vec![at * 6 + call] };
            for status in statuses {
                seeds.push([&[call as u8, status as u8], header.as_bytes(), b"\n", body].concat());
            }
        }
    }
    seeds
}

/// Texts that each rule of a supplier accepts, and some that none accepts.
fn rules(is_onapi: bool) -> Vec<Vec<u8>> {
    let rules: Vec<_> = super::oracle::rules()
        .into_iter()
        .filter(|rule| super::rules::ONAPI.contains(&rule.name) == is_onapi)
        .collect();
    let mut texts: Vec<&str> = rules.iter().flat_map(|rule| rule.good.iter().copied()).collect();
    texts.extend([
        "",
        ".",
        "..",
        "L'Église",
        "e\u{301}",
        "a\tb",
        "12/14",
        "+9Z+++ABCU6R 0123456789",
        "é",
        "02-00-00-00-00-FE",
    ]);
    let each = |at: usize| texts.iter().map(move |text| [&[at as u8], text.as_bytes()].concat());
    (0..=rules.len()).flat_map(each).collect()
}

pub(super) fn covage_rules() -> Vec<Vec<u8>> {
    rules(false)
}

pub(super) fn onapi_rules() -> Vec<Vec<u8>> {
    rules(true)
}

pub(super) fn cocon_rules() -> Vec<Vec<u8>> {
    let line = r#"{"type":"LineString","coordinates":[[257100.5,471200.0],[257104.25,471203.0,1]],"bbox":[1,2,3,4]}"#;
    let seeds = [
        line.to_owned(),
        r#"{"type":"Point","bbox":[0.0],"coordinates":[[0.0,0.0],[0.0,0.0]]}"#.to_owned(),
        r#"{"type":"","coordinates":[[0,1e400]]}"#.to_owned(),
        format!(r#"{{"newRoute":{line},"isWithoutGeometry":false}}"#),
        r#"{"newRoute":null,"isWithoutGeometry":true}"#.to_owned(),
        r#"{"startDate":"2026-01-01","endDate":"2025-12-31"}"#.to_owned(),
        r#"{"startDate":null,"endDate":null}"#.to_owned(),
    ];
    each_with(3, &seeds)
}

pub(super) fn rows() -> Vec<Vec<u8>> {
    let mut lists = texts(&[
        "[]",
        " [ ] ",
        "null",
        "\"\"",
        "7",
        " {\"a\":1} ",
        "[1,2",
        "[1 2]",
        "[1,]",
        "[1] x",
        "<html>",
        "",
        "[",
        r#"[{"a":"]}\"["},[1,[2]] , "x\\" ,-1.5e3,true,null]"#,
        "[\"\u{e9}\"]",
        "[{]}",
        "[1\"a\"]",
        "[{\"a\":1}{\"b\":2}]",
        r#"[{"city":"a","city":"b"}, "x", {"accessId": 7}]"#,
    ]);
    lists.extend(
        examples().iter().filter(|example| example.is_array()).map(|list| list.to_string().into_bytes()),
    );
    let ways: [[u8; 3]; 4] = [[0, 1, 7], [0, 64, 3], [9, 2, 2], [40, 255, 1]];
    lists.iter().flat_map(|list| ways.map(|way| [way.as_slice(), list].concat())).collect()
}

pub(super) fn stored() -> Vec<Vec<u8>> {
    let spec = Spec::cocon();
    let example = |operation: &str| {
        let mut example = spec.example(operation, ExamplePart::Request).cloned().unwrap_or_default();
        // The reference's samples contain a route and say that it is left out.
        for pointer in pointers(&example) {
            if pointer.ends_with("/isWithoutGeometry") {
                *example.pointer_mut(&pointer).expect("it is there") = json!(false);
            }
        }
        example
    };
    let document = Spec::onapi().document();
    let schemas = &document["components"]["schemas"];
    let mut body =
        json!({ "operation": "ACTIVATE", "accessId": "17", "service": "BB", "spReference": "SP-1" });
    body["characteristics"] = json!({ "sla": "gold", "ipAddresses": ["192.0.2.1", "2001:db8::/64"] });
    body["equipment"] = json!({ "macAddress": "02:00:00:00:00:FE" });
    body["requestedDateTime"] = json!("2026-01-01T00:00:00.500+01:00");
    body["forcedTakeover"] = json!(true);
    let order = json!({ "access": "17", "permit": { "access": "17", "service": "BB" }, "body": body });
    let mut ticket = instance(document, &schemas["TicketCreate"], &|_| None);
    ticket.as_object_mut().expect("an object").remove("status");
    let comment = instance(document, &schemas["TicketCommentCreate"], &|_| None);
    let covage = Spec::covage().document();
    let covage_contact = instance(covage, &covage["components"]["schemas"]["ContactCreate"], &|_| None);
    let uuid = "0cd8d842-b0ca-43c0-8cbc-5d275cbdb1c2";
    let requests = [
        example("createCustomer"),
        example("createContact"),
        example("createCustomerContract"),
        example("createProjectAssetApproval"),
        example("createDelayedConnection"),
        json!({ "building_id": "1937214", "body": example("createBuildingDelayedConnection") }),
        example("createDelayedConnectionBatch"),
        Spec::covage().example("createOrder", ExamplePart::Request).cloned().unwrap_or_default(),
        json!({ "uuid": uuid }),
        json!({ "service": uuid, "body": { "imb": "IMB/76540/X/043X" } }),
        json!({ "order": uuid, "body": { "message": "call first", "stop_deferred": true } }),
        covage_contact,
        order,
        ticket,
        json!({ "ticket": "TT-1042", "body": { "status": "CLOSED", "responsible": "CO", "comment": comment } }),
    ];
    let named = json!({ "id": "1", "name": "Ankeborg" });
    let connected = json!({ "buildingId": "1937214", "cableId": "17" });
    let placed = json!({ "uuid": uuid, "status": "submitted" });
    let draft =
        json!({ "uuid": uuid, "order": { "uuid": uuid, "status": "draft" }, "overruled": ["comment"] });
    let created = [
        named.clone(),
        named.clone(),
        named,
        json!(null),
        connected.clone(),
        connected,
        json!("17"),
        draft,
        placed,
        json!({ "eligible": true, "data": "O-1" }),
        json!({ "info": "noted" }),
        json!({ "contact_uuid": uuid, "first_name": "Kajsa" }),
        json!({ "order": { "orderId": "O-1", "state": "RECEIVED" } }),
        json!("TT-1042"),
        json!(null),
    ];
    assert_eq!((requests.len(), created.len()), (super::stored::KINDS.len(), requests.len()));
    let mut seeds = Vec::new();
    for (at, (request, kind)) in requests.iter().zip(super::stored::KINDS).enumerate() {
        for progress in ["ready", "unclear", "placed"] {
            let mut json =
                json!({ "version": 1, "kind": kind.name, "progress": progress, "request": request });
            if progress == "placed" {
                json["ended_at"] = json!(1_790_000_001_000_u64);
            }
            if progress != "ready" {
                json["send_by"] = json!(1_790_000_000_000_u64);
            }
            seeds.push([&[at as u8], json.to_string().as_bytes()].concat());
        }
        let (send_by, ended_at) = (1_790_000_000_000_u64, 1_790_000_001_000_u64);
        for more in [
            json!({ "state": "ready" }),
            json!({ "state": "ready", "declared_absent": true }),
            json!({ "state": "in_flight", "send_by": send_by }),
            json!({ "state": "indeterminate", "send_by": send_by, "ended_at": ended_at }),
            json!({ "state": "placed", "created": created[at] }),
        ] {
            let mut json = json!({ "version": 2, "kind": kind.name, "request": request });
            json.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
            seeds.push([&[at as u8], json.to_string().as_bytes()].concat());
        }
    }
    let known: Vec<String> = (0..50).map(|at| format!("e-{at}")).collect();
    let others = [
        json!("10"),
        json!("TT-1042"),
        json!("202512"),
        json!({ "access": "a-1001", "subscription": "s-17" }),
        json!("Wed, 16 Oct 2019 09:59:04 GMT"),
        json!({ "rows": "then", "events": "then", "full_at": 1_790_000_000, "events_at": 0, "doubtful": true }),
        json!("e-9"),
        json!({ "place": 50, "known": known, "is_quiet": true, "search": { "from": 0, "is_found": false } }),
    ];
    for (at, other) in others.iter().enumerate() {
        seeds.push([&[(super::stored::KINDS.len() + at) as u8], other.to_string().as_bytes()].concat());
    }
    seeds
}

/// The words of the documents, for libFuzzer's dictionary: field names and enum values.
pub fn words() -> BTreeSet<String> {
    fn visit(json: &Value, words: &mut BTreeSet<String>) {
        match json {
            Value::Object(members) => {
                words.extend(members.keys().map(|key| format!("\"{key}\":")));
                members.values().for_each(|member| visit(member, words));
            }
            Value::Array(items) => items.iter().for_each(|item| visit(item, words)),
            Value::String(text) if text.len() < 24 => drop(words.insert(json.to_string())),
            _ => {}
        }
    }
    let mut words: BTreeSet<String> = UNEXPECTED_VALUES.iter().map(|value| (*value).to_owned()).collect();
    examples().iter().for_each(|example| visit(example, &mut words));
    words
}
