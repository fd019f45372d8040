//! Query strings as they arrive.

/// Returns the pairs of a query string, still percent-encoded. A parameter without `=` has an empty value.
pub(crate) fn pairs(query: Option<&str>) -> impl Iterator<Item = (&str, &str)> {
    let pairs = query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
    pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")))
}

/// Returns the parameter names of a query string, still percent-encoded, without empty ones.
pub(crate) fn names(query: Option<&str>) -> impl Iterator<Item = &str> {
    pairs(query).map(|(name, _)| name).filter(|name| !name.is_empty())
}
