//! Detects successful responses whose head announces that they contain only a part of a list.

use reqwest::StatusCode;
use reqwest::header::{CONTENT_RANGE, HeaderMap, LINK};

use crate::operation::Operation;

/// Returns whether a response is a part of a list although its operation cannot request the rest: by status 206 or
/// `Content-Range` (RFC 9110, 15.3.7 and 14.4), or by a `Link` to the next page (RFC 8288, relation `next`). Such a part must not
/// count as the whole list, since the missing rows would be taken for deleted.
pub(crate) fn is_part_of_list(operation: &Operation, status: StatusCode, headers: &HeaderMap) -> bool {
    if operation.list.is_none_or(|list| list.is_paged) {
        return false;
    }
    status == StatusCode::PARTIAL_CONTENT
        || headers.contains_key(CONTENT_RANGE)
        || headers.get_all(LINK).iter().any(|links| has_next(&String::from_utf8_lossy(links.as_bytes())))
}

/// Returns whether one of the links of a `Link` header has the relation `next`. A relation that only occurs in a target or a
/// quoted text does not count.
fn has_next(links: &str) -> bool {
    let mut rest = links;
    // Each link consists of its target in angle brackets and its parameters.
    while let Some((_, link)) = rest.split_once('<') {
        let Some((_, behind)) = link.split_once('>') else { return false };
        let end = unquoted(behind, ',').unwrap_or(behind.len());
        if is_next(&behind[..end]) {
            return true;
        }
        rest = &behind[end..];
    }
    false
}

/// Returns whether the parameters of a link, such as `; rel="prev next"; title="…"`, contain the relation `next`.
fn is_next(parameters: &str) -> bool {
    let mut rest = parameters;
    while let Some(start) = unquoted(rest, ';') {
        rest = &rest[start + 1..];
        let parameter = &rest[..unquoted(rest, ';').unwrap_or(rest.len())];
        let Some((name, value)) = parameter.split_once('=') else { continue };
        let relations = value.trim().trim_matches(['"', '\'']);
        if name.trim().eq_ignore_ascii_case("rel")
            && relations.split_ascii_whitespace().any(|relation| relation.eq_ignore_ascii_case("next"))
        {
            return true;
        }
    }
    false
}

/// Returns the first position of a character outside quotes.
fn unquoted(text: &str, wanted: char) -> Option<usize> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    text.char_indices().find_map(|(at, character)| {
        match character {
            _ if is_escaped => is_escaped = false,
            '\\' if is_quoted => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            _ if character == wanted && !is_quoted => return Some(at),
            _ => {}
        }
        None
    })
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderName, HeaderValue};

    use super::*;
    use crate::operation::ListShape;

    const LIST: Operation =
        Operation { list: Some(ListShape { identity: None, is_paged: false }), ..Operation::READ };
    const PAGE: Operation =
        Operation { list: Some(ListShape { identity: None, is_paged: true }), ..Operation::READ };

    fn is_part(operation: &Operation, status: u16, header: Option<(HeaderName, &str)>) -> bool {
        let header = header.map(|(name, value)| (name, HeaderValue::from_str(value).unwrap()));
        let headers = header.into_iter().collect();
        is_part_of_list(operation, StatusCode::from_u16(status).unwrap(), &headers)
    }

    #[test]
    fn a_part_is_told_by_status_range_or_next_link() {
        assert!(is_part(&LIST, 206, None));
        assert!(is_part(&LIST, 200, Some((CONTENT_RANGE, "items 0-9/20"))));
        assert!(is_part(&LIST, 200, Some((LINK, "</list?page=2>; rel=\"next\""))));
        assert!(!is_part(&LIST, 200, None));
        assert!(!is_part(&LIST, 203, None));
        for operation in [&PAGE, &Operation::READ] {
            assert!(!is_part(operation, 206, None));
            assert!(!is_part(operation, 200, Some((CONTENT_RANGE, "items 0-9/20"))));
            assert!(!is_part(operation, 200, Some((LINK, "</list?page=2>; rel=next"))));
        }
    }

    #[test]
    fn the_next_link_is_found_in_each_form() {
        for links in [
            "<https://sp.example/2>; rel=\"next\"",
            "<https://sp.example/2>;rel=next",
            "<2> ; REL = \"Next\"",
            "<2>; rel='next'",
            "<2>; rel=\"prev next\"",
            "\"<2>; rel=next\"",
            "<2>; title=a<b; rel=\"next\"",
            "<1>; rel=\"prev\", <2>; rel=\"next\"",
            "<1,a;b>; title=\"a, b; c\"; rel=prev, <2>; title=\"<x>\"; rel=next",
            "<2>; title=\"a \\\" b\"; rel=\"next\"",
        ] {
            assert!(has_next(links), "{links}");
        }
        for links in [
            "",
            "next",
            "<2",
            "<https://sp.example/?rel=next>; rel=\"self\"",
            "<2>; rel=\"nextish\"",
            "<2>; title=\"; rel=next\"; rel=\"last\"",
            "<2>; rev=\"next\"",
            "<1>; rel=\"first\", <9>; rel=\"last\"",
        ] {
            assert!(!has_next(links), "{links}");
        }
    }
}
