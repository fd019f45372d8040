//! An OpenAPI document as JSON, and ways to walk it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::fault::Fault;
use super::table::snake;

const METHODS: [&str; 5] = ["get", "put", "post", "patch", "delete"];

/// Our extensions; specs/README.md says what they mean.
pub(crate) const EXTENSIONS: [&str; 12] = [
    "x-assumption",
    "x-error",
    "x-identity",
    "x-interval",
    "x-known-values",
    "x-lower-case",
    "x-map",
    "x-retry",
    "x-sensitive",
    "x-stray",
    "x-stream",
    "x-token",
];

pub(crate) struct Document {
    /// The short name, which is also the file's.
    pub(crate) api: String,
    pub(crate) json: Value,
    pub(crate) facts: Facts,
}

/// What passes learn from a document and take out of it, and later steps need.
#[derive(Default)]
pub(crate) struct Facts {
    /// The true media type of the request, by operation id, where it is not plain JSON.
    pub(crate) media_types: BTreeMap<String, String>,
    /// The operations that answer 304 when nothing has changed.
    pub(crate) conditional: BTreeSet<String>,
    /// The components that answers hold.
    pub(crate) answers: BTreeSet<String>,
    /// The operations that answer with a list, by operation id, and what is known of it.
    pub(crate) lists: BTreeMap<String, ListShape>,
    /// The component enums that take other values than those they list.
    pub(crate) open_enums: BTreeSet<String>,
    /// The methods whose answers can be read as a stream of bytes, too.
    pub(crate) streams: BTreeSet<String>,
    /// The properties that no log may show, by component; and the parameters, by the struct that gathers them.
    pub(crate) sensitive: BTreeMap<String, BTreeSet<String>>,
}

/// What is known of a list that an operation answers with.
pub(crate) struct ListShape {
    /// The property that each row has.
    pub(crate) identity: Option<String>,
    /// Whether it is asked for page by page.
    pub(crate) is_paged: bool,
}

/// An operation with its place.
pub(crate) struct Operation<'a> {
    pub(crate) id: &'a str,
    pub(crate) method: &'static str,
    pub(crate) path: &'a str,
    pub(crate) json: &'a Value,
}

impl Document {
    pub(crate) fn parse(api: &str, yaml: &str) -> Result<Self, Fault> {
        let json: Value = serde_saphyr::from_str(yaml).map_err(|error| Fault::new(error.to_string()))?;
        let mut document = Self { api: api.to_owned(), json, facts: Facts::default() };
        document.check()?;
        document.facts.sensitive = document.sensitive();
        Ok(document)
    }

    /// Refuses what later steps rely on, or would only fail at in their own words.
    fn check(&self) -> Result<(), Fault> {
        for part in ["paths", "components"] {
            if !self.json[part].is_object() {
                return Err(Fault::at(part, "it is missing, or not an object"));
            }
        }
        match self.json["openapi"].as_str() {
            Some(version) if version.starts_with("3.0.") => {}
            _ => return Err(Fault::at("openapi", "only OpenAPI 3.0 is read")),
        }
        for path in self.json["paths"].as_object().into_iter().flatten() {
            for (key, json) in path.1.as_object().into_iter().flatten() {
                let known = METHODS.contains(&key.as_str());
                if !known && key != "parameters" {
                    return Err(Fault::at(path.0, format!("`{key}` is not one of {METHODS:?}")));
                }
                if json.get("x-stream").is_some() && key != "get" {
                    return Err(Fault::at(format!("{key} {}", path.0), "x-stream is for GET"));
                }
                if known && json["operationId"].as_str().is_none() {
                    return Err(Fault::at(format!("{key} {}", path.0), "it has no operationId"));
                }
            }
        }
        const ERROR_PARTS: [&str; 6] =
            ["message", "id", "fields", "field-name", "field-code", "field-message"];
        for (part, _) in self.json["x-error"].as_object().into_iter().flatten() {
            if !ERROR_PARTS.contains(&part.as_str()) {
                return Err(Fault::at("x-error", format!("`{part}` is not one of {ERROR_PARTS:?}")));
            }
        }
        let mut ids = BTreeSet::new();
        for operation in self.operations() {
            if !ids.insert(operation.id) {
                return Err(Fault::at(operation.id, "another operation has the same operationId"));
            }
        }
        self.schemas().try_for_each(|(name, schema)| check_schema(name, schema))?;
        check_extensions(&self.json, "")
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
        mut change: impl FnMut(&str, &mut Value, &mut Facts) -> Result<usize, Fault>,
    ) -> Result<usize, Fault> {
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

    /// The components that the schemas of all requests, or of all answers, reach.
    pub(crate) fn reachable(&self, side: Side) -> BTreeSet<String> {
        let mut todo = Vec::new();
        for operation in self.operations() {
            match side {
                Side::Requests => references(&operation.json["requestBody"], &mut todo),
                Side::Answers => references(&operation.json["responses"], &mut todo),
            }
        }
        self.closure(todo)
    }

    /// These components, and all that they refer to.
    pub(crate) fn closure(&self, mut todo: Vec<String>) -> BTreeSet<String> {
        let mut seen = BTreeSet::new();
        while let Some(name) = todo.pop() {
            references(&self.json["components"]["schemas"][&name], &mut todo);
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
            let id = operation.id;
            (format!("{}{}Params", id[..1].to_uppercase(), &id[1..]), names.map(snake).collect())
        });
        properties.chain(parameters).collect()
    }
}

#[derive(Clone, Copy)]
pub(crate) enum Side {
    Requests,
    Answers,
}

/// The component schemas that a part of a document refers to.
pub(crate) fn references(json: &Value, found: &mut Vec<String>) {
    match json {
        Value::Object(members) => {
            found.extend(members.get("$ref").and_then(component).map(str::to_owned));
            members.values().for_each(|member| references(member, found));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

/// The name of the component schema that a `$ref` points to.
pub(crate) fn component(reference: &Value) -> Option<&str> {
    reference.as_str()?.strip_prefix("#/components/schemas/")
}

/// A component's name must be one that the generator keeps, and what is inside must not collide with what it adds.
fn check_schema(name: &str, schema: &Value) -> Result<(), Fault> {
    if !name.starts_with(|c: char| c.is_ascii_uppercase()) || !name.bytes().all(|b| b.is_ascii_alphanumeric())
    {
        return Err(Fault::at(name, "a component's name is letters and digits, with a capital first"));
    }
    let mut fields = BTreeSet::new();
    for (key, property) in schema["properties"].as_object().into_iter().flatten() {
        if !fields.insert(snake(key)) {
            return Err(Fault::at(
                format!("{name}.{key}"),
                "another property gets the same name in generated code",
            ));
        }
        let fault = |what: &str| Err(Fault::at(format!("{name}.{key}"), what));
        if key == "extra" || key.is_empty() || !key.starts_with(|c: char| c.is_ascii_alphabetic()) {
            return fault("a property cannot have this name in generated code");
        }
        if property.get("properties").is_some() || property["items"].get("properties").is_some() {
            return fault("an object inside another one is a component of its own");
        }
        if property.get("x-sensitive").is_some_and(|value| value != "personal" && value != "secret") {
            return fault("x-sensitive is `personal` or `secret`");
        }
        let values = property.get("x-known-values").or(property.get("enum")).and_then(Value::as_array);
        if values.is_some_and(|values| values.iter().any(|value| value == "Unlisted" || value == "")) {
            return fault("its list of values holds one that cannot be a variant");
        }
    }
    Ok(())
}

fn check_extensions(json: &Value, place: &str) -> Result<(), Fault> {
    match json {
        Value::Object(members) => members.iter().try_for_each(|(key, member)| {
            if key.starts_with("x-") && !EXTENSIONS.contains(&key.as_str()) {
                return Err(Fault::at(place, format!("specs/README.md does not define `{key}`")));
            }
            check_extensions(member, &format!("{place}/{key}"))
        }),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .try_for_each(|(at, item)| check_extensions(item, &format!("{place}/{at}"))),
        _ => Ok(()),
    }
}
