//! Query strings and their validation against the document.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use jsonschema::{Draft, Validator};
use serde_json::Value;

use super::error_response::FieldError;
use crate::query_string;
use crate::spec::{Spec, percent_decoded};

/// The decoded query parameters, by name. If a parameter is repeated, the last value counts.
#[derive(Debug, Default)]
pub(super) struct Query(BTreeMap<String, String>);

impl Query {
    /// Parses a query string. A text that cannot be decoded stays as it is.
    pub(super) fn parse(query: Option<&str>) -> Query {
        let decode = |text: &str| percent_decoded(&text.replace('+', "%20")).unwrap_or(text.to_owned());
        let decoded = |(name, value): (&str, &str)| (decode(name), decode(value));
        Query(query_string::pairs(query).map(decoded).collect())
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Returns a parameter that has been checked to be present, or an empty string.
    pub(super) fn text(&self, name: &str) -> &str {
        self.get(name).unwrap_or_default()
    }

    pub(super) fn number(&self, name: &str) -> Option<usize> {
        self.get(name)?.parse().ok()
    }

    pub(super) fn flag(&self, name: &str) -> bool {
        self.get(name) == Some("true")
    }
}

/// The documented query parameters of each operation.
#[derive(Debug)]
pub(super) struct Rules(BTreeMap<String, Vec<Rule>>);

#[derive(Debug)]
struct Rule {
    name: String,
    required: bool,
    kind: String,
    schema: Validator,
}

/// Read once, because building validators is slow.
static RULES: LazyLock<Result<Rules, String>> = LazyLock::new(|| Rules::read(Spec::covage()));

impl Rules {
    /// Returns the rules of Covage's document, or what of it is not understood.
    pub(super) fn covage() -> Result<&'static Rules, &'static str> {
        RULES.as_ref().map_err(String::as_str)
    }

    fn read(spec: &Spec) -> Result<Rules, String> {
        let document = spec.document();
        let mut rules = BTreeMap::new();
        for operation in spec.operations() {
            let method = operation.method.as_str().to_ascii_lowercase();
            let documented = &document["paths"][&operation.path][method]["parameters"];
            let parameters = documented.as_array().into_iter().flatten().map(|node| spec.resolve(node));
            let query = parameters.filter(|parameter| parameter["in"] == "query");
            rules.insert(operation.id.clone(), query.map(Rule::read).collect::<Result<_, _>>()?);
        }
        Ok(Rules(rules))
    }

    pub(super) fn errors(&self, operation_id: &str, query: &Query) -> Vec<FieldError> {
        let rules = self.0.get(operation_id).into_iter().flatten();
        rules.filter_map(|rule| rule.error(query.get(&rule.name))).collect()
    }
}

impl Rule {
    fn read(parameter: &Value) -> Result<Rule, String> {
        let name = parameter["name"].as_str().unwrap_or_default().to_owned();
        let schema = jsonschema::options()
            .with_draft(Draft::Draft202012)
            .should_validate_formats(true)
            .build(&parameter["schema"])
            .map_err(|error| format!("parameter {name}: {error}"))?;
        let kind = parameter["schema"]["type"].as_str().unwrap_or_default().to_owned();
        Ok(Rule { required: parameter["required"] == true, name, kind, schema })
    }

    fn error(&self, value: Option<&str>) -> Option<FieldError> {
        let text = match value {
            Some(text) if !(text.is_empty() && self.required) => text,
            _ => return self.required.then(|| FieldError::required(&self.name)),
        };
        // Query values are text; they are validated as the type that the schema has. Its integers have 64 bits.
        let value = match self.kind.as_str() {
            "integer" => text.parse::<i64>().map_or(Value::from(text), Value::from),
            "boolean" => text.parse::<bool>().map_or(Value::from(text), Value::from),
            _ => Value::from(text),
        };
        let error = self.schema.validate(&value).err()?;
        Some(FieldError::new(&self.name, error.masked().to_string()))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn names_and_values_are_decoded() {
        let query = Query::parse(Some("a=1&b=x%20y+z&c&a=2&d=%zz"));
        assert_eq!((query.get("a"), query.get("b"), query.get("c")), (Some("2"), Some("x y z"), Some("")));
        assert_eq!((query.get("d"), query.get("e")), (Some("%zz"), None));
    }

    #[test]
    fn parameters_are_validated_against_the_document() {
        let rules = Rules::covage().unwrap();
        let count = |operation, query| rules.errors(operation, &Query::parse(Some(query))).len();
        assert_eq!(rules.errors("listCities", &Query::default()), [FieldError::required("zipcode")]);
        assert_eq!(count("listCities", "zipcode=0613"), 1);
        assert_eq!(count("listCities", "zipcode=06130"), 0);
        assert_eq!(count("listBuildings", ""), 2);
        assert_eq!(count("listOrders", "limit=5&offset=0&sort=-reference&type=activate"), 0);
        assert_eq!(count("listOrders", "limit=-5&offset=x&sort=status&type=both"), 4);
        assert_eq!(count("listOrders", "limit=&sort="), 2);
        assert_eq!(count("listOrders", "reference=&status="), 0);
        assert_eq!(count("listServices", "offset=9223372036854775807"), 0);
        assert_eq!(count("listServices", "offset=9223372036854775808&limit=1.0"), 2);
        assert_eq!(count("getBuilding", "include_stairs=true"), 0);
        assert_eq!(count("getBuilding", "include_stairs=yes"), 1);
        assert_eq!(count("listAppointmentSlots", "start_date=2026-02-30"), 1);
    }
}
