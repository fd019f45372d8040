//! Helpers for JSON values.

use serde_json::{Value, json};

/// Returns the field of an object, unless it is absent or `null`.
pub(crate) fn non_null<'a>(object: &'a Value, field: &str) -> Option<&'a Value> {
    object.get(field).filter(|value| !value.is_null())
}

/// Returns the field of an object if it is a string.
pub(crate) fn text<'a>(object: &'a Value, field: &str) -> Option<&'a str> {
    object.get(field).and_then(Value::as_str)
}

/// Returns the value at a JSON pointer if it is a string.
pub(crate) fn text_at<'a>(value: &'a Value, pointer: &str) -> Option<&'a str> {
    value.pointer(pointer).and_then(Value::as_str)
}

/// Appends to an array. Anything else is first replaced with an empty array.
pub(crate) fn push(list: &mut Value, value: Value) {
    if !list.is_array() {
        *list = json!([]);
    }
    if let Some(list) = list.as_array_mut() {
        list.push(value);
    }
}
