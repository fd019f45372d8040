//! How a CO wants its paths and its parameters written.

use std::borrow::Cow;

use http::Method;

use super::response::ErrorResponse;
use crate::query_string;
use crate::received::ReceivedRequest;
use crate::spec::{RouteMatch, Spec};

/// Under which the API stands at this CO.
pub(super) const PREFIX: &str = "/onapi/2.6";

/// How a CO wants its addresses written. Servers differ: some want a slash at the end, some refuse it, and one
/// may do both, for collections and for items.
///
/// Collections are the addresses of one segment, such as `/orders/` or `/tickets`; everything below them is an
/// item. The directory, directly below the prefix, is found with a slash and without.
///
/// ```
/// use lastmile_sandbox::{PathStyle, RefuseWith, TrailingSlash};
///
/// let habits = PathStyle {
///     collections: TrailingSlash::Refused,
///     items: TrailingSlash::Required,
///     refuse_with: RefuseWith::PermanentRedirect,
///     ..PathStyle::default()
/// };
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PathStyle {
    /// Whether collections end in a slash.
    pub collections: TrailingSlash,
    /// Whether items end in a slash.
    pub items: TrailingSlash,
    /// What becomes of the other form.
    pub refuse_with: RefuseWith,
    /// Whether the names of query parameters are read in lower case, as `ipv4circuitid`.
    pub lower_case_parameters: LowerCase,
}

/// Whether a path ends in a slash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TrailingSlash {
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

impl PathStyle {
    /// What the document has at a method and path; a path that is not in the CO's form is unknown.
    pub(super) fn route(&self, spec: &'static Spec, method: &Method, path: &str) -> RouteMatch<'static> {
        match path.strip_prefix(PREFIX) {
            Some(rest) if self.fits(rest) => documented(spec, method, rest),
            _ => RouteMatch::UnknownPath,
        }
    }

    /// What is wrong with the names of query parameters.
    pub(super) fn check_query(&self, spec: &Spec, operation: &str, query: Option<&str>) -> Vec<String> {
        let Some(known) = spec.operation(operation) else { return Vec::new() };
        let is_known = |name: &str| {
            known.query_parameters().any(|parameter| match self.lower_case_parameters {
                LowerCase::Refused => parameter == name,
                LowerCase::Required => parameter.to_ascii_lowercase() == name,
                LowerCase::Either => parameter == name || parameter.to_ascii_lowercase() == name,
            })
        };
        query_string::names(query)
            .filter(|name| !is_known(name))
            .map(|name| format!("query: the parameter '{name}' is not known"))
            .collect()
    }

    /// The refusal of a path that would be known in the CO's form.
    pub(super) fn error_response(&self, spec: &'static Spec, received: &ReceivedRequest) -> ErrorResponse {
        let rest = received.path.strip_prefix(PREFIX).unwrap_or_default();
        if rest.is_empty() || matches!(documented(spec, &received.method, rest), RouteMatch::UnknownPath) {
            return ErrorResponse::new(501, "There is no such endpoint");
        }
        let status = match self.refuse_with {
            RefuseWith::NotFound => return ErrorResponse::new(404, "There is no such path"),
            RefuseWith::MovedPermanently => 301,
            RefuseWith::PermanentRedirect => 308,
        };
        let query = received.query.as_ref().map(|query| format!("?{query}")).unwrap_or_default();
        let location = format!("{PREFIX}{}{query}", toggled(rest));
        ErrorResponse::new(status, "The address is written in another way").header("location", location)
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
            TrailingSlash::Required => rest.ends_with('/'),
            TrailingSlash::Refused => !rest.ends_with('/'),
            TrailingSlash::Either => true,
        }
    }
}

/// What the document has at a path below the prefix, written with a slash at the end or without.
fn documented(spec: &'static Spec, method: &Method, rest: &str) -> RouteMatch<'static> {
    match spec.route(method, rest) {
        RouteMatch::UnknownPath if !rest.ends_with("//") => spec.route(method, &toggled(rest)),
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

fn form(habit: TrailingSlash, documented: &str) -> String {
    let without = documented.trim_end_matches('/');
    match habit {
        TrailingSlash::Required => format!("{PREFIX}{without}/"),
        TrailingSlash::Refused => format!("{PREFIX}{without}"),
        TrailingSlash::Either => format!("{PREFIX}{documented}"),
    }
}
