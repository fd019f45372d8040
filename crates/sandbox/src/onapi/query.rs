//! The parameters of a query string.

use crate::query_string;
use crate::spec::percent_decoded;

/// The decoded query parameters, by lower-case name.
#[derive(Debug)]
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    pub(super) fn parse(query: Option<&str>) -> Query {
        let decoded = |(name, value): (&str, &str)| (name.to_ascii_lowercase(), decode(value));
        Query(query_string::pairs(query).map(decoded).collect())
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let named = self.0.iter().find(|(other, _)| other.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.as_str())
    }
}

/// Decodes a form value. A value that cannot be decoded stays as it is, except that `+` becomes a space.
fn decode(value: &str) -> String {
    let spaced = value.replace('+', " ");
    percent_decoded(&spaced).unwrap_or(spaced)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_decoded_and_names_are_case_insensitive() {
        let query = Query::parse(Some("ipv4CircuitId=sw-1%20eth+0%2F1&created=&odd=%zz%4"));
        assert_eq!(query.get("ipv4circuitid"), Some("sw-1 eth 0/1"));
        assert_eq!(query.get("Created"), Some(""));
        assert_eq!(query.get("odd"), Some("%zz%4"));
        assert_eq!(query.get("none"), None);
        assert_eq!(Query::parse(None).get("none"), None);
    }
}
