//! How a CO wants its paths and its parameters written.

use std::borrow::Cow;

use http::Method;

use super::reply::Refusal;
use crate::Received;
use crate::spec::{Lookup, Spec, percent_decoded};

/// Under which the API stands at this CO.
pub(super) const PREFIX: &str = "/onapi/2.6";

/// How a CO wants its addresses written. Servers differ: some want a slash at the end, some refuse it, and one
/// may do both, for collections and for items.
///
/// Collections are the addresses of one segment, such as `/orders/` or `/tickets`; everything below them is an
/// item. The directory, directly below the prefix, is found with a slash and without.
///
/// ```
/// use lastmile_sandbox::{PathHabits, RefuseWith, Slash};
///
/// let habits = PathHabits {
///     collections: Slash::Refused,
///     items: Slash::Required,
///     refuse_with: RefuseWith::PermanentRedirect,
///     ..PathHabits::default()
/// };
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PathHabits {
    /// Whether collections end in a slash.
    pub collections: Slash,
    /// Whether items end in a slash.
    pub items: Slash,
    /// What becomes of the other form.
    pub refuse_with: RefuseWith,
    /// Whether the names of query parameters are read in lower case, as `ipv4circuitid`.
    pub lower_case_parameters: LowerCase,
}

/// Whether a path ends in a slash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Slash {
    /// It must.
    Required,
    /// It must not.
    Refused,
    /// Both are the same.
    #[default]
    Either,
}

/// How a path is refused that is not in the CO's form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RefuseWith {
    /// 404.
    #[default]
    NotFound,
    /// 301 to the CO's form.
    MovedPermanently,
    /// 308 to the CO's form.
    PermanentRedirect,
}

/// Whether the names of query parameters are read in lower case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LowerCase {
    /// Only then.
    Required,
    /// No: as the document writes them.
    #[default]
    Refused,
    /// Both are the same.
    Either,
}

impl PathHabits {
    /// What the document has at a method and path; a path that is not in the CO's form is unknown.
    pub(super) fn find(&self, spec: &'static Spec, method: &Method, path: &str) -> Lookup<'static> {
        match path.strip_prefix(PREFIX) {
            Some(rest) if self.fits(rest) => documented(spec, method, rest),
            _ => Lookup::UnknownPath,
        }
    }

    /// What is wrong with the names of query parameters.
    pub(super) fn check_query(&self, spec: &Spec, operation: &str, query: Option<&str>) -> Vec<String> {
        let Some(known) = spec.operation(operation) else { return Vec::new() };
        let read = |name: &str| {
            known.query_parameters().any(|parameter| match self.lower_case_parameters {
                LowerCase::Refused => parameter == name,
                LowerCase::Required => parameter.to_ascii_lowercase() == name,
                LowerCase::Either => parameter == name || parameter.to_ascii_lowercase() == name,
            })
        };
        let names = query.unwrap_or_default().split('&').filter_map(|pair| pair.split('=').next());
        names
            .filter(|name| !name.is_empty() && !read(name))
            .map(|name| format!("query: the parameter '{name}' is not known"))
            .collect()
    }

    /// The refusal of a path that would be known in the CO's form.
    pub(super) fn refusal(&self, spec: &'static Spec, received: &Received) -> Refusal {
        let rest = received.path.strip_prefix(PREFIX).unwrap_or_default();
        if rest.is_empty() || matches!(documented(spec, &received.method, rest), Lookup::UnknownPath) {
            return Refusal::new(501, "There is no such endpoint");
        }
        let status = match self.refuse_with {
            RefuseWith::NotFound => return Refusal::new(404, "There is no such path"),
            RefuseWith::MovedPermanently => 301,
            RefuseWith::PermanentRedirect => 308,
        };
        let query = received.query.as_ref().map(|query| format!("?{query}")).unwrap_or_default();
        let location = format!("{PREFIX}{}{query}", toggled(rest));
        Refusal::new(status, "The address is written in another way").header("location", location)
    }

    /// The path of a collection in the CO's form: the document's own, if both are the same to it.
    pub(super) fn collection(&self, documented: &str) -> String {
        form(self.collections, documented)
    }

    /// The path of an item in the CO's form.
    pub(super) fn item(&self, collection: &str, id: &str) -> String {
        form(self.items, &format!("/{collection}/{id}"))
    }

    fn fits(&self, rest: &str) -> bool {
        let path = rest.trim_end_matches('/');
        if path.is_empty() {
            return true;
        }
        let habit = if path.matches('/').count() == 1 { self.collections } else { self.items };
        match habit {
            Slash::Required => rest.ends_with('/'),
            Slash::Refused => !rest.ends_with('/'),
            Slash::Either => true,
        }
    }
}

/// What the document has at a path below the prefix, written with a slash at the end or without.
fn documented(spec: &'static Spec, method: &Method, rest: &str) -> Lookup<'static> {
    match spec.find(method, rest) {
        Lookup::UnknownPath if !rest.ends_with("//") => spec.find(method, &toggled(rest)),
        found => found,
    }
}

/// With a slash at the end if there was none, and without it if there was one.
fn toggled(path: &str) -> Cow<'_, str> {
    match path.strip_suffix('/') {
        Some(without) => Cow::Borrowed(without),
        None => Cow::Owned(format!("{path}/")),
    }
}

fn form(habit: Slash, documented: &str) -> String {
    let without = documented.trim_end_matches('/');
    match habit {
        Slash::Required => format!("{PREFIX}{without}/"),
        Slash::Refused => format!("{PREFIX}{without}"),
        Slash::Either => format!("{PREFIX}{documented}"),
    }
}

/// The values of a query by name, without regard to case, decoded.
#[derive(Debug)]
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    pub(super) fn parse(query: Option<&str>) -> Query {
        let pairs = query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
        let split = |pair: &str| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (name.to_ascii_lowercase(), decode(value))
        };
        Query(pairs.map(split).collect())
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let named = self.0.iter().find(|(other, _)| other.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.as_str())
    }
}

/// A value of a form; what cannot be decoded stays as it is.
fn decode(value: &str) -> String {
    let spaced = value.replace('+', " ");
    percent_decoded(&spaced).unwrap_or(spaced)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_decoded_and_its_names_have_no_case() {
        let query = Query::parse(Some("ipv4CircuitId=sw-1%20eth+0%2F1&created=&odd=%zz%4"));
        assert_eq!(query.get("ipv4circuitid"), Some("sw-1 eth 0/1"));
        assert_eq!(query.get("Created"), Some(""));
        assert_eq!(query.get("odd"), Some("%zz%4"));
        assert_eq!(query.get("none"), None);
        assert_eq!(Query::parse(None).get("none"), None);
    }
}
