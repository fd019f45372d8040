//! The paths of a CO, and the query parameters that it accepts.

use std::borrow::Cow;

use http::Method;

use super::dialect::Dialect;
use super::path_style::{LowerCase, PathStyle, RefuseWith, TrailingSlash};
use super::response::ErrorResponse;
use crate::query_string;
use crate::received::ReceivedRequest;
use crate::spec::{RouteMatch, Spec};

/// The paths of a CO: the prefix and the paths of its dialect, in the spelling that it accepts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Paths {
    pub(super) dialect: Dialect,
    pub(super) style: PathStyle,
}

impl Paths {
    /// Returns the path prefix of the API.
    pub(super) fn prefix(&self) -> &'static str {
        self.dialect.prefix()
    }

    /// Matches a method and a path to an operation. A path that is not in the accepted spelling is unknown.
    pub(super) fn route(&self, spec: &'static Spec, method: &Method, path: &str) -> RouteMatch<'static> {
        match path.strip_prefix(self.prefix()) {
            Some(relative_path) if self.is_accepted(relative_path) => documented(spec, method, relative_path),
            _ => RouteMatch::UnknownPath,
        }
    }

    /// Returns the query parameters that are not known in the accepted spelling, as problems.
    pub(super) fn check_query(&self, spec: &Spec, operation: &str, query: Option<&str>) -> Vec<String> {
        let Some(known) = spec.operation(operation) else { return Vec::new() };
        let is_known = |name: &str| {
            known.query_parameters().any(|parameter| match self.style.lower_case_parameters {
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
        let relative_path = received.path.strip_prefix(self.prefix()).unwrap_or_default();
        if relative_path.is_empty()
            || matches!(documented(spec, &received.method, relative_path), RouteMatch::UnknownPath)
        {
            return ErrorResponse::new(501, "There is no such endpoint");
        }
        let status = match self.style.refuse_with {
            RefuseWith::NotFound => return ErrorResponse::new(404, "There is no such path"),
            RefuseWith::MovedPermanently => 301,
            RefuseWith::PermanentRedirect => 308,
        };
        let query = received.query.as_ref().map(|query| format!("?{query}")).unwrap_or_default();
        let location = format!("{}{}{query}", self.prefix(), with_toggled_slash(relative_path));
        ErrorResponse::new(status, "The address is written in another way").header("location", location)
    }

    /// Returns the path of a collection in the accepted spelling; if both are accepted, in that of the document.
    pub(super) fn collection(&self, documented: &str) -> String {
        self.form(self.style.collections, documented)
    }

    /// Returns the path of an item in the accepted spelling.
    pub(super) fn item(&self, collection: &str, id: &str) -> String {
        self.form(self.style.items, &format!("/{collection}/{id}"))
    }

    /// Returns the path of the object of an event, where `key` is the id in its path. Before 2.6, the path of a
    /// subscription is that of its access.
    pub(super) fn object(&self, collection: &str, key: &str) -> String {
        let has_path = collection != "subscriptions" || !self.dialect.is_legacy();
        self.item(if has_path { collection } else { "accesses" }, key)
    }

    fn form(&self, slash: TrailingSlash, documented: &str) -> String {
        let (prefix, without) = (self.prefix(), documented.trim_end_matches('/'));
        match slash {
            TrailingSlash::Required => format!("{prefix}{without}/"),
            TrailingSlash::Refused => format!("{prefix}{without}"),
            TrailingSlash::Either => format!("{prefix}{documented}"),
        }
    }

    fn is_accepted(&self, relative_path: &str) -> bool {
        let path = relative_path.trim_end_matches('/');
        if path.is_empty() {
            return true;
        }
        let slash = if path.matches('/').count() == 1 { self.style.collections } else { self.style.items };
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
