//! A form of JSON in which equal values are equal texts.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

/// Writes JSON in a form that does not depend on the order of fields, on white space, on how characters are escaped, and on
/// fields that are `null`. The digits of numbers stay as they are.
///
/// ```
/// use lastmile::outbox::canonical;
///
/// let one = canonical(r#"{ "b": 1.10, "a": ["\u0041", null], "c": null }"#)?;
/// assert_eq!(one, r#"{"a":["A",null],"b":1.10}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// # Errors
/// Returns an error when the text is not JSON.
pub fn canonical(json: &str) -> Result<String, serde_json::Error> {
    let mut text = String::with_capacity(json.len());
    write(json.trim(), &mut text)?;
    Ok(text)
}

fn write(json: &str, text: &mut String) -> Result<(), serde_json::Error> {
    match json.as_bytes().first() {
        Some(b'{') => {
            let fields: BTreeMap<String, &RawValue> = serde_json::from_str(json)?;
            text.push('{');
            let given = fields.iter().filter(|(_, value)| value.get() != "null");
            for (number, (name, value)) in given.enumerate() {
                if number > 0 {
                    text.push(',');
                }
                text.push_str(&serde_json::to_string(name)?);
                text.push(':');
                write(value.get(), text)?;
            }
            text.push('}');
        }
        Some(b'[') => {
            let items: Vec<&RawValue> = serde_json::from_str(json)?;
            text.push('[');
            for (number, item) in items.into_iter().enumerate() {
                if number > 0 {
                    text.push(',');
                }
                write(item.get(), text)?;
            }
            text.push(']');
        }
        Some(b'"') => {
            let string: String = serde_json::from_str(json)?;
            text.push_str(&serde_json::to_string(&string)?);
        }
        _ => {
            let scalar: &RawValue = serde_json::from_str(json)?;
            text.push_str(scalar.get());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::canonical;

    #[test]
    fn equal_requests_have_one_form() {
        let form = canonical(r#"{"name":"Café","line":{"b":[1,2.50],"a":true},"note":null}"#).unwrap();
        for same in [
            r#"{"line":{"a":true,"b":[1,2.50]},"name":"Caf\u00e9"}"#,
            " {\n\"note\" : null, \"name\":\"Café\", \"line\":{\"b\":[ 1 , 2.50 ],\"a\":true, \"c\":null}} ",
        ] {
            assert_eq!(canonical(same).unwrap(), form);
        }
        for other in [
            r#"{"name":"Cafe","line":{"b":[1,2.50],"a":true}}"#,
            r#"{"name":"Café","line":{"b":[2.50,1],"a":true}}"#,
            r#"{"name":"Café","line":{"b":[1,2.5],"a":true}}"#,
        ] {
            assert_ne!(canonical(other).unwrap(), form);
        }
        assert_eq!(canonical("12345678901234567890.10").unwrap(), "12345678901234567890.10");
        assert!(canonical("").is_err() && canonical("{").is_err() && canonical("[1,]").is_err());
    }
}
