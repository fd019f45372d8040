use reqwest::Url;

use super::table::Operation;

/// How a server wants its paths, where it differs from the document.
///
/// ```
/// use lastmile_core::call::{PathHabits, Slash};
///
/// let habits = PathHabits { collections: Slash::Never, ..PathHabits::default() };
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PathHabits {
    /// The slash at the end of a path without a parameter: `/orders/`.
    pub collections: Slash,
    /// The slash at the end of a path with one: `/orders/{id}`.
    pub items: Slash,
    /// Whether the names of query parameters are written in lower case, for the operations where servers are known to want
    /// that.
    pub lower_case_parameters: bool,
}

/// Whether a path ends in a slash.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Slash {
    /// As the document has it.
    #[default]
    AsDocumented,
    /// It always does.
    Always,
    /// It never does.
    Never,
}

impl PathHabits {
    pub(super) fn apply(&self, url: &mut Url, operation: &Operation) {
        let is_item = operation.path.contains('{');
        let slash = if is_item { self.items } else { self.collections };
        if slash != Slash::AsDocumented {
            let bare = url.path().trim_end_matches('/');
            let path = if slash == Slash::Always { format!("{bare}/") } else { bare.to_owned() };
            url.set_path(&path);
        }
        if self.lower_case_parameters && operation.lower_case && url.query().is_some() {
            let pairs: Vec<(String, String)> =
                url.query_pairs().map(|(name, value)| (name.to_lowercase(), value.into_owned())).collect();
            url.query_pairs_mut().clear().extend_pairs(pairs);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn habit(habits: &PathHabits, template: &'static str, url: &str) -> String {
        let operation = Operation { path: template, lower_case: template == "/l/", ..Operation::READ };
        let mut url: Url = url.parse().unwrap();
        habits.apply(&mut url, &operation);
        url.to_string()
    }

    #[test]
    fn slashes_come_and_go() {
        let with = PathHabits { collections: Slash::Always, items: Slash::Always, ..PathHabits::default() };
        let without = PathHabits { collections: Slash::Never, items: Slash::Never, ..PathHabits::default() };
        let documented = PathHabits::default();
        for (template, url) in
            [("/orders/", "http://h/p/orders/"), ("/orders/{id}", "http://h/p/orders/a%2Fb?x=1")]
        {
            assert_eq!(habit(&documented, template, url), url);
        }
        assert_eq!(habit(&without, "/orders/", "http://h/p/orders/?a=b"), "http://h/p/orders?a=b");
        assert_eq!(habit(&with, "/tickets", "http://h/p/tickets"), "http://h/p/tickets/");
        assert_eq!(habit(&without, "/tech/{id}/status", "http://h/tech/1/status"), "http://h/tech/1/status");
        assert_eq!(habit(&with, "/orders/{id}", "http://h/p/orders/a%2Fb"), "http://h/p/orders/a%2Fb/");
        assert_eq!(habit(&without, "/orders/{id}/", "http://h/p/orders/%C3%A9/"), "http://h/p/orders/%C3%A9");
    }

    #[test]
    fn parameter_names_in_lower_case_keep_their_values() {
        let habits = PathHabits { lower_case_parameters: true, ..PathHabits::default() };
        let url = habit(&habits, "/l/", "http://h/l/?ipv4CircuitId=A%2FB&x=%C3%89");
        assert_eq!(url, "http://h/l/?ipv4circuitid=A%2FB&x=%C3%89");
        assert_eq!(habit(&habits, "/l/", "http://h/l/"), "http://h/l/");
        assert_eq!(
            habit(&habits, "/o/", "http://h/o/?accessId=1"),
            "http://h/o/?accessId=1",
            "only where it is known"
        );
    }
}
