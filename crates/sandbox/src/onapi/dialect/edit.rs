//! Changes of JSON bodies. Each does nothing where the body has another form.

use serde_json::Value;

/// Changes each element of a list.
pub(super) fn for_each(list: &mut Value, change: impl FnMut(&mut Value)) {
    list.as_array_mut().into_iter().flatten().for_each(change);
}

/// Changes each element of a list in a field.
pub(super) fn for_each_in(object: &mut Value, field: &str, change: impl FnMut(&mut Value)) {
    if let Some(list) = object.get_mut(field) {
        for_each(list, change);
    }
}

/// Removes all fields but these.
pub(super) fn retain(object: &mut Value, fields: &[&str]) {
    if let Some(object) = object.as_object_mut() {
        object.retain(|field, _| fields.contains(&field.as_str()));
    }
}

/// Removes all fields but these from the object in a field.
pub(super) fn retain_in(object: &mut Value, field: &str, fields: &[&str]) {
    if let Some(inner) = object.get_mut(field) {
        retain(inner, fields);
    }
}

/// Removes a field.
pub(super) fn remove(object: &mut Value, field: &str) {
    if let Some(object) = object.as_object_mut() {
        object.remove(field);
    }
}

/// Gives a field another name.
pub(super) fn rename(object: &mut Value, from: &str, to: &str) {
    let Some(object) = object.as_object_mut() else { return };
    if let Some(value) = object.remove(from) {
        object.insert(to.to_owned(), value);
    }
}
