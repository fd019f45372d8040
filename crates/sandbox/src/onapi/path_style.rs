//! The spelling of paths and query parameters that a CO accepts.

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
