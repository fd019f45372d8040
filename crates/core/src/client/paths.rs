use crate::operation::Operation;

/// How a server expects its paths, if it differs from the document.
///
/// ```
/// use lastmile_core::client::{PathStyle, TrailingSlash};
///
/// let path_style = PathStyle { collections: TrailingSlash::Never, ..PathStyle::default() };
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PathStyle {
    /// The trailing slash of a path without a parameter: `/orders/`.
    pub collections: TrailingSlash,
    /// The trailing slash of a path with a parameter: `/orders/{id}`.
    pub items: TrailingSlash,
    /// Whether the names of query parameters are sent in lower case, for the operations whose servers are known to expect that.
    /// `false` by default.
    pub lower_case_parameters: bool,
}

/// Whether a path ends with a slash.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TrailingSlash {
    /// The path ends as in the document.
    #[default]
    AsDocumented,
    /// The path always ends with a slash.
    Always,
    /// The path never ends with a slash.
    Never,
}

impl PathStyle {
    /// Adds or removes the trailing slash of a URL without a query, as this server expects it.
    pub(super) fn apply(&self, url: &mut String, operation: &Operation) {
        let is_item = operation.path.contains('{');
        let slash = if is_item { self.items } else { self.collections };
        if slash != TrailingSlash::AsDocumented {
            url.truncate(url.trim_end_matches('/').len());
        }
        if slash == TrailingSlash::Always {
            url.push('/');
        }
    }

    /// Returns the name of a query parameter as this server expects it, if it differs from the documented name.
    pub(crate) fn parameter(&self, name: &str, operation: &Operation) -> Option<String> {
        (self.lower_case_parameters && operation.lower_case).then(|| name.to_lowercase())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(path_style: &PathStyle, template: &'static str, url: &str) -> String {
        let mut url = url.to_owned();
        path_style.apply(&mut url, &Operation { path: template, ..Operation::READ });
        url
    }

    #[test]
    fn slashes_come_and_go() {
        let with = PathStyle {
            collections: TrailingSlash::Always,
            items: TrailingSlash::Always,
            ..PathStyle::default()
        };
        let without = PathStyle {
            collections: TrailingSlash::Never,
            items: TrailingSlash::Never,
            ..PathStyle::default()
        };
        let documented = PathStyle::default();
        for (template, url) in
            [("/orders/", "http://h/p/orders/"), ("/orders/{id}", "http://h/p/orders/a%2Fb")]
        {
            assert_eq!(applied(&documented, template, url), url);
        }
        assert_eq!(applied(&without, "/orders/", "http://h/p/orders/"), "http://h/p/orders");
        assert_eq!(applied(&with, "/tickets", "http://h/p/tickets"), "http://h/p/tickets/");
        assert_eq!(
            applied(&without, "/tech/{id}/status", "http://h/tech/1/status"),
            "http://h/tech/1/status"
        );
        assert_eq!(applied(&with, "/orders/{id}", "http://h/p/orders/a%2Fb"), "http://h/p/orders/a%2Fb/");
        assert_eq!(
            applied(&without, "/orders/{id}/", "http://h/p/orders/%C3%A9/"),
            "http://h/p/orders/%C3%A9"
        );
    }

    #[test]
    fn parameter_names_are_in_lower_case_where_servers_are_known_to_want_that() {
        let path_style = PathStyle { lower_case_parameters: true, ..PathStyle::default() };
        let known = Operation { lower_case: true, ..Operation::READ };
        assert_eq!(path_style.parameter("ipv4CircuitId", &known).as_deref(), Some("ipv4circuitid"));
        assert_eq!(path_style.parameter("accessId", &Operation::READ), None);
        assert_eq!(PathStyle::default().parameter("ipv4CircuitId", &known), None);
    }
}
