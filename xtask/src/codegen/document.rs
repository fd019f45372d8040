//! An OpenAPI document as JSON, and what the passes learn from it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::error::PassError;
use super::generate::IMPORTS;
use super::{params_name, snake};

const METHODS: [&str; 5] = ["get", "put", "post", "patch", "delete"];

/// The parts of an error body that `x-error` can locate.
pub(crate) const ERROR_PARTS: [&str; 6] =
    ["message", "id", "fields", "field-name", "field-code", "field-message"];

/// What stands for each dialect of the standard in a mark.
const ALL_OF_THE_STANDARD: &str = "standard";

pub(crate) struct Document {
    /// The short name, which is also the file's.
    pub(crate) api: String,
    pub(crate) json: Value,
    pub(crate) facts: Facts,
}

/// What the passes learn from a document and remove from it, and later steps need.
#[derive(Default)]
pub(crate) struct Facts {
    /// The media type of the request in the document, by operation id, where it is not plain JSON.
    pub(crate) media_types: BTreeMap<String, String>,
    /// The ids of the operations whose response has status 304 when nothing has changed.
    pub(crate) conditional: BTreeSet<String>,
    /// The components that are objects of responses.
    pub(crate) responses: BTreeSet<String>,
    /// The shape of the list that an operation returns, by operation id.
    pub(crate) lists: BTreeMap<String, ListShape>,
    /// The component enums that can have other values than those the document lists.
    pub(crate) open_enums: BTreeSet<String>,
    /// The properties that `Debug` does not show, by component; and the parameters, by the struct that has them.
    pub(crate) sensitive: BTreeMap<String, BTreeSet<String>>,
    /// The name on the wire of each property that has another name in generated code, by component and that other name.
    pub(crate) wire_names: BTreeMap<(String, String), String>,
}

/// The shape of a list that an operation returns.
pub(crate) struct ListShape {
    /// The property that each row has, where one is known.
    pub(crate) identity: Option<String>,
    /// Whether each request returns one page of it.
    pub(crate) is_paged: bool,
}

/// An operation of a document.
pub(crate) struct Operation<'a> {
    pub(crate) id: &'a str,
    pub(crate) method: &'static str,
    pub(crate) path: &'a str,
    pub(crate) json: &'a Value,
}

impl Document {
    pub(crate) fn parse(api: &str, yaml: &str) -> Result<Self, PassError> {
        let mut document = Self::unchecked(api, yaml)?;
        document.check()?;
        document.facts.sensitive = document.sensitive();
        Ok(document)
    }

    /// Reads a document that codegen may refuse, such as an old version.
    pub(crate) fn unchecked(api: &str, yaml: &str) -> Result<Self, PassError> {
        let json: Value = serde_saphyr::from_str(yaml).map_err(|error| PassError::new(error.to_string()))?;
        Ok(Self { api: api.to_owned(), json, facts: Facts::default() })
    }

    /// Checks what later steps rely on, to report it with its location.
    fn check(&self) -> Result<(), PassError> {
        for part in ["paths", "components"] {
            if !self.json[part].is_object() {
                return Err(PassError::at(part, "it is missing or not an object"));
            }
        }
        match self.json["openapi"].as_str() {
            Some(version) if version.starts_with("3.0.") => {}
            _ => return Err(PassError::at("openapi", "only OpenAPI 3.0 is supported")),
        }
        for path in self.json["paths"].as_object().into_iter().flatten() {
            for (key, json) in path.1.as_object().into_iter().flatten() {
                let known = METHODS.contains(&key.as_str());
                if !known && key != "parameters" {
                    return Err(PassError::at(path.0, format!("`{key}` is not one of {METHODS:?}")));
                }
                if json.get("x-stream").is_some() && key != "get" {
                    return Err(PassError::at(format!("{key} {}", path.0), "x-stream is for GET"));
                }
                if known && json["operationId"].as_str().is_none() {
                    return Err(PassError::at(format!("{key} {}", path.0), "it has no operationId"));
                }
            }
        }
        for (part, _) in self.json["x-error"].as_object().into_iter().flatten() {
            if !ERROR_PARTS.contains(&part.as_str()) {
                return Err(PassError::at("x-error", format!("`{part}` is not one of {ERROR_PARTS:?}")));
            }
        }
        let mut ids = BTreeSet::new();
        for operation in self.operations() {
            if !ids.insert(operation.id) {
                return Err(PassError::at(operation.id, "another operation has the same operationId"));
            }
        }
        self.schemas().try_for_each(|(name, schema)| check_schema(name, schema))?;
        self.check_dialects()?;
        for (pointer, object) in objects(&self.json) {
            // One row of a table there defines each of our extensions.
            let is_defined =
                |key: &str| include_str!("../../../specs/README.md").contains(&format!("\n| `{key}`"));
            if let Some(unknown) = object.keys().find(|key| key.starts_with("x-") && !is_defined(key)) {
                return Err(PassError::at(pointer, format!("specs/README.md does not define `{unknown}`")));
            }
        }
        Ok(())
    }

    /// Checks that each mark names dialects of this document.
    fn check_dialects(&self) -> Result<(), PassError> {
        let own: Vec<&str> = strings(&self.json["x-dialects"]).collect();
        let is_known = |name: &str| name == ALL_OF_THE_STANDARD || own.contains(&name);
        for (pointer, object) in objects(&self.json) {
            let listed = object.get("x-dialects").into_iter().flat_map(strings);
            let forms = object.get("x-forms").and_then(Value::as_object).into_iter().flat_map(Map::keys);
            if let Some(unknown) = listed.chain(forms.map(String::as_str)).find(|name| !is_known(name)) {
                return Err(PassError::at(pointer, format!("the document names no dialect `{unknown}`")));
            }
        }
        Ok(())
    }

    pub(crate) fn operations(&self) -> impl Iterator<Item = Operation<'_>> {
        let paths = self.json["paths"].as_object().into_iter().flatten();
        paths.flat_map(|(path, item)| {
            METHODS.into_iter().filter_map(move |method| {
                let json = item.get(method)?;
                Some(Operation { id: json["operationId"].as_str()?, method, path, json })
            })
        })
    }

    /// Calls `change` with the id and the JSON of each operation, and adds up what it counts.
    pub(crate) fn each_operation(
        &mut self,
        mut change: impl FnMut(&str, &mut Value, &mut Facts) -> Result<usize, PassError>,
    ) -> Result<usize, PassError> {
        let mut count = 0;
        for (_, item) in self.json["paths"].as_object_mut().into_iter().flatten() {
            for method in METHODS {
                let Some(operation) = item.get_mut(method) else { continue };
                let id = operation["operationId"].as_str().unwrap_or_default().to_owned();
                count += change(&id, operation, &mut self.facts)?;
            }
        }
        Ok(count)
    }

    pub(crate) fn schemas(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.json["components"]["schemas"].as_object().into_iter().flatten()
    }

    pub(crate) fn schemas_mut(&mut self) -> Option<&mut Map<String, Value>> {
        self.json["components"]["schemas"].as_object_mut()
    }

    /// The components that the `part` of any operation refers to, directly or through others.
    pub(crate) fn reachable(&self, part: &str) -> BTreeSet<String> {
        self.closure(self.operations().flat_map(|operation| references(&operation.json[part])).collect())
    }

    /// These components, and those that they refer to, directly or through others.
    pub(crate) fn closure(&self, mut todo: Vec<String>) -> BTreeSet<String> {
        let mut seen = BTreeSet::new();
        while let Some(name) = todo.pop() {
            todo.extend(references(&self.json["components"]["schemas"][&name]));
            seen.insert(name);
            todo.retain(|name| !seen.contains(name));
        }
        seen
    }

    /// The parameters of an operation, those of its path included.
    pub(crate) fn parameters<'a>(&'a self, operation: &Operation<'a>) -> impl Iterator<Item = &'a Value> {
        let of_the_path = self.json["paths"][operation.path]["parameters"].as_array().into_iter().flatten();
        let parameters = operation.json["parameters"].as_array().into_iter().flatten().chain(of_the_path);
        parameters.map(|parameter| match parameter["$ref"].as_str() {
            Some(reference) => self.json.pointer(reference.trim_start_matches('#')).unwrap_or(parameter),
            None => parameter,
        })
    }

    fn sensitive(&self) -> BTreeMap<String, BTreeSet<String>> {
        let properties = self.schemas().map(|(name, schema)| {
            let properties = schema["properties"].as_object().into_iter().flatten();
            let marked = properties.filter(|(_, property)| property.get("x-sensitive").is_some());
            (name.clone(), marked.map(|(key, _)| key.clone()).collect())
        });
        let parameters = self.operations().map(|operation| {
            let marked =
                self.parameters(&operation).filter(|parameter| parameter.get("x-sensitive").is_some());
            let names = marked.filter_map(|parameter| parameter["name"].as_str());
            (params_name(operation.id), names.map(snake).collect())
        });
        properties.chain(parameters).collect()
    }
}

fn strings(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str)
}

/// The objects in `json` with their JSON pointers, each before those inside of it.
pub(crate) fn objects(json: &Value) -> Vec<(String, &Map<String, Value>)> {
    fn collect<'a>(json: &'a Value, pointer: String, found: &mut Vec<(String, &'a Map<String, Value>)>) {
        match json {
            Value::Object(members) => {
                found.push((pointer.clone(), members));
                for (key, member) in members {
                    let key = key.replace('~', "~0").replace('/', "~1");
                    collect(member, format!("{pointer}/{key}"), found);
                }
            }
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    collect(item, format!("{pointer}/{index}"), found);
                }
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    collect(json, String::new(), &mut found);
    found
}

/// Calls `change` with each object in `json` and its JSON pointer, and returns how many it has changed. Objects inside of one
/// that was replaced are skipped.
pub(crate) fn change_objects(
    json: &mut Value,
    mut change: impl FnMut(&str, &mut Value) -> Result<bool, PassError>,
) -> Result<usize, PassError> {
    let pointers: Vec<String> = objects(json).into_iter().map(|(pointer, _)| pointer).collect();
    let mut count = 0;
    for pointer in pointers {
        if let Some(object) = json.pointer_mut(&pointer).filter(|found| found.is_object()) {
            count += usize::from(change(&pointer, object)?);
        }
    }
    Ok(count)
}

/// The component schemas that a part of a document refers to.
pub(crate) fn references(json: &Value) -> Vec<String> {
    objects(json).iter().filter_map(|(_, object)| component(object.get("$ref")?)).map(str::to_owned).collect()
}

/// The name of the component schema that a `$ref` points to.
pub(crate) fn component(reference: &Value) -> Option<&str> {
    reference.as_str()?.strip_prefix("#/components/schemas/")
}

/// Checks that the names of a component and of its properties can be names in generated code.
fn check_schema(name: &str, schema: &Value) -> Result<(), PassError> {
    if !name.starts_with(|c: char| c.is_ascii_uppercase()) || !name.bytes().all(|b| b.is_ascii_alphanumeric())
    {
        return Err(PassError::at(name, "a component's name is letters and digits, with a capital first"));
    }
    if IMPORTS.split(' ').any(|import| import == name) {
        return Err(PassError::at(name, "generated code imports another type of this name"));
    }
    let mut fields = BTreeSet::new();
    for (key, property) in schema["properties"].as_object().into_iter().flatten() {
        let values = property.get("x-known-values").or(property.get("enum")).and_then(Value::as_array);
        let message = if !fields.insert(snake(property["x-name"].as_str().unwrap_or(key))) {
            "another property gets the same name in generated code"
        } else if key == "extra" || !key.starts_with(|c: char| c.is_ascii_alphabetic()) {
            "a property cannot have this name in generated code"
        } else if property.get("properties").or(property["items"].get("properties")).is_some() {
            "an object inside another one is a component of its own"
        } else if property.get("x-sensitive").is_some_and(|value| value != "personal" && value != "secret") {
            "x-sensitive is `personal` or `secret`"
        } else if values.is_some_and(|values| values.iter().any(|value| value == "Unlisted" || value == "")) {
            "its list of values holds one that cannot be a variant"
        } else {
            continue;
        };
        return Err(PassError::at(format!("{name}.{key}"), message));
    }
    Ok(())
}
