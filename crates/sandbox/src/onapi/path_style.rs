//! The spelling of paths and query parameters that a CO accepts.

use std::borrow::Cow;

use http::Method;

use super::response::ErrorResponse;
use crate::query_string;
use crate::received::ReceivedRequest;
use crate::spec::{RouteMatch, Spec};

/// The path prefix of the API at this CO.
pub(super) const PREFIX: &str = "/onapi/2.6";

/// The spelling of paths and query parameters that a CO accepts.
///
/// Servers differ: some require a trailing slash, some reject it, and one server may do either for collections and
/// for items.
///
/// Collections are paths with one segment, such as `/orders/` or `/tickets`; everything below them is an item. The
/// directory, directly below the prefix, is available with and without a trailing slash.
///
/// ```
/// use lastmile_sandbox::{PathStyle, RefuseWith, TrailingSlash};
///
/// let path_style = PathStyle {
///     collections: TrailingSlash::Refused,
///     items: TrailingSlash::Required,
///     refuse_with: RefuseWith::PermanentRedirect,
///     ..PathStyle::default()
/// };
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PathStyle {
    /// Whether the paths of collections end in a slash.
    pub collections: TrailingSlash,
    /// Whether the paths of items end in a slash.
    pub items: TrailingSlash,
    /// The response to a path in the other spelling.
    pub refuse_with: RefuseWith,
    /// Whether the names of query parameters are in lower case, such as `ipv4circuitid`.
    pub lower_case_parameters: LowerCase,
}

/// Whether a path ends in a slash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TrailingSlash {
    /// The path must end in a slash.
    Required,
    /// The path must not end in a slash.
    Refused,
    /// The path may end in a slash.
    #[default]
    Either,
}

/// The response to a path that is not in the accepted spelling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RefuseWith {
    /// 404 (Not Found).
    #[default]
    NotFound,
    /// 301 (Moved Permanently) to the accepted spelling.
    MovedPermanently,
    /// 308 (Permanent Redirect) to the accepted spelling.
    PermanentRedirect,
}

/// Whether the names of query parameters are in lower case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LowerCase {
    /// Names must be in lower case.
    Required,
    /// Names must be spelled as in the document.
    #[default]
    Refused,
    /// Both spellings are accepted.
    Either,
}

impl PathStyle {
    /// Matches a method and a path to an operation. A path that is not in the accepted spelling is unknown.
    pub(super) fn route(&self, spec: &'static Spec, method: &Method, path: &str) -> RouteMatch<'static> {
        match path.strip_prefix(PREFIX) {
            Some(relative_path) if self.is_accepted(relative_path) => documented(spec, method, relative_path),
            _ => RouteMatch::UnknownPath,
        }
    }

    /// Returns the query parameters that are not known in the accepted spelling, as problems.
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

    /// Returns the error response for an unknown path.
    pub(super) fn error_response(&self, spec: &'static Spec, received: &ReceivedRequest) -> ErrorResponse {
        let relative_path = received.path.strip_prefix(PREFIX).unwrap_or_default();
        if relative_path.is_empty()
            || matches!(documented(spec, &received.method, relative_path), RouteMatch::UnknownPath)
        {
            return ErrorResponse::new(501, "There is no such endpoint");
        }
        let status = match self.refuse_with {
            RefuseWith::NotFound => return ErrorResponse::new(404, "There is no such path"),
            RefuseWith::MovedPermanently => 301,
            RefuseWith::PermanentRedirect => 308,
        };
        let query = received.query.as_ref().map(|query| format!("?{query}")).unwrap_or_default();
        let location = format!("{PREFIX}{}{query}", with_toggled_slash(relative_path));
        ErrorResponse::new(status, "The address is written in another way").header("location", location)
    }

    /// Returns the path of a collection in the accepted spelling; if both are accepted, in that of the document.
    pub(super) fn collection(&self, documented: &str) -> String {
        form(self.collections, documented)
    }

    /// Returns the path of an item in the accepted spelling.
    pub(super) fn item(&self, collection: &str, id: &str) -> String {
        form(self.items, &format!("/{collection}/{id}"))
    }

    fn is_accepted(&self, relative_path: &str) -> bool {
        let path = relative_path.trim_end_matches('/');
        if path.is_empty() {
            return true;
        }
        let slash = if path.matches('/').count() == 1 { self.collections } else { self.items };
        match slash {
            TrailingSlash::Required => relative_path.ends_with('/'),
            TrailingSlash::Refused => !relative_path.ends_with('/'),
            TrailingSlash::Either => true,
        }
    }
}

/// Matches a path below the prefix, with or without a trailing slash.
fn documented(spec: &'static Spec, method: &Method, relative_path: &str) -> RouteMatch<'static> {
    match spec.route(method, relative_path) {
        RouteMatch::UnknownPath if !relative_path.ends_with("//") => {
            spec.route(method, &with_toggled_slash(relative_path))
        }
        found => found,
    }
}

/// Removes the trailing slash if there is one, or else adds it.
fn with_toggled_slash(path: &str) -> Cow<'_, str> {
    match path.strip_suffix('/') {
        Some(without) => Cow::Borrowed(without),
        None => Cow::Owned(format!("{path}/")),
    }
}

fn form(slash: TrailingSlash, documented: &str) -> String {
    let without = documented.trim_end_matches('/');
    match slash {
        TrailingSlash::Required => format!("{PREFIX}{without}/"),
        TrailingSlash::Refused => format!("{PREFIX}{without}"),
        TrailingSlash::Either => format!("{PREFIX}{documented}"),
    }
}
