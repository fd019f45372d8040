use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// Returns the JSON pointers of all values of a document.
pub fn places(json: &Value) -> Vec<String> {
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
pub fn strays(value: &Value) -> Vec<Value> {
    let mut strays =
        vec![json!(null), json!(""), json!("ZZZ"), json!(7), json!(-1.5), json!(true), json!({}), json!([])];
    strays.push(json!({ "unheard": { "of": [1, "two", null] } }));
    strays.push(json!([value]));
    strays.push(json!("2019-01-18"));
    strays.push(json!("2019-01-18T10:00:00.5000+02:00"));
    match value {
        Value::Number(number) => strays.push(json!(number.to_string())),
        Value::Bool(value) => strays.push(json!(value.to_string())),
        Value::Array(items) => strays.extend(items.first().cloned()),
        Value::Object(members) => {
            let mut more = members.clone();
            more.insert("unheardOf".to_owned(), json!("x"));
            strays.push(Value::Object(more));
            for key in members.keys() {
                let mut fewer = members.clone();
                fewer.remove(key);
                strays.push(Value::Object(fewer));
            }
        }
        _ => {}
    }
    strays
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
        |places: Vec<String>| places.into_iter().filter(|place| !place.is_empty()).collect::<Vec<_>>();
    for place in below_the_top(places(sample)) {
        for stray in strays(sample.pointer(&place).unwrap()) {
            let mut mutated = sample.clone();
            *mutated.pointer_mut(&place).unwrap() = stray;
            reads_and_writes_back::<T>(&mutated, &format!("{about} at {place}"));
        }
    }
    let mut random = fastrand::Rng::with_seed(sample.to_string().len() as u64);
    for round in 0..200 {
        let mut mutated = sample.clone();
        for _ in 0..random.usize(2..6) {
            let places = below_the_top(places(&mutated));
            let Some(place) = random.choice(places) else { break };
            let mut strays = strays(mutated.pointer(&place).unwrap());
            let chosen = strays.swap_remove(random.usize(..strays.len()));
            *mutated.pointer_mut(&place).unwrap() = chosen;
        }
        reads_and_writes_back::<T>(&mutated, &format!("{about}, round {round}"));
    }
}
