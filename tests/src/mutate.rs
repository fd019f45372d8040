use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// Returns the JSON pointers of all values of a document.
pub fn pointers(json: &Value) -> Vec<String> {
    fn visit(json: &Value, at: &str, found: &mut Vec<String>) {
        found.push(at.to_owned());
        match json {
            Value::Object(members) => members.iter().for_each(|(key, member)| {
                visit(member, &format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")), found);
            }),
            Value::Array(items) => {
                items.iter().enumerate().for_each(|(n, item)| visit(item, &format!("{at}/{n}"), found))
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    visit(json, "", &mut found);
    found
}

/// Returns unexpected values that may arrive instead of this one.
pub fn unexpected_values(value: &Value) -> Vec<Value> {
    let mut unexpected_values =
        vec![json!(null), json!(""), json!("ZZZ"), json!(7), json!(-1.5), json!(true), json!({}), json!([])];
    unexpected_values.push(json!({ "unheard": { "of": [1, "two", null] } }));
    unexpected_values.push(json!([value]));
    unexpected_values.push(json!("2019-01-18"));
    unexpected_values.push(json!("2019-01-18T10:00:00.5000+02:00"));
    match value {
        Value::Number(number) => unexpected_values.push(json!(number.to_string())),
        Value::Bool(value) => unexpected_values.push(json!(value.to_string())),
        Value::Array(items) => unexpected_values.extend(items.first().cloned()),
        Value::Object(members) => {
            let mut more = members.clone();
            more.insert("unheardOf".to_owned(), json!("x"));
            unexpected_values.push(Value::Object(more));
            for key in members.keys() {
                let mut fewer = members.clone();
                fewer.remove(key);
                unexpected_values.push(Value::Object(fewer));
            }
        }
        _ => {}
    }
    unexpected_values
}

/// Decodes a response and writes it back. Only the top level may be rejected; nothing below it may.
#[track_caller]
pub fn reads_and_writes_back<T: DeserializeOwned + Serialize>(json: &Value, about: &str) {
    let text = json.to_string();
    let read: T = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{about}: {error}: {text}"));
    assert_eq!(serde_json::to_value(&read).unwrap(), *json, "{about}: written back as it came");
}

/// Puts every unexpected value into every position below the top level, one at a time; then many at once, at random.
#[track_caller]
pub fn survives_mutation<T: DeserializeOwned + Serialize>(sample: &Value, about: &str) {
    reads_and_writes_back::<T>(sample, about);
    let below_the_top =
        |all: Vec<String>| all.into_iter().filter(|pointer| !pointer.is_empty()).collect::<Vec<_>>();
    for pointer in below_the_top(pointers(sample)) {
        for unexpected in unexpected_values(sample.pointer(&pointer).unwrap()) {
            let mut mutated = sample.clone();
            *mutated.pointer_mut(&pointer).unwrap() = unexpected;
            reads_and_writes_back::<T>(&mutated, &format!("{about} at {pointer}"));
        }
    }
    let mut random = fastrand::Rng::with_seed(sample.to_string().len() as u64);
    for round in 0..200 {
        let mut mutated = sample.clone();
        for _ in 0..random.usize(2..6) {
            let pointers = below_the_top(pointers(&mutated));
            let Some(pointer) = random.choice(pointers) else { break };
            let mut unexpected_values = unexpected_values(mutated.pointer(&pointer).unwrap());
            let chosen = unexpected_values.swap_remove(random.usize(..unexpected_values.len()));
            *mutated.pointer_mut(&pointer).unwrap() = chosen;
        }
        reads_and_writes_back::<T>(&mutated, &format!("{about}, round {round}"));
    }
}
